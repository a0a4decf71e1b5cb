// SPDX-License-Identifier: Apache-2.0
/* Has upstream changed, or is it gone? One question that fails does not keep the others from being asked. */
#include <lock/check.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <lock/images_cache.h>
#include <lock/project.h>
#include <sbuild/git.h>
#include <sbuild/timefmt.h>

static int interrupted(sb_error **err)
{
    return sb_interrupted ? sb_fail(err, SB_ERR_INTERRUPTED, "interrupted") : 0;
}

static void gone(sb_check *check, sb_slice where, const char *what)
{
    sb_lock_findings_add(check->findings, SB_ERR_GONE,
                         "%" SB_FMT ": %s is gone upstream; keep %s, which still has it, or look for another "
                         "source",
                         SB_ARG(where), what, SB_STORE_NAME);
}

/* Everything else than "it is not there" is told as it is. */
static bool is_gone(const sb_error *why)
{
    return why->code == SB_ERR_NOT_FOUND || why->code == SB_ERR_GONE;
}

static void tell(sb_check *check, sb_slice where, sb_error **why)
{
    sb_autofree char *shown = sb_slice_dup(where);

    sb_lock_findings_take(check->findings, shown, why);
}

static void image_moved(sb_check *check, const sb_lock_image *image, const sb_descriptor *now)
{
    char was[SB_DIGEST_TEXT], is[SB_DIGEST_TEXT];
    sb_autofree char *name = sb_printable(image->name);

    sb_digest_format(&image->digest, was);
    sb_digest_format(&now->digest, is);
    sb_lock_findings_add(check->findings, SB_ERR_DRIFT,
                         "%" SB_FMT
                         " is %s now, and %s in the lock; to take it, run \"sbuild lock --update=%s\"",
                         SB_ARG(sb_check_where(check, image->name)), is, was, name);
}

static void check_image(sb_check *check, const sb_lock_image *image)
{
    sb_registry *registry = sb_project_registry(check->project);
    sb_slice where = sb_check_where(check, image->name);
    SB_AUTO(sb_error) why = NULL;
    sb_descriptor now;
    sb_image_ref ref, exact;
    bool moved;

    check->findings->checked++;
    if (sb_image_ref_parse(check->arena, image->name, &ref, &why) < 0 ||
        sb_image_exact_ref(image, &image->digest, check->arena, &exact, &why) < 0) {
        tell(check, where, &why);
        return;
    }
    if (sb_registry_resolve(registry, check->arena, &ref, &now, &why) < 0) {
        if (is_gone(why))
            gone(check, where, "it");
        else
            tell(check, where, &why);
        return;
    }
    moved = !sb_digest_eq(&now.digest, &image->digest);
    if (!moved)
        return;
    image_moved(check, image, &now);
    if (sb_registry_resolve(registry, check->arena, &exact, &now, &why) < 0 && is_gone(why))
        gone(check, where, "the locked image");
}

/* One request without a body tells that a file is as it was, or nothing. */
static bool seems_unchanged(sb_check *check, const sb_probe *probe)
{
    sb_http_request request = {.method = "HEAD", .url = probe->url, .headers = probe->headers};
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoresponse response = {0};
    uint64_t length;
    int64_t modified;

    if ((probe->last_modified < 0 && !probe->etag.len) ||
        sb_http_perform(sb_project_http(check->project), &request, &response, &ignored) < 0 ||
        response.status != 200 || !sb_slice_to_u64(sb_http_header(&response, "content-length", 0), &length) ||
        length != probe->size)
        return false;
    if (probe->etag.len)
        return sb_slice_eq(sb_http_header(&response, "etag", 0), probe->etag);
    return sb_time_parse_http(sb_http_header(&response, "last-modified", 0), &modified) &&
           modified == probe->last_modified;
}

static void judge_file(void *ctx, const sb_probe *probe, sb_error **why)
{
    sb_check *check = ctx;
    sb_slice where = sb_check_where(check, probe->url);

    if (is_gone(*why)) {
        gone(check, where, "it");
    } else if ((*why)->code == SB_ERR_VERIFY || (*why)->code == SB_ERR_LIMIT) {
        sb_autofree char *url = sb_printable(probe->url);

        sb_lock_findings_add(check->findings, SB_ERR_DRIFT,
                             "%" SB_FMT " has other bytes now than the lock says; find out why, and to take "
                             "them, run \"sbuild lock --update=%s\"",
                             SB_ARG(where), url);
    } else {
        tell(check, where, why);
    }
}

static int temporary_file(sb_error **err)
{
    const char *dir = getenv("TMPDIR");
    int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        sb_fail(err, SB_ERR_IO, "cannot create a temporary file: %s", strerror(errno));
    return fd;
}

