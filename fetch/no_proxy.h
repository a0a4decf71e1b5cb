// SPDX-License-Identifier: Apache-2.0
/* The list of hosts that are reached without a proxy. */
#ifndef SBUILD_FETCH_NO_PROXY_H
#define SBUILD_FETCH_NO_PROXY_H

#include <sbuild/slice.h>

/* Does "no_proxy"'s list name the host? Names match themselves and what is below them; "*" matches all. */
bool sb_no_proxy_matches(sb_slice list, sb_slice host, unsigned port);
/* "host" of "host[:port]", without brackets. */
sb_slice sb_host_name(sb_slice host);

#endif
