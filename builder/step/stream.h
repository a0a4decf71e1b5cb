// SPDX-License-Identifier: Apache-2.0
/* A connection, plain or TLS, with what was received and not yet used. One thread at a time. Blocking;
 * waiting ends after the time set last. */
#ifndef STEP_STREAM_H
#define STEP_STREAM_H

#include <builder/step/head.h>

#include <openssl/types.h>

typedef struct step_stream {
    int fd;
    SSL *ssl;  /* NULL: plain */
    char *buf; /* bytes [start, end) are received and not yet used */
    size_t start, end, cap;
    bool broken; /* the other side must see that something is missing */
} step_stream;

enum { STEP_STREAM_PIECE = 16 << 10 }; /* bytes of a record of TLS, and of what is copied at a time */

void step_stream_init(step_stream *stream, int fd); /* owns `fd` */
void step_stream_close(step_stream *stream);
/* Before the end of a connection with a client: what it still sends must not make the kernel throw away what
 * was sent to it. */
void step_stream_linger(step_stream *stream);
void step_stream_timeout(step_stream *stream, unsigned seconds);
/* Text of why the last operation on a stream of this thread failed, for messages. */
const char *step_stream_why(const step_stream *stream);

/* More bytes into the buffer: 1; 0 at the end, -1 on failure or when the time is up. */
int step_stream_fill(step_stream *stream);
sb_slice step_stream_have(const step_stream *stream);
void step_stream_use(step_stream *stream, size_t len);
/* Fills until a whole head is there (*ret_len > 0). 0: the end came before its first byte; -1: failure, or
 * larger than SB_STEP_HEADERS_MAX. */
int step_stream_head(step_stream *stream, size_t *ret_len);

/* `more`: something follows at once, so the kernel may wait for it. */
bool step_stream_send(step_stream *stream, sb_slice data, bool more);
bool step_stream_send_file(step_stream *stream, int file, uint64_t offset, uint64_t len);

/* A body as its head frames it, read piece by piece. */
typedef struct step_body {
    enum { STEP_BODY_NONE, STEP_BODY_LENGTH, STEP_BODY_CHUNKED, STEP_BODY_TO_END } kind;
    uint64_t left;
    step_chunked chunked;
} step_body;

step_body step_body_of_request(const step_head *head);
/* `method` is that of the request. */
step_body step_body_of_answer(const step_head *head, sb_slice method);
/* 1 and a piece that is valid until the next call; 0 at its end; -1 when the connection ended before it. */
int step_body_read(step_body *body, step_stream *stream, sb_slice *ret_data);

#endif
