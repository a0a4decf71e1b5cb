// SPDX-License-Identifier: Apache-2.0
/* Every instruction in order, with the variables in force. */
#include <dockerfile/view.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct run {
    df_viewer *v;
    df_scope *scope;
    int stage;
    int trigger; /* index, or -1 */
    unsigned line;
} run;

/* --- Instructions that expand --- */

static int run_arg(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    for (size_t i = 0; i < ins->pair_count; i++) {
        out->words[out->count++] = ins->pairs[i].key;
        if (df_scope_arg(r->v, r->scope, &ins->pairs[i], r->line, &out->words[out->count], err) < 0)
            return -1;
        out->count++;
    }
    return 0;
}

/* ENV and LABEL: every pair with what was set before the instruction. */
static int run_pairs(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    sb_autofree df_origin **origins = sb_new_array(df_origin *, ins->pair_count + 1);
    df_viewer *v = r->v;

    df_expand_in(v, r->scope);
    for (size_t i = 0; i < ins->pair_count; i++) {
        v->origin = NULL;
        if (df_view_expand(v, ins->pairs[i].key, r->line, &out->words[out->count], err) < 0 ||
            df_view_expand(v, ins->pairs[i].value, r->line, &out->words[out->count + 1], err) < 0)
            return -1;
        origins[i] = v->origin;
        out->count += 2;
    }
    for (size_t i = 0; ins->keyword == SB_DF_ENV && i < ins->pair_count; i++)
        if (df_scope_set(v, r->scope, out->words[2 * i], out->words[2 * i + 1], origins[i], r->line, err) < 0)
            return -1;
    return 0;
}

static int run_words(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    df_expand_in(r->v, r->scope);
    for (size_t i = 0; i < ins->arg_count; i++) {
        if (df_view_expand(r->v, ins->args[i].text, r->line, &out->words[out->count], err) < 0)
            return -1;
        out->count++;
    }
    return 0;
}

static int run_expose(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    size_t cap = ins->arg_count;

    df_expand_in(r->v, r->scope);
    for (size_t i = 0; i < ins->arg_count; i++) {
        sb_slice *words;
        size_t count;

        if (df_expand_split(&r->v->expander, ins->args[i].text, &words, &count, err) < 0)
            return sb_wrap(err, "%s:%u", r->v->name, r->line);
        for (size_t k = 0; k < count; k++)
            *SB_ARENA_PUSH(r->v->arena, out->words, out->count, cap) = words[k];
    }
    return 0;
}

static int run_copy(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    sb_autofree df_origin **origins = sb_new_array(df_origin *, ins->arg_count + 1);
    df_viewer *v = r->v;

    df_expand_in(v, r->scope);
    for (size_t i = 0; i < ins->arg_count; i++) {
        sb_slice word = ins->args[i].text;

        v->origin = NULL;
        if (i + 1 < ins->arg_count && df_is_heredoc_arg(v, ins, word))
            out->words[i] = word;
        else if (df_view_expand(v, word, r->line, &out->words[i], err) < 0)
            return -1;
        origins[i] = v->origin;
        out->count++;
    }
    return df_view_sources(v, ins, r->stage, r->trigger, r->line, out->words, origins, err);
}

static int run_one(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    out->words = sb_arena_array(r->v->arena, sb_slice, ins->arg_count + 2 * ins->pair_count + 1);
    switch (ins->keyword) {
    case SB_DF_ARG:
        return run_arg(r, ins, out, err);
    case SB_DF_ENV:
    case SB_DF_LABEL:
        return run_pairs(r, ins, out, err);
    case SB_DF_ADD:
        return run_copy(r, ins, out, err);
    case SB_DF_COPY:
        return df_view_refs(r->v, ins, r->stage, r->trigger, r->line, err) < 0 ? -1
                                                                               : run_copy(r, ins, out, err);
    case SB_DF_RUN:
        return df_view_refs(r->v, ins, r->stage, r->trigger, r->line, err);
    case SB_DF_EXPOSE:
        return run_expose(r, ins, out, err);
    case SB_DF_STOPSIGNAL:
    case SB_DF_USER:
    case SB_DF_VOLUME:
    case SB_DF_WORKDIR:
        return run_words(r, ins, out, err);
    case SB_DF_CMD:
    case SB_DF_ENTRYPOINT:
    case SB_DF_FROM:
    case SB_DF_HEALTHCHECK:
    case SB_DF_MAINTAINER:
    case SB_DF_ONBUILD:
    case SB_DF_SHELL:
    case SB_DF_UNKNOWN:
        break;
    }
    return 0;
}

