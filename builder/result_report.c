// SPDX-License-Identifier: Apache-2.0
/* What was built, for the caller, for the files that it asked for, and for `.sbuild/result.json`. */
#include <builder/engine.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <fcntl.h>

enum { CONFIG_MAX = 8 << 20 };

static json_t *strings(const char *const *list)
{
    json_t *array = json_array();

    for (; list && *list; list++)
        json_array_append_new(array, json_string(*list));
    return array;
}

/* As buildx's --metadata-file has it. */
static int write_metadata(const char *path, const sb_build_result *result, const char *const *tags,
                          sb_error **err)
{
    sb_autojson *json = json_object();
    sb_autobuf out = SB_BUF_INIT(1 << 20);
    sb_autobuf names = SB_BUF_INIT(1 << 20);

    sb_json_set_str(json, "containerimage.config.digest", result->image_id);
    sb_json_set_str(json, "containerimage.digest", result->manifest_digest);
    for (size_t i = 0; tags && tags[i]; i++)
        sb_buf_printf(&names, "%s%s", i ? "," : "", tags[i]);
    if (names.len)
        sb_json_set_str(json, "image.name", sb_buf_slice(&names));
    if (sb_json_write(json, &out, err) < 0)
        return -1;
    sb_buf_addc(&out, '\n');
    return sb_write_file(AT_FDCWD, path, sb_buf_slice(&out), 0666, err);
}

int sb_outcome_lock_digest(const sb_outcome *outcome, sb_digest *ret_digest, sb_error **err)
{
    const sb_project *project = outcome->project;
    sb_autofree char *name = sb_slice_dup(project->lock_name);
    sb_autofree char *text = NULL;
    size_t len;

    if (sb_read_file(project->lock_dirfd, name, SB_LOCK_MAX, &text, &len, NULL, err) < 0)
        return -1;
    sb_digest_of(SB_HASH_SHA256, sb_slice_of(text, len), ret_digest);
    return 0;
}

static void set_digest(json_t *json, const char *key, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    sb_json_set_strz(json, key, text);
}

/* One platform: its image, manifest and layers. */
static int describe(const sb_outcome *outcome, const sb_built *built, sb_arena *arena, json_t *ret_platform,
                    sb_image_config *ret_config, sb_error **err)
{
    json_t *layers = json_array();
    sb_manifest manifest;
    sb_slice raw;

    json_object_set_new(ret_platform, "layers", layers);
    if (sb_layout_read(outcome->layout, arena, &built->image.digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, err) < 0 ||
        sb_layout_read(outcome->layout, arena, &manifest.config.digest, CONFIG_MAX, &raw, err) < 0 ||
        sb_image_config_parse(arena, raw, ret_config, err) < 0)
        return -1;
    sb_json_set_str(ret_platform, "platform", built->platform);
    set_digest(ret_platform, "image", &manifest.config.digest);
    set_digest(ret_platform, "manifest", &built->image.digest);
    for (size_t i = 0; i < manifest.layer_count && i < ret_config->diff_id_count; i++) {
        json_t *layer = json_object();

        set_digest(layer, "digest", &manifest.layers[i].digest);
        sb_json_set_str(layer, "diff-id", ret_config->diff_ids[i]);
        json_object_set_new(layer, "size", json_integer((json_int_t)manifest.layers[i].size));
        if (i < built->base_layers)
            json_object_set_new(layer, "base", json_true());
        json_array_append_new(layers, layer);
    }
    return 0;
}

static int write_report(const sb_outcome *outcome, const sb_build_result *result, json_t *platforms,
                        sb_error **err)
{
    sb_project *project = outcome->project;
    sb_autojson *json = json_object();
    sb_autobuf out = SB_BUF_INIT(64 << 20);
    sb_autofree char *scratch = NULL;
    sb_autoclose int fd = -1;
    json_t *diff_ids = json_array();
    sb_digest lock;

    for (size_t i = 0; i < result->diff_id_count; i++)
        json_array_append_new(diff_ids, json_stringn(result->diff_ids[i].ptr, result->diff_ids[i].len));
    json_object_set_new(json, "diff-ids", diff_ids);
    json_object_set_new(json, "version", json_integer(1));
    sb_json_set_strz(json, "sbuild", SBUILD_VERSION);
    sb_json_set_str(json, "engine", result->engine);
    sb_json_set_str(json, "dockerfile", project->dockerfile_name);
    set_digest(json, "dockerfile-digest", &project->text_digest);
    if (sb_outcome_lock_digest(outcome, &lock, err) < 0)
        return -1;
    set_digest(json, "lock-digest", &lock);
    json_object_set_new(json, "epoch", json_integer((json_int_t)outcome->lock->epoch));
    if (outcome->options->target)
        sb_json_set_strz(json, "target", outcome->options->target);
    if (outcome->switched.len)
        sb_json_set_str(json, "volatile", outcome->switched);
    sb_json_set_str(json, "image", result->image_id);
    sb_json_set_str(json, "manifest", result->manifest_digest);
    json_object_set_new(json, "tags", strings(outcome->tags));
    json_object_set(json, "platforms", platforms);
    if (sb_json_write(json, &out, err) < 0 || sb_project_scratch(project, &fd, &scratch, err) < 0)
        return -1;
    sb_buf_addc(&out, '\n');
    return sb_write_file(fd, "result.json", sb_buf_slice(&out), 0644, err);
}

int sb_result_report(const sb_outcome *outcome, sb_build_result **ret_result, sb_error **err)
{
    const sb_build_options *options = outcome->options;
    SB_AUTO(sb_build_result) result = sb_new(sb_build_result);
    sb_autojson *platforms = json_array();
    char digest[SB_DIGEST_TEXT];

    result->arena = sb_arena_new();
    result->engine = sb_arena_printf(result->arena, "%" SB_FMT " %" SB_FMT, SB_ARG(outcome->engine->name),
                                     SB_ARG(outcome->engine->version));
    for (size_t i = 0; i < outcome->image_count; i++) {
        json_t *platform = json_object();
        sb_image_config config;

        json_array_append_new(platforms, platform);
        if (describe(outcome, &outcome->images[i], result->arena, platform, &config, err) < 0)
            return -1;
        if (i > 0)
            continue;
        result->image_id = sb_arena_dup(result->arena, sb_json_str(platform, "image"));
        result->diff_ids = config.diff_ids;
        result->diff_id_count = config.diff_id_count;
    }
    sb_digest_format(&outcome->whole.digest, digest);
    result->manifest_digest = sb_arena_dup(result->arena, sb_slice_z(digest));
    if (write_report(outcome, result, platforms, err) < 0 ||
        (options->iidfile && sb_write_file(AT_FDCWD, options->iidfile, result->image_id, 0666, err) < 0) ||
        (options->metadata_file && write_metadata(options->metadata_file, result, outcome->tags, err) < 0) ||
        (options->attestation && sb_attestation_write(outcome, platforms, options->attestation, err) < 0))
        return -1;
    *ret_result = SB_TAKE(result);
    return 0;
}

void sb_build_result_free(sb_build_result *result)
{
    if (!result)
        return;
    sb_arena_free(result->arena);
    free(result);
}
