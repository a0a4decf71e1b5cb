// SPDX-License-Identifier: Apache-2.0
/* What `sbuild lock` keeps of steps that were recorded before: their bytes go where the repository's are. */
#include <lock/update.h>

/* What is in neither store has to be recorded again; that is not decided here. */
static int keep_if_there(sb_updater *u, const sb_digest *digest, sb_error **err)
{
    return sb_update_has(u, digest) ? sb_update_keep(u, digest, err) : 0;
}

static int keep_step(sb_updater *u, const sb_lock_step *step, sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = NULL;

    if (sb_lock_read_manifest(u->project, step, &manifest, err) < 0 ||
        sb_update_keep(u, &step->manifest, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest->count; i++)
        if (manifest->requests[i].has_content && keep_if_there(u, &manifest->requests[i].digest, err) < 0)
            return -1;
    return 0;
}

int sb_update_keep_steps(sb_updater *u, sb_error **err)
{
    for (size_t i = 0; i < u->lock->step_count; i++) {
        const sb_lock_step *step = &u->lock->steps[i];

        if (step->has_manifest && sb_update_has(u, &step->manifest) && keep_step(u, step, err) < 0)
            return -1;
    }
    return 0;
}
