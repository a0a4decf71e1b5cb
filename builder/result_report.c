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

static int write_report(sb_project *project, const sb_build_result *result, const char *const *tags,
                        sb_error **err)
{
    sb_autojson *json = json_object();
    sb_autobuf out = SB_BUF_INIT(16 << 20);
    sb_autofree char *scratch = NULL;
    sb_autoclose int fd = -1;
    json_t *diff_ids = json_array();

    json_object_set_new(json, "version", json_integer(1));
    sb_json_set_str(json, "dockerfile", project->dockerfile_name);
    sb_json_set_str(json, "engine", result->engine);
    sb_json_set_str(json, "image", result->image_id);
    sb_json_set_str(json, "manifest", result->manifest_digest);
    json_object_set_new(json, "tags", strings(tags));
    for (size_t i = 0; i < result->diff_id_count; i++)
        json_array_append_new(diff_ids, json_stringn(result->diff_ids[i].ptr, result->diff_ids[i].len));
    json_object_set_new(json, "diff-ids", diff_ids);
    if (sb_json_write(json, &out, err) < 0 || sb_project_scratch(project, &fd, &scratch, err) < 0)
        return -1;
    sb_buf_addc(&out, '\n');
    return sb_write_file(fd, "result.json", sb_buf_slice(&out), 0644, err);
}

static int describe(sb_layout *layout, const sb_digest *image, sb_build_result *result, sb_error **err)
{
    sb_manifest manifest;
    sb_image_config config;
    char id[SB_DIGEST_TEXT];
    sb_slice raw;

    if (sb_layout_read(layout, result->arena, image, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(result->arena, raw, SB_NIL, &manifest, err) < 0 ||
        sb_layout_read(layout, result->arena, &manifest.config.digest, CONFIG_MAX, &raw, err) < 0 ||
        sb_image_config_parse(result->arena, raw, &config, err) < 0)
        return -1;
    sb_digest_format(&manifest.config.digest, id);
    result->image_id = sb_arena_dup(result->arena, sb_slice_z(id));
    result->diff_ids = config.diff_ids;
    result->diff_id_count = config.diff_id_count;
    return 0;
}

int sb_result_report(sb_project *project, const sb_build_options *options, const sb_engine *engine,
                     sb_layout *layout, const sb_descriptor *image, const sb_descriptor *whole,
                     const char *const *tags, sb_build_result **ret_result, sb_error **err)
{
    SB_AUTO(sb_build_result) result = sb_new(sb_build_result);
    char digest[SB_DIGEST_TEXT];

    result->arena = sb_arena_new();
    result->engine =
        sb_arena_printf(result->arena, "%" SB_FMT " %" SB_FMT, SB_ARG(engine->name), SB_ARG(engine->version));
    if (describe(layout, &image->digest, result, err) < 0)
        return -1;
    sb_digest_format(&whole->digest, digest);
    result->manifest_digest = sb_arena_dup(result->arena, sb_slice_z(digest));
    if (write_report(project, result, tags, err) < 0)
        return -1;
    if (options->iidfile && sb_write_file(AT_FDCWD, options->iidfile, result->image_id, 0666, err) < 0)
        return -1;
    if (options->metadata_file && write_metadata(options->metadata_file, result, tags, err) < 0)
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
