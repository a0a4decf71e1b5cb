// SPDX-License-Identifier: Apache-2.0
/* Global arguments, and the stages with what they start from. */
#include <dockerfile/view.h>

/* --- Global arguments --- */

static int set_global(df_viewer *v, sb_slice key, sb_slice value, sb_error **err)
{
    size_t given = df_env_find(&v->args, key);

    if (given == DF_NO_VAR)
        return df_scope_set(v, &v->global, key, value, NULL, 1, err);
    return df_scope_set(v, &v->global, key, v->args.vars[given].value, df_origin_of_arg(v, key, NULL), 1,
                        err);
}

static int set_platform(df_viewer *v, const char *prefix, const char *text, sb_slice *ret_text,
                        sb_error **err)
{
    sb_df_platform p;
    sb_slice value;

    if (sb_df_platform_parse(v->arena, sb_slice_z(text), &p, err) < 0)
        return -1;
    *ret_text = value = sb_df_platform_format(v->arena, &p);
    if (set_global(v, sb_arena_printf(v->arena, "%sPLATFORM", prefix), value, err) < 0 ||
        set_global(v, sb_arena_printf(v->arena, "%sOS", prefix), p.os, err) < 0 ||
        set_global(v, sb_arena_printf(v->arena, "%sOSVERSION", prefix), SB_LIT(""), err) < 0 ||
        set_global(v, sb_arena_printf(v->arena, "%sARCH", prefix), p.arch, err) < 0 ||
        set_global(v, sb_arena_printf(v->arena, "%sVARIANT", prefix), p.variant, err) < 0)
        return -1;
    return 0;
}

static sb_slice stage_name(df_viewer *v, const sb_df_instruction *from)
{
    return from->arg_count == 3 ? sb_arena_lower(v->arena, from->args[2].text) : SB_LIT("");
}

static sb_slice target_stage(df_viewer *v)
{
    if (v->inputs->target && *v->inputs->target)
        return sb_slice_z(v->inputs->target);
    for (size_t i = v->df->instruction_count; i-- > 0;) {
        const sb_df_instruction *ins = &v->df->instructions[i];

        if (ins->keyword == SB_DF_FROM)
            return ins->arg_count == 3 ? stage_name(v, ins) : SB_LIT("default");
    }
    return SB_LIT("default");
}

int df_view_globals(df_viewer *v, sb_error **err)
{
    const char *build = v->inputs->build_platform ? v->inputs->build_platform : "linux/amd64";
    const char *target = v->inputs->target_platform ? v->inputs->target_platform : build;

    if (set_platform(v, "BUILD", build, &v->build_platform, err) < 0 ||
        set_platform(v, "TARGET", target, &v->target_platform, err) < 0 ||
        set_global(v, SB_LIT("TARGETSTAGE"), target_stage(v), err) < 0)
        return -1;
    for (size_t i = 0; i < v->df->instruction_count; i++) {
        const sb_df_instruction *ins = &v->df->instructions[i];
        sb_df_expanded *expanded = &v->view->expanded[i];

        if (ins->stage >= 0)
            break;
        expanded->words = sb_arena_array(v->arena, sb_slice, 2 * ins->pair_count + 1);
        for (size_t k = 0; k < ins->pair_count; k++) {
            expanded->words[expanded->count++] = ins->pairs[k].key;
            if (df_scope_arg(v, &v->global, &ins->pairs[k], ins->start_line,
                             &expanded->words[expanded->count++], err) < 0)
                return -1;
        }
    }
    return 0;
}

/* --- Names --- */

int df_stage_named(const df_viewer *v, sb_slice name)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    size_t i = name.len ? df_env_find(&v->names, sb_arena_lower(arena, name)) : DF_NO_VAR;

    return i == DF_NO_VAR ? -1 : v->last_of[i];
}

