// SPDX-License-Identifier: Apache-2.0
/* White space as the grammar has it: Unicode's set for trimming, ASCII's for splitting. */
#ifndef SBUILD_DOCKERFILE_SPACE_H
#define SBUILD_DOCKERFILE_SPACE_H

#include <sbuild/arena.h>

/* Separates the keyword from the rest, and words from words. */
static inline bool df_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

/* Length in bytes of the Unicode white space at s[i], 0 when there is none. */
size_t df_wide_space_at(sb_slice s, size_t i); /* beyond ASCII */
static inline size_t df_space_at(sb_slice s, size_t i)
{
    unsigned char first = (unsigned char)s.ptr[i];

    if (first < 0x80)
        return first == ' ' || (first >= '\t' && first <= '\r');
    return df_wide_space_at(s, i);
}

sb_slice df_trim_left(sb_slice s);
sb_slice df_trim(sb_slice s);
/* Length of the character at s[i]; 1 for a byte that is not valid UTF-8. */
size_t df_wide_char_at(sb_slice s, size_t i);
static inline size_t df_char_at(sb_slice s, size_t i)
{
    return (unsigned char)s.ptr[i] < 0x80 ? 1 : df_wide_char_at(s, i);
}
/* The same text with each invalid byte replaced by U+FFFD; `s` itself when there is none. */
sb_slice df_valid_text(sb_arena *arena, sb_slice s);

#endif
