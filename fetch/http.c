// SPDX-License-Identifier: Apache-2.0
#include <fetch/address.h>
#include <fetch/proxy.h>
#include <fetch/transfer.h>

#include <pthread.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

enum { PATIENCE = 30, CONNECT_SECONDS = 20, SLOW_BYTES = 64, RECEIVE_BUFFER = 1 << 17 };

static void start_curl(void)
{
    /* Where this fails, so does every handle. */
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

sb_http *sb_http_new(const sb_settings *settings, sb_progress *progress)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sb_http *http = sb_new(sb_http);

    pthread_once(&once, start_curl);
    http->settings = settings;
    http->progress = progress;
    http->patience = PATIENCE;
    if (getrandom(&http->seed, sizeof(http->seed), 0) != (ssize_t)sizeof(http->seed))
        http->seed = (uint64_t)sb_now_ms();
    return http;
}

void sb_http_free(sb_http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < SB_COUNT(http->multi); i++)
        curl_multi_cleanup(http->multi[i]);
    sb_stream_pool_free(http->streams);
    free(http);
}

sb_stream_pool *sb_http_streams(sb_http *http)
{
    if (!http->streams)
        http->streams = sb_stream_pool_new();
    return http->streams;
}

void sb_http_set_patience(sb_http *http, unsigned seconds)
{
    http->patience = seconds;
}

int64_t sb_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sb_http_response_clear(sb_http_response *response)
{
    free(response->final_url);
    free(response->headers);
    sb_buf_free(&response->body);
    *response = (sb_http_response){0};
}

sb_slice sb_http_header(const sb_http_response *response, const char *name, unsigned n)
{
    sb_slice rest = sb_slice_z(response->headers), wanted = sb_slice_z(name);

    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');
        ptrdiff_t colon = sb_slice_chr(line, ':');

        if (colon > 0 && sb_slice_eq_nocase(sb_slice_sub(line, 0, (size_t)colon), wanted) && n-- == 0)
            return sb_slice_trim(sb_slice_sub(line, (size_t)colon + 1, line.len));
    }
    return SB_NIL;
}

static const char *status_words(long status)
{
    switch (status) {
    case 400:
        return "bad request";
    case 401:
        return "it wants to know who asks; log in";
    case 403:
        return "access is denied";
    case 404:
        return "there is no such thing";
    case 410:
        return "it is gone for good";
    case 429:
        return "too many requests; wait a while, or log in for a higher limit";
    case 500:
        return "internal error of the server; try again later";
    case 502:
    case 503:
    case 504:
        return "the server is not available; try again later";
    default:
        return status >= 300 && status < 400 ? "a redirect that leads nowhere" : "unexpected";
    }
}

int sb_http_status_error(const sb_http_response *response, const char *what, sb_error **err)
{
    sb_autofree char *shown = sb_url_shown(sb_slice_z(response->final_url ? response->final_url : ""));
    sb_errc code = response->status == 404                              ? SB_ERR_NOT_FOUND
                   : response->status == 401 || response->status == 403 ? SB_ERR_AUTH
                   : response->status == 410                            ? SB_ERR_GONE
                                                                        : SB_ERR_NETWORK;

    return sb_fail(err, code, "%s%s%s%s answered %ld (%s)", what ? "cannot get " : "", what ? what : "",
                   what ? ": " : "", shown, response->status, status_words(response->status));
}

/* ---- one hop's handle ---- */

