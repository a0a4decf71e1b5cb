// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/slice.h>

static void test_compare(void **state)
{
    (void)state;
    assert_true(sb_slice_eq(SB_NIL, SB_LIT("")));
    assert_true(sb_slice_eqz(SB_LIT("abc"), "abc"));
    assert_false(sb_slice_eqz(SB_LIT("abc"), "abcd"));
    assert_true(sb_slice_eq_nocase(SB_LIT("AbC-1"), SB_LIT("aBc-1")));
    assert_false(sb_slice_eq_nocase(SB_LIT("abc"), SB_LIT("abd")));
    assert_false(sb_slice_eq_nocase(SB_LIT("@"), SB_LIT("`")));
    assert_false(sb_slice_eq_nocase(SB_LIT("\xc9"), SB_LIT("\xe9")));
    assert_false(sb_slice_eq_nocase(SB_LIT("a\0b"), SB_LIT("a\0c")));
    assert_true(sb_slice_cmp(SB_LIT("a"), SB_LIT("ab")) < 0);
    assert_true(sb_slice_cmp(SB_LIT("b"), SB_LIT("ab")) > 0);
    assert_true(sb_slice_cmp(SB_LIT("\xff"), SB_LIT("a")) > 0);
    assert_int_equal(sb_slice_cmp(SB_NIL, SB_LIT("")), 0);
}

static void test_search(void **state)
{
    (void)state;
    assert_true(sb_slice_starts(SB_LIT("abc"), SB_LIT("ab")));
    assert_true(sb_slice_starts(SB_NIL, SB_NIL));
    assert_false(sb_slice_starts(SB_LIT("a"), SB_LIT("ab")));
    assert_true(sb_slice_ends(SB_LIT("abc"), SB_LIT("bc")));
    assert_true(sb_slice_ends(SB_LIT("abc"), SB_LIT("")));
    assert_false(sb_slice_ends(SB_LIT("c"), SB_LIT("bc")));
    assert_int_equal(sb_slice_chr(SB_LIT("a.b.c"), '.'), 1);
    assert_int_equal(sb_slice_rchr(SB_LIT("a.b.c"), '.'), 3);
    assert_int_equal(sb_slice_chr(SB_NIL, '.'), -1);
    assert_int_equal(sb_slice_rchr(SB_LIT("abc"), '.'), -1);
    assert_true(sb_slice_is_hex(SB_LIT("09afAF")));
    assert_false(sb_slice_is_hex(SB_LIT("0g")));
    assert_false(sb_slice_is_hex(SB_LIT("")));
    assert_true(sb_slice_eqz(sb_path_last(SB_LIT("/usr/bin/env")), "env"));
    assert_true(sb_slice_eqz(sb_path_last(SB_LIT("env")), "env"));
    assert_true(sb_slice_eqz(sb_path_last(SB_LIT("bin/")), ""));
    assert_int_equal(sb_path_last(SB_NIL).len, 0);
    assert_int_equal(sb_slice_find(SB_LIT("aab"), SB_LIT("ab")), 1);
    assert_int_equal(sb_slice_find(SB_LIT("aab"), SB_LIT("abc")), -1);
    assert_int_equal(sb_slice_find(SB_NIL, SB_LIT("")), 0);
}

static void test_trim(void **state)
{
    (void)state;
    assert_true(sb_slice_eqz(sb_slice_trim(SB_LIT(" \t\r\n\v\fa b \n")), "a b"));
    assert_true(sb_slice_eqz(sb_slice_trim(SB_LIT("  ")), ""));
    assert_true(sb_slice_eqz(sb_slice_trim(SB_LIT("\xc2\xa0x")), "\xc2\xa0x"));
    assert_int_equal(sb_slice_trim(SB_NIL).len, 0);
}

static void test_cut(void **state)
{
    sb_slice rest = SB_LIT("a,,b,");
    static const char *const parts[] = {"a", "", "b", ""};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(parts); i++) {
        sb_slice part = sb_slice_cut(&rest, ',');

        assert_non_null(part.ptr);
        assert_true(sb_slice_eqz(part, parts[i]));
    }
    assert_null(rest.ptr);
    assert_null(sb_slice_cut(&rest, ',').ptr);
}

static void test_numbers(void **state)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"};
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++)
        assert_false(sb_slice_to_u64(sb_slice_z(bad[i]), &value));
    assert_int_equal(value, 7);
    assert_true(sb_slice_to_u64(SB_LIT("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(sb_slice_to_u64(SB_LIT("007"), &value));
    assert_int_equal(value, 7);
}

static void test_dup(void **state)
{
    sb_autofree char *copy = sb_slice_dup(sb_slice_sub(SB_LIT("abcdef"), 1, 3));

    (void)state;
    assert_string_equal(copy, "bc");
}

static void test_ascii(void **state)
{
    (void)state;
    assert_int_equal(sb_ascii_lower('A'), 'a');
    assert_int_equal(sb_ascii_lower('Z'), 'z');
    assert_int_equal(sb_ascii_lower('['), '[');
    assert_int_equal(sb_ascii_lower('\xc4'), '\xc4');
    assert_int_equal(sb_hex_value('9'), 9);
    assert_int_equal(sb_hex_value('a'), 10);
    assert_int_equal(sb_hex_value('F'), 15);
    assert_int_equal(sb_hex_value('g'), -1);
    assert_int_equal(sb_hex_value('\0'), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare), cmocka_unit_test(test_search),  cmocka_unit_test(test_trim),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_numbers), cmocka_unit_test(test_dup),
        cmocka_unit_test(test_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
