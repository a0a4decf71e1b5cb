// SPDX-License-Identifier: Apache-2.0
/*
 * What an engine hands back, as an OCI layout: the blobs of a saved or pushed image are moved to their
 * places, and the base's layers become those of the registry again.
 */
#include <builder/engine.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { CONFIG_MAX = 8 << 20, INDEX_MAX = 1 << 20 };

static int move_blob(const char *from, const char *layout, const sb_digest *digest, sb_error **err)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *to = NULL;

    sb_digest_hex(digest, hex);
    to = sb_asprintf("%s/blobs/%s/%s", layout, sb_hash_name(digest->algo), hex);
    if (rename(from, to) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot move %s to %s: %s", from, to, strerror(errno));
    return 0;
}

static int open_layout(const char *path, sb_layout **ret_layout, sb_error **err)
{
    sb_autofree char *blobs = sb_path_join(path, "blobs/sha256");

    if (sb_mkdirs(blobs, err) < 0)
        return -1;
    return sb_layout_open(path, true, ret_layout, err);
}

int sb_result_manifest(const char *layout, sb_digest *ret_manifest, sb_error **err)
{
    sb_autofree char *path = sb_path_join(layout, "index.json");
    sb_autofree char *text = NULL;
    sb_autojson *index = NULL;
    json_t *entries;
    size_t len;

    if (sb_read_file(AT_FDCWD, path, INDEX_MAX, &text, &len, NULL, err) < 0 ||
        sb_json_parse(sb_slice_of(text, len), path, &index, err) < 0)
        return -1;
    entries = sb_json_array(index, "manifests");
    if (json_array_size(entries) != 1)
        return sb_fail(err, SB_ERR_ENGINE, "the engine's result holds %zu images instead of one",
                       json_array_size(entries));
    return sb_digest_parse(sb_json_str(json_array_get(entries, 0), "digest"), ret_manifest, err);
}

int sb_result_from_flat(const char *dir, const char *layout_path, sb_digest *ret_manifest, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_layout) layout = NULL;
    sb_autofree char *manifest_path = sb_path_join(dir, "manifest.json");
    sb_autofree char *text = NULL;
    sb_manifest manifest;
    size_t len;

    if (sb_read_file(AT_FDCWD, manifest_path, SB_MANIFEST_MAX, &text, &len, NULL, err) < 0 ||
        sb_manifest_parse(arena, sb_slice_of(text, len), SB_NIL, &manifest, err) < 0 ||
        open_layout(layout_path, &layout, err) < 0)
        return -1;
    for (size_t i = 0; i <= manifest.layer_count; i++) {
        const sb_descriptor *blob = i ? &manifest.layers[i - 1] : &manifest.config;
        char hex[SB_DIGEST_HEX];
        sb_autofree char *from = NULL;

        if (sb_layout_has(layout, &blob->digest, blob->size))
            continue;
        sb_digest_hex(&blob->digest, hex);
        from = sb_path_join(dir, hex);
        if (move_blob(from, layout_path, &blob->digest, err) < 0)
            return -1;
    }
    return sb_layout_write(layout, sb_slice_of(text, len), ret_manifest, err);
}

static int link_blob(const sb_layout *layout, const sb_digest *digest, int dirfd, sb_error **err)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *target = NULL;

    sb_digest_hex(digest, hex);
    target = sb_asprintf("%s/blobs/%s/%s", sb_layout_path(layout), sb_hash_name(digest->algo), hex);
    if (symlinkat(target, dirfd, hex) < 0 && errno != EEXIST)
        return sb_fail(err, SB_ERR_IO, "cannot create a link to %s: %s", target, strerror(errno));
    return 0;
}

