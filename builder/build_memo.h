// SPDX-License-Identifier: Apache-2.0
/*
 * The canonical images of the last build, so that a build whose result is the same as then does not make them
 * again: they are in `.sbuild/image`, and what they were made of is noted in the user's cache.
 */
#ifndef SBUILD_BUILDER_BUILD_MEMO_H
#define SBUILD_BUILDER_BUILD_MEMO_H

#include <builder/image.h>
#include <builder/plan.h>
#include <sbuild/json.h>

typedef struct sb_memo {
    sb_project *project;
    json_t *known; /* key → descriptor, of the last build */
    json_t *used;  /* the same of this one */
    sb_layout *layout;
} sb_memo;

int sb_memo_open(sb_project *project, sb_memo *memo, sb_error **err);
/* Everything that the canonical form of this result depends on. */
int sb_memo_key(const sb_plan *plan, const sb_layout *result, const sb_digest *manifest,
                const sb_canonical_options *options, char **ret_key, sb_error **err);
/* True with *ret_image when it is there, complete. */
bool sb_memo_find(sb_memo *memo, const char *key, sb_arena *arena, sb_descriptor *ret_image);
/* Called before something new is made: what older builds left goes, unless this one uses it. */
int sb_memo_make_room(sb_memo *memo, sb_error **err);
void sb_memo_add(sb_memo *memo, const char *key, const sb_descriptor *image);
int sb_memo_save(sb_memo *memo, sb_error **err);
void sb_memo_close(sb_memo *memo);

#endif
