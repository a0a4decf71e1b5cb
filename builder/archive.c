// SPDX-License-Identifier: Apache-2.0
/* The archive that engines load: an OCI layout and Docker's manifest.json over the same blobs. */
#include <builder/archive.h>

#include <builder/image.h>
#include <sbuild/fs.h>
#include <sbuild/reference.h>

#include <unistd.h>

typedef struct archive {
    sb_layout *layout;
    sb_arena *arena;
    sb_sink sink;
    size_t omit;
    sb_manifest images[SB_ARCHIVE_IMAGES_MAX];
    size_t image_count;
    sb_digest *written; /* blobs that are in it */
    size_t written_count, written_cap;
} archive;

static int write_fd(void *ctx, const void *data, size_t len, sb_error **err)
{
    return sb_write_all(*(const int *)ctx, data, len, "the image archive", err);
}

static int read_manifest(archive *a, const sb_digest *digest, sb_manifest *ret_manifest, sb_error **err)
{
    sb_slice raw;

    if (sb_layout_read(a->layout, a->arena, digest, SB_MANIFEST_MAX, &raw, err) < 0)
        return -1;
    return sb_manifest_parse(a->arena, raw, SB_NIL, ret_manifest, err);
}

static sb_slice blob_name(archive *a, const sb_digest *digest)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    return sb_arena_printf(a->arena, "blobs/%s/%s", sb_hash_name(digest->algo), hex);
}

static bool is_new(archive *a, const sb_digest *digest)
{
    for (size_t i = 0; i < a->written_count; i++)
        if (sb_digest_eq(&a->written[i], digest))
            return false;
    *SB_ARENA_PUSH(a->arena, a->written, a->written_count, a->written_cap) = *digest;
    return true;
}

static int write_blob(archive *a, const sb_descriptor *blob, sb_error **err)
{
    sb_layer_entry entry = {.type = SB_ENTRY_FILE, .mode = 0644, .size = blob->size};
    sb_autofree char *piece = NULL;
    sb_autoclose int fd = -1;
    uint64_t left = blob->size;

    if (!is_new(a, &blob->digest))
        return 0;
    entry.path = blob_name(a, &blob->digest);
    if (sb_layout_open_blob(a->layout, &blob->digest, &fd, err) < 0 ||
        sb_layer_write_header(&a->sink, &entry, err) < 0)
        return -1;
    piece = sb_malloc(SB_CHUNK);
    while (left > 0) {
        ssize_t got = read(fd, piece, left < SB_CHUNK ? (size_t)left : SB_CHUNK);

        if (got <= 0)
            return sb_fail(err, SB_ERR_IO, "cannot read blob %" SB_FMT ", or it is too short",
                           SB_ARG(entry.path));
        if (a->sink.write(a->sink.ctx, piece, (size_t)got, err) < 0)
            return -1;
        left -= (uint64_t)got;
    }
    return sb_layer_write_padding(&a->sink, blob->size, err);
}

static int write_image(archive *a, const sb_manifest *image, sb_error **err)
{
    sb_descriptor self = {.digest = image->digest, .size = image->raw.len};

    if (write_blob(a, &self, err) < 0 || write_blob(a, &image->config, err) < 0)
        return -1;
    for (size_t i = a->omit; i < image->layer_count; i++)
        if (write_blob(a, &image->layers[i], err) < 0)
            return -1;
    return 0;
}

static json_t *descriptor_of(const sb_manifest *manifest)
{
    char digest[SB_DIGEST_TEXT];
    sb_autofree char *type = sb_slice_dup(manifest->media_type);

    sb_digest_format(&manifest->digest, digest);
    return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
                     (json_int_t)manifest->raw.len);
}

