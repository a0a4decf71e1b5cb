// SPDX-License-Identifier: Apache-2.0
#include <lock/step_places.h>

unsigned sb_step_places_line(const sb_step_places *places, const char *id)
{
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->items[i].id, id) == 0)
            return places->items[i].line;
    return 0;
}

void sb_step_places_add(sb_arena *arena, sb_step_places *places, const sb_run_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sb_step_place place = {.line = steps[i].line};

        if (sb_step_places_line(places, steps[i].id))
            continue;
        memcpy(place.id, steps[i].id, sizeof(place.id));
        *SB_ARENA_PUSH(arena, places->items, places->count, places->cap) = place;
    }
}

sb_slice sb_step_places_show(const sb_step_places *places, const sb_project *project,
                             const sb_lock_step *step, sb_arena *arena)
{
    sb_autofree char *file = sb_printable(project->dockerfile_name);
    sb_autofree char *command = sb_printable(step->command);
    char id[SB_STEP_ID_LEN + 1];
    unsigned line;

    sb_step_id(step->stage, &step->text, step->nth, step->platform, id);
    line = sb_step_places_line(places, id);
    return line ? sb_arena_printf(arena, "%s:%u: RUN %s", file, line, command)
                : sb_arena_printf(arena, "RUN %s", command);
}
