// SPDX-License-Identifier: Apache-2.0
/*
 * A request upstream runs in a thread of its own and writes what comes to the recording; clients read it from
 * there as it grows. So a slow client holds up nobody, one that goes away changes nothing, and two that ask
 * for the same thing at once are served by one transfer.
 */
#include <builder/step/fetch.h>
#include <builder/step/recording.h>
#include <builder/step/upstream.h>

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* --- The life of a fetch --- */

static void dup_request(step_fetch *fetch, const step_request *request)
{
    sb_arena *arena = fetch->arena;
    const sb_step_request *q = &request->question;

    fetch->question = *q;
    fetch->question.method = sb_arena_dup(arena, q->method);
    fetch->question.url = sb_arena_dup(arena, q->url);
    fetch->question.wanted = sb_arena_array(arena, sb_step_header, q->wanted_count + 1);
    for (size_t i = 0; i < q->wanted_count; i++)
        fetch->question.wanted[i] =
            (sb_step_header){sb_arena_dup(arena, q->wanted[i].name), sb_arena_dup(arena, q->wanted[i].value)};
    fetch->head = request->head;
    fetch->head.headers = sb_arena_array(arena, sb_step_header, request->head.count + 1);
    for (size_t i = 0; i < request->head.count; i++)
        fetch->head.headers[i] = (sb_step_header){sb_arena_dup(arena, request->head.headers[i].name),
                                                  sb_arena_dup(arena, request->head.headers[i].value)};
    fetch->target = sb_arena_dup(arena, request->target);
    fetch->body = request->body.len ? sb_arena_dup(arena, request->body) : SB_LIT("");
}

static step_fetch *fetch_new(const step_request *request, step_asked *asked)
{
    step_fetch *fetch = sb_new(step_fetch);

    fetch->server = request->server;
    fetch->asked = asked;
    fetch->arena = sb_arena_new();
    fetch->fd = -1;
    dup_request(fetch, request);
    pthread_mutex_init(&fetch->lock, NULL);
    pthread_cond_init(&fetch->moved, NULL);
    return fetch;
}

static void fetch_unref(step_fetch *fetch)
{
    bool last;

    pthread_mutex_lock(&fetch->lock);
    last = --fetch->refs == 0;
    pthread_mutex_unlock(&fetch->lock);
    if (!last)
        return;
    if (fetch->fd >= 0)
        close(fetch->fd);
    pthread_cond_destroy(&fetch->moved);
    pthread_mutex_destroy(&fetch->lock);
    sb_arena_free(fetch->arena);
    free(fetch->why);
    free(fetch);
}

/* --- Upstream --- */

static void publish(step_fetch *fetch, int state, uint64_t size)
{
    pthread_mutex_lock(&fetch->lock);
    fetch->state = state;
    fetch->answered = true;
    fetch->size = size;
    pthread_cond_broadcast(&fetch->moved);
    pthread_mutex_unlock(&fetch->lock);
}

static void fail(step_fetch *fetch, const sb_error *why)
{
    pthread_mutex_lock(&fetch->lock);
    fetch->state = FETCH_FAILED;
    fetch->failure = why->code == SB_ERR_USAGE ? 403 : 502;
    fetch->why = sb_strdup(why->message);
    pthread_cond_broadcast(&fetch->moved);
    pthread_mutex_unlock(&fetch->lock);
}

/* Its headers outlive the exchange. */
static void take_answer(step_fetch *fetch, const step_head *answer)
{
    step_head copy = *answer;

    copy.headers = sb_arena_array(fetch->arena, sb_step_header, answer->count + 1);
    for (size_t i = 0; i < answer->count; i++)
        copy.headers[i] = (sb_step_header){sb_arena_dup(fetch->arena, answer->headers[i].name),
                                           sb_arena_dup(fetch->arena, answer->headers[i].value)};
    fetch->answer = copy;
}

