// SPDX-License-Identifier: Apache-2.0
/*
 * Token end points hand out secrets, and others each time. What is recorded is the same object without them:
 * a client is content with any token, since what it asks for with it is answered from the lock.
 */
#include <sbuild/json.h>
#include <sbuild/step.h>

enum { TOKEN_ANSWER_MAX = 64 << 10 };

static const char *const secrets[] = {"token", "access_token", "refresh_token", "id_token"};
/* Members that tell when: another time with each answer, and sooner or later in the past. */
static const char *const times[] = {"issued_at", "expires_at", "expires_on", "not_before", "created_at"};

/* Registries say "token", which other documents have as well: there the URL has to agree. */
static bool looks_like_end_point(sb_slice url)
{
    static const char *const marks[] = {
        "/token", "/auth", "/oauth", "service=", "scope=", "/login", "/session"};

    for (size_t i = 0; i < SB_COUNT(marks); i++)
        if (sb_slice_find(url, sb_slice_z(marks[i])) >= 0)
            return true;
    return false;
}

bool sb_step_is_token_answer(sb_slice url, sb_slice body, sb_arena *arena, sb_slice *ret_body)
{
    sb_autojson *json = NULL;
    sb_autobuf out = SB_BUF_INIT(2 * TOKEN_ANSWER_MAX);
    bool has_token;

    if (body.len > TOKEN_ANSWER_MAX || !sb_slice_starts(sb_slice_trim(body), SB_LIT("{")) ||
        sb_json_parse(body, "answer", &json, NULL) < 0)
        return false;
    has_token = json_is_string(json_object_get(json, "access_token")) ||
                (json_is_string(json_object_get(json, "token")) && looks_like_end_point(url));
    if (!has_token)
        return false;
    for (size_t i = 0; i < SB_COUNT(secrets); i++)
        if (json_object_get(json, secrets[i]))
            json_object_set_new(json, secrets[i], json_string("-"));
    for (size_t i = 0; i < SB_COUNT(times); i++)
        json_object_del(json, times[i]);
    if (sb_json_write(json, &out, NULL) < 0 || out.overflow)
        return false;
    *ret_body = sb_arena_dup(arena, sb_buf_slice(&out));
    return true;
}
