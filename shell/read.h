// SPDX-License-Identifier: Apache-2.0
/*
 * Inside the reader: a walk over the tree in the order of the text, with what is known of variables at each
 * point. A subshell's changes are taken back behind it; where branches meet, a variable has the values of
 * all.
 */
#ifndef SBUILD_SHELL_READ_H
#define SBUILD_SHELL_READ_H

#include <shell/parse.h>

enum {
    SH_EXPANDED_MAX = 16 << 20, /* bytes that expansions may make of one text */
    SH_SPENT = 4096,            /* when so few are left, they make no more */
    SH_VALUE_MAX = 16 << 10,    /* bytes of one value */
    SH_STEPS_MAX = 16 << 20,    /* of pattern matching, for one text */
    SH_PIECES_MAX = 1024,       /* of one value */
    SH_BRACES_MAX = 2000,
    SH_FUNCTIONS_MAX = 256,
    SH_LOCALS_MAX = 64, /* variables of one function */
    SH_FILES_MAX = 64,  /* redirections of compound commands in one another */
};

/* --- Values (read_values.c) --- */

typedef struct sh_piece { /* of a value: text, or an expansion that stays as it is written */
    sb_slice text;
    bool symbolic;
} sh_piece;

typedef struct sh_value {
    sh_piece *pieces;
    size_t count;
} sh_value;

typedef struct sh_variable {
    sb_slice name;
    sh_value *values; /* of an array its elements, else what it may be; none: not known */
    size_t count;
    bool array;
    bool exported;
    bool unset;     /* its one value is empty */
    unsigned level; /* of texts in one another, at which it was set */
    size_t choice;  /* of values, while a word is expanded with each in turn */
} sh_variable;

typedef struct sh_field { /* an argument to be */
    sh_value value;
    bool quoted;
    bool fetched;
    bool also;
    sb_span span;
} sh_field;

typedef struct sh_link { /* of a chain of && and || */
    const sb_sh_node *node;
    bool behind_or; /* else behind && (or the first) */
    bool before_or; /* directly, or with && between */
    bool ignored;   /* behind a later "||" something always succeeds */
} sh_link;

typedef struct sh_undo {
    size_t variable;
    sh_variable before;
} sh_undo;

typedef struct sh_outcome { /* what a variable is at the end of a branch */
    size_t variable;
    size_t branch;
    sh_variable value;
} sh_outcome;

typedef struct sh_function {
    sb_slice name;
    sh_outcome *changes;
    size_t count;
} sh_function;

/* Where commands stand. */
typedef struct sh_context {
    bool conditional, ignored, looped, function;
    sb_sh_place place;
    ptrdiff_t inside;
    size_t inside_arg;
    sb_slice variable;
    bool piped; /* in a pipeline of several: its number goes on */
    size_t pipeline, position;
    bool last;
    const sb_sh_file *files; /* redirections of compound commands around, the innermost first */
    const sh_value *docs;
    size_t file_count;
    bool more; /* commands follow, so that a failed "[ … ] && x" does not matter */
    sb_slice *wrappers;
    size_t wrapper_count;
    sb_slice user;
    bool fixed; /* the text has no place of its own in the outermost: everything is at span */
    sb_span span;
    ptrdiff_t shift;     /* from a place in the text to one in the outermost */
    const sb_span *told; /* ranges of the text that hold expansions of the text around it */
    size_t told_count;
} sh_context;

typedef struct sh_reader {
    sb_arena *arena;
    sb_slice text; /* the outermost */
    sb_sh_dialect dialect;
    unsigned depth;
    unsigned level; /* of texts for shells of their own, which see what is exported */
    size_t pipelines;
    size_t bytes_left;
    size_t braces_left; /* words that braces may make */
    size_t steps_left;  /* of pattern matching */
    SH_STACK(sb_sh_command) commands;
    SH_STACK(sh_variable) variables; /* 0: the directory */
    size_t *slots;                   /* hash table: index + 1 */
    size_t slot_count;
    SH_STACK(sh_link) chain;
    SH_STACK(sh_undo) trail;
    SH_STACK(sh_outcome) outcomes;
    SH_STACK(sh_function) functions;
    SH_STACK(size_t) locals; /* variables of the functions around */
    SH_STACK(sh_field) fields;
    SH_STACK(sh_piece) pieces;
    bool cut;
    const char *trouble;
    sb_span trouble_span;
} sh_reader;

