// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cli/cli.h>

#include <string.h>

typedef struct values {
    bool flag, other;
    const char *text, *mode, *path;
    cli_list list, words, update, pass;
} values;

static const cli_option options[] = {
    {"flag", 'f', CLI_FLAG(values, flag), NULL, "a flag"},
    {"other", 'o', CLI_FLAG(values, other), NULL, "another"},
    {"text", 't', CLI_STRING(values, text), "TEXT", "a text"},
    {"mode", 0, CLI_CHOICE(values, mode), "auto|plain", "a choice"},
    {"path", 'p', CLI_FILE(values, path), "FILE", "a path"},
    {"list", 'l', CLI_LIST(values, list), "ITEM", "items"},
    {"words", 0, CLI_WORDS(values, words), "WORD", "words"},
    {"update", 0, CLI_OPTIONAL(values, update), "NAME", "with or without"},
    {"secret", 0, CLI_PASS(values, pass), "SECRET", "handed on"},
    {"sbom", 0, CLI_PASS_FLAG(values, pass), "MODE", "handed on, too"},
    {"pull", 0, CLI_REFUSED, NULL, "not here"},
    CLI_OPTIONS_END,
};

typedef struct parsed {
    values values;
    cli_list operands;
    int result;
    sb_errc code;
    char *message;
} parsed;

static parsed parse(unsigned flags, ...)
{
    parsed p = {0};
    const cli_option_set set = {options, &p.values};
    SB_AUTO(sb_error) error = NULL;
    char *argv[20];
    size_t argc = 0;
    va_list ap;

    va_start(ap, flags);
    while ((argv[argc] = va_arg(ap, char *)))
        argc++;
    va_end(ap);
    p.result = cli_parse(&set, 1, argv, argc, flags, &p.operands, &error);
    p.code = sb_error_code(error);
    p.message = sb_strdup(error ? error->message : "");
    return p;
}

static void parsed_clear(parsed *p)
{
    const cli_option_set set = {options, &p->values};

    cli_options_clear(&set);
    cli_list_clear(&p->operands);
    free(p->message);
}

#define AUTO_PARSED __attribute__((cleanup(parsed_clear))) parsed

static void test_every_spelling_of_a_value(void **state)
{
    (void)state;
    {
        AUTO_PARSED p = parse(0, "--text", "a", NULL);
        assert_string_equal(p.values.text, "a");
    }
    {
        AUTO_PARSED p = parse(0, "--text=a=b", NULL);
        assert_string_equal(p.values.text, "a=b");
    }
    {
        AUTO_PARSED p = parse(0, "-t", "a", NULL);
        assert_string_equal(p.values.text, "a");
    }
    {
        AUTO_PARSED p = parse(0, "-ta", NULL);
        assert_string_equal(p.values.text, "a");
    }
    {
        AUTO_PARSED p = parse(0, "-t=a", NULL);
        assert_string_equal(p.values.text, "a");
    }
    {
        AUTO_PARSED p = parse(0, "--text=", NULL);
        assert_string_equal(p.values.text, "");
    }
    {
        AUTO_PARSED p = parse(0, "--text", "a", "--text", "--flag", NULL);
        assert_string_equal(p.values.text, "--flag");
        assert_false(p.values.flag);
    }
    {
        AUTO_PARSED p = parse(0, "-fot", "x", "-p-", NULL);
        assert_true(p.values.flag && p.values.other);
        assert_string_equal(p.values.text, "x");
        assert_string_equal(p.values.path, "-");
    }
}

static void test_flags_take_a_truth_value(void **state)
{
    (void)state;
    {
        AUTO_PARSED p = parse(0, "--flag", "--other=true", NULL);
        assert_true(p.values.flag && p.values.other);
    }
    {
        AUTO_PARSED p = parse(0, "--flag", "--flag=false", NULL);
        assert_int_equal(p.result, 0);
        assert_false(p.values.flag);
    }
    {
        AUTO_PARSED p = parse(0, "--flag=maybe", NULL);
        assert_int_equal(p.code, SB_ERR_USAGE);
        assert_string_equal(p.message, "--flag is true or false, not \"maybe\"");
    }
}

static void test_lists(void **state)
{
    AUTO_PARSED p = parse(0, "--list=a,b", "-l", "c", "--words", "x, y", "--words=z", NULL);
    AUTO_PARSED empty = parse(0, "--words=a,,b", NULL);
    AUTO_PARSED none = parse(0, NULL);

    (void)state;
    assert_int_equal(p.values.list.count, 2);
    assert_string_equal(p.values.list.items[0], "a,b");
    assert_string_equal(p.values.list.items[1], "c");
    assert_null(p.values.list.items[2]);
    assert_int_equal(p.values.words.count, 3);
    assert_string_equal(p.values.words.items[1], "y");
    assert_int_equal(empty.code, SB_ERR_USAGE);
    assert_null(cli_strings(&none.values.list));
}

