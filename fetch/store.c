// SPDX-License-Identifier: Apache-2.0
#include <fetch/store.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SYNC_EACH_MAX = 4 };

int sb_store_fail(const sb_store *store, const char *what, const char *name, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_slice_z(store->path));

    return sb_fail(err, SB_ERR_IO, "cannot %s %s/%s: %s", what, shown, name, strerror(saved));
}

/* The same for every umask: a store is shared, and committed. */
static int make_directory(sb_store *store, const char *name, sb_error **err)
{
    sb_autoclose int fd = -1;

    if (mkdirat(store->dirfd, name, 0755) < 0)
        return errno == EEXIST ? 0 : sb_store_fail(store, "create directory", name, err);
    fd = sb_open_beneath(store->dirfd, name, O_RDONLY | O_DIRECTORY, 0, NULL, err);
    if (fd < 0)
        return -1;
    return fchmod(fd, 0755) < 0 ? sb_store_fail(store, "create directory", name, err) : 0;
}

/* Left alone when it is there: somebody may have added large-file storage to it. */
static int write_once(sb_store *store, const char *name, const char *content, sb_error **err)
{
    SB_AUTO(sb_newfile) file = NULL;

    if (faccessat(store->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (sb_newfile_begin(store->dirfd, name, 0644, &file, err) < 0 ||
        sb_write_all(sb_newfile_fd(file), content, strlen(content), name, err) < 0)
        return -1;
    if (fchmod(sb_newfile_fd(file), 0644) < 0)
        return sb_store_fail(store, "write", name, err);
    return sb_newfile_commit(file, err);
}

static int prepare(sb_store *store, bool vendored, sb_error **err)
{
    uint64_t freed;

    if (make_directory(store, "sha256", err) < 0 || make_directory(store, "tmp", err) < 0)
        return -1;
    if (vendored && (write_once(store, ".gitattributes", "* -text -diff -ident\n", err) < 0 ||
                     write_once(store, ".gitignore", "!*\n/tmp/\n.*.tmp\n", err) < 0))
        return -1;
    return sb_store_sweep(store, false, &freed, err);
}

static int store_new(int dirfd, const char *path, bool create, bool vendored, sb_store **ret_store,
                     sb_error **err)
{
    SB_AUTO(sb_store) store = sb_new(sb_store);

    store->dirfd = dirfd;
    store->path = sb_strdup(path);
    store->durable = vendored;
    if (create && prepare(store, vendored, err) < 0)
        return -1;
    *ret_store = SB_TAKE(store);
    return 0;
}

static int fail_missing(const char *path, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    return sb_fail(err, SB_ERR_NOT_FOUND, "there is no store at %s", shown);
}

int sb_store_open(const char *path, bool create, bool vendored, sb_store **ret_store, sb_error **err)
{
    int fd = -1;

    if (create && sb_mkdirs(path, err) < 0)
        return -1;
    if (!create && access(path, F_OK) < 0 && errno == ENOENT)
        return fail_missing(path, err);
    if (sb_open_dir(path, &fd, err) < 0)
        return -1;
    return store_new(fd, path, create, vendored, ret_store, err);
}

int sb_store_open_at(int context_fd, const char *path, bool create, sb_store **ret_store, sb_error **err)
{
    bool missing = false;
    int fd;

    if (create && sb_mkdirs_beneath(context_fd, path, err) < 0)
        return -1;
    fd = sb_open_beneath(context_fd, path, O_RDONLY | O_DIRECTORY, 0, &missing, err);
    if (fd < 0)
        return missing ? fail_missing(path, err) : -1;
    return store_new(fd, path, create, true, ret_store, err);
}

void sb_store_free(sb_store *store)
{
    if (!store)
        return;
    sb_store_sync(store, NULL);
    sb_closep(&store->dirfd);
    free(store->unsynced);
    free(store->path);
    free(store);
}

static int sync_path(sb_store *store, const char *path, sb_error **err)
{
    bool missing = false;
    sb_autoclose int fd = sb_open_beneath(store->dirfd, path, O_RDONLY | O_NONBLOCK, 0, &missing, err);

    /* Somebody has pruned it since. */
    if (fd < 0)
        return missing ? 0 : -1;
    return fsync(fd) < 0 && errno != EINVAL ? sb_store_fail(store, "write", path, err) : 0;
}

static int sync_each(sb_store *store, size_t count, sb_error **err)
{
    char path[SB_STORE_PATH];

    for (size_t i = 0; i < count; i++) {
        sb_store_object_path(&store->unsynced[i], path);
        if (sync_path(store, path, err) < 0)
            return -1;
        path[strlen("sha256/ab")] = '\0';
        if (sync_path(store, path, err) < 0)
            return -1;
    }
    return count ? sync_path(store, "sha256", err) : 0;
}

/* Few objects are waited for by themselves; for many, all at once is faster, whatever else the disk has to
 * do. */
int sb_store_sync(sb_store *store, sb_error **err)
{
    size_t count = store->len;

    store->len = 0;
    if (count <= SYNC_EACH_MAX)
        return sync_each(store, count, err);
    return syncfs(store->dirfd) < 0 ? sb_store_fail(store, "write", "sha256", err) : 0;
}

void sb_store_object_path(const sb_digest *digest, char ret_path[SB_STORE_PATH])
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    memcpy(ret_path, "sha256/", 7);
    memcpy(ret_path + 7, hex, 2);
    ret_path[9] = '/';
    memcpy(ret_path + 10, hex, 2 * 32 + 1);
}

/* A regular file at the object's address, opened but not read. */
static int open_unverified(const sb_store *store, const sb_digest *digest, struct stat *ret_st,
                           bool *ret_missing, sb_error **err)
{
    char path[SB_STORE_PATH];
    sb_autoclose int fd = -1;
    int result;

    *ret_missing = digest->algo != SB_HASH_SHA256;
    if (*ret_missing)
        return -1;
    sb_store_object_path(digest, path);
    fd = sb_open_beneath(store->dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, ret_missing, err);
    if (fd < 0)
        return -1;
    if (fstat(fd, ret_st) < 0)
        return sb_store_fail(store, "look at", path, err);
    if (!S_ISREG(ret_st->st_mode))
        return sb_fail(err, SB_ERR_VERIFY, "%s/%s is no regular file", store->path, path);
    result = fd;
    fd = -1;
    return result;
}

bool sb_store_has(const sb_store *store, const sb_digest *digest, uint64_t size)
{
    SB_AUTO(sb_error) ignored = NULL;
    struct stat st;
    bool missing;
    sb_autoclose int fd = open_unverified(store, digest, &st, &missing, &ignored);

    return fd >= 0 && (size == 0 || (uint64_t)st.st_size == size);
}

/* As open_unverified(), for callers that need the object. */
static int open_existing(const sb_store *store, const sb_digest *digest, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(store->path));
    char text[SB_DIGEST_TEXT];
    struct stat st;
    bool missing;
    int fd = open_unverified(store, digest, &st, &missing, err);

    sb_digest_format(digest, text);
    if (fd < 0 && missing)
        return sb_fail(err, SB_ERR_NOT_FOUND, "%s is not in the store %s", text, shown);
    return fd;
}

