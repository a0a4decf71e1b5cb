// SPDX-License-Identifier: Apache-2.0
/*
 * JSON from outside and JSON of ours, on top of jansson. Readers name the path of what is wrong
 * ("images[2].digest"). Strings are borrowed from the document.
 */
#ifndef SBUILD_JSON_H
#define SBUILD_JSON_H

#include <jansson.h>

#include <sbuild/buf.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

static inline void sb_json_decref_p(json_t **json)
{
    json_decref(*json);
}
#define sb_autojson __attribute__((cleanup(sb_json_decref_p))) json_t

enum { SB_JSON_DEPTH_MAX = 64 };

/* Strict RFC 8259 with unique keys, nesting up to SB_JSON_DEPTH_MAX; `name` for messages "name:LINE:COLUMN:
 * …" (SB_ERR_PARSE). */
int sb_json_parse(sb_slice text, const char *name, json_t **ret_json, sb_error **err);
/* One line, keys sorted, no spaces, non-ASCII kept as UTF-8. */
int sb_json_write(const json_t *json, sb_buf *out, sb_error **err);

/*
 * Members of an object: absent slice, NULL or `fallback` when missing, when null, or when not of this type:
 * for documents whose shape does not have to be exact.
 */
sb_slice sb_json_str(const json_t *object, const char *key);
json_t *sb_json_array(const json_t *object, const char *key);
json_t *sb_json_object(const json_t *object, const char *key);
int64_t sb_json_int(const json_t *object, const char *key, int64_t fallback);
bool sb_json_bool(const json_t *object, const char *key, bool fallback);

/* Set a member unless the slice is absent. */
void sb_json_set_str(json_t *object, const char *key, sb_slice value);
void sb_json_set_strz(json_t *object, const char *key, const char *value);

#endif
