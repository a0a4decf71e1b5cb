// SPDX-License-Identifier: Apache-2.0
/* What a source of ADD is, and what a git source asks for. */
#include <dockerfile/url.h>

enum { GIT_URL_MAX = 32768 };

typedef struct git_url {
    sb_slice remote;
    sb_slice query;    /* raw, or absent */
    sb_slice fragment; /* or absent */
} git_url;

/* The length of a run of letters, digits and the given others. */
static size_t run_of(sb_slice s, const char *others)
{
    size_t n = 0;

    while (n < s.len && (sb_ascii_is_alnum(s.ptr[n]) || (s.ptr[n] && strchr(others, s.ptr[n]))))
        n++;
    return n;
}

static bool has_bad_escape(sb_slice query)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice out;

    return sb_slice_chr(query, ';') >= 0 || !df_url_unescape(arena, query, true, &out);
}

/* user@host:path?query#fragment */
static bool parse_scp(sb_slice text, git_url *ret_url)
{
    size_t user = run_of(text, "-_"), host;
    sb_slice rest = text;
    ptrdiff_t at;

    if (!user || user >= text.len || text.ptr[user] != '@' || memchr(text.ptr, '\n', text.len))
        return false;
    host = run_of(sb_slice_sub(text, user + 1, text.len), "-.");
    if (!host || user + 1 + host >= text.len || text.ptr[user + 1 + host] != ':')
        return false;
    *ret_url = (git_url){.remote = text, .query = SB_NIL, .fragment = SB_NIL};
    at = sb_slice_chr(rest, '#');
    if (at >= 0) {
        ret_url->fragment = sb_slice_sub(rest, (size_t)at + 1, rest.len);
        rest.len = (size_t)at;
    }
    at = sb_slice_chr(rest, '?');
    if (at >= 0) {
        ret_url->query = sb_slice_sub(rest, (size_t)at + 1, rest.len);
        rest.len = (size_t)at;
    }
    ret_url->remote = rest;
    return !ret_url->query.ptr || !has_bad_escape(ret_url->query);
}

static sb_slice lower_scheme(sb_arena *arena, sb_slice url, size_t scheme_len)
{
    char *out = sb_arena_strdup(arena, url);

    for (size_t i = 0; i < scheme_len; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] + ('a' - 'A'));
    return sb_slice_of(out, url.len);
}

static bool parse_git_url(sb_arena *arena, sb_slice text, git_url *ret_url)
{
    size_t n = run_of(text, "");
    sb_slice scheme = sb_slice_sub(text, 0, n);
    bool http;
    df_url url;

    if (sb_slice_starts(text, SB_LIT("./")) || sb_slice_starts(text, SB_LIT("../")))
        return false;
    if (!n || !sb_slice_starts(sb_slice_sub(text, n, text.len), SB_LIT("://")))
        return parse_scp(text, ret_url);
    http = sb_slice_eq_nocase(scheme, SB_LIT("http")) || sb_slice_eq_nocase(scheme, SB_LIT("https"));
    if (!http && !sb_slice_eq_nocase(scheme, SB_LIT("git")) && !sb_slice_eq_nocase(scheme, SB_LIT("ssh")))
        return false;
    if (!df_url_parse(arena, text, &url) || (http && !sb_slice_ends(url.path, SB_LIT(".git"))))
        return false;
    *ret_url = (git_url){.remote = url.base, .query = url.query, .fragment = url.fragment};
    for (size_t i = 0; i < n; i++) {
        if (scheme.ptr[i] >= 'A' && scheme.ptr[i] <= 'Z') {
            ret_url->remote = lower_scheme(arena, url.base, n);
            break;
        }
    }
    return true;
}

sb_df_source_kind sb_df_source_classify(sb_slice expanded)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    git_url url;

    if (parse_git_url(arena, expanded, &url))
        return SB_SOURCE_GIT;
    if (sb_slice_starts(expanded, SB_LIT("http://")) || sb_slice_starts(expanded, SB_LIT("https://")))
        return SB_SOURCE_HTTP;
    return SB_SOURCE_LOCAL;
}

