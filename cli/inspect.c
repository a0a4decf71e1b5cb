// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct inspect_options {
    bool json;
    bool syntax_only;
    const char *target;
    cli_list build_args;
    const char *platform;
} inspect_options;

static const cli_option options[] = {
    {"json", 0, CLI_FLAG(inspect_options, json), NULL, "print one JSON object"},
    {"syntax-only", 0, CLI_FLAG(inspect_options, syntax_only), NULL,
     "stop after the syntax, before any instruction's own rules"},
    {"target", 0, CLI_STRING(inspect_options, target), "STAGE", "the stage to build (default: the last)"},
    {"build-arg", 0, CLI_LIST(inspect_options, build_args), "KEY=VALUE", "a build argument"},
    {"platform", 0, CLI_STRING(inspect_options, platform), "OS/ARCH", "the platform to build for"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild inspect Dockerfile", "what does it use?"},
    {"sbuild inspect --json Dockerfile", "the same for programs"},
    {NULL, NULL},
};

const cli_command cli_inspect = {
    .name = "inspect",
    .summary = "show what a Dockerfile says: instructions, stages, references",
    .usage = "FILE",
    .description =
        "Parses FILE (\"-\" for standard input) as BuildKit does and shows its directives, stages, "
        "instructions "
        "and what they take from elsewhere, with variables expanded. Looks at nothing but the file.",
    .options = options,
    .options_size = sizeof(inspect_options),
    .examples = examples,
    .exits = CLI_EXIT(1),
    .operand = CLI_OPERAND_FILE,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
