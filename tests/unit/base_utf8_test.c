// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/slice.h>
#include <sbuild/utf8.h>

static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x112000; c++) {
        bool valid = c < 0x110000 && !(c >= 0xd800 && c < 0xe000);
        char out[4];
        size_t n = sb_utf8_encode(c, out);
        uint32_t back = 0;

        if (sb_utf8_decode(out, n, &back) != n || back != (valid ? c : 0xfffd))
            fail_msg("U+%04X", c);
        for (size_t cut = 0; cut < n; cut++)
            if (sb_utf8_decode(out, cut, &back) != 0)
                fail_msg("U+%04X cut to %zu bytes", c, cut);
    }
}

static void test_invalid(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "\xc3(",
                                      "\xe2\x82(",
                                      "\xe2(\xa1"};
    uint32_t c = 7;

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++)
        assert_int_equal(sb_utf8_decode(bad[i], strlen(bad[i]), &c), 0);
    assert_int_equal(c, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
