// SPDX-License-Identifier: Apache-2.0
/*
 * Images in archives: docker-archive, with layers as NAME/layer.tar or as blobs, and OCI archives. In a file
 * the blobs are looked up and read where they lie. Through a pipe, or in a compressed file, everything passes
 * once and in any order: what is JSON is kept, what is a layer is scanned on the spot, and what it was is
 * told at the end.
 */
#include <rules/scan/scan.h>

#include <fetch/manifest.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 8, SMALL = 512 };

typedef struct archive_blob {
    sb_slice name;
    sb_slice link; /* where a link leads, as a name in the archive; absent: it is a file */
    uint64_t offset, size;
    sb_slice text;  /* of a pipe: JSON */
    bool too_large; /* JSON, but more than is kept */
    sb_scan_facts
        *facts; /* of a pipe: what is no JSON, as a layer; owned until a layer of the image takes it */
    bool taken;
} archive_blob;

typedef struct archive {
    sb_scan_blobs blobs;
    sb_arena *arena;
    int fd;
    bool streamed;
    archive_blob *items;
    size_t count, cap;
    uint64_t kept; /* bytes of JSON */
    const char *name;
} archive;

static void free_archive(sb_scan_blobs *blobs)
{
    archive *a = (archive *)blobs;

    for (size_t i = 0; i < a->count; i++)
        if (!a->items[i].taken)
            sb_scan_facts_free(a->items[i].facts);
    sb_arena_free(a->arena);
    free(a);
}

/* --- What is in it --- */

/* Where a symbolic link leads, from the directory that it stands in. */
static sb_slice link_target(sb_arena *arena, sb_slice path, sb_slice target)
{
    ptrdiff_t slash = sb_slice_rchr(path, '/');
    sb_slice rest = target;
    sb_autobuf joined = SB_BUF_INIT(SB_LAYER_PATH_MAX);

    sb_buf_addz(&joined, "");
    if (slash > 0 && !sb_slice_starts(target, SB_LIT("/")))
        sb_buf_adds(&joined, sb_slice_sub(path, 0, (size_t)slash));
    while (rest.ptr) {
        sb_slice part = sb_slice_cut(&rest, '/');

        if (part.len == 0 || sb_slice_eqz(part, "."))
            continue;
        if (sb_slice_eqz(part, "..")) {
            ptrdiff_t last = sb_slice_rchr(sb_buf_slice(&joined), '/');

            joined.len = last < 0 ? 0 : (size_t)last;
            continue;
        }
        if (joined.len > 0)
            sb_buf_addc(&joined, '/');
        sb_buf_adds(&joined, part);
    }
    return sb_arena_dup(arena, sb_buf_slice(&joined));
}

static const archive_blob *find(const archive *a, sb_slice name)
{
    for (unsigned hops = 0; hops < LINKS_MAX; hops++) {
        const archive_blob *blob = NULL;

        for (size_t i = 0; i < a->count && !blob; i++)
            if (sb_slice_eq(a->items[i].name, name))
                blob = &a->items[i];
        if (!blob || !blob->link.ptr)
            return blob;
        name = blob->link;
    }
    return NULL;
}

static int read_entry(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    return sb_layer_read(ctx, data, len, ret_len, err);
}

/* Bytes of a tar begin like one, whatever its first name is. */
static bool is_json(const char *head, size_t len)
{
    sb_slice text = sb_slice_trim(sb_slice_of(head, len));

    return (len < 262 || memcmp(head + 257, "ustar", 5) != 0) && text.len > 0 &&
           (text.ptr[0] == '{' || text.ptr[0] == '[');
}

static int keep_json(archive *a, archive_blob *blob, sb_scan_stream *stream, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(SB_SCAN_DOCUMENT_MAX);
    sb_autofree char *piece = sb_malloc(SB_SCAN_BUFFER);
    size_t got = 1;

    blob->too_large = blob->size > SB_SCAN_DOCUMENT_MAX || a->kept + blob->size > SB_SCAN_DOCUMENTS_MAX;
    while (!blob->too_large && got > 0) {
        if (sb_scan_stream_read(stream, piece, SB_SCAN_BUFFER, &got, err) < 0)
            return -1;
        sb_buf_add(&text, piece, got);
    }
    if (blob->too_large)
        return 0;
    a->kept += text.len;
    blob->text = sb_arena_dup(a->arena, sb_buf_slice(&text));
    return 0;
}

