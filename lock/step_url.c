// SPDX-License-Identifier: Apache-2.0
/*
 * The one form of a URL under which a request is recorded and looked up. A signed URL is another one each
 * time that it is made, and whoever has it may use it: the values of its signature are replaced, so that the
 * same question has the same name and no secret goes into a repository.
 */
#include <sbuild/step.h>

/* Parameters that are a secret or the terms of one, wherever they stand. */
static const char *const secret_names[] = {
    "access_token",  "accesstoken",   "api_key",        "apikey",         "auth",
    "auth_token",    "authorization", "awsaccesskeyid", "client_secret",  "id_token",
    "jwt",           "key-pair-id",   "oauth_token",    "passwd",         "password",
    "private_token", "refresh_token", "secret",         "security_token", "sig",
    "signature",     "token",         "x-token",
};
/* Whole families: of the signature schemes of object stores. */
static const char *const secret_prefixes[] = {"x-amz-", "x-goog-", "x-oss-", "x-cos-"};
/* The terms of a signature: what these short names mean elsewhere must stay. */
static const char *const signed_names[] = {
    "expires",
    "googleaccessid",
    "ossaccesskeyid",
    "policy",
    "se",
    "sip",
    "ske",
    "skoid",
    "sks",
    "skt",
    "sktid",
    "skv",
    "sp",
    "spr",
    "sr",
    "st",
    "sv",
};

static bool is_one_of(sb_slice name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eq_nocase(name, sb_slice_z(names[i])))
            return true;
    return false;
}

static bool is_secret(sb_slice name, bool is_signed)
{
    for (size_t i = 0; i < SB_COUNT(secret_prefixes); i++) {
        sb_slice prefix = sb_slice_z(secret_prefixes[i]);

        if (name.len > prefix.len && sb_slice_eq_nocase(sb_slice_sub(name, 0, prefix.len), prefix))
            return true;
    }
    return is_one_of(name, secret_names, SB_COUNT(secret_names)) ||
           (is_signed && is_one_of(name, signed_names, SB_COUNT(signed_names)));
}

static bool is_signature(sb_slice name)
{
    static const char *const names[] = {"sig", "signature", "key-pair-id"};

    return is_one_of(name, names, SB_COUNT(names));
}

/* The query of a URL, without its "?"; absent without one. *ret_start is where it begins. */
static sb_slice query_of(sb_slice url, size_t *ret_start)
{
    ptrdiff_t hash = sb_slice_chr(url, '#'), mark;

    if (hash >= 0)
        url.len = (size_t)hash;
    mark = sb_slice_chr(url, '?');
    if (mark < 0)
        return SB_NIL;
    *ret_start = (size_t)mark + 1;
    return sb_slice_sub(url, *ret_start, url.len);
}

static bool is_signed_query(sb_slice query)
{
    while (query.ptr) {
        sb_slice pair = sb_slice_cut(&query, '&');

        if (is_signature(sb_slice_cut(&pair, '=')))
            return true;
    }
    return false;
}

static void add_query(sb_buf *out, sb_slice query)
{
    bool is_signed = is_signed_query(query), first = true;

    while (query.ptr) {
        sb_slice value = sb_slice_cut(&query, '&'), name = sb_slice_cut(&value, '=');

        if (!first)
            sb_buf_addc(out, '&');
        first = false;
        sb_buf_adds(out, name);
        if (!value.ptr)
            continue;
        sb_buf_addc(out, '=');
        sb_buf_adds(out, value.len && is_secret(name, is_signed) ? SB_LIT("-") : value);
    }
}

sb_slice sb_step_strip_secrets(sb_arena *arena, sb_slice reference)
{
    sb_autobuf out = SB_BUF_INIT(SB_STEP_HEADERS_MAX);
    size_t start = 0;
    sb_slice query = query_of(reference, &start);

    if (!query.ptr)
        return reference;
    sb_buf_adds(&out, sb_slice_sub(reference, 0, start));
    add_query(&out, query);
    sb_buf_adds(&out, sb_slice_sub(reference, start + query.len, reference.len));
    return sb_slice_eq(sb_buf_slice(&out), reference) ? reference : sb_arena_dup(arena, sb_buf_slice(&out));
}

bool sb_step_has_secrets(sb_slice url)
{
    size_t start = 0;
    sb_slice query = query_of(url, &start);
    bool is_signed = is_signed_query(query);

    while (query.ptr) {
        sb_slice value = sb_slice_cut(&query, '&'), name = sb_slice_cut(&value, '=');

        if (sb_slice_eqz(value, "-") && is_secret(name, is_signed))
            return true;
    }
    return false;
}

