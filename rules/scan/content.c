// SPDX-License-Identifier: Apache-2.0
/*
 * Looks through the bytes of a file: as they are, or, when its first bytes say that it is an archive or
 * compressed, through what is in it, to a depth. One pass, nothing is kept but what was found.
 *
 * Two kinds of failure are told apart. When the stream itself fails (the layer is truncated), that is passed
 * up. When what is in it is damaged, that is noted, and the rest is looked through as it is.
 */
#include <rules/scan/scan.h>

enum {
    ZIP_BEHIND_MAX = 400, /* bytes of a script before the zip of a self-running archive */
    ZEROS_KEPT = 4096,
};

typedef enum content_kind {
    CONTENT_PLAIN,
    CONTENT_PACKED,
    CONTENT_TAR,
    CONTENT_ZIP,
    CONTENT_AR
} content_kind;

int sb_scan_stream_read(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    sb_scan_stream *stream = ctx;
    size_t left = stream->len - stream->at;

    if (left > 0) {
        *ret_len = left < len ? left : len;
        memcpy(data, stream->head + stream->at, *ret_len);
        stream->at += *ret_len;
        return 0;
    }
    if (stream->feed.read(stream->feed.ctx, data, len, ret_len, err) < 0) {
        stream->broken = true;
        return -1;
    }
    return 0;
}

/* As much of the beginning as there is room for. */
static int peek(sb_scan_stream *stream, sb_error **err)
{
    size_t got = 1;

    while (stream->len < sizeof(stream->head) && got > 0) {
        if (stream->feed.read(stream->feed.ctx, stream->head + stream->len,
                              sizeof(stream->head) - stream->len, &got, err) < 0) {
            stream->broken = true;
            return -1;
        }
        stream->len += got;
    }
    return 0;
}

/* --- Secrets --- */

static bool is_same(const sb_scan_leak *leak, const sb_secret_match *match, sb_slice path,
                    const unsigned char *hash)
{
    return strcmp(leak->id, match->id) == 0 && sb_slice_eq(leak->path, path) &&
           memcmp(leak->hash, hash, sizeof(leak->hash)) == 0;
}

static sb_slice redacted(sb_arena *arena, const sb_secret_match *match, bool line)
{
    sb_autobuf text = SB_BUF_INIT(4096);

    if (line)
        sb_secret_redact_line(match, &text);
    else
        sb_secret_redact(match, &text);
    return sb_arena_dup(arena, sb_buf_slice(&text));
}

static bool found(void *ctx, const sb_secret_match *match)
{
    sb_scan_worker *worker = ctx;
    sb_scan_facts *facts = worker->facts;
    sb_slice path = sb_buf_slice(&worker->path);
    bool shared = match->line == worker->last_line;
    unsigned char hash[SB_SECRET_HASH];
    sb_scan_leak *leak;

    worker->last_line = match->line;
    sb_secret_hash(match, hash);
    for (size_t i = worker->first_leak; i < facts->leak_count; i++) {
        sb_scan_leak *other = &facts->leaks[i];

        if (other->line == match->line && sb_slice_eq(other->path, path)) {
            /* The line that shows one redacted would show the other. */
            other->excerpt = SB_NIL;
            shared = true;
        }
        if (is_same(other, match, path, hash)) {
            other->times++;
            return true;
        }
    }
    if (facts->leak_count - worker->first_leak >= SB_SCAN_FILE_LEAKS_MAX ||
        facts->leak_count >= SB_SCAN_LEAKS_MAX) {
        sb_scan_add_unread(facts, &sb801_archive_limit, path, "more secrets were found in it than are told");
        return false;
    }
    leak = SB_PUSH(facts->leaks, facts->leak_count, facts->leak_cap);
    *leak = (sb_scan_leak){
        .id = match->id,
        .title = match->title,
        .generic = match->generic,
        .path = sb_arena_dup(facts->arena, path),
        .path_file = worker->path_file,
        .line = match->line,
        .redacted = redacted(facts->arena, match, false),
        .excerpt = shared ? SB_NIL : redacted(facts->arena, match, true),
        .times = 1,
        .size = worker->size,
    };
    memcpy(leak->hash, hash, sizeof(leak->hash));
    return true;
}

