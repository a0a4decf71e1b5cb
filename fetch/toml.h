// SPDX-License-Identifier: Apache-2.0
/*
 * TOML 1.0, as far as configuration files of container tools need it, read into JSON values: tables are
 * objects, dates are refused.
 */
#ifndef SBUILD_FETCH_TOML_H
#define SBUILD_FETCH_TOML_H

#include <sbuild/json.h>

enum { SB_TOML_DEPTH_MAX = 32 };

/* `name` for messages "name:LINE: …" (SB_ERR_PARSE). */
int sb_toml_parse(sb_slice text, const char *name, json_t **ret_json, sb_error **err);

/*
 * The same; each table of an array of tables ([[NAME]]) has the line of its header as the member
 * SB_TOML_LINE, which no key of the text can be.
 */
#define SB_TOML_LINE "\nline"
int sb_toml_parse_lines(sb_slice text, const char *name, json_t **ret_json, sb_error **err);

#endif
