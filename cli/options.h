// SPDX-License-Identifier: Apache-2.0
/*
 * Options, driven by tables. One table per command is the single source of what is parsed, of `--help`, of
 * the man pages and of the shells' completion.
 *
 *     typedef struct lock_options {
 *         const char *target;
 *         cli_list platforms;
 *         bool json;
 *     } lock_options;
 *
 *     static const cli_option options[] = {
 *         {"target", 0, CLI_STRING(lock_options, target), "STAGE", "lock what STAGE needs"},
 *         {"platform", 0, CLI_WORDS(lock_options, platforms), "OS/ARCH", "lock for this platform, too"},
 *         {"json", 0, CLI_FLAG(lock_options, json), NULL, "print the report as JSON"},
 *         CLI_OPTIONS_END,
 *     };
 *
 * A member of the wrong type does not compile. `--name value`, `--name=value`, `-f value`, `-fvalue` and
 * `-qv` are understood, options and operands may be mixed, `--` ends the options. Of an option that holds one
 * value the last one counts.
 */
#ifndef SBUILD_CLI_OPTIONS_H
#define SBUILD_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <sbuild/error.h>

/* Owns its strings. */
typedef struct cli_list {
    char **items; /* NULL-terminated; NULL when there are none */
    size_t count;
    size_t cap;
    bool bare; /* an option with an optional value was given without one */
} cli_list;

/* As the library takes lists: NULL-terminated, NULL when there are none. */
static inline const char *const *cli_strings(const cli_list *list)
{
    return (const char *const *)list->items;
}

typedef enum cli_kind {
    CLI_KIND_FLAG,      /* --offline, --offline=false */
    CLI_KIND_STRING,    /* any text */
    CLI_KIND_CHOICE,    /* one of the words in `value`: "auto|plain|tty" */
    CLI_KIND_FILE,      /* a path; completed as one */
    CLI_KIND_LIST,      /* each use adds one */
    CLI_KIND_WORDS,     /* each use adds one or more, separated by commas */
    CLI_KIND_OPTIONAL,  /* --update (bare) or --update=NAME, each use adds one */
    CLI_KIND_PASS,      /* each use adds "--name=value", for handing on */
    CLI_KIND_PASS_FLAG, /* each use adds "--name" or "--name=value", for handing on */
    CLI_KIND_REFUSED,   /* known from elsewhere and refused: `help` says why */
} cli_kind;

typedef struct cli_option {
    const char *name;  /* without the dashes */
    char letter;       /* of the short form, or 0 */
    cli_kind kind;     /* kind and offset by one of the macros below */
    size_t offset;     /* of the member in the command's struct */
    const char *value; /* what stands for the value in texts: "FILE"; NULL for flags */
    const char *help;  /* a phrase, lower case, no full stop */
} cli_option;

/* The offset, if the member has this type; does not compile otherwise. */
#define CLI_OFFSET(type, member, expected)                                                                   \
    (offsetof(type, member) + 0 * _Generic(((type *)0)->member, expected : 1))

#define CLI_FLAG(type, member) CLI_KIND_FLAG, CLI_OFFSET(type, member, bool)
#define CLI_STRING(type, member) CLI_KIND_STRING, CLI_OFFSET(type, member, const char *)
#define CLI_CHOICE(type, member) CLI_KIND_CHOICE, CLI_OFFSET(type, member, const char *)
#define CLI_FILE(type, member) CLI_KIND_FILE, CLI_OFFSET(type, member, const char *)
#define CLI_LIST(type, member) CLI_KIND_LIST, CLI_OFFSET(type, member, cli_list)
#define CLI_WORDS(type, member) CLI_KIND_WORDS, CLI_OFFSET(type, member, cli_list)
#define CLI_OPTIONAL(type, member) CLI_KIND_OPTIONAL, CLI_OFFSET(type, member, cli_list)
#define CLI_PASS(type, member) CLI_KIND_PASS, CLI_OFFSET(type, member, cli_list)
#define CLI_PASS_FLAG(type, member) CLI_KIND_PASS_FLAG, CLI_OFFSET(type, member, cli_list)
#define CLI_REFUSED CLI_KIND_REFUSED, 0
#define CLI_OPTIONS_END                                                                                      \
    {                                                                                                        \
        NULL, 0, CLI_KIND_FLAG, 0, NULL, NULL                                                                \
    }

/* A table and the struct that it fills. */
typedef struct cli_option_set {
    const cli_option *options;
    void *values;
} cli_option_set;

enum { CLI_STOP_AT_OPERAND = 1 }; /* the first operand ends the options: it names a command */

/*
 * Parses argv[0…argc-1] (no program name) by all sets, the first that knows an option counting. The operands
 * are added to `operands`; with CLI_STOP_AT_OPERAND the first one and everything behind it. SB_ERR_USAGE with
 * a suggestion for a mistyped option.
 */
int cli_parse(const cli_option_set *sets, size_t set_count, char **argv, size_t argc, unsigned flags,
              cli_list *operands, sb_error **err);
void cli_list_add(cli_list *list, const char *text, size_t len);
void cli_list_clear(cli_list *list);
#define cli_autolist __attribute__((cleanup(cli_list_clear))) cli_list
/* Frees the lists among the values of a set. */
void cli_options_clear(const cli_option_set *set);

/* Does it take the next argument as its value? */
bool cli_option_needs_value(const cli_option *option);

/* The best of `count` names for a mistyped one, or NULL when none is near. `name_of` gives the i-th. */
const char *cli_nearest(const char *typed, const char *(*name_of)(const void *ctx, size_t i), const void *ctx,
                        size_t count);

#endif
