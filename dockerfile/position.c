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

/* Calls `take` with each piece of ins->rest and its length, until it returns false. */
typedef bool (*piece_taker)(void *ctx, sb_df_piece piece, size_t len);

static void each_piece(const sb_dockerfile *df, const sb_df_instruction *ins, piece_taker take, void *ctx)
{
    df_reader reader = {.text = df->text, .next = ins->rest_span.start};
    bool first = true;
    sb_slice line;
    size_t at = 0;

    while (at < ins->rest.len && df_reader_next(&reader, &line)) {
        if (!first && (df_is_comment(line) || df_trim_left(line).len == 0))
            continue;
        first = false;
        df_cut_continuation(&line, df->escape);
        if (!take(ctx, (sb_df_piece){at, (size_t)(line.ptr - df->text.ptr)}, line.len))
            return;
        at += line.len;
    }
}

typedef struct byte_search {
    size_t at, offset;
} byte_search;

static bool holds_byte(void *ctx, sb_df_piece piece, size_t len)
{
    byte_search *search = ctx;

    if (search->at >= piece.at + len)
        return true;
    search->offset = piece.offset + (search->at - piece.at);
    return false;
}

size_t sb_df_rest_offset(const sb_dockerfile *df, const sb_df_instruction *ins, size_t at)
{
    byte_search search = {at, ins->rest_span.end};

    if (at < ins->rest.len)
        each_piece(df, ins, holds_byte, &search);
    return search.offset;
}

typedef struct piece_list {
    sb_arena *arena;
    sb_df_piece *items;
    size_t count, cap;
} piece_list;

static bool keep_piece(void *ctx, sb_df_piece piece, size_t len)
{
    piece_list *list = ctx;

    if (len)
        *SB_ARENA_PUSH(list->arena, list->items, list->count, list->cap) = piece;
    return true;
}

void sb_df_rest_pieces(const sb_dockerfile *df, const sb_df_instruction *ins, sb_arena *arena,
                       sb_df_piece **ret_pieces, size_t *ret_count)
{
    piece_list list = {.arena = arena};

    each_piece(df, ins, keep_piece, &list);
    *ret_pieces = list.items;
    *ret_count = list.count;
}
