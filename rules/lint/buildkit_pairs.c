// SPDX-License-Identifier: Apache-2.0
/* Keys and values of ENV, LABEL and ARG. */
#include <rules/lint/buildkit.h>

/* --- `ENV key value` --- */

/* How the value must be written behind "=" to mean the same. */
typedef enum legacy_form {
    LEGACY_AS_IS,   /* no blanks, or all of it is quoted already */
    LEGACY_QUOTED,  /* in double quotes: nothing in it means something else there */
    LEGACY_ESCAPED, /* blanks outside quotes get the escape character */
} legacy_form;

/* A value that is one "…" or '…' as it stands. */
static bool is_one_quotation(sb_slice value, char escape)
{
    char quote = value.len > 1 ? value.ptr[0] : 0;

    if ((quote != '"' && quote != '\'') || value.ptr[value.len - 1] != quote)
        return false;
    for (size_t i = 1; i + 1 < value.len; i++)
        if (value.ptr[i] == quote || value.ptr[i] == escape)
            return false;
    return true;
}

static legacy_form legacy_form_of(sb_slice value, char escape)
{
    bool blank = false, special = false;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        blank |= c == ' ' || (c >= '\t' && c <= '\r');
        special |= c == '"' || c == '\'' || c == escape;
    }
    if (!blank || is_one_quotation(value, escape))
        return LEGACY_AS_IS;
    return special ? LEGACY_ESCAPED : LEGACY_QUOTED;
}

static void escape_blanks(sb_lint *lint, sb_finding *finding, sb_slice value, size_t offset)
{
    char quote = 0;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        if (c == lint->df->escape && quote != '\'')
            i++; /* what is behind it is no quote; a blank is escaped already */
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == ' ' || (c >= '\t' && c <= '\r'))
            sb_lint_edit(lint, finding, (sb_span){offset + i, offset + i}, sb_slice_of(&lint->df->escape, 1));
    }
}

static void fix_legacy(sb_lint *lint, sb_finding *finding, const sb_df_pair *pair)
{
    sb_span between = {pair->key_span.end, pair->value_span.start};
    bool one_piece = pair->value_span.end - pair->value_span.start == pair->value.len;
    legacy_form form = legacy_form_of(pair->value, lint->df->escape);

    if (!finding || between.start > between.end || !pair->value.len ||
        memchr(lint->df->text.ptr + between.start, '#', between.end - between.start) ||
        (form == LEGACY_ESCAPED && !one_piece))
        return;
    /* A trailing escape character would be lost in the one form and not in the other. */
    if (form != LEGACY_AS_IS && pair->value.ptr[pair->value.len - 1] == lint->df->escape)
        return;
    sb_lint_edit(lint, finding, between, form == LEGACY_QUOTED ? SB_LIT("=\"") : SB_LIT("="));
    if (form == LEGACY_QUOTED)
        sb_lint_edit(lint, finding, (sb_span){pair->value_span.end, pair->value_span.end}, SB_LIT("\""));
    else if (form == LEGACY_ESCAPED)
        escape_blanks(lint, finding, pair->value, pair->value_span.start);
}

/* --- Names of secrets --- */

static bool is_one_of(sb_slice token, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eq_nocase(token, sb_slice_z(list[i])))
            return true;
    return false;
}

/* As BuildKit judges: by the parts between underscores. SB7xx look closer. */
static bool is_secret_name(sb_slice name)
{
    static const char *const secret[] = {"apikey",   "auth",  "credential", "credentials", "key",
                                         "password", "pword", "passwd",     "secret",      "token"};
    static const char *const harmless[] = {"public", "file", "version"};
    bool found = false;

    while (name.ptr) {
        sb_slice token = sb_slice_cut(&name, '_');

        if (is_one_of(token, harmless, SB_COUNT(harmless)))
            return false;
        found |= is_one_of(token, secret, SB_COUNT(secret));
    }
    return found;
}

void bk_check_pairs(bk_stage *s, const bk_instruction *bk)
{
    const sb_df_instruction *ins = bk->ins;
    const char *keyword = sb_df_keyword_name(ins->keyword);

    for (size_t i = 0; i < ins->pair_count; i++) {
        const sb_df_pair *pair = &ins->pairs[i];
        sb_span place = bk_place(s->lint, bk, pair->key_span);
        sb_slice key = pair->key;
        sb_finding *finding;

        if (ins->keyword != SB_DF_ARG && !pair->sep.len) {
            finding = sb_lint_say(s->lint, &bk_legacy_key_value, place,
                                  "%s with a blank between key and value", keyword);
            if (bk->at == ins)
                fix_legacy(s->lint, finding, pair);
        }
        if (ins->keyword == SB_DF_ENV && bk->expanded && 2 * i < bk->expanded->count)
            key = bk->expanded->words[2 * i];
        if (ins->keyword != SB_DF_LABEL && is_secret_name(key))
            sb_lint_say(s->lint, &bk_secrets_in_arg_or_env, place,
                        "%s \"%" SB_FMT "\" is called like a secret", keyword, SB_ARG(key));
    }
}
