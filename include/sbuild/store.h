// SPDX-License-Identifier: Apache-2.0
/*
 * The content-addressed store: DIR/sha256/ab/<64 hex>. The repository's is `sbuild.vendor` in the context,
 * the user's cache
 * ($XDG_CACHE_HOME/sbuild) has the same shape. Every object is verified whenever it is read; a damaged one is
 * SB_ERR_VERIFY. Writers stage in DIR/tmp and rename, so several may work at once and a killed one leaves
 * only staging behind, which the next writer resumes or removes.
 */
#ifndef SBUILD_STORE_H
#define SBUILD_STORE_H

#include <sbuild/digest.h>
#include <sbuild/error.h>

#define SB_STORE_NAME "sbuild.vendor"

typedef struct sb_store sb_store;

/* `create` also writes .gitattributes ("* -text -diff") and .gitignore ("!*", and staging left out) when
 * `vendored`. */
int sb_store_open(const char *path, bool create, bool vendored, sb_store **ret_store, sb_error **err);
/* `path` relative to a context directory, opened beneath it. */
int sb_store_open_at(int context_fd, const char *path, bool create, sb_store **ret_store, sb_error **err);
void sb_store_free(sb_store *store);
SB_DEFINE_CLEANUP(sb_store, sb_store_free)

/* Present with this size (0: any size); does not read it. */
bool sb_store_has(const sb_store *store, const sb_digest *digest, uint64_t size);
/* Opens after verifying the whole content, positioned at its start; `ret_size` may be NULL. SB_ERR_NOT_FOUND
 * or SB_ERR_VERIFY. */
int sb_store_open_object(const sb_store *store, const sb_digest *digest, int *ret_fd, uint64_t *ret_size,
                         sb_error **err);
/* The whole of a small object, verified; the caller frees *ret_data (NUL-terminated). */
int sb_store_read(const sb_store *store, const sb_digest *digest, size_t max, char **ret_data,
                  size_t *ret_len, sb_error **err);
int sb_store_put(sb_store *store, sb_slice data, sb_digest *ret_digest, sb_error **err);
/* Copies `fd` (from its current position) in; `expect` may be NULL. */
int sb_store_put_fd(sb_store *store, int fd, const sb_digest *expect, sb_digest *ret_digest,
                    uint64_t *ret_size, sb_error **err);
/*
 * Makes what was put into a vendored store survive a power cut: before a lock is written that names it, and
 * when the store is freed. (A cache needs none of it: what is damaged is seen when it is read, and fetched
 * again.)
 */
int sb_store_sync(sb_store *store, sb_error **err);
/* From one store to another, by reflink where possible; verified. Nothing to do when it is there. */
int sb_store_copy(sb_store *to, const sb_store *from, const sb_digest *digest, sb_error **err);

/*
 * A file in staging for a download; `key` (e.g. the URL) names it so that an interrupted download is
 * continued by the next run. Locked against other processes. sb_stage_commit gives it its content address:
 * the caller tells the digest that it computed while writing.
 */
typedef struct sb_stage sb_stage;
int sb_store_stage(sb_store *store, sb_slice key, sb_stage **ret_stage, sb_error **err);
int sb_stage_fd(const sb_stage *stage);
int sb_stage_commit(sb_stage *stage, const sb_digest *digest, sb_error **err);
void sb_stage_discard(sb_stage *stage); /* removes the bytes */
void sb_stage_free(sb_stage *stage);    /* keeps the bytes of an uncommitted stage for the next run */
SB_DEFINE_CLEANUP(sb_stage, sb_stage_free)

/* Every object; `each` returns -1 to stop. Sorted by digest. */
int sb_store_each(const sb_store *store,
                  int (*each)(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err), void *ctx,
                  sb_error **err);
/* Removes objects for which `keep` is false, and old staging; tells the bytes freed. */
int sb_store_prune(sb_store *store, bool (*keep)(void *ctx, const sb_digest *digest), void *ctx,
                   uint64_t *ret_freed, size_t *ret_removed, sb_error **err);

#endif
