// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "step_config_fixture.h"

enum { PORT = 4711 };

static char ca[] = "/t/ca.pem", trust[] = "/t/trust.pem", trust_p12[] = "/t/trust.p12";
static char wgetrc[] = "/t/wgetrc", wget2rc[] = "/t/wget2rc", apt_conf[] = "/t/apt.conf",
            php_dir[] = "/t/php.d";
static const step_files files = {.ca = ca,
                                 .trust = trust,
                                 .trust_p12 = trust_p12,
                                 .wgetrc = wgetrc,
                                 .wget2rc = wget2rc,
                                 .php_dir = php_dir,
                                 .apt_conf = apt_conf};

static char **made_in(step_mode mode, sb_arena *arena, const char *const *env)
{
    const step_config config = {.mode = mode, .epoch = 1700000000};
    size_t count = 0;
    char **copy;

    while (env[count])
        count++;
    copy = sb_arena_array(arena, char *, count + 1);
    for (size_t i = 0; i < count; i++)
        copy[i] = sb_arena_strdup(arena, sb_slice_z(env[i]));
    return step_environment(arena, copy, &config, &files, PORT);
}

static char **made(sb_arena *arena, const char *const *env)
{
    return made_in(STEP_REPLAY, arena, env);
}

static void is(char *const *env, const char *name, const char *value)
{
    const char *got = step_environment_get(env, name);
    size_t times = 0;

    if (value ? !got || strcmp(got, value) != 0 : got != NULL)
        fail_msg("%s=%s", name, got ? got : "(absent)");
    for (; *env; env++)
        times += strncmp(*env, name, strlen(name)) == 0 && (*env)[strlen(name)] == '=';
    assert_int_equal(times, value ? 1 : 0);
}

static void test_empty(void **state)
{
    static const char *const none[] = {NULL};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char **env = made(arena, none);

    (void)state;
    is(env, "http_proxy", "http://127.0.0.1:4711");
    is(env, "HTTPS_PROXY", "http://127.0.0.1:4711");
    is(env, "SSL_CERT_FILE", "/t/trust.pem");
    is(env, "DENO_CERT", "/t/ca.pem");
    is(env, "WGETRC", "/t/wgetrc");
    is(env, "APT_CONFIG", "/t/apt.conf");
    is(env, "PHP_INI_SCAN_DIR", ":/t/php.d");
    is(env, "SOURCE_DATE_EPOCH", "1700000000");
    is(env, "PYTHONHASHSEED", "0");
    is(env, "all_proxy", NULL);
    is(env, "npm_config_ca", NULL);
    is(env, "PYTHONDONTWRITEBYTECODE", NULL);
    is(env, "GOFLAGS", NULL);
    assert_true(sb_slice_starts(sb_slice_z(step_environment_get(env, "no_proxy")),
                                SB_LIT("localhost,127.0.0.1,127.0.0.0/8,::1")));
    assert_non_null(strstr(step_environment_get(env, "JAVA_TOOL_OPTIONS"), "trustStore=/t/trust.p12 "));
    assert_non_null(strstr(step_environment_get(env, "JAVA_TOOL_OPTIONS"), "https.proxyPort=4711 "));
}

/* Proxies and trust are ours; what makes builds repeatable is the user's where he has said something. */
static void test_of_the_image(void **state)
{
    static const char *const image[] = {"PATH=/bin",
                                        "http_proxy=http://proxy.example.org",
                                        "ALL_PROXY=socks5://proxy.example.org",
                                        "npm_config_cafile=/etc/corporate.pem",
                                        "SOURCE_DATE_EPOCH=5",
                                        "PYTHONHASHSEED=random",
                                        "JAVA_TOOL_OPTIONS=-Xmx1g",
                                        "http_proxy_of_mine=1",
                                        "PHP_INI_SCAN_DIR=/etc/php.d",
                                        "EMPTY=",
                                        "odd",
                                        NULL};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char **env = made(arena, image);

    (void)state;
    is(env, "PATH", "/bin");
    is(env, "EMPTY", "");
    is(env, "http_proxy_of_mine", "1");
    assert_string_equal(env[10], "odd");
    is(env, "PHP_INI_SCAN_DIR", "/etc/php.d:/t/php.d");
    is(env, "http_proxy", "http://127.0.0.1:4711");
    is(env, "ALL_PROXY", "http://127.0.0.1:4711");
    is(env, "npm_config_cafile", "/t/trust.pem");
    is(env, "SOURCE_DATE_EPOCH", "5");
    is(env, "PYTHONHASHSEED", "random");
    assert_true(sb_slice_starts(sb_slice_z(step_environment_get(env, "JAVA_TOOL_OPTIONS")),
                                SB_LIT("-Xmx1g -Djavax.net.ssl.trustStore=")));
}

/* While recording Go asks its checksum database, on replay never. */
static void test_replayed(void **state)
{
    static const char *const image[] = {"GONOSUMDB=example.org", NULL};
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    is(made_in(STEP_RECORD, arena, image), "GONOSUMDB", "example.org");
    is(made_in(STEP_REPLAY, arena, image), "GONOSUMDB", "*");
}

/* The names of the table in the source, and the rows of the one in the documentation: the same. */
static void test_documented(void **state)
{
    tempdir *t = *state;
    sb_autofree char *difference =
        tempdir_shell(t, "sed -n 's/^    {\"\\([A-Za-z0-9_]*\\)\", [A-Z_]*, [A-Z_0-9]*, .*/\\1/p' "
                         "\"$2/builder/step/environment.c\" | sort >source\n"
                         "sed -n '/^## The environment/,/^## /p' \"$2/docs/sealed.md\" | sed -n 's/^| "
                         "\\(`[^|]*\\) |.*/\\1/p' |"
                         "  grep -o '`[A-Za-z0-9_]*`' | tr -d '`' | sort >documentation\n"
                         "[[ $(wc -l <source) -gt 50 ]]\n"
                         "diff source documentation || true");

    if (*difference)
        fail_msg("environment.c and docs/sealed.md differ:\n%s", difference);
}

/* Without a server, nothing but the settings; the user's win. */
static void test_open(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char home[] = "HOME=/root", seed[] = "PYTHONHASHSEED=7", proxy[] = "http_proxy=http://proxy.example.org/";
    char *env[] = {home, seed, proxy, NULL};
    step_config config = {.mode = STEP_OPEN, .epoch = 86400};
    char **made = step_environment(arena, env, &config, NULL, 0);

    (void)state;
    assert_string_equal(step_environment_get(made, "HOME"), "/root");
    assert_string_equal(step_environment_get(made, "PYTHONHASHSEED"), "7");
    assert_string_equal(step_environment_get(made, "SOURCE_DATE_EPOCH"), "86400");
    assert_string_equal(step_environment_get(made, "http_proxy"), "http://proxy.example.org/");
    assert_null(step_environment_get(made, "https_proxy"));
    assert_null(step_environment_get(made, "SSL_CERT_FILE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_of_the_image),
        cmocka_unit_test(test_replayed),
        cmocka_unit_test(test_open),
        cmocka_unit_test_setup_teardown(test_documented, tempdir_setup, tempdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
