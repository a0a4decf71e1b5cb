// SPDX-License-Identifier: Apache-2.0
/* What sealed steps asked for in vain, found in the engine's output as it passes by. */
#ifndef SBUILD_BUILDER_MISSES_H
#define SBUILD_BUILDER_MISSES_H

#include <sbuild/arena.h>
#include <sbuild/error.h>
#include <sbuild/lock.h>
#include <sbuild/progress.h>

typedef struct sb_misses sb_misses;
sb_misses *sb_misses_new(void);
void sb_misses_free(sb_misses *misses);
SB_DEFINE_CLEANUP(sb_misses, sb_misses_free)

/* The next piece of output, from a pipe or a terminal. One caller at a time. */
void sb_misses_feed(sb_misses *misses, sb_slice piece);
size_t sb_misses_count(const sb_misses *misses);

/*
 * For a build that failed: nothing when there are no misses, else a warning for each (the first ones of
 * many), with FILE:LINE, and SB_ERR_STALE in place of *err.
 */
void sb_misses_report(const sb_misses *misses, const sb_project *project, const sb_run_step *const *steps,
                      size_t count, sb_error **err);

/* The ids of these steps that missed something, in `arena`. */
size_t sb_misses_steps(const sb_misses *misses, const sb_run_step *const *steps, size_t count,
                       sb_arena *arena, const char ***ret_ids);

#endif
