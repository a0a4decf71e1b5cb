// SPDX-License-Identifier: Apache-2.0
/* Every kind of settings file, and asking for registries afterwards. A repository's file never makes TLS
 * optional. */
#include <fetch/settings_internal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice text = sb_slice_of((const char *)data, size);

    for (int kind = 0; kind < 4; kind++) {
        SB_AUTO(sb_settings) settings = sb_settings_new();
        sb_settings_builder builder = {.settings = settings, .user_file = "config.json"};

        if (kind < 2)
            sb_settings_add_json(&builder, text, "x", kind == 0, NULL);
        else if (kind == 2)
            sb_settings_add_daemon(&builder, text, "x", NULL);
        else
            sb_settings_add_containers(&builder, text, "x", NULL);
        sb_settings_registry(settings, SB_LIT("docker.io/library/node"));
        for (size_t i = 0; kind == 1 && i < settings->registry_count; i++)
            if (settings->registries[i].insecure || settings->registries[i].ca_file.ptr)
                abort();
    }
    return 0;
}
