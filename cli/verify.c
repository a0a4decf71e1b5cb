// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <sbuild/lock.h>

typedef struct verify_options {
    const char *file;
    bool online;
} verify_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(verify_options, file),
    {"online", 0, CLI_FLAG(verify_options, online), NULL,
     "also ask upstream whether anything changed or is gone"},
    CLI_OPTIONS_END,
};

/* How grave each is, the gravest first. */
static int gravity(int status)
{
    static const int order[] = {10, 7, 3, 4, 6, 5, 8, 1};

    for (size_t i = 0; i < SB_COUNT(order); i++)
        if (order[i] == status)
            return (int)(SB_COUNT(order) - i);
    return 0;
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const verify_options *o = values;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock_findings) findings = NULL;
    int gravest = 0;

    if (cli_open_project(app, app->operands[0], o->file, &project, err) < 0 ||
        sb_lock_verify(project, o->online, &findings, err) < 0)
        return -1;
    for (size_t i = 0; i < findings->count; i++) {
        int status = sb_exit_code(findings->items[i].code);

        cli_print_safe(stdout, findings->items[i].message);
        putchar('\n');
        if (gravity(status) > gravity(gravest))
            gravest = status;
    }
    if (!findings->count && !app->quiet)
        printf("%zu checks, all is well\n", findings->checked);
    return gravest;
}

static const cli_example examples[] = {
    {"sbuild verify", "check lock and store, without any network"},
    {"sbuild verify --online", "has upstream changed?"},
    {NULL, NULL},
};

const cli_command cli_verify = {
    .name = "verify",
    .summary = "check lock, store and signatures again",
    .usage = "[CONTEXT]",
    .description = "Checks that the lock covers the Dockerfile and its RUN steps, that everything in the "
                   "store still has the locked digest, and that every signature and checksum still holds. "
                   "Reports all that is wrong, not only the first; the exit status is that of the gravest.",
    .options = options,
    .options_size = sizeof(verify_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(4) | CLI_EXIT(5) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
