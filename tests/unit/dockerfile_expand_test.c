// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dockerfile/heredoc.h>
#include <sbuild/dockerfile.h>

static sb_arena *arena;
static sb_df_env env;

static int setup(void **state)
{
    static const char *const vars[][2] = {
        {"A", "abcabc"},   {"EMPTY", ""},        {"SPACED", "a b  c"},    {"FILE", "/usr/local/foo.tar.gz"},
        {"WIDE", "äöü/ß"}, {"SPECIAL", "*?[x]"}, {"VERSION", "1.22.333"}, {"NAME_1", "one"},
        {"größe", "XL"},
    };

    (void)state;
    arena = sb_arena_new();
    for (size_t i = 0; i < SB_COUNT(vars); i++)
        sb_df_env_set(arena, &env, sb_slice_z(vars[i][0]), sb_slice_z(vars[i][1]));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sb_arena_free(arena);
    env = (sb_df_env){0};
    return 0;
}

typedef struct row {
    const char *word;
    const char *expected; /* of an error: a part of its message */
} row;

static void check(const row *rows, size_t count, char escape)
{
    for (size_t i = 0; i < count; i++) {
        SB_AUTO(sb_error) err = NULL;
        sb_slice text;

        if (sb_df_expand(arena, sb_slice_z(rows[i].word), &env, escape, &text, &err) < 0)
            fail_msg("%s: %s", rows[i].word, err->message);
        if (!sb_slice_eqz(text, rows[i].expected))
            fail_msg("%s: got \"%.*s\", not \"%s\"", rows[i].word, (int)text.len, text.ptr, rows[i].expected);
    }
}

static void check_errors(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SB_AUTO(sb_error) err = NULL;
        sb_slice text = SB_LIT("untouched");

        if (sb_df_expand(arena, sb_slice_z(rows[i].word), &env, '\\', &text, &err) == 0)
            fail_msg("%s: got \"%.*s\"", rows[i].word, (int)text.len, text.ptr);
        assert_int_equal(err->code, SB_ERR_PARSE);
        if (!strstr(err->message, rows[i].expected))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].word, err->message, rows[i].expected);
        assert_true(sb_slice_eqz(text, "untouched"));
    }
}

static void test_plain_words_and_quotes(void **state)
{
    static const row rows[] = {
        {"", ""},
        {"hello", "hello"},
        {"he'll'o", "hello"},
        {"he'l$A'", "hel$A"},
        {"\"a $A\"", "a abcabc"},
        {"\"a\\\"b\"", "a\"b"},
        {"\"a\\\\b\"", "a\\b"},
        {"\"a\\xb\"", "a\\xb"},
        {"a\\ b\\'", "a b'"},
        {"trailing\\", "trailing"},
        {"'it\\s'", "it\\s"},
        {"\xef\xbb\xbf"
         "bom",
         "bom"},
        {"bad\xff"
         "byte",
         "bad\xef\xbf\xbd"
         "byte"},
        {"~ * `ls` $(ls)", "~ * `ls` $(ls)"},
    };
    static const row backtick[] = {{"C:\\temp\\$A", "C:\\temp\\abcabc"}, {"`$A", "$A"}, {"\"`\"\"", "\""}};

    (void)state;
    check(rows, SB_COUNT(rows), '\\');
    check(backtick, SB_COUNT(backtick), '`');
}

static void test_names(void **state)
{
    static const row rows[] = {
        {"$A", "abcabc"}, {"x${A}y", "xabcabcy"}, {"$NAME_1", "one"}, {"$NAME_1x", ""},
        {"$unset.", "."}, {"$1x", "x"},           {"$12x", "x"},      {"$@$*$#$?$-$$$!$0.", "."},
        {"$", "$"},       {"$ x", "$ x"},         {"$größe", "XL"},   {"$A–b", "abcabc–b"},
        {"$a", ""},       {"${größe}", "XL"},     {"\\$A", "$A"},     {"$.", "$."},
    };

    (void)state;
    check(rows, SB_COUNT(rows), '\\');
}

static void test_conditions(void **state)
{
    static const row rows[] = {
        {"${A-x}", "abcabc"},      {"${A:-x}", "abcabc"},
        {"${EMPTY-x}", ""},        {"${EMPTY:-x}", "x"},
        {"${NONE-x}", "x"},        {"${NONE:-x}", "x"},
        {"${A+x}", "x"},           {"${A:+x}", "x"},
        {"${EMPTY+x}", "x"},       {"${EMPTY:+x}", ""},
        {"${NONE+x}", ""},         {"${NONE:+x}", ""},
        {"${A?bad}", "abcabc"},    {"${A:?bad}", "abcabc"},
        {"${EMPTY?bad}", ""},      {"${NONE:-}", ""},
        {"${NONE:-$A}", "abcabc"}, {"${NONE:-${NONE:-${A}}x}", "abcabcx"},
        {"${NONE:-'a}b'}", "a}b"}, {"${NONE:-\"a}b\"}", "a}b"},
        {"${NONE:-a\\}b}", "a}b"},
    };
    static const row errors[] = {
        {"${NONE?}", "NONE: is not allowed to be unset"},
        {"${NONE:?}", "NONE: is not allowed to be unset"},
        {"${EMPTY:?}", "EMPTY: is not allowed to be empty"},
        {"${NONE:?give $A}", "NONE: give abcabc"},
    };

    (void)state;
    check(rows, SB_COUNT(rows), '\\');
    check_errors(errors, SB_COUNT(errors));
}

