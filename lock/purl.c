// SPDX-License-Identifier: Apache-2.0
#include <lock/purl.h>

#include <stdlib.h>

#include <sbuild/buf.h>

enum { PURL_MAX = 4096 };

/* Percent-encoding as the purl specification has it; "/" stays where a part has several segments. */
static void add_encoded(sb_buf *out, sb_slice text, const char *keep)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (sb_ascii_is_alnum(c) || (c && (strchr(".-_~:", c) || strchr(keep, c))))
            sb_buf_addc(out, c);
        else
            sb_buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

void sb_purl_qualify(sb_purl *purl, const char *key, sb_slice value)
{
    size_t i = 0;

    while (i < SB_PURL_QUALIFIERS && purl->qualifiers[i].value.len)
        i++;
    if (i == SB_PURL_QUALIFIERS || !value.len)
        return;
    purl->qualifiers[i].key = key;
    purl->qualifiers[i].value = value;
}

static void add_qualifiers(sb_buf *out, const sb_purl *purl)
{
    const char *last = "";
    char before = '?';

    /* Sorted by key; there are a few at the most. */
    for (;;) {
        size_t best = SB_PURL_QUALIFIERS;

        for (size_t i = 0; i < SB_PURL_QUALIFIERS; i++)
            if (purl->qualifiers[i].value.len && strcmp(purl->qualifiers[i].key, last) > 0 &&
                (best == SB_PURL_QUALIFIERS ||
                 strcmp(purl->qualifiers[i].key, purl->qualifiers[best].key) < 0))
                best = i;
        if (best == SB_PURL_QUALIFIERS)
            return;
        last = purl->qualifiers[best].key;
        sb_buf_printf(out, "%c%s=", before, last);
        add_encoded(out, purl->qualifiers[best].value, "/");
        before = '&';
    }
}

sb_slice sb_purl_format(sb_arena *arena, const sb_purl *purl)
{
    sb_autobuf out = SB_BUF_INIT(PURL_MAX);

    sb_buf_printf(&out, "pkg:%s/", purl->type);
    if (purl->space.len) {
        add_encoded(&out, purl->space, "/");
        sb_buf_addc(&out, '/');
    }
    add_encoded(&out, purl->name, "");
    if (purl->version.len) {
        sb_buf_addc(&out, '@');
        add_encoded(&out, purl->version, "");
    }
    add_qualifiers(&out, purl);
    if (purl->subpath.len) {
        sb_buf_addc(&out, '#');
        add_encoded(&out, purl->subpath, "/");
    }
    return out.overflow ? SB_NIL : sb_arena_dup(arena, sb_buf_slice(&out));
}

static sb_slice decoded(sb_arena *arena, sb_slice text)
{
    char *out = sb_arena_strdup(arena, text);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool hex = text.ptr[i] == '%' && i + 2 < text.len && sb_hex_value(text.ptr[i + 1]) >= 0 &&
                   sb_hex_value(text.ptr[i + 2]) >= 0;

        out[n++] =
            hex ? (char)(sb_hex_value(text.ptr[i + 1]) * 16 + sb_hex_value(text.ptr[i + 2])) : text.ptr[i];
        i += hex ? 2 : 0;
    }
    return sb_slice_of(out, n);
}

void sb_purl_parts(sb_arena *arena, sb_slice text, sb_slice *ret_kind, sb_slice *ret_name,
                   sb_slice *ret_version)
{
    sb_slice rest = text, path, tail, name;
    ptrdiff_t end, at, slash;

    *ret_kind = *ret_name = *ret_version = SB_LIT("");
    if (!sb_slice_starts(rest, SB_LIT("pkg:")))
        return;
    for (end = 0; (size_t)end < rest.len && !strchr("?#", rest.ptr[end]);)
        end++;
    path = sb_slice_sub(rest, strlen("pkg:"), (size_t)end);
    tail = sb_slice_sub(rest, (size_t)end, rest.len);
    at = sb_slice_rchr(path, '@');
    if (at > 0) {
        *ret_version = decoded(arena, sb_slice_sub(path, (size_t)at + 1, path.len));
        path.len = (size_t)at;
    }
    slash = sb_slice_chr(path, '/');
    name = slash < 0 ? path : sb_slice_sub(path, (size_t)slash + 1, path.len);
    /* A distribution's name says nothing that the others do not. */
    if (sb_slice_starts(path, SB_LIT("deb/")) || sb_slice_starts(path, SB_LIT("apk/")) ||
        sb_slice_starts(path, SB_LIT("rpm/")))
        name = sb_path_last(path);
    *ret_name = decoded(arena, name);
    *ret_kind = sb_arena_printf(arena, "%" SB_FMT "%" SB_FMT, SB_ARG(path), SB_ARG(tail));
}
