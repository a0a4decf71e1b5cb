// SPDX-License-Identifier: Apache-2.0
/* The wanted images: from the lock, or resolved in parallel; their documents; their layers. */
#include <lock/update.h>

#include <stdlib.h>

static const sb_lock_image *locked_image(const sb_lock *lock, sb_slice name)
{
    for (size_t i = 0; i < lock->image_count; i++)
        if (sb_slice_eq(lock->images[i].name, name))
            return &lock->images[i];
    return NULL;
}

static bool has_documents(const sb_updater *u, const sb_lock_image *image, const sb_lock_platform *platform)
{
    return sb_update_has(u, &image->digest) && sb_update_has(u, &platform->manifest) &&
           sb_update_has(u, &platform->config);
}

static const sb_store *store_of(const sb_updater *u, const sb_digest *digest)
{
    return u->store && sb_store_has(u->store, digest, 0) ? u->store : u->cache;
}

/* Does the stored index have nothing for this platform? */
static bool lacks_platform(const sb_updater *u, const sb_lock_image *image, sb_slice platform)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_autofree char *data = NULL;
    size_t len = 0;
    sb_manifest index;

    return sb_store_read(store_of(u, &image->digest), &image->digest, SB_MANIFEST_MAX, &data, &len,
                         &ignored) == 0 &&
           sb_manifest_parse(u->arena, sb_slice_of(data, len), image->media_type, &index, &ignored) == 0 &&
           index.is_index && !sb_index_choose(u->arena, &index, platform);
}

/* Is all that is wanted of this image known and stored? */
static bool is_complete(const sb_updater *u, const sb_want_image *want, const sb_lock_image *image)
{
    for (size_t i = 0; i < want->platform_count; i++) {
        const sb_lock_platform *platform = sb_lock_image_platform(image, want->platforms[i]);

        if (!platform && want->optional[i] && lacks_platform(u, image, want->platforms[i]))
            continue;
        if (!platform || !has_documents(u, image, platform))
            return false;
    }
    return true;
}

static sb_slice *copy_slices(sb_arena *arena, const sb_slice *slices, size_t count)
{
    sb_slice *copy = count ? sb_arena_array(arena, sb_slice, count) : NULL;

    for (size_t i = 0; i < count; i++)
        copy[i] = sb_arena_dup(arena, slices[i]);
    return copy;
}

static sb_slice copy_slice(sb_arena *arena, sb_slice s)
{
    return s.ptr ? sb_arena_dup(arena, s) : SB_NIL;
}

static int cmp_platforms(const void *a, const void *b)
{
    return sb_slice_cmp(((const sb_lock_platform *)a)->platform, ((const sb_lock_platform *)b)->platform);
}

/* Platforms of `from` that `to` does not have. */
static void merge_platforms(sb_arena *arena, sb_lock_image *to, const sb_lock_image *from)
{
    sb_lock_platform *all =
        sb_arena_array(arena, sb_lock_platform, to->platform_count + from->platform_count + 1);
    size_t n = to->platform_count;

    if (n)
        memcpy(all, to->platforms, n * sizeof(*all));
    for (size_t i = 0; i < from->platform_count; i++)
        if (!sb_lock_image_platform(to, from->platforms[i].platform)) {
            all[n] = from->platforms[i];
            all[n++].platform = sb_arena_dup(arena, from->platforms[i].platform);
        }
    qsort(all, n, sizeof(*all), cmp_platforms);
    to->platforms = all;
    to->platform_count = n;
}

static void take_new(sb_updater *u, sb_want_image *want, const sb_lock_image *found)
{
    sb_arena *arena = u->lock->arena;

    want->entry = (sb_lock_image){
        .name = sb_arena_dup(arena, want->name),
        .version = copy_slice(arena, found->version),
        .reason = copy_slice(arena, found->reason),
        .aliases = copy_slices(arena, found->aliases, found->alias_count),
        .alias_count = found->alias_count,
        .digest = found->digest,
        .media_type = copy_slice(arena, found->media_type),
        .user = copy_slice(arena, found->user),
        .onbuild = copy_slices(arena, found->onbuild, found->onbuild_count),
        .onbuild_count = found->onbuild_count,
        .created = copy_slice(arena, found->created),
    };
    merge_platforms(arena, &want->entry, found);
}

/* The same bytes as before; it may have a version by now. */
static void take_unchanged(sb_updater *u, sb_want_image *want, const sb_image_job *job)
{
    sb_arena *arena = u->lock->arena;

    want->entry = *job->before;
    if (job->kept)
        return;
    merge_platforms(arena, &want->entry, &job->image);
    if (!job->image.version.ptr)
        return;
    want->changed = true;
    want->entry.version = copy_slice(arena, job->image.version);
    want->entry.reason = SB_NIL;
    want->entry.aliases = copy_slices(arena, job->image.aliases, job->image.alias_count);
    want->entry.alias_count = job->image.alias_count;
}

