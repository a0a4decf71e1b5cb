// SPDX-License-Identifier: Apache-2.0
/*
 * Digests as the OCI image specification writes them: "sha256:" and 64 lower-case hex digits; sha384 and
 * sha512 likewise. sha256 is what locks and stores use; the others serve upstream checksums.
 */
#ifndef SBUILD_DIGEST_H
#define SBUILD_DIGEST_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef enum sb_hash_algo { SB_HASH_SHA256, SB_HASH_SHA384, SB_HASH_SHA512 } sb_hash_algo;

enum {
    SB_DIGEST_MAX = 64,                 /* bytes of the longest hash */
    SB_DIGEST_HEX = 2 * 64 + 1,         /* hex + NUL */
    SB_DIGEST_TEXT = 7 + SB_DIGEST_HEX, /* "sha512:" before it */
};

typedef struct sb_digest {
    sb_hash_algo algo;
    unsigned char bytes[SB_DIGEST_MAX]; /* sb_hash_size(algo) of them count, the rest is 0 */
} sb_digest;

size_t sb_hash_size(sb_hash_algo algo);      /* in bytes */
const char *sb_hash_name(sb_hash_algo algo); /* "sha256" */

/* "sha256:<hex>"; lower-case hex only. SB_ERR_PARSE names what is wrong. */
int sb_digest_parse(sb_slice text, sb_digest *ret_digest, sb_error **err);
/* Bare hex of either case; the algorithm follows from the length. */
bool sb_digest_from_hex(sb_slice hex, sb_digest *ret_digest);
/* "sha256:<hex>" */
void sb_digest_format(const sb_digest *digest, char ret_text[SB_DIGEST_TEXT]);
/* "<hex>" */
void sb_digest_hex(const sb_digest *digest, char ret_text[SB_DIGEST_HEX]);
char *sb_digest_dup(const sb_digest *digest); /* formatted; the caller frees */
bool sb_digest_eq(const sb_digest *a, const sb_digest *b);
int sb_digest_cmp(const sb_digest *a, const sb_digest *b);

/* Streaming. */
typedef struct sb_hasher sb_hasher;
sb_hasher *sb_hasher_new(sb_hash_algo algo);
void sb_hasher_add(sb_hasher *hasher, const void *data, size_t len);
void sb_hasher_finish(sb_hasher *hasher, sb_digest *ret_digest); /* the hasher may only be freed after this */
void sb_hasher_free(sb_hasher *hasher);
SB_DEFINE_CLEANUP(sb_hasher, sb_hasher_free)

void sb_digest_of(sb_hash_algo algo, sb_slice data, sb_digest *ret_digest);
/* From the descriptor's current position to its end; *ret_size (may be NULL) in bytes. */
int sb_digest_of_fd(sb_hash_algo algo, int fd, sb_digest *ret_digest, uint64_t *ret_size, sb_error **err);

#endif
