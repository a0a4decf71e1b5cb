// SPDX-License-Identifier: Apache-2.0
/* Everything that the lock names, in a store. */
#include <lock/vendor.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <lock/images_cache.h>
#include <lock/project.h>

/* Is this the name of a registry's repository and not of a directory? */
static bool names_registry(const char *to)
{
    sb_slice text = sb_slice_z(to), first;

    if (sb_slice_find(text, SB_LIT("://")) > 0 || sb_slice_starts(text, SB_LIT("oci:")) ||
        sb_slice_starts(text, SB_LIT("docker:")))
        return true;
    if (*to == '/' || *to == '.' || access(to, F_OK) == 0)
        return false;
    first = sb_slice_cut(&text, '/');
    return text.ptr && (sb_slice_chr(first, '.') > 0 || sb_slice_chr(first, ':') > 0);
}

static int open_target(sb_project *project, const char *to, sb_store **ret_store, sb_store **ret_own,
                       sb_error **err)
{
    if (!to)
        return sb_project_store(project, ret_store, err);
    if (names_registry(to)) {
        sb_autofree char *shown = sb_printable(sb_slice_z(to));

        return sb_fail(err, SB_ERR_USAGE,
                       "--to wants a directory, and %s names a registry, which is not supported; write to a "
                       "directory and share that",
                       shown);
    }
    if (sb_store_open(to, true, true, ret_own, err) < 0)
        return -1;
    *ret_store = *ret_own;
    return 0;
}

/* There, and undamaged: what is damaged is fetched again and replaced. */
static bool is_sound(const sb_store *store, const sb_digest *digest)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoclose int fd = -1;
    uint64_t size;

    return sb_store_open_object(store, digest, &fd, &size, &ignored) == 0;
}

/* A store that has it, but the target. */
static const sb_store *source_of(sb_project *project, const sb_store *target, const sb_needed *needed)
{
    const sb_store *store = sb_project_find(project, &needed->digest);

    if (store == target && project->cache && sb_store_has(project->cache, &needed->digest, needed->size))
        store = project->cache;
    return store && store != target && is_sound(store, &needed->digest) ? store : NULL;
}

static int copy_all(sb_project *project, sb_store *target, const sb_needed *const *items, size_t count,
                    sb_error **err)
{
    for (size_t i = 0; i < count; i++) {
        const sb_store *from = source_of(project, target, items[i]);
        sb_autofree char *name = sb_printable(items[i]->name);

        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (!from)
            return sb_fail(err, SB_ERR_NOT_FOUND, "%s (%s) cannot be had anywhere", name,
                           sb_needed_kind_name(items[i]->kind));
        if (sb_store_copy(target, from, &items[i]->digest, err) < 0)
            return sb_wrap(err, "%s", name);
    }
    return 0;
}

static void count_fetched(sb_vendor_report *report, const sb_store *target, const sb_digest *digest)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoclose int fd = -1;
    uint64_t size = 0;

    report->fetched++;
    if (sb_store_open_object(target, digest, &fd, &size, &ignored) == 0)
        report->bytes += size;
}

/* All that the lock names itself: images' documents, files, archives, evidence. */
static int bring_named(sb_project *project, const sb_lock *lock, sb_store *target, sb_vendor_report *report,
                       sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_needed_list needed = {0};
    const sb_needed **wanted, **nowhere;
    size_t want_count = 0, nowhere_count = 0;

    sb_needed_by_lock(lock, arena, &needed);
    wanted = sb_arena_array(arena, const sb_needed *, needed.count + 1);
    nowhere = sb_arena_array(arena, const sb_needed *, needed.count + 1);
    for (size_t i = 0; i < needed.count; i++) {
        const sb_needed *one = &needed.items[i];
        bool known = false;

        for (size_t k = 0; k < want_count && !known; k++)
            known = sb_digest_eq(&wanted[k]->digest, &one->digest);
        if (known)
            continue;
        if (is_sound(target, &one->digest)) {
            report->present++;
            continue;
        }
        wanted[want_count++] = one;
        if (!source_of(project, target, one))
            nowhere[nowhere_count++] = one;
    }
    if (nowhere_count && sb_vendor_fetch(project, nowhere, nowhere_count, err) < 0)
        return -1;
    if (copy_all(project, target, wanted, want_count, err) < 0)
        return -1;
    for (size_t i = 0; i < want_count; i++)
        count_fetched(report, target, &wanted[i]->digest);
    return 0;
}

