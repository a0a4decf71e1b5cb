// SPDX-License-Identifier: Apache-2.0
/*
 * Word expansion with what its callers share: one environment after the other, limits over many words, and an
 * eye on the variables that are used.
 */
#ifndef SBUILD_DOCKERFILE_EXPAND_H
#define SBUILD_DOCKERFILE_EXPAND_H

#include <dockerfile/env.h>

/*
 * Told of each variable that is looked up: its position in the environment or DF_NO_VAR. True when its value
 * is not certain, so that ${x:?} must not fail.
 */
typedef bool (*df_var_used)(void *ctx, sb_slice name, size_t index);

typedef struct df_expander {
    sb_arena *arena; /* for results */
    const sb_df_env *env;
    char escape;
    bool no_quotes; /* quotes are ordinary characters: a heredoc's body */
    df_var_used used;
    void *ctx;
    uint64_t bytes_left; /* that all results together may still be longer than what they are made from */
    uint64_t steps_left; /* of matching and copying */

    /* The word in work. */
    sb_slice text;
    size_t i;
    unsigned depth; /* of ${…} */
    bool raw_escapes;
    bool splitting;
    sb_buf out; /* also the stack of operands */
    sb_buf word;
    bool in_word;
    sb_slice *words;
    size_t word_count, word_cap;
} df_expander;

void df_expander_init(df_expander *x, sb_arena *arena, const sb_df_env *env, char escape);
void df_expander_clear(df_expander *x);
#define df_autoexpander __attribute__((cleanup(df_expander_clear))) df_expander

/* The result may be `text` itself. */
int df_expand_text(df_expander *x, sb_slice text, sb_slice *ret_text, sb_error **err);
int df_expand_split(df_expander *x, sb_slice text, sb_slice **ret_words, size_t *ret_count, sb_error **err);

/* SB_ERR_LIMIT when there have been too many steps. */
int df_expand_charge(df_expander *x, uint64_t steps, sb_error **err);

/* pattern.c: the value without what the pattern matches at its start or end. */
int df_pattern_trim(df_expander *x, sb_slice value, sb_slice pattern, bool suffix, bool longest,
                    sb_slice *ret_rest, sb_error **err);
/* Appends the value with its first match, or all, replaced. */
int df_pattern_replace(df_expander *x, sb_slice value, sb_slice pattern, sb_slice replacement, bool all,
                       sb_buf *out, sb_error **err);

#endif
