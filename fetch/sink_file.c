// SPDX-License-Identifier: Apache-2.0
#include <fetch/sink_file.h>

#include <sbuild/timefmt.h>

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CHUNK = 1 << 17, SHOW_MS = 100, ETAG_MAX = 200, PROGRESS_BYTES = 1 << 18, SAVE_MS = 1000 };

/* With the file itself, so that the next run can ask the server for the rest of the same thing. */
static const char validator_name[] = "user.sbuild.etag";

void sb_file_sink_clear(sb_file_sink *sink)
{
    sb_stream_free(sink->stream);
    free(sink->etag);
    sink->stream = NULL;
    sink->etag = NULL;
}

static int fail_write(const sb_file_sink *sink, sb_error **err)
{
    return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", sink->label, strerror(errno));
}

static int start_over(sb_file_sink *sink, sb_error **err)
{
    if (sb_stream_drain(sink->stream) < 0)
        return fail_write(sink, err);
    sb_stream_restart(sink->stream);
    sink->taken = sink->saved = 0;
    sink->resumed = false;
    if (ftruncate(sink->fd, 0) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot empty the file of %s: %s", sink->label, strerror(errno));
    return 0;
}

static void forget_etag(sb_file_sink *sink)
{
    free(sink->etag);
    sink->etag = NULL;
}

/* The ETag that an earlier run left; where the file system has no room for it, there is none. */
static void recall_etag(sb_file_sink *sink)
{
    char text[ETAG_MAX + 1];
    ssize_t n = fgetxattr(sink->fd, validator_name, text, ETAG_MAX);

    forget_etag(sink);
    if (n <= 2)
        return;
    for (ssize_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            return;
    sink->etag = sb_strndup(text, (size_t)n);
}

/* What an earlier run has written counts when there is a way to know that the rest belongs to it. */
static int take_beginning(sb_file_sink *sink, sb_error **err)
{
    sb_autofree char *chunk = NULL;
    struct stat st;
    uint64_t limit;

    if (fstat(sink->fd, &st) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot look at the file of %s: %s", sink->label, strerror(errno));
    if (st.st_size == 0)
        return 0;
    recall_etag(sink);
    if ((!sink->expect && !sink->etag) || (sink->expect_size && (uint64_t)st.st_size > sink->expect_size))
        return start_over(sink, err);
    /* When it is all there already, the last byte is asked for again: a range behind the end confuses
     * servers. */
    limit = (uint64_t)st.st_size - ((uint64_t)st.st_size == sink->expect_size ? 1 : 0);
    chunk = sb_malloc(CHUNK);
    while (sink->taken < limit && !sb_interrupted) {
        size_t wanted = limit - sink->taken < CHUNK ? (size_t)(limit - sink->taken) : CHUNK;
        ssize_t n = pread(sink->fd, chunk, wanted, (off_t)sink->taken);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sb_fail(err, SB_ERR_IO, "cannot read the file of %s: %s", sink->label, strerror(errno));
        if (n == 0)
            break;
        sb_stream_skim(sink->stream, chunk, (size_t)n);
        sink->taken += (uint64_t)n;
    }
    sink->resumed = true;
    return 0;
}

int sb_file_sink_begin(sb_file_sink *sink, sb_transfer *transfer, struct curl_slist **headers, sb_error **err)
{
    bool elsewhere = transfer->source > 0 && !sink->expect;
    char line[64 + ETAG_MAX];

    if (!sink->began) {
        sink->began = true;
        sink->save_time = sb_now_ms();
        sink->stream = sb_stream_new(sb_http_streams(transfer->http), sink->fd,
                                     sink->expect ? sink->expect->algo : SB_HASH_SHA256);
        sink->task = sb_progress_begin(sink->progress, sink->expect_size, "%s", sink->label);
        if (take_beginning(sink, err) < 0)
            return -1;
    }
    if (sink->taken && (sink->no_range || elsewhere || (!sink->expect && !sink->etag)) &&
        start_over(sink, err) < 0)
        return -1;
    sink->asked = sink->taken;
    if (!sink->asked)
        return 0;
    snprintf(line, sizeof(line), "Range: bytes=%" PRIu64 "-", sink->asked);
    *headers = sb_not_null(curl_slist_append(*headers, line));
    /* A weak validator says nothing about bytes; with a digest known, the end will tell. */
    if (sink->etag) {
        snprintf(line, sizeof(line), "If-Range: %s", sink->etag);
        *headers = sb_not_null(curl_slist_append(*headers, line));
    }
    return 0;
}

static void note_validators(sb_file_sink *sink, const sb_http_response *response)
{
    sb_slice etag = sb_http_header(response, "ETag", 0),
             modified = sb_http_header(response, "Last-Modified", 0);
    int64_t when;

    sink->last_modified = modified.ptr && sb_time_parse_http(modified, &when) ? when : -1;
    if (sink->etag && sb_slice_eqz(etag, sink->etag))
        return;
    forget_etag(sink);
    if (etag.len > 2 && etag.len <= ETAG_MAX && etag.ptr[0] == '"')
        sink->etag = sb_slice_dup(etag);
    if (sink->etag)
        (void)fsetxattr(sink->fd, validator_name, sink->etag, strlen(sink->etag), 0);
    else
        (void)fremovexattr(sink->fd, validator_name);
}

/* "bytes FIRST-LAST/TOTAL" */
static bool parse_content_range(sb_slice text, uint64_t *ret_first, uint64_t *ret_total)
{
    sb_slice rest = text, first, last;
    uint64_t end;

    if (!sb_slice_starts(rest, SB_LIT("bytes ")))
        return false;
    rest = sb_slice_sub(rest, strlen("bytes "), rest.len);
    first = sb_slice_cut(&rest, '-');
    last = sb_slice_cut(&rest, '/');
    *ret_total = 0;
    if (!rest.ptr || !sb_slice_to_u64(first, ret_first) || !sb_slice_to_u64(last, &end) || end < *ret_first)
        return false;
    return sb_slice_eqz(rest, "*") || (sb_slice_to_u64(rest, ret_total) && *ret_total > end);
}

static int check_total(const sb_file_sink *sink, sb_error **err)
{
    if (sink->max_size && sink->total > sink->max_size)
        return sb_fail(err, SB_ERR_LIMIT, "%s has %" PRIu64 " bytes, more than the maximum of %" PRIu64,
                       sink->label, sink->total, sink->max_size);
    if (sink->expect_size && sink->total && sink->total != sink->expect_size)
        return sb_fail(err, SB_ERR_VERIFY, "%s has %" PRIu64 " bytes instead of %" PRIu64, sink->label,
                       sink->total, sink->expect_size);
    return 0;
}

int sb_file_sink_head(sb_file_sink *sink, sb_transfer *transfer, sb_error **err)
{
    const sb_http_response *response = &transfer->response;
    uint64_t first, total = 0;

    if (response->status == 416) {
        if (!sink->asked)
            return sb_http_status_error(response, sink->label, err);
        return 0; /* sb_file_sink_end knows what to do */
    }
    if (response->status == 206) {
        if (!parse_content_range(sb_http_header(response, "Content-Range", 0), &first, &total) ||
            !sink->asked || first != sink->asked) {
            /* Its parts are not what it says: whole from now on. The bad part must not be written. */
            sink->no_range = true;
            sink->total = 0;
            return 0;
        }
        sink->resumed = true;
    } else {
        if (sink->taken && start_over(sink, err) < 0)
            return -1;
        sb_slice_to_u64(sb_http_header(response, "Content-Length", 0), &total);
    }
    sink->total = total;
    note_validators(sink, response);
    return check_total(sink, err);
}

static void show(sb_file_sink *sink, int64_t now)
{
    if (!sink->progress || now - sink->shown < SHOW_MS)
        return;
    sink->shown = now;
    sb_progress_advance(sink->progress, sink->task, sink->taken,
                        sink->total ? sink->total : sink->expect_size);
}

/* What trickles in would stay in memory for long, and be lost with this process. */
static int save(sb_file_sink *sink, int64_t now)
{
    bool slow = sink->taken - sink->saved < SB_STREAM_BLOCK;

    if (now - sink->save_time < SAVE_MS)
        return 0;
    sink->save_time = now;
    sink->saved = sink->taken;
    return slow ? sb_stream_drain(sink->stream) : 0;
}

static bool ignores_body(const sb_file_sink *sink, const sb_transfer *transfer)
{
    return transfer->response.status == 416 || (transfer->response.status == 206 && sink->no_range);
}

int sb_file_sink_body(sb_file_sink *sink, sb_transfer *transfer, const char *data, size_t len, sb_error **err)
{
    int64_t now = sb_now_ms();

    if (ignores_body(sink, transfer))
        return 0;
    if (sink->max_size && sink->taken + len > sink->max_size)
        return sb_fail(err, SB_ERR_LIMIT, "%s has more than the maximum of %" PRIu64 " bytes", sink->label,
                       sink->max_size);
    if (sink->expect_size && sink->taken + len > sink->expect_size)
        return sb_fail(err, SB_ERR_VERIFY, "%s has more than %" PRIu64 " bytes", sink->label,
                       sink->expect_size);
    sink->taken += len;
    if (sb_stream_add(sink->stream, data, len) < 0 || save(sink, now) < 0)
        return fail_write(sink, err);
    if (sink->taken >= sink->farthest + PROGRESS_BYTES) {
        sink->farthest = sink->taken;
        transfer->progressed = true;
    }
    show(sink, now);
    return 0;
}

static sb_verdict wrong_digest(sb_file_sink *sink, const sb_digest *got, sb_error **err)
{
    sb_autofree char *expected = sb_digest_dup(sink->expect), *actual = sb_digest_dup(got);

    if (sink->resumed) {
        /* The beginning may have been at fault: once more from the start. */
        if (start_over(sink, err) < 0)
            return SB_VERDICT_FAILED;
        sink->no_range = true;
        return SB_VERDICT_AGAIN;
    }
    sb_fail(err, SB_ERR_VERIFY, "%s has the digest %s instead of %s; do not use it", sink->label, actual,
            expected);
    start_over(sink, err);
    return SB_VERDICT_FAILED;
}

static sb_verdict whole(sb_file_sink *sink, sb_error **err)
{
    sb_digest digest, other;

    if (sb_stream_drain(sink->stream) < 0) {
        fail_write(sink, err);
        return SB_VERDICT_FAILED;
    }
    sb_stream_finish(sink->stream, &digest, &other);
    if (sink->expect && !sb_digest_eq(&other, sink->expect))
        return wrong_digest(sink, &other, err);
    if (ftruncate(sink->fd, (off_t)sink->taken) < 0) {
        fail_write(sink, err);
        return SB_VERDICT_FAILED;
    }
    (void)fremovexattr(sink->fd, validator_name);
    sink->digest = digest;
    sink->size = sink->taken;
    return SB_VERDICT_DONE;
}

sb_verdict sb_file_sink_end(sb_file_sink *sink, sb_transfer *transfer, sb_error **err)
{
    sb_slice range = sb_http_header(&transfer->response, "Content-Range", 0);
    uint64_t total;

    if (transfer->response.status == 416) {
        if (sb_slice_starts(range, SB_LIT("bytes */")) &&
            sb_slice_to_u64(sb_slice_sub(range, strlen("bytes */"), range.len), &total) &&
            total == sink->taken)
            return whole(sink, err);
        sink->no_range = true;
        return SB_VERDICT_AGAIN;
    }
    if (ignores_body(sink, transfer))
        return SB_VERDICT_AGAIN;
    if ((sink->total && sink->taken < sink->total) || (sink->expect_size && sink->taken < sink->expect_size))
        return SB_VERDICT_AGAIN;
    return whole(sink, err);
}

void sb_file_sink_finished(sb_file_sink *sink, sb_transfer *transfer)
{
    if (!sink->began)
        return;
    /* What came before it broke off is for the next run. */
    (void)sb_stream_drain(sink->stream);
    if (!transfer->error)
        sb_progress_advance(sink->progress, sink->task, sink->size, sink->size);
    sb_progress_end(sink->progress, sink->task, transfer->error == NULL);
}
