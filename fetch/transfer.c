// SPDX-License-Identifier: Apache-2.0
#include <fetch/transfer.h>

#include <sbuild/timefmt.h>

#include <time.h>

enum { POLL_MS = 100, BACKOFF_MS = 500, BACKOFF_MAX_MS = 30000, DROPPED_MAX = 1 << 16, REFUSED_TRIES = 3 };

void sb_transfer_clear(sb_transfer *t)
{
    if (t->easy)
        curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    sb_url_clear(&t->first);
    sb_url_clear(&t->url);
    sb_buf_free(&t->header_lines);
    sb_error_free(t->failure);
    sb_error_free(t->error);
    sb_http_response_clear(&t->response);
    t->easy = NULL;
    t->headers = NULL;
    t->failure = t->error = NULL;
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_retried(long status)
{
    return status == 408 || status == 425 || status == 429 ||
           (status >= 500 && status != 501 && status != 505);
}

static bool may_retry(const sb_transfer *t)
{
    return !t->no_retry && t->tries < SB_TRIES_MAX && t->tries_total < SB_TRIES_TOTAL_MAX;
}

/* Only what can be repeated and says nothing new is sent after a redirect. */
static bool may_follow(const sb_transfer *t)
{
    return !t->body.ptr;
}

/* ---- what curl calls ---- */

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    sb_transfer *t = ctx;
    size_t len = size * count;
    sb_slice line = sb_slice_trim(sb_slice_of(data, len));

    /* A new status line: what came before was an interim answer, or a proxy's. */
    if (sb_slice_starts(line, SB_LIT("HTTP/"))) {
        sb_buf_reset(&t->header_lines);
        t->header_lines.overflow = false;
        t->head_seen = false;
    } else if (line.len && (!sb_buf_adds(&t->header_lines, line) || !sb_buf_addc(&t->header_lines, '\n'))) {
        sb_fail(&t->failure, SB_ERR_LIMIT, "%s sends more than %d bytes of headers", t->url.host,
                SB_RESPONSE_HEADERS_MAX);
        return CURL_WRITEFUNC_ERROR;
    }
    return len;
}

static long status_of(sb_transfer *t)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void note_response(sb_transfer *t)
{
    free(t->response.headers);
    free(t->response.final_url);
    sb_buf_addz(&t->header_lines, "");
    t->response.headers = sb_strndup(t->header_lines.data, t->header_lines.len);
    t->response.final_url = sb_strdup(t->url.text);
    t->response.status = status_of(t);
    t->answered = true;
}

/* The head is complete: shall the sink have what follows? */
static int see_head(sb_transfer *t)
{
    long status;

    if (t->head_seen)
        return 0;
    t->head_seen = true;
    note_response(t);
    status = t->response.status;
    t->dropping = (is_redirect(status) && may_follow(t) && sb_http_header(&t->response, "Location", 0).ptr) ||
                  (is_retried(status) && may_retry(t)) ||
                  (!t->any_status && (status < 200 || status > 299) && status != 416);
    if (t->dropping || !t->sink->head)
        return 0;
    return t->sink->head(t, &t->failure);
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    sb_transfer *t = ctx;
    size_t len = size * count;

    if (see_head(t) < 0)
        return CURL_WRITEFUNC_ERROR;
    if (t->dropping) {
        t->dropped += len;
        return t->dropped > DROPPED_MAX ? CURL_WRITEFUNC_ERROR : len;
    }
    if (t->sink->body && t->sink->body(t, data, len, &t->failure) < 0)
        return CURL_WRITEFUNC_ERROR;
    return len;
}

/* ---- from state to state ---- */

static void finish(sb_transfer *t)
{
    t->state = SB_TRANSFER_OVER;
    if (t->easy)
        curl_easy_cleanup(t->easy);
    t->easy = NULL;
    if (t->sink->finished)
        t->sink->finished(t);
}

static void restart(sb_transfer *t)
{
    sb_url_clear(&t->first);
    sb_url_clear(&t->url);
    t->hops = 0;
    t->state = SB_TRANSFER_READY;
}

