// SPDX-License-Identifier: Apache-2.0
/* The way from bytes to instructions, one logical line after the other. */
#include <dockerfile/directives.h>
#include <dockerfile/heredoc.h>
#include <dockerfile/instruction.h>
#include <dockerfile/space.h>

#define BOM "\xef\xbb\xbf"

enum { COMMENTS_KEPT = 1000 }; /* of a block above an instruction: the nearest ones, at least */

typedef struct tree {
    df_parser parser;
    df_directive_reader directives;
    sb_df_comment *comments; /* the unbroken block above the next line */
    size_t comment_count, comment_cap;
    sb_df_instruction *instructions;
    size_t count, cap;
    sb_df_warning *warnings;
    size_t warning_count, warning_cap;
    size_t end; /* of the instruction in work, its last line end not counted */
    int stage;
} tree;

static void tree_clear(tree *t)
{
    free(t->parser.line.chunks);
    free(t->parser.words);
    sb_buf_free(&t->parser.scratch);
    free(t->comments);
    free(t->instructions);
    free(t->warnings);
}
#define autotree __attribute__((cleanup(tree_clear))) tree

static void add_comment(tree *t, sb_slice line)
{
    if (t->comment_count == 2 * COMMENTS_KEPT) {
        t->comment_count = COMMENTS_KEPT;
        memmove(t->comments, t->comments + COMMENTS_KEPT, COMMENTS_KEPT * sizeof(*t->comments));
    }
    *SB_PUSH(t->comments, t->comment_count, t->comment_cap) =
        (sb_df_comment){df_trim(sb_slice_sub(line, 1, line.len)), t->parser.reader.line};
}

static void keep_comments(tree *t, sb_df_instruction *ins)
{
    if (t->comment_count == 0)
        return;
    ins->comments = sb_arena_array(t->parser.arena, sb_df_comment, t->comment_count);
    memcpy(ins->comments, t->comments, t->comment_count * sizeof(*t->comments));
    ins->comment_count = t->comment_count;
    t->comment_count = 0;
}

static bool next_line(tree *t, sb_slice *ret_line)
{
    if (!df_reader_next(&t->parser.reader, ret_line))
        return false;
    t->end = (size_t)(ret_line->ptr - t->parser.df->text.ptr) + ret_line->len;
    return true;
}

/* Reads on until the logical line that begins with `first` is complete. */
static int read_logical_line(tree *t, sb_slice first, sb_error **err)
{
    df_parser *p = &t->parser;
    bool open = df_cut_continuation(&first, p->escape), empty = false;
    sb_slice line;

    df_line_start(&p->line, first);
    while (open && next_line(t, &line)) {
        if (df_is_comment(line))
            continue;
        if (df_trim_left(line).len == 0) {
            empty = true;
            continue;
        }
        open = df_cut_continuation(&line, p->escape);
        if (!df_line_add(&p->line, line))
            return df_fail_line(p, p->reader.line, SB_ERR_LIMIT, err,
                                "an instruction is continued over more than %d lines", DF_CHUNKS_MAX);
    }
    df_line_join(&p->line, p->arena);
    if (empty)
        *SB_PUSH(t->warnings, t->warning_count, t->warning_cap) =
            (sb_df_warning){"NoEmptyContinuation", p->reader.line};
    return 0;
}

static bool can_have_heredocs(const sb_df_instruction *ins)
{
    if (ins->keyword == SB_DF_ONBUILD && ins->trigger)
        ins = ins->trigger;
    return (ins->keyword == SB_DF_ADD || ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_RUN) &&
           !ins->json;
}

static int fail_too_long(const df_parser *p, sb_error **err)
{
    return df_fail_line(p, p->reader.line + 1, SB_ERR_PARSE, err,
                        "dockerfile line greater than max allowed size of %d", DF_LINE_MAX);
}

static int read_body(tree *t, const sb_df_instruction *ins, sb_df_heredoc *doc, sb_error **err)
{
    df_parser *p = &t->parser;
    size_t start = p->reader.next, end = start;
    sb_slice line;

    while (next_line(t, &line)) {
        size_t tabs = 0;

        while (doc->chomp && tabs < line.len && line.ptr[tabs] == '\t')
            tabs++;
        if (sb_slice_eq(sb_slice_sub(line, tabs, line.len), doc->name)) {
            doc->span = (sb_span){start, end};
            doc->body = sb_slice_sub(p->df->text, start, end);
            return 0;
        }
        end = p->reader.next;
    }
    return p->reader.too_long ? fail_too_long(p, err)
                              : df_fail(p, ins->span.start, err, "unterminated heredoc");
}

static int wrap_line(const df_parser *p, unsigned line, sb_error **err)
{
    sb_autofree char *shown = sb_printable(p->df->name);

    return sb_wrap(err, "%s:%u", shown, line);
}

static int read_heredocs(tree *t, sb_df_instruction *ins, sb_error **err)
{
    df_parser *p = &t->parser;

    if (!can_have_heredocs(ins) || sb_slice_find(p->line.text, SB_LIT("<<")) < 0)
        return 0;
    if (df_heredocs_of_line(p->arena, p->line.text, &ins->heredocs, &ins->heredoc_count, err) < 0)
        return wrap_line(p, ins->start_line, err);
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        if (read_body(t, ins, &ins->heredocs[i], err) < 0)
            return -1;
    }
    return 0;
}

