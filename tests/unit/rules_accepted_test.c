// SPDX-License-Identifier: Apache-2.0
#include <sbuild/finding.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "report_fixture.h"

#define ENTRY(members) "{\"version\": 1, \"accepted\": [\n" members "\n]}"
#define FINGERPRINT "0123456789abcdef0123456789abcdef"

static void check_refused(const char *text, const char *message, sb_errc code)
{
    SB_AUTO(sb_accepted) accepted = NULL;
    SB_AUTO(sb_error) err = NULL;

    assert_int_equal(sb_accepted_parse(sb_slice_z(text), "known.json", &accepted, &err), -1);
    assert_null(accepted);
    assert_non_null(strstr(err->message, message));
    assert_int_equal(err->code, code);
}

static void test_mistakes(void **state)
{
    (void)state;
    check_refused("{", "known.json:1:", SB_ERR_PARSE);
    check_refused("[]", "known.json:1: must be an object", SB_ERR_USAGE);
    check_refused("{\"version\": 2, \"accepted\": []}", "\"version\" must be 1", SB_ERR_USAGE);
    check_refused("{\"version\": 1}", "\"accepted\" must be a list", SB_ERR_USAGE);
    check_refused("{\"version\": 1, \"accept\": []}", "\"accept\" is not known here", SB_ERR_USAGE);
    check_refused(ENTRY("7"), "known.json:", SB_ERR_USAGE);
    check_refused(ENTRY("{\"fingerprint\": \"" FINGERPRINT "\"}"), "known.json:2: there is no \"rule\"",
                  SB_ERR_USAGE);
    check_refused(ENTRY("{\"fingerprint\": \"" FINGERPRINT "\", \"rule\": 3}"),
                  "known.json:2: \"rule\" must be a string", SB_ERR_USAGE);
    check_refused(ENTRY("{\"fingerprint\": \"ABCDEF6789abcdef0123456789abcdef\", \"rule\": \"SB301\"}"),
                  "known.json:2: \"fingerprint\" must be 32", SB_ERR_USAGE);
    check_refused(ENTRY("{\"fingerprint\": \"0123\", \"rule\": \"SB301\"}"),
                  "known.json:2: \"fingerprint\" must be 32", SB_ERR_USAGE);
    check_refused(ENTRY("{\"fingerprint\": \"" FINGERPRINT "\", \"rule\": \"x}]\\\"{\",\n\"path\": \"\"},\n"
                        "{\"fingerprint\": \"" FINGERPRINT
                        "\", \"rule\": \"x\", \"expire\": \"2030-01-01\"}"),
                  "known.json:4: \"expire\" is not known here", SB_ERR_USAGE);
    check_refused(
        ENTRY("{\"fingerprint\": \"" FINGERPRINT "\", \"rule\": \"x\", \"expires\": \"2030-02-30\"}"),
        "\"expires\" must be a day", SB_ERR_USAGE);
    check_refused(ENTRY("{\"fingerprint\": \"" FINGERPRINT "\", \"rule\": \"x\", \"expires\": \"soon\"}"),
                  "\"expires\" must be a day", SB_ERR_USAGE);
}

/* What the report accepts is written, read again, and is then ignored: all of it, and nothing else. */
static void test_round_trip(void **state)
{
    SB_AUTO(sb_report) before = hostile_report("scan");
    SB_AUTO(sb_report) after = hostile_report("scan");
    SB_AUTO(sb_accepted) accepted = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(1 << 20), again = SB_BUF_INIT(1 << 20);
    size_t stale = 9;

    (void)state;
    assert_int_equal(sb_accepted_write(before, "known for long", &out, &err), 0);
    assert_int_equal(sb_accepted_parse(sb_buf_slice(&out), "known.json", &accepted, &err), 0);
    add_finding(after, &fixture_rule, "new", 9, 1);
    assert_int_equal(sb_accepted_apply(accepted, after, true, &stale, &err), 0);
    assert_int_equal(stale, 0);
    assert_string_equal(after->items[0].ignored.ptr, "known for long");
    assert_true(after->items[0].accepted);
    assert_false(after->items[1].accepted); /* a comment's */
    assert_null(after->items[2].ignored.ptr);
    assert_int_equal(sb_accepted_rewrite(accepted, after, "later", &again, &err), 0);
    assert_non_null(strstr(again.data, "known for long"));
    assert_non_null(strstr(again.data, "\"path\": \"new\", \"reason\": \"later\"}\n  ]\n}\n"));
}

static int apply(const char *members, bool require_reason, sb_report *report, size_t *ret_stale,
                 sb_error **err)
{
    SB_AUTO(sb_accepted) accepted = NULL;
    sb_autofree char *text =
        sb_asprintf(ENTRY("{\"fingerprint\": \"%.*s\", \"rule\": %s}"), (int)report->items[0].fingerprint.len,
                    report->items[0].fingerprint.ptr, members);

    assert_int_equal(sb_accepted_parse(sb_slice_z(text), "known.json", &accepted, err), 0);
    return sb_accepted_apply(accepted, report, require_reason, ret_stale, err);
}

static void test_expiry(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_error) err = NULL;
    size_t stale = 9;

    (void)state;
    add_finding(report, &fixture_rule, "a", 1, 1);
    assert_int_equal(apply("\"SB301\", \"expires\": \"2001-02-03\"", false, report, &stale, &err), 0);
    assert_null(report->items[0].ignored.ptr);
    assert_int_equal(stale, 0);
    assert_string_equal(report->items[0].message.ptr, "bad (was accepted until 2001-02-03)");
    assert_int_equal(apply("\"pipe-to-shell\", \"expires\": \"9001-02-03\"", false, report, &stale, &err), 0);
    assert_non_null(report->items[0].ignored.ptr);
}

static void test_stale(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_error) err = NULL;
    size_t stale = 9;

    (void)state;
    add_finding(report, &fixture_rule, "a", 1, 1);
    assert_int_equal(apply("\"SB302\"", false, report, &stale, &err), 0);
    assert_null(report->items[0].ignored.ptr);
    assert_int_equal(stale, 1);
}

static void test_reasons(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_error) err = NULL;
    size_t stale = 9;

    (void)state;
    add_finding(report, &fixture_rule, "a", 1, 1);
    assert_int_equal(apply("\"SB301\", \"reason\": \" \"", true, report, &stale, &err), -1);
    assert_int_equal(err->code, SB_ERR_USAGE);
    assert_non_null(strstr(err->message, "known.json:2: reasons are required"));
    assert_int_equal(stale, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_stale),    cmocka_unit_test(test_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