static void name_stage(df_viewer *v, const sb_df_stage *stage)
{
    size_t i;

    if (!stage->name.len)
        return;
    i = df_env_put(v->arena, &v->names, stage->name, SB_LIT(""));
    if (i == DF_NO_VAR)
        return;
    if (i >= v->last_cap)
        v->last_of = sb_arena_grow(v->arena, v->last_of, i, &v->last_cap, sizeof(*v->last_of));
    v->last_of[i] = stage->index;
}

sb_slice df_stage_label(const df_viewer *v, int stage)
{
    if (v->view->stages[stage].name.len)
        return v->view->stages[stage].name;
    return sb_arena_printf(v->arena, "stage-%d", stage);
}

/* The name as people write it: "docker.io/library/alpine:latest" is "alpine". */
static sb_slice familiar(sb_slice name)
{
    static const char *const hubs[] = {"docker.io/", "index.docker.io/"};
    sb_slice library = SB_LIT("library/"), latest = SB_LIT(":latest");

    for (size_t i = 0; i < SB_COUNT(hubs); i++) {
        if (sb_slice_starts(name, sb_slice_z(hubs[i]))) {
            name = sb_slice_sub(name, strlen(hubs[i]), name.len);
            break;
        }
    }
    if (sb_slice_starts(name, library) && sb_slice_chr(sb_slice_sub(name, library.len, name.len), '/') < 0)
        name = sb_slice_sub(name, library.len, name.len);
    if (sb_slice_ends(name, latest))
        name.len -= latest.len;
    return name;
}

bool df_is_context(const df_viewer *v, sb_slice name, sb_slice platform)
{
    sb_slice key = familiar(name);

    if (!v->contexts.count || sb_slice_eq_nocase(name, SB_LIT("scratch")) ||
        sb_slice_eq_nocase(name, SB_LIT("context")))
        return false;
    if (df_env_find(&v->contexts, key) != DF_NO_VAR)
        return true;
    key = sb_arena_printf(v->arena, "%" SB_FMT "::%" SB_FMT, SB_ARG(key), SB_ARG(platform));
    return df_env_find(&v->contexts, key) != DF_NO_VAR;
}

static void read_contexts(df_viewer *v)
{
    for (size_t i = 0; i < v->inputs->context_count; i++) {
        sb_slice name = sb_slice_z(v->inputs->contexts[i]);
        ptrdiff_t at = sb_slice_find(name, SB_LIT("::"));

        if (at < 0)
            name = familiar(name);
        else
            name = sb_arena_printf(v->arena, "%" SB_FMT "%" SB_FMT,
                                   SB_ARG(familiar(sb_slice_sub(name, 0, (size_t)at))),
                                   SB_ARG(sb_slice_sub(name, (size_t)at, name.len)));
        sb_df_env_set(v->arena, &v->contexts, name, SB_LIT(""));
    }
}

/* --- Stages --- */

static int stage_platform(df_viewer *v, const sb_df_instruction *ins, sb_df_stage *stage, sb_error **err)
{
    const sb_df_flag *flag = sb_df_find_flag(ins, "platform");
    sb_autofree char *shown = NULL;
    sb_df_platform platform;
    sb_slice text;

    stage->platform = SB_LIT("");
    if (!flag || !flag->value.len)
        return 0;
    shown = sb_printable(flag->value);
    if (df_expand_text(&v->expander, flag->value, &text, err) < 0)
        return sb_wrap(err, "%s:%u: failed to process arguments for platform %s", v->name, ins->start_line,
                       shown);
    if (!text.len && v->inputs->lenient)
        return 0;
    if (!text.len)
        return df_view_fail(v, ins->start_line, err, "empty platform value from expression %s", shown);
    if (sb_df_platform_parse(v->arena, text, &platform, err) < 0)
        return sb_wrap(err, "%s:%u: failed to parse platform %s", v->name, ins->start_line, shown);
    stage->platform = sb_df_platform_format(v->arena, &platform);
    return 0;
}

