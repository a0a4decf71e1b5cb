// SPDX-License-Identifier: Apache-2.0
/* One layer: its entries, one after the other, and the content of its files. */
#include <rules/scan/scan.h>

enum { TEXT_MAX = 256 << 10 /* bytes of a small file that is looked at as a whole */ };

void sb_scan_worker_init(sb_scan_worker *worker, sb_scan_run *run)
{
    *worker = (sb_scan_worker){.run = run, .path = SB_BUF_INIT((size_t)SB_LAYER_PATH_MAX * 3)};
    worker->scanner = sb_secret_scanner_new(run->secrets);
    worker->buffer = sb_malloc(SB_SCAN_BUFFER);
}

void sb_scan_worker_clear(sb_scan_worker *worker)
{
    sb_secret_scanner_free(worker->scanner);
    sb_buf_free(&worker->path);
    free(worker->buffer);
}

typedef struct file_reader {
    sb_scan_worker *worker;
    sb_layer_reader *reader;
} file_reader;

static int read_file(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    const file_reader *file = ctx;

    if (sb_layer_read(file->reader, data, len, ret_len, err) < 0)
        return -1;
    file->worker->taken += *ret_len;
    atomic_fetch_add_explicit(&file->worker->run->bytes, *ret_len, memory_order_relaxed);
    return 0;
}

static int read_text(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    sb_slice *rest = ctx;

    (void)err;
    *ret_len = rest->len < len ? rest->len : len;
    memcpy(data, rest->ptr, *ret_len);
    *rest = sb_slice_sub(*rest, *ret_len, rest->len);
    return 0;
}

/* A small file whose content says something besides. */
static int scan_text(sb_scan_worker *worker, file_reader *file, const sb_layer_entry *entry, sb_error **err)
{
    size_t size = (size_t)entry->size, done = 0, got = 1;
    sb_autofree char *text = sb_malloc(size + 1);
    sb_slice rest;
    sb_scan_stream stream = {.feed = {read_text, &rest}};

    while (done < size && got > 0) {
        if (read_file(file, text + done, size - done, &got, err) < 0)
            return -1;
        done += got;
    }
    sb_scan_text(worker, entry, sb_slice_of(text, done));
    rest = sb_slice_of(text, done);
    return sb_scan_content(worker, &stream, 0, 0, SB_SCAN_NESTED_MEMORY, err);
}

/* e_type is at 16: 4 is a core. */
static bool is_core(const sb_scan_stream *stream)
{
    const unsigned char *head = stream->head;

    return stream->len >= 20 &&
           memcmp(head,
                  "\x7f"
                  "ELF",
                  4) == 0 &&
           (head[5] == 2 ? head[17] == 4 && head[16] == 0 : head[16] == 4 && head[17] == 0);
}

static int scan_file(sb_scan_worker *worker, sb_layer_reader *reader, const sb_layer_entry *entry,
                     sb_error **err)
{
    file_reader file = {worker, reader};
    sb_scan_stream stream = {.feed = {read_file, &file}};
    int status;

    worker->layer_taken += worker->taken;
    worker->layer_made += worker->made;
    worker->taken = worker->made = 0;
    worker->exhausted = worker->told = false;
    worker->size = entry->size;
    worker->path_file = entry->path.len;
    if (entry->size <= TEXT_MAX && sb_scan_wants_text(entry))
        return scan_text(worker, &file, entry, err);
    status = sb_scan_content(worker, &stream, 0, 0, SB_SCAN_NESTED_MEMORY, err);
    if (is_core(&stream)) {
        sb_scan_spot *spot = sb_scan_add_spot(worker->facts, &sb844_core_dump, entry->path, entry->size,
                                              "a core dump holds all that a program had in memory");

        if (spot)
            spot->stays = true;
    }
    return status;
}

/* ".wh.NAME" takes NAME away; ".wh..wh..opq" all that earlier layers have in its directory. */
static bool take_whiteout(sb_scan_worker *worker, sb_slice path)
{
    const sb_slice mark = SB_LIT(".wh.");
    ptrdiff_t slash = sb_slice_rchr(path, '/');
    sb_slice dir = sb_slice_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
    sb_slice name = sb_slice_sub(path, slash < 0 ? 0 : (size_t)slash + 1, path.len);
    char gone[SB_LAYER_PATH_MAX + 1];
    size_t len;

    if (!sb_slice_starts(name, mark))
        return false;
    if (sb_slice_eqz(name, ".wh..wh..opq")) {
        sb_scan_saw(worker->run, worker->facts, dir, SB_SEEN_OPAQUE);
        return true;
    }
    if (sb_slice_starts(name, SB_LIT(".wh..wh.")))
        return true; /* of aufs itself */
    len = path.len - mark.len;
    if (len > SB_LAYER_PATH_MAX || name.len == mark.len)
        return true;
    memcpy(gone, path.ptr, path.len - name.len);
    memcpy(gone + (path.len - name.len), name.ptr + mark.len, name.len - mark.len);
    sb_scan_saw(worker->run, worker->facts, sb_slice_of(gone, len), SB_SEEN_WHITEOUT);
    return true;
}

static int take_entry(sb_scan_worker *worker, sb_layer_reader *reader, const sb_layer_entry *entry,
                      sb_error **err)
{
    bool whiteout;

    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    worker->facts->files++;
    sb_buf_reset(&worker->path);
    sb_buf_adds(&worker->path, entry->path);
    whiteout = take_whiteout(worker, entry->path);
    if (!whiteout) {
        sb_scan_saw(worker->run, worker->facts, entry->path,
                    entry->type == SB_ENTRY_DIR ? SB_SEEN_DIR : SB_SEEN_FILE);
        sb_scan_file(worker, entry);
    }
    if (entry->type != SB_ENTRY_FILE || entry->size == 0)
        return 0;
    return scan_file(worker, reader, entry, err);
}

static int read_layer(sb_scan_worker *worker, sb_layer_source *source, sb_error **err)
{
    SB_AUTO(sb_layer_reader) reader = sb_layer_reader_new(source);
    sb_layer_entry entry;
    int more;

    sb_layer_reader_lenient(reader);
    while ((more = sb_layer_next(reader, &entry, err)) > 0)
        if (take_entry(worker, reader, &entry, err) < 0)
            return -1;
    return more;
}

int sb_scan_read_layer(sb_scan_worker *worker, sb_layer_feed feed, const char *name, sb_scan_facts *facts,
                       sb_error **err)
{
    SB_AUTO(sb_layer_source) source = NULL;
    sb_error **failure = &facts->failure;

    worker->facts = facts;
    worker->taken = worker->made = worker->layer_taken = worker->layer_made = 0;
    if (sb_layer_source_feed(feed, name, SB_LAYER_MEMORY, &source, failure) == 0) {
        if (read_layer(worker, source, failure) == 0)
            (void)sb_layer_source_digest(source, &facts->stored, failure);
        facts->bytes = sb_layer_source_offset(source);
        facts->plain = sb_layer_source_is_plain(source);
    }
    worker->facts = NULL;
    sb_scan_facts_sort(facts);
    if (facts->failure && facts->failure->code == SB_ERR_INTERRUPTED)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    return 0;
}
