// SPDX-License-Identifier: Apache-2.0
/* Objects of the lock that no store has: fetched from where they came from, and taken only if they are still
 * the same bytes. */
#include <lock/vendor.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <lock/images_cache.h>
#include <lock/key_file.h>
#include <lock/project.h>
#include <lock/verify_comment.h>
#include <sbuild/fs.h>
#include <sbuild/git.h>

typedef struct fetcher {
    sb_project *project;
    sb_store *cache;
    sb_arena *arena;
} fetcher;

/* Upstream has something else now, or nothing: what that is called depends on what is asked for. */
static int not_the_same(const sb_needed *needed, const sb_error *why, sb_error **err)
{
    sb_autofree char *name = sb_printable(needed->name);
    const char *kind = sb_needed_kind_name(needed->kind);
    /* What registries say begins with the image's name. */
    const char *colon = strncmp(why->message, name, strlen(name)) == 0 ? strstr(why->message, ": ") : NULL;
    const char *cause = colon ? colon + 2 : why->message;

    if (why->code == SB_ERR_VERIFY)
        return sb_fail(err, SB_ERR_VERIFY,
                       "%s: the %s is not what the lock says any more (%s); restore it from where it was "
                       "vendored, or run \"sbuild lock --update=%s\" to take what it is now",
                       name, kind, cause, name);
    if (why->code == SB_ERR_NOT_FOUND || why->code == SB_ERR_GONE)
        return sb_fail(err, SB_ERR_GONE,
                       "%s: the %s is gone upstream and in no store here (%s); restore it from where it was "
                       "vendored",
                       name, kind, cause);
    return sb_fail(err, why->code, "%s: the %s: %s", name, kind, cause);
}

static int put_checked(fetcher *f, const sb_needed *needed, sb_slice data, sb_error **err)
{
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, data, &digest);
    if (!sb_digest_eq(&digest, &needed->digest)) {
        sb_error why = {SB_ERR_VERIFY, (char[]){"its digest differs"}};

        return not_the_same(needed, &why, err);
    }
    return sb_store_put(f->cache, data, &digest, err);
}

/* --- By HTTP --- */

enum { BATCH = 64 };

static int open_stages(fetcher *f, const sb_needed *const *items, size_t count, sb_stage **stages,
                       sb_http_download *downloads, sb_error **err)
{
    for (size_t i = 0; i < count; i++) {
        char digest[SB_DIGEST_TEXT];
        sb_slice key;

        sb_digest_format(&items[i]->digest, digest);
        key = sb_arena_printf(f->arena, "%s %" SB_FMT, digest, SB_ARG(items[i]->url));
        if (sb_store_stage(f->cache, key, &stages[i], err) < 0)
            return -1;
        downloads[i].request.url = items[i]->url;
        if (items[i]->accept.ptr)
            downloads[i].request.headers = sb_needed_headers(items[i], f->arena);
        downloads[i].fd = sb_stage_fd(stages[i]);
        downloads[i].expect = &items[i]->digest;
        downloads[i].expect_size = items[i]->size;
        downloads[i].label = sb_arena_strdup(f->arena, sb_df_url_filename(f->arena, items[i]->url));
    }
    return 0;
}

static int download(fetcher *f, const sb_needed *const *items, size_t count, sb_error **err)
{
    sb_stage *stages[BATCH] = {NULL};
    sb_http_download downloads[BATCH] = {0};
    int r = open_stages(f, items, count, stages, downloads, err);

    if (r == 0) {
        SB_AUTO(sb_error) first = NULL;

        if (sb_http_download_all(sb_project_http(f->project), downloads, count, &first) < 0)
            r = -1;
        /* Whatever has arrived is kept, so that the next run need not fetch it again. */
        for (size_t i = 0; i < count; i++) {
            if (downloads[i].error)
                r = not_the_same(items[i], downloads[i].error, err);
            else if (sb_stage_commit(stages[i], &downloads[i].digest, err) < 0)
                r = -1;
        }
        if (r < 0 && first && err && !*err)
            sb_fail(err, first->code, "%s", first->message);
    }
    for (size_t i = 0; i < count; i++) {
        sb_stage_free(stages[i]);
        free(downloads[i].final_url);
        free(downloads[i].etag);
        sb_error_free(downloads[i].error);
    }
    return r;
}

static int fetch_urls(fetcher *f, const sb_needed *const *items, size_t count, sb_error **err)
{
    const sb_needed *batch[BATCH];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!items[i]->url.ptr)
            continue;
        batch[n++] = items[i];
        if (n == BATCH) {
            if (download(f, batch, n, err) < 0)
                return -1;
            n = 0;
        }
    }
    return n ? download(f, batch, n, err) : 0;
}

