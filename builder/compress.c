// SPDX-License-Identifier: Apache-2.0
/*
 * gzip, in parallel. Chunks are deflated by worker threads, each with the end of the chunk before it as its
 * dictionary, so the result is one ordinary gzip member that does not depend on how many threads there are.
 * The writing thread hashes and writes the results in order.
 */
#include <builder/image.h>

#include <sbuild/fs.h>

#include <pthread.h>
#include <unistd.h>
#include <zlib.h>

/* All of them are part of the format. */
enum { LEVEL = 5, WINDOW = 32 << 10, STORED_MAX = 65535 };

enum { THREADS_MAX = 8 };

typedef enum job_state { JOB_FREE, JOB_WAITING, JOB_RUNNING, JOB_DONE } job_state;

typedef struct job {
    job_state state;
    unsigned char *in; /* WINDOW bytes of dictionary, SB_CHUNK of data */
    size_t window, len;
    unsigned char *out;
    size_t out_len, out_size;
    uint32_t crc;
    bool failed;
} job;

struct sb_gzip {
    int fd;
    sb_hasher *hasher;
    uint64_t size;    /* compressed */
    uint64_t in_size; /* uncompressed */
    uint32_t crc;
    job *jobs; /* a ring */
    size_t job_count;
    size_t fill;   /* being filled */
    size_t oldest; /* handed in and not written yet */
    size_t pending;
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    size_t next; /* for the next worker */
    size_t waiting;
    bool stop;
};

/*
 * Bytes spread as evenly as random ones: deflate would only make them longer. Judged by the sum of squares of
 * the counts of byte values, in integers, so that every machine judges alike.
 */
static bool is_incompressible(const unsigned char *data, size_t len)
{
    uint32_t counts[4][256] = {{0}};
    uint64_t squares = 0;
    size_t i = 0;

    if (len < 4096)
        return false;
    for (; i + 4 <= len; i += 4) {
        counts[0][data[i]]++;
        counts[1][data[i + 1]]++;
        counts[2][data[i + 2]]++;
        counts[3][data[i + 3]]++;
    }
    for (; i < len; i++)
        counts[0][data[i]]++;
    for (size_t v = 0; v < 256; v++) {
        uint64_t n = (uint64_t)counts[0][v] + counts[1][v] + counts[2][v] + counts[3][v];

        squares += n * n;
    }
    /* Evenly spread, it is len²/256, and about len more by chance. */
    return squares * 256 < (uint64_t)len * len / 100 * 101 + 512 * (uint64_t)len;
}

static void store_chunk(job *j)
{
    const unsigned char *data = j->in + j->window;
    unsigned char *out = j->out;

    for (size_t at = 0; at < j->len;) {
        size_t piece = j->len - at < STORED_MAX ? j->len - at : STORED_MAX;

        out[0] = 0;
        out[1] = (unsigned char)(piece & 0xff);
        out[2] = (unsigned char)(piece >> 8);
        out[3] = (unsigned char)~out[1];
        out[4] = (unsigned char)~out[2];
        memcpy(out + 5, data + at, piece);
        out += 5 + piece;
        at += piece;
    }
    j->out_len = (size_t)(out - j->out);
}