/* What passes: *err only when the archive itself ends too early. */
static int take_passing(archive *a, archive_blob *blob, sb_layer_reader *reader, sb_scan_worker *worker,
                        sb_error **err)
{
    sb_scan_stream stream = {.feed = {read_entry, reader}};
    size_t got = 1;

    while (stream.len < sizeof(stream.head) && got > 0) {
        if (read_entry(reader, stream.head + stream.len, sizeof(stream.head) - stream.len, &got, err) < 0)
            return -1;
        stream.len += got;
    }
    if (is_json((const char *)stream.head, stream.len))
        return keep_json(a, blob, &stream, err);
    if (!worker || (blob->size <= SMALL && sb_compression_of(stream.head, stream.len) == SB_COMPRESSION_NONE))
        return 0;
    blob->facts = sb_scan_facts_new();
    if (sb_scan_read_layer(worker, (sb_layer_feed){sb_scan_stream_read, &stream}, "the layer", blob->facts,
                           err) < 0)
        return -1;
    if (stream.broken)
        return sb_fail(err, blob->facts->failure ? blob->facts->failure->code : SB_ERR_PARSE, "%s",
                       blob->facts->failure ? blob->facts->failure->message : "it ends in the middle");
    return 0;
}

static int list_blobs(archive *a, sb_scan_worker *worker, sb_error **err)
{
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_layer_reader) reader = NULL;
    sb_layer_entry entry;
    sb_digest unused;
    int more;

    if (sb_layer_source_open(a->fd, "the archive", &source, err) < 0)
        return -1;
    reader = sb_layer_reader_new(source);
    sb_layer_reader_lenient(reader);
    while ((more = sb_layer_next(reader, &entry, err)) > 0) {
        archive_blob *blob;

        if (entry.type == SB_ENTRY_DIR)
            continue;
        if (a->count >= SB_SCAN_BLOBS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "an image's archive has more than %d files", SB_SCAN_BLOBS_MAX);
        blob = SB_ARENA_PUSH(a->arena, a->items, a->count, a->cap);
        *blob = (archive_blob){
            .name = sb_arena_dup(a->arena, entry.path), .offset = entry.offset, .size = entry.size};
        if (entry.type == SB_ENTRY_SYMLINK)
            blob->link = link_target(a->arena, entry.path, entry.link);
        else if (entry.type == SB_ENTRY_HARD_LINK)
            blob->link = sb_arena_dup(a->arena, entry.link);
        else if (a->streamed && take_passing(a, blob, reader, worker, err) < 0)
            return -1;
    }
    /* Whoever writes to a pipe wants to get rid of the padding as well. */
    return more == 0 && a->streamed ? sb_layer_source_digest(source, &unused, err) : more;
}

/* --- Reading --- */

typedef struct part { /* of the archive's file */
    int fd;
    uint64_t at, end;
} part;

static int read_part(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    part *p = ctx;
    size_t want = p->end - p->at < len ? (size_t)(p->end - p->at) : len;
    ssize_t got;

    do {
        got = want ? pread(p->fd, data, want, (off_t)p->at) : 0;
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read the archive: %s", strerror(errno));
    if (got == 0 && want > 0)
        return sb_fail(err, SB_ERR_PARSE, "the archive ends in the middle of it");
    p->at += (uint64_t)got;
    *ret_len = (size_t)got;
    return 0;
}

static int read_blob(const archive *a, sb_slice name, size_t max, sb_arena *arena, sb_slice *ret_data,
                     sb_error **err)
{
    const archive_blob *blob = find(a, name);
    sb_autofree char *shown = sb_printable(name);
    sb_autofree char *data = NULL;
    part p = {.fd = a->fd};
    size_t done = 0, got = 1;

    if (!blob || (a->streamed && !blob->text.ptr && !blob->too_large))
        return sb_fail(err, SB_ERR_NOT_FOUND, "the archive does not have %s", shown);
    if (blob->size > max || blob->too_large)
        return sb_fail(err, SB_ERR_LIMIT, "%s in the archive is larger than the maximum of %zu bytes", shown,
                       max);
    if (blob->text.ptr) {
        *ret_data = sb_arena_dup(arena, blob->text);
        return 0;
    }
    p.at = blob->offset;
    p.end = blob->offset + blob->size;
    data = sb_malloc((size_t)blob->size + 1);
    while (done < blob->size && got > 0) {
        if (read_part(&p, data + done, (size_t)blob->size - done, &got, err) < 0)
            return sb_wrap(err, "%s", shown);
        done += got;
    }
    *ret_data = sb_arena_dup(arena, sb_slice_of(data, done));
    return 0;
}

static sb_slice blob_name(sb_arena *arena, const sb_digest *digest)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    return sb_arena_printf(arena, "blobs/%s/%s", sb_hash_name(digest->algo), hex);
}

