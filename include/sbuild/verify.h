// SPDX-License-Identifier: Apache-2.0
/*
 * Who vouches for bytes: OpenPGP (RFC 4880/9580 through GnuPG), checksum lists, minisign. Each is a pure
 * question about bytes: nothing is fetched here, no key of the user's own keyring counts, no answer depends
 * on the machine's configuration.
 */
#ifndef SBUILD_VERIFY_H
#define SBUILD_VERIFY_H

#include <sbuild/arena.h>
#include <sbuild/digest.h>
#include <sbuild/error.h>

/* --- OpenPGP (fetch/openpgp.c) --- */

enum { SB_PGP_KEYRING_MAX = 8 << 20, SB_PGP_SIGNATURE_MAX = 1 << 20, SB_PGP_SIGNERS_MAX = 256 };

typedef enum sb_pgp_status {
    SB_PGP_GOOD,
    SB_PGP_BAD,         /* the signature is of other bytes */
    SB_PGP_UNKNOWN_KEY, /* none of the given keys made it */
    SB_PGP_EXPIRED_KEY,
    SB_PGP_EXPIRED_SIGNATURE,
    SB_PGP_REVOKED_KEY,
    SB_PGP_WEAK,      /* MD5, SHA-1, RIPEMD-160 */
    SB_PGP_MALFORMED, /* no signature at all, or not understood */
} sb_pgp_status;

typedef struct sb_pgp_signature {
    sb_pgp_status status;
    sb_slice fingerprint; /* of the (sub)key that signed: 40 or 64 upper-case hex; a key ID when the key is
                             unknown */
    sb_slice primary;     /* of its primary key */
    sb_slice user_id;     /* of the primary key, for people; not printable-safe */
    sb_slice hash;        /* "SHA256" */
    int64_t created;      /* seconds since 1970 */
} sb_pgp_signature;

typedef struct sb_pgp_result {
    sb_pgp_signature *signatures;
    size_t count;
} sb_pgp_result;

/* `keys`: armoured or binary key files. `now` > 0 judges expiry at that time instead of today
 * (re-verification of a lock). */
int sb_pgp_verify_detached(sb_arena *arena, const sb_slice *keys, size_t key_count, sb_slice signature,
                           int data_fd, int64_t now, sb_pgp_result *ret_result, sb_error **err);
/* A clear-signed or inline-signed message; *ret_text is what was signed and nothing else. */
int sb_pgp_verify_inline(sb_arena *arena, const sb_slice *keys, size_t key_count, sb_slice message,
                         int64_t now, sb_pgp_result *ret_result, sb_slice *ret_text, sb_error **err);
/*
 * Are there good signatures of at least `threshold` different pinned keys? A pin is a full fingerprint
 * (spaces and case do not count) of the primary key or of the signing subkey; pins shorter than 40 digits are
 * SB_ERR_USAGE. *ret_signers: indices into result->signatures. Otherwise SB_ERR_VERIFY with a message of its
 * own for each sb_pgp_status.
 */
int sb_pgp_require(sb_arena *arena, const sb_pgp_result *result, const sb_slice *pins, size_t pin_count,
                   unsigned threshold, size_t **ret_signers, size_t *ret_count, sb_error **err);
const char *sb_pgp_status_name(sb_pgp_status status);

/* --- Checksum lists (fetch/checksums.c) --- */

enum { SB_CHECKSUMS_MAX = 16 << 20 };

/*
 * The entry for the file `name` (its base name) in a list: GNU "hash  name" and "hash *name", BSD "SHA256
 * (name) = hash", or a file that holds one bare hash. Exactly one distinct hash of the strongest algorithm
 * must stand there; names with "/" match by their last component, names with ".." are refused.
 * SB_ERR_NOT_FOUND when the list does not name it, SB_ERR_VERIFY when it contradicts itself, SB_ERR_PARSE
 * when it is no list.
 */
int sb_checksums_find(sb_slice list, sb_slice name, sb_digest *ret_digest, sb_error **err);

/* --- minisign (fetch/minisign.c): Ed25519, legacy and prehashed (BLAKE2b-512), trusted comment verified ---
 */

/* `key`: "RW…" itself or a public key file. */
int sb_minisign_verify(sb_slice key, sb_slice signature, int data_fd, char **ret_trusted_comment,
                       sb_error **err);

#endif
