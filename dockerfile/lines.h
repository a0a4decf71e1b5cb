// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes to physical lines, and the logical line that continuations make of several. A logical line knows
 * which byte of the file each of its bytes comes from.
 */
#ifndef SBUILD_DOCKERFILE_LINES_H
#define SBUILD_DOCKERFILE_LINES_H

#include <sbuild/dockerfile.h>

enum { DF_LINE_MAX = 65535 }; /* bytes of a physical line, its line feed not counted */

typedef struct df_reader {
    sb_slice text;
    size_t next;   /* offset of the next line */
    unsigned line; /* how many were read */
    bool too_long; /* the next line is longer than DF_LINE_MAX: the end of what is read */
} df_reader;

/* Without the carriage returns and the line feed at its end; false at the end of the text. */
bool df_reader_next(df_reader *reader, sb_slice *ret_line);
bool df_is_comment(sb_slice line);
/* Cuts the continuation off the end of *line, if there is one. */
bool df_cut_continuation(sb_slice *line, char escape);

typedef struct df_chunk { /* bytes that are neighbours in the file, too */
    sb_slice text;
    size_t pos; /* in the logical line */
} df_chunk;

typedef struct df_line {
    sb_slice text;       /* the logical line */
    const char *file;    /* where the file's bytes begin */
    df_chunk *chunks;    /* reused from line to line */
    size_t count, cap;   /* of chunks, at least one once joined */
    const char *nothing; /* where an empty line stands */
} df_line;

enum { DF_CHUNKS_MAX = 4000000 }; /* of one instruction */

void df_line_start(df_line *line, sb_slice first);
/* False when there are more than DF_CHUNKS_MAX. */
bool df_line_add(df_line *line, sb_slice chunk);
/* Makes line->text: the only chunk itself, or a copy in the arena. */
void df_line_join(df_line *line, sb_arena *arena);
/* Where a part of line->text stands in the file. */
sb_span df_line_span(const df_line *line, sb_slice part);

#endif
