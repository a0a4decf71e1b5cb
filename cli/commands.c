// SPDX-License-Identifier: Apache-2.0
/* The table of commands, in the order in which help and manual show them. */
#include <cli/commands.h>

#include <string.h>

const cli_command *const cli_commands[] = {
    &cli_lock, &cli_build,   &cli_vendor, &cli_verify,       &cli_rewrite, &cli_diff, &cli_why,
    &cli_sbom, &cli_inspect, &cli_lint,   &cli_scan_command, &cli_push,    &cli_init, &cli_doctor,
    &cli_help, &cli_version, NULL,
};

const cli_option cli_global_options[] = {
    {"quiet", 'q', CLI_FLAG(cli_globals, quiet), NULL, "say nothing but warnings, errors and the result"},
    {"verbose", 'v', CLI_FLAG(cli_globals, verbose), NULL, "say more about what is done"},
    {"color", 0, CLI_CHOICE(cli_globals, color), "auto|always|never",
     "colours; auto: on a terminal, unless NO_COLOR is set"},
    {"progress", 0, CLI_CHOICE(cli_globals, progress), "auto|plain|tty",
     "how progress is shown; auto: tty on a terminal, plain lines elsewhere"},
    {"help", 'h', CLI_FLAG(cli_globals, help), NULL, "show help"},
    {"version", 0, CLI_FLAG(cli_globals, version), NULL, "show the version"},
    CLI_OPTIONS_END,
};

const cli_command *cli_find_command(const char *name)
{
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static const char *command_name_at(const void *ctx, size_t i)
{
    const cli_command *const *commands = ctx;

    return commands[i]->name;
}

int cli_unknown_command(const char *name, sb_error **err)
{
    const char *nearest = cli_nearest(name, command_name_at, cli_commands, SB_COUNT(cli_commands) - 1);
    sb_autofree char *shown = sb_printable(sb_slice_z(name));

    if (nearest)
        return sb_fail(err, SB_ERR_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", shown, nearest);
    return sb_fail(err, SB_ERR_USAGE, "there is no command \"%s\"; \"sbuild help\" lists them", shown);
}

const char *cli_exit_text(unsigned status)
{
    static const char *const texts[] = {
        [0] = "fine",
        [1] = "the Dockerfile or another input is malformed, there are findings, or the build failed",
        [2] = "the command line or a configuration file asks for something that makes no sense",
        [3] = "the lock is missing, or does not cover the Dockerfile",
        [4] = "something is not pinned, or lacks a signature that is required",
        [5] = "upstream has changed",
        [6] = "upstream no longer has it",
        [7] = "verification failed: digest, signature or checksum",
        [8] = "network, registry or credentials",
        [9] = "no engine, or one that lacks an ability",
        [10] = "a file could not be read or written, or a mistake in sbuild",
    };

    return status < SB_COUNT(texts) ? texts[status] : status == 130 ? "interrupted" : NULL;
}
