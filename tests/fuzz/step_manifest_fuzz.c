// SPDX-License-Identifier: Apache-2.0
/* What was read once is written so that reading it again gives the same bytes, and each request finds itself.
 */
#include <sbuild/step.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_step_manifest) manifest = NULL;
    SB_AUTO(sb_step_manifest) again = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf first = SB_BUF_INIT(SB_STEP_MANIFEST_MAX), second = SB_BUF_INIT(SB_STEP_MANIFEST_MAX);

    if (sb_step_manifest_parse(sb_slice_of((const char *)data, size), "fuzz", &manifest, &err) < 0) {
        check(err && err->message && *err->message);
        return 0;
    }
    check(sb_step_manifest_format(manifest, &first, NULL) == 0);
    check(sb_step_manifest_parse(sb_buf_slice(&first), "again", &again, NULL) == 0);
    check(sb_step_manifest_format(again, &second, NULL) == 0);
    check(sb_slice_eq(sb_buf_slice(&first), sb_buf_slice(&second)));
    for (size_t i = 0; i < manifest->count; i++)
        check(sb_step_manifest_find(manifest, &manifest->requests[i], manifest->requests[i].turn) ==
              &manifest->requests[i]);
    return 0;
}
