// SPDX-License-Identifier: Apache-2.0
/*
 * A growable byte buffer with a maximum. Going over the maximum drops the addition and sets the sticky
 * `overflow` flag, so a caller may add many pieces and check once (sb_buf_check). The content is always
 * followed by a NUL that is not counted.
 */
#ifndef SBUILD_BUF_H
#define SBUILD_BUF_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_buf {
    char *data; /* never NULL after the first addition */
    size_t len;
    size_t cap;
    size_t max; /* bytes */
    bool overflow;
} sb_buf;

#define SB_BUF_INIT(maximum) ((sb_buf){.max = (maximum)})
#define sb_autobuf __attribute__((cleanup(sb_buf_free))) sb_buf

/* Each returns false when the maximum was hit, now or before. */
bool sb_buf_add(sb_buf *buf, const void *data, size_t len);
bool sb_buf_adds(sb_buf *buf, sb_slice s);
bool sb_buf_addz(sb_buf *buf, const char *s);
bool sb_buf_addc(sb_buf *buf, char c);
bool sb_buf_printf(sb_buf *buf, const char *fmt, ...) SB_PRINTF(2, 3);

/* SB_ERR_LIMIT naming `what` when the maximum was hit. */
int sb_buf_check(const sb_buf *buf, const char *what, sb_error **err) SB_MUST_CHECK;

sb_slice sb_buf_slice(const sb_buf *buf);
/* The content as a string that the caller frees; the buffer is empty afterwards. Never NULL. */
char *sb_buf_take(sb_buf *buf);
void sb_buf_reset(sb_buf *buf); /* keeps the memory */
void sb_buf_free(sb_buf *buf);

/*
 * Appends text from outside so that it cannot harm a terminal or a log: control characters, invalid UTF-8 and
 * bidirectional overrides become \xNN or \u{NNNN}; at most `max_len` bytes of the input, then "…".
 */
void sb_buf_add_printable(sb_buf *buf, sb_slice s, size_t max_len);
/* The same as a new string (300 bytes at the most) that the caller frees. */
char *sb_printable(sb_slice s);
/*
 * The last line of defence, for a whole message: what a terminal would obey becomes "?" or a blank, in place.
 * Errors, progress lines and findings go through it.
 */
void sb_scrub(char *text);

#endif
