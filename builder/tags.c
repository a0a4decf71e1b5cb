// SPDX-License-Identifier: Apache-2.0
/* Names for what was built: only ones that will mean the same image tomorrow. */
#include <sbuild/builder.h>

#include <sbuild/reference.h>

int sb_check_tag(const char *tag, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *shown = sb_printable(sb_slice_z(tag));
    SB_AUTO(sb_error) why = NULL;
    sb_image_ref ref;

    if (sb_image_ref_parse(arena, sb_slice_z(tag), &ref, &why) < 0)
        return sb_fail(err, SB_ERR_USAGE, "--tag: %s", why->message);
    if (ref.digest.ptr)
        return sb_fail(err, SB_ERR_USAGE, "--tag %s names a digest; name a version, as in %s:1.2.3", shown,
                       "app");
    if (ref.tag_implied)
        return sb_fail(err, SB_ERR_USAGE,
                       "--tag %s has no version, so it would mean latest; write %s:1.2.3, or allow it with "
                       "--allow-moving-tag",
                       shown, shown);
    if (sb_tag_moves(ref.tag))
        return sb_fail(
            err, SB_ERR_USAGE,
            "--tag %s moves from image to image, so nobody can tell later which one it meant; name "
            "a version, or allow it with --allow-moving-tag",
            shown);
    if (!sb_tag_has_version(ref.tag))
        return sb_fail(err, SB_ERR_USAGE,
                       "--tag %s is no version: there is no number in it; name a version, or allow it with "
                       "--allow-moving-tag",
                       shown);
    return 0;
}
