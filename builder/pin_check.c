// SPDX-License-Identifier: Apache-2.0
/*
 * The pinned Dockerfile read once more, as an engine reads it: whatever way a reference was written in, none
 * may be left that the plan does not supply.
 */
#include <builder/pin.h>

static bool is_planned(const sb_plan *plan, sb_slice image)
{
    for (size_t i = 0; i < plan->image_count; i++)
        if (sb_slice_eq(plan->images[i].text, image))
            return true;
    return false;
}

static bool is_supplied(const sb_plan *plan, const sb_df_ref *ref)
{
    if (!ref->reachable || ref->context || ref->resolved_stage >= 0)
        return true;
    switch (ref->kind) {
    case SB_REF_FROM:
    case SB_REF_COPY:
    case SB_REF_MOUNT:
        return is_planned(plan, ref->expanded);
    case SB_REF_SYNTAX:
        return !plan->engine->can.frontends || sb_slice_eq(ref->expanded, plan->frontend);
    case SB_REF_ADD_URL:
    case SB_REF_ADD_GIT:
        break;
    }
    return false;
}

/* Build arguments as the engine gets them, and the names of all contexts. */
static void set_inputs(const sb_plan *plan, sb_df_inputs *inputs)
{
    const sb_build_options *options = plan->options;
    sb_df_var *args = sb_arena_array(plan->arena, sb_df_var, options->build_arg_count + 1);
    const char **contexts =
        sb_arena_array(plan->arena, const char *, plan->context_count + plan->user_context_count + 1);

    for (size_t i = 0; i < options->build_arg_count; i++)
        if (!sb_slice_eqz(options->build_args[i].key, "BUILDKIT_SYNTAX"))
            args[inputs->build_arg_count++] = options->build_args[i];
    for (size_t i = 0; i < plan->context_count; i++)
        contexts[inputs->context_count++] = sb_arena_strdup(plan->arena, plan->contexts[i].name);
    for (size_t i = 0; i < plan->user_context_count; i++)
        contexts[inputs->context_count++] = plan->user_context_names[i];
    inputs->build_args = args;
    inputs->contexts = contexts;
    inputs->target = options->target && *options->target ? options->target : NULL;
    inputs->build_platform = sb_host_platform();
    inputs->target_platform = plan->platform.ptr;
}

int sb_pin_check(const sb_plan *plan, sb_error **err)
{
    SB_AUTO(sb_dockerfile) df = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    sb_df_inputs inputs = {0};

    set_inputs(plan, &inputs);
    if (sb_df_parse(plan->dockerfile, "the pinned Dockerfile", 0, &df, err) < 0 ||
        sb_df_view_new(df, &inputs, &view, err) < 0)
        return -1;
    for (size_t i = 0; i < view->ref_count; i++) {
        const sb_df_ref *ref = &view->refs[i];
        sb_autofree char *shown = NULL;

        if (is_supplied(plan, ref))
            continue;
        shown = sb_printable(ref->expanded);
        return sb_fail(
            err, SB_ERR_INTERNAL,
            "the pinned Dockerfile still names %s on line %u, in a way that is not understood; write it "
            "more plainly",
            shown, ref->line);
    }
    return 0;
}
