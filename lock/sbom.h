// SPDX-License-Identifier: Apache-2.0
/* The bill of materials, between collecting and writing. */
#ifndef SBUILD_LOCK_SBOM_H
#define SBUILD_LOCK_SBOM_H

#include <sbuild/lock.h>
#include <sbuild/timefmt.h>

typedef enum sb_part_kind { SB_PART_IMAGE, SB_PART_FILE, SB_PART_GIT, SB_PART_PACKAGE } sb_part_kind;

typedef struct sb_part { /* something that the lock names */
    sb_part_kind kind;
    sb_slice ref; /* unique in the bill */
    sb_slice name;
    sb_slice version; /* absent without */
    sb_slice purl;
    sb_digest digest;
    sb_slice url;     /* where it is from; absent when that is not known */
    sb_slice vouched; /* by whom, in words */
    sb_slice *needed; /* the instructions, in words */
    size_t needed_count;
} sb_part;

typedef struct sb_parts {
    sb_part *items;
    size_t count;
    sb_slice name;           /* of the Dockerfile */
    char serial[37];         /* a UUID, the same for the same lock */
    char time[SB_TIME_TEXT]; /* RFC 3339: the lock's epoch */
} sb_parts;

/* sbom_write.c */
int sb_sbom_cyclonedx(const sb_parts *parts, sb_buf *out, sb_error **err);
int sb_sbom_spdx(const sb_parts *parts, sb_buf *out, sb_error **err);

#endif
