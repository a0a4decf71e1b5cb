// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/step.h>

#include <stdlib.h>
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A "sha256:aa23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "sha256:" HEX
#define HEAD "{\"version\":1}\n"

/* One of everything, in the one form in which it is written. */
static const char full[] = HEAD
    "{\"digest\":\"" A "\",\"headers\":{\"content-type\":\"text/html\",\"link\":[\"<a>\",\"<b>\"],"
    "\"vary\":\"Accept\"},\"method\":\"GET\",\"size\":10,\"status\":200,\"url\":\"https://e.org/a\","
    "\"wanted\":{\"accept\":\"text/html\"}}\n"
    "{\"digest\":\"" B "\",\"method\":\"GET\",\"size\":7,\"status\":404,\"url\":\"https://e.org/b\"}\n"
    "{\"digest\":\"" A "\",\"method\":\"GET\",\"size\":8,\"status\":200,\"turn\":1,"
    "\"url\":\"https://e.org/b\"}\n"
    "{\"method\":\"HEAD\",\"size\":700,\"status\":200,\"url\":\"https://e.org/b\"}\n"
    "{\"body\":\"" B "\",\"digest\":\"" A "\",\"method\":\"POST\",\"status\":200,"
    "\"url\":\"https://e.org/b\",\"wanted\":{\"content-type\":\"x/y\",\"git-protocol\":\"version=2\"}}\n"
    "{\"headers\":{\"location\":\"/b\"},\"method\":\"GET\",\"status\":301,\"url\":\"https://e.org/c\"}\n";

static sb_step_manifest *parse(const char *text)
{
    sb_step_manifest *manifest = NULL;
    sb_error *err = NULL;

    if (sb_step_manifest_parse(sb_slice_z(text), "m", &manifest, &err) < 0)
        fail_msg("%s", err->message);
    return manifest;
}

static void assert_format(sb_step_manifest *manifest, const char *expected)
{
    sb_autobuf out = SB_BUF_INIT(SB_STEP_MANIFEST_MAX);

    assert_int_equal(sb_step_manifest_format(manifest, &out, NULL), 0);
    assert_string_equal(out.data, expected);
}

static void assert_fails(const char *text, sb_errc code, const char *part)
{
    sb_step_manifest *manifest = NULL;
    SB_AUTO(sb_error) err = NULL;

    if (sb_step_manifest_parse(sb_slice_z(text), "m", &manifest, &err) == 0)
        fail_msg("accepted: %s", text);
    assert_null(manifest);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\"", err->message, part);
    assert_int_equal(err->code, code);
}

static void assert_changed_fails(const char *from, const char *to, const char *part)
{
    const char *at = strstr(full, from);
    sb_autofree char *text = NULL;

    assert_non_null(at);
    text = sb_asprintf("%.*s%s%s", (int)(at - full), full, to, at + strlen(from));
    assert_fails(text, SB_ERR_PARSE, part);
}

static void test_round_trip(void **state)
{
    SB_AUTO(sb_step_manifest) manifest = parse(full);
    SB_AUTO(sb_step_manifest) none = parse(HEAD);
    const sb_step_request *a = &manifest->requests[0];

    (void)state;
    assert_format(manifest, full);
    assert_format(none, HEAD);
    assert_int_equal(manifest->count, 6);
    assert_int_equal(a->header_count, 4);
    assert_true(a->has_content && !a->has_body);
    assert_int_equal(a->size, 10);
    assert_true(sb_slice_eqz(a->wanted[0].name, "accept"));
    assert_false(manifest->requests[3].has_content);
    assert_true(manifest->requests[4].has_body);
    assert_int_equal(manifest->requests[2].turn, 1);
}