static int read_digest(sb_scan_blobs *blobs, const sb_descriptor *wanted, size_t max, sb_arena *arena,
                       sb_slice *ret_data, sb_error **err)
{
    const archive *a = (archive *)blobs;
    sb_slice data, name = blob_name(arena, &wanted->digest);
    sb_digest actual;

    if (read_blob(a, name, max, arena, &data, err) < 0)
        return -1;
    sb_digest_of(wanted->digest.algo, data, &actual);
    if (!sb_digest_eq(&actual, &wanted->digest))
        return sb_fail(err, SB_ERR_VERIFY,
                       "%" SB_FMT " in the archive is damaged: it does not have its digest", SB_ARG(name));
    *ret_data = data;
    return 0;
}

static int stream_layer(sb_scan_blobs *blobs, const sb_scan_layer *layer,
                        int (*use)(void *ctx, sb_layer_feed feed, sb_error **err), void *ctx, sb_error **err)
{
    const archive *a = (archive *)blobs;
    const archive_blob *blob = find(a, layer->name);
    part p = {.fd = a->fd};

    if (!blob || a->streamed)
        return sb_fail(err, SB_ERR_NOT_FOUND, "the archive does not have it");
    p.at = blob->offset;
    p.end = blob->offset + blob->size;
    return use(ctx, (sb_layer_feed){read_part, &p}, err);
}

/* --- Which image --- */

/* As people write names: "app:1" is "docker.io/library/app:1". */
static bool is_same_name(sb_arena *arena, const char *a, const char *b)
{
    sb_image_ref one, other;

    return strcmp(a, b) == 0 ||
           (sb_image_ref_parse(arena, sb_slice_z(a), &one, NULL) == 0 &&
            sb_image_ref_parse(arena, sb_slice_z(b), &other, NULL) == 0 &&
            sb_slice_eq(sb_image_ref_format(arena, &one), sb_image_ref_format(arena, &other)));
}

static bool names_it(sb_arena *arena, const json_t *image, const char *reference)
{
    json_t *tags = sb_json_array(image, "RepoTags"), *tag;
    size_t i;

    json_array_foreach(tags, i, tag) if (json_is_string(tag) &&
                                         is_same_name(arena, json_string_value(tag), reference)) return true;
    return false;
}

static int choose_image(const archive *a, const json_t *list, const char *reference, const json_t **ret_image,
                        sb_error **err)
{
    const json_t *image = NULL;
    size_t count = json_array_size(list), i;
    json_t *item;

    if (!reference && count == 1)
        image = json_array_get(list, 0);
    json_array_foreach(list, i, item) if (reference && !image && names_it(a->arena, item, reference)) image =
        item;
    if (!image && !reference)
        return sb_fail(err, SB_ERR_USAGE, "it holds %zu images; say which one, behind the path: %s:NAME:TAG",
                       count, "docker-archive:PATH");
    if (!image)
        return sb_fail(err, SB_ERR_USAGE, "it does not hold an image of the name %s", reference);
    *ret_image = image;
    return 0;
}

/* Docker's own manifest.json: names of files in the archive. */
static int resolve_docker(archive *a, sb_slice text, const char *reference, sb_scan_image *image,
                          sb_error **err)
{
    sb_autojson *list = NULL;
    const json_t *chosen;
    json_t *layers, *layer;
    sb_slice config, config_name;
    size_t i;

    if (sb_json_parse(text, "manifest.json", &list, err) < 0)
        return -1;
    if (choose_image(a, list, reference, &chosen, err) < 0)
        return -1;
    layers = sb_json_array(chosen, "Layers");
    config_name = sb_json_str(chosen, "Config");
    if (!config_name.ptr || json_array_size(layers) > SB_LAYERS_MAX)
        return sb_fail(err, SB_ERR_PARSE, "manifest.json names no configuration");
    image->layers = sb_arena_array(image->arena, sb_scan_layer, json_array_size(layers) + 1);
    json_array_foreach(layers, i, layer) if (json_is_string(layer)) image->layers[image->layer_count++].name =
        sb_arena_dup(image->arena, sb_json_text(layer));
    if (read_blob(a, config_name, SB_CONFIG_MAX, image->arena, &config, err) < 0)
        return -1;
    return sb_scan_take_config(image, config, err);
}

