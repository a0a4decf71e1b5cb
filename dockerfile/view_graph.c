// SPDX-License-Identifier: Apache-2.0
/* Who needs whom: circles, what the target reaches, and the triggers of base images. */
#include <dockerfile/view.h>

/* --- What each stage needs --- */

static int needs_of(df_viewer *v, const sb_df_instruction *ins, df_stage_work *work, unsigned line,
                    sb_error **err)
{
    df_from from;

    for (size_t i = 0; df_next_from(v, ins, &i, &from); i++) {
        if (df_resolve_from(v, &from, line, err) < 0)
            return -1;
        if (from.stage >= 0)
            *SB_ARENA_PUSH(v->arena, work->needs, work->need_count, work->need_cap) = from.stage;
    }
    return 0;
}

static int collect_needs(df_viewer *v, int stage, sb_error **err)
{
    const sb_df_stage *s = &v->view->stages[stage];
    df_stage_work *work = &v->work[stage];

    if (work->replaced)
        return 0;
    if (s->base_kind == SB_BASE_STAGE)
        *SB_ARENA_PUSH(v->arena, work->needs, work->need_count, work->need_cap) = s->base_stage;
    for (size_t i = s->from + 1; i < work->end; i++)
        if (needs_of(v, &v->df->instructions[i], work, v->df->instructions[i].start_line, err) < 0)
            return -1;
    return 0;
}

/* --- Circles --- */

typedef struct visit {
    int stage;
    size_t next; /* of its needs */
} visit;

enum { NEW, OPEN, DONE };

/* Depth first, from one stage on; fails at the first stage that is met again while it is still open. */
static int find_circle(df_viewer *v, int start, unsigned char *state, visit *stack, sb_error **err)
{
    size_t depth = 0;

    if (state[start] != NEW)
        return 0;
    stack[depth++] = (visit){start, 0};
    state[start] = OPEN;
    while (depth) {
        visit *top = &stack[depth - 1];
        const df_stage_work *work = &v->work[top->stage];
        int need;

        if (top->next == work->need_count) {
            state[top->stage] = DONE;
            depth--;
            continue;
        }
        need = work->needs[top->next++];
        if (state[need] == OPEN) {
            sb_autofree char *shown = sb_printable(df_stage_label(v, start));

            return df_view_fail(v, v->df->instructions[v->view->stages[need].from].start_line, err,
                                "circular dependency detected on stage: %s", shown);
        }
        if (state[need] == NEW) {
            state[need] = OPEN;
            stack[depth++] = (visit){need, 0};
        }
    }
    return 0;
}

/* --- Triggers of base images --- */

static void forget_places(sb_df_instruction *ins, unsigned line)
{
    const sb_span none = {0, 0};

    ins->span = ins->keyword_span = ins->rest_span = none;
    ins->start_line = ins->end_line = line;
    ins->stage = -1;
    for (size_t i = 0; i < ins->flag_count; i++)
        ins->flags[i].span = none;
    for (size_t i = 0; i < ins->arg_count; i++)
        ins->args[i].span = none;
    for (size_t i = 0; i < ins->pair_count; i++)
        ins->pairs[i].key_span = ins->pairs[i].value_span = none;
    for (size_t i = 0; i < ins->heredoc_count; i++)
        ins->heredocs[i].span = none;
}

static int parse_trigger(df_viewer *v, df_view_box *box, const sb_df_stage *stage, sb_slice text,
                         sb_df_instruction *ret_trigger, sb_error **err)
{
    sb_autofree char *base = sb_printable(stage->base_expanded);
    sb_slice name = sb_arena_printf(v->arena, "ONBUILD trigger of %s", base);
    unsigned line = v->df->instructions[stage->from].start_line;
    sb_autobuf file = SB_BUF_INIT(DF_TRIGGER_BYTES_MAX);
    sb_dockerfile *df;

    sb_buf_addz(&file, "FROM scratch\n");
    sb_buf_adds(&file, text);
    sb_buf_addc(&file, '\n');
    if (sb_buf_check(&file, name.ptr, err) < 0 ||
        sb_df_parse(sb_arena_dup(v->arena, sb_buf_slice(&file)), name.ptr, 0, &df, err) < 0)
        return sb_wrap(err, "%s:%u", v->name, line);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    *SB_PUSH(box->triggers, box->trigger_count, box->trigger_cap) = df;
    if (df->instruction_count != 2)
        return df_view_fail(v, line, err, "%s: onbuild trigger should be a single expression", name.ptr);
    *ret_trigger = df->instructions[1];
    if (ret_trigger->keyword == SB_DF_FROM)
        return df_view_fail(v, line, err, "%s: FROM isn't allowed as an ONBUILD trigger", name.ptr);
    forget_places(ret_trigger, line);
    return 0;
}

