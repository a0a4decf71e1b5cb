// SPDX-License-Identifier: Apache-2.0
/* What a reference is locked to. */
#include <sbuild/lock.h>

/* Is `name`, a normalised reference in the lock, the image that somebody wrote? A digest that was written
 * must be the locked one. */
static bool same_image(const sb_lock_image *image, sb_slice with_digest, sb_slice without, sb_slice digest)
{
    char locked[SB_DIGEST_TEXT];

    if (sb_slice_eq(image->name, with_digest))
        return true;
    if (!sb_slice_eq(image->name, without))
        return false;
    sb_digest_format(&image->digest, locked);
    return !digest.ptr || sb_slice_eqz(digest, locked);
}

const sb_lock_image *sb_lock_find_image(const sb_lock *lock, sb_slice expanded)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) ignored = NULL;
    sb_image_ref ref;
    sb_slice with_digest, without, digest;

    if (sb_image_ref_parse(arena, expanded, &ref, &ignored) < 0)
        return NULL;
    with_digest = sb_image_ref_format(arena, &ref);
    digest = ref.digest;
    ref.digest = SB_NIL;
    without = sb_image_ref_format(arena, &ref);
    for (size_t i = 0; i < lock->image_count; i++)
        if (same_image(&lock->images[i], with_digest, without, digest))
            return &lock->images[i];
    return NULL;
}

const sb_lock_platform *sb_lock_image_platform(const sb_lock_image *image, sb_slice platform)
{
    for (size_t i = 0; i < image->platform_count; i++)
        if (sb_slice_eq(image->platforms[i].platform, platform))
            return &image->platforms[i];
    return NULL;
}

const sb_lock_file *sb_lock_find_file(const sb_lock *lock, sb_slice expanded)
{
    for (size_t i = 0; i < lock->file_count; i++)
        if (sb_slice_eq(lock->files[i].expanded, expanded))
            return &lock->files[i];
    return NULL;
}

const sb_lock_git *sb_lock_find_git(const sb_lock *lock, sb_slice expanded)
{
    for (size_t i = 0; i < lock->git_count; i++)
        if (sb_slice_eq(lock->git[i].expanded, expanded))
            return &lock->git[i];
    return NULL;
}
