// SPDX-License-Identifier: Apache-2.0
/*
 * A walk over a directory in the one deterministic order: names sorted bytewise, a directory before what is
 * in it. What the ignore rules leave out is not shown, except directories that lead to something they bring
 * back.
 */
#ifndef FETCH_TREE_WALK_H
#define FETCH_TREE_WALK_H

#include <sbuild/tree.h>

typedef struct sb_tree_sink {
    int (*enter)(void *ctx, sb_slice path, sb_error **err);
    int (*leave)(void *ctx, sb_error **err); /* the directory entered last */
    /* `fd` is open for reading at its start; `size` was its size when it was opened. */
    int (*file)(void *ctx, sb_slice path, int fd, uint64_t size, bool executable, sb_error **err);
    int (*symlink)(void *ctx, sb_slice path, sb_slice target, sb_error **err);
} sb_tree_sink;

int sb_tree_walk(int dirfd, const sb_ignore *ignore, const char *const *never, const sb_tree_sink *sink,
                 void *ctx, sb_error **err);

#endif
