// SPDX-License-Identifier: Apache-2.0
/* The builds that the lock is for, their steps, and what each step depends on. */
#include <builder/record.h>

enum { BUILDS_MAX = 1000 };

/* --- One build --- */

static int context_names(const sb_recorder *r, const char ***ret_names, size_t *ret_count, sb_error **err)
{
    const char **arguments;

    return sb_plan_user_contexts(&r->options->build, r->arena, ret_names, &arguments, ret_count, err);
}

static int expand(sb_recorder *r, sb_record_build *build, sb_error **err)
{
    sb_frozen_options frozen = {.build_args = build->args,
                                .build_arg_count = build->arg_count,
                                .target = build->target,
                                .platform = build->platform};
    const char **names = NULL;

    if (context_names(r, &names, &frozen.context_count, err) < 0)
        return -1;
    frozen.contexts = names;
    if (sb_frozen_view(r->project, r->lock, &frozen, &build->view, err) < 0)
        return -1;
    return sb_run_steps(build->view, r->arena, &build->steps, &build->step_count, err);
}

static int add_build(sb_recorder *r, const sb_lock_profile *profile, sb_slice platform, sb_error **err)
{
    const sb_build_options *given = &r->options->build;
    bool own = sb_slice_eq(profile->target, sb_slice_z(given->target ? given->target : ""));
    sb_record_build *build;

    if (r->build_count == BUILDS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "more than %d targets and platforms in one lock", BUILDS_MAX);
    build = SB_ARENA_PUSH(r->arena, r->builds, r->build_count, r->build_cap);
    *build =
        (sb_record_build){.profile = profile,
                          .args = own ? given->build_args : profile->args,
                          .arg_count = own ? given->build_arg_count : profile->arg_count,
                          .target = profile->target.len ? sb_arena_strdup(r->arena, profile->target) : NULL,
                          .platform = sb_arena_strdup(r->arena, platform)};
    return expand(r, build, err);
}

/* --- Their steps --- */

static size_t recording_of(sb_recorder *r, const sb_run_step *step)
{
    sb_recording *recording;

    for (size_t i = 0; i < r->recording_count; i++)
        if (strcmp(r->recordings[i].run.id, step->id) == 0)
            return i;
    recording = SB_ARENA_PUSH(r->arena, r->recordings, r->recording_count, r->recording_cap);
    *recording =
        (sb_recording){.run = *step, .networked = step->network.len && !sb_slice_eqz(step->network, "none")};
    recording->sealed = !step->network.len;
    return r->recording_count - 1;
}

static sb_record_input input_of(const sb_recorder *r, const sb_record_build *build)
{
    return (sb_record_input){
        .lock = r->lock, .view = build->view, .build_args = build->args, .build_arg_count = build->arg_count};
}

static void note_files(sb_recorder *r, const sb_record_build *build, sb_record_files *files)
{
    sb_record_input input = input_of(r, build);

    for (size_t i = 0; i < build->step_count; i++)
        if (r->recordings[build->recordings[i]].sealed)
            sb_record_key_files(&input, &build->steps[i], files);
}

static void add_keys(sb_recorder *r, sb_record_build *build, const sb_record_files *files)
{
    sb_record_input input = input_of(r, build);

    for (size_t i = 0; i < build->step_count; i++) {
        sb_recording *recording = &r->recordings[build->recordings[i]];

        if (!recording->sealed)
            continue;
        sb_record_key(&input, &build->steps[i], files, &build->keys[i]);
        *SB_ARENA_PUSH(r->arena, recording->keys, recording->key_count, recording->key_cap) = build->keys[i];
    }
}

static int by_bytes(const void *a, const void *b)
{
    return sb_digest_cmp(a, b);
}

/* Of all its builds; the same in one build more is nothing new. */
static void combine_keys(sb_recording *recording)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);

    if (recording->key_count)
        qsort(recording->keys, recording->key_count, sizeof(*recording->keys), by_bytes);
    for (size_t i = 0; i < recording->key_count; i++)
        if (!i || !sb_digest_eq(&recording->keys[i - 1], &recording->keys[i]))
            sb_hasher_add(hasher, recording->keys[i].bytes, sb_hash_size(SB_HASH_SHA256));
    sb_hasher_finish(hasher, &recording->key);
}

int sb_record_builds(sb_recorder *r, sb_error **err)
{
    SB_AUTO(sb_record_files) files = sb_record_files_new();

    for (size_t p = 0; p < r->lock->profile_count; p++)
        for (size_t i = 0; i < r->lock->profiles[p].platform_count; i++)
            if (add_build(r, &r->lock->profiles[p], r->lock->profiles[p].platforms[i], err) < 0)
                return -1;
    for (size_t i = 0; i < r->build_count; i++) {
        sb_record_build *build = &r->builds[i];

        build->recordings = sb_arena_array(r->arena, size_t, build->step_count + 1);
        build->keys = sb_arena_array(r->arena, sb_digest, build->step_count + 1);
        build->done = sb_arena_array(r->arena, bool, build->step_count + 1);
        for (size_t k = 0; k < build->step_count; k++)
            build->recordings[k] = recording_of(r, &build->steps[k]);
        note_files(r, build, files);
    }
    if (sb_record_files_load(files, r->project, err) < 0)
        return -1;
    for (size_t i = 0; i < r->build_count; i++)
        add_keys(r, &r->builds[i], files);
    for (size_t i = 0; i < r->recording_count; i++)
        combine_keys(&r->recordings[i]);
    return 0;
}

void sb_record_builds_clear(sb_recorder *r)
{
    for (size_t i = 0; i < r->build_count; i++)
        sb_df_view_free(r->builds[i].view);
    for (size_t i = 0; i < r->recording_count; i++)
        sb_step_manifest_free(r->recordings[i].manifest);
}
