// SPDX-License-Identifier: Apache-2.0
/*
 * The wanted files: kept as they are locked, or downloaded, all in parallel, into the cache; then what
 * vouches for them likewise; then verified; and only then put into the repository's store.
 */
#include <lock/update.h>

#include <lock/evidence.h>
#include <sbuild/fs.h>
#include <sbuild/timefmt.h>

typedef struct fetch { /* one URL to download, whoever needs it */
    sb_slice url;
    sb_slice origin;
    const char *what; /* "file", "signature", … */
    const sb_digest *expect;
    uint64_t expect_size; /* 0: not known */
    uint64_t max_size;
    sb_stage *stage;
    /* results */
    sb_digest digest;
    uint64_t size;
    int64_t last_modified;
    sb_slice final_url;
} fetch;

typedef struct batch {
    sb_updater *u;
    fetch *items;
    size_t count, cap;
} batch;

typedef struct file_work {
    sb_want_source *want;
    const sb_lock_file *old; /* NULL when it is new */
    bool refresh;            /* what it is now counts, not what is locked */
    size_t fetch;            /* index in the first batch; SIZE_MAX: not needed */
    sb_lock_evidence *evidence;
    size_t evidence_count;
    struct evidence_work {
        bool carried;         /* as it was locked */
        size_t first, second; /* indices in the second batch; SIZE_MAX: not needed */
    } * works;
} file_work;

static size_t add_fetch(batch *b, fetch item)
{
    for (size_t i = 0; i < b->count; i++)
        if (sb_slice_eq(b->items[i].url, item.url) && b->items[i].max_size == item.max_size &&
            !b->items[i].expect == !item.expect &&
            (!item.expect || sb_digest_eq(item.expect, b->items[i].expect)))
            return i;
    *SB_ARENA_PUSH(b->u->arena, b->items, b->count, b->cap) = item;
    return b->count - 1;
}

/* Staging is named by URL and, where it is known, digest, so that the next run finds what this one left. */
static int open_stage(batch *b, fetch *item, sb_error **err)
{
    char digest[SB_DIGEST_TEXT] = "";
    sb_slice key;

    if (item->expect)
        sb_digest_format(item->expect, digest);
    key = sb_arena_printf(b->u->arena, "%s %" SB_FMT, digest, SB_ARG(item->url));
    return sb_store_stage(b->u->cache, key, &item->stage, err);
}

static int take_download(batch *b, fetch *item, sb_http_download *download, sb_error **err)
{
    if (download->error) {
        bool itself = strcmp(item->what, "file") == 0; /* the message has its URL */

        return sb_fail(err, sb_error_code(download->error), "%" SB_FMT ": %s%s%s%s", SB_ARG(item->origin),
                       itself ? "" : "the ", itself ? "" : item->what, itself ? "" : ": ",
                       download->error->message);
    }
    item->digest = download->digest;
    item->size = download->size;
    item->last_modified = download->last_modified;
    item->final_url =
        download->final_url ? sb_arena_dup(b->u->arena, sb_slice_z(download->final_url)) : item->url;
    return sb_stage_commit(item->stage, &item->digest, err);
}

static int run_batch(batch *b, sb_error **err)
{
    sb_http_download *downloads = sb_arena_array(b->u->arena, sb_http_download, b->count + 1);
    int r = 0;

    for (size_t i = 0; i < b->count && r == 0; i++) {
        fetch *item = &b->items[i];

        r = open_stage(b, item, err);
        if (r < 0)
            break;
        downloads[i] = (sb_http_download){
            .request.url = item->url,
            .fd = sb_stage_fd(item->stage),
            .max_size = item->max_size,
            .expect = item->expect,
            .expect_size = item->expect_size,
            .last_modified = -1,
            .label = sb_arena_strdup(b->u->arena, sb_df_url_filename(b->u->arena, item->url))};
    }
    if (r == 0 && b->count) {
        SB_AUTO(sb_error) first = NULL;

        if (sb_http_download_all(b->u->http, downloads, b->count, &first) < 0)
            r = -1;
        /* Whatever has arrived is kept, so that the next run need not fetch it again. */
        for (size_t i = 0; i < b->count; i++)
            if (take_download(b, &b->items[i], &downloads[i], err) < 0)
                r = -1;
        if (r < 0 && err && !*err)
            sb_fail(err, sb_error_code(first), "%s", first ? first->message : "a download failed");
    }
    for (size_t i = 0; i < b->count; i++) {
        sb_stage_free(b->items[i].stage);
        free(downloads[i].final_url);
        free(downloads[i].etag);
        sb_error_free(downloads[i].error);
    }
    return r;
}

