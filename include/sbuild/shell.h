// SPDX-License-Identifier: Apache-2.0
/*
 * A reader of shell texts, as RUN instructions hold them: POSIX shell, and of bash what Dockerfiles use. Two
 * steps: sb_sh_parse() makes a tree of the text; sb_sh_read() tells which commands that tree runs, with
 * what can be known of their words, looking into `sh -c`, `eval`, `su -c`, env, sudo, xargs and the like.
 * Pure functions over (pointer, length): nothing is run, no file is looked at.
 *
 * Everything lives in the arena that it was made in, or in the text, which must outlive it. A span is a
 * half-open byte range of the text that was parsed. What cannot be read is never passed over in silence:
 * sb_sh_script.trouble says what and where, and the commands before it are still told.
 */
#ifndef SBUILD_SHELL_H
#define SBUILD_SHELL_H

#include <sbuild/arena.h>
#include <sbuild/dockerfile.h>

enum {
    SB_SH_DEPTH_MAX = 100,      /* of nesting, texts within texts included */
    SB_SH_TEXT_MAX = 4 << 20,   /* bytes of one text */
    SB_SH_WORDS_MAX = 200000,   /* of one text */
    SB_SH_COMMANDS_MAX = 20000, /* that sb_sh_read() tells of one text */
    SB_SH_VALUES_MAX = 1000,    /* values of one variable that are followed */
};

typedef enum sb_sh_dialect { SB_SH_POSIX, SB_SH_BASH, SB_SH_OTHER } sb_sh_dialect;
/* By a SHELL's first word ("/bin/bash"); SB_SH_OTHER: PowerShell, cmd and what else is no shell of this kind.
 */
sb_sh_dialect sb_sh_dialect_of(sb_slice program);

/* --- The tree (shell/parse*.c) --- */

typedef struct sb_sh_script sb_sh_script;
typedef struct sb_sh_word sb_sh_word;

typedef enum sb_sh_part_kind {
    SB_SH_LITERAL,     /* text: quotes and backslashes taken off */
    SB_SH_PARAM,       /* $name, ${name}, ${name:-word}, ${#name}, ${name//a/b}: name, op, operand */
    SB_SH_COMMAND,     /* $(…) or `…`: script */
    SB_SH_ARITH,       /* $((…)), $[…]: operand is what is between, with its expansions */
    SB_SH_PROCESS_IN,  /* <(…): script */
    SB_SH_PROCESS_OUT, /* >(…): script */
    SB_SH_GLOB,        /* *, ?, […], @(…) outside quotes: text */
} sb_sh_part_kind;

typedef struct sb_sh_part {
    sb_sh_part_kind kind;
    bool quoted;         /* within '…', "…" or behind a backslash */
    sb_slice text;       /* of LITERAL what it stands for, of the others as written: "${x:-y}" */
    sb_slice name;       /* PARAM: "HOME", "1", "@"; with a subscript "a[0]" */
    sb_slice op;         /* PARAM: "" or ":-", "#", "##", "%", "/", "//", ":", "length", "!" … */
    sb_sh_word *operand; /* PARAM: behind op; NULL without */
    sb_sh_word *index;   /* PARAM: the subscript; NULL without */
    sb_sh_script *script;
    sb_span span;
} sb_sh_part;

struct sb_sh_word {
    sb_sh_part *parts;
    size_t count;
    sb_span span;
};

typedef struct sb_sh_assignment {
    sb_slice name;
    bool append;        /* += */
    bool array;         /* name=( … ) */
    sb_sh_word *index;  /* name[index]=…; NULL without */
    sb_sh_word *values; /* one, of an array any number */
    size_t count;
    sb_span span;
} sb_sh_assignment;

typedef struct sb_sh_redirect {
    int fd;            /* -1: the operator's own */
    sb_slice variable; /* {name}>file; absent without */
    sb_slice op;       /* "<", ">", ">>", ">|", "<>", "<&", ">&", "&>", "&>>", "<<", "<<-", "<<<" */
    sb_sh_word target; /* of << and <<- the body, with expansions unless the delimiter was quoted */
    sb_span span;
} sb_sh_redirect;

