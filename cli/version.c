// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)app;
    (void)values;
    (void)err;
    puts("sbuild " SBUILD_VERSION);
    return 0;
}

static const cli_option options[] = {CLI_OPTIONS_END};

const cli_command cli_version = {
    .name = "version",
    .summary = "show the version",
    .usage = "",
    .description = "Prints the version, as \"sbuild --version\" does.",
    .options = options,
    .run = run,
};
