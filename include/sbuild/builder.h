// SPDX-License-Identifier: Apache-2.0
/*
 * From a lock to an image: plan (the pinned Dockerfile and its contexts) → engine → canonical image → the
 * user's outputs.
 */
#ifndef SBUILD_BUILDER_H
#define SBUILD_BUILDER_H

#include <sbuild/lock.h>

/* --- Engines (builder/engine*.c) --- */

typedef enum sb_engine_kind { SB_ENGINE_DOCKER, SB_ENGINE_BUILDAH, SB_ENGINE_PODMAN } sb_engine_kind;

typedef struct sb_engine_abilities { /* probed, never assumed from a name */
    bool heredocs;
    bool run_network;      /* RUN --network= in the Dockerfile */
    bool global_network;   /* --network none for the whole build */
    bool build_contexts;   /* --build-context name=dir */
    bool layout_contexts;  /* --build-context name=oci-layout://… */
    bool containerd_store; /* docker load keeps OCI digests */
    bool rewrite_timestamp;
    bool copy_link, copy_exclude, copy_parents, add_checksum, add_unpack;
    bool secrets, ssh;
    bool env_secrets;   /* RUN --mount=type=secret,env=NAME */
    bool tmpfs_private; /* a RUN --mount=type=tmpfs is root's alone unless told otherwise */
    bool frontends;     /* obeys `# syntax`; others ignore it */
    bool workdir_layer; /* WORKDIR makes a layer of its own */
} sb_engine_abilities;

typedef struct sb_engine {
    sb_engine_kind kind;
    sb_slice name;    /* "docker" */
    sb_slice program; /* full path */
    sb_slice version; /* "26.1.5 (buildx 0.13.1)" */
    sb_slice builder; /* docker: the buildx builder and its driver; absent elsewhere */
    sb_engine_abilities can;
    sb_slice problem; /* why it cannot be used; absent when it can */
    sb_arena *arena;
} sb_engine;

/* Looks for every engine; never fails because one is missing: its `problem` says so. The caller frees each.
 */
int sb_engines_probe(sb_engine ***ret_engines, size_t *ret_count, sb_error **err);
/* `name` NULL: $SBUILD_ENGINE, else docker where a daemon answers, else podman, else buildah. SB_ERR_ENGINE
 * with the remedy. */
int sb_engine_select(const char *name, const char *builder, sb_engine **ret_engine, sb_error **err);
void sb_engine_free(sb_engine *engine);
SB_DEFINE_CLEANUP(sb_engine, sb_engine_free)

/* --- A finished image of an engine (builder/engine_export.c) --- */

/* What the engine calls it: stays the same as long as the image does. */
int sb_engine_image_id(const sb_engine *engine, const char *image, sb_arena *arena, sb_slice *ret_id,
                       sb_error **err);
/* *ret_fd: a pipe that gives the image's archive, docker's or OCI's. It belongs to the export. */
typedef struct sb_engine_export sb_engine_export;
int sb_engine_export_begin(const sb_engine *engine, const char *image, sb_engine_export **ret_export,
                           int *ret_fd, sb_error **err);
/* Frees it. `complete`: all was read; then SB_ERR_ENGINE when the engine failed. */
int sb_engine_export_end(sb_engine_export *ended, bool complete, sb_error **err);
/* By the engine, with its own credentials; its output goes to standard error. */
int sb_engine_push(const sb_engine *engine, const char *image, sb_error **err);

/* --- What the user asked for --- */

typedef struct sb_build_options {
    const char *const *tags; /* NULL-terminated; each a NAME:VERSION */
    size_t tag_count;
    bool allow_moving_tag;
    bool offline;
    const char *const *allow_network; /* steps that keep their network, NULL-terminated; may be NULL */
    const char *engine;               /* NULL: chosen */
    const char *builder;              /* docker buildx --builder; NULL: the current one */
    const char *target;
    const sb_df_var *build_args;
    size_t build_arg_count;
    const char *const *platforms; /* NULL-terminated; NULL: the host's */
    const char *const *contexts;  /* --build-context NAME=PATH as given, NULL-terminated; may be NULL */
    const char *const *outputs;   /* --output as given, NULL-terminated; may be NULL */
    bool load, push;              /* load is the default when there is no output and no push */
    bool no_cache;
    bool keep_all_volatile;           /* volatile files stay, but for what drop_volatile names */
    const char *const *keep_volatile; /* names of rules that are off, NULL-terminated; may be NULL */
    const char *const *drop_volatile; /* likewise of rules that are on */
    const char *expect;               /* image ID or manifest digest that must come out; may be NULL */
    /* Build twice under different conditions, and hand nothing over unless the images are the same. */
    bool check_reproducible;
    const char *report;    /* a file for what differs, as HTML; may be NULL */
    const char *step_host; /* host name of the steps, where the engine lets us choose; NULL: the usual one */
    const char *scratch;   /* a directory below `.sbuild` to work in; NULL: that itself */
    bool quiet;
    const char *iidfile;
    const char *metadata_file;
    const char *attestation; /* a file for an in-toto statement; may be NULL */
    const char *progress;    /* auto, plain, tty; NULL: auto */
    const char *const
        *engine_arguments; /* passed through as they are: --secret, --ssh, --label, --cache-from … */
    size_t engine_argument_count;
} sb_build_options;