int sb_result_to_flat(const sb_layout *layout, const sb_digest *image, const char *dir, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autoclose int fd = -1;
    sb_manifest manifest;
    sb_slice raw;

    if (sb_layout_read(layout, arena, image, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, err) < 0 || sb_mkdirs(dir, err) < 0 ||
        sb_open_dir(dir, &fd, err) < 0 || link_blob(layout, &manifest.config.digest, fd, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest.layer_count; i++)
        if (link_blob(layout, &manifest.layers[i].digest, fd, err) < 0)
            return -1;
    if (sb_write_file(fd, "manifest.json", raw, 0644, err) < 0)
        return -1;
    return sb_write_file(fd, "version", SB_LIT("Directory Transport Version: 1.1\n"), 0644, err);
}

/* --- `docker save` --- */

/* Names of the newer form are digests already; files of the older one are hashed. */
static int file_digest(sb_slice name, int fd, sb_digest *ret_digest, sb_error **err)
{
    static const char prefix[] = "blobs/sha256/";

    if (sb_slice_starts(name, SB_LIT("blobs/sha256/")) &&
        sb_digest_from_hex(sb_slice_sub(name, sizeof(prefix) - 1, name.len), ret_digest))
        return 0;
    return sb_digest_of_fd(SB_HASH_SHA256, fd, ret_digest, NULL, err);
}

/* Moves a file of the archive to its place among the blobs. */
static int take_file(const char *dir, sb_slice name, const char *layout, const char *media_type,
                     json_t **ret_json, sb_error **err)
{
    sb_autofree char *relative = sb_slice_dup(name);
    sb_autofree char *path = sb_path_join(dir, relative);
    sb_autofree char *text = NULL;
    sb_autofree char *there = NULL;
    sb_autoclose int fd = -1;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;
    struct stat st;

    if (!sb_path_is_plain(name))
        return sb_fail(err, SB_ERR_ENGINE, "the saved image names a file outside of itself");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && file_digest(name, fd, &digest, err) < 0)
        return -1;
    /* The same layer may be in the image twice, and is moved already then. */
    if (fd < 0 && (file_digest(name, -1, &digest, NULL) < 0 || !sb_slice_starts(name, SB_LIT("blobs/"))))
        return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    sb_digest_hex(&digest, hex);
    there = sb_asprintf("%s/blobs/sha256/%s", layout, hex);
    if (access(there, F_OK) < 0 && move_blob(path, layout, &digest, err) < 0)
        return -1;
    if (stat(there, &st) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot look at %s: %s", there, strerror(errno));
    text = sb_digest_dup(&digest);
    *ret_json =
        json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", text, "size", (json_int_t)st.st_size);
    return 0;
}

static int archive_manifest(const char *dir, const json_t *entry, const char *layout, json_t **ret_manifest,
                            sb_error **err)
{
    sb_autojson *manifest =
        json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", SB_MEDIA_OCI_MANIFEST, "layers");
    json_t *layers = sb_json_array(entry, "Layers");
    json_t *descriptor = NULL;

    if (take_file(dir, sb_json_str(entry, "Config"), layout, "application/vnd.oci.image.config.v1+json",
                  &descriptor, err) < 0)
        return -1;
    json_object_set_new(manifest, "config", descriptor);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const char *name = json_string_value(json_array_get(layers, i));

        descriptor = NULL;
        if (take_file(dir, sb_slice_z(name ? name : ""), layout, "application/vnd.oci.image.layer.v1.tar",
                      &descriptor, err) < 0)
            return -1;
        json_array_append_new(json_object_get(manifest, "layers"), descriptor);
    }
    *ret_manifest = SB_TAKE(manifest);
    return 0;
}

int sb_result_from_archive(const char *dir, const char *layout_path, sb_digest *ret_manifest, sb_error **err)
{
    SB_AUTO(sb_layout) layout = NULL;
    sb_autofree char *path = sb_path_join(dir, "manifest.json");
    sb_autofree char *text = NULL;
    sb_autojson *list = NULL;
    sb_autojson *manifest = NULL;
    sb_autobuf out = SB_BUF_INIT(SB_MANIFEST_MAX);
    size_t len;

    if (sb_read_file(AT_FDCWD, path, INDEX_MAX, &text, &len, NULL, err) < 0 ||
        sb_json_parse(sb_slice_of(text, len), path, &list, err) < 0 ||
        open_layout(layout_path, &layout, err) < 0)
        return -1;
    if (json_array_size(list) != 1)
        return sb_fail(err, SB_ERR_ENGINE, "the engine saved %zu images instead of one",
                       json_array_size(list));
    if (archive_manifest(dir, json_array_get(list, 0), layout_path, &manifest, err) < 0 ||
        sb_json_write(manifest, &out, err) < 0)
        return -1;
    return sb_layout_write(layout, sb_buf_slice(&out), ret_manifest, err);
}

/* --- The base's layers --- */

static int read_image(const sb_layout *layout, sb_arena *arena, const sb_digest *digest,
                      sb_manifest *ret_manifest, sb_image_config *ret_config, sb_error **err)
{
    sb_slice raw;

    if (sb_layout_read(layout, arena, digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, ret_manifest, err) < 0 ||
        sb_layout_read(layout, arena, &ret_manifest->config.digest, CONFIG_MAX, &raw, err) < 0)
        return -1;
    return sb_image_config_parse(arena, raw, ret_config, err);
}

/* The blob of the image cache in the result, too, without copying where that is possible. */
static int share_blob(const sb_layout *from, sb_layout *to, const sb_descriptor *blob, sb_error **err)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *source = NULL;
    sb_autofree char *target = NULL;
    sb_autoclose int fd = -1;

    if (sb_layout_has(to, &blob->digest, blob->size))
        return 0;
    sb_digest_hex(&blob->digest, hex);
    source = sb_asprintf("%s/blobs/%s/%s", sb_layout_path(from), sb_hash_name(blob->digest.algo), hex);
    target = sb_asprintf("%s/blobs/%s/%s", sb_layout_path(to), sb_hash_name(blob->digest.algo), hex);
    if (link(source, target) == 0)
        return 0;
    if (sb_layout_open_blob(from, &blob->digest, &fd, err) < 0)
        return -1;
    return sb_layout_add_fd(to, fd, &blob->digest, err);
}

