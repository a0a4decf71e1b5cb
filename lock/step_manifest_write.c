// SPDX-License-Identifier: Apache-2.0
/* From a step manifest to lines of JSON: sorted, members only when they say something. */
#include <lock/step_manifest.h>

#include <sbuild/json.h>

static void add_digest(json_t *object, const char *key, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    json_object_set_new(object, key, json_string(text));
}

/* A name that comes twice has a list of values. False when JSON cannot hold them. */
static bool add_headers(json_t *object, const char *key, const sb_step_header *headers, size_t count)
{
    json_t *list;

    if (!count)
        return true;
    list = json_object();
    json_object_set_new(object, key, list);
    for (size_t i = 0; i < count; i++) {
        sb_autofree char *name = sb_slice_dup(headers[i].name);
        json_t *value = json_stringn(headers[i].value.len ? headers[i].value.ptr : "", headers[i].value.len);
        json_t *there = json_object_get(list, name);

        if (!value)
            return false;
        if (!there) {
            json_object_set_new(list, name, value);
        } else if (json_is_array(there)) {
            json_array_append_new(there, value);
        } else {
            json_t *both = json_array();

            json_array_append(both, there);
            json_array_append_new(both, value);
            json_object_set_new(list, name, both);
        }
    }
    return true;
}

static json_t *write_request(const sb_step_request *request)
{
    sb_autojson *object = json_object();

    if (json_object_set_new(object, "method", json_stringn(request->method.ptr, request->method.len)) < 0 ||
        json_object_set_new(object, "url", json_stringn(request->url.ptr, request->url.len)) < 0 ||
        !add_headers(object, "wanted", request->wanted, request->wanted_count) ||
        !add_headers(object, "headers", request->headers, request->header_count))
        return NULL;
    if (request->has_body)
        add_digest(object, "body", &request->body);
    if (request->turn)
        json_object_set_new(object, "turn", json_integer(request->turn));
    json_object_set_new(object, "status", json_integer(request->status));
    if (request->has_content)
        add_digest(object, "digest", &request->digest);
    if (request->size)
        json_object_set_new(object, "size", json_integer((json_int_t)request->size));
    return json_incref(object);
}

int sb_step_manifest_format(sb_step_manifest *manifest, sb_buf *out, sb_error **err)
{
    sb_step_manifest_sort(manifest);
    sb_buf_addz(out, "{\"version\":1}\n");
    for (size_t i = 0; i < manifest->count; i++) {
        sb_autojson *line = write_request(&manifest->requests[i]);

        if (!line) {
            sb_autofree char *url = sb_printable(manifest->requests[i].url);

            return sb_fail(err, SB_ERR_PARSE, "the answer of %s has a header that is not UTF-8", url);
        }
        if (sb_json_write(line, out, err) < 0)
            return -1;
        sb_buf_addc(out, '\n');
    }
    return sb_buf_check(out, "the step manifest", err);
}
