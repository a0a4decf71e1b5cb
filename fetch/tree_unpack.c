// SPDX-License-Identifier: Apache-2.0
#include <sbuild/tree.h>

#include <sbuild/arena.h>
#include <sbuild/fs.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

enum {
    READ_SIZE = 1 << 17,
    PATH_LEN_MAX = 4096,
    /* A compressed archive that grows beyond this ratio and size is an attack, not data. */
    RATIO_MAX = 1200,
    RATIO_FROM = 64 << 20,
};

typedef struct directory {
    sb_slice path;
    mode_t mode;
    int64_t mtime;
} directory;

typedef struct unpack {
    int dirfd;
    struct archive *archive;
    sb_arena *arena;
    uint64_t left; /* of the caller's maximum */
    uint64_t max;
    bool any_link; /* symbolic links that lead out are kept, too */
    uint64_t written;
    size_t entries;
    directory *directories; /* get their modes and times at the end, since both stand in the way until then */
    size_t len, cap;
} unpack;

static void free_archive(struct archive **archive)
{
    if (*archive)
        archive_read_free(*archive);
}

static void free_locale(locale_t *locale)
{
    if (*locale) {
        uselocale(LC_GLOBAL_LOCALE);
        freelocale(*locale);
    }
}

static int fail_entry(sb_errc code, const char *path, const char *why, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    return sb_fail(err, code, "the archive's entry \"%s\" %s", shown, why);
}

static int fail_errno(const char *path, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    return sb_fail(err, SB_ERR_IO, "cannot unpack %s: %s", shown, strerror(saved));
}

static int fail_archive(const unpack *u, sb_error **err)
{
    const char *why = archive_error_string(u->archive);
    sb_autofree char *shown = sb_printable(sb_slice_z(why ? why : "unknown reason"));

    return sb_fail(err, SB_ERR_PARSE, "cannot read the archive: %s", shown);
}

/*
 * The path of an entry in plain form: without "." components and doubled or final slashes. Empty for the root
 * itself; NULL when it is absolute, climbs, or is too long or deep.
 */
static char *plain_path(const char *path)
{
    sb_buf out = SB_BUF_INIT(PATH_LEN_MAX);
    sb_slice rest = sb_slice_z(path);
    unsigned depth = 0;

    if (*path == '/')
        return NULL;
    while (rest.ptr) {
        sb_slice part = sb_slice_cut(&rest, '/');

        if (!part.len || sb_slice_eqz(part, "."))
            continue;
        if (sb_slice_eqz(part, "..") || ++depth > SB_TREE_DEPTH_MAX)
            out.overflow = true;
        if (out.len)
            sb_buf_addc(&out, '/');
        sb_buf_adds(&out, part);
    }
    if (out.overflow) {
        sb_buf_free(&out);
        return NULL;
    }
    return sb_buf_take(&out);
}

/* Does a symbolic link at `path` lead to somewhere beneath the root, judged by its text alone? */
static bool link_stays(const char *path, const char *target)
{
    sb_slice rest = sb_slice_z(target);
    int depth = 0;

    if (*target == '/')
        return false;
    for (const char *p = path; *p; p++)
        depth += *p == '/';
    while (rest.ptr) {
        sb_slice part = sb_slice_cut(&rest, '/');

        if (sb_slice_eqz(part, ".."))
            depth--;
        else if (part.len && !sb_slice_eqz(part, "."))
            depth++;
        if (depth < 0)
            return false;
    }
    return true;
}

/* The directory that `path` is to be in, made if missing, and the entry's name there. Nothing but a directory
 * is in that place afterwards. */
