// SPDX-License-Identifier: Apache-2.0
/* The uncompressed bytes of a layer, told by its first bytes; from a file, a pipe, or whatever feeds it. */
#include <fetch/layer.h>

#include <sbuild/progress.h>

#include <bzlib.h>
#include <errno.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { SOURCE_BUFFER = 256 << 10, SMALLEST_WINDOW_LOG = 10, LARGEST_WINDOW_LOG = 27 };

struct sb_layer_source {
    int fd; /* -1: it is fed */
    bool seekable;
    sb_layer_feed feed;
    char *name;
    sb_compression kind;
    uint64_t memory;
    uint64_t taken;  /* of what is stored */
    uint64_t offset; /* in the uncompressed bytes */
    unsigned char *buffer;
    size_t start, end; /* of what is unread in it */
    bool input_end;
    bool frame_open; /* within a gzip member, zstd frame … */
    bool frame_seen;
    sb_hasher *hasher; /* of what was read; NULL for a plain file, in which one may skip */
    z_stream gzip;
    lzma_stream xz;
    bz_stream bzip2;
    ZSTD_DStream *zstd;
};

static int fail_damaged(const sb_layer_source *source, const char *why, sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "%s: %s", source->name, why);
}

static int fail_memory(const sb_layer_source *source, sb_error **err)
{
    return sb_fail(err, SB_ERR_LIMIT, "%s: decompressing it takes more than %llu MiB of memory", source->name,
                   (unsigned long long)(source->memory >> 20));
}

