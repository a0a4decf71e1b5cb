// SPDX-License-Identifier: Apache-2.0
/*
 * Zip files (jar, whl, nupkg …) as a stream: entry after entry by their own headers, since the directory is
 * at the end. Stored and deflated entries are read here; others (zstd, xz, bzip2) are told by their first
 * bytes like everything else. Encrypted entries and stored ones of unknown size cannot be read this way.
 */
#include <rules/scan/scan.h>

#include <zlib.h>

enum {
    ZIP_BUFFER = 64 << 10,
    ZIP_HEADER = 30,
    ZIP_NAME_MAX = 4096,
    ZIP_STORED = 0,
    ZIP_DEFLATED = 8,
    ZIP_ENCRYPTED = 1 << 0,  /* of the flags */
    ZIP_DESCRIPTOR = 1 << 3, /* sizes come behind the content */
};

typedef struct zip_file {
    sb_scan_worker *worker;
    sb_scan_stream *stream;
    unsigned char *buffer;
    size_t start, end;
} zip_file;

typedef struct zip_entry {
    zip_file *zip;
    unsigned flags, method;
    uint64_t left; /* of the stored bytes, where they are known */
    z_stream inflate;
    bool ended;
} zip_entry;

static unsigned u16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
    return u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const unsigned char *p)
{
    return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static int fail_end(sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "it ends in the middle");
}

/* At least `len` bytes in the buffer, fewer only at the end of the file. */
static int need(zip_file *zip, size_t len, sb_error **err)
{
    size_t got = 1;

    if (zip->end - zip->start >= len)
        return 0;
    memmove(zip->buffer, zip->buffer + zip->start, zip->end - zip->start);
    zip->end -= zip->start;
    zip->start = 0;
    while (zip->end < len && got > 0) {
        if (sb_scan_stream_read(zip->stream, zip->buffer + zip->end, ZIP_BUFFER - zip->end, &got, err) < 0)
            return -1;
        zip->end += got;
    }
    return 0;
}

static size_t at_hand(const zip_file *zip)
{
    return zip->end - zip->start;
}

static int read_stored(zip_entry *entry, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    zip_file *zip = entry->zip;
    size_t want = entry->left < len ? (size_t)entry->left : len;

    *ret_len = 0;
    if (want == 0)
        return 0;
    if (need(zip, 1, err) < 0)
        return -1;
    if (at_hand(zip) == 0)
        return fail_end(err);
    want = want < at_hand(zip) ? want : at_hand(zip);
    memcpy(data, zip->buffer + zip->start, want);
    zip->start += want;
    entry->left -= want;
    *ret_len = want;
    return 0;
}

static int read_deflated(zip_entry *entry, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    zip_file *zip = entry->zip;
    z_stream *z = &entry->inflate;

    z->next_out = data;
    z->avail_out = (unsigned)len;
    while (z->avail_out == len && !entry->ended) {
        int status;

        if (need(zip, 1, err) < 0)
            return -1;
        if (at_hand(zip) == 0)
            return fail_end(err);
        z->next_in = zip->buffer + zip->start;
        z->avail_in = (unsigned)at_hand(zip);
        status = inflate(z, Z_NO_FLUSH);
        zip->start = zip->end - z->avail_in;
        entry->ended = status == Z_STREAM_END;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return sb_fail(err, SB_ERR_PARSE, "its deflated data is damaged");
    }
    *ret_len = len - z->avail_out;
    return sb_scan_spend(zip->worker, *ret_len, err);
}

static int read_entry(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    zip_entry *entry = ctx;

    len = len < 1 << 20 ? len : 1 << 20;
    return entry->method == ZIP_DEFLATED ? read_deflated(entry, data, len, ret_len, err)
                                         : read_stored(entry, data, len, ret_len, err);
}

/* CRC and sizes behind the content, with or without a signature, of four bytes or eight: by what follows. */
static int skip_descriptor(zip_file *zip, sb_error **err)
{
    size_t signature, wide;

    if (need(zip, 28, err) < 0)
        return -1;
    signature = at_hand(zip) >= 4 && memcmp(zip->buffer + zip->start, "PK\7\10", 4) == 0 ? 4 : 0;
    wide = at_hand(zip) >= signature + 14 && memcmp(zip->buffer + zip->start + signature + 12, "PK", 2) == 0
               ? 12
               : 20;
    if (at_hand(zip) < signature + wide)
        return fail_end(err);
    zip->start += signature + wide;
    return 0;
}

