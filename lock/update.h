// SPDX-License-Identifier: Apache-2.0
/*
 * One run of `sbuild lock`, taken apart: what is wanted (update_refs.c), what that is now (resolve_image.c,
 * resolve_file.c, resolve_git.c), and the lock of it (update.c). Everything lives in `arena`, but what ends
 * in the lock is copied to the lock's own.
 */
#ifndef SBUILD_LOCK_UPDATE_H
#define SBUILD_LOCK_UPDATE_H

#include <lock/resolve_image.h>
#include <lock/verify_comment.h>
#include <sbuild/http.h>
#include <sbuild/lock.h>

enum {
    SB_WHERE_FROM = 1,
    SB_WHERE_COPY = 2,
    SB_WHERE_MOUNT = 4,
    SB_WHERE_SYNTAX = 8,
    SB_WHERE_ONBUILD = 16,
};

typedef struct sb_want_image {
    sb_slice ref;  /* as written */
    sb_slice name; /* normalised */
    sb_image_ref parsed;
    unsigned where;  /* SB_WHERE_… */
    sb_slice origin; /* "Dockerfile:3" */
    sb_slice *platforms;
    bool *optional; /* parallel: only for builds on another machine; done without where the image lacks it */
    size_t platform_count, platform_cap, optional_cap;
    bool resolved; /* `entry` holds for all platforms that were wanted when it was */
    bool changed;  /* new or different in this run */
    sb_lock_image entry;
} sb_want_image;

typedef struct sb_want_source { /* a file or a git repository */
    bool is_git;
    sb_slice url; /* as written */
    sb_slice expanded;
    sb_slice origin;
    size_t *seen; /* where the instructions begin that want it */
    size_t seen_count, seen_cap;
    sb_demand *demands;
    size_t demand_count, demand_cap;
    sb_slice *checksums; /* of ADD --checksum, expanded */
    size_t checksum_count, checksum_cap;
    bool keep_git_dir; /* ADD --keep-git-dir */
    bool changed;
    sb_lock_file file;
    sb_lock_git git;
} sb_want_source;

typedef struct sb_run_profile {
    sb_lock_profile *profile; /* platforms and target; its args become those that count */
    const sb_df_var *args;
    size_t arg_count;
    bool old; /* from the lock, not asked for in this run */
    bool dropped;
} sb_run_profile;

typedef struct sb_updater {
    sb_project *project;
    const sb_update_options *options;
    const sb_settings *settings;
    sb_progress *progress;
    sb_arena *arena;
    sb_lock *lock; /* the old one (or an empty one), changed in place */
    bool is_new;
    sb_store *store; /* the repository's, NULL until something goes in */
    sb_store *cache;
    sb_http *http;
    int64_t now;
    int64_t not_after; /* 0: no limit */
    bool require;

    sb_run_profile *profiles;
    size_t profile_count, profile_cap;
    sb_want_image *images;
    size_t image_count, image_cap;
    sb_want_source *sources; /* in the order of the file */
    size_t source_count, source_cap;
    sb_slice incomplete; /* the first reference that could not be expanded, and where; absent without */
    bool *update_used;   /* parallel to options->update */
    bool *update_runs;   /* likewise: means a RUN instruction, unless it is used */
} sb_updater;

/* --- update_refs.c --- */
/* Profiles of this run: the one asked for, and the lock's others. */
void sb_update_profiles(sb_updater *u);
/*
 * Expands the Dockerfile for every profile and platform and collects what it wants, with what is known of
 * base images so far. *ret_pending tells that images were found that are not resolved yet.
 */
int sb_update_collect(sb_updater *u, bool *ret_pending, sb_error **err);

/* Adds what one ADD of a URL or git repository wants, and what it demands. */
int sb_update_want_source(sb_updater *u, const sb_df_view *view, const sb_df_ref *ref, sb_error **err);

/* --- update_images.c --- */
/* Resolves all that is not yet, and puts what it stands on into the cache. */
int sb_update_images(sb_updater *u, sb_error **err);
/* The config of a wanted image for expansion: 1, or 0 when it is not resolved yet. */
int sb_update_config(sb_updater *u, sb_slice expanded, sb_slice platform, sb_image_config *ret_config,
                     sb_error **err);
/* Base images into the image cache. */
int sb_update_pull(sb_updater *u, sb_error **err);

/* --- resolve_file.c, resolve_git.c --- */
int sb_update_files(sb_updater *u, sb_error **err);
int sb_update_git(sb_updater *u, sb_error **err);
/* When the commit of a stored archive was made; -1 when it cannot be told. */
int64_t sb_update_commit_time(const sb_updater *u, const sb_digest *archive);

/* --- update_steps.c --- */
/* Manifests and bodies of the lock's steps into the repository's store, as far as they are there. */
int sb_update_keep_steps(sb_updater *u, sb_error **err);

/* --- update_names.c: what --update means --- */
bool sb_update_wants_image(sb_updater *u, const sb_image_ref *ref, sb_slice written);
bool sb_update_wants_url(sb_updater *u, sb_slice written, sb_slice expanded);
/* Notes the names that mean RUN instructions of this view. */
int sb_update_match_runs(sb_updater *u, const sb_df_view *view, sb_error **err);
/* Those that mean nothing else; NULL-terminated, in `arena`. */
const char *const *sb_update_run_names(const sb_updater *u, sb_arena *arena);
/* SB_ERR_USAGE when a name of --update matched nothing. */
int sb_update_names_used(const sb_updater *u, sb_error **err);

/* --- demands.c: what must vouch, as evidence that is still to be found --- */
/*
 * Evidence that the demands and --checksums ask for: kinds, URLs, pins, and keys (put into the cache).
 * Without any, one entry of TOFU.
 */
int sb_update_demanded(sb_updater *u, const sb_want_source *want, sb_lock_evidence **ret_evidence,
                       size_t *ret_count, sb_error **err);
/* Do these two ask for the same? */
bool sb_evidence_same_demand(const sb_lock_evidence *a, const sb_lock_evidence *b);
/* After everything was checked: TOFU is an error under --require-signatures, else a warning if it is new. */
int sb_update_vouched(sb_updater *u, const sb_want_source *want, const sb_lock_evidence *evidence,
                      size_t count, sb_error **err);

/* --- report.c --- */
sb_update_report *sb_update_report_make(const sb_updater *u, bool written);

/* Is this object in the repository's store or in the cache? */
bool sb_update_has(const sb_updater *u, const sb_digest *digest);
/* Copies it to the repository's store (made on demand), if it is not there. */
int sb_update_keep(sb_updater *u, const sb_digest *digest, sb_error **err);
/* Has everything that this evidence stands on. */
int sb_update_keep_evidence(sb_updater *u, const sb_lock_evidence *evidence, size_t count, sb_error **err);
/* The objects of the repository's store that the cache lacks are copied to it, so that one store has them
 * all. */
int sb_update_cached(sb_updater *u, const sb_digest *digest, sb_error **err);

#endif
