// SPDX-License-Identifier: Apache-2.0
/* The parts of `sbuild diff` between themselves. */
#ifndef SBUILD_LOCK_DIFF_H
#define SBUILD_LOCK_DIFF_H

#include <sbuild/lock.h>

/* diff_packages.c: both locks are sorted. */
void sb_diff_steps(const sb_lock *old_lock, const sb_lock *new_lock, sb_buf *out);
/* By name: one line for each that has another version, one for all that are new, one for all that are gone.
 */
void sb_diff_packages(const sb_lock *old_lock, const sb_lock *new_lock, sb_arena *arena, sb_buf *out);

#endif
