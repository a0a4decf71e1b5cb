// SPDX-License-Identifier: Apache-2.0
/* Which instruction of the Dockerfile made which layer of an image. */
#ifndef SBUILD_BUILDER_ORIGIN_H
#define SBUILD_BUILDER_ORIGIN_H

#include <builder/compare.h>
#include <sbuild/json.h>

/*
 * One per layer of the engine's image, in `arena`. What cannot be told has key 0 and the engine's own words.
 * `config` is the engine's configuration.
 */
sb_layer_origin *sb_layer_origins(const sb_df_view *view, const json_t *config, size_t base_layers,
                                  size_t layer_count, sb_arena *arena);

#endif
