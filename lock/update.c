// SPDX-License-Identifier: Apache-2.0
/*
 * `sbuild lock`. Nothing is written to the lock until everything is resolved, verified and stored, so it is
 * always the old one or the new one, and whatever was fetched before a failure is found in the cache again.
 *
 * The epoch (SOURCE_DATE_EPOCH of builds) is the newest time that is known of what is locked: when images
 * were made, files last changed, commits made; never later than now. Where nothing tells a time it is the
 * time of locking. It moves only when an image, file or repository is added, changed or dropped.
 */
#include <lock/update.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lock/evidence.h>
#include <sbuild/fs.h>
#include <sbuild/timefmt.h>

enum { ROUNDS_MAX = 64 };

bool sb_update_has(const sb_updater *u, const sb_digest *digest)
{
    return (u->store && sb_store_has(u->store, digest, 0)) || sb_store_has(u->cache, digest, 0);
}

int sb_update_cached(sb_updater *u, const sb_digest *digest, sb_error **err)
{
    if (sb_store_has(u->cache, digest, 0) || !u->store)
        return 0;
    return sb_store_copy(u->cache, u->store, digest, err);
}

/* --- the repository's store --- */

int sb_update_keep(sb_updater *u, const sb_digest *digest, sb_error **err)
{
    if (u->store && sb_store_has(u->store, digest, 0))
        return 0;
    if (sb_project_store(u->project, &u->store, err) < 0)
        return -1;
    return sb_store_copy(u->store, u->cache, digest, err);
}

static int keep_evidence(sb_updater *u, const sb_lock_evidence *evidence, size_t count, sb_error **err)
{
    for (size_t i = 0; i < count; i++) {
        sb_digest *objects;
        size_t n = sb_evidence_objects(&evidence[i], u->arena, &objects);

        for (size_t k = 0; k < n; k++)
            if (sb_update_keep(u, &objects[k], err) < 0)
                return -1;
    }
    return 0;
}

static int keep_image(sb_updater *u, const sb_lock_image *image, sb_error **err)
{
    if (sb_update_keep(u, &image->digest, err) < 0)
        return -1;
    for (size_t i = 0; i < image->platform_count; i++) {
        /* Platforms of other machines that nobody wants now may have gone from the stores. */
        if (!sb_update_has(u, &image->platforms[i].manifest))
            continue;
        if (sb_update_keep(u, &image->platforms[i].manifest, err) < 0 ||
            sb_update_keep(u, &image->platforms[i].config, err) < 0)
            return -1;
    }
    return 0;
}

