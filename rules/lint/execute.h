// SPDX-License-Identifier: Apache-2.0
/*
 * Inside SB3xx, "fetch and execute". What is downloaded is an origin. Its bytes are followed through pipes,
 * substitutions, variables and files (and copies of files) to the command that runs them:
 *
 *     execute_fetch.c       what does this command download, and where to?
 *     execute_fetch_text.c  … when it is a program text in another language
 *     execute_program.c     what does this command run: a file, a text, its standard input, a package?
 *     execute_check.c       does this command check a file, and which?
 *     execute_files.c       which files have the bytes of which origin
 *     execute_flow.c        the commands of one RUN, one after the other
 *     execute_flow_files.c  … what they move from file to file, read and write
 *     execute_ran.c         … what they run of it
 *     execute.c             the rules; the instructions of all stages; findings
 *
 * An origin that is run before it was checked is a finding, once.
 */
#ifndef SBUILD_RULES_LINT_EXECUTE_H
#define SBUILD_RULES_LINT_EXECUTE_H

#include <rules/lint/lint.h>

/* --- A command that downloads (execute_fetch.c) --- */

enum { SB_FETCH_FILES_MAX = 16 };
typedef struct sb_fetch {
    sb_slice url;                       /* the first; absent: not known */
    sb_slice files[SB_FETCH_FILES_MAX]; /* as written */
    size_t file_count;
    bool to_output; /* standard output */
    bool checked;   /* the command itself compares a checksum */
    bool runs;      /* … runs what it gets: deno run URL */
} sb_fetch;
bool sb_fetch_read(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch);
/* May it be one, by its name alone? */
bool sb_fetch_by_name(sb_slice name);
/* "example.org" of "https://user@example.org:80/x"; empty without one. */
sb_slice sb_fetch_host(sb_slice url);
/* For those who read commands: the first URL counts; a file without a name does not. */
void sb_fetch_add_url(sb_fetch *fetch, sb_slice url);
void sb_fetch_add_file(sb_fetch *fetch, sb_slice name);

/* --- Programs in other languages (execute_fetch_text.c) --- */

/* The URL is the first literal of an argument that is one, the file the next literal behind it. */
void sb_fetch_read_text(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch);
/* Programs of PowerShell, which are not parsed: does the text run what it downloads? */
bool sb_fetch_powershell_runs(sb_slice text);

/* --- A command that runs something (execute_program.c) --- */

typedef enum sb_program_kind {
    SB_PROGRAM_NONE,
    SB_PROGRAM_INPUT, /* an interpreter whose program is its standard input */
    SB_PROGRAM_FILE,  /* … is the file args[arg] */
    SB_PROGRAM_TEXT,  /* … is the text args[arg] */
    SB_PROGRAM_PATH,  /* args[0] itself is the program */
} sb_program_kind;
typedef struct sb_program {
    sb_program_kind kind;
    size_t arg;
} sb_program;
sb_program sb_program_read(const sb_sh_command *cmd);
/* Does it install package files? *ret_first: the first argument that may be one. */
bool sb_program_installs(const sb_sh_command *cmd, size_t *ret_first);

/* --- Origins and files (execute_files.c) --- */

typedef enum sb_origin_check { /* in rising order */
                               SB_CHECK_NONE,
                               SB_CHECK_IGNORED,    /* its failure does not end the build */
                               SB_CHECK_WEAK,       /* MD5, SHA-1, CRC */
                               SB_CHECK_SAME_PLACE, /* with a list from the same place, not signed */
                               SB_CHECK_GOOD,
} sb_origin_check;

typedef struct sb_origin {
    sb_slice url; /* absent: not known */
    const sb_df_instruction *instruction;
    const sb_lint_run *run; /* NULL: an ADD */
    const sb_sh_command *command;
    bool locked;
    sb_origin_check check;
    bool at_start; /* by CMD or ENTRYPOINT, in every container */
    size_t said;   /* number of its pending finding, from 1; 0: none */
    sb_slice path; /* of the first file that it is written to; absent: none */
    bool unpacked; /* … goes into tar or the like as it comes */
    bool key;      /* … is a key that packages or files are verified with */
} sb_origin;

typedef struct sb_named { /* a file with the bytes of an origin, or with a text that is known */
    sb_slice path;        /* as sb_files_path() has it */
    int origin;           /* -1: `text` */
    sb_slice text;
} sb_named;

enum {
    SB_FILES_MAX = 500,
    SB_ORIGINS_MAX = 2000,
    SB_FLOW_VARS_MAX = 64,
    SB_NAMED_TEXT_MAX = 8 << 10, /* bytes of a text that is known; of a longer one nothing is */
};
typedef struct sb_files { /* of a stage, at one moment */
    sb_named *items;
    size_t count, cap;
    bool shared; /* items are another stage's: to be copied before they change */
} sb_files;

