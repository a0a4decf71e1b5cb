// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "step_config_fixture.h"

static char *strings[8];

/* The environment of these strings; valid until the next call. */
static char **environment(const char *a, const char *b, const char *c)
{
    const char *const all[] = {a, b, c};
    size_t count = 0;

    for (size_t i = 0; i < SB_COUNT(strings); i++) {
        free(strings[i]);
        strings[i] = NULL;
    }
    for (size_t i = 0; i < SB_COUNT(all); i++)
        if (all[i])
            strings[count++] = sb_strdup(all[i]);
    return strings;
}

static void test_proxies(void **state)
{
    SB_AUTO(step_config) config = step_config_fixture(*state, STEP_CONFIG_RECORD);

    assert_int_equal(
        step_config_outside(config,
                            environment("http_proxy=http://u:p@proxy.example.org:3128",
                                        "HTTPS_PROXY=http://s", "NO_PROXY=localhost,.example.org"),
                            NULL),
        0);
    assert_true(sb_slice_eqz(config->http_proxy, "http://u:p@proxy.example.org:3128"));
    assert_true(sb_slice_eqz(config->https_proxy, "http://s"));
    assert_true(sb_slice_eqz(config->no_proxy, "localhost,.example.org"));
}

static void test_all_and_none(void **state)
{
    SB_AUTO(step_config) config = step_config_fixture(*state, STEP_CONFIG_RECORD);

    assert_int_equal(
        step_config_outside(config, environment("all_proxy=http://a", "https_proxy=", "HTTP_PROXY=http://x"),
                            NULL),
        0);
    assert_true(sb_slice_eqz(config->http_proxy, "http://a"));
    assert_true(sb_slice_eqz(config->https_proxy, "http://a"));
    assert_null(config->no_proxy.ptr);
    assert_int_equal(step_config_outside(config, environment(NULL, NULL, NULL), NULL), 0);
    assert_null(config->http_proxy.ptr);
    assert_int_equal(config->credential_count, 0);
}

static void test_credentials(void **state)
{
    SB_AUTO(step_config) config = step_config_fixture(*state, STEP_CONFIG_RECORD);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char **env =
        environment(STEP_CREDENTIALS "={\"Packages.example.org:8443\":\"Basic dTpw\"}", "A=1", "B=2");
    char **made;

    assert_int_equal(step_config_outside(config, env, NULL), 0);
    assert_int_equal(config->credential_count, 1);
    assert_true(sb_slice_eqz(config->credentials[0].host, "packages.example.org:8443"));
    assert_true(sb_slice_eqz(config->credentials[0].authorization, "Basic dTpw"));
    assert_string_equal(step_environment_get(env, STEP_CREDENTIALS), "");
    /* The command does not get them, whether it has a server or not. */
    made = step_environment(arena, env, config, NULL, 0);
    assert_null(step_environment_get(made, STEP_CREDENTIALS));
    assert_string_equal(made[0], "A=1");
    assert_string_equal(made[1], "B=2");
}

static void refused(tempdir *t, const char *value)
{
    SB_AUTO(step_config) config = step_config_fixture(t, STEP_CONFIG_RECORD);
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *entry = sb_asprintf(STEP_CREDENTIALS "=%s", value);

    if (step_config_outside(config, environment(entry, NULL, NULL), &err) == 0)
        fail_msg("accepted: %s", value);
    assert_non_null(strstr(err->message, STEP_CREDENTIALS));
    assert_null(strstr(err->message, "s3cret"));
}

static void test_malformed_credentials(void **state)
{
    refused(*state, "s3cret");
    refused(*state, "[\"s3cret\"]");
    refused(*state, "{\"a.example.org\":1}");
    refused(*state, "{\"a.example.org\":\"\"}");
    refused(*state, "{\"a.example.org\":\"s3cret\\r\\nX: y\"}");
}

static int teardown(void **state)
{
    environment(NULL, NULL, NULL);
    return tempdir_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_proxies, tempdir_setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_and_none, tempdir_setup, teardown),
        cmocka_unit_test_setup_teardown(test_credentials, tempdir_setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed_credentials, tempdir_setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