static bool deflate_chunk(job *j)
{
    z_stream z = {0};
    bool good;

    if (deflateInit2(&z, LEVEL, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    good = j->window == 0 || deflateSetDictionary(&z, j->in, (unsigned)j->window) == Z_OK;
    z.next_in = j->in + j->window;
    z.avail_in = (unsigned)j->len;
    z.next_out = j->out;
    z.avail_out = (unsigned)j->out_size;
    /* Ends at a byte boundary, so that the next chunk can follow. */
    good = good && deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0 && z.avail_out > 0;
    j->out_len = j->out_size - z.avail_out;
    (void)deflateEnd(&z);
    return good;
}

static void run_job(job *j)
{
    const unsigned char *data = j->in + j->window;

    j->crc = (uint32_t)crc32(crc32(0, NULL, 0), data, (unsigned)j->len);
    j->failed = false;
    if (is_incompressible(data, j->len))
        store_chunk(j);
    else
        j->failed = !deflate_chunk(j);
}

static void *worker(void *ctx)
{
    sb_gzip *gzip = ctx;

    (void)pthread_mutex_lock(&gzip->lock);
    for (;;) {
        job *j;

        while (gzip->waiting == 0 && !gzip->stop)
            (void)pthread_cond_wait(&gzip->work, &gzip->lock);
        if (gzip->stop)
            break;
        j = &gzip->jobs[gzip->next];
        gzip->next = (gzip->next + 1) % gzip->job_count;
        gzip->waiting--;
        j->state = JOB_RUNNING;
        (void)pthread_mutex_unlock(&gzip->lock);
        run_job(j);
        (void)pthread_mutex_lock(&gzip->lock);
        j->state = JOB_DONE;
        (void)pthread_cond_broadcast(&gzip->done);
    }
    (void)pthread_mutex_unlock(&gzip->lock);
    return NULL;
}

sb_gzip *sb_gzip_new(int fd, unsigned threads)
{
    sb_gzip *gzip = sb_new(sb_gzip);

    if (threads == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);

        threads = online > 0 ? (unsigned)(online < THREADS_MAX ? online : THREADS_MAX) : 1;
    }
    threads = threads < THREADS_MAX ? threads : THREADS_MAX;
    gzip->fd = fd;
    gzip->hasher = sb_hasher_new(SB_HASH_SHA256);
    gzip->crc = (uint32_t)crc32(0, NULL, 0);
    gzip->job_count = 2 * (size_t)threads + 1;
    gzip->jobs = sb_new_array(job, gzip->job_count);
    for (size_t i = 0; i < gzip->job_count; i++) {
        job *j = &gzip->jobs[i];

        j->in = sb_malloc(WINDOW + SB_CHUNK);
        j->out_size = SB_CHUNK + SB_CHUNK / 1000 + 4096;
        j->out = sb_malloc(j->out_size);
    }
    (void)pthread_mutex_init(&gzip->lock, NULL);
    (void)pthread_cond_init(&gzip->work, NULL);
    (void)pthread_cond_init(&gzip->done, NULL);
    /* Where not even one can be started, the writing thread does the work, see hand_in(). */
    while (gzip->thread_count < threads &&
           pthread_create(&gzip->threads[gzip->thread_count], NULL, worker, gzip) == 0)
        gzip->thread_count++;
    return gzip;
}

void sb_gzip_free(sb_gzip *gzip)
{
    if (!gzip)
        return;
    (void)pthread_mutex_lock(&gzip->lock);
    gzip->stop = true;
    (void)pthread_cond_broadcast(&gzip->work);
    (void)pthread_mutex_unlock(&gzip->lock);
    for (size_t i = 0; i < gzip->thread_count; i++)
        (void)pthread_join(gzip->threads[i], NULL);
    (void)pthread_cond_destroy(&gzip->work);
    (void)pthread_cond_destroy(&gzip->done);
    (void)pthread_mutex_destroy(&gzip->lock);
    for (size_t i = 0; i < gzip->job_count; i++) {
        free(gzip->jobs[i].in);
        free(gzip->jobs[i].out);
    }
    free(gzip->jobs);
    sb_hasher_free(gzip->hasher);
    free(gzip);
}

static int put(sb_gzip *gzip, const void *data, size_t len, sb_error **err)
{
    sb_hasher_add(gzip->hasher, data, len);
    gzip->size += len;
    return sb_write_all(gzip->fd, data, len, "a compressed layer", err);
}

/* Waits for the oldest chunk and writes it. */
static int write_oldest(sb_gzip *gzip, sb_error **err)
{
    static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    job *j = &gzip->jobs[gzip->oldest];

    (void)pthread_mutex_lock(&gzip->lock);
    while (j->state != JOB_DONE)
        (void)pthread_cond_wait(&gzip->done, &gzip->lock);
    (void)pthread_mutex_unlock(&gzip->lock);
    if (j->failed)
        return sb_fail(err, SB_ERR_INTERNAL, "zlib failed");
    if (gzip->size == 0 && put(gzip, header, sizeof(header), err) < 0)
        return -1;
    if (put(gzip, j->out, j->out_len, err) < 0)
        return -1;
    gzip->crc = (uint32_t)crc32_combine(gzip->crc, j->crc, (z_off_t)j->len);
    gzip->in_size += j->len;
    j->state = JOB_FREE;
    gzip->oldest = (gzip->oldest + 1) % gzip->job_count;
    gzip->pending--;
    return 0;
}

static int hand_in(sb_gzip *gzip, sb_error **err)
{
    job *j = &gzip->jobs[gzip->fill];
    job *next;
    size_t window;

    (void)pthread_mutex_lock(&gzip->lock);
    j->state = gzip->thread_count > 0 ? JOB_WAITING : JOB_DONE;
    gzip->waiting += gzip->thread_count > 0;
    (void)pthread_cond_signal(&gzip->work);
    (void)pthread_mutex_unlock(&gzip->lock);
    if (gzip->thread_count == 0)
        run_job(j);
    gzip->pending++;
    gzip->fill = (gzip->fill + 1) % gzip->job_count;
    if (gzip->pending == gzip->job_count - 1 && write_oldest(gzip, err) < 0)
        return -1;
    /* The dictionary of the next chunk; workers only read what they were given. */
    next = &gzip->jobs[gzip->fill];
    window = j->len < WINDOW ? j->len : WINDOW;
    memcpy(next->in, j->in + j->window + j->len - window, window);
    next->window = window;
    next->len = 0;
    return 0;
}

int sb_gzip_write(sb_gzip *gzip, const void *data, size_t len, sb_error **err)
{
    const unsigned char *from = data;

    while (len > 0) {
        job *j = &gzip->jobs[gzip->fill];
        size_t piece = SB_CHUNK - j->len < len ? SB_CHUNK - j->len : len;

        memcpy(j->in + j->window + j->len, from, piece);
        j->len += piece;
        from += piece;
        len -= piece;
        if (j->len == SB_CHUNK && hand_in(gzip, err) < 0)
            return -1;
    }
    return 0;
}

int sb_gzip_finish(sb_gzip *gzip, sb_digest *ret_digest, uint64_t *ret_size, sb_error **err)
{
    /* An empty last block, then checksum and length. */
    unsigned char end[10] = {3, 0};

    if (gzip->jobs[gzip->fill].len > 0 || gzip->pending + gzip->size == 0)
        if (hand_in(gzip, err) < 0)
            return -1;
    while (gzip->pending > 0)
        if (write_oldest(gzip, err) < 0)
            return -1;
    for (unsigned i = 0; i < 4; i++) {
        end[2 + i] = (unsigned char)(gzip->crc >> (8 * i));
        end[6 + i] = (unsigned char)(gzip->in_size >> (8 * i));
    }
    if (put(gzip, end, sizeof(end), err) < 0)
        return -1;
    sb_hasher_finish(gzip->hasher, ret_digest);
    *ret_size = gzip->size;
    return 0;
}
