// SPDX-License-Identifier: Apache-2.0
/* The hashes of package managers' lock files: of the bytes, and Go's of what is in an archive. */
#ifndef SBUILD_LOCK_NATIVE_HASH_H
#define SBUILD_LOCK_NATIVE_HASH_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef enum sb_native_algo {
    SB_NATIVE_SHA1,
    SB_NATIVE_SHA256,
    SB_NATIVE_SHA384,
    SB_NATIVE_SHA512,
    SB_NATIVE_GO_ZIP, /* "h1:" of a module */
    SB_NATIVE_GO_MOD, /* "h1:" of its go.mod */
} sb_native_algo;
enum { SB_NATIVE_ALGOS = SB_NATIVE_GO_MOD + 1, SB_NATIVE_HASH_MAX = 64 };

typedef struct sb_native_hash {
    sb_native_algo algo;
    unsigned char bytes[SB_NATIVE_HASH_MAX];
} sb_native_hash;

size_t sb_native_hash_size(sb_native_algo algo); /* in bytes */
/* The algorithm of "sha512"; false when it is none of those. */
bool sb_native_algo_named(sb_slice name, sb_native_algo *ret_algo);
bool sb_native_hash_hex(sb_native_algo algo, sb_slice hex, sb_native_hash *ret_hash);
bool sb_native_hash_base64(sb_native_algo algo, sb_slice base64, sb_native_hash *ret_hash);
/* As the package manager writes it: "sha512-BASE64", "h1:BASE64", "sha256:HEX". The caller frees it. */
char *sb_native_hash_text(const sb_native_hash *hash, bool hex);
bool sb_native_hash_eq(const sb_native_hash *a, const sb_native_hash *b);
/* Of a file, from its start. SB_ERR_PARSE when a Go module is no zip archive. */
int sb_native_hash_of_fd(sb_native_algo algo, int fd, sb_native_hash *ret_hash, sb_error **err);

#endif
