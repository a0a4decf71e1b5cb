// SPDX-License-Identifier: Apache-2.0
#include <lock/key_file.h>

sb_slice sb_key_file_bytes(sb_arena *arena, sb_slice data)
{
    char *out;
    size_t len = 0;

    /* A binary key begins with a byte above 0x7f. */
    if (!data.len || (unsigned char)data.ptr[0] >= 0x80 || sb_slice_find(data, SB_LIT("\r\n")) < 0 ||
        sb_slice_find(data, SB_LIT("-----BEGIN PGP")) < 0)
        return data;
    out = sb_arena_alloc(arena, data.len + 1);
    for (size_t i = 0; i < data.len; i++)
        if (data.ptr[i] != '\r' || i + 1 == data.len || data.ptr[i + 1] != '\n')
            out[len++] = data.ptr[i];
    return sb_slice_of(out, len);
}
