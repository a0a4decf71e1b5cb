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

static int by_digest(const void *a, const void *b)
{
    return sb_digest_cmp(&(*(const sb_needed *const *)a)->digest, &(*(const sb_needed *const *)b)->digest);
}

/* What the target lacks: `wanted`, each object once, in the order of the list. */
static size_t lacking(const sb_needed_list *list, const sb_store *target, sb_arena *arena,
                      const sb_needed ***ret_wanted, sb_vendor_report *report)
{
    const sb_needed **sorted = sb_arena_array(arena, const sb_needed *, list->count + 1);
    const sb_needed **wanted = sb_arena_array(arena, const sb_needed *, list->count + 1);
    size_t n = 0, count = 0;

    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->items[i];
    if (list->count > 1)
        qsort(sorted, list->count, sizeof(const sb_needed *), by_digest);
    for (size_t i = 0; i < list->count; i++) {
        if (i && sb_digest_eq(&sorted[i]->digest, &sorted[i - 1]->digest)) {
            /* What can be fetched again speaks for the others. */
            if (n && sb_digest_eq(&sorted[n - 1]->digest, &sorted[i]->digest) && !sorted[n - 1]->url.ptr)
                sorted[n - 1] = sorted[i];
            continue;
        }
        if (is_sound(target, &sorted[i]->digest))
            report->present++;
        else
            sorted[n++] = sorted[i];
    }
    for (size_t i = 0; i < list->count && count < n; i++) {
        const sb_needed *one = &list->items[i];
        const sb_needed *const *found = bsearch(&one, sorted, n, sizeof(const sb_needed *), by_digest);

        if (found && *found == one)
            wanted[count++] = one;
    }
    *ret_wanted = wanted;
    return count;
}

static int bring(sb_project *project, const sb_needed_list *list, sb_store *target, sb_vendor_report *report,
                 sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const sb_needed **wanted, **nowhere;
    size_t count = lacking(list, target, arena, &wanted, report), nowhere_count = 0;

    nowhere = sb_arena_array(arena, const sb_needed *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!source_of(project, target, wanted[i]))
            nowhere[nowhere_count++] = wanted[i];
    if ((nowhere_count && sb_vendor_fetch(project, nowhere, nowhere_count, err) < 0) ||
        copy_all(project, target, wanted, count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        count_fetched(report, target, &wanted[i]->digest);
    return 0;
}

/* All that the lock names itself (images' documents, files, archives, evidence, step manifests), and then the
 * answers that these name. */
static int bring_named(sb_project *project, const sb_lock *lock, sb_store *target, sb_vendor_report *report,
                       sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_needed_list named = {0}, bodies = {0};

    sb_needed_by_lock(lock, arena, &named);
    if (bring(project, &named, target, report, err) < 0 ||
        sb_needed_bodies(lock, target, arena, &bodies, err) < 0)
        return -1;
    return bring(project, &bodies, target, report, err);
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
    size_t *by_digest; /* places of those that the lock names */
    size_t named;
} listing;

static void add_listed(listing *list, const sb_needed *needed)
{
    *SB_ARENA_PUSH(list->arena, list->items, list->count, list->cap) = (sb_vendored){
        .name = sb_needed_name(needed, list->arena), .digest = needed->digest, .size = needed->size};
}

static int cmp_places(const void *a, const void *b, void *ctx)
{
    const listing *list = ctx;

    return sb_digest_cmp(&list->items[*(const size_t *)a].digest, &list->items[*(const size_t *)b].digest);
}

static void index_listed(listing *list)
{
    list->named = list->count;
    list->by_digest = sb_arena_array(list->arena, size_t, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        list->by_digest[i] = i;
    qsort_r(list->by_digest, list->count, sizeof(size_t), cmp_places, list);
}

/* The first place in the index whose digest is not below this one. */
static size_t lower_bound(const listing *list, const sb_digest *digest)
{
    size_t low = 0, high = list->named;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sb_digest_cmp(&list->items[list->by_digest[middle]].digest, digest) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int list_object(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err)
{
    listing *list = ctx;
    bool known = false;

    (void)err;
    for (size_t i = lower_bound(list, digest);
         i < list->named && sb_digest_eq(&list->items[list->by_digest[i]].digest, digest); i++) {
        list->items[list->by_digest[i]].size = size;
        list->items[list->by_digest[i]].present = known = true;
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
    if (project->store && sb_needed_bodies(lock, project->store, arena, &needed, err) < 0)
        return -1;
    for (size_t i = 0; i < needed.count; i++)
        add_listed(&list, &needed.items[i]);
    if (project->store && list_layers(project, lock, &list, err) < 0)
        return -1;
    index_listed(&list);
    if (project->store && sb_store_each(project->store, list_object, &list, err) < 0)
        return -1;
    *ret_items = list.items;
    *ret_count = list.count;
    return 0;
}