static int count_triggers(df_viewer *v, size_t more, unsigned line, sb_error **err)
{
    v->triggers += more;
    if (more > DF_TRIGGERS_MAX || v->triggers > DF_TRIGGERS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s:%u: more than the maximum of %d ONBUILD triggers", v->name,
                       line, DF_TRIGGERS_MAX);
    return 0;
}

static int image_triggers(df_viewer *v, df_view_box *box, sb_df_stage *stage, df_stage_work *work,
                          sb_error **err)
{
    sb_slice platform = stage->platform.len ? stage->platform : v->target_platform;
    unsigned line = v->df->instructions[stage->from].start_line;
    int found;

    if (!v->inputs->lookup)
        return 0;
    found = v->inputs->lookup(v->inputs->lookup_ctx, stage->base_expanded, platform, &work->config, err);
    if (found < 0)
        return -1;
    work->known = found > 0;
    if (!work->known)
        return 0;
    stage->base_known = true;
    stage->base_env = work->config.env;
    stage->base_env_count = work->config.env_count;
    stage->base_os = work->config.os;
    stage->base_arch = work->config.arch;
    stage->shell = sb_arena_array(v->arena, sb_slice, work->config.shell_count + 1);
    for (size_t i = 0; i < work->config.shell_count; i++)
        stage->shell[stage->shell_count++] = sb_arena_dup(v->arena, work->config.shell[i]);
    if (!work->config.onbuild_count)
        return 0;
    if (count_triggers(v, work->config.onbuild_count, line, err) < 0)
        return -1;
    stage->triggers = sb_arena_array(v->arena, sb_df_instruction, work->config.onbuild_count);
    stage->trigger_texts = sb_arena_array(v->arena, sb_slice, work->config.onbuild_count);
    for (size_t i = 0; i < work->config.onbuild_count; i++) {
        if (parse_trigger(v, box, stage, work->config.onbuild[i], &stage->triggers[i], err) < 0)
            return -1;
        stage->trigger_texts[stage->trigger_count++] = sb_arena_dup(v->arena, work->config.onbuild[i]);
        if (needs_of(v, &stage->triggers[i], work, line, err) < 0)
            return -1;
    }
    return 0;
}

/* A stage that starts from one with ONBUILD instructions runs these. */
static int stage_triggers(df_viewer *v, const sb_df_stage *stage, df_stage_work *work, sb_error **err)
{
    const df_stage_work *base = &v->work[stage->base_stage];
    unsigned line = v->df->instructions[stage->from].start_line;

    if (base->replaced)
        return 0;
    if (count_triggers(v, base->onbuild_count, line, err) < 0)
        return -1;
    for (size_t i = 0; i < base->onbuild_count; i++)
        if (needs_of(v, base->onbuild[i], work, line, err) < 0)
            return -1;
    return 0;
}

/* --- What the target reaches --- */

static int reach(df_viewer *v, df_view_box *box, int *stack, sb_error **err)
{
    size_t count = 0;

    stack[count++] = v->view->target;
    v->view->stages[v->view->target].reachable = true;
    while (count) {
        int index = stack[--count];
        sb_df_stage *stage = &v->view->stages[index];
        df_stage_work *work = &v->work[index];

        if (work->replaced)
            continue;
        if (stage->base_kind == SB_BASE_IMAGE && image_triggers(v, box, stage, work, err) < 0)
            return -1;
        if (stage->base_kind == SB_BASE_STAGE && stage_triggers(v, stage, work, err) < 0)
            return -1;
        for (size_t i = 0; i < work->need_count; i++) {
            sb_df_stage *need = &v->view->stages[work->needs[i]];

            if (need->reachable)
                continue;
            need->reachable = true;
            stack[count++] = need->index;
        }
    }
    return 0;
}

int df_view_graph(df_viewer *v, df_view_box *box, sb_error **err)
{
    size_t count = v->view->stage_count;
    sb_autofree unsigned char *state = sb_calloc(count, 1);
    sb_autofree visit *visits = sb_new_array(visit, count);
    sb_autofree int *stack = sb_new_array(int, count);

    for (size_t i = 0; i < count; i++)
        if (collect_needs(v, (int)i, err) < 0)
            return -1;
    for (size_t i = 0; i < count; i++)
        if (find_circle(v, (int)i, state, visits, err) < 0)
            return -1;
    return reach(v, box, stack, err);
}
