// SPDX-License-Identifier: Apache-2.0
/* A client: requests for a proxy, tunnels, TLS in a tunnel or without one, one request after the other. */
#include <builder/step/server.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443, TLS_HANDSHAKE = 22 /* first byte of a record */ };

/* Where requests of this connection go that do not say it themselves. */
typedef struct tunnel {
    char *authority; /* "host:port"; NULL: there is none */
} tunnel;

/* --- Tunnels --- */

static void tell_protocol(step_server *server, sb_slice authority, sb_slice beginning)
{
    sb_autofree char *where = sb_printable(authority);
    const char *what = sb_slice_starts(beginning, SB_LIT("SSH-")) ? "ssh" : "neither HTTP nor TLS";
    sb_autofree char *text = sb_asprintf("%s: what is spoken there is %s", where, what);

    step_notice(
        server,
        "sbuild: only http and https can be locked; the connection to %s, which is %s, is refused (step "
        "%" SB_FMT ": %" SB_FMT ")",
        where, what, SB_ARG(server->config->id), SB_ARG(server->config->label));
    step_server_report(server, "unrecordable", SB_NIL, sb_slice_z(text));
    if (!server->recording) {
        pthread_mutex_lock(&server->lock);
        server->missed_other++;
        pthread_mutex_unlock(&server->lock);
    }
}

/* Does the client speak TLS, or else HTTP? What it is decides its first byte. False: the connection is over.
 */
static bool begin_protocol(step_connection *connection, step_stream *stream, sb_slice authority)
{
    sb_slice have = step_stream_have(stream), host = SB_LIT("");
    unsigned port = 0;

    if (authority.ptr && !step_authority_split(authority, &host, &port))
        return false;
    if (!have.len) {
        int n = step_stream_fill(stream);

        if (n <= 0) {
            /* A client that waits for the server to begin: of mail, of a database. */
            if (port && port != HTTP_PORT && port != HTTPS_PORT)
                tell_protocol(connection->server, authority, have);
            return false;
        }
        have = step_stream_have(stream);
    }
    if (have.ptr[0] == TLS_HANDSHAKE)
        return step_tls_accept(connection->server, stream, host);
    if (authority.ptr && (sb_slice_starts(have, SB_LIT("SSH-")) || sb_ascii_lower(have.ptr[0]) < 'a' ||
                          sb_ascii_lower(have.ptr[0]) > 'z')) {
        tell_protocol(connection->server, authority, have);
        return false;
    }
    return true;
}

