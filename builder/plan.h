// SPDX-License-Identifier: Apache-2.0
/*
 * A plan: what one build of one platform is made of. builder/pin*.c fills in the Dockerfile and names the
 * images and contexts that it needs; builder/contexts*.c puts them on disk; an engine turns the whole into a
 * command.
 */
#ifndef SBUILD_BUILDER_PLAN_H
#define SBUILD_BUILDER_PLAN_H

#include <builder/misses.h>
#include <builder/seal.h>
#include <sbuild/builder.h>

enum { SB_PLAN_ITEMS_MAX = 10000 }; /* images, and contexts, of one plan */

typedef struct sb_plan_image {
    sb_slice text;     /* as the pinned Dockerfile names it: "docker.io/library/node:20.19.4@sha256:…" */
    sb_slice platform; /* "linux/amd64" */
    const sb_lock_image *locked;
    bool strip; /* its ONBUILD triggers are in the Dockerfile: supplied without them */
    /* What is supplied, once it is there: */
    sb_slice layout;    /* path of an OCI layout that holds it */
    sb_digest digest;   /* of the index or manifest in it */
    sb_digest manifest; /* for the platform */
    sb_slice directory; /* path of the same as a flat directory, for engines that want that */
} sb_plan_image;

typedef enum sb_plan_context_kind {
    SB_CONTEXT_FILE,   /* one file of the lock */
    SB_CONTEXT_UNPACK, /* the content of an archive of the lock, below tree/ */
    SB_CONTEXT_GIT,    /* a tree of the lock, below tree/ */
    SB_CONTEXT_TEXT,   /* a file with given content */
    SB_CONTEXT_EMPTY,
    SB_CONTEXT_STEPS, /* what is mounted into sealed steps */
} sb_plan_context_kind;

typedef struct sb_plan_context { /* a named context: a directory */
    sb_plan_context_kind kind;
    sb_slice name;      /* "sbuild-add-1" */
    sb_slice file_name; /* FILE, TEXT: of the one file in it */
    const sb_lock_file *file;
    const sb_lock_git *git;
    sb_slice text;
    mode_t mode;   /* TEXT: of the file */
    sb_slice path; /* once it is made */
} sb_plan_context;

struct sb_plan {
    sb_arena *arena;
    sb_project *project;
    const sb_lock *lock;
    const sb_build_options *options;
    const sb_engine *engine;
    sb_slice platform;
    sb_df_view *view;           /* owned */
    sb_slice dockerfile;        /* the pinned text */
    bool own_frontend;          /* it has a frontend of its own, which knows more than the engine */
    sb_slice frontend;          /* that, pinned */
    bool frontend_named;        /* on the command line: the file has no place for it */
    const char **user_contexts; /* --build-context of the user, with absolute paths; NULL-terminated */
    const char **user_context_names;
    size_t user_context_count;
    sb_plan_image *images;
    size_t image_count, image_cap;
    sb_plan_context *contexts;
    size_t context_count, context_cap;
    /* In the scratch directory: */
    int dirfd;                    /* of `path`; owned */
    sb_slice path;                /* absolute: everything below is in it */
    sb_slice dockerfile_path;     /* and its .dockerignore */
    sb_slice context_path;        /* the normalised main context */
    sb_slice ignore_path;         /* an empty ignore file */
    sb_slice registry;            /* address of builder/serve.c; absent when it does not run */
    size_t base_layers;           /* of the result: layers of the base image */
    const sb_plan_image *base;    /* of the target; NULL: scratch */
    const sb_seal_record *record; /* NULL: replay */
    sb_plan_step *steps;          /* in the order of sb_run_steps */
    size_t step_count;
    sb_misses *misses; /* what the engine's output said is not in the lock; owned */
};

void sb_plan_free(sb_plan *plan);
SB_DEFINE_CLEANUP(sb_plan, sb_plan_free)

/* builder/pin.c: from view and lock to plan->dockerfile, images and contexts. Pure: no files, no network. */
int sb_plan_pin(sb_plan *plan, sb_error **err);

/* builder/contexts.c: the whole plan for one platform, pinned and on disk below `.sbuild`. */
int sb_plan_make(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, const sb_seal_record *record,
                 sb_plan **ret_plan, sb_error **err);

/*
 * The names of the user's own --build-context, and each as an engine is to have it: NULL-terminated, with
 * absolute paths, which no engine takes for a repository. SB_ERR_UNPINNED for one that would reach the
 * network.
 */
int sb_plan_user_contexts(const sb_build_options *options, sb_arena *arena, const char ***ret_names,
                          const char ***ret_arguments, size_t *ret_count, sb_error **err);

#endif
