// SPDX-License-Identifier: Apache-2.0
/*
 * What must vouch for a download: the words of a `# sbuild: verify …` comment above an ADD, or of a trust
 * rule of the settings.
 *
 *     signature=URL             a detached OpenPGP signature of the file
 *     checksums=URL             a checksum list that names the file; clear-signed, or signed by
 *     checksums-signature=URL   a detached OpenPGP signature of that list
 *     key=FILE                  a public key file in the context; may be repeated
 *     fingerprint=HEX           whose signature counts, in full; may be repeated
 *     threshold=N               signatures of so many different pinned keys (default 1)
 *     minisign=KEY              "RW…" or a public key file in the context
 *     minisign-signature=URL    default {url}.minisig; signature= also serves when there is no key=
 *     sha256=HEX sha384=HEX sha512=HEX
 *
 * In URLs {url} stands for the file's URL without query and fragment, {dir} for that up to before the last
 * slash, {file} for what is behind it. A value with spaces stands in double quotes.
 */
#ifndef SBUILD_LOCK_VERIFY_COMMENT_H
#define SBUILD_LOCK_VERIFY_COMMENT_H

#include <sbuild/digest.h>
#include <sbuild/dockerfile.h>
#include <sbuild/settings.h>

enum { SB_DEMAND_WORDS_MAX = 256 };

typedef struct sb_demand {
    sb_slice origin;                                    /* "Dockerfile:12", or which rule of the settings */
    sb_slice signature, checksums, checksums_signature; /* URL patterns; absent without */
    sb_slice minisign, minisign_signature;
    sb_slice *keys; /* paths in the context */
    size_t key_count;
    sb_slice *pins; /* upper-case hex, no spaces */
    size_t pin_count;
    sb_digest *hashes;
    size_t hash_count;
    unsigned threshold;
} sb_demand;

/* The words behind `verify`. SB_ERR_PARSE begins with `origin`. */
int sb_demand_parse(sb_arena *arena, sb_slice words, sb_slice origin, sb_demand *ret_demand, sb_error **err);

/* Nothing but keys and pins is meaningful for a git repository: SB_ERR_PARSE for the rest, or without pins.
 */
int sb_demand_check_git(const sb_demand *demand, sb_error **err);
/* A file needs something that names its signature or hash. */
int sb_demand_check_file(const sb_demand *demand, sb_error **err);

/* Is this comment (the text behind the #) one of `# sbuild: verify`? 1 with the words, 0 no; -1 for another
 * word behind `sbuild:` that looks like nothing known. */
int sb_verify_comment(sb_slice text, sb_slice origin, sb_slice *ret_words, sb_error **err);

/*
 * Every verify comment of the file must stand directly above an ADD, else it would silently do nothing:
 * SB_ERR_PARSE with its line. That the ADD has a URL is for the caller to see.
 */
int sb_verify_comments_check(const sb_dockerfile *df, sb_error **err);
/* Those above one instruction. */
int sb_verify_comments_of(sb_arena *arena, const sb_dockerfile *df, const sb_df_instruction *instruction,
                          sb_demand **ret_demands, size_t *ret_count, sb_error **err);

/* {url}, {dir} and {file} put in. SB_ERR_PARSE for another placeholder or a result that is no http(s) URL. */
int sb_demand_url(sb_arena *arena, const sb_demand *demand, sb_slice pattern, sb_slice url, sb_slice *ret_url,
                  sb_error **err);

/*
 * Does a trust rule's prefix cover this URL? All that do apply: a longer prefix does not replace a shorter
 * one, so that a repository's rule can only add to the user's.
 */
bool sb_trust_applies(sb_slice prefix, sb_slice url);

#endif
