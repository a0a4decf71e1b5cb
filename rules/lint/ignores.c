// SPDX-License-Identifier: Apache-2.0
/* Which findings comments and settings silence, and what is wrong with these comments. */
#include <rules/lint/ignores.h>

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct silencer {
    sb_lint *lint;
    sb_ignore_comment *comments; /* those of instructions first, in the order of the file */
    size_t count, cap;
    sb_ignore_comment *wide; /* of stages and the file */
    size_t wide_count, wide_cap;
    bool raises; /* BuildKit's checks are errors */
} silencer;

/* --- Finding the comments --- */

static bool in_heredoc(const sb_df_instruction *ins, size_t offset)
{
    if (ins->trigger)
        ins = ins->trigger;
    for (size_t i = 0; i < ins->heredoc_count; i++)
        if (offset >= ins->heredocs[i].span.start && offset < ins->heredocs[i].span.end)
            return true;
    return false;
}

/* The lines of the stage that an instruction stands in. */
static void find_stage(const sb_dockerfile *df, size_t at, unsigned *ret_from, unsigned *ret_to)
{
    const sb_df_instruction *all = df->instructions;
    size_t first = at, last = at;

    while (first > 0 && all[first - 1].stage == all[at].stage)
        first--;
    while (last + 1 < df->instruction_count && all[last + 1].stage == all[at].stage)
        last++;
    *ret_from = all[first].start_line;
    *ret_to = all[last].end_line;
}

static void keep(silencer *s, const sb_ignore_comment *comment)
{
    if (s->count + s->wide_count >= SB_LINT_IGNORES_MAX)
        return;
    s->raises |= comment->raises;
    if (comment->scope == SB_IGNORE_INSTRUCTION)
        *SB_ARENA_PUSH(s->lint->arena, s->comments, s->count, s->cap) = *comment;
    else
        *SB_ARENA_PUSH(s->lint->arena, s->wide, s->wide_count, s->wide_cap) = *comment;
}

/* `at`: the instruction that the comment stands in or above; NULL behind the last. */
static void take_comment(silencer *s, sb_slice text, sb_span span, unsigned line, size_t at)
{
    const sb_dockerfile *df = s->lint->df;
    const sb_df_instruction *ins = at < df->instruction_count ? &df->instructions[at] : NULL;
    sb_ignore_comment comment;
    bool belongs;

    if (!sb_ignore_comment_parse(s->lint->arena, text, &comment))
        return;
    comment.span = span;
    comment.line = line;
    comment.from = 1;
    comment.to = UINT32_MAX;
    /* A comment above counts when nothing but comments stands between. */
    belongs = ins && (ins->start_line <= line ||
                      (ins->comment_count && ins->comments[0].line <= line && line < ins->start_line));
    if (comment.scope == SB_IGNORE_STAGE && ins)
        find_stage(df, at, &comment.from, &comment.to);
    if (comment.scope == SB_IGNORE_INSTRUCTION) {
        comment.from = belongs ? ins->start_line : line;
        comment.to = belongs ? ins->end_line : line;
    }
    keep(s, &comment);
}

static void find_comments(silencer *s)
{
    const sb_dockerfile *df = s->lint->df;
    sb_slice text = df->text;
    unsigned line = 0;
    size_t at = 0;

    for (size_t start = 0; start < text.len;) {
        const char *nl = memchr(text.ptr + start, '\n', text.len - start);
        size_t end = nl ? (size_t)(nl - text.ptr) : text.len, hash = start;

        line++;
        while (hash < end && (text.ptr[hash] == ' ' || text.ptr[hash] == '\t'))
            hash++;
        if (hash < end && text.ptr[hash] == '#') {
            while (at < df->instruction_count && df->instructions[at].end_line < line)
                at++;
            if (at == df->instruction_count || df->instructions[at].start_line > line ||
                !in_heredoc(&df->instructions[at], hash))
                take_comment(s, sb_slice_sub(text, hash + 1, end),
                             (sb_span){hash, end - (end > hash && text.ptr[end - 1] == '\r')}, line, at);
        }
        start = end + 1;
    }
}

static void find_directive(silencer *s)
{
    const sb_dockerfile *df = s->lint->df;

    for (size_t i = 0; i < df->directive_count; i++) {
        sb_ignore_comment comment;

        if (!sb_slice_eqz(df->directives[i].name, "check") ||
            !sb_ignore_directive_parse(s->lint->arena, df->directives[i].value, &comment))
            continue;
        comment.span = df->directives[i].value_span;
        comment.line = df->directives[i].line;
        comment.from = 1;
        comment.to = UINT32_MAX;
        keep(s, &comment);
    }
}

/* --- Silencing --- */

static bool is_check(const sb_rule *rule)
{
    return !sb_slice_starts(sb_slice_z(rule->id), SB_LIT("SB"));
}

static bool covers(const sb_ignored_rule *ignored, const sb_rule *rule)
{
    if (ignored->rule)
        return ignored->rule == rule;
    if (!ignored->prefix)
        return false;
    return *ignored->prefix ? sb_slice_starts(sb_slice_z(rule->id), sb_slice_z(ignored->prefix))
                            : is_check(rule);
}