static int take(sb_updater *u, sb_want_image *want, const sb_image_job *job, sb_error **err)
{
    sb_digest digest;

    for (size_t i = 0; i < job->object_count; i++)
        if (sb_store_put(u->cache, job->objects[i].data, &digest, err) < 0)
            return -1;
    if (job->warning.ptr)
        sb_progress_line(u->progress, SB_EVENT_WARNING, "%" SB_FMT ": %" SB_FMT ": %" SB_FMT,
                         SB_ARG(want->origin), SB_ARG(want->name), SB_ARG(job->warning));
    if (job->detail.ptr) {
        sb_autofree char *detail = sb_printable(job->detail);

        sb_progress_line(u->progress, SB_EVENT_DETAIL, "%" SB_FMT ": %s", SB_ARG(want->name), detail);
    }
    if (job->locked) {
        merge_platforms(u->lock->arena, &want->entry, &job->image);
    } else if (job->before && (job->kept || sb_digest_eq(&job->before->digest, &job->image.digest))) {
        take_unchanged(u, want, job);
    } else {
        take_new(u, want, &job->image);
        want->changed = true;
    }
    want->resolved = is_complete(u, want, &want->entry);
    return 0;
}

/* Locked, and not to be looked at again: nothing to do, or only platforms to be added. */
static void plan(sb_updater *u, sb_want_image *want, sb_image_job *job)
{
    const sb_lock_image *locked = locked_image(u->lock, want->name);
    bool have = want->entry.name.ptr != NULL; /* taken in an earlier round */

    *job = (sb_image_job){.ref = want->parsed,
                          .platforms = want->platforms,
                          .optional = want->optional,
                          .platform_count = want->platform_count,
                          .not_after = u->not_after,
                          .stores = {u->store, u->cache}};
    if (!have && locked && !sb_update_wants_image(u, &want->parsed, want->ref)) {
        want->entry = *locked;
        have = true;
    }
    if (have)
        job->locked = &want->entry;
    else
        job->before = locked;
}

/* --min-age holds an update back, but makes a new reference an error. */
static bool too_young(sb_updater *u, sb_want_image *want, sb_image_job *job)
{
    if (sb_error_code(job->error) != SB_ERR_UNPINNED || !job->before)
        return false;
    sb_progress_line(u->progress, SB_EVENT_NOTE, "%" SB_FMT " stays as it is: %s", SB_ARG(want->name),
                     job->error->message);
    sb_image_job_clear(job);
    want->entry = *job->before;
    want->resolved = is_complete(u, want, &want->entry);
    return true;
}

/* A misspelt stage is taken for an image, and its registry asked. */
static const char *maybe_a_stage(const sb_want_image *want, const sb_error *error)
{
    static const char outside[] = "/:.@$";
    sb_errc code = sb_error_code(error);

    if (!(want->where & (SB_WHERE_COPY | SB_WHERE_MOUNT)) ||
        (code != SB_ERR_NOT_FOUND && code != SB_ERR_AUTH))
        return "";
    for (const char *c = outside; *c; c++)
        if (sb_slice_chr(want->ref, *c) >= 0)
            return "";
    return "; no stage has this name either";
}

static int take_all(sb_updater *u, sb_image_job *jobs, sb_want_image **wants, size_t count, sb_error **err)
{
    for (size_t i = 0; i < count; i++) {
        sb_want_image *want = wants[i];

        if (jobs[i].error && too_young(u, want, &jobs[i]))
            continue;
        if (jobs[i].error) {
            /* What registries say begins with the image's name, what is found out here does not. */
            bool named = sb_slice_starts(sb_slice_z(jobs[i].error->message), want->name);

            return sb_fail(err, sb_error_code(jobs[i].error), "%" SB_FMT ": %" SB_FMT "%s%s%s",
                           SB_ARG(want->origin), SB_ARG(named ? SB_LIT("") : want->name), named ? "" : ": ",
                           jobs[i].error->message, maybe_a_stage(want, jobs[i].error));
        }
        if (jobs[i].arena && take(u, want, &jobs[i], err) < 0)
            return -1;
    }
    return 0;
}

int sb_update_images(sb_updater *u, sb_error **err)
{
    sb_image_job *jobs = sb_arena_array(u->arena, sb_image_job, u->image_count + 1);
    sb_want_image **wants = sb_arena_array(u->arena, sb_want_image *, u->image_count + 1);
    size_t count = 0;
    int r;

    for (size_t i = 0; i < u->image_count; i++) {
        sb_want_image *want = &u->images[i];

        if (want->resolved)
            continue;
        plan(u, want, &jobs[count]);
        want->resolved = jobs[count].locked && is_complete(u, want, &want->entry);
        if (!want->resolved)
            wants[count++] = want;
    }
    if (!count)
        return 0;
    sb_image_jobs_run(jobs, count, u->settings, u->progress);
    r = take_all(u, jobs, wants, count, err);
    for (size_t i = 0; i < count; i++)
        sb_image_job_clear(&jobs[i]);
    return r;
}