static void test_trims(void **state)
{
    static const row rows[] = {
        {"${FILE##*/}", "foo.tar.gz"},
        {"${FILE#*/}", "usr/local/foo.tar.gz"},
        {"${FILE%/*}", "/usr/local"},
        {"${FILE%.*}", "/usr/local/foo.tar"},
        {"${FILE%%.*}", "/usr/local/foo"},
        {"${VERSION%.*}", "1.22"},
        {"${VERSION%%.*}", "1"},
        {"${VERSION#?}", ".22.333"},
        {"${A#a*c}", "abc"},
        {"${A##a*c}", ""},
        {"${A%c}", "abcab"},
        {"${A#x}", "abcabc"},
        {"${A#}", "abcabc"},
        {"${WIDE#???}", "/ß"},
        {"${WIDE%?}", "äöü/"},
        {"${SPECIAL#\\*}", "?[x]"},
        {"${SPECIAL%[x]}", "*?"},
        {"${SPECIAL#'*'}", "*?[x]"},
        {"${FILE##*\\/}", "foo.tar.gz"},
        {"${NONE#x}", ""},
        {"${A%$NONE}", "abcabc"},
        {"${A##${NONE:-*b}}", "c"},
    };
    static const row errors[] = {{"${A#\\.}", "invalid pattern (\\.) in substitution: invalid escape '\\.'"}};

    (void)state;
    check(rows, SB_COUNT(rows), '\\');
    check_errors(errors, SB_COUNT(errors));
}

static void test_replacements(void **state)
{
    static const row rows[] = {
        {"${A/b/X}", "aXcabc"},
        {"${A//b/X}", "aXcaXc"},
        {"${A/b*/X}", "aX"},
        {"${A//?/x}", "xxxxxx"},
        {"${VERSION//./_}", "1_22_333"},
        {"${A/#a/X}", "abcabc"},
        {"${A/%c/X}", "abcabc"},
        {"${FILE//\\//-}", "-usr-local-foo.tar.gz"},
        {"${A//b/}", "acac"},
        {"${A/b/\\x}", "a\\xcabc"},
        {"${A//b/'$1'}", "acac"},
        {"${A//b/'$0$0'}", "abbcabbc"},
        {"${A/x/y}", "abcabc"},
        {"${A//''/-}", "-a-b-c-a-b-c-"},
        {"${NONE//x/y}", ""},
    };
    static const row errors[] = {
        {"${A/b}", "syntax error: missing '/' in ${}"},
        {"${A/b/c", "syntax error: missing '}'"},
    };

    (void)state;
    check(rows, SB_COUNT(rows), '\\');
    check_errors(errors, SB_COUNT(errors));
}

static void test_malformed_substitutions(void **state)
{
    static const row errors[] = {
        {"${}", "syntax error: bad substitution"},
        {"${{A}", "syntax error: bad substitution"},
        {"${:x}", "syntax error: bad substitution"},
        {"${", "syntax error: missing '}'"},
        {"${A:-x", "syntax error: missing '}'"},
        {"${A:=x}", "unsupported modifier (:=) in substitution"},
        {"${#A}", "unsupported modifier (A) in substitution"},
        {"${!A}", "unsupported modifier (A) in substitution"},
        {"${A:0:1}", "unsupported modifier (:0) in substitution"},
        {"${A^^}", "unsupported modifier (^) in substitution"},
        {"${A:#x}", "unsupported modifier (:#) in substitution"},
        {"'abc", "unexpected end of statement while looking for matching single-quote"},
        {"\"abc", "unexpected end of statement while looking for matching double-quote"},
        {"'abc", "failed to process \"'abc\": "},
    };

    (void)state;
    check_errors(errors, SB_COUNT(errors));
}

static void check_words(const char *word, const char *const *expected)
{
    sb_slice *words;
    size_t count, n = 0;

    assert_int_equal(sb_df_expand_words(arena, sb_slice_z(word), &env, '\\', &words, &count, NULL), 0);
    for (; expected[n]; n++) {
        assert_true(n < count);
        if (!sb_slice_eqz(words[n], expected[n]))
            fail_msg("%s: word %zu is \"%.*s\"", word, n, (int)words[n].len, words[n].ptr);
    }
    assert_int_equal(count, n);
}

