// SPDX-License-Identifier: Apache-2.0
/* From what was taken to the lock: objects in the repository's store, then entries, then the file. */
#include <builder/record.h>

#include <sbuild/fs.h>

static sb_lock_step *entry_of(sb_recorder *r, const sb_run_step *step)
{
    sb_lock *lock = r->lock;
    sb_lock_step *entry = (sb_lock_step *)(uintptr_t)sb_lock_find_step(lock, step);
    sb_lock_step *steps;

    if (entry)
        return entry;
    steps = sb_arena_array(lock->arena, sb_lock_step, lock->step_count + 1);
    if (lock->step_count)
        memcpy(steps, lock->steps, lock->step_count * sizeof(*steps));
    steps[lock->step_count] = sb_lock_step_of(lock, step);
    lock->steps = steps;
    return &steps[lock->step_count++];
}

/* --- Bodies, each once --- */

static int by_digest(const void *a, const void *b)
{
    return sb_digest_cmp(&(*(const sb_step_request *const *)a)->digest,
                         &(*(const sb_step_request *const *)b)->digest);
}

static const sb_step_request **sorted_bodies(const sb_step_manifest *manifest, size_t *ret_count)
{
    const sb_step_request **requests = sb_new_array(const sb_step_request *, manifest->count + 1);
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < manifest->count; i++)
        if (manifest->requests[i].has_content)
            requests[count++] = &manifest->requests[i];
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    qsort(requests, count, sizeof(*requests), by_digest);
    for (size_t i = 0; i < count; i++)
        if (!kept || !sb_digest_eq(&requests[kept - 1]->digest, &requests[i]->digest))
            requests[kept++] = requests[i];
    *ret_count = kept;
    return requests;
}

static uint64_t size_of(const sb_step_manifest *manifest)
{
    size_t count;
    sb_autofree const sb_step_request **bodies = sorted_bodies(manifest, &count);
    uint64_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += bodies[i]->size;
    return size;
}

static int keep_objects(sb_store *store, const sb_store *cache, const sb_step_manifest *manifest,
                        sb_error **err)
{
    size_t count;
    sb_autofree const sb_step_request **bodies = sorted_bodies(manifest, &count);

    for (size_t i = 0; i < count; i++)
        if (sb_store_copy(store, cache, &bodies[i]->digest, err) < 0)
            return -1;
    return 0;
}

/* --- Entries --- */

/* Into the cache first: what the project's own lock files say of it is not known yet. */
static int keep_manifest(sb_recorder *r, sb_step_manifest *manifest, sb_digest *ret_digest, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(SB_STEP_MANIFEST_MAX);
    sb_store *cache;

    if (sb_step_manifest_format(manifest, &text, err) < 0 || sb_project_cache(r->project, &cache, err) < 0)
        return -1;
    return sb_store_put(cache, sb_buf_slice(&text), ret_digest, err);
}

static int set_entry(sb_recorder *r, const sb_recording *recording, sb_error **err)
{
    sb_step_manifest *manifest = recording->manifest;
    sb_digest digest = {0};
    sb_lock_step *entry;

    if (manifest->count && keep_manifest(r, manifest, &digest, err) < 0)
        return -1;
    entry = entry_of(r, &recording->run);
    entry->network = SB_NIL;
    entry->requests = manifest->count;
    entry->size = size_of(manifest);
    entry->has_manifest = manifest->count > 0;
    entry->manifest = digest;
    return 0;
}

static int keep(sb_recorder *r, const sb_recording *recording, sb_error **err)
{
    const sb_lock_step *entry = sb_lock_find_step(r->lock, &recording->run);
    sb_store *store, *cache;

    if (!entry->has_manifest)
        return 0;
    if (sb_project_store(r->project, &store, err) < 0 || sb_project_cache(r->project, &cache, err) < 0 ||
        keep_objects(store, cache, recording->manifest, err) < 0)
        return -1;
    return sb_store_copy(store, cache, &entry->manifest, err);
}

int sb_record_enter(sb_recorder *r, sb_recording *const *recordings, size_t count, sb_error **err)
{
    sb_lock *lock = r->lock;
    size_t before = lock->step_count;
    sb_lock_step *steps = lock->steps;
    int result = 0;

    lock->steps = sb_arena_array(lock->arena, sb_lock_step, before + 1);
    if (before)
        memcpy(lock->steps, steps, before * sizeof(*steps));
    for (size_t i = 0; i < count && result == 0; i++)
        result = set_entry(r, recordings[i], err);
    if (result == 0)
        result = sb_lock_fill_packages(r->project, lock, err);
    for (size_t i = 0; i < count && result == 0; i++)
        if (keep(r, recordings[i], err) < 0)
            result =
                sb_wrap(err, "while keeping what %" SB_FMT " downloads", SB_ARG(recordings[i]->run.label));
    if (result < 0) {
        lock->steps = steps;
        lock->step_count = before;
        r->changed = true;
    }
    return result;
}

static bool is_claimed(const sb_recorder *r, const sb_lock_step *entry)
{
    char id[SB_STEP_ID_LEN + 1];

    sb_step_id(entry->stage, &entry->text, entry->nth, entry->platform, id);
    for (size_t i = 0; i < r->recording_count; i++)
        if (strcmp(r->recordings[i].run.id, id) == 0)
            return r->recordings[i].sealed || r->recordings[i].networked;
    return false;
}

/* A step whose text was edited starts from what the old one had: until it is recorded, that stays. */
static void drop_unclaimed(sb_recorder *r)
{
    sb_lock *lock = r->lock;
    size_t kept = 0;

    for (size_t i = 0; i < r->recording_count; i++)
        if (r->recordings[i].stale)
            return;
    for (size_t i = 0; i < lock->step_count; i++)
        if (is_claimed(r, &lock->steps[i]))
            lock->steps[kept++] = lock->steps[i];
    r->changed |= kept != lock->step_count;
    lock->step_count = kept;
}

/* What keeps its own network is in the lock by name alone. */
static void enter_networked(sb_recorder *r)
{
    for (size_t i = 0; i < r->recording_count; i++) {
        const sb_recording *recording = &r->recordings[i];
        sb_lock_step *entry;

        if (!recording->networked)
            continue;
        entry = entry_of(r, &recording->run);
        entry->network = sb_arena_dup(r->lock->arena, recording->run.network);
        entry->requests = 0;
        entry->size = 0;
        entry->has_manifest = false;
    }
}

int sb_record_finish_entries(sb_recorder *r, sb_error **err)
{
    enter_networked(r);
    drop_unclaimed(r);
    if (r->changed && sb_lock_fill_packages(r->project, r->lock, err) < 0)
        return -1;
    r->changed = false;
    return 0;
}

int sb_record_save(sb_recorder *r, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(SB_LOCK_MAX);
    sb_autofree char *path = sb_slice_dup(r->project->lock_name);
    sb_autofree char *before = NULL;
    SB_AUTO(sb_error) ignored = NULL;
    size_t len = 0;

    if (sb_lock_format(r->lock, &text, err) < 0)
        return -1;
    if (sb_read_file(r->project->lock_dirfd, path, SB_LOCK_MAX, &before, &len, NULL, &ignored) == 0 &&
        sb_slice_eq(sb_slice_of(before, len), sb_buf_slice(&text)))
        return 0;
    if (r->project->store && sb_store_sync(r->project->store, err) < 0)
        return -1;
    if (sb_lock_save(r->project, r->lock, err) < 0)
        return -1;
    r->report->written = true;
    return 0;
}