/* Of a long run of zeros, as sparse files have it, a little is as good as all. */
static size_t worth_scanning(const char *data, size_t len)
{
    return len > ZEROS_KEPT && data[0] == 0 && memcmp(data, data + 1, len - 1) == 0 ? ZEROS_KEPT : len;
}

static int scan_plain(sb_scan_worker *worker, sb_scan_stream *stream, sb_error **err)
{
    size_t got = 1;
    int status = 0;

    worker->first_leak = worker->facts->leak_count;
    worker->last_line = 0;
    sb_secret_scan_begin(worker->scanner, sb_buf_slice(&worker->path), found, worker);
    while (status == 0 && got > 0) {
        status = sb_scan_stream_read(stream, worker->buffer, SB_SCAN_BUFFER, &got, err);
        if (status == 0 && got > 0)
            sb_secret_scan_add(worker->scanner, worker->buffer, worth_scanning(worker->buffer, got));
    }
    sb_secret_scan_end(worker->scanner);
    return status;
}

/* --- What is within --- */

int sb_scan_spend(sb_scan_worker *worker, uint64_t bytes, sb_error **err)
{
    uint64_t made, layer_made;
    bool layer_fits;

    worker->made += bytes;
    made = worker->made;
    layer_made = worker->layer_made + made;
    /* A thousand files of which each is just within its limits are too much as well. */
    layer_fits = layer_made <= SB_SCAN_LAYER_FREE ||
                 layer_made / SB_SCAN_LAYER_RATIO <= worker->layer_taken + worker->taken;
    if (layer_fits && (made <= SB_SCAN_NESTED_FREE ||
                       (made <= SB_SCAN_NESTED_MAX && made / SB_SCAN_NESTED_RATIO <= worker->taken)))
        return 0;
    worker->exhausted = true;
    if (!layer_fits)
        return sb_fail(err, SB_ERR_LIMIT,
                       "%llu GiB came out of the archives of the layer until here, more than is looked at",
                       (unsigned long long)(layer_made >> 30));
    return sb_fail(err, SB_ERR_LIMIT, "%llu MiB came out of %llu KiB of it, more than is looked at",
                   (unsigned long long)(made >> 20), (unsigned long long)(worker->taken >> 10));
}

size_t sb_scan_enter(sb_scan_worker *worker, sb_slice name)
{
    size_t len = worker->path.len;

    sb_buf_addz(&worker->path, "!/");
    sb_buf_adds(&worker->path, sb_slice_sub(name, 0, name.len < 512 ? name.len : 512));
    return len;
}

void sb_scan_leave(sb_scan_worker *worker, size_t len)
{
    worker->path.len = len;
    worker->path.data[len] = '\0';
    worker->path.overflow = false;
}

typedef struct unpacking {
    sb_scan_worker *worker;
    sb_layer_source *source;
} unpacking;

static int read_unpacked(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    const unpacking *u = ctx;

    if (sb_layer_source_read(u->source, data, len, ret_len, err) < 0)
        return -1;
    return sb_scan_spend(u->worker, *ret_len, err);
}

static int scan_packed(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                       uint64_t memory, sb_error **err)
{
    SB_AUTO(sb_layer_source) source = NULL;
    unpacking u = {.worker = worker};
    sb_scan_stream inner = {.feed = {read_unpacked, &u}};
    bool cheap;

    if (sb_layer_source_feed((sb_layer_feed){sb_scan_stream_read, stream}, "its data", memory, &source, err) <
        0)
        return -1;
    u.source = source;
    cheap = sb_layer_source_compression(source) == SB_COMPRESSION_GZIP;
    return sb_scan_content(worker, &inner, archives, packings + 1, cheap ? memory - (1 << 20) : memory / 8,
                           err);
}