int sb_layer_read_fd(void *fd, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    const sb_layer_fd *from = fd;
    ssize_t got;

    do {
        got = read(from->fd, data, len);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", from->name, strerror(errno));
    *ret_len = (size_t)got;
    return 0;
}

/* *ret_len is 0 at the end. */
static int read_stored(sb_layer_source *source, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    ssize_t got;

    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (source->fd < 0)
        return source->feed.read(source->feed.ctx, data, len, ret_len, err);
    do {
        got = source->seekable ? pread(source->fd, data, len, (off_t)source->taken)
                               : read(source->fd, data, len);
    } while (got < 0 && errno == EINTR && !sb_interrupted);
    if (got < 0 && sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (got < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", source->name, strerror(errno));
    *ret_len = (size_t)got;
    return 0;
}

static int fill(sb_layer_source *source, sb_error **err)
{
    size_t got = 0;

    if (read_stored(source, source->buffer, SOURCE_BUFFER, &got, err) < 0)
        return -1;
    source->taken += got;
    source->start = 0;
    source->end = got;
    source->input_end = got == 0;
    if (source->hasher)
        sb_hasher_add(source->hasher, source->buffer, got);
    return 0;
}

/* Pipes give what they have: enough to tell the format, unless that is all. */
static int fill_first(sb_layer_source *source, sb_error **err)
{
    size_t got = 1;

    while (source->end < 16 && got > 0) {
        if (read_stored(source, source->buffer + source->end, SOURCE_BUFFER - source->end, &got, err) < 0)
            return -1;
        source->taken += got;
        source->end += got;
    }
    return 0;
}

sb_compression sb_compression_of(const void *data, size_t len)
{
    static const struct {
        sb_compression kind;
        size_t len;
        const char *magic;
    } table[] = {
        {SB_COMPRESSION_GZIP, 3, "\x1f\x8b\x08"},
        {SB_COMPRESSION_ZSTD, 4, "\x28\xb5\x2f\xfd"},
        {SB_COMPRESSION_XZ, 6, "\xfd\x37zXZ\0"},
    };
    const unsigned char *b = data;

    for (size_t i = 0; i < SB_COUNT(table); i++)
        if (len >= table[i].len && memcmp(data, table[i].magic, table[i].len) == 0)
            return table[i].kind;
    /* "BZh", the level, and pi: the first block. */
    if (len >= 10 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9' &&
        memcmp(b + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0)
        return SB_COMPRESSION_BZIP2;
    return SB_COMPRESSION_NONE;
}

/* The largest window of zstd that fits. */
static int window_log(uint64_t memory)
{
    int log = SMALLEST_WINDOW_LOG;

    while (log < LARGEST_WINDOW_LOG && (uint64_t)1 << (log + 1) <= memory)
        log++;
    return log;
}

static bool begin_decompressor(sb_layer_source *source)
{
    switch (source->kind) {
    case SB_COMPRESSION_GZIP:
        return inflateInit2(&source->gzip, 15 + 16) == Z_OK;
    case SB_COMPRESSION_XZ:
        return lzma_stream_decoder(&source->xz, source->memory, LZMA_CONCATENATED) == LZMA_OK;
    case SB_COMPRESSION_BZIP2:
        return BZ2_bzDecompressInit(&source->bzip2, 0, source->memory < 8 << 20) == BZ_OK;
    case SB_COMPRESSION_ZSTD:
        source->zstd = ZSTD_createDStream();
        return source->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(source->zstd, ZSTD_d_windowLogMax,
                                                                    window_log(source->memory)));
    case SB_COMPRESSION_NONE:
        break;
    }
    return true;
}

static int begin(sb_layer_source *source, sb_error **err)
{
    if (fill_first(source, err) < 0)
        return -1;
    source->kind = sb_compression_of(source->buffer, source->end);
    if (!begin_decompressor(source))
        return sb_fail(err, SB_ERR_INTERNAL, "cannot begin to decompress %s", source->name);
    if (source->kind == SB_COMPRESSION_NONE && source->seekable) {
        /* Plain bytes are read where they are wanted, past the buffer. */
        source->taken = 0;
        source->start = source->end = 0;
    } else {
        source->hasher = sb_hasher_new(SB_HASH_SHA256);
        sb_hasher_add(source->hasher, source->buffer, source->end);
    }
    return 0;
}

static sb_layer_source *new_source(const char *name)
{
    sb_layer_source *source = sb_new(sb_layer_source);

    source->fd = -1;
    source->memory = SB_LAYER_MEMORY;
    source->name = sb_strdup(name);
    source->buffer = sb_malloc(SOURCE_BUFFER);
    source->xz = (lzma_stream)LZMA_STREAM_INIT;
    return source;
}

int sb_layer_source_open(int fd, const char *name, sb_layer_source **ret_source, sb_error **err)
{
    SB_AUTO(sb_layer_source) source = new_source(name);
    struct stat st;

    source->fd = fd;
    source->seekable = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (begin(source, err) < 0)
        return -1;
    *ret_source = SB_TAKE(source);
    return 0;
}

int sb_layer_source_feed(sb_layer_feed feed, const char *name, uint64_t memory, sb_layer_source **ret_source,
                         sb_error **err)
{
    SB_AUTO(sb_layer_source) source = new_source(name);

    source->feed = feed;
    source->memory = memory;
    if (begin(source, err) < 0)
        return -1;
    *ret_source = SB_TAKE(source);
    return 0;
}

void sb_layer_source_free(sb_layer_source *source)
{
    if (!source)
        return;
    if (source->kind == SB_COMPRESSION_GZIP)
        (void)inflateEnd(&source->gzip);
    if (source->kind == SB_COMPRESSION_BZIP2)
        (void)BZ2_bzDecompressEnd(&source->bzip2);
    lzma_end(&source->xz);
    ZSTD_freeDStream(source->zstd);
    sb_hasher_free(source->hasher);
    free(source->buffer);
    free(source->name);
    free(source);
}

bool sb_layer_source_is_plain(const sb_layer_source *source)
{
    return source->kind == SB_COMPRESSION_NONE;
}

sb_compression sb_layer_source_compression(const sb_layer_source *source)
{
    return source->kind;
}

uint64_t sb_layer_source_offset(const sb_layer_source *source)
{
    return source->offset;
}

uint64_t sb_layer_source_taken(const sb_layer_source *source)
{
    return source->taken - (source->end - source->start);
}

/* Past the buffer, but for what of a stream's first bytes is in it. */
static int read_plain(sb_layer_source *source, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    size_t done = source->end - source->start < len ? source->end - source->start : len;
    size_t got = 1;

    memcpy(data, source->buffer + source->start, done);
    source->start += done;
    while (done < len && got > 0) {
        if (read_stored(source, (char *)data + done, len - done, &got, err) < 0)
            return -1;
        if (source->hasher)
            sb_hasher_add(source->hasher, (char *)data + done, got);
        source->taken += got;
        done += got;
    }
    *ret_len = done;
    return 0;
}

/* One step of inflate; another member may follow the one that ends. */
static int step_gzip(sb_layer_source *source, unsigned char *data, size_t len, size_t *ret_len,
                     sb_error **err)
{
    z_stream *z = &source->gzip;
    int status;

    if (!source->frame_open) {
        /* Zeros behind the last member are padding that some writers leave. */
        if (source->frame_seen && source->buffer[source->start] == 0) {
            source->start++;
            *ret_len = 0;
            return 0;
        }
        (void)inflateReset(z);
        source->frame_open = source->frame_seen = true;
    }
    z->next_in = source->buffer + source->start;
    z->avail_in = (unsigned)(source->end - source->start);
    z->next_out = data;
    z->avail_out = len > 1 << 30 ? 1 << 30 : (unsigned)len;
    len = z->avail_out;
    status = inflate(z, Z_NO_FLUSH);
    source->start = source->end - z->avail_in;
    *ret_len = len - z->avail_out;
    if (status == Z_STREAM_END)
        source->frame_open = false;
    else if (status != Z_OK && status != Z_BUF_ERROR)
        return fail_damaged(source, "its gzip data is damaged", err);
    return 0;
}

static int step_zstd(sb_layer_source *source, unsigned char *data, size_t len, size_t *ret_len,
                     sb_error **err)
{
    ZSTD_inBuffer in = {source->buffer + source->start, source->end - source->start, 0};
    ZSTD_outBuffer out = {data, len, 0};
    size_t status = ZSTD_decompressStream(source->zstd, &out, &in);

    if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
        return fail_memory(source, err);
    if (ZSTD_isError(status))
        return fail_damaged(source, "its zstd data is damaged", err);
    source->start += in.pos;
    source->frame_open = status != 0;
    *ret_len = out.pos;
    return 0;
}

static int step_xz(sb_layer_source *source, unsigned char *data, size_t len, size_t *ret_len, sb_error **err)
{
    lzma_stream *xz = &source->xz;
    lzma_ret status;

    xz->next_in = source->buffer + source->start;
    xz->avail_in = source->end - source->start;
    xz->next_out = data;
    xz->avail_out = len;
    source->frame_open = true;
    status = lzma_code(xz, source->input_end ? LZMA_FINISH : LZMA_RUN);
    source->start = source->end - xz->avail_in;
    *ret_len = len - xz->avail_out;
    if (status == LZMA_MEMLIMIT_ERROR)
        return fail_memory(source, err);
    if (status == LZMA_STREAM_END)
        source->frame_open = false;
    else if (status != LZMA_OK && status != LZMA_BUF_ERROR)
        return fail_damaged(source, "its xz data is damaged", err);
    return 0;
}

static int step_bzip2(sb_layer_source *source, unsigned char *data, size_t len, size_t *ret_len,
                      sb_error **err)
{
    bz_stream *z = &source->bzip2;
    int status;

    if (!source->frame_open && source->frame_seen) {
        (void)BZ2_bzDecompressEnd(z);
        *z = (bz_stream){0};
        if (!begin_decompressor(source))
            return sb_fail(err, SB_ERR_INTERNAL, "cannot begin to decompress %s", source->name);
    }
    source->frame_open = source->frame_seen = true;
    z->next_in = (char *)source->buffer + source->start;
    z->avail_in = (unsigned)(source->end - source->start);
    z->next_out = (char *)data;
    z->avail_out = len > 1 << 30 ? 1 << 30 : (unsigned)len;
    len = z->avail_out;
    status = BZ2_bzDecompress(z);
    source->start = source->end - z->avail_in;
    *ret_len = len - z->avail_out;
    if (status == BZ_STREAM_END)
        source->frame_open = false;
    else if (status != BZ_OK)
        return fail_damaged(source, "its bzip2 data is damaged", err);
    return 0;
}

static int step(sb_layer_source *source, unsigned char *data, size_t len, size_t *ret_len, sb_error **err)
{
    switch (source->kind) {
    case SB_COMPRESSION_GZIP:
        return step_gzip(source, data, len, ret_len, err);
    case SB_COMPRESSION_ZSTD:
        return step_zstd(source, data, len, ret_len, err);
    case SB_COMPRESSION_XZ:
        return step_xz(source, data, len, ret_len, err);
    case SB_COMPRESSION_BZIP2:
        return step_bzip2(source, data, len, ret_len, err);
    case SB_COMPRESSION_NONE:
        break;
    }
    return read_plain(source, data, len, ret_len, err);
}

static int decompress(sb_layer_source *source, unsigned char *data, size_t len, size_t *ret_len,
                      sb_error **err)
{
    size_t done = 0;

    while (done < len) {
        size_t got = 0;

        if (source->start == source->end && !source->input_end && fill(source, err) < 0)
            return -1;
        if (source->input_end && !source->frame_open)
            break;
        if (step(source, data + done, len - done, &got, err) < 0)
            return -1;
        done += got;
        if (got == 0 && source->input_end && source->frame_open)
            return fail_damaged(source, "it ends in the middle", err);
    }
    *ret_len = done;
    return 0;
}

int sb_layer_source_read(sb_layer_source *source, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    size_t done = 0;
    int status = source->kind == SB_COMPRESSION_NONE ? read_plain(source, data, len, &done, err)
                                                     : decompress(source, data, len, &done, err);

    if (status < 0)
        return -1;
    source->offset += done;
    if (source->offset > SB_LAYER_BYTES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s: more than %llu GiB uncompressed", source->name,
                       (unsigned long long)(SB_LAYER_BYTES_MAX >> 30));
    *ret_len = done;
    return 0;
}

int sb_layer_source_skip(sb_layer_source *source, uint64_t len, sb_error **err)
{
    unsigned char waste[16384];

    if (source->kind == SB_COMPRESSION_NONE && source->seekable) {
        /* The last byte is read, so that a file that is too short shows. */
        if (len > 1) {
            if (len > SB_LAYER_BYTES_MAX)
                return fail_damaged(source, "it ends in the middle", err);
            source->offset += len - 1;
            source->taken += len - 1;
            len = 1;
        }
    }
    while (len > 0) {
        size_t want = len < sizeof(waste) ? (size_t)len : sizeof(waste);
        size_t got;

        if (sb_layer_source_read(source, waste, want, &got, err) < 0)
            return -1;
        if (got < want)
            return fail_damaged(source, "it ends in the middle", err);
        len -= got;
    }
    return 0;
}

int sb_layer_source_digest(sb_layer_source *source, sb_digest *ret_digest, sb_error **err)
{
    unsigned char waste[16384];
    size_t got = sizeof(waste);

    if (!source->hasher) {
        if (lseek(source->fd, 0, SEEK_SET) != 0)
            return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", source->name, strerror(errno));
        return sb_digest_of_fd(SB_HASH_SHA256, source->fd, ret_digest, NULL, err);
    }
    while (got == sizeof(waste))
        if (sb_layer_source_read(source, waste, sizeof(waste), &got, err) < 0)
            return -1;
    while (source->kind != SB_COMPRESSION_NONE && !source->input_end)
        if (fill(source, err) < 0)
            return -1;
    sb_hasher_finish(source->hasher, ret_digest);
    return 0;
}

int sb_layer_source_verify(sb_layer_source *source, const sb_digest *digest, sb_error **err)
{
    sb_digest actual;

    if (digest->algo != SB_HASH_SHA256)
        return 0;
    if (sb_layer_source_digest(source, &actual, err) < 0)
        return -1;
    if (!sb_digest_eq(&actual, digest))
        return sb_fail(err, SB_ERR_VERIFY, "%s is damaged: its bytes do not have its digest", source->name);
    return 0;
}
