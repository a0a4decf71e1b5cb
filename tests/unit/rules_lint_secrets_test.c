// SPDX-License-Identifier: Apache-2.0
/* Family SB7: what names and values are taken for, and that no form of a report shows a secret. */
#include <rules/lint/secrets.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { REPORT_MAX = 16 << 20 };

static void test_names(void **state)
{
    static const char *const secret[] = {
        "DB_PASSWORD",  "npmToken",        "API_KEY",     "SECRET_KEY_BASE", "aws.secret-access-key",
        "GITHUB_TOKEN", "PGPASSWORD",      "MYSQL_PWD",   "SMTP_PASS",       "REDIS_AUTH",
        "clientSecret", "SSH_PRIVATE_KEY", "CREDENTIALS", "APIKEY",          "jwtSecret2",
        "X_API_KEY",
    };
    static const char *const harmless[] = {
        "KEYCLOAK_HOME",     "MONKEY",
        "SORT_KEY",          "PUBLIC_KEY",
        "TOKEN_URL",         "DB_PASSWORD_FILE",
        "SECRET_NAME",       "PWD",
        "OLD_PWD",           "AUTHOR",
        "SSH_AUTH_SOCK",     "PASS_THROUGH",
        "GPG_KEY",           "MAX_TOKENS",
        "PASSWORDLESS",      "COMPASS",
        "TOKENIZER_CACHE",   "ALLOW_EMPTY_PASSWORD",
        "KEY_VERSION",       "USERNAME",
        "ACCESS_LOG",        "libcrypto3",
        "AWS_ACCESS_KEY_ID", "",
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(secret); i++)
        if (!sk_is_secret_name(sb_slice_z(secret[i])))
            fail_msg("%s is the name of a secret", secret[i]);
    for (size_t i = 0; i < SB_COUNT(harmless); i++)
        if (sk_is_secret_name(sb_slice_z(harmless[i])))
            fail_msg("%s is not the name of a secret", harmless[i]);
}

static void test_values(void **state)
{
    static const char *const real[] = {"hunter2", "Tr0ub4dor-and-3", "123456", "password", "a b c"};
    static const char *const other[] = {
        "",
        "$OTHER",
        "`cat x`",
        "true",
        "no",
        "12",
        "1.2.3",
        "/run/secrets/x",
        "https://example.org",
        "./x",
        "C:\\x",
        "changeme",
        "<x>",
        "{{ x }}",
        "*****",
        "example",
        "your-token",
        "npm-token",
        "A035C8C19219BA821ECEA86B64E628F8D684696D",
    };
    sb_slice name = sb_slice_z("NPM_TOKEN");

    (void)state;
    for (size_t i = 0; i < SB_COUNT(real); i++)
        if (!sk_is_real_value(name, sb_slice_z(real[i])))
            fail_msg("%s may be a secret", real[i]);
    for (size_t i = 0; i < SB_COUNT(other); i++)
        if (sk_is_real_value(name, sb_slice_z(other[i])))
            fail_msg("%s is no secret", other[i]);
}

/* --- Nothing is shown --- */

static const char dockerfile[] =
    "FROM debian:12 as Base\n"
    "# AKIAY34FZKBOKMUTVV7A\n"
    "ENV DB_PASSWORD=Tr0ub4dor-and-3 OTHER=1\n"
    "ENV OLD_SECRET Z1x2c3v4b5n6\n"
    "LABEL again=Tr0ub4dor-and-3\n"
    "ARG API_KEY=q9w8e7r6t5z4u3i2\n"
    "RUN curl -u deploy:hunt3r2-zz https://deploy:hunt3r2-zz@example.org/install.sh | sh\n"
    "RUN apt-get install x && export API_TOKEN=\"p0o9i8u7z6t5\" && mysql -pM1n2b3v4 -e x\n"
    "RUN echo 'root:L0ngEnough1' | chpasswd\n"
    "CMD app --password=Tr0ub4dor-and-3\n";

static const char *const planted[] = {
    "AKIAY34FZKBOKMUTVV7A", "Tr0ub4dor-and-3", "Z1x2c3v4b5n6", "q9w8e7r6t5z4u3i2",
    "hunt3r2-zz",           "p0o9i8u7z6t5",    "M1n2b3v4",     "L0ngEnough1"};

static void check_form(const sb_report *report, int (*form)(const sb_report *, sb_buf *, sb_error **))
{
    sb_autobuf out = SB_BUF_INIT(REPORT_MAX);

    assert_int_equal(form(report, &out, NULL), 0);
    assert_true(out.len > 1000);
    for (size_t i = 0; i < SB_COUNT(planted); i++)
        /* Also not its first bytes. */
        if (sb_slice_find(sb_buf_slice(&out), sb_slice_of(planted[i], 6)) >= 0)
            fail_msg("a report shows %s", planted[i]);
}

static void check_hidden(const char *const *only)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_lint_options options = {.only = only};

    assert_int_equal(sb_lint_text(sb_slice_z(dockerfile), "Dockerfile", &options, report, NULL), 0);
    sb_report_sort(report);
    assert_true(report->count > 0);
    check_form(report, sb_report_json);
    check_form(report, sb_report_sarif);
    check_form(report, sb_report_html);
}

static void test_hidden(void **state)
{
    (void)state;
    check_hidden(NULL);
}

/* Whoever finds something on such a line does not show it, wanted or not is the family of secrets. */
static void test_hidden_by_others(void **state)
{
    static const char *const only[] = {"SB301", "JSONArgsRecommended", "LegacyKeyValueFormat", "SB501", NULL};

    (void)state;
    check_hidden(only);
}

/* The parser quotes what it does not understand. */
static void test_hidden_in_errors(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_lint_options options = {0};
    const char *text = "FROM debian:12\nENV A=1 AKIAY34FZKBOKMUTVV7A\n";

    (void)state;
    assert_int_equal(sb_lint_text(sb_slice_z(text), "Dockerfile", &options, report, NULL), 0);
    assert_int_equal(report->count, 1);
    assert_true(sb_slice_find(report->items[0].message, SB_LIT("****")) >= 0);
    assert_true(sb_slice_find(report->items[0].message, SB_LIT("AKIAY3")) < 0);
}

static sb_slice fingerprint_of(sb_report *report, const char *text)
{
    static const char *const only[] = {"SB701", NULL};
    sb_lint_options options = {.only = only};

    assert_int_equal(sb_lint_text(sb_slice_z(text), "Dockerfile", &options, report, NULL), 0);
    assert_int_equal(report->count, 1);
    return report->items[0].fingerprint;
}

/* A baseline is committed: it must not help anybody to guess. */
static void test_fingerprint(void **state)
{
    SB_AUTO(sb_report) a = sb_report_new("lint");
    SB_AUTO(sb_report) b = sb_report_new("lint");

    (void)state;
    assert_true(sb_slice_eq(fingerprint_of(a, "FROM debian:12\nENV DB_PASSWORD=hunter2\n"),
                            fingerprint_of(b, "FROM debian:12\nENV DB_PASSWORD=hunter3\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_hidden_by_others),
        cmocka_unit_test(test_hidden_in_errors),
        cmocka_unit_test(test_fingerprint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
