// SPDX-License-Identifier: Apache-2.0
/* Packages of languages, in the layouts of their registries. */
#include <lock/purl.h>

static bool is_hex(sb_slice text, size_t len)
{
    return text.len == len && sb_slice_is_hex(text);
}

/* NAME-VERSION behind `name`; absent when it is not. */
static sb_slice version_behind(sb_slice stem, sb_slice name)
{
    return stem.len > name.len + 1 && sb_slice_starts(stem, name) && stem.ptr[name.len] == '-'
               ? sb_slice_sub(stem, name.len + 1, stem.len)
               : SB_NIL;
}

/* [@SCOPE/]NAME/-/NAME-VERSION.tgz; some repeat the scope behind the "-". */
static bool npm(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(url->file, ".tgz"), name, scope, version;
    size_t dash = 1;

    if (!stem.ptr)
        return false;
    if (sb_slice_starts(sb_purl_segment(url, 1), SB_LIT("@")))
        dash = 2;
    if (!sb_slice_eqz(sb_purl_segment(url, dash), "-"))
        return false;
    name = sb_purl_segment(url, dash + 1);
    scope = sb_purl_segment(url, dash + 2);
    version = name.ptr ? version_behind(stem, name) : SB_NIL;
    if (!version.ptr || !sb_purl_is_word(version, ".+-") || !sb_ascii_is_digit(version.ptr[0]))
        return false;
    *ret_purl = (sb_purl){.type = "npm", .name = name, .version = version};
    if (scope.len > 1 && scope.ptr[0] == '@')
        ret_purl->space = scope;
    return true;
}

sb_slice sb_purl_python_name(sb_arena *arena, sb_slice name)
{
    sb_slice lower = sb_arena_lower(arena, name);
    char *out = sb_arena_strdup(arena, lower);
    size_t n = 0;

    for (size_t i = 0; i < lower.len; i++) {
        bool mark = strchr("-_.", lower.ptr[i]) != NULL;

        if (mark && n && out[n - 1] == '-')
            continue;
        out[n++] = mark ? '-' : lower.ptr[i];
    }
    return sb_slice_of(out, n);
}

/* NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl */
static bool wheel(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice rest = sb_purl_stem(url->file, ".whl"), name, version;
    size_t more = 0;

    if (!rest.ptr)
        return false;
    name = sb_slice_cut(&rest, '-');
    version = rest.ptr ? sb_slice_cut(&rest, '-') : SB_NIL;
    for (; rest.ptr; more++)
        sb_slice_cut(&rest, '-');
    if (more < 3 || more > 4 || !sb_purl_is_word(name, "._") || !sb_purl_is_word(version, "._+!"))
        return false;
    *ret_purl = (sb_purl){.type = "pypi", .name = sb_purl_python_name(url->arena, name), .version = version};
    return true;
}

/* NAME-VERSION.tar.gz where an index of Python packages has such: behind a digest, or by the name's first
 * letter. */
static bool sdist(const sb_purl_url *url, sb_purl *ret_purl)
{
    enum { HASH_REST = 60 };
    sb_slice stem = sb_purl_stem(url->file, ".tar.gz");
    bool by_hash = url->count >= 5 && is_hex(sb_purl_segment(url, 1), HASH_REST) &&
                   is_hex(sb_purl_segment(url, 2), 2) && is_hex(sb_purl_segment(url, 3), 2);
    bool by_name = url->count >= 5 && sb_slice_eqz(sb_purl_segment(url, 3), "source") &&
                   sb_purl_segment(url, 2).len == 1;
    bool by_index = url->count >= 5 && sb_slice_eqz(sb_purl_segment(url, 3), "+f");
    ptrdiff_t dash;

    if (!stem.ptr)
        stem = sb_purl_stem(url->file, ".zip");
    dash = sb_slice_rchr(stem, '-');
    if (!stem.ptr || !(by_hash || by_name || by_index) || dash < 1 || (size_t)dash + 1 == stem.len ||
        !sb_ascii_is_digit(stem.ptr[dash + 1]))
        return false;
    *ret_purl = (sb_purl){.type = "pypi",
                          .name = sb_purl_python_name(url->arena, sb_slice_sub(stem, 0, (size_t)dash)),
                          .version = sb_slice_sub(stem, (size_t)dash + 1, stem.len)};
    return true;
}

/* Where a gem's version begins: the first "-" with a digit and a dot behind it, else the last with a digit.
 */
