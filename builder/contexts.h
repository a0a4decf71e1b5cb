// SPDX-License-Identifier: Apache-2.0
/* The parts of builder/contexts*.c among themselves. */
#ifndef SBUILD_BUILDER_CONTEXTS_H
#define SBUILD_BUILDER_CONTEXTS_H

#include <builder/plan.h>

/* builder/contexts.c */
/* Mode and time of an open file or directory, whatever the umask. */
int sb_plan_stamp(int fd, mode_t mode, int64_t mtime, sb_error **err);
/* A new directory with mode 0755. */
int sb_plan_new_dir(int dirfd, const char *name, int *ret_fd, sb_error **err);
/* A new file with the content of `from`, else (-1) with `text`. */
int sb_plan_write_file(int dirfd, sb_slice name, mode_t mode, int64_t mtime, int from, sb_slice text,
                       sb_error **err);
/*
 * An object of the lock, verified: from the repository's store, else from the user's cache, else (unless
 * offline) fetched into the store. `what` names it in messages.
 */
int sb_plan_open_object(const sb_plan *plan, const sb_digest *digest, sb_slice what, int *ret_fd,
                        sb_error **err);

/* builder/contexts_steps.c: fills the context of sealed steps. */
int sb_plan_fill_steps(const sb_plan *plan, int dirfd, sb_error **err);

/* builder/contexts_images.c: makes the plan's images available, and finds the base of its result. */
int sb_plan_images(sb_plan *plan, sb_error **err);

#endif
