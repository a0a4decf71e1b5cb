// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a checksum list. The first line is the name that is looked for, so that the fuzzer can match
 * both. */
#include <sbuild/verify.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice list = sb_slice_of((const char *)data, size);
    sb_slice name = sb_slice_cut(&list, '\n');
    SB_AUTO(sb_error) error = NULL;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    if (!list.ptr)
        return 0;
    if (sb_checksums_find(list, name, &digest, &error) < 0) {
        if (!error || !error->message)
            abort();
        return 0;
    }
    sb_digest_hex(&digest, hex);
    return 0;
}
