// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <sbuild/lock.h>

typedef struct sbom_options {
    const char *file;
    const char *format;
} sbom_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(sbom_options, file),
    {"format", 0, CLI_STRING(sbom_options, format), "cyclonedx|spdx", "CycloneDX 1.5 (default) or SPDX 2.3"},
    CLI_OPTIONS_END,
};

static int run(cli_app *app, const void *values, sb_error **err)
{
    enum { SBOM_MAX = 256 << 20 };
    const sbom_options *o = values;
    sb_sbom_format format = SB_SBOM_CYCLONEDX;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = NULL;
    sb_autobuf out = SB_BUF_INIT(SBOM_MAX);

    if (o->format && strcmp(o->format, "spdx") == 0)
        format = SB_SBOM_SPDX;
    else if (o->format && strcmp(o->format, "cyclonedx") != 0)
        return sb_fail(err, SB_ERR_USAGE, "--format is cyclonedx or spdx");
    if (cli_open_project(app, app->operands[0], o->file, &project, err) < 0 ||
        sb_lock_load(project, &lock, err) < 0 || sb_lock_sbom(lock, format, &out, err) < 0)
        return -1;
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild sbom", "the bill of materials of what is locked"},
    {"sbuild sbom --format spdx", "the same in SPDX"},
    {NULL, NULL},
};

const cli_command cli_sbom = {
    .name = "sbom",
    .summary = "print a bill of materials of what is locked",
    .usage = "[CONTEXT]",
    .description =
        "Lists base images, files, repositories and the packages that RUN steps download, with their "
        "digests and purls, as JSON. It is made from the lock alone, so what a base image holds is not "
        "in it, and the same lock always gives the same bytes.",
    .options = options,
    .options_size = sizeof(sbom_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
