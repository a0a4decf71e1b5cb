// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tempdir.h"

#include <fetch/netrc.h>
#include <sbuild/http.h>

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    const char *const names[] = {"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
                                 "NETRC"};

    if (tempdir_setup(state) < 0)
        return -1;
    for (size_t i = 0; i < SB_COUNT(names); i++)
        unsetenv(names[i]);
    return setenv("HOME", ((tempdir *)*state)->dir, 1);
}

static void assert_netrc(const char *text, const char *user, const char *password)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_credentials found = {0};

    if (sb_netrc_find(arena, sb_slice_z(text), SB_LIT("e.org"), &found) != (password != NULL))
        fail_msg("%s", text);
    if (password) {
        assert_true(sb_slice_eqz(found.username, user));
        assert_true(sb_slice_eqz(found.password, password));
    }
}

static void test_netrc(void **state)
{
    (void)state;
    assert_netrc("machine e.org login u password p", "u", "p");
    assert_netrc("machine E.ORG\n\tlogin u\n\tpassword p\n", "u", "p");
    assert_netrc("machine other login x password y\nmachine e.org login u account a password p\n", "u", "p");
    assert_netrc("machine e.org login u password p machine other login x password y", "u", "p");
    assert_netrc("machine e.org login \"a b\" password \"c\\\"d\"\n", "a b", "c\"d");
    assert_netrc("macdef init\nmachine e.org login x password y\n\nmachine e.org login u password p", "u",
                 "p");
    assert_netrc("default login u password p", NULL, NULL);
    assert_netrc("machine example.org login u password p", NULL, NULL);
    assert_netrc("machine e.org login u", NULL, NULL);
    assert_netrc("machine e.org login u\nmachine other login x password y", NULL, NULL);
    assert_netrc("machine", NULL, NULL);
    assert_netrc("", NULL, NULL);
}

static void assert_login(const char *host, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice found = SB_NIL;

    assert_int_equal(sb_http_login(arena, sb_slice_z(host), &found, NULL), expected ? 1 : 0);
    if (expected)
        assert_true(sb_slice_eqz(found, expected));
}

static void test_files(void **state)
{
    const tempdir *t = *state;

    assert_login("e.org", NULL);
    free(tempdir_shell(t, "echo 'machine e.org login u password p' >.netrc"));
    assert_login("e.org", "Basic dTpw");
    assert_login("e.org:8443", "Basic dTpw");
    assert_login("sub.e.org", NULL);
    /* Docker's own comes first. */
    free(tempdir_shell(
        t, "mkdir .docker; echo '{\"auths\":{\"e.org\":{\"auth\":\"eDp5\"}}}' >.docker/config.json"));
    assert_login("e.org", "Basic eDp5");
    assert_login("e.org:8443", "Basic dTpw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netrc),
        cmocka_unit_test_setup_teardown(test_files, setup, tempdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