typedef enum sb_sh_node_kind {
    SB_SH_SIMPLE,   /* assignments, words, redirects */
    SB_SH_PIPELINE, /* children; negated */
    SB_SH_AND,      /* children[0] && children[1] && …; nested to the left where && and || change */
    SB_SH_OR,
    SB_SH_LIST,     /* children, one after the other */
    SB_SH_GROUP,    /* { children[0]; } */
    SB_SH_SUBSHELL, /* ( children[0] ) */
    SB_SH_IF,       /* condition, body, else (NULL without); elif is an IF in its place */
    SB_SH_WHILE,    /* condition, body */
    SB_SH_UNTIL,
    SB_SH_FOR, /* name in words; body. C-style: no name, words[0] is what is in (( )) */
    SB_SH_SELECT,
    SB_SH_CASE,          /* words[0]; each arm: patterns, body */
    SB_SH_FUNCTION,      /* name, body */
    SB_SH_TEST,          /* [[ … ]]: its words, operators included */
    SB_SH_ARITH_COMMAND, /* (( … )): words[0] */
    SB_SH_BACKGROUND,    /* children[0] &; coproc */
} sb_sh_node_kind;

typedef struct sb_sh_node sb_sh_node;
typedef struct sb_sh_arm {
    sb_sh_word *patterns;
    size_t pattern_count;
    sb_sh_node *body; /* NULL when empty */
} sb_sh_arm;

struct sb_sh_node {
    sb_sh_node_kind kind;
    bool negated;     /* of a pipeline */
    bool words_given; /* FOR: there is an `in` */
    sb_sh_assignment *assignments;
    size_t assignment_count;
    sb_sh_word *words;
    size_t word_count;
    sb_sh_redirect *redirects; /* of compound commands, too */
    size_t redirect_count;
    sb_sh_node **children;
    size_t child_count;
    sb_sh_node *condition, *body, *otherwise;
    sb_sh_arm *arms;
    size_t arm_count;
    sb_slice name;
    sb_span span;
};

struct sb_sh_script {
    sb_slice text;
    sb_sh_node *root;     /* a LIST; never NULL */
    const char *trouble;  /* what was not understood, a phrase; NULL: everything was */
    sb_span trouble_span; /* where; within text */
};

/* Never fails: what is not understood is said in ret->trouble, and root has what was read before it. */
sb_sh_script *sb_sh_parse(sb_slice text, sb_sh_dialect dialect, sb_arena *arena);

/*
 * --- The commands that it runs (shell/read*.c, shell/wrappers.c) ---
 *
 * What is told of variables is what their last assignment says, in the order of the text: a loop is read
 * once, a function where it is defined, and nothing is assumed of what ".", or a program, may set. Where
 * branches meet, a variable has the values of all of them, the ones that end in "exit" left out. Words of
 * bash are divided at braces ("a{b,c}"), those of other shells are not; globs stay as they are.
 */

typedef struct sb_sh_var {
    sb_slice name;
    sb_slice value; /* absent: set to something unknown */
} sb_sh_var;

typedef struct sb_sh_arg {
    sb_slice text; /* quotes off, what is known of variables put in; the rest stays as it is written: "$x",
                      "$(date)" */
    bool known;    /* nothing stayed; a glob is text like other */
    bool quoted;   /* began with a quote or a backslash */
    bool fetched;  /* holds a substitution: sb_sh_command.inside of other commands refers to it */
    bool also;     /* one more value of the same word as the argument before it: of a for-list, of a variable
                      that branches set differently */
    sb_span span;  /* of the word, in the outermost text; several args may come from one word */
} sb_sh_arg;

typedef struct sb_sh_assigned { /* NAME=value before a command, by env, or alone */
    sb_slice name;
    sb_sh_arg value; /* of name=( … ): the elements with blanks between them */
} sb_sh_assigned;

