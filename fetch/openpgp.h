// SPDX-License-Identifier: Apache-2.0
/* GnuPG with a home of its own that lives for one verification and holds the given keys alone. */
#ifndef FETCH_OPENPGP_H
#define FETCH_OPENPGP_H

#include <sbuild/verify.h>

#include <gpgme.h>

typedef struct sb_pgp_home sb_pgp_home;

/* Imports the keys; expiry is judged at `now` when that is > 0. */
int sb_pgp_home_open(const sb_slice *keys, size_t key_count, int64_t now, sb_pgp_home **ret_home,
                     sb_error **err);
void sb_pgp_home_free(sb_pgp_home *home);
SB_DEFINE_CLEANUP(sb_pgp_home, sb_pgp_home_free)

gpgme_ctx_t sb_pgp_home_context(const sb_pgp_home *home);

typedef struct sb_pgp_key {
    sb_slice fingerprint; /* of a primary key or a subkey */
    sb_slice primary;
    sb_slice user_id;
} sb_pgp_key;

/* The key or subkey with that fingerprint or key ID, NULL when it is none of the given ones. */
const sb_pgp_key *sb_pgp_home_key(const sb_pgp_home *home, sb_slice id);

/* The reason that gpgme gives, as a message of ours. */
int sb_pgp_fail(gpgme_error_t why, const char *what, sb_error **err);

#endif