static size_t gem_version(sb_slice stem)
{
    size_t found = 0;

    for (size_t i = 1; i + 1 < stem.len; i++) {
        sb_slice part = sb_slice_sub(stem, i + 1, stem.len), word;

        if (stem.ptr[i] != '-' || !sb_ascii_is_digit(part.ptr[0]))
            continue;
        word = sb_slice_cut(&part, '-');
        if (!sb_purl_is_word(word, "."))
            continue;
        found = i + 1;
        if (sb_slice_chr(word, '.') > 0)
            break;
    }
    return found;
}

/* gems/NAME-VERSION[-PLATFORM].gem */
static bool gem(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(url->file, ".gem"), rest;
    size_t start = stem.ptr ? gem_version(stem) : 0;

    if (!start)
        return false;
    rest = sb_slice_sub(stem, start, stem.len);
    *ret_purl = (sb_purl){.type = "gem", .name = sb_slice_sub(stem, 0, start - 1)};
    ret_purl->version = sb_slice_cut(&rest, '-');
    if (rest.ptr)
        sb_purl_qualify(ret_purl, "platform", rest);
    return sb_purl_is_word(ret_purl->name, "._-");
}

/* Capital letters of a module's path are "!" and the letter; the purl has all in lower case. */
static sb_slice go_text(sb_arena *arena, sb_slice text, bool capitals)
{
    char *out = sb_arena_strdup(arena, text);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '!' || i + 1 == text.len) {
            out[n++] = text.ptr[i];
            continue;
        }
        i++;
        out[n++] = capitals && text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? (char)(text.ptr[i] - 'a' + 'A')
                                                                        : text.ptr[i];
    }
    return sb_slice_of(out, n);
}

/* The module's path may begin anywhere: at the first segment that looks like a host. */
static size_t go_start(const sb_purl_url *url, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (sb_slice_chr(url->segments[i], '.') > 0)
            return i;
    return 0;
}

/* MODULE/@v/VERSION.zip, MODULE/@v/VERSION.mod */
static bool golang(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice version = sb_purl_stem(url->file, ".zip"), mod = sb_purl_stem(url->file, ".mod");
    size_t end;

    if (mod.ptr)
        version = mod;
    if (!version.ptr || url->count < 3 || !sb_slice_eqz(sb_purl_segment(url, 1), "@v"))
        return false;
    end = url->count - 2;
    *ret_purl = (sb_purl){.type = "golang",
                          .name = go_text(url->arena, url->segments[end - 1], false),
                          .version = go_text(url->arena, version, true),
                          .subpath = mod.ptr ? SB_LIT("go.mod") : SB_NIL};
    for (size_t i = go_start(url, end - 1); i + 1 < end; i++) {
        sb_slice part = go_text(url->arena, url->segments[i], false);

        ret_purl->space = ret_purl->space.ptr ? sb_arena_printf(url->arena, "%" SB_FMT "/%" SB_FMT,
                                                                SB_ARG(ret_purl->space), SB_ARG(part))
                                              : part;
    }
    return true;
}

/* crates/NAME/VERSION/download, crates/NAME/NAME-VERSION.crate */
static bool cargo(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(url->file, ".crate"), name, version;

    if (stem.ptr) {
        name = sb_purl_segment(url, 1);
        version = name.ptr ? version_behind(stem, name) : SB_NIL;
    } else {
        if (!sb_slice_eqz(url->file, "download"))
            return false;
        version = sb_purl_segment(url, 1);
        name = sb_purl_segment(url, 2);
        if (!version.ptr || !name.ptr || !sb_ascii_is_digit(version.ptr[0]) || url->count < 3)
            return false;
    }
    if (!version.ptr || !sb_purl_is_word(name, "_-") || !sb_purl_is_word(version, ".+-"))
        return false;
    *ret_purl = (sb_purl){.type = "cargo", .name = name, .version = version};
    return true;
}

/* Where a Maven group begins: at what looks like a domain turned round, else behind the repository's own
 * name. */
static size_t maven_start(const sb_purl_url *url, size_t end)
{
    static const char *const domains[] = {"com", "org", "io", "net",  "dev", "edu",     "gov",   "de",
                                          "uk",  "fr",  "ch", "nl",   "cn",  "me",      "app",   "eu",
                                          "us",  "ru",  "jp", "tech", "ai",  "jakarta", "javax", "info"};
    static const char *const roots[] = {"maven2",    "m2",     "maven",     "releases",
                                        "snapshots", "public", "repository"};

    for (size_t i = 0; i < end; i++)
        for (size_t k = 0; k < SB_COUNT(domains); k++)
            if (sb_slice_eqz(url->segments[i], domains[k]))
                return i;
    for (size_t i = end; i-- > 0;)
        for (size_t k = 0; k < SB_COUNT(roots); k++)
            if (sb_slice_eqz(url->segments[i], roots[k]))
                return i + 1;
    return 0;
}