/* As many at once as there may be open files without asking for more. */
enum { BATCH = 64 };

static int probe_batch(sb_check *check, const sb_probe *probes, size_t count, sb_probe_judge judge_one,
                       void *ctx, sb_error **err)
{
    sb_http_download downloads[BATCH] = {0};
    SB_AUTO(sb_error) first = NULL;
    int r = 0;

    for (size_t i = 0; i < count; i++)
        downloads[i].fd = -1;
    for (size_t i = 0; i < count && r == 0; i++) {
        const sb_probe *probe = &probes[i];

        downloads[i].request.url = probe->url;
        downloads[i].request.headers = probe->headers;
        downloads[i].quiet = probe->quiet;
        downloads[i].max_size = probe->size ? probe->size : 1;
        downloads[i].expect = probe->digest;
        downloads[i].label = sb_arena_strdup(check->arena, sb_df_url_filename(check->arena, probe->url));
        downloads[i].fd = temporary_file(err);
        r = downloads[i].fd < 0 ? -1 : 0;
    }
    if (r == 0 && sb_http_download_all(sb_project_http(check->project), downloads, count, &first) < 0)
        r = first->code == SB_ERR_INTERRUPTED ? sb_fail(err, SB_ERR_INTERRUPTED, "interrupted") : 0;
    for (size_t i = 0; i < count; i++) {
        if (r == 0 && downloads[i].error)
            judge_one(ctx, &probes[i], &downloads[i].error);
        sb_closep(&downloads[i].fd);
        free(downloads[i].final_url);
        free(downloads[i].etag);
        sb_error_free(downloads[i].error);
    }
    return r;
}

int sb_check_probe(sb_check *check, const sb_probe *probes, size_t count, sb_probe_judge judge_one, void *ctx,
                   sb_error **err)
{
    sb_probe doubtful[BATCH];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (interrupted(err) < 0)
            return -1;
        check->findings->checked++;
        if (!seems_unchanged(check, &probes[i]))
            doubtful[n++] = probes[i];
        if (n == BATCH) {
            if (probe_batch(check, doubtful, n, judge_one, ctx, err) < 0)
                return -1;
            n = 0;
        }
    }
    return n ? probe_batch(check, doubtful, n, judge_one, ctx, err) : 0;
}

static int check_files(sb_check *check, sb_error **err)
{
    sb_probe *probes = sb_arena_array(check->arena, sb_probe, check->lock->file_count + 1);

    for (size_t i = 0; i < check->lock->file_count; i++) {
        const sb_lock_file *file = &check->lock->files[i];

        probes[i] = (sb_probe){.url = file->expanded,
                               .digest = &file->digest,
                               .size = file->size,
                               .last_modified = file->last_modified};
    }
    return sb_check_probe(check, probes, check->lock->file_count, judge_file, check, err);
}

static void check_git(sb_check *check, const sb_lock_git *git)
{
    sb_slice where = sb_check_where(check, git->expanded);
    sb_autofree char *ref = sb_printable(git->ref);
    sb_autofree char *remote = sb_printable(git->remote);
    SB_AUTO(sb_error) why = NULL;
    sb_git_resolved now = {0};

    if (!git->ref.len) /* a commit is what it is */
        return;
    check->findings->checked++;
    if (sb_git_resolve(check->arena, check->project->settings, git->remote, git->ref, &now, &why) < 0) {
        if (is_gone(why))
            gone(check, where, ref);
        else
            tell(check, where, &why);
        return;
    }
    if (!sb_slice_eq(now.commit, git->commit))
        sb_lock_findings_add(check->findings, SB_ERR_DRIFT,
                             "%" SB_FMT ": %s is %" SB_FMT " now, and %" SB_FMT
                             " in the lock; to take it, run \"sbuild lock --update=%s\"",
                             SB_ARG(where), ref, SB_ARG(now.commit), SB_ARG(git->commit), remote);
    else if (!sb_slice_eq(now.tag_object, git->tag_object))
        sb_lock_findings_add(check->findings, SB_ERR_DRIFT,
                             "%" SB_FMT ": %s is another tag object of the same commit now; to take it, run "
                             "\"sbuild lock --update=%s\"",
                             SB_ARG(where), ref, remote);
}

int sb_check_online(sb_check *check, sb_error **err)
{
    for (size_t i = 0; i < check->lock->image_count; i++) {
        if (interrupted(err) < 0)
            return -1;
        check_image(check, &check->lock->images[i]);
    }
    if (check_files(check, err) < 0 || sb_check_online_steps(check, err) < 0)
        return -1;
    for (size_t i = 0; i < check->lock->git_count; i++) {
        if (interrupted(err) < 0)
            return -1;
        check_git(check, &check->lock->git[i]);
    }
    return 0;
}