static void test_refused(void **state)
{
    (void)state;
    assert_fails("", SB_ERR_PARSE, "no step manifest");
    assert_fails("[1]\n", SB_ERR_PARSE, "no step manifest");
    assert_fails("{\"version\":2}\n", SB_ERR_USAGE, "version 2");
    assert_fails(HEAD "[]\n", SB_ERR_PARSE, "m:2: it is no object");
    assert_fails(HEAD "{\n", SB_ERR_PARSE, "line 2");
    assert_changed_fails("\"method\":\"GET\",", "", "m:2: \"method\"");
    assert_changed_fails("\"GET\"", "\"get\"", "m:2: \"method\" must be in capital letters");
    assert_changed_fails("https://e.org/a", "https://E.org/a", "m:2: \"url\"");
    assert_changed_fails("https://e.org/a", "https://e.org/a?sig=secret", "m:2: \"url\"");
    assert_changed_fails("https://e.org/a", "file:///etc/passwd", "m:2: \"url\"");
    assert_changed_fails(A, "sha256:..", "m:2: \"digest\"");
    assert_changed_fails("\"" A "\"", "7", "m:2: \"digest\"");
    assert_changed_fails("\"size\":10", "\"size\":-1", "m:2: \"size\"");
    assert_changed_fails("\"size\":10", "\"size\":99999999999999", "m:2: \"size\"");
    assert_changed_fails("\"status\":200", "\"status\":99", "m:2: \"status\"");
    assert_changed_fails("\"status\":200", "\"status\":600", "m:2: \"status\"");
    assert_changed_fails("\"turn\":1", "\"turn\":\"1\"", "m:4: \"turn\"");
    assert_changed_fails("\"vary\"", "\"content-length\"", "m:2: \"headers\"");
    assert_changed_fails("\"vary\"", "\"Vary\"", "m:2: \"headers\"");
    assert_changed_fails("\"vary\"", "\"set-cookie\"", "m:2: \"headers\"");
    assert_changed_fails("text/html\"", "text/html\\r\\nx: y\"", "m:2: \"headers\"");
    assert_changed_fails("{\"accept\":\"text/html\"}", "{\"cookie\":\"x\"}", "m:2: \"wanted\"");
    assert_changed_fails("{\"accept\":\"text/html\"}", "[]", "m:2: \"wanted\"");
    assert_changed_fails(",\"turn\":1", "", "two answers for https://e.org/b");
}

static void test_order_does_not_count(void **state)
{
    SB_AUTO(sb_step_manifest) from = parse(full);
    SB_AUTO(sb_step_manifest) into = sb_step_manifest_new();

    (void)state;
    for (size_t i = from->count; i-- > 0;)
        assert_non_null(sb_step_manifest_add(into, &from->requests[i]));
    /* The very same is there already. */
    for (size_t i = 0; i < from->count; i++)
        assert_non_null(sb_step_manifest_add(into, &from->requests[i]));
    assert_int_equal(into->count, from->count);
    assert_format(into, full);
}

static sb_step_request ask(const char *method, const char *url, sb_step_header *wanted)
{
    sb_step_request request = {.method = sb_slice_z(method), .url = sb_slice_z(url)};

    if (wanted) {
        request.wanted = wanted;
        request.wanted_count = 1;
    }
    return request;
}

