// SPDX-License-Identifier: Apache-2.0
#include <fetch/store.h>

#include <sbuild/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { OBJECTS_MAX = 4 << 20 };

typedef struct digests {
    sb_digest *items;
    size_t len, cap;
} digests;

static void digests_clear(digests *list)
{
    free(list->items);
}

static int compare(const void *a, const void *b)
{
    return sb_digest_cmp(a, b);
}

/* What is not named like an object is none of ours. */
static bool parse_name(const char *name, const char *directory, sb_digest *ret_digest)
{
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    if (strncmp(name, directory, 2) != 0 || !sb_digest_from_hex(sb_slice_z(name), &digest) ||
        digest.algo != SB_HASH_SHA256)
        return false;
    sb_digest_hex(&digest, hex);
    *ret_digest = digest;
    return strcmp(hex, name) == 0;
}

static int list_objects(const sb_store *store, const char *directory, digests *list, sb_error **err)
{
    char path[SB_STORE_PATH];
    bool missing = false;
    struct dirent *entry;
    sb_digest digest;
    DIR *dir;
    int fd;

    snprintf(path, sizeof(path), "sha256/%.2s", directory);
    fd = sb_open_beneath(store->dirfd, path, O_RDONLY | O_DIRECTORY, 0, &missing, err);
    if (fd < 0)
        return missing ? 0 : -1;
    dir = fdopendir(fd);
    if (!dir) {
        sb_store_fail(store, "list", path, err);
        close(fd);
        return -1;
    }
    while ((entry = readdir(dir)) && list->len < OBJECTS_MAX)
        if (parse_name(entry->d_name, directory, &digest))
            *SB_PUSH(list->items, list->len, list->cap) = digest;
    closedir(dir);
    if (list->len >= OBJECTS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the store %s holds more than the maximum of %d objects",
                       store->path, OBJECTS_MAX);
    if (list->len)
        qsort(list->items, list->len, sizeof(*list->items), compare);
    return 0;
}

typedef int (*visitor)(void *ctx, const sb_store *store, const sb_digest *digest, const struct stat *st,
                       sb_error **err);

/* Directory by directory, each listed before anything in it is visited. */
static int visit(const sb_store *store, visitor each, void *ctx, sb_error **err)
{
    for (unsigned i = 0; i < 256; i++) {
        __attribute__((cleanup(digests_clear))) digests list = {0};
        char directory[3];

        snprintf(directory, sizeof(directory), "%02x", i);
        if (list_objects(store, directory, &list, err) < 0)
            return -1;
        for (size_t k = 0; k < list.len; k++) {
            char path[SB_STORE_PATH];
            struct stat st;

            sb_store_object_path(&list.items[k], path);
            if (fstatat(store->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
                each(ctx, store, &list.items[k], &st, err) < 0)
                return -1;
        }
    }
    return 0;
}

typedef struct each_ctx {
    int (*each)(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err);
    void *ctx;
} each_ctx;

static int visit_each(void *ctx, const sb_store *store, const sb_digest *digest, const struct stat *st,
                      sb_error **err)
{
    each_ctx *e = ctx;

    (void)store;
    return e->each(e->ctx, digest, (uint64_t)st->st_size, err);
}

int sb_store_each(const sb_store *store,
                  int (*each)(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err), void *ctx,
                  sb_error **err)
{
    each_ctx e = {each, ctx};

    return visit(store, visit_each, &e, err);
}

typedef struct prune_ctx {
    bool (*keep)(void *ctx, const sb_digest *digest);
    void *ctx;
    uint64_t freed;
    size_t removed;
} prune_ctx;

static int visit_prune(void *ctx, const sb_store *store, const sb_digest *digest, const struct stat *st,
                       sb_error **err)
{
    char path[SB_STORE_PATH];
    prune_ctx *p = ctx;

    if (p->keep(p->ctx, digest))
        return 0;
    sb_store_object_path(digest, path);
    if (unlinkat(store->dirfd, path, 0) < 0)
        return errno == ENOENT ? 0 : sb_store_fail(store, "remove", path, err);
    p->freed += (uint64_t)st->st_size;
    p->removed++;
    /* Succeeds when that was the last one. */
    path[strlen("sha256/ab")] = '\0';
    unlinkat(store->dirfd, path, AT_REMOVEDIR);
    return 0;
}

int sb_store_prune(sb_store *store, bool (*keep)(void *ctx, const sb_digest *digest), void *ctx,
                   uint64_t *ret_freed, size_t *ret_removed, sb_error **err)
{
    prune_ctx p = {.keep = keep, .ctx = ctx};
    uint64_t staging;

    if (visit(store, visit_prune, &p, err) < 0 || sb_store_sweep(store, true, &staging, err) < 0)
        return -1;
    *ret_freed = p.freed + staging;
    *ret_removed = p.removed;
    return 0;
}
