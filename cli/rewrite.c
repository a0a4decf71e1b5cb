// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct rewrite_options {
    const char *file;
    const char *output;
    const char *engine;
    const char *builder;
    const char *target;
    cli_list build_args;
    cli_list platforms;
    cli_list build_contexts;
    bool offline;
} rewrite_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(rewrite_options, file),
    {"output", 'o', CLI_FILE(rewrite_options, output), "FILE", "write the Dockerfile to FILE"},
    {"engine", 0, CLI_CHOICE(rewrite_options, engine), "docker|podman|buildah", "the engine to write for"},
    {"builder", 0, CLI_STRING(rewrite_options, builder), "NAME", "the buildx builder"},
    {"target", 0, CLI_STRING(rewrite_options, target), "STAGE", "build STAGE (default: the last stage)"},
    {"build-arg", 0, CLI_LIST(rewrite_options, build_args), "KEY=VALUE", "a build argument"},
    {"platform", 0, CLI_WORDS(rewrite_options, platforms), "OS/ARCH", "build for this platform"},
    {"build-context", 0, CLI_LIST(rewrite_options, build_contexts), "NAME=PATH", "a further build context"},
    {"offline", 0, CLI_FLAG(rewrite_options, offline), NULL, "for a build without any network"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild rewrite | diff Dockerfile -", "see what is pinned"},
    {NULL, NULL},
};

const cli_command cli_rewrite = {
    .name = "rewrite",
    .summary = "print the pinned Dockerfile, and the command that builds it",
    .usage = "[CONTEXT]",
    .description = "Prints the Dockerfile that \"sbuild build\" gives to the engine: yours, with nothing "
                   "changed but what is "
                   "pinned. The engine's command goes to standard error, so that anybody can run the build "
                   "without sbuild.",
    .options = options,
    .options_size = sizeof(rewrite_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(9),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