static void test_find(void **state)
{
    SB_AUTO(sb_step_manifest) m = parse(full);
    sb_step_header html = {SB_LIT("accept"), SB_LIT("text/html")};
    sb_step_header json = {SB_LIT("accept"), SB_LIT("application/json")};
    sb_step_request a = ask("GET", "https://e.org/a", &html), other = ask("GET", "https://e.org/a", &json);
    sb_step_request b = ask("GET", "https://e.org/b", NULL), c = ask("GET", "https://e.org/c", &json);
    sb_step_request head = ask("HEAD", "https://e.org/c", NULL), post = ask("POST", "https://e.org/b", NULL);

    (void)state;
    assert_ptr_equal(sb_step_manifest_find(m, &a, 0), &m->requests[0]);
    assert_ptr_equal(sb_step_manifest_find(m, &a, 9), &m->requests[0]);
    /* The answer says that it depends on Accept. */
    assert_null(sb_step_manifest_find(m, &other, 0));
    assert_ptr_equal(sb_step_manifest_find(m, &b, 0), &m->requests[1]);
    assert_ptr_equal(sb_step_manifest_find(m, &b, 1), &m->requests[2]);
    assert_ptr_equal(sb_step_manifest_find(m, &b, 2), &m->requests[2]);
    assert_ptr_equal(sb_step_manifest_find(m, &c, 0), &m->requests[5]);
    assert_ptr_equal(sb_step_manifest_find(m, &head, 0), &m->requests[5]);
    head.url = SB_LIT("https://e.org/b");
    assert_ptr_equal(sb_step_manifest_find(m, &head, 0), &m->requests[3]);
    /* Another body, or none, is another question. */
    assert_null(sb_step_manifest_find(m, &post, 0));
    post = m->requests[4];
    assert_ptr_equal(sb_step_manifest_find(m, &post, 0), &m->requests[4]);
    post.wanted_count = 1;
    assert_null(sb_step_manifest_find(m, &post, 0));
    a.url = SB_LIT("https://e.org/z");
    assert_null(sb_step_manifest_find(m, &a, 0));
    assert_null(sb_step_manifest_find(m, &head, 0) == &m->requests[0] ? &a : NULL);
}

/* With two answers for two Accepts, a third one is answered by neither. */
static void test_ambiguous_accept(void **state)
{
    SB_AUTO(sb_step_manifest) m = sb_step_manifest_new();
    sb_step_header one = {SB_LIT("accept"), SB_LIT("a/a")}, two = {SB_LIT("accept"), SB_LIT("b/b")};
    sb_step_header three = {SB_LIT("accept"), SB_LIT("c/c")};
    sb_step_request r = ask("GET", "https://e.org/", &one), none = ask("GET", "https://e.org/", NULL);

    (void)state;
    r.status = 200;
    sb_step_manifest_add(m, &r);
    r.wanted = &three;
    assert_non_null(sb_step_manifest_find(m, &r, 0));
    assert_non_null(sb_step_manifest_find(m, &none, 0));
    r.wanted = &two;
    r.status = 201;
    sb_step_manifest_add(m, &r);
    r.wanted = &three;
    assert_null(sb_step_manifest_find(m, &r, 0));
    assert_null(sb_step_manifest_find(m, &none, 0));
    r.wanted = &two;
    assert_int_equal(sb_step_manifest_find(m, &r, 0)->status, 201);
}

static void test_many(void **state)
{
    enum { MANY = 5000 };
    SB_AUTO(sb_step_manifest) m = sb_step_manifest_new();
    SB_AUTO(sb_step_manifest) again = NULL;
    sb_autobuf out = SB_BUF_INIT(SB_STEP_MANIFEST_MAX);

    (void)state;
    for (int i = MANY; i-- > 0;) {
        sb_autofree char *url = sb_asprintf("https://e.org/%d", i);
        sb_step_request r = ask("GET", url, NULL);

        r.status = 200 + (unsigned)i % 300;
        sb_step_manifest_add(m, &r);
    }
    assert_int_equal(sb_step_manifest_format(m, &out, NULL), 0);
    again = parse(out.data);
    for (int i = 0; i < MANY; i++) {
        sb_autofree char *url = sb_asprintf("https://e.org/%d", i);
        sb_step_request r = ask("GET", url, NULL);

        assert_int_equal(sb_step_manifest_find(m, &r, 0)->status, 200 + i % 300);
        assert_int_equal(sb_step_manifest_find(again, &r, 0)->status, 200 + i % 300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),           cmocka_unit_test(test_refused),
        cmocka_unit_test(test_order_does_not_count), cmocka_unit_test(test_find),
        cmocka_unit_test(test_ambiguous_accept),     cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
