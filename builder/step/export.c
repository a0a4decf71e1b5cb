// SPDX-License-Identifier: Apache-2.0
/*
 * From the caches that steps recorded into to a place that the engine hands out: the only way by which a
 * recording leaves the builder, local or far. What a step left there is its own business: nothing is
 * followed, nothing but plain files goes out, and the host believes none of it.
 */
#include <builder/step/run.h>

#include <sbuild/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 400000, DIR_MODE = 0755, FILE_MODE = 0644 };

static const char *const plain_files[] = {"manifest", "report.jsonl"};

static int copy_file(int from_dir, int to_dir, const char *name, sb_error **err)
{
    sb_autoclose int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    sb_autoclose int to = -1;
    struct stat info;

    if (from < 0 && errno == ENOENT)
        return 0;
    if (from < 0 || fstat(from, &info) < 0 || !S_ISREG(info.st_mode))
        return sb_fail(err, SB_ERR_IO, "the recording's file %s cannot be read", name);
    to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (to < 0 || fchmod(to, FILE_MODE) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", name, strerror(errno));
    return sb_copy_fd(from, to, name, err);
}

static void close_listing(DIR **listing)
{
    if (*listing)
        closedir(*listing);
}

/* Names of objects are digests; a transfer that was cut off leaves others behind. */
static bool is_object(const char *name)
{
    size_t len = 0;

    for (; name[len]; len++)
        if (sb_hex_value(name[len]) < 0)
            return false;
    return len == 64;
}

static int copy_objects(int from_dir, int to_dir, sb_error **err)
{
    __attribute__((cleanup(close_listing))) DIR *listing = NULL;
    const struct dirent *entry;
    int copy = dup(from_dir);
    size_t count = 0;

    listing = copy < 0 ? NULL : fdopendir(copy);
    if (!listing)
        return sb_fail(err, SB_ERR_IO, "cannot list the recording: %s", strerror(errno));
    while ((entry = readdir(listing))) {
        if (!is_object(entry->d_name))
            continue;
        if (++count > FILES_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "a recording has more than %d objects", FILES_MAX);
        if (copy_file(from_dir, to_dir, entry->d_name, err) < 0)
            return -1;
    }
    return 0;
}

static int make_dir(int dirfd, const char *name, int *ret_fd, sb_error **err)
{
    int fd;

    if (mkdirat(dirfd, name, DIR_MODE) < 0 && errno != EEXIST)
        return sb_fail(err, SB_ERR_IO, "cannot make %s: %s", name, strerror(errno));
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, DIR_MODE) < 0) {
        sb_closep(&fd);
        return sb_fail(err, SB_ERR_IO, "cannot make %s: %s", name, strerror(errno));
    }
    *ret_fd = fd;
    return 0;
}

/* One recording. "done" goes last, so that what was cut off is not taken for complete. */
static int export_one(int from, int to, sb_error **err)
{
    sb_autoclose int from_objects = openat(from, "objects", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    sb_autoclose int to_objects = -1;

    if (make_dir(to, "objects", &to_objects, err) < 0 ||
        (from_objects >= 0 && copy_objects(from_objects, to_objects, err) < 0))
        return -1;
    for (size_t i = 0; i < SB_COUNT(plain_files); i++)
        if (copy_file(from, to, plain_files[i], err) < 0)
            return -1;
    return copy_file(from, to, "done", err);
}

int step_export(char *const *from, size_t count, const char *to, sb_error **err)
{
    sb_autoclose int to_dir = -1;

    if (make_dir(AT_FDCWD, to, &to_dir, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(from[i], '/');
        const char *name = slash ? slash + 1 : from[i];
        sb_autoclose int from_dir = open(from[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sb_autoclose int made = -1;

        if (from_dir < 0)
            return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", from[i], strerror(errno));
        /* A step that did not come to its end has nothing to give. */
        if (faccessat(from_dir, "done", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!sb_path_is_plain(sb_slice_z(name)) || make_dir(to_dir, name, &made, err) < 0 ||
            export_one(from_dir, made, err) < 0)
            return sb_wrap(err, "%s", from[i]);
    }
    return 0;
}

void step_forget(char *const *directories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sb_autoclose int dir = open(directories[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
            continue;
        /* First the end: half a recording is none. */
        (void)sb_remove_tree(dir, "done", NULL);
        for (size_t k = 0; k < SB_COUNT(plain_files); k++)
            (void)sb_remove_tree(dir, plain_files[k], NULL);
        (void)sb_remove_tree(dir, "objects", NULL);
    }
}