static void test_several_words(void **state)
{
    (void)state;
    check_words("80 443", (const char *const[]){"80", "443", NULL});
    check_words("$SPACED", (const char *const[]){"a", "b", "c", NULL});
    check_words("\"$SPACED\"", (const char *const[]){"a b  c", NULL});
    check_words("x$SPACED", (const char *const[]){"xa", "b", "c", NULL});
    check_words("'' $EMPTY a", (const char *const[]){"a", NULL});
    check_words("a\\ b", (const char *const[]){"a b", NULL});
    check_words("8${NONE:-080}", (const char *const[]){"080", NULL});
    check_words("a << b", (const char *const[]){"a", "<< b", NULL});
    check_words("", (const char *const[]){NULL});
}

static void check_heredoc(const char *body, bool expand, bool chomp, const char *expected)
{
    sb_df_heredoc doc = {.body = sb_slice_z(body), .expand = expand, .chomp = chomp};
    sb_slice text;

    assert_int_equal(sb_df_expand_heredoc(arena, &doc, &env, &text, NULL), 0);
    if (!sb_slice_eqz(text, expected))
        fail_msg("got \"%.*s\"", (int)text.len, text.ptr);
}

static void test_heredoc_bodies(void **state)
{
    (void)state;
    check_heredoc("a '$A' \"$A\"\n", true, false, "a 'abcabc' \"abcabc\"\n");
    check_heredoc("C:\\temp \\$A\\\n", true, false, "C:temp $A\n");
    check_heredoc("$1 $@ $(cmd)\n", true, false, "  $(cmd)\n");
    check_heredoc("\tx $A\n\t\ty\n", true, true, "x abcabc\ny\n");
    check_heredoc("\tx $A\n \ty\n", false, true, "x $A\n \ty\n");
    check_heredoc("$A \\x\r\n", false, false, "$A \\x\r\n");
    check_heredoc("", true, false, "");
}

static void test_the_last_value_counts(void **state)
{
    sb_df_var vars[] = {{SB_LIT("K"), SB_LIT("old")}, {SB_LIT("K"), SB_LIT("new")}};
    sb_df_env own = {.vars = vars, .count = 2, .cap = 2}, filled = {0};
    char name[32];

    (void)state;
    assert_true(sb_slice_eqz(sb_df_env_get(&own, SB_LIT("K")), "new"));
    assert_null(sb_df_env_get(&own, SB_LIT("L")).ptr);
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "K%d", i);
        sb_df_env_set(arena, &filled, sb_arena_dup(arena, sb_slice_z(name)), SB_LIT("1"));
    }
    sb_df_env_set(arena, &filled, SB_LIT("K77"), SB_LIT("2"));
    assert_int_equal(filled.count, 100000);
    assert_true(sb_slice_eqz(sb_df_env_get(&filled, SB_LIT("K77")), "2"));
    assert_true(sb_slice_eqz(sb_df_env_get(&filled, SB_LIT("K99999")), "1"));
    assert_null(sb_df_env_get(&filled, SB_LIT("K100000")).ptr);
}

static void test_limits(void **state)
{
    sb_autobuf nested = SB_BUF_INIT(1 << 20), copies = SB_BUF_INIT(1 << 20);
    sb_df_env big = {0};
    char *value = sb_arena_alloc(arena, 1 << 20);
    SB_AUTO(sb_error) deep = NULL;
    SB_AUTO(sb_error) large = NULL;
    SB_AUTO(sb_error) slow = NULL;
    sb_slice text;

    (void)state;
    for (int i = 0; i <= DF_SUBSTITUTION_DEPTH_MAX; i++)
        sb_buf_addz(&nested, "${X:-");
    assert_int_equal(sb_df_expand(arena, sb_buf_slice(&nested), &env, '\\', &text, &deep), -1);
    assert_int_equal(deep->code, SB_ERR_LIMIT);
    memset(value, 'a', 1 << 20);
    sb_df_env_set(arena, &big, SB_LIT("V"), sb_slice_of(value, 1 << 20));
    for (int i = 0; i < 1000; i++)
        sb_buf_addz(&copies, "$V");
    assert_int_equal(sb_df_expand(arena, sb_buf_slice(&copies), &big, '\\', &text, &large), -1);
    assert_int_equal(large->code, SB_ERR_LIMIT);
    assert_int_equal(sb_df_expand(arena, SB_LIT("${V//a*a*a*a*b/x}"), &big, '\\', &text, &slow), -1);
    assert_int_equal(slow->code, SB_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_words_and_quotes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_trims),
        cmocka_unit_test(test_replacements),
        cmocka_unit_test(test_malformed_substitutions),
        cmocka_unit_test(test_several_words),
        cmocka_unit_test(test_heredoc_bodies),
        cmocka_unit_test(test_the_last_value_counts),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
