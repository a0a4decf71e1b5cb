// SPDX-License-Identifier: Apache-2.0
/* Manifests, indexes and image configs from a registry. */
#include <sbuild/registry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice text = sb_slice_of((const char *)data, size);
    sb_manifest manifest;
    sb_image_config config;

    if (sb_manifest_parse(arena, text, SB_NIL, &manifest, NULL) == 0 && !sb_slice_eq(manifest.raw, text))
        abort();
    if (sb_image_config_parse(arena, text, &config, NULL) == 0 && !sb_slice_eq(config.raw, text))
        abort();
    return 0;
}
