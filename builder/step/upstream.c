// SPDX-License-Identifier: Apache-2.0
#include <builder/step/upstream.h>

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    IDLE_MAX = 64,     /* connections that are kept */
    IDLE_SECONDS = 15, /* for so long: servers close after 60 or less */
    ANSWER_SECONDS = 120,
    HTTPS_PORT = 443,
};

typedef struct idle {
    step_stream stream;
    char *origin;
    time_t since;
} idle;

struct step_upstream {
    step_server *server;
    const step_config *config;
    SSL_CTX *tls;
    pthread_mutex_t lock; /* for what follows */
    idle kept[IDLE_MAX];
    size_t kept_count;
    step_exchange *running;
    bool aborted;
};

static time_t now(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* --- Connections --- */

static const char *why_not_verified(SSL *ssl, const step_stream *stream)
{
    long result = SSL_get_verify_result(ssl);

    return result != X509_V_OK ? X509_verify_cert_error_string(result) : step_stream_why(stream);
}

static int begin_tls(step_upstream *upstream, step_stream *stream, const step_place *to, sb_error **err)
{
    sb_autofree char *host = sb_slice_dup(to->host);
    sb_autofree char *shown = sb_printable(to->host);
    SSL *ssl = SSL_new(upstream->tls);
    bool address = ssl && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;

    if (!ssl || SSL_set_fd(ssl, stream->fd) != 1 ||
        (!address && (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1))) {
        SSL_free(ssl);
        return sb_fail(err, SB_ERR_NETWORK, "cannot begin TLS with %s", shown);
    }
    stream->ssl = ssl;
    ERR_clear_error();
    errno = 0;
    if (SSL_connect(ssl) != 1)
        return sb_fail(err, SB_ERR_NETWORK, "TLS with %s fails: %s", shown, why_not_verified(ssl, stream));
    return 0;
}

static int connect_to(step_upstream *upstream, const step_place *to, const step_proxy *through,
                      step_stream *stream, sb_error **err)
{
    bool proxied = through->host.ptr != NULL;
    int fd;

    if (proxied ? step_dial_proxy(upstream->config, through->host, through->port, &fd, err) < 0
                : step_dial(upstream->server, to->host, to->port, &fd, err) < 0)
        return -1;
    step_stream_init(stream, fd);
    step_stream_timeout(stream, ANSWER_SECONDS);
    if ((proxied && to->https && step_proxy_tunnel(stream, to, through, err) < 0) ||
        (to->https && begin_tls(upstream, stream, to, err) < 0)) {
        step_stream_close(stream);
        return -1;
    }
    return 0;
}

/* With the lock held. */
static void drop_idle(step_upstream *upstream, size_t i)
{
    step_stream_close(&upstream->kept[i].stream);
    free(upstream->kept[i].origin);
    upstream->kept[i] = upstream->kept[--upstream->kept_count];
}

/* An idle server has nothing to say, unless that it goes away. */
static bool is_quiet(const step_stream *stream)
{
    char byte;

    return recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool take_idle(step_upstream *upstream, step_exchange *exchange)
{
    time_t oldest = now() - IDLE_SECONDS;
    bool taken = false;

    pthread_mutex_lock(&upstream->lock);
    for (size_t i = upstream->kept_count; i-- > 0;) {
        idle *kept = &upstream->kept[i];

        bool wanted = !taken && strcmp(kept->origin, exchange->origin) == 0;

        if (kept->since < oldest || (wanted && !is_quiet(&kept->stream))) {
            drop_idle(upstream, i);
        } else if (wanted) {
            exchange->stream = kept->stream;
            free(kept->origin);
            upstream->kept[i] = upstream->kept[--upstream->kept_count];
            taken = true;
        }
    }
    pthread_mutex_unlock(&upstream->lock);
    return taken;
}

/* --- One request --- */

/* Of the client's headers those that the answer may depend on; what is recorded is the whole, in one form. */
static bool goes_upstream(const step_head *head, sb_slice name)
{
    static const char *const own[] = {"accept-encoding", "content-length", "expect", "host", "range"};

    for (size_t i = 0; i < SB_COUNT(own); i++)
        if (sb_slice_eqz(name, own[i]))
            return false;
    return !sb_slice_starts(name, SB_LIT("if-")) && !step_head_is_hop(head, name);
}

static sb_slice credential_for(const step_config *config, const step_place *to, sb_slice method)
{
    if (!to->https || !(sb_slice_eqz(method, "GET") || sb_slice_eqz(method, "HEAD")))
        return SB_NIL;
    for (size_t i = 0; i < config->credential_count; i++) {
        sb_slice host = SB_NIL;
        unsigned port = 0;

        if (step_authority_split(config->credentials[i].host, &host, &port) &&
            sb_slice_eq_nocase(host, to->host) && (port ? port : HTTPS_PORT) == to->port)
            return config->credentials[i].authorization;
    }
    return SB_NIL;
}

static void write_request(const step_upstream *upstream, const step_ask *ask, const step_place *to,
                          const step_proxy *through, sb_buf *out)
{
    sb_slice credential = credential_for(upstream->config, to, ask->method);
    bool absolute = through->host.ptr && !to->https;

    sb_buf_printf(out, "%" SB_FMT " ", SB_ARG(ask->method));
    if (absolute)
        sb_buf_printf(out, "http://%" SB_FMT, SB_ARG(to->authority));
    sb_buf_adds(out, ask->target);
    sb_buf_printf(out, " HTTP/1.1\r\nHost: %" SB_FMT "\r\n", SB_ARG(to->authority));
    if (absolute && through->authorization)
        sb_buf_printf(out, "Proxy-Authorization: %s\r\n", through->authorization);
    for (size_t i = 0; i < ask->head->count; i++) {
        const sb_step_header *h = &ask->head->headers[i];

        if (sb_slice_eqz(h->name, "authorization"))
            credential = SB_NIL;
        if (goes_upstream(ask->head, h->name))
            sb_buf_printf(out, "%" SB_FMT ": %" SB_FMT "\r\n", SB_ARG(h->name), SB_ARG(h->value));
    }
    if (credential.ptr)
        sb_buf_printf(out, "authorization: %" SB_FMT "\r\n", SB_ARG(credential));
    if (ask->body.len || ask->head->has_length || ask->head->chunked)
        sb_buf_printf(out, "Content-Length: %zu\r\n", ask->body.len);
    sb_buf_addz(out, "\r\n");
}

/* Sends it and reads the head of the answer; those before the last (1xx) are the client's no business. */
static int ask_on(step_exchange *exchange, const step_ask *ask, sb_slice head, sb_error **err)
{
    step_stream *stream = &exchange->stream;
    sb_slice text;
    size_t len;

    /* A server that does not want the whole body may have said so: its answer counts. */
    (void)(step_stream_send(stream, head, ask->body.len > 0) && step_stream_send(stream, ask->body, false));
    do {
        if (step_stream_head(stream, &len) <= 0)
            return sb_fail(err, SB_ERR_NETWORK, "the server does not answer: %s", step_stream_why(stream));
        text = sb_arena_dup(exchange->arena, sb_slice_sub(step_stream_have(stream), 0, len));
        step_stream_use(stream, len);
        if (step_head_answer(exchange->arena, text, &exchange->head, err) < 0)
            return sb_wrap(err, "the server's answer cannot be understood");
    } while (exchange->head.status < 200 && exchange->head.status != 101);
    exchange->body = step_body_of_answer(&exchange->head, ask->method);
    return 0;
}

static bool enlist(step_upstream *upstream, step_exchange *exchange)
{
    bool aborted;

    pthread_mutex_lock(&upstream->lock);
    aborted = upstream->aborted;
    if (!aborted) {
        exchange->next = upstream->running;
        exchange->link = &upstream->running;
        if (exchange->next)
            exchange->next->link = &exchange->next;
        upstream->running = exchange;
    }
    pthread_mutex_unlock(&upstream->lock);
    return !aborted;
}

static void unlist(step_upstream *upstream, step_exchange *exchange)
{
    pthread_mutex_lock(&upstream->lock);
    if (exchange->link) {
        *exchange->link = exchange->next;
        if (exchange->next)
            exchange->next->link = exchange->link;
        exchange->link = NULL;
    }
    pthread_mutex_unlock(&upstream->lock);
}

static void free_exchange(step_upstream *upstream, step_exchange *exchange)
{
    unlist(upstream, exchange);
    step_stream_close(&exchange->stream);
    sb_arena_free(exchange->arena);
    free(exchange->origin);
    free(exchange);
}

static step_exchange *new_exchange(const step_place *to, const step_proxy *through)
{
    step_exchange *exchange = sb_new(step_exchange);

    exchange->stream.fd = -1;
    exchange->arena = sb_arena_new();
    exchange->origin = sb_asprintf("%s://%" SB_FMT " by %" SB_FMT, to->https ? "https" : "http",
                                   SB_ARG(through->host.ptr && !to->https ? SB_LIT("*") : to->authority),
                                   SB_ARG(through->host));
    return exchange;
}

/* On a kept connection, which the server may have closed meanwhile: then nothing has happened. */
static step_exchange *ask_reused(step_upstream *upstream, const step_ask *ask, const step_place *to,
                                 const step_proxy *through, sb_slice head)
{
    step_exchange *exchange = new_exchange(to, through);

    if (take_idle(upstream, exchange)) {
        exchange->reused = true;
        if (enlist(upstream, exchange) && ask_on(exchange, ask, head, NULL) == 0)
            return exchange;
    }
    free_exchange(upstream, exchange);
    return NULL;
}

int step_upstream_ask(step_upstream *upstream, const step_ask *ask, step_exchange **ret_exchange,
                      sb_error **err)
{
    bool safe = sb_slice_eqz(ask->method, "GET") || sb_slice_eqz(ask->method, "HEAD");
    __attribute__((cleanup(step_proxy_clear))) step_proxy through = {0};
    sb_autobuf head = SB_BUF_INIT(2 * SB_STEP_HEADERS_MAX);
    step_exchange *exchange;
    step_place to;

    if (step_place_of(ask->url, &to, err) < 0 || step_proxy_for(upstream->config, &to, &through, err) < 0)
        return -1;
    write_request(upstream, ask, &to, &through, &head);
    if (sb_buf_check(&head, "the request", err) < 0)
        return -1;
    exchange = safe ? ask_reused(upstream, ask, &to, &through, sb_buf_slice(&head)) : NULL;
    if (!exchange) {
        exchange = new_exchange(&to, &through);
        if (connect_to(upstream, &to, &through, &exchange->stream, err) < 0 ||
            (!enlist(upstream, exchange) && sb_fail(err, SB_ERR_NETWORK, "the step has ended") < 0) ||
            ask_on(exchange, ask, sb_buf_slice(&head), err) < 0) {
            free_exchange(upstream, exchange);
            return -1;
        }
    }
    *ret_exchange = exchange;
    return 0;
}

int step_exchange_read(step_exchange *exchange, sb_slice *ret_data)
{
    return step_body_read(&exchange->body, &exchange->stream, ret_data);
}

void step_exchange_end(step_upstream *upstream, step_exchange *exchange)
{
    bool whole = exchange->body.kind == STEP_BODY_NONE ||
                 (exchange->body.kind == STEP_BODY_LENGTH && !exchange->body.left);

    unlist(upstream, exchange);
    pthread_mutex_lock(&upstream->lock);
    if (whole && exchange->head.keep_alive && exchange->head.status != 101 && !upstream->aborted &&
        upstream->kept_count < IDLE_MAX && !step_stream_have(&exchange->stream).len) {
        upstream->kept[upstream->kept_count++] = (idle){exchange->stream, SB_TAKE(exchange->origin), now()};
        exchange->stream = (step_stream){.fd = -1};
    }
    pthread_mutex_unlock(&upstream->lock);
    free_exchange(upstream, exchange);
}

void step_upstream_abort(step_upstream *upstream)
{
    pthread_mutex_lock(&upstream->lock);
    upstream->aborted = true;
    for (step_exchange *e = upstream->running; e; e = e->next)
        (void)shutdown(e->stream.fd, SHUT_RDWR);
    pthread_mutex_unlock(&upstream->lock);
}

int step_upstream_new(step_server *server, step_upstream **ret_upstream, sb_error **err)
{
    static const unsigned char alpn[] = "\x08http/1.1";
    SB_AUTO(step_upstream) upstream = sb_new(step_upstream);
    sb_autofree char *ca = sb_asprintf("%s/upstream-ca.pem", server->config->dir);

    pthread_mutex_init(&upstream->lock, NULL);
    upstream->server = server;
    upstream->config = server->config;
    upstream->tls = SSL_CTX_new(TLS_client_method());
    if (!upstream->tls || SSL_CTX_set_min_proto_version(upstream->tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(upstream->tls, alpn, sizeof(alpn) - 1) != 0)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot prepare TLS");
    SSL_CTX_set_verify(upstream->tls, SSL_VERIFY_PEER, NULL);
    /* Without the file nothing is trusted, and https fails. */
    if (access(ca, F_OK) == 0 && SSL_CTX_load_verify_file(upstream->tls, ca) != 1)
        return sb_fail(err, SB_ERR_IO, "%s: no certificates can be read from it", ca);
    *ret_upstream = SB_TAKE(upstream);
    return 0;
}

void step_upstream_free(step_upstream *upstream)
{
    if (!upstream)
        return;
    while (upstream->kept_count)
        drop_idle(upstream, upstream->kept_count - 1);
    SSL_CTX_free(upstream->tls);
    pthread_mutex_destroy(&upstream->lock);
    free(upstream);
}
