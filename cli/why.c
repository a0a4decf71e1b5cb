// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <sbuild/lock.h>

typedef struct why_options {
    const char *file;
} why_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(why_options, file),
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    enum { ANSWER_MAX = 16 << 20 };
    const why_options *o = values;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = NULL;
    sb_autobuf out = SB_BUF_INIT(ANSWER_MAX);

    if (cli_open_project(app, app->operand_count > 1 ? app->operands[1] : NULL, o->file, &project, err) < 0 ||
        sb_lock_load(project, &lock, err) < 0 || sb_lock_why(project, lock, app->operands[0], &out, err) < 0)
        return -1;
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild why node", "what needs the node image?"},
    {"sbuild why curl@7.88", "which RUN installs this package?"},
    {"sbuild why sha256:3f2a", "what is this object in the store?"},
    {NULL, NULL},
};

const cli_command cli_why = {
    .name = "why",
    .summary = "say which instruction needs something, and who vouches for it",
    .usage = "WHAT [CONTEXT]",
    .description =
        "WHAT is an image, a URL, a git repository, a package or its purl, a RUN step, or a digest, "
        "or a part of one. Prints the instructions that need it, what it is locked to, and who vouches for "
        "it.",
    .options = options,
    .options_size = sizeof(why_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(8),
    .operand = CLI_OPERAND_TEXT,
    .min_operands = 1,
    .max_operands = 2,
    .run = run,
};
