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

/* Borrowed from a string; absent when it is none. */
sb_slice sb_json_text(const json_t *string);
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

/*
 * JSON written straight into a buffer, in the order in which it is said: for documents that would be large as
 * a tree. Commas are put where they belong; a `key` of NULL is an element of an array. What is not UTF-8
 * becomes U+FFFD, byte by byte.
 *
 *     sb_json_open(&w, "place", '{');
 *     sb_json_put_str(&w, "file", name);
 *     sb_json_close(&w, '}');
 */
typedef struct sb_json_writer {
    sb_buf *out;
    bool comma; /* something stands before, on the same level */
} sb_json_writer;
void sb_json_open(sb_json_writer *w, const char *key, char bracket);
void sb_json_close(sb_json_writer *w, char bracket);
void sb_json_newline(sb_json_writer *w);                                  /* the next element begins a line */
void sb_json_put_str(sb_json_writer *w, const char *key, sb_slice value); /* nothing when it is absent */
void sb_json_put_strz(sb_json_writer *w, const char *key, const char *value);
void sb_json_put_u64(sb_json_writer *w, const char *key, uint64_t value);
void sb_json_put_bool(sb_json_writer *w, const char *key, bool value);
/* The string alone, with its quotes. */
void sb_buf_add_json(sb_buf *out, sb_slice text);

#endif