static int check_content(const sb_store *store, const sb_digest *digest, const sb_digest *found,
                         sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(store->path));
    char text[SB_DIGEST_TEXT];

    if (sb_digest_eq(digest, found))
        return 0;
    sb_digest_format(digest, text);
    return sb_fail(
        err, SB_ERR_VERIFY,
        "%s in the store %s is damaged: its content has another digest; \"sbuild vendor\" fetches it again",
        text, shown);
}

int sb_store_open_object(const sb_store *store, const sb_digest *digest, int *ret_fd, uint64_t *ret_size,
                         sb_error **err)
{
    sb_autoclose int fd = open_existing(store, digest, err);
    sb_digest found;
    uint64_t size;

    if (fd < 0)
        return -1;
    if (sb_digest_of_fd(SB_HASH_SHA256, fd, &found, &size, err) < 0)
        return sb_wrap(err, "an object of the store %s", store->path);
    if (check_content(store, digest, &found, err) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_store_fail(store, "rewind an object in", "sha256", err);
    *ret_fd = fd;
    if (ret_size)
        *ret_size = size;
    fd = -1;
    return 0;
}

int sb_store_read(const sb_store *store, const sb_digest *digest, size_t max, char **ret_data,
                  size_t *ret_len, sb_error **err)
{
    sb_autoclose int fd = open_existing(store, digest, err);
    sb_autofree char *data = NULL;
    char text[SB_DIGEST_TEXT];
    sb_digest found;
    size_t len;

    sb_digest_format(digest, text);
    if (fd < 0 || sb_read_fd(fd, text, max, &data, &len, err) < 0)
        return -1;
    sb_digest_of(SB_HASH_SHA256, sb_slice_of(data, len), &found);
    if (check_content(store, digest, &found, err) < 0)
        return -1;
    *ret_data = SB_TAKE(data);
    *ret_len = len;
    return 0;
}

/* Is the object there and sound? */
static bool holds(const sb_store *store, const sb_digest *digest)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoclose int fd = -1;
    uint64_t size;

    return sb_store_open_object(store, digest, &fd, &size, &ignored) == 0;
}

