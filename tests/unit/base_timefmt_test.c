// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/timefmt.h>

#include <locale.h>
#include <stdlib.h>

static void test_format(void **state)
{
    char text[SB_TIME_TEXT];

    (void)state;
    sb_time_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    sb_time_format(1709210096, text);
    assert_string_equal(text, "2024-02-29T12:34:56Z");
    sb_time_format(253402300800, text); /* the year 10000 */
    assert_string_equal(text, "10000-01-01T00:00:00Z");
    sb_time_format(INT64_MAX, text);
    sb_time_format(INT64_MIN, text);
}

static void check(const char *text, int64_t expected)
{
    int64_t when = -1;

    if (!sb_time_parse(sb_slice_z(text), &when))
        fail_msg("%s is not understood", text);
    if (when != expected)
        fail_msg("%s is %lld instead of %lld", text, (long long)when, (long long)expected);
}

static void test_parse(void **state)
{
    static const char *const bad[] = {"",
                                      "2024-02-29",
                                      "2024-02-29T12:34:56",
                                      "2023-02-29T12:34:56Z",
                                      "2024-04-31T12:34:56Z",
                                      "1900-02-29T00:00:00Z",
                                      "2024-13-01T12:34:56Z",
                                      "2024-00-01T12:34:56Z",
                                      "2024-01-00T12:34:56Z",
                                      "2024-01-01T24:00:00Z",
                                      "2024-01-01T12:60:00Z",
                                      "2024-01-01T12:34:56Zx",
                                      "2024-01-01T12:34:56+0100",
                                      "2024-01-01T12:34:56+01:0",
                                      "2024-01-01T12:34:56+99:99",
                                      "2024-1-01T12:34:56Z",
                                      "yesterday"};
    int64_t when = 5;

    (void)state;
    check("1970-01-01T00:00:00Z", 0);
    check("2024-02-29T12:34:56Z", 1709210096);
    check("2000-02-29T00:00:00Z", 951782400);
    check("2024-02-29T13:34:56+01:00", 1709210096);
    check("2024-02-29T07:04:56-05:30", 1709210096);
    check("2024-02-29t12:34:56z", 1709210096);
    check("2024-02-29T12:34:56.123456789Z", 1709210096);
    check("1969-12-31T23:59:59Z", -1);
    for (size_t i = 0; i < SB_COUNT(bad); i++)
        if (sb_time_parse(sb_slice_z(bad[i]), &when))
            fail_msg("%s is taken for a time", bad[i]);
    assert_int_equal(when, 5);
}

static void test_http(void **state)
{
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    int64_t when;

    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    for (size_t i = 0; i < SB_COUNT(forms); i++) {
        assert_true(sb_time_parse_http(sb_slice_z(forms[i]), &when));
        assert_int_equal(when, 784111777);
    }
    assert_false(sb_time_parse_http(SB_LIT("soon"), &when));
    assert_false(sb_time_parse_http(SB_NIL, &when));
    check("2024-02-29T12:34:56Z", 1709210096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_http),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
