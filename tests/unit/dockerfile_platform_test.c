// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/dockerfile.h>

static void test_normal_form(void **state)
{
    static const char *const rows[][2] = {
        {"linux/amd64", "linux/amd64"},
        {"linux/x86_64", "linux/amd64"},
        {"Linux/X86-64", "linux/amd64"},
        {"linux/amd64/v1", "linux/amd64"},
        {"linux/amd64/v3", "linux/amd64/v3"},
        {"linux/arm64/v8", "linux/arm64"},
        {"linux/arm64/8", "linux/arm64"},
        {"linux/aarch64", "linux/arm64"},
        {"linux/arm", "linux/arm/v7"},
        {"linux/arm/v6", "linux/arm/v6"},
        {"linux/arm/7", "linux/arm/v7"},
        {"linux/armhf", "linux/arm/v7"},
        {"linux/armel", "linux/arm/v6"},
        {"linux/i386", "linux/386"},
        {"arm64", "linux/arm64"},
        {"s390x", "linux/s390x"},
        {"macos/arm64", "darwin/arm64"},
        {"windows(10.0.17763)/amd64", "windows/amd64"},
        {"linux/aarch64/v8", "linux/arm64"},
        {"linux/unheard-of", "linux/unheard-of"},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++) {
        sb_df_platform p;
        sb_slice text;

        assert_int_equal(sb_df_platform_parse(arena, sb_slice_z(rows[i][0]), &p, NULL), 0);
        text = sb_df_platform_format(arena, &p);
        if (!sb_slice_eqz(text, rows[i][1]))
            fail_msg("%s: %.*s", rows[i][0], (int)text.len, text.ptr);
    }
}

static void test_a_system_alone_has_an_architecture(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_df_platform p;

    (void)state;
    assert_int_equal(sb_df_platform_parse(arena, SB_LIT("freebsd"), &p, NULL), 0);
    assert_true(sb_slice_eqz(p.os, "freebsd"));
    assert_true(p.arch.len > 0);
}

static void test_what_is_none(void **state)
{
    static const char *const rows[] = {
        "",          "/",           "linux/",        "linux//v8", "linux/*",     "unheardof",
        "linux/a b", "linux/a/b/c", "linux/am\td64", "(1)/amd64", "linux(/amd64"};
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++) {
        SB_AUTO(sb_error) err = NULL;
        sb_df_platform p;

        if (sb_df_platform_parse(arena, sb_slice_z(rows[i]), &p, &err) == 0)
            fail_msg("\"%s\" is taken for a platform", rows[i]);
        assert_int_equal(err->code, SB_ERR_PARSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal_form),
        cmocka_unit_test(test_a_system_alone_has_an_architecture),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