/* --- From registries --- */

static int fetch_config(fetcher *f, const sb_needed *needed, sb_error **err)
{
    const sb_digest *digest = &needed->platform->manifest;
    const sb_store *store = sb_project_find(f->project, digest);
    SB_AUTO(sb_error) why = NULL;
    sb_autofree char *data = NULL;
    sb_manifest manifest;
    sb_image_ref ref;
    sb_slice config;
    size_t len = 0;

    if (!store)
        return sb_fail(err, SB_ERR_INTERNAL, "a config was asked for before its manifest");
    if (sb_store_read(store, digest, SB_MANIFEST_MAX, &data, &len, err) < 0 ||
        sb_manifest_parse(f->arena, sb_arena_dup(f->arena, sb_slice_of(data, len)), SB_NIL, &manifest, err) <
            0 ||
        sb_image_exact_ref(needed->image, digest, f->arena, &ref, err) < 0)
        return -1;
    if (sb_registry_blob(sb_project_registry(f->project), f->arena, &ref, &manifest.config, SB_MANIFEST_MAX,
                         &config, &why) < 0)
        return not_the_same(needed, why, err);
    return put_checked(f, needed, config, err);
}

static int fetch_manifest(fetcher *f, const sb_needed *needed, sb_error **err)
{
    SB_AUTO(sb_error) why = NULL;
    sb_manifest manifest;
    sb_image_ref ref;

    if (sb_image_exact_ref(needed->image, &needed->digest, f->arena, &ref, err) < 0)
        return -1;
    if (sb_registry_manifest(sb_project_registry(f->project), f->arena, &ref, &manifest, &why) < 0)
        return not_the_same(needed, why, err);
    return put_checked(f, needed, manifest.raw, err);
}

/* --- From git --- */

static int fetch_repository(fetcher *f, const sb_needed *needed, sb_git_resolved *ret_resolved,
                            char **ret_dir, sb_error **err)
{
    const sb_lock_git *git = needed->git;
    sb_autofree char *dir = sb_project_git_dir(git->remote, err);
    SB_AUTO(sb_error) why = NULL;

    if (!dir)
        return -1;
    *ret_resolved = (sb_git_resolved){.ref = git->ref, .commit = git->commit, .tag_object = git->tag_object};
    if (sb_git_fetch(f->project->settings, git->remote, ret_resolved, dir, &why) < 0)
        return not_the_same(needed, why, err);
    *ret_dir = SB_TAKE(dir);
    return 0;
}