/* --- What it asks for --- */

enum {
    KEY_REF,
    KEY_TAG,
    KEY_BRANCH,
    KEY_SUBDIR,
    KEY_CHECKSUM,
    KEY_COMMIT,
    KEY_KEEP_GIT_DIR,
    KEY_SUBMODULES,
    KEY_MTIME,
    KEY_FETCH_BY_COMMIT,
    KEYS
};

static const char *const keys[KEYS] = {"ref",    "tag",          "branch",     "subdir", "checksum",
                                       "commit", "keep-git-dir", "submodules", "mtime",  "fetch-by-commit"};

static bool is_switch(size_t key)
{
    return key == KEY_KEEP_GIT_DIR || key == KEY_SUBMODULES || key == KEY_FETCH_BY_COMMIT;
}

static int read_pair(sb_slice key, sb_slice value, sb_slice values[KEYS], sb_error **err)
{
    sb_autofree char *shown = sb_printable(key);

    for (size_t i = 0; i < KEYS; i++) {
        if (!sb_slice_eqz(key, keys[i]))
            continue;
        if (values[i].ptr)
            return sb_fail(err, SB_ERR_PARSE, "query \"%s\" has multiple values", shown);
        if (!value.len && !is_switch(i))
            return sb_fail(err, SB_ERR_PARSE, "query \"%s\" has no value", shown);
        values[i] = value.ptr ? value : SB_LIT("");
        return 0;
    }
    if (!value.len)
        return sb_fail(err, SB_ERR_PARSE, "query \"%s\" has no value", shown);
    return sb_fail(err, SB_ERR_PARSE, "unexpected query \"%s\"", shown);
}

static int read_query(sb_arena *arena, sb_slice query, sb_slice values[KEYS], sb_error **err)
{
    while (query.ptr) {
        sb_slice value = sb_slice_cut(&query, '&'), key;

        /* Go's reader leaves out what it cannot read. */
        if (!value.len || sb_slice_chr(value, ';') >= 0)
            continue;
        key = sb_slice_cut(&value, '=');
        if (!df_url_unescape(arena, key, true, &key) ||
            (value.ptr && !df_url_unescape(arena, value, true, &value)))
            continue;
        if (read_pair(key, value, values, err) < 0)
            return -1;
    }
    return 0;
}

/* -1 for an absent value; anything that Go's ParseBool takes, and nothing at all for true. */
static int read_switch(sb_slice value, const char *name, int *ret_value, sb_error **err)
{
    static const char *const words[] = {"0", "f", "F", "false", "FALSE", "False",
                                        "1", "t", "T", "true",  "TRUE",  "True"};
    sb_autofree char *shown = NULL;

    if (!value.ptr || !value.len) {
        *ret_value = value.ptr ? 1 : -1;
        return 0;
    }
    for (size_t i = 0; i < SB_COUNT(words); i++) {
        if (sb_slice_eqz(value, words[i])) {
            *ret_value = i >= SB_COUNT(words) / 2;
            return 0;
        }
    }
    shown = sb_printable(value);
    return sb_fail(err, SB_ERR_PARSE, "invalid %s value: \"%s\"", name, shown);
}

/* Makes *field the value; an error when something else said otherwise before. */
static int agree(sb_slice *field, const char *what, sb_slice value, sb_error **err)
{
    sb_autofree char *before = NULL, *now = NULL;

    if (!value.ptr)
        return 0;
    if (field->len && !sb_slice_eq(*field, value)) {
        before = sb_printable(*field);
        now = sb_printable(value);
        return sb_fail(err, SB_ERR_PARSE, "%s conflicts: \"%s\" vs \"%s\"", what, before, now);
    }
    *field = value;
    return 0;
}

static sb_slice with_prefix(sb_arena *arena, const char *prefix, sb_slice name)
{
    if (!name.ptr || sb_slice_starts(name, sb_slice_z(prefix)))
        return name;
    return sb_arena_printf(arena, "%s%" SB_FMT, prefix, SB_ARG(name));
}

