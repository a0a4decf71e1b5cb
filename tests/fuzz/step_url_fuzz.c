// SPDX-License-Identifier: Apache-2.0
/* A URL has one form, which is its own form; what its purl says can be read again. */
#include <lock/purl.h>
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
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice given = sb_slice_of((const char *)data, size), url, again, text, kind, name, version;
    sb_purl purl;

    sb_step_header_value(arena, SB_LIT("link"), given);
    sb_step_strip_secrets(arena, given);
    if (sb_step_url(arena, given, &url, NULL) < 0)
        return 0;
    check(sb_step_url(arena, url, &again, NULL) == 0 && sb_slice_eq(url, again));
    if (!sb_purl_of_url(arena, url, &purl))
        return 0;
    text = sb_purl_format(arena, &purl);
    if (!text.ptr)
        return 0;
    sb_purl_parts(arena, text, &kind, &name, &version);
    check(name.len > 0 && kind.len > 0);
    check(version.len == purl.version.len);
    return 0;
}