static int fetch_archive(fetcher *f, const sb_needed *needed, sb_error **err)
{
    const sb_lock_git *git = needed->git;
    SB_AUTO(sb_stage) stage = NULL;
    sb_autofree char *dir = NULL;
    sb_git_resolved resolved;
    char text[SB_DIGEST_TEXT];
    sb_digest digest;
    int fd;

    if (fetch_repository(f, needed, &resolved, &dir, err) < 0)
        return -1;
    sb_digest_format(&needed->digest, text);
    if (sb_store_stage(f->cache, sb_arena_printf(f->arena, "git archive %s", text), &stage, err) < 0)
        return -1;
    fd = sb_stage_fd(stage);
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot empty a file in the cache's staging: %s", strerror(errno));
    if (sb_git_archive(f->project->settings, dir, &resolved, git->subdir, git->git_dir, git->submodules, fd,
                       err) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot rewind a file in the cache's staging: %s", strerror(errno));
    if (sb_digest_of_fd(SB_HASH_SHA256, fd, &digest, NULL, err) < 0)
        return -1;
    if (!sb_digest_eq(&digest, &needed->digest)) {
        sb_error why = {SB_ERR_VERIFY, (char[]){"the same commit gives another archive"}};

        sb_stage_discard(stage);
        return not_the_same(needed, &why, err);
    }
    return sb_stage_commit(stage, &digest, err);
}

static int fetch_git_object(fetcher *f, const sb_needed *needed, sb_error **err)
{
    sb_autofree char *dir = NULL;
    sb_git_resolved resolved;
    sb_slice content;

    if (fetch_repository(f, needed, &resolved, &dir, err) < 0 ||
        sb_git_signed_object(f->arena, dir, &resolved, &content, err) < 0)
        return -1;
    return put_checked(f, needed, content, err);
}

/* --- Key files: they are in the context --- */

static int try_keys(fetcher *f, const sb_demand *demand, const sb_needed *needed, bool *ret_found,
                    sb_error **err)
{
    for (size_t i = 0; i < demand->key_count && !*ret_found; i++) {
        sb_autofree char *path = sb_slice_dup(demand->keys[i]);
        sb_autofree char *data = NULL;
        sb_autoclose int fd = -1;
        bool missing = false;
        sb_digest digest;
        sb_slice key;
        size_t len = 0;

        fd = sb_open_within(f->project->context_fd, path, O_RDONLY | O_NONBLOCK, 0, &missing, err);
        if (fd < 0 && missing)
            continue;
        if (fd < 0 || sb_read_fd(fd, path, SB_PGP_KEYRING_MAX, &data, &len, err) < 0)
            return -1;
        key = sb_key_file_bytes(f->arena, sb_slice_of(data, len));
        sb_digest_of(SB_HASH_SHA256, key, &digest);
        if (!sb_digest_eq(&digest, &needed->digest))
            continue;
        *ret_found = true;
        return sb_store_put(f->cache, key, &digest, err);
    }
    return 0;
}

static int fetch_key(fetcher *f, const sb_needed *needed, sb_error **err)
{
    const sb_dockerfile *df = f->project->df;
    const sb_settings *settings = f->project->settings;
    sb_autofree char *name = sb_printable(needed->name);
    bool found = false;
    sb_demand *demands, demand;
    size_t count;

    for (size_t i = 0; i < df->instruction_count && !found; i++) {
        if (df->instructions[i].keyword != SB_DF_ADD)
            continue;
        if (sb_verify_comments_of(f->arena, df, &df->instructions[i], &demands, &count, err) < 0)
            return -1;
        for (size_t k = 0; k < count && !found; k++)
            if (try_keys(f, &demands[k], needed, &found, err) < 0)
                return -1;
    }
    for (size_t i = 0; i < settings->trust_count && !found; i++)
        if (sb_demand_parse(f->arena, settings->trust[i].options, SB_LIT("a trust rule"), &demand, err) < 0 ||
            try_keys(f, &demand, needed, &found, err) < 0)
            return -1;
    return found ? 0
                 : sb_fail(err, SB_ERR_GONE,
                           "%s: its public key is not in the context any more; restore the key file, or run "
                           "\"sbuild lock\" to verify with what is there now",
                           name);
}

/* --- Recordings --- */

/* A recording is made by running the step; only what a plain GET gives can be fetched. */
static int not_recorded(const fetcher *f, const sb_needed *needed, sb_error **err)
{
    const sb_lock_step *step = needed->step;
    sb_autofree char *name = sb_printable(needed->name);
    char id[SB_STEP_ID_LEN + 1];

    sb_step_id(step->stage, &step->text, step->nth, step->platform, id);
    return sb_fail(err, SB_ERR_GONE,
                   "%s: the %s is in no store here and cannot be fetched by itself; restore it from where it "
                   "was vendored, or run \"%" SB_FMT " --update=%s\" to record the step anew",
                   name, sb_needed_kind_name(needed->kind),
                   SB_ARG(sb_project_command(f->project, f->arena, "lock")), id);
}

static int fetch_one(fetcher *f, const sb_needed *needed, sb_error **err)
{
    switch (needed->kind) {
    case SB_NEEDED_INDEX:
    case SB_NEEDED_MANIFEST:
        return fetch_manifest(f, needed, err);
    case SB_NEEDED_CONFIG:
        return fetch_config(f, needed, err);
    case SB_NEEDED_GIT:
        return fetch_archive(f, needed, err);
    case SB_NEEDED_GIT_OBJECT:
        return fetch_git_object(f, needed, err);
    case SB_NEEDED_KEY:
        return fetch_key(f, needed, err);
    case SB_NEEDED_STEP:
        return not_recorded(f, needed, err);
    case SB_NEEDED_BODY:
        return needed->url.ptr ? 0 : not_recorded(f, needed, err);
    case SB_NEEDED_FILE:
    case SB_NEEDED_SIGNATURE:
    case SB_NEEDED_LIST:
    case SB_NEEDED_LAYER:
        break;
    }
    return 0;
}

int sb_vendor_fetch(sb_project *project, const sb_needed *const *items, size_t count, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    fetcher f = {.project = project, .arena = arena};

    if (sb_project_cache(project, &f.cache, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (fetch_one(&f, items[i], err) < 0)
            return -1;
    }
    return fetch_urls(&f, items, count, err);
}