static int take_layer(const sb_layout *layout, sb_store *target, const sb_needed *layer,
                      sb_vendor_report *report, sb_error **err)
{
    sb_autoclose int fd = -1;
    sb_digest digest;
    uint64_t size;

    if (is_sound(target, &layer->digest))
        return 0;
    if (sb_layout_open_blob(layout, &layer->digest, &fd, err) < 0 ||
        sb_store_put_fd(target, fd, &layer->digest, &digest, &size, err) < 0)
        return -1;
    report->fetched++;
    report->bytes += size;
    return 0;
}

static int bring_images(sb_project *project, const sb_lock *lock, sb_store *target, sb_vendor_report *report,
                        sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_layout) layout = NULL;
    sb_autofree char *path = sb_project_images_path(err);
    sb_image_want *wants = NULL;
    sb_needed_list layers = {0};
    size_t count = 0, cap = 0;

    if (!path)
        return -1;
    if (sb_needed_layers(lock, target, arena, &layers, err) < 0)
        return -1;
    for (size_t i = 0; i < layers.count; i++) {
        const sb_needed *layer = &layers.items[i];

        if (is_sound(target, &layer->digest))
            report->present++;
        /* All layers of a platform stand together. */
        else if (!count || wants[count - 1].platform != layer->platform)
            *SB_ARENA_PUSH(arena, wants, count, cap) = (sb_image_want){layer->image, layer->platform};
    }
    if (!count)
        return 0;
    if (sb_layout_open(path, true, &layout, err) < 0 ||
        sb_images_bring(project, wants, count, false, layout, err) < 0)
        return -1;
    for (size_t i = 0; i < layers.count; i++)
        if (take_layer(layout, target, &layers.items[i], report, err) < 0)
            return -1;
    return 0;
}

int sb_vendor(sb_project *project, const sb_lock *lock, const sb_vendor_options *options,
              sb_vendor_report *ret_report, sb_error **err)
{
    SB_AUTO(sb_store) own = NULL;
    sb_store *target, *cache;
    sb_vendor_report report = {0};

    if (options->to && options->prune)
        return sb_fail(err, SB_ERR_USAGE, "--prune is for %s, not for the directory of --to", SB_STORE_NAME);
    if (open_target(project, options->to, &target, &own, err) < 0 ||
        sb_project_cache(project, &cache, err) < 0 || bring_named(project, lock, target, &report, err) < 0 ||
        (options->images && bring_images(project, lock, target, &report, err) < 0) ||
        (options->prune && sb_vendor_prune(project, lock, target, &report, err) < 0))
        return -1;
    *ret_report = report;
    return 0;
}

typedef struct listing {
    sb_arena *arena;
    sb_vendored *items;
    size_t count, cap;
    size_t named; /* the first that many are of the lock */
} listing;

static void add_listed(listing *list, const sb_needed *needed)
{
    *SB_ARENA_PUSH(list->arena, list->items, list->count, list->cap) = (sb_vendored){
        .name = sb_needed_name(needed, list->arena), .digest = needed->digest, .size = needed->size};
}

static int list_object(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err)
{
    listing *list = ctx;
    bool known = false;

    (void)err;
    for (size_t i = 0; i < list->named; i++) {
        if (sb_digest_eq(&list->items[i].digest, digest)) {
            list->items[i].size = size;
            list->items[i].present = known = true;
        }
    }
    if (!known)
        *SB_ARENA_PUSH(list->arena, list->items, list->count, list->cap) =
            (sb_vendored){.digest = *digest, .size = size, .present = true};
    return 0;
}

/* Layers are listed where the store has some: without `vendor --images` they are not missed. */
static int list_layers(sb_project *project, const sb_lock *lock, listing *list, sb_error **err)
{
    sb_needed_list layers = {0};

    if (sb_needed_layers(lock, project->store, list->arena, &layers, err) < 0)
        return -1;
    for (size_t i = 0; i < layers.count; i++)
        if (sb_store_has(project->store, &layers.items[i].digest, 0))
            add_listed(list, &layers.items[i]);
    return 0;
}

int sb_vendor_list(sb_project *project, const sb_lock *lock, sb_arena *arena, sb_vendored **ret_items,
                   size_t *ret_count, sb_error **err)
{
    listing list = {.arena = arena};
    sb_needed_list needed = {0};

    sb_needed_by_lock(lock, arena, &needed);
    for (size_t i = 0; i < needed.count; i++)
        add_listed(&list, &needed.items[i]);
    if (project->store && list_layers(project, lock, &list, err) < 0)
        return -1;
    list.named = list.count;
    if (project->store && sb_store_each(project->store, list_object, &list, err) < 0)
        return -1;
    *ret_items = list.items;
    *ret_count = list.count;
    return 0;
}
