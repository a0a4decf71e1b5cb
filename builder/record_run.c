// SPDX-License-Identifier: Apache-2.0
/*
 * One build with its steps recording. Whatever becomes of it, what its finished steps recorded is taken. A
 * step that the engine had in its cache while the recording was gone from there is built once more.
 */
#include <builder/record.h>

#include <builder/serve.h>
#include <sbuild/fs.h>

#include <fcntl.h>
#include <unistd.h>

typedef struct attempt { /* what the plan's callbacks know */
    sb_recorder *r;
    sb_record_build *build;
} attempt;

/* --- Ids --- */

static size_t place_of(const sb_record_build *build, const sb_run_step *step)
{
    for (size_t i = 0; i < build->step_count; i++)
        if (strcmp(build->steps[i].id, step->id) == 0)
            return i;
    return build->step_count;
}

/*
 * The same as long as everything is that the recording depends on, so that an engine's cache goes with the
 * recording: inputs, what it starts from, and the nonce, which changes when the recording has been taken.
 */
static sb_slice cache_id(void *ctx, const sb_run_step *step, sb_arena *arena)
{
    const attempt *a = ctx;
    const sb_recorder *r = a->r;
    size_t place = place_of(a->build, step);
    const sb_recording *recording;
    const sb_lock_step *entry = sb_lock_find_step(r->lock, step);
    char key[SB_DIGEST_TEXT], manifest[SB_DIGEST_TEXT] = "";
    sb_slice text;

    if (place == a->build->step_count)
        return SB_NIL;
    recording = &r->recordings[a->build->recordings[place]];
    sb_digest_format(&a->build->keys[place], key);
    if (entry && entry->has_manifest)
        sb_digest_format(&entry->manifest, manifest);
    text = sb_arena_printf(arena, "%" SB_FMT "\n%" SB_FMT "\n%s\n%s\n%s\n%s\n%s", SB_ARG(r->project->context),
                           SB_ARG(r->project->dockerfile_name), a->build->target ? a->build->target : "",
                           step->id, key, manifest, recording->nonce);
    return sb_record_id(arena, r->secret, text);
}

static const sb_recording *recording_of(const attempt *a, const sb_run_step *step)
{
    size_t place = place_of(a->build, step);

    return place < a->build->step_count ? &a->r->recordings[a->build->recordings[place]] : NULL;
}

/* Not again what another build has just recorded. */
static bool starts_empty(void *ctx, const sb_run_step *step)
{
    const sb_recording *recording = recording_of(ctx, step);

    return recording && recording->update && !recording->manifest;
}

/* --- Taking --- */

static bool is_wanted(const sb_recorder *r, const sb_record_build *build, size_t place)
{
    return r->recordings[build->recordings[place]].stale && !build->done[place];
}

/* The very same step of another build was recorded in this run. */
static void mark_done(sb_recorder *r, const sb_record_build *build, size_t place)
{
    for (size_t b = 0; b < r->build_count; b++)
        for (size_t i = 0; i < r->builds[b].step_count; i++)
            if (r->builds[b].recordings[i] == build->recordings[place] &&
                sb_digest_eq(&r->builds[b].keys[i], &build->keys[place]))
                r->builds[b].done[i] = true;
}

static bool is_complete(const sb_recorder *r, size_t recording)
{
    for (size_t b = 0; b < r->build_count; b++)
        for (size_t i = 0; i < r->builds[b].step_count; i++)
            if (r->builds[b].recordings[i] == recording && !r->builds[b].done[i])
                return false;
    return true;
}

static void finish_step(sb_recorder *r, sb_record_build *build, size_t place)
{
    sb_recording *recording = &r->recordings[build->recordings[place]];

    mark_done(r, build, place);
    if (is_complete(r, build->recordings[place])) {
        recording->stale = false;
        r->report->recorded++;
    }
}

static int merge(sb_recording *recording, sb_step_manifest *taken, sb_error **err)
{
    if (!recording->manifest)
        recording->manifest = sb_step_manifest_new();
    for (size_t i = 0; i < taken->count; i++)
        if (!sb_step_manifest_add(recording->manifest, &taken->requests[i]))
            return sb_fail(err, SB_ERR_LIMIT, "%" SB_FMT " makes more than %d requests",
                           SB_ARG(recording->run.label), SB_STEP_REQUESTS_MAX);
    return 0;
}