/* Absolute where the directory is known; "$x" and "${x}" are the same. */
sb_slice sb_files_path(sb_arena *arena, sb_slice directory, sb_slice written);
sb_slice sb_path_base(sb_slice path);
/* "${x}" becomes "$x". */
sb_slice sb_plain_vars(sb_arena *arena, sb_slice text);
void sb_files_put(sb_arena *arena, sb_files *files, sb_slice path, int origin, sb_slice text);
void sb_files_drop(sb_arena *arena, sb_files *files, sb_slice path);
/* The last file of that path, patterns understood; NULL: it is none of these. */
const sb_named *sb_files_find(const sb_files *files, sb_slice path);
/* A command without a slash, looked for where programs are. */
const sb_named *sb_files_find_program(const sb_files *files, sb_slice name, sb_slice search_path);

/* --- What flows (execute_flow.c, execute_check.c) --- */

typedef struct sb_flow {  /* bytes in a pipe, argument or variable */
    int origin;           /* -1: of no origin */
    bool digest;          /* not the bytes, but a checksum of them */
    sb_origin_check made; /* digest: by what */
} sb_flow;
#define SB_FLOW_NONE ((sb_flow){.origin = -1})
static inline sb_flow sb_flow_merge(sb_flow a, sb_flow b)
{
    return a.origin >= 0 ? a : b;
}

typedef struct sb_flow_var { /* a variable whose value is the output of a command */
    sb_slice name;
    sb_slice text; /* as it stands in words that have the variable: "$(curl …)" */
    sb_flow flow;
} sb_flow_var;

typedef struct sb_flow_pipe { /* a pipeline: what its commands at `position` read, and have written so far */
    size_t position;
    sb_flow in, out;
} sb_flow_pipe;

typedef struct sb_pending { /* a finding in the making: what comes later may explain it better */
    const sb_rule *rule;
    const sb_lint_run *run;
    const sb_sh_command *command;
    int origin;
    sb_slice what; /* that is run, or runs it */
    bool checked_later;
} sb_pending;

typedef struct sb_execute {
    sb_lint *lint;
    sb_origin *origins;
    size_t origin_count, origin_cap;
    sb_pending *pending;
    size_t pending_count, pending_cap;
    bool shell_errexit; /* SHELL has -e */
    /* Of the RUN that is looked at. */
    bool errexit;  /* a command that fails ends it: set -e */
    bool can_fail; /* the check that is looked at ends the build */
    sb_files *files;
    const sb_lint_run *run;
    ptrdiff_t *first, *next; /* of each command those inside of it; -1 */
    sb_flow_pipe *pipes;
    sb_flow_var *vars;
    size_t var_count, var_cap;
} sb_execute;

/* What the Dockerfile downloads, and what becomes of it; made when it is asked for first. */
const sb_execute *sb_lint_flow(sb_lint *lint);

/* The rules. */
extern const sb_rule sb_rule_pipe_to_shell, sb_rule_download_then_run, sb_rule_package_file;

/* A new one: what the command of the RUN that is looked at downloads. */
int sb_execute_origin(sb_execute *x, sb_slice url, const sb_sh_command *cmd);
/* The origin's bytes are run here. */
void sb_execute_ran(sb_execute *x, const sb_rule *rule, int origin, const sb_sh_command *cmd, sb_slice what);
void sb_execute_checked(sb_execute *x, int origin, sb_origin_check check);
/* All commands of a RUN. */
void sb_execute_run(sb_execute *x, const sb_lint_run *run, sb_files *files);
/* What the variables in a text hold; *ret_whole (may be NULL): one is the whole text. */
sb_flow sb_flow_of_vars(const sb_execute *x, sb_slice text, bool *ret_whole);

/* --- Files of a RUN (execute_flow_files.c) --- */

/* A path as a word of the command has it. */
sb_slice sb_execute_path(const sb_execute *x, const sb_sh_command *cmd, sb_slice written);
/* The origin's bytes are in this file now. */
void sb_flow_written(sb_execute *x, int origin, sb_slice path);
/* Copies, removes and unpacks files as the command does; true: that is all that it does. */
bool sb_flow_move(sb_execute *x, const sb_sh_command *cmd);
/* Redirects of the output, and tee. Returns what is left for the pipe. */
sb_flow sb_flow_write(sb_execute *x, const sb_sh_command *cmd, sb_flow out, sb_slice text);
/* What echo, printf and cat <<EOF write, when they write nothing of an origin: lists of checksums. */
sb_slice sb_flow_text(const sb_execute *x, const sb_sh_command *cmd);
/* What a command that reads files and writes them on (cat, gunzip) writes; of any other one `in`. */
sb_flow sb_flow_read(const sb_execute *x, const sb_sh_command *cmd, sb_flow in);

/* --- What is run (execute_ran.c) --- */

void sb_execute_program(sb_execute *x, const sb_sh_command *cmd, const sb_flow *args, sb_flow in);
/* One finding for a command, however many packages it installs. */
void sb_execute_packages(sb_execute *x, const sb_sh_command *cmd);

/*
 * Does the command check something? Then marks what it checks, and tells in *ret_out what it writes: of a
 * program that prints a checksum, that one.
 */
bool sb_check_read(sb_execute *x, size_t index, sb_flow in, const sb_flow *args, sb_flow *ret_out);
/* Programs that check a file in their own text: php -r "hash_file(…)". */
void sb_check_text(sb_execute *x, const sb_sh_command *cmd);

#endif
