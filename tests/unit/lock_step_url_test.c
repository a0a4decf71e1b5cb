// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/step.h>

#include <string.h>

static void assert_url(const char *given, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_slice url = SB_NIL, again = SB_NIL;

    if (sb_step_url(arena, sb_slice_z(given), &url, &err) < 0)
        fail_msg("%s: %s", given, err->message);
    if (!sb_slice_eqz(url, expected))
        fail_msg("%s gives %.*s, not %s", given, (int)url.len, url.ptr, expected);
    /* What is recorded is looked up in the same form. */
    assert_int_equal(sb_step_url(arena, url, &again, NULL), 0);
    assert_true(sb_slice_eq(url, again));
}

static void assert_no_url(const char *given, const char *part)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_slice url = SB_NIL;

    assert_int_equal(sb_step_url(arena, sb_slice_z(given), &url, &err), -1);
    assert_int_equal(err->code, SB_ERR_PARSE);
    assert_null(url.ptr);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\"", err->message, part);
}

static void test_form(void **state)
{
    (void)state;
    assert_url("HTTPS://Example.ORG/A/b", "https://example.org/A/b");
    assert_url("https://example.org", "https://example.org/");
    assert_url("https://example.org?q=1", "https://example.org/?q=1");
    assert_url("https://example.org:443/a", "https://example.org/a");
    assert_url("http://example.org:80/a", "http://example.org/a");
    assert_url("http://example.org:443/a", "http://example.org:443/a");
    assert_url("https://example.org:/a", "https://example.org/a");
    assert_url("https://example.org:0443/a", "https://example.org/a");
    assert_url("https://example.org./a", "https://example.org/a");
    assert_url("https://example.org/a#part?x", "https://example.org/a");
    assert_url("https://example.org#part", "https://example.org/");
    assert_url("https://user:secret@example.org/a", "https://example.org/a");
    assert_url("https://a@b@example.org/a@c", "https://example.org/a@c");
    assert_url("http://[::1]:8080/a", "http://[::1]:8080/a");
    assert_url("http://[FE80::1]/a", "http://[fe80::1]/a");
    assert_url("http://[::1]:80/", "http://[::1]/");
    /* Servers see dots, case, escapes and double slashes as they are sent. */
    assert_url("https://e.org/a/../b/./c//d/%7e%2F?x=../..", "https://e.org/a/../b/./c//d/%7e%2F?x=../..");
    assert_url("https://e.org/?", "https://e.org/?");
    assert_url("https://e.org/?a&&b=", "https://e.org/?a&&b=");
    assert_url("https://e.org/\xc3\xa4?\xff=\xfe", "https://e.org/%C3%A4?%FF=%FE");
}

static void test_secrets(void **state)
{
    (void)state;
    assert_url("https://e.org/a?X-Amz-Algorithm=AWS4&X-Amz-Date=1&x-amz-signature=0f&v=2",
               "https://e.org/a?X-Amz-Algorithm=-&X-Amz-Date=-&x-amz-signature=-&v=2");
    assert_url("https://e.org/a?X-Goog-Credential=x%40y", "https://e.org/a?X-Goog-Credential=-");
    assert_url("https://e.org/a?AWSAccessKeyId=K&Signature=s%3D&Expires=17",
               "https://e.org/a?AWSAccessKeyId=-&Signature=-&Expires=-");
    assert_url("https://e.org/a?Policy=p&Key-Pair-Id=K", "https://e.org/a?Policy=-&Key-Pair-Id=-");
    assert_url("https://e.org/a?sp=r&sv=2018-11-09&sr=b&spr=https&se=2026&rscd=x&skoid=1&sktid=2&skt=3&ske=4"
               "&sks=b&skv=5&sig=abc%3D&jwt=ey.x.y&filename=a.tgz",
               "https://e.org/a?sp=-&sv=-&sr=-&spr=-&se=-&rscd=x&skoid=-&sktid=-&skt=-&ske=-&sks=-&skv=-"
               "&sig=-&jwt=-&filename=a.tgz");
    assert_url("https://e.org/a?TOKEN=x&access_token=y&private_token=z",
               "https://e.org/a?TOKEN=-&access_token=-&private_token=-");
    /* Without a signature the short names are nobody's secret. */
    assert_url("https://e.org/a?sp=1&sv=2&expires=3&policy=4",
               "https://e.org/a?sp=1&sv=2&expires=3&policy=4");
    assert_url("https://e.org/a?token=&tokens=1&x-amz-=1", "https://e.org/a?token=&tokens=1&x-amz-=1");
    /* What stands in the path is not touched. */
    assert_url("https://e.org/token=x/a", "https://e.org/token=x/a");
}

