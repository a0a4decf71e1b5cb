// SPDX-License-Identifier: Apache-2.0
/*
 * TOML 1.0, as far as configuration files of container tools need it, read into JSON values: tables are
 * objects, dates and floats are refused.
 */
#ifndef SBUILD_FETCH_TOML_H
#define SBUILD_FETCH_TOML_H

#include <sbuild/json.h>

enum { SB_TOML_DEPTH_MAX = 32 };

/* `name` for messages "name:LINE: …" (SB_ERR_PARSE). */
int sb_toml_parse(sb_slice text, const char *name, json_t **ret_json, sb_error **err);

#endif