static bool counts(const silencer *s, const sb_ignore_comment *comment)
{
    return comment->reason.ptr || !s->lint->private->require_reason;
}

static bool try_comment(silencer *s, sb_ignore_comment *comment, sb_finding *finding)
{
    sb_arena *arena = s->lint->report->arena;
    static const char *const names[] = {[SB_IGNORE_SBUILD] = "a comment",
                                        [SB_IGNORE_HADOLINT] = "a hadolint comment",
                                        [SB_IGNORE_CHECK] = "a check comment"};

    if (finding->line < comment->from || finding->line > comment->to)
        return false;
    for (size_t i = 0; i < comment->rule_count; i++) {
        if (!covers(&comment->rules[i], finding->rule))
            continue;
        comment->rules[i].used = true;
        if (!counts(s, comment))
            return false;
        finding->ignored = comment->reason.ptr ? sb_arena_dup(arena, comment->reason)
                                               : sb_arena_printf(arena, "%s in line %u",
                                                                 names[comment->dialect], comment->line);
        return true;
    }
    return false;
}

/* Comments of an instruction are in the order of its lines, so those of one line are found at once. */
static size_t first_reaching(const silencer *s, unsigned line)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->comments[middle].to < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sb_lint_except(const sb_lint_settings *settings, const char *path, sb_report *report,
                    sb_finding *finding)
{
    for (size_t i = 0; settings && i < settings->exception_count; i++) {
        const sb_lint_exception *e = &settings->exceptions[i];

        if ((e->rule && e->rule != finding->rule) || (e->path && (!path || fnmatch(e->path, path, 0) != 0)))
            continue;
        finding->ignored = e->reason.ptr ? sb_arena_dup(report->arena, e->reason) : SB_LIT("sbuild.json");
        return;
    }
}

static void silence(silencer *s, sb_finding *finding)
{
    for (size_t i = first_reaching(s, finding->line); i < s->count && s->comments[i].from <= finding->line;
         i++)
        if (try_comment(s, &s->comments[i], finding))
            return;
    for (size_t i = 0; i < s->wide_count; i++)
        if (try_comment(s, &s->wide[i], finding))
            return;
    sb_lint_except(s->lint->private->settings, s->lint->private->path, s->lint->report, finding);
}

/* `# check=error=true`: unless somebody has said otherwise. */
static void raise_checks(const silencer *s, size_t first, size_t end)
{
    sb_report *report = s->lint->report;

    for (size_t i = first; s->raises && i < end; i++)
        if (is_check(report->items[i].rule) && !sb_lint_is_set(s->lint, report->items[i].rule))
            report->items[i].severity = SB_SEVERITY_ERROR;
}

/* --- What is wrong with them --- */

static void say_about(silencer *s, const sb_ignore_comment *comment)
{
    sb_lint *lint = s->lint;

    if (lint->private->require_reason && !comment->reason.ptr && comment->rule_count) {
        sb_finding *finding =
            sb_lint_say(lint, &sb_rule_no_reason, comment->span,
                        "this comment silences rules without a reason, so it does not count");

        if (comment->dialect != SB_IGNORE_SBUILD)
            sb_lint_help(lint, finding,
                         "write \"# sbuild: ignore=ID reason=…\" above the instruction instead");
        return;
    }
    if (comment->dialect != SB_IGNORE_SBUILD)
        return;
    if (comment->leftover.ptr || !comment->rule_count) {
        sb_lint_say(lint, &sb_rule_idle_ignore, comment->span,
                    "this comment is not understood%s%" SB_FMT
                    "%s; it is \"# sbuild: ignore=ID,ID reason=…\"",
                    comment->leftover.len ? " from \"" : "", SB_ARG(comment->leftover),
                    comment->leftover.len ? "\" on" : "");
    }
    for (size_t i = 0; i < comment->rule_count; i++) {
        const sb_ignored_rule *ignored = &comment->rules[i];

        if (!ignored->rule)
            sb_lint_say(lint, &sb_rule_idle_ignore, comment->span, "there is no rule \"%" SB_FMT "\"",
                        SB_ARG(ignored->name));
        else if (!ignored->used && sb_lint_severity(lint, ignored->rule))
            sb_lint_say(lint, &sb_rule_idle_ignore, comment->span,
                        "%s finds nothing here, so there is nothing to silence", ignored->rule->id);
    }
}

void sb_lint_silence(sb_lint *lint)
{
    silencer s = {.lint = lint};
    size_t first = lint->private->first, end = lint->report->count;

    find_directive(&s);
    if (sb_slice_find(lint->df->text, SB_LIT("ignore")) >= 0 ||
        sb_slice_find(lint->df->text, SB_LIT("skip")) >= 0)
        find_comments(&s);
    raise_checks(&s, first, end);
    if (lint->options->no_ignore)
        return;
    for (size_t i = first; i < end; i++)
        silence(&s, &lint->report->items[i]);
    for (size_t i = 0; i < s.count; i++)
        say_about(&s, &s.comments[i]);
    for (size_t i = 0; i < s.wide_count; i++)
        say_about(&s, &s.wide[i]);
    for (size_t i = end; i < lint->report->count; i++)
        sb_lint_except(lint->private->settings, lint->private->path, lint->report, &lint->report->items[i]);
}
