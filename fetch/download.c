// SPDX-License-Identifier: Apache-2.0
#include <fetch/sink_file.h>

typedef struct download {
    sb_transfer transfer;
    sb_file_sink sink;
    sb_source *sources;
    sb_http_download *public;
    char *label;
} download;

static sb_file_sink *sink_of(sb_transfer *transfer)
{
    return &((download *)transfer->ctx)->sink;
}

static int begin(sb_transfer *transfer, struct curl_slist **headers, sb_error **err)
{
    return sb_file_sink_begin(sink_of(transfer), transfer, headers, err);
}

static int head(sb_transfer *transfer, sb_error **err)
{
    return sb_file_sink_head(sink_of(transfer), transfer, err);
}

static int body(sb_transfer *transfer, const char *data, size_t len, sb_error **err)
{
    return sb_file_sink_body(sink_of(transfer), transfer, data, len, err);
}

static sb_verdict end(sb_transfer *transfer, sb_error **err)
{
    return sb_file_sink_end(sink_of(transfer), transfer, err);
}

static void finished(sb_transfer *transfer)
{
    sb_file_sink_finished(sink_of(transfer), transfer);
}

static void set_up(sb_http *http, sb_http_download *public, download *d)
{
    static const sb_sink sink = {
        .begin = begin, .head = head, .body = body, .end = end, .finished = finished};
    const sb_http_request *request = &public->request;
    size_t count = 1, i = 0;

    for (const char *const *url = public->alternatives; url && *url; url++)
        count++;
    d->public = public;
    d->sources = sb_new_array(sb_source, count);
    d->sources[i++] = (sb_source){
        .url = request->url,
        .authorization = request->authorization,
        .headers = request->headers,
        .tls = request->tls,
        .allow_local = request->allow_loopback,
    };
    /* Credentials are for the first URL's host; the headers may be as well. */
    for (const char *const *url = public->alternatives; url && *url; url++)
        d->sources[i++] = (sb_source){.url = sb_slice_z(*url)};
    d->label = public->label ? sb_printable(sb_slice_z(public->label)) : sb_url_shown(request->url);
    d->sink = (sb_file_sink){
        .fd = public->fd,
        .max_size = public->max_size,
        .expect_size = public->expect_size,
        .expect = public->expect,
        .label = d->label,
        .progress = public->quiet ? NULL : http->progress,
        .last_modified = -1,
    };
    d->transfer = (sb_transfer){
        .method = request->method,
        .body = request->body,
        .body_type = request->body_type,
        .sources = d->sources,
        .source_count = count,
        .sink = &sink,
        .ctx = d,
        .no_retry = request->no_retry,
    };
}

static void hand_over(download *d)
{
    sb_http_download *public = d->public;

    public->error = SB_TAKE(d->transfer.error);
    public->last_modified = d->sink.last_modified;
    public->final_url = NULL;
    public->etag = NULL;
    if (!public->error) {
        public->digest = d->sink.digest;
        public->size = d->sink.size;
        public->etag = SB_TAKE(d->sink.etag);
        public->final_url = SB_TAKE(d->transfer.response.final_url);
    }
    sb_file_sink_clear(&d->sink);
    sb_transfer_clear(&d->transfer);
    free(d->sources);
    free(d->label);
}

int sb_http_download_all(sb_http *http, sb_http_download *downloads, size_t count, sb_error **err)
{
    sb_autofree download *all = sb_new_array(download, count);
    sb_autofree sb_transfer **list = sb_new_array(sb_transfer *, count);
    int result;

    for (size_t i = 0; i < count; i++) {
        set_up(http, &downloads[i], &all[i]);
        list[i] = &all[i].transfer;
    }
    result = sb_transfers_run(http, list, count, err);
    for (size_t i = 0; i < count; i++)
        hand_over(&all[i]);
    return result;
}
