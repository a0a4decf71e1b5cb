// SPDX-License-Identifier: Apache-2.0
/* The wanted git repositories: a reference becomes a commit, the commit an archive in the store. */
#include <lock/update.h>

#include <unistd.h>

#include <lock/evidence.h>
#include <lock/project.h>
#include <sbuild/fs.h>
#include <sbuild/git.h>
#include <sbuild/timefmt.h>

typedef struct git_work {
    sb_updater *u;
    sb_want_source *want;
    const sb_lock_git *old; /* NULL when it is new */
    sb_df_git_source source;
    bool git_dir, submodules;
    sb_lock_evidence *evidence;
    size_t evidence_count;
    sb_git_resolved resolved;
    char *dir; /* the repository in the cache */
    bool fetched;
} git_work;

static int fetch(git_work *w, sb_error **err)
{
    unsigned id;
    int r;

    if (w->fetched)
        return 0;
    if (!w->dir)
        w->dir = sb_project_git_dir(w->source.remote, err);
    if (!w->dir)
        return -1;
    {
        sb_autofree char *shown = sb_url_shown(w->source.remote);

        id = sb_progress_begin(w->u->progress, 0, "%s", shown);
    }
    r = sb_git_fetch(w->u->settings, w->source.remote, &w->resolved, w->dir, err);
    sb_progress_end(w->u->progress, id, r == 0);
    w->fetched = r == 0;
    return r;
}

/* The time of the commit, which is that of the archive's first entry; -1 when it cannot be told. */
static int64_t archive_time(int fd)
{
    enum { HEADER = 512, TYPE = 156, MTIME = 136, DIGITS = 11 };
    char header[HEADER];
    int64_t when = 0;

    if (pread(fd, header, HEADER, 0) != HEADER || header[TYPE] != '5')
        return -1;
    for (int i = 0; i < DIGITS; i++) {
        char c = header[MTIME + i];

        if (c < '0' || c > '7')
            return -1;
        when = when * 8 + (c - '0');
    }
    return when;
}

int64_t sb_update_commit_time(const sb_updater *u, const sb_digest *archive)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoclose int fd = -1;
    uint64_t size;
    const sb_store *store = u->store && sb_store_has(u->store, archive, 0) ? u->store : u->cache;

    return sb_store_open_object(store, archive, &fd, &size, &ignored) < 0 ? -1 : archive_time(fd);
}

