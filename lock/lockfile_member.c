// SPDX-License-Identifier: Apache-2.0
#include <lock/lockfile_member.h>

#include <sbuild/timefmt.h>

int sb_member_bad(const sb_lock_reader *r, const char *key, const char *what, sb_error **err)
{
    sb_autobuf path = SB_BUF_INIT(1000);

    sb_buf_printf(&path, "%s[%zu]", r->section, r->index);
    if (r->list)
        sb_buf_printf(&path, ".%s[%zu]", r->list, r->list_index);
    if (key)
        sb_buf_printf(&path, ".%s", key);
    return sb_fail(err, SB_ERR_PARSE, "%s:%u: %s %s" SB_LOCK_REMEDY, r->name,
                   sb_lock_entry_line(r->text, r->section, r->index), path.data, what);
}

int sb_member_string(const sb_lock_reader *r, const json_t *value, const char *key, sb_slice *ret_text,
                     sb_error **err)
{
    if (!json_is_string(value))
        return sb_member_bad(r, key, "must be a string", err);
    if (json_string_length(value) > SB_LOCK_TEXT_MAX)
        return sb_member_bad(r, key, "is too long", err);
    *ret_text = sb_arena_dup(r->lock->arena, sb_json_text(value));
    return 0;
}

int sb_member_text(const sb_lock_reader *r, const json_t *object, const char *key, bool needed,
                   sb_slice *ret_text, sb_error **err)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        return needed ? sb_member_bad(r, key, "is missing", err) : 0;
    return sb_member_string(r, value, key, ret_text, err);
}

static int digest_of(const sb_lock_reader *r, sb_slice text, const char *key, sb_digest *ret_digest,
                     sb_error **err)
{
    if (sb_digest_parse(text, ret_digest, NULL) < 0 || ret_digest->algo != SB_HASH_SHA256)
        return sb_member_bad(r, key, "must be \"sha256:\" and 64 lower-case hex digits", err);
    return 0;
}

int sb_member_digest(const sb_lock_reader *r, const json_t *object, const char *key, sb_digest *ret_digest,
                     sb_error **err)
{
    sb_slice text = SB_NIL;

    if (sb_member_text(r, object, key, true, &text, err) < 0)
        return -1;
    return digest_of(r, text, key, ret_digest, err);
}

int sb_member_digest_if(const sb_lock_reader *r, const json_t *object, const char *key, bool *ret_has,
                        sb_digest *ret_digest, sb_error **err)
{
    *ret_has = json_object_get(object, key);
    return *ret_has ? sb_member_digest(r, object, key, ret_digest, err) : 0;
}

int sb_member_number(const sb_lock_reader *r, const json_t *object, const char *key, uint64_t max,
                     uint64_t *ret_number, sb_error **err)
{
    const json_t *value = json_object_get(object, key);

    if (value && (!json_is_integer(value) || json_integer_value(value) < 0 ||
                  (uint64_t)json_integer_value(value) > max))
        return sb_member_bad(r, key, "is no number, or too large", err);
    *ret_number = (uint64_t)json_integer_value(value);
    return 0;
}

int sb_member_size(const sb_lock_reader *r, const json_t *object, uint64_t *ret_size, sb_error **err)
{
    const json_t *value = json_object_get(object, "size");

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return sb_member_bad(r, "size", "must be a number of bytes", err);
    *ret_size = (uint64_t)json_integer_value(value);
    return 0;
}

int sb_member_time(const sb_lock_reader *r, const json_t *object, const char *key, int64_t fallback,
                   int64_t *ret_when, sb_error **err)
{
    sb_slice text = SB_NIL;

    *ret_when = fallback;
    if (sb_member_text(r, object, key, false, &text, err) < 0)
        return -1;
    if (text.ptr && !sb_time_parse(text, ret_when))
        return sb_member_bad(r, key, "must be a time like \"2026-01-31T12:00:00Z\"", err);
    return 0;
}

int sb_member_bool(const sb_lock_reader *r, const json_t *object, const char *key, bool *ret_value,
                   sb_error **err)
{
    const json_t *value = json_object_get(object, key);

    if (value && !json_is_boolean(value))
        return sb_member_bad(r, key, "must be true or false", err);
    *ret_value = json_is_true(value);
    return 0;
}

int sb_member_list(const sb_lock_reader *r, const json_t *object, const char *key, const json_t **ret_list,
                   sb_error **err)
{
    const json_t *list = json_object_get(object, key);

    if (list && !json_is_array(list))
        return sb_member_bad(r, key, "must be a list", err);
    if (json_array_size(list) > SB_LOCK_LIST_MAX)
        return sb_member_bad(r, key, "has too many members", err);
    *ret_list = list;
    return 0;
}

int sb_member_texts(const sb_lock_reader *r, const json_t *object, const char *key, sb_slice **ret_texts,
                    size_t *ret_count, sb_error **err)
{
    const json_t *list = NULL;
    sb_slice *texts;

    if (sb_member_list(r, object, key, &list, err) < 0)
        return -1;
    texts = sb_arena_array(r->lock->arena, sb_slice, json_array_size(list) + 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (sb_member_string(r, json_array_get(list, i), key, &texts[i], err) < 0)
            return -1;
    *ret_texts = texts;
    *ret_count = json_array_size(list);
    return 0;
}

int sb_member_digests(const sb_lock_reader *r, const json_t *object, const char *key, sb_digest **ret_digests,
                      size_t *ret_count, sb_error **err)
{
    sb_slice *texts;
    size_t count;

    if (sb_member_texts(r, object, key, &texts, &count, err) < 0)
        return -1;
    *ret_digests = sb_arena_array(r->lock->arena, sb_digest, count + 1);
    for (size_t i = 0; i < count; i++)
        if (digest_of(r, texts[i], key, &(*ret_digests)[i], err) < 0)
            return -1;
    *ret_count = count;
    return 0;
}

json_t *sb_member_unknown(sb_lock *lock, const json_t *object, const char *const *known)
{
    json_t *extra = NULL, *value;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        bool is_known = false;

        for (size_t i = 0; known[i] && !is_known; i++)
            is_known = strcmp(known[i], key) == 0;
        if (is_known)
            continue;
        if (!extra) {
            extra = json_object();
            json_array_append_new(lock->keep, extra);
        }
        json_object_set(extra, key, value);
    }
    return extra;
}
