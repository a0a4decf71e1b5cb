// SPDX-License-Identifier: Apache-2.0
/* The uncompressed bytes of a layer: plain, gzip (of one or more members) or zstd, told by its first bytes.
 */
#include <builder/image.h>

#include <sbuild/progress.h>

#include <errno.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { SOURCE_BUFFER = 256 << 10 };

typedef enum source_kind { SOURCE_PLAIN, SOURCE_GZIP, SOURCE_ZSTD } source_kind;

struct sb_source {
    int fd;
    char *name;
    source_kind kind;
    uint64_t at;     /* in the file, of the next read */
    uint64_t offset; /* in the uncompressed bytes */
    unsigned char *buffer;
    size_t start, end; /* of what is unread in it */
    bool file_end;
    bool frame_open; /* within a gzip member or zstd frame */
    bool frame_seen;
    sb_hasher *hasher; /* of what was read from the file */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

static int fail_damaged(const sb_source *source, const char *why, sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "%s: %s", source->name, why);
}

static int fill(sb_source *source, sb_error **err)
{
    ssize_t got;

    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    do {
        got = pread(source->fd, source->buffer, SOURCE_BUFFER, (off_t)source->at);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", source->name, strerror(errno));
    source->at += (uint64_t)got;
    source->start = 0;
    source->end = (size_t)got;
    source->file_end = got == 0;
    if (source->kind != SOURCE_PLAIN && source->hasher)
        sb_hasher_add(source->hasher, source->buffer, (size_t)got);
    return 0;
}

static int begin_kind(sb_source *source, sb_error **err)
{
    static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    const unsigned char *b = source->buffer;

    if (source->end >= 2 && b[0] == 0x1f && b[1] == 0x8b) {
        source->kind = SOURCE_GZIP;
        if (inflateInit2(&source->gzip, 15 + 16) != Z_OK)
            return sb_fail(err, SB_ERR_INTERNAL, "cannot begin to decompress %s", source->name);
    } else if (source->end >= 4 && memcmp(b, zstd_magic, 4) == 0) {
        source->kind = SOURCE_ZSTD;
        source->zstd = ZSTD_createDStream();
        if (!source->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(source->zstd, ZSTD_d_windowLogMax, 27)))
            return sb_fail(err, SB_ERR_INTERNAL, "cannot begin to decompress %s", source->name);
    } else {
        /* Plain bytes are read where they are wanted, past the buffer. */
        source->at = 0;
        source->start = source->end = 0;
    }
    if (source->kind != SOURCE_PLAIN) {
        source->hasher = sb_hasher_new(SB_HASH_SHA256);
        sb_hasher_add(source->hasher, b, source->end);
    }
    return 0;
}

int sb_source_open(int fd, const char *name, sb_source **ret_source, sb_error **err)
{
    SB_AUTO(sb_source) source = sb_new(sb_source);

    source->fd = fd;
    source->name = sb_strdup(name);
    source->buffer = sb_malloc(SOURCE_BUFFER);
    if (fill(source, err) < 0 || begin_kind(source, err) < 0)
        return -1;
    *ret_source = SB_TAKE(source);
    return 0;
}

void sb_source_free(sb_source *source)
{
    if (!source)
        return;
    if (source->kind == SOURCE_GZIP)
        (void)inflateEnd(&source->gzip);
    ZSTD_freeDStream(source->zstd);
    sb_hasher_free(source->hasher);
    free(source->buffer);
    free(source->name);
    free(source);
}

bool sb_source_is_plain(const sb_source *source)
{
    return source->kind == SOURCE_PLAIN;
}

uint64_t sb_source_offset(const sb_source *source)
{
    return source->offset;
}

static int read_plain(sb_source *source, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t got = pread(source->fd, (char *)data + done, len - done, (off_t)(source->offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", source->name, strerror(errno));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_len = done;
    return 0;
}

/* One step of inflate; another member may follow the one that ends. */
static int step_gzip(sb_source *source, unsigned char *data, size_t len, size_t *ret_len, sb_error **err)
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

static int step_zstd(sb_source *source, unsigned char *data, size_t len, size_t *ret_len, sb_error **err)
{
    ZSTD_inBuffer in = {source->buffer + source->start, source->end - source->start, 0};
    ZSTD_outBuffer out = {data, len, 0};
    size_t status = ZSTD_decompressStream(source->zstd, &out, &in);

    if (ZSTD_isError(status))
        return fail_damaged(source, "its zstd data is damaged", err);
    source->start += in.pos;
    source->frame_open = status != 0;
    *ret_len = out.pos;
    return 0;
}

int sb_source_read(sb_source *source, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    size_t done = 0;

    if (source->kind == SOURCE_PLAIN) {
        if (read_plain(source, data, len, &done, err) < 0)
            return -1;
    } else {
        while (done < len) {
            size_t got = 0;
            int status;

            if (source->start == source->end && !source->file_end && fill(source, err) < 0)
                return -1;
            if (source->file_end && !source->frame_open)
                break;
            status = source->kind == SOURCE_GZIP
                         ? step_gzip(source, (unsigned char *)data + done, len - done, &got, err)
                         : step_zstd(source, (unsigned char *)data + done, len - done, &got, err);
            if (status < 0)
                return -1;
            done += got;
            if (got == 0 && source->file_end && source->frame_open)
                return fail_damaged(source, "it ends in the middle", err);
        }
    }
    source->offset += done;
    if (source->offset > SB_LAYER_BYTES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s: more than %llu GiB uncompressed", source->name,
                       (unsigned long long)(SB_LAYER_BYTES_MAX >> 30));
    *ret_len = done;
    return 0;
}

int sb_source_skip(sb_source *source, uint64_t len, sb_error **err)
{
    unsigned char waste[16384];

    if (source->kind == SOURCE_PLAIN) {
        /* The last byte is read, so that a file that is too short shows. */
        if (len > 1) {
            if (len > SB_LAYER_BYTES_MAX)
                return fail_damaged(source, "it ends in the middle", err);
            source->offset += len - 1;
            len = 1;
        }
    }
    while (len > 0) {
        size_t want = len < sizeof(waste) ? (size_t)len : sizeof(waste);
        size_t got;

        if (sb_source_read(source, waste, want, &got, err) < 0)
            return -1;
        if (got < want)
            return fail_damaged(source, "it ends in the middle", err);
        len -= got;
    }
    return 0;
}

int sb_source_verify(sb_source *source, const sb_digest *digest, sb_error **err)
{
    unsigned char waste[16384];
    size_t got = sizeof(waste);
    sb_digest actual;

    if (digest->algo != SB_HASH_SHA256)
        return 0;
    if (source->kind == SOURCE_PLAIN) {
        if (lseek(source->fd, 0, SEEK_SET) != 0)
            return sb_fail(err, SB_ERR_IO, "cannot read %s: %s", source->name, strerror(errno));
        if (sb_digest_of_fd(SB_HASH_SHA256, source->fd, &actual, NULL, err) < 0)
            return -1;
    } else {
        while (got == sizeof(waste))
            if (sb_source_read(source, waste, sizeof(waste), &got, err) < 0)
                return -1;
        while (!source->file_end)
            if (fill(source, err) < 0)
                return -1;
        sb_hasher_finish(source->hasher, &actual);
    }
    if (!sb_digest_eq(&actual, digest))
        return sb_fail(err, SB_ERR_VERIFY, "%s is damaged: its bytes do not have its digest", source->name);
    return 0;
}
