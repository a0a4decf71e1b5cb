// SPDX-License-Identifier: Apache-2.0
/*
 * Parser directives. Two readers look at them, and they differ: the parser itself, which left-trims lines and
 * obeys `escape`, and the one that looks for the frontend before anything is parsed, which does not trim,
 * skips a shebang, and knows more forms of `syntax`.
 */
#ifndef SBUILD_DOCKERFILE_DIRECTIVES_H
#define SBUILD_DOCKERFILE_DIRECTIVES_H

#include <dockerfile/tree.h>

enum { DF_DIRECTIVES_MAX = 3 }; /* each can be given once */

typedef struct df_directive_reader {
    const char *comment; /* "#" or "//" */
    unsigned seen;       /* a bit per known name */
    bool done;           /* some other line ended the block */
} df_directive_reader;

typedef enum df_directive_kind {
    DF_DIRECTIVE_NONE = -1,
    DF_DIRECTIVE_SYNTAX,
    DF_DIRECTIVE_ESCAPE,
    DF_DIRECTIVE_CHECK,
} df_directive_kind;

/* Reads one line. DF_DIRECTIVE_NONE ends the block; *ret_repeated tells of a second one of its kind. */
df_directive_kind df_directive_line(df_directive_reader *reader, sb_slice line, sb_slice *ret_value,
                                    bool *ret_repeated);
/* The parser's own reading of a line: sets p->escape. 1 when the line is a directive, 0 when not, -1 on
 * error. */
int df_parser_directive(df_parser *p, df_directive_reader *reader, sb_slice line, sb_error **err);
/* Fills in df->syntax and df->directives. */
void df_detect_directives(df_parser *p);

#endif