static int keep_all(sb_updater *u, sb_error **err)
{
    for (size_t i = 0; i < u->lock->image_count; i++)
        if (keep_image(u, &u->lock->images[i], err) < 0)
            return -1;
    for (size_t i = 0; i < u->lock->file_count; i++) {
        const sb_lock_file *file = &u->lock->files[i];

        if (sb_update_keep(u, &file->digest, err) < 0 ||
            keep_evidence(u, file->evidence, file->evidence_count, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < u->lock->git_count; i++) {
        const sb_lock_git *git = &u->lock->git[i];

        if (sb_update_keep(u, &git->archive, err) < 0 ||
            keep_evidence(u, git->evidence, git->evidence_count, err) < 0)
            return -1;
    }
    return sb_update_keep_steps(u, err);
}

/* --- the lock --- */

static void fill_where(sb_updater *u, sb_want_image *want)
{
    static const struct {
        unsigned bit;
        const char *name;
    } places[] = {/* sorted */
                  {SB_WHERE_COPY, "COPY"},
                  {SB_WHERE_FROM, "FROM"},
                  {SB_WHERE_MOUNT, "MOUNT"},
                  {SB_WHERE_ONBUILD, "ONBUILD"},
                  {SB_WHERE_SYNTAX, "SYNTAX"}};
    sb_slice *where = sb_arena_array(u->lock->arena, sb_slice, SB_COUNT(places));
    size_t n = 0;

    for (size_t i = 0; i < SB_COUNT(places); i++)
        if (want->where & places[i].bit)
            where[n++] = sb_slice_z(places[i].name);
    want->entry.where = where;
    want->entry.where_count = n;
    want->entry.ref = sb_arena_dup(u->lock->arena, want->ref);
    want->entry.name = sb_arena_dup(u->lock->arena, want->name);
}

/* Is anything that was locked not wanted any more? */
static bool drops_anything(const sb_updater *u)
{
    size_t images = 0, files = 0, gits = 0;

    for (size_t i = 0; i < u->image_count; i++)
        for (size_t k = 0; k < u->lock->image_count; k++)
            images += sb_slice_eq(u->lock->images[k].name, u->images[i].name);
    for (size_t i = 0; i < u->source_count; i++) {
        files += !u->sources[i].is_git && sb_lock_find_file(u->lock, u->sources[i].expanded);
        gits += u->sources[i].is_git && sb_lock_find_git(u->lock, u->sources[i].expanded);
    }
    return images != u->lock->image_count || files != u->lock->file_count || gits != u->lock->git_count;
}

static bool anything_changed(const sb_updater *u)
{
    for (size_t i = 0; i < u->image_count; i++)
        if (u->images[i].changed)
            return true;
    for (size_t i = 0; i < u->source_count; i++)
        if (u->sources[i].changed)
            return true;
    return drops_anything(u);
}

static void note_time(const sb_updater *u, int64_t *newest, int64_t when)
{
    if (when > *newest && when <= u->now)
        *newest = when;
}

static int64_t newest_time(const sb_updater *u)
{
    int64_t newest = 0, when;

    for (size_t i = 0; i < u->image_count; i++)
        if (u->images[i].entry.created.ptr && sb_time_parse(u->images[i].entry.created, &when))
            note_time(u, &newest, when);
    for (size_t i = 0; i < u->source_count; i++)
        note_time(u, &newest,
                  u->sources[i].is_git ? sb_update_commit_time(u, &u->sources[i].git.archive)
                                       : u->sources[i].file.last_modified);
    return newest ? newest : u->now;
}

static void fill_profiles(sb_updater *u)
{
    sb_lock *lock = u->lock;
    sb_lock_profile *profiles = sb_arena_array(lock->arena, sb_lock_profile, u->profile_count + 1);
    size_t n = 0;

    for (size_t i = 0; i < u->profile_count; i++)
        if (!u->profiles[i].dropped)
            profiles[n++] = *u->profiles[i].profile;
    lock->profiles = profiles;
    lock->profile_count = n;
}

static void fill_lock(sb_updater *u)
{
    sb_lock *lock = u->lock;
    bool moved = u->is_new || anything_changed(u);
    sb_lock_image *images = sb_arena_array(lock->arena, sb_lock_image, u->image_count + 1);
    sb_lock_file *files = sb_arena_array(lock->arena, sb_lock_file, u->source_count + 1);
    sb_lock_git *git = sb_arena_array(lock->arena, sb_lock_git, u->source_count + 1);

    if (moved)
        lock->epoch = newest_time(u);
    fill_profiles(u);
    lock->image_count = lock->file_count = lock->git_count = 0;
    for (size_t i = 0; i < u->image_count; i++) {
        fill_where(u, &u->images[i]);
        images[lock->image_count++] = u->images[i].entry;
    }
    for (size_t i = 0; i < u->source_count; i++)
        if (u->sources[i].is_git)
            git[lock->git_count++] = u->sources[i].git;
        else
            files[lock->file_count++] = u->sources[i].file;
    lock->images = images;
    lock->files = files;
    lock->git = git;
    sb_lock_drop_stages(lock, u->project->df);
    lock->version = SB_LOCK_VERSION;
    lock->dockerfile = sb_arena_dup(lock->arena, u->project->dockerfile_name);
    lock->dockerfile_digest = u->project->text_digest;
}

/* Unfinished files of a run that was killed while it wrote; this one has the project for itself. */
static void sweep(const sb_project *project)
{
    sb_autofree char *prefix = sb_asprintf(".%" SB_FMT ".", SB_ARG(project->lock_name));
    int fd = openat(project->lock_dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(dir)))
        if (sb_slice_starts(sb_slice_z(entry->d_name), sb_slice_z(prefix)) &&
            sb_slice_ends(sb_slice_z(entry->d_name), SB_LIT(".tmp")))
            unlinkat(project->lock_dirfd, entry->d_name, 0);
    closedir(dir);
}

static int save(sb_updater *u, bool *ret_written, sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(u->project->lock_name);
    sb_autobuf text = SB_BUF_INIT(SB_LOCK_MAX);
    sb_autofree char *before = NULL;
    SB_AUTO(sb_error) ignored = NULL;
    bool missing = false;
    size_t len = 0;

    if (sb_lock_format(u->lock, &text, err) < 0)
        return -1;
    if (sb_read_file(u->project->lock_dirfd, path, SB_LOCK_MAX, &before, &len, &missing, &ignored) == 0 &&
        sb_slice_eq(sb_slice_of(before, len), sb_buf_slice(&text))) {
        *ret_written = false;
        return 0;
    }
    sweep(u->project);
    *ret_written = true;
    return sb_lock_save(u->project, u->lock, err);
}

/* --- the run --- */

static int load_old(sb_updater *u, sb_lock **ret_lock, sb_error **err)
{
    SB_AUTO(sb_error) failed = NULL;

    if (sb_lock_load(u->project, ret_lock, &failed) == 0)
        return 0;
    if (sb_error_code(failed) != SB_ERR_STALE)
        return sb_fail(err, sb_error_code(failed), "%s", failed->message);
    *ret_lock = sb_lock_new();
    u->is_new = true;
    return 0;
}

/* Images may bring ONBUILD triggers that want further images: until nothing new is found. */
static int resolve_images(sb_updater *u, sb_error **err)
{
    bool pending = true;

    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        if (sb_update_collect(u, &pending, err) < 0)
            return -1;
        if (!pending)
            return 0;
        if (sb_update_images(u, err) < 0)
            return -1;
    }
    return sb_fail(err, SB_ERR_LIMIT, "the images' ONBUILD triggers lead on and on; gave up after %d rounds",
                   ROUNDS_MAX);
}

