// SPDX-License-Identifier: Apache-2.0
/* Several Dockerfiles share a store: what any lock beneath the context needs is kept. */
#include <lock/vendor.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sbuild/fs.h>

enum { DEPTH_MAX = 64, KEEP_MAX = 4000000 };

typedef struct keeper {
    sb_store *store;
    sb_digest *items;
    size_t count, cap;
} keeper;

static void keep(keeper *k, const sb_digest *digest)
{
    *SB_PUSH(k->items, k->count, k->cap) = *digest;
}

/* What this version does not understand (unknown members) may name objects as well: every string that is a
 * digest counts. */
static void keep_digests_in(keeper *k, const json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    sb_digest digest;

    if (json_is_string(json)) {
        if (sb_digest_parse(sb_json_text(json), &digest, NULL) == 0)
            keep(k, &digest);
    } else if (json_is_array(json)) {
        json_array_foreach(json, i, value) keep_digests_in(k, value);
    } else if (json_is_object(json)) {
        json_object_foreach((json_t *)(uintptr_t)json, key, value) keep_digests_in(k, value);
    }
}

static int keep_lock(keeper *k, const sb_lock *lock, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_needed_list needed = {0};

    sb_needed_by_lock(lock, arena, &needed);
    if (sb_needed_layers(lock, k->store, arena, &needed, err) < 0 ||
        sb_needed_bodies(lock, k->store, arena, &needed, err) < 0)
        return -1;
    for (size_t i = 0; i < needed.count; i++)
        keep(k, &needed.items[i].digest);
    keep_digests_in(k, lock->keep);
    if (k->count > KEEP_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the locks name more than %d objects", KEEP_MAX);
    return 0;
}

/* Other tools have files of this name, too. One that mentions what every lock of ours does must be readable:
 * else what it needs would be removed. */
static int keep_lock_file(keeper *k, int dirfd, const char *name, const char *path, sb_error **err)
{
    SB_AUTO(sb_lock) lock = NULL;
    sb_autofree char *shown = sb_printable(sb_slice_z(path));
    sb_autofree char *data = NULL;
    bool missing = false;
    size_t len = 0;

    if (sb_read_file(dirfd, name, SB_LOCK_MAX, &data, &len, &missing, err) < 0)
        return missing ? 0 : sb_wrap(err, "%s", shown);
    if (sb_slice_find(sb_slice_of(data, len), SB_LIT("\"dockerfile-digest\"")) < 0)
        return 0;
    if (sb_lock_parse(sb_slice_of(data, len), shown, &lock, err) < 0)
        return sb_wrap(err, "nothing was removed");
    return keep_lock(k, lock, err);
}

static int walk(keeper *k, int dirfd, const char *path, int depth, sb_error **err);

static int walk_entry(keeper *k, int dirfd, const char *name, const char *path, int depth, sb_error **err)
{
    sb_autofree char *child = *path ? sb_path_join(path, name) : sb_strdup(name);
    sb_autoclose int fd = -1;
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISREG(st.st_mode) && sb_slice_ends(sb_slice_z(name), SB_LIT(".lock")) && st.st_size <= SB_LOCK_MAX)
        return keep_lock_file(k, dirfd, name, child, err);
    if (!S_ISDIR(st.st_mode) || strcmp(name, ".git") == 0 || strcmp(name, ".sbuild") == 0 ||
        strcmp(name, SB_STORE_NAME) == 0)
        return 0;
    if (depth >= DEPTH_MAX)
        return sb_fail(err, SB_ERR_LIMIT,
                       "the context is deeper than %d directories; nothing was removed, since there may be "
                       "more locks below",
                       DEPTH_MAX);
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        sb_autofree char *shown = sb_printable(sb_slice_z(child));

        return errno == ENOENT
                   ? 0
                   : sb_fail(err, SB_ERR_IO, "cannot look for locks in %s: %s; nothing was removed", shown,
                             strerror(errno));
    }
    return walk(k, fd, child, depth + 1, err);
}

static int walk(keeper *k, int dirfd, const char *path, int depth, sb_error **err)
{
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    int r = 0;

    if (!dir) {
        sb_closep(&copy);
        return sb_fail(err, SB_ERR_IO, "cannot look for locks in %s: %s; nothing was removed",
                       *path ? path : "the context", strerror(errno));
    }
    for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = walk_entry(k, dirfd, entry->d_name, path, depth, err);
    closedir(dir);
    return r;
}

static int by_digest(const void *a, const void *b)
{
    return sb_digest_cmp(a, b);
}

static bool is_kept(void *ctx, const sb_digest *digest)
{
    const keeper *k = ctx;

    return k->count && bsearch(digest, k->items, k->count, sizeof(*k->items), by_digest);
}

int sb_vendor_prune(sb_project *project, const sb_lock *lock, sb_store *store, sb_vendor_report *report,
                    sb_error **err)
{
    keeper k = {.store = store};
    int r = keep_lock(&k, lock, err);

    if (r == 0)
        r = walk(&k, project->context_fd, "", 0, err);
    if (r == 0) {
        if (k.count)
            qsort(k.items, k.count, sizeof(*k.items), by_digest);
        r = sb_store_prune(store, is_kept, &k, &report->freed, &report->removed, err);
    }
    free(k.items);
    return r;
}
