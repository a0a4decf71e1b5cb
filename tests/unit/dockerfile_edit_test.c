// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/dockerfile.h>

static void check(const char *text, const sb_df_edit *edits, size_t count, const char *expected)
{
    sb_autobuf out = SB_BUF_INIT(1000);

    assert_int_equal(sb_df_apply(sb_slice_z(text), edits, count, &out, NULL), 0);
    assert_true(sb_slice_eqz(sb_buf_slice(&out), expected));
}

static void test_edits_in_any_order(void **state)
{
    const sb_df_edit edits[] = {
        {{5, 12}, SB_LIT("node:20@sha256:1")}, {{0, 4}, SB_LIT("from")},
        {{12, 12}, SB_LIT("\nRUN x")},         {{12, 12}, SB_LIT("\nRUN y")},
        {{5, 5}, SB_LIT("--platform=a ")},
    };

    (void)state;
    check("FROM node:20\r\n", edits, SB_COUNT(edits), "from --platform=a node:20@sha256:1\nRUN x\nRUN y\r\n");
    check("FROM a", edits, 0, "FROM a");
    check("", NULL, 0, "");
    check("ab", (const sb_df_edit[]){{{0, 1}, SB_LIT("")}, {{1, 2}, SB_LIT("")}}, 2, "");
    check("ab", (const sb_df_edit[]){{{2, 2}, SB_LIT("c")}, {{0, 0}, SB_LIT("_")}}, 2, "_abc");
}

static void fails(const char *text, const sb_df_edit *edits, size_t count, sb_errc code)
{
    sb_autobuf out = SB_BUF_INIT(8);
    SB_AUTO(sb_error) err = NULL;

    assert_int_equal(sb_df_apply(sb_slice_z(text), edits, count, &out, &err), -1);
    assert_int_equal(err->code, code);
}

static void test_edits_that_cannot_be(void **state)
{
    (void)state;
    fails("abcdef", (const sb_df_edit[]){{{2, 4}, SB_LIT("x")}, {{0, 3}, SB_LIT("y")}}, 2, SB_ERR_INTERNAL);
    fails("abcdef", (const sb_df_edit[]){{{1, 3}, SB_LIT("x")}, {{1, 3}, SB_LIT("x")}}, 2, SB_ERR_INTERNAL);
    fails("abcdef", (const sb_df_edit[]){{{1, 4}, SB_LIT("x")}, {{2, 2}, SB_LIT("y")}}, 2, SB_ERR_INTERNAL);
    fails("abcdef", (const sb_df_edit[]){{{5, 7}, SB_LIT("x")}}, 1, SB_ERR_INTERNAL);
    fails("abcdef", (const sb_df_edit[]){{{3, 2}, SB_LIT("x")}}, 1, SB_ERR_INTERNAL);
    fails("abcdef", (const sb_df_edit[]){{{0, 0}, SB_LIT("too long")}}, 1, SB_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits_in_any_order),
        cmocka_unit_test(test_edits_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
