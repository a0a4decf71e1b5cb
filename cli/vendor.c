// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

typedef struct vendor_options {
    const char *file;
    bool images;
    bool prune;
    bool list;
    const char *to;
} vendor_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(vendor_options, file),
    {"images", 0, CLI_FLAG(vendor_options, images), NULL, "base images as well"},
    {"prune", 0, CLI_FLAG(vendor_options, prune), NULL, "remove what no lock names any more"},
    {"list", 0, CLI_FLAG(vendor_options, list), NULL,
     "only list what the store holds, with the names from the lock"},
    {"to", 0, CLI_FILE(vendor_options, to), "DIR", "put everything into DIR instead of sbuild.vendor"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    (void)values;
    return sb_fail(err, SB_ERR_INTERNAL, "\"sbuild %s\" is not in this build", app->command->name);
}

static const cli_example examples[] = {
    {"sbuild vendor --images", "make the repository hold all that a build needs"},
    {"sbuild vendor --prune", "remove what is not needed any more"},
    {NULL, NULL},
};

const cli_command cli_vendor = {
    .name = "vendor",
    .summary = "make the store hold everything that the lock names",
    .usage = "[CONTEXT]",
    .description = "Fetches what the lock names and sbuild.vendor does not hold, verified against the lock. "
                   "The lock stays "
                   "as it is.",
    .options = options,
    .options_size = sizeof(vendor_options),
    .examples = examples,
    .exits = CLI_EXIT(3) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
