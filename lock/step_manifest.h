// SPDX-License-Identifier: Apache-2.0
/* The step manifest, between the files that make it. */
#ifndef SBUILD_LOCK_STEP_MANIFEST_H
#define SBUILD_LOCK_STEP_MANIFEST_H

#include <sbuild/step.h>

/* By URL, method, body, wanted headers and turn: the order in which they are written. */
int sb_step_request_cmp(const sb_step_request *a, const sb_step_request *b);
/* Do they agree in everything? */
bool sb_step_request_eq(const sb_step_request *a, const sb_step_request *b);
/*
 * Walks the requests that may have this URL (the caller compares): 0 starts, and what comes back is the place
 * of the next one plus one; 0 when there is none.
 */
size_t sb_step_manifest_next(const sb_step_manifest *manifest, sb_slice url, size_t after);
/* Headers by name, then by value. */
void sb_step_headers_sort(sb_step_header *headers, size_t count);
/* Brings the requests into their order and makes the index anew. */
void sb_step_manifest_sort(sb_step_manifest *manifest);

#endif
