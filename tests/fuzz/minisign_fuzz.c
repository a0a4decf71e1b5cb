// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a minisign key and signature, separated by a NUL. No file is signed by what the fuzzer makes
 * up. */
#include <sbuild/verify.h>

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    sb_slice signature = sb_slice_of((const char *)data, size);
    sb_slice key = sb_slice_cut(&signature, '\0');
    sb_autofree char *comment = NULL;
    SB_AUTO(sb_error) error = NULL;

    if (!signature.ptr)
        return 0;
    if (fd < 0) {
        fd = memfd_create("signed", MFD_CLOEXEC);
        if (fd < 0 || write(fd, "content\n", 8) != 8)
            abort();
    }
    if (sb_minisign_verify(key, signature, fd, &comment, &error) < 0 && (!error || comment))
        abort();
    return 0;
}
