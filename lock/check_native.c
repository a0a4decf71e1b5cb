// SPDX-License-Identifier: Apache-2.0
/*
 * The lock says who vouched for a package when it was recorded. That is looked at again from the bytes: the
 * project's own lock files may say something else by now, and a lock may have been written by anybody.
 */
#include <lock/check.h>

#include <lock/native.h>

static int check_named(sb_check *check, const sb_native *native, const sb_named *named, sb_error **err)
{
    SB_AUTO(sb_error) why = NULL;
    const sb_native_entry *entry;
    sb_autoclose int fd = -1;
    uint64_t size;

    if (!sb_native_knows(native, named))
        return 0;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    check->findings->checked++;
    /* What is missing or damaged has been told already. */
    if (sb_store_open_object(check->project->store, &named->digest, &fd, &size, &why) == 0 &&
        sb_native_check(native, named, fd, &entry, &why) < 0)
        sb_lock_findings_take(check->findings, NULL, &why);
    return 0;
}

static int check_step(sb_check *check, const sb_native *native, const sb_lock_step *step, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_step_manifest) manifest = NULL;
    SB_AUTO(sb_error) told = NULL;
    sb_named *named;
    size_t count;

    if (!step->has_manifest || !sb_store_has(check->project->store, &step->manifest, 0) ||
        sb_step_manifest_load(step, check->project->store, &manifest, &told) < 0)
        return 0;
    if (sb_packages_of_manifest(manifest, arena, &named, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (check_named(check, native, &named[i], err) < 0)
            return -1;
    return 0;
}

int sb_check_native(sb_check *check, sb_error **err)
{
    SB_AUTO(sb_native) native = NULL;

    if (!check->project->store || !check->lock->step_count)
        return 0;
    if (sb_native_load(check->project, &native, err) < 0)
        return -1;
    for (size_t i = 0; i < check->lock->step_count; i++)
        if (check_step(check, native, &check->lock->steps[i], err) < 0)
            return -1;
    return 0;
}