static void test_refused(void **state)
{
    char longest[SB_STEP_URL_MAX + 20];

    (void)state;
    assert_no_url("", "no http");
    assert_no_url("/relative", "no http");
    assert_no_url("ftp://example.org/a", "no http");
    assert_no_url("https:example.org", "no http");
    assert_no_url("https://", "no host");
    assert_no_url("https:///a", "no host");
    assert_no_url("https://user@/a", "no host");
    assert_no_url("https://e.org:0/a", "port");
    assert_no_url("https://e.org:65536/", "port");
    assert_no_url("https://e.org:8x/", "port");
    assert_no_url("https://a:b:8/", "valid host");
    assert_no_url("https://a:b:", "valid host");
    assert_no_url("https://[::1/", "valid host");
    assert_no_url("https://[]/", "valid host");
    assert_no_url("https://[x]/", "valid host");
    assert_no_url("https://e org/", "blanks");
    assert_no_url("https://e.org/a\r\nHost: x", "blanks");
    assert_no_url("https://e.org\\@f.org/", "valid host");
    assert_no_url("https://\xc3\xa4.org/", "valid host");
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://e.org/", 14);
    longest[sizeof(longest) - 1] = '\0';
    assert_no_url(longest, "too long");
    /* What may be a secret is not shown. */
    {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        SB_AUTO(sb_error) err = NULL;
        sb_slice url;

        assert_int_equal(sb_step_url(arena, SB_LIT("ftp://e.org/?sig=hush"), &url, &err), -1);
        assert_null(strstr(err->message, "hush"));
    }
}

static void test_strip(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice plain = SB_LIT("/a?b=c#sig=1");

    (void)state;
    assert_true(
        sb_slice_eqz(sb_step_strip_secrets(arena, SB_LIT("../a?sig=1&se=2#frag")), "../a?sig=-&se=-#frag"));
    assert_ptr_equal(sb_step_strip_secrets(arena, plain).ptr, plain.ptr);
    assert_true(sb_step_has_secrets(SB_LIT("https://e.org/?sig=-")));
    assert_true(sb_step_has_secrets(SB_LIT("https://e.org/?a=1&Signature=-&x=2")));
    assert_false(sb_step_has_secrets(SB_LIT("https://e.org/?a=-")));
    assert_false(sb_step_has_secrets(SB_LIT("https://e.org/")));
}

static void assert_value(const char *name, const char *value, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice kept = sb_step_header_value(arena, sb_slice_z(name), sb_slice_z(value));

    if (!expected)
        assert_null(kept.ptr);
    else if (!sb_slice_eqz(kept, expected))
        fail_msg("%.*s instead of %s", (int)kept.len, kept.ptr, expected);
}

static void test_headers(void **state)
{
    static const char *const never[] = {"set-cookie",
                                        "date",
                                        "authorization",
                                        "x-request-id",
                                        "age",
                                        "content-length",
                                        "transfer-encoding",
                                        "connection",
                                        "server",
                                        "x-amz-request-id",
                                        "strict-transport-security",
                                        ""};

    (void)state;
    assert_true(sb_step_wants_header(SB_LIT("accept")));
    assert_true(sb_step_wants_header(SB_LIT("git-protocol")));
    assert_true(sb_step_wants_header(SB_LIT("content-type")));
    assert_false(sb_step_wants_header(SB_LIT("range")));
    assert_false(sb_step_wants_header(SB_LIT("user-agent")));
    assert_false(sb_step_wants_header(SB_LIT("authorization")));
    assert_true(sb_step_keeps_header(SB_LIT("content-type")));
    assert_true(sb_step_keeps_header(SB_LIT("docker-content-digest")));
    assert_true(sb_step_keeps_header(SB_LIT("x-checksum-sha256")));
    for (size_t i = 0; i < SB_COUNT(never); i++)
        assert_false(sb_step_keeps_header(sb_slice_z(never[i])));
    assert_value("location", "/b?X-Amz-Signature=1", "/b?X-Amz-Signature=-");
    assert_value("etag", "\"?sig=1\"", "\"?sig=1\"");
    assert_value("link", "<https://e.org/?page=2&token=x>; rel=\"next\", </?sig=1>; rel=last",
                 "<https://e.org/?page=2&token=->; rel=\"next\", </?sig=->; rel=last");
    assert_value("link", "broken <a", "broken <a");
    assert_value("etag", "caf\xe9", NULL);
    assert_value("etag", "a\nb", NULL);
}

static void assert_token(const char *url, const char *body, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice kept = SB_NIL;
    bool is = sb_step_is_token_answer(sb_slice_z(url), sb_slice_z(body), arena, &kept);

    assert_int_equal(is, expected != NULL);
    if (expected)
        assert_string_equal(kept.ptr, expected);
    else
        assert_null(kept.ptr);
}

static void test_tokens(void **state)
{
    (void)state;
    assert_token("https://auth.example.org/token?service=r&scope=pull",
                 "{\"token\":\"ey\",\"access_token\":\"ey\",\"expires_in\":300,\"issued_at\":\"2026\"}",
                 "{\"access_token\":\"-\",\"expires_in\":300,\"token\":\"-\"}");
    assert_token("https://e.org/x", " {\"access_token\":\"s\",\"refresh_token\":\"t\"}",
                 "{\"access_token\":\"-\",\"refresh_token\":\"-\"}");
    assert_token("https://e.org/package.json", "{\"token\":\"a name\"}", NULL);
    assert_token("https://e.org/token", "{\"token\":7}", NULL);
    assert_token("https://e.org/token", "[\"token\"]", NULL);
    assert_token("https://e.org/token", "token=abc", NULL);
    assert_token("https://e.org/token", "", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),  cmocka_unit_test(test_secrets), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_strip), cmocka_unit_test(test_headers), cmocka_unit_test(test_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
