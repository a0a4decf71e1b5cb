// SPDX-License-Identifier: Apache-2.0
/* What of a step's answers has a name. */
#ifndef SBUILD_LOCK_PACKAGES_H
#define SBUILD_LOCK_PACKAGES_H

#include <lock/purl.h>
#include <sbuild/lock.h>

typedef struct sb_named { /* an answer with a name */
    sb_purl purl;
    sb_slice text; /* the purl */
    sb_slice url;  /* that was asked for */
    sb_slice file; /* the last part of its path, decoded */
    sb_digest digest;
    uint64_t size;
} sb_named;

/*
 * The answers of a manifest that have a name, in its order. A redirect is followed: what is at its end has
 * the name of where it was asked for. Files that only describe a package (go.mod) are among them with a
 * subpath.
 */
int sb_packages_of_manifest(const sb_step_manifest *manifest, sb_arena *arena, sb_named **ret_named,
                            size_t *ret_count, sb_error **err);

/* Who vouches for it, in words: a file, or who checked it when it was recorded. */
sb_slice sb_package_vouched(const sb_lock_package *package);

#endif