/* FROM looks among the stages above only, and as it is written. */
static void stage_base(df_viewer *v, sb_df_stage *stage, df_stage_work *work)
{
    sb_slice platform = stage->platform.len ? stage->platform : v->target_platform;
    size_t named = df_env_find(&v->names, stage->base_expanded);

    stage->base_stage = -1;
    if (stage->name.len && df_is_context(v, stage->name, platform)) {
        stage->base_kind = SB_BASE_CONTEXT;
        work->replaced = stage->replaced = true;
    } else if (named != DF_NO_VAR) {
        stage->base_kind = SB_BASE_STAGE;
        stage->base_stage = v->last_of[named];
    } else if (sb_slice_eqz(stage->base_expanded, "scratch")) {
        stage->base_kind = SB_BASE_SCRATCH;
    } else if (df_is_context(v, stage->base_expanded, platform)) {
        stage->base_kind = SB_BASE_CONTEXT;
    } else {
        stage->base_kind = SB_BASE_IMAGE;
    }
}

static int begin_stage(df_viewer *v, size_t at, sb_df_stage *stage, df_stage_work *work, sb_error **err)
{
    const sb_df_instruction *ins = &v->df->instructions[at];
    sb_df_expanded *expanded = &v->view->expanded[at];
    sb_autofree char *shown = sb_printable(ins->args[0].text);

    stage->index = ins->stage;
    stage->name = stage_name(v, ins);
    stage->from = at;
    stage->base = ins->args[0].text;
    df_expand_in(v, &v->global);
    if (df_view_expand(v, stage->base, ins->start_line, &stage->base_expanded, err) < 0)
        return -1;
    if (!stage->base_expanded.len && !v->inputs->lenient)
        return df_view_fail(v, ins->start_line, err, "base name (%s) should not be blank", shown);
    if (stage_platform(v, ins, stage, err) < 0)
        return -1;
    work->from_origin = v->origin;
    stage_base(v, stage, work);
    name_stage(v, stage);
    expanded->words = sb_arena_array(v->arena, sb_slice, ins->arg_count);
    for (size_t i = 0; i < ins->arg_count; i++)
        expanded->words[expanded->count++] = i ? ins->args[i].text : stage->base_expanded;
    return 0;
}

int df_view_stages(df_viewer *v, sb_error **err)
{
    const sb_dockerfile *df = v->df;
    sb_df_view *view = v->view;
    size_t count = 0;

    read_contexts(v);
    for (size_t i = 0; i < df->instruction_count; i++)
        count += df->instructions[i].keyword == SB_DF_FROM;
    view->stages = sb_arena_array(v->arena, sb_df_stage, count + 1);
    v->work = sb_arena_array(v->arena, df_stage_work, count + 1);
    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];
        df_stage_work *work;

        if (ins->keyword == SB_DF_FROM) {
            if (!ins->arg_count || view->stage_count != (size_t)ins->stage)
                return df_view_fail(v, ins->start_line, err, "FROM requires either one or three arguments");
            if (begin_stage(v, i, &view->stages[ins->stage], &v->work[ins->stage], err) < 0)
                return -1;
            view->stage_count++;
        }
        if (ins->stage < 0)
            continue;
        if ((size_t)ins->stage >= view->stage_count)
            return sb_fail(err, SB_ERR_INTERNAL, "an instruction of no stage on line %u", ins->start_line);
        work = &v->work[ins->stage];
        work->end = i + 1;
        if (ins->keyword == SB_DF_ONBUILD && ins->trigger)
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
            *SB_ARENA_PUSH(v->arena, work->onbuild, work->onbuild_count, work->onbuild_cap) = ins->trigger;
    }
    if (!count)
        return df_view_fail(v, 1, err, "dockerfile contains no stages to build");
    view->target_platform = v->target_platform;
    view->target = (int)count - 1;
    if (v->inputs->target && *v->inputs->target)
        view->target = df_stage_named(v, sb_slice_z(v->inputs->target));
    if (view->target < 0) {
        sb_autofree char *shown = sb_printable(sb_slice_z(v->inputs->target));

        return sb_fail(err, SB_ERR_USAGE, "target stage \"%s\" could not be found in %s", shown, v->name);
    }
    return 0;
}