/* True in *ret_taken when there is something to enter. */
static int take_step(sb_recorder *r, sb_recording *recording, int exported, const sb_plan_step *from,
                     bool *ret_taken, sb_error **err)
{
    SB_AUTO(sb_taken) taken = NULL;
    sb_autofree char *label = sb_slice_dup(recording->run.label);
    sb_autoclose int dirfd = -1;
    bool missing = false;

    dirfd = sb_open_beneath(exported, from->run.id, O_RDONLY | O_DIRECTORY, 0, &missing, err);
    if (dirfd < 0)
        return missing ? 0 : -1;
    if (sb_record_take(r->project, dirfd, label, from->manifest, &taken, err) < 0)
        return -1;
    if (taken->complete)
        sb_record_add_notes(r, &recording->run, taken);
    if (!taken->complete || taken->status != 0)
        return 0;
    *ret_taken = true;
    return merge(recording, taken->manifest, err);
}

/* All at once, since they are held against large lock files; if that fails, those that nothing is wrong with.
 */
static int enter(sb_recorder *r, sb_record_build *build, const size_t *places, size_t count, sb_error **err)
{
    sb_recording **recordings = sb_arena_array(r->arena, sb_recording *, count + 1);
    SB_AUTO(sb_error) failed = NULL;
    int result = 0;

    for (size_t i = 0; i < count; i++)
        recordings[i] = &r->recordings[build->recordings[places[i]]];
    if (!count || sb_record_enter(r, recordings, count, &failed) == 0) {
        for (size_t i = 0; i < count; i++)
            finish_step(r, build, places[i]);
        return 0;
    }
    if (failed->code != SB_ERR_VERIFY || count == 1)
        return sb_fail(err, failed->code, "%s", failed->message);
    for (size_t i = 0; i < count; i++) {
        if (sb_record_enter(r, &recordings[i], 1, err) == 0)
            finish_step(r, build, places[i]);
        else
            result = -1;
    }
    return result;
}

static const sb_plan_step *plan_step(const sb_plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (strcmp(plan->steps[i].run.id, id) == 0)
            return &plan->steps[i];
    return NULL;
}

static bool is_listed(const char *const *ids, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

/* Where a step's recording is: an ONBUILD instruction of the file that runs in several stages has one. */
static const sb_plan_step *source_of(const sb_plan *plan, const char *id)
{
    const sb_plan_step *step = plan_step(plan, id);

    if (!step || step->cache.ptr)
        return step;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].run.instruction == step->run.instruction && plan->steps[i].cache.ptr)
            return &plan->steps[i];
    return NULL;
}

static int take_all(sb_recorder *r, sb_record_build *build, const sb_plan *plan, sb_error **err)
{
    sb_slice *caches = sb_arena_array(r->arena, sb_slice, build->step_count + 1);
    const char **ids = sb_arena_array(r->arena, const char *, build->step_count + 1);
    size_t *places = sb_arena_array(r->arena, size_t, build->step_count + 1);
    sb_autoclose int dirfd = -1;
    const char *path;
    size_t count = 0, taken_count = 0;

    for (size_t i = 0; i < build->step_count; i++) {
        const sb_plan_step *from = source_of(plan, build->steps[i].id);

        if (!is_wanted(r, build, i) || !from || is_listed(ids, count, from->run.id))
            continue;
        caches[count] = from->cache;
        ids[count++] = from->run.id;
    }
    if (!count)
        return 0;
    if (sb_record_export(plan, r->ops, caches, ids, count, &path, err) < 0 ||
        sb_open_dir(path, &dirfd, err) < 0)
        return -1;
    for (size_t i = 0; i < build->step_count; i++) {
        const sb_plan_step *from = source_of(plan, build->steps[i].id);
        bool taken = false;

        if (!is_wanted(r, build, i) || !from)
            continue;
        if (take_step(r, &r->recordings[build->recordings[i]], dirfd, from, &taken, err) < 0)
            return -1;
        if (taken)
            places[taken_count++] = i;
    }
    return enter(r, build, places, taken_count, err);
}

/* What is in the lock now is not needed in the engine any more. */
static void discard_taken(const sb_recorder *r, const sb_record_build *build, const sb_plan *plan)
{
    sb_slice *caches = sb_arena_array(r->arena, sb_slice, build->step_count + 1);
    const char **ids = sb_arena_array(r->arena, const char *, build->step_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < build->step_count; i++) {
        const sb_plan_step *from = source_of(plan, build->steps[i].id);

        if (!build->done[i] || !from || is_listed(ids, count, from->run.id))
            continue;
        caches[count] = from->cache;
        ids[count++] = from->run.id;
    }
    sb_record_discard(plan, r->ops, caches, ids, count);
}

/* --- One attempt --- */

