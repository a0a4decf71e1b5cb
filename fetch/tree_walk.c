// SPDX-License-Identifier: Apache-2.0
#include <fetch/tree_walk.h>

#include <sbuild/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PATH_MAX_WALK = 1 << 16, LINK_MAX = 1 << 14 };

typedef struct walk {
    const sb_ignore *ignore;
    const char *const *never;
    const sb_tree_sink *sink;
    void *ctx;
    sb_buf path;                    /* of the current entry, relative to the root */
    size_t ends[SB_TREE_DEPTH_MAX]; /* where the path of each open directory ends */
    unsigned depth;                 /* of the current directory; the root has 0 */
    unsigned entered;               /* how many of the open directories the sink knows */
    size_t entries;
} walk;

typedef struct names {
    char **items;
    size_t len, cap;
} names;

static void names_clear(names *list)
{
    for (size_t i = 0; i < list->len; i++)
        free(list->items[i]);
    free(list->items);
}

static int fail_errno(const walk *w, const char *what, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(w->path.len ? sb_buf_slice(&w->path) : SB_LIT("."));

    return sb_fail(err, SB_ERR_IO, "cannot %s %s: %s", what, shown, strerror(saved));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_directory(walk *w, int fd, names *list, sb_error **err)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (!dir) {
        sb_closep(&copy);
        return fail_errno(w, "list", err);
    }
    while (errno = 0, (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++w->entries > SB_TREE_ENTRIES_MAX) {
            closedir(dir);
            return sb_fail(err, SB_ERR_LIMIT, "the directory holds more than the maximum of %d entries",
                           SB_TREE_ENTRIES_MAX);
        }
        *SB_PUSH(list->items, list->len, list->cap) = sb_strdup(entry->d_name);
    }
    if (errno) {
        fail_errno(w, "list", err);
        closedir(dir);
        return -1;
    }
    closedir(dir);
    if (list->len)
        qsort(list->items, list->len, sizeof(*list->items), compare_names);
    return 0;
}

static bool is_never(const walk *w)
{
    for (const char *const *p = w->never; p && *p; p++)
        if (sb_slice_eqz(sb_buf_slice(&w->path), *p))
            return true;
    return false;
}

/* Tells the sink of the directories that lead here and that it does not know yet. */
static int enter_parents(walk *w, sb_error **err)
{
    for (; w->entered < w->depth; w->entered++)
        if (w->sink->enter(w->ctx, sb_slice_of(w->path.data, w->ends[w->entered]), err) < 0)
            return -1;
    return 0;
}

static int show_file(walk *w, int dirfd, const char *name, sb_error **err)
{
    sb_autoclose int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(w, "open", err);
    if (!S_ISREG(st.st_mode)) {
        errno = EBUSY;
        return fail_errno(w, "read", err);
    }
    if (enter_parents(w, err) < 0)
        return -1;
    return w->sink->file(w->ctx, sb_buf_slice(&w->path), fd, (uint64_t)st.st_size, st.st_mode & 0100, err);
}

static int show_symlink(walk *w, int dirfd, const char *name, sb_error **err)
{
    sb_autofree char *target = sb_malloc(LINK_MAX);
    ssize_t n = readlinkat(dirfd, name, target, LINK_MAX);

    if (n < 0)
        return fail_errno(w, "read the link", err);
    if (n == LINK_MAX) {
        errno = ENAMETOOLONG;
        return fail_errno(w, "read the link", err);
    }
    if (enter_parents(w, err) < 0)
        return -1;
    return w->sink->symlink(w->ctx, sb_buf_slice(&w->path), sb_slice_of(target, (size_t)n), err);
}

static int walk_directory(walk *w, int fd, sb_error **err);

static int walk_below(walk *w, int dirfd, const char *name, bool shown, sb_error **err)
{
    sb_autoclose int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(w, "open directory", err);
    if (w->depth == SB_TREE_DEPTH_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "directories are nested deeper than %d levels", SB_TREE_DEPTH_MAX);
    w->ends[w->depth++] = w->path.len;
    if ((shown && enter_parents(w, err) < 0) || walk_directory(w, fd, err) < 0)
        return -1;
    if (w->entered == w->depth) {
        w->entered--;
        if (w->sink->leave(w->ctx, err) < 0)
            return -1;
    }
    w->depth--;
    return 0;
}

static int walk_entry(walk *w, int dirfd, const char *name, sb_error **err)
{
    bool ignored;
    struct stat st;

    if (is_never(w))
        return 0;
    ignored = w->ignore && sb_ignore_matches(w->ignore, sb_buf_slice(&w->path));
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(w, "look at", err);
    if (S_ISDIR(st.st_mode))
        return ignored && sb_ignore_prunes(w->ignore, sb_buf_slice(&w->path))
                   ? 0
                   : walk_below(w, dirfd, name, !ignored, err);
    if (ignored)
        return 0;
    if (S_ISLNK(st.st_mode))
        return show_symlink(w, dirfd, name, err);
    return S_ISREG(st.st_mode) ? show_file(w, dirfd, name, err) : 0;
}

static int walk_directory(walk *w, int fd, sb_error **err)
{
    __attribute__((cleanup(names_clear))) names list = {0};
    size_t base = w->path.len;

    if (list_directory(w, fd, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.len; i++) {
        if (base)
            sb_buf_addc(&w->path, '/');
        sb_buf_addz(&w->path, list.items[i]);
        if (sb_buf_check(&w->path, "a path", err) < 0 || walk_entry(w, fd, list.items[i], err) < 0)
            return -1;
        w->path.len = base;
        w->path.data[base] = '\0';
    }
    return 0;
}

int sb_tree_walk(int dirfd, const sb_ignore *ignore, const char *const *never, const sb_tree_sink *sink,
                 void *ctx, sb_error **err)
{
    walk w = {.ignore = ignore, .never = never, .sink = sink, .ctx = ctx, .path = SB_BUF_INIT(PATH_MAX_WALK)};
    int result = walk_directory(&w, dirfd, err);

    sb_buf_free(&w.path);
    return result;
}
