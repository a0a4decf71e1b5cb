// SPDX-License-Identifier: Apache-2.0
/*
 * The program's frame: what a command looks like and what it gets. One file per command, one table in
 * commands.c. Only cli/ prints, asks or exits; results go to standard output, everything else to standard
 * error.
 */
#ifndef SBUILD_CLI_H
#define SBUILD_CLI_H

#include <stdio.h>

#include <cli/options.h>
#include <cli/output.h>
#include <sbuild/dockerfile.h>
#include <sbuild/progress.h>
#include <sbuild/project.h>

typedef struct cli_app cli_app;

typedef enum cli_operand {
    CLI_OPERAND_NONE,
    CLI_OPERAND_DIR,
    CLI_OPERAND_FILE,
    CLI_OPERAND_COMMAND,
    CLI_OPERAND_TEXT,
} cli_operand;

typedef struct cli_example {
    const char *command; /* "sbuild lock" */
    const char *what;    /* a phrase */
} cli_example;

#define CLI_EXIT(status) (1u << (status))

typedef struct cli_command {
    const char *name;
    const char *summary;       /* one line, lower case, no full stop */
    const char *usage;         /* the operands: "[CONTEXT]" */
    const char *description;   /* paragraphs of plain text, separated by empty lines */
    const cli_option *options; /* ends with CLI_OPTIONS_END */
    size_t options_size;       /* bytes of the struct that `options` fills */
    /* A further list, for the manual page; NULL without. False behind the last entry. */
    const char *section;
    bool (*section_entry)(size_t index, sb_arena *arena, const char **ret_name, const char **ret_text);
    const cli_example *examples; /* ends with {NULL, NULL}; may be NULL */
    unsigned exits;              /* CLI_EXIT(1) | …: which exit codes it has besides 0, 2, 10 and 130 */
    cli_operand operand;         /* what its operands are, for completion */
    size_t min_operands;
    size_t max_operands;
    /*
     * `options` is the filled struct, `app->operands` the operands (their number is checked already). Returns
     * the exit status (0 is fine, 1…10 for findings that it has reported itself), or -1 with *err, which the
     * frame prints and turns into an exit status.
     */
    int (*run)(cli_app *app, const void *options, sb_error **err);
} cli_command;

struct cli_app {
    const cli_command *command;
    const char *const *operands; /* NULL-terminated */
    size_t operand_count;
    bool quiet;
    bool verbose;
    const char *progress_mode; /* "auto", "plain" or "tty", as asked for */
    cli_style out;             /* how standard output is written: colours, width */
    cli_style err;             /* likewise standard error */
    sb_progress *progress;     /* to pass down to the library; never NULL */
    struct cli_progress *live; /* where it goes to */
};

/* What cli_global_options, the options of every command, fill. */
typedef struct cli_globals {
    bool quiet, verbose, help, version;
    const char *color;
    const char *progress;
} cli_globals;

extern const cli_command *const cli_commands[]; /* ends with NULL */
extern const cli_option cli_global_options[];

/* NULL when there is none of that name. */
const cli_command *cli_find_command(const char *name);
/* SB_ERR_USAGE naming the nearest command. */
int cli_unknown_command(const char *name, sb_error **err);

/* --- What several commands need (cli/arguments.c) --- */

/* `context` may be NULL: the working directory. `dockerfile` may be NULL: as sb_project_open. */
int cli_open_project(cli_app *app, const char *context, const char *dockerfile, sb_project **ret_project,
                     sb_error **err);
/* "KEY=value" each; "KEY" alone takes the environment's value and is left out where that has none, as docker
 * build does. */
/* SB_ERR_USAGE for one that is no platform. */
int cli_check_platforms(const char *const *platforms, sb_error **err);
int cli_build_args(const cli_list *list, sb_arena *arena, sb_df_var **ret_vars, size_t *ret_count,
                   sb_error **err);
/* "7d", "12h", "30m", "45s", "2w" or plain seconds; in seconds. */
int cli_duration(const char *text, const char *option, int64_t *ret_seconds, sb_error **err);

/* The options that all commands on a project have alike. */
#define CLI_OPTION_FILE(type, member)                                                                        \
    {                                                                                                        \
        "file", 'f', CLI_FILE(type, member), "FILE", "the Dockerfile (default: Dockerfile in CONTEXT)"       \
    }
/* Options of engines that a step needs wherever it is run: by `build`, and by `lock`, which records it. */
#define CLI_OPTIONS_STEP(type, member)                                                                       \
    {"secret", 0, CLI_PASS(type, member), "id=ID[,src=FILE]", "a secret for RUN --mount=type=secret"},       \
        {"ssh", 0, CLI_PASS(type, member), "default|ID[=SOCKET]", "an SSH agent for RUN --mount=type=ssh"},  \
        {"add-host", 0, CLI_PASS(type, member), "HOST:IP", "a further line of /etc/hosts"},                  \
        {"ulimit", 0, CLI_PASS(type, member), "TYPE=SOFT[:HARD]", "a resource limit"},                       \
    {                                                                                                        \
        "allow", 0, CLI_PASS(type, member), "ENTITLEMENT", "allow a privileged ability"                      \
    }

/* --- The frame itself --- */

/* Prints the error, after clearing away what progress shows; returns its exit status. */
int cli_report(cli_app *app, const sb_error *error);
/* The whole program (cli/frame.c); returns the exit status. */
int cli_main(int argc, char **argv);
/* cli/help.c; `command` NULL: sbuild itself */
void cli_print_help(const cli_style *style, const cli_command *command, FILE *out);
/* cli/man.c; `command` NULL: sbuild(1) itself */
void cli_print_man(const cli_command *command, FILE *out);
/* cli/completion.c; `shell`: bash, zsh, fish */
void cli_print_completion(const char *shell, FILE *out);
/* What an exit status means; NULL when it is not used. */
const char *cli_exit_text(unsigned status);

#endif