/* Two sources have failed: an answer says more than a source that cannot be reached. */
static sb_error *join_failures(sb_error *before, sb_error *now, bool answered)
{
    sb_error *main = answered ? now : before, *other = answered ? before : now;
    char *message =
        sb_asprintf("%s (%s: %s)", main->message, answered ? "before that" : "after that", other->message);

    free(main->message);
    main->message = message;
    sb_error_free(other);
    return main;
}

/* This source has failed with *failure: the next one, or the end. */
static void give_up(sb_transfer *t, sb_error *failure)
{
    bool final =
        failure->code == SB_ERR_IO || failure->code == SB_ERR_INTERRUPTED || failure->code == SB_ERR_LIMIT;

    t->error = t->error ? join_failures(t->error, failure, t->answered) : failure;
    if (final || t->source + 1 >= t->source_count) {
        finish(t);
        return;
    }
    t->source++;
    t->answered = false;
    t->tries = t->tries_total = 0;
    t->authorized = false;
    restart(t);
}

/* The transfer's own failure, or one made of the words. */
static void give_up_because(sb_transfer *t, sb_errc code, const char *why)
{
    sb_error *failure = SB_TAKE(t->failure);

    if (!failure) {
        sb_autofree char *shown =
            sb_url_shown(t->url.text ? sb_slice_z(t->url.text) : t->sources[t->source].url);

        sb_fail(&failure, code, "cannot reach %s: %s", shown, why);
    }
    give_up(t, failure);
}

static uint64_t next_random(sb_http *http)
{
    http->seed ^= http->seed << 13;
    http->seed ^= http->seed >> 7;
    http->seed ^= http->seed << 17;
    return http->seed;
}

/* Seconds that the server wants to be left alone, capped; 0 when it does not say. */
static int64_t retry_after(const sb_transfer *t)
{
    sb_slice text = t->head_seen ? sb_http_header(&t->response, "Retry-After", 0) : SB_NIL;
    int64_t when = 0;
    uint64_t seconds;

    if (sb_slice_to_u64(text, &seconds))
        when = seconds > SB_RETRY_AFTER_MAX ? SB_RETRY_AFTER_MAX : (int64_t)seconds;
    else if (text.len && sb_time_parse_http(text, &when))
        when -= (int64_t)time(NULL);
    return when < 0 ? 0 : when > SB_RETRY_AFTER_MAX ? SB_RETRY_AFTER_MAX : when;
}

static void try_later(sb_transfer *t)
{
    unsigned exponent = t->tries > 7 ? 7 : t->tries;
    int64_t pause = (int64_t)BACKOFF_MS << (exponent ? exponent - 1 : 0);
    int64_t wanted = retry_after(t) * 1000;

    if (pause > BACKOFF_MAX_MS)
        pause = BACKOFF_MAX_MS;
    pause = pause / 2 + (int64_t)(next_random(t->http) % (uint64_t)pause);
    if (wanted > pause)
        pause = wanted + (int64_t)(next_random(t->http) % 250);
    restart(t);
    t->due = sb_now_ms() + pause;
    t->state = SB_TRANSFER_WAITING;
}

static void follow(sb_transfer *t)
{
    sb_slice location = sb_http_header(&t->response, "Location", 0);
    sb_autourl next = {0};

    if (++t->hops > SB_REDIRECTS_MAX) {
        give_up_because(t, SB_ERR_NETWORK, "more than 10 redirects");
        return;
    }
    if (sb_url_follow(&t->url, location, &next, &t->failure) < 0) {
        sb_wrap(&t->failure, "%s redirects", t->url.host);
        t->failure->code = SB_ERR_NETWORK;
        give_up_because(t, SB_ERR_NETWORK, "");
        return;
    }
    if (t->url.https && !next.https) {
        give_up_because(t, SB_ERR_NETWORK, "it redirects from https to http, which is refused");
        return;
    }
    sb_url_clear(&t->url);
    t->url = next;
    next = (sb_url){0};
    t->state = SB_TRANSFER_READY;
}

