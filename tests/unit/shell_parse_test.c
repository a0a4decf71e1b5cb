// SPDX-License-Identifier: Apache-2.0
/* What the comparison with another parser (tests/shell) does not see: parts of words, places, troubles,
 * limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sbuild/buf.h>
#include <sbuild/shell.h>

static void test_dialects(void **state)
{
    (void)state;
    assert_int_equal(sb_sh_dialect_of(SB_LIT("/bin/sh")), SB_SH_POSIX);
    assert_int_equal(sb_sh_dialect_of(SB_LIT("/usr/bin/bash")), SB_SH_BASH);
    assert_int_equal(sb_sh_dialect_of(SB_LIT("ash")), SB_SH_POSIX);
    assert_int_equal(sb_sh_dialect_of(SB_LIT("powershell")), SB_SH_OTHER);
    assert_int_equal(sb_sh_dialect_of(SB_LIT("cmd.exe")), SB_SH_OTHER);
    assert_int_equal(sb_sh_dialect_of(SB_LIT("")), SB_SH_OTHER);
}

static const sb_sh_word *word_of(const char *text, sb_arena *arena, size_t index)
{
    const sb_sh_script *script = sb_sh_parse(sb_slice_z(text), SB_SH_BASH, arena);

    if (script->trouble)
        fail_msg("%s: %s", text, script->trouble);
    assert_true(script->root->child_count >= 1 && script->root->children[0]->word_count > index);
    return &script->root->children[0]->words[index];
}

/* The second word of "x WORD": its parts as KIND:TEXT, with ' before the quoted. */
static void parts(const char *word, const char *expected)
{
    static const char kinds[] = "LPCAIOG";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf text = SB_BUF_INIT(1000);
    sb_autobuf out = SB_BUF_INIT(1000);
    const sb_sh_word *parsed;

    sb_buf_printf(&text, "x %s", word);
    parsed = word_of(text.data, arena, 1);
    for (size_t i = 0; i < parsed->count; i++)
        sb_buf_printf(&out, "%s%s%c:%" SB_FMT, i ? " " : "", parsed->parts[i].quoted ? "'" : "",
                      kinds[parsed->parts[i].kind], SB_ARG(parsed->parts[i].text));
    if (!sb_slice_eqz(sb_buf_slice(&out), expected))
        fail_msg("%s: %s instead of %s", word, out.data ? out.data : "", expected);
}

static void test_parts(void **state)
{
    (void)state;
    parts("a'b'\"c\"", "L:a 'L:b 'L:c");
    parts("\"\"", "'L:");
    parts("''", "'L:");
    parts("a\\ b", "L:a 'L:  L:b");
    parts("\"a\\\"b\\n\\$\"", "'L:a 'L:\"b\\n 'L:$");
    parts("$x\"$x\"", "P:$x 'P:$x");
    parts("${x:-a b}", "P:${x:-a b}");
    parts("$(a)`b`$((1))", "C:$(a) C:`b` A:$((1))");
    parts("<(a)>(b)", "I:<(a) O:>(b)");
    parts("*.a?[b]", "G:* L:.a G:? G:[b]");
    parts("@(a|b)*(c)d", "G:@(a|b) G:*(c) L:d");
    parts("$'a\\tb\\x41\\u00e9\\'\\q'", "'L:a\tbA\xc3\xa9'\\q");
    parts("$\"a\"", "'L:a");
    parts("a\\\nb", "L:a L:b");
    parts("$", "L:$");
    parts("\"a$\"", "'L:a 'L:$");
}

static void parameter(const char *word, const char *name, const char *op, const char *operand)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf text = SB_BUF_INIT(1000);
    const sb_sh_part *part;

    sb_buf_printf(&text, "x %s", word);
    part = word_of(text.data, arena, 1)->parts;
    assert_int_equal(part->kind, SB_SH_PARAM);
    if (!sb_slice_eqz(part->name, name) || !sb_slice_eqz(part->op, op))
        fail_msg("%s: %" SB_FMT " %" SB_FMT, word, SB_ARG(part->name), SB_ARG(part->op));
    if (!operand)
        assert_null(part->operand);
    else
        assert_memory_equal(text.data + part->operand->span.start, operand, strlen(operand));
}

static void test_parameters(void **state)
{
    (void)state;
    parameter("$x", "x", "", NULL);
    parameter("$10", "1", "", NULL);
    parameter("${10}", "10", "", NULL);
    parameter("$@", "@", "", NULL);
    parameter("${x:-y}", "x", ":-", "y");
    parameter("${x-}", "x", "-", "");
    parameter("${x##*/}", "x", "##", "*/");
    parameter("${x//a/b}", "x", "//", "a/b");
    parameter("${x:1:2}", "x", ":", "1:2");
    parameter("${#x}", "x", "length", NULL);
    parameter("${#}", "#", "", NULL);
    parameter("${#-}", "-", "length", NULL);
    parameter("${##x}", "#", "#", "x");
    parameter("${!x}", "x", "!", NULL);
    parameter("${x[0]}", "x", "", NULL);
    parameter("${x[@]:1}", "x", ":", "1");
    parameter("${x^^}", "x", "^^", "");
    parameter("${x@Q}", "x", "@", "Q");
}

