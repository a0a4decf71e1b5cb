// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct verify_options {
    const char *file;
    bool online;
} verify_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(verify_options, file),
    {"online", 0, CLI_FLAG(verify_options, online), NULL,
     "also ask upstream whether anything changed or is gone"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild verify", "check lock and store, without any network"},
    {"sbuild verify --online", "has upstream changed?"},
    {NULL, NULL},
};

const cli_command cli_verify = {
    .name = "verify",
    .summary = "check lock, store and signatures again",
    .usage = "[CONTEXT]",
    .description = "Checks that the lock covers the Dockerfile, that everything in the store still has the "
                   "locked digest, "
                   "and that every signature and checksum still holds. Reports all that is wrong, not only "
                   "the first; the "
                   "exit status is that of the gravest.",
    .options = options,
    .options_size = sizeof(verify_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(4) | CLI_EXIT(5) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
