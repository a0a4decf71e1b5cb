// SPDX-License-Identifier: Apache-2.0
/* The parts of `sbuild why` between themselves. */
#ifndef SBUILD_LOCK_WHY_H
#define SBUILD_LOCK_WHY_H

#include <lock/step_places.h>

enum { SB_WHY_SHOWN = 300 }; /* bytes of a name */

typedef struct sb_why {
    sb_project *project;
    const sb_lock *lock;
    sb_arena *arena;
    sb_slice what;
    sb_df_view **views; /* one for each locked profile and platform */
    size_t view_count, view_cap;
    sb_step_places places;
    sb_buf *out;
    size_t answers;
} sb_why;

bool sb_why_digest_matches(const sb_why *why, const sb_digest *digest);
bool sb_why_text_matches(const sb_why *why, sb_slice text);
/* The first line of an answer, and one of its details. */
void sb_why_begin(sb_why *why, const char *kind, sb_slice name);
void sb_why_line(sb_why *why, const char *label, const char *fmt, ...) SB_PRINTF(3, 4);
void sb_why_digest(sb_why *why, const char *label, const sb_digest *digest);

/* why_steps.c: RUN steps, packages and downloads. */
int sb_why_steps(sb_why *why, sb_error **err);

#endif
