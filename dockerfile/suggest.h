// SPDX-License-Identifier: Apache-2.0
/* "did you mean": the nearest of the names that would have been right. */
#ifndef SBUILD_DOCKERFILE_SUGGEST_H
#define SBUILD_DOCKERFILE_SUGGEST_H

#include <sbuild/dockerfile.h>

/* The name at most two changes away from what was typed (case ignored), or NULL. */
const char *df_suggest(sb_slice typed, const char *const *names, size_t count);

#endif
