// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/instruction.h>
#include <dockerfile/suggest.h>

enum { FLAGS_MAX = 8 };

typedef enum flag_kind { FLAG_BOOL, FLAG_STRING, FLAG_STRINGS } flag_kind;

typedef struct flag_rule {
    const char *name;
    flag_kind kind;
} flag_rule;

static const flag_rule rules[SB_DF_UNKNOWN][FLAGS_MAX] = {
    [SB_DF_FROM] = {{"platform", FLAG_STRING}},
    [SB_DF_ADD] = {{"chown", FLAG_STRING},
                   {"chmod", FLAG_STRING},
                   {"link", FLAG_BOOL},
                   {"keep-git-dir", FLAG_BOOL},
                   {"checksum", FLAG_STRING},
                   {"unpack", FLAG_BOOL},
                   {"exclude", FLAG_STRINGS}},
    [SB_DF_COPY] = {{"chown", FLAG_STRING},
                    {"from", FLAG_STRING},
                    {"chmod", FLAG_STRING},
                    {"link", FLAG_BOOL},
                    {"exclude", FLAG_STRINGS},
                    {"parents", FLAG_BOOL}},
    [SB_DF_RUN] = {{"mount", FLAG_STRINGS},
                   {"network", FLAG_STRING},
                   {"security", FLAG_STRING},
                   {"device", FLAG_STRINGS}},
    [SB_DF_HEALTHCHECK] = {{"interval", FLAG_STRING},
                           {"timeout", FLAG_STRING},
                           {"start-period", FLAG_STRING},
                           {"start-interval", FLAG_STRING},
                           {"retries", FLAG_STRING}},
};

static const flag_rule *find_rule(sb_df_keyword keyword, sb_slice name)
{
    for (size_t i = 0; i < FLAGS_MAX && rules[keyword][i].name; i++) {
        if (sb_slice_eqz(name, rules[keyword][i].name))
            return &rules[keyword][i];
    }
    return NULL;
}

static int fail_unknown(const df_parser *p, const sb_df_instruction *ins, const sb_df_flag *flag,
                        sb_error **err)
{
    sb_autofree char *shown = sb_printable(flag->name);
    const char *names[FLAGS_MAX], *nearest;
    size_t count = 0;

    for (; count < FLAGS_MAX && rules[ins->keyword][count].name; count++)
        names[count] = rules[ins->keyword][count].name;
    nearest = df_suggest(flag->name, names, count);
    if (nearest)
        return df_fail(p, flag->span.start, err, "unknown flag: --%s (did you mean %s?)", shown, nearest);
    return df_fail(p, flag->span.start, err, "unknown flag: --%s", shown);
}

static int check_value(const df_parser *p, const sb_df_flag *flag, const flag_rule *rule, sb_error **err)
{
    sb_autofree char *shown = NULL;

    if (rule->kind != FLAG_BOOL) {
        if (!flag->value.ptr)
            return df_fail(p, flag->span.start, err, "missing a value on flag: --%s", rule->name);
        return 0;
    }
    if (!flag->value.ptr)
        return 0;
    if (flag->value.len == 0)
        return df_fail(p, flag->span.start, err, "missing a value on flag: --%s", rule->name);
    if (sb_slice_eq_nocase(flag->value, SB_LIT("true")) || sb_slice_eq_nocase(flag->value, SB_LIT("false")))
        return 0;
    shown = sb_printable(flag->value);
    return df_fail(p, flag->span.start, err, "expecting boolean value for flag --%s, not: %s", rule->name,
                   shown);
}

int df_check_flags(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    unsigned used = 0;

    for (size_t i = 0; i < ins->flag_count; i++) {
        const sb_df_flag *flag = &ins->flags[i];
        const flag_rule *rule = find_rule(ins->keyword, flag->name);
        unsigned bit;

        if (!rule)
            return fail_unknown(p, ins, flag, err);
        bit = 1u << (rule - rules[ins->keyword]);
        if ((used & bit) && rule->kind != FLAG_STRINGS)
            return df_fail(p, flag->span.start, err, "duplicate flag specified: --%s", rule->name);
        used |= bit;
        if (check_value(p, flag, rule, err) < 0)
            return -1;
    }
    return 0;
}

const sb_df_flag *sb_df_find_flag(const sb_df_instruction *ins, const char *name)
{
    for (size_t i = 0; i < ins->flag_count; i++) {
        if (sb_slice_eqz(ins->flags[i].name, name))
            return &ins->flags[i];
    }
    return NULL;
}