typedef struct sb_sh_file { /* a redirect */
    int fd;                 /* 0, 1, 2 …; &> is 1 with both */
    bool both;
    sb_slice op;
    sb_sh_arg target; /* of << and <<<, the text */
} sb_sh_file;

/* How a command comes to run, seen from `inside`. */
typedef enum sb_sh_place {
    SB_SH_PLACE_TOP,      /* a command of the text itself */
    SB_SH_PLACE_SCRIPT,   /* in an argument: sh -c, eval, su -c, find -exec; a heredoc or <<< for a shell */
    SB_SH_PLACE_ARGUMENT, /* its output becomes (part of) an argument or a value: $(…) */
    SB_SH_PLACE_INPUT,    /* <(…) */
    SB_SH_PLACE_OUTPUT,   /* >(…) */
} sb_sh_place;

typedef struct sb_sh_command {
    sb_slice name; /* last component of args[0] ("curl" for /usr/bin/curl); empty without a word (assignments,
                      redirects only) */
    sb_sh_arg *args; /* args[0] is the command itself, words that run another one taken off before it */
    size_t count;
    sb_sh_arg *words; /* all words: wrappers and their options, and then args */
    size_t word_count;
    sb_sh_assigned *assigned;
    size_t assigned_count;
    sb_sh_file *files; /* its own redirections, and then those of compound commands around that reach it */
    size_t file_count;
    sb_slice *wrappers; /* names of commands that run this one, outermost first: "sudo", "env", "xargs" … */
    size_t wrapper_count;
    sb_slice user;    /* whom sudo -u, su, gosu, setpriv, runuser run it as; absent: unchanged */
    size_t pipeline;  /* number of its pipeline, from 0, unique in the whole text */
    size_t position;  /* in the pipeline: 0 reads no pipe */
    bool last;        /* writes no pipe */
    bool conditional; /* may be left out although all went well: behind ||, in an if or case, in the body of a
                         loop that need not run once */
    bool ignored;     /* its failure does not matter: "|| true" (or echo, :, exit 0) follows, or it is in the
                         background; "; true" alone does not count */
    bool looped;      /* in the body of a loop */
    bool function;    /* in the body of a function, where it is defined: that it is called is not looked at */
    sb_sh_place place;
    ptrdiff_t inside;  /* index of the command whose argument or text it is in; -1: none, an assignment alone,
                          or words of "for" and "case" */
    size_t inside_arg; /* which of its args; args.count + i: of its files[i] */
    sb_slice variable; /* whose value its output becomes, in an assignment; absent: of none */
    sb_slice directory; /* what `cd` and WORKDIR say, as far as it is known: "/tmp/x"; absent: not known */
    sb_span span; /* in the outermost text, of the words; of commands in a text within as near as can be told,
               which may be the whole argument */
} sb_sh_command;

typedef struct sb_sh_options {
    const sb_sh_var *vars; /* ENV and ARG in force; may be NULL */
    size_t var_count;
    sb_slice directory; /* WORKDIR; absent: not known */
    sb_sh_dialect dialect;
} sb_sh_options;

typedef struct sb_sh_reading {
    sb_sh_script *script;
    sb_sh_command *commands; /* in the order in which they are written; a command before those inside of it */
    size_t count;
    const char *trouble;  /* of the text or one within it; NULL: everything was understood */
    sb_span trouble_span; /* in the outermost text */
    bool cut;             /* there are more than SB_SH_COMMANDS_MAX */
} sb_sh_reading;
void sb_sh_read(sb_slice text, const sb_sh_options *options, sb_arena *arena, sb_sh_reading *ret_reading);
/* The exec form: one command, which may be a shell with a text. Spans are of the words with a blank between
 * each. */
void sb_sh_read_exec(const sb_slice *words, size_t count, const sb_sh_options *options, sb_arena *arena,
                     sb_sh_reading *ret_reading);

#endif
