// SPDX-License-Identifier: Apache-2.0
/* UTF-8 (RFC 3629): shortest form only, no surrogates, nothing above U+10FFFF. */
#ifndef SBUILD_UTF8_H
#define SBUILD_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decodes one character of (s, len): its length in bytes, or 0 when there is no valid one. */
size_t sb_utf8_decode(const char *s, size_t len, uint32_t *ret_char);
/* Writes 1 to 4 bytes to `out` and returns how many; an invalid character is written as U+FFFD. */
size_t sb_utf8_encode(uint32_t c, char out[4]);

#endif