/* A hash that is demanded tells what the file must become, whatever is locked. */
static bool demands_other(const file_work *w)
{
    for (size_t i = 0; i < w->evidence_count; i++) {
        sb_digest digest;

        if (w->evidence[i].kind == SB_EVIDENCE_CHECKSUM &&
            sb_digest_parse(w->evidence[i].checksum, &digest, NULL) == 0 &&
            digest.algo == w->old->digest.algo && !sb_digest_eq(&digest, &w->old->digest))
            return true;
    }
    return false;
}

static int plan_file(batch *b, file_work *w, sb_error **err)
{
    sb_updater *u = b->u;

    w->fetch = SIZE_MAX;
    w->old = sb_lock_find_file(u->lock, w->want->expanded);
    if (sb_update_demanded(u, w->want, &w->evidence, &w->evidence_count, err) < 0)
        return -1;
    w->works = sb_arena_array(u->arena, struct evidence_work, w->evidence_count + 1);
    w->refresh = !w->old || sb_update_wants_url(u, w->want->url, w->want->expanded) || demands_other(w);
    if (w->refresh || !sb_update_has(u, &w->old->digest))
        w->fetch = add_fetch(b, (fetch){.url = w->want->expanded,
                                        .origin = w->want->origin,
                                        .what = "file",
                                        .expect = w->refresh ? NULL : &w->old->digest,
                                        .expect_size = w->refresh ? 0 : w->old->size});
    return 0;
}

static void fill_file(sb_updater *u, file_work *w, const fetch *got)
{
    sb_arena *arena = u->lock->arena;
    sb_slice host = sb_url_host(got->final_url), own = sb_url_host(w->want->expanded);

    w->want->file = (sb_lock_file){
        .url = w->want->url,
        .expanded = sb_arena_dup(arena, w->want->expanded),
        .digest = got->digest,
        .size = got->size,
        .final_host = host.ptr && !sb_slice_eq_nocase(host, own) ? sb_arena_dup(arena, host) : SB_NIL,
        .last_modified = got->last_modified,
    };
    w->want->changed = true;
}

/* False when --min-age keeps the old one. */
static int check_age(sb_updater *u, const file_work *w, const fetch *got, bool *ret_take, sb_error **err)
{
    sb_autofree char *url = sb_printable(w->want->expanded);
    char text[SB_TIME_TEXT];

    *ret_take = true;
    if (!u->not_after || (w->old && sb_digest_eq(&w->old->digest, &got->digest)))
        return 0;
    if (got->last_modified < 0) {
        sb_progress_line(u->progress, SB_EVENT_WARNING, "%" SB_FMT ": the server does not say how old %s is",
                         SB_ARG(w->want->origin), url);
        return 0;
    }
    if (got->last_modified <= u->not_after)
        return 0;
    sb_time_format(got->last_modified, text);
    if (!w->old)
        return sb_fail(err, SB_ERR_UNPINNED,
                       "%" SB_FMT
                       ": %s was last changed at %s, which is younger than --min-age allows; use an older "
                       "release, or wait",
                       SB_ARG(w->want->origin), url, text);
    sb_progress_line(u->progress, SB_EVENT_NOTE,
                     "%s stays as it is: it was changed at %s, which is younger than "
                     "--min-age allows",
                     url, text);
    *ret_take = false;
    return 0;
}

static int take_file(sb_updater *u, file_work *w, const batch *b, sb_error **err)
{
    bool take = true;

    if (w->fetch != SIZE_MAX && w->refresh) {
        if (check_age(u, w, &b->items[w->fetch], &take, err) < 0)
            return -1;
        if (take && (!w->old || !sb_digest_eq(&w->old->digest, &b->items[w->fetch].digest))) {
            fill_file(u, w, &b->items[w->fetch]);
            return 0;
        }
    }
    w->want->file = *w->old;
    if (!sb_update_has(u, &w->old->digest)) /* a younger one was not taken */
        return sb_fail(err, SB_ERR_GONE, "%" SB_FMT ": the locked file is in no store any more",
                       SB_ARG(w->want->origin));
    return 0;
}

/* Evidence of the same file that was found before stays, time of verification and all. */
static void carry_over(file_work *w, size_t i)
{
    if (!w->old || w->want->changed)
        return;
    for (size_t k = 0; k < w->old->evidence_count; k++)
        if (sb_evidence_same_demand(&w->old->evidence[k], &w->evidence[i])) {
            w->evidence[i] = w->old->evidence[k];
            w->works[i].carried = true;
            return;
        }
}

static size_t want_object(batch *b, const file_work *w, sb_slice url, const char *what, size_t max,
                          const sb_digest *locked)
{
    if (locked && sb_update_has(b->u, locked))
        return SIZE_MAX;
    return add_fetch(
        b, (fetch){.url = url, .origin = w->want->origin, .what = what, .max_size = max, .expect = locked});
}

