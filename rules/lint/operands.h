// SPDX-License-Identifier: Apache-2.0
/* What families SB4 to SB6 ask of words: operands of a command, URLs and git references that move, texts for
 * messages. */
#ifndef SBUILD_RULES_LINT_OPERANDS_H
#define SBUILD_RULES_LINT_OPERANDS_H

#include <rules/lint/lint.h>

/* Printable, its first bytes; of a URL without credentials and query. */
void sb_buf_add_shown(sb_buf *buf, sb_slice text, size_t max_len);
/* The same for a message; lives as long as the file is looked at. */
const char *sb_lint_shown(sb_lint *lint, sb_slice text);

/*
 * Walks over the operands of a command. Options are passed over, those of `with_value` (NULL-terminated, may
 * be NULL) together with the word behind them; behind "--" everything is an operand.
 *
 *     sb_operands walk = {.command = command, .at = 1, .with_value = options};
 *     while ((arg = sb_operand_next(&walk)))
 */
typedef struct sb_operands {
    const sb_sh_command *command;
    size_t at; /* the next argument to look at */
    const char *const *with_value;
    bool only; /* "--" was seen */
} sb_operands;
const sb_sh_arg *sb_operand_next(sb_operands *walk);
bool sb_sh_is_option(const sb_sh_arg *arg); /* "-x", but not "-" */

/* How many commands behind one are looked at for what makes good of it. */
enum { SB_LINT_AHEAD_MAX = 500 };

/* A word list of a table: "a b c". */
bool sb_word_in(sb_slice word, const char *words);

typedef enum sb_git_ref_kind {
    SB_GIT_REF_COMMIT,
    SB_GIT_REF_TAG,    /* or a branch with a number in its name: nobody can tell by the name */
    SB_GIT_REF_BRANCH, /* also: none is named */
    SB_GIT_REF_UNKNOWN /* a variable that only the build can tell */
} sb_git_ref_kind;
sb_git_ref_kind sb_git_ref_kind_of(sb_slice ref);

/* Does the URL lead to whatever is newest? *ret_word: by which of its words. */
bool sb_url_moves(sb_slice url, sb_slice *ret_word);

/* A host that only the builder's own network knows: "localhost", "10.0.0.1", "mirror", "mirror.internal". */
bool sb_host_is_internal(sb_slice url);

/* Do package sources come from a snapshot of a day by the end of this instruction (snapshot.c)? It, one
 * before it in its stage, or one of a stage that this builds on sets them. */
bool sb_lint_uses_snapshot(sb_lint *lint, int stage, const sb_df_instruction *at);

#endif
