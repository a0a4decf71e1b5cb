// SPDX-License-Identifier: Apache-2.0
/* Environments by position, so that more can be kept about each variable than its value. */
#ifndef SBUILD_DOCKERFILE_ENV_H
#define SBUILD_DOCKERFILE_ENV_H

#include <sbuild/dockerfile.h>

enum { DF_ENV_MAX = 1 << 24 }; /* variables of one environment; beyond, nothing is added */

#define DF_NO_VAR SIZE_MAX

/* Position of the last entry of that name, set or not; DF_NO_VAR without one. */
size_t df_env_find(const sb_df_env *env, sb_slice key);
/* As sb_df_env_set(); returns the position. */
size_t df_env_put(sb_arena *arena, sb_df_env *env, sb_slice key, sb_slice value);

#endif
