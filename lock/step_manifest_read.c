// SPDX-License-Identifier: Apache-2.0
/* From lines of JSON to a step manifest. A repository may come from anybody: each member is checked, since a
 * server answers with them and files are named by them. */
#include <lock/step_manifest.h>

#include <sbuild/json.h>

enum { STATUS_MIN = 200, STATUS_MAX = 599, METHOD_MAX = 32, VERSION = 1 };

typedef struct reader {
    sb_step_manifest *manifest;
    sb_arena *arena; /* of this line */
    const char *name;
    unsigned line;
} reader;

static int bad(const reader *r, const char *key, const char *what, sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "%s:%u: \"%s\" %s", r->name, r->line, key, what);
}

static int read_digest(const reader *r, const json_t *object, const char *key, bool *ret_has,
                       sb_digest *ret_digest, sb_error **err)
{
    const json_t *value = json_object_get(object, key);

    *ret_has = value;
    if (value && (sb_digest_parse(sb_json_str(object, key), ret_digest, NULL) < 0 ||
                  ret_digest->algo != SB_HASH_SHA256))
        return bad(r, key, "must be \"sha256:\" and 64 lower-case hex digits", err);
    return 0;
}

/* 0 when it is missing. */
static int read_number(const reader *r, const json_t *object, const char *key, int64_t max,
                       int64_t *ret_number, sb_error **err)
{
    const json_t *value = json_object_get(object, key);

    if (value &&
        (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max))
        return bad(r, key, "is no number, or too large", err);
    *ret_number = json_integer_value(value);
    return 0;
}

static bool is_name(sb_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name.ptr[i]) || !name.ptr[i])
            return false;
    return name.len > 0;
}

static bool is_value(sb_slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return false;
    return true;
}

static int add_header(const reader *r, const char *key, sb_slice name, const json_t *value,
                      sb_step_header *header, size_t *bytes, sb_error **err)
{
    sb_slice text = sb_json_text(value);

    if (!json_is_string(value) || !is_value(text))
        return bad(r, key, "must have header values", err);
    *bytes += name.len + text.len;
    if (*bytes > SB_STEP_HEADERS_MAX)
        return bad(r, key, "has too many headers", err);
    *header = (sb_step_header){name, text};
    return 0;
}

/* {"name": "value", "name": ["value", "value"]} */
static int read_headers(const reader *r, const json_t *object, const char *key, bool (*may_be)(sb_slice name),
                        sb_step_header **ret_headers, size_t *ret_count, sb_error **err)
{
    json_t *headers = json_object_get(object, key), *value;
    sb_step_header *items = NULL;
    size_t count = 0, cap = 0, bytes = 0;
    const char *text;

    if (headers && !json_is_object(headers))
        return bad(r, key, "must be an object", err);
    json_object_foreach(headers, text, value)
    {
        sb_slice name = sb_slice_z(text);
        size_t n = json_is_array(value) ? json_array_size(value) : 1;

        if (!is_name(name) || !may_be(name))
            return bad(r, key, "has a header that is not recorded", err);
        for (size_t i = 0; i < n; i++)
            if (add_header(r, key, name, json_is_array(value) ? json_array_get(value, i) : value,
                           SB_ARENA_PUSH(r->arena, items, count, cap), &bytes, err) < 0)
                return -1;
    }
    *ret_headers = items;
    *ret_count = count;
    return 0;
}

static int read_question(const reader *r, const json_t *object, sb_step_request *request, sb_error **err)
{
    sb_slice url = SB_NIL;
    int64_t turn = 0;

    request->method = sb_json_str(object, "method");
    if (!request->method.len || request->method.len > METHOD_MAX)
        return bad(r, "method", "is missing or too long", err);
    for (size_t i = 0; i < request->method.len; i++)
        if (request->method.ptr[i] < 'A' || request->method.ptr[i] > 'Z')
            return bad(r, "method", "must be in capital letters", err);
    request->url = sb_json_str(object, "url");
    if (!request->url.ptr || sb_step_url(r->arena, request->url, &url, NULL) < 0 ||
        !sb_slice_eq(request->url, url))
        return bad(r, "url", "is not a URL in the form that is recorded", err);
    if (read_digest(r, object, "body", &request->has_body, &request->body, err) < 0 ||
        read_headers(r, object, "wanted", sb_step_wants_header, &request->wanted, &request->wanted_count,
                     err) < 0 ||
        read_number(r, object, "turn", SB_STEP_TURNS_MAX, &turn, err) < 0)
        return -1;
    request->turn = (unsigned)turn;
    return 0;
}

