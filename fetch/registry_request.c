// SPDX-License-Identifier: Apache-2.0
#include <fetch/registry.h>

enum { WARNINGS_MAX = 64 };

const char *const sb_manifest_accept[] = {"Accept: " SB_MEDIA_OCI_INDEX ", " SB_MEDIA_DOCKER_LIST
                                          ", " SB_MEDIA_OCI_MANIFEST ", " SB_MEDIA_DOCKER_MANIFEST,
                                          NULL};

sb_source *sb_endpoint_sources(sb_registry *registry, sb_arena *arena, sb_endpoint *endpoints, size_t count,
                               const char *rest, const char *const *headers)
{
    sb_source *sources = sb_arena_array(arena, sb_source, count);

    for (size_t i = 0; i < count; i++) {
        sources[i] = (sb_source){
            .url = sb_endpoint_url(registry, arena, &endpoints[i], rest),
            .authorization = sb_authorization_known(registry, &endpoints[i]),
            .headers = headers,
            .tls = &endpoints[i].tls,
            .allow_local = endpoints[i].allow_local,
            .data = &endpoints[i],
        };
    }
    return sources;
}

bool sb_endpoint_authorize(sb_registry *registry, sb_transfer *transfer, sb_source *source, sb_error **err)
{
    const sb_endpoint *endpoint = source->data;
    sb_slice known = sb_authorization_known(registry, endpoint);

    /* Another transfer may have been here meanwhile. */
    if (known.ptr && !sb_slice_eq(known, source->authorization)) {
        source->authorization = known;
        return true;
    }
    return sb_authorization_get(registry, endpoint, &transfer->response, &source->authorization, err);
}

/* "299 - "text"": the text. */
static sb_slice warn_text(sb_slice value)
{
    ptrdiff_t first = sb_slice_chr(value, '"'), last = sb_slice_rchr(value, '"');

    if (!sb_slice_starts(value, SB_LIT("299 ")) || first < 0 || last <= first)
        return SB_NIL;
    return sb_slice_sub(value, (size_t)first + 1, (size_t)last);
}

void sb_registry_note_warnings(sb_registry *registry, const sb_endpoint *endpoint,
                               const sb_http_response *response)
{
    for (unsigned n = 0; n < 8; n++) {
        sb_slice value = sb_http_header(response, "Warning", n), text = warn_text(value);
        sb_autofree char *shown = NULL;
        bool seen = false;

        if (!value.ptr)
            return;
        if (!text.len || registry->warning_count >= WARNINGS_MAX)
            continue;
        for (size_t i = 0; i < registry->warning_count; i++)
            seen = seen || sb_slice_eq(registry->warnings[i], text);
        if (seen)
            continue;
        *SB_ARENA_PUSH(registry->arena, registry->warnings, registry->warning_count, registry->warning_cap) =
            sb_arena_dup(registry->arena, text);
        shown = sb_printable(text);
        sb_progress_line(registry->progress, SB_EVENT_WARNING, "%" SB_FMT " says: %s",
                         SB_ARG(endpoint->login), shown);
    }
}

typedef struct call {
    sb_registry *registry;
    const sb_registry_request *request;
} call;

static int begin(sb_transfer *t, struct curl_slist **headers, sb_error **err)
{
    (void)headers, (void)err;
    sb_buf_reset(&t->response.body);
    return 0;
}

static int body(sb_transfer *t, const char *data, size_t len, sb_error **err)
{
    if (sb_buf_add(&t->response.body, data, len))
        return 0;
    return sb_fail(err, SB_ERR_LIMIT, "%s sends more than the maximum of %zu bytes", t->url.host,
                   t->response.body.max);
}

static sb_verdict end(sb_transfer *t, sb_error **err)
{
    const sb_digest *expect = ((const call *)t->ctx)->request->expect;
    sb_autofree char *wanted = NULL, *actual = NULL;
    sb_digest got;

    sb_buf_addz(&t->response.body, "");
    if (!expect)
        return SB_VERDICT_DONE;
    sb_digest_of(expect->algo, sb_buf_slice(&t->response.body), &got);
    if (sb_digest_eq(&got, expect))
        return SB_VERDICT_DONE;
    wanted = sb_digest_dup(expect);
    actual = sb_digest_dup(&got);
    sb_fail(err, SB_ERR_VERIFY, "%s answers with bytes of the digest %s when asked for %s; do not use it",
            t->url.host, actual, wanted);
    return SB_VERDICT_FAILED;
}

static bool authorize(sb_transfer *t, sb_source *source, sb_error **err)
{
    return sb_endpoint_authorize(((const call *)t->ctx)->registry, t, source, err);
}

int sb_registry_send(sb_registry *registry, sb_arena *arena, sb_endpoint *endpoints, size_t count,
                     const sb_registry_request *request, sb_http_response *ret_response, size_t *ret_which,
                     long *ret_status, sb_error **err)
{
    static const sb_sink sink = {.begin = begin, .body = body, .end = end, .authorize = authorize};
    call c = {registry, request};
    sb_transfer transfer = {
        .method = request->method,
        .sources = sb_endpoint_sources(registry, arena, endpoints, count, request->rest, request->headers),
        .source_count = count,
        .sink = &sink,
        .ctx = &c,
        .response.body = SB_BUF_INIT(request->max_body),
    };
    sb_transfer *list = &transfer;
    int result = sb_transfers_run(registry->http, &list, 1, err);

    if (ret_status)
        *ret_status = transfer.response.status;
    if (result == 0) {
        sb_registry_note_warnings(registry, &endpoints[transfer.source], &transfer.response);
        if (ret_which)
            *ret_which = transfer.source;
        *ret_response = transfer.response;
        transfer.response = (sb_http_response){0};
    }
    sb_transfer_clear(&transfer);
    return result;
}
