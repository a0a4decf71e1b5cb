// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct init_options {
    const char *file;
    bool dry_run;
} init_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(init_options, file),
    {"dry-run", 'n', CLI_FLAG(init_options, dry_run), NULL, "only say what would be added"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild init", "prepare the directory here"},
    {"sbuild init --dry-run", "see what that would change"},
    {NULL, NULL},
};

const cli_command cli_init = {
    .name = "init",
    .summary = "add what git and docker build should ignore",
    .usage = "[CONTEXT]",
    .description = "Adds the scratch directory to .gitignore, in a git repository, and scratch directory, "
                   "store and lock to "
                   ".dockerignore, so that a plain \"docker build\" leaves them out of the image as sbuild "
                   "does. Lines that are "
                   "there already are left alone.",
    .options = options,
    .options_size = sizeof(init_options),
    .examples = examples,
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
