// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/keywords.h>
#include <dockerfile/space.h>
#include <dockerfile/tree.h>

static void keep_args(df_parser *p, sb_df_instruction *ins)
{
    if (p->word_count == 0)
        return;
    ins->args = sb_arena_array(p->arena, sb_df_word, p->word_count);
    ins->arg_count = p->word_count;
    for (size_t i = 0; i < p->word_count; i++)
        ins->args[i] = (sb_df_word){p->words[i].text, df_line_span(&p->line, p->words[i].raw)};
}

/* The part of `s` before its first "=" and, if there is one, the part behind it. */
static sb_slice cut_at_equals(sb_slice s, sb_slice *ret_value)
{
    ptrdiff_t equals = sb_slice_chr(s, '=');

    if (equals < 0) {
        *ret_value = SB_NIL;
        return s;
    }
    *ret_value = sb_slice_sub(s, (size_t)equals + 1, s.len);
    return sb_slice_sub(s, 0, (size_t)equals);
}

static void keep_pairs(df_parser *p, sb_df_instruction *ins)
{
    if (p->word_count == 0)
        return;
    ins->pairs = sb_arena_array(p->arena, sb_df_pair, p->word_count);
    ins->pair_count = p->word_count;
    for (size_t i = 0; i < p->word_count; i++) {
        sb_df_pair *pair = &ins->pairs[i];
        sb_slice raw_key, raw_value;

        pair->key = cut_at_equals(p->words[i].text, &pair->value);
        pair->sep = pair->value.ptr ? SB_LIT("=") : SB_LIT("");
        raw_key = cut_at_equals(p->words[i].raw, &raw_value);
        pair->key_span = df_line_span(&p->line, raw_key);
        pair->value_span.start = pair->value_span.end = pair->key_span.end;
        if (raw_value.ptr)
            pair->value_span = df_line_span(&p->line, raw_value);
    }
}

static int read_whole(df_parser *p, sb_slice rest, sb_error **err)
{
    return rest.len > 0 ? df_add_word(p, rest, rest, err) : 0;
}

static int read_json_or_whole(df_parser *p, sb_slice rest, sb_df_instruction *ins, sb_error **err)
{
    if (df_json_words(p, rest, &ins->json, err) < 0)
        return -1;
    return ins->json ? 0 : read_whole(p, rest, err);
}

static int read_json_or_list(df_parser *p, sb_slice rest, sb_df_instruction *ins, sb_error **err)
{
    if (df_json_words(p, rest, &ins->json, err) < 0)
        return -1;
    return ins->json ? 0 : df_blank_words(p, rest, err);
}

/* Each byte is taken for a character, as in flags. */
static bool is_latin_space(char c)
{
    return (unsigned char)c == 0x85 || (unsigned char)c == 0xa0 || c == '\n' || df_is_blank(c);
}

/* HEALTHCHECK: NONE, or CMD and a command. */
static int read_health(df_parser *p, sb_slice rest, sb_df_instruction *ins, sb_error **err)
{
    size_t end = 0, next;
    sb_slice type;

    while (end < rest.len && !is_latin_space(rest.ptr[end]))
        end++;
    for (next = end; next < rest.len && is_latin_space(rest.ptr[next]);)
        next++;
    if (end == 0)
        return 0;
    type = sb_slice_sub(rest, 0, end);
    if (df_add_word(p, type, type, err) < 0)
        return -1;
    return read_json_or_whole(p, sb_slice_sub(rest, next, rest.len), ins, err);
}

/* ENV key value: the value is all that follows. */
static int read_legacy_pair(df_parser *p, sb_slice rest, sb_df_instruction *ins, sb_error **err)
{
    size_t end = 0, next;
    sb_slice key, value;

    while (end < rest.len && !df_is_blank(rest.ptr[end]))
        end++;
    for (next = end; next < rest.len && df_is_blank(rest.ptr[next]);)
        next++;
    if (end == rest.len)
        return df_fail(p, ins->keyword_span.start, err, "%s must have two arguments",
                       sb_df_keyword_name(ins->keyword));
    key = sb_slice_sub(rest, 0, end);
    value = sb_slice_sub(rest, next, rest.len);
    ins->pairs = sb_arena_new_of(p->arena, sb_df_pair);
    ins->pair_count = 1;
    ins->pairs[0] = (sb_df_pair){
        .key = key,
        .value = value,
        .sep = SB_LIT(""),
        .key_span = df_line_span(&p->line, key),
        .value_span = df_line_span(&p->line, value),
    };
    return 0;
}

