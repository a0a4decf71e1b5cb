// SPDX-License-Identifier: Apache-2.0
/* The lock file's reader and writer, between themselves. */
#ifndef SBUILD_LOCK_LOCKFILE_H
#define SBUILD_LOCK_LOCKFILE_H

#include <sbuild/lock.h>

enum {
    SB_LOCK_LIST_MAX = 10000,  /* members of a list inside an entry */
    SB_LOCK_TEXT_MAX = 262144, /* bytes of one string */
};

/* What to do about a lock that cannot be read; the end of such messages. */
#define SB_LOCK_REMEDY "; restore the file or run \"sbuild lock\" without it"

/* lockfile_read.c: fills the new `lock` from the document. `text` is where it came from, for line numbers. */
int sb_lock_read(sb_lock *lock, const json_t *json, const char *name, sb_slice text, sb_error **err);

/* lockfile_write.c: "openpgp" */
const char *sb_lock_evidence_name(sb_evidence_kind kind);

/* lockfile_place.c: the line of a merge conflict marker, 0 without one. */
unsigned sb_lock_conflict_line(sb_slice text);
/* The line on which element `index` of the top-level array `section` begins; 1 when it cannot be found. The
 * text must be valid JSON. */
unsigned sb_lock_entry_line(sb_slice text, const char *section, size_t index);

/* lockfile_sort.c: brings everything into its one order. */
void sb_lock_sort(sb_lock *lock);
/* Entries are one when these agree. */
int sb_lock_profile_cmp(const sb_lock_profile *a, const sb_lock_profile *b);
int sb_lock_image_cmp(const sb_lock_image *a, const sb_lock_image *b);
int sb_lock_file_cmp(const sb_lock_file *a, const sb_lock_file *b);
int sb_lock_git_cmp(const sb_lock_git *a, const sb_lock_git *b);
int sb_lock_step_cmp(const sb_lock_step *a, const sb_lock_step *b);
int sb_lock_package_cmp(const sb_lock_package *a, const sb_lock_package *b);

#endif
