// SPDX-License-Identifier: Apache-2.0
#include <fetch/url.h>

#include <sbuild/buf.h>
#include <sbuild/http.h>

#include <curl/curl.h>

static void free_handle(CURLU **handle)
{
    curl_url_cleanup(*handle);
}
#define autohandle __attribute__((cleanup(free_handle))) CURLU

void sb_url_clear(sb_url *url)
{
    free(url->text);
    free(url->user);
    free(url->secret);
    free(url->host);
    *url = (sb_url){0};
}

/* A part as a string of ours, or NULL. */
static char *part(CURLU *handle, CURLUPart what, unsigned flags)
{
    char *theirs = NULL, *ours;

    if (curl_url_get(handle, what, &theirs, flags) != CURLUE_OK || !theirs)
        return NULL;
    ours = sb_strdup(theirs);
    curl_free(theirs);
    return ours;
}

static int fail_url(sb_slice text, const char *why, sb_error **err)
{
    sb_autofree char *shown = sb_url_shown(text);

    return sb_fail(err, SB_ERR_USAGE, "cannot use the URL \"%s\": %s", shown, why);
}

/* A host name that ends in one dot is the same host. */
static char *plain_host(char *host)
{
    size_t len = strlen(host);

    for (char *c = host; *c; c++)
        *c = sb_ascii_lower(*c);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        memmove(host, host + 1, len - 2);
        host[len - 2] = '\0';
    } else if (len > 1 && host[len - 1] == '.') {
        host[len - 1] = '\0';
    }
    return host;
}

static int read_parts(CURLU *handle, sb_slice text, sb_url *ret_url, sb_error **err)
{
    sb_autourl url = {0};
    sb_autofree char *scheme = part(handle, CURLUPART_SCHEME, 0);
    sb_autofree char *port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    uint64_t number;

    if (!scheme || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        return fail_url(text, "only http and https are spoken", err);
    url.https = strcmp(scheme, "https") == 0;
    url.user = part(handle, CURLUPART_USER, CURLU_URLDECODE);
    url.secret = part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
    curl_url_set(handle, CURLUPART_USER, NULL, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    url.host = part(handle, CURLUPART_HOST, 0);
    url.text = part(handle, CURLUPART_URL, 0);
    if (!url.host || !*url.host || !url.text || !port || !sb_slice_to_u64(sb_slice_z(port), &number) ||
        !number || number > 65535)
        return fail_url(text, "it has no host, or no valid port", err);
    plain_host(url.host);
    url.port = (unsigned)number;
    *ret_url = url;
    url = (sb_url){0};
    return 0;
}

/* White space and control characters could forge a line of the request; curl encodes what else is odd. */
static bool has_odd_characters(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static int set_url(CURLU *handle, sb_slice text, sb_error **err)
{
    sb_autofree char *z = NULL;
    CURLUcode code;

    if (text.len > SB_URL_MAX)
        return fail_url(sb_slice_sub(text, 0, 100), "it is too long", err);
    if (has_odd_characters(text))
        return fail_url(text, "there is white space or a control character in it", err);
    z = sb_slice_dup(text);
    code = curl_url_set(handle, CURLUPART_URL, z, CURLU_URLENCODE);
    return code == CURLUE_OK ? 0 : fail_url(text, curl_url_strerror(code), err);
}

static CURLU *new_handle(void)
{
    return sb_not_null(curl_url());
}

int sb_url_parse(sb_slice text, sb_url *ret_url, sb_error **err)
{
    autohandle *handle = new_handle();

    if (set_url(handle, text, err) < 0)
        return -1;
    return read_parts(handle, text, ret_url, err);
}

int sb_url_follow(const sb_url *base, sb_slice location, sb_url *ret_url, sb_error **err)
{
    autohandle *handle = new_handle();
    sb_autourl next = {0};

    if (set_url(handle, sb_slice_z(base->text), err) < 0 || set_url(handle, location, err) < 0 ||
        read_parts(handle, location, &next, err) < 0)
        return -1;
    if (!next.user && base->user && sb_url_same_origin(base, &next)) {
        next.user = sb_strdup(base->user);
        next.secret = base->secret ? sb_strdup(base->secret) : NULL;
    }
    *ret_url = next;
    next = (sb_url){0};
    return 0;
}

bool sb_url_same_origin(const sb_url *a, const sb_url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

char *sb_url_escape(sb_slice text)
{
    sb_autobuf out = SB_BUF_INIT(SIZE_MAX);

    sb_buf_addz(&out, "");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            memchr("-._~", c, 4))
            sb_buf_addc(&out, (char)c);
        else
            sb_buf_printf(&out, "%%%02X", c);
    }
    return sb_buf_take(&out);
}

/* What stands between "://" and the path. */
static sb_slice authority(sb_slice url, size_t *ret_start)
{
    ptrdiff_t colons = sb_slice_find(url, SB_LIT("://"));
    size_t start = colons < 0 ? 0 : (size_t)colons + 3, end = start;

    if (colons < 0)
        return SB_NIL;
    while (end < url.len && !memchr("/?#", url.ptr[end], 3))
        end++;
    *ret_start = start;
    return sb_slice_sub(url, start, end);
}

sb_slice sb_url_host(sb_slice url)
{
    size_t start = 0;
    sb_slice host = authority(url, &start);
    ptrdiff_t at = sb_slice_rchr(host, '@');

    if (at >= 0)
        host = sb_slice_sub(host, (size_t)at + 1, host.len);
    return host.len ? host : SB_NIL;
}

char *sb_url_shown(sb_slice url)
{
    sb_autobuf out = SB_BUF_INIT(4 * SB_URL_MAX);
    sb_slice host = sb_url_host(url);
    size_t end = 0;

    if (host.ptr) {
        size_t path = (size_t)(host.ptr - url.ptr) + host.len;

        sb_buf_add_printable(&out, sb_slice_sub(url, 0, (size_t)sb_slice_find(url, SB_LIT("://")) + 3), 100);
        sb_buf_add_printable(&out, host, 300);
        url = sb_slice_sub(url, path, url.len);
    }
    if (!url.ptr)
        url = SB_LIT("");
    while (end < url.len && url.ptr[end] != '?' && url.ptr[end] != '#')
        end++;
    sb_buf_add_printable(&out, sb_slice_of(url.ptr, end), 500);
    return sb_buf_take(&out);
}