static int read_one(tree *t, sb_slice first, sb_error **err)
{
    df_parser *p = &t->parser;
    sb_df_instruction *ins;

    if (t->count >= DF_INSTRUCTIONS_MAX)
        return df_fail_line(p, p->reader.line, SB_ERR_LIMIT, err, "more than %d instructions",
                            DF_INSTRUCTIONS_MAX);
    ins = SB_PUSH(t->instructions, t->count, t->cap);
    *ins = (sb_df_instruction){.start_line = p->reader.line};
    if (read_logical_line(t, first, err) < 0)
        return -1;
    ins->stage = t->stage;
    if (df_read_instruction(p, p->line.text, 0, ins, err) < 0)
        return -1;
    if (ins->keyword == SB_DF_FROM)
        ins->stage = ++t->stage;
    if (read_heredocs(t, ins, err) < 0)
        return -1;
    ins->end_line = p->reader.line;
    ins->span.end = t->end;
    for (sb_df_instruction *in = ins->trigger; in; in = in->trigger)
        in->end_line = ins->end_line;
    keep_comments(t, ins);
    return 0;
}

/* Takes directives and comments; *ret_taken is false for the first line of an instruction. */
static int read_comment(tree *t, sb_slice line, bool *ret_taken, sb_error **err)
{
    int directive = df_parser_directive(&t->parser, &t->directives, line, err);

    if (directive < 0)
        return -1;
    *ret_taken = line.len > 0 && line.ptr[0] == '#';
    if (*ret_taken && !directive)
        add_comment(t, line);
    return 0;
}

static int read_lines(tree *t, sb_error **err)
{
    sb_slice line;

    while (next_line(t, &line)) {
        bool taken;

        if (t->parser.reader.line == 1 && sb_slice_starts(line, SB_LIT(BOM)))
            line = sb_slice_sub(line, sizeof(BOM) - 1, line.len);
        line = df_trim_left(line);
        if (read_comment(t, line, &taken, err) < 0)
            return -1;
        if (line.len == 0)
            t->comment_count = 0;
        else if (!taken && read_one(t, line, err) < 0)
            return -1;
    }
    if (t->parser.reader.too_long)
        return fail_too_long(&t->parser, err);
    if (t->count == 0)
        return df_fail_line(&t->parser, 1, SB_ERR_PARSE, err, "file with no instructions");
    return 0;
}

/* Each instruction by its own rules, and every one in a stage. */
static int check(const df_parser *p, sb_error **err)
{
    const sb_dockerfile *df = p->df;
    const sb_df_instruction *ins = NULL;

    for (size_t i = 0; i < df->instruction_count; i++) {
        ins = &df->instructions[i];
        if (df_check_instruction(p, ins, err) < 0)
            return -1;
        if (ins->stage < 0 && ins->keyword != SB_DF_ARG)
            return df_fail(p, ins->span.start, err, "no build stage in current context");
    }
    if (ins && ins->stage < 0)
        return df_fail(p, ins->span.start, err, "dockerfile contains no stages to build");
    return 0;
}

static void keep_tree(tree *t)
{
    sb_dockerfile *df = t->parser.df;

    df->escape = t->parser.escape;
    df->instructions = sb_arena_array(df->arena, sb_df_instruction, t->count);
    memcpy(df->instructions, t->instructions, t->count * sizeof(*t->instructions));
    df->instruction_count = t->count;
    if (t->warning_count > 0) {
        df->warnings = sb_arena_array(df->arena, sb_df_warning, t->warning_count);
        memcpy(df->warnings, t->warnings, t->warning_count * sizeof(*t->warnings));
        df->warning_count = t->warning_count;
    }
    df_detect_directives(&t->parser);
}

static int check_size(const df_parser *p, size_t len, sb_error **err)
{
    sb_autofree char *shown = NULL;

    if (len == 0)
        return df_fail_line(p, 1, SB_ERR_PARSE, err, "the Dockerfile cannot be empty");
    if (len <= DF_TEXT_MAX)
        return 0;
    shown = sb_printable(p->df->name);
    return sb_fail(err, SB_ERR_LIMIT, "%s: larger than %d MiB", shown, DF_TEXT_MAX >> 20);
}

int sb_df_parse(sb_slice text, const char *name, unsigned flags, sb_dockerfile **ret_df, sb_error **err)
{
    sb_arena *arena = sb_arena_new();
    SB_AUTO(sb_dockerfile) df = sb_arena_new_of(arena, sb_dockerfile);
    autotree t = {.directives = {.comment = "#"}, .stage = -1};

    df->arena = arena;
    df->name = sb_arena_dup(arena, sb_slice_z(name));
    df->text = text;
    t.parser = (df_parser){
        .df = df,
        .arena = arena,
        .escape = '\\',
        .reader = {.text = text},
        .line = {.file = text.ptr},
        .scratch = SB_BUF_INIT(DF_TEXT_MAX),
    };
    if (check_size(&t.parser, text.len, err) < 0)
        return -1;
    if (read_lines(&t, err) < 0)
        return -1;
    keep_tree(&t);
    if (!(flags & SB_DF_SYNTAX_ONLY) && check(&t.parser, err) < 0)
        return -1;
    *ret_df = SB_TAKE(df);
    return 0;
}

void sb_df_free(sb_dockerfile *df)
{
    if (df)
        sb_arena_free(df->arena);
}
