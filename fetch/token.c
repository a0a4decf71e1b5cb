// SPDX-License-Identifier: Apache-2.0
#include <fetch/token.h>

#include <fetch/address.h>
#include <fetch/settings_internal.h>
#include <fetch/url.h>
#include <sbuild/json.h>

enum { FORM_MAX = 1 << 17 };

static int check_realm(const sb_token_request *r, sb_error **err)
{
    sb_autourl url = {0};
    sb_slice registry = sb_host_name(r->registry);

    if (sb_url_parse(r->challenge->realm, &url, err) < 0)
        return sb_wrap(err, "the token end point of %" SB_FMT, SB_ARG(r->registry));
    if (url.https || r->plain)
        return 0;
    if (sb_host_is_loopback(registry) && sb_host_is_loopback(sb_slice_z(url.host)))
        return 0;
    return sb_fail(err, SB_ERR_AUTH,
                   "%" SB_FMT
                   " wants credentials sent by plain http to %s, which is refused; that registry is set up "
                   "wrongly",
                   SB_ARG(r->registry), url.host);
}

static void add_field(sb_buf *out, char separator, const char *name, sb_slice value)
{
    sb_autofree char *escaped = sb_url_escape(value);

    sb_buf_addc(out, separator);
    sb_buf_addz(out, name);
    sb_buf_addc(out, '=');
    sb_buf_addz(out, escaped);
}

/* The scopes that are wanted, one field each. */
static void add_scopes(const sb_token_request *r, sb_buf *out, char separator)
{
    sb_slice rest = r->scope;

    while (rest.ptr) {
        sb_slice scope = sb_slice_cut(&rest, ' ');

        if (scope.len) {
            add_field(out, separator, "scope", scope);
            separator = '&';
        }
    }
}

static int ask(sb_http *http, const sb_token_request *r, const sb_http_request *base,
               sb_http_response *response, sb_error **err)
{
    sb_http_request request = *base;
    sb_slice host = sb_url_host(request.url);
    sb_http_tls own = r->settings ? sb_settings_tls(r->settings, host) : (sb_http_tls){0};

    request.tls = sb_slice_eq_nocase(host, r->registry) ? r->tls : &own;
    request.allow_loopback = r->allow_local;
    request.max_body = SB_TOKEN_ANSWER_MAX;
    if (sb_http_perform(http, &request, response, err) < 0)
        return sb_wrap(err, "while getting a token for %" SB_FMT, SB_ARG(r->registry));
    return 0;
}

static int send_get(sb_http *http, sb_arena *arena, const sb_token_request *r, sb_http_response *response,
                    sb_error **err)
{
    sb_autobuf url = SB_BUF_INIT(SB_URL_MAX);
    sb_http_request request = {0};
    char separator = '?';

    sb_buf_adds(&url, r->challenge->realm);
    if (sb_slice_chr(r->challenge->realm, '?') >= 0)
        separator = '&';
    if (r->challenge->service.len) {
        add_field(&url, separator, "service", r->challenge->service);
        separator = '&';
    }
    add_scopes(r, &url, separator);
    if (sb_buf_check(&url, "the URL of a token", err) < 0)
        return -1;
    request.url = sb_buf_slice(&url);
    if (r->credentials && r->credentials->username.len)
        request.authorization = sb_credentials_basic(arena, r->credentials);
    return ask(http, r, &request, response, err);
}

static int send_post(sb_http *http, const sb_token_request *r, sb_http_response *response, sb_error **err)
{
    sb_autobuf form = SB_BUF_INIT(FORM_MAX);
    sb_http_request request = {.method = "POST", .url = r->challenge->realm};
    int result;

    sb_buf_addz(&form, "grant_type=refresh_token&client_id=sbuild");
    add_field(&form, '&', "service", r->challenge->service);
    add_scopes(r, &form, '&');
    add_field(&form, '&', "refresh_token", r->credentials->identity_token);
    if (sb_buf_check(&form, "the form for a token", err) < 0)
        return -1;
    request.body = sb_buf_slice(&form);
    result = ask(http, r, &request, response, err);
    explicit_bzero(form.data, form.len);
    return result;
}

static int read_token(sb_arena *arena, const sb_token_request *r, const sb_http_response *response,
                      sb_slice *ret_authorization, int64_t *ret_seconds, sb_error **err)
{
    sb_autojson *json = NULL;
    sb_slice token;
    int64_t seconds;

    if (sb_json_parse(sb_buf_slice(&response->body), "token", &json, NULL) < 0)
        return sb_fail(err, SB_ERR_AUTH,
                       "the token end point of %" SB_FMT " answered something that is no JSON",
                       SB_ARG(r->registry));
    token = sb_json_str(json, "token");
    if (!token.len)
        token = sb_json_str(json, "access_token");
    if (!token.len)
        return sb_fail(err, SB_ERR_AUTH, "the token end point of %" SB_FMT " answered without a token",
                       SB_ARG(r->registry));
    for (size_t i = 0; i < token.len; i++)
        if ((unsigned char)token.ptr[i] <= ' ' || (unsigned char)token.ptr[i] > '~')
            return sb_fail(err, SB_ERR_AUTH, "the token that %" SB_FMT " gave has odd characters in it",
                           SB_ARG(r->registry));
    seconds = sb_json_int(json, "expires_in", SB_TOKEN_SECONDS);
    *ret_seconds = seconds < SB_TOKEN_SECONDS ? SB_TOKEN_SECONDS : seconds;
    *ret_authorization = sb_arena_printf(arena, "Bearer %" SB_FMT, SB_ARG(token));
    return 0;
}

int sb_token_get(sb_http *http, sb_arena *arena, const sb_token_request *r, sb_slice *ret_authorization,
                 int64_t *ret_seconds, sb_error **err)
{
    sb_autoresponse response = {0};
    bool posted = r->credentials && r->credentials->identity_token.len;

    if (check_realm(r, err) < 0)
        return -1;
    if (posted && send_post(http, r, &response, err) < 0)
        return -1;
    /* End points from before OAuth 2 know GET alone. */
    if (posted && (response.status == 404 || response.status == 405)) {
        posted = false;
        sb_http_response_clear(&response);
    }
    if (!posted && !response.status && send_get(http, arena, r, &response, err) < 0)
        return -1;
    if (response.status == 400 || response.status == 401 || response.status == 403)
        return sb_fail(err, SB_ERR_AUTH, "%" SB_FMT " %s", SB_ARG(r->registry),
                       r->credentials ? "refuses the stored credentials; log in again"
                                      : "gives no anonymous access to it; log in");
    if (response.status != 200)
        return sb_http_status_error(&response, "a token", err);
    return read_token(arena, r, &response, ret_authorization, ret_seconds, err);
}
