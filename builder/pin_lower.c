// SPDX-License-Identifier: Apache-2.0
/*
 * What an engine does not know: said in other words that mean the same, or refused with the version and the
 * remedy.
 */
#include <builder/pin.h>

#include <sbuild/fs.h>

int sb_pin_refuse(sb_pin_doc *doc, const sb_df_instruction *ins, const char *what, sb_error **err)
{
    const sb_engine *engine = doc->plan->engine;
    sb_slice place = sb_pin_place(doc, ins);

    return sb_fail(err, SB_ERR_ENGINE,
                   "%" SB_FMT ": %" SB_FMT " %" SB_FMT " has no %s; use a newer one, or --engine docker",
                   SB_ARG(place), SB_ARG(engine->name), SB_ARG(engine->version), what);
}

/* Removes the flag and the blanks behind it. */
void sb_pin_drop_flag(sb_pin_doc *doc, const sb_df_flag *flag)
{
    sb_slice text = doc->df->text;
    size_t end = flag->span.end;

    while (end < text.len && (text.ptr[end] == ' ' || text.ptr[end] == '\t'))
        end++;
    sb_pin_edit(doc, flag->span.start, end, SB_LIT(""));
}

/* --- Heredocs --- */

sb_slice sb_pin_chomped(sb_arena *arena, const sb_df_heredoc *doc)
{
    sb_autobuf out = SB_BUF_INIT(doc->body.len + 1);
    bool line_start = true;

    if (!doc->chomp || !doc->body.ptr)
        return doc->body;
    for (size_t i = 0; i < doc->body.len; i++) {
        char c = doc->body.ptr[i];

        if (line_start && c == '\t')
            continue;
        sb_buf_addc(&out, c);
        line_start = c == '\n';
    }
    return sb_arena_dup(arena, sb_buf_slice(&out));
}

/* Does an ENV or ARG behind this instruction change what its stage ends with? */
static bool env_changes_later(const sb_pin_doc *doc, const sb_df_instruction *ins)
{
    const sb_dockerfile *df = doc->plan->view->df;

    for (const sb_df_instruction *i = ins + 1; i < df->instructions + df->instruction_count; i++) {
        if (i->stage != ins->stage)
            return false;
        if (i->keyword == SB_DF_ENV || i->keyword == SB_DF_ARG)
            return true;
    }
    return false;
}

static int heredoc_content(sb_pin_doc *doc, const sb_df_instruction *ins, int stage,
                           const sb_df_heredoc *heredoc, sb_slice *ret_content, sb_error **err)
{
    bool special = memchr(heredoc->body.ptr ? heredoc->body.ptr : "", '$', heredoc->body.len) ||
                   memchr(heredoc->body.ptr ? heredoc->body.ptr : "", '\\', heredoc->body.len);

    if (!heredoc->expand || !special) {
        *ret_content = sb_pin_chomped(doc->arena, heredoc);
        return 0;
    }
    if (!doc->own || env_changes_later(doc, ins))
        return sb_pin_refuse(
            doc, ins, "heredocs (and one with variables, before an ENV or ARG, cannot be put in other words)",
            err);
    return sb_df_expand_heredoc(doc->arena, heredoc, &doc->plan->view->stages[stage].env, ret_content, err);
}

