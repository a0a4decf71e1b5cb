// SPDX-License-Identifier: Apache-2.0
/* Base images as an engine wants them: an OCI layout that holds all blobs of a platform's image. */
#include <lock/images_cache.h>

#include <unistd.h>

#include <lock/objects.h>
#include <lock/project.h>

static int missing(const sb_project *project, const sb_image_want *want, bool offline, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *name = sb_printable(want->image->name);
    sb_autofree char *shown = sb_printable(want->platform->platform);

    return sb_fail(err, SB_ERR_NOT_FOUND,
                   "%s for %s is neither in %s nor in the image cache%s; run \"%" SB_FMT
                   "\" where there is a network",
                   name, shown, SB_STORE_NAME, offline ? "" : ", and no registry gave it",
                   SB_ARG(sb_project_command(project, arena, "vendor --images")));
}

/* A small object from the stores or the layout itself: 1 with it, 0 when nobody has it. */
static int read_small(sb_project *project, sb_layout *layout, const sb_digest *digest, sb_arena *arena,
                      sb_slice *ret_data, sb_error **err)
{
    const sb_store *store;

    if (sb_layout_has(layout, digest, 0)) {
        SB_AUTO(sb_error) damaged = NULL;

        if (sb_layout_read(layout, arena, digest, SB_MANIFEST_MAX, ret_data, &damaged) == 0)
            return 1;
    }
    store = sb_project_find(project, digest);
    if (store) {
        sb_autofree char *data = NULL;
        sb_digest written;
        size_t len = 0;

        if (sb_store_read(store, digest, SB_MANIFEST_MAX, &data, &len, err) < 0)
            return -1;
        *ret_data = sb_arena_dup(arena, sb_slice_of(data, len));
        return sb_layout_write(layout, *ret_data, &written, err) < 0 ? -1 : 1;
    }
    return 0;
}

/* 1 when the layout has the blob now, 0 when no store does. */
static int take_blob(sb_project *project, sb_layout *layout, const sb_needed *blob, sb_error **err)
{
    sb_autoclose int fd = -1;
    uint64_t size;

    if (sb_layout_has(layout, &blob->digest, blob->size))
        return 1;
    if (!project->store || !sb_store_has(project->store, &blob->digest, blob->size))
        return 0;
    if (sb_store_open_object(project->store, &blob->digest, &fd, &size, err) < 0)
        return -1;
    return sb_layout_add_fd(layout, fd, &blob->digest, err) < 0 ? -1 : 1;
}

/* 1 when the layout has all of the image now, 0 when something is in no store. */
static int complete(sb_project *project, const sb_image_want *want, sb_layout *layout, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_needed_list blobs = {0};
    sb_slice data, index, manifest;
    int r;

    r = read_small(project, layout, &want->image->digest, arena, &index, err);
    if (r > 0)
        r = read_small(project, layout, &want->platform->manifest, arena, &manifest, err);
    if (r > 0)
        r = read_small(project, layout, &want->platform->config, arena, &data, err);
    if (r <= 0)
        return r;
    if (sb_image_check_chain(want->image, want->platform, index, manifest, arena, err) < 0 ||
        sb_needed_by_image(want->image, want->platform, manifest, arena, &blobs, err) < 0)
        return -1;
    for (size_t i = 0; i < blobs.count && r > 0; i++)
        r = take_blob(project, layout, &blobs.items[i], err);
    return r;
}

int sb_image_exact_ref(const sb_lock_image *image, const sb_digest *digest, sb_arena *arena,
                       sb_image_ref *ret_ref, sb_error **err)
{
    char text[SB_DIGEST_TEXT];

    if (sb_image_ref_parse(arena, image->name, ret_ref, err) < 0)
        return -1;
    sb_digest_format(digest, text);
    ret_ref->digest = sb_arena_dup(arena, sb_slice_z(text));
    return 0;
}

/* Pulling by manifest, not by platform: which manifest a platform means was decided when it was locked. */
static int pull(sb_project *project, const sb_image_want *wants, size_t count, sb_layout *layout,
                sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_registry *registry = sb_project_registry(project);
    sb_pull *pulls = sb_arena_array(arena, sb_pull, count + 1);
    sb_manifest index;
    sb_digest written;
    sb_image_ref ref;
    sb_slice data;
    int r;

    for (size_t i = 0; i < count; i++) {
        const sb_lock_image *image = wants[i].image;

        if (sb_image_exact_ref(image, &wants[i].platform->manifest, arena, &pulls[i].ref, err) < 0)
            return -1;
        r = read_small(project, layout, &image->digest, arena, &data, err);
        if (r < 0)
            return -1;
        if (r == 0 && (sb_image_exact_ref(image, &image->digest, arena, &ref, err) < 0 ||
                       sb_registry_manifest(registry, arena, &ref, &index, err) < 0 ||
                       sb_layout_write(layout, index.raw, &written, err) < 0))
            return -1;
    }
    return sb_registry_pull(registry, pulls, count, layout, err);
}

int sb_images_bring(sb_project *project, const sb_image_want *wants, size_t count, bool offline,
                    sb_layout *layout, sb_error **err)
{
    sb_autofree sb_image_want *lacking = sb_new_array(sb_image_want, count + 1);
    size_t n = 0;
    int r;

    for (size_t i = 0; i < count; i++) {
        r = complete(project, &wants[i], layout, err);
        if (r < 0)
            return -1;
        if (r == 0)
            lacking[n++] = wants[i];
    }
    if (n && offline)
        return missing(project, &lacking[0], true, err);
    if (n && pull(project, lacking, n, layout, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        r = complete(project, &lacking[i], layout, err);
        if (r <= 0)
            return r < 0 ? -1 : missing(project, &lacking[i], false, err);
    }
    return 0;
}

int sb_ensure_image(sb_project *project, const sb_lock_image *image, sb_slice platform, bool offline,
                    sb_layout *layout, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_image_want want = {.image = image, .platform = sb_lock_image_platform(image, platform)};

    if (!want.platform) {
        sb_autofree char *name = sb_printable(image->name);
        sb_autofree char *shown = sb_printable(platform);

        return sb_fail(err, SB_ERR_STALE, "%s is not locked for %s; run \"%" SB_FMT " --platform %s\"", name,
                       shown, SB_ARG(sb_project_command(project, arena, "lock")), shown);
    }
    return sb_images_bring(project, &want, 1, offline, layout, err);
}
