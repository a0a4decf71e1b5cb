// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct lock_options {
    const char *file;
    const char *target;
    cli_list build_args;
    cli_list platforms;
    cli_list update;
    const char *min_age;
    bool no_run;
    bool require_signatures;
    bool json;
} lock_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(lock_options, file),
    {"target", 0, CLI_STRING(lock_options, target), "STAGE",
     "lock what STAGE needs (default: the last stage)"},
    {"build-arg", 0, CLI_LIST(lock_options, build_args), "KEY=VALUE", "a build argument to lock with"},
    {"platform", 0, CLI_WORDS(lock_options, platforms), "OS/ARCH",
     "lock for this platform (default: those of the lock, else this machine's)"},
    {"update", 0, CLI_OPTIONAL(lock_options, update), "NAME",
     "look again at what is locked already: NAME alone (an image, URL or part of one), or everything"},
    {"min-age", 0, CLI_STRING(lock_options, min_age), "TIME",
     "take nothing that was published less than TIME ago, e.g. 7d"},
    {"no-run", 0, CLI_FLAG(lock_options, no_run), NULL, "run no RUN instruction"},
    {"require-signatures", 0, CLI_FLAG(lock_options, require_signatures), NULL,
     "fail unless somebody vouches for every download"},
    {"json", 0, CLI_FLAG(lock_options, json), NULL, "print the report as JSON"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild lock", "lock the Dockerfile here"},
    {"sbuild lock --update", "look for newer versions of everything"},
    {"sbuild lock --update=node", "of the node image only"},
    {"sbuild lock --platform linux/amd64,linux/arm64", "for two platforms"},
    {NULL, NULL},
};

const cli_command cli_lock = {
    .name = "lock",
    .summary = "find, verify and pin everything that the Dockerfile takes from the network",
    .usage = "[CONTEXT]",
    .description = "Finds every image, URL and git repository that the Dockerfile uses, verifies what "
                   "vouches for it, and "
                   "writes what it is now into the lock file beside the Dockerfile (Dockerfile.lock). "
                   "Downloads are kept in "
                   "sbuild.vendor. What is locked already stays as it is unless --update asks for newer.\n\n"
                   "This is the only command that writes the lock. Commit the lock and sbuild.vendor.",
    .options = options,
    .options_size = sizeof(lock_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(4) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
