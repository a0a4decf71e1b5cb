// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a Dockerfile before all rules: no crash, and every finding has a place in the text. */
#include <sbuild/lint.h>

enum { FIXED_MAX = 3000 /* bytes of a text that is mended as well, which looks at it many times */ };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_finding(const sb_finding *finding, size_t len)
{
    require(finding->rule && finding->severity > SB_SEVERITY_OFF && finding->severity <= SB_SEVERITY_ERROR);
    require(finding->message.len > 0 && finding->file.len > 0 && finding->fingerprint.len == 32);
    if (finding->line) {
        require(finding->column >= 1 && finding->end_line >= finding->line);
        require(finding->end_line > finding->line || finding->end_column >= finding->column);
        require(finding->excerpt.len <= SB_EXCERPT_MAX);
    }
    for (size_t i = 0; i < finding->edit_count; i++)
        require(finding->edits[i].span.start <= finding->edits[i].span.end &&
                finding->edits[i].span.end <= len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice text = sb_slice_of((const char *)data, size);
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_error) error = NULL;
    sb_autobuf out = SB_BUF_INIT(64 << 20), fixed = SB_BUF_INIT(1 << 20);
    sb_lint_options options = {0};
    sb_lint_fixes fixes;

    if (sb_lint_text(text, "Dockerfile", &options, report, &error) < 0)
        return 0;
    for (size_t i = 0; i < report->count; i++)
        check_finding(&report->items[i], size);
    sb_report_sort(report);
    require(sb_report_json(report, &out, NULL) == 0);
    if (size <= FIXED_MAX)
        sb_lint_fix(text, NULL, NULL, &options, &fixed, &fixes, NULL);
    return 0;
}