/* index.json: one entry per tag, under the names by which containerd and others know it. */
static int write_index(archive *a, const sb_manifest *top, const char *const *tags, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(SB_MANIFEST_MAX);
    sb_autojson *index = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", SB_MEDIA_OCI_INDEX);
    json_t *manifests = json_array();

    json_object_set_new(index, "manifests", manifests);
    for (const char *const *tag = tags; tag && *tag; tag++) {
        json_t *descriptor = descriptor_of(top);
        json_t *names = json_object();
        sb_image_ref ref;

        json_array_append_new(manifests, descriptor);
        json_object_set_new(descriptor, "annotations", names);
        if (sb_image_ref_parse(a->arena, sb_slice_z(*tag), &ref, err) < 0)
            return -1;
        sb_json_set_str(names, "io.containerd.image.name", sb_image_ref_format(a->arena, &ref));
        sb_json_set_str(names, "org.opencontainers.image.ref.name", ref.tag);
    }
    if (json_array_size(manifests) == 0)
        json_array_append_new(manifests, descriptor_of(top));
    if (sb_json_write(index, &text, err) < 0)
        return -1;
    return sb_layer_write_file(&a->sink, SB_LIT("index.json"), 0, sb_buf_slice(&text), err);
}

/* manifest.json: Docker's own form, in which tags belong to one image. */
static int write_docker_manifest(archive *a, const char *const *tags, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(SB_MANIFEST_MAX);
    sb_autojson *list = json_array();

    for (size_t i = 0; i < a->image_count; i++) {
        const sb_manifest *image = &a->images[i];
        json_t *entry = json_object(), *layers = json_array(), *names = json_array();

        json_array_append_new(list, entry);
        sb_json_set_str(entry, "Config", blob_name(a, &image->config.digest));
        json_object_set_new(entry, "Layers", layers);
        json_object_set_new(entry, "RepoTags", names);
        for (size_t l = 0; l < image->layer_count; l++)
            json_array_append_new(layers, json_string(blob_name(a, &image->layers[l].digest).ptr));
        for (const char *const *tag = i == 0 ? tags : NULL; tag && *tag; tag++) {
            sb_image_ref ref;

            if (sb_image_ref_parse(a->arena, sb_slice_z(*tag), &ref, err) < 0)
                return -1;
            json_array_append_new(names, json_string(sb_image_ref_familiar(a->arena, &ref).ptr));
        }
    }
    if (sb_json_write(list, &text, err) < 0)
        return -1;
    return sb_layer_write_file(&a->sink, SB_LIT("manifest.json"), 0, sb_buf_slice(&text), err);
}

/* The image itself, or those of the index that are not attestations. */
static int collect_images(archive *a, const sb_manifest *top, sb_error **err)
{
    if (!top->is_index) {
        a->images[a->image_count++] = *top;
        return 0;
    }
    for (size_t i = 0; i < top->child_count; i++) {
        if (top->children[i].attestation)
            continue;
        if (a->image_count == SB_ARCHIVE_IMAGES_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "the index has more than %d images", SB_ARCHIVE_IMAGES_MAX);
        if (read_manifest(a, &top->children[i].digest, &a->images[a->image_count], err) < 0)
            return -1;
        if (a->images[a->image_count++].is_index)
            return sb_fail(err, SB_ERR_PARSE, "an index within an index");
    }
    return 0;
}

int sb_image_write_archive(sb_layout *layout, const sb_digest *manifest, const char *const *tags, size_t omit,
                           int fd, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    archive *a = sb_arena_new_of(arena, archive);
    sb_descriptor self = {.digest = *manifest};
    sb_manifest top;
    size_t tag_count = 0;

    *a = (archive){.layout = layout, .arena = arena, .omit = omit, .sink = {write_fd, &fd}};
    while (tags && tags[tag_count])
        if (++tag_count > SB_ARCHIVE_TAGS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "more than %d tags for one image", SB_ARCHIVE_TAGS_MAX);
    if (read_manifest(a, manifest, &top, err) < 0 || collect_images(a, &top, err) < 0)
        return -1;
    if (sb_layer_write_file(&a->sink, SB_LIT("oci-layout"), 0, SB_LIT("{\"imageLayoutVersion\":\"1.0.0\"}"),
                            err) < 0 ||
        write_index(a, &top, tags, err) < 0 || write_docker_manifest(a, tags, err) < 0)
        return -1;
    self.size = top.raw.len;
    if (write_blob(a, &self, err) < 0)
        return -1;
    for (size_t i = 0; i < a->image_count; i++)
        if (write_image(a, &a->images[i], err) < 0)
            return -1;
    return sb_layer_write_end(&a->sink, err);
}
