// SPDX-License-Identifier: Apache-2.0
/* Where a URL leads to, and through which proxy of the machine. */
#include <builder/step/upstream.h>

#include <openssl/evp.h>

#include <fetch/address.h>
#include <fetch/no_proxy.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443, PROXY_PORT = 1080 /* as curl has it */ };

int step_place_of(sb_slice url, step_place *ret_place, sb_error **err)
{
    sb_slice https = SB_LIT("https://"), http = SB_LIT("http://");
    step_place p = {.https = sb_slice_starts(url, https)};

    url = sb_slice_sub(url, p.https ? https.len : http.len, url.len);
    p.authority = sb_slice_cut(&url, '/');
    if (!step_authority_split(p.authority, &p.host, &p.port))
        return sb_fail(err, SB_ERR_NETWORK, "the URL has no host");
    if (!p.port)
        p.port = p.https ? HTTPS_PORT : HTTP_PORT;
    *ret_place = p;
    return 0;
}

void step_proxy_clear(step_proxy *proxy)
{
    free(proxy->authorization);
}

/* In place; what is no two digits behind a "%" stays. */
static void decode_percent(char *text)
{
    char *to = text;

    while (*text) {
        int high = *text == '%' ? sb_hex_value(text[1]) : -1, low = high >= 0 ? sb_hex_value(text[2]) : -1;

        if (low >= 0 && high + low > 0) {
            *to++ = (char)(high << 4 | low);
            text += 3;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

static char *basic_of(sb_slice user)
{
    sb_autofree char *plain = sb_slice_dup(user);
    sb_autofree unsigned char *text = NULL;
    size_t len;

    decode_percent(plain);
    len = strlen(plain);
    text = sb_malloc(len / 3 * 4 + 5);
    EVP_EncodeBlock(text, (const unsigned char *)plain, (int)len);
    return sb_asprintf("Basic %s", (const char *)text);
}

int step_proxy_for(const step_config *config, const step_place *to, step_proxy *ret_proxy, sb_error **err)
{
    sb_slice url = to->https ? config->https_proxy : config->http_proxy, http = SB_LIT("http://");
    step_proxy p = {0};
    ptrdiff_t at;

    if (!url.len || sb_host_is_loopback(to->host) ||
        sb_no_proxy_matches(config->no_proxy, to->host, to->port))
        return 0;
    if (sb_slice_starts(url, http))
        url = sb_slice_sub(url, http.len, url.len);
    else if (sb_slice_find(url, SB_LIT("://")) >= 0)
        return sb_fail(err, SB_ERR_NETWORK,
                       "the proxy of the host is none for http; only such are supported");
    url = sb_slice_cut(&url, '/');
    at = sb_slice_rchr(url, '@');
    if (at >= 0) {
        p.authorization = basic_of(sb_slice_sub(url, 0, (size_t)at));
        url = sb_slice_sub(url, (size_t)at + 1, url.len);
    }
    if (!step_authority_split(url, &p.host, &p.port)) {
        step_proxy_clear(&p);
        return sb_fail(err, SB_ERR_NETWORK, "the URL of the proxy has no host");
    }
    if (!p.port)
        p.port = PROXY_PORT;
    *ret_proxy = p;
    return 0;
}

int step_proxy_tunnel(step_stream *stream, const step_place *to, const step_proxy *through, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *where = sb_slice_dup(to->host);
    bool bracket = strchr(where, ':') != NULL;
    sb_autofree char *name = sb_asprintf(bracket ? "[%s]:%u" : "%s:%u", where, to->port);
    sb_autofree char *text = sb_asprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", name, name,
                                         through->authorization ? "Proxy-Authorization: " : "",
                                         through->authorization ? through->authorization : "",
                                         through->authorization ? "\r\n" : "");
    step_head head;
    size_t len;

    if (!step_stream_send(stream, sb_slice_z(text), false) || step_stream_head(stream, &len) <= 0)
        return sb_fail(err, SB_ERR_NETWORK, "the proxy does not answer: %s", step_stream_why(stream));
    if (step_head_answer(arena, sb_slice_sub(step_stream_have(stream), 0, len), &head, err) < 0)
        return sb_wrap(err, "the proxy's answer");
    step_stream_use(stream, len);
    if (head.status / 100 != 2)
        return sb_fail(err, SB_ERR_NETWORK, "the proxy refuses a connection to %s with status %u", name,
                       head.status);
    return 0;
}
