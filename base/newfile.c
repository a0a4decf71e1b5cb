// SPDX-License-Identifier: Apache-2.0
#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

struct sb_newfile {
    int dirfd; /* of the final place's own directory; owned */
    int fd;
    char *name; /* final, without directory */
    char *temp; /* NULL when the file is written in place */
    char *path; /* for messages */
    bool committed;
};

static int fail_errno(sb_error **err, const char *what, const char *path)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    return sb_fail(err, SB_ERR_IO, "cannot %s %s: %s", what, shown, strerror(saved));
}

/* Opens what must not be replaced by a file, a device or a pipe, or our own output under a name such as
 * /dev/stdout. -1 with errno 0: it is none of these. */
static int open_special(const char *path)
{
    struct stat st, own;

    errno = 0;
    if (stat(path, &st) < 0 || S_ISDIR(st.st_mode)) {
        errno = 0;
        return -1;
    }
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &own) == 0 && own.st_dev == st.st_dev && own.st_ino == st.st_ino)
            return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    errno = 0;
    return S_ISREG(st.st_mode) ? -1 : open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

int sb_newfile_begin(int dirfd, const char *path, mode_t mode, sb_newfile **ret_file, sb_error **err)
{
    SB_AUTO(sb_newfile) file = sb_new(sb_newfile);
    /* Beneath a directory of somebody else's making nothing is followed. */
    bool users = dirfd == AT_FDCWD;
    const char *slash = strrchr(path, '/');
    sb_autofree char *dir =
        slash ? sb_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : sb_strdup(".");
    unsigned long long salt;

    file->fd = -1;
    file->path = sb_strdup(path);
    file->name = sb_strdup(slash ? slash + 1 : path);
    file->dirfd = -1;
    if (users) {
        file->fd = open_special(path);
        if (file->fd < 0 && errno)
            return fail_errno(err, "open", path);
    }
    if (file->fd >= 0) {
        *ret_file = SB_TAKE(file);
        return 0;
    }
    file->dirfd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->dirfd < 0)
        return fail_errno(err, "open directory", dir);
    for (int tries = 0; tries < 100; tries++) {
        sb_autofree char *temp = NULL;

        if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
            return fail_errno(err, "get randomness for", path);
        temp = sb_asprintf(".%.64s.%016llx.tmp", file->name, salt);
        file->fd = openat(file->dirfd, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (file->fd >= 0) {
            file->temp = SB_TAKE(temp);
            *ret_file = SB_TAKE(file);
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    return fail_errno(err, "create a file beside", path);
}

int sb_newfile_fd(const sb_newfile *file)
{
    return file->fd;
}

int sb_newfile_commit(sb_newfile *file, sb_error **err)
{
    if (!file->temp) {
        file->committed = true;
        return 0;
    }
    if (fsync(file->fd) < 0)
        return fail_errno(err, "write", file->path);
    if (renameat(file->dirfd, file->temp, file->dirfd, file->name) < 0)
        return fail_errno(err, "put in place", file->path);
    file->committed = true;
    if (fsync(file->dirfd) < 0 && errno != EINVAL)
        return fail_errno(err, "write the directory of", file->path);
    return 0;
}

void sb_newfile_free(sb_newfile *file)
{
    if (!file)
        return;
    if (file->temp && !file->committed)
        unlinkat(file->dirfd, file->temp, 0);
    sb_closep(&file->fd);
    sb_closep(&file->dirfd);
    free(file->name);
    free(file->temp);
    free(file->path);
    free(file);
}

static bool has_content(int dirfd, const char *path, sb_slice data)
{
    sb_autofree char *old = NULL;
    struct stat st;
    bool missing;
    size_t len;

    /* What is no file may have no end, or keep its reader waiting. */
    if (fstatat(dirfd, path, &st, 0) < 0 || !S_ISREG(st.st_mode))
        return false;
    return sb_read_file(dirfd, path, data.len, &old, &len, &missing, NULL) == 0 &&
           sb_slice_eq(data, sb_slice_of(old, len));
}

int sb_write_file(int dirfd, const char *path, sb_slice data, mode_t mode, sb_error **err)
{
    SB_AUTO(sb_newfile) file = NULL;

    if (has_content(dirfd, path, data))
        return 0;
    if (sb_newfile_begin(dirfd, path, mode, &file, err) < 0)
        return -1;
    if (sb_write_all(file->fd, data.ptr, data.len, path, err) < 0)
        return -1;
    return sb_newfile_commit(file, err);
}
