// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/lines.h>
#include <dockerfile/space.h>

bool df_reader_next(df_reader *reader, sb_slice *ret_line)
{
    const char *start = reader->text.ptr + reader->next;
    size_t left = reader->text.len - reader->next, len;
    const char *end;

    if (left == 0 || reader->too_long)
        return false;
    end = memchr(start, '\n', left);
    len = end ? (size_t)(end - start) : left;
    if (len > DF_LINE_MAX) {
        reader->too_long = true;
        return false;
    }
    reader->next += len + (end != NULL);
    reader->line++;
    while (len > 0 && start[len - 1] == '\r')
        len--;
    *ret_line = sb_slice_of(start, len);
    return true;
}

bool df_is_comment(sb_slice line)
{
    line = df_trim_left(line);
    return line.len > 0 && line.ptr[0] == '#';
}

bool df_cut_continuation(sb_slice *line, char escape)
{
    size_t len = line->len;

    while (len > 0 && (line->ptr[len - 1] == ' ' || line->ptr[len - 1] == '\t'))
        len--;
    if (len == 0 || line->ptr[len - 1] != escape || (len > 1 && line->ptr[len - 2] == escape))
        return false;
    line->len = len - 1;
    return true;
}

void df_line_start(df_line *line, sb_slice first)
{
    line->count = 0;
    line->text = sb_slice_of(first.ptr, 0);
    line->nothing = first.ptr;
    df_line_add(line, first);
}

bool df_line_add(df_line *line, sb_slice chunk)
{
    if (chunk.len == 0)
        return true;
    if (line->count >= DF_CHUNKS_MAX)
        return false;
    *SB_PUSH(line->chunks, line->count, line->cap) = (df_chunk){chunk, line->text.len};
    line->text.len += chunk.len;
    return true;
}

void df_line_join(df_line *line, sb_arena *arena)
{
    char *joined;

    if (line->count <= 1) {
        line->text.ptr = line->count ? line->chunks[0].text.ptr : line->nothing;
        return;
    }
    joined = sb_arena_alloc(arena, line->text.len);
    for (size_t i = 0; i < line->count; i++)
        memcpy(joined + line->chunks[i].pos, line->chunks[i].text.ptr, line->chunks[i].text.len);
    line->text.ptr = joined;
}

/* The file offset of the logical line's byte `pos`, which must exist. */
static size_t offset_of(const df_line *line, size_t pos)
{
    size_t low = 0, high = line->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (line->chunks[middle].pos <= pos)
            low = middle;
        else
            high = middle;
    }
    return (size_t)(line->chunks[low].text.ptr - line->file) + (pos - line->chunks[low].pos);
}

sb_span df_line_span(const df_line *line, sb_slice part)
{
    size_t pos = (size_t)(part.ptr - line->text.ptr), start;

    if (line->count == 0)
        start = (size_t)(line->nothing - line->file);
    else if (part.len > 0)
        return (sb_span){offset_of(line, pos), offset_of(line, pos + part.len - 1) + 1};
    else
        start = pos > 0 ? offset_of(line, pos - 1) + 1 : offset_of(line, 0);
    return (sb_span){start, start};
}
