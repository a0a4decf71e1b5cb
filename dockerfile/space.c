// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/space.h>

#include <sbuild/utf8.h>

static bool is_wide_space(uint32_t c)
{
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t df_wide_space_at(sb_slice s, size_t i)
{
    unsigned char first = (unsigned char)s.ptr[i];
    uint32_t c;
    size_t n;

    if (first != 0xc2 && first != 0xe1 && first != 0xe2 && first != 0xe3)
        return 0;
    n = sb_utf8_decode(s.ptr + i, s.len - i, &c);
    return n && is_wide_space(c) ? n : 0;
}

/* Length of the white space that ends just before s[end]. */
static size_t space_before(sb_slice s, size_t end)
{
    for (size_t n = 1; n <= 3 && n <= end; n++) {
        if (df_space_at(sb_slice_of(s.ptr, end), end - n) == n)
            return n;
    }
    return 0;
}

sb_slice df_trim_left(sb_slice s)
{
    size_t i = 0, n;

    while (i < s.len && (n = df_space_at(s, i)) > 0)
        i += n;
    return sb_slice_sub(s, i, s.len);
}

sb_slice df_trim(sb_slice s)
{
    size_t n;

    s = df_trim_left(s);
    while (s.len > 0 && (n = space_before(s, s.len)) > 0)
        s.len -= n;
    return s;
}

size_t df_wide_char_at(sb_slice s, size_t i)
{
    uint32_t c;
    size_t n = sb_utf8_decode(s.ptr + i, s.len - i, &c);
    return n ? n : 1;
}

static bool is_invalid_at(sb_slice s, size_t i)
{
    uint32_t c;

    return (unsigned char)s.ptr[i] >= 0x80 && !sb_utf8_decode(s.ptr + i, s.len - i, &c);
}

sb_slice df_valid_text(sb_arena *arena, sb_slice s)
{
    size_t invalid = 0, len = 0;
    char *out;

    for (size_t i = 0; i < s.len; i += df_char_at(s, i))
        invalid += is_invalid_at(s, i);
    if (!invalid)
        return s;
    out = sb_arena_alloc(arena, s.len + 2 * invalid);
    for (size_t i = 0, n; i < s.len; i += n) {
        n = df_char_at(s, i);
        if (is_invalid_at(s, i)) {
            len += sb_utf8_encode(0xfffd, out + len);
        } else {
            memcpy(out + len, s.ptr + i, n);
            len += n;
        }
    }
    return sb_slice_of(out, len);
}
