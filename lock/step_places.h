// SPDX-License-Identifier: Apache-2.0
/* Where the steps of a lock stand in the Dockerfile, for messages. */
#ifndef SBUILD_LOCK_STEP_PLACES_H
#define SBUILD_LOCK_STEP_PLACES_H

#include <sbuild/lock.h>

typedef struct sb_step_place {
    char id[SB_STEP_ID_LEN + 1];
    unsigned line;
} sb_step_place;

typedef struct sb_step_places {
    sb_step_place *items;
    size_t count, cap;
} sb_step_places;

void sb_step_places_add(sb_arena *arena, sb_step_places *places, const sb_run_step *steps, size_t count);
/* 0 when no RUN has this id. */
unsigned sb_step_places_line(const sb_step_places *places, const char *id);
/* "Dockerfile:3: RUN npm ci", without the place when no RUN is this step any more; printable. */
sb_slice sb_step_places_show(const sb_step_places *places, const sb_project *project,
                             const sb_lock_step *step, sb_arena *arena);

#endif
