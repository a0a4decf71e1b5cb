// SPDX-License-Identifier: Apache-2.0
/* Text for people: colours, columns, widths, sizes. */
#ifndef SBUILD_CLI_OUTPUT_H
#define SBUILD_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <sbuild/buf.h>

typedef struct cli_style {
    bool color;
    bool terminal;  /* a terminal that understands cursor movements */
    unsigned width; /* columns; a default where it is no terminal */
} cli_style;

/* `when` is "auto", "always" or "never"; auto looks at the terminal, NO_COLOR, CLICOLOR_FORCE and TERM. */
cli_style cli_style_of(int fd, const char *when);
/* Columns (and rows, unless NULL) of the terminal; 0 when it is none. */
unsigned cli_terminal_width(int fd, unsigned *ret_rows);

typedef enum cli_color { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_CYAN } cli_color;
/* The sequence that switches it on (CLI_PLAIN: everything off), or "" without colours. */
const char *cli_color_on(const cli_style *style, cli_color color);

/* Columns that printable text takes on a terminal: wide characters two, combining ones none. */
unsigned cli_width(sb_slice text);
/* The longest beginning of `text` that takes at most `columns`. */
sb_slice cli_fit(sb_slice text, unsigned columns);
/* Adds `text` cut or padded to exactly `columns`; what is cut ends in "..". */
void cli_add_column(sb_buf *out, sb_slice text, unsigned columns);
/* Adds words of `text` in lines of at most `columns`, each but the first behind `indent` spaces. Within a
 * line blanks stay: a command in it ("HASH  FILE") can be copied. */
void cli_add_wrapped(sb_buf *out, sb_slice text, unsigned indent, unsigned columns);

enum { CLI_SIZE_TEXT = 32 };
/* "999 B", "1.2 kB", "34.5 MB": powers of 1000. */
void cli_size(uint64_t bytes, char ret_text[CLI_SIZE_TEXT]);

/*
 * A table: rows of cells, columns as wide as they need to be and, on a terminal, narrowed where the whole
 * would not fit. Cells come from outside and are made printable here. The last column is never padded.
 */
typedef struct cli_table cli_table;
cli_table *cli_table_new(size_t columns);
void cli_table_free(cli_table *table);
SB_DEFINE_CLEANUP(cli_table, cli_table_free)
/* Column titles are a first row that is printed bold. */
void cli_table_title(cli_table *table, const char *const *titles);
void cli_table_add(cli_table *table, const sb_slice *cells, cli_color color);
void cli_table_print(const cli_table *table, const cli_style *style, FILE *out);

/* Prints text from outside. */
void cli_print_safe(FILE *out, sb_slice text);

#endif
