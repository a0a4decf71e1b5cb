// SPDX-License-Identifier: Apache-2.0
#include <fetch/challenge.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_challenge list[SB_CHALLENGES_MAX];
    size_t count = sb_challenges_parse(arena, sb_slice_of((const char *)data, size), list, 0);

    for (size_t i = 0; i < count; i++)
        if (!list[i].scheme.len || sb_slice_chr(list[i].realm, '\n') >= 0)
            abort();
    return 0;
}
