// SPDX-License-Identifier: Apache-2.0
/* The instructions by name. */
#ifndef SBUILD_DOCKERFILE_KEYWORDS_H
#define SBUILD_DOCKERFILE_KEYWORDS_H

#include <sbuild/dockerfile.h>

/* By a name in any case; SB_DF_UNKNOWN when it is none. */
sb_df_keyword df_keyword_find(sb_slice name);

#endif
