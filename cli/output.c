// SPDX-License-Identifier: Apache-2.0
#include <cli/output.h>

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <sbuild/utf8.h>

enum { WIDTH_DEFAULT = 100, WIDTH_MIN = 20, WIDTH_MAX = 1000 };

unsigned cli_terminal_width(int fd, unsigned *ret_rows)
{
    struct winsize size;

    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    if (ret_rows)
        *ret_rows = size.ws_row;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

static bool env_is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

cli_style cli_style_of(int fd, const char *when)
{
    const char *term = getenv("TERM");
    const char *force = getenv("CLICOLOR_FORCE");
    unsigned width = cli_terminal_width(fd, NULL);
    cli_style style = {.width = width ? width : WIDTH_DEFAULT};

    style.terminal = width && term && *term && strcmp(term, "dumb") != 0;
    if (strcmp(when, "auto") != 0)
        style.color = strcmp(when, "always") == 0;
    else if (env_is_set("NO_COLOR"))
        style.color = false;
    else
        style.color = style.terminal || (force && *force && strcmp(force, "0") != 0);
    return style;
}

const char *cli_color_on(const cli_style *style, cli_color color)
{
    static const char *const sequences[] = {
        [CLI_PLAIN] = "\033[0m",  [CLI_BOLD] = "\033[1m",   [CLI_DIM] = "\033[2m",
        [CLI_RED] = "\033[1;31m", [CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m",
        [CLI_CYAN] = "\033[36m",
    };

    return style->color ? sequences[color] : "";
}

/* Bytes and columns of the first character; a byte that is no UTF-8 takes one column. */
static size_t measure(sb_slice text, unsigned *ret_columns)
{
    uint32_t c;
    size_t n = sb_utf8_decode(text.ptr, text.len, &c);
    int columns = n ? wcwidth((wchar_t)c) : 1;

    *ret_columns = columns < 0 ? 1 : (unsigned)columns;
    return n ? n : 1;
}

unsigned cli_width(sb_slice text)
{
    unsigned width = 0, columns;

    for (size_t i = 0; i < text.len; width += columns)
        i += measure(sb_slice_sub(text, i, text.len), &columns);
    return width;
}

sb_slice cli_fit(sb_slice text, unsigned columns)
{
    unsigned width = 0, w;
    size_t i = 0;

    while (i < text.len) {
        size_t n = measure(sb_slice_sub(text, i, text.len), &w);

        if (width + w > columns)
            break;
        width += w;
        i += n;
    }
    return sb_slice_sub(text, 0, i);
}

static void add_spaces(sb_buf *out, unsigned n)
{
    while (n--)
        sb_buf_addc(out, ' ');
}

static void add_cut(sb_buf *out, sb_slice text, unsigned columns)
{
    if (cli_width(text) <= columns) {
        sb_buf_adds(out, text);
        return;
    }
    sb_buf_adds(out, cli_fit(text, columns > 2 ? columns - 2 : 0));
    sb_buf_adds(out, sb_slice_of("..", columns < 2 ? columns : 2));
}

void cli_add_column(sb_buf *out, sb_slice text, unsigned columns)
{
    size_t before = out->len;
    unsigned used;

    add_cut(out, text, columns);
    used = cli_width(sb_slice_sub(sb_buf_slice(out), before, out->len));
    add_spaces(out, columns - used);
}

void cli_add_wrapped(sb_buf *out, sb_slice text, unsigned indent, unsigned columns)
{
    unsigned at = indent, blanks = 0;
    bool first = true;

    while (text.ptr) {
        sb_slice word = sb_slice_cut(&text, ' ');
        unsigned width = cli_width(word);

        if (!word.len) {
            blanks++;
            continue;
        }
        if (!first && at + blanks + width > columns) {
            sb_buf_addc(out, '\n');
            add_spaces(out, indent);
            at = indent;
        } else if (!first) {
            add_spaces(out, blanks);
            at += blanks;
        }
        sb_buf_adds(out, word);
        at += width;
        blanks = 1;
        first = false;
    }
}

void cli_size(uint64_t bytes, char ret_text[CLI_SIZE_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 999.95 && unit + 1 < SB_COUNT(units)) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(ret_text, CLI_SIZE_TEXT, "%u B", (unsigned)bytes);
    else
        snprintf(ret_text, CLI_SIZE_TEXT, "%.1f %s", value, units[unit]);
}

void cli_print_safe(FILE *out, sb_slice text)
{
    sb_autobuf buf = SB_BUF_INIT(text.len * 8 + 16);

    sb_buf_add_printable(&buf, text, text.len);
    fwrite(buf.data ? buf.data : "", 1, buf.len, out);
}