static int read_answer(const reader *r, const json_t *object, sb_step_request *request, sb_error **err)
{
    int64_t status = 0, size = 0;

    if (read_number(r, object, "status", STATUS_MAX, &status, err) < 0 ||
        read_headers(r, object, "headers", sb_step_keeps_header, &request->headers, &request->header_count,
                     err) < 0 ||
        read_digest(r, object, "digest", &request->has_content, &request->digest, err) < 0 ||
        read_number(r, object, "size", (int64_t)1 << SB_STEP_BODY_MAX_SHIFT, &size, err) < 0)
        return -1;
    if (status < STATUS_MIN)
        return bad(r, "status", "must be between 200 and 599", err);
    request->status = (unsigned)status;
    request->size = (uint64_t)size;
    return 0;
}

static int read_line(reader *r, sb_slice text, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autojson *json = NULL;
    sb_step_request request = {0};

    r->arena = arena;
    if (sb_json_parse(text, r->name, &json, err) < 0)
        return sb_wrap(err, "line %u of the step manifest", r->line);
    if (!json_is_object(json))
        return sb_fail(err, SB_ERR_PARSE, "%s:%u: it is no object", r->name, r->line);
    if (read_question(r, json, &request, err) < 0 || read_answer(r, json, &request, err) < 0)
        return -1;
    if (!sb_step_manifest_add(r->manifest, &request))
        return sb_fail(err, SB_ERR_LIMIT, "%s: more than %d requests", r->name, SB_STEP_REQUESTS_MAX);
    return 0;
}

static int read_version(const reader *r, sb_slice text, sb_error **err)
{
    sb_autojson *json = NULL;
    int64_t version;

    if (sb_json_parse(text, r->name, &json, NULL) < 0 || !json_is_integer(json_object_get(json, "version")))
        return sb_fail(err, SB_ERR_PARSE, "%s:1: it is no step manifest: \"version\" is missing", r->name);
    version = sb_json_int(json, "version", 0);
    if (version != VERSION)
        return sb_fail(err, version > VERSION ? SB_ERR_USAGE : SB_ERR_PARSE,
                       "%s has version %lld of step manifests, and this sbuild knows %d; use a newer sbuild",
                       r->name, (long long)version, VERSION);
    return 0;
}

/* One answer to a question and turn, not two. */
static int refuse_duplicates(const reader *r, sb_error **err)
{
    const sb_step_manifest *manifest = r->manifest;

    for (size_t i = 1; i < manifest->count; i++) {
        if (sb_step_request_cmp(&manifest->requests[i - 1], &manifest->requests[i]) == 0) {
            sb_autofree char *url = sb_printable(manifest->requests[i].url);

            return sb_fail(err, SB_ERR_PARSE, "%s has two answers for %s", r->name, url);
        }
    }
    return 0;
}

int sb_step_manifest_parse(sb_slice text, const char *name, sb_step_manifest **ret_manifest, sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = sb_step_manifest_new();
    reader r = {.manifest = manifest, .name = name, .line = 1};
    sb_slice rest = text;

    if (text.len > SB_STEP_MANIFEST_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s is larger than %d bytes", name, SB_STEP_MANIFEST_MAX);
    if (read_version(&r, rest.ptr ? sb_slice_cut(&rest, '\n') : SB_LIT(""), err) < 0)
        return -1;
    while (rest.len) {
        sb_slice line = sb_slice_cut(&rest, '\n');

        r.line++;
        if (line.len && read_line(&r, line, err) < 0)
            return -1;
    }
    sb_step_manifest_sort(manifest);
    if (refuse_duplicates(&r, err) < 0)
        return -1;
    *ret_manifest = SB_TAKE(manifest);
    return 0;
}