static int read_config(sb_updater *u, const sb_digest *digest, sb_image_config *ret_config, sb_error **err)
{
    const sb_store *store = store_of(u, digest);
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_store_read(store, digest, SB_MANIFEST_MAX, &data, &len, err) < 0)
        return -1;
    return sb_image_config_parse(u->arena, sb_arena_dup(u->arena, sb_slice_of(data, len)), ret_config, err);
}

int sb_update_config(sb_updater *u, sb_slice expanded, sb_slice platform, sb_image_config *ret_config,
                     sb_error **err)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_image_ref ref;
    sb_slice name;

    if (sb_image_ref_parse(u->arena, expanded, &ref, &ignored) < 0)
        return 0; /* reported with its place when it is collected */
    name = sb_image_ref_format(u->arena, &ref);
    for (size_t i = 0; i < u->image_count; i++) {
        const sb_lock_platform *locked;

        if (!u->images[i].resolved || !sb_slice_eq(u->images[i].name, name))
            continue;
        locked = sb_lock_image_platform(&u->images[i].entry, platform);
        if (!locked)
            return 0;
        return read_config(u, &locked->config, ret_config, err) < 0 ? -1 : 1;
    }
    return 0;
}

/* Does the image cache have every blob of this manifest, as far as their sizes tell? Who uses them verifies
 * them. */
static int is_pulled(sb_updater *u, const sb_layout *layout, const sb_lock_platform *platform,
                     bool *ret_pulled, sb_error **err)
{
    const sb_store *store = store_of(u, &platform->manifest);
    sb_autofree char *data = NULL;
    size_t len = 0;
    sb_manifest manifest;

    *ret_pulled = false;
    if (!sb_layout_has(layout, &platform->manifest, 0))
        return 0;
    if (sb_store_read(store, &platform->manifest, SB_MANIFEST_MAX, &data, &len, err) < 0 ||
        sb_manifest_parse(u->arena, sb_slice_of(data, len), SB_NIL, &manifest, err) < 0)
        return -1;
    if (!sb_layout_has(layout, &platform->manifest, len) ||
        !sb_layout_has(layout, &manifest.config.digest, manifest.config.size))
        return 0;
    for (size_t i = 0; i < manifest.layer_count; i++)
        if (!sb_layout_has(layout, &manifest.layers[i].digest, manifest.layers[i].size))
            return 0;
    *ret_pulled = true;
    return 0;
}

/* What the store has need not be fetched again. */
static int give_document(sb_updater *u, sb_layout *layout, const sb_digest *digest, sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_store_read(store_of(u, digest), digest, SB_MANIFEST_MAX, &data, &len, err) < 0)
        return -1;
    if (sb_layout_has(layout, digest, len))
        return 0;
    return sb_layout_give(layout, sb_slice_of(data, len), err);
}

static int give_documents(sb_updater *u, sb_layout *layout, const sb_lock_image *image,
                          const sb_lock_platform *platform, sb_error **err)
{
    if (give_document(u, layout, &image->digest, err) < 0 ||
        give_document(u, layout, &platform->manifest, err) < 0)
        return -1;
    return give_document(u, layout, &platform->config, err);
}

static int plan_pull(sb_updater *u, sb_layout *layout, const sb_want_image *want, sb_pull *pull,
                     sb_error **err)
{
    sb_slice *platforms = sb_arena_array(u->arena, sb_slice, want->platform_count + 1);
    char digest[SB_DIGEST_TEXT];

    *pull = (sb_pull){.ref = want->parsed, .platforms = platforms};
    sb_digest_format(&want->entry.digest, digest);
    pull->ref.digest = sb_arena_dup(u->arena, sb_slice_z(digest));
    for (size_t i = 0; i < want->platform_count; i++) {
        const sb_lock_platform *platform = sb_lock_image_platform(&want->entry, want->platforms[i]);
        bool pulled = !platform; /* an optional one that the image does not have */

        if (platform && is_pulled(u, layout, platform, &pulled, err) < 0)
            return -1;
        if (pulled)
            continue;
        if (give_documents(u, layout, &want->entry, platform, err) < 0)
            return -1;
        platforms[pull->platform_count++] = want->platforms[i];
    }
    return 0;
}

int sb_update_pull(sb_updater *u, sb_error **err)
{
    sb_pull *pulls = sb_arena_array(u->arena, sb_pull, u->image_count + 1);
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_registry) registry = NULL;
    sb_autofree char *path = NULL;
    size_t count = 0;

    if (!u->image_count)
        return 0;
    path = sb_project_images_path(err);
    if (!path || sb_layout_open(path, true, &layout, err) < 0)
        return -1;
    for (size_t i = 0; i < u->image_count; i++) {
        if (plan_pull(u, layout, &u->images[i], &pulls[count], err) < 0)
            return -1;
        if (pulls[count].platform_count)
            count++;
    }
    if (!count)
        return 0;
    registry = sb_registry_new(u->http, u->settings, u->progress);
    return sb_registry_pull(registry, pulls, count, layout, err);
}
