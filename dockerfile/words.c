// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/space.h>
#include <dockerfile/tree.h>

int df_count_word(df_parser *p, sb_error **err)
{
    if (p->total_words >= DF_WORDS_MAX)
        return df_fail_line(p, p->reader.line, SB_ERR_LIMIT, err, "more than %d words in the file",
                            DF_WORDS_MAX);
    p->total_words++;
    return 0;
}

int df_add_word(df_parser *p, sb_slice raw, sb_slice text, sb_error **err)
{
    if (df_count_word(p, err) < 0)
        return -1;
    *SB_PUSH(p->words, p->word_count, p->word_cap) = (df_found){raw, text};
    return 0;
}

int df_blank_words(df_parser *p, sb_slice rest, sb_error **err)
{
    size_t i = 0;

    while (i < rest.len) {
        size_t start = i;
        sb_slice word;

        while (i < rest.len && !df_is_blank(rest.ptr[i]))
            i++;
        word = sb_slice_sub(rest, start, i);
        if (df_add_word(p, word, word, err) < 0)
            return -1;
        while (i < rest.len && df_is_blank(rest.ptr[i]))
            i++;
    }
    return 0;
}

/*
 * The end of the quote-aware word that begins at `start`: quotes and escapes stay in it, but an escape that
 * is the last character of all is dropped. *ret_next is where to go on.
 */
static size_t quoted_word_end(sb_slice rest, size_t start, char escape, bool *ret_quoted, size_t *ret_next)
{
    size_t i = start, end = start;
    char quote = 0;

    *ret_quoted = false;
    while (i < rest.len && (quote || !df_space_at(rest, i))) {
        char c = rest.ptr[i];

        if (c == escape && quote != '\'') {
            i++;
            if (i == rest.len)
                break;
        } else if (quote) {
            if (c == quote)
                quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
            *ret_quoted = true;
        }
        i += df_char_at(rest, i);
        end = i;
    }
    *ret_next = i;
    return end;
}

int df_quoted_words(df_parser *p, sb_slice rest, sb_error **err)
{
    size_t start = 0, next;

    while (start < rest.len) {
        size_t space = df_space_at(rest, start);
        bool quoted;
        sb_slice word;

        if (space > 0) {
            start += space;
            continue;
        }
        word = sb_slice_sub(rest, start, quoted_word_end(rest, start, p->escape, &quoted, &next));
        if ((quoted || word.len > 0) && df_add_word(p, word, df_valid_text(p->arena, word), err) < 0)
            return -1;
        start = next;
    }
    return 0;
}