static int receive(step_fetch *fetch, step_exchange *exchange, step_body_file *file, sb_error **err)
{
    sb_slice piece;
    int n;

    while ((n = step_exchange_read(exchange, &piece)) > 0) {
        if (!step_body_file_add(file, piece))
            return sb_fail(err, SB_ERR_IO, "cannot write the recording: %s", strerror(errno));
        publish(fetch, FETCH_RECEIVES, file->size);
    }
    if (n < 0)
        return sb_fail(err, SB_ERR_NETWORK, "the answer was cut off: %s", step_stream_why(&exchange->stream));
    return 0;
}

static bool has_content(const step_fetch *fetch)
{
    return !sb_slice_eqz(fetch->question.method, "HEAD") && fetch->answer.status != 204 &&
           fetch->answer.status != 304;
}

/* The text in a redirect repeats its target, secrets and all, and nobody reads it. */
static bool is_redirect(const step_fetch *fetch)
{
    return fetch->answer.status / 100 == 3 && step_head_get(&fetch->answer, "location").ptr;
}

static int record(step_fetch *fetch, step_body_file *file, sb_error **err)
{
    sb_step_request answer = fetch->question;

    answer.status = fetch->answer.status;
    answer.headers = fetch->answer.headers;
    answer.header_count = fetch->answer.count;
    answer.has_content = has_content(fetch) && !is_redirect(fetch);
    answer.size = sb_slice_eqz(fetch->question.method, "HEAD") ? fetch->answer.length : 0;
    if (answer.has_content && step_body_file_keep(fetch->server->recording, file, fetch->question.url,
                                                  &answer.digest, &answer.size, err) < 0)
        return -1;
    step_recording_add(fetch->server, fetch->asked, &answer);
    return 0;
}

/* What a reviewer should look at. */
static void report(step_fetch *fetch)
{
    static const char *const quiet[] = {"GET", "HEAD", "OPTIONS"};
    bool changes = true;

    for (size_t i = 0; i < SB_COUNT(quiet); i++)
        changes = changes && !sb_slice_eqz(fetch->question.method, quiet[i]);
    if (changes && sb_slice_find(fetch->question.url, SB_LIT("/git-upload-pack")) < 0)
        step_server_report(fetch->server, "post", fetch->question.url, fetch->question.method);
    if (step_head_has_token(&fetch->answer, "cache-control", SB_LIT("no-store")))
        step_server_report(fetch->server, "no-store", fetch->question.url, SB_NIL);
}

/* From the head of the answer to its end. */
static int follow(step_fetch *fetch, step_exchange *exchange, sb_error **err)
{
    step_body_file file = {.fd = -1};
    int status = 0;

    if (exchange->head.status == 101)
        return sb_fail(err, SB_ERR_NETWORK, "the server changes the protocol");
    take_answer(fetch, &exchange->head);
    if (has_content(fetch)) {
        if (step_body_file_begin(fetch->server->recording, &file, err) < 0)
            return -1;
        fetch->fd = file.fd;
    }
    publish(fetch, FETCH_RECEIVES, 0);
    if (has_content(fetch))
        status = receive(fetch, exchange, &file, err);
    if (status == 0)
        status = record(fetch, &file, err);
    step_body_file_end(fetch->server->recording, &file);
    return status;
}

/* No answer is an answer as well: the step may go on without. Half of one is none. */
static void record_failure(step_fetch *fetch, unsigned status)
{
    sb_step_request answer = fetch->question;

    answer.status = status;
    step_recording_add(fetch->server, fetch->asked, &answer);
}

static void run(step_fetch *fetch)
{
    step_server *server = fetch->server;
    step_ask ask = {fetch->question.method, fetch->question.url, fetch->target, &fetch->head, fetch->body};
    SB_AUTO(sb_error) err = NULL;
    step_exchange *exchange;
    int status = step_upstream_ask(server->upstream, &ask, &exchange, &err);

    if (status < 0) {
        record_failure(fetch, err->code == SB_ERR_USAGE ? 403 : 502);
    } else {
        status = follow(fetch, exchange, &err);
        step_exchange_end(server->upstream, exchange);
    }
    if (status == 0) {
        report(fetch);
        publish(fetch, FETCH_DONE, fetch->size);
    } else {
        step_server_report(server, "failed", fetch->question.url, sb_slice_z(err->message));
        fail(fetch, err);
    }
}

