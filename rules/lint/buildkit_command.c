// SPDX-License-Identifier: Apache-2.0
/* CMD, ENTRYPOINT, HEALTHCHECK, SHELL and WORKDIR: once, as JSON, from the root. */
#include <rules/lint/buildkit.h>

/* --- Once --- */

static void check_once(bk_stage *s, const bk_instruction *bk, const sb_df_instruction **last,
                       sb_span *last_place)
{
    /* The one that does not count is the one to look at. */
    if (*last)
        sb_lint_say(s->lint, &bk_multiple_instructions, *last_place,
                    "a later %s of this stage replaces this one", sb_df_keyword_name(bk->ins->keyword));
    *last = bk->ins;
    *last_place = bk->at->keyword_span;
}

/* --- JSON --- */

/* A program and its arguments that no shell makes anything of. */
static bool is_plain_command(sb_slice text)
{
    static const char *const not_programs[] = {
        ".",    ":",     "alias",  "bg",     "break", "case",  "cd",     "command", "continue",
        "eval", "exec",  "exit",   "export", "fc",    "fg",    "for",    "hash",    "if",
        "jobs", "local", "read",   "return", "set",   "shift", "source", "time",    "times",
        "trap", "type",  "ulimit", "umask",  "unset", "until", "wait",   "while",
    };
    sb_slice first;
    ptrdiff_t blank;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != ' ' &&
            (c == '\0' || !strchr("_-./:=,@%+", c)))
            return false;
    }
    blank = sb_slice_chr(text, ' ');
    first = blank < 0 ? text : sb_slice_sub(text, 0, (size_t)blank);
    if (!first.len || sb_slice_chr(first, '=') >= 0)
        return false;
    for (size_t i = 0; i < SB_COUNT(not_programs); i++)
        if (sb_slice_eqz(first, not_programs[i]))
            return false;
    return true;
}

/* Does the stage, or one it builds on, have the other of CMD and ENTRYPOINT? How they go together changes
 * with the form. */
static bool has_other(const bk_stage *s, sb_df_keyword other)
{
    const sb_lint *lint = s->lint;
    const sb_df_stage *stage = s->stage;

    for (;;) {
        for (size_t i = stage->from + 1; i < lint->df->instruction_count; i++) {
            if (lint->df->instructions[i].keyword == SB_DF_FROM)
                break;
            if (lint->df->instructions[i].keyword == other)
                return true;
        }
        if (stage->base_kind != SB_BASE_STAGE)
            return false;
        stage = &lint->view->stages[stage->base_stage];
    }
}

static void offer_json(bk_stage *s, const bk_instruction *bk, sb_finding *finding)
{
    sb_slice text = sb_slice_trim(bk->ins->rest), rest = text;
    sb_autobuf out = SB_BUF_INIT(4 * text.len + 16);

    if (!finding || bk->at != bk->ins || !is_plain_command(text) ||
        bk->ins->rest_span.end - bk->ins->rest_span.start != bk->ins->rest.len ||
        has_other(s, bk->ins->keyword == SB_DF_CMD ? SB_DF_ENTRYPOINT : SB_DF_CMD))
        return;
    sb_buf_addc(&out, '[');
    while (rest.ptr) {
        sb_slice word = sb_slice_cut(&rest, ' ');

        if (word.len)
            sb_buf_printf(&out, "%s\"%" SB_FMT "\"", out.len > 1 ? ", " : "", SB_ARG(word));
    }
    sb_buf_addc(&out, ']');
    sb_lint_edit(s->lint, finding, bk->ins->rest_span, sb_buf_slice(&out));
}

static void check_form(bk_stage *s, const bk_instruction *bk)
{
    sb_finding *finding;

    if (bk->ins->json || s->shell_set)
        return;
    finding = sb_lint_say(s->lint, &bk_json_args_recommended, bk->at->keyword_span,
                          "%s starts a shell, which keeps signals from the program",
                          sb_df_keyword_name(bk->ins->keyword));
    offer_json(s, bk, finding);
}

/* --- WORKDIR --- */

static bool is_absolute(sb_slice path)
{
    bool letter = path.len > 1 && path.ptr[1] == ':' && sb_ascii_lower(path.ptr[0]) >= 'a' &&
                  sb_ascii_lower(path.ptr[0]) <= 'z';

    /* Windows: a drive, or the root of the current one. */
    return path.len && (path.ptr[0] == '/' || path.ptr[0] == '\\' || letter);
}

void bk_check_workdir(bk_stage *s, const bk_instruction *bk)
{
    sb_slice path = bk->ins->arg_count ? bk->ins->args[0].text : SB_LIT("");
    bool first = !s->workdir_set;

    s->workdir_set = true;
    if (bk->expanded)
        path = bk->expanded->count ? bk->expanded->words[0] : SB_LIT("/");
    if (first && !is_absolute(path))
        sb_lint_say(s->lint, &bk_workdir_relative_path,
                    bk_place(s->lint, bk, bk->ins->arg_count ? bk->ins->args[0].span : bk->ins->keyword_span),
                    "WORKDIR %" SB_FMT " begins wherever the base image happens to be", SB_ARG(path));
}

void bk_check_cmd(bk_stage *s, const bk_instruction *bk)
{
    check_once(s, bk, &s->cmd, &s->cmd_place);
    check_form(s, bk);
}

void bk_check_entrypoint(bk_stage *s, const bk_instruction *bk)
{
    check_once(s, bk, &s->entrypoint, &s->entrypoint_place);
    check_form(s, bk);
}

void bk_check_healthcheck(bk_stage *s, const bk_instruction *bk)
{
    check_once(s, bk, &s->healthcheck, &s->healthcheck_place);
}
