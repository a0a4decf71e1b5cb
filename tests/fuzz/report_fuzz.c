// SPDX-License-Identifier: Apache-2.0
/*
 * Every form of a report with the input as its texts. The first byte says where on the line the finding is,
 * the second how long it is. What is JSON is good JSON, and a line for a terminal holds nothing that it
 * obeys.
 */
#include <cli/findings.h>
#include <sbuild/json.h>

#include <stdint.h>

#include "../unit/report_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sb_report *make_report(const char *tool, sb_slice text, unsigned column, unsigned width)
{
    sb_report *report = sb_report_new(tool);
    sb_finding *f = add_finding(report, &fixture_rule, "x", 3, column);

    f->file = f->message = text;
    f->end_column = column + width;
    sb_finding_excerpt(report, f, text, SB_NIL);
    if (f->excerpt.len > SB_EXCERPT_MAX || f->excerpt_column > f->excerpt.len + 1 || !f->excerpt_width)
        abort();
    if (strcmp(tool, "lint") == 0)
        return report;
    report->subject = text;
    f->place = (sb_layer_place){.layer = 1, .where = text, .history = text, .removed = 2, .removed_by = text};
    return report;
}

static void check_json(int (*write)(const sb_report *, sb_buf *, sb_error **), const sb_report *report)
{
    sb_autobuf out = SB_BUF_INIT(64 << 20);
    sb_autojson *json = NULL;

    if (write(report, &out, NULL) < 0 || sb_json_parse(sb_buf_slice(&out), "x", &json, NULL) < 0)
        abort();
}

static void check_text(const sb_report *report, unsigned width)
{
    cli_style style = {.width = width};
    sb_autobuf out = SB_BUF_INIT(64 << 20);

    cli_findings_text(report, &style, false, true, &out);
    for (size_t i = 0; i < out.len; i++)
        if ((unsigned char)out.data[i] < 0x20 && out.data[i] != '\n')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tools[] = {"lint", "scan"};
    static int (*const forms[])(const sb_report *, sb_buf *, sb_error **) = {sb_report_github,
                                                                             sb_report_junit, sb_report_html};

    /* No text of a report has a NUL, and the reader of JSON refuses them. */
    if (size < 2 || memchr(data + 2, 0, size - 2))
        return 0;
    for (size_t t = 0; t < SB_COUNT(tools); t++) {
        SB_AUTO(sb_report)
        report = make_report(tools[t], sb_slice_of((const char *)data + 2, size - 2), data[0] + 1u, data[1]);

        check_json(sb_report_json, report);
        check_json(sb_report_sarif, report);
        check_text(report, 20 + data[1] % 100u);
        for (size_t i = 0; i < SB_COUNT(forms); i++) {
            sb_autobuf out = SB_BUF_INIT(64 << 20);

            if (forms[i](report, &out, NULL) < 0)
                abort();
        }
    }
    return 0;
}
