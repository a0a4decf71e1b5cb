// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

bool cli_print_completion(const char *shell, FILE *out)
{
    (void)shell;
    (void)out;
    return false;
}
