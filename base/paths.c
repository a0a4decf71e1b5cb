// SPDX-License-Identifier: Apache-2.0
#include <sbuild/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_DEPTH_MAX = 600 }; /* each level holds a descriptor */

char *sb_path_join(const char *a, const char *b)
{
    size_t len = strlen(a);

    if (!*b)
        return sb_strdup(a);
    if (*b == '/' || !len)
        return sb_strdup(b);
    return sb_asprintf("%s%s%s", a, a[len - 1] == '/' ? "" : "/", b);
}

bool sb_path_is_plain(sb_slice path)
{
    if (!path.len || path.len > 4096 || sb_slice_chr(path, '\0') >= 0)
        return false;
    while (path.ptr) {
        sb_slice part = sb_slice_cut(&path, '/');

        if (!part.len || sb_slice_eqz(part, ".") || sb_slice_eqz(part, ".."))
            return false;
    }
    return true;
}

static char *user_dir(const char *variable, const char *below_home, sb_error **err)
{
    const char *dir = getenv(variable);
    const char *home = getenv("HOME");

    if (dir && *dir == '/')
        return sb_path_join(dir, "sbuild");
    if (!home || *home != '/') {
        sb_fail(err, SB_ERR_USAGE, "neither %s nor HOME is set to an absolute path", variable);
        return NULL;
    }
    return sb_asprintf("%s/%s/sbuild", home, below_home);
}

char *sb_cache_dir(sb_error **err)
{
    return user_dir("XDG_CACHE_HOME", ".cache", err);
}

char *sb_config_dir(sb_error **err)
{
    return user_dir("XDG_CONFIG_HOME", ".config", err);
}

char *sb_temp_dir(const char *prefix, sb_error **err)
{
    const char *base = getenv("TMPDIR");
    sb_autofree char *path = sb_asprintf("%s/%s.XXXXXX", base && *base ? base : "/tmp", prefix);

    if (!mkdtemp(path)) {
        sb_fail(err, SB_ERR_IO, "cannot create a directory like %s: %s", path, strerror(errno));
        return NULL;
    }
    return SB_TAKE(path);
}

/* Opens a directory to be emptied; one that its owner may not read or change (unpacked trees have such) is
 * made so. */
static int open_to_empty(int dirfd, const char *name)
{
    sb_autoclose int path_fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char proc[48];
    struct stat st;

    if (path_fd < 0 || fstat(path_fd, &st) < 0)
        return -1;
    if ((st.st_mode & 0700) != 0700) {
        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", path_fd);
        if (chmod(proc, 0700) < 0)
            return -1;
    }
    return openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int remove_below(int dirfd, const char *name, int depth)
{
    int fd = open_to_empty(dirfd, name);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int result = 0;

    if (!dir) {
        sb_closep(&fd);
        return -1;
    }
    for (struct dirent *entry; result == 0 && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        /* Somebody else may be cleaning up as well. */
        if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        if (errno != EISDIR && errno != EPERM)
            result = -1;
        else if (depth >= TREE_DEPTH_MAX)
            errno = ELOOP, result = -1;
        else
            result = remove_below(fd, entry->d_name, depth + 1);
    }
    closedir(dir);
    if (result == 0)
        result = unlinkat(dirfd, name, AT_REMOVEDIR);
    return result;
}

int sb_remove_tree(int dirfd, const char *path, sb_error **err)
{
    sb_autofree char *shown = NULL;
    int saved;

    if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
        return 0;
    if ((errno == EISDIR || errno == EPERM) && remove_below(dirfd, path, 0) == 0)
        return 0;
    saved = errno;
    shown = sb_printable(sb_slice_z(path));
    return sb_fail(err, SB_ERR_IO, "cannot remove %s: %s", shown, strerror(saved));
}
