// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "step_config_fixture.h"

static void test_replay(void **state)
{
    SB_AUTO(step_config) config = step_config_fixture(*state, STEP_CONFIG_REPLAY);

    assert_int_equal(config->mode, STEP_REPLAY);
    assert_true(sb_slice_eqz(config->id, "0123456789ab"));
    assert_true(sb_slice_eqz(config->label, "RUN make"));
    assert_int_equal(config->epoch, 1700000000);
    assert_true(config->tolerate_expiry);
    assert_int_equal(config->nameserver_count, 0);
}

static void test_record(void **state)
{
    SB_AUTO(step_config) config = step_config_fixture(*state, STEP_CONFIG_RECORD);

    assert_int_equal(config->mode, STEP_RECORD);
    assert_false(config->tolerate_expiry);
    assert_int_equal(config->nameserver_count, 2);
    assert_true(sb_slice_eqz(config->nameservers[1], "2001:db8::1"));
}

static void refused(tempdir *t, const char *json, const char *because)
{
    SB_AUTO(sb_error) err = NULL;
    step_config *config = NULL;

    sb_write_file(t->dirfd, "step.json", sb_slice_z(json), 0644, NULL);
    if (step_config_load(t->dir, &config, &err) == 0)
        fail_msg("accepted: %s", json);
    if (!strstr(err->message, because) || !strstr(err->message, "step.json"))
        fail_msg("\"%s\" does not say \"%s\"", err->message, because);
}

static void test_refused(void **state)
{
    tempdir *t = *state;
    SB_AUTO(sb_error) err = NULL;
    step_config *config = NULL;

    assert_int_equal(step_config_load(t->dir, &config, &err), -1);
    assert_non_null(strstr(err->message, "step.json"));
    refused(t, "", "step.json");
    refused(t, "{\"version\":1,\"id\":\"0123", "step.json");
    refused(t, "[]", "version");
    refused(t, "{\"version\":2,\"id\":\"0123456789ab\",\"mode\":\"replay\"}", "version");
    refused(t, "{\"version\":1,\"id\":\"0123456789a\",\"mode\":\"replay\"}", "id");
    refused(t, "{\"version\":1,\"id\":\"../456789abc\",\"mode\":\"replay\"}", "id");
    refused(t, "{\"version\":1,\"id\":\"0123456789ab\"}", "mode");
    refused(t, "{\"version\":1,\"id\":\"0123456789ab\",\"mode\":\"play\"}", "mode");
    refused(
        t,
        "{\"version\":1,\"id\":\"0123456789ab\",\"mode\":\"record\",\"nameservers\":[\"dns.example.org\"]}",
        "nameservers[0]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replay, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_record, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_refused, tempdir_setup, tempdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
