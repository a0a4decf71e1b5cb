// SPDX-License-Identifier: Apache-2.0
#include <sbuild/slice.h>

/* Not strncasecmp(), which knows locales and stops at a NUL. */
bool sb_slice_eq_nocase(sb_slice a, sb_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (sb_ascii_lower(a.ptr[i]) != sb_ascii_lower(b.ptr[i]))
            return false;
    return true;
}

bool sb_slice_starts(sb_slice s, sb_slice prefix)
{
    return s.len >= prefix.len && (!prefix.len || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool sb_slice_ends(sb_slice s, sb_slice suffix)
{
    return s.len >= suffix.len &&
           (!suffix.len || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

int sb_slice_cmp(sb_slice a, sb_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return c ? c : (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t sb_slice_chr(sb_slice s, char c)
{
    const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return p ? p - s.ptr : -1;
}

ptrdiff_t sb_slice_rchr(sb_slice s, char c)
{
    const char *p = s.len ? memrchr(s.ptr, c, s.len) : NULL;

    return p ? p - s.ptr : -1;
}

bool sb_slice_is_hex(sb_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (sb_hex_value(s.ptr[i]) < 0)
            return false;
    return s.len > 0;
}

sb_slice sb_path_last(sb_slice path)
{
    return sb_slice_sub(path, (size_t)(sb_slice_rchr(path, '/') + 1), path.len);
}

ptrdiff_t sb_slice_find(sb_slice s, sb_slice needle)
{
    const char *p;

    if (!needle.len)
        return 0;
    p = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return p ? p - s.ptr : -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

sb_slice sb_slice_trim(sb_slice s)
{
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

sb_slice sb_slice_cut(sb_slice *rest, char sep)
{
    sb_slice head = *rest;
    ptrdiff_t i = sb_slice_chr(*rest, sep);

    if (i < 0) {
        *rest = SB_NIL;
        return head;
    }
    head.len = (size_t)i;
    rest->ptr += i + 1;
    rest->len -= (size_t)i + 1;
    return head;
}

bool sb_slice_to_u64(sb_slice s, uint64_t *ret_value)
{
    uint64_t v = 0;

    if (!s.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - '0';

        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret_value = v;
    return true;
}

char *sb_slice_dup(sb_slice s)
{
    return sb_strndup(s.ptr, s.len);
}
