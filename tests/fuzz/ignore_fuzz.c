// SPDX-License-Identifier: Apache-2.0
/*
 * An ignore file, and a path behind its first NUL. A directory that is pruned must hold nothing that the
 * rules bring back.
 */
#include <sbuild/dockerfile.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_ignore) ignore = NULL;
    sb_slice path = sb_slice_of((const char *)data, size), file = sb_slice_cut(&path, '\0');
    ptrdiff_t slash;

    if (size > 4096 || sb_ignore_parse(file, "ignore", &ignore, NULL) < 0 || !path.ptr)
        return 0;
    slash = sb_slice_chr(path, '/');
    if (sb_ignore_matches(ignore, path) || slash <= 0 || (size_t)slash + 1 == path.len ||
        path.ptr[path.len - 1] == '/' || sb_slice_find(path, SB_LIT("//")) >= 0)
        return 0;
    path.len = (size_t)slash;
    if (sb_ignore_matches(ignore, path) && sb_ignore_prunes(ignore, path))
        abort();
    return 0;
}
