// SPDX-License-Identifier: Apache-2.0
/* Which proxy a request goes through: http_proxy, https_proxy, all_proxy and no_proxy as curl and others read
 * them. */
#ifndef SBUILD_FETCH_PROXY_H
#define SBUILD_FETCH_PROXY_H

#include <fetch/url.h>

/* The proxy's URL, borrowed from the environment; NULL for a direct connection. Loopback hosts are always
 * direct. */
const char *sb_proxy_for(const sb_url *url);

#endif
