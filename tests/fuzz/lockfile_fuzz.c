// SPDX-License-Identifier: Apache-2.0
/* What was read once is written so that reading it again gives the same bytes; a lock and itself do not
 * differ. */
#include <sbuild/lock.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_lock) again = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf first = SB_BUF_INIT(SB_LOCK_MAX), second = SB_BUF_INIT(SB_LOCK_MAX);
    sb_autobuf changes = SB_BUF_INIT(SB_LOCK_MAX);

    if (sb_lock_parse(sb_slice_of((const char *)data, size), "fuzz.lock", &lock, &err) < 0) {
        check(err && err->message && *err->message);
        return 0;
    }
    if (sb_lock_format(lock, &first, &err) < 0) {
        check(err != NULL);
        return 0;
    }
    check(sb_lock_parse(sb_buf_slice(&first), "again.lock", &again, NULL) == 0);
    check(sb_lock_format(again, &second, NULL) == 0);
    check(sb_slice_eq(sb_buf_slice(&first), sb_buf_slice(&second)));
    check(sb_lock_diff(lock, again, &changes, NULL) == 0);
    check(changes.len == 0);
    return 0;
}
