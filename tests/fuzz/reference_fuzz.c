// SPDX-License-Identifier: Apache-2.0
/* What is taken for a reference formats to a text that is the same reference. */
#include <sbuild/reference.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_image_ref ref, again;
    sb_slice text;

    if (sb_image_ref_parse(arena, sb_slice_of((const char *)data, size), &ref, NULL) < 0)
        return 0;
    text = sb_image_ref_format(arena, &ref);
    if (sb_image_ref_parse(arena, text, &again, NULL) < 0 ||
        !sb_slice_eq(sb_image_ref_format(arena, &again), text))
        abort();
    text = sb_image_ref_familiar(arena, &ref);
    if (sb_image_ref_parse(arena, text, &again, NULL) < 0 || !sb_slice_eq(again.repository, ref.repository) ||
        !sb_slice_eq(again.registry, ref.registry))
        abort();
    return 0;
}
