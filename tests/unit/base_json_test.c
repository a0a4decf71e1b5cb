// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/json.h>

static void check_fails(sb_slice text, sb_errc code, const char *message)
{
    SB_AUTO(sb_error) error = NULL;
    json_t *json = NULL;

    assert_int_equal(sb_json_parse(text, "lock", &json, &error), -1);
    assert_null(json);
    assert_int_equal(error->code, code);
    if (message && !strstr(error->message, message))
        fail_msg("\"%s\" lacks \"%s\"", error->message, message);
}

static void test_strict(void **state)
{
    (void)state;
    check_fails(SB_LIT(""), SB_ERR_PARSE, "lock:");
    check_fails(SB_NIL, SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("{\n  \"a\": 1,\n}"), SB_ERR_PARSE, "lock:3:");
    check_fails(SB_LIT("{\"a\":1,\"a\":2}"), SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("{} x"), SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("{'a':1}"), SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("{\"a\":NaN}"), SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("{\"a\":\"\xff\"}"), SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("{\"a\":\"\\u0000\"}"), SB_ERR_PARSE, NULL);
    check_fails(SB_LIT("[\xe2\x80\xae]"), SB_ERR_PARSE, "\\u{202e}");
}

static void nested(int depth, sb_buf *out)
{
    for (int i = 0; i < depth; i++)
        sb_buf_addc(out, '[');
    for (int i = 0; i < depth; i++)
        sb_buf_addc(out, ']');
}

static void test_depth(void **state)
{
    sb_autobuf fine = SB_BUF_INIT(1000), deep = SB_BUF_INIT(1000);
    sb_autojson *json = NULL;
    json_t *other = NULL;

    (void)state;
    nested(SB_JSON_DEPTH_MAX, &fine);
    nested(SB_JSON_DEPTH_MAX + 1, &deep);
    assert_int_equal(sb_json_parse(sb_buf_slice(&fine), "x", &json, NULL), 0);
    check_fails(sb_buf_slice(&deep), SB_ERR_LIMIT, "deeper than 64");
    /* Brackets in strings, behind escaped quotes too. */
    sb_buf_reset(&deep);
    sb_buf_addz(&deep, "[\"\\\"");
    for (int i = 0; i < 200; i++)
        sb_buf_addc(&deep, '[');
    sb_buf_addz(&deep, "\"]");
    assert_int_equal(sb_json_parse(sb_buf_slice(&deep), "x", &other, NULL), 0);
    json_decref(other);
}

static void test_write(void **state)
{
    static const char text[] = "{ \"b\": [1, 2.5, null, true], \"a\": \"\xc3\xa9\\n\\u001b\", \"c\": {} }";
    sb_autobuf out = SB_BUF_INIT(1000), small = SB_BUF_INIT(5);
    SB_AUTO(sb_error) error = NULL;
    sb_autojson *json = NULL;

    (void)state;
    assert_int_equal(sb_json_parse(sb_slice_z(text), "x", &json, NULL), 0);
    assert_int_equal(sb_json_write(json, &out, NULL), 0);
    assert_string_equal(out.data, "{\"a\":\"\xc3\xa9\\n\\u001B\",\"b\":[1,2.5,null,true],\"c\":{}}");
    assert_int_equal(sb_json_write(json, &small, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
}

static void test_members(void **state)
{
    sb_autojson *json = NULL;

    (void)state;
    assert_int_equal(
        sb_json_parse(SB_LIT("{\"s\":\"x\",\"n\":7,\"b\":true,\"a\":[1],\"o\":{\"k\":1},\"z\":null}"), "x",
                      &json, NULL),
        0);
    assert_true(sb_slice_eqz(sb_json_str(json, "s"), "x"));
    assert_null(sb_json_str(json, "n").ptr);
    assert_null(sb_json_str(json, "z").ptr);
    assert_null(sb_json_str(json, "absent").ptr);
    assert_null(sb_json_str(NULL, "s").ptr);
    assert_int_equal(sb_json_int(json, "n", 1), 7);
    assert_int_equal(sb_json_int(json, "s", 1), 1);
    assert_true(sb_json_bool(json, "b", false));
    assert_true(sb_json_bool(json, "n", true));
    assert_non_null(sb_json_array(json, "a"));
    assert_null(sb_json_array(json, "o"));
    assert_non_null(sb_json_object(json, "o"));
    assert_null(sb_json_object(json, "a"));
}

static void test_setting(void **state)
{
    sb_autobuf out = SB_BUF_INIT(1000);
    sb_autojson *json = json_object();

    (void)state;
    sb_json_set_str(json, "a", SB_LIT("x"));
    sb_json_set_str(json, "absent", SB_NIL);
    sb_json_set_strz(json, "b", "");
    sb_json_set_strz(json, "null", NULL);
    assert_int_equal(sb_json_write(json, &out, NULL), 0);
    assert_string_equal(out.data, "{\"a\":\"x\",\"b\":\"\"}");
}

static void test_writer(void **state)
{
    sb_autobuf out = SB_BUF_INIT(1000);
    sb_json_writer writer = {.out = &out}, *w = &writer;

    (void)state;
    sb_json_open(w, NULL, '{');
    sb_json_put_u64(w, "n", UINT64_MAX);
    sb_json_put_str(w, "absent", SB_NIL);
    sb_json_open(w, "list", '[');
    sb_json_newline(w);
    sb_json_put_strz(w, NULL, "a");
    sb_json_newline(w);
    sb_json_open(w, NULL, '{');
    sb_json_close(w, '}');
    sb_json_close(w, ']');
    sb_json_put_bool(w, "no", false);
    sb_json_put_str(w, "s", SB_LIT("\"\\\n\r\t\x01\x7f é\xff\xc3("));
    sb_json_close(w, '}');
    assert_string_equal(out.data, "{\"n\":18446744073709551615,\"list\":[\n\"a\",\n{}],\"no\":false,"
                                  "\"s\":\"\\\"\\\\\\n\\r\\t\\u0001\\u007f é\xef\xbf\xbd\xef\xbf\xbd(\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict),  cmocka_unit_test(test_depth),   cmocka_unit_test(test_write),
        cmocka_unit_test(test_members), cmocka_unit_test(test_setting), cmocka_unit_test(test_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
