// SPDX-License-Identifier: Apache-2.0
#include <builder/step/stream.h>

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

void step_stream_init(step_stream *stream, int fd)
{
    *stream = (step_stream){.fd = fd};
}

void step_stream_close(step_stream *stream)
{
    if (stream->ssl) {
        /* The other side learns that nothing was cut off; nobody waits for its answer. */
        if (SSL_is_init_finished(stream->ssl) && !stream->broken)
            (void)SSL_shutdown(stream->ssl);
        SSL_free(stream->ssl);
        ERR_clear_error();
    }
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream->buf);
    *stream = (step_stream){.fd = -1};
}

void step_stream_linger(step_stream *stream)
{
    enum { SECONDS = 1, PIECES = 64 };
    char unread[4096];

    if (stream->broken) {
        struct linger none = {.l_onoff = 1};

        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        return;
    }
    if (stream->ssl && SSL_is_init_finished(stream->ssl))
        (void)SSL_shutdown(stream->ssl);
    step_stream_timeout(stream, SECONDS);
    if (shutdown(stream->fd, SHUT_WR) < 0)
        return;
    for (int i = 0; i < PIECES && recv(stream->fd, unread, sizeof(unread), 0) > 0; i++)
        ;
}

void step_stream_timeout(step_stream *stream, unsigned seconds)
{
    struct timeval time = {.tv_sec = seconds};

    (void)setsockopt(stream->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    (void)setsockopt(stream->fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

const char *step_stream_why(const step_stream *stream)
{
    unsigned long code = stream->ssl ? ERR_peek_last_error() : 0;

    if (code && ERR_reason_error_string(code))
        return ERR_reason_error_string(code);
    if (errno == EAGAIN)
        return "it took too long";
    return errno ? strerror(errno) : "the connection was closed";
}

static int receive(step_stream *stream, char *to, size_t len)
{
    for (;;) {
        ssize_t n;

        errno = 0;
        if (stream->ssl) {
            ERR_clear_error();
            n = SSL_read(stream->ssl, to, (int)len);
            if (n <= 0)
                return SSL_get_error(stream->ssl, (int)n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
            return (int)n;
        }
        n = recv(stream->fd, to, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        return (int)n;
    }
}

int step_stream_fill(step_stream *stream)
{
    int n;

    if (stream->start == stream->end)
        stream->start = stream->end = 0;
    if (stream->end == stream->cap && stream->start) {
        memmove(stream->buf, stream->buf + stream->start, stream->end - stream->start);
        stream->end -= stream->start;
        stream->start = 0;
    }
    if (stream->end == stream->cap) {
        if (stream->cap >= SB_STEP_HEADERS_MAX) {
            errno = EMSGSIZE;
            return -1;
        }
        stream->cap = stream->cap ? stream->cap * 2 : STEP_STREAM_PIECE;
        stream->buf = sb_realloc(stream->buf, stream->cap);
    }
    n = receive(stream, stream->buf + stream->end, stream->cap - stream->end);
    if (n > 0)
        stream->end += (size_t)n;
    return n > 0 ? 1 : n;
}

sb_slice step_stream_have(const step_stream *stream)
{
    if (!stream->buf)
        return SB_LIT("");
    return sb_slice_of(stream->buf + stream->start, stream->end - stream->start);
}

void step_stream_use(step_stream *stream, size_t len)
{
    stream->start += len;
}

int step_stream_head(step_stream *stream, size_t *ret_len)
{
    for (;;) {
        sb_slice have = step_stream_have(stream);
        size_t len = have.len ? step_head_len(have) : 0;
        int n;

        if (len) {
            *ret_len = len;
            return 1;
        }
        n = step_stream_fill(stream);
        if (n <= 0)
            return n == 0 && !have.len ? 0 : -1;
    }
}

bool step_stream_send(step_stream *stream, sb_slice data, bool more)
{
    while (data.len) {
        ssize_t n;

        errno = 0;
        if (stream->ssl) {
            ERR_clear_error();
            n = SSL_write(stream->ssl, data.ptr, data.len < (1 << 30) ? (int)data.len : 1 << 30);
        } else {
            n = send(stream->fd, data.ptr, data.len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
            if (n < 0 && errno == EINTR)
                continue;
        }
        if (n <= 0)
            return false;
        data = sb_slice_sub(data, (size_t)n, data.len);
    }
    return true;
}

static bool copy_file(step_stream *stream, int file, uint64_t offset, uint64_t len)
{
    sb_autofree char *piece = sb_malloc(STEP_STREAM_PIECE);

    while (len) {
        ssize_t n =
            pread(file, piece, len < STEP_STREAM_PIECE ? (size_t)len : STEP_STREAM_PIECE, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || !step_stream_send(stream, sb_slice_of(piece, (size_t)n), false))
            return false;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return true;
}

bool step_stream_send_file(step_stream *stream, int file, uint64_t offset, uint64_t len)
{
    off_t at = (off_t)offset;

    if (stream->ssl)
        return copy_file(stream, file, offset, len);
    while (len) {
        ssize_t n = sendfile(stream->fd, file, &at, len < (1u << 30) ? (size_t)len : 1u << 30);

        if (n < 0 && errno == EINTR)
            continue;
        /* Not every file system can. */
        if (n < 0 && (errno == EINVAL || errno == ENOSYS))
            return copy_file(stream, file, (uint64_t)at, len);
        if (n <= 0)
            return false;
        len -= (uint64_t)n;
    }
    return true;
}

/* --- Bodies --- */

static step_body framed(const step_head *head)
{
    if (head->chunked)
        return (step_body){.kind = STEP_BODY_CHUNKED};
    if (head->has_length && head->length)
        return (step_body){.kind = STEP_BODY_LENGTH, .left = head->length};
    return (step_body){.kind = STEP_BODY_NONE};
}

step_body step_body_of_request(const step_head *head)
{
    return framed(head);
}

step_body step_body_of_answer(const step_head *head, sb_slice method)
{
    if (sb_slice_eqz(method, "HEAD") || head->status < 200 || head->status == 204 || head->status == 304)
        return (step_body){.kind = STEP_BODY_NONE};
    if (!head->chunked && !head->has_length)
        return (step_body){.kind = STEP_BODY_TO_END};
    return framed(head);
}

/* What is in the buffer, filled when it is empty. */
static int have_some(step_stream *stream, sb_slice *ret_have)
{
    *ret_have = step_stream_have(stream);
    if (!ret_have->len) {
        int n = step_stream_fill(stream);

        if (n <= 0)
            return n;
        *ret_have = step_stream_have(stream);
    }
    return 1;
}

static int read_chunked(step_body *body, step_stream *stream, sb_slice *ret_data)
{
    for (;;) {
        sb_slice have = step_stream_have(stream), rest = have;
        step_chunk got = step_chunked_next(&body->chunked, &rest, ret_data);

        step_stream_use(stream, have.len - rest.len);
        if (got == STEP_CHUNK_PIECE)
            return 1;
        if (got == STEP_CHUNK_END)
            body->kind = STEP_BODY_NONE;
        if (got != STEP_CHUNK_MORE)
            return got == STEP_CHUNK_END ? 0 : -1;
        if (step_stream_fill(stream) <= 0)
            return -1;
    }
}

int step_body_read(step_body *body, step_stream *stream, sb_slice *ret_data)
{
    sb_slice have;
    int n;

    switch (body->kind) {
    case STEP_BODY_CHUNKED:
        return read_chunked(body, stream, ret_data);
    case STEP_BODY_LENGTH:
        if (!body->left)
            return 0;
        if (have_some(stream, &have) <= 0)
            return -1;
        have.len = have.len < body->left ? have.len : (size_t)body->left;
        body->left -= have.len;
        break;
    case STEP_BODY_TO_END:
        n = have_some(stream, &have);
        if (n <= 0)
            return n;
        break;
    case STEP_BODY_NONE:
        return 0;
    }
    step_stream_use(stream, have.len);
    *ret_data = have;
    return 1;
}
