// SPDX-License-Identifier: Apache-2.0
#include <fetch/stream.h>

#include <sbuild/alloc.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct block {
    struct block *next;
    uint64_t offset;
    size_t len;
    char data[SB_STREAM_BLOCK];
} block;

struct sb_stream {
    sb_stream_pool *pool;
    int fd;
    sb_hash_algo algo;
    uint64_t offset; /* of what is added next */
    block *filling;

    /* of the helper that is at it; of the caller while `busy` is false */
    sb_hasher *sha256;
    sb_hasher *other;

    /* under the pool's mutex */
    block *first, *last; /* full, in order */
    bool busy;           /* a helper is at it, or it waits for one */
    int failed;          /* errno */
    struct sb_stream *next;
};

struct sb_stream_pool {
    pthread_mutex_t mutex;
    pthread_cond_t work; /* there is a stream to be worked on, or nothing ever again */
    pthread_cond_t done; /* a block is */
    sb_stream *first, *last;
    block *unused;
    size_t waiting; /* blocks */
    bool stop;

    /* of the caller's thread */
    pthread_t threads[SB_STREAM_THREADS_MAX];
    size_t thread_count;
    bool started;
};

static void push_stream(sb_stream_pool *pool, sb_stream *stream)
{
    stream->next = NULL;
    if (pool->last)
        pool->last->next = stream;
    else
        pool->first = stream;
    pool->last = stream;
}

static sb_stream *pop_stream(sb_stream_pool *pool)
{
    sb_stream *stream = pool->first;

    pool->first = stream->next;
    if (!pool->first)
        pool->last = NULL;
    return stream;
}

static block *pop_block(sb_stream *stream)
{
    block *b = stream->first;

    stream->first = b->next;
    if (!stream->first)
        stream->last = NULL;
    return b;
}

static void drop_block(sb_stream_pool *pool, block *b)
{
    b->next = pool->unused;
    pool->unused = b;
}

