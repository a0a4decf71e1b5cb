// SPDX-License-Identifier: Apache-2.0
/* Between vendor.c and images_cache.c. */
#ifndef SBUILD_LOCK_IMAGES_CACHE_H
#define SBUILD_LOCK_IMAGES_CACHE_H

#include <sbuild/lock.h>

typedef struct sb_image_want {
    const sb_lock_image *image;
    const sb_lock_platform *platform;
} sb_image_want;

/*
 * Makes the layout hold all blobs of these images: what the stores have is taken from there, the rest is
 * pulled at once, unless `offline`. SB_ERR_NOT_FOUND when something can be had nowhere.
 */
int sb_images_bring(sb_project *project, const sb_image_want *wants, size_t count, bool offline,
                    sb_layout *layout, sb_error **err);
/* The reference by which exactly these bytes of the image can be had. */
int sb_image_exact_ref(const sb_lock_image *image, const sb_digest *digest, sb_arena *arena,
                       sb_image_ref *ret_ref, sb_error **err);

#endif
