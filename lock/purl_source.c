// SPDX-License-Identifier: Apache-2.0
/* Releases, archives of source trees and git repositories, as forges have them. */
#include <lock/purl.h>

static bool is_github(const sb_purl_url *url)
{
    return sb_slice_find(url->host, SB_LIT("github")) >= 0;
}

static void of_repository(const sb_purl_url *url, sb_slice owner, sb_slice name, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(name, ".git");

    *ret_purl = (sb_purl){.type = is_github(url)                                       ? "github"
                                  : sb_slice_find(url->host, SB_LIT("gitlab")) >= 0    ? "gitlab"
                                  : sb_slice_find(url->host, SB_LIT("bitbucket")) >= 0 ? "bitbucket"
                                                                                       : "generic",
                          .space = sb_arena_lower(url->arena, owner),
                          .name = sb_arena_lower(url->arena, stem.ptr ? stem : name)};
}

/* OWNER/REPO/releases/download/TAG/FILE */
static bool release(const sb_purl_url *url, sb_purl *ret_purl)
{
    if (url->count != 6 || !sb_slice_eqz(url->segments[2], "releases") ||
        !sb_slice_eqz(url->segments[3], "download"))
        return false;
    of_repository(url, url->segments[0], url->segments[1], ret_purl);
    ret_purl->version = url->segments[4];
    sb_purl_qualify(ret_purl, "file_name", url->file);
    return true;
}

static sb_slice joined(const sb_purl_url *url, size_t from, size_t to)
{
    sb_slice text = SB_LIT("");

    for (size_t i = from; i < to; i++)
        text = i == from ? url->segments[i]
                         : sb_arena_printf(url->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(text),
                                           SB_ARG(url->segments[i]));
    return text;
}

/* "refs/tags/v1" is v1; "refs/heads/main.tar.gz" is main. */
static sb_slice plain_ref(sb_slice ref)
{
    static const char *const suffixes[] = {".tar.gz", ".zip", ".tgz"};
    static const char *const prefixes[] = {"refs/tags/", "refs/heads/"};

    for (size_t i = 0; i < SB_COUNT(suffixes); i++)
        if (sb_purl_stem(ref, suffixes[i]).ptr)
            ref = sb_purl_stem(ref, suffixes[i]);
    for (size_t i = 0; i < SB_COUNT(prefixes); i++)
        if (sb_slice_starts(ref, sb_slice_z(prefixes[i])))
            ref = sb_slice_sub(ref, strlen(prefixes[i]), ref.len);
    return ref;
}

/* OWNER/REPO/archive/REF.tar.gz, OWNER/REPO/archive/refs/tags/REF.zip */
static bool archive(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice ref;

    if (url->count < 4 || !sb_slice_eqz(url->segments[2], "archive"))
        return false;
    ref = joined(url, 3, url->count);
    if (sb_slice_eq(plain_ref(ref), ref))
        return false;
    of_repository(url, url->segments[0], url->segments[1], ret_purl);
    ret_purl->version = plain_ref(ref);
    return true;
}

/* codeload: OWNER/REPO/tar.gz/REF, OWNER/REPO/legacy.zip/refs/tags/REF; the API: repos/OWNER/REPO/tarball/REF
 */
static bool tarball(const sb_purl_url *url, sb_purl *ret_purl)
{
    static const char *const kinds[] = {"tar.gz", "zip", "legacy.tar.gz", "legacy.zip", "tarball", "zipball"};
    size_t first = url->count > 4 && sb_slice_eqz(url->segments[0], "repos") ? 1 : 0;
    bool known = false;

    if (!is_github(url) || url->count < first + 4)
        return false;
    for (size_t i = 0; i < SB_COUNT(kinds) && !known; i++)
        known = sb_slice_eqz(url->segments[first + 2], kinds[i]);
    if (!known)
        return false;
    of_repository(url, url->segments[first], url->segments[first + 1], ret_purl);
    ret_purl->version = plain_ref(joined(url, first + 3, url->count));
    return true;
}

/* A file at a commit: raw.HOST/OWNER/REPO/REF/PATH, HOST/OWNER/REPO/raw/REF/PATH */
static bool raw_file(const sb_purl_url *url, sb_purl *ret_purl)
{
    bool raw_host = sb_slice_starts(url->host, SB_LIT("raw."));
    size_t ref = raw_host ? 2 : 3;

    if (!is_github(url) || url->count < ref + 2 || (!raw_host && !sb_slice_eqz(url->segments[2], "raw")))
        return false;
    if (sb_slice_eqz(url->segments[ref], "refs") && url->count > ref + 3)
        ref += 2;
    of_repository(url, url->segments[0], url->segments[1], ret_purl);
    ret_purl->version = url->segments[ref];
    ret_purl->subpath = joined(url, ref + 1, url->count);
    return true;
}

/* GROUP/…/REPO/-/archive/REF/REPO-REF.tar.gz */
static bool gitlab_archive(const sb_purl_url *url, sb_purl *ret_purl)
{
    for (size_t i = 2; i + 3 < url->count; i++) {
        if (!sb_slice_eqz(url->segments[i], "-") || !sb_slice_eqz(url->segments[i + 1], "archive"))
            continue;
        of_repository(url, joined(url, 0, i - 1), url->segments[i - 1], ret_purl);
        ret_purl->version = joined(url, i + 2, url->count - 1);
        return true;
    }
    return false;
}

/* PATH/REPO/git-upload-pack: the answer holds the objects. Which commit was asked for, the URL does not say.
 */
static bool git(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice suffix = SB_LIT("/git-upload-pack");

    if (url->count < 2 || url->query.ptr || !sb_slice_ends(url->url, suffix))
        return false;
    of_repository(url, joined(url, 0, url->count - 2), url->segments[url->count - 2], ret_purl);
    if (strcmp(ret_purl->type, "generic") == 0)
        sb_purl_qualify(ret_purl, "vcs_url",
                        sb_arena_printf(url->arena, "git+%" SB_FMT,
                                        SB_ARG(sb_slice_sub(url->url, 0, url->url.len - suffix.len))));
    return true;
}

/* ORG/REPO/resolve/REVISION/PATH of a hub of models */
static bool model(const sb_purl_url *url, sb_purl *ret_purl)
{
    if (url->count < 5 || !sb_slice_eqz(url->segments[2], "resolve"))
        return false;
    *ret_purl = (sb_purl){.type = "huggingface",
                          .space = url->segments[0],
                          .name = url->segments[1],
                          .version = sb_arena_lower(url->arena, url->segments[3]),
                          .subpath = joined(url, 4, url->count)};
    return true;
}

const sb_purl_recogniser sb_purl_source[] = {release,        archive, tarball, raw_file,
                                             gitlab_archive, git,     model,   NULL};
