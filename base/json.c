// SPDX-License-Identifier: Apache-2.0
#include <sbuild/json.h>

/*
 * jansson's own nesting limit (2048) protects its stack; ours protects whoever walks the document. Brackets
 * inside strings do not count.
 */
static bool too_deep(sb_slice text)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > SB_JSON_DEPTH_MAX)
                return true;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return false;
}

int sb_json_parse(sb_slice text, const char *name, json_t **ret_json, sb_error **err)
{
    json_error_t why;
    json_t *json;

    if (too_deep(text))
        return sb_fail(err, SB_ERR_LIMIT, "%s: JSON is nested deeper than %d levels", name,
                       SB_JSON_DEPTH_MAX);
    json = json_loadb(text.len ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &why);
    if (!json) {
        sb_autofree char *shown = sb_printable(sb_slice_z(why.text));

        return sb_fail(err, SB_ERR_PARSE, "%s:%d:%d: not valid JSON: %s", name, why.line, why.column, shown);
    }
    *ret_json = json;
    return 0;
}

static int add_to_buf(const char *data, size_t len, void *out)
{
    return sb_buf_add(out, data, len) ? 0 : -1;
}

int sb_json_write(const json_t *json, sb_buf *out, sb_error **err)
{
    if (json_dump_callback(json, add_to_buf, out, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) < 0) {
        if (out->overflow)
            return sb_buf_check(out, "JSON", err);
        return sb_fail(err, SB_ERR_INTERNAL, "cannot write JSON");
    }
    return 0;
}

sb_slice sb_json_text(const json_t *string)
{
    return sb_slice_of(json_string_value(string), json_string_length(string));
}

sb_slice sb_json_str(const json_t *object, const char *key)
{
    return sb_json_text(json_object_get(object, key));
}

json_t *sb_json_array(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_array(value) ? value : NULL;
}

json_t *sb_json_object(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_object(value) ? value : NULL;
}

int64_t sb_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool sb_json_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_boolean_value(value) : fallback;
}

void sb_json_set_str(json_t *object, const char *key, sb_slice value)
{
    if (value.ptr)
        json_object_set_new(object, key, json_stringn(value.ptr, value.len));
}

void sb_json_set_strz(json_t *object, const char *key, const char *value)
{
    sb_json_set_str(object, key, sb_slice_z(value));
}
