// SPDX-License-Identifier: Apache-2.0
/* The file of accepted findings. What is written for a report can be read, and accepts all of it. */
#include <sbuild/finding.h>

#include <stdint.h>

#include "../unit/report_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice text = sb_slice_of((const char *)data, size);
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_accepted) accepted = NULL;
    SB_AUTO(sb_accepted) again = NULL;
    sb_autobuf out = SB_BUF_INIT(64 << 20);
    size_t stale = 0;

    add_finding(report, &fixture_rule, "a", 1, 1)->fingerprint = SB_LIT("0123456789abcdef0123456789abcdef");
    add_finding(report, &fixture_rule, "b", 2, 1)->file = text;
    if (sb_accepted_parse(text, "x", &accepted, NULL) < 0)
        return 0;
    if (sb_accepted_apply(accepted, report, false, NULL, NULL) < 0 ||
        sb_accepted_rewrite(accepted, report, "known", &out, NULL) < 0 ||
        sb_accepted_parse(sb_buf_slice(&out), "y", &again, NULL) < 0)
        abort();
    report->items[0].ignored = report->items[1].ignored = SB_NIL;
    if (sb_accepted_apply(again, report, false, &stale, NULL) < 0 || stale)
        abort();
    return 0;
}
