// SPDX-License-Identifier: Apache-2.0
#include <fetch/address.h>
#include <fetch/git.h>

#include <sbuild/buf.h>

#include <netdb.h>
#include <netinet/in.h>

static int fail_url(sb_slice url, const char *why, sb_error **err)
{
    sb_slice shown = url;
    ptrdiff_t at = sb_slice_rchr(url, '@');
    sb_autofree char *text = NULL;

    /* What stands before an "@" may be a password. */
    if (at >= 0)
        shown = sb_slice_sub(url, (size_t)at + 1, url.len);
    text = sb_printable(shown);
    return sb_fail(err, SB_ERR_USAGE, "cannot use the git repository \"%s\": %s", text, why);
}

static bool is_scheme(sb_slice s, const char *name)
{
    return sb_slice_eq_nocase(s, sb_slice_z(name));
}

/* Characters that have no place in a URL, and white space, with which a line could be forged. */
static bool has_odd_characters(sb_slice url)
{
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];

        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '`')
            return true;
    }
    return false;
}

static bool is_host(sb_slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
              c == '-' || c == '_' || c == ':'))
            return false;
    }
    return host.len > 0 && host.len < 256 && host.ptr[0] != '-';
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool split_host(sb_slice authority, sb_slice *ret_host, sb_slice *ret_port)
{
    sb_slice host = authority, port = SB_NIL;
    ptrdiff_t end;
    uint64_t n;

    if (authority.len && authority.ptr[0] == '[') {
        end = sb_slice_chr(authority, ']');
        if (end < 0)
            return false;
        host = sb_slice_sub(authority, 1, (size_t)end);
        authority = sb_slice_sub(authority, (size_t)end + 1, authority.len);
        if (authority.len && authority.ptr[0] != ':')
            return false;
        if (authority.len)
            port = sb_slice_sub(authority, 1, authority.len);
    } else if ((end = sb_slice_chr(authority, ':')) >= 0) {
        host = sb_slice_sub(authority, 0, (size_t)end);
        port = sb_slice_sub(authority, (size_t)end + 1, authority.len);
    }
    if (port.ptr && (!sb_slice_to_u64(port, &n) || n == 0 || n > 65535))
        return false;
    *ret_host = host;
    *ret_port = port;
    return true;
}

/* Hosts let a token stand where the user name stands; argument vectors and lock files are no place for one.
 */
static bool is_token(sb_slice user)
{
    static const char *const prefixes[] = {"ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-"};

    for (size_t i = 0; i < SB_COUNT(prefixes); i++)
        if (sb_slice_starts(user, sb_slice_z(prefixes[i])))
            return true;
    return sb_slice_chr(user, ':') >= 0;
}

typedef struct parts {
    sb_slice scheme, user, authority, path;
} parts;

/* "scheme://[user@]authority/path", or ssh's short "[user@]host:path". */
static bool split_url(sb_slice url, parts *ret_parts)
{
    ptrdiff_t colons = sb_slice_find(url, SB_LIT("://"));
    parts p = {.scheme = SB_LIT("ssh"), .user = SB_NIL};
    ptrdiff_t end, at;

    if (colons > 0) {
        p.scheme = sb_slice_sub(url, 0, (size_t)colons);
        url = sb_slice_sub(url, (size_t)colons + 3, url.len);
        end = sb_slice_chr(url, '/');
    } else {
        end = sb_slice_chr(url, ':');
        if (end > 0 && url.ptr[0] == '[')
            end = sb_slice_find(url, SB_LIT("]:")) + 1;
        /* "helper::address" would start a program of that name. */
        if (end <= 0 || sb_slice_starts(sb_slice_sub(url, (size_t)end, url.len), SB_LIT("::")))
            return false;
        if (sb_slice_chr(sb_slice_sub(url, 0, (size_t)end), '/') >= 0)
            return false;
    }
    if (end <= 0)
        return false;
    p.authority = sb_slice_sub(url, 0, (size_t)end);
    p.path = sb_slice_sub(url, (size_t)end + 1, url.len);
    at = sb_slice_rchr(p.authority, '@');
    if (at >= 0) {
        p.user = sb_slice_sub(p.authority, 0, (size_t)at);
        p.authority = sb_slice_sub(p.authority, (size_t)at + 1, p.authority.len);
    }
    *ret_parts = p;
    return true;
}

static int check_scheme(const sb_settings *settings, const parts *p, sb_slice host, sb_slice url,
                        sb_error **err)
{
    if (is_scheme(p->scheme, "https") || is_scheme(p->scheme, "ssh"))
        return 0;
    if (!is_scheme(p->scheme, "http") && !is_scheme(p->scheme, "git"))
        return fail_url(url, "only https and ssh are spoken", err);
    if (!settings || !sb_settings_host_allowed(settings, host))
        return fail_url(
            url,
            "http and git:// are not protected against changes on the way; use https, or add the host to "
            "\"allow-hosts\" in your own configuration",
            err);
    return 0;
}

