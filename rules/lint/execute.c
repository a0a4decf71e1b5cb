// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/lint.h>

const sb_rule_set sb_rules_execute = {"Fetch and execute", NULL, 0};

void sb_lint_execute(sb_lint *lint)
{
    (void)lint;
}
