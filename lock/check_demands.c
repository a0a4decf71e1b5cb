// SPDX-License-Identifier: Apache-2.0
/*
 * A verify comment, an ADD --checksum or a trust rule that came, went or changed after the lock was made: the
 * evidence in the lock no longer answers to what is asked.
 */
#include <lock/check.h>

#include <lock/frozen.h>

int sb_check_collect(sb_check *check, const sb_df_view *view, sb_error **err)
{
    sb_updater *u = &check->updater;

    if (!u->project) {
        *u = (sb_updater){.project = check->project,
                          .settings = check->project->settings,
                          .arena = check->arena,
                          .lock = check->lock,
                          .store = check->project->store};
        /* Key files are hashed by way of the cache. */
        if (sb_project_cache(check->project, &u->cache, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < view->ref_count; i++) {
        const sb_df_ref *ref = &view->refs[i];
        SB_AUTO(sb_error) why = NULL;

        if ((ref->kind != SB_REF_ADD_URL && ref->kind != SB_REF_ADD_GIT) || ref->incomplete ||
            !sb_frozen_is_remote(view, ref))
            continue;
        if (sb_update_want_source(u, view, ref, &why) < 0)
            sb_lock_findings_take(check->findings, NULL, &why);
    }
    return 0;
}

static bool answers(const sb_lock_evidence *demanded, const sb_lock_evidence *locked, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_evidence_same_demand(demanded, &locked[i]))
            return true;
    return false;
}

/*
 * A hash that the Dockerfile gives, against the one that is locked: the bytes are not looked at here, but a
 * lock that contradicts the Dockerfile is caught before they are used.
 */
static void compare_hashes(sb_check *check, const sb_want_source *want, const sb_lock_evidence *demanded,
                           size_t count, const sb_digest *locked)
{
    for (size_t i = 0; i < count; i++) {
        sb_digest digest;
        char want_text[SB_DIGEST_TEXT], locked_text[SB_DIGEST_TEXT];

        if (demanded[i].kind != SB_EVIDENCE_CHECKSUM ||
            sb_digest_parse(demanded[i].checksum, &digest, NULL) < 0 || digest.algo != locked->algo ||
            sb_digest_eq(&digest, locked))
            continue;
        sb_digest_format(&digest, want_text);
        sb_digest_format(locked, locked_text);
        sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                             "%" SB_FMT
                             ": %s is demanded, but %s is locked; restore the lock, or run \"sbuild lock\"",
                             SB_ARG(sb_check_where(check, want->expanded)), want_text, locked_text);
    }
}

static void compare_commits(sb_check *check, const sb_want_source *want, const sb_lock_evidence *demanded,
                            size_t count, const sb_lock_git *git)
{
    for (size_t i = 0; i < count; i++) {
        sb_autofree char *wanted = sb_printable(demanded[i].checksum);

        if (demanded[i].kind == SB_EVIDENCE_CHECKSUM && !sb_slice_starts(git->commit, demanded[i].checksum) &&
            !sb_slice_starts(git->tag_object, demanded[i].checksum))
            sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                                 "%" SB_FMT ": commit %s is demanded, but %" SB_FMT
                                 " is locked; restore the lock, or run \"sbuild lock\"",
                                 SB_ARG(sb_check_where(check, want->expanded)), wanted, SB_ARG(git->commit));
    }
}

static void compare(sb_check *check, const sb_want_source *want, const sb_lock_file *file,
                    const sb_lock_git *git)
{
    const sb_lock_evidence *locked = file ? file->evidence : git->evidence;
    size_t count = file ? file->evidence_count : git->evidence_count;
    SB_AUTO(sb_error) why = NULL;
    sb_lock_evidence *demanded;
    size_t demand_count;
    bool same = true;

    if (sb_update_demanded(&check->updater, want, &demanded, &demand_count, &why) < 0) {
        sb_lock_findings_take(check->findings, NULL, &why);
        return;
    }
    for (size_t i = 0; i < demand_count; i++)
        same = same && answers(&demanded[i], locked, count);
    if (!same || demand_count != count)
        sb_lock_findings_add(check->findings, SB_ERR_STALE,
                             "%" SB_FMT
                             ": what must vouch for it is not what the lock was made with; run \"sbuild "
                             "lock\"",
                             SB_ARG(sb_check_where(check, want->expanded)));
    else if (file)
        compare_hashes(check, want, demanded, demand_count, &file->digest);
    else
        compare_commits(check, want, demanded, demand_count, git);
}

void sb_check_demands(sb_check *check)
{
    for (size_t i = 0; i < check->updater.source_count; i++) {
        const sb_want_source *want = &check->updater.sources[i];
        const sb_lock_file *file = want->is_git ? NULL : sb_lock_find_file(check->lock, want->expanded);
        const sb_lock_git *git = want->is_git ? sb_lock_find_git(check->lock, want->expanded) : NULL;

        if (file || git)
            compare(check, want, file, git);
    }
}