static void test_a_long_list_stays_terminated(void **state)
{
    cli_autolist list = {0};

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        cli_list_add(&list, "item", 4);
        assert_int_equal(list.count, i + 1);
        assert_null(list.items[list.count]);
    }
}

static void test_an_optional_value_needs_the_equals_sign(void **state)
{
    AUTO_PARSED bare = parse(0, "--update", "name", NULL);
    AUTO_PARSED named = parse(0, "--update=a", "--update=b", NULL);

    (void)state;
    assert_true(bare.values.update.bare);
    assert_int_equal(bare.values.update.count, 0);
    assert_string_equal(bare.operands.items[0], "name");
    assert_false(named.values.update.bare);
    assert_int_equal(named.values.update.count, 2);
}

static void test_what_is_handed_on_keeps_its_order(void **state)
{
    AUTO_PARSED p = parse(0, "--secret", "id=a", "--sbom", "--secret=id=b", "--sbom=false", NULL);
    static const char *const expected[] = {"--secret=id=a", "--sbom", "--secret=id=b", "--sbom=false"};

    (void)state;
    assert_int_equal(p.values.pass.count, SB_COUNT(expected));
    for (size_t i = 0; i < SB_COUNT(expected); i++)
        assert_string_equal(p.values.pass.items[i], expected[i]);
}

static void test_operands(void **state)
{
    AUTO_PARSED mixed = parse(0, "a", "--flag", "-", "--", "--other", NULL);
    AUTO_PARSED stopped = parse(CLI_STOP_AT_OPERAND, "--flag", "lock", "--other", "--", NULL);

    (void)state;
    assert_int_equal(mixed.operands.count, 3);
    assert_string_equal(mixed.operands.items[1], "-");
    assert_string_equal(mixed.operands.items[2], "--other");
    assert_false(mixed.values.other);
    assert_int_equal(stopped.operands.count, 3);
    assert_true(stopped.values.flag);
    assert_false(stopped.values.other);
    assert_string_equal(stopped.operands.items[2], "--");
}

static void check_refusal(const char *argument, const char *message)
{
    AUTO_PARSED p = parse(0, argument, NULL);

    assert_int_equal(p.result, -1);
    assert_int_equal(p.code, SB_ERR_USAGE);
    assert_string_equal(p.message, message);
}

static void test_refusals(void **state)
{
    (void)state;
    check_refusal("--txet=1", "unknown option --txet; did you mean --text?");
    check_refusal("--sec", "unknown option --sec; did you mean --secret?");
    check_refusal("--completely-different", "unknown option --completely-different");
    check_refusal("--\033[2J", "unknown option --\\x1b[2J");
    check_refusal("-x", "unknown option -x");
    check_refusal("--text", "--text needs a value: --text TEXT");
    check_refusal("-t", "--text needs a value: --text TEXT");
    check_refusal("--mode=fast", "--mode is one of auto|plain, not \"fast\"");
    check_refusal("--pull", "--pull: not here");
    check_refusal("--pull=always", "--pull: not here");
}

/* --- The tables of the program itself --- */

static void check_option(const cli_command *command, const cli_option *o)
{
    size_t length = strlen(o->help);

    assert_true(length > 0 && o->help[length - 1] != '.');
    assert_true(cli_option_needs_value(o) ? o->value != NULL : true);
    for (const cli_option *other = o + 1; other->name; other++) {
        assert_string_not_equal(o->name, other->name);
        assert_true(!o->letter || o->letter != other->letter);
    }
    for (const cli_option *global = cli_global_options; global->name && command; global++) {
        assert_string_not_equal(o->name, global->name);
        assert_true(!o->letter || o->letter != global->letter);
    }
}

static void test_tables_are_in_order(void **state)
{
    (void)state;
    for (const cli_option *o = cli_global_options; o->name; o++)
        check_option(NULL, o);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        assert_ptr_equal(cli_find_command((*c)->name), *c);
        assert_true((*c)->run && *(*c)->summary && *(*c)->description);
        assert_true((*c)->max_operands >= (*c)->min_operands);
        assert_true(!(*c)->max_operands == !*(*c)->usage);
        for (const cli_option *o = (*c)->options; o->name; o++)
            check_option(*c, o);
        for (unsigned status = 0; status < 32; status++)
            assert_true(!((*c)->exits & (1u << status)) || cli_exit_text(status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_spelling_of_a_value),
        cmocka_unit_test(test_flags_take_a_truth_value),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_a_long_list_stays_terminated),
        cmocka_unit_test(test_an_optional_value_needs_the_equals_sign),
        cmocka_unit_test(test_what_is_handed_on_keeps_its_order),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_tables_are_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
