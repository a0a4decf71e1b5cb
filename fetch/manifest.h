// SPDX-License-Identifier: Apache-2.0
/* Media types of manifests and layers. */
#ifndef SBUILD_FETCH_MANIFEST_H
#define SBUILD_FETCH_MANIFEST_H

#include <sbuild/registry.h>

/* Without parameters. */
sb_slice sb_media_type_plain(sb_slice type);
bool sb_media_type_is_index(sb_slice type);
bool sb_media_type_is_image(sb_slice type);
/* A layer that no registry may hand out. */
bool sb_media_type_is_foreign(sb_slice type);
/* An error for schema 1. */
int sb_media_type_check(sb_slice type, sb_error **err);

#endif
