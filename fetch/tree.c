// SPDX-License-Identifier: Apache-2.0
#include <fetch/tar.h>
#include <fetch/tree_walk.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK = 1 << 17 };

/* --- To a tar --- */

typedef struct tar_sink {
    sb_tar *tar;
    int64_t mtime;
    char *chunk;
} tar_sink;

static int tar_enter(void *ctx, sb_slice path, sb_error **err)
{
    tar_sink *s = ctx;

    return sb_tar_add_directory(s->tar, path, s->mtime, err);
}

static int tar_leave(void *ctx, sb_error **err)
{
    (void)ctx;
    (void)err;
    return 0;
}

static int tar_file(void *ctx, sb_slice path, int fd, uint64_t size, bool executable, sb_error **err)
{
    tar_sink *s = ctx;
    sb_tar_entry entry = {
        .type = SB_TAR_FILE, .name = path, .mode = executable ? 0755 : 0644, .size = size, .mtime = s->mtime};

    if (sb_tar_add(s->tar, &entry, err) < 0)
        return -1;
    while (size) {
        ssize_t n = read(fd, s->chunk, size < CHUNK ? (size_t)size : CHUNK);
        sb_autofree char *shown = NULL;

        if (n > 0) {
            if (sb_tar_data(s->tar, s->chunk, (size_t)n, err) < 0)
                return -1;
            size -= (uint64_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        shown = sb_printable(path);
        return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", shown,
                       n < 0 ? strerror(errno) : "it became shorter in the meantime; run the command again");
    }
    return 0;
}

static int tar_symlink(void *ctx, sb_slice path, sb_slice target, sb_error **err)
{
    tar_sink *s = ctx;
    sb_tar_entry entry = {
        .type = SB_TAR_SYMLINK, .name = path, .link = target, .mode = 0777, .mtime = s->mtime};

    return sb_tar_add(s->tar, &entry, err);
}

int sb_tree_write(int dirfd, const sb_ignore *ignore, const char *const *never, int64_t mtime, int out_fd,
                  sb_error **err)
{
    static const sb_tree_sink sink = {tar_enter, tar_leave, tar_file, tar_symlink};
    SB_AUTO(sb_tar) tar = sb_tar_new(out_fd);
    sb_autofree char *chunk = sb_malloc(CHUNK);
    tar_sink s = {tar, mtime, chunk};

    if (sb_tree_walk(dirfd, ignore, never, &sink, &s, err) < 0)
        return -1;
    return sb_tar_finish(tar, err);
}

/* --- To another directory --- */

typedef struct copy_sink {
    int fds[SB_TREE_DEPTH_MAX + 1]; /* fds[0] is the caller's */
    unsigned depth;
    struct timespec times[2];
} copy_sink;

static int fail_path(sb_slice path, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(path);

    return sb_fail(err, SB_ERR_IO, "cannot write the copy of %s: %s", shown, strerror(saved));
}

static int copy_enter(void *ctx, sb_slice path, sb_error **err)
{
    copy_sink *s = ctx;
    sb_autofree char *name = sb_slice_dup(sb_path_last(path));
    int fd;

    if (mkdirat(s->fds[s->depth], name, 0755) < 0)
        return fail_path(path, err);
    fd = openat(s->fds[s->depth], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_path(path, err);
    s->fds[++s->depth] = fd;
    return fchmod(fd, 0755) < 0 ? fail_path(path, err) : 0;
}

static int copy_leave(void *ctx, sb_error **err)
{
    copy_sink *s = ctx;
    sb_autoclose int fd = s->fds[s->depth--];

    if (futimens(fd, s->times) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot set the time of a copied directory: %s", strerror(errno));
    return 0;
}

static int copy_file(void *ctx, sb_slice path, int fd, uint64_t size, bool executable, sb_error **err)
{
    copy_sink *s = ctx;
    sb_autofree char *name = sb_slice_dup(sb_path_last(path));
    sb_autofree char *shown = sb_printable(path);
    sb_autoclose int to =
        openat(s->fds[s->depth], name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    (void)size;
    if (to < 0)
        return fail_path(path, err);
    if (sb_copy_fd(fd, to, shown, err) < 0)
        return -1;
    if (fchmod(to, executable ? 0755 : 0644) < 0 || futimens(to, s->times) < 0)
        return fail_path(path, err);
    return 0;
}

static int copy_symlink(void *ctx, sb_slice path, sb_slice target, sb_error **err)
{
    copy_sink *s = ctx;
    sb_autofree char *name = sb_slice_dup(sb_path_last(path));
    sb_autofree char *to = sb_slice_dup(target);

    if (symlinkat(to, s->fds[s->depth], name) < 0 ||
        utimensat(s->fds[s->depth], name, s->times, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_path(path, err);
    return 0;
}

int sb_tree_copy(int dirfd, const sb_ignore *ignore, const char *const *never, int64_t mtime, int to_dirfd,
                 sb_error **err)
{
    static const sb_tree_sink sink = {copy_enter, copy_leave, copy_file, copy_symlink};
    copy_sink s = {.fds = {to_dirfd}, .times = {{.tv_sec = (time_t)mtime}, {.tv_sec = (time_t)mtime}}};
    int result = sb_tree_walk(dirfd, ignore, never, &sink, &s, err);

    for (; s.depth > 0; s.depth--)
        close(s.fds[s.depth]);
    if (result == 0 && futimens(to_dirfd, s.times) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot set the time of the copied directory: %s", strerror(errno));
    return result;
}