/* GROUP/ARTIFACT/VERSION/ARTIFACT-VERSION[-CLASSIFIER].jar */
static bool maven(const sb_purl_url *url, sb_purl *ret_purl)
{
    static const char *const kinds[] = {"jar", "war", "aar", "ear", "exe", "zip", "tar.gz"};
    sb_slice artifact = sb_purl_segment(url, 2), version = sb_purl_segment(url, 1), rest;
    const char *kind = NULL;
    size_t start;

    if (url->count < 4)
        return false;
    rest = version_behind(url->file, artifact);
    if (!rest.ptr || !sb_slice_starts(rest, version))
        return false;
    rest = sb_slice_sub(rest, version.len, rest.len);
    for (size_t i = 0; i < SB_COUNT(kinds) && !kind; i++) {
        sb_autofree char *suffix = sb_asprintf(".%s", kinds[i]);

        if (sb_slice_ends(rest, sb_slice_z(suffix)))
            kind = kinds[i];
    }
    if (!kind || (rest.ptr[0] != '-' && rest.ptr[0] != '.'))
        return false;
    start = maven_start(url, url->count - 3);
    if (start == url->count - 3)
        return false;
    *ret_purl =
        (sb_purl){.type = "maven", .name = artifact, .version = version, .space = url->segments[start]};
    for (size_t i = start + 1; i + 3 < url->count; i++)
        ret_purl->space = sb_arena_printf(url->arena, "%" SB_FMT ".%" SB_FMT, SB_ARG(ret_purl->space),
                                          SB_ARG(url->segments[i]));
    rest.len -= strlen(kind) + 1;
    if (rest.len > 1)
        sb_purl_qualify(ret_purl, "classifier", sb_slice_sub(rest, 1, rest.len));
    if (strcmp(kind, "jar") != 0)
        sb_purl_qualify(ret_purl, "type", sb_slice_z(kind));
    return true;
}

/* dists/VENDOR/PACKAGE/VERSION/REFERENCE.zip of a mirror */
static bool composer(const sb_purl_url *url, sb_purl *ret_purl)
{
    if (url->count < 5 || !sb_slice_eqz(sb_purl_segment(url, 4), "dists") ||
        (!sb_purl_stem(url->file, ".zip").ptr && !sb_purl_stem(url->file, ".tar").ptr))
        return false;
    *ret_purl = (sb_purl){.type = "composer",
                          .space = sb_arena_lower(url->arena, sb_purl_segment(url, 3)),
                          .name = sb_arena_lower(url->arena, sb_purl_segment(url, 2)),
                          .version = sb_purl_segment(url, 1)};
    return true;
}

/* ID/VERSION/ID.VERSION.nupkg, package/ID/VERSION */
static bool nuget(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice name = sb_purl_segment(url, 2), version = sb_purl_segment(url, 1);

    if (!sb_purl_stem(url->file, ".nupkg").ptr) {
        if (!sb_slice_eqz(name, "package") || !sb_slice_eqz(sb_purl_segment(url, 3), "v2"))
            return false;
        name = version;
        version = url->file;
    } else if (url->count < 3 || !sb_slice_starts(url->file, name)) {
        return false;
    }
    *ret_purl = (sb_purl){.type = "nuget", .name = name, .version = version};
    return sb_purl_is_word(name, "._-") && sb_purl_is_word(version, ".+-");
}

/* tarballs/NAME-VERSION.tar */
static bool hex(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(url->file, ".tar");
    ptrdiff_t dash = sb_slice_chr(stem, '-');

    if (!stem.ptr || !sb_slice_eqz(sb_purl_segment(url, 1), "tarballs") || dash < 1)
        return false;
    *ret_purl = (sb_purl){.type = "hex",
                          .name = sb_slice_sub(stem, 0, (size_t)dash),
                          .version = sb_slice_sub(stem, (size_t)dash + 1, stem.len)};
    return sb_purl_is_word(ret_purl->name, "_") && sb_purl_is_word(ret_purl->version, ".+-");
}

const sb_purl_recogniser sb_purl_language[] = {npm,   wheel,    sdist, gem, golang, cargo,
                                               maven, composer, nuget, hex, NULL};