static void trouble(const char *text, const char *says, size_t start)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const sb_sh_script *script = sb_sh_parse(sb_slice_z(text), SB_SH_BASH, arena);

    if (!script->trouble)
        fail_msg("%s is no trouble", text);
    if (!sb_slice_starts(sb_slice_z(script->trouble), sb_slice_z(says)) ||
        script->trouble_span.start != start)
        fail_msg("%s: %s at %zu", text, script->trouble, script->trouble_span.start);
}

static void test_troubles(void **state)
{
    (void)state;
    trouble("a 'b", "a ' has no partner", 2);
    trouble("a; b \"c", "a \" has no partner", 5);
    trouble("a $(b", "a \"(\" has no \")\"", 2);
    trouble("a ${b", "a \"${\" has no \"}\"", 2);
    trouble("a ${{b}}", "\"${\" is not followed", 2);
    trouble("if a; then b", "an \"if\" has no \"fi\"", 0);
    trouble("a; done", "this is not expected here", 3);
    trouble("a && ", "a command is missing behind \"&&\"", 5);
    trouble("a > ;", "a redirection has no target", 2);
    trouble("a (b)", "a \"(\" is not expected here", 2);
}

/* What is before the trouble is told. */
static void test_commands_before_a_trouble(void **state)
{
    const sb_sh_options options = {.dialect = SB_SH_BASH};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    (void)state;
    sb_sh_read(SB_LIT("curl x | sh; for y in z; do wget z; ("), &options, arena, &reading);
    assert_non_null(reading.trouble);
    assert_int_equal(reading.count, 3);
    assert_true(sb_slice_eqz(reading.commands[2].name, "wget"));
    sb_sh_read(SB_LIT("a; sh -c 'b; if c'; d"), &options, arena, &reading);
    assert_non_null(reading.trouble);
    assert_int_equal(reading.count, 5);
    assert_int_equal(reading.trouble_span.start, 13);
}

static void test_no_shell(void **state)
{
    const sb_sh_options options = {.dialect = SB_SH_OTHER};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    (void)state;
    sb_sh_read(SB_LIT("Invoke-WebRequest x"), &options, arena, &reading);
    assert_non_null(reading.trouble);
    assert_int_equal(reading.count, 0);
}

/* --- Limits -------------------------------------------------------------------------------------------- */

static void repeat(sb_buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        sb_buf_addz(out, text);
}

static void read_repeated(const char *before, const char *text, size_t times, const char *behind,
                          sb_arena *arena, sb_sh_reading *ret_reading)
{
    const sb_sh_options options = {.dialect = SB_SH_BASH};
    sb_buf all = SB_BUF_INIT(8 << 20);

    sb_buf_addz(&all, before);
    repeat(&all, text, times);
    sb_buf_addz(&all, behind);
    sb_sh_read(sb_arena_dup(arena, sb_buf_slice(&all)), &options, arena, ret_reading);
    sb_buf_free(&all);
}

static void test_depth(void **state)
{
    static const char *const openings[] = {"(",   "{ ",    "$(",   "if a; then ", "${x:-", "\"$(",
                                           "a=(", "[[ $(", "x <(", "@(",          "$(("};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(openings); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_sh_reading reading;

        read_repeated("", openings[i], 100000, "", arena, &reading);
        assert_non_null(reading.trouble);
    }
}

static void test_texts_in_texts(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    (void)state;
    read_repeated("a", " find -exec", 50000, "", arena, &reading);
    read_repeated("", "eval ", 50000, "a", arena, &reading);
    assert_non_null(reading.trouble);
    read_repeated("a ", "| sudo env ", 50000, "b", arena, &reading);
    assert_true(reading.cut);
}

static void test_sizes(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    (void)state;
    read_repeated("", "a;", SB_SH_COMMANDS_MAX, "", arena, &reading);
    assert_true(!reading.cut && !reading.trouble);
    assert_int_equal(reading.count, SB_SH_COMMANDS_MAX);
    read_repeated("", "a;", SB_SH_COMMANDS_MAX + 1, "", arena, &reading);
    assert_true(reading.cut);
    assert_int_equal(reading.count, SB_SH_COMMANDS_MAX);
    read_repeated("", "a ", SB_SH_WORDS_MAX + 1, "", arena, &reading);
    assert_non_null(reading.trouble);
    read_repeated("#", "aaaaaaaa", SB_SH_TEXT_MAX / 8, "", arena, &reading);
    assert_non_null(reading.trouble);
    /* Chains have no depth. */
    read_repeated("a", " && b || c", 5000, "", arena, &reading);
    assert_null(reading.trouble);
    assert_int_equal(reading.count, 10001);
}

/* Values that double, or are many, end; that they did is said. */
static void test_values(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    (void)state;
    read_repeated("a=b;", "a=$a$a;", 1000, "echo $a", arena, &reading);
    assert_int_equal(reading.count, 1002);
    assert_false(reading.commands[1001].args[1].known);
    read_repeated("for i in ", "x ", 900, "; do for j in ", arena, &reading);
    read_repeated("for i in a b c d e f g h; do for j in 1 2 3 4 5 6 7 8; do ", "echo $i$j$i $i-$j;", 2000,
                  "done; done", arena, &reading);
    assert_non_null(reading.trouble);
    assert_int_equal(reading.count, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_troubles),
        cmocka_unit_test(test_commands_before_a_trouble),
        cmocka_unit_test(test_no_shell),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_texts_in_texts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
