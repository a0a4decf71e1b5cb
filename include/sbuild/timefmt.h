// SPDX-License-Identifier: Apache-2.0
/* Points in time as text, always UTC and independent of the locale. Seconds since 1970. */
#ifndef SBUILD_TIMEFMT_H
#define SBUILD_TIMEFMT_H

#include <stdbool.h>
#include <stdint.h>

#include <sbuild/slice.h>

enum { SB_TIME_TEXT = 80 }; /* room for whatever year there is */

/* RFC 3339: "2026-11-24T15:31:00Z". */
void sb_time_format(int64_t when, char ret_text[SB_TIME_TEXT]);
/* RFC 3339 with any offset; a fraction is dropped. */
bool sb_time_parse(sb_slice text, int64_t *ret_when);
/* An HTTP date (RFC 9110, 5.6.7, all three forms). */
bool sb_time_parse_http(sb_slice text, int64_t *ret_when);

#endif
