// SPDX-License-Identifier: Apache-2.0
/* `sbuild build --expect`: the digest that must come out, judged before anything gets a name. */
#include <builder/engine.h>

int sb_result_check_expected(const sb_build_options *options, sb_error **err)
{
    SB_AUTO(sb_error) problem = NULL;
    sb_autofree char *shown = options->expect ? sb_printable(sb_slice_z(options->expect)) : NULL;
    sb_digest digest;

    if (!options->expect || sb_digest_parse(sb_slice_z(options->expect), &digest, &problem) == 0)
        return 0;
    return sb_fail(
        err, SB_ERR_USAGE,
        "--expect wants an image ID or a manifest digest, \"sha256:\" and 64 hex digits, not \"%s\"", shown);
}

int sb_result_expect(const sb_build_options *options, const sb_layout *layout, const sb_descriptor *image,
                     const sb_descriptor *whole, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    bool single = sb_digest_eq(&image->digest, &whole->digest);
    char id[SB_DIGEST_TEXT], digest[SB_DIGEST_TEXT];
    sb_manifest manifest;
    sb_slice raw;

    if (!options->expect)
        return 0;
    if (sb_layout_read(layout, arena, &image->digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, err) < 0)
        return -1;
    sb_digest_format(&manifest.config.digest, id);
    sb_digest_format(&whole->digest, digest);
    if (strcmp(options->expect, digest) == 0 || (single && strcmp(options->expect, id) == 0))
        return 0;
    if (!single)
        return sb_fail(err, SB_ERR_VERIFY,
                       "the index of the images is %s, not %s as expected; nothing was tagged", digest,
                       options->expect);
    return sb_fail(
        err, SB_ERR_VERIFY,
        "the image ID is %s and the manifest %s, but %s was expected; nothing was tagged (\"sbuild "
        "build --check-reproducible\" tells what differs from build to build)",
        id, digest, options->expect);
}
