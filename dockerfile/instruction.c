// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/heredoc.h>
#include <dockerfile/instruction.h>
#include <dockerfile/keywords.h>
#include <dockerfile/space.h>
#include <dockerfile/suggest.h>

static int fail_at_keyword(const df_parser *p, const sb_df_instruction *ins, const char *demand,
                           sb_error **err)
{
    return df_fail(p, ins->keyword_span.start, err, "%s requires %s", sb_df_keyword_name(ins->keyword),
                   demand);
}

static bool has_lower(sb_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 'a' && s.ptr[i] <= 'z')
            return true;
    }
    return false;
}

static int check_unknown(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    const char *names[SB_DF_UNKNOWN], *nearest;
    sb_slice typed = sb_slice_sub(df_trim(ins->original), 0, ins->keyword_text.len);
    sb_autofree char *shown = sb_printable(typed);
    sb_autofree char *meant = NULL;

    for (unsigned i = 0; i < SB_DF_UNKNOWN; i++)
        names[i] = sb_df_keyword_name((sb_df_keyword)i);
    nearest = df_suggest(typed, names, SB_DF_UNKNOWN);
    if (!nearest)
        return df_fail(p, ins->keyword_span.start, err, "unknown instruction: %s", shown);
    meant = sb_strdup(nearest);
    for (size_t i = 0; has_lower(typed) && meant[i]; i++)
        meant[i] = (char)(meant[i] | 0x20);
    return df_fail(p, ins->keyword_span.start, err, "unknown instruction: %s (did you mean %s?)", shown,
                   meant);
}

static bool is_stage_name(sb_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = sb_ascii_lower(name.ptr[i]);

        if (!(c >= 'a' && c <= 'z') &&
            (i == 0 || (!(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')))
            return false;
    }
    return name.len > 0;
}

static int check_from(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    if (ins->arg_count == 3 && sb_slice_eq_nocase(ins->args[1].text, SB_LIT("as"))) {
        if (!is_stage_name(ins->args[2].text)) {
            sb_autofree char *shown = df_quote(ins->args[2].text);

            return df_fail(p, ins->args[2].span.start, err,
                           "invalid name for build stage: %s, name can't start with a number or contain "
                           "symbols",
                           shown);
        }
    } else if (ins->arg_count != 1) {
        return fail_at_keyword(p, ins, "either one or three arguments", err);
    }
    return df_check_flags(p, ins, err);
}

/* ADD and COPY */
static int check_copy(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    SB_AUTO(sb_error) unused = NULL;
    const sb_df_word *dest;
    sb_df_heredoc doc;

    if (ins->arg_count < 2)
        return fail_at_keyword(
            p, ins, "at least two arguments, but only one was provided. Destination could not be determined",
            err);
    if (df_check_flags(p, ins, err) < 0)
        return -1;
    dest = &ins->args[ins->arg_count - 1];
    if (df_heredoc_word(p->arena, dest->text, &doc, &unused) > 0)
        return df_fail(p, dest->span.start, err, "%s cannot accept a heredoc as a destination",
                       sb_df_keyword_name(ins->keyword));
    return 0;
}

static int check_pairs(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    if (ins->pair_count == 0)
        return fail_at_keyword(p, ins, "at least one argument", err);
    for (size_t i = 0; i < ins->pair_count; i++) {
        if (ins->pairs[i].key.len == 0)
            return df_fail(p, ins->pairs[i].key_span.start, err, "%s names can not be blank",
                           sb_df_keyword_name(ins->keyword));
    }
    return 0;
}

static int check_volume(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    if (ins->arg_count == 0)
        return fail_at_keyword(p, ins, "at least one argument", err);
    if (df_check_flags(p, ins, err) < 0)
        return -1;
    for (size_t i = 0; i < ins->arg_count; i++) {
        if (df_trim(ins->args[i].text).len == 0)
            return df_fail(p, ins->args[i].span.start, err, "VOLUME specified can not be an empty string");
    }
    return 0;
}

static int check_shell(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    if (df_check_flags(p, ins, err) < 0)
        return -1;
    if (ins->arg_count == 0)
        return fail_at_keyword(p, ins, "at least one argument", err);
    return ins->json ? 0 : fail_at_keyword(p, ins, "the arguments to be in JSON form", err);
}

static int check_onbuild(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    const sb_df_instruction *trigger = ins->trigger;
    sb_df_keyword keyword;

    if (!trigger)
        return fail_at_keyword(p, ins, "at least one argument", err);
    if (df_check_flags(p, ins, err) < 0)
        return -1;
    keyword = df_keyword_find(df_trim(trigger->keyword_text));
    if (keyword == SB_DF_ONBUILD)
        return df_fail(p, trigger->keyword_span.start, err,
                       "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (keyword == SB_DF_MAINTAINER || keyword == SB_DF_FROM)
        return df_fail(p, trigger->keyword_span.start, err, "%s isn't allowed as an ONBUILD trigger",
                       sb_df_keyword_name(keyword));
    return 0;
}

static int check_single(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    if (ins->arg_count != 1)
        return fail_at_keyword(p, ins, "exactly one argument", err);
    /* BuildKit never looks at the flags of STOPSIGNAL. */
    return ins->keyword == SB_DF_STOPSIGNAL ? 0 : df_check_flags(p, ins, err);
}

int df_check_instruction(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    switch (ins->keyword) {
    case SB_DF_UNKNOWN:
        return check_unknown(p, ins, err);
    case SB_DF_FROM:
        return check_from(p, ins, err);
    case SB_DF_ADD:
    case SB_DF_COPY:
        return check_copy(p, ins, err);
    case SB_DF_ENV:
    case SB_DF_LABEL:
        return df_check_flags(p, ins, err) < 0 ? -1 : check_pairs(p, ins, err);
    case SB_DF_ARG:
        return check_pairs(p, ins, err);
    case SB_DF_MAINTAINER:
    case SB_DF_STOPSIGNAL:
    case SB_DF_USER:
    case SB_DF_WORKDIR:
        return check_single(p, ins, err);
    case SB_DF_EXPOSE:
        return ins->arg_count == 0 ? fail_at_keyword(p, ins, "at least one argument", err)
                                   : df_check_flags(p, ins, err);
    case SB_DF_VOLUME:
        return check_volume(p, ins, err);
    case SB_DF_SHELL:
        return check_shell(p, ins, err);
    case SB_DF_ONBUILD:
        return check_onbuild(p, ins, err);
    case SB_DF_HEALTHCHECK:
        return df_check_health(p, ins, err);
    case SB_DF_RUN:
        return df_check_run(p, ins, err);
    case SB_DF_CMD:
    case SB_DF_ENTRYPOINT:
        return df_check_flags(p, ins, err);
    }
    return 0;
}
