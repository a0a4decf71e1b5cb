// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct diff_options {
    const char *file;
} diff_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(diff_options, file),
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild diff", "what changed since the last commit"},
    {"sbuild diff old.lock Dockerfile.lock", "between two files"},
    {NULL, NULL},
};

const cli_command cli_diff = {
    .name = "diff",
    .summary = "say what changed between two locks",
    .usage = "[OLD [NEW]]",
    .description =
        "Compares two lock files and prints one line per change, in words. NEW is the lock here unless it is "
        "given, OLD the one that git has of it.",
    .options = options,
    .options_size = sizeof(diff_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3),
    .operand = CLI_OPERAND_FILE,
    .max_operands = 2,
    .run = run,
};
