// SPDX-License-Identifier: Apache-2.0
/*
 * The parser's state, and the way from a logical line to an instruction: keyword, flags, and the rest in the
 * form that the keyword has. Nothing here knows what an instruction means.
 */
#ifndef SBUILD_DOCKERFILE_TREE_H
#define SBUILD_DOCKERFILE_TREE_H

#include <dockerfile/lines.h>

enum {
    DF_TEXT_MAX = 128 << 20,       /* bytes of a Dockerfile */
    DF_INSTRUCTIONS_MAX = 1000000, /* of a Dockerfile */
    DF_WORDS_MAX = 4000000,        /* of a Dockerfile: words, flags and pairs */
    DF_ONBUILD_DEPTH_MAX = 64,     /* ONBUILD ONBUILD … */
};

typedef struct df_found { /* a word of the instruction in work */
    sb_slice raw;         /* the part of the logical line that it was read from */
    sb_slice text;        /* what it says */
} df_found;

typedef struct df_parser {
    sb_dockerfile *df;
    sb_arena *arena;
    char escape;
    sb_slice escape_value; /* of the directive that set it; absent without one */
    unsigned escape_line;
    df_reader reader;
    df_line line;
    df_found *words;
    size_t word_count, word_cap;
    size_t total_words; /* of all instructions so far */
    sb_buf scratch;
} df_parser;

/* SB_ERR_PARSE at the place of a byte offset: "NAME:LINE:COLUMN: message". */
int df_fail(const df_parser *p, size_t offset, sb_error **err, const char *fmt, ...) SB_PRINTF(4, 5);
/* Likewise at the start of a line that is being read: "NAME:LINE: message". */
int df_fail_line(const df_parser *p, unsigned line, sb_errc code, sb_error **err, const char *fmt, ...)
    SB_PRINTF(5, 6);
/* Text in double quotes for a message; the caller frees it. */
char *df_quote(sb_slice text);

int df_count_word(df_parser *p, sb_error **err);
int df_add_word(df_parser *p, sb_slice raw, sb_slice text, sb_error **err);

/* words.c: each adds the words of `rest`. */
int df_blank_words(df_parser *p, sb_slice rest, sb_error **err);
int df_quoted_words(df_parser *p, sb_slice rest, sb_error **err);
/* jsonform.c: *ret_json is false, and nothing is added, when `rest` is not a JSON array to its very end. */
int df_json_words(df_parser *p, sb_slice rest, bool *ret_json, sb_error **err);
/* flags.c: fills ins->flags and leaves what is behind them. */
int df_take_flags(df_parser *p, sb_slice *rest, sb_df_instruction *ins, sb_error **err);
/* `text` is the logical line or, for a trigger, a part of it. */
int df_read_instruction(df_parser *p, sb_slice text, unsigned depth, sb_df_instruction *ins, sb_error **err);

#endif
