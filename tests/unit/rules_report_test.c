// SPDX-License-Identifier: Apache-2.0
#include <sbuild/finding.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <sbuild/json.h>

#include "report_fixture.h"

static void test_severities(void **state)
{
    sb_severity severity = SB_SEVERITY_OFF;

    (void)state;
    assert_true(sb_severity_parse(SB_LIT("warning"), &severity));
    assert_int_equal(severity, SB_SEVERITY_WARNING);
    assert_false(sb_severity_parse(SB_LIT("Warning"), &severity));
    assert_false(sb_severity_parse(SB_NIL, &severity));
    assert_string_equal(sb_severity_name(SB_SEVERITY_ERROR), "error");
}

static void test_order(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");

    (void)state;
    add_finding(report, &fixture_rule, "b", 1, 1);
    add_finding(report, &fixture_rule, "a", 10, 1);
    add_finding(report, &fixture_rule, "a", 2, 7);
    add_finding(report, &fixture_rule, "a", 2, 1);
    sb_report_sort(report);
    assert_int_equal(report->items[0].column, 1);
    assert_int_equal(report->items[1].column, 7);
    assert_int_equal(report->items[2].line, 10);
    assert_true(sb_slice_eqz(report->items[3].file, "b"));
}

static void test_counts(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_report_counts counts;

    (void)state;
    assert_int_equal(sb_report_worst(report), SB_SEVERITY_OFF);
    add_finding(report, &fixture_rule, "a", 1, 1)->severity = SB_SEVERITY_INFO;
    add_finding(report, &fixture_rule, "a", 2, 1)->ignored = SB_LIT("");
    counts = sb_report_count(report);
    assert_int_equal(counts.by[SB_SEVERITY_INFO], 1);
    assert_int_equal(counts.by[SB_SEVERITY_ERROR], 0);
    assert_int_equal(counts.ignored, 1);
    assert_int_equal(sb_report_worst(report), SB_SEVERITY_INFO);
}

static void test_too_many(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("scan");

    (void)state;
    for (size_t i = 0; i < SB_FINDINGS_MAX; i++)
        assert_non_null(sb_report_add(report, &fixture_rule));
    assert_false(report->cut);
    assert_null(sb_report_add(report, &fixture_rule));
    assert_true(report->cut);
    assert_int_equal(report->count, SB_FINDINGS_MAX);
}

static void test_fingerprint(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice one = sb_fingerprint(arena, &fixture_rule, SB_LIT("a"), SB_LIT("RUN x"), 0);

    (void)state;
    assert_int_equal(one.len, 32);
    assert_true(sb_slice_eq(one, sb_fingerprint(arena, &fixture_rule, SB_LIT("./a"), SB_LIT("RUN x"), 0)));
    assert_false(sb_slice_eq(one, sb_fingerprint(arena, &fixture_rule, SB_LIT("a"), SB_LIT("RUN x"), 1)));
    assert_false(sb_slice_eq(one, sb_fingerprint(arena, &fixture_rule, SB_LIT("aRUN"), SB_LIT(" x"), 0)));
    assert_false(sb_slice_eq(one, sb_fingerprint(arena, &fixture_rule, SB_LIT("b"), SB_LIT("RUN x"), 0)));
}

static void check_excerpt(unsigned column, unsigned end, sb_slice line, const char *expected, unsigned caret,
                          unsigned width)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_finding *finding = add_finding(report, &fixture_rule, "a", 1, column);

    finding->end_column = end;
    sb_finding_excerpt(report, finding, line, SB_NIL);
    if (expected)
        assert_string_equal(finding->excerpt.ptr, expected);
    assert_true(finding->excerpt.len <= SB_EXCERPT_MAX);
    assert_int_equal(finding->excerpt_column, caret);
    assert_int_equal(finding->excerpt_width, width);
    assert_true(caret + width - 1 <= finding->excerpt.len || width == 1);
}