static bool open_tunnel(step_request *request, step_connection *connection, tunnel *t)
{
    static const char opened[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    sb_slice host;
    unsigned port;

    if (t->authority || request->stream->ssl || connection->entrance != STEP_BY_PROXY ||
        !step_authority_split(request->head.target, &host, &port) || !port) {
        request->keep = false;
        return step_send_text(request, 400, "There is no tunnel to such a place.\n") && false;
    }
    t->authority = sb_slice_dup(request->head.target);
    return step_stream_send(request->stream, sb_slice_of(opened, sizeof(opened) - 1), false) &&
           begin_protocol(connection, request->stream, sb_slice_z(t->authority));
}

/* --- Requests --- */

static bool refuse_body(step_request *request)
{
    step_server *server = request->server;

    request->keep = false;
    step_notice(server,
                "sbuild: the body of a request is larger than %d MiB and cannot be locked: %" SB_FMT
                " %" SB_FMT " (step %" SB_FMT ": %" SB_FMT ")",
                SB_STEP_REQUEST_BODY_MAX >> 20, SB_ARG(request->question.method),
                SB_ARG(request->question.url), SB_ARG(server->config->id), SB_ARG(server->config->label));
    return step_send_text(request, 413, "The body of the request is too large.\n") && false;
}

/* The body is part of the question; while recording it goes upstream as well. */
static bool read_body(step_request *request, sb_buf *body)
{
    step_body framing = step_body_of_request(&request->head);
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    sb_slice piece;
    int n;

    if (framing.kind == STEP_BODY_NONE)
        return true;
    if (framing.left > SB_STEP_REQUEST_BODY_MAX)
        return refuse_body(request);
    if (request->head.expects_continue &&
        !step_stream_send(request->stream, sb_slice_of(go_on, sizeof(go_on) - 1), false))
        return false;
    while ((n = step_body_read(&framing, request->stream, &piece)) > 0)
        if (!sb_buf_adds(body, piece))
            return refuse_body(request);
    if (n < 0)
        return false;
    request->body = sb_buf_slice(body);
    if (body->len) {
        request->question.has_body = true;
        sb_digest_of(SB_HASH_SHA256, request->body, &request->question.body);
    }
    return true;
}

static bool refuse(step_request *request, const sb_error *err)
{
    sb_autofree char *text = sb_asprintf(
        "This is the proxy of a build step, for http and https; the request is refused: %s\n", err->message);

    request->keep = false;
    step_notice(request->server, "sbuild: a request is refused, %s (step %" SB_FMT ": %" SB_FMT ")",
                err->message, SB_ARG(request->server->config->id), SB_ARG(request->server->config->label));
    step_server_report(request->server, "unrecordable", SB_NIL, sb_slice_z(err->message));
    return step_send_text(request, 400, text) && false;
}

static bool refuse_upgrade(step_request *request)
{
    step_server *server = request->server;

    request->keep = false;
    step_notice(server, "sbuild: a WebSocket cannot be locked: %" SB_FMT " (step %" SB_FMT ": %" SB_FMT ")",
                SB_ARG(request->question.url), SB_ARG(server->config->id), SB_ARG(server->config->label));
    step_server_report(server, "unrecordable", request->question.url, SB_LIT("a WebSocket"));
    return step_send_text(request, 501,
                          "A WebSocket cannot be locked; a build step has plain http and https.\n") &&
           false;
}

/* One request whose head is there. False ends the connection. */
static bool serve_request(step_connection *connection, step_request *request, size_t head_len, tunnel *t)
{
    sb_slice text = step_stream_have(request->stream), scheme;
    sb_autobuf body = SB_BUF_INIT(SB_STEP_REQUEST_BODY_MAX);
    SB_AUTO(sb_error) err = NULL;

    /* The stream's buffer moves when more comes. */
    text = sb_arena_dup(request->arena, sb_slice_sub(text, 0, head_len));
    step_stream_use(request->stream, head_len);
    if (step_head_request(request->arena, text, &request->head, &err) < 0)
        return refuse(request, err);
    request->keep = request->head.keep_alive;
    if (sb_slice_eqz(request->head.method, "CONNECT"))
        return open_tunnel(request, connection, t);
    scheme = request->stream->ssl ? SB_LIT("https") : SB_LIT("http");
    if (connection->entrance == STEP_BY_PROXY && !t->authority && !request->stream->ssl &&
        request->head.target.ptr[0] == '/')
        (void)sb_fail(&err, SB_ERR_PARSE, "it names no host");
    else
        (void)step_question_of(request, scheme, sb_slice_z(t->authority), &err);
    if (err)
        return refuse(request, err);
    if (step_head_has_token(&request->head, "upgrade", SB_LIT("websocket")))
        return refuse_upgrade(request);
    return read_body(request, &body) && step_answer(request) && request->keep;
}

void step_connection_serve(step_connection *connection)
{
    step_stream stream;
    tunnel t = {0};
    bool more;

    step_stream_init(&stream, connection->fd);
    step_stream_timeout(&stream, STEP_IDLE_SECONDS);
    more = begin_protocol(connection, &stream, SB_NIL);
    while (more && !connection->server->stopping) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        step_request request = {.server = connection->server, .arena = arena, .stream = &stream};
        size_t len;
        int n = step_stream_head(&stream, &len);

        if (n < 0 && step_stream_have(&stream).len >= SB_STEP_HEADERS_MAX)
            (void)step_send_text(&request, 431, "The head of the request is too large.\n");
        if (n <= 0)
            break;
        step_stream_timeout(&stream, STEP_TRANSFER_SECONDS);
        more = serve_request(connection, &request, len, &t);
        step_stream_timeout(&stream, STEP_IDLE_SECONDS);
    }
    free(t.authority);
    step_stream_linger(&stream);
    step_connection_unlist(connection);
    step_stream_close(&stream);
}
