// SPDX-License-Identifier: Apache-2.0
#include <fetch/challenge.h>

#include <sbuild/buf.h>

enum { PARAMETER_MAX = 8192 };

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && memchr("!#$%&'*+-.^_`|~", c, 15));
}

static void skip(sb_slice *s, const char *what)
{
    while (s->len && memchr(what, s->ptr[0], strlen(what)))
        *s = sb_slice_sub(*s, 1, s->len);
}

static sb_slice take_token(sb_slice *s)
{
    size_t n = 0;
    sb_slice token;

    while (n < s->len && is_token_char(s->ptr[n]))
        n++;
    token = sb_slice_sub(*s, 0, n);
    *s = sb_slice_sub(*s, n, s->len);
    return token;
}

/* At a quote. False when it has no end. */
static bool take_quoted(sb_arena *arena, sb_slice *s, sb_slice *ret_value)
{
    sb_autobuf value = SB_BUF_INIT(PARAMETER_MAX);
    size_t i = 1;

    for (; i < s->len && s->ptr[i] != '"'; i++) {
        if (s->ptr[i] == '\\' && i + 1 < s->len)
            i++;
        if ((unsigned char)s->ptr[i] < ' ' && s->ptr[i] != '\t')
            return false;
        if (!sb_buf_addc(&value, s->ptr[i]))
            return false;
    }
    if (i >= s->len)
        return false;
    *ret_value = sb_arena_dup(arena, sb_slice_of(value.data ? value.data : "", value.len));
    *s = sb_slice_sub(*s, i + 1, s->len);
    return true;
}

static void set_parameter(sb_challenge *challenge, sb_slice name, sb_slice value)
{
    struct {
        const char *name;
        sb_slice *member;
    } known[] = {{"realm", &challenge->realm},
                 {"service", &challenge->service},
                 {"scope", &challenge->scope},
                 {"error", &challenge->error}};

    for (size_t i = 0; i < SB_COUNT(known); i++)
        if (!known[i].member->ptr && sb_slice_eq_nocase(name, sb_slice_z(known[i].name)))
            *known[i].member = value;
}

/* "=" and a value behind a name. False when there is none: the name was a scheme, or a token68. */
static bool take_parameter(sb_arena *arena, sb_slice name, sb_slice *rest, sb_challenge *challenge)
{
    sb_slice s = *rest, value = SB_NIL;

    skip(&s, " \t");
    if (!s.len || s.ptr[0] != '=')
        return false;
    s = sb_slice_sub(s, 1, s.len);
    skip(&s, " \t");
    if (s.len && s.ptr[0] == '"') {
        if (!take_quoted(arena, &s, &value))
            return false;
    } else {
        /* Some send URLs without quotes. */
        size_t n = 0;

        while (n < s.len && s.ptr[n] != ',' && (unsigned char)s.ptr[n] > ' ')
            n++;
        value = sb_arena_dup(arena, sb_slice_sub(s, 0, n));
        s = sb_slice_sub(s, n, s.len);
    }
    set_parameter(challenge, name, value);
    *rest = s;
    return true;
}

size_t sb_challenges_parse(sb_arena *arena, sb_slice value, sb_challenge list[SB_CHALLENGES_MAX],
                           size_t count)
{
    sb_slice rest = value;
    sb_challenge *current = NULL;

    for (;;) {
        sb_slice token;

        skip(&rest, " \t,");
        token = take_token(&rest);
        if (!token.len)
            return count;
        if (current && take_parameter(arena, token, &rest, current))
            continue;
        /* Not followed by "=": the next challenge's scheme, with a token68 or parameters behind it. */
        if (rest.len && rest.ptr[0] != ' ' && rest.ptr[0] != '\t' && rest.ptr[0] != ',')
            return count;
        if (count >= SB_CHALLENGES_MAX)
            return count;
        current = &list[count++];
        *current = (sb_challenge){.scheme = sb_arena_dup(arena, token)};
    }
}

size_t sb_challenges_of(sb_arena *arena, const sb_http_response *response,
                        sb_challenge list[SB_CHALLENGES_MAX])
{
    size_t count = 0;

    for (unsigned n = 0; n < SB_CHALLENGES_MAX; n++) {
        sb_slice value = sb_http_header(response, "WWW-Authenticate", n);

        if (!value.ptr)
            break;
        count = sb_challenges_parse(arena, value, list, count);
    }
    return count;
}
