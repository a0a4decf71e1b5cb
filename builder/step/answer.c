// SPDX-License-Identifier: Apache-2.0
/* Answers from the lock, and the refusal of everything else. */
#include <builder/step/fetch.h>
#include <builder/step/recording.h>
#include <builder/step/server.h>

#include <unistd.h>

#include <fetch/address.h>

enum { SHORT_BODY = 8 << 10, SHOWN_URL_MAX = 2000 };

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {416, "Range Not Satisfiable"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < SB_COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "-";
}

void step_answer_begin(sb_buf *out, const step_request *request, unsigned status)
{
    sb_buf_printf(out, "HTTP/1.1 %u %s\r\n", status, reason_of(status));
    if (!request->keep)
        sb_buf_addz(out, "Connection: close\r\n");
    else if (!request->head.minor)
        sb_buf_addz(out, "Connection: keep-alive\r\n");
}

bool step_answer_end(sb_buf *out, step_request *request, bool more)
{
    sb_buf_addz(out, "\r\n");
    return !out->overflow && step_stream_send(request->stream, sb_buf_slice(out), more);
}

static bool is_head(const step_request *request)
{
    return sb_slice_eqz(request->head.method, "HEAD");
}

bool step_send_text(step_request *request, unsigned status, const char *text)
{
    sb_autobuf out = SB_BUF_INIT(STEP_ANSWER_HEAD_MAX);

    step_answer_begin(&out, request, status);
    sb_buf_printf(&out, "Date: %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n",
                  request->server->date, strlen(text));
    if (is_head(request))
        return step_answer_end(&out, request, false);
    sb_buf_printf(&out, "\r\n%s", text);
    return !out.overflow && step_stream_send(request->stream, sb_buf_slice(&out), false);
}

static bool is_framing(sb_slice name)
{
    return sb_slice_eqz(name, "accept-ranges") || sb_slice_eqz(name, "content-length") ||
           sb_slice_eqz(name, "content-range") || sb_slice_eqz(name, "transfer-encoding") ||
           sb_slice_eqz(name, "connection") || sb_slice_eqz(name, "date");
}

bool step_send_locked(step_request *request, const sb_step_request *answer, int file)
{
    bool part = request->range.wanted && answer->status == 200 && file >= 0 &&
                sb_slice_eqz(request->head.method, "GET") &&
                step_range_holds(&request->head, answer->headers, answer->header_count);
    uint64_t first = 0, len = answer->size;
    sb_autobuf out = SB_BUF_INIT(STEP_ANSWER_HEAD_MAX);

    if (part && !step_range_apply(&request->range, answer->size, &first, &len)) {
        step_answer_begin(&out, request, 416);
        sb_buf_printf(&out, "Content-Range: bytes */%llu\r\nContent-Length: 0\r\n",
                      (unsigned long long)answer->size);
        return step_answer_end(&out, request, false);
    }
    step_answer_begin(&out, request, part ? 206 : answer->status);
    sb_buf_printf(&out, "Date: %s\r\n", request->server->date);
    for (size_t i = 0; i < answer->header_count; i++)
        if (!is_framing(answer->headers[i].name))
            sb_buf_printf(&out, "%" SB_FMT ": %" SB_FMT "\r\n", SB_ARG(answer->headers[i].name),
                          SB_ARG(answer->headers[i].value));
    if (answer->status == 200)
        sb_buf_addz(&out, "Accept-Ranges: bytes\r\n");
    if (part)
        sb_buf_printf(&out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
                      (unsigned long long)(first + len - 1), (unsigned long long)answer->size);
    /* A recorded HEAD may not have said how long. */
    if (answer->status != 204 && answer->status != 304 && (len || !is_head(request)))
        sb_buf_printf(&out, "Content-Length: %llu\r\n", (unsigned long long)len);
    if (is_head(request) || file < 0)
        return step_answer_end(&out, request, false);
    if (len <= SHORT_BODY) {
        char body[SHORT_BODY];

        sb_buf_addz(&out, "\r\n");
        out.max += SHORT_BODY;
        return pread(file, body, len, (off_t)first) == (ssize_t)len && sb_buf_add(&out, body, len) &&
               step_stream_send(request->stream, sb_buf_slice(&out), false);
    }
    return step_answer_end(&out, request, true) && step_stream_send_file(request->stream, file, first, len);
}

