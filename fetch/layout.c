// SPDX-License-Identifier: Apache-2.0
#include <fetch/layout.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum { INDEX_FILE_MAX = 16 << 20, BLOB_PATH = 32 + SB_DIGEST_HEX, SYNC_EACH_MAX = 4 };

struct sb_layout {
    char *path;
    int dirfd;
};

struct sb_blob_stage {
    sb_layout *layout; /* borrowed */
    sb_digest digest;
    char *name; /* within the layout */
    int fd;
    bool own; /* of this process alone */
    bool committed;
};

static const char layout_file[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
static const char empty_index[] =
    "{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_INDEX "\",\"manifests\":[]}";

static int fail_errno(const sb_layout *layout, const char *what, const char *name, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_slice_z(layout->path));

    return sb_fail(err, SB_ERR_IO, "cannot %s %s/%s: %s", what, shown, name, strerror(saved));
}

static void blob_path(const sb_digest *digest, char ret_path[BLOB_PATH])
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    snprintf(ret_path, BLOB_PATH, "blobs/%s/%s", sb_hash_name(digest->algo), hex);
}

static int add_files(sb_layout *layout, sb_error **err)
{
    static const char *const dirs[] = {"blobs/sha256", "blobs/sha384", "blobs/sha512", "partial"};

    for (size_t i = 0; i < SB_COUNT(dirs); i++)
        if (sb_mkdirs_beneath(layout->dirfd, dirs[i], err) < 0)
            return -1;
    if (faccessat(layout->dirfd, "index.json", F_OK, 0) < 0 &&
        sb_write_file(layout->dirfd, "index.json", sb_slice_z(empty_index), 0666, err) < 0)
        return -1;
    return sb_write_file(layout->dirfd, "oci-layout", sb_slice_z(layout_file), 0666, err);
}

int sb_layout_open(const char *path, bool create, sb_layout **ret_layout, sb_error **err)
{
    SB_AUTO(sb_layout) layout = sb_new(sb_layout);

    layout->dirfd = -1;
    layout->path = sb_strdup(path);
    if ((create && sb_mkdirs(path, err) < 0) || sb_open_dir(path, &layout->dirfd, err) < 0)
        return -1;
    if (create && add_files(layout, err) < 0)
        return -1;
    if (faccessat(layout->dirfd, "oci-layout", F_OK, 0) < 0)
        return fail_errno(layout, "find", "oci-layout", err);
    *ret_layout = SB_TAKE(layout);
    return 0;
}

void sb_layout_free(sb_layout *layout)
{
    if (!layout)
        return;
    sb_closep(&layout->dirfd);
    free(layout->path);
    free(layout);
}

const char *sb_layout_path(const sb_layout *layout)
{
    return layout->path;
}

