// SPDX-License-Identifier: Apache-2.0
/*
 * Inside the parser. It has no tokens: every function reads at src.at what it can, and leaves src.at behind
 * it. What is being built is on stacks, so that arrays can be copied to the arena in one piece when their
 * length is known. The first trouble moves src.at to the end, so that everything returns with what it has.
 */
#ifndef SBUILD_SHELL_PARSE_H
#define SBUILD_SHELL_PARSE_H

#include <sbuild/shell.h>

/* A text, or a part of one. Of a text that was changed before (backticks with backslashes) nothing has a
 * place of its own: all spans are the span of the whole. */
typedef struct sh_source {
    const char *text;
    size_t at;
    size_t end;
    bool fixed;
    sb_span span;
} sh_source;

typedef struct sh_pending { /* a heredoc whose body comes behind the next line end */
    sb_slice delimiter;
    bool quoted;
    bool chomp;
    sb_sh_redirect *redirect; /* NULL: still on the stack, at index */
    size_t index;
} sh_pending;

#define SH_STACK(type)                                                                                       \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t len, cap;                                                                                     \
    }
#define SH_STACK_PUSH(stack, item) (*SB_PUSH((stack).items, (stack).len, (stack).cap) = (item))
/* What lies above `mark`, as an array in the arena. */
#define SH_STACK_TAKE(p, stack, mark, ret_count)                                                             \
    sh_stack_take((p)->arena, (stack).items, sizeof(*(stack).items), &(stack).len, (mark), (ret_count))

typedef struct sh_parser {
    sb_arena *arena;
    sh_source src;
    unsigned depth;
    size_t words_left;
    size_t scans_left; /* bytes that may be looked at ahead of src.at, so that time stays linear */
    size_t no_bracket; /* up to here no [ has its ] */
    const char *trouble;
    sb_span trouble_span;
    SH_STACK(sb_sh_part) parts;
    SH_STACK(sb_sh_word) words;
    SH_STACK(sb_sh_node *) nodes;
    SH_STACK(sb_sh_redirect) redirects;
    SH_STACK(sb_sh_assignment) assignments;
    SH_STACK(sb_sh_arm) arms;
    SH_STACK(sh_pending) pending;
    size_t pending_base; /* those below belong to a text around this one */
} sh_parser;

void *sh_stack_take(sb_arena *arena, const void *items, size_t size, size_t *len, size_t mark,
                    size_t *ret_count);

/* --- parse.c --- */

void sh_fail(sh_parser *p, const char *trouble, size_t start);
/* One level deeper; false, with trouble, when that is too deep. sh_leave() follows in either case. */
bool sh_enter(sh_parser *p, size_t start);
static inline void sh_leave(sh_parser *p)
{
    p->depth--;
}
sb_span sh_span(const sh_parser *p, size_t start);
/* Commands up to what ends them: the end, ")", ";;", or a word like "done". */
sb_sh_node *sh_list(sh_parser *p);
/* One command; NULL when nothing is there that one could begin with. */
sb_sh_node *sh_command(sh_parser *p);
/* A list up to ")", which is read too, of which src.at is behind the "(". */
sb_sh_script *sh_script_in_parentheses(sh_parser *p, size_t start);
/* The whole of src. */
sb_sh_script *sh_script(sh_parser *p);

/* --- parse_compound.c --- */

sb_sh_node *sh_node(sh_parser *p, sb_sh_node_kind kind);
/* A word that means something at the beginning of a command: absent when there is none. Not read. */
sb_slice sh_reserved(const sh_parser *p);
/* At a word that ends a list: "done". */
bool sh_at_list_end(const sh_parser *p);
/* NULL when no compound command begins here. */
sb_sh_node *sh_compound(sh_parser *p);
sb_sh_node *sh_function_body(sh_parser *p, sb_slice name, size_t start);
void sh_redirects_behind(sh_parser *p, sb_sh_node *node);

/* --- parse_word.c --- */

typedef enum sh_word_mode { SH_WORD, SH_WORD_REGEX, SH_WORD_TEST } sh_word_mode;

static inline bool sh_is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool sh_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool sh_at_end(const sh_parser *p)
{
    return p->src.at >= p->src.end;
}
/* Of the name of a variable that it begins with. */
static inline size_t sh_name_length(sb_slice text)
{
    size_t n = 0;

    while (n < text.len && (sh_is_name_start(text.ptr[n]) || (n && sh_is_digit(text.ptr[n]))))
        n++;
    return n;
}
/* The byte at src.at + offset; NUL behind the end. */
static inline char sh_peek(const sh_parser *p, size_t offset)
{
    return p->src.end - p->src.at > offset ? p->src.text[p->src.at + offset] : '\0';
}
bool sh_looking_at(const sh_parser *p, const char *what);
/* Ends a word outside quotes. */
bool sh_is_delimiter(char c);
/* Blanks, continuations, and a comment. */
void sh_skip_blanks(sh_parser *p);
/* The same and line ends, with the heredocs behind them. */
void sh_skip_newlines(sh_parser *p);
/* False without a word. */
bool sh_word(sh_parser *p, sh_word_mode mode, sb_sh_word *ret_word);
/* Everything up to `end` as in double quotes. `chomp`: without the tabs that lines begin with. */
void sh_text_word(sh_parser *p, size_t end, bool chomp, sb_sh_word *ret_word);
/* Where the "))" is that ends an arithmetic expression which begins here; false: it is none. */
bool sh_find_arithmetic_end(sh_parser *p, size_t from, size_t *ret_end);
/* "[…]" at src.at, which is "["; NULL when it does not end. */
sb_sh_word *sh_subscript(sh_parser *p);
/* A continuation at src.at: its length, or 0. */
size_t sh_continuation(const sh_parser *p);

/* --- parse_expansion.c --- */

/* At "$" or "`": adds a part. False when the "$" is one of text. */
bool sh_expansion(sh_parser *p, bool quoted);
/* The same in a text whose literal so far begins at `literal`: adds that as well. Returns where the next
 * literal begins. */
size_t sh_expansion_in_text(sh_parser *p, size_t literal, bool quoted);
bool sh_process_substitution(sh_parser *p);
void sh_ansi_quoted(sh_parser *p);
void sh_double_quoted(sh_parser *p);
void sh_single_quoted(sh_parser *p);
void sh_add_literal(sh_parser *p, size_t from, size_t to, bool quoted);
void sh_word_done(sh_parser *p, size_t mark, size_t start, sb_sh_word *ret_word);
sb_sh_word *sh_word_dup(sh_parser *p, const sb_sh_word *word);

/* --- parse_redirect.c --- */

/* False when no redirect begins here. */
bool sh_redirect(sh_parser *p);
/* The redirects above mark, in the arena. */
sb_sh_redirect *sh_take_redirects(sh_parser *p, size_t mark, size_t *ret_count);
/* Behind a line end, or at the end of src: the bodies of those that are still to come. */
void sh_heredocs(sh_parser *p);

#endif
