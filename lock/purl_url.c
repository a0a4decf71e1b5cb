// SPDX-License-Identifier: Apache-2.0
#include <lock/purl.h>

#include <sbuild/http.h>

sb_slice sb_purl_segment(const sb_purl_url *url, size_t back)
{
    return back < url->count ? url->segments[url->count - 1 - back] : SB_NIL;
}

sb_slice sb_purl_stem(sb_slice name, const char *suffix)
{
    sb_slice end = sb_slice_z(suffix);

    return name.len > end.len && sb_slice_ends(name, end) ? sb_slice_sub(name, 0, name.len - end.len)
                                                          : SB_NIL;
}

bool sb_purl_is_word(sb_slice text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!(sb_ascii_is_alnum(c) || (c && strchr(more, c))))
            return false;
    }
    return text.len > 0;
}

static sb_slice decode(sb_arena *arena, sb_slice segment)
{
    char *out;
    size_t n = 0;

    if (sb_slice_chr(segment, '%') < 0)
        return segment;
    out = sb_arena_strdup(arena, segment);
    for (size_t i = 0; i < segment.len; i++, n++) {
        int high = i + 2 < segment.len ? sb_hex_value(segment.ptr[i + 1]) : -1;
        int low = i + 2 < segment.len ? sb_hex_value(segment.ptr[i + 2]) : -1;

        if (segment.ptr[i] == '%' && high >= 0 && low >= 0) {
            out[n] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n] = segment.ptr[i];
        }
    }
    return sb_slice_of(out, n);
}

/* Nothing comes of a path that could be misread later: control characters, dot segments. */
static bool is_clean(sb_slice segment)
{
    for (size_t i = 0; i < segment.len; i++)
        if ((unsigned char)segment.ptr[i] <= ' ' || (unsigned char)segment.ptr[i] >= 0x7f)
            return false;
    return !sb_slice_eqz(segment, ".") && !sb_slice_eqz(segment, "..");
}

static bool split(sb_arena *arena, sb_slice url, sb_purl_url *ret_url)
{
    ptrdiff_t scheme = sb_slice_find(url, SB_LIT("://"));
    sb_slice path;

    *ret_url = (sb_purl_url){.arena = arena, .url = url};
    if (scheme < 0)
        return false;
    path = sb_slice_sub(url, (size_t)scheme + 3, url.len);
    ret_url->host = sb_slice_cut(&path, '/');
    if (!path.ptr)
        return false;
    ret_url->query = path;
    path = sb_slice_cut(&ret_url->query, '?');
    while (path.ptr) {
        sb_slice raw = sb_slice_cut(&path, '/');
        /* "@scope%2fname" is two segments, wherever it stands. */
        sb_slice rest = decode(arena, raw);

        while (rest.ptr) {
            sb_slice segment = sb_slice_cut(&rest, '/');

            if (!segment.len)
                continue;
            if (ret_url->count == SB_PURL_SEGMENTS || !is_clean(segment))
                return false;
            ret_url->segments[ret_url->count++] = segment;
        }
    }
    ret_url->file = ret_url->count ? ret_url->segments[ret_url->count - 1] : SB_LIT("");
    return ret_url->count > 0;
}

sb_slice sb_purl_file(sb_arena *arena, sb_slice url)
{
    sb_slice path = sb_slice_cut(&url, '?');

    return decode(arena, sb_path_last(path));
}

bool sb_purl_of_url(sb_arena *arena, sb_slice url, sb_purl *ret_purl)
{
    const sb_purl_recogniser *const tables[] = {sb_purl_source, sb_purl_system, sb_purl_language};
    sb_purl_url parts;

    if (!split(arena, url, &parts))
        return false;
    for (size_t t = 0; t < SB_COUNT(tables); t++) {
        for (size_t i = 0; tables[t][i]; i++) {
            sb_purl purl = {0};

            if (!tables[t][i](&parts, &purl))
                continue;
            *ret_purl = purl;
            return true;
        }
    }
    return false;
}
