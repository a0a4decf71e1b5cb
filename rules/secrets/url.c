// SPDX-License-Identifier: Apache-2.0
/* scheme://user:password@host */
#include <rules/secrets/engine.h>

enum { USERINFO_MAX = 256, HOST_MAX = 255 };

static bool is_host(unsigned char c)
{
    return sb_ascii_is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
}

bool secret_url_read(sb_slice text, size_t at, secret_url *ret_url)
{
    size_t start = at + 3, i = start, colon = 0, sign = 0;
    secret_url url;

    if (at == 0 || !((text.ptr[at - 1] | 0x20) >= 'a' && (text.ptr[at - 1] | 0x20) <= 'z'))
        return false;
    for (; i < text.len && i - start <= USERINFO_MAX; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c <= ' ' || c >= 0x7f || strchr("/\"'<>\\`|^,", c) || (sign && (c == '?' || c == '#')))
            break;
        if (c == ':' && !colon)
            colon = i;
        else if (c == '@')
            sign = i;
    }
    if (!sign || !colon || colon > sign)
        return false;
    url = (secret_url){.user_at = start,
                       .user_len = colon - start,
                       .password_at = colon + 1,
                       .password_len = sign - colon - 1,
                       .host_at = sign + 1};
    while (url.host_at + url.host_len < text.len && url.host_len < HOST_MAX &&
           is_host((unsigned char)text.ptr[url.host_at + url.host_len]))
        url.host_len++;
    if (!url.password_len || !url.host_len)
        return false;
    *ret_url = url;
    return true;
}
