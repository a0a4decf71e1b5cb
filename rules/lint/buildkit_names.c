// SPDX-License-Identifier: Apache-2.0
/* How keywords and stages are written: cases, names that are used twice or taken. */
#include <rules/lint/buildkit.h>

enum { REFERENCES_MAX = 200 /* edits of one finding */ };

static bool contains(sb_slice text, const char *word)
{
    return sb_slice_find(text, sb_slice_z(word)) >= 0;
}

static sb_slice upper(sb_arena *arena, sb_slice text)
{
    char *copy = sb_arena_strdup(arena, text);

    for (size_t i = 0; i < text.len; i++)
        if (copy[i] >= 'a' && copy[i] <= 'z')
            copy[i] = (char)(copy[i] - 'a' + 'A');
    return sb_slice_of(copy, text.len);
}

static sb_slice in_case(sb_arena *arena, sb_slice text, bool lower)
{
    return lower ? sb_arena_lower(arena, text) : upper(arena, text);
}

static sb_slice bytes_of(const sb_lint *lint, sb_span span)
{
    return sb_slice_sub(lint->df->text, span.start, span.end);
}

/* --- Stages' names --- */

/* The place of the reference where it can be told: its bytes are the text, or hold it once. */
static bool reference_span(const sb_lint *lint, const sb_df_ref *ref, sb_span *ret_span)
{
    sb_slice bytes, behind;
    sb_slice needle = ref->text;
    ptrdiff_t at;

    if (ref->span.end <= ref->span.start || !needle.len)
        return false;
    bytes = bytes_of(lint, ref->span);
    if (!sb_slice_eq(bytes, needle))
        needle = sb_arena_printf(lint->arena, "from=%" SB_FMT, SB_ARG(ref->text));
    at = sb_slice_find(bytes, needle);
    if (at < 0)
        return false;
    behind = sb_slice_sub(bytes, (size_t)at + needle.len, bytes.len);
    if (sb_slice_find(behind, needle) >= 0)
        return false;
    ret_span->end = ref->span.start + (size_t)at + needle.len;
    ret_span->start = ret_span->end - ref->text.len;
    return true;
}

/* FROM with the name in capitals is an image that there cannot be: the stage was meant. */
static bool names_stage(const sb_df_ref *ref, const sb_df_stage *stage)
{
    switch (ref->kind) {
    case SB_REF_FROM:
        return ref->stage > stage->index && ref->resolved_stage < 0 && !ref->context &&
               sb_slice_eq_nocase(ref->text, stage->name);
    case SB_REF_COPY:
    case SB_REF_MOUNT:
        return ref->resolved_stage == stage->index && sb_slice_eq_nocase(ref->text, stage->name);
    case SB_REF_SYNTAX:
    case SB_REF_ADD_URL:
    case SB_REF_ADD_GIT:
        break;
    }
    return false;
}

static void fix_references(sb_lint *lint, sb_finding *finding, const sb_df_stage *stage)
{
    size_t left = REFERENCES_MAX;
    sb_span span;

    for (size_t i = 0; left && i < lint->view->ref_count; i++) {
        const sb_df_ref *ref = &lint->view->refs[i];

        if (ref->trigger >= 0 || bk_is_lower(ref->text) || !names_stage(ref, stage) ||
            !reference_span(lint, ref, &span))
            continue;
        sb_lint_edit(lint, finding, span, stage->name);
        left--;
    }
}

static void check_stage_casing(sb_lint *lint, const bk_instruction *bk, const sb_df_stage *stage)
{
    sb_df_word name = bk->ins->args[2];
    sb_finding *finding;

    if (sb_slice_eq(name.text, stage->name))
        return;
    finding = sb_lint_say(lint, &bk_stage_name_casing, bk_place(lint, bk, name.span),
                          "the name of stage \"%" SB_FMT "\" has capital letters", SB_ARG(name.text));
    if (!sb_slice_eq(bytes_of(lint, name.span), name.text))
        return;
    sb_lint_edit(lint, finding, name.span, stage->name);
    fix_references(lint, finding, stage);
}

static void check_stage_name(sb_lint *lint, const bk_instruction *bk, const sb_df_stage *stage,
                             sb_df_env *seen)
{
    sb_span place = bk_place(lint, bk, bk->ins->args[2].span);

    if (sb_slice_eqz(stage->name, "scratch") || sb_slice_eqz(stage->name, "context"))
        sb_lint_say(lint, &bk_reserved_stage_name, place, "a stage should not be called \"%" SB_FMT "\"",
                    SB_ARG(stage->name));
    if (sb_df_env_has(seen, seen->count, stage->name))
        sb_lint_say(lint, &bk_duplicate_stage_name, place, "there is a stage \"%" SB_FMT "\" already",
                    SB_ARG(stage->name));
    sb_df_env_set(lint->arena, seen, stage->name, SB_LIT(""));
}