static int open_parent(unpack *u, const char *path, int *ret_fd, const char **ret_name, sb_error **err)
{
    const char *slash = strrchr(path, '/');
    sb_autofree char *parent = slash ? sb_strndup(path, (size_t)(slash - path)) : NULL;
    sb_autoclose int fd = -1;

    if (parent && sb_mkdirs_beneath(u->dirfd, parent, err) < 0)
        return -1;
    fd = sb_open_beneath(u->dirfd, parent ? parent : ".", O_RDONLY | O_DIRECTORY, 0, NULL, err);
    if (fd < 0)
        return -1;
    *ret_name = slash ? slash + 1 : path;
    if (unlinkat(fd, *ret_name, 0) < 0 && errno != ENOENT && errno != EISDIR && errno != EPERM)
        return fail_errno(path, err);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Takes `size` bytes from what may still be written. */
static int spend(unpack *u, uint64_t size, sb_error **err)
{
    if (size > u->left)
        return sb_fail(err, SB_ERR_LIMIT, "the archive unpacks to more than the maximum of %llu bytes",
                       (unsigned long long)u->max);
    u->left -= size;
    return 0;
}

static int check_ratio(unpack *u, size_t size, sb_error **err)
{
    int64_t read = archive_filter_bytes(u->archive, -1);

    u->written += size;
    if (u->written > RATIO_FROM && read > 0 && u->written / RATIO_MAX > (uint64_t)read)
        return sb_fail(err, SB_ERR_LIMIT, "the archive unpacks to more than %d times its size", RATIO_MAX);
    return 0;
}

static int write_at(int fd, const char *data, size_t len, int64_t at, const char *path, sb_error **err)
{
    while (len) {
        ssize_t n = pwrite(fd, data, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(path, err);
        data += n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int unpack_content(unpack *u, int fd, uint64_t size, const char *path, sb_error **err)
{
    const void *data;
    size_t len;
    int64_t at;

    if (spend(u, size, err) < 0)
        return -1;
    for (;;) {
        int result = archive_read_data_block(u->archive, &data, &len, &at);

        if (result == ARCHIVE_EOF)
            break;
        if (result < ARCHIVE_WARN)
            return fail_archive(u, err);
        if (at < 0 || (uint64_t)at > size || len > size - (uint64_t)at)
            return fail_entry(SB_ERR_PARSE, path, "is larger than its header says", err);
        if (check_ratio(u, len, err) < 0 || write_at(fd, data, len, at, path, err) < 0)
            return -1;
    }
    return ftruncate(fd, (off_t)size) < 0 ? fail_errno(path, err) : 0;
}

static int finish_file(int fd, mode_t mode, int64_t mtime, const char *path, sb_error **err)
{
    struct timespec times[2] = {{.tv_sec = (time_t)mtime}, {.tv_sec = (time_t)mtime}};

    return fchmod(fd, mode & 0777) < 0 || futimens(fd, times) < 0 ? fail_errno(path, err) : 0;
}

static int unpack_file(unpack *u, struct archive_entry *entry, const char *path, sb_error **err)
{
    sb_autoclose int parent = -1, fd = -1;
    int64_t size = archive_entry_size(entry);
    const char *name;

    if (size < 0)
        return fail_entry(SB_ERR_PARSE, path, "has a negative size", err);
    if (open_parent(u, path, &parent, &name, err) < 0)
        return -1;
    fd = openat(parent, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(path, err);
    if (unpack_content(u, fd, (uint64_t)size, path, err) < 0)
        return -1;
    return finish_file(fd, archive_entry_perm(entry), archive_entry_mtime(entry), path, err);
}

/* A hard link becomes a copy: two names of one file would let a later write to one change the other. */
static int unpack_hard_link(unpack *u, struct archive_entry *entry, const char *path, const char *target,
                            sb_error **err)
{
    sb_autofree char *from_path = plain_path(target);
    sb_autoclose int from = -1, parent = -1, fd = -1;
    struct stat st;
    const char *name;
    bool missing;

    if (!from_path || !*from_path)
        return fail_entry(SB_ERR_PARSE, path, "is a link that leaves the archive", err);
    if (strcmp(from_path, path) == 0)
        return fail_entry(SB_ERR_PARSE, path, "is a link to itself", err);
    from = sb_open_beneath(u->dirfd, from_path, O_RDONLY | O_NONBLOCK, 0, &missing, err);
    if (from < 0)
        return missing ? fail_entry(SB_ERR_PARSE, path, "is a link to what is not there", err) : -1;
    if (fstat(from, &st) < 0)
        return fail_errno(from_path, err);
    if (!S_ISREG(st.st_mode))
        return fail_entry(SB_ERR_PARSE, path, "is a hard link to what is no file", err);
    if (spend(u, (uint64_t)st.st_size, err) < 0 || open_parent(u, path, &parent, &name, err) < 0)
        return -1;
    fd = openat(parent, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(path, err);
    if (sb_copy_fd(from, fd, path, err) < 0)
        return -1;
    return finish_file(fd, st.st_mode, archive_entry_mtime(entry), path, err);
}

static int unpack_symlink(unpack *u, struct archive_entry *entry, const char *path, sb_error **err)
{
    const char *target = archive_entry_symlink(entry);
    struct timespec times[2] = {{.tv_sec = (time_t)archive_entry_mtime(entry)},
                                {.tv_sec = (time_t)archive_entry_mtime(entry)}};
    sb_autoclose int parent = -1;
    const char *name;

    if (!target || !*target || (!u->any_link && !link_stays(path, target)))
        return fail_entry(SB_ERR_PARSE, path, "is a link that leaves the archive", err);
    if (open_parent(u, path, &parent, &name, err) < 0)
        return -1;
    if (symlinkat(target, parent, name) < 0 || utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(path, err);
    return 0;
}

static int unpack_directory(unpack *u, struct archive_entry *entry, const char *path, sb_error **err)
{
    sb_autoclose int parent = -1;
    const char *name;

    if (*path) {
        if (open_parent(u, path, &parent, &name, err) < 0)
            return -1;
        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
            return fail_errno(path, err);
    }
    *SB_ARENA_PUSH(u->arena, u->directories, u->len, u->cap) = (directory){
        sb_arena_dup(u->arena, sb_slice_z(path)), archive_entry_perm(entry), archive_entry_mtime(entry)};
    return 0;
}

static int unpack_entry(unpack *u, struct archive_entry *entry, sb_error **err)
{
    const char *path = archive_entry_pathname(entry);
    const char *hard_link = archive_entry_hardlink(entry);
    sb_autofree char *plain = path ? plain_path(path) : NULL;
    mode_t type = archive_entry_filetype(entry);

    if (++u->entries > SB_TREE_ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the archive holds more than the maximum of %d entries",
                       SB_TREE_ENTRIES_MAX);
    if (!path)
        return sb_fail(err, SB_ERR_PARSE, "the archive holds an entry without a readable name");
    if (!plain)
        return fail_entry(SB_ERR_PARSE, path, "is absolute, leads out of the archive, or is too long", err);
    if (type != AE_IFDIR && !*plain)
        return fail_entry(SB_ERR_PARSE, path, "is no name for a file", err);
    if (hard_link)
        return unpack_hard_link(u, entry, plain, hard_link, err);
    if (type == AE_IFREG)
        return unpack_file(u, entry, plain, err);
    if (type == AE_IFLNK)
        return unpack_symlink(u, entry, plain, err);
    if (type == AE_IFDIR)
        return unpack_directory(u, entry, plain, err);
    return fail_entry(SB_ERR_PARSE, path, "is a device, a FIFO or a socket", err);
}

static int finish_directories(unpack *u, sb_error **err)
{
    while (u->len) {
        const directory *d = &u->directories[--u->len];
        sb_autoclose int fd =
            sb_open_beneath(u->dirfd, d->path.len ? d->path.ptr : ".", O_RDONLY | O_DIRECTORY, 0, NULL, err);

        if (fd < 0 || finish_file(fd, d->mode, d->mtime, d->path.ptr, err) < 0)
            return -1;
    }
    return 0;
}

static int unpack_all(int archive_fd, int dirfd, uint64_t max_bytes, bool any_link, sb_error **err)
{
    __attribute__((cleanup(free_archive))) struct archive *archive = archive_read_new();
    /* libarchive converts names between UTF-8 and the locale's encoding; here they are to stay as they are.
     */
    __attribute__((cleanup(free_locale))) locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    unpack u = {.dirfd = dirfd,
                .archive = archive,
                .arena = arena,
                .left = max_bytes,
                .max = max_bytes,
                .any_link = any_link};
    struct archive_entry *entry;
    int result;

    if (!archive)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot start to read an archive");
    if (locale)
        uselocale(locale);
    archive_read_support_format_tar(archive);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    if (archive_read_open_fd(archive, archive_fd, READ_SIZE) != ARCHIVE_OK)
        return fail_archive(&u, err);
    while ((result = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF) {
        if (result < ARCHIVE_WARN)
            return fail_archive(&u, err);
        if (unpack_entry(&u, entry, err) < 0)
            return -1;
    }
    return finish_directories(&u, err);
}

int sb_tree_unpack(int archive_fd, int dirfd, uint64_t max_bytes, sb_error **err)
{
    return unpack_all(archive_fd, dirfd, max_bytes, false, err);
}

int sb_tree_unpack_links(int archive_fd, int dirfd, uint64_t max_bytes, sb_error **err)
{
    return unpack_all(archive_fd, dirfd, max_bytes, true, err);
}
