// SPDX-License-Identifier: Apache-2.0
/*
 * One image, from its reference to what the lock says of it: digest of the index, manifests and configs of
 * the wanted platforms, versioned tag. A job reads stores, writes none, and shares nothing, so that several
 * may run at once, each in a thread of its own.
 */
#ifndef SBUILD_LOCK_RESOLVE_IMAGE_H
#define SBUILD_LOCK_RESOLVE_IMAGE_H

#include <sbuild/lock.h>

typedef struct sb_object { /* bytes for the store */
    sb_digest digest;
    sb_slice data;
} sb_object;

typedef struct sb_image_job {
    /* what is wanted */
    sb_image_ref ref;
    const sb_slice *platforms;
    const bool *optional; /* parallel: not an error when the image does not have it */
    size_t platform_count;
    const sb_lock_image *locked; /* its digest stays, missing platforms are added; NULL: looked up */
    const sb_lock_image *before; /* what it was before --update; NULL when it is new */
    int64_t not_after;           /* refuse what was made later; 0: no limit */
    const sb_store *stores[2];   /* where objects may be already; NULL when there is none */

    /* what came out; all in `arena` */
    sb_arena *arena;
    sb_lock_image image; /* digest, media_type, version, reason, aliases, platforms, user, onbuild, created */
    bool kept;           /* the image is what it was: `image` is not filled */
    sb_object *objects;
    size_t object_count;
    sb_slice warning; /* absent without */
    sb_slice detail;  /* why the registry did not tell its tags; absent without */
    sb_error *error;  /* NULL when it succeeded */
} sb_image_job;

/* Does one. */
void sb_image_job_run(sb_image_job *job, sb_registry *registry, sb_http *http, const sb_settings *settings);
/* Does all, several at once; after the first failure no further one begins, and those have no arena. */
void sb_image_jobs_run(sb_image_job *jobs, size_t count, const sb_settings *settings, sb_progress *progress);
void sb_image_job_clear(sb_image_job *job);

/* The manifest of a platform in an index: exact, else the best that runs there. NULL when there is none. */
const sb_descriptor *sb_index_choose(sb_arena *arena, const sb_manifest *index, sb_slice platform);

#endif
