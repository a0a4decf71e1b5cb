// SPDX-License-Identifier: Apache-2.0
/*
 * Flags: the leading words that begin with "--". BuildKit scans them byte by byte and takes each byte for a
 * character of its own, so what is not ASCII comes out encoded twice, and the bytes 0x85 and 0xa0 separate
 * words. What it builds depends on that, so it is done here as well.
 */
#include <dockerfile/tree.h>

#include <sbuild/utf8.h>

static bool is_separator(char c)
{
    unsigned char byte = (unsigned char)c;

    return c == ' ' || (c >= '\t' && c <= '\r') || byte == 0x85 || byte == 0xa0;
}

static void add_byte(sb_buf *out, char c)
{
    char encoded[4];

    sb_buf_add(out, encoded, sb_utf8_encode((unsigned char)c, encoded));
}

/* One word from `start` on: quotes and escapes removed into `out`; returns where it ends. */
static size_t take_word(sb_slice line, size_t start, char escape, sb_buf *out)
{
    size_t i = start;
    char quote = 0;

    for (; i < line.len; i++) {
        char c = line.ptr[i];

        if (!quote && is_separator(c))
            break;
        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? 0 : c;
            continue;
        }
        if (c == escape) {
            if (i + 1 == line.len)
                continue;
            c = line.ptr[++i];
        }
        add_byte(out, c);
    }
    return i;
}

static sb_df_flag new_flag(df_parser *p, sb_slice raw)
{
    sb_slice text = sb_buf_slice(&p->scratch);
    sb_df_flag flag = {.span = df_line_span(&p->line, raw)};
    ptrdiff_t equals;

    flag.text = text = sb_slice_eq(text, raw) ? raw : sb_arena_dup(p->arena, text);
    equals = sb_slice_chr(text, '=');
    flag.name = sb_slice_sub(text, 2, equals < 0 ? text.len : (size_t)equals);
    if (equals >= 0)
        flag.value = sb_slice_sub(text, (size_t)equals + 1, text.len);
    return flag;
}

static int add_flag(df_parser *p, sb_slice raw, sb_df_instruction *ins, size_t *cap, sb_error **err)
{
    if (df_count_word(p, err) < 0)
        return -1;
    *SB_ARENA_PUSH(p->arena, ins->flags, ins->flag_count, *cap) = new_flag(p, raw);
    return 0;
}

int df_take_flags(df_parser *p, sb_slice *rest, sb_df_instruction *ins, sb_error **err)
{
    sb_slice line = *rest;
    size_t i = 0, cap = 0;

    for (;;) {
        size_t start;

        while (i < line.len && is_separator(line.ptr[i]))
            i++;
        if (i + 1 >= line.len || line.ptr[i] != '-' || line.ptr[i + 1] != '-')
            break;
        sb_buf_reset(&p->scratch);
        start = i;
        i = take_word(line, start, p->escape, &p->scratch);
        if (sb_buf_check(&p->scratch, "a flag", err) < 0)
            return -1;
        if (sb_slice_eqz(sb_buf_slice(&p->scratch), "--"))
            break;
        if (add_flag(p, sb_slice_sub(line, start, i), ins, &cap, err) < 0)
            return -1;
    }
    *rest = sb_slice_sub(line, i, line.len);
    return 0;
}
