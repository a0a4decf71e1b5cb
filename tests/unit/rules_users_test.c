// SPDX-License-Identifier: Apache-2.0
#include <rules/users.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void root_by_name_and_number(void **state)
{
    static const char *const root[] = {"root", "root:root", "0", "0:0", "000:5", "", ":5"};
    static const char *const other[] = {"app", "1001", "1001:0", "rooty", "10", "0x0"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(root); i++)
        assert_true(sb_user_is_root(sb_slice_z(root[i])));
    for (size_t i = 0; i < SB_COUNT(other); i++)
        assert_false(sb_user_is_root(sb_slice_z(other[i])));
}

static void numbers(void **state)
{
    (void)state;
    assert_true(sb_user_is_number(SB_LIT("1001")));
    assert_true(sb_user_is_number(SB_LIT("1001:app")));
    assert_false(sb_user_is_number(SB_LIT("app:1001")));
    assert_false(sb_user_is_number(SB_LIT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_by_name_and_number),
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