static bool refused(sb_transfer *t, const struct sockaddr *address)
{
    if (t->proxied || t->local_allowed || !sb_address_is_local(address))
        return false;
    t->refused_address = true;
    return true;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    if (refused(ctx, &address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection that is used again was opened for somebody else, who may have been allowed more. */
static int before_request(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
    sb_transfer *t = ctx;

    (void)local, (void)remote_port, (void)local_port;
    if (t->proxied || t->local_allowed || !sb_address_text_is_local(sb_slice_z(remote)))
        return CURL_PREREQFUNC_OK;
    t->refused_address = true;
    return CURL_PREREQFUNC_ABORT;
}

static bool is_local_literal(sb_slice host)
{
    return sb_host_is_loopback(host) || sb_address_text_is_local(host);
}

/*
 * May this hop lead to this machine? A source that may, may with its own host; and, being a loopback service
 * itself, with another one on loopback.
 */
static bool may_be_local(const sb_transfer *t, const sb_source *source)
{
    sb_slice host = sb_slice_z(t->url.host);

    if (t->http->settings && sb_settings_host_allowed(t->http->settings, host))
        return true;
    if (!source->allow_local)
        return false;
    return strcmp(t->url.host, t->first.host) == 0 ||
           (sb_host_is_loopback(sb_slice_z(t->first.host)) && sb_host_is_loopback(host));
}

static void set_path(CURL *easy, CURLoption option, sb_slice path)
{
    sb_autofree char *z = path.len ? sb_slice_dup(path) : NULL;

    if (z)
        curl_easy_setopt(easy, option, z);
}

static void set_tls(CURL *easy, const sb_http_tls *tls)
{
    const char *bundle = getenv("CURL_CA_BUNDLE");

    if (!bundle || !*bundle)
        bundle = getenv("SSL_CERT_FILE");
    if (bundle && *bundle)
        curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
    bundle = getenv("SSL_CERT_DIR");
    if (bundle && *bundle)
        curl_easy_setopt(easy, CURLOPT_CAPATH, bundle);
    if (!tls)
        return;
    set_path(easy, CURLOPT_CAINFO, tls->ca_file);
    set_path(easy, CURLOPT_SSLCERT, tls->client_cert);
    set_path(easy, CURLOPT_SSLKEY, tls->client_key);
    if (tls->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void add_header(sb_transfer *t, const char *line)
{
    t->headers = sb_not_null(curl_slist_append(t->headers, line));
}

static bool names_authorization(const char *line)
{
    return strncasecmp(line, "Authorization:", strlen("Authorization:")) == 0 ||
           strncasecmp(line, "Cookie:", strlen("Cookie:")) == 0;
}

static int add_headers(sb_transfer *t, const sb_source *source, sb_error **err)
{
    bool home = sb_url_same_origin(&t->first, &t->url);

    for (const char *const *line = source->headers; line && *line; line++)
        if (home || !names_authorization(*line))
            add_header(t, *line);
    if (home && source->authorization.len) {
        sb_autofree char *line = sb_asprintf("Authorization: %" SB_FMT, SB_ARG(source->authorization));

        if (strpbrk(line, "\r\n"))
            return sb_fail(err, SB_ERR_AUTH, "the credentials for %s contain a line break", t->url.host);
        add_header(t, line);
        explicit_bzero(line, strlen(line));
    } else if (t->url.user) {
        curl_easy_setopt(t->easy, CURLOPT_USERNAME, t->url.user);
        curl_easy_setopt(t->easy, CURLOPT_PASSWORD, t->url.secret ? t->url.secret : "");
    }
    if (t->body.ptr) {
        sb_autofree char *line = sb_asprintf(
            "Content-Type: %s", t->body_type ? t->body_type : "application/x-www-form-urlencoded");

        add_header(t, line);
        add_header(t, "Expect:");
    }
    if (t->sink->begin && t->sink->begin(t, &t->headers, err) < 0)
        return -1;
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    return 0;
}

static void set_method(sb_transfer *t)
{
    if (t->method && strcmp(t->method, "HEAD") == 0) {
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    } else if (t->body.ptr) {
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body.ptr);
    }
    if (t->method && strcmp(t->method, "HEAD") != 0 && !(t->body.ptr && strcmp(t->method, "POST") == 0))
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->method);
}

int sb_transfer_prepare(sb_transfer *t, sb_error **err)
{
    const sb_source *source = &t->sources[t->source];
    const char *proxy = sb_proxy_for(&t->url);

    t->proxied = proxy != NULL;
    t->local_allowed = may_be_local(t, source);
    t->refused_address = false;
    if (!t->local_allowed && is_local_literal(sb_slice_z(t->url.host))) {
        t->refused_address = true;
        return -1;
    }
    if (!t->easy)
        t->easy = sb_not_null(curl_easy_init());
    curl_easy_reset(t->easy);
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    t->curl_message[0] = '\0';
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_message);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url.text);
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "sbuild/" SBUILD_VERSION);
    curl_easy_setopt(t->easy, CURLOPT_PROXY, proxy ? proxy : "");
    curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT,
                     (long)(t->http->patience < CONNECT_SECONDS ? t->http->patience : CONNECT_SECONDS));
    curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)t->http->patience);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
    set_tls(t->easy, source->tls);
    set_method(t);
    return add_headers(t, source, err);
}

/* ---- one request ---- */

static int keep_body(sb_transfer *t, const char *data, size_t len, sb_error **err)
{
    bool wanted = t->response.status >= 200 && t->response.status < 300;

    /* Of an error page the beginning is enough. */
    if (sb_buf_add(&t->response.body, data, len) || !wanted)
        return 0;
    return sb_fail(err, SB_ERR_LIMIT, "the answer of %s is larger than the maximum of %zu bytes", t->url.host,
                   t->response.body.max);
}

static int forget_body(sb_transfer *t, struct curl_slist **headers, sb_error **err)
{
    (void)headers, (void)err;
    sb_buf_reset(&t->response.body);
    return 0;
}

int sb_http_perform(sb_http *http, const sb_http_request *request, sb_http_response *ret_response,
                    sb_error **err)
{
    static const sb_sink sink = {.begin = forget_body, .body = keep_body};
    sb_source source = {
        .url = request->url,
        .authorization = request->authorization,
        .headers = request->headers,
        .tls = request->tls,
        .allow_local = request->allow_loopback,
    };
    sb_transfer transfer = {
        .method = request->method,
        .body = request->body,
        .body_type = request->body_type,
        .sources = &source,
        .source_count = 1,
        .sink = &sink,
        .no_retry = request->no_retry,
        .any_status = true,
        .response.body = SB_BUF_INIT(request->max_body),
    };
    sb_transfer *list = &transfer;
    int result = sb_transfers_run(http, &list, 1, err);

    if (result == 0) {
        sb_buf_addz(&transfer.response.body, "");
        *ret_response = transfer.response;
        transfer.response = (sb_http_response){0};
    }
    sb_transfer_clear(&transfer);
    return result;
}
