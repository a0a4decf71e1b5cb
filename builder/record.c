// SPDX-License-Identifier: Apache-2.0
/*
 * The steps of the lock. What is to be recorded is told from files alone, so a lock of an unchanged project
 * starts no engine.
 */
#include <builder/record.h>

static void recorder_clear(sb_recorder *r)
{
    sb_record_builds_clear(r);
    sb_engine_free(r->engine);
    sb_lock_free(r->lock);
    explicit_bzero(r->secret, sizeof(r->secret));
    if (r->secrets.len)
        explicit_bzero((char *)(uintptr_t)r->secrets.ptr, r->secrets.len);
    sb_record_report_free(r->report);
    sb_arena_free(r->arena);
}

static bool is_stale(const sb_recorder *r, const sb_record_build *build)
{
    for (size_t i = 0; i < build->step_count; i++)
        if (r->recordings[build->recordings[i]].stale && !build->done[i])
            return true;
    return false;
}

/* Known from now on by their inputs. */
static int remember(sb_recorder *r, sb_error **err)
{
    for (size_t i = 0; i < r->recording_count; i++) {
        const sb_recording *recording = &r->recordings[i];
        const sb_lock_step *entry = sb_lock_find_step(r->lock, &recording->run);

        if (recording->sealed && !recording->stale && recording->manifest && entry &&
            sb_recorded_save(&recording->key, entry->has_manifest ? &entry->manifest : NULL, err) < 0)
            return -1;
    }
    return sb_record_forget_missed(r, err);
}

static int record_stale(sb_recorder *r, sb_error **err)
{
    int result = 0;

    for (size_t i = 0; i < r->recording_count; i++)
        if (r->recordings[i].stale)
            sb_record_add_worries(r, &r->recordings[i].run);
    for (size_t i = 0; i < r->build_count && result == 0; i++) {
        if (!is_stale(r, &r->builds[i]))
            continue;
        if (!r->engine && sb_record_connect(r, err) < 0)
            return -1;
        result = sb_record_build_steps(r, &r->builds[i], err);
    }
    /* After a failure, too: what was finished is in the lock. */
    return remember(r, err) < 0 ? -1 : result;
}

static int check_options(const sb_record_options *options, sb_error **err)
{
    if (options->no_run && options->update && *options->update)
        return sb_fail(err, SB_ERR_USAGE, "--update=%s means a RUN instruction, and --no-run runs none",
                       *options->update);
    return 0;
}

int sb_record(sb_project *project, const sb_record_options *options, sb_record_report **ret_report,
              sb_error **err)
{
    __attribute__((cleanup(recorder_clear))) sb_recorder r = {
        .project = project, .options = options, .arena = sb_arena_new(), .report = sb_new(sb_record_report)};
    sb_autoclose int exclusive = -1;

    r.report->arena = sb_arena_new();
    if (check_options(options, err) < 0 || sb_project_exclusive(project, &exclusive, err) < 0 ||
        sb_lock_load(project, &r.lock, err) < 0 || sb_record_builds(&r, err) < 0 ||
        sb_record_find_stale(&r, err) < 0)
        return -1;
    if (!options->no_run &&
        (record_stale(&r, err) < 0 || sb_record_finish_entries(&r, err) < 0 || sb_record_save(&r, err) < 0))
        return -1;
    sb_record_report_steps(&r);
    *ret_report = SB_TAKE(r.report);
    return 0;
}