static void answered(sb_transfer *t)
{
    long status = t->response.status;
    sb_verdict verdict;

    if (is_redirect(status) && may_follow(t) && sb_http_header(&t->response, "Location", 0).ptr) {
        follow(t);
        return;
    }
    if ((status == 401 || (status == 403 && sb_http_header(&t->response, "WWW-Authenticate", 0).ptr)) &&
        t->sink->authorize && !t->authorized) {
        t->authorized = true;
        if (t->sink->authorize(t, &t->sources[t->source], &t->failure)) {
            restart(t);
            return;
        }
        if (t->failure) {
            give_up_because(t, SB_ERR_AUTH, "");
            return;
        }
    }
    if (is_retried(status) && may_retry(t)) {
        try_later(t);
        return;
    }
    if (!t->any_status && t->dropping) {
        sb_http_status_error(&t->response, NULL, &t->failure);
        give_up_because(t, SB_ERR_NETWORK, "");
        return;
    }
    verdict = t->sink->end ? t->sink->end(t, &t->failure) : SB_VERDICT_DONE;
    if (verdict == SB_VERDICT_FAILED)
        give_up_because(t, SB_ERR_INTERNAL, "");
    else if (verdict == SB_VERDICT_AGAIN && may_retry(t))
        try_later(t);
    else if (verdict == SB_VERDICT_AGAIN)
        give_up_because(t, SB_ERR_NETWORK, "the server does not send all of it");
    else {
        sb_error_free(t->error);
        t->error = NULL;
        finish(t);
    }
}

static bool is_broken(CURLcode code)
{
    switch ((int)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
        return true;
    default:
        return false;
    }
}

static void broken(sb_transfer *t, CURLcode code)
{
    bool never_there = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
                       code == CURLE_SSL_CONNECT_ERROR;

    if (t->refused_address) {
        give_up_because(
            t, SB_ERR_NETWORK,
            "its address is one of this machine, its link or its cloud's metadata service, which is "
            "refused; add the host to \"allow-hosts\" in your own configuration if that is meant");
        return;
    }
    if (t->progressed)
        t->tries = 1;
    if (!t->failure && is_broken(code) && may_retry(t) && !(never_there && t->tries >= REFUSED_TRIES)) {
        try_later(t);
        return;
    }
    if (!t->failure) {
        sb_autofree char *why =
            sb_printable(sb_slice_z(t->curl_message[0] ? t->curl_message : curl_easy_strerror(code)));

        give_up_because(t, SB_ERR_NETWORK, why);
        return;
    }
    give_up_because(t, SB_ERR_NETWORK, "");
}

/* Curl is done with it. */
static void over(sb_transfer *t, CURLcode code)
{
    if (code == CURLE_OK && see_head(t) < 0)
        code = CURLE_WRITE_ERROR;
    /* Enough was seen of a body that nobody wants. */
    if (code == CURLE_WRITE_ERROR && t->dropping && !t->failure)
        code = CURLE_OK;
    if (code == CURLE_OK && !t->failure)
        answered(t);
    else
        broken(t, code);
}

static bool start(CURLM *multi, sb_transfer *t)
{
    const sb_source *source = &t->sources[t->source];

    sb_error_free(t->failure);
    t->failure = NULL;
    if (!t->url.text) {
        t->tries++;
        t->tries_total++;
        if (sb_url_parse(source->url, &t->first, &t->failure) < 0 ||
            sb_url_parse(source->url, &t->url, &t->failure) < 0) {
            give_up_because(t, SB_ERR_USAGE, "");
            return false;
        }
    }
    t->head_seen = t->dropping = t->progressed = false;
    t->dropped = 0;
    t->header_lines.max = SB_RESPONSE_HEADERS_MAX;
    sb_buf_reset(&t->header_lines);
    if (sb_transfer_prepare(t, &t->failure) < 0) {
        if (t->refused_address)
            broken(t, CURLE_OK);
        else
            give_up_because(t, SB_ERR_INTERNAL, "");
        return false;
    }
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    if (curl_multi_add_handle(multi, t->easy) != CURLM_OK) {
        give_up_because(t, SB_ERR_INTERNAL, "curl does not take the transfer");
        return false;
    }
    t->state = SB_TRANSFER_ACTIVE;
    return true;
}