/* ENV and LABEL */
static int read_pairs(df_parser *p, sb_slice rest, sb_df_instruction *ins, sb_error **err)
{
    if (df_quoted_words(p, rest, err) < 0)
        return -1;
    if (p->word_count > 0 && sb_slice_chr(p->words[0].text, '=') < 0)
        return read_legacy_pair(p, rest, ins, err);
    for (size_t i = 0; i < p->word_count; i++) {
        sb_autofree char *shown = NULL;

        if (sb_slice_chr(p->words[i].text, '=') >= 0)
            continue;
        shown = df_quote(p->words[i].text);
        return df_fail(p, df_line_span(&p->line, p->words[i].raw).start, err,
                       "Syntax error - can't find = in %s. Must be of the form: name=value", shown);
    }
    keep_pairs(p, ins);
    return 0;
}

static int read_trigger(df_parser *p, sb_slice rest, unsigned depth, sb_df_instruction *ins, sb_error **err)
{
    if (rest.len == 0)
        return 0;
    if (depth >= DF_ONBUILD_DEPTH_MAX)
        return df_fail_line(p, p->reader.line, SB_ERR_LIMIT, err, "ONBUILD is nested deeper than %d levels",
                            DF_ONBUILD_DEPTH_MAX);
    ins->trigger = sb_arena_new_of(p->arena, sb_df_instruction);
    ins->trigger->start_line = ins->start_line;
    ins->trigger->stage = ins->stage;
    return df_read_instruction(p, rest, depth + 1, ins->trigger, err);
}

static int read_form(df_parser *p, sb_slice rest, unsigned depth, sb_df_instruction *ins, sb_error **err)
{
    switch (ins->keyword) {
    case SB_DF_RUN:
    case SB_DF_CMD:
    case SB_DF_ENTRYPOINT:
    case SB_DF_SHELL:
        return read_json_or_whole(p, rest, ins, err);
    case SB_DF_ADD:
    case SB_DF_COPY:
    case SB_DF_VOLUME:
        return read_json_or_list(p, rest, ins, err);
    case SB_DF_FROM:
    case SB_DF_EXPOSE:
        return df_blank_words(p, rest, err);
    case SB_DF_WORKDIR:
    case SB_DF_USER:
    case SB_DF_STOPSIGNAL:
    case SB_DF_MAINTAINER:
        return read_whole(p, rest, err);
    case SB_DF_HEALTHCHECK:
        return read_health(p, rest, ins, err);
    case SB_DF_ENV:
    case SB_DF_LABEL:
        return read_pairs(p, rest, ins, err);
    case SB_DF_ARG:
        if (df_quoted_words(p, rest, err) < 0)
            return -1;
        keep_pairs(p, ins);
        return 0;
    case SB_DF_ONBUILD:
        return read_trigger(p, rest, depth, ins, err);
    case SB_DF_UNKNOWN:
        /* BuildKit's tree has one empty argument here. */
        return df_add_word(p, sb_slice_sub(rest, 0, 0), SB_LIT(""), err);
    }
    return 0;
}

/* In lower case, in the arena unless it is so already. */
static sb_slice lower(sb_arena *arena, sb_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != sb_ascii_lower(s.ptr[i]))
            return sb_arena_lower(arena, s);
    return s;
}

int df_read_instruction(df_parser *p, sb_slice text, unsigned depth, sb_df_instruction *ins, sb_error **err)
{
    sb_slice line = df_trim(text), keyword, rest;
    size_t end = 0, next;

    while (end < line.len && !df_is_blank(line.ptr[end]))
        end++;
    for (next = end; next < line.len && df_is_blank(line.ptr[next]);)
        next++;
    keyword = sb_slice_sub(line, 0, end);
    rest = sb_slice_sub(line, next, line.len);
    ins->original = text;
    ins->keyword = df_keyword_find(keyword);
    ins->keyword_text = lower(p->arena, keyword);
    ins->keyword_span = df_line_span(&p->line, keyword);
    ins->span = df_line_span(&p->line, line);
    if (df_take_flags(p, &rest, ins, err) < 0)
        return -1;
    rest = df_trim(rest);
    ins->rest = rest;
    ins->rest_span = df_line_span(&p->line, rest);
    p->word_count = 0;
    if (read_form(p, rest, depth, ins, err) < 0)
        return -1;
    /* A trigger has taken its words itself; those of pairs are in the pairs, ARG has both. */
    if (ins->keyword != SB_DF_ONBUILD && ins->keyword != SB_DF_ENV && ins->keyword != SB_DF_LABEL)
        keep_args(p, ins);
    return 0;
}
