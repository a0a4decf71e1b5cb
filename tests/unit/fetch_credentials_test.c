// SPDX-License-Identifier: Apache-2.0
#include <fetch/credentials.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int find(sb_arena *arena, const char *text, bool containers, const char *host, const char *repository,
                sb_credentials *ret_credentials, sb_error **err)
{
    return sb_credentials_in_file(arena, sb_slice_z(text), "config.json", containers, sb_slice_z(host),
                                  sb_slice_z(repository), ret_credentials, err);
}

static void auths(void **state)
{
    static const char text[] =
        "{\"auths\": {"
        "\"https://index.docker.io/v1/\": {\"auth\": \"aHViOnA6OncA\"}," /* hub:p::w NUL */
        "\"https://reg.org/v1/\": {\"auth\": \"YTpi\"},"
        "\"reg.org:5000\": {\"username\": \"u\", \"password\": \"p\"},"
        "\"token.org\": {\"auth\": \"YTpi\", \"identitytoken\": \"it\"},"
        "\"bearer.org\": {\"registrytoken\": \"rt\"},"
        "\"empty.org\": {}}}";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_credentials c = {0};

    (void)state;
    assert_int_equal(find(arena, text, false, "docker.io", "library/node", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.username, "hub"));
    assert_true(sb_slice_eqz(c.password, "p::w"));
    assert_true(sb_slice_eqz(sb_credentials_basic(arena, &c), "Basic aHViOnA6Onc="));
    assert_int_equal(find(arena, text, false, "reg.org", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.username, "a"));
    assert_int_equal(find(arena, text, false, "reg.org:5000", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.username, "u"));
    assert_int_equal(find(arena, text, false, "token.org", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.identity_token, "it"));
    assert_int_equal(find(arena, text, false, "bearer.org", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.registry_token, "rt"));
    assert_int_equal(find(arena, text, false, "empty.org", "x", &c, NULL), 0);
    assert_int_equal(find(arena, text, false, "xreg.org", "x", &c, NULL), 0);
    assert_int_equal(find(arena, text, false, "reg.org:5001", "x", &c, NULL), 0);
}

static void longest_prefix(void **state)
{
    static const char text[] =
        "{\"auths\": {\"q.io\": {\"auth\": \"YTox\"}, \"q.io/user\": {\"auth\": \"YToy\"},"
        "\"q.io/user/image\": {\"auth\": \"YToz\"}}}";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_credentials c = {0};

    (void)state;
    assert_int_equal(find(arena, text, true, "q.io", "other", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.password, "1"));
    assert_int_equal(find(arena, text, true, "q.io", "user/x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.password, "2"));
    assert_int_equal(find(arena, text, true, "q.io", "user/image", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.password, "3"));
    assert_int_equal(find(arena, text, true, "q.io", "username", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.password, "1"));
}

static void helpers(void **state)
{
    static const char script[] =
        "#!/bin/sh\nread -r s\ncase $s in\n"
        "good.org) echo '{\"ServerURL\":\"good.org\",\"Username\":\"u\",\"Secret\":\"s\"}';;\n"
        "token.org) echo '{\"Username\":\"<token>\",\"Secret\":\"it\"}';;\n"
        "https://index.docker.io/v1/) echo '{\"Username\":\"hub\",\"Secret\":\"s\"}';;\n"
        "none.org|file.org) echo ' credentials not found in native keychain '; exit 1;;\n"
        "odd.org) echo nonsense;;\n"
        "*) echo 'it is locked' >&2; exit 3;;\nesac\n";
    static const char text[] = "{\"credHelpers\": {\"never.org\": \"../evil\"}, \"credsStore\": \"fake\","
                               " \"auths\": {\"file.org\": {\"auth\": \"YTpi\"}}}";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *dir = sb_temp_dir("sbuild-test", NULL);
    sb_autofree char *program = sb_path_join(dir, "docker-credential-fake");
    sb_autofree char *old = sb_strdup(getenv("PATH"));
    sb_autofree char *path = sb_asprintf("%s:%s", dir, old);
    SB_AUTO(sb_error) bad_name = NULL;
    SB_AUTO(sb_error) locked = NULL;
    SB_AUTO(sb_error) odd = NULL;
    sb_credentials c = {0};

    (void)state;
    assert_int_equal(sb_write_file(AT_FDCWD, program, sb_slice_z(script), 0755, NULL), 0);
    setenv("PATH", path, 1);
    assert_int_equal(find(arena, text, false, "good.org", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.password, "s"));
    assert_int_equal(find(arena, text, false, "token.org", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.identity_token, "it"));
    assert_null(c.username.ptr);
    assert_int_equal(find(arena, text, false, "docker.io", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.username, "hub"));
    assert_int_equal(find(arena, text, false, "none.org", "x", &c, NULL), 0);
    assert_int_equal(find(arena, text, false, "file.org", "x", &c, NULL), 1);
    assert_true(sb_slice_eqz(c.username, "a"));
    assert_int_equal(find(arena, text, false, "locked.org", "x", &c, &locked), -1);
    assert_non_null(strstr(locked->message, "it is locked"));
    assert_int_equal(find(arena, text, false, "odd.org", "x", &c, &odd), -1);
    assert_int_equal(odd->code, SB_ERR_AUTH);
    assert_int_equal(find(arena, text, false, "never.org", "x", &c, &bad_name), -1);
    assert_int_equal(bad_name->code, SB_ERR_USAGE);
    setenv("PATH", old, 1);
    sb_remove_tree(AT_FDCWD, dir, NULL);
}

static void damaged(void **state)
{
    static const char *const bad[] = {"{\"auths\": {\"x.org\": {\"auth\": \"!!!\"}}}",
                                      "{\"auths\": {\"x.org\": {\"auth\": \"YWI=\"}}}", "{", "nothing"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_credentials c;

        assert_int_equal(find(arena, bad[i], false, "x.org", "x", &c, NULL), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auths),
        cmocka_unit_test(longest_prefix),
        cmocka_unit_test(helpers),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
