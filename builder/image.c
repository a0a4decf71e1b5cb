// SPDX-License-Identifier: Apache-2.0
/* The canonical image of what an engine built. docs/reproducible.md describes it. */
#include <builder/image.h>

#include <fcntl.h>
#include <unistd.h>

#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"

typedef struct canonical {
    sb_layout *from, *to;
    const sb_canonical_options *options;
    sb_arena *arena;
    sb_manifest manifest; /* the engine's */
    json_t *document;     /* the same as JSON; owned */
    json_t *config;       /* the engine's; owned */
    sb_rootfs *rootfs;
    json_t *layers; /* descriptors of the result; owned */
    sb_digest *diff_ids;
    size_t layer_count; /* of the result */
} canonical;

/* Docker's name of a layer's media type in OCI's words. */
static const char *oci_layer_type(sb_slice type)
{
    static const struct {
        const char *docker, *oci;
    } types[] = {
        {"application/vnd.docker.image.rootfs.diff.tar", MEDIA_OCI_LAYER},
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_OCI_LAYER "+gzip"},
        {"application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_OCI_LAYER "+zstd"},
        {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
         "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
    };

    for (size_t i = 0; i < SB_COUNT(types); i++)
        if (sb_slice_eqz(type, types[i].docker))
            return types[i].oci;
    return NULL;
}

static json_t *descriptor_json(const char *media_type, const sb_digest *digest, uint64_t size)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", text, "size", (json_int_t)size);
}

static int copy_blob(canonical *c, const sb_descriptor *blob, sb_error **err)
{
    sb_autoclose int fd = -1;

    if (strcmp(sb_layout_path(c->from), sb_layout_path(c->to)) == 0 ||
        sb_layout_has(c->to, &blob->digest, blob->size))
        return 0;
    if (sb_layout_open_blob(c->from, &blob->digest, &fd, err) < 0)
        return -1;
    return sb_layout_add_fd(c->to, fd, &blob->digest, err);
}

/* A layer of the base: its descriptor stays, its files are looked at. */
static int take_base_layer(canonical *c, size_t index, bool look, sb_error **err)
{
    const sb_descriptor *layer = &c->manifest.layers[index];
    json_t *old = json_array_get(sb_json_array(c->document, "layers"), index);
    const char *type = oci_layer_type(layer->media_type);
    sb_autofree char *plain = sb_slice_dup(layer->media_type);
    json_t *descriptor = descriptor_json(type ? type : plain, &layer->digest, layer->size);
    SB_AUTO(sb_layer_source) source = NULL;
    sb_autoclose int fd = -1;
    char name[SB_DIGEST_TEXT];

    if (sb_json_array(old, "urls"))
        json_object_set(descriptor, "urls", sb_json_array(old, "urls"));
    json_array_append_new(c->layers, descriptor);
    if (c->options->sources)
        c->options->sources[c->layer_count] = index;
    c->layer_count++;
    if (copy_blob(c, layer, err) < 0)
        return -1;
    if (!look)
        return 0;
    sb_digest_format(&layer->digest, name);
    if (sb_layout_open_blob(c->from, &layer->digest, &fd, err) < 0 ||
        sb_layer_source_open(fd, name, &source, err) < 0)
        return -1;
    sb_rootfs_begin(c->rootfs, -1, false);
    if (sb_rootfs_apply(c->rootfs, source, err) < 0)
        return sb_wrap(err, "layer %s", name);
    return sb_layer_source_verify(source, &layer->digest, err);
}

typedef struct layer_output {
    sb_gzip *gzip;
    sb_hasher *hasher; /* of the uncompressed bytes */
} layer_output;

static int write_layer(void *ctx, const void *data, size_t len, sb_error **err)
{
    layer_output *output = ctx;

    sb_hasher_add(output->hasher, data, len);
    return sb_gzip_write(output->gzip, data, len, err);
}

/* A layer of the build, made anew. */
static int remake_layer(canonical *c, size_t index, sb_error **err)
{
    const sb_descriptor *layer = &c->manifest.layers[index];
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    SB_AUTO(sb_gzip) gzip = NULL;
    sb_autoclose int result = -1;
    layer_output output;
    sb_sink sink = {write_layer, &output};
    char name[SB_DIGEST_TEXT];
    size_t entries;
    sb_digest digest;
    uint64_t size;
    int fd = -1;

    sb_digest_format(&layer->digest, name);
    if (sb_blob_uncompressed(c->from, c->to, &layer->digest, &fd, err) < 0)
        return -1;
    sb_rootfs_begin(c->rootfs, fd, true);
    if (sb_layer_source_open(fd, name, &source, err) < 0 || sb_blob_temp(c->to, &result, err) < 0)
        return -1;
    gzip = sb_gzip_new(result, 0);
    output = (layer_output){gzip, hasher};
    if (sb_rootfs_apply(c->rootfs, source, err) < 0 ||
        sb_rootfs_write_changes(c->rootfs, c->options, &sink, &entries, err) < 0)
        return sb_wrap(err, "layer %s", name);
    if (entries == 0)
        return 0;
    if (sb_gzip_finish(gzip, &digest, &size, err) < 0 || sb_blob_commit(c->to, result, &digest, err) < 0)
        return -1;
    if (c->options->sources)
        c->options->sources[c->layer_count] = index;
    sb_hasher_finish(hasher, &c->diff_ids[c->layer_count++]);
    json_array_append_new(c->layers, descriptor_json(MEDIA_OCI_LAYER "+gzip", &digest, size));
    return 0;
}

