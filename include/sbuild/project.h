// SPDX-License-Identifier: Apache-2.0
/*
 * A project: one Dockerfile with its context, lock, store and settings. What every command but `inspect`
 * opens first.
 */
#ifndef SBUILD_PROJECT_H
#define SBUILD_PROJECT_H

#include <sbuild/dockerfile.h>
#include <sbuild/progress.h>
#include <sbuild/settings.h>
#include <sbuild/store.h>

enum { SB_DOCKERFILE_MAX = 128 << 20 };

typedef struct sb_project_options {
    const char *context;    /* NULL: "." */
    const char *dockerfile; /* as -f: relative to the working directory; NULL: "Dockerfile" (then
                               "dockerfile") in the context */
    sb_progress *progress;  /* may be NULL */
} sb_project_options;

typedef struct sb_project {
    sb_arena *arena;
    sb_slice context; /* absolute path */
    int context_fd;
    sb_slice dockerfile_path; /* absolute */
    sb_slice dockerfile_name; /* for messages, and in the lock: relative to the context when beneath it */
    sb_slice text;
    sb_digest text_digest; /* sha256 of the LF-normalised text without BOM */
    sb_dockerfile *df;
    sb_settings *settings;
    sb_progress *progress;
    int lock_dirfd;     /* the Dockerfile's directory, where the lock lives */
    sb_slice lock_name; /* "Dockerfile.lock" */
    sb_store *store;    /* sbuild.vendor; NULL when there is none (yet): sb_project_store makes it */
    sb_store *cache;    /* the user's; made on demand by sb_project_cache */
} sb_project;

int sb_project_open(const sb_project_options *options, sb_project **ret_project, sb_error **err);
void sb_project_free(sb_project *project);
SB_DEFINE_CLEANUP(sb_project, sb_project_free)

int sb_project_store(sb_project *project, sb_store **ret_store, sb_error **err); /* makes it */
int sb_project_cache(sb_project *project, sb_store **ret_cache, sb_error **err); /* makes it */
/* The user's cache of images, an OCI layout: $XDG_CACHE_HOME/sbuild/images. The caller frees the path. */
char *sb_project_images_path(sb_error **err);
/* The git-ignored scratch directory `.sbuild` in the context, made and with a .gitignore of its own. */
int sb_project_scratch(sb_project *project, int *ret_fd, char **ret_path, sb_error **err);
/* Exclusive use of the project for a writer (lock, vendor, build's scratch); closing *ret_fd ends it. */
int sb_project_exclusive(sb_project *project, int *ret_fd, sb_error **err);

/*
 * The main context's ignore rules: `<Dockerfile>.dockerignore`, else the context's .dockerignore; NULL when
 * there is none. Lock, store, `.sbuild` and what the design keeps out are in sb_project_never.
 */
int sb_project_ignore(const sb_project *project, sb_ignore **ret_ignore, sb_error **err);
const char *const *sb_project_never(const sb_project *project);

#endif