static void *run_thread(void *arg)
{
    step_fetch *fetch = arg;
    step_server *server = fetch->server;

    run(fetch);
    pthread_mutex_lock(&server->lock);
    if (fetch->asked->running == fetch)
        fetch->asked->running = NULL;
    pthread_mutex_unlock(&server->lock);
    fetch_unref(fetch);
    pthread_mutex_lock(&server->lock);
    server->fetch_count--;
    pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* --- What a client gets --- */

/* A part of what has come already, or its head alone: with the server's lock held. */
static const sb_step_request *find_recorded(step_request *request, step_asked *asked)
{
    sb_step_request get = request->question;

    if (sb_slice_eqz(request->head.method, "GET"))
        return request->range.wanted ? step_recording_latest(asked) : NULL;
    if (!sb_slice_eqz(request->head.method, "HEAD"))
        return NULL;
    get.method = SB_LIT("GET");
    asked = step_table_get(&request->server->asked, &get);
    return asked ? step_recording_latest(asked) : NULL;
}

/* May this request wait for the answer to that one? Others get another answer with other credentials. */
static bool may_join(const step_request *request, const step_fetch *running)
{
    return running && sb_slice_eq(step_head_get(&request->head, "authorization"),
                                  step_head_get(&running->head, "authorization"));
}

/* With the server's lock held: a fetch with a reference for the caller. NULL: no thread can be had. */
static step_fetch *join_or_start(step_request *request, step_asked *asked)
{
    bool safe = sb_slice_eqz(request->head.method, "GET") || sb_slice_eqz(request->head.method, "HEAD");
    step_server *server = request->server;
    step_fetch *fetch = asked->running;

    if (!safe || !may_join(request, fetch)) {
        fetch = fetch_new(request, asked);
        fetch->refs = 1; /* its thread's */
        if (!step_thread(run_thread, fetch)) {
            fetch_unref(fetch);
            return NULL;
        }
        server->fetch_count++;
        if (safe)
            asked->running = fetch;
    }
    pthread_mutex_lock(&fetch->lock);
    fetch->refs++;
    pthread_mutex_unlock(&fetch->lock);
    return fetch;
}

bool step_fetch_answer(step_request *request, step_asked *asked)
{
    step_server *server = request->server;
    const sb_step_request *recorded;
    step_fetch *fetch = NULL;
    bool sent;

    pthread_mutex_lock(&server->lock);
    recorded = find_recorded(request, asked);
    while (!recorded && server->fetch_count >= STEP_FETCHES_MAX && !may_join(request, asked->running))
        pthread_cond_wait(&server->idle, &server->lock);
    if (!recorded)
        fetch = join_or_start(request, asked);
    pthread_mutex_unlock(&server->lock);
    if (recorded) {
        sb_autoclose int file = step_recording_open(server->recording, &recorded->digest);

        return file >= 0 ? step_send_locked(request, recorded, file)
                         : step_send_text(request, 502, "sbuild: the recording has gone\n");
    }
    if (!fetch)
        return step_send_text(request, 502, "sbuild: too much at once\n");
    sent = step_fetch_relay(request, fetch);
    fetch_unref(fetch);
    return sent;
}

bool step_fetch_wait(step_server *server, unsigned seconds)
{
    struct timespec until;
    bool none;
    int status = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&server->lock);
    while (server->fetch_count && status == 0)
        status = pthread_cond_timedwait(&server->idle, &server->lock, &until);
    none = server->fetch_count == 0;
    pthread_mutex_unlock(&server->lock);
    return none;
}
