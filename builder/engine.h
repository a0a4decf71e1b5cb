// SPDX-License-Identifier: Apache-2.0
/*
 * What every engine is behind: probe it, turn a plan into its command, run that and hand back an OCI layout,
 * take a finished image. One file per engine: engine_docker.c, engine_buildah.c (Podman is Buildah inside).
 */
#ifndef SBUILD_BUILDER_ENGINE_H
#define SBUILD_BUILDER_ENGINE_H

#include <builder/plan.h>
#include <sbuild/json.h>

/* An argument vector in the making; strings live in the arena. */
typedef struct sb_argv {
    sb_arena *arena;
    const char **items; /* NULL-terminated after sb_argv_end */
    size_t count, cap;
} sb_argv;
void sb_argv_add(sb_argv *argv, const char *arg);
void sb_argv_addf(sb_argv *argv, const char *fmt, ...) SB_PRINTF(2, 3);
const char *const *sb_argv_end(sb_argv *argv);
/* --build-context of the plan. */
void sb_argv_add_contexts(sb_argv *argv, const sb_plan *plan);
/* --build-arg of the user, but the frontend as the plan has it; --build-context of the user. */
void sb_argv_add_user(sb_argv *argv, const sb_plan *plan);

typedef struct sb_engine_ops {
    sb_engine_kind kind;
    const char *name;
    /* Fills version, abilities and, when it cannot be used, engine->problem. */
    int (*probe)(sb_engine *engine, const char *builder, sb_error **err);
    /* The build's argument vector, without what says where the result goes. */
    int (*command)(const sb_plan *plan, sb_argv *argv, sb_error **err);
    /* Builds into a new OCI layout at `layout`. */
    int (*build)(const sb_plan *plan, const char *layout, sb_digest *ret_manifest, sb_error **err);
    /* Builds, and wants nothing of the result (recording). */
    int (*run)(const sb_plan *plan, sb_error **err);
    /*
     * The argument vector of a small build beside the plan's: of `dir`/Dockerfile, with the context of sealed
     * steps. What it makes goes below the directory `dest`.
     */
    void (*beside)(const sb_plan *plan, const char *dir, const char *dest, sb_argv *argv);
    /* Removes what that left in the engine; NULL: it leaves nothing. */
    void (*forget)(const sb_plan *plan, const char *dir);
    /*
     * Takes the image `manifest` of the layout under the names `tags` (NULL-terminated; may be NULL), which
     * it gives last. `base_layers`: what the engine has already, having built on them.
     */
    int (*load)(const sb_engine *engine, sb_layout *layout, const sb_digest *manifest, size_t base_layers,
                const char *const *tags, sb_error **err);
    int (*push)(const sb_engine *engine, const char *tag, sb_error **err);
    /* The argument vector of what tells an image's ID, and of what writes it to standard output as an
     * archive. */
    void (*identify)(const sb_engine *engine, const char *image, sb_argv *argv);
    void (*export)(const sb_engine *engine, const char *image, sb_argv *argv);
    /* NULL when the option may be handed through, else why not, as a clause. */
    const char *(*refuses)(const sb_engine *engine, sb_slice name, sb_slice value);
} sb_engine_ops;

extern const sb_engine_ops sb_engine_docker;
extern const sb_engine_ops sb_engine_buildah;
extern const sb_engine_ops sb_engine_podman;
const sb_engine_ops *sb_engine_ops_of(sb_engine_kind kind);

/* "secret" of "--secret=id=x", and behind the "=" *ret_value. */
sb_slice sb_engine_option(const char *argument, sb_slice *ret_value);
/* SB_ERR_ENGINE for an option of the user's that this engine does not take. */
int sb_engine_takes(const sb_engine *engine, const char *const *arguments, size_t count, sb_error **err);

/* Runs a program whose output is small and that answers at once: *ret_output (trimmed, in `arena`). A failure
 * is SB_ERR_ENGINE with its last line. */
int sb_engine_ask(sb_arena *arena, const char *const *argv, sb_slice *ret_output, sb_error **err);
/* The same for work that takes as long as it takes; `input` > 0 is its standard input. */
int sb_engine_work(sb_arena *arena, const char *const *argv, int input, sb_slice *ret_output, sb_error **err);
/* The same for moving an image on this machine, which wants no credentials, and must not miss them. */
int sb_engine_move(sb_arena *arena, const char *const *argv, sb_slice *ret_output, sb_error **err);
/* The last line of a program's messages that says something. */
sb_slice sb_engine_last_line(sb_slice text);
extern const char *const sb_engine_credentials[]; /* variables that say where they are; NULL-terminated */

