// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cli/output.h>

#include <locale.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

static void test_width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(cli_width(SB_LIT("abc")), 3);
    assert_int_equal(cli_width(SB_LIT("日本")), 4);
    assert_int_equal(cli_width(SB_LIT("e\xcc\x81")), 1); /* a combining accent */
    assert_int_equal(cli_width(SB_LIT("\xff\xfe")), 2);  /* no UTF-8 */
    assert_int_equal(cli_width(SB_LIT("")), 0);
}

static void test_fit_never_cuts_a_character(void **state)
{
    sb_slice text = SB_LIT("a日本b");

    (void)state;
    assert_int_equal(cli_fit(text, 0).len, 0);
    assert_int_equal(cli_fit(text, 1).len, 1);
    assert_int_equal(cli_fit(text, 2).len, 1);
    assert_int_equal(cli_fit(text, 3).len, 4);
    assert_int_equal(cli_fit(text, 5).len, 7);
    assert_int_equal(cli_fit(text, 99).len, 8);
}

static void check_column(const char *text, unsigned columns, const char *expected)
{
    sb_autobuf out = SB_BUF_INIT(1000);

    cli_add_column(&out, sb_slice_z(text), columns);
    assert_string_equal(out.data ? out.data : "", expected);
}

static void test_columns_are_cut_or_padded(void **state)
{
    (void)state;
    check_column("ab", 5, "ab   ");
    check_column("abcde", 5, "abcde");
    check_column("abcdef", 5, "abc..");
    check_column("日本語日本語", 6, "日本..");
    check_column("日本語日本語", 5, "日.. ");
    check_column("abcdef", 1, ".");
    check_column("abcdef", 0, "");
}

static void test_wrapping(void **state)
{
    sb_autobuf out = SB_BUF_INIT(1000);

    (void)state;
    cli_add_wrapped(&out, SB_LIT("one two  three averyverylongword  a  b  "), 2, 12);
    assert_string_equal(out.data, "one two\n  three\n  averyverylongword\n  a  b");
}

static void test_sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},           {999, "999 B"},     {1000, "1.0 kB"},      {1550, "1.6 kB"},
        {999949, "999.9 kB"}, {999950, "1.0 MB"}, {34500000, "34.5 MB"}, {UINT64_MAX, "18.4 EB"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        char text[CLI_SIZE_TEXT];

        cli_size(cases[i].bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static char *printed_table(const cli_style *style)
{
    static const char *const titles[] = {"what", "pinned to", "who vouches"};
    const sb_slice first[] = {SB_LIT("node:20"), SB_LIT("20.19.4"), SB_LIT("nobody")};
    const sb_slice second[] = {SB_LIT("https://example.org/a/very/long/path/to/a/file.tar.gz"),
                               SB_LIT("sha256:0123"), SB_LIT("\033[31mevil")};
    SB_AUTO(cli_table) table = cli_table_new(3);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    cli_table_title(table, titles);
    cli_table_add(table, first, CLI_PLAIN);
    cli_table_add(table, second, CLI_YELLOW);
    cli_table_print(table, style, out);
    fclose(out);
    return text;
}

static void test_a_table(void **state)
{
    cli_style plain = {.width = 40};
    cli_style narrow = {.width = 50, .terminal = true};
    cli_style colored = {.width = 200, .terminal = true, .color = true};
    sb_autofree char *text = printed_table(&plain);
    sb_autofree char *cut = printed_table(&narrow);
    sb_autofree char *color = printed_table(&colored);
    sb_slice rest = sb_slice_z(cut);

    (void)state;
    assert_string_equal(
        text, "what                                                   pinned to    who vouches\n"
              "node:20                                                20.19.4      nobody\n"
              "https://example.org/a/very/long/path/to/a/file.tar.gz  sha256:0123  \\x1b[31mevil\n");
    while (rest.len)
        assert_in_range(cli_width(sb_slice_cut(&rest, '\n')), 1, 50);
    assert_non_null(strstr(color, "\033[1mwhat"));
    assert_non_null(strstr(color, "\033[33mhttps"));
    assert_null(strstr(color, "\033[31m"));
}

static void clear_environment(void)
{
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
    setenv("TERM", "xterm", 1);
}

static void test_when_there_are_colours(void **state)
{
    int master, terminal, plain[2];

    (void)state;
    assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    assert_int_equal(pipe(plain), 0);
    clear_environment();
    assert_true(cli_style_of(terminal, "auto").color);
    assert_true(cli_style_of(terminal, "auto").terminal);
    assert_false(cli_style_of(plain[1], "auto").color);
    assert_true(cli_style_of(plain[1], "always").color);
    assert_false(cli_style_of(terminal, "never").color);
    setenv("TERM", "dumb", 1);
    assert_false(cli_style_of(terminal, "auto").color);
    assert_false(cli_style_of(terminal, "auto").terminal);
    clear_environment();
    setenv("NO_COLOR", "1", 1);
    assert_false(cli_style_of(terminal, "auto").color);
    assert_true(cli_style_of(terminal, "always").color);
    clear_environment();
    setenv("CLICOLOR_FORCE", "1", 1);
    assert_true(cli_style_of(plain[1], "auto").color);
    setenv("CLICOLOR_FORCE", "0", 1);
    assert_false(cli_style_of(plain[1], "auto").color);
    close(master);
    close(terminal);
    close(plain[0]);
    close(plain[1]);
}

static void test_printing_text_from_outside(void **state)
{
    sb_autofree char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    cli_print_safe(out, SB_LIT("a\033[2Jb\xe2\x80\xae"
                               "c"));
    fclose(out);
    assert_string_equal(text, "a\\x1b[2Jb\\u{202e}c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width_counts_columns),
        cmocka_unit_test(test_fit_never_cuts_a_character),
        cmocka_unit_test(test_columns_are_cut_or_padded),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_a_table),
        cmocka_unit_test(test_when_there_are_colours),
        cmocka_unit_test(test_printing_text_from_outside),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
