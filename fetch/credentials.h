// SPDX-License-Identifier: Apache-2.0
/*
 * Who we are for a registry, from Docker's and containers' files and from credential helpers. Only ever for
 * the exact host (or, in containers' files, a namespace on it); never in a message.
 */
#ifndef SBUILD_FETCH_CREDENTIALS_H
#define SBUILD_FETCH_CREDENTIALS_H

#include <sbuild/arena.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_credentials {
    sb_slice username, password;
    sb_slice identity_token; /* for the token end point, by POST */
    sb_slice registry_token; /* a Bearer token as it is */
} sb_credentials;

/*
 * 1 with credentials, 0 when there are none, -1 when a file or helper fails. `host` as in references
 * ("docker.io" for Docker Hub), `repository` for namespaced entries.
 */
int sb_credentials_find(sb_arena *arena, sb_slice host, sb_slice repository, sb_credentials *ret_credentials,
                        sb_error **err);

/* The same within the text of one file; `containers` for its longest-prefix rule. */
int sb_credentials_in_file(sb_arena *arena, sb_slice text, const char *name, bool containers, sb_slice host,
                           sb_slice repository, sb_credentials *ret_credentials, sb_error **err);
/* "Basic …" */
sb_slice sb_credentials_basic(sb_arena *arena, const sb_credentials *credentials);

#endif
