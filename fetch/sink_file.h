// SPDX-License-Identifier: Apache-2.0
/*
 * The sink that writes a body to a file descriptor: hashed while writing, continued by Range after a broken
 * transfer and in a later run, checked against what is known of it.
 */
#ifndef SBUILD_FETCH_SINK_FILE_H
#define SBUILD_FETCH_SINK_FILE_H

#include <fetch/stream.h>
#include <fetch/transfer.h>

typedef struct sb_file_sink {
    /* in */
    int fd;
    uint64_t max_size;       /* 0: none */
    uint64_t expect_size;    /* 0: not known */
    const sb_digest *expect; /* NULL: not known */
    const char *label;
    sb_progress *progress;

    /* out */
    sb_digest digest; /* sha256 */
    int64_t last_modified;
    char *etag; /* owned */
    uint64_t size;

    /* of the sink */
    sb_stream *stream; /* from the first attempt on */
    uint64_t taken;    /* bytes of the file that the stream has been given */
    uint64_t
        farthest;   /* that any attempt came: a server that gives a little each time is not tried for ever */
    uint64_t total; /* of the answer; 0: not known */
    uint64_t asked; /* first byte asked for */
    bool no_range;  /* the server cannot, or its parts do not fit */
    bool resumed;   /* some bytes are of an earlier attempt */
    bool began;
    unsigned task;
    int64_t shown;     /* when progress was last told */
    int64_t save_time; /* when it was last seen to that little is in memory alone */
    uint64_t saved;    /* of the file, then */
} sb_file_sink;

void sb_file_sink_clear(sb_file_sink *sink);

int sb_file_sink_begin(sb_file_sink *sink, sb_transfer *transfer, struct curl_slist **headers,
                       sb_error **err);
int sb_file_sink_head(sb_file_sink *sink, sb_transfer *transfer, sb_error **err);
int sb_file_sink_body(sb_file_sink *sink, sb_transfer *transfer, const char *data, size_t len,
                      sb_error **err);
sb_verdict sb_file_sink_end(sb_file_sink *sink, sb_transfer *transfer, sb_error **err);
void sb_file_sink_finished(sb_file_sink *sink, sb_transfer *transfer);

#endif
