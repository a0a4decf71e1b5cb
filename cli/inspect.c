// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <cli/inspect.h>
#include <sbuild/fs.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct inspect_options {
    bool json;
    bool syntax_only;
    const char *target;
    cli_list build_args;
    const char *platform;
} inspect_options;

static const cli_option options[] = {
    {"json", 0, CLI_FLAG(inspect_options, json), NULL, "print one JSON object per file"},
    {"syntax-only", 0, CLI_FLAG(inspect_options, syntax_only), NULL,
     "stop after the syntax, before any instruction's own rules"},
    {"target", 0, CLI_STRING(inspect_options, target), "STAGE", "the stage to build (default: the last)"},
    {"build-arg", 0, CLI_LIST(inspect_options, build_args), "KEY=VALUE", "a build argument"},
    {"platform", 0, CLI_STRING(inspect_options, platform), "OS/ARCH", "the platform to build for"},
    CLI_OPTIONS_END,
};

enum { FILE_MAX = 128 << 20, JSON_PER_BYTE_MAX = 64, JSON_MIN = 1 << 20 };

static int read_input(const char *path, char **ret_data, size_t *ret_len, sb_error **err)
{
    if (strcmp(path, "-") == 0)
        return sb_read_fd(STDIN_FILENO, "standard input", FILE_MAX, ret_data, ret_len, err);
    return sb_read_file(AT_FDCWD, path, FILE_MAX, ret_data, ret_len, NULL, err);
}

static int show(cli_app *app, const inspect_options *opts, const cli_inspection *inspection, sb_buf *out,
                sb_error **err)
{
    if (!opts->json) {
        cli_inspect_text(inspection, &app->out, stdout);
        return 0;
    }
    sb_buf_reset(out);
    out->max = inspection->df->text.len * JSON_PER_BYTE_MAX + JSON_MIN;
    cli_inspect_json(inspection, out);
    if (sb_buf_check(out, "the JSON of the file", err) < 0)
        return -1;
    fwrite(out->data, 1, out->len, stdout);
    return 0;
}

static int inspect_file(cli_app *app, const inspect_options *opts, const sb_df_inputs *inputs,
                        const char *path, sb_buf *out, sb_error **err)
{
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    cli_inspection inspection = {.named = app->operand_count > 1};
    SB_AUTO(sb_dockerfile) df = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    sb_autofree char *data = NULL;
    size_t len;

    if (read_input(path, &data, &len, err) < 0)
        return -1;
    if (sb_df_parse(sb_slice_of(data, len), name, opts->syntax_only ? SB_DF_SYNTAX_ONLY : 0, &df, err) < 0)
        return -1;
    if (!opts->syntax_only && sb_df_view_new(df, inputs, &view, err) < 0)
        return -1;
    inspection.df = df;
    inspection.view = view;
    return show(app, opts, &inspection, out, err);
}

/* Several files: a bad one is reported, and the others are shown all the same. */
static int run(cli_app *app, const void *values, sb_error **err)
{
    const inspect_options *opts = values;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf out = SB_BUF_INIT(JSON_MIN);
    sb_df_inputs inputs = {.target = opts->target, .target_platform = opts->platform};
    sb_df_var *build_args;
    int status = 0;

    if (cli_check_platforms((const char *[]){opts->platform, NULL}, err) < 0 ||
        cli_build_args(&opts->build_args, arena, &build_args, &inputs.build_arg_count, err) < 0)
        return -1;
    inputs.build_args = build_args;
    if (app->operand_count == 1)
        return inspect_file(app, opts, &inputs, app->operands[0], &out, err);
    for (size_t i = 0; i < app->operand_count; i++) {
        SB_AUTO(sb_error) error = NULL;

        if (i > 0 && !opts->json)
            putchar('\n');
        if (inspect_file(app, opts, &inputs, app->operands[i], &out, &error) < 0) {
            int failed;

            fflush(stdout);
            failed = cli_report(app, error);
            status = failed > status ? failed : status;
        }
    }
    return status;
}

static const cli_example examples[] = {
    {"sbuild inspect Dockerfile", "what does it use?"},
    {"sbuild inspect --json Dockerfile", "the same for programs"},
    {NULL, NULL},
};

const cli_command cli_inspect = {
    .name = "inspect",
    .summary = "show what a Dockerfile says: instructions, stages, references",
    .usage = "FILE...",
    .description =
        "Parses FILE (\"-\" for standard input) as BuildKit does and shows its directives, stages, "
        "instructions and what they take from elsewhere, with variables expanded. Looks at nothing but the "
        "file.\n\n"
        "With --json and several files there is one object per line, and each says which file it is about.",
    .options = options,
    .options_size = sizeof(inspect_options),
    .examples = examples,
    .exits = CLI_EXIT(1),
    .operand = CLI_OPERAND_FILE,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