static int plan_evidence(batch *b, file_work *w)
{
    for (size_t i = 0; i < w->evidence_count; i++) {
        sb_lock_evidence *e = &w->evidence[i];
        struct evidence_work *work = &w->works[i];

        carry_over(w, i);
        work->first = work->second = SIZE_MAX;
        if (e->kind == SB_EVIDENCE_OPENPGP || e->kind == SB_EVIDENCE_MINISIGN) {
            work->first = want_object(b, w, e->url, "signature", SB_PGP_SIGNATURE_MAX,
                                      work->carried ? &e->signature : NULL);
        } else if (e->kind == SB_EVIDENCE_CHECKSUMS) {
            work->first =
                want_object(b, w, e->url, "checksum list", SB_CHECKSUMS_MAX, work->carried ? &e->list : NULL);
            if (e->signature_url.ptr)
                work->second = want_object(b, w, e->signature_url, "signature of the checksum list",
                                           SB_PGP_SIGNATURE_MAX, work->carried ? &e->signature : NULL);
        }
    }
    return 0;
}

/* All that verification reads must be in one store: the cache. */
static int gather(sb_updater *u, const file_work *w, const sb_lock_evidence *e, sb_error **err)
{
    if (sb_update_cached(u, &w->want->file.digest, err) < 0)
        return -1;
    for (size_t i = 0; i < e->key_count; i++)
        if (sb_update_cached(u, &e->keys[i], err) < 0)
            return -1;
    return 0;
}

static int verify_one(sb_updater *u, file_work *w, size_t i, const batch *b, sb_error **err)
{
    sb_lock_evidence *e = &w->evidence[i];
    const struct evidence_work *work = &w->works[i];
    sb_arena *arena = u->lock->arena;
    sb_evidence_found found;

    if (work->carried)
        return 0;
    if (work->first != SIZE_MAX) {
        if (e->kind == SB_EVIDENCE_CHECKSUMS) {
            e->has_list = true;
            e->list = b->items[work->first].digest;
        } else {
            e->has_signature = true;
            e->signature = b->items[work->first].digest;
        }
    }
    if (work->second != SIZE_MAX) {
        e->has_signature = true;
        e->signature = b->items[work->second].digest;
    }
    e->verified_at = u->now;
    if (e->kind == SB_EVIDENCE_TOFU)
        return 0;
    if (gather(u, w, e, err) < 0)
        return -1;
    if (sb_evidence_check(u->cache, &w->want->file, e, arena, &found, err) < 0) {
        sb_autofree char *url = sb_printable(w->want->expanded);

        return sb_wrap(err, "%" SB_FMT ": %s", SB_ARG(w->want->origin), url);
    }
    e->signers = found.signers;
    e->signer_count = found.signer_count;
    if (found.entry.ptr)
        e->checksum = found.entry;
    return 0;
}

/* Did what vouches change, be it only in number? */
static bool evidence_changed(const file_work *w)
{
    if (!w->old || w->old->evidence_count != w->evidence_count)
        return true;
    for (size_t i = 0; i < w->evidence_count; i++)
        if (!w->works[i].carried)
            return true;
    return false;
}

static int finish_file(sb_updater *u, file_work *w, sb_error **err)
{
    sb_lock_file *file = &w->want->file;

    if (evidence_changed(w))
        w->want->changed = true;
    file->evidence = w->evidence;
    file->evidence_count = w->evidence_count;
    file->url = sb_arena_dup(u->lock->arena, w->want->url);
    return sb_update_vouched(u, w->want, file->evidence, file->evidence_count, err);
}

int sb_update_files(sb_updater *u, sb_error **err)
{
    file_work *works = sb_arena_array(u->arena, file_work, u->source_count + 1);
    batch files = {.u = u}, vouchers = {.u = u};
    size_t count = 0;

    for (size_t i = 0; i < u->source_count; i++) {
        if (u->sources[i].is_git)
            continue;
        works[count].want = &u->sources[i];
        if (plan_file(&files, &works[count++], err) < 0)
            return -1;
    }
    if (run_batch(&files, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (take_file(u, &works[i], &files, err) < 0 || plan_evidence(&vouchers, &works[i]) < 0)
            return -1;
    if (run_batch(&vouchers, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < works[i].evidence_count; k++)
            if (verify_one(u, &works[i], k, &vouchers, err) < 0)
                return -1;
    for (size_t i = 0; i < count; i++)
        if (finish_file(u, &works[i], err) < 0)
            return -1;
    return 0;
}
