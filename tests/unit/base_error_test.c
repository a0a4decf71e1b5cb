// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/error.h>

static void test_first_failure_stays(void **state)
{
    SB_AUTO(sb_error) error = NULL;

    (void)state;
    assert_int_equal(sb_fail(&error, SB_ERR_DRIFT, "tag %s moved", "x"), -1);
    assert_int_equal(sb_fail(&error, SB_ERR_IO, "second"), -1);
    assert_int_equal(sb_error_code(error), SB_ERR_DRIFT);
    assert_string_equal(error->message, "tag x moved");
}

static void test_context_comes_first(void **state)
{
    SB_AUTO(sb_error) error = NULL;

    (void)state;
    sb_fail(&error, SB_ERR_IO, "no space");
    assert_int_equal(sb_wrap(&error, "layer %d", 3), -1);
    assert_int_equal(sb_wrap(&error, "image"), -1);
    assert_string_equal(error->message, "image: layer 3: no space");
    assert_int_equal(error->code, SB_ERR_IO);
}

/* Whatever got into a message: no terminal obeys it, no line is forged. */
static void test_nothing_to_obey(void **state)
{
    SB_AUTO(sb_error) error = NULL;

    (void)state;
    sb_fail(&error, SB_ERR_IO, "%s",
            "a\x1b[31mb\nsbuild: all is well\r\x07 \xc2\x9b"
            "1m \xe2\x80\xae"
            "c ü…\xff");
    sb_wrap(&error, "%s", "\x1b]0;x");
    assert_string_equal(error->message, "?]0;x: a?[31mb sbuild: all is well?? ??1m ???c ü…\xff");
}

static void test_nobody_asked(void **state)
{
    SB_AUTO(sb_error) none = NULL;

    (void)state;
    assert_int_equal(sb_fail(NULL, SB_ERR_IO, "x"), -1);
    assert_int_equal(sb_wrap(NULL, "x"), -1);
    assert_int_equal(sb_wrap(&none, "x"), -1);
    assert_null(none);
    assert_int_equal(sb_error_code(NULL), SB_ERR_NONE);
    sb_error_free(NULL);
}

/* The numbers are documented, and scripts rely on them. */
static void test_exit_codes(void **state)
{
    static const struct {
        sb_errc code;
        int status;
    } cases[] = {
        {SB_ERR_NONE, 0},          {SB_ERR_PARSE, 1},  {SB_ERR_BUILD, 1},    {SB_ERR_LIMIT, 1},
        {SB_ERR_USAGE, 2},         {SB_ERR_STALE, 3},  {SB_ERR_UNPINNED, 4}, {SB_ERR_DRIFT, 5},
        {SB_ERR_GONE, 6},          {SB_ERR_VERIFY, 7}, {SB_ERR_NETWORK, 8},  {SB_ERR_AUTH, 8},
        {SB_ERR_NOT_FOUND, 8},     {SB_ERR_ENGINE, 9}, {SB_ERR_IO, 10},      {SB_ERR_INTERNAL, 10},
        {SB_ERR_INTERRUPTED, 130},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++)
        assert_int_equal(sb_exit_code(cases[i].code), cases[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_failure_stays), cmocka_unit_test(test_context_comes_first),
        cmocka_unit_test(test_nothing_to_obey),     cmocka_unit_test(test_nobody_asked),
        cmocka_unit_test(test_exit_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
