// SPDX-License-Identifier: Apache-2.0
#include <fetch/address.h>
#include <fetch/proxy.h>
#include <fetch/url.h>
#include <sbuild/http.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void parsing(void **state)
{
    sb_autourl url = {0};

    (void)state;
    assert_int_equal(sb_url_parse(SB_LIT("HTTPS://u%40x:p%3aq@Example.ORG.:8443/a%20b?q=1#frag"), &url, NULL),
                     0);
    assert_true(url.https);
    assert_string_equal(url.host, "example.org");
    assert_int_equal(url.port, 8443);
    assert_string_equal(url.user, "u@x");
    assert_string_equal(url.secret, "p:q");
    assert_null(strstr(url.text, "frag"));
    assert_null(strstr(url.text, "u%40x"));
    sb_url_clear(&url);
    assert_int_equal(sb_url_parse(SB_LIT("http://[::1]/x"), &url, NULL), 0);
    assert_string_equal(url.host, "::1");
    assert_int_equal(url.port, 80);
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "",          "example.org/x", "ftp://example.org/x", "file:///etc/passwd",
        "https://",  "http://a b/",   "http://a/\r\nX: y",   "http://a:99999/",
        "gopher://x"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        sb_autourl url = {0};

        if (sb_url_parse(sb_slice_z(bad[i]), &url, NULL) == 0)
            fail_msg("taken: %s", bad[i]);
    }
}

static void following(void **state)
{
    static const struct {
        const char *location, *text;
        bool same;
        bool user;
    } cases[] = {
        {"/y", "https://example.org/y", true, true},
        {"z?k=v", "https://example.org/a/z?k=v", true, true},
        {"https://example.org:443/y", "https://example.org:443/y", true, true},
        {"//other.org/y", "https://other.org/y", false, false},
        {"https://example.org:444/y", "https://example.org:444/y", false, false},
        {"http://example.org/y", "http://example.org/y", false, false},
        {"https://o:p@other.org/y", "https://other.org/y", false, true},
    };
    sb_autourl base = {0};

    (void)state;
    assert_int_equal(sb_url_parse(SB_LIT("https://me:secret@example.org/a/x?token=1"), &base, NULL), 0);
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        sb_autourl next = {0};

        assert_int_equal(sb_url_follow(&base, sb_slice_z(cases[i].location), &next, NULL), 0);
        assert_string_equal(next.text, cases[i].text);
        assert_int_equal(sb_url_same_origin(&base, &next), cases[i].same);
        assert_int_equal(next.user != NULL, cases[i].user);
        if (next.user && !cases[i].same)
            assert_string_equal(next.user, "o");
    }
}

static void shown_without_secrets(void **state)
{
    sb_autofree char *one = sb_url_shown(SB_LIT("https://me:secret@example.org/a?token=1"));
    sb_autofree char *two = sb_url_shown(SB_LIT("https://example.org/a\x1b[2J"));

    (void)state;
    assert_string_equal(one, "https://example.org/a");
    assert_null(strchr(two, '\x1b'));
    assert_true(sb_slice_eqz(sb_url_host(SB_LIT("https://u@h:1/x@y")), "h:1"));
    assert_null(sb_url_host(SB_LIT("no url")).ptr);
    assert_true(sb_slice_eqz(sb_host_name(SB_LIT("[::1]:5000")), "::1"));
    assert_true(sb_slice_eqz(sb_host_name(SB_LIT("::1")), "::1"));
    assert_true(sb_slice_eqz(sb_host_name(SB_LIT("h:1")), "h"));
}

static void local_addresses(void **state)
{
    static const char *const local[] = {"127.0.0.1",
                                        "127.9.9.9",
                                        "0.0.0.0",
                                        "169.254.169.254",
                                        "::1",
                                        "::",
                                        "fe80::1",
                                        "fe80::1%eth0",
                                        "::ffff:127.0.0.1",
                                        "64:ff9b::7f00:1",
                                        "2002:7f00:1::1",
                                        "fd00:ec2::254",
                                        "100.100.100.200",
                                        "2130706433",
                                        "0x7f.1",
                                        "168.63.129.16",
                                        "255.255.255.255"};
    static const char *const other[] = {"10.0.0.1",       "192.168.1.1", "8.8.8.8", "2001:db8::1",
                                        "::ffff:8.8.8.8", "example.org", "",        "127.example.org",
                                        "fd00:ec2::253"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(local); i++)
        if (!sb_address_text_is_local(sb_slice_z(local[i])))
            fail_msg("%s is local", local[i]);
    for (size_t i = 0; i < SB_COUNT(other); i++)
        if (sb_address_text_is_local(sb_slice_z(other[i])))
            fail_msg("%s is not local", other[i]);
    assert_true(sb_host_is_loopback(SB_LIT("localhost")));
    assert_true(sb_host_is_loopback(SB_LIT("x.LocalHost")));
    assert_true(sb_host_is_loopback(SB_LIT("127.0.0.2")));
    assert_true(sb_host_is_loopback(SB_LIT("::1")));
    assert_false(sb_host_is_loopback(SB_LIT("notlocalhost")));
    assert_false(sb_host_is_loopback(SB_LIT("169.254.1.1")));
    assert_false(sb_host_is_loopback(SB_LIT("127.0.0.1.example.org")));
}

