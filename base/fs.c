// SPDX-License-Identifier: Apache-2.0
#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail_errno(sb_error **err, const char *what, const char *path)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    return sb_fail(err, SB_ERR_IO, "cannot %s %s: %s", what, shown, strerror(saved));
}

int sb_open_dir(const char *path, int *ret_fd, sb_error **err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, "open directory", path);
    *ret_fd = fd;
    return 0;
}

static bool is_link(int dirfd, const char *name)
{
    struct stat st;

    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* For kernels before 5.6: each component by itself, no links at all. */
static int open_by_component(int dirfd, const char *path, int flags, mode_t mode)
{
    sb_autoclose int held = -1;
    sb_slice rest = sb_slice_z(path);

    if (!sb_path_is_plain(rest) && strcmp(path, ".") != 0) {
        errno = EXDEV;
        return -1;
    }
    for (;;) {
        sb_slice part = sb_slice_cut(&rest, '/');
        sb_autofree char *name = sb_slice_dup(part);
        int fd;

        if (!rest.ptr)
            return openat(held >= 0 ? held : dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
        fd = openat(held >= 0 ? held : dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
            /* A link is refused, which is not the same as missing. */
            if (errno == ENOTDIR)
                errno = is_link(held >= 0 ? held : dirfd, name) ? ELOOP : ENOTDIR;
            return -1;
        }
        sb_closep(&held);
        held = fd;
    }
}

static int open_resolved(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve,
                         bool *ret_missing, sb_error **err)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve,
    };
    int fd;

    if (ret_missing)
        *ret_missing = false;
    do
        fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    if (fd < 0 && errno == ENOSYS)
        fd = open_by_component(dirfd, path, flags, mode);
    if (fd >= 0)
        return fd;
    if (ret_missing && (errno == ENOENT || errno == ENOTDIR)) {
        *ret_missing = true;
        return -1;
    }
    if (errno == EXDEV || errno == ELOOP) {
        sb_autofree char *shown = sb_printable(sb_slice_z(path));

        return sb_fail(err, SB_ERR_IO, "refusing to open %s: a link or \"..\" leads out of its directory",
                       shown);
    }
    return fail_errno(err, "open", path);
}

int sb_open_beneath(int dirfd, const char *path, int flags, mode_t mode, bool *ret_missing, sb_error **err)
{
    return open_resolved(dirfd, path, flags, mode, RESOLVE_NO_SYMLINKS, ret_missing, err);
}

int sb_open_within(int dirfd, const char *path, int flags, mode_t mode, bool *ret_missing, sb_error **err)
{
    return open_resolved(dirfd, path, flags, mode, 0, ret_missing, err);
}

int sb_mkdirs_beneath(int dirfd, const char *path, sb_error **err)
{
    sb_autoclose int held = -1;
    sb_slice rest = sb_slice_z(path);

    if (!sb_path_is_plain(rest))
        return sb_fail(err, SB_ERR_INTERNAL, "\"%s\" is no plain relative path", path);
    while (rest.ptr) {
        sb_autofree char *name = sb_slice_dup(sb_slice_cut(&rest, '/'));
        int at = held >= 0 ? held : dirfd;
        int fd;

        if (mkdirat(at, name, 0777) < 0 && errno != EEXIST)
            return fail_errno(err, "create directory", path);
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return fail_errno(err, "open directory", path);
        sb_closep(&held);
        held = fd;
    }
    return 0;
}

static int make_directory(const char *path, sb_error **err)
{
    struct stat st;

    if (mkdir(path, 0777) == 0)
        return 0;
    if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        errno = ENOTDIR;
    }
    return fail_errno(err, "create directory", path);
}

int sb_mkdirs(const char *path, sb_error **err)
{
    sb_autofree char *copy = sb_strdup(path);

    for (char *p = copy; *p; p++) {
        if (*p != '/' || p == copy)
            continue;
        *p = '\0';
        if (make_directory(copy, err) < 0)
            return -1;
        *p = '/';
    }
    return make_directory(copy, err);
}

int sb_read_fd(int fd, const char *name, size_t max, char **ret_data, size_t *ret_len, sb_error **err)
{
    sb_autobuf buf = SB_BUF_INIT(max);
    struct stat st = {0};
    size_t chunk_size = 65536;
    sb_autofree char *chunk = NULL;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size > max)
        return sb_fail(err, SB_ERR_LIMIT, "%s is larger than the maximum of %zu bytes", name, max);
    /* Of a small file no more than it has, and a byte to see its end. */
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size < chunk_size)
        chunk_size = (size_t)st.st_size + 1;
    chunk = sb_malloc(chunk_size);
    for (;;) {
        ssize_t n = read(fd, chunk, chunk_size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "read", name);
        if (n == 0)
            break;
        if (!sb_buf_add(&buf, chunk, (size_t)n))
            return sb_buf_check(&buf, name, err);
    }
    *ret_len = buf.len;
    *ret_data = sb_buf_take(&buf);
    return 0;
}

int sb_read_file(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len, bool *ret_missing,
                 sb_error **err)
{
    sb_autoclose int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

    if (ret_missing)
        *ret_missing = false;
    if (fd < 0 && errno == ENOENT && ret_missing) {
        *ret_missing = true;
        return -1;
    }
    if (fd < 0)
        return fail_errno(err, "open", path);
    return sb_read_fd(fd, path, max, ret_data, ret_len, err);
}

int sb_write_all(int fd, const void *data, size_t len, const char *name, sb_error **err)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "write", name);
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int sb_file_lock(int dirfd, const char *path, void (*waiting)(void *ctx), void *ctx, int *ret_fd,
                 sb_error **err)
{
    sb_autoclose int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    int result;

    if (fd < 0)
        return fail_errno(err, "open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return fail_errno(err, "lock", path);
        if (waiting)
            waiting(ctx);
        do
            result = flock(fd, LOCK_EX);
        while (result < 0 && errno == EINTR);
        if (result < 0)
            return fail_errno(err, "lock", path);
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int sb_copy_fd(int from, int to, const char *name, sb_error **err)
{
    enum { CHUNK = 1 << 17, FICLONE_REQUEST = 0x40049409 };
    sb_autofree char *chunk = NULL;
    ssize_t n;

    /* A clone is always of the whole file. */
    if (lseek(from, 0, SEEK_CUR) == 0 && lseek(to, 0, SEEK_CUR) == 0 && ioctl(to, FICLONE_REQUEST, from) == 0)
        return 0;
    do
        n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
        errno != EBADF)
        return fail_errno(err, "copy", name);
    /* What is left: all of it where the kernel cannot do it, and files of /proc, which it takes for empty. */
    chunk = sb_malloc(CHUNK);
    for (;;) {
        n = read(from, chunk, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "read", name);
        if (n == 0)
            return 0;
        if (sb_write_all(to, chunk, (size_t)n, name, err) < 0)
            return -1;
    }
}
