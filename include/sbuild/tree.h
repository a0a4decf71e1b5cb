// SPDX-License-Identifier: Apache-2.0
/*
 * Archives and directory trees, one deterministic form: entries sorted by name (bytewise, parents first),
 * owner 0:0 without names, modes 644/755, mtime one given time, pax headers only where ustar does not
 * suffice. Reading is on libarchive with hard limits.
 */
#ifndef SBUILD_TREE_H
#define SBUILD_TREE_H

#include <sbuild/dockerfile.h>
#include <sbuild/error.h>

enum { SB_TREE_ENTRIES_MAX = 2000000, SB_TREE_DEPTH_MAX = 255 };

/*
 * Streams the directory as a tar to `out_fd`: what `ignore` (may be NULL) leaves out and `never`
 * (NULL-terminated plain paths, may be NULL) is not in it. Sockets, devices and FIFOs are skipped as Docker
 * does; links are kept as links.
 */
int sb_tree_write(int dirfd, const sb_ignore *ignore, const char *const *never, int64_t mtime, int out_fd,
                  sb_error **err);
/* The same into a new directory `to_dirfd` instead of a tar (reflinks where possible). */
int sb_tree_copy(int dirfd, const sb_ignore *ignore, const char *const *never, int64_t mtime, int to_dirfd,
                 sb_error **err);
/*
 * Unpacks a tar beneath `dirfd`: no "..", no absolute names, no link that leaves, no device; modes and mtimes
 * as in the archive, owner the caller's.
 */
int sb_tree_unpack(int archive_fd, int dirfd, uint64_t max_bytes, sb_error **err);
/*
 * The same for content that an engine will have as it is, as a source tree or a root file system: symbolic
 * links may lead anywhere. Nothing is written through them here; who reads the directory must not follow them
 * either.
 */
int sb_tree_unpack_links(int archive_fd, int dirfd, uint64_t max_bytes, sb_error **err);

#endif
