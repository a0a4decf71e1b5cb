// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/step_program.h>

#include "tempdir.h"

static void test_own_build_tree(void **state)
{
    sb_autofree char *path = NULL;

    (void)state;
    unsetenv("SBUILD_STEP_DIR");
    assert_int_equal(sb_step_program(SB_LIT(SBUILD_PLATFORM), &path, NULL), 0);
    assert_int_equal(access(path, X_OK), 0);
}

static void test_chosen_directory(void **state)
{
    tempdir *t = *state;
    sb_autofree char *path = NULL;
    SB_AUTO(sb_error) err = NULL;

    setenv("SBUILD_STEP_DIR", t->dir, 1);
    /* That directory alone: another version's program must not slip in. */
    assert_int_equal(sb_step_program(SB_LIT(SBUILD_PLATFORM), &path, &err), -1);
    assert_int_equal(sb_error_code(err), SB_ERR_ENGINE);
    assert_non_null(strstr(err->message, t->dir));
    free(tempdir_shell(t, "touch sbuild-step-linux-arm64"));
    assert_int_equal(sb_step_program(SB_LIT("linux/arm64/v8"), &path, NULL), 0);
    assert_true(sb_slice_starts(sb_slice_z(path), sb_slice_z(t->dir)));
    assert_true(sb_slice_ends(sb_slice_z(path), SB_LIT("/sbuild-step-linux-arm64")));
    unsetenv("SBUILD_STEP_DIR");
}

static void none_for(const char *platform)
{
    SB_AUTO(sb_error) err = NULL;
    char *path = NULL;

    if (sb_step_program(sb_slice_z(platform), &path, &err) == 0)
        fail_msg("%s: %s", platform, path);
    assert_int_equal(sb_error_code(err), SB_ERR_ENGINE);
    assert_non_null(strstr(err->message, platform));
}

static void test_no_program(void **state)
{
    (void)state;
    none_for("linux/riscv64");
    none_for("windows/amd64");
    none_for("linux/..");
    none_for("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_build_tree),
        cmocka_unit_test_setup_teardown(test_chosen_directory, tempdir_setup, tempdir_teardown),
        cmocka_unit_test(test_no_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
