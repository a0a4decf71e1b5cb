// SPDX-License-Identifier: Apache-2.0
/* URLs as far as sources need them. */
#ifndef SBUILD_DOCKERFILE_URL_H
#define SBUILD_DOCKERFILE_URL_H

#include <sbuild/dockerfile.h>

typedef struct df_url {
    sb_slice scheme;   /* as written */
    sb_slice base;     /* all up to the query or fragment */
    sb_slice path;     /* percent-decoded */
    sb_slice query;    /* raw; absent without "?" */
    sb_slice fragment; /* percent-decoded; absent without "#" */
} df_url;

/* False when it is no URL with a scheme and an authority. */
bool df_url_parse(sb_arena *arena, sb_slice text, df_url *ret_url);
/* False at a "%" without two hexadecimal digits. `plus`: "+" is a space. */
bool df_url_unescape(sb_arena *arena, sb_slice text, bool plus, sb_slice *ret_text);

#endif
