// SPDX-License-Identifier: Apache-2.0
#include <cli/findings.h>

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "report_fixture.h"

static const sb_rule everywhere = {
    .id = "SB101",
    .name = "runs-as-root",
    .summary = "The final stage runs as root",
    .remedy = "Set a USER",
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};

static void check_text(const sb_report *report, unsigned width, bool quiet, bool verbose,
                       const char *expected)
{
    cli_style style = {.width = width};
    sb_autobuf out = SB_BUF_INIT(1 << 20);

    cli_findings_text(report, &style, quiet, verbose, &out);
    assert_string_equal(out.data ? out.data : "", expected);
}

static void check_line(const char *line, unsigned column, unsigned end, unsigned width, const char *expected)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_finding *f = add_finding(report, &fixture_rule, "Dockerfile", 7, column);
    sb_autofree char *whole = NULL;

    f->end_column = end;
    f->remedy = SB_LIT("Do it");
    report->files = 1;
    sb_finding_excerpt(report, f, sb_slice_z(line), SB_NIL);
    whole =
        sb_asprintf("Dockerfile:7:%u: error SB301 pipe-to-shell: bad\n%s       fix: Do it\n\n1 error in 1 "
                    "file\n",
                    column, expected);
    check_text(report, width, false, false, whole);
}

static void test_carets(void **state)
{
    (void)state;
    check_line("RUN curl | sh", 5, 9, 80,
               "   7 | RUN curl | sh\n"
               "     |     ^~~~\n");
    check_line("\t RUN \t curl", 9, 13, 80,
               "   7 |      RUN      curl\n"
               "     |               ^~~~\n");
    check_line("RUN \xe6\xbc\xa2 e\xcc\x81 sh", 13, 15, 80, /* a wide character, and a combining one */
               "   7 | RUN \xe6\xbc\xa2 e\xcc\x81 sh\n"
               "     |          ^~\n");
    check_line("RUN \xe6\xbc\xa2", 5, 8, 80,
               "   7 | RUN \xe6\xbc\xa2\n"
               "     |     ^~\n");
    check_line("RUN \x1b[31m", 5, 6, 80,
               "   7 | RUN \\x1b[31m\n"
               "     |     ^~~~\n");
    check_line("", 1, 1, 80, "");
}

/* Of a line that does not fit, what is around the caret. */
static void test_long_lines(void **state)
{
    (void)state;
    check_line("RUN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 5, 49, 40,
               "   7 | RUN aaaaaaaaaaaaaaaaaaaaaaaaaaaa…\n"
               "     |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n");
    check_line("RUN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bad bbbbbbbbbbbbbbbbbbbbbbbbbbbb", 51, 54,
               40,
               "   7 | …aaaaaaa bad bbbbbbbbbbbbbbbbbbb…\n"
               "     |          ^~~\n");
}

static void test_remedies(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");

    (void)state;
    report->files = 2;
    add_finding(report, &fixture_rule, "a", 1, 1);
    add_finding(report, &fixture_rule, "a", 2, 1);
    add_finding(report, &fixture_rule, "b", 3, 1)->remedy = SB_LIT("Look");
    check_text(report, 80, false, false,
               "a:1:1: error SB301 pipe-to-shell: bad\n"
               "       fix: Download it to a file, check it, then run it\n"
               "\n"
               "a:2:1: error SB301 pipe-to-shell: bad\n"
               "\n"
               "b:3:1: error SB301 pipe-to-shell: bad\n"
               "       fix: Look\n"
               "\n"
               "3 errors in 2 files\n");
    check_text(report, 80, true, false,
               "a:1:1: error SB301 pipe-to-shell: bad\n"
               "a:2:1: error SB301 pipe-to-shell: bad\n"
               "b:3:1: error SB301 pipe-to-shell: bad\n");
}

