// SPDX-License-Identifier: Apache-2.0
#include <fetch/store.h>

#include <sbuild/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct sb_stage {
    sb_store *store;
    int fd;
    char *name;  /* within the store */
    bool shared; /* named by its key: to be continued by the next run */
    bool done;   /* committed or discarded */
};

static const char fresh_prefix[] = "tmp/new-";

/* Is this open file still the one that its name leads to? Another process may have committed or removed it
 * between our open and our lock. */
static bool still_there(const sb_store *store, int fd, const char *name)
{
    struct stat mine, named;

    return fstat(fd, &mine) == 0 && fstatat(store->dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

static int open_staging(sb_store *store, const char *name, int flags, sb_error **err)
{
    int fd = sb_open_beneath(store->dirfd, name, O_RDWR | O_CREAT | O_NONBLOCK | flags, 0600, NULL, err);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return sb_fail(err, SB_ERR_IO, "%s/%s is no regular file; remove it", store->path, name);
    }
    return fd;
}

int sb_store_new_file(sb_store *store, int *ret_fd, char **ret_name, sb_error **err)
{
    for (;;) {
        sb_autofree char *name = NULL;
        sb_autoclose int fd = -1;
        unsigned long long salt[2];

        if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
            return sb_store_fail(store, "get randomness for", "tmp", err);
        name = sb_asprintf("%s%016llx%016llx", fresh_prefix, salt[0], salt[1]);
        fd = open_staging(store, name, O_EXCL, err);
        if (fd < 0)
            return -1;
        /* Somebody who cleans up may have been faster. */
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !still_there(store, fd, name))
            continue;
        *ret_fd = fd;
        *ret_name = SB_TAKE(name);
        fd = -1;
        return 0;
    }
}

/* The directory of an object; it may go away again (sb_store_prune removes empty ones) until something is in
 * it. */
static int make_parent(sb_store *store, const char *directory, sb_error **err)
{
    if (mkdirat(store->dirfd, directory, 0755) == 0)
        return fchmodat(store->dirfd, directory, 0755, 0) < 0 && errno != ENOENT
                   ? sb_store_fail(store, "create directory", directory, err)
                   : 0;
    return errno == EEXIST ? 0 : sb_store_fail(store, "create directory", directory, err);
}

int sb_store_install(sb_store *store, int fd, const char *name, const sb_digest *digest, sb_error **err)
{
    enum { TRIES = 100 };
    char path[SB_STORE_PATH], directory[SB_STORE_PATH];
    size_t length;

    if (digest->algo != SB_HASH_SHA256)
        return sb_fail(err, SB_ERR_INTERNAL, "a store names its objects by sha256");
    sb_store_object_path(digest, path);
    length = strlen("sha256/ab");
    memcpy(directory, path, length);
    directory[length] = '\0';
    if (fchmod(fd, 0644) < 0)
        return sb_store_fail(store, "write", name, err);
    for (int i = 0; i < TRIES; i++) {
        /* Proves that no link is on the way. */
        sb_autoclose int parent = -1;
        bool missing = false;

        if (make_parent(store, directory, err) < 0)
            return -1;
        parent = sb_open_beneath(store->dirfd, directory, O_PATH | O_DIRECTORY, 0, &missing, err);
        if (parent < 0 && missing)
            continue;
        if (parent < 0)
            return -1;
        if (renameat(store->dirfd, name, parent, path + length + 1) == 0) {
            if (store->durable)
                *SB_PUSH(store->unsynced, store->len, store->cap) = *digest;
            return 0;
        }
        if (errno != ENOENT)
            break;
    }
    return sb_store_fail(store, "put in place", path, err);
}

int sb_store_stage(sb_store *store, sb_slice key, sb_stage **ret_stage, sb_error **err)
{
    SB_AUTO(sb_stage) stage = sb_new(sb_stage);
    sb_digest digest;
    char hex[SB_DIGEST_HEX];

    sb_digest_of(SB_HASH_SHA256, key, &digest);
    sb_digest_hex(&digest, hex);
    stage->store = store;
    stage->name = sb_asprintf("tmp/%s", hex);
    stage->fd = open_staging(store, stage->name, 0, err);
    if (stage->fd < 0)
        return -1;
    stage->shared = flock(stage->fd, LOCK_EX | LOCK_NB) == 0 && still_there(store, stage->fd, stage->name);
    if (!stage->shared) {
        /* Somebody is at it, maybe this very process: then this download goes its own way. */
        sb_closep(&stage->fd);
        free(SB_TAKE(stage->name));
        stage->fd = -1;
        if (sb_store_new_file(store, &stage->fd, &stage->name, err) < 0)
            return -1;
    }
    *ret_stage = SB_TAKE(stage);
    return 0;
}

int sb_stage_fd(const sb_stage *stage)
{
    return stage->fd;
}

int sb_stage_commit(sb_stage *stage, const sb_digest *digest, sb_error **err)
{
    if (sb_store_install(stage->store, stage->fd, stage->name, digest, err) < 0)
        return -1;
    stage->done = true;
    return 0;
}

void sb_stage_discard(sb_stage *stage)
{
    if (!stage->done)
        unlinkat(stage->store->dirfd, stage->name, 0);
    stage->done = true;
}

void sb_stage_free(sb_stage *stage)
{
    if (!stage)
        return;
    if (stage->name && !stage->shared)
        sb_stage_discard(stage);
    sb_closep(&stage->fd);
    free(stage->name);
    free(stage);
}

/* One staging file: removed when nobody holds it and, unless `all`, nobody will continue it. */
static uint64_t sweep_file(sb_store *store, int tmp, const char *entry, bool all)
{
    const time_t oldest = time(NULL) - (time_t)SB_STORE_STAGING_DAYS * 24 * 3600;
    sb_autofree char *name = sb_asprintf("tmp/%s", entry);
    sb_autoclose int fd = openat(tmp, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    if (!all && !sb_slice_starts(sb_slice_z(name), sb_slice_z(fresh_prefix)) && st.st_mtime >= oldest)
        return 0;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !still_there(store, fd, name) || unlinkat(tmp, entry, 0) < 0)
        return 0;
    return (uint64_t)st.st_size;
}

int sb_store_sweep(sb_store *store, bool all, uint64_t *ret_freed, sb_error **err)
{
    bool missing = false;
    int tmp = sb_open_beneath(store->dirfd, "tmp", O_RDONLY | O_DIRECTORY, 0, &missing, err);
    struct dirent *entry;
    uint64_t freed = 0;
    DIR *dir;

    if (tmp < 0) {
        if (missing)
            *ret_freed = 0;
        return missing ? 0 : -1;
    }
    dir = fdopendir(tmp);
    if (!dir) {
        sb_store_fail(store, "list", "tmp", err);
        close(tmp);
        return -1;
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            freed += sweep_file(store, tmp, entry->d_name, all);
    closedir(dir);
    *ret_freed = freed;
    return 0;
}
