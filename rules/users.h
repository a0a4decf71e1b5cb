// SPDX-License-Identifier: Apache-2.0
/* What USER of a Dockerfile and User of an image say: "NAME[:GROUP]" or "UID[:GID]". */
#ifndef SBUILD_RULES_USERS_H
#define SBUILD_RULES_USERS_H

#include <sbuild/slice.h>

/* "root", "0", "00:5"; nothing at all is root as well. */
bool sb_user_is_root(sb_slice user);
/* "1001", "1001:0": what Kubernetes can tell from root. */
bool sb_user_is_number(sb_slice user);

#endif
