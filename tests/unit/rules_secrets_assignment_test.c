// SPDX-License-Identifier: Apache-2.0
/* NAME = VALUE as many languages and tools write it; and what only looks so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rules/secrets/engine.h>

static const struct {
    const char *text, *name, *value; /* NULL: none */
    bool quoted;
} forms[] = {
    {"TOKEN=abc", "TOKEN", "abc", false},
    {"export API_TOKEN='a b'", "API_TOKEN", "a b", true},
    {"my.token.key = x1", "my.token.key", "x1", false},
    {"token: abc\n", "token", "abc", false},
    {"  \"token\": \"abc\",", "token", "abc", true},
    {"'token' => 'abc'", "token", "abc", true},
    {"token := \"abc\"", "token", "abc", true},
    {"token ?= abc", "token", "abc", false},
    {"{\\\"token\\\":\\\"abc\\\"}", "token", "abc", true},
    {"<token>abc</token>", "token", "abc", false},
    {"<x token=\"abc\"/>", "token", "abc", true},
    {"<add key=\"token\" value=\"abc\"/>", "token", "abc", true},
    {"<string name=\"token\">abc</string>", "token", "abc", false},
    {"$c['token'] = 'abc';", "token", "abc", true},
    {"define('TOKEN', 'abc');", "TOKEN", "abc", true},
    {"env.put(\"token\", \"abc\")", "token", "abc", true},
    {"setToken(\"abc\")", "setToken", "abc", true},
    {"let token: string = \"abc\"", "token", "abc", true},
    {"const TOKEN: &str = \"abc\";", "TOKEN", "abc", true},
    {"token = r\"abc\"", "token", "abc", true},
    {"token = `abc`", "token", "abc", true},
    {"run --token abc x", "--token", "abc", false},
    {"run --token=abc x", "--token", "abc", false},
    {"ENV TOKEN abc", "TOKEN", "abc", false},
    {"https://x/?token=abc&y=1", "token", "abc", false},
    {"TOKEN=abc\0B=1", "TOKEN", "abc", false},
    {"the token is", NULL, NULL, false},
    {"token == \"abc\"", NULL, NULL, false},
    {"token =~ abc", NULL, NULL, false},
    {"Token::new", NULL, NULL, false},
    {"token(x)", NULL, NULL, false},
    {"token = f(x)", NULL, NULL, false},
    {"token = [1]", NULL, NULL, false},
    {"token = \"abc", NULL, NULL, false},
    {"token =\n", NULL, NULL, false},
    {"token = \"\"", NULL, NULL, false},
    {"token", NULL, NULL, false},
    {"token, \"abc\"", NULL, NULL, false},
    {"token \"abc\"", NULL, NULL, false},
    {"token = \"a\xc3\xa4\"", NULL, NULL, false},
};

static void assignments(void **state)
{
    (void)state;
    for (size_t i = 0; i < SB_COUNT(forms); i++) {
        sb_slice text = sb_slice_z(forms[i].text);
        size_t at = 0;
        secret_assignment a = {0};
        bool found;

        while (!sb_slice_eq_nocase(sb_slice_sub(text, at, at + 5), SB_LIT("token")))
            at++;
        found = secret_assignment_read(text, at, 5, &a);
        if (found != (forms[i].name != NULL))
            fail_msg("%s: %s", forms[i].text, found ? "read" : "not read");
        if (!found)
            continue;
        if (!sb_slice_eqz(sb_slice_sub(text, a.name_at, a.name_at + a.name_len), forms[i].name) ||
            !sb_slice_eqz(sb_slice_sub(text, a.value_at, a.value_at + a.value_len), forms[i].value) ||
            a.quoted != forms[i].quoted)
            fail_msg("%s: name %" SB_FMT ", value %" SB_FMT, forms[i].text, (int)a.name_len,
                     text.ptr + a.name_at, (int)a.value_len, text.ptr + a.value_at);
    }
}

/* Whatever stands around it, and however long. */
static void bounds(void **state)
{
    char text[2000];
    secret_assignment a;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text + 1000, "token", 5);
    assert_false(secret_assignment_read((sb_slice){text, sizeof(text)}, 1000, 5, &a));
    text[1005] = '=';
    assert_false(secret_assignment_read((sb_slice){text, sizeof(text)}, 1000, 5, &a)); /* too long a value */
    text[1400] = '\n';
    assert_true(secret_assignment_read((sb_slice){text, sizeof(text)}, 1000, 5, &a));
    assert_int_equal(a.name_len, SECRET_NAME_MAX + 5);
    assert_int_equal(a.value_len, 1400 - 1006);
    for (size_t len = 1000; len < 1010; len++)
        secret_assignment_read((sb_slice){text, len < 1005 ? 1005 : len}, 1000, 5, &a);
}

static void urls(void **state)
{
    static const struct {
        const char *text, *user, *password, *host;
    } cases[] = {
        {"x://joe:pass1@host:80/", "joe", "pass1", "host:80"},
        {"redis://:pass1@[::1]/0", "", "pass1", "[::1]"},
        {"x://joe:p@ss:1@host", "joe", "p@ss:1", "host"},
        {"x://host/a:b@c", NULL, NULL, NULL},
        {"x://joe@host", NULL, NULL, NULL},
        {"x://joe:@host", NULL, NULL, NULL},
        {"x://joe:pass1@", NULL, NULL, NULL},
        {"x://host:80 a@b", NULL, NULL, NULL},
        {"1://joe:pass1@host", NULL, NULL, NULL},
        {"x://", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        sb_slice text = sb_slice_z(cases[i].text);
        secret_url url;
        bool found = secret_url_read(text, (size_t)sb_slice_find(text, SB_LIT("://")), &url);

        if (found != (cases[i].host != NULL))
            fail_msg("%s: %s", cases[i].text, found ? "read" : "not read");
        if (found &&
            (!sb_slice_eqz(sb_slice_sub(text, url.user_at, url.user_at + url.user_len), cases[i].user) ||
             !sb_slice_eqz(sb_slice_sub(text, url.password_at, url.password_at + url.password_len),
                           cases[i].password) ||
             !sb_slice_eqz(sb_slice_sub(text, url.host_at, url.host_at + url.host_len), cases[i].host)))
            fail_msg("%s: read wrong", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(assignments), cmocka_unit_test(bounds),
                                       cmocka_unit_test(urls)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
