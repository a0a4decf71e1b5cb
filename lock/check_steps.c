// SPDX-License-Identifier: Apache-2.0
/* RUN steps: is each in the lock, and are the answers that it was recorded with in the store? */
#include <lock/check.h>

#include <lock/objects.h>
#include <lock/project.h>

sb_slice sb_check_step_where(const sb_check *check, const sb_lock_step *step)
{
    return sb_step_places_show(&check->step_places, check->project, step, check->arena);
}

static bool needs_entry(const sb_run_step *step)
{
    return !sb_slice_eqz(step->network, "none");
}

static void not_locked(sb_check *check, const sb_run_step *step)
{
    sb_autofree char *file = sb_printable(check->project->dockerfile_name);

    sb_lock_findings_add(check->findings, SB_ERR_STALE,
                         "%s:%u: %s%" SB_FMT " is not in the lock for %" SB_FMT "; run \"%" SB_FMT "\"", file,
                         step->line, step->trigger >= 0 ? "ONBUILD of the base image: " : "",
                         SB_ARG(step->label), SB_ARG(step->platform),
                         SB_ARG(sb_project_command(check->project, check->arena, "lock")));
}

int sb_check_run_steps(sb_check *check, const sb_df_view *view, sb_error **err)
{
    sb_run_step *steps;
    size_t count;

    if (sb_run_steps(view, check->arena, &steps, &count, err) < 0)
        return -1;
    check->findings->checked += count;
    sb_step_places_add(check->arena, &check->step_places, steps, count);
    for (size_t i = 0; i < count; i++)
        if (needs_entry(&steps[i]) && !sb_lock_find_step(check->lock, &steps[i]))
            not_locked(check, &steps[i]);
    return 0;
}

void sb_check_load_steps(sb_check *check, sb_needed_list *list)
{
    for (size_t i = 0; check->project->store && i < check->lock->step_count; i++) {
        const sb_lock_step *step = &check->lock->steps[i];
        SB_AUTO(sb_step_manifest) manifest = NULL;
        SB_AUTO(sb_error) why = NULL;

        /* One that is missing is told with the other objects, a damaged one when all are hashed. */
        if (!step->has_manifest || !sb_store_has(check->project->store, &step->manifest, 0))
            continue;
        if (sb_step_manifest_load(step, check->project->store, &manifest, &why) == 0)
            sb_needed_by_step(step, manifest, check->arena, list);
        else if (why->code != SB_ERR_VERIFY)
            sb_lock_findings_take(check->findings, sb_check_step_where(check, step).ptr, &why);
    }
}

/* Of one step: one line, however many are missing. */
static void tell_missing(sb_check *check, const sb_needed *first, size_t missing, size_t all)
{
    sb_autofree char *url = sb_printable(first->name);

    sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                         "%" SB_FMT ": %zu of its %zu downloads %s not in %s (%s%s); run \"%" SB_FMT "\"",
                         SB_ARG(sb_check_step_where(check, first->step)), missing, all,
                         missing == 1 ? "is" : "are", SB_STORE_NAME, url, missing == 1 ? "" : " …",
                         SB_ARG(sb_project_command(check->project, check->arena, "vendor")));
}

void sb_check_bodies(sb_check *check, const sb_needed_list *list)
{
    for (size_t i = 0, end; i < list->count; i = end) {
        const sb_needed *first = NULL;
        size_t missing = 0;

        /* Those of a step stand together. */
        for (end = i; end < list->count && list->items[end].step == list->items[i].step; end++) {
            const sb_needed *one = &list->items[end];

            if (sb_store_has(check->project->store, &one->digest, one->size))
                continue;
            if (!missing++)
                first = one;
        }
        if (first)
            tell_missing(check, first, missing, end - i);
    }
}
