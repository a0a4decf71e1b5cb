// SPDX-License-Identifier: Apache-2.0
#include <lock/project.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <sbuild/fs.h>

enum { IGNORE_MAX = 16 << 20 };

#define SCRATCH_NAME ".sbuild"

/* The public structure comes first, so that a pointer to it is one to the whole. */
typedef struct whole_project {
    sb_project project;
    sb_http *http;
    sb_registry *registry;
    bool store_made; /* the store was opened for writing */
    bool no_cache;   /* there is no cache to look into */
    const char *never[4];
} whole_project;

static whole_project *whole(sb_project *project)
{
    return (whole_project *)project;
}

void sb_project_free(sb_project *project)
{
    if (!project)
        return;
    sb_registry_free(whole(project)->registry);
    sb_http_free(whole(project)->http);
    sb_store_free(project->store);
    sb_store_free(project->cache);
    sb_df_free(project->df);
    sb_settings_free(project->settings);
    sb_closep(&project->context_fd);
    sb_closep(&project->lock_dirfd);
    sb_arena_free(project->arena);
    free(project);
}

static int no_path(const char *what, const char *path, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    return sb_fail(err, saved == ENOENT || saved == ENOTDIR ? SB_ERR_USAGE : SB_ERR_IO, "%s %s: %s", what,
                   shown, strerror(saved));
}

static int open_context(sb_project *project, const char *context, sb_error **err)
{
    sb_autofree char *path = NULL;

    if (strcmp(context, "-") == 0 || sb_df_source_classify(sb_slice_z(context)) != SB_SOURCE_LOCAL) {
        sb_autofree char *shown = sb_printable(sb_slice_z(context));

        return sb_fail(err, SB_ERR_USAGE,
                       "the context must be a directory, not %s; a lock belongs into a repository: clone or "
                       "unpack it first",
                       shown);
    }
    path = realpath(context, NULL);
    if (!path)
        return no_path("cannot use the context", context, err);
    project->context = sb_arena_dup(project->arena, sb_slice_z(path));
    project->context_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return project->context_fd < 0 ? no_path("cannot use the context", path, err) : 0;
}

/* The way from the directory `from` to `to`, both absolute and resolved. */
static sb_slice relative_path(sb_arena *arena, sb_slice from, sb_slice to)
{
    sb_autobuf path = SB_BUF_INIT(2 * PATH_MAX);
    size_t common = 0, i;

    if (sb_slice_eqz(from, "/"))
        return sb_arena_dup(arena, sb_slice_sub(to, 1, to.len));
    for (i = 0; i <= from.len && i < to.len; i++) {
        char c = i < from.len ? from.ptr[i] : '/';

        if (c != to.ptr[i])
            break;
        if (c == '/')
            common = i + 1;
    }
    for (i = common; i < from.len + 1; i++)
        if (i == from.len || from.ptr[i] == '/')
            sb_buf_addz(&path, "../");
    sb_buf_adds(&path, sb_slice_sub(to, common, to.len));
    return sb_arena_dup(arena, sb_buf_slice(&path));
}

static char *default_dockerfile(const sb_project *project)
{
    sb_autofree char *context = sb_slice_dup(project->context);
    sb_autofree char *path = sb_path_join(context, "Dockerfile");
    sb_autofree char *other = sb_path_join(context, "dockerfile");

    return access(path, F_OK) < 0 && access(other, F_OK) == 0 ? SB_TAKE(other) : SB_TAKE(path);
}

/* The directory is resolved, the name is kept: the lock lies beside the name that was given. */
static int find_dockerfile(sb_project *project, const char *given, sb_error **err)
{
    sb_autofree char *path = given ? sb_strdup(given) : default_dockerfile(project);
    sb_autofree char *dir = NULL, *resolved = NULL;
    sb_slice all = sb_slice_z(path), name = all;
    ptrdiff_t slash = sb_slice_rchr(all, '/');

    if (strcmp(path, "-") == 0)
        return sb_fail(err, SB_ERR_USAGE,
                       "a Dockerfile from standard input has no place for its lock; write it to a file");
    if (slash >= 0)
        name = sb_slice_sub(all, (size_t)slash + 1, all.len);
    dir = slash < 0 ? sb_strdup(".") : sb_strndup(path, slash ? (size_t)slash : 1);
    resolved = realpath(dir, NULL);
    if (!resolved)
        return no_path("cannot read the Dockerfile", path, err);
    if (!name.len || sb_slice_eqz(name, ".") || sb_slice_eqz(name, ".."))
        return sb_fail(err, SB_ERR_USAGE, "-f wants a file, and %s is a directory", resolved);
    project->dockerfile_path = sb_arena_printf(project->arena, "%s%s%" SB_FMT, resolved,
                                               strcmp(resolved, "/") == 0 ? "" : "/", SB_ARG(name));
    project->dockerfile_name = relative_path(project->arena, project->context, project->dockerfile_path);
    project->lock_name = sb_arena_printf(project->arena, "%" SB_FMT ".lock", SB_ARG(name));
    return sb_open_dir(resolved, &project->lock_dirfd, err);
}