/* Relative, without "." and "..": it cannot lead out of the repository. Absent for the root. */
static sb_slice clean_subdir(sb_arena *arena, sb_slice subdir)
{
    char *out;
    size_t len = 0;

    if (!subdir.ptr)
        return SB_NIL;
    out = sb_arena_alloc(arena, subdir.len + 1);
    while (subdir.ptr) {
        sb_slice part = sb_slice_cut(&subdir, '/');

        if (!part.len || sb_slice_eqz(part, "."))
            continue;
        if (sb_slice_eqz(part, "..")) {
            while (len && out[--len] != '/')
                continue;
            continue;
        }
        if (len)
            out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
    }
    return len ? sb_slice_of(out, len) : SB_NIL;
}

static int apply(sb_arena *arena, sb_slice values[KEYS], sb_df_git_source *source, sb_error **err)
{
    int by_commit;

    if (agree(&source->ref, "ref", values[KEY_REF], err) < 0 ||
        agree(&source->subdir, "subdir", values[KEY_SUBDIR], err) < 0 ||
        agree(&source->checksum, "checksum", values[KEY_CHECKSUM], err) < 0 ||
        agree(&source->checksum, "checksum", values[KEY_COMMIT], err) < 0 ||
        read_switch(values[KEY_KEEP_GIT_DIR], keys[KEY_KEEP_GIT_DIR], &source->keep_git_dir, err) < 0 ||
        read_switch(values[KEY_SUBMODULES], keys[KEY_SUBMODULES], &source->submodules, err) < 0 ||
        read_switch(values[KEY_FETCH_BY_COMMIT], keys[KEY_FETCH_BY_COMMIT], &by_commit, err) < 0 ||
        agree(&source->ref, "ref", with_prefix(arena, "refs/tags/", values[KEY_TAG]), err) < 0)
        return -1;
    if (values[KEY_TAG].ptr && values[KEY_BRANCH].ptr)
        return sb_fail(err, SB_ERR_PARSE, "branch conflicts with tag");
    if (values[KEY_MTIME].ptr && !sb_slice_eqz(values[KEY_MTIME], "checkout") &&
        !sb_slice_eqz(values[KEY_MTIME], "commit")) {
        sb_autofree char *shown = sb_printable(values[KEY_MTIME]);

        return sb_fail(err, SB_ERR_PARSE, "invalid mtime value: \"%s\" (must be \"checkout\" or \"commit\")",
                       shown);
    }
    return agree(&source->ref, "ref", with_prefix(arena, "refs/heads/", values[KEY_BRANCH]), err);
}

int sb_df_git_source_parse(sb_arena *arena, sb_slice expanded, sb_df_git_source *ret_source, sb_error **err)
{
    sb_df_git_source source = {.keep_git_dir = -1, .submodules = -1};
    sb_autofree char *shown = sb_printable(expanded);
    sb_slice values[KEYS] = {{NULL, 0}}, rest;
    git_url url;

    if (expanded.len > GIT_URL_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "a git URL is longer than the maximum of %d bytes", GIT_URL_MAX);
    /* The old form of build contexts. */
    if (sb_slice_starts(expanded, SB_LIT("github.com/")))
        expanded = sb_arena_printf(arena, "https://%" SB_FMT, SB_ARG(expanded));
    if (!parse_git_url(arena, expanded, &url))
        return sb_fail(err, SB_ERR_PARSE, "%s is no git repository; its URL must end in .git", shown);
    source.remote = sb_arena_dup(arena, url.remote);
    if (url.fragment.len) {
        rest = url.fragment;
        source.ref = sb_slice_cut(&rest, ':');
        source.subdir = clean_subdir(arena, rest);
        if (!source.ref.len)
            source.ref = SB_NIL;
    }
    if (read_query(arena, url.query, values, err) < 0 || apply(arena, values, &source, err) < 0)
        return sb_wrap(err, "%s", shown);
    source.subdir = clean_subdir(arena, source.subdir);
    *ret_source = source;
    return 0;
}
