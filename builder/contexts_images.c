// SPDX-License-Identifier: Apache-2.0
/*
 * The images of a plan: in the user's cache of images, without their ONBUILD triggers where those stand in
 * the Dockerfile now, and as flat directories for engines that cannot read Docker's media types in a layout.
 */
#include <builder/contexts.h>
#include <builder/engine.h>

#include <sbuild/json.h>

enum { CONFIG_MAX = 8 << 20 };

/* The manifest anew with another config; the layers stay. */
static int write_manifest(sb_layout *layout, const sb_manifest *old, const sb_digest *config, size_t size,
                          sb_digest *ret_manifest, sb_error **err)
{
    sb_autojson *json = NULL;
    sb_autobuf out = SB_BUF_INIT(SB_MANIFEST_MAX);
    sb_autofree char *digest = sb_digest_dup(config);
    json_t *descriptor;

    if (sb_json_parse(old->raw, "manifest", &json, err) < 0)
        return -1;
    descriptor = sb_json_object(json, "config");
    sb_json_set_strz(descriptor, "digest", digest);
    json_object_set_new(descriptor, "size", json_integer((json_int_t)size));
    if (sb_json_write(json, &out, err) < 0)
        return -1;
    return sb_layout_write(layout, sb_buf_slice(&out), ret_manifest, err);
}

/* A copy of the image without triggers, for one platform. It shares the layers. */
static int strip_triggers(sb_plan *plan, sb_plan_image *image, sb_layout *layout, sb_error **err)
{
    sb_autojson *json = NULL;
    sb_autobuf out = SB_BUF_INIT(CONFIG_MAX);
    sb_slice raw;
    sb_manifest manifest;
    sb_digest config;

    if (sb_layout_read(layout, plan->arena, &image->manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(plan->arena, raw, SB_NIL, &manifest, err) < 0 ||
        sb_layout_read(layout, plan->arena, &manifest.config.digest, CONFIG_MAX, &raw, err) < 0 ||
        sb_json_parse(raw, "image config", &json, err) < 0)
        return -1;
    json_object_del(sb_json_object(json, "config"), "OnBuild");
    if (sb_json_write(json, &out, err) < 0 || sb_layout_write(layout, sb_buf_slice(&out), &config, err) < 0 ||
        write_manifest(layout, &manifest, &config, out.len, &image->manifest, err) < 0)
        return -1;
    image->digest = image->manifest;
    return 0;
}

static int make_directory(sb_plan *plan, sb_plan_image *image, size_t index, const sb_layout *layout,
                          sb_error **err)
{
    image->directory = sb_arena_printf(plan->arena, "%" SB_FMT "/images/%zu", SB_ARG(plan->path), index);
    return sb_result_to_flat(layout, &image->manifest, image->directory.ptr, err);
}

static int supply(sb_plan *plan, sb_plan_image *image, size_t index, sb_layout *layout, sb_error **err)
{
    const sb_lock_platform *locked = sb_lock_image_platform(image->locked, image->platform);

    if (!locked)
        return sb_fail(err, SB_ERR_STALE,
                       "%" SB_FMT " is not locked for %" SB_FMT "; run \"sbuild lock --platform %" SB_FMT
                       "\"",
                       SB_ARG(image->text), SB_ARG(image->platform), SB_ARG(image->platform));
    if (sb_ensure_image(plan->project, image->locked, image->platform, plan->options->offline, layout, err) <
        0)
        return -1;
    image->digest = image->locked->digest;
    image->manifest = locked->manifest;
    image->layout = sb_arena_dup(plan->arena, sb_slice_z(sb_layout_path(layout)));
    if (image->strip && strip_triggers(plan, image, layout, err) < 0)
        return sb_wrap(err, "while taking the ONBUILD triggers out of %" SB_FMT, SB_ARG(image->text));
    if (plan->engine->kind == SB_ENGINE_DOCKER)
        return 0;
    return make_directory(plan, image, index, layout, err);
}

/* Down the stages from the target to the image at the bottom. */
static int find_base(sb_plan *plan, const sb_layout *layout, sb_error **err)
{
    const sb_df_stage *stage = &plan->view->stages[plan->view->target];
    const sb_lock_image *locked;
    sb_slice platform, raw;
    sb_manifest manifest;

    while (stage->base_kind == SB_BASE_STAGE)
        stage = &plan->view->stages[stage->base_stage];
    if (stage->base_kind != SB_BASE_IMAGE)
        return 0;
    locked = sb_lock_find_image(plan->lock, stage->base_expanded);
    platform = stage->platform.len ? stage->platform : plan->platform;
    for (size_t i = 0; i < plan->image_count && !plan->base; i++)
        if (plan->images[i].locked == locked && sb_slice_eq(plan->images[i].platform, platform))
            plan->base = &plan->images[i];
    if (!plan->base)
        return sb_fail(err, SB_ERR_INTERNAL, "the base image %" SB_FMT " is not in the plan",
                       SB_ARG(stage->base_expanded));
    if (sb_layout_read(layout, plan->arena, &plan->base->manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(plan->arena, raw, SB_NIL, &manifest, err) < 0)
        return -1;
    plan->base_layers = manifest.layer_count;
    return 0;
}

int sb_plan_images(sb_plan *plan, sb_error **err)
{
    sb_autofree char *path = sb_project_images_path(err);
    SB_AUTO(sb_layout) layout = NULL;

    if (!path || sb_layout_open(path, true, &layout, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->image_count; i++)
        if (supply(plan, &plan->images[i], i, layout, err) < 0)
            return -1;
    return find_base(plan, layout, err);
}