int sb_git_remote_parse(sb_arena *arena, const sb_settings *settings, sb_slice url, sb_git_remote *ret_remote,
                        sb_error **err)
{
    sb_slice host, port;
    char *scheme;
    parts p;

    if (url.len > SB_GIT_URL_MAX)
        return fail_url(sb_slice_sub(url, 0, 100), "its URL is too long", err);
    if (!url.len || url.ptr[0] == '-' || has_odd_characters(url) || !split_url(url, &p))
        return fail_url(url, "expected https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH", err);
    if (is_token(p.user))
        return fail_url(
            url, "there is a password or a token in its URL; give it to a git credential helper instead",
            err);
    if (sb_slice_starts(p.user, SB_LIT("-")) || !p.path.len || p.path.ptr[0] == '-' ||
        !split_host(p.authority, &host, &port) || !is_host(host))
        return fail_url(url, "expected https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH", err);
    if (check_scheme(settings, &p, host, url, err) < 0)
        return -1;
    scheme = sb_arena_strdup(arena, p.scheme);
    for (char *c = scheme; *c; c++)
        *c = sb_ascii_lower(*c);
    *ret_remote = (sb_git_remote){
        .url = sb_arena_dup(arena, url),
        .scheme = sb_slice_z(scheme),
        .host = sb_arena_dup(arena, host),
        .port = port.ptr ? sb_arena_dup(arena, port) : SB_NIL,
        .shown =
            sb_arena_printf(arena, "%s://%" SB_FMT "/%" SB_FMT, scheme, SB_ARG(p.authority), SB_ARG(p.path)),
    };
    return 0;
}

static void free_addresses(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

static const char *default_port(const sb_git_remote *remote)
{
    return is_scheme(remote->scheme, "https")  ? "443"
           : is_scheme(remote->scheme, "http") ? "80"
           : is_scheme(remote->scheme, "git")  ? "9418"
                                               : "22";
}

int sb_git_remote_resolve(sb_arena *arena, const sb_settings *settings, const sb_git_remote *remote,
                          sb_slice *ret_pin, sb_error **err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    __attribute__((cleanup(free_addresses))) struct addrinfo *list = NULL;
    sb_autobuf pin = SB_BUF_INIT(8192);
    char *host = sb_arena_strdup(arena, remote->host);
    char text[INET6_ADDRSTRLEN];

    *ret_pin = SB_NIL;
    if (settings && sb_settings_host_allowed(settings, remote->host))
        return 0;
    /* Where a proxy resolves names, this machine may not be able to; and git will say so if that is not why.
     */
    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return 0;
    sb_buf_printf(&pin, "%s:%" SB_FMT ":", host,
                  SB_ARG(remote->port.ptr ? remote->port : sb_slice_z(default_port(remote))));
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        if (sb_address_is_local(a->ai_addr))
            return sb_fail(
                err, SB_ERR_NETWORK,
                "refusing to fetch from %s: %s is an address of this machine or its link; add the host to "
                "\"allow-hosts\" in your own configuration if that is meant",
                remote->shown.ptr, host);
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
            sb_buf_printf(&pin, "%s%s", a == list ? "" : ",", text);
    }
    if (!pin.overflow && sb_slice_starts(remote->scheme, SB_LIT("http")) && !strchr(host, ':'))
        *ret_pin = sb_arena_dup(arena, sb_buf_slice(&pin));
    return 0;
}

sb_slice sb_git_relative_url(sb_arena *arena, sb_slice base, sb_slice url)
{
    char sep = '/';

    if (!sb_slice_starts(url, SB_LIT("./")) && !sb_slice_starts(url, SB_LIT("../")))
        return url;
    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    for (;;) {
        if (sb_slice_starts(url, SB_LIT("./"))) {
            url = sb_slice_sub(url, 2, url.len);
        } else if (sb_slice_starts(url, SB_LIT("../"))) {
            ptrdiff_t slash = sb_slice_rchr(base, '/');
            ptrdiff_t colon = sb_slice_rchr(base, ':');
            ptrdiff_t cut = slash > colon ? slash : colon;

            if (cut <= 0)
                break;
            sep = base.ptr[cut];
            base = sb_slice_sub(base, 0, (size_t)cut);
            url = sb_slice_sub(url, 3, url.len);
        } else {
            break;
        }
    }
    return sb_arena_printf(arena, "%" SB_FMT "%c%" SB_FMT, SB_ARG(base), sep, SB_ARG(url));
}
