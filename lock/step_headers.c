// SPDX-License-Identifier: Apache-2.0
/*
 * Which headers belong to a recording. Of a request: what changes the answer of servers that package managers
 * talk to. Of an answer: what clients act on and what is the same each time. Never what is a secret, what
 * frames a message (the server in the step does that itself), or what tells one answer from another of the
 * same bytes (Date, Age, ids of requests and caches). The second list may grow, but what is in it stays:
 * manifests of years ago are read by it.
 */
#include <sbuild/step.h>
#include <sbuild/utf8.h>

static bool is_one_of(sb_slice name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eqz(name, names[i]))
            return true;
    return false;
}

bool sb_step_wants_header(sb_slice name)
{
    static const char *const names[] = {"accept", "content-type", "git-protocol"};

    return is_one_of(name, names, SB_COUNT(names));
}

bool sb_step_keeps_header(sb_slice name)
{
    static const char *const names[] = {
        "accept-ranges",
        "cache-control",
        "content-digest",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-location",
        "content-md5",
        "content-type",
        "digest",
        "docker-content-digest",
        "docker-distribution-api-version",
        "etag",
        "last-modified",
        "link",
        "location",
        "repr-digest",
        "vary",
        "www-authenticate",
        "x-goog-hash",
        /* of model hubs: their clients refuse an answer without */
        "x-linked-etag",
        "x-linked-size",
        "x-repo-commit",
    };
    static const char *const prefixes[] = {"x-checksum-", "x-amz-checksum-"};

    for (size_t i = 0; i < SB_COUNT(prefixes); i++)
        if (sb_slice_starts(name, sb_slice_z(prefixes[i])))
            return true;
    return is_one_of(name, names, SB_COUNT(names));
}

/* `<URL>; rel="next", <URL>; …` */
static sb_slice strip_links(sb_arena *arena, sb_slice value)
{
    sb_autobuf out = SB_BUF_INIT(SB_STEP_HEADERS_MAX);
    sb_slice rest = value;

    while (rest.len) {
        ptrdiff_t open = sb_slice_chr(rest, '<'), close = sb_slice_chr(rest, '>');

        if (open < 0 || close < open)
            break;
        sb_buf_adds(&out, sb_slice_sub(rest, 0, (size_t)open + 1));
        sb_buf_adds(&out, sb_step_strip_secrets(arena, sb_slice_sub(rest, (size_t)open + 1, (size_t)close)));
        rest = sb_slice_sub(rest, (size_t)close, rest.len);
        /* The ">" itself, so that the next search starts behind it. */
        sb_buf_addc(&out, '>');
        rest = sb_slice_sub(rest, 1, rest.len);
    }
    sb_buf_adds(&out, rest);
    return out.overflow ? SB_LIT("") : sb_arena_dup(arena, sb_buf_slice(&out));
}

/* Can JSON hold it, and may a server send it? */
static bool is_clean(sb_slice value)
{
    for (size_t i = 0; i < value.len;) {
        uint32_t c;
        size_t n = sb_utf8_decode(value.ptr + i, value.len - i, &c);

        if (!n || (c < ' ' && c != '\t') || c == 0x7f)
            return false;
        i += n;
    }
    return true;
}

sb_slice sb_step_header_value(sb_arena *arena, sb_slice name, sb_slice value)
{
    if (!is_clean(value))
        return SB_NIL;
    if (sb_slice_eqz(name, "location") || sb_slice_eqz(name, "content-location"))
        return sb_step_strip_secrets(arena, value);
    return sb_slice_eqz(name, "link") ? strip_links(arena, value) : value;
}