/* The host name of steps, which programs write down: BuildKit's own, and with every engine that lets us. */
#define SB_STEP_HOST "buildkitsandbox"
/* May this engine's steps be given a host name? builder/engine_run.c */
bool sb_engine_names_host(const sb_engine *engine);

/* builder/engine_run.c: an engine at work. */
typedef struct sb_engine_job {
    const char *const *argv;
    const char *const *env; /* as in sb_process_options; may be NULL */
    const char *what;       /* "the build", for messages */
    bool quiet;             /* its output is shown only when it fails */
    const char *host;       /* name of the machine as it sees it; NULL: the machine's */
    bool unplugged;         /* in a network namespace with nothing but a loopback interface */
    sb_misses *misses;      /* gets its output; may be NULL */
} sb_engine_job;
/* Its output goes to the caller's standard error. SB_ERR_BUILD when it fails. */
int sb_engine_run(const sb_engine_job *job, sb_error **err);
/* A plan's build, looked through for its steps' misses. */
int sb_engine_build(const sb_plan *plan, const char *const *argv, bool unplugged, const char *host,
                    sb_error **err);
/* The same with its output to a descriptor. */
int sb_engine_run_to(const sb_engine_job *job, int output, sb_error **err);
/* builder/engine_unplugged.c: the same in an empty network. */
int sb_engine_run_unplugged(const sb_engine_job *job, int output, sb_error **err);

/* "26.1.5+dfsg" → 26.1; compares major, then minor. */
bool sb_version_at_least(sb_slice version, unsigned major, unsigned minor);

/*
 * builder/result.c: makes an OCI layout of the flat directory that `docker save` (unpacked) or `buildah push
 * dir:` left, by moving the blobs.
 */
int sb_result_from_archive(const char *dir, const char *layout, sb_digest *ret_manifest, sb_error **err);
int sb_result_from_flat(const char *dir, const char *layout, sb_digest *ret_manifest, sb_error **err);
/* The other way round, with links to the layout's blobs: the `dir:` form of Buildah, Podman and Skopeo. */
int sb_result_to_flat(const sb_layout *layout, const sb_digest *image, const char *dir, sb_error **err);
/* The manifest that index.json of the layout names. */
int sb_result_manifest(const char *layout, sb_digest *ret_manifest, sb_error **err);
/*
 * Puts the base's own layers (compressed as the registry has them) into the manifest in place of the first
 * plan->base_layers. SB_ERR_VERIFY when the engine built on something else.
 */
int sb_result_rebase(const sb_plan *plan, const char *layout, sb_digest *manifest, sb_error **err);

/* Copies an image (or the blob of an index) from one layout to another, by links where that is possible. */
int sb_result_copy(const sb_layout *from, sb_layout *to, const sb_digest *digest, sb_error **err);

/* --expect (builder/result_expect.c): SB_ERR_USAGE for one that is no digest; SB_ERR_VERIFY when neither the
 * image ID nor the manifest (or index) digest is the one that was expected. */
int sb_result_check_expected(const sb_build_options *options, sb_error **err);
int sb_result_expect(const sb_build_options *options, const sb_layout *layout, const sb_descriptor *image,
                     const sb_descriptor *whole, sb_error **err);

/* What was built, when all of it was: builder/result_report.c, builder/attestation.c. */
typedef struct sb_built { /* one platform's canonical image */
    sb_slice platform;
    sb_descriptor image;
    size_t base_layers;
} sb_built;
typedef struct sb_outcome {
    sb_project *project;
    const sb_lock *lock;
    const sb_build_options *options;
    const sb_engine *engine;
    sb_slice switched; /* rules of volatile files that are not as by default; may be empty */
    sb_layout *layout;
    const sb_built *images;
    size_t image_count;
    sb_descriptor whole;     /* the image, or the index of several */
    const char *const *tags; /* NULL-terminated; may be NULL */
} sb_outcome;
/* For the caller, `.sbuild/result.json`, and the files that were asked for. */
int sb_result_report(const sb_outcome *outcome, sb_build_result **ret_result, sb_error **err);
/* An in-toto statement with SLSA provenance, unsigned. `platforms`: of result.json. */
int sb_attestation_write(const sb_outcome *outcome, const json_t *platforms, const char *path,
                         sb_error **err);
/* sha256 of the lock's file. */
int sb_outcome_lock_digest(const sb_outcome *outcome, sb_digest *ret_digest, sb_error **err);

#endif
