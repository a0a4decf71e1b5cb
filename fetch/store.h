// SPDX-License-Identifier: Apache-2.0
/*
 * Inside a store: sha256/ab/<hex> are objects; tmp/<hex> is staging that is named by its key and survives its
 * writer; tmp/new-<random> is staging that does not. Whoever writes to a staging file holds its flock, so
 * that what nobody holds was left behind.
 */
#ifndef FETCH_STORE_H
#define FETCH_STORE_H

#include <sbuild/store.h>

#include <sys/types.h>

enum {
    SB_STORE_PATH = 80, /* room for the path of an object within its store */
    SB_STORE_CHUNK = 1 << 17,
    SB_STORE_STAGING_DAYS = 7, /* an interrupted download is kept this long */
};

struct sb_store {
    int dirfd;
    char *path;   /* for messages */
    bool durable; /* survives a power cut: vendored stores; a cache is checked when read, and filled again */
    /* Objects whose bytes may not be on the disk yet; many at once are written far faster than one by one. */
    sb_digest *unsynced;
    size_t len, cap;
};

void sb_store_object_path(const sb_digest *digest, char ret_path[SB_STORE_PATH]);

/* A new locked file in tmp; its name within the store goes to *ret_name, which the caller frees. */
int sb_store_new_file(sb_store *store, int *ret_fd, char **ret_name, sb_error **err);
/* Gives the staged file `name` the address `digest`, over whatever may be there. */
int sb_store_install(sb_store *store, int fd, const char *name, const sb_digest *digest, sb_error **err);
/* Removes staging that nobody holds: all of it, or only what is too old to be continued. */
int sb_store_sweep(sb_store *store, bool all, uint64_t *ret_freed, sb_error **err);

int sb_store_fail(const sb_store *store, const char *what, const char *name, sb_error **err);

#endif