/* A tag that is a version: "app:1.2.3". SB_ERR_USAGE with the reason for none, `latest`, and moving words. */
int sb_check_tag(const char *tag, sb_error **err);

typedef struct sb_build_result {
    sb_arena *arena;
    sb_slice image_id;        /* config digest */
    sb_slice manifest_digest; /* of the image, or of the index with several platforms */
    sb_slice engine;          /* name and version */
    sb_slice *diff_ids;
    size_t diff_id_count;
    bool differs; /* check_reproducible: the builds' images differ, so that there is none; else all is set */
    sb_slice findings; /* check_reproducible: what was compared and what differs, for people */
} sb_build_result;
void sb_build_result_free(sb_build_result *result);
SB_DEFINE_CLEANUP(sb_build_result, sb_build_result_free)

/* The whole of `sbuild build`. The engine's own output goes to the caller's stderr. */
int sb_build(sb_project *project, const sb_build_options *options, sb_build_result **ret_result,
             sb_error **err);

/* --- Recording the steps of the lock (builder/record.c) --- */

typedef struct sb_record_options {
    /* Target, build arguments, contexts, engine, builder, progress, quiet, engine arguments as for a build;
     * the rest does not count. Arguments are those of the profile with this target; others have the lock's.
     */
    sb_build_options build;
    bool no_run;     /* only tells what is not locked */
    bool update_all; /* every step starts with nothing locked */
    const char *const
        *update; /* and these: a line, an id, or a part of the text; NULL-terminated; may be NULL */
} sb_record_options;

typedef struct sb_record_warning {
    unsigned line;
    sb_slice label;   /* "RUN npm ci" */
    const char *kind; /* "post", "no-store", "failed", "unrecordable", "scrubbed", "unlocked" … */
    sb_slice text;    /* a phrase; printable */
} sb_record_warning;

typedef struct sb_record_report {
    sb_arena *arena;
    sb_lock_change *changes; /* one per step, in the order of the file; `kind` is "run" */
    size_t count, cap;
    sb_record_warning *warnings;
    size_t warning_count, warning_cap;
    size_t recorded; /* steps that were run */
    size_t unlocked; /* steps that are not in the lock, or are stale (no_run) */
    sb_slice engine; /* name and version; absent when none was needed */
    bool written;    /* the lock file changed */
} sb_record_report;
void sb_record_report_free(sb_record_report *report);
SB_DEFINE_CLEANUP(sb_record_report, sb_record_report_free)
/*
 * The second half of `sbuild lock`: runs the RUN steps whose inputs have changed in a real build, each with
 * the network behind a recording, and locks what they asked for. No engine is started when nothing changed.
 * What was finished before a failure is in the lock.
 */
int sb_record(sb_project *project, const sb_record_options *options, sb_record_report **ret_report,
              sb_error **err);

/* --- The pinned Dockerfile (builder/pin.c) and the command that builds it (builder/command.c) --- */

typedef struct sb_rewrite {
    char *dockerfile; /* owned */
    size_t dockerfile_len;
    char **command; /* owned, NULL-terminated: the engine's argument vector */
} sb_rewrite;
/* What `sbuild rewrite` shows: prepares `.sbuild` so that the command works as printed. */
int sb_rewrite_make(sb_project *project, const sb_build_options *options, sb_rewrite *ret_rewrite,
                    sb_error **err);
void sb_rewrite_clear(sb_rewrite *rewrite);

/* --- The canonical image (builder/image*.c) --- */

typedef struct sb_canonical_options {
    int64_t epoch;      /* seconds since 1970 */
    size_t base_layers; /* the first so many layers are the base's and stay byte for byte */
    /* Volatile files (sb_volatile_list): */
    bool keep_volatile;      /* all rules are off, but those in `drop` */
    const char *const *keep; /* names of rules that are off, NULL-terminated; may be NULL */
    const char *const *drop; /* likewise that are on, which some are only on request */
    /* Gets of each layer of the result the index of the engine's layer that it was made of; may be NULL. */
    size_t *sources;
} sb_canonical_options;
/*
 * Reads the image `manifest` in the layout `from` and writes its canonical form into `to` (may be the same):
 * entries of new layers sorted, times clamped, headers, history and config in one form, one compressor.
 * *ret_manifest describes the result.
 */
int sb_image_canonicalize(sb_layout *from, const sb_digest *manifest, const sb_canonical_options *options,
                          sb_layout *to, sb_arena *arena, sb_descriptor *ret_manifest, sb_error **err);

/* The rules of volatile files, for people: "apt-logs", "left out", "/var/log/dpkg.log, …", "times of
 * installation". False behind the last. */
typedef struct sb_volatile_text {
    const char *name;
    const char *what; /* "left out", "left out on request" or "times become the epoch" */
    const char *files;
    const char *about;
} sb_volatile_text;
bool sb_volatile_list(size_t index, sb_arena *arena, sb_volatile_text *ret_text);

#endif
