// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/dockerfile.h>

typedef struct row {
    const char *file, *path;
    bool left_out;
} row;

static void check(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SB_AUTO(sb_ignore) ignore = NULL;

        assert_int_equal(sb_ignore_parse(sb_slice_z(rows[i].file), ".dockerignore", &ignore, NULL), 0);
        if (sb_ignore_matches(ignore, sb_slice_z(rows[i].path)) != rows[i].left_out)
            fail_msg("\"%s\": %s", rows[i].file, rows[i].path);
    }
}

static void test_lines(void **state)
{
    static const row rows[] = {
        {"", "a", false},
        {"# a\n#a\na # b\n", "a", false},
        {" #a\n", "#a", true},
        {"\xef\xbb\xbf"
         "a",
         "a", true},
        {"  a \t\r\n", "a", true},
        {"/a", "a", true},
        {"./a/../b/", "b", true},
        {"a//b/./c", "a/b/c", true},
        {"../a", "a", false},
        {"a/..", "a", false},
        {"! a\na", "a", true},
        {"a\n! a", "a", false},
        {"a\n!/a", "a", false},
        {"/", "a", false},
        {".", "a", false},
        {"*", ".", false},
        {"a", "/a", false},
        {"a", "a/", true},
        {"*", "", false},
    };

    (void)state;
    check(rows, SB_COUNT(rows));
}

static void test_patterns(void **state)
{
    static const row rows[] = {
        {"a", "a", true},           {"a", "b/a", false},         {"a", "a/b/c", true},
        {"a", "ab", false},         {"*.o", "x.o", true},        {"*.o", "d/x.o", false},
        {"*/*.o", "d/x.o", true},   {"*", "a/b", true},          {"a?c", "abc", true},
        {"a?c", "a/c", false},      {"a?c", "aäc", true},        {"[a-c]x", "bx", true},
        {"[^a-c]x", "dx", true},    {"[^a-c]x", "bx", false},    {"[a\\]]", "]", true},
        {"a\\*", "a*", true},       {"a\\*", "ab", false},       {"a.b", "axb", false},
        {"a+(b)", "a+(b)", true},   {"a]", "a]", true},          {"**", "a/b", true},
        {"**/x", "x", true},        {"**/x", "a/b/x", true},     {"**/x", "ax", false},
        {"**x", "ax", true},        {"**x", "a/bx", true},       {"a/**", "a/b", true},
        {"a/**", "a", false},       {"a/**", "a/b/c", true},     {"a**", "abc/d", true},
        {"a/**/x", "a/x", true},    {"a/**/x", "a/b/c/x", true}, {"a/**/x", "ax", false},
        {"**/*.go", "m.go", true},  {"**/*.go", "a/m.go", true}, {"**/a/**", "a/b", true},
        {"**/a/**", "x/a/b", true}, {"**/a/**", "x/ab", false},  {"**/.git", "s/.git/x", true},
    };

    (void)state;
    check(rows, SB_COUNT(rows));
}

static void test_exclusions(void **state)
{
    static const row rows[] = {
        {"*\n!a", "a", false},
        {"*\n!a", "a/b", false},
        {"*\n!a", "b", true},
        {"*\n!a/b", "a", true},
        {"*\n!a/b", "a/b", false},
        {"*\n!a/b", "a/c", true},
        {"!a\n*", "a", true},
        {"*.md\n!README*.md\nREADME-secret.md", "README-x.md", false},
        {"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
        {"a\n!a/**/*.txt", "a/b/c.txt", false},
        {"a\n!a/**/*.txt", "a/b/c.bin", true},
        {"**\n!**/keep", "x/keep", false},
        /* What was never asked for the directory does not hold for what is in it. */
        {"a/b\n!a", "a/b", true},
        {"a/b\n!a", "a/c", false},
    };

    (void)state;
    check(rows, SB_COUNT(rows));
}

static void test_pruning(void **state)
{
    static const struct {
        const char *file, *dir;
        bool prunes;
    } rows[] = {
        {"a", "a", true},         {"*\n!a/b", "a", false},     {"*\n!a/b", "x", true},
        {"*\n!a/b", "a/b", true}, {"*\n!a/b/c", "a/b", false}, {"*\n!**/x", "a", false},
        {"*\n!*/x", "a", false},  {"*\n!*/x", "a/b", true},    {"*\n!a/**", "a/b/c", false},
        {"*\n!a", "b", true},     {"*", ".", false},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++) {
        SB_AUTO(sb_ignore) ignore = NULL;

        assert_int_equal(sb_ignore_parse(sb_slice_z(rows[i].file), ".dockerignore", &ignore, NULL), 0);
        if (sb_ignore_prunes(ignore, sb_slice_z(rows[i].dir)) != rows[i].prunes)
            fail_msg("\"%s\": %s", rows[i].file, rows[i].dir);
    }
}

static void test_malformed_patterns(void **state)
{
    static const char *const rows[][2] = {
        {"a\n[", "x:2: syntax error in pattern"},
        {"[]", "x:1: syntax error"},
        {"[a-]", "x:1: syntax error"},
        {"[b-a]", "x:1: syntax error"},
        {"a\\", "x:1: syntax error"},
        {"!", "x:1: illegal exclusion pattern: \"!\""},
        {"a\n\n!  ", "x:3: illegal exclusion"},
        {"[a", "x:1: syntax error"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++) {
        SB_AUTO(sb_ignore) ignore = NULL;
        SB_AUTO(sb_error) err = NULL;

        assert_int_equal(sb_ignore_parse(sb_slice_z(rows[i][0]), "x", &ignore, &err), -1);
        assert_null(ignore);
        if (!strstr(err->message, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], err->message);
    }
}

static void test_a_long_line(void **state)
{
    char *text = sb_calloc(1, 70000);
    SB_AUTO(sb_ignore) ignore = NULL;
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    memset(text, 'a', 69999);
    assert_int_equal(sb_ignore_parse(sb_slice_of(text, 69999), "x", &ignore, &err), -1);
    assert_int_equal(err->code, SB_ERR_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_exclusions),
        cmocka_unit_test(test_pruning),
        cmocka_unit_test(test_malformed_patterns),
        cmocka_unit_test(test_a_long_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
