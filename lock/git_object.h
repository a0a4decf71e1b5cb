// SPDX-License-Identifier: Apache-2.0
/* A signed tag or commit object of git, taken apart. Pure functions over the object's bytes. */
#ifndef SBUILD_LOCK_GIT_OBJECT_H
#define SBUILD_LOCK_GIT_OBJECT_H

#include <sbuild/arena.h>
#include <sbuild/error.h>

enum { SB_GIT_SIGNED_MAX = 1 << 20 };

typedef struct sb_git_object {
    sb_slice payload;   /* what is signed */
    sb_slice signature; /* armoured; absent without one */
    sb_slice target;    /* of a tag: what it points to; absent for a commit */
    sb_slice name;      /* of a tag: what it calls itself; absent for a commit */
} sb_git_object;

/*
 * `id`: the object's name, 40 or 64 hex digits; SB_ERR_VERIFY when the bytes are not that object. `type`:
 * "tag" or "commit".
 */
int sb_git_object_parse(sb_arena *arena, sb_slice raw, const char *type, sb_slice id,
                        sb_git_object *ret_object, sb_error **err);

#endif