static int make_cold(sb_arena *arena, sb_slice *ret_cold, sb_error **err)
{
    char nonce[SB_NONCE_LEN + 1];

    if (sb_record_nonce(nonce, err) < 0)
        return -1;
    *ret_cold = sb_arena_printf(arena, "sbuild-%s", nonce);
    return 0;
}

static sb_slice program_platform(const sb_record_build *build)
{
    for (size_t i = 0; i < build->step_count; i++)
        if (!build->steps[i].network.len)
            return build->steps[i].platform;
    return sb_slice_z(build->platform);
}

static int probe(attempt *a, const sb_build_options *options, sb_error **err)
{
    const sb_record_build *build = a->build;
    sb_slice *caches = sb_arena_array(a->r->arena, sb_slice, build->step_count + 1);
    const char **ids = sb_arena_array(a->r->arena, const char *, build->step_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < build->step_count; i++)
        if (!build->steps[i].network.len) {
            caches[count] = cache_id(a, &build->steps[i], a->r->arena);
            ids[count++] = build->steps[i].id;
        }
    return sb_record_probe(a->r, options, program_platform(build), caches, ids, count, err);
}

static int make_plan(attempt *a, sb_seal_record *record, sb_plan **ret_plan, sb_error **err)
{
    sb_recorder *r = a->r;
    sb_build_options *options = sb_arena_new_of(r->arena, sb_build_options);

    *options = r->options->build;
    options->target = a->build->target;
    options->build_args = a->build->args;
    options->build_arg_count = a->build->arg_count;
    options->offline = false;
    options->scratch = "record";
    options->engine_arguments = r->arguments;
    options->engine_argument_count = r->argument_count;
    if (probe(a, options, err) < 0)
        return -1;
    record->nameservers = r->nameservers;
    record->nameserver_count = r->nameserver_count;
    return sb_plan_make(r->project, r->lock, options, r->engine, a->build->platform, record, ret_plan, err);
}

static int run(attempt *a, sb_error **ret_failed, sb_error **err)
{
    sb_recorder *r = a->r;
    sb_seal_record record = {.cache_id = cache_id,
                             .starts_empty = starts_empty,
                             .ctx = a,
                             .upstream_ca = r->upstream_ca,
                             .environment = r->environment,
                             .credentials = r->credentials};
    SB_AUTO(sb_plan) plan = NULL;
    SB_AUTO(sb_serve) serve = NULL;
    int taken;

    if (make_cold(r->arena, &record.cold, err) < 0 || make_plan(a, &record, &plan, err) < 0 ||
        sb_serve_plan(plan, &serve, err) < 0)
        return -1;
    if (r->ops->run(plan, ret_failed) < 0 && sb_error_code(*ret_failed) != SB_ERR_BUILD)
        return sb_fail(err, sb_error_code(*ret_failed), "%s", (*ret_failed)->message);
    taken = take_all(r, a->build, plan, err);
    /* What was taken before something was wrong is locked nevertheless; the first error counts. */
    if (sb_record_finish_entries(r, err) < 0 || sb_record_save(r, err) < 0 || taken < 0)
        return -1;
    discard_taken(r, a->build, plan);
    return sb_remove_tree(AT_FDCWD, plan->path.ptr, err);
}

static size_t missing_steps(const sb_recorder *r, const sb_record_build *build, const sb_run_step **ret_first)
{
    size_t n = 0;

    for (size_t i = build->step_count; i-- > 0;)
        if (is_wanted(r, build, i)) {
            *ret_first = &build->steps[i];
            n++;
        }
    return n;
}

int sb_record_build_steps(sb_recorder *r, sb_record_build *build, sb_error **err)
{
    const sb_run_step *first = NULL;
    attempt a = {r, build};

    for (int tries = 0; missing_steps(r, build, &first); tries++) {
        SB_AUTO(sb_error) failed = NULL;

        if (tries == 2)
            return sb_fail(err, SB_ERR_ENGINE,
                           "%" SB_FMT ":%u: %" SB_FMT " was built, but %" SB_FMT
                           " does not give its recording; try another engine",
                           SB_ARG(r->project->dockerfile_name), first->line, SB_ARG(first->label),
                           SB_ARG(r->engine->name));
        if (run(&a, &failed, err) < 0)
            return -1;
        if (failed)
            return sb_fail(err, failed->code, "%s", failed->message);
        for (size_t i = 0; i < build->step_count; i++)
            if (is_wanted(r, build, i) && sb_record_nonce(r->recordings[build->recordings[i]].nonce, err) < 0)
                return -1;
    }
    return 0;
}