static void socket_addresses(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr unknown = {.sa_family = AF_UNIX};

    (void)state;
    v4.sin_addr.s_addr = htonl(0x7f000001);
    assert_true(sb_address_is_local((struct sockaddr *)(void *)&v4));
    v4.sin_addr.s_addr = htonl(0x08080808);
    assert_false(sb_address_is_local((struct sockaddr *)(void *)&v4));
    assert_true(sb_address_is_local(&unknown));
}

static void blocks(void **state)
{
    (void)state;
    assert_true(sb_address_in_block(SB_LIT("10.1.2.3"), SB_LIT("10.0.0.0/8")));
    assert_false(sb_address_in_block(SB_LIT("11.1.2.3"), SB_LIT("10.0.0.0/8")));
    assert_true(sb_address_in_block(SB_LIT("192.168.1.130"), SB_LIT("192.168.1.128/25")));
    assert_false(sb_address_in_block(SB_LIT("192.168.1.1"), SB_LIT("192.168.1.128/25")));
    assert_true(sb_address_in_block(SB_LIT("2001:db8::1"), SB_LIT("2001:db8::/32")));
    assert_false(sb_address_in_block(SB_LIT("10.0.0.1"), SB_LIT("10.0.0.0/33")));
    assert_false(sb_address_in_block(SB_LIT("x.org"), SB_LIT("10.0.0.0/8")));
    assert_false(sb_address_in_block(SB_LIT("10.0.0.1"), SB_LIT("docker.io/library")));
}

static void no_proxy(void **state)
{
    static const struct {
        const char *list, *host;
        unsigned port;
        bool matches;
    } cases[] = {
        {"", "a.org", 443, false},           {"*", "a.org", 443, true},
        {"a.org", "a.org", 443, true},       {"a.org", "x.a.org", 443, true},
        {".a.org", "x.a.org", 443, true},    {"*.a.org", "x.a.org", 443, true},
        {"a.org", "ba.org", 443, false},     {"b.org, a.org", "a.org", 443, true},
        {"b.org a.org", "a.org", 443, true}, {"a.org:8443", "a.org", 443, false},
        {"a.org:8443", "a.org", 8443, true}, {"10.0.0.0/8", "10.9.9.9", 80, true},
        {"[::2]:80", "::2", 80, true},       {"::2", "::2", 80, true},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++)
        if (sb_no_proxy_matches(sb_slice_z(cases[i].list), sb_slice_z(cases[i].host), cases[i].port) !=
            cases[i].matches)
            fail_msg("%s, %s", cases[i].list, cases[i].host);
}

static void proxies(void **state)
{
    sb_autourl tls = {0}, plain = {0}, loopback = {0};

    (void)state;
    clearenv();
    sb_url_parse(SB_LIT("https://a.org/"), &tls, NULL);
    sb_url_parse(SB_LIT("http://a.org/"), &plain, NULL);
    sb_url_parse(SB_LIT("http://127.0.0.1:5000/"), &loopback, NULL);
    assert_null(sb_proxy_for(&tls));
    setenv("HTTP_PROXY", "http://capital/", 1);
    assert_null(sb_proxy_for(&plain));
    setenv("http_proxy", "http://one/", 1);
    setenv("HTTPS_PROXY", "http://two/", 1);
    assert_string_equal(sb_proxy_for(&plain), "http://one/");
    assert_string_equal(sb_proxy_for(&tls), "http://two/");
    assert_null(sb_proxy_for(&loopback));
    setenv("NO_PROXY", "a.org", 1);
    assert_null(sb_proxy_for(&tls));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing),         cmocka_unit_test(refused),
        cmocka_unit_test(following),       cmocka_unit_test(shown_without_secrets),
        cmocka_unit_test(local_addresses), cmocka_unit_test(socket_addresses),
        cmocka_unit_test(blocks),          cmocka_unit_test(no_proxy),
        cmocka_unit_test(proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
