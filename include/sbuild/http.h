// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP(S) as everything that crosses the network uses it: libcurl underneath, one sb_http per run, one
 * thread.
 *
 * Always: http and https only; at most 10 redirects, never https → http; Authorization and cookies never
 * reach another host, port or scheme; loopback, link-local and unspecified addresses are refused after name
 * resolution unless allowed (SB_ERR_NETWORK); bodies have a maximum; retries with back-off and Retry-After
 * (capped at 60 s) on 429, 5xx and broken connections; query strings and credentials are left out of
 * messages.
 */
#ifndef SBUILD_HTTP_H
#define SBUILD_HTTP_H

#include <sbuild/arena.h>
#include <sbuild/buf.h>
#include <sbuild/digest.h>
#include <sbuild/error.h>
#include <sbuild/progress.h>
#include <sbuild/settings.h>

typedef struct sb_http sb_http;

/* `settings` and `progress` (may be NULL) must outlive it. */
sb_http *sb_http_new(const sb_settings *settings, sb_progress *progress);
void sb_http_free(sb_http *http);
SB_DEFINE_CLEANUP(sb_http, sb_http_free)

typedef struct sb_http_tls { /* NULL or absent members: the system's */
    sb_slice ca_file;
    sb_slice client_cert;
    sb_slice client_key;
    bool insecure; /* do not verify */
} sb_http_tls;

typedef struct sb_http_request {
    const char *method; /* NULL: GET */
    sb_slice url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    sb_slice
        authorization; /* the value of the Authorization header; dropped when a redirect changes the origin */
    sb_slice body;
    const char *body_type;
    size_t max_body;     /* bytes of the answer kept in memory; more is SB_ERR_LIMIT */
    bool allow_loopback; /* registries on loopback; files and git only by sb_settings.allow_hosts */
    const sb_http_tls *tls;
    bool no_retry;
} sb_http_request;

typedef struct sb_http_response {
    long status; /* any status is an answer here, not an error */
    char *final_url;
    char *headers; /* of the last hop, as received, one per line */
    sb_buf body;
} sb_http_response;
#define sb_autoresponse __attribute__((cleanup(sb_http_response_clear))) sb_http_response
void sb_http_response_clear(sb_http_response *response);

/* One request; -1 only when no answer came at all (SB_ERR_NETWORK). */
int sb_http_perform(sb_http *http, const sb_http_request *request, sb_http_response *ret_response,
                    sb_error **err);
/* The value of a response header (the first, or the n-th of that name), trimmed; absent slice without it. */
sb_slice sb_http_header(const sb_http_response *response, const char *name, unsigned n);
/* An error that says who answered what to which URL (for `what`, may be NULL): 404 → NOT_FOUND, 401/403 →
 * AUTH, 410 → GONE, else NETWORK. */
int sb_http_status_error(const sb_http_response *response, const char *what, sb_error **err);

/*
 * A download to a file descriptor, hashed while writing, never in memory. A broken transfer is resumed by
 * Range (If-Range when the server gave an ETag), also when `fd` already holds a beginning (its content is
 * hashed first).
 */
typedef struct sb_http_download {
    sb_http_request request;         /* max_body does not apply */
    int fd;                          /* O_RDWR, written from its start; the caller owns it */
    uint64_t max_size;               /* bytes; 0: no maximum but the disk */
    uint64_t expect_size;            /* 0: not known */
    const sb_digest *expect;         /* NULL: not known; a difference is SB_ERR_VERIFY */
    const char *label;               /* for progress */
    bool quiet;                      /* no progress of its own: one of many */
    const char *const *alternatives; /* further URLs for the same bytes (mirrors), tried in order;
                                        NULL-terminated; may be NULL */
    /* results */
    sb_digest digest; /* sha256 */
    uint64_t size;
    char *final_url;       /* owned, free()d by the caller */
    int64_t last_modified; /* seconds since 1970; -1 when the server did not say */
    char *etag;            /* owned; NULL without */
    sb_error *error;       /* owned; NULL when it succeeded */
} sb_http_download;

/*
 * All of them, `sb_settings.parallel` at a time. Returns -1 when any failed: *err is the first failure, and
 * each download has its own.
 */
int sb_http_download_all(sb_http *http, sb_http_download *downloads, size_t count, sb_error **err);

/*
 * Who vouches for servers here, as PEM: the user's bundle (CURL_CA_BUNDLE, SSL_CERT_FILE), else the system's,
 * and the authorities of the settings. Empty where there are none (fetch/authorities.c).
 */
int sb_http_authorities(const sb_settings *settings, sb_buf *out, sb_error **err);

/* The Authorization with which this user logs in at "host[:port]" (fetch/login.c): 1, or 0 without. Never for
 * a message. */
int sb_http_login(sb_arena *arena, sb_slice host, sb_slice *ret_authorization, sb_error **err);

/* scheme://host[:port] and path of a URL for messages: no user info, no query. The caller frees it. */
char *sb_url_shown(sb_slice url);
/* "host[:port]" of a URL, or an absent slice. */
sb_slice sb_url_host(sb_slice url);

#endif
