// SPDX-License-Identifier: Apache-2.0
/* Which RUN instructions a plan has, how each is run, and what it may ask for. */
#include <builder/record.h>

sb_slice sb_seal_architecture(sb_arena *arena, sb_slice platform)
{
    char *name;

    (void)sb_slice_cut(&platform, '/');
    name = sb_arena_strdup(arena, platform);
    for (char *p = name; *p; p++)
        if (*p == '/')
            *p = '-';
    return sb_slice_z(name);
}

void sb_seal_clear(sb_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        sb_step_manifest_free(plan->steps[i].manifest);
}

/* --- Which step somebody means --- */

static bool is_line(const char *text, unsigned line)
{
    sb_autofree char *number = sb_asprintf("%u", line);

    return strcmp(text, number) == 0;
}

static const sb_run_step *step_at(const sb_run_step *steps, size_t stride, size_t index)
{
    return (const sb_run_step *)(const void *)((const char *)steps + index * stride);
}

int sb_seal_find(const char *option, const char *text, const sb_run_step *steps, size_t count, size_t stride,
                 size_t *ret_index, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(text));
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        const sb_run_step *step = step_at(steps, stride, i);

        if (strcmp(text, step->id) == 0 || is_line(text, step->line)) {
            *ret_index = i;
            return 0;
        }
    }
    for (size_t i = 0; *text && i < count; i++) {
        if (sb_slice_find(step_at(steps, stride, i)->text, sb_slice_z(text)) < 0)
            continue;
        if (++found > 1)
            return sb_fail(err, SB_ERR_USAGE,
                           "%s=%s means several RUN instructions; give the line of one (%u, %u …)", option,
                           shown, step_at(steps, stride, *ret_index)->line, step_at(steps, stride, i)->line);
        *ret_index = i;
    }
    if (!found)
        return sb_fail(err, SB_ERR_USAGE,
                       "%s=%s means no RUN instruction of this build; give its line or a part of its text",
                       option, shown);
    return 0;
}

static int allow_networks(sb_plan *plan, sb_error **err)
{
    const char *const *wanted = plan->options->allow_network;

    for (; wanted && *wanted; wanted++) {
        size_t index = 0;

        if (sb_seal_find("--allow-network", *wanted, &plan->steps->run, plan->step_count,
                         sizeof(*plan->steps), &index, err) < 0)
            return -1;
        plan->steps[index].mode = SB_STEP_OPEN;
        plan->steps[index].networked = true;
    }
    return 0;
}

/* --- How each is run --- */

/* What a RUN --network of the user means; `offline` takes what leads out. */
static void set_mode(const sb_plan *plan, sb_plan_step *step)
{
    const sb_seal_record *record = plan->record;
    sb_slice network = step->run.network;

    step->mode = SB_STEP_REPLAY;
    if (sb_slice_eqz(network, "none")) {
        step->mode = SB_STEP_OPEN;
    } else if (network.len && !plan->options->offline) {
        step->mode = SB_STEP_OPEN;
        step->networked = true;
    } else if (record) {
        step->cache = record->cache_id(record->ctx, &step->run, plan->arena);
        if (step->cache.ptr)
            step->mode = SB_STEP_RECORD;
    }
}

/*
 * ONBUILD RUN of a stage that several start from is one instruction with one cache mount: the first of its
 * runs has it, and what is in it counts for all.
 */
static void share_recordings(sb_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        for (size_t k = 0; k < i; k++)
            if (plan->steps[k].run.instruction == plan->steps[i].run.instruction)
                plan->steps[i].cache = SB_NIL;
}

static int set_manifest(const sb_plan *plan, const sb_run_step *runs, size_t index, sb_plan_step *step,
                        sb_error **err)
{
    const sb_seal_record *record = plan->record;

    if (step->mode == SB_STEP_OPEN || (record && record->starts_empty(record->ctx, &step->run))) {
        step->manifest = sb_step_manifest_new();
        return 0;
    }
    return sb_lock_step_manifest(plan->project, plan->lock, runs, plan->step_count, index, &step->manifest,
                                 err);
}

int sb_seal_steps(sb_plan *plan, sb_error **err)
{
    sb_run_step *runs;
    size_t count;

    if (sb_run_steps(plan->view, plan->arena, &runs, &count, err) < 0)
        return -1;
    plan->steps = sb_arena_array(plan->arena, sb_plan_step, count + 1);
    plan->step_count = count;
    for (size_t i = 0; i < count; i++) {
        plan->steps[i].run = runs[i];
        set_mode(plan, &plan->steps[i]);
    }
    share_recordings(plan);
    if (allow_networks(plan, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (set_manifest(plan, runs, i, &plan->steps[i], err) < 0)
            return -1;
    return 0;
}

void sb_seal_warn(const sb_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const sb_plan_step *step = &plan->steps[i];
        sb_autofree char *file = sb_printable(plan->project->dockerfile_name);

        if (!step->networked)
            continue;
        if (step->run.network.len)
            sb_progress_line(plan->project->progress, SB_EVENT_WARNING,
                             "%s:%u: %" SB_FMT " keeps its network (--network=%" SB_FMT
                             "): what it downloads is in no lock",
                             file, step->run.line, SB_ARG(step->run.label), SB_ARG(step->run.network));
        else
            sb_progress_line(plan->project->progress, SB_EVENT_WARNING,
                             "%s:%u: %" SB_FMT " has the network (--allow-network): what it downloads is in "
                             "no lock",
                             file, step->run.line, SB_ARG(step->run.label));
    }
}

int sb_seal_failed(const sb_plan *plan, sb_error **err)
{
    const sb_run_step **runs = sb_arena_array(plan->arena, const sb_run_step *, plan->step_count + 1);
    const char **ids;
    size_t count;

    for (size_t i = 0; i < plan->step_count; i++)
        runs[i] = &plan->steps[i].run;
    count = sb_misses_steps(plan->misses, runs, plan->step_count, plan->arena, &ids);
    /* What is wrong is said below; a note that cannot be written is no further reason to fail. */
    if (count)
        (void)sb_record_note_missed(plan->project, ids, count, NULL);
    sb_misses_report(plan->misses, plan->project, runs, plan->step_count, err);
    return -1;
}
