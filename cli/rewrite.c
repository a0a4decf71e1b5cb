// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <sbuild/builder.h>
#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>

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

/* As a shell takes it: quoted where it has to be. */
static void print_word(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";

    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++) {
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    }
    fputc('\'', out);
}

static void print_command(char **command, FILE *out)
{
    for (size_t i = 0; command[i]; i++) {
        /* An option per line, with its value. */
        if (i)
            fputs(command[i][0] == '-' || !command[i + 1] ? " \\\n    " : " ", out);
        print_word(out, command[i]);
    }
    fputc('\n', out);
}

static int print(const cli_app *app, const rewrite_options *o, const sb_rewrite *rewrite, sb_error **err)
{
    if (o->output && sb_write_file(AT_FDCWD, o->output,
                                   sb_slice_of(rewrite->dockerfile, rewrite->dockerfile_len), 0666, err) < 0)
        return -1;
    if (!o->output &&
        fwrite(rewrite->dockerfile, 1, rewrite->dockerfile_len, stdout) != rewrite->dockerfile_len)
        return sb_fail(err, SB_ERR_IO, "cannot write to standard output: %s", strerror(errno));
    if (!app->quiet) {
        fflush(stdout);
        print_command(rewrite->command, stderr);
    }
    return 0;
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const rewrite_options *o = values;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_rewrite rewrite = {0};
    sb_df_var *vars = NULL;
    sb_build_options wanted = {
        .offline = o->offline,
        .engine = o->engine,
        .builder = o->builder,
        .target = o->target,
        .platforms = cli_strings(&o->platforms),
        .contexts = cli_strings(&o->build_contexts),
    };
    int result;

    if (cli_check_platforms(wanted.platforms, err) < 0 ||
        cli_build_args(&o->build_args, arena, &vars, &wanted.build_arg_count, err) < 0 ||
        cli_open_project(app, app->operands[0], o->file, &project, err) < 0)
        return -1;
    wanted.build_args = vars;
    if (sb_rewrite_make(project, &wanted, &rewrite, err) < 0)
        return -1;
    result = print(app, o, &rewrite, err);
    sb_rewrite_clear(&rewrite);
    return result;
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
                   "changed but what is pinned. The engine's command goes to standard error, so that "
                   "anybody can run the build without sbuild.",
    .options = options,
    .options_size = sizeof(rewrite_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(9),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