bool sb_layout_has(const sb_layout *layout, const sb_digest *digest, uint64_t size)
{
    char path[BLOB_PATH];
    struct stat st;

    blob_path(digest, path);
    return fstatat(layout->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (!size || (uint64_t)st.st_size == size);
}

int sb_layout_open_blob(const sb_layout *layout, const sb_digest *digest, int *ret_fd, sb_error **err)
{
    char path[BLOB_PATH];
    bool missing;
    int fd;

    blob_path(digest, path);
    fd = sb_open_beneath(layout->dirfd, path, O_RDONLY | O_NONBLOCK, 0, &missing, err);
    if (fd < 0 && missing) {
        sb_autofree char *text = sb_digest_dup(digest);

        return sb_fail(err, SB_ERR_NOT_FOUND, "the layout %s does not have the blob %s", layout->path, text);
    }
    if (fd < 0)
        return -1;
    *ret_fd = fd;
    return 0;
}

static int fail_damaged(const sb_layout *layout, const sb_digest *digest, sb_error **err)
{
    sb_autofree char *text = sb_digest_dup(digest);

    return sb_fail(err, SB_ERR_VERIFY, "the blob %s in %s is damaged; remove it, and it is fetched again",
                   text, layout->path);
}

int sb_layout_read(const sb_layout *layout, sb_arena *arena, const sb_digest *digest, size_t max,
                   sb_slice *ret_data, sb_error **err)
{
    sb_autoclose int fd = -1;
    sb_autofree char *data = NULL, *text = sb_digest_dup(digest);
    sb_digest got;
    size_t len;

    if (sb_layout_open_blob(layout, digest, &fd, err) < 0 || sb_read_fd(fd, text, max, &data, &len, err) < 0)
        return -1;
    sb_digest_of(digest->algo, sb_slice_of(data, len), &got);
    if (!sb_digest_eq(&got, digest))
        return fail_damaged(layout, digest, err);
    *ret_data = sb_arena_dup(arena, sb_slice_of(data, len));
    return 0;
}

int sb_layout_write(sb_layout *layout, sb_slice data, sb_digest *ret_digest, sb_error **err)
{
    char path[BLOB_PATH];

    sb_digest_of(SB_HASH_SHA256, data, ret_digest);
    blob_path(ret_digest, path);
    return sb_write_file(layout->dirfd, path, data, 0644, err);
}

int sb_layout_add_fd(sb_layout *layout, int fd, const sb_digest *expect, sb_error **err)
{
    SB_AUTO(sb_newfile) file = NULL;
    char path[BLOB_PATH];
    sb_digest got;

    blob_path(expect, path);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return fail_errno(layout, "read what goes to", path, err);
    if (sb_newfile_begin(layout->dirfd, path, 0644, &file, err) < 0 ||
        sb_copy_fd(fd, sb_newfile_fd(file), path, err) < 0)
        return -1;
    /* What counts is what has arrived, not what was there before the copy. */
    if (lseek(sb_newfile_fd(file), 0, SEEK_SET) < 0)
        return fail_errno(layout, "read", path, err);
    if (sb_digest_of_fd(expect->algo, sb_newfile_fd(file), &got, NULL, err) < 0)
        return -1;
    if (!sb_digest_eq(&got, expect))
        return fail_damaged(layout, expect, err);
    return sb_newfile_commit(file, err);
}

/* ---- index.json ---- */

static json_t *entry_of(const sb_descriptor *descriptor, sb_slice name)
{
    json_t *entry = json_object(), *annotations = json_object();
    char text[SB_DIGEST_TEXT];

    sb_digest_format(&descriptor->digest, text);
    sb_json_set_str(entry, "mediaType", descriptor->media_type);
    sb_json_set_strz(entry, "digest", text);
    json_object_set_new(entry, "size", json_integer((json_int_t)descriptor->size));
    sb_json_set_str(annotations, "org.opencontainers.image.ref.name", name);
    if (json_object_size(annotations))
        json_object_set(entry, "annotations", annotations);
    json_decref(annotations);
    return entry;
}

static bool same_entry(const json_t *one, const json_t *other)
{
    sb_slice mine = sb_json_str(sb_json_object(one, "annotations"), "org.opencontainers.image.ref.name");
    sb_slice theirs = sb_json_str(sb_json_object(other, "annotations"), "org.opencontainers.image.ref.name");

    if (mine.ptr || theirs.ptr)
        return mine.ptr && theirs.ptr && sb_slice_eq(mine, theirs);
    return sb_slice_eq(sb_json_str(one, "digest"), sb_json_str(other, "digest"));
}

int sb_layout_tag(sb_layout *layout, const sb_descriptor *descriptor, sb_slice name, sb_error **err)
{
    sb_autoclose int lock = -1;
    sb_autofree char *data = NULL;
    sb_autojson *root = NULL, *entry = entry_of(descriptor, name);
    sb_autobuf out = SB_BUF_INIT(INDEX_FILE_MAX);
    json_t *list;
    size_t len;

    if (sb_file_lock(layout->dirfd, ".lock", NULL, NULL, &lock, err) < 0 ||
        sb_read_file(layout->dirfd, "index.json", INDEX_FILE_MAX, &data, &len, NULL, err) < 0 ||
        sb_json_parse(sb_slice_of(data, len), "index.json", &root, err) < 0)
        return sb_wrap(err, "%s", layout->path);
    list = sb_json_array(root, "manifests");
    if (!list)
        return sb_fail(err, SB_ERR_PARSE, "%s/index.json: there is no list of manifests", layout->path);
    for (size_t i = json_array_size(list); i-- > 0;)
        if (same_entry(json_array_get(list, i), entry))
            json_array_remove(list, i);
    json_array_append(list, entry);
    if (sb_json_write(root, &out, err) < 0)
        return -1;
    return sb_write_file(layout->dirfd, "index.json", sb_buf_slice(&out), 0666, err);
}

/* ---- blobs in the making ---- */

/* Is the open file still the one of this name? Another process may have committed it before we had the lock.
 */
static bool still_there(const sb_blob_stage *stage)
{
    struct stat mine, named;

    return fstat(stage->fd, &mine) == 0 &&
           fstatat(stage->layout->dirfd, stage->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

static int open_stage(sb_blob_stage *stage, int flags, sb_error **err)
{
    struct stat st;

    stage->fd = sb_open_beneath(stage->layout->dirfd, stage->name, O_RDWR | O_CREAT | O_NONBLOCK | flags,
                                0600, NULL, err);
    if (stage->fd < 0)
        return -1;
    if (fstat(stage->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink <= 1)
        return 0;
    return sb_fail(err, SB_ERR_IO, "%s/%s is no regular file; remove it", stage->layout->path, stage->name);
}

static int open_own(sb_blob_stage *stage, const char *hex, sb_error **err)
{
    unsigned long long salt;

    if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
        return fail_errno(stage->layout, "get randomness for", "partial", err);
    free(stage->name);
    stage->name = sb_asprintf("partial/%s.%016llx", hex, salt);
    stage->own = true;
    return open_stage(stage, O_EXCL, err);
}

int sb_blob_stage_open(sb_layout *layout, const sb_digest *digest, sb_blob_stage **ret_stage, sb_error **err)
{
    SB_AUTO(sb_blob_stage) stage = sb_new(sb_blob_stage);
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    stage->layout = layout;
    stage->digest = *digest;
    stage->fd = -1;
    if (sb_mkdirs_beneath(layout->dirfd, "partial", err) < 0)
        return -1;
    stage->name = sb_asprintf("partial/%s", hex);
    for (;;) {
        if (open_stage(stage, 0, err) < 0)
            return -1;
        if (flock(stage->fd, LOCK_EX | LOCK_NB) < 0) {
            sb_closep(&stage->fd);
            if (open_own(stage, hex, err) < 0)
                return -1;
            break;
        }
        if (still_there(stage))
            break;
        sb_closep(&stage->fd);
    }
    *ret_stage = SB_TAKE(stage);
    return 0;
}

int sb_blob_stage_fd(const sb_blob_stage *stage)
{
    return stage->fd;
}

/* Few files are waited for by themselves; for many, all at once is faster, whatever else the disk has to do.
 */
static int sync_stages(sb_layout *layout, sb_blob_stage *const *stages, size_t count, sb_error **err)
{
    if (count > SYNC_EACH_MAX)
        return syncfs(layout->dirfd) < 0 ? fail_errno(layout, "write", "partial", err) : 0;
    for (size_t i = 0; i < count; i++)
        if (fsync(stages[i]->fd) < 0)
            return fail_errno(layout, "write", stages[i]->name, err);
    return 0;
}

static int install(sb_blob_stage *stage, sb_error **err)
{
    sb_layout *layout = stage->layout;
    char path[BLOB_PATH];

    blob_path(&stage->digest, path);
    if (renameat(layout->dirfd, stage->name, layout->dirfd, path) < 0)
        return fail_errno(layout, "put in place", path, err);
    stage->committed = true;
    return 0;
}

/* Makes it if it is missing. */
static int open_blobs(sb_layout *layout, sb_hash_algo algo, sb_error **err)
{
    char dir[32];

    snprintf(dir, sizeof(dir), "blobs/%s", sb_hash_name(algo));
    if (sb_mkdirs_beneath(layout->dirfd, dir, err) < 0)
        return -1;
    return sb_open_beneath(layout->dirfd, dir, O_RDONLY | O_DIRECTORY, 0, NULL, err);
}

/* Those of one algorithm, which are in one directory. */
static int install_all(sb_layout *layout, sb_blob_stage *const *stages, size_t count, sb_hash_algo algo,
                       sb_error **err)
{
    sb_autoclose int dirfd = -1;

    for (size_t i = 0; i < count; i++) {
        if (stages[i]->digest.algo != algo)
            continue;
        if (dirfd < 0)
            dirfd = open_blobs(layout, algo, err);
        if (dirfd < 0 || install(stages[i], err) < 0)
            return -1;
    }
    if (dirfd >= 0 && fsync(dirfd) < 0 && errno != EINVAL)
        return fail_errno(layout, "write the directory of", "blobs", err);
    return 0;
}

int sb_blob_stages_commit(sb_layout *layout, sb_blob_stage *const *stages, size_t count, sb_error **err)
{
    for (size_t i = 0; i < count; i++)
        if (fchmod(stages[i]->fd, 0644) < 0)
            return fail_errno(layout, "write", stages[i]->name, err);
    if (sync_stages(layout, stages, count, err) < 0)
        return -1;
    for (int algo = SB_HASH_SHA256; algo <= SB_HASH_SHA512; algo++)
        if (install_all(layout, stages, count, (sb_hash_algo)algo, err) < 0)
            return -1;
    return 0;
}

int sb_layout_give(sb_layout *layout, sb_slice data, sb_error **err)
{
    SB_AUTO(sb_blob_stage) stage = NULL;
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, data, &digest);
    if (sb_blob_stage_open(layout, &digest, &stage, err) < 0)
        return -1;
    /* Whatever an earlier run left of it. */
    if (ftruncate(stage->fd, 0) < 0 || fchmod(stage->fd, 0644) < 0)
        return fail_errno(layout, "write", stage->name, err);
    if (sb_write_all(stage->fd, data.ptr, data.len, stage->name, err) < 0)
        return -1;
    return install(stage, err);
}

void sb_blob_stage_free(sb_blob_stage *stage)
{
    struct stat st;

    if (!stage)
        return;
    /* A beginning is kept for the next run, if it is one. */
    if (!stage->committed && stage->fd >= 0 &&
        (stage->own || (fstat(stage->fd, &st) == 0 && st.st_size == 0)))
        unlinkat(stage->layout->dirfd, stage->name, 0);
    sb_closep(&stage->fd);
    free(stage->name);
    free(stage);
}
