// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a Dockerfile to be fixed. What parsed parses still; nothing is left to be fixed but what was
 * given up; fixing again changes nothing; the diff is made.
 */
#include <sbuild/lint.h>

enum { TEXT_MAX = 4 << 20 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool parses(sb_slice text)
{
    SB_AUTO(sb_dockerfile) df = NULL;

    return sb_df_parse(text, "Dockerfile", 0, &df, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice text = sb_slice_of((const char *)data, size);
    sb_lint_options options = {0};
    sb_autobuf once = SB_BUF_INIT(TEXT_MAX), twice = SB_BUF_INIT(TEXT_MAX), diff = SB_BUF_INIT(TEXT_MAX);
    sb_lint_fixes fixes, again;

    if (size > 1 << 16 || sb_lint_fix(text, NULL, NULL, &options, &once, &fixes, NULL) < 0)
        return 0;
    require(!parses(text) || parses(sb_buf_slice(&once)));
    require(fixes.fixed || sb_slice_eq(text, sb_buf_slice(&once)));
    require(sb_lint_fix(sb_buf_slice(&once), NULL, NULL, &options, &twice, &again, NULL) == 0);
    require(again.fixed == 0 && sb_slice_eq(sb_buf_slice(&once), sb_buf_slice(&twice)));
    require(sb_text_diff(text, sb_buf_slice(&once), "Dockerfile", &diff, NULL) == 0);
    return 0;
}
