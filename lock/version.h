// SPDX-License-Identifier: Apache-2.0
/*
 * Image tags as versions: which tag names a version at all, which could be the full version of a shorter one,
 * and in which order candidates are worth asking for. Nothing is guessed here: whether a candidate *is* the
 * version is decided by its digest alone (lock/version_search.c).
 *
 * A tag is cut at "-" and "_" into numbers ("20.19.4", "v1.2", "20240311") and words ("slim", "alpine3.22",
 * "rc1"). The first number is its version. Words that name a channel ("latest", "stable", "lts" …) need not
 * be kept by a candidate, all others must be, in their order: "20-alpine" → "20.19.4-alpine", never
 * "20.19.4".
 */
#ifndef SBUILD_LOCK_VERSION_H
#define SBUILD_LOCK_VERSION_H

#include <sbuild/arena.h>

enum { SB_TAG_MAX = 128, SB_TAG_WORDS_MAX = 16, SB_TAG_NUMBERS_MAX = 8 };

typedef struct sb_tag {
    sb_slice text;
    uint64_t numbers[SB_TAG_NUMBERS_MAX];
    size_t number_count; /* 0: it has no version */
    sb_slice number;     /* as written, without "v": zeros in front count for people ("24.04") */
    bool v;              /* written with a "v" in front */
    bool date;           /* one number that is a date: 20240311 */
    bool prerelease;
    bool channel; /* a word that moves from version to version: latest, stable … */
    sb_slice words[SB_TAG_WORDS_MAX];
    size_t word_count; /* without channel words */
} sb_tag;

/* False for what can be no version's name: too long, hash-like, ".sig", ".att", ".sbom", "sha256-…". */
bool sb_tag_parse(sb_slice text, sb_tag *ret_tag);

/* Is it a full version already: three numbers, or a date? */
bool sb_tag_is_full(const sb_tag *tag);
/* Could `candidate` be the full version of `requested`? */
bool sb_tag_compatible(const sb_tag *requested, const sb_tag *candidate);
/*
 * Which of two compatible candidates to ask for first, for qsort: more numbers (three are enough), fewer
 * words that were not asked for, newer, shorter, by bytes. Never 0 for different tags.
 */
int sb_tag_prefer(const sb_tag *a, const sb_tag *b);

/*
 * Tags that may name the version `declared` (an org.opencontainers.image.version) under the words of
 * `requested`: "20" and "20.19.4-bookworm" → "20.19.4", "20.19.4-bookworm". Best first; may be none.
 */
size_t sb_tag_derive(sb_arena *arena, const sb_tag *requested, sb_slice declared, sb_slice ret_tags[2]);

#endif