static int read_image(canonical *c, const sb_digest *manifest, sb_error **err)
{
    sb_slice raw, config;
    json_t *rootfs, *diff_ids;

    if (sb_layout_read(c->from, c->arena, manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(c->arena, raw, SB_NIL, &c->manifest, err) < 0 ||
        sb_json_parse(raw, "the image manifest", &c->document, err) < 0)
        return -1;
    if (c->manifest.is_index)
        return sb_fail(err, SB_ERR_INTERNAL, "an index was given where one image was expected");
    if (sb_layout_read(c->from, c->arena, &c->manifest.config.digest, SB_CONFIG_MAX, &config, err) < 0 ||
        sb_json_parse(config, "the image configuration", &c->config, err) < 0)
        return -1;
    rootfs = sb_json_object(c->config, "rootfs");
    diff_ids = sb_json_array(rootfs, "diff_ids");
    if (json_array_size(diff_ids) != c->manifest.layer_count ||
        c->options->base_layers > c->manifest.layer_count)
        return sb_fail(err, SB_ERR_PARSE,
                       "the engine's image has %zu layers in its manifest and %zu in its configuration",
                       c->manifest.layer_count, json_array_size(diff_ids));
    c->diff_ids = sb_new_array(sb_digest, c->manifest.layer_count + 1);
    for (size_t i = 0; i < c->options->base_layers; i++)
        if (sb_digest_parse(sb_slice_z(json_string_value(json_array_get(diff_ids, i))), &c->diff_ids[i],
                            err) < 0)
            return sb_wrap(err, "the image configuration");
    return 0;
}

static int write_image(canonical *c, sb_arena *arena, sb_descriptor *ret_manifest, sb_error **err)
{
    sb_canonical_layers layers = {c->options->base_layers, c->diff_ids, c->layer_count};
    sb_autobuf config = SB_BUF_INIT(SB_CONFIG_MAX);
    sb_autobuf text = SB_BUF_INIT(SB_MANIFEST_MAX);
    sb_autojson *manifest = NULL;
    sb_digest config_digest, digest;

    if (sb_image_config_canonical(c->config, &layers, c->options->epoch, &config, err) < 0 ||
        sb_layout_write(c->to, sb_buf_slice(&config), &config_digest, err) < 0)
        return -1;
    manifest =
        json_pack("{s:i, s:s, s:o, s:O}", "schemaVersion", 2, "mediaType", SB_MEDIA_OCI_MANIFEST, "config",
                  descriptor_json(MEDIA_OCI_CONFIG, &config_digest, config.len), "layers", c->layers);
    if (sb_json_write(manifest, &text, err) < 0 ||
        sb_layout_write(c->to, sb_buf_slice(&text), &digest, err) < 0)
        return -1;
    *ret_manifest = (sb_descriptor){.digest = digest,
                                    .media_type = sb_arena_dup(arena, SB_LIT(SB_MEDIA_OCI_MANIFEST)),
                                    .size = text.len,
                                    .platform = SB_LIT("")};
    return 0;
}

static void canonical_clear(canonical *c)
{
    json_decref(c->document);
    json_decref(c->config);
    json_decref(c->layers);
    sb_rootfs_free(c->rootfs);
    free(c->diff_ids);
    sb_arena_free(c->arena);
}

int sb_image_canonicalize(sb_layout *from, const sb_digest *manifest, const sb_canonical_options *options,
                          sb_layout *to, sb_arena *arena, sb_descriptor *ret_manifest, sb_error **err)
{
    __attribute__((cleanup(canonical_clear))) canonical c = {.from = from, .to = to, .options = options};

    c.arena = sb_arena_new();
    c.rootfs = sb_rootfs_new();
    c.layers = json_array();
    if (read_image(&c, manifest, err) < 0)
        return -1;
    for (size_t i = 0; i < options->base_layers; i++)
        if (take_base_layer(&c, i, options->base_layers < c.manifest.layer_count, err) < 0)
            return sb_wrap(err, "the base image");
    for (size_t i = options->base_layers; i < c.manifest.layer_count; i++)
        if (remake_layer(&c, i, err) < 0)
            return sb_wrap(err, "the image that was built");
    return write_image(&c, arena, ret_manifest, err);
}
