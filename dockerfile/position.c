// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/lines.h>
#include <dockerfile/space.h>

/* The last instruction that begins at or before `offset`, or NULL. */
static const sb_df_instruction *instruction_before(const sb_dockerfile *df, size_t offset)
{
    size_t low = 0, high = df->instruction_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (df->instructions[middle].span.start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &df->instructions[low - 1] : NULL;
}

void sb_df_position(const sb_dockerfile *df, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
    const sb_df_instruction *near;
    size_t from = 0, line_start;
    const char *end;
    unsigned line = 1;

    if (offset > df->text.len)
        offset = df->text.len;
    near = instruction_before(df, offset);
    if (near) {
        from = near->span.start;
        line = near->start_line;
    }
    while (from < offset && (end = memchr(df->text.ptr + from, '\n', offset - from))) {
        from = (size_t)(end - df->text.ptr) + 1;
        line++;
    }
    for (line_start = offset; line_start > 0 && df->text.ptr[line_start - 1] != '\n';)
        line_start--;
    *ret_line = line;
    *ret_column = (unsigned)(offset - line_start) + 1;
}

size_t sb_df_rest_offset(const sb_dockerfile *df, const sb_df_instruction *ins, size_t at)
{
    df_reader reader = {.text = df->text, .next = ins->rest_span.start};
    sb_slice line;
    bool first = true;

    if (at >= ins->rest.len)
        return ins->rest_span.end;
    while (df_reader_next(&reader, &line)) {
        if (!first && (df_is_comment(line) || df_trim_left(line).len == 0))
            continue;
        first = false;
        df_cut_continuation(&line, df->escape);
        if (at < line.len)
            return (size_t)(line.ptr - df->text.ptr) + at;
        at -= line.len;
    }
    return ins->rest_span.end;
}