static int read_tar_entry(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    return sb_layer_read(ctx, data, len, ret_len, err);
}

static int scan_tar(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                    uint64_t memory, sb_error **err)
{
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_layer_reader) reader = NULL;
    sb_layer_entry entry;
    int more;

    if (sb_layer_source_feed((sb_layer_feed){sb_scan_stream_read, stream}, "its tar", memory, &source, err) <
        0)
        return -1;
    reader = sb_layer_reader_new(source);
    sb_layer_reader_lenient(reader);
    while ((more = sb_layer_next(reader, &entry, err)) > 0) {
        sb_scan_stream inner = {.feed = {read_tar_entry, reader}};
        size_t len;
        int status;

        if (entry.type != SB_ENTRY_FILE || entry.size == 0)
            continue;
        len = sb_scan_enter(worker, entry.path);
        status = sb_scan_content(worker, &inner, archives + 1, packings, memory, err);
        sb_scan_leave(worker, len);
        if (status < 0)
            return -1;
    }
    return more;
}

typedef struct ar_member {
    sb_scan_stream *stream;
    uint64_t left;
} ar_member;

static int read_ar_member(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    ar_member *member = ctx;
    size_t want = member->left < len ? (size_t)member->left : len;

    *ret_len = 0;
    if (want == 0)
        return 0;
    if (sb_scan_stream_read(member->stream, data, want, ret_len, err) < 0)
        return -1;
    if (*ret_len == 0)
        return sb_fail(err, SB_ERR_PARSE, "it ends in the middle");
    member->left -= *ret_len;
    return 0;
}

/* Exactly `len` bytes; *ret_end (may be NULL): there is nothing more. */
static int read_whole(sb_scan_stream *stream, char *data, size_t len, bool *ret_end, sb_error **err)
{
    size_t done = 0, got = 1;

    while (done < len && got > 0) {
        if (sb_scan_stream_read(stream, data + done, len - done, &got, err) < 0)
            return -1;
        done += got;
    }
    if (ret_end)
        *ret_end = done == 0;
    return done == len || (done == 0 && ret_end) ? 0 : sb_fail(err, SB_ERR_PARSE, "it ends in the middle");
}

/* What Debian's packages and static libraries are. */
static int scan_ar(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                   uint64_t memory, sb_error **err)
{
    char header[60], magic[8];
    bool end;

    if (read_whole(stream, magic, sizeof(magic), NULL, err) < 0)
        return -1;
    for (;;) {
        ar_member member = {.stream = stream};
        sb_scan_stream inner = {.feed = {read_ar_member, &member}};
        sb_slice name = sb_slice_trim(sb_slice_of(header, 16));
        size_t len;
        int status;

        if (read_whole(stream, header, sizeof(header), &end, err) < 0)
            return -1;
        if (end)
            return 0;
        if (memcmp(header + 58, "`\n", 2) != 0 ||
            !sb_slice_to_u64(sb_slice_trim(sb_slice_of(header + 48, 10)), &member.left))
            return sb_fail(err, SB_ERR_PARSE, "its ar header is damaged");
        member.left += member.left % 2;
        name = sb_slice_trim(sb_slice_of(header, 16));
        len = sb_scan_enter(worker, name);
        status = sb_scan_content(worker, &inner, archives + 1, packings, memory, err);
        sb_scan_leave(worker, len);
        if (status < 0)
            return -1;
    }
}

static bool tar_checksum_holds(const unsigned char *block)
{
    unsigned sum = 0, wanted = 0;
    size_t i = 148;

    for (size_t j = 0; j < 512; j++)
        sum += j >= 148 && j < 156 ? ' ' : block[j];
    while (i < 156 && block[i] == ' ')
        i++;
    for (; i < 156 && block[i] >= '0' && block[i] <= '7'; i++)
        wanted = wanted * 8 + (unsigned)(block[i] - '0');
    return sum == wanted;
}

