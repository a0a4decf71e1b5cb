// SPDX-License-Identifier: Apache-2.0
/* One pattern of an ignore file, in the four ways in which Docker's matcher compares. */
#ifndef SBUILD_DOCKERFILE_IGNORE_PATTERN_H
#define SBUILD_DOCKERFILE_IGNORE_PATTERN_H

#include <sbuild/dockerfile.h>

typedef enum df_glob_kind { GLOB_EXACT, GLOB_PREFIX, GLOB_SUFFIX, GLOB_TOKENS } df_glob_kind;

typedef enum df_glob_op {
    OP_CHAR,
    OP_ANY,        /* ? */
    OP_STAR,       /* * */
    OP_CLASS,      /* [a-z] */
    OP_TREE_SLASH, /* ** in the middle: any directories, their final slash included, or nothing */
    OP_REST,       /* ** at the end */
} df_glob_op;

typedef struct df_glob_token {
    df_glob_op op;
    uint32_t c;
    sb_slice set; /* what stands in the brackets */
} df_glob_token;

typedef struct df_glob {
    bool exclusion; /* "!" */
    sb_slice text;  /* cleaned, without "!" */
    df_glob_kind kind;
    df_glob_token *tokens;
    size_t count;
} df_glob;

/* SB_ERR_PARSE "syntax error in pattern" for what Go's filepath.Match refuses. */
int df_glob_compile(sb_arena *arena, df_glob *glob, sb_error **err);
bool df_glob_match(const df_glob *glob, sb_slice path);
/* May it match anything below this directory? True when in doubt. */
bool df_glob_reaches_below(const df_glob *glob, sb_slice dir);

#endif
