// SPDX-License-Identifier: Apache-2.0
/*
 * git itself follows no redirect, since it would follow it anywhere. Where a repository has moved is found
 * out with our own HTTP, which refuses what leads to this machine or from https to http; git is then told the
 * new place.
 */
#include <fetch/git.h>

#include <sbuild/http.h>

static const char suffix[] = "/info/refs?service=git-upload-pack";

bool sb_git_was_redirected(const sb_git_remote *remote, sb_slice errors)
{
    return sb_slice_starts(remote->scheme, SB_LIT("http")) &&
           sb_slice_find(errors, SB_LIT("The requested URL returned error: 30")) >= 0;
}

int sb_git_remote_follow(sb_arena *arena, const sb_settings *settings, const sb_git_remote *remote,
                         sb_git_remote *ret_remote, sb_slice *ret_pin, sb_error **err)
{
    enum { ANSWER_MAX = 64 << 20 };
    static const char *const headers[] = {"Git-Protocol: version=2", NULL};
    const char *ca = getenv("GIT_SSL_CAINFO");
    const sb_http_tls tls = {.ca_file = sb_slice_z(ca)};
    SB_AUTO(sb_http) http = sb_http_new(settings, NULL);
    sb_autoresponse response = {.status = 0};
    sb_http_request request = {.headers = headers, .max_body = ANSWER_MAX, .tls = ca ? &tls : NULL};
    sb_slice base = remote->url, final;
    sb_git_remote moved;

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    request.url = sb_arena_printf(arena, "%" SB_FMT "%s", SB_ARG(base), suffix);
    if (sb_http_perform(http, &request, &response, err) < 0)
        return sb_wrap(err, "cannot find where %s has moved", remote->shown.ptr);
    final = sb_slice_z(response.final_url);
    if (!sb_slice_ends(final, sb_slice_z(suffix)) || sb_slice_eq(final, request.url))
        return sb_fail(err, SB_ERR_NETWORK, "%s redirects to what is no git repository", remote->shown.ptr);
    final.len -= strlen(suffix);
    if (sb_git_remote_parse(arena, settings, final, &moved, err) < 0 ||
        sb_git_remote_resolve(arena, settings, &moved, ret_pin, err) < 0)
        return sb_wrap(err, "%s has moved", remote->shown.ptr);
    *ret_remote = moved;
    return 0;
}
