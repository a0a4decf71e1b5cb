// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sbuild/builder.h>

static void refused(const char *tag, const char *because)
{
    SB_AUTO(sb_error) err = NULL;

    if (sb_check_tag(tag, &err) == 0)
        fail_msg("%s was accepted", tag);
    if (!strstr(err->message, because))
        fail_msg("%s: \"%s\" does not say \"%s\"", tag, err->message, because);
}

static void accepted(const char *tag)
{
    SB_AUTO(sb_error) err = NULL;

    if (sb_check_tag(tag, &err) < 0)
        fail_msg("%s was refused: %s", tag, err->message);
}

static void test_versions(void **state)
{
    (void)state;
    accepted("app:1.2.3");
    accepted("app:1");
    accepted("app:v1.2.3-rc.1");
    accepted("app:1.2.3-alpine");
    accepted("app:2026-11-24");
    accepted("app:nightly-20261124");
    accepted("registry.example.org:5000/team/app:1.0.0_arm64");
    accepted("localhost/app:deadbeef");
    accepted("app:abcdefa");
}

static void test_moving_tags(void **state)
{
    (void)state;
    refused("app", "no version");
    refused("registry.example.org:5000/app", "no version");
    refused("app:latest", "moves");
    refused("app:Latest", "moves");
    refused("app:1-latest", "moves");
    refused("app:latest_arm64", "moves");
    refused("app:stable", "moves");
    refused("app:edge", "moves");
    refused("app:main", "moves");
    refused("app:bookworm", "no number");
    refused("app:abcdef", "no number");
    refused("app:1.0@sha256:c75454f8c8d91d324eab52e5d2202809f68dfec0cf9ef0a75438fc86929413c2", "digest");
}

static void test_no_tag_at_all(void **state)
{
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    assert_int_equal(sb_check_tag("Not A Tag", &err), -1);
    assert_non_null(strstr(err->message, "--tag"));
}

static void test_exit_code_is_usage(void **state)
{
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    assert_int_equal(sb_check_tag("app:latest", &err), -1);
    assert_int_equal(sb_exit_code(err->code), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_moving_tags),
        cmocka_unit_test(test_no_tag_at_all),
        cmocka_unit_test(test_exit_code_is_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