/* Without a byte order mark and with LF alone: what git's line end conversion changes does not count. */
static void normalised_digest(sb_slice text, sb_digest *ret_digest)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    size_t start = sb_slice_starts(text, SB_LIT("\xef\xbb\xbf")) ? 3 : 0;

    for (size_t i = start; i + 1 < text.len; i++) {
        if (text.ptr[i] == '\r' && text.ptr[i + 1] == '\n') {
            sb_hasher_add(hasher, text.ptr + start, i - start);
            start = i + 1;
        }
    }
    sb_hasher_add(hasher, text.ptr + start, text.len - start);
    sb_hasher_finish(hasher, ret_digest);
}

static int read_dockerfile(sb_project *project, sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(project->dockerfile_path);
    sb_autofree char *name = sb_printable(project->dockerfile_name);
    sb_autofree char *context = sb_printable(project->context);
    sb_autofree char *data = NULL;
    bool missing = false;
    size_t len = 0;
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return sb_fail(err, SB_ERR_USAGE, "%s is a directory; name the Dockerfile with -f", name);
    if (sb_read_file(AT_FDCWD, path, SB_DOCKERFILE_MAX, &data, &len, &missing, err) < 0) {
        if (missing)
            return sb_fail(err, SB_ERR_USAGE, "there is no %s in %s; name the Dockerfile with -f", name,
                           context);
        return -1;
    }
    project->text = sb_arena_dup(project->arena, sb_slice_of(data, len));
    normalised_digest(project->text, &project->text_digest);
    return sb_df_parse(project->text, name, 0, &project->df, err);
}

static int open_store(sb_project *project, sb_error **err)
{
    sb_error *why = NULL;

    if (sb_store_open_at(project->context_fd, SB_STORE_NAME, false, &project->store, &why) == 0)
        return 0;
    if (sb_error_code(why) == SB_ERR_NOT_FOUND) {
        sb_error_free(why);
        return 0;
    }
    sb_fail(err, why->code, "%s", why->message);
    sb_error_free(why);
    return -1;
}

int sb_project_open(const sb_project_options *options, sb_project **ret_project, sb_error **err)
{
    SB_AUTO(sb_project) project = &sb_new(whole_project)->project;
    sb_autofree char *context = NULL;

    project->arena = sb_arena_new();
    project->context_fd = -1;
    project->lock_dirfd = -1;
    project->progress = options->progress;
    if (open_context(project, options->context ? options->context : ".", err) < 0 ||
        find_dockerfile(project, options->dockerfile, err) < 0 || read_dockerfile(project, err) < 0)
        return -1;
    context = sb_slice_dup(project->context);
    if (sb_settings_load(context, &project->settings, err) < 0 || open_store(project, err) < 0)
        return -1;
    *ret_project = SB_TAKE(project);
    return 0;
}

int sb_project_store(sb_project *project, sb_store **ret_store, sb_error **err)
{
    sb_store *store = NULL;

    if (!whole(project)->store_made) {
        if (sb_store_open_at(project->context_fd, SB_STORE_NAME, true, &store, err) < 0)
            return -1;
        sb_store_free(project->store);
        project->store = store;
        whole(project)->store_made = true;
    }
    *ret_store = project->store;
    return 0;
}

int sb_project_cache(sb_project *project, sb_store **ret_cache, sb_error **err)
{
    if (!project->cache) {
        sb_autofree char *path = sb_cache_dir(err);

        if (!path || sb_store_open(path, true, false, &project->cache, err) < 0)
            return -1;
    }
    *ret_cache = project->cache;
    return 0;
}

const sb_store *sb_project_find(sb_project *project, const sb_digest *digest)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_store *cache;

    if (project->store && sb_store_has(project->store, digest, 0))
        return project->store;
    if (!project->cache && !whole(project)->no_cache) {
        sb_autofree char *path = sb_cache_dir(&ignored);

        whole(project)->no_cache = !path || access(path, F_OK) < 0;
    }
    if (!project->cache && whole(project)->no_cache)
        return NULL;
    if (sb_project_cache(project, &cache, &ignored) < 0)
        return NULL;
    return sb_store_has(cache, digest, 0) ? cache : NULL;
}

