// SPDX-License-Identifier: Apache-2.0
/* Inside the loopback server. One thread a connection, and while recording one a request that goes upstream.
 */
#ifndef STEP_SERVER_H
#define STEP_SERVER_H

#include <builder/step/ca.h>
#include <builder/step/range.h>
#include <builder/step/stream.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum {
    STEP_CONNECTIONS_MAX = 1024,
    STEP_FETCHES_MAX = 256,
    STEP_IDLE_SECONDS = 60,      /* a client that says nothing */
    STEP_TRANSFER_SECONDS = 600, /* a client or upstream that stops in the middle */
    STEP_THREAD_STACK = 512 << 10,
    STEP_NOTICES_MAX = 200, /* lines on standard error */
    STEP_ANSWER_HEAD_MAX = SB_STEP_HEADERS_MAX + 4096,
    STEP_REPORT_MAX = 1 << 20,
};

typedef struct step_fetch step_fetch;
typedef struct step_recording step_recording;
typedef struct step_upstream step_upstream;
typedef struct step_objects step_objects;

/* What became of one question so far. */
typedef struct step_asked {
    struct step_asked *next; /* in its chain */
    sb_digest key;
    unsigned turn; /* answers given to plain requests */
    bool missed;
    /* Recording: */
    step_fetch *running;             /* on its way upstream; NULL: none */
    sb_step_request const **answers; /* different ones, in order */
    size_t answer_count, answer_cap;
    const sb_step_request *failure; /* a failed answer, the truth only as long as there is no other */
} step_asked;

typedef struct step_table {
    step_asked **slots;
    size_t slot_count, count;
} step_table;

struct step_server {
    const step_config *config;
    step_ca *ca;
    SSL_CTX *tls;
    sb_step_manifest *locked;
    step_objects *objects;
    step_recording *recording; /* NULL in replay, as is the next */
    step_upstream *upstream;
    char date[64];
    unsigned port;
    struct step_listeners *listeners;
    atomic_bool stopping;
    pthread_mutex_t lock; /* for all that follows, and for what recording.c and fetch.c keep */
    pthread_cond_t idle;  /* a connection or a fetch has ended */
    struct step_connection *connections;
    unsigned connection_count, fetch_count;
    step_table asked;
    unsigned missed_fatal, missed_other;
    sb_digest *notices; /* of lines that were written */
    size_t notice_count, notice_cap;
};

/* --- table.c: with the server's lock held --- */
/* NULL when there are too many different questions. */
step_asked *step_table_get(step_table *table, const sb_step_request *question);
void step_table_clear(step_table *table);

/* --- notice.c --- */
/* One line on standard error; each different line once. Without the lock. */
void step_notice(step_server *server, const char *fmt, ...) SB_PRINTF(2, 3);

/* --- objects.c: bodies by their digest --- */
step_objects *step_objects_new(int dir);
void step_objects_free(step_objects *objects);
/* A descriptor of the whole object, which has been checked; -1: it is not there, or not what its name says.
 */
int step_objects_open(step_objects *objects, const sb_digest *digest, uint64_t size);

/* --- thread.c --- */
/* A detached thread with a small stack and all signals blocked. */
bool step_thread(void *(*work)(void *), void *arg);

/* --- tls.c --- */
int step_tls_new(step_ca *ca, SSL_CTX **ret_tls, sb_error **err);
/* TLS from here on; what the stream has is the beginning of the client's hello. Without a name in it the
 * certificate is for `host`. */
bool step_tls_accept(step_server *server, step_stream *stream, sb_slice host);

/* --- connection.c --- */
typedef enum step_entrance { STEP_BY_PROXY, STEP_BY_HTTP_PORT, STEP_BY_HTTPS_PORT } step_entrance;
typedef struct step_connection {
    struct step_connection *next, **link; /* in the server's list */
    step_server *server;
    step_entrance entrance;
    int fd;
} step_connection;
/* The whole life of a connection; closes it. */
void step_connection_serve(step_connection *connection);
/* --- server.c --- */
/* Nobody else touches its descriptor from now on. */
void step_connection_unlist(step_connection *connection);
/* Does this address of loopback lead back to the server? */
bool step_server_owns(step_server *server, const struct sockaddr *address);

/* A request that has arrived whole. All of it lives until it is answered. */
typedef struct step_request {
    step_server *server;
    sb_arena *arena;
    step_stream *stream;
    step_head head;
    sb_step_request question; /* without turn and answer */
    sb_slice target;          /* path and query as the client said them, secrets and all */
    sb_slice body;
    step_range range;
    bool keep; /* the connection goes on */
} step_request;

/* --- question.c --- */
/* Fills in question, target and range from the head; `tunnel` (its authority) may be absent. SB_ERR_PARSE
 * says what is wrong. The body is the caller's business. */
int step_question_of(step_request *request, sb_slice scheme, sb_slice tunnel, sb_error **err);
/* A manifest is JSON: other header values are not part of it. */
bool step_is_text(sb_slice value);
/* "host:port" or "[host]:port" taken apart; false: it is none. A port that is not there is 0. */
bool step_authority_split(sb_slice authority, sb_slice *ret_host, unsigned *ret_port);

/* --- answer.c: each returns false when the connection is broken --- */
bool step_send_text(step_request *request, unsigned status, const char *text);
/* What the manifest says, from `file` (-1: nothing but a head). */
bool step_send_locked(step_request *request, const sb_step_request *answer, int file);
/* The beginning of an answer, into an empty buffer of STEP_ANSWER_HEAD_MAX; behind further headers
 * step_answer_end sends it. */
void step_answer_begin(sb_buf *out, const step_request *request, unsigned status);
bool step_answer_end(sb_buf *out, step_request *request, bool more);
/* Does the lock have it, or, when recording, upstream? Answers in any case. */
bool step_answer(step_request *request);

#endif