/* COPY <<NAME dest: the file comes from a context of its own. */
static int lower_copy_heredoc(sb_pin_doc *doc, const sb_df_instruction *ins, int stage, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(SB_DOCKERFILE_MAX);
    sb_slice dest = ins->args[ins->arg_count - 1].text;

    if (ins->json || ins->heredoc_count + 1 != ins->arg_count)
        return sb_pin_refuse(doc, ins, "heredocs (and one beside other sources cannot be put in other words)",
                             err);
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        const sb_df_heredoc *heredoc = &ins->heredocs[i];
        sb_plan_context *context = sb_pin_context(doc, SB_CONTEXT_TEXT, "sbuild-copy", err);

        if (!context || heredoc_content(doc, ins, stage, heredoc, &context->text, err) < 0)
            return -1;
        if (!sb_path_is_plain(heredoc->name) || sb_slice_chr(heredoc->name, '/') >= 0)
            return sb_pin_refuse(doc, ins, "heredocs", err);
        context->file_name = heredoc->name;
        context->mode = 0644;
        sb_buf_printf(&out, "%sCOPY --from=%" SB_FMT, i ? "\n" : "", SB_ARG(context->name));
        for (size_t k = 0; k < ins->flag_count; k++) {
            if (sb_slice_eqz(ins->flags[k].name, "link"))
                continue;
            sb_buf_addc(&out, ' ');
            sb_buf_adds(&out, sb_slice_sub(doc->df->text, ins->flags[k].span.start, ins->flags[k].span.end));
        }
        sb_buf_printf(&out, " /%" SB_FMT " ", SB_ARG(heredoc->name));
        sb_buf_adds(&out, dest);
    }
    if (sb_buf_check(&out, "the pinned Dockerfile", err) < 0)
        return -1;
    sb_pin_edit(doc, ins->span.start, ins->span.end, sb_arena_dup(doc->arena, sb_buf_slice(&out)));
    return 0;
}

/* --- Instructions --- */

const char *sb_pin_lacking(const sb_engine_abilities *can, const sb_df_instruction *ins)
{
    if (ins->keyword != SB_DF_ADD && ins->keyword != SB_DF_COPY)
        return NULL;
    if (!can->copy_exclude && sb_df_find_flag(ins, "exclude"))
        return "--exclude";
    if (!can->copy_parents && sb_df_find_flag(ins, "parents"))
        return "--parents";
    if (!can->add_unpack && sb_df_find_flag(ins, "unpack"))
        return "ADD --unpack";
    return NULL;
}

static int lower_copy(sb_pin_doc *doc, const sb_df_instruction *ins, int stage, sb_error **err)
{
    const sb_engine_abilities *can = &doc->plan->engine->can;
    const sb_df_flag *link = sb_df_find_flag(ins, "link");

    const char *lacking = sb_pin_lacking(can, ins);

    if (lacking && !doc->plan->own_frontend)
        return sb_pin_refuse(doc, ins, lacking, err);
    if (ins->heredoc_count && !can->heredocs)
        return lower_copy_heredoc(doc, ins, stage, err);
    /* It only says how layers are made. */
    if (link && !can->copy_link)
        sb_pin_drop_flag(doc, link);
    return 0;
}

/* An engine whose WORKDIR makes no layer of its own is made to: layers are the same on every engine. */
static int lower_workdir(sb_pin_doc *doc, const sb_df_instruction *ins, sb_error **err)
{
    sb_plan *plan = doc->plan;
    sb_slice quoted, dest;
    sb_plan_context *context = NULL;

    if (ins->arg_count != 1)
        return 0;
    for (size_t i = 0; i < plan->context_count; i++)
        if (plan->contexts[i].kind == SB_CONTEXT_EMPTY)
            context = &plan->contexts[i];
    if (!context)
        context = sb_pin_context(doc, SB_CONTEXT_EMPTY, "sbuild-empty", err);
    if (!context)
        return -1;
    dest = sb_arena_printf(doc->arena, "%" SB_FMT "/", SB_ARG(ins->args[0].text));
    if (sb_pin_json(doc, dest, &quoted, err) < 0)
        return -1;
    sb_pin_edit(doc, ins->span.start, ins->span.start,
                sb_arena_printf(doc->arena, "COPY --from=%" SB_FMT " [\".\", %" SB_FMT "]\n",
                                SB_ARG(context->name), SB_ARG(quoted)));
    return 0;
}

int sb_pin_lower(sb_pin_doc *doc, const sb_df_instruction *ins, int stage, sb_error **err)
{
    switch ((int)ins->keyword) {
    case SB_DF_FROM:
        return sb_pin_begin_stage(doc, stage, err);
    case SB_DF_SHELL:
        return sb_pin_shell(doc, ins, &doc->shells[stage], err);
    case SB_DF_RUN:
        return sb_pin_run(doc, ins, stage, err);
    case SB_DF_ADD:
    case SB_DF_COPY:
        return lower_copy(doc, ins, stage, err);
    case SB_DF_WORKDIR:
        return doc->plan->engine->can.workdir_layer ? 0 : lower_workdir(doc, ins, err);
    default:
        return 0;
    }
}
