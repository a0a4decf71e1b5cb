// SPDX-License-Identifier: Apache-2.0
/* Members of the lock's entries: each is checked, and what is wrong with it says where. */
#ifndef SBUILD_LOCK_LOCKFILE_MEMBER_H
#define SBUILD_LOCK_LOCKFILE_MEMBER_H

#include <lock/lockfile.h>

typedef struct sb_lock_reader {
    sb_lock *lock;
    const char *name;
    sb_slice text;
    const char *section; /* the top-level member that is being read */
    size_t index;        /* of the entry in it */
    const char *list;    /* the list inside the entry, NULL outside of one */
    size_t list_index;
} sb_lock_reader;

/* Always -1: where it is, and what it must be. */
int sb_member_bad(const sb_lock_reader *r, const char *key, const char *what, sb_error **err);

/* Of a value itself. */
int sb_member_string(const sb_lock_reader *r, const json_t *value, const char *key, sb_slice *ret_text,
                     sb_error **err);
/* Texts are copied into the lock's arena; one that is missing and not needed leaves what is there. */
int sb_member_text(const sb_lock_reader *r, const json_t *object, const char *key, bool needed,
                   sb_slice *ret_text, sb_error **err);
int sb_member_texts(const sb_lock_reader *r, const json_t *object, const char *key, sb_slice **ret_texts,
                    size_t *ret_count, sb_error **err);
int sb_member_digest(const sb_lock_reader *r, const json_t *object, const char *key, sb_digest *ret_digest,
                     sb_error **err);
int sb_member_digest_if(const sb_lock_reader *r, const json_t *object, const char *key, bool *ret_has,
                        sb_digest *ret_digest, sb_error **err);
int sb_member_digests(const sb_lock_reader *r, const json_t *object, const char *key, sb_digest **ret_digests,
                      size_t *ret_count, sb_error **err);
/* 0 when it is missing. */
int sb_member_number(const sb_lock_reader *r, const json_t *object, const char *key, uint64_t max,
                     uint64_t *ret_number, sb_error **err);
/* The member "size", which must be there. */
int sb_member_size(const sb_lock_reader *r, const json_t *object, uint64_t *ret_size, sb_error **err);
int sb_member_time(const sb_lock_reader *r, const json_t *object, const char *key, int64_t fallback,
                   int64_t *ret_when, sb_error **err);
int sb_member_bool(const sb_lock_reader *r, const json_t *object, const char *key, bool *ret_value,
                   sb_error **err);
/* The array, NULL when it is missing. */
int sb_member_list(const sb_lock_reader *r, const json_t *object, const char *key, const json_t **ret_list,
                   sb_error **err);

/* The members that are not among the `known`; NULL when there are none. */
json_t *sb_member_unknown(sb_lock *lock, const json_t *object, const char *const *known);

#endif
