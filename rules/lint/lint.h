// SPDX-License-Identifier: Apache-2.0
/*
 * Inside lint: a Dockerfile as the rules see it, and how they say what they find. lint.c makes the first;
 * each family of rules is a file (or several) with one function that looks at the whole.
 *
 *     if (is_bad)
 *         sb_lint_say(lint, &sb102, span, "%s is …", shown);
 *
 * Rules do not ask whether they are switched off or ignored: sb_lint_say() and what runs behind it do.
 */
#ifndef SBUILD_RULES_LINT_LINT_H
#define SBUILD_RULES_LINT_LINT_H

#include <sbuild/lint.h>
#include <sbuild/lock.h>
#include <sbuild/secrets.h>
#include <sbuild/shell.h>

typedef struct sb_lint_run {              /* a RUN, ONBUILD RUN included, in the order of the file */
    const sb_df_instruction *instruction; /* the RUN itself: of an ONBUILD, the trigger */
    int stage;                            /* that it stands in */
    bool reachable;                       /* its stage is part of a build of the target */
    bool locked; /* the step is in the lock: what it downloads is fixed and verified */
    sb_slice
        text; /* that the shell gets; of a heredoc, its body; of an exec form its words with blanks between */
    sb_sh_dialect dialect;
    sb_sh_reading
        reading;        /* commands (never NULL), in the order of the text. With several heredocs, of all */
    sb_slice user;      /* USER in force, expanded; absent: the base image's, not known */
    sb_slice directory; /* WORKDIR in force; absent: not known */
    const sb_sh_var *vars; /* ENV and ARG in force: what is only known at build time has an absent value */
    size_t var_count;
    struct sb_lint_map *map; /* of a CMD or ENTRYPOINT that is looked at like one; else NULL */
} sb_lint_run;

typedef enum sb_lint_user { SB_LINT_USER_UNKNOWN, SB_LINT_USER_ROOT, SB_LINT_USER_OTHER } sb_lint_user;

typedef struct sb_lint_stage {
    const sb_df_stage *stage;
    bool reachable;
    bool final;    /* the target */
    sb_slice user; /* at its end, expanded: by its own USER, a stage it builds on, or the locked base; absent:
                      not known */
    sb_lint_user who;
    const sb_df_instruction
        *user_instruction;      /* the USER that counts, maybe of an earlier stage; NULL: the base's */
    const sb_lock_image *image; /* its base in the lock; NULL: not locked, or no image */
} sb_lint_stage;

typedef struct sb_lint {
    sb_arena *arena; /* dies with the file; what is said is copied into the report */
    const sb_dockerfile *df;
    const sb_df_view *view; /* never NULL */
    const sb_lock *lock;    /* NULL: there is none */
    int context_fd;         /* -1: there is no context to look at */
    sb_lint_stage *stages;
    size_t stage_count;
    sb_lint_run *runs; /* never NULL */
    size_t run_count;
    const sb_secret_rules *secrets; /* shared; made once */
    sb_secret_scanner *scanner;     /* for them: one text at a time */
    const size_t *snapshots;        /* see sb_lint_uses_snapshot() in operands.h */
    struct sb_execute *flow;        /* what is downloaded: see sb_lint_flow() in execute.h */
    const sb_lint_options *options;
    sb_report *report;
    sb_slice name;                   /* the file's name in findings */
    struct sb_lint_private *private; /* lint.c's */
} sb_lint;

/* --- Saying what was found (rules/lint/say.c) --- */

/* At a span of the file. NULL when the rule is off (or there are too many findings). */
sb_finding *sb_lint_say(sb_lint *lint, const sb_rule *rule, sb_span span, const char *fmt, ...)
    SB_PRINTF(4, 5);
/* The span in the file of a span of run->text; of words in a heredoc or an exec form as near as can be told.
 */
sb_span sb_lint_run_span(const sb_lint *lint, const sb_lint_run *run, sb_span span);
sb_span sb_lint_arg_span(const sb_lint *lint, const sb_lint_run *run, const sb_sh_arg *arg);
sb_span sb_lint_command_span(const sb_lint *lint, const sb_lint_run *run, const sb_sh_command *command);
/* There is a secret in this span: what is said about the file from now on does not show it. */
void sb_lint_hide(sb_lint *lint, sb_span span);
/* A remedy for this finding, instead of the rule's. `finding` may be NULL, here and below. */
void sb_lint_help(sb_lint *lint, sb_finding *finding, const char *fmt, ...) SB_PRINTF(3, 4);
/* Adds an edit to its safe fix. */
void sb_lint_edit(sb_lint *lint, sb_finding *finding, sb_span span, sb_slice text);

