// SPDX-License-Identifier: Apache-2.0
/*
 * A plan on disk: the pinned Dockerfile, the normalised main context and a directory per named context, all
 * below `.sbuild`. Whatever umask, user or clone it is made under, its bytes, modes and times are the same.
 */
#include <builder/contexts.h>

#include <sbuild/fs.h>
#include <sbuild/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { UNPACK_MAX_SHIFT = 36 }; /* 64 GiB from one archive */

int sb_plan_stamp(int fd, mode_t mode, int64_t mtime, sb_error **err)
{
    struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};

    if (fchmod(fd, mode) < 0 || futimens(fd, times) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot set mode and time in the scratch directory: %s",
                       strerror(errno));
    return 0;
}

/* A new directory with mode 0755 whatever the umask. */
int sb_plan_new_dir(int dirfd, const char *name, int *ret_fd, sb_error **err)
{
    sb_autoclose int fd = -1;

    if (sb_mkdirs_beneath(dirfd, name, err) < 0)
        return -1;
    fd = sb_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, NULL, err);
    if (fd < 0)
        return -1;
    if (fchmod(fd, 0755) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot set the mode of %s: %s", name, strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* --- Objects of the lock --- */

static int open_stored(const sb_store *store, const sb_digest *digest, int *ret_fd, bool *ret_found,
                       sb_error **err)
{
    *ret_found = store && sb_store_has(store, digest, 0);
    return *ret_found ? sb_store_open_object(store, digest, ret_fd, NULL, err) : 0;
}

/* From the repository's store, else from the user's cache, else (unless offline) fetched into the store. */
int sb_plan_open_object(const sb_plan *plan, const sb_digest *digest, sb_slice what, int *ret_fd,
                        sb_error **err)
{
    sb_project *project = plan->project;
    sb_vendor_options vendor = {0};
    sb_vendor_report report;
    sb_autofree char *shown = NULL;
    sb_store *cache;
    bool found;

    if (open_stored(project->store, digest, ret_fd, &found, err) < 0)
        return -1;
    if (found)
        return 0;
    if (sb_project_cache(project, &cache, err) < 0)
        return -1;
    if (open_stored(cache, digest, ret_fd, &found, err) < 0)
        return -1;
    if (found)
        return 0;
    if (!plan->options->offline) {
        if (sb_vendor(project, plan->lock, &vendor, &report, err) < 0 ||
            open_stored(project->store, digest, ret_fd, &found, err) < 0)
            return -1;
        if (found)
            return 0;
    }
    shown = sb_printable(what);
    return sb_fail(err, SB_ERR_NOT_FOUND,
                   "the bytes of %s are neither in %s nor in the cache; run \"sbuild vendor\" with a network",
                   shown, SB_STORE_NAME);
}

int sb_plan_write_file(int dirfd, sb_slice name, mode_t mode, int64_t mtime, int from, sb_slice text,
                       sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(name);
    sb_autoclose int fd = sb_open_beneath(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, 0600, NULL, err);

    if (fd < 0)
        return -1;
    if (from >= 0 ? sb_copy_fd(from, fd, path, err) < 0 : sb_write_all(fd, text.ptr, text.len, path, err) < 0)
        return -1;
    return sb_plan_stamp(fd, mode, mtime, err);
}

static int fill_context(const sb_plan *plan, const sb_plan_context *context, int dirfd, sb_error **err)
{
    sb_autoclose int from = -1;
    sb_autoclose int tree = -1;
    int64_t epoch = plan->lock->epoch;

    switch (context->kind) {
    case SB_CONTEXT_FILE:
        if (sb_plan_open_object(plan, &context->file->digest, context->file->url, &from, err) < 0)
            return -1;
        /* What a frontend's own download would have: private, and as old as the server says. */
        return sb_plan_write_file(dirfd, context->file_name, 0600,
                                  context->file->last_modified > 0 ? context->file->last_modified : 0, from,
                                  SB_NIL, err);
    case SB_CONTEXT_UNPACK:
        if (sb_plan_open_object(plan, &context->file->digest, context->file->url, &from, err) < 0 ||
            sb_plan_new_dir(dirfd, "tree", &tree, err) < 0 ||
            sb_tree_unpack_links(from, tree, UINT64_C(1) << UNPACK_MAX_SHIFT, err) < 0)
            return -1;
        return sb_plan_stamp(tree, 0755, epoch, err);
    case SB_CONTEXT_GIT:
        if (sb_plan_open_object(plan, &context->git->archive, context->git->url, &from, err) < 0)
            return -1;
        return sb_tree_unpack_links(from, dirfd, UINT64_C(1) << UNPACK_MAX_SHIFT, err);
    case SB_CONTEXT_TEXT:
        return sb_plan_write_file(dirfd, context->file_name, context->mode, epoch, -1, context->text, err);
    case SB_CONTEXT_STEPS:
        return sb_plan_fill_steps(plan, dirfd, err);
    case SB_CONTEXT_EMPTY:
        break;
    }
    return 0;
}

static int make_context(sb_plan *plan, sb_plan_context *context, sb_error **err)
{
    sb_slice relative = sb_arena_printf(plan->arena, "contexts/%" SB_FMT, SB_ARG(context->name));
    sb_autoclose int fd = -1;

    if (sb_plan_new_dir(plan->dirfd, relative.ptr, &fd, err) < 0 ||
        fill_context(plan, context, fd, err) < 0 || sb_plan_stamp(fd, 0755, plan->lock->epoch, err) < 0)
        return -1;
    context->path =
        sb_arena_printf(plan->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(plan->path), SB_ARG(relative));
    return 0;
}

static int make_main_context(sb_plan *plan, sb_error **err)
{
    SB_AUTO(sb_ignore) ignore = NULL;
    sb_autoclose int fd = -1;

    if (sb_project_ignore(plan->project, &ignore, err) < 0 ||
        sb_plan_new_dir(plan->dirfd, "context", &fd, err) < 0)
        return -1;
    if (sb_tree_copy(plan->project->context_fd, ignore, sb_project_never(plan->project), plan->lock->epoch,
                     fd, err) < 0)
        return sb_wrap(err, "while copying the context");
    plan->context_path = sb_arena_printf(plan->arena, "%" SB_FMT "/context", SB_ARG(plan->path));
    return sb_plan_stamp(fd, 0755, plan->lock->epoch, err);
}

/* --- The plan --- */

/* Its directory below `.sbuild`: one per Dockerfile and platform, so that a printed command stays valid. */
static int open_scratch(sb_plan *plan, sb_error **err)
{
    sb_project *project = plan->project;
    const char *below = plan->options->scratch;
    sb_autofree char *scratch = NULL;
    sb_autoclose int fd = -1;
    sb_autoclose int sub = -1;
    sb_slice name = sb_arena_printf(plan->arena, "%" SB_FMT "-%" SB_FMT, SB_ARG(project->dockerfile_name),
                                    SB_ARG(plan->platform));
    char *plain = sb_arena_strdup(plan->arena, name);

    if (sb_project_scratch(project, &fd, &scratch, err) < 0 ||
        (below && sb_plan_new_dir(fd, below, &sub, err) < 0))
        return -1;
    for (char *p = plain; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
            *p = p == plain ? '_' : *p == '.' ? '.' : '_';
    if (sb_remove_tree(below ? sub : fd, plain, err) < 0 ||
        sb_plan_new_dir(below ? sub : fd, plain, &plan->dirfd, err) < 0)
        return -1;
    plan->path =
        sb_arena_printf(plan->arena, "%s/%s%s%s", scratch, below ? below : "", below ? "/" : "", plain);
    if (memchr(plan->path.ptr, ',', plan->path.len) || memchr(plan->path.ptr, '"', plan->path.len))
        return sb_fail(err, SB_ERR_USAGE,
                       "engines cannot work in %" SB_FMT
                       ": its path holds a comma or a quote; move the project",
                       SB_ARG(plan->path));
    return 0;
}

static int write_dockerfile(sb_plan *plan, sb_error **err)
{
    /* Beside the Dockerfile it wins over the context's own, whose rules were applied already. */
    plan->dockerfile_path = sb_arena_printf(plan->arena, "%" SB_FMT "/Dockerfile", SB_ARG(plan->path));
    plan->ignore_path =
        sb_arena_printf(plan->arena, "%" SB_FMT ".dockerignore", SB_ARG(plan->dockerfile_path));
    if (sb_plan_write_file(plan->dirfd, SB_LIT("Dockerfile"), 0644, plan->lock->epoch, -1, plan->dockerfile,
                           err) < 0)
        return -1;
    return sb_plan_write_file(plan->dirfd, SB_LIT("Dockerfile.dockerignore"), 0644, plan->lock->epoch, -1,
                              SB_LIT("# what the context ignores is not in it\n"), err);
}

static int reaches_network(const char *given, sb_error **err)
{
    return sb_fail(err, SB_ERR_UNPINNED,
                   "--build-context %s is not locked; name a directory, or write the reference into the "
                   "Dockerfile",
                   given);
}

/* Engines take "github.com/a/b" for a repository, too, even where there is such a directory. */
static int context_argument(sb_arena *arena, const char *given, sb_slice name, sb_slice where,
                            const char **ret_argument, sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(where);
    sb_autofree char *resolved = NULL;
    struct stat st;

    if (sb_slice_starts(where, SB_LIT("oci-layout://"))) {
        *ret_argument = given;
        return 0;
    }
    if (sb_slice_find(where, SB_LIT("://")) >= 0)
        return reaches_network(given, err);
    resolved = realpath(path, NULL);
    if (!resolved || stat(resolved, &st) < 0 || !S_ISDIR(st.st_mode)) {
        if (sb_df_source_classify(where) != SB_SOURCE_LOCAL)
            return reaches_network(given, err);
        return sb_fail(err, SB_ERR_USAGE, "--build-context %s: there is no such directory", given);
    }
    *ret_argument = sb_arena_printf(arena, "%" SB_FMT "=%s", SB_ARG(name), resolved).ptr;
    return 0;
}

/* The user's own contexts: what would reach the network unpinned is refused. */
int sb_plan_user_contexts(const sb_build_options *options, sb_arena *arena, const char ***ret_names,
                          const char ***ret_arguments, size_t *ret_count, sb_error **err)
{
    const char **names = NULL, **arguments = NULL;
    size_t count = 0, cap = 0, argument_count = 0, argument_cap = 0;

    for (size_t i = 0; options->contexts && options->contexts[i]; i++) {
        sb_slice where = sb_slice_z(options->contexts[i]);
        sb_slice name = sb_slice_cut(&where, '=');

        if (!name.len || !where.len)
            return sb_fail(err, SB_ERR_USAGE, "--build-context wants NAME=PATH, not \"%s\"",
                           options->contexts[i]);
        if (context_argument(arena, options->contexts[i], name, where,
                             SB_ARENA_PUSH(arena, arguments, argument_count, argument_cap), err) < 0)
            return -1;
        *SB_ARENA_PUSH(arena, names, count, cap) = sb_arena_strdup(arena, name);
    }
    *SB_ARENA_PUSH(arena, arguments, argument_count, argument_cap) = NULL;
    *ret_names = names;
    *ret_arguments = arguments;
    *ret_count = count;
    return 0;
}

static int make_view(sb_plan *plan, sb_error **err)
{
    const sb_build_options *options = plan->options;
    sb_frozen_options frozen = {
        .build_args = options->build_args,
        .build_arg_count = options->build_arg_count,
        .target = options->target,
        .platform = plan->platform.ptr,
    };

    if (sb_plan_user_contexts(options, plan->arena, &plan->user_context_names, &plan->user_contexts,
                              &plan->user_context_count, err) < 0)
        return -1;
    frozen.contexts = plan->user_context_names;
    frozen.context_count = plan->user_context_count;
    return sb_frozen_view(plan->project, plan->lock, &frozen, &plan->view, err);
}

int sb_plan_make(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, const sb_seal_record *record,
                 sb_plan **ret_plan, sb_error **err)
{
    SB_AUTO(sb_plan) plan = sb_new(sb_plan);

    plan->arena = sb_arena_new();
    plan->dirfd = -1;
    plan->project = project;
    plan->lock = lock;
    plan->options = options;
    plan->engine = engine;
    plan->platform = sb_arena_dup(plan->arena, sb_slice_z(platform ? platform : sb_host_platform()));
    plan->record = record;
    plan->misses = sb_misses_new();
    if (make_view(plan, err) < 0 || sb_seal_steps(plan, err) < 0 || sb_plan_pin(plan, err) < 0 ||
        open_scratch(plan, err) < 0 || sb_plan_images(plan, err) < 0 || make_main_context(plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->context_count; i++)
        if (make_context(plan, &plan->contexts[i], err) < 0)
            return -1;
    if (write_dockerfile(plan, err) < 0)
        return -1;
    *ret_plan = SB_TAKE(plan);
    return 0;
}

void sb_plan_free(sb_plan *plan)
{
    if (!plan)
        return;
    sb_seal_clear(plan);
    sb_misses_free(plan->misses);
    sb_df_view_free(plan->view);
    sb_closep(&plan->dirfd);
    sb_arena_free(plan->arena);
    free(plan);
}