char *sb_project_images_path(sb_error **err)
{
    sb_autofree char *cache = sb_cache_dir(err);

    return cache ? sb_path_join(cache, "images") : NULL;
}

int sb_project_scratch(sb_project *project, int *ret_fd, char **ret_path, sb_error **err)
{
    sb_autofree char *context = sb_slice_dup(project->context);
    sb_autoclose int fd = -1;

    if (sb_mkdirs_beneath(project->context_fd, SCRATCH_NAME, err) < 0)
        return -1;
    fd = sb_open_beneath(project->context_fd, SCRATCH_NAME, O_RDONLY | O_DIRECTORY, 0, NULL, err);
    if (fd < 0 || sb_write_file(fd, ".gitignore", SB_LIT("*\n"), 0644, err) < 0)
        return -1;
    if (ret_path)
        *ret_path = sb_path_join(context, SCRATCH_NAME);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static void tell_waiting(void *ctx)
{
    sb_progress_line(((sb_project *)ctx)->progress, SB_EVENT_NOTE,
                     "another sbuild works on this project; waiting for it");
}

int sb_project_exclusive(sb_project *project, int *ret_fd, sb_error **err)
{
    sb_autoclose int scratch = -1;

    if (sb_project_scratch(project, &scratch, NULL, err) < 0)
        return -1;
    return sb_file_lock(scratch, "lock", tell_waiting, project, ret_fd, err);
}

int sb_project_ignore(const sb_project *project, sb_ignore **ret_ignore, sb_error **err)
{
    sb_slice lock = project->lock_name;
    sb_autofree char *own =
        sb_asprintf("%" SB_FMT ".dockerignore", SB_ARG(sb_slice_sub(lock, 0, lock.len - strlen(".lock"))));
    sb_autofree char *data = NULL, *shown = NULL;
    const char *name = own;
    bool missing = false;
    size_t len = 0;

    if (sb_read_file(project->lock_dirfd, own, IGNORE_MAX, &data, &len, &missing, err) < 0) {
        if (!missing)
            return -1;
        name = ".dockerignore";
        missing = false;
        if (sb_read_file(project->context_fd, name, IGNORE_MAX, &data, &len, &missing, err) < 0) {
            if (!missing)
                return -1;
            *ret_ignore = NULL;
            return 0;
        }
    }
    shown = sb_printable(sb_slice_z(name));
    return sb_ignore_parse(sb_slice_of(data, len), shown, ret_ignore, err);
}

const char *const *sb_project_never(const sb_project *project)
{
    whole_project *all = (whole_project *)(uintptr_t)project;

    if (!all->never[0]) {
        sb_slice lock = sb_arena_printf(project->arena, "%" SB_FMT ".lock", SB_ARG(project->dockerfile_name));

        all->never[0] = SB_STORE_NAME;
        all->never[1] = SCRATCH_NAME;
        /* A lock beside a Dockerfile outside of the context is not in the context either. */
        all->never[2] = sb_path_is_plain(lock) ? lock.ptr : NULL;
    }
    return all->never;
}

sb_http *sb_project_http(sb_project *project)
{
    whole_project *all = whole(project);

    if (!all->http)
        all->http = sb_http_new(project->settings, project->progress);
    return all->http;
}

sb_registry *sb_project_registry(sb_project *project)
{
    whole_project *all = whole(project);

    if (!all->registry)
        all->registry = sb_registry_new(sb_project_http(project), project->settings, project->progress);
    return all->registry;
}

char *sb_project_git_dir(sb_slice remote, sb_error **err)
{
    sb_autofree char *cache = sb_cache_dir(err);
    sb_autofree char *parent = NULL;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    if (!cache)
        return NULL;
    parent = sb_path_join(cache, "git");
    if (sb_mkdirs(parent, err) < 0)
        return NULL;
    sb_digest_of(SB_HASH_SHA256, remote, &digest);
    sb_digest_hex(&digest, hex);
    return sb_path_join(parent, hex);
}

sb_slice sb_project_command(const sb_project *project, sb_arena *arena, const char *command)
{
    sb_autofree char *name = NULL;

    if (sb_slice_eqz(project->dockerfile_name, "Dockerfile") ||
        sb_slice_eqz(project->dockerfile_name, "dockerfile"))
        return sb_arena_printf(arena, "sbuild %s", command);
    name = sb_printable(project->dockerfile_name);
    return sb_arena_printf(arena, "sbuild %s -f %s", command, name);
}
