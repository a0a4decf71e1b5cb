// SPDX-License-Identifier: Apache-2.0
#ifndef SBUILD_FETCH_NETRC_H
#define SBUILD_FETCH_NETRC_H

#include <fetch/credentials.h>

/* What the text of a netrc file says of this host, by its name alone; its `default` does not count. */
bool sb_netrc_find(sb_arena *arena, sb_slice text, sb_slice host, sb_credentials *ret_credentials);

#endif
