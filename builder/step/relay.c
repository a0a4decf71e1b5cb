// SPDX-License-Identifier: Apache-2.0
/* From a fetch to a client: the head as soon as it is there, the body as it grows, or the part that is
 * wanted. */
#include <builder/step/fetch.h>

#include <stdio.h>

/* Waits until it has more than `size` bytes or changes no more; the state by then, and how much there is. */
static int wait_for(step_fetch *fetch, uint64_t size, bool for_end, uint64_t *ret_size)
{
    int state;

    pthread_mutex_lock(&fetch->lock);
    while (fetch->state == FETCH_ASKS || (fetch->state == FETCH_RECEIVES && (for_end || fetch->size <= size)))
        pthread_cond_wait(&fetch->moved, &fetch->lock);
    state = fetch->state;
    *ret_size = fetch->size;
    pthread_mutex_unlock(&fetch->lock);
    return state;
}

static bool wait_for_head(step_fetch *fetch)
{
    bool answered;

    pthread_mutex_lock(&fetch->lock);
    while (fetch->state == FETCH_ASKS)
        pthread_cond_wait(&fetch->moved, &fetch->lock);
    answered = fetch->answered;
    pthread_mutex_unlock(&fetch->lock);
    return answered;
}

static bool is_for_client(const step_head *answer, sb_slice name)
{
    static const char *const own[] = {"accept-ranges", "alt-svc", "content-length",
                                      "strict-transport-security"};

    for (size_t i = 0; i < SB_COUNT(own); i++)
        if (sb_slice_eqz(name, own[i]))
            return false;
    return !step_head_is_hop(answer, name);
}

/* Bytes [first, end) as they come; `end` UINT64_MAX: all. */
static bool send_body(step_request *request, step_fetch *fetch, uint64_t first, uint64_t end, bool chunked)
{
    static const char last[] = "0\r\n\r\n";
    uint64_t at = first, have;

    while (at < end) {
        int state = wait_for(fetch, at, false, &have);
        char size[32];
        uint64_t len;

        have = have < end ? have : end;
        if (have <= at) {
            if (state == FETCH_FAILED || end != UINT64_MAX)
                return false;
            break;
        }
        len = have - at;
        snprintf(size, sizeof(size), "%llx\r\n", (unsigned long long)len);
        if ((chunked && !step_stream_send(request->stream, sb_slice_z(size), true)) ||
            !step_stream_send_file(request->stream, fetch->fd, at, len) ||
            (chunked && !step_stream_send(request->stream, SB_LIT("\r\n"), false)))
            return false;
        at = have;
    }
    return !chunked || step_stream_send(request->stream, sb_slice_of(last, sizeof(last) - 1), false);
}

typedef struct part {
    bool wanted, satisfiable;
    uint64_t first, len, total; /* UINT64_MAX: not known yet */
} part;

/* False: the answer was cut off before it was known how long it is. */
static bool choose_part(const step_request *request, step_fetch *fetch, part *ret_part)
{
    const step_head *answer = &fetch->answer;
    uint64_t total = answer->has_length ? answer->length : UINT64_MAX;
    part p = {.satisfiable = true};

    p.wanted = request->range.wanted && answer->status == 200 && fetch->fd >= 0 &&
               sb_slice_eqz(request->head.method, "GET") &&
               step_range_holds(&request->head, answer->headers, answer->count);
    if (p.wanted && !answer->has_length && wait_for(fetch, 0, true, &total) == FETCH_FAILED)
        return false;
    p.len = p.total = total;
    if (p.wanted)
        p.satisfiable = step_range_apply(&request->range, total, &p.first, &p.len);
    *ret_part = p;
    return true;
}

/* The head of the answer as this client gets it. */
static void write_head(const step_request *request, const step_fetch *fetch, const part *p, bool chunked,
                       sb_buf *out)
{
    const step_head *answer = &fetch->answer;

    step_answer_begin(out, request, !p->satisfiable ? 416 : p->wanted ? 206 : answer->status);
    for (size_t i = 0; i < answer->count; i++)
        if (is_for_client(answer, answer->headers[i].name))
            sb_buf_printf(out, "%" SB_FMT ": %" SB_FMT "\r\n", SB_ARG(answer->headers[i].name),
                          SB_ARG(answer->headers[i].value));
    if (answer->status == 200)
        sb_buf_addz(out, "Accept-Ranges: bytes\r\n");
    if (!p->satisfiable)
        sb_buf_printf(out, "Content-Range: bytes */%llu\r\nContent-Length: 0\r\n",
                      (unsigned long long)p->total);
    else if (p->wanted)
        sb_buf_printf(out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)p->first,
                      (unsigned long long)(p->first + p->len - 1), (unsigned long long)p->total);
    if (chunked)
        sb_buf_addz(out, "Transfer-Encoding: chunked\r\n");
    else if (p->satisfiable && p->len != UINT64_MAX && answer->status != 204 && answer->status != 304)
        sb_buf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)p->len);
}

bool step_fetch_relay(step_request *request, step_fetch *fetch)
{
    bool body, chunked;
    sb_autobuf out = SB_BUF_INIT(STEP_ANSWER_HEAD_MAX);
    part p;

    if (!wait_for_head(fetch)) {
        sb_autofree char *text =
            sb_asprintf("sbuild: cannot fetch %" SB_FMT ": %s\n", SB_ARG(fetch->question.url), fetch->why);

        return step_send_text(request, fetch->failure, text);
    }
    if (!choose_part(request, fetch, &p)) {
        request->stream->broken = true;
        return false;
    }
    body = fetch->fd >= 0 && p.satisfiable && !sb_slice_eqz(request->head.method, "HEAD");
    chunked = body && p.len == UINT64_MAX && request->head.minor;
    if (body && p.len == UINT64_MAX && !chunked)
        request->keep = false;
    write_head(request, fetch, &p, chunked, &out);
    if (!step_answer_end(&out, request, body))
        return false;
    if (!body ||
        send_body(request, fetch, p.first, p.len == UINT64_MAX ? UINT64_MAX : p.first + p.len, chunked))
        return true;
    request->stream->broken = true;
    return false;
}