static void test_excerpt(void **state)
{
    char longest[70000];

    (void)state;
    check_excerpt(5, 9, SB_LIT("RUN curl | sh"), "RUN curl | sh", 5, 4);
    check_excerpt(3, 7, SB_LIT("\t curl"), "\t curl", 3, 4);
    check_excerpt(5, 6, SB_LIT("RUN \x01 x"), "RUN \\x01 x", 5, 4);
    check_excerpt(7, 8, SB_LIT("RUN \xff x"), "RUN \\xff x", 10, 1);
    check_excerpt(1, 1, SB_LIT(""), "", 1, 1);
    check_excerpt(500, 900, SB_LIT("RUN"), "RUN", 4, 1);
    check_excerpt(0, 0, SB_LIT("RUN"), "RUN", 1, 3);
    memset(longest, 'x', sizeof(longest));
    memcpy(longest + 60000, "|\xe6\xbc\xa2|", 5);
    check_excerpt(60001, 60006, sb_slice_of(longest, sizeof(longest)), NULL, 94, 5);
    check_excerpt(60093, 60094, sb_slice_of(longest, sizeof(longest)), NULL, 92, 1);
    check_excerpt(1, 70001, sb_slice_of(longest, sizeof(longest)), NULL, 1, SB_EXCERPT_MAX - 16);
    memset(longest, 1, sizeof(longest));
    check_excerpt(60001, 60002, sb_slice_of(longest, sizeof(longest)), NULL, 3 + 4 * 90 + 1, 4);
}

static void test_characters(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_finding *finding = add_finding(report, &fixture_rule, "a", 1, 8);

    (void)state;
    finding->end_line = 2;
    finding->end_column = 5;
    sb_finding_excerpt(report, finding, SB_LIT("RUN \xe6\xbc\xa2 \\"), SB_LIT("\xff\xc3\xa9 x"));
    assert_int_equal(finding->character, 6);
    assert_int_equal(finding->end_character, 4);
    sb_finding_excerpt(report, finding, SB_LIT("RUN"), SB_LIT(""));
    assert_int_equal(finding->character, 4);
    assert_int_equal(finding->end_character, 1);
}

/* Everything that a reader of the JSON may rely on. */
static void test_json(void **state)
{
    SB_AUTO(sb_report) report = hostile_report("scan");
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(1 << 20);
    sb_autojson *json = NULL;
    const json_t *first;

    (void)state;
    assert_int_equal(sb_report_json(report, &out, &err), 0);
    assert_int_equal(sb_json_parse(sb_buf_slice(&out), "report", &json, &err), 0);
    assert_int_equal(sb_json_int(json, "version", 0), 1);
    assert_true(sb_slice_eqz(sb_json_str(json, "tool"), "scan"));
    assert_int_equal(json_array_size(sb_json_array(json, "layers")), 2);
    first = json_array_get(sb_json_array(json, "findings"), 0);
    assert_true(sb_slice_eqz(sb_json_str(first, "rule"), "SB301"));
    assert_true(sb_slice_eqz(sb_json_str(first, "remedy"), fixture_rule.remedy));
    assert_int_equal(sb_json_int(first, "line", 0), 2);
    assert_true(sb_slice_eqz(sb_json_str(first, "excerpt"), HOSTILE_JSON));
    assert_int_equal(sb_json_int(sb_json_object(json, "summary"), "error", -1), 1);
    assert_int_equal(sb_json_int(sb_json_object(json, "summary"), "ignored", -1), 1);
}

static void test_limit(void **state)
{
    SB_AUTO(sb_report) report = hostile_report("scan");
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(300);

    (void)state;
    assert_int_equal(sb_report_json(report, &out, &err), -1);
    assert_int_equal(err->code, SB_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_severities),  cmocka_unit_test(test_order),
        cmocka_unit_test(test_counts),      cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_fingerprint), cmocka_unit_test(test_json),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_excerpt),
        cmocka_unit_test(test_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