/* What is wrong in a stage that is not built is nobody's business; a limit is a limit. */
static int run_instruction(run *r, const sb_df_instruction *ins, sb_df_expanded *out, sb_error **err)
{
    SB_AUTO(sb_error) cause = NULL;
    sb_df_expanded expanded = {0};

    if (run_one(r, ins, &expanded, &cause) == 0) {
        out->words = expanded.words;
        out->count = expanded.count;
        return 0;
    }
    if (sb_error_code(cause) == SB_ERR_PARSE &&
        (r->v->inputs->lenient || !r->v->view->stages[r->stage].reachable || r->v->work[r->stage].replaced))
        return 0;
    return sb_fail(err, cause->code, "%s", cause->message);
}

/* --- Stages --- */

static int inherit_image(df_viewer *v, df_stage_work *work, unsigned line, sb_error **err)
{
    for (size_t i = 0; work->known && i < work->config.env_count; i++) {
        sb_slice value = work->config.env[i], key = sb_slice_cut(&value, '=');

        if (df_scope_set(v, &work->scope, key, value.ptr ? value : SB_LIT(""), NULL, line, err) < 0)
            return -1;
    }
    if (df_env_find(&work->scope.env, SB_LIT("PATH")) != DF_NO_VAR)
        return 0;
    return df_scope_set(v, &work->scope, SB_LIT("PATH"), SB_LIT(DEFAULT_PATH),
                        work->scope.unknown ? &v->unknown : NULL, line, err);
}

static void add_from(df_viewer *v, const sb_df_stage *stage, const df_stage_work *work)
{
    const sb_df_instruction *ins = &v->df->instructions[stage->from];

    if (stage->base_kind == SB_BASE_SCRATCH)
        return;
    df_add_ref(v,
               &(sb_df_ref){
                   .kind = SB_REF_FROM,
                   .text = stage->base,
                   .expanded = stage->base_expanded,
                   .resolved_stage = stage->base_kind == SB_BASE_STAGE ? stage->base_stage : -1,
                   .context = stage->base_kind == SB_BASE_CONTEXT,
                   .stage = stage->index,
                   .reachable = stage->reachable,
                   .platform = stage->platform.len ? stage->platform : v->target_platform,
                   .instruction = ins,
                   .trigger = -1,
                   .span = ins->args[0].span,
                   .line = ins->start_line,
               },
               work->from_origin);
}

static int run_triggers(df_viewer *v, run *r, const sb_df_stage *stage, sb_error **err)
{
    const df_stage_work *base = stage->base_kind == SB_BASE_STAGE ? &v->work[stage->base_stage] : NULL;
    sb_df_expanded ignored;

    for (size_t i = 0; i < stage->trigger_count; i++) {
        r->trigger = (int)i;
        if (run_instruction(r, &stage->triggers[i], &ignored, err) < 0)
            return -1;
    }
    r->trigger = -1;
    for (size_t i = 0; base && !base->replaced && stage->reachable && i < base->onbuild_count; i++) {
        r->line = base->onbuild[i]->start_line;
        if (run_instruction(r, base->onbuild[i], &ignored, err) < 0)
            return -1;
    }
    return 0;
}

static int run_stage(df_viewer *v, sb_df_stage *stage, sb_error **err)
{
    df_stage_work *work = &v->work[stage->index];
    unsigned line = v->df->instructions[stage->from].start_line;
    run r = {.v = v, .scope = &work->scope, .stage = stage->index, .trigger = -1, .line = line};

    add_from(v, stage, work);
    if (stage->base_kind == SB_BASE_STAGE) {
        df_scope_share(&v->work[stage->base_stage].scope, &work->scope);
    } else {
        work->scope.unknown =
            stage->base_kind == SB_BASE_CONTEXT || (stage->base_kind == SB_BASE_IMAGE && !work->known);
        if (inherit_image(v, work, line, err) < 0)
            return -1;
    }
    if (!work->replaced && run_triggers(v, &r, stage, err) < 0)
        return -1;
    for (size_t i = stage->from + 1; i < work->end; i++) {
        r.line = v->df->instructions[i].start_line;
        v->view->expanded[i].env_count = work->scope.env.count;
        if (run_instruction(&r, &v->df->instructions[i], &v->view->expanded[i], err) < 0)
            return -1;
    }
    stage->env = work->scope.env;
    return 0;
}

int df_view_run(df_viewer *v, sb_error **err)
{
    for (size_t i = 0; i < v->view->stage_count; i++)
        if (run_stage(v, &v->view->stages[i], err) < 0)
            return -1;
    return 0;
}
