// SPDX-License-Identifier: Apache-2.0
#include <sbuild/markup.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void check(sb_slice text, const char *expected)
{
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    sb_markup_add(&out, text);
    assert_string_equal(out.data ? out.data : "", expected);
}

static void test_escapes(void **state)
{
    (void)state;
    check(SB_NIL, "");
    check(SB_LIT("plain text\n\tand more"), "plain text\n\tand more");
    check(SB_LIT("<a href=\"x\" b='y'>&amp;]]>"),
          "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;]]&gt;");
    check(SB_LIT("\x01\r\x7f\x1b[1m"), "\\x01\\x0d\\x7f\\x1b[1m");
    check(SB_LIT("\xff\xc3"), "\\xff\\xc3");
    check(SB_LIT("a\xe2\x80\xae"
                 "b"),
          "a\\u{202e}b");
    check(SB_LIT("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"), "\\u{fffe}\\u{ffff}\xef\xbf\xbd");
    check(SB_LIT("漢字 💩"), "漢字 💩");
}

static void test_page(void **state)
{
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    (void)state;
    sb_html_begin(&out, SB_LIT("</title><script>"));
    sb_markup_element(&out, "<p>", SB_LIT("<"), "</p>\n");
    sb_html_end(&out);
    assert_null(strstr(out.data, "<script"));
    assert_non_null(strstr(out.data, "<p>&lt;</p>\n"));
    assert_non_null(strstr(out.data, "default-src 'none'"));
    assert_true(sb_slice_ends(sb_buf_slice(&out), SB_LIT("</html>\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
