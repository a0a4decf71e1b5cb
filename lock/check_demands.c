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
            sb_findings_take(check->findings, NULL, &why);
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

static void compare(sb_check *check, const sb_want_source *want, const sb_lock_evidence *locked, size_t count)
{
    SB_AUTO(sb_error) why = NULL;
    sb_lock_evidence *demanded;
    size_t demand_count;
    bool same = true;

    if (sb_update_demanded(&check->updater, want, &demanded, &demand_count, &why) < 0) {
        sb_findings_take(check->findings, NULL, &why);
        return;
    }
    for (size_t i = 0; i < demand_count; i++)
        same = same && answers(&demanded[i], locked, count);
    if (!same || demand_count != count)
        sb_findings_add(check->findings, SB_ERR_STALE,
                        "%" SB_FMT
                        ": what must vouch for it is not what the lock was made with; run \"sbuild "
                        "lock\"",
                        SB_ARG(sb_check_where(check, want->expanded)));
}

void sb_check_demands(sb_check *check)
{
    for (size_t i = 0; i < check->updater.source_count; i++) {
        const sb_want_source *want = &check->updater.sources[i];
        const sb_lock_file *file = want->is_git ? NULL : sb_lock_find_file(check->lock, want->expanded);
        const sb_lock_git *git = want->is_git ? sb_lock_find_git(check->lock, want->expanded) : NULL;

        if (file)
            compare(check, want, file->evidence, file->evidence_count);
        else if (git)
            compare(check, want, git->evidence, git->evidence_count);
    }
}
