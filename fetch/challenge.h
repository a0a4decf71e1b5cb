// SPDX-License-Identifier: Apache-2.0
/* WWW-Authenticate (RFC 9110, 11.6.1): several challenges in one header, several headers, parameters in any
 * order. */
#ifndef SBUILD_FETCH_CHALLENGE_H
#define SBUILD_FETCH_CHALLENGE_H

#include <sbuild/arena.h>
#include <sbuild/http.h>

enum { SB_CHALLENGES_MAX = 16 };

typedef struct sb_challenge {
    sb_slice scheme; /* as sent; compare without case */
    sb_slice realm;  /* absent without, as are the others */
    sb_slice service;
    sb_slice scope;
    sb_slice error;
} sb_challenge;

/* What one header's value says, appended to `list`; stops at what makes no sense. Returns the new count. */
size_t sb_challenges_parse(sb_arena *arena, sb_slice value, sb_challenge list[SB_CHALLENGES_MAX],
                           size_t count);
/* All of a response's. */
size_t sb_challenges_of(sb_arena *arena, const sb_http_response *response,
                        sb_challenge list[SB_CHALLENGES_MAX]);

#endif