static int check_going(sb_error **err)
{
    return sb_interrupted ? sb_fail(err, SB_ERR_INTERRUPTED, "interrupted; what is there already is kept")
                          : 0;
}

static int run(sb_updater *u, bool *ret_written, sb_error **err)
{
    sb_update_profiles(u);
    if (sb_verify_comments_check(u->project->df, err) < 0 || resolve_images(u, err) < 0 ||
        check_going(err) < 0 || sb_update_files(u, err) < 0 || check_going(err) < 0 ||
        sb_update_git(u, err) < 0 || check_going(err) < 0)
        return -1;
    for (size_t i = 0; i < u->image_count;
         i++) /* all that --update names could have matched was asked by now */
        sb_update_wants_image(u, &u->images[i].parsed, u->images[i].ref);
    if (sb_update_names_used(u, err) < 0)
        return -1;
    fill_lock(u);
    if (keep_all(u, err) < 0)
        return -1;
    if (u->options->pull_images && sb_update_pull(u, err) < 0)
        return -1;
    return check_going(err) < 0 ? -1 : save(u, ret_written, err);
}

static size_t name_count(const sb_update_options *options)
{
    size_t n = 0;

    while (options->update && options->update[n])
        n++;
    return n;
}

int sb_lock_update(sb_project *project, const sb_update_options *options, sb_update_report **ret_report,
                   sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_http) http = NULL;
    sb_autoclose int exclusive = -1;
    sb_updater u = {.project = project,
                    .options = options,
                    .settings = project->settings,
                    .progress = project->progress,
                    .arena = arena,
                    .now = time(NULL),
                    .require = options->require_signatures || project->settings->require_signatures};
    int64_t min_age = options->min_age ? options->min_age : project->settings->min_age;
    bool written = false;

    if (min_age)
        u.not_after = u.now - min_age;
    if (sb_project_exclusive(project, &exclusive, err) < 0 || sb_project_cache(project, &u.cache, err) < 0 ||
        load_old(&u, &lock, err) < 0)
        return -1;
    u.lock = lock;
    u.store = project->store;
    u.update_used = sb_arena_array(arena, bool, name_count(options) + 1);
    u.update_runs = sb_arena_array(arena, bool, name_count(options) + 1);
    http = sb_http_new(project->settings, project->progress);
    u.http = http;
    if (run(&u, &written, err) < 0)
        return -1;
    *ret_report = sb_update_report_make(&u, written);
    return 0;
}
