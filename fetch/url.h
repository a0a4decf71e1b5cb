// SPDX-License-Identifier: Apache-2.0
/* URLs of http and https, taken apart far enough to decide where a request goes and what may go with it. */
#ifndef SBUILD_FETCH_URL_H
#define SBUILD_FETCH_URL_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

#include <fetch/no_proxy.h>

enum { SB_URL_MAX = 8192 }; /* bytes */

typedef struct sb_url {
    char *text;   /* the whole, as it is requested: no fragment, no user info */
    char *user;   /* decoded user info; NULL without */
    char *secret; /* its password; NULL without */
    char *host;   /* lower case, no brackets around an IPv6 address */
    unsigned port;
    bool https;
} sb_url;
#define sb_autourl __attribute__((cleanup(sb_url_clear))) sb_url
void sb_url_clear(sb_url *url);

/* SB_ERR_USAGE when it is none, or of another scheme. */
int sb_url_parse(sb_slice text, sb_url *ret_url, sb_error **err);
/* Where `location` of an answer from `base` leads. User info of the base is kept within its origin only. */
int sb_url_follow(const sb_url *base, sb_slice location, sb_url *ret_url, sb_error **err);
/* Same scheme, host and port. */
bool sb_url_same_origin(const sb_url *a, const sb_url *b);
/* Appends `text` percent-encoded as a query value; the caller frees it. */
char *sb_url_escape(sb_slice text);

#endif
