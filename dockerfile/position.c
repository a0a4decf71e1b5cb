// SPDX-License-Identifier: Apache-2.0
#include <sbuild/dockerfile.h>

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
