// SPDX-License-Identifier: Apache-2.0
/* What stands between instructions and in the middle of them: comments and empty lines. */
#include <rules/lint/buildkit.h>
#include <rules/lint/internal.h>

/* --- Empty lines in an instruction --- */

static bool is_blank(sb_slice line)
{
    return sb_slice_trim(line).len == 0;
}

/* The next line with its line end, from *at on. */
static sb_slice next_line(sb_slice text, size_t *at, size_t end)
{
    const char *stop = memchr(text.ptr + *at, '\n', end - *at);
    size_t start = *at;

    *at = stop ? (size_t)(stop - text.ptr) + 1 : end;
    return sb_slice_sub(text, start, *at);
}

/* Where the lines that are read for the instruction itself end: before its heredocs. */
static size_t end_of_lines(const sb_lint *lint, const sb_df_instruction *ins)
{
    const sb_df_instruction *inner = ins->trigger ? ins->trigger : ins;
    size_t end = inner->heredoc_count && inner->heredocs[0].span.end > ins->span.start
                     ? inner->heredocs[0].span.start
                     : ins->span.end;

    return end < lint->df->text.len ? end : lint->df->text.len;
}

static void check_continuation(sb_lint *lint, const sb_df_instruction *ins, unsigned reported)
{
    sb_slice text = lint->df->text;
    size_t at = ins->span.start, end = end_of_lines(lint, ins);
    sb_span place = ins->keyword_span;
    sb_finding *finding;
    unsigned line = ins->start_line;

    /* BuildKit reports the last line that it read. */
    for (; at < end && line < reported; line++)
        next_line(text, &at, end);
    if (line == reported && at < end) {
        place = (sb_span){at, at + sb_slice_trim(next_line(text, &at, end)).len};
        if (place.end == place.start)
            place.end++;
    }
    finding = sb_lint_say(lint, &bk_no_empty_continuation, place, "an empty line in the middle of this %s",
                          sb_df_keyword_name(ins->keyword));
    at = ins->span.start;
    next_line(text, &at, end);
    while (at < end) {
        size_t start = at;
        bool blank = is_blank(next_line(text, &at, end));

        while (blank && at < end) {
            size_t more = at;

            if (!is_blank(next_line(text, &more, end)))
                break;
            at = more;
        }
        if (blank)
            sb_lint_edit(lint, finding, (sb_span){start, at}, SB_LIT(""));
    }
}

static void check_continuations(sb_lint *lint)
{
    size_t next = 0;

    for (size_t i = 0; i < lint->df->warning_count; i++) {
        unsigned line = lint->df->warnings[i].line;

        while (next < lint->df->instruction_count && lint->df->instructions[next].end_line < line)
            next++;
        if (next < lint->df->instruction_count)
            check_continuation(lint, &lint->df->instructions[next], line);
    }
}

/* --- Descriptions --- */

static bool is_named_in(sb_slice list)
{
    while (list.ptr) {
        sb_slice name = sb_slice_trim(sb_slice_cut(&list, ','));

        if (sb_slice_eqz(name, "all") || sb_slice_eqz(name, bk_invalid_definition_description.id))
            return true;
    }
    return false;
}

/* The check is an experiment: it wants `# check=experimental=…`, or to be named by options or settings. */
static bool wants_descriptions(const sb_lint *lint)
{
    if (sb_lint_is_set(lint, &bk_invalid_definition_description))
        return true;
    for (const char *const *only = lint->options->only; only && *only; only++)
        if (sb_rule_find(sb_slice_z(*only)) == &bk_invalid_definition_description)
            return true;
    for (size_t i = 0; i < lint->df->directive_count; i++) {
        sb_slice rest = lint->df->directives[i].value;

        if (!sb_slice_eqz(lint->df->directives[i].name, "check"))
            continue;
        rest = sb_slice_cut(&rest, ' ');
        while (rest.ptr) {
            sb_slice value = sb_slice_cut(&rest, ';'), key = sb_slice_trim(sb_slice_cut(&value, '='));

            if (sb_slice_eqz(key, "experimental") && value.ptr && is_named_in(value))
                return true;
        }
    }
    return false;
}

/* The first word of the comment above: blank lines do not matter, a comment without text is none. */
static sb_slice first_word_above(const sb_lint *lint, size_t from, size_t to)
{
    sb_slice text = lint->df->text, word = SB_NIL;

    while (from < to) {
        sb_slice line = next_line(text, &from, to), trimmed = sb_slice_trim(line);

        if (!trimmed.len)
            continue;
        if (trimmed.ptr[0] != '#')
            return SB_NIL;
        /* BuildKit takes the line's first byte away, whatever it is. */
        word = sb_slice_trim(sb_slice_sub(line, 1, line.len));
        if (!word.len)
            word = SB_NIL;
        else
            word = sb_slice_cut(&word, ' ');
    }
    return word;
}

static bool describes(const sb_df_instruction *ins, const sb_df_stage *stage, sb_slice word)
{
    if (stage)
        return sb_slice_eq(word, stage->name);
    for (size_t i = 0; i < ins->pair_count; i++)
        if (sb_slice_eq(word, ins->pairs[i].key))
            return true;
    return false;
}

/* Where the line behind the last directive begins. */
static size_t end_of_directives(const sb_lint *lint)
{
    size_t at = 0;

    for (size_t i = 0; i < lint->df->directive_count; i++)
        at = lint->df->directives[i].value_span.end;
    if (at)
        next_line(lint->df->text, &at, lint->df->text.len);
    return at;
}

static void check_descriptions(sb_lint *lint)
{
    size_t above = end_of_directives(lint);

    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];
        const sb_df_stage *stage = ins->keyword == SB_DF_FROM ? &lint->view->stages[ins->stage] : NULL;
        sb_slice word = SB_NIL;

        if ((stage && stage->name.len) || (ins->keyword == SB_DF_ARG && ins->pair_count))
            word = first_word_above(lint, above, ins->span.start);
        if (word.ptr && !describes(ins, stage, word))
            sb_lint_say(lint, &bk_invalid_definition_description, ins->keyword_span,
                        "the comment above does not begin with \"%" SB_FMT "\"",
                        SB_ARG(stage ? stage->name : ins->pairs[0].key));
        above = ins->span.end;
        if (above < lint->df->text.len)
            next_line(lint->df->text, &above, lint->df->text.len);
    }
}

void bk_check_comments(sb_lint *lint)
{
    check_continuations(lint);
    if (wants_descriptions(lint))
        check_descriptions(lint);
}
