// SPDX-License-Identifier: Apache-2.0
/* Getting a Bearer token from the end point that a registry's challenge names. */
#ifndef SBUILD_FETCH_TOKEN_H
#define SBUILD_FETCH_TOKEN_H

#include <fetch/challenge.h>
#include <fetch/credentials.h>

enum { SB_TOKEN_ANSWER_MAX = 1 << 16, SB_TOKEN_SECONDS = 60 };

typedef struct sb_token_request {
    sb_slice registry; /* "host[:port]", which asks for the token */
    bool plain;        /* it is spoken to by http */
    bool allow_local;
    const sb_http_tls *tls; /* of the registry, used when the end point is on the same host */
    const sb_settings *settings;
    const sb_challenge *challenge;
    const sb_credentials *credentials; /* NULL: anonymous */
    sb_slice scope;                    /* "repository:library/node:pull" */
} sb_token_request;

/* "Bearer …" and for how many seconds it is good. SB_ERR_AUTH when the end point refuses. */
int sb_token_get(sb_http *http, sb_arena *arena, const sb_token_request *request, sb_slice *ret_authorization,
                 int64_t *ret_seconds, sb_error **err);

#endif
