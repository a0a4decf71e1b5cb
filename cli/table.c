// SPDX-License-Identifier: Apache-2.0
#include <cli/output.h>

#include <string.h>

enum { CELL_MAX = 2000, GAP = 2, NARROWEST = 8 };

typedef struct row {
    char **cells;
    cli_color color;
} row;

struct cli_table {
    size_t columns;
    row *rows;
    size_t len, cap;
};

cli_table *cli_table_new(size_t columns)
{
    cli_table *table = sb_new(cli_table);

    table->columns = columns;
    return table;
}

void cli_table_free(cli_table *table)
{
    if (!table)
        return;
    for (size_t r = 0; r < table->len; r++) {
        for (size_t c = 0; c < table->columns; c++)
            free(table->rows[r].cells[c]);
        free(table->rows[r].cells);
    }
    free(table->rows);
    free(table);
}

void cli_table_add(cli_table *table, const sb_slice *cells, cli_color color)
{
    row *added = SB_PUSH(table->rows, table->len, table->cap);

    *added = (row){sb_new_array(char *, table->columns), color};
    for (size_t c = 0; c < table->columns; c++) {
        sb_autobuf cell = SB_BUF_INIT(CELL_MAX * 8);

        sb_buf_add_printable(&cell, cells[c], CELL_MAX);
        added->cells[c] = sb_buf_take(&cell);
    }
}

void cli_table_title(cli_table *table, const char *const *titles)
{
    sb_autofree sb_slice *cells = sb_new_array(sb_slice, table->columns);

    for (size_t c = 0; c < table->columns; c++)
        cells[c] = sb_slice_z(titles[c]);
    cli_table_add(table, cells, CLI_BOLD);
}

static unsigned *natural_widths(const cli_table *table)
{
    unsigned *widths = sb_new_array(unsigned, table->columns);

    for (size_t r = 0; r < table->len; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            unsigned width = cli_width(sb_slice_z(table->rows[r].cells[c]));

            if (width > widths[c])
                widths[c] = width;
        }
    }
    return widths;
}

/* Takes columns away from the widest until the whole fits, or until nothing can be narrowed further. */
static void narrow(unsigned *widths, size_t count, unsigned available)
{
    for (;;) {
        unsigned total = (unsigned)(count - 1) * GAP;
        size_t widest = 0;

        for (size_t c = 0; c < count; c++) {
            total += widths[c];
            if (widths[c] > widths[widest])
                widest = c;
        }
        if (total <= available || widths[widest] <= NARROWEST)
            return;
        widths[widest]--;
    }
}

static void print_row(const cli_table *table, const row *r, const unsigned *widths, const cli_style *style,
                      FILE *out)
{
    sb_autobuf line = SB_BUF_INIT(SIZE_MAX / 2);

    for (size_t c = 0; c < table->columns; c++) {
        sb_slice cell = sb_slice_z(r->cells[c]);

        if (c > 0)
            sb_buf_addz(&line, "  ");
        if (c + 1 < table->columns || cli_width(cell) > widths[c])
            cli_add_column(&line, cell, widths[c]);
        else
            sb_buf_adds(&line, cell);
    }
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.len--;
    fprintf(out, "%s%.*s%s\n", r->color == CLI_PLAIN ? "" : cli_color_on(style, r->color), (int)line.len,
            line.data ? line.data : "", r->color == CLI_PLAIN ? "" : cli_color_on(style, CLI_PLAIN));
}

void cli_table_print(const cli_table *table, const cli_style *style, FILE *out)
{
    sb_autofree unsigned *widths = natural_widths(table);

    if (style->terminal)
        narrow(widths, table->columns, style->width);
    for (size_t r = 0; r < table->len; r++)
        print_row(table, &table->rows[r], widths, style, out);
}
