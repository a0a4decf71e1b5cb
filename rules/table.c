// SPDX-License-Identifier: Apache-2.0
/* Every rule there is, by family. */
#include <rules/lint/lint.h>

static const sb_rule_set *const families[] = {
    &sb_rules_general,  &sb_rules_root,   &sb_rules_updates,   &sb_rules_execute,
    &sb_rules_tags,     &sb_rules_frozen, &sb_rules_downloads, &sb_rules_secrets,
    &sb_rules_buildkit, &sb_rules_image,  &sb_rules_leaks,
};

const sb_rule_set *sb_rule_family(size_t index)
{
    return index < SB_COUNT(families) ? families[index] : NULL;
}

static bool is_named(const sb_rule *rule, sb_slice text)
{
    return sb_slice_eq_nocase(text, sb_slice_z(rule->id)) || sb_slice_eq_nocase(text, sb_slice_z(rule->name));
}

bool sb_rule_is_among(const sb_rule *rule, const char *const *only)
{
    for (const char *const *name = only; name && *name; name++)
        if (is_named(rule, sb_slice_z(*name)))
            return true;
    return !only;
}

const sb_rule *sb_rule_find(sb_slice id_or_name)
{
    const sb_rule_set *family;

    for (size_t i = 0; (family = sb_rule_family(i)); i++)
        for (size_t j = 0; j < family->count; j++)
            if (is_named(family->rules[j], id_or_name))
                return family->rules[j];
    return NULL;
}
