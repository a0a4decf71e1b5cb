// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/buf.h>

static void test_adds(void **state)
{
    sb_autobuf buf = SB_BUF_INIT(100);

    (void)state;
    assert_true(sb_slice_eqz(sb_buf_slice(&buf), ""));
    assert_true(sb_buf_add(&buf, "a\0b", 3));
    assert_true(sb_buf_addc(&buf, 'c'));
    assert_true(sb_buf_addz(&buf, "de"));
    assert_true(sb_buf_adds(&buf, SB_LIT("f")));
    assert_true(sb_buf_adds(&buf, SB_NIL));
    assert_true(sb_buf_printf(&buf, "%d", 12));
    assert_int_equal(buf.len, 9);
    assert_memory_equal(buf.data, "a\0bcdef12", 10);
}

static void test_maximum_is_sticky(void **state)
{
    sb_autobuf buf = SB_BUF_INIT(4);
    SB_AUTO(sb_error) error = NULL;

    (void)state;
    assert_true(sb_buf_addz(&buf, "abcd"));
    assert_int_equal(sb_buf_check(&buf, "it", &error), 0);
    assert_false(sb_buf_addc(&buf, 'e'));
    assert_string_equal(buf.data, "abcd");
    /* What would fit is dropped as well: half of a text is worse than none. */
    sb_buf_reset(&buf);
    assert_true(sb_buf_addz(&buf, "abc"));
    assert_false(sb_buf_addz(&buf, "de"));
    assert_false(sb_buf_addc(&buf, 'd'));
    assert_string_equal(buf.data, "abc");
    assert_int_equal(sb_buf_check(&buf, "the answer", &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    assert_string_equal(error->message, "the answer is larger than the maximum of 4 bytes");
}

static void test_take(void **state)
{
    sb_autobuf buf = SB_BUF_INIT(10);
    char *text = sb_buf_take(&buf);

    (void)state;
    assert_string_equal(text, "");
    free(text);
    sb_buf_addz(&buf, "abc");
    text = sb_buf_take(&buf);
    assert_string_equal(text, "abc");
    assert_int_equal(buf.len, 0);
    assert_true(sb_buf_addz(&buf, "0123456789"));
    free(text);
}

static void check_printable(sb_slice text, const char *expected)
{
    sb_autofree char *shown = sb_printable(text);

    assert_string_equal(shown, expected);
}

static void test_printable(void **state)
{
    sb_autofree char *long_text = sb_malloc(1000);
    sb_autofree char *shown = NULL;

    (void)state;
    check_printable(SB_LIT("plain \xc3\xa9 \xe6\x97\xa5"), "plain \xc3\xa9 \xe6\x97\xa5");
    check_printable(SB_LIT("\x1b[31m\n\t\x7f"), "\\x1b[31m\\x0a\\x09\\x7f");
    check_printable(SB_LIT("a\0b"), "a\\x00b");
    check_printable(SB_LIT("\xff\xc3"), "\\xff\\xc3");
    check_printable(SB_LIT("\xe2\x80\xae"
                           "evil\xe2\x81\xa6"),
                    "\\u{202e}evil\\u{2066}");
    check_printable(SB_LIT("\xc2\x9b"), "\\u{009b}");
    check_printable(SB_NIL, "");
    memset(long_text, 'x', 999);
    shown = sb_printable(sb_slice_z(long_text));
    assert_int_equal(strlen(shown), 300 + strlen("…"));
    assert_non_null(strstr(shown, "x…"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adds),
        cmocka_unit_test(test_maximum_is_sticky),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
