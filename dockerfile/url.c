// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/url.h>

bool df_url_unescape(sb_arena *arena, sb_slice text, bool plus, sb_slice *ret_text)
{
    char *out;
    size_t len = 0;

    if (sb_slice_chr(text, '%') < 0 && (!plus || sb_slice_chr(text, '+') < 0)) {
        *ret_text = text;
        return true;
    }
    out = sb_arena_alloc(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '%') {
            int high = i + 2 < text.len ? sb_hex_value(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? sb_hex_value(text.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[len++] = c;
    }
    *ret_text = sb_slice_of(out, len);
    return true;
}

/* A host, with an optional port of digits. */
static bool is_host(sb_slice host)
{
    ptrdiff_t colon = sb_slice_rchr(host, ':');

    if (host.len && host.ptr[0] == '[') {
        ptrdiff_t close = sb_slice_rchr(host, ']');

        if (close < 0)
            return false;
        colon = colon > close ? colon : -1;
        if (colon < 0 && (size_t)close + 1 != host.len)
            return false;
    } else if (sb_slice_chr(host, ':') != colon) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (colon >= 0 && i > (size_t)colon ? host.ptr[i] < '0' || host.ptr[i] > '9'
                                            : host.ptr[i] && strchr(" \"<>\\^`{|}/?#@", host.ptr[i]) != NULL)
            return false;
    }
    return true;
}

static bool has_control(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return true;
    return false;
}

bool df_url_parse(sb_arena *arena, sb_slice text, df_url *ret_url)
{
    df_url url = {.base = text, .fragment = SB_NIL, .query = SB_NIL};
    sb_slice rest = text, authority;
    ptrdiff_t at;
    size_t n = 0;

    while (n < text.len && sb_ascii_is_alnum(text.ptr[n]))
        n++;
    if (!n || (text.ptr[0] >= '0' && text.ptr[0] <= '9') || has_control(text) ||
        !sb_slice_starts(sb_slice_sub(text, n, text.len), SB_LIT("://")))
        return false;
    url.scheme = sb_slice_sub(text, 0, n);
    at = sb_slice_chr(rest, '#');
    if (at >= 0) {
        if (!df_url_unescape(arena, sb_slice_sub(rest, (size_t)at + 1, rest.len), false, &url.fragment))
            return false;
        rest.len = (size_t)at;
    }
    at = sb_slice_chr(rest, '?');
    if (at >= 0) {
        url.query = sb_slice_sub(rest, (size_t)at + 1, rest.len);
        rest.len = (size_t)at;
    }
    url.base = rest;
    rest = sb_slice_sub(rest, n + 3, rest.len);
    at = sb_slice_chr(rest, '/');
    authority = sb_slice_sub(rest, 0, at < 0 ? rest.len : (size_t)at);
    rest = sb_slice_sub(rest, authority.len, rest.len);
    at = sb_slice_rchr(authority, '@');
    if (at >= 0)
        authority = sb_slice_sub(authority, (size_t)at + 1, authority.len);
    if (!is_host(authority) || !df_url_unescape(arena, rest, false, &url.path))
        return false;
    *ret_url = url;
    return true;
}

sb_slice sb_df_url_filename(sb_arena *arena, sb_slice url)
{
    sb_slice name = SB_LIT("__unnamed__"), path;
    ptrdiff_t slash;
    df_url parsed;

    if (!df_url_parse(arena, url, &parsed))
        return name;
    path = parsed.path;
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    slash = sb_slice_rchr(path, '/');
    path = sb_slice_sub(path, (size_t)(slash + 1), path.len);
    /* A name that would lead elsewhere is none. */
    if (!path.len || sb_slice_eqz(path, ".") || sb_slice_eqz(path, "..") || memchr(path.ptr, '\0', path.len))
        return name;
    return path;
}
