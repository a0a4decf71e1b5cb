// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/lint.h>

const sb_rule_set sb_rules_tags = {"Moving tags", NULL, 0};

void sb_lint_tags(sb_lint *lint)
{
    (void)lint;
}
