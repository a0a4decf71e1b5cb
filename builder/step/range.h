// SPDX-License-Identifier: Apache-2.0
/* Range and If-Range (RFC 9110, 14): which part of an answer of 200 the client wants. */
#ifndef STEP_RANGE_H
#define STEP_RANGE_H

#include <builder/step/head.h>

typedef struct step_range {
    bool wanted;
    bool suffix;          /* the last `last` bytes */
    uint64_t first, last; /* inclusive; last UINT64_MAX: to the end */
} step_range;

/* Of several ranges that lie close together the one that covers them all; others, and what cannot be
 * understood, are ignored, as they may be: the answer is the whole. */
step_range step_range_of(const step_head *request);
/* Does If-Range, when there is one, name the answer with these headers? */
bool step_range_holds(const step_head *request, const sb_step_header *headers, size_t count);
/* The part of `size` bytes; false: not satisfiable (416). */
bool step_range_apply(const step_range *range, uint64_t size, uint64_t *ret_first, uint64_t *ret_len);

#endif