static int fail_url(sb_slice url, const char *why, sb_error **err)
{
    /* What is behind the "?" may be a secret. */
    ptrdiff_t mark = sb_slice_chr(url, '?');
    sb_autofree char *shown = sb_printable(mark < 0 ? url : sb_slice_sub(url, 0, (size_t)mark));

    return sb_fail(err, SB_ERR_PARSE, "\"%s\" cannot be locked: %s", shown, why);
}

#define HOST_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789.-_~%"

/* "host", "host:8080", "[::1]:8080" in lower case, without the port that the scheme has anyway. */
static int add_authority(sb_buf *out, sb_slice url, sb_slice authority, bool https, sb_error **err)
{
    ptrdiff_t at = sb_slice_rchr(authority, '@'), colon;
    sb_slice whole = authority, host, port = SB_NIL;
    uint64_t number;
    bool literal;

    if (at >= 0)
        authority = sb_slice_sub(authority, (size_t)at + 1, authority.len);
    colon = sb_slice_rchr(authority, ':');
    if (colon >= 0 && sb_slice_chr(sb_slice_sub(authority, (size_t)colon, authority.len), ']') < 0) {
        host = sb_slice_sub(authority, 0, (size_t)colon);
        port = sb_slice_sub(authority, (size_t)colon + 1, authority.len);
    } else {
        host = authority;
    }
    while (host.len && sb_slice_ends(host, SB_LIT(".")))
        host.len--;
    if (!host.len)
        return fail_url(url, "it has no host", err);
    /* Some read it as "/", others as a part of the user name. */
    if (sb_slice_chr(whole, '\\') >= 0)
        return fail_url(url, "it has no valid host", err);
    /* "[::1]" */
    literal = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    for (size_t i = 0; i < host.len; i++) {
        char c = sb_ascii_lower(host.ptr[i]);
        bool bracket = literal && (i == 0 || i + 1 == host.len);

        if (!c || (!bracket && !strchr(literal ? "0123456789abcdef:." : HOST_LETTERS, c)))
            return fail_url(url, "it has no valid host", err);
        sb_buf_addc(out, c);
    }
    if (!port.len)
        return 0;
    if (!sb_slice_to_u64(port, &number) || !number || number > 65535)
        return fail_url(url, "it has no valid port", err);
    if (number != (https ? 443 : 80))
        sb_buf_printf(out, ":%u", (unsigned)number);
    return 0;
}

/* Bytes that a URL cannot have are as a client ought to have sent them. */
static void add_encoded(sb_buf *out, sb_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c >= 0x80)
            sb_buf_printf(out, "%%%02X", c);
        else
            sb_buf_addc(out, (char)c);
    }
}

static bool has_controls(sb_slice url)
{
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f)
            return true;
    return false;
}

int sb_step_url(sb_arena *arena, sb_slice url, sb_slice *ret_url, sb_error **err)
{
    sb_slice rest = url, http = SB_LIT("http://"), https = SB_LIT("https://"), query;
    sb_autobuf out = SB_BUF_INIT(SB_STEP_URL_MAX);
    size_t end = 0, start = 0;
    bool is_https;

    if (has_controls(url))
        return fail_url(url, "it has blanks or control characters", err);
    is_https = url.len >= https.len && sb_slice_eq_nocase(sb_slice_sub(url, 0, https.len), https);
    if (!is_https && (url.len < http.len || !sb_slice_eq_nocase(sb_slice_sub(url, 0, http.len), http)))
        return fail_url(url, "it is no http or https URL", err);
    rest = sb_slice_sub(url, is_https ? https.len : http.len, url.len);
    while (end < rest.len && !strchr("/?#", rest.ptr[end]))
        end++;
    sb_buf_adds(&out, is_https ? https : http);
    if (add_authority(&out, url, sb_slice_sub(rest, 0, end), is_https, err) < 0)
        return -1;
    rest = sb_slice_sub(rest, end, rest.len);
    if (sb_slice_chr(rest, '#') >= 0)
        rest.len = (size_t)sb_slice_chr(rest, '#');
    if (!rest.len || rest.ptr[0] != '/')
        sb_buf_addc(&out, '/');
    query = query_of(rest, &start);
    add_encoded(&out, query.ptr ? sb_slice_sub(rest, 0, start) : rest);
    if (query.ptr) {
        sb_autobuf replaced = SB_BUF_INIT(SB_STEP_URL_MAX);

        add_query(&replaced, query);
        add_encoded(&out, sb_buf_slice(&replaced));
        if (replaced.overflow)
            return fail_url(url, "it is too long", err);
    }
    if (out.overflow)
        return fail_url(url, "it is too long", err);
    *ret_url = sb_arena_dup(arena, sb_buf_slice(&out));
    return 0;
}