static bool same_base(const sb_image_config *result, const sb_image_config *base, size_t count)
{
    if (base->diff_id_count < count || result->diff_id_count < count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!sb_slice_eq(result->diff_ids[i], base->diff_ids[i]))
            return false;
    return true;
}

/*
 * The base's history as the base has it: with SOURCE_DATE_EPOCH, BuildKit moves its times, too. Writes the
 * config anew when that changes it.
 */
static int restore_history(sb_layout *layout, const sb_image_config *result, const sb_image_config *base,
                           json_t *manifest, sb_error **err)
{
    sb_autojson *config = NULL;
    sb_autojson *base_config = NULL;
    sb_autobuf out = SB_BUF_INIT(CONFIG_MAX);
    sb_autofree char *text = NULL;
    json_t *history, *base_history, *descriptor = sb_json_object(manifest, "config");
    sb_digest digest;

    if (sb_json_parse(result->raw, "image config", &config, err) < 0 ||
        sb_json_parse(base->raw, "image config", &base_config, err) < 0)
        return -1;
    history = sb_json_array(config, "history");
    base_history = sb_json_array(base_config, "history");
    if (!base_history || json_array_size(history) < json_array_size(base_history))
        return 0;
    for (size_t i = 0; i < json_array_size(base_history); i++)
        json_array_set(history, i, json_array_get(base_history, i));
    if (sb_json_write(config, &out, err) < 0 || sb_layout_write(layout, sb_buf_slice(&out), &digest, err) < 0)
        return -1;
    text = sb_digest_dup(&digest);
    sb_json_set_strz(descriptor, "digest", text);
    json_object_set_new(descriptor, "size", json_integer((json_int_t)out.len));
    return 0;
}

/* The first layers of the manifest become the base's. */
static int replace_layers(const sb_layout *images, sb_layout *layout, const sb_manifest *base, size_t count,
                          json_t *manifest, sb_error **err)
{
    for (size_t i = 0; i < count; i++) {
        const sb_descriptor *layer = &base->layers[i];
        sb_autofree char *digest = sb_digest_dup(&layer->digest);
        json_t *entry = json_array_get(sb_json_array(manifest, "layers"), i);

        if (share_blob(images, layout, layer, err) < 0)
            return -1;
        sb_json_set_str(entry, "mediaType", layer->media_type);
        sb_json_set_strz(entry, "digest", digest);
        json_object_set_new(entry, "size", json_integer((json_int_t)layer->size));
    }
    return 0;
}

int sb_result_rebase(const sb_plan *plan, const char *layout_path, sb_digest *manifest, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_layout) images = NULL;
    sb_autojson *json = NULL;
    sb_autobuf out = SB_BUF_INIT(SB_MANIFEST_MAX);
    sb_manifest result, base;
    sb_image_config result_config, base_config;
    sb_slice raw;

    if (!plan->base)
        return 0;
    if (sb_layout_open(layout_path, false, &layout, err) < 0 ||
        sb_layout_open(plan->base->layout.ptr, false, &images, err) < 0 ||
        read_image(layout, arena, manifest, &result, &result_config, err) < 0 ||
        read_image(images, arena, &plan->base->manifest, &base, &base_config, err) < 0)
        return -1;
    if (result.layer_count < plan->base_layers || !same_base(&result_config, &base_config, plan->base_layers))
        return sb_fail(err, SB_ERR_VERIFY,
                       "the engine's result is not built on %" SB_FMT
                       "; an image of that name in the engine may have hidden it",
                       SB_ARG(plan->base->text));
    if (sb_layout_read(layout, arena, manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_json_parse(raw, "manifest", &json, err) < 0 ||
        replace_layers(images, layout, &base, plan->base_layers, json, err) < 0 ||
        restore_history(layout, &result_config, &base_config, json, err) < 0 ||
        sb_json_write(json, &out, err) < 0)
        return -1;
    return sb_layout_write(layout, sb_buf_slice(&out), manifest, err);
}

int sb_result_copy(const sb_layout *from, sb_layout *to, const sb_digest *digest, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_manifest manifest;
    sb_digest written;
    sb_slice raw;

    if (sb_layout_read(from, arena, digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, err) < 0)
        return -1;
    if (!manifest.is_index && share_blob(from, to, &manifest.config, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest.layer_count; i++)
        if (share_blob(from, to, &manifest.layers[i], err) < 0)
            return -1;
    return sb_layout_write(to, raw, &written, err);
}