/* --- Asking (rules/lint/ask.c) --- */

/* "x" of "/a/x/": slashes at the end do not count. */
sb_slice sb_lint_base_name(sb_slice path);
/* Is there such a file in the context, not hidden by .dockerignore? False without a context. */
bool sb_lint_has_file(const sb_lint *lint, const char *path);
/* The context's .dockerignore (or the Dockerfile's own); NULL without. */
const sb_ignore *sb_lint_ignore(const sb_lint *lint);
/* Was a file of this name COPY'd or ADD'ed from the context into the stage (or one it builds on) before
 * `before`? By base name; directories and patterns as far as they can be told. */
bool sb_lint_copied(const sb_lint *lint, int stage, const sb_df_instruction *before, const char *name);
/* Does `stage` contain what `ancestor` made: is it that stage itself, or built on it with FROM? */
bool sb_lint_builds_on(const sb_lint *lint, int stage, int ancestor);
/* Is what the stage makes part of an image that somebody runs? False for a stage of the target's build from
 * which only files are copied. */
bool sb_lint_ships(const sb_lint *lint, int stage);
/* The text of a file of the context, its first 64 KiB; absent when there is no such file or no context. */
sb_slice sb_lint_read(const sb_lint *lint, sb_slice path);
/* Does the command have this option? "-k" also in "-sSk"; "--insecure" also as "--insecure=…". *ret_arg (may
 * be NULL): which argument. */
bool sb_sh_has_option(const sb_sh_command *command, const char *option, const sb_sh_arg **ret_arg);
/* The option's value: "-o x", "-ox", "--output x", "--output=x"; NULL without. Its text in *ret_value. */
const sb_sh_arg *sb_sh_option_value(const sb_sh_command *command, const char *option, sb_slice *ret_value);
bool sb_sh_is(const sb_sh_command *command, const char *name);         /* "curl" */
bool sb_sh_is_wrapped(const sb_sh_command *command, const char *name); /* by "xargs", "sudo" */
/* Is this word among its arguments, as it stands? */
bool sb_sh_has_word(const sb_sh_command *command, const char *word);
/* A letter in any cluster of short options, whatever has a value: "u" of "-Syu". */
bool sb_sh_has_letter(const sb_sh_command *command, char letter);
/* The first operand that is no option, as "install" of "apt-get -qq install"; absent without. `with_value`:
 * options that take the next word, NULL-terminated; may be NULL. */
sb_slice sb_sh_verb(const sb_sh_command *command, const char *const *with_value, size_t *ret_index);

/* --- The families: one function each, and the rules that it may say --- */

typedef void (*sb_lint_family)(sb_lint *lint);
void sb_lint_root(sb_lint *lint);      /* SB1xx root*.c */
void sb_lint_updates(sb_lint *lint);   /* SB2xx updates.c */
void sb_lint_execute(sb_lint *lint);   /* SB3xx execute*.c */
void sb_lint_tags(sb_lint *lint);      /* SB4xx tags.c */
void sb_lint_frozen(sb_lint *lint);    /* SB5xx frozen*.c */
void sb_lint_downloads(sb_lint *lint); /* SB6xx downloads*.c */
void sb_lint_secrets(sb_lint *lint);   /* SB7xx secrets*.c */
void sb_lint_buildkit(sb_lint *lint);  /* BuildKit's checks, buildkit*.c */
extern const sb_rule_set
    sb_rules_general; /* SB0xx: SB000 not understood, SB001 ignored without a reason … lint.c */
extern const sb_rule_set sb_rules_root;
extern const sb_rule_set sb_rules_updates;
extern const sb_rule_set sb_rules_execute;
extern const sb_rule_set sb_rules_tags;
extern const sb_rule_set sb_rules_frozen;
extern const sb_rule_set sb_rules_downloads;
extern const sb_rule_set sb_rules_secrets;
extern const sb_rule_set sb_rules_buildkit;
extern const sb_rule_set sb_rules_image; /* SB8xx: scan, rules/scan/ */
extern const sb_rule_set sb_rules_leaks; /* SB9xx: scan, secrets in an image */

#endif
