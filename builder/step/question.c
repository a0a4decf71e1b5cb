// SPDX-License-Identifier: Apache-2.0
/* From the head of a request to the question that is looked up: which URL is it, and which headers count? */
#include <builder/step/server.h>

#include <sbuild/utf8.h>

static bool is_url(sb_slice target)
{
    sb_slice http = SB_LIT("http://"), https = SB_LIT("https://");

    return (target.len >= http.len && sb_slice_eq_nocase(sb_slice_sub(target, 0, http.len), http)) ||
           (target.len >= https.len && sb_slice_eq_nocase(sb_slice_sub(target, 0, https.len), https));
}

bool step_authority_split(sb_slice authority, sb_slice *ret_host, unsigned *ret_port)
{
    ptrdiff_t colon = sb_slice_rchr(authority, ':'), bracket = sb_slice_rchr(authority, ']');
    sb_slice host = authority;
    uint64_t port = 0;

    if (colon > bracket) {
        if (!sb_slice_to_u64(sb_slice_sub(authority, (size_t)colon + 1, authority.len), &port) || !port ||
            port > 65535)
            return false;
        host = sb_slice_sub(authority, 0, (size_t)colon);
    }
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = sb_slice_sub(host, 1, host.len - 1);
    if (!host.len)
        return false;
    *ret_host = host;
    *ret_port = (unsigned)port;
    return true;
}

/* Digits, dots and colons alone. */
static bool is_address(sb_slice authority)
{
    for (size_t i = 0; i < authority.len; i++)
        if (!strchr("0123456789.:[]", authority.ptr[i]))
            return false;
    return true;
}

/*
 * Whom a request in a tunnel is for: whom the tunnel was asked for. A client that resolved the name itself
 * opens the tunnel to an address, and tells the name with each request.
 */
static sb_slice authority_of(const step_request *request, sb_slice tunnel)
{
    sb_slice host = step_head_get(&request->head, "host"), name;
    unsigned port;

    if (!tunnel.ptr)
        return host;
    if (host.len && is_address(tunnel) && !is_address(host) && step_authority_split(tunnel, &name, &port) &&
        port && sb_slice_rchr(host, ':') < 0)
        return sb_arena_printf(request->arena, "%" SB_FMT ":%u", SB_ARG(host), port);
    return host.len && is_address(tunnel) && !is_address(host) ? host : tunnel;
}

/* Path and query of a URL that sb_step_url() takes. */
static sb_slice target_of(sb_arena *arena, sb_slice url)
{
    size_t at = (size_t)sb_slice_find(url, SB_LIT("//")) + 2;
    ptrdiff_t hash;

    while (at < url.len && !strchr("/?#", url.ptr[at]))
        at++;
    url = sb_slice_sub(url, at, url.len);
    hash = sb_slice_chr(url, '#');
    if (hash >= 0)
        url.len = (size_t)hash;
    return url.len && url.ptr[0] == '/' ? url : sb_arena_printf(arena, "/%" SB_FMT, SB_ARG(url));
}

static int by_name(const void *a, const void *b)
{
    const sb_step_header *x = a, *y = b;
    int order = sb_slice_cmp(x->name, y->name);

    return order ? order : sb_slice_cmp(x->value, y->value);
}

bool step_is_text(sb_slice value)
{
    uint32_t c;

    for (size_t i = 0, n; i < value.len; i += n) {
        n = sb_utf8_decode(value.ptr + i, value.len - i, &c);
        if (!n)
            return false;
    }
    return true;
}

static void read_wanted(step_request *request)
{
    sb_step_request *q = &request->question;
    size_t cap = 0;

    q->wanted = NULL;
    q->wanted_count = 0;
    for (size_t i = 0; i < request->head.count; i++)
        if (sb_step_wants_header(request->head.headers[i].name) &&
            step_is_text(request->head.headers[i].value))
            *SB_ARENA_PUSH(request->arena, q->wanted, q->wanted_count, cap) = request->head.headers[i];
    if (q->wanted_count > 1)
        qsort(q->wanted, q->wanted_count, sizeof(*q->wanted), by_name);
}

int step_question_of(step_request *request, sb_slice scheme, sb_slice tunnel, sb_error **err)
{
    sb_slice url = request->head.target;

    /* Of another scheme: sb_step_url() says so by name. */
    if (!is_url(url) && (url.ptr[0] == '/' || sb_slice_find(url, SB_LIT("://")) < 0)) {
        sb_slice authority = authority_of(request, tunnel);

        if (url.ptr[0] != '/' || !authority.len)
            return sb_fail(err, SB_ERR_PARSE, "it is no request for a proxy of http and https");
        url = sb_arena_printf(request->arena, "%" SB_FMT "://%" SB_FMT "%" SB_FMT, SB_ARG(scheme),
                              SB_ARG(authority), SB_ARG(url));
    }
    if (sb_step_url(request->arena, url, &request->question.url, err) < 0)
        return -1;
    request->target = target_of(request->arena, url);
    request->question.method = request->head.method;
    read_wanted(request);
    request->range = step_range_of(&request->head);
    return 0;
}