/* The size that zip64 has in an extra field, when the header says 0xffffffff. */
static bool wide_size(const unsigned char *extra, size_t len, uint64_t *ret_size)
{
    for (size_t at = 0; at + 4 <= len;) {
        size_t size = u16(extra + at + 2);

        if (size > len - at - 4)
            return false;
        if (u16(extra + at) == 1 && size >= 16) {
            *ret_size = u64(extra + at + 4 + 8);
            return true;
        }
        at += 4 + size;
    }
    return false;
}

static int scan_entry(zip_entry *entry, unsigned archives, unsigned packings, uint64_t memory, sb_error **err)
{
    sb_scan_stream inner = {.feed = {read_entry, entry}};
    zip_file *zip = entry->zip;
    int status;

    if (entry->method == ZIP_DEFLATED && inflateInit2(&entry->inflate, -15) != Z_OK)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot begin to decompress");
    status = sb_scan_content(zip->worker, &inner, archives + 1, packings, memory, err);
    if (entry->method == ZIP_DEFLATED)
        (void)inflateEnd(&entry->inflate);
    if (status == 0 && entry->flags & ZIP_DESCRIPTOR)
        status = skip_descriptor(zip, err);
    return status;
}

/* 1 when there was an entry, 0 at the end of them. */
static int next_entry(zip_file *zip, unsigned archives, unsigned packings, uint64_t memory, sb_error **err)
{
    zip_entry entry = {.zip = zip};
    const unsigned char *h;
    size_t name_len, extra_len, len;
    char name[ZIP_NAME_MAX];
    int status;

    if (need(zip, ZIP_HEADER, err) < 0)
        return -1;
    h = zip->buffer + zip->start;
    if (at_hand(zip) >= 8 && memcmp(h, "PK\7\010PK\3\4", 8) == 0) {
        zip->start += 4; /* of an archive that was to be split, and is not */
        return 1;
    }
    if (at_hand(zip) < ZIP_HEADER || memcmp(h, "PK\3\4", 4) != 0) {
        bool end = at_hand(zip) >= 4 && (memcmp(h, "PK\1\2", 4) == 0 || memcmp(h, "PK\5\6", 4) == 0 ||
                                         memcmp(h, "PK\6\6", 4) == 0 || memcmp(h, "PK\6\10", 4) == 0);

        return end ? 0 : sb_fail(err, SB_ERR_PARSE, "its zip header is damaged");
    }
    entry.flags = u16(h + 6);
    entry.method = u16(h + 8);
    entry.left = u32(h + 18);
    name_len = u16(h + 26);
    extra_len = u16(h + 28);
    zip->start += ZIP_HEADER;
    if (name_len > ZIP_NAME_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "a name in it has more than %d bytes", ZIP_NAME_MAX);
    if (need(zip, name_len, err) < 0)
        return -1;
    if (at_hand(zip) < name_len)
        return fail_end(err);
    memcpy(name, zip->buffer + zip->start, name_len);
    zip->start += name_len;
    if (need(zip, extra_len < ZIP_BUFFER ? extra_len : ZIP_BUFFER, err) < 0)
        return -1;
    if (at_hand(zip) < extra_len)
        return fail_end(err);
    if (entry.left == UINT32_MAX)
        (void)wide_size(zip->buffer + zip->start, extra_len, &entry.left);
    zip->start += extra_len;
    if (entry.flags & ZIP_DESCRIPTOR && entry.method != ZIP_DEFLATED && entry.left == 0)
        return sb_fail(err, SB_ERR_PARSE, "an entry's size is only told behind it");
    len = sb_scan_enter(zip->worker, sb_slice_of(name, name_len));
    if (entry.flags & ZIP_ENCRYPTED) {
        sb_scan_add_unread(zip->worker->facts, &sb802_archive_unread, sb_buf_slice(&zip->worker->path),
                           "it is encrypted");
        entry.method = ZIP_STORED;
    }
    status = entry.flags & ZIP_ENCRYPTED && entry.flags & ZIP_DESCRIPTOR && entry.left == 0
                 ? sb_fail(err, SB_ERR_PARSE, "an encrypted entry's size is only told behind it")
                 : scan_entry(&entry, archives, packings, memory, err);
    sb_scan_leave(zip->worker, len);
    return status < 0 ? -1 : 1;
}

int sb_scan_zip(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                uint64_t memory, sb_error **err)
{
    sb_autofree unsigned char *buffer = sb_malloc(ZIP_BUFFER + 1);
    zip_file zip = {.worker = worker, .stream = stream, .buffer = buffer};
    int more;

    while ((more = next_entry(&zip, archives, packings, memory, err)) > 0)
        ;
    return more;
}
