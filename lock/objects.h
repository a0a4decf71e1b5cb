// SPDX-License-Identifier: Apache-2.0
/* Every object that a lock needs in a store, and what it is. */
#ifndef SBUILD_LOCK_OBJECTS_H
#define SBUILD_LOCK_OBJECTS_H

#include <sbuild/lock.h>

typedef enum sb_needed_kind {
    SB_NEEDED_INDEX,    /* or the manifest of an image without one */
    SB_NEEDED_MANIFEST, /* of a platform */
    SB_NEEDED_CONFIG,
    SB_NEEDED_LAYER,
    SB_NEEDED_FILE,
    SB_NEEDED_SIGNATURE,
    SB_NEEDED_LIST,
    SB_NEEDED_KEY,
    SB_NEEDED_GIT_OBJECT, /* a signed tag or commit */
    SB_NEEDED_GIT,        /* an archive */
    SB_NEEDED_STEP,       /* the manifest of a RUN */
    SB_NEEDED_BODY,       /* an answer in one */
} sb_needed_kind;

typedef struct sb_needed {
    sb_digest digest;
    sb_needed_kind kind;
    uint64_t size;         /* bytes; 0: not known */
    sb_slice name;         /* of the entry that needs it: reference or URL, expanded */
    sb_slice url;          /* where it can be had: FILE, SIGNATURE, LIST, BODY; absent elsewhere */
    sb_slice accept;       /* BODY: the Accept that has to be said there; absent without */
    int64_t last_modified; /* BODY: what its answer said; -1 not known */
    sb_slice etag;         /* BODY: likewise, a strong one; absent without */
    /* the entry */
    const sb_lock_image *image;
    const sb_lock_platform *platform;
    const sb_lock_file *file;
    const sb_lock_git *git;
    const sb_lock_step *step;
} sb_needed;

typedef struct sb_needed_list {
    sb_needed *items;
    size_t count, cap;
} sb_needed_list;

const char *sb_needed_kind_name(sb_needed_kind kind); /* "signature" */
/* In lock order; what several entries need is there once for each. Layers are not among them, nor are the
 * answers in step manifests. */
void sb_needed_by_lock(const sb_lock *lock, sb_arena *arena, sb_needed_list *list);
/* The layers of a platform's image, from its manifest. */
int sb_needed_by_image(const sb_lock_image *image, const sb_lock_platform *platform, sb_slice manifest,
                       sb_arena *arena, sb_needed_list *list, sb_error **err);
/*
 * Do these documents belong together as the lock says: the index gives this manifest for the platform, and
 * the manifest this config? Each by itself has its digest, but what is built on is judged by the config.
 */
int sb_image_check_chain(const sb_lock_image *image, const sb_lock_platform *platform, sb_slice index,
                         sb_slice manifest, sb_arena *arena, sb_error **err);
/* The layers of every image and platform whose manifest the store has. */
int sb_needed_layers(const sb_lock *lock, const sb_store *store, sb_arena *arena, sb_needed_list *list,
                     sb_error **err);
/*
 * The answers in a step's manifest, each once. They have a URL when a plain GET of it, without a secret,
 * gives the answer again.
 */
void sb_needed_by_step(const sb_lock_step *step, const sb_step_manifest *manifest, sb_arena *arena,
                       sb_needed_list *list);
/* The headers that a request for a BODY with an `accept` says. */
const char *const *sb_needed_headers(const sb_needed *needed, sb_arena *arena);
/* The manifest of a step, from the store that has it. */
int sb_step_manifest_load(const sb_lock_step *entry, const sb_store *store, sb_step_manifest **ret_manifest,
                          sb_error **err);
/* Those of every step whose manifest the store has. */
int sb_needed_bodies(const sb_lock *lock, const sb_store *store, sb_arena *arena, sb_needed_list *list,
                     sb_error **err);
/* "config for linux/amd64"; absent for the thing itself. */
sb_slice sb_needed_part(const sb_needed *needed, sb_arena *arena);
/* "https://example.org/tool.tgz", and of what is not the thing itself also what it is; printable. */
sb_slice sb_needed_name(const sb_needed *needed, sb_arena *arena);

#endif
