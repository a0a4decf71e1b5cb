// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/directives.h>
#include <dockerfile/space.h>

#include <sbuild/json.h>

static const char *const names[DF_DIRECTIVES_MAX] = {"syntax", "escape", "check"};

static bool is_pattern_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t skip_space(sb_slice s, size_t i)
{
    while (i < s.len && is_pattern_space(s.ptr[i]))
        i++;
    return i;
}

/* name = value; false when the text is not of this form. */
static bool split(sb_slice text, sb_slice *ret_name, sb_slice *ret_value)
{
    size_t end = 0, i, stop = text.len;

    while (end < text.len &&
           (is_letter(text.ptr[end]) || (end > 0 && text.ptr[end] >= '0' && text.ptr[end] <= '9')))
        end++;
    i = skip_space(text, end);
    if (end == 0 || i >= text.len || text.ptr[i] != '=')
        return false;
    i++;
    if (i == text.len)
        return false;
    /* A value of nothing but white space is its last character. */
    if (skip_space(text, i) == text.len) {
        i = text.len - 1;
    } else {
        i = skip_space(text, i);
        while (is_pattern_space(text.ptr[stop - 1]))
            stop--;
    }
    *ret_name = sb_slice_sub(text, 0, end);
    *ret_value = sb_slice_sub(text, i, stop);
    return true;
}

df_directive_kind df_directive_line(df_directive_reader *reader, sb_slice line, sb_slice *ret_value,
                                    bool *ret_repeated)
{
    sb_slice prefix = sb_slice_z(reader->comment), name;
    int kind = 0;

    if (reader->done)
        return DF_DIRECTIVE_NONE;
    reader->done = true;
    if (!sb_slice_starts(line, prefix) ||
        !split(df_trim_left(sb_slice_sub(line, prefix.len, line.len)), &name, ret_value))
        return DF_DIRECTIVE_NONE;
    while (kind < DF_DIRECTIVES_MAX && !sb_slice_eq_nocase(name, sb_slice_z(names[kind])))
        kind++;
    if (kind == DF_DIRECTIVES_MAX)
        return DF_DIRECTIVE_NONE;
    *ret_repeated = (reader->seen & 1u << kind) != 0;
    reader->seen |= 1u << kind;
    reader->done = *ret_repeated;
    return (df_directive_kind)kind;
}

int df_parser_directive(df_parser *p, df_directive_reader *reader, sb_slice line, sb_error **err)
{
    sb_autofree char *shown = NULL;
    size_t place = (size_t)(line.ptr - p->df->text.ptr);
    sb_slice value;
    df_directive_kind kind;
    bool repeated;

    if (reader->done)
        return 0;
    kind = df_directive_line(reader, line, &value, &repeated);
    if (kind == DF_DIRECTIVE_NONE)
        return 0;
    if (repeated)
        return df_fail(p, place, err, "only one %s parser directive can be used", names[kind]);
    if (kind != DF_DIRECTIVE_ESCAPE)
        return 1;
    shown = sb_printable(value);
    if (value.len != 1 || (value.ptr[0] != '\\' && value.ptr[0] != '`'))
        return df_fail(p, (size_t)(value.ptr - p->df->text.ptr), err,
                       "invalid escape token '%s' does not match ` or \\", shown);
    p->escape = value.ptr[0];
    p->escape_value = value;
    p->escape_line = p->reader.line;
    return 1;
}

static void add_directive(df_parser *p, df_directive_kind kind, sb_slice value, unsigned line)
{
    sb_dockerfile *df = p->df;
    size_t start = (size_t)(value.ptr - df->text.ptr);

    if (!df->directives)
        df->directives = sb_arena_array(p->arena, sb_df_directive, DF_DIRECTIVES_MAX);
    df->directives[df->directive_count++] = (sb_df_directive){
        .name = sb_slice_z(names[kind]),
        .value = value,
        .value_span = {start, start + value.len},
        .line = line,
    };
}

static void set_syntax(sb_dockerfile *df, sb_slice value)
{
    ptrdiff_t space = sb_slice_chr(value, ' ');
    size_t start = (size_t)(value.ptr - df->text.ptr);

    df->syntax = sb_slice_sub(value, 0, space < 0 ? value.len : (size_t)space);
    df->syntax_span = (sb_span){start, start + df->syntax.len};
}

/* One pass over the directives that begin with `comment`; escape is the parser's own business. */
static void detect(df_parser *p, df_reader reader, const char *comment, bool syntax_only)
{
    df_directive_reader directives = {.comment = comment};
    sb_slice line, value;

    while (df_reader_next(&reader, &line)) {
        bool repeated = false;
        df_directive_kind kind = df_directive_line(&directives, line, &value, &repeated);

        if (kind == DF_DIRECTIVE_NONE || repeated)
            return;
        if (kind == DF_DIRECTIVE_ESCAPE || (syntax_only && kind != DF_DIRECTIVE_SYNTAX))
            continue;
        add_directive(p, kind, value, reader.line);
        if (kind == DF_DIRECTIVE_SYNTAX)
            set_syntax(p->df, value);
    }
}

/* The file of another frontend altogether: {"syntax": "…"}. */
static void detect_json(df_parser *p, sb_slice text)
{
    sb_autojson *json = NULL;
    sb_slice trimmed = sb_slice_trim(text), syntax;

    if (trimmed.len == 0 || trimmed.ptr[0] != '{' || sb_json_parse(text, "JSON", &json, NULL) < 0)
        return;
    syntax = sb_json_str(json, "syntax");
    if (syntax.ptr)
        p->df->syntax = sb_arena_dup(p->arena, syntax);
}

/* Into its place by line. */
static void insert_escape(df_parser *p)
{
    sb_dockerfile *df = p->df;

    add_directive(p, DF_DIRECTIVE_ESCAPE, p->escape_value, p->escape_line);
    for (size_t i = df->directive_count - 1; i > 0 && df->directives[i - 1].line > p->escape_line; i--) {
        sb_df_directive moved = df->directives[i - 1];

        df->directives[i - 1] = df->directives[i];
        df->directives[i] = moved;
    }
}

void df_detect_directives(df_parser *p)
{
    df_reader reader = {.text = p->df->text};
    sb_slice line, rest;

    if (sb_slice_starts(reader.text, SB_LIT("\xef\xbb\xbf")))
        reader.next = 3;
    rest = sb_slice_sub(reader.text, reader.next, reader.text.len);
    if (sb_slice_starts(rest, SB_LIT("#!")))
        df_reader_next(&reader, &line);
    detect(p, reader, "#", false);
    if (!p->df->syntax.ptr)
        detect(p, reader, "//", true);
    if (!p->df->syntax.ptr)
        detect_json(p, sb_slice_sub(reader.text, reader.next, reader.text.len));
    if (p->escape_value.ptr)
        insert_escape(p);
}