/* With a body that is what the lock says, or not at all. */
static bool send_checked(step_request *request, const sb_step_request *answer)
{
    step_server *server = request->server;
    sb_autoclose int file = -1;
    sb_autofree char *text = NULL;
    char digest[SB_DIGEST_TEXT];

    if (!answer->has_content)
        return step_send_locked(request, answer, -1);
    file = step_objects_open(server->objects, &answer->digest, answer->size);
    if (file >= 0)
        return step_send_locked(request, answer, file);
    sb_digest_format(&answer->digest, digest);
    text = sb_asprintf("sbuild: %s is missing or damaged; it answers %" SB_FMT " (step %" SB_FMT
                       "); run \"sbuild "
                       "vendor\"",
                       digest, SB_ARG(answer->url), SB_ARG(server->config->id));
    step_notice(server, "%s", text);
    pthread_mutex_lock(&server->lock);
    server->missed_fatal++;
    pthread_mutex_unlock(&server->lock);
    return step_send_text(request, 500, text);
}

static bool miss(step_request *request, step_asked *asked)
{
    step_server *server = request->server;
    const sb_step_request *q = &request->question;
    bool reads = sb_slice_eqz(q->method, "GET") || is_head(request);
    /* The id behind it must not be cut off: the host reads it. */
    sb_slice url = sb_slice_sub(q->url, 0, q->url.len < SHOWN_URL_MAX ? q->url.len : SHOWN_URL_MAX);
    sb_autofree char *line = sb_asprintf(
        SB_STEP_MISS "%" SB_FMT " %" SB_FMT " (step %" SB_FMT ": %" SB_FMT "); run \"sbuild lock\"",
        SB_ARG(q->method), SB_ARG(url), SB_ARG(server->config->id), SB_ARG(server->config->label));
    sb_autofree char *text = sb_asprintf("%s\n\nThis step has no network: what it may ask for was recorded "
                                         "when it was locked, and this was not "
                                         "asked for then.\n\"sbuild lock\" records it.\n",
                                         line);

    pthread_mutex_lock(&server->lock);
    if (!asked || !asked->missed)
        *(reads ? &server->missed_fatal : &server->missed_other) += 1;
    if (asked)
        asked->missed = true;
    pthread_mutex_unlock(&server->lock);
    step_notice(server, "%s", line);
    /* Of all that a client takes for a failure, one that none tries again: wget does so twenty times after a
     * 504, npm waits a minute after any other 5xx. */
    return step_send_text(request, 403, text);
}

/* A cloud's metadata service and what else is on the link: the same answer on every machine. */
static bool is_off_limits(sb_slice url)
{
    sb_slice host = SB_NIL,
             authority = sb_slice_sub(url, (size_t)sb_slice_find(url, SB_LIT("//")) + 2, url.len);
    unsigned port;

    authority = sb_slice_cut(&authority, '/');
    return step_authority_split(authority, &host, &port) && sb_address_text_is_local(host) &&
           !sb_host_is_loopback(host);
}

bool step_answer(step_request *request)
{
    step_server *server = request->server;
    const sb_step_request *found;
    step_asked *asked;
    unsigned turn = 0;

    if (is_off_limits(request->question.url))
        return step_send_text(request, 403, "A build step has nothing to ask of link-local addresses.\n");
    pthread_mutex_lock(&server->lock);
    asked = step_table_get(&server->asked, &request->question);
    /* The parts of one answer are one turn. */
    if (asked)
        turn = request->range.wanted && asked->turn ? asked->turn - 1 : asked->turn++;
    pthread_mutex_unlock(&server->lock);
    found = sb_step_manifest_find(server->locked, &request->question, turn);
    if (server->recording)
        found = step_recording_accepts(server, found);
    if (found)
        return send_checked(request, found);
    return server->recording && asked ? step_fetch_answer(request, asked) : miss(request, asked);
}