/* A truncated archive may lack what says which layers there are: then all that look like one. */
static void resolve_fragments(archive *a, sb_scan_image *image)
{
    image->layers = sb_arena_array(image->arena, sb_scan_layer, a->count + 1);
    image->layer_count = 0;
    for (size_t i = 0; i < a->count; i++) {
        const archive_blob *blob = &a->items[i];
        char head[300];
        ssize_t got = 0;

        if (blob->link.ptr || blob->size <= SMALL)
            continue;
        if (!a->streamed)
            got = pread(a->fd, head, sizeof(head), (off_t)blob->offset);
        if (a->streamed ? blob->facts != NULL : got > 0 && !is_json(head, (size_t)got))
            image->layers[image->layer_count++].name = blob->name;
    }
}

/* Layers that are blobs by digest are named; those that were scanned in passing have their facts. */
static int take_layers(archive *a, sb_scan_image *image, sb_error **err)
{
    for (size_t i = 0; i < image->layer_count; i++) {
        sb_scan_layer *layer = &image->layers[i];
        archive_blob *blob;

        if (!layer->name.ptr)
            layer->name = blob_name(image->arena, &layer->stored);
        blob = (archive_blob *)(uintptr_t)find(a, layer->name);
        if (blob)
            layer->size = blob->size;
        if (!blob && !image->failure && !sb_media_type_is_foreign(layer->type)) {
            sb_autofree char *shown = sb_printable(layer->name);

            return sb_fail(err, SB_ERR_NOT_FOUND, "the archive does not have the layer %s", shown);
        }
        if (!blob || !a->streamed)
            continue;
        layer->facts = blob->facts;
        layer->shared = blob->taken;
        blob->taken = true;
    }
    return 0;
}

static void forget_image(sb_scan_image *image)
{
    image->layers = NULL;
    image->layer_count = image->document_count = image->other_count = image->attested = 0;
    image->config = image->manifest = image->index = SB_NIL;
}

static int resolve(archive *a, const sb_scan_input *input, const sb_scan_options *options,
                   sb_scan_image *image, sb_error **err)
{
    SB_AUTO(sb_error) why = NULL;
    sb_slice index = SB_NIL, list = SB_NIL;

    (void)read_blob(a, SB_LIT("index.json"), SB_MANIFEST_MAX, a->arena, &index, NULL);
    (void)read_blob(a, SB_LIT("manifest.json"), SB_MANIFEST_MAX, a->arena, &list, NULL);
    if (index.ptr && sb_scan_resolve(&a->blobs, index, input->reference, options, image, &why) == 0)
        return 0;
    if (!index.ptr && !list.ptr) {
        if (image->failure)
            return resolve_fragments(a, image), 0;
        return sb_fail(err, SB_ERR_PARSE,
                       "%s is no archive of an image: it has neither manifest.json nor index.json", a->name);
    }
    forget_image(image);
    if (list.ptr && resolve_docker(a, list, input->reference, image, why ? NULL : err) == 0)
        return 0;
    if (image->failure)
        return resolve_fragments(a, image), 0;
    return why ? sb_fail(err, why->code, "%s: %s", a->name, why->message) : sb_wrap(err, "%s", a->name);
}

int sb_scan_open_archive(const sb_scan_input *input, const sb_scan_options *options, sb_scan_worker *worker,
                         sb_scan_image *image, sb_scan_blobs **ret_blobs, sb_error **err)
{
    archive *a = sb_new(archive);
    SB_AUTO(sb_error) why = NULL;
    unsigned char head[16];
    struct stat st;

    *ret_blobs = &a->blobs;
    a->blobs = (sb_scan_blobs){.read = read_digest, .stream = stream_layer, .free = free_archive};
    a->arena = sb_arena_new();
    a->fd = input->fd;
    a->name = input->name;
    a->streamed = fstat(input->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
                  pread(input->fd, head, sizeof(head), 0) != sizeof(head) ||
                  sb_compression_of(head, sizeof(head)) != SB_COMPRESSION_NONE;
    if (list_blobs(a, worker, &why) < 0) {
        if (why->code == SB_ERR_INTERRUPTED || why->code == SB_ERR_IO || a->count == 0)
            return sb_fail(err, why->code, "%s%s: %s", a->name,
                           why->code == SB_ERR_PARSE ? " is no archive of an image" : "", why->message);
        image->failure = SB_TAKE(why);
    }
    if (resolve(a, input, options, image, err) < 0)
        return -1;
    return take_layers(a, image, err);
}
