// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

static const cli_option options[] = {CLI_OPTIONS_END};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

const cli_command cli_doctor = {
    .name = "doctor",
    .summary = "tell what sbuild finds on this machine",
    .usage = "[CONTEXT]",
    .description = "Shows the engines found with their versions and abilities, the programs that sbuild "
                   "calls, registries with their mirrors, where credentials are found (not what they are), "
                   "keys, cache and settings.",
    .options = options,
    .exits = CLI_EXIT(9),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
