// SPDX-License-Identifier: Apache-2.0
/*
 * Which versioned tag has the digest of a moving one? A candidate is accepted only when its digest is equal;
 * without one the answer is a reason, never a guess.
 *
 * Candidates come from the cheapest place first, and the first place that has one ends the search:
 *   1. the version that the image itself declares (annotation or label org.opencontainers.image.version)
 *   2. what its registry's own interface tells beyond the OCI specification (lock/version_sources.c)
 *   3. the list of tags: compatible ones, best first, at most SB_VERSION_HEADS_MAX of them asked for
 * A tag that somebody claims to have the digest is asked for as well, which guards against stale answers.
 */
#ifndef SBUILD_LOCK_VERSION_SEARCH_H
#define SBUILD_LOCK_VERSION_SEARCH_H

#include <lock/version.h>
#include <sbuild/digest.h>

enum { SB_VERSION_HEADS_MAX = 30, SB_VERSION_TAGS_MAX = 100000, SB_VERSION_ALIASES_MAX = 32 };

typedef struct sb_tag_list {
    sb_slice *tags;
    sb_slice *digests; /* parallel; NULL, or absent slices, where not told */
    size_t count;
} sb_tag_list;

/* What the search may ask. */
typedef struct sb_version_asker {
    void *ctx;
    /* What a tag is now: 1 with its digest, 0 when there is no such tag, -1 when it cannot be told. */
    int (*digest)(void *ctx, sb_slice tag, sb_digest *ret_digest, sb_error **err);
    /* The side interface: 1 with a list (of any completeness), 0 when there is none. Never fails. May be
     * NULL. */
    int (*side)(void *ctx, unsigned which, sb_tag_list *ret_list);
    unsigned side_count;
    /* Every tag of the repository. */
    int (*tags)(void *ctx, sb_tag_list *ret_list, sb_error **err);
    /* Does this tag, whose digest is another one, have the same image for the wanted platforms? May be NULL.
     */
    bool (*same_platforms)(void *ctx, sb_slice tag);
} sb_version_asker;

typedef struct sb_version {
    sb_slice tag;    /* absent when none has the digest */
    sb_slice reason; /* absent with a tag */
    sb_slice detail; /* what the registry said when it could not be asked; absent without */
    sb_slice *aliases;
    size_t alias_count;
} sb_version;

/*
 * `requested`: the tag as asked for. `verify_requested`: a digest was written beside it, so that it need not
 * have that digest. -1 only when interrupted.
 */
int sb_version_search(sb_arena *arena, sb_slice requested, bool verify_requested, const sb_digest *digest,
                      const sb_slice *declared, size_t declared_count, const sb_version_asker *asker,
                      sb_version *ret_version, sb_error **err);

#endif