/* --- Keywords --- */

static void check_as(sb_lint *lint, const bk_instruction *bk)
{
    sb_slice from = bytes_of(lint, bk->ins->keyword_span);
    sb_df_word as = bk->ins->args[1];
    bool lower = bk_is_lower(from);
    sb_finding *finding;

    if ((!lower && !bk_is_upper(from)) || (lower ? bk_is_lower(as.text) : bk_is_upper(as.text)))
        return;
    finding = sb_lint_say(lint, &bk_from_as_casing, bk_place(lint, bk, as.span),
                          "\"%" SB_FMT "\" and \"%" SB_FMT "\" are not in the same case", SB_ARG(from),
                          SB_ARG(as.text));
    if (sb_slice_eq(bytes_of(lint, as.span), as.text))
        sb_lint_edit(lint, finding, as.span, in_case(lint->arena, as.text, lower));
}

/* Do most of the keywords have small letters? Those with both do not count, nor do global ARGs. */
static bool most_are_lower(const sb_lint *lint)
{
    size_t lower = 0, other = 0;

    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        sb_slice text = bytes_of(lint, lint->df->instructions[i].keyword_span);

        if (lint->df->instructions[i].stage < 0)
            continue;
        lower += bk_is_lower(text);
        other += !bk_is_lower(text) && bk_is_upper(text);
    }
    return lower > other;
}

static void check_keyword(sb_lint *lint, const sb_df_instruction *ins, bool lower)
{
    sb_slice text = bytes_of(lint, ins->keyword_span);
    sb_finding *finding;

    if (lower ? bk_is_lower(text) : bk_is_upper(text))
        return;
    finding = sb_lint_say(lint, &bk_consistent_instruction_casing, ins->keyword_span,
                          "\"%" SB_FMT "\" should be in %s letters, as most keywords of this file",
                          SB_ARG(text), lower ? "small" : "capital");
    sb_lint_edit(lint, finding, ins->keyword_span, in_case(lint->arena, text, lower));
    /* AS goes along, lest FromAsCasing be broken by it. */
    if (ins->keyword == SB_DF_FROM && ins->arg_count == 3 &&
        sb_slice_eq(bytes_of(lint, ins->args[1].span), ins->args[1].text))
        sb_lint_edit(lint, finding, ins->args[1].span, in_case(lint->arena, ins->args[1].text, lower));
}

/* --- MAINTAINER --- */

/* In double quotes, as a word of LABEL that expands to the text. */
static sb_slice quoted(sb_lint *lint, sb_slice text)
{
    sb_autobuf out = SB_BUF_INIT(2 * text.len + 3);

    if (text.len > 1 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        text = sb_slice_sub(text, 1, text.len - 1);
    sb_buf_addc(&out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '$' || text.ptr[i] == lint->df->escape)
            sb_buf_addc(&out, lint->df->escape);
        sb_buf_addc(&out, text.ptr[i]);
    }
    sb_buf_addc(&out, '"');
    return sb_arena_dup(lint->arena, sb_buf_slice(&out));
}

static void check_maintainer(sb_lint *lint, const sb_df_instruction *ins)
{
    sb_slice keyword = bytes_of(lint, ins->keyword_span), value = sb_slice_trim(ins->rest);
    sb_finding *finding = sb_lint_say(lint, &bk_maintainer_deprecated, ins->keyword_span,
                                      "MAINTAINER is deprecated: a label says who made the image");

    if (ins->flag_count || !value.len || memchr(value.ptr, '\n', value.len) ||
        memchr(lint->df->text.ptr + ins->span.start, '\n', ins->span.end - ins->span.start) ||
        contains(value, "<<"))
        return;
    sb_lint_edit(lint, finding, ins->span,
                 sb_arena_printf(lint->arena, "%s org.opencontainers.image.authors=%" SB_FMT,
                                 bk_is_lower(keyword) ? "label" : "LABEL", SB_ARG(quoted(lint, value))));
}

void bk_check_names(sb_lint *lint)
{
    bool lower = most_are_lower(lint);
    sb_df_env seen = {0};

    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];
        bk_instruction bk = {.ins = ins, .at = ins};

        if (ins->stage >= 0)
            check_keyword(lint, ins, lower);
        if (ins->keyword == SB_DF_MAINTAINER)
            check_maintainer(lint, ins);
        if (ins->keyword != SB_DF_FROM || ins->arg_count != 3)
            continue;
        check_stage_casing(lint, &bk, &lint->view->stages[ins->stage]);
        check_as(lint, &bk);
        check_stage_name(lint, &bk, &lint->view->stages[ins->stage], &seen);
    }
}
