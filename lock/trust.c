// SPDX-License-Identifier: Apache-2.0
/* Which URLs a trust rule covers: however they are spelled, lest another spelling should get out of the rule.
 */
#include <lock/verify_comment.h>

/* "%2D" and "-" are one character; of all others the escape is the character. */
static size_t add_character(sb_buf *out, sb_slice path, size_t i)
{
    static const char plain[] = "-._~";
    int high = i + 2 < path.len ? sb_hex_value(path.ptr[i + 1]) : -1;
    int low = i + 2 < path.len ? sb_hex_value(path.ptr[i + 2]) : -1;
    int c = high * 16 + low;

    if (path.ptr[i] != '%' || high < 0 || low < 0) {
        sb_buf_addc(out, path.ptr[i]);
        return 1;
    }
    if (sb_hex_value((char)c) >= 0 || (sb_ascii_lower((char)c) >= 'a' && sb_ascii_lower((char)c) <= 'z') ||
        (c && strchr(plain, c)))
        sb_buf_addc(out, (char)c);
    else
        sb_buf_printf(out, "%%%02X", (unsigned)c);
    return 3;
}

/* Takes the last segment of what stands behind `start` away. */
static void climb(sb_buf *out, size_t start)
{
    while (out->len > start && out->data[out->len - 1] != '/')
        out->len--;
    if (out->len > start)
        out->len--;
}

/* As a request would have it: no "." and "..", no doubled slashes. */
static void add_path(sb_buf *out, sb_slice path)
{
    size_t start = out->len, query = 0;
    sb_slice rest;

    while (query < path.len && path.ptr[query] != '?' && path.ptr[query] != '#')
        query++;
    rest = sb_slice_sub(path, 0, query);
    while (rest.ptr) {
        sb_slice segment = sb_slice_cut(&rest, '/');

        if (sb_slice_eqz(segment, "..")) {
            climb(out, start);
        } else if (segment.len && !sb_slice_eqz(segment, ".")) {
            sb_buf_addc(out, '/');
            sb_buf_adds(out, segment);
            continue;
        }
        /* What ends in such a segment is a directory. */
        if (!rest.ptr)
            sb_buf_addc(out, '/');
    }
    sb_buf_adds(out, sb_slice_sub(path, query, path.len));
}

/* No user, no default port, no dot behind the host; scheme and host in lower case. */
static bool add_origin(sb_buf *out, sb_slice url, sb_slice *ret_path)
{
    ptrdiff_t colons = sb_slice_find(url, SB_LIT("://")), at;
    size_t start = (size_t)colons + 3, end = start;
    bool https;
    sb_slice host;

    if (colons < 0)
        return false;
    while (end < url.len && !strchr("/?#", url.ptr[end]))
        end++;
    host = sb_slice_sub(url, start, end);
    at = sb_slice_rchr(host, '@');
    host = sb_slice_sub(host, (size_t)(at + 1), host.len);
    https = sb_slice_eq_nocase(sb_slice_sub(url, 0, (size_t)colons), SB_LIT("https"));
    if (sb_slice_ends(host, https ? SB_LIT(":443") : SB_LIT(":80")))
        host.len -= https ? 4 : 3;
    /* A prefix may end within the host, and then in a dot. */
    if (end < url.len && sb_slice_ends(host, SB_LIT(".")))
        host.len--;
    for (size_t i = 0; i < start; i++)
        sb_buf_addc(out, sb_ascii_lower(url.ptr[i]));
    for (size_t i = 0; i < host.len; i++)
        sb_buf_addc(out, sb_ascii_lower(host.ptr[i]));
    *ret_path = sb_slice_sub(url, end, url.len);
    return true;
}

bool sb_trust_applies(sb_slice prefix, sb_slice url)
{
    sb_autobuf wanted = SB_BUF_INIT(4 * prefix.len + 16), plain = SB_BUF_INIT(4 * url.len + 16);
    sb_autobuf decoded = SB_BUF_INIT(4 * url.len + 16);
    sb_slice path;

    if (!prefix.len || !add_origin(&wanted, prefix, &path))
        return false;
    for (size_t i = 0; i < path.len;)
        i += add_character(&wanted, path, i);
    if (!add_origin(&plain, url, &path))
        return false;
    for (size_t i = 0; i < path.len;)
        i += add_character(&decoded, path, i);
    add_path(&plain, sb_buf_slice(&decoded));
    return sb_slice_starts(sb_buf_slice(&plain), sb_buf_slice(&wanted));
}
