// SPDX-License-Identifier: Apache-2.0
/* Heredocs: which words announce one. */
#ifndef SBUILD_DOCKERFILE_HEREDOC_H
#define SBUILD_DOCKERFILE_HEREDOC_H

#include <sbuild/dockerfile.h>

enum {
    DF_HEREDOCS_MAX = 10000,         /* of one instruction */
    DF_SUBSTITUTION_DEPTH_MAX = 500, /* ${a:-${b:-… */
};

/* Does this argument announce a heredoc? 1 with its name and flags (no body), 0 if not, -1 when it is
 * malformed. */
int df_heredoc_word(sb_arena *arena, sb_slice word, sb_df_heredoc *ret_doc, sb_error **err);
/* All that a logical line announces, in order; in the arena, without their bodies. */
int df_heredocs_of_line(sb_arena *arena, sb_slice line, sb_df_heredoc **ret_docs, size_t *ret_count,
                        sb_error **err);

#endif
