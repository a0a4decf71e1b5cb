// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/lint.h>

const sb_rule_set sb_rules_updates = {"Updates of the base image", NULL, 0};

void sb_lint_updates(sb_lint *lint)
{
    (void)lint;
}