enum { SH_DIRECTORY = 0 };

size_t sh_variable_index(sh_reader *r, sb_slice name);      /* made if need be, not known */
sh_variable *sh_variable_find(sh_reader *r, sb_slice name); /* NULL: never heard of */
void sh_set(sh_reader *r, size_t index, sh_variable value);
void sh_set_unknown(sh_reader *r, size_t index);
void sh_set_text(sh_reader *r, size_t index, sb_slice text);
void sh_take_back(sh_reader *r, size_t trail_mark);
/* Ends branch number `branch` which began at trail_mark: notes its outcome, unless nothing comes behind it
 * since it `leaves`, and takes it back. */
void sh_branch_end(sh_reader *r, size_t trail_mark, size_t branch, bool leaves);
/* Behind `branches` of them, whose outcomes lie above `mark`. Without `complete`, none may have run. */
void sh_join(sh_reader *r, size_t mark, size_t branches, bool complete);
bool sh_is_known(const sh_value *value);

/* --- Words to fields (read_expand.c) --- */

void sh_expand(sh_reader *r, const sb_sh_word *word, bool split);
/* The same, braces being no matter any more. */
void sh_expand_one(sh_reader *r, const sb_sh_word *word, bool split);
/* read_braces.c: a word that is to be divided, with its braces. */
void sh_expand_braces(sh_reader *r, const sb_sh_word *word);
/* The fields above mark as the values of a variable. */
sh_value *sh_take_values(sh_reader *r, size_t mark, size_t *ret_count);
sb_sh_arg sh_arg(sh_reader *r, const sh_field *field);
sb_slice sh_value_text(sh_reader *r, const sh_value *value, bool *ret_known);
/* The same, and the ranges in it that stayed as they were written. */
sb_slice sh_value_ranges(sh_reader *r, const sh_value *value, sb_span **ret_ranges, size_t *ret_count);

/* --- read_operator.c --- */

/* ${x…}: the operators on a known text with known operands. False: it cannot be told. */
bool sh_apply(sh_reader *r, sb_slice text, sb_slice op, const sb_sh_word *operand, sb_slice *ret_text);

/* --- The walk (read.c) --- */

sb_span sh_outer_span(const sh_context *context, sb_span span);
void sh_read_trouble(sh_reader *r, const sh_context *context, const char *trouble, sb_span span);
/* One level deeper; false, with trouble, when that is too deep. `r->depth--` follows if true. */
bool sh_deeper(sh_reader *r, const sh_context *context, sb_span span);
void sh_walk(sh_reader *r, const sb_sh_node *node, const sh_context *context);

/* --- Simple commands (read_command.c) --- */

void sh_walk_simple(sh_reader *r, const sb_sh_node *node, const sh_context *context);
/* The redirections of a node, behind those of the context that it leaves in force. */
void sh_tell_files(sh_reader *r, const sb_sh_node *node, const sh_context *context, sb_sh_file **ret_files,
                   sh_value **ret_docs, size_t *ret_count);
/* Commands in substitutions of a word. */
void sh_walk_word(sh_reader *r, const sb_sh_word *word, const sh_context *context);
/* Tells of a command. `base` has what is not in its words: assignments, files, span. `docs`: the values of
 * its files, of which one may be a text for a shell. */
void sh_tell(sh_reader *r, sh_field *fields, size_t count, const sb_sh_command *base, const sh_value *docs,
             const sh_context *context);

/* --- What commands do to variables and the directory (read_builtins.c) --- */

void sh_assign(sh_reader *r, const sb_sh_assignment *assignment);
void sh_run_builtin(sh_reader *r, const sb_sh_command *command, const sh_field *fields);

/* --- Commands that run others (wrappers.c, read_inside.c) --- */

/* How many words before the command that is really run, by words that run another. Adds their names, their
 * user and their assignments. */
size_t sh_unwrap(sh_reader *r, const sb_sh_arg *words, size_t count, sb_sh_command *command);
/* Texts and commands in the arguments of commands[index], whose args have these values. */
void sh_look_inside(sh_reader *r, size_t index, const sh_field *fields, const sh_value *docs,
                    const sh_context *context);

#endif
