// SPDX-License-Identifier: Apache-2.0
/*
 * Transfers: requests under way, many at once in one thread, each with its redirects, retries, further
 * sources and a sink that takes what comes. sb_http_perform, downloads and pulls are made of these.
 */
#ifndef SBUILD_FETCH_TRANSFER_H
#define SBUILD_FETCH_TRANSFER_H

#include <fetch/stream.h>
#include <fetch/url.h>
#include <sbuild/http.h>

#include <curl/curl.h>

enum {
    SB_REDIRECTS_MAX = 10,
    SB_TRIES_MAX = 5,                 /* of one source without any progress in between */
    SB_TRIES_TOTAL_MAX = 100,         /* with progress in between */
    SB_RETRY_AFTER_MAX = 60,          /* seconds */
    SB_RESPONSE_HEADERS_MAX = 1 << 18 /* bytes */
};

typedef struct sb_transfer sb_transfer;

/* One place where the bytes can be had. */
typedef struct sb_source {
    sb_slice url;
    sb_slice authorization;
    const char *const *headers; /* NULL-terminated; may be NULL */
    const sb_http_tls *tls;     /* may be NULL */
    bool allow_local;
    void *data; /* of whoever made the transfer */
} sb_source;

typedef enum sb_verdict {
    SB_VERDICT_DONE,
    SB_VERDICT_AGAIN,  /* the sink wants another try; counts as one without progress */
    SB_VERDICT_FAILED, /* of this source: *err is set */
} sb_verdict;

/* What takes the answer. Every member may be NULL. */
typedef struct sb_sink {
    /* An attempt begins: adds its own request headers. */
    int (*begin)(sb_transfer *transfer, struct curl_slist **headers, sb_error **err);
    /* The head of an answer that is neither redirect nor retried; false ends the transfer with *err. */
    int (*head)(sb_transfer *transfer, sb_error **err);
    int (*body)(sb_transfer *transfer, const char *data, size_t len, sb_error **err);
    /* All of it came. */
    sb_verdict (*end)(sb_transfer *transfer, sb_error **err);
    /* 401: gets new authorization for the source; false when there is none. At most once for each source. */
    bool (*authorize)(sb_transfer *transfer, sb_source *source, sb_error **err);
    /* Whether or not it succeeded, once. */
    void (*finished)(sb_transfer *transfer);
} sb_sink;

struct sb_transfer {
    /* in */
    const char *method; /* NULL: GET */
    sb_slice body;
    const char *body_type;
    sb_source *sources;
    size_t source_count;
    const sb_sink *sink;
    void *ctx;
    bool no_retry;
    bool any_status; /* whatever is answered is an answer; otherwise 2xx alone, and 416 for the sink to judge
                      */

    /* out */
    sb_http_response response; /* its body is up to the sink */
    sb_error *error;

    /* of sb_transfers_run */
    enum { SB_TRANSFER_READY, SB_TRANSFER_WAITING, SB_TRANSFER_ACTIVE, SB_TRANSFER_OVER } state;
    size_t source;
    int64_t due; /* milliseconds */
    unsigned tries, tries_total, hops;
    bool authorized, answered; /* by this source */
    bool progressed;
    sb_http *http;
    CURL *easy;
    struct curl_slist *headers;
    sb_url first, url; /* of the source, and where redirects have led */
    bool proxied, local_allowed, refused_address;
    bool head_seen, dropping;
    size_t dropped;
    sb_buf header_lines;
    sb_error *failure; /* of a callback */
    char curl_message[CURL_ERROR_SIZE];
};

/* All of them, sb_settings.parallel at a time; each has its own `error` afterwards. -1 when any has. */
int sb_transfers_run(sb_http *http, sb_transfer **transfers, size_t count, sb_error **err);
/* Frees what a transfer holds, not itself. */
void sb_transfer_clear(sb_transfer *transfer);
/* No answer, or too slow a one, for this long breaks a transfer off; default 30. */
void sb_http_set_patience(sb_http *http, unsigned seconds);

/* The fetch module's own view of sb_http. */
struct sb_http {
    const sb_settings *settings;
    sb_progress *progress;
    CURLM *multi[2];         /* the second while the first is busy: a token in the middle of a pull */
    sb_stream_pool *streams; /* once something goes to a file */
    unsigned depth;
    unsigned patience; /* seconds */
    uint64_t seed;     /* of the jitter */
};

/* Handle options that follow from the source and its URL (fetch/http.c). */
int sb_transfer_prepare(sb_transfer *transfer, sb_error **err);
sb_stream_pool *sb_http_streams(sb_http *http);
int64_t sb_now_ms(void);

#endif
