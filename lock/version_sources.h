// SPDX-License-Identifier: Apache-2.0
/*
 * What Docker Hub, quay.io and the list of the official images tell about tags beyond the OCI specification.
 * Asked only where a registry is reached as it is: behind a mirror of the user's these hosts need not exist.
 */
#ifndef SBUILD_LOCK_VERSION_SOURCES_H
#define SBUILD_LOCK_VERSION_SOURCES_H

#include <lock/version_search.h>
#include <sbuild/http.h>
#include <sbuild/reference.h>

enum { SB_HUB_PAGES_MAX = 5, SB_VERSION_SOURCES = 2 };

/* As sb_version_asker.side; `which` 0 is the cheaper one. */
int sb_version_source(sb_http *http, const sb_settings *settings, sb_arena *arena, const sb_image_ref *ref,
                      unsigned which, sb_tag_list *ret_list);

/* The group of tags with `tag` in it, of a file "Tags: a, b" / "SharedTags: c, d". False when there is none.
 */
bool sb_official_group(sb_arena *arena, sb_slice text, sb_slice tag, sb_tag_list *ret_list);
/* Adds a page of Docker Hub's ("results": name, digest) or quay's ("tags": name, manifest_digest). */
bool sb_tag_page(sb_arena *arena, sb_slice text, sb_tag_list *list, size_t *cap, bool *ret_more);

#endif
