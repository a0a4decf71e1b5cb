// SPDX-License-Identifier: Apache-2.0
/* Reports for the tests of their forms. */
#ifndef TESTS_REPORT_FIXTURE_H
#define TESTS_REPORT_FIXTURE_H

#include <sbuild/finding.h>

/* Whatever a form could trip over, and how JSON has it: what is not UTF-8 is replaced. */
#define HOSTILE                                                                                              \
    "\"'<>&]]></script>\n\t\r\x01\x1b[31m%0A:,::error::x|\\ "                                                \
    "\xff\xc3(\xe2\x80\xae-->\xef\xbf\xbf\xf0\x9f\x92\xa9"
#define HOSTILE_JSON                                                                                         \
    "\"'<>&]]></script>\n\t\r\x01\x1b[31m%0A:,::error::x|\\ \xef\xbf\xbd\xef\xbf\xbd(\xe2\x80\xae-->"        \
    "\xef\xbf\xbf\xf0\x9f\x92\xa9"

static const sb_rule fixture_rule = {
    .id = "SB301",
    .name = "pipe-to-shell",
    .summary = "What was downloaded is run without a check",
    .remedy = "Download it to a file, check it, then run it",
    .severity = SB_SEVERITY_ERROR,
};

static inline sb_finding *add_finding(sb_report *report, const sb_rule *rule, const char *file, unsigned line,
                                      unsigned column)
{
    sb_finding *finding = sb_report_add(report, rule);

    finding->file = sb_slice_z(file);
    finding->line = line;
    finding->column = column;
    finding->end_line = line;
    finding->end_column = column + 3;
    finding->message = SB_LIT("bad");
    finding->fingerprint = sb_fingerprint(report->arena, rule, finding->file, SB_LIT("what"), line);
    return finding;
}

/* Two findings, one of them ignored, with hostile text wherever there is text. */
static inline sb_report *hostile_report(const char *tool)
{
    static const sb_df_edit edit = {{3, 6}, {HOSTILE, sizeof(HOSTILE) - 1}};
    sb_slice hostile = SB_LIT(HOSTILE);
    sb_report *report = sb_report_new(tool);
    sb_finding *f = add_finding(report, &fixture_rule, HOSTILE, 2, 5);

    f->message = f->excerpt = f->kind = hostile;
    f->excerpt_column = 5;
    f->excerpt_width = 3;
    f->edits = &edit;
    f->edit_count = 1;
    if (strcmp(tool, "scan") == 0)
        f->place = (sb_layer_place){
            .layer = 1,
            .digest = SB_LIT("sha256:0123"),
            .history = hostile,
            .where = hostile,
            .removed = 2,
            .removed_by = hostile,
            .size = 42,
        };
    f = add_finding(report, &fixture_rule, HOSTILE, 3, 1);
    f->ignored = hostile;
    report->files = 1;
    if (strcmp(tool, "scan") != 0)
        return report;
    report->subject = report->image_id = report->manifest = hostile;
    report->platform = report->user = report->created = hostile;
    report->layer_count = 2;
    report->layers = sb_arena_array(report->arena, sb_report_layer, 2);
    for (size_t i = 0; i < 2; i++)
        report->layers[i] = (sb_report_layer){hostile, hostile, 4096 * (i + 1), i, i == 0};
    return report;
}

#endif