int sb_store_put(sb_store *store, sb_slice data, sb_digest *ret_digest, sb_error **err)
{
    sb_autofree char *name = NULL;
    sb_autoclose int fd = -1;
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, data, &digest);
    if (!holds(store, &digest)) {
        if (sb_store_new_file(store, &fd, &name, err) < 0)
            return -1;
        if (sb_write_all(fd, data.ptr, data.len, store->path, err) < 0 ||
            sb_store_install(store, fd, name, &digest, err) < 0) {
            unlinkat(store->dirfd, name, 0);
            return -1;
        }
    }
    *ret_digest = digest;
    return 0;
}

typedef struct copied {
    sb_digest digest; /* sha256 */
    sb_digest other;  /* in the algorithm that was asked for */
    uint64_t size;
} copied;

static int copy_hashing(int from, int to, sb_hash_algo algo, copied *ret_copied, sb_error **err)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    SB_AUTO(sb_hasher) second = algo == SB_HASH_SHA256 ? NULL : sb_hasher_new(algo);
    sb_autofree char *chunk = sb_malloc(SB_STORE_CHUNK);
    copied c = {.size = 0};

    for (;;) {
        ssize_t n = read(from, chunk, SB_STORE_CHUNK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sb_fail(err, SB_ERR_IO, "cannot read what is to be stored: %s", strerror(errno));
        if (n == 0)
            break;
        sb_hasher_add(hasher, chunk, (size_t)n);
        if (second)
            sb_hasher_add(second, chunk, (size_t)n);
        if (sb_write_all(to, chunk, (size_t)n, "the store", err) < 0)
            return -1;
        c.size += (uint64_t)n;
    }
    sb_hasher_finish(hasher, &c.digest);
    c.other = c.digest;
    if (second)
        sb_hasher_finish(second, &c.other);
    *ret_copied = c;
    return 0;
}

static int check_expected(const sb_digest *expect, const sb_digest *found, sb_error **err)
{
    char want[SB_DIGEST_TEXT], have[SB_DIGEST_TEXT];

    if (!expect || sb_digest_eq(expect, found))
        return 0;
    sb_digest_format(expect, want);
    sb_digest_format(found, have);
    return sb_fail(err, SB_ERR_VERIFY, "the content has the digest %s instead of %s", have, want);
}

int sb_store_put_fd(sb_store *store, int fd, const sb_digest *expect, sb_digest *ret_digest,
                    uint64_t *ret_size, sb_error **err)
{
    sb_autofree char *name = NULL;
    sb_autoclose int to = -1;
    copied c;

    if (sb_store_new_file(store, &to, &name, err) < 0)
        return -1;
    if (copy_hashing(fd, to, expect ? expect->algo : SB_HASH_SHA256, &c, err) < 0 ||
        check_expected(expect, &c.other, err) < 0 || sb_store_install(store, to, name, &c.digest, err) < 0) {
        unlinkat(store->dirfd, name, 0);
        return -1;
    }
    *ret_digest = c.digest;
    if (ret_size)
        *ret_size = c.size;
    return 0;
}

/* The copy is hashed, not the source, so that nothing that happens on the way goes unseen. */
static int copy_object(sb_store *to, int out, const char *name, int in, const sb_digest *digest,
                       sb_error **err)
{
    sb_digest found;

    if (sb_copy_fd(in, out, to->path, err) < 0)
        return -1;
    if (lseek(out, 0, SEEK_SET) < 0)
        return sb_store_fail(to, "rewind", name, err);
    if (sb_digest_of_fd(SB_HASH_SHA256, out, &found, NULL, err) < 0 ||
        check_expected(digest, &found, err) < 0)
        return -1;
    return sb_store_install(to, out, name, digest, err);
}

int sb_store_copy(sb_store *to, const sb_store *from, const sb_digest *digest, sb_error **err)
{
    char text[SB_DIGEST_TEXT];
    sb_autofree char *name = NULL;
    sb_autoclose int in = -1, out = -1;

    if (holds(to, digest))
        return 0;
    sb_digest_format(digest, text);
    in = open_existing(from, digest, err);
    if (in < 0)
        return -1;
    if (sb_store_new_file(to, &out, &name, err) < 0)
        return -1;
    if (copy_object(to, out, name, in, digest, err) < 0) {
        unlinkat(to->dirfd, name, 0);
        return sb_wrap(err, "cannot copy %s from the store %s", text, from->path);
    }
    return 0;
}
