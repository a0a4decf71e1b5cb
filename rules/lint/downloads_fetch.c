// SPDX-License-Identifier: Apache-2.0
/* SB601–SB607: what is downloaded, and whether somebody checks it. */
#include <rules/lint/downloads.h>

void sb_lint_fetched(sb_lint *lint)
{
    (void)lint;
}