/* A zip behind a script, as programs in Python and Java come, is taken as a zip: *ret_behind bytes before it.
 */
static content_kind kind_of(const sb_scan_stream *stream, size_t *ret_behind)
{
    const unsigned char *head = stream->head;
    size_t len = stream->len;

    *ret_behind = 0;
    if (sb_compression_of(head, len) != SB_COMPRESSION_NONE)
        return CONTENT_PACKED;
    if (len >= 30 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\7\010PK\3\4", 8) == 0))
        return CONTENT_ZIP;
    if (len >= 68 && memcmp(head, "!<arch>\n", 8) == 0)
        return CONTENT_AR;
    if (len == 512 && memcmp(head + 257, "ustar", 5) == 0 && tar_checksum_holds(head))
        return CONTENT_TAR;
    if (len == 512 && memcmp(head, "#!", 2) == 0) {
        ptrdiff_t at = sb_slice_find(sb_slice_of((const char *)head, ZIP_BEHIND_MAX), SB_LIT("\nPK\3\4"));

        if (at > 0) {
            *ret_behind = (size_t)at + 1;
            return CONTENT_ZIP;
        }
    }
    return CONTENT_PLAIN;
}

static int scan_within(sb_scan_worker *worker, sb_scan_stream *stream, content_kind kind, unsigned archives,
                       unsigned packings, uint64_t memory, sb_error **err)
{
    switch (kind) {
    case CONTENT_PACKED:
        return scan_packed(worker, stream, archives, packings, memory, err);
    case CONTENT_TAR:
        return scan_tar(worker, stream, archives, packings, memory, err);
    case CONTENT_ZIP:
        return sb_scan_zip(worker, stream, archives, packings, memory, err);
    case CONTENT_AR:
        return scan_ar(worker, stream, archives, packings, memory, err);
    case CONTENT_PLAIN:
        break;
    }
    return scan_plain(worker, stream, err);
}

static bool is_too_deep(const sb_scan_worker *worker, content_kind kind, unsigned archives, unsigned packings)
{
    unsigned depth = worker->run->depth;

    return kind == CONTENT_PACKED ? packings > depth : kind != CONTENT_PLAIN && archives >= depth;
}

/* Notes why it was not looked into, and looks through what is left as it is. */
static int scan_rest(sb_scan_worker *worker, sb_scan_stream *stream, const sb_error *why, sb_error **err)
{
    bool limit = why->code == SB_ERR_LIMIT;

    if (stream->broken || why->code == SB_ERR_INTERRUPTED)
        return sb_fail(err, why->code, "%s", why->message);
    /* What came out too much shows on every level that it came through. */
    if (!worker->exhausted || !worker->told)
        sb_scan_add_unread(worker->facts, limit ? &sb801_archive_limit : &sb802_archive_unread,
                           sb_buf_slice(&worker->path), why->message);
    worker->told = worker->exhausted;
    return scan_plain(worker, stream, err);
}

int sb_scan_content(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                    uint64_t memory, sb_error **err)
{
    SB_AUTO(sb_error) why = NULL;
    content_kind kind;
    size_t behind;

    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (peek(stream, err) < 0)
        return -1;
    kind = kind_of(stream, &behind);
    if (kind != CONTENT_PLAIN && !worker->exhausted && is_too_deep(worker, kind, archives, packings)) {
        sb_fail(&why, SB_ERR_PARSE, "it is an archive within %u others, and --depth is %u", archives,
                worker->run->depth);
        return scan_rest(worker, stream, why, err);
    }
    if (kind == CONTENT_PLAIN || worker->exhausted)
        return scan_plain(worker, stream, err);
    stream->at += behind;
    if (scan_within(worker, stream, kind, archives, packings, memory, &why) < 0)
        return scan_rest(worker, stream, why, err);
    /* What stands behind the archive. */
    return scan_plain(worker, stream, err);
}
