// SPDX-License-Identifier: Apache-2.0
/*
 * Who vouches for a download, judged from bytes in a store alone: no network, and no clock but the time that
 * the lock recorded. `sbuild lock` puts signature, list and keys into the store first and then asks the same
 * functions as `sbuild verify` does ever after.
 */
#ifndef SBUILD_LOCK_EVIDENCE_H
#define SBUILD_LOCK_EVIDENCE_H

#include <sbuild/lock.h>
#include <sbuild/store.h>

/*
 * Does this evidence hold for the file? The file itself, signatures, lists and keys are read from `store`
 * (each verified by its digest). 0 when it holds; SB_ERR_VERIFY when it does not, SB_ERR_NOT_FOUND when an
 * object is missing. Messages name the URL, not a line: the caller knows who asked. SB_EVIDENCE_TOFU and an
 * unsigned list that agrees always hold.
 */
int sb_evidence_recheck(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                        sb_arena *arena, sb_error **err);
/* The same for a git entry: OPENPGP evidence keeps the signed tag or commit object as `list`. */
int sb_evidence_recheck_git(const sb_store *store, const sb_lock_git *git, const sb_lock_evidence *evidence,
                            sb_arena *arena, sb_error **err);

/* What came to light when evidence was checked for the first time. */
typedef struct sb_evidence_found {
    sb_lock_signer *signers; /* none where nobody signs */
    size_t signer_count;
    sb_slice entry; /* of a checksum list: "sha256:…"; absent otherwise */
} sb_evidence_found;
int sb_evidence_check(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                      sb_arena *arena, sb_evidence_found *ret_found, sb_error **err);
int sb_evidence_check_git(const sb_store *store, const sb_lock_git *git, const sb_lock_evidence *evidence,
                          sb_arena *arena, sb_evidence_found *ret_found, sb_error **err);

/* Every object that the evidence stands on: signature, list, keys. */
size_t sb_evidence_objects(const sb_lock_evidence *evidence, sb_arena *arena, sb_digest **ret_digests);

/* Does it prove anything: not TOFU, not a list that nobody signed. */
bool sb_evidence_vouches(const sb_lock_evidence *evidence);

/* In words: "OpenPGP 0123…CDEF", "sha256 in the Dockerfile", "list signed by …", "nobody (first use)". */
sb_slice sb_evidence_describe(sb_arena *arena, const sb_lock_evidence *evidence, size_t count);

#endif