static int write_archive(git_work *w, sb_digest *ret_digest, uint64_t *ret_size, sb_error **err)
{
    sb_updater *u = w->u;
    SB_AUTO(sb_stage) stage = NULL;
    sb_slice key =
        sb_arena_printf(u->arena, "git %" SB_FMT " %d%d %" SB_FMT " %" SB_FMT, SB_ARG(w->resolved.commit),
                        w->git_dir, w->submodules, SB_ARG(w->source.subdir), SB_ARG(w->source.remote));
    int fd;

    if (sb_store_stage(u->cache, key, &stage, err) < 0)
        return -1;
    fd = sb_stage_fd(stage);
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot empty a file in the cache's staging");
    if (sb_git_archive(u->settings, w->dir, &w->resolved, w->source.subdir, w->git_dir, w->submodules, fd,
                       err) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot rewind a file in the cache's staging");
    if (sb_digest_of_fd(SB_HASH_SHA256, fd, ret_digest, ret_size, err) < 0)
        return -1;
    return sb_stage_commit(stage, ret_digest, err);
}

/* Does the commit, or the tag object, begin with all demanded checksums? */
static bool fits_checksums(const git_work *w, sb_slice commit, sb_slice tag_object)
{
    for (size_t i = 0; i < w->evidence_count; i++)
        if (w->evidence[i].kind == SB_EVIDENCE_CHECKSUM &&
            !sb_slice_starts(commit, w->evidence[i].checksum) &&
            !(tag_object.ptr && sb_slice_starts(tag_object, w->evidence[i].checksum)))
            return false;
    return true;
}

static int check_age(git_work *w, const sb_digest *archive, sb_error **err)
{
    int64_t when = w->u->not_after ? sb_update_commit_time(w->u, archive) : -1;
    sb_autofree char *url = sb_printable(w->want->expanded);
    char text[SB_TIME_TEXT];

    if (when <= w->u->not_after || !w->u->not_after)
        return 0;
    sb_time_format(when, text);
    return sb_fail(
        err, SB_ERR_UNPINNED,
        "%s: the commit was made at %s, which is younger than --min-age allows; use an older one, or wait",
        url, text);
}

static void keep_old(git_work *w)
{
    w->want->git = *w->old;
}

/* A new commit, or the first. */
static int take_new(git_work *w, sb_error **err)
{
    sb_arena *arena = w->u->lock->arena;
    sb_digest digest;
    uint64_t size;
    SB_AUTO(sb_error) young = NULL;

    if (fetch(w, err) < 0 || write_archive(w, &digest, &size, err) < 0)
        return -1;
    if (check_age(w, &digest, &young) < 0) {
        if (!w->old)
            return sb_fail(err, SB_ERR_UNPINNED, "%s", young->message);
        sb_progress_line(w->u->progress, SB_EVENT_NOTE, "stays as it is: %s", young->message);
        keep_old(w);
        return 0;
    }
    w->want->git = (sb_lock_git){
        .expanded = sb_arena_dup(arena, w->want->expanded),
        .remote = sb_arena_dup(arena, w->source.remote),
        .ref = w->resolved.ref.ptr ? sb_arena_dup(arena, w->resolved.ref) : SB_LIT(""),
        .commit = sb_arena_dup(arena, w->resolved.commit),
        .tag_object = w->resolved.tag_object.len ? sb_arena_dup(arena, w->resolved.tag_object) : SB_NIL,
        .subdir = w->source.subdir.len ? sb_arena_dup(arena, w->source.subdir) : SB_NIL,
        .git_dir = w->git_dir,
        .submodules = w->submodules,
        .archive = digest,
        .size = size,
    };
    w->want->changed = true;
    return 0;
}

/* What is locked stays; its archive is made again where no store has it. */
static int take_old(git_work *w, sb_error **err)
{
    const sb_lock_git *old = w->old;
    sb_digest digest;
    uint64_t size;

    keep_old(w);
    w->resolved = (sb_git_resolved){.ref = old->ref, .commit = old->commit, .tag_object = old->tag_object};
    if (sb_update_has(w->u, &old->archive))
        return 0;
    if (fetch(w, err) < 0 || write_archive(w, &digest, &size, err) < 0)
        return -1;
    if (!sb_digest_eq(&digest, &old->archive))
        return sb_fail(err, SB_ERR_VERIFY,
                       "commit %" SB_FMT
                       " gives another archive than the locked one; \"sbuild lock --update=%" SB_FMT
                       "\" locks it anew",
                       SB_ARG(old->commit), SB_ARG(old->remote));
    return 0;
}

static int resolve_now(git_work *w, sb_error **err)
{
    return sb_git_resolve(w->u->arena, w->u->settings, w->source.remote, w->source.ref, &w->resolved, err);
}

static int take(git_work *w, sb_error **err)
{
    const sb_lock_git *old = w->old;
    bool same_shape = old && old->git_dir == w->git_dir && old->submodules == w->submodules;
    bool update = sb_update_wants_url(w->u, w->want->url, w->want->expanded);

    if (old && same_shape && !update && fits_checksums(w, old->commit, old->tag_object))
        return take_old(w, err);
    /* Other flags do not make a branch move. */
    if (old && !update && fits_checksums(w, old->commit, old->tag_object))
        w->resolved =
            (sb_git_resolved){.ref = old->ref, .commit = old->commit, .tag_object = old->tag_object};
    else if (resolve_now(w, err) < 0)
        return -1;
    if (old && same_shape && sb_slice_eq(old->commit, w->resolved.commit) &&
        sb_slice_eq(old->tag_object, w->resolved.tag_object))
        return take_old(w, err);
    return take_new(w, err);
}

/* --- what vouches --- */

static bool carried(const git_work *w, sb_lock_evidence *e)
{
    for (size_t i = 0; w->old && !w->want->changed && i < w->old->evidence_count; i++)
        if (sb_evidence_same_demand(&w->old->evidence[i], e)) {
            *e = w->old->evidence[i];
            return true;
        }
    return false;
}

/* The object that carries the signature goes into the cache. */
static int store_signed_object(git_work *w, sb_lock_evidence *e, sb_error **err)
{
    sb_slice content;

    if (fetch(w, err) < 0 || sb_git_signed_object(w->u->arena, w->dir, &w->resolved, &content, err) < 0 ||
        sb_store_put(w->u->cache, content, &e->list, err) < 0)
        return -1;
    e->has_list = true;
    return 0;
}

static int verify(git_work *w, sb_lock_evidence *e, sb_error **err)
{
    sb_evidence_found found;

    e->verified_at = w->u->now;
    if (e->kind == SB_EVIDENCE_OPENPGP && store_signed_object(w, e, err) < 0)
        return -1;
    for (size_t i = 0; i < e->key_count; i++)
        if (sb_update_cached(w->u, &e->keys[i], err) < 0)
            return -1;
    if (sb_evidence_check_git(w->u->cache, &w->want->git, e, w->u->lock->arena, &found, err) < 0)
        return -1;
    e->signers = found.signers;
    e->signer_count = found.signer_count;
    return 0;
}

static int keep_carried(git_work *w, sb_lock_evidence *e, sb_error **err)
{
    sb_digest locked = e->list;

    if (!e->has_list || sb_update_has(w->u, &e->list))
        return 0;
    if (store_signed_object(w, e, err) < 0)
        return -1;
    if (!sb_digest_eq(&locked, &e->list))
        return sb_fail(err, SB_ERR_VERIFY, "the signed object is not the locked one");
    return 0;
}

static int vouch(git_work *w, sb_error **err)
{
    size_t carried_count = 0;

    for (size_t i = 0; i < w->evidence_count; i++) {
        sb_lock_evidence *e = &w->evidence[i];
        bool as_before = carried(w, e);

        carried_count += as_before;
        if ((as_before ? keep_carried(w, e, err) : verify(w, e, err)) < 0)
            return -1;
    }
    if (!w->old || carried_count != w->evidence_count || w->old->evidence_count != w->evidence_count)
        w->want->changed = true;
    w->want->git.evidence = w->evidence;
    w->want->git.evidence_count = w->evidence_count;
    w->want->git.url = sb_arena_dup(w->u->lock->arena, w->want->url);
    return 0;
}

static int resolve_one(git_work *w, sb_error **err)
{
    sb_updater *u = w->u;
    sb_want_source *want = w->want;

    if (sb_df_git_source_parse(u->arena, want->expanded, &w->source, err) < 0)
        return -1;
    w->git_dir = want->keep_git_dir || w->source.keep_git_dir == 1;
    w->submodules = w->source.submodules != 0; /* as BuildKit has it */
    if (w->source.checksum.len)
        *SB_ARENA_PUSH(u->arena, want->checksums, want->checksum_count, want->checksum_cap) =
            w->source.checksum;
    w->old = sb_lock_find_git(u->lock, want->expanded);
    if (sb_update_demanded(u, want, &w->evidence, &w->evidence_count, err) < 0 || take(w, err) < 0)
        return -1;
    return vouch(w, err);
}

int sb_update_git(sb_updater *u, sb_error **err)
{
    for (size_t i = 0; i < u->source_count; i++) {
        sb_want_source *want = &u->sources[i];
        git_work w = {.u = u, .want = want};
        int r;

        if (!want->is_git)
            continue;
        r = resolve_one(&w, err);
        free(w.dir);
        if (r < 0) {
            sb_autofree char *url = sb_printable(want->expanded);

            return sb_wrap(err, "%" SB_FMT ": %s", SB_ARG(want->origin), url);
        }
        if (sb_update_vouched(u, want, want->git.evidence, want->git.evidence_count, err) < 0)
            return -1;
    }
    return 0;
}
