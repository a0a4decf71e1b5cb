// SPDX-License-Identifier: Apache-2.0
/*
 * A blob of any size, handed on as it comes and verified at the end. When the connection breaks, the rest is
 * asked for; a server that sends the whole again has its beginning passed over, which must be the same: the
 * digest tells.
 */
#include <fetch/registry.h>

#include <inttypes.h>
#include <stdio.h>

typedef struct streaming {
    sb_registry *registry;
    const sb_descriptor *blob;
    int (*take)(void *ctx, const void *data, size_t len, sb_error **err);
    void *ctx;
    sb_hasher *hasher;
    uint64_t done; /* bytes handed on */
    uint64_t pass; /* bytes of this answer that were handed on before */
} streaming;

static int begin(sb_transfer *t, struct curl_slist **headers, sb_error **err)
{
    const streaming *s = t->ctx;
    char line[64];

    (void)err;
    if (s->done == 0)
        return 0;
    (void)snprintf(line, sizeof(line), "Range: bytes=%" PRIu64 "-", s->done);
    *headers = sb_not_null(curl_slist_append(*headers, line));
    return 0;
}

static int head(sb_transfer *t, sb_error **err)
{
    streaming *s = t->ctx;
    char wanted[64];

    if (t->response.status != 206) {
        s->pass = s->done;
        return t->response.status == 416
                   ? sb_fail(err, SB_ERR_NETWORK, "%s does not give the rest of a blob", t->url.host)
                   : 0;
    }
    s->pass = 0;
    (void)snprintf(wanted, sizeof(wanted), "bytes %" PRIu64 "-", s->done);
    if (s->done == 0 ||
        !sb_slice_starts(sb_http_header(&t->response, "Content-Range", 0), sb_slice_z(wanted)))
        return sb_fail(err, SB_ERR_NETWORK, "%s answers with another part of a blob than was asked for",
                       t->url.host);
    return 0;
}

static int body(sb_transfer *t, const char *data, size_t len, sb_error **err)
{
    streaming *s = t->ctx;
    size_t pass = s->pass < len ? (size_t)s->pass : len;

    s->pass -= pass;
    data += pass;
    len -= pass;
    if (s->blob->size && len > s->blob->size - s->done)
        return sb_fail(err, SB_ERR_VERIFY, "%s sends more than the %" PRIu64 " bytes that its manifest says",
                       t->url.host, s->blob->size);
    sb_hasher_add(s->hasher, data, len);
    s->done += len;
    return len ? s->take(s->ctx, data, len, err) : 0;
}

static sb_verdict end(sb_transfer *t, sb_error **err)
{
    streaming *s = t->ctx;

    if (s->pass == 0 && (!s->blob->size || s->done == s->blob->size))
        return SB_VERDICT_DONE;
    sb_fail(err, SB_ERR_NETWORK, "%s sends only a part of a blob", t->url.host);
    return SB_VERDICT_AGAIN;
}

static bool authorize(sb_transfer *t, sb_source *source, sb_error **err)
{
    return sb_endpoint_authorize(((const streaming *)t->ctx)->registry, t, source, err);
}

int sb_registry_blob_stream(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                            const sb_descriptor *blob,
                            int (*take)(void *ctx, const void *data, size_t len, sb_error **err), void *ctx,
                            sb_error **err)
{
    static const sb_sink sink = {
        .begin = begin, .head = head, .body = body, .end = end, .authorize = authorize};
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(blob->digest.algo);
    streaming s = {registry, blob, take, ctx, hasher, 0, 0};
    sb_transfer transfer = {.sink = &sink, .ctx = &s};
    sb_transfer *list = &transfer;
    char digest[SB_DIGEST_TEXT];
    sb_endpoint *endpoints;
    sb_digest actual;
    size_t count;
    int result;

    sb_digest_format(&blob->digest, digest);
    if (sb_endpoints_for(registry, arena, ref, false, &endpoints, &count, err) < 0)
        return -1;
    transfer.sources = sb_endpoint_sources(registry, arena, endpoints, count,
                                           sb_arena_printf(arena, "blobs/%s", digest).ptr, NULL);
    transfer.source_count = count;
    result = sb_transfers_run(registry->http, &list, 1, err);
    sb_transfer_clear(&transfer);
    if (result < 0)
        return sb_wrap(err, "%" SB_FMT, SB_ARG(sb_image_ref_format(arena, ref)));
    sb_hasher_finish(hasher, &actual);
    if (!sb_digest_eq(&actual, &blob->digest))
        return sb_fail(err, SB_ERR_VERIFY, "%" SB_FMT ": the blob %s does not have its digest; do not use it",
                       SB_ARG(sb_image_ref_format(arena, ref)), digest);
    return 0;
}