static void test_summaries(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");

    (void)state;
    report->files = 3;
    add_finding(report, &everywhere, "a", 1, 1);
    check_text(report, 80, true, false, "a:1:1: warning SB101 runs-as-root: bad\n");
    add_finding(report, &everywhere, "b", 3, 1);
    add_finding(report, &everywhere, "b", 4, 1);
    add_finding(report, &everywhere, "c", 4, 1)->ignored = SB_LIT("a demo");
    check_text(report, 80, false, false,
               "warning SB101 runs-as-root: The final stage runs as root (3 places in 2 files)\n"
               "       in: a:1, b:3, 4\n"
               "       fix: Set a USER\n"
               "\n"
               "3 warnings in 3 files; 1 ignored (--verbose shows them)\n");
    check_text(report, 80, false, true,
               "a:1:1: warning SB101 runs-as-root: bad\n"
               "       fix: Set a USER\n"
               "       more: docs/rules/SB101.md\n"
               "\n"
               "b:3:1: warning SB101 runs-as-root: bad\n"
               "\n"
               "b:4:1: warning SB101 runs-as-root: bad\n"
               "\n"
               "c:4:1: warning SB101 runs-as-root: bad\n"
               "       ignored: a demo\n"
               "\n"
               "3 warnings in 3 files; 1 ignored\n");
}

static void test_layers(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("scan");
    sb_finding *f = add_finding(report, &fixture_rule, "app:1.0", 3, 7);

    (void)state;
    report->files = 1200;
    report->layer_count = 7;
    report->subject = SB_LIT("app:1.0");
    f->place = (sb_layer_place){.layer = 4,
                                .where = SB_LIT("layer 4: app/.env"),
                                .history = SB_LIT("COPY . /app # buildkit"),
                                .removed = 7,
                                .removed_by = SB_LIT("RUN rm /app/.env")};
    sb_finding_excerpt(report, f, SB_LIT("TOKEN=ghp_x"), SB_NIL);
    check_text(report, 80, false, false,
               "layer 4: app/.env:3:7: error SB301 pipe-to-shell: bad\n"
               "   3 | TOKEN=ghp_x\n"
               "     |       ^~~\n"
               "       layer 4: COPY . /app # buildkit\n"
               "       removed in layer 7: RUN rm /app/.env\n"
               "       fix: Download it to a file, check it, then run it\n"
               "\n"
               "1 error in 7 layers, 1200 files\n");
}

/* A secret's line is shown redacted: where on it the secret was says nothing. */
static void test_line_without_place(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("scan");
    sb_finding *f = sb_report_add(report, &fixture_rule);

    (void)state;
    report->files = 1;
    f->file = f->message = SB_LIT("x");
    f->remedy = SB_LIT("Do it");
    f->excerpt = SB_LIT("TOKEN=ghp_…(40)");
    check_text(report, 80, false, false,
               "x: error SB301 pipe-to-shell: x\n"
               "     | TOKEN=ghp_…(40)\n"
               "       fix: Do it\n"
               "\n"
               "1 error in 1 file\n");
}

static void test_nothing(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");

    (void)state;
    report->files = 1;
    check_text(report, 80, false, false, "no findings in 1 file\n");
    check_text(report, 80, true, false, "");
}

static void test_status(void **state)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_error) err = NULL;
    sb_severity severity;

    (void)state;
    add_finding(report, &everywhere, "a", 1, 1);
    assert_int_equal(cli_fail_on(NULL, SB_SEVERITY_WARNING, &severity, NULL), 0);
    assert_int_equal(cli_findings_status(report, severity), 1);
    assert_int_equal(cli_fail_on("error", SB_SEVERITY_WARNING, &severity, NULL), 0);
    assert_int_equal(cli_findings_status(report, severity), 0);
    assert_int_equal(cli_fail_on("never", SB_SEVERITY_WARNING, &severity, NULL), 0);
    assert_int_equal(cli_findings_status(report, severity), 0);
    assert_int_equal(cli_fail_on("often", SB_SEVERITY_WARNING, &severity, &err), -1);
    assert_int_equal(err->code, SB_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carets),   cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_remedies), cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_layers),   cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_status),   cmocka_unit_test(test_line_without_place),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