/* ---- all of them ---- */

typedef struct run {
    CURLM *multi;
    sb_transfer **list;
    size_t count, first; /* all before `first` are over */
    size_t active, parallel;
} run;

/* Starts what can be started. Returns the milliseconds until something else is due, -1 when nothing is left.
 */
static int64_t start_due(run *r)
{
    int64_t now = sb_now_ms(), soonest = r->active ? POLL_MS : -1;

    while (r->first < r->count && r->list[r->first]->state == SB_TRANSFER_OVER)
        r->first++;
    for (size_t i = r->first; i < r->count && r->active < r->parallel; i++) {
        sb_transfer *t = r->list[i];

        if (t->state == SB_TRANSFER_WAITING && t->due <= now)
            t->state = SB_TRANSFER_READY;
        if (t->state == SB_TRANSFER_READY && start(r->multi, t))
            r->active++;
        /* What failed at once may have another source. */
        if (t->state == SB_TRANSFER_READY)
            soonest = 0;
        else if (t->state == SB_TRANSFER_WAITING && (soonest < 0 || t->due - now < soonest))
            soonest = t->due > now ? t->due - now : 0;
    }
    if (r->active && (soonest < 0 || soonest > POLL_MS))
        soonest = POLL_MS;
    return soonest;
}

/* Is any transfer over, so that another may start? */
static bool collect(run *r)
{
    bool any = false;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(r->multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        char *ctx = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &ctx);
        curl_multi_remove_handle(r->multi, easy);
        r->active--;
        over((sb_transfer *)(void *)ctx, code);
        any = true;
    }
    return any;
}

static void stop_all(run *r)
{
    for (size_t i = r->first; i < r->count; i++) {
        sb_transfer *t = r->list[i];

        if (t->state == SB_TRANSFER_OVER)
            continue;
        if (t->state == SB_TRANSFER_ACTIVE)
            curl_multi_remove_handle(r->multi, t->easy);
        sb_error_free(t->error);
        t->error = NULL;
        sb_fail(&t->error, SB_ERR_INTERRUPTED, "interrupted");
        finish(t);
    }
}

static int run_all(run *r)
{
    for (;;) {
        int64_t wait = start_due(r);
        int running;

        if (sb_interrupted) {
            stop_all(r);
            return 0;
        }
        if (wait < 0)
            return 0;
        if (r->active && curl_multi_perform(r->multi, &running) != CURLM_OK)
            return -1;
        if (!collect(r) && (r->active == r->parallel || wait > 0))
            curl_multi_poll(r->multi, NULL, 0, (int)(wait > POLL_MS ? POLL_MS : wait), NULL);
    }
}

int sb_transfers_run(sb_http *http, sb_transfer **transfers, size_t count, sb_error **err)
{
    unsigned depth = http->depth;
    run r = {.list = transfers, .count = count};
    int result;

    if (depth >= SB_COUNT(http->multi))
        return sb_fail(err, SB_ERR_INTERNAL, "transfers within transfers within transfers");
    if (!http->multi[depth])
        http->multi[depth] = sb_not_null(curl_multi_init());
    r.multi = http->multi[depth];
    r.parallel = http->settings && http->settings->parallel ? http->settings->parallel : 4;
    for (size_t i = 0; i < count; i++)
        transfers[i]->http = http;
    http->depth++;
    result = run_all(&r);
    http->depth--;
    if (result < 0)
        return sb_fail(err, SB_ERR_INTERNAL, "the transfers cannot go on");
    for (size_t i = 0; i < count; i++)
        if (transfers[i]->error)
            return sb_fail(err, transfers[i]->error->code, "%s", transfers[i]->error->message);
    return 0;
}