/* 0 or errno */
static int write_block(const sb_stream *stream, const block *b)
{
    size_t done = 0;

    while (done < b->len) {
        ssize_t n = pwrite(stream->fd, b->data + done, b->len - done, (off_t)(b->offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        done += (size_t)n;
    }
    return 0;
}

static void hash(sb_stream *stream, const void *data, size_t len)
{
    sb_hasher_add(stream->sha256, data, len);
    if (stream->other)
        sb_hasher_add(stream->other, data, len);
}

/* After a failure nothing more is written: what the file has stays the beginning of the whole. */
static int process(sb_stream *stream, const block *b)
{
    int failed = write_block(stream, b);

    if (!failed)
        hash(stream, b->data, b->len);
    return failed;
}

static void *helper_main(void *ctx)
{
    sb_stream_pool *pool = ctx;

    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        sb_stream *stream;
        block *b;
        int failed;

        while (!pool->first && !pool->stop)
            pthread_cond_wait(&pool->work, &pool->mutex);
        if (!pool->first)
            break;
        stream = pop_stream(pool);
        b = pop_block(stream);
        failed = stream->failed;
        pthread_mutex_unlock(&pool->mutex);
        if (!failed)
            failed = process(stream, b);
        pthread_mutex_lock(&pool->mutex);
        stream->failed = failed;
        drop_block(pool, b);
        pool->waiting--;
        /* One block at a time, so that every stream gets its turn. */
        stream->busy = stream->first != NULL;
        if (stream->busy)
            push_stream(pool, stream);
        pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

static size_t helpers_wanted(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (processors < 2)
        return 0;
    return processors < SB_STREAM_THREADS_MAX ? (size_t)processors : SB_STREAM_THREADS_MAX;
}

/* Signals are for the thread that waits for the network. Whoever cannot be started is done without. */
static void start_helpers(sb_stream_pool *pool)
{
    size_t wanted = helpers_wanted();
    sigset_t all, before;

    pool->started = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->thread_count < wanted &&
           pthread_create(&pool->threads[pool->thread_count], NULL, helper_main, pool) == 0)
        pool->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

sb_stream_pool *sb_stream_pool_new(void)
{
    sb_stream_pool *pool = sb_new(sb_stream_pool);

    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    return pool;
}

void sb_stream_pool_free(sb_stream_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    while (pool->unused) {
        block *b = pool->unused;

        pool->unused = b->next;
        free(b);
    }
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

static void new_hashers(sb_stream *stream)
{
    sb_hasher_free(stream->sha256);
    sb_hasher_free(stream->other);
    stream->sha256 = sb_hasher_new(SB_HASH_SHA256);
    stream->other = stream->algo == SB_HASH_SHA256 ? NULL : sb_hasher_new(stream->algo);
}

sb_stream *sb_stream_new(sb_stream_pool *pool, int fd, sb_hash_algo other)
{
    sb_stream *stream = sb_new(sb_stream);

    stream->pool = pool;
    stream->fd = fd;
    stream->algo = other;
    new_hashers(stream);
    return stream;
}

void sb_stream_free(sb_stream *stream)
{
    if (!stream)
        return;
    (void)sb_stream_drain(stream);
    sb_hasher_free(stream->sha256);
    sb_hasher_free(stream->other);
    free(stream);
}

void sb_stream_skim(sb_stream *stream, const void *data, size_t len)
{
    hash(stream, data, len);
    stream->offset += len;
}

static block *new_block(sb_stream *stream)
{
    sb_stream_pool *pool = stream->pool;
    block *b;

    pthread_mutex_lock(&pool->mutex);
    b = pool->unused;
    if (b)
        pool->unused = b->next;
    pthread_mutex_unlock(&pool->mutex);
    if (!b)
        b = sb_new(block);
    b->next = NULL;
    b->offset = stream->offset;
    b->len = 0;
    return b;
}

static int fail_with(int failed)
{
    if (!failed)
        return 0;
    errno = failed;
    return -1;
}

/* The block that is full, to a helper. */
static int submit(sb_stream *stream)
{
    sb_stream_pool *pool = stream->pool;
    block *b = stream->filling;
    int failed;

    if (!pool->started)
        start_helpers(pool);
    if (!pool->thread_count)
        return sb_stream_drain(stream);
    stream->filling = NULL;
    pthread_mutex_lock(&pool->mutex);
    while (pool->waiting >= SB_STREAM_BLOCKS_MAX)
        pthread_cond_wait(&pool->done, &pool->mutex);
    failed = stream->failed;
    pool->waiting++;
    if (stream->last)
        stream->last->next = b;
    else
        stream->first = b;
    stream->last = b;
    if (!stream->busy) {
        stream->busy = true;
        push_stream(pool, stream);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->mutex);
    return fail_with(failed);
}

int sb_stream_add(sb_stream *stream, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        size_t n;

        if (!stream->filling)
            stream->filling = new_block(stream);
        n = SB_STREAM_BLOCK - stream->filling->len;
        if (n > len)
            n = len;
        memcpy(stream->filling->data + stream->filling->len, p, n);
        stream->filling->len += n;
        stream->offset += n;
        p += n;
        len -= n;
        if (stream->filling->len == SB_STREAM_BLOCK && submit(stream) < 0)
            return -1;
    }
    return 0;
}

int sb_stream_drain(sb_stream *stream)
{
    sb_stream_pool *pool = stream->pool;
    block *b = SB_TAKE(stream->filling);
    int failed;

    pthread_mutex_lock(&pool->mutex);
    while (stream->busy)
        pthread_cond_wait(&pool->done, &pool->mutex);
    failed = stream->failed;
    pthread_mutex_unlock(&pool->mutex);
    if (b) {
        if (!failed)
            failed = process(stream, b);
        pthread_mutex_lock(&pool->mutex);
        stream->failed = failed;
        drop_block(pool, b);
        pthread_mutex_unlock(&pool->mutex);
    }
    return fail_with(failed);
}

void sb_stream_restart(sb_stream *stream)
{
    new_hashers(stream);
    stream->offset = 0;
}

void sb_stream_finish(sb_stream *stream, sb_digest *ret_sha256, sb_digest *ret_other)
{
    sb_hasher_finish(stream->sha256, ret_sha256);
    if (stream->other)
        sb_hasher_finish(stream->other, ret_other);
    else
        *ret_other = *ret_sha256;
}
