// SPDX-License-Identifier: Apache-2.0
/*
 * Slices: a pointer and a length into memory that somebody else owns. Not NUL-terminated.
 * An absent slice has ptr NULL; an empty one has a pointer and length 0.
 */
#ifndef SBUILD_SLICE_H
#define SBUILD_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sbuild/alloc.h>

typedef struct sb_slice {
    const char *ptr;
    size_t len;
} sb_slice;

#define SB_NIL ((sb_slice){NULL, 0})
#define SB_LIT(literal) ((sb_slice){"" literal, sizeof(literal) - 1})

/* printf("%" SB_FMT, SB_ARG(s)); an int's worth of bytes at the most. */
#define SB_FMT ".*s"
#define SB_ARG(s) ((s).len > 65536 ? 65536 : (int)(s).len), ((s).ptr ? (s).ptr : "")

static inline sb_slice sb_slice_of(const char *ptr, size_t len)
{
    return (sb_slice){ptr, len};
}

static inline sb_slice sb_slice_z(const char *s)
{
    return s ? (sb_slice){s, strlen(s)} : SB_NIL;
}

static inline bool sb_slice_eq(sb_slice a, sb_slice b)
{
    return a.len == b.len && (!a.len || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool sb_slice_eqz(sb_slice a, const char *s)
{
    if (a.len && s && a.ptr[0] != s[0]) /* most words of a table are told apart by their first letter */
        return false;
    return sb_slice_eq(a, sb_slice_z(s));
}

/* From index `start` to `end` (exclusive); both must lie within. */
static inline sb_slice sb_slice_sub(sb_slice s, size_t start, size_t end)
{
    return (sb_slice){s.ptr + start, end - start};
}

static inline char sb_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool sb_ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool sb_ascii_is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || sb_ascii_is_digit(c);
}

/* Of a hexadecimal digit of either case; -1 when it is none. */
static inline int sb_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = sb_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal digits of either case, at least one. */
bool sb_slice_is_hex(sb_slice s);
bool sb_slice_eq_nocase(sb_slice a, sb_slice b); /* ASCII case only */
bool sb_slice_starts(sb_slice s, sb_slice prefix);
bool sb_slice_ends(sb_slice s, sb_slice suffix);
/* Order by bytes, then by length; for qsort-like use. */
int sb_slice_cmp(sb_slice a, sb_slice b);
/* Index of the first/last `c`, or -1. */
ptrdiff_t sb_slice_chr(sb_slice s, char c);
ptrdiff_t sb_slice_rchr(sb_slice s, char c);
/* What is behind the last "/" of a path or URL; the whole when there is none. */
sb_slice sb_path_last(sb_slice path);
/* Index of the first occurrence of `needle`, or -1. */
ptrdiff_t sb_slice_find(sb_slice s, sb_slice needle);
/* Without ASCII white space (space, \t \n \v \f \r) at both ends. */
sb_slice sb_slice_trim(sb_slice s);
/*
 * Cuts *rest at the first `sep`: returns what is before it and leaves what is behind it in *rest
 * (absent when there was no separator). Returns an absent slice once *rest is absent.
 */
sb_slice sb_slice_cut(sb_slice *rest, char sep);
/* Decimal digits only, no sign, no overflow; true and *ret_value on success. */
bool sb_slice_to_u64(sb_slice s, uint64_t *ret_value);
/* A NUL-terminated copy that the caller frees. */
char *sb_slice_dup(sb_slice s);

#endif
