// SPDX-License-Identifier: Apache-2.0
/* A finished image of an OCI layout in the forms that leave it: archives for engines, a root file system. */
#ifndef SBUILD_BUILDER_ARCHIVE_H
#define SBUILD_BUILDER_ARCHIVE_H

#include <sbuild/registry.h>

enum { SB_ARCHIVE_TAGS_MAX = 1000, SB_ARCHIVE_IMAGES_MAX = 64 };

/*
 * Writes an archive that `docker load`, `podman load` and everything that reads OCI layouts take: OCI layout
 * and Docker's manifest.json in one. `manifest` is an image or an index of images. `tags` is NULL-terminated
 * and may be NULL. The blobs of the first `omit` layers of every image are left out: the engine has them.
 */
int sb_image_write_archive(sb_layout *layout, const sb_digest *manifest, const char *const *tags, size_t omit,
                           int fd, sb_error **err);

/* The image's root file system as one tar, entries sorted (`--output type=tar`). */
int sb_image_write_rootfs(sb_layout *layout, const sb_digest *manifest, int fd, sb_error **err);

/*
 * The same below the directory `path`, which is made if missing (`--output type=local`). Owners, devices and
 * extended attributes need root; without it, owners are the caller's and devices are left out.
 */
int sb_image_write_directory(sb_layout *layout, const sb_digest *manifest, const char *path, sb_error **err);

#endif
