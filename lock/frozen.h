// SPDX-License-Identifier: Apache-2.0
/* A frozen view in its two halves, for whoever wants to know all that is not covered and not only the first.
 */
#ifndef SBUILD_LOCK_FROZEN_H
#define SBUILD_LOCK_FROZEN_H

#include <sbuild/lock.h>

/*
 * Expands the Dockerfile. What is not in the lock counts as not known, and so does a base image whose config
 * is in no store: *ret_missing is the error that tells the first of these, or NULL.
 */
int sb_frozen_expand(sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                     const char *build_platform, sb_df_view **ret_view, sb_error **ret_missing,
                     sb_error **err);
/* Adds a finding for each reference that the lock does not cover. */
void sb_frozen_uncovered(const sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                         const sb_df_view *view, const char *build_platform, sb_lock_findings *findings);

/* "Dockerfile:3: FROM node:20", printable; in `arena`. */
sb_slice sb_frozen_origin(const sb_project *project, const sb_df_ref *ref, sb_arena *arena);
/* Does this reference have to come from the lock? */
bool sb_frozen_is_remote(const sb_df_view *view, const sb_df_ref *ref);

#endif
