// SPDX-License-Identifier: Apache-2.0
/* The entries of steps in a lock, and what a step may ask for by them. */
#include <sbuild/lock.h>

#include <stdlib.h>

#include <lock/objects.h>
#include <lock/project.h>
#include <lock/step_manifest.h>

static bool is_entry_of(const sb_lock_step *entry, const sb_run_step *step)
{
    return entry->nth == step->nth && sb_digest_eq(&entry->text, &step->text_digest) &&
           sb_slice_eq(entry->stage, step->stage_name) && sb_slice_eq(entry->platform, step->platform);
}

const sb_lock_step *sb_lock_find_step(const sb_lock *lock, const sb_run_step *step)
{
    for (size_t i = 0; i < lock->step_count; i++)
        if (is_entry_of(&lock->steps[i], step))
            return &lock->steps[i];
    return NULL;
}

sb_lock_step sb_lock_step_of(sb_lock *lock, const sb_run_step *step)
{
    const size_t keyword = strlen("RUN ");

    return (sb_lock_step){.stage = sb_arena_dup(lock->arena, step->stage_name),
                          .command =
                              sb_arena_dup(lock->arena, sb_slice_sub(step->label, keyword, step->label.len)),
                          .text = step->text_digest,
                          .nth = step->nth,
                          .platform = sb_arena_dup(lock->arena, step->platform)};
}

int sb_step_manifest_load(const sb_lock_step *entry, const sb_store *store, sb_step_manifest **ret_manifest,
                          sb_error **err)
{
    sb_autofree char *command = sb_printable(entry->command);
    sb_autofree char *name = sb_asprintf("the step manifest of \"RUN %s\"", command);
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_store_read(store, &entry->manifest, SB_STEP_MANIFEST_MAX, &data, &len, err) < 0)
        return sb_wrap(err, "%s", name);
    return sb_step_manifest_parse(sb_slice_of(data, len), name, ret_manifest, err);
}

int sb_lock_read_manifest(sb_project *project, const sb_lock_step *entry, sb_step_manifest **ret_manifest,
                          sb_error **err)
{
    const sb_store *store = sb_project_find(project, &entry->manifest);
    sb_autofree char *command = sb_printable(entry->command);
    char text[SB_DIGEST_TEXT], id[SB_STEP_ID_LEN + 1];

    if (!entry->has_manifest) {
        *ret_manifest = sb_step_manifest_new();
        return 0;
    }
    if (!store) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_slice lock = sb_project_command(project, arena, "lock");

        sb_step_id(entry->stage, &entry->text, entry->nth, entry->platform, id);
        sb_digest_format(&entry->manifest, text);
        return sb_fail(
            err, SB_ERR_VERIFY,
            "the step manifest of \"RUN %s\" (%s) is in the lock, but not in %s; restore it from where it "
            "was vendored, or run \"%" SB_FMT " --update=%s\" to record the step anew",
            command, text, SB_STORE_NAME, SB_ARG(lock), id);
    }
    return sb_step_manifest_load(entry, store, ret_manifest, err);
}

/* --- A step that is not in the lock --- */

/* Does a step of the Dockerfile have this entry? */
static bool is_claimed(const sb_lock_step *entry, const sb_run_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_entry_of(entry, &steps[i]))
            return true;
    return false;
}

static bool same_answer(const sb_step_request *a, const sb_step_request *b)
{
    return a->status == b->status && a->size == b->size && a->has_content == b->has_content &&
           (!a->has_content || sb_digest_eq(&a->digest, &b->digest));
}

/* Adds what another step was answered; another answer to the same question is one more turn. */
static int merge(sb_step_manifest *into, const sb_step_manifest *from, sb_error **err)
{
    size_t before = into->count;

    for (size_t i = 0; i < from->count; i++) {
        sb_step_request request = from->requests[i];
        bool known = false;
        unsigned turn = 0;

        for (size_t k = 0; !known && (k = sb_step_manifest_next(into, request.url, k)) > 0;) {
            const sb_step_request *there = &into->requests[k - 1];

            if (k > before || !sb_step_same_question(there, &request))
                continue;
            known = same_answer(there, &request);
            if (there->turn >= turn)
                turn = there->turn + 1;
        }
        if (known)
            continue;
        request.turn += turn;
        if (!sb_step_manifest_add(into, &request))
            return sb_fail(err, SB_ERR_LIMIT, "a step with more than %d requests", SB_STEP_REQUESTS_MAX);
    }
    return 0;
}

static int merge_unclaimed(sb_project *project, const sb_lock *lock, const sb_run_step *steps, size_t count,
                           const sb_run_step *step, sb_step_manifest *manifest, sb_error **err)
{
    for (size_t i = 0; i < lock->step_count; i++) {
        const sb_lock_step *entry = &lock->steps[i];
        SB_AUTO(sb_step_manifest) theirs = NULL;

        if (!entry->has_manifest || !sb_slice_eq(entry->stage, step->stage_name) ||
            !sb_slice_eq(entry->platform, step->platform) || is_claimed(entry, steps, count))
            continue;
        /* One that is lost cannot help; nobody needs it. */
        if (!sb_project_find(project, &entry->manifest))
            continue;
        if (sb_lock_read_manifest(project, entry, &theirs, err) < 0 || merge(manifest, theirs, err) < 0)
            return -1;
    }
    return 0;
}

/* One message for all that are lost, since recording one wants the others. */
static int lost(sb_project *project, const sb_lock *lock, const sb_run_step *steps, size_t count,
                size_t index, sb_error **err)
{
    enum { NAMED = 8, COMMAND_MAX = 4096 };
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf command = SB_BUF_INIT(COMMAND_MAX);
    size_t n = 0;

    sb_buf_adds(&command, sb_project_command(project, arena, "lock"));
    for (size_t i = 0; i < count; i++) {
        const sb_lock_step *entry = sb_lock_find_step(lock, &steps[i]);

        if (!entry || !entry->has_manifest || sb_project_find(project, &entry->manifest))
            continue;
        if (n++ < NAMED)
            sb_buf_printf(&command, " --update=%s", steps[i].id);
    }
    return sb_fail(err, SB_ERR_VERIFY,
                   "the recording of \"%" SB_FMT
                   "\" (line %u)%s is in the lock, but not in %s; restore it from "
                   "where it was vendored, or run \"%.*s\" to record anew",
                   SB_ARG(steps[index].label), steps[index].line, n > 1 ? " and of others" : "",
                   SB_STORE_NAME, (int)command.len, command.data);
}

int sb_lock_step_manifest(sb_project *project, const sb_lock *lock, const sb_run_step *steps, size_t count,
                          size_t index, sb_step_manifest **ret_manifest, sb_error **err)
{
    const sb_lock_step *entry = sb_lock_find_step(lock, &steps[index]);
    SB_AUTO(sb_step_manifest) manifest = NULL;

    if (entry && entry->has_manifest && !sb_project_find(project, &entry->manifest))
        return lost(project, lock, steps, count, index, err);
    if (entry)
        return sb_lock_read_manifest(project, entry, ret_manifest, err);
    manifest = sb_step_manifest_new();
    if (merge_unclaimed(project, lock, steps, count, &steps[index], manifest, err) < 0)
        return -1;
    *ret_manifest = SB_TAKE(manifest);
    return 0;
}

/* --- Steps that are gone --- */

static bool has_stage(const sb_dockerfile *df, sb_slice name)
{
    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];
        sb_slice own = ins->arg_count == 3 ? ins->args[2].text : SB_LIT("");

        if (ins->keyword == SB_DF_FROM && sb_slice_eq_nocase(own, name))
            return true;
    }
    return false;
}

static bool is_step_id(const sb_lock *lock, sb_slice id)
{
    for (size_t i = 0; i < lock->step_count; i++) {
        const sb_lock_step *step = &lock->steps[i];
        char own[SB_STEP_ID_LEN + 1];

        sb_step_id(step->stage, &step->text, step->nth, step->platform, own);
        if (sb_slice_eqz(id, own))
            return true;
    }
    return false;
}

static void drop_packages(sb_lock *lock)
{
    size_t kept = 0;

    for (size_t i = 0; i < lock->package_count; i++) {
        sb_lock_package package = lock->packages[i];
        size_t n = 0;

        for (size_t k = 0; k < package.step_count; k++)
            if (is_step_id(lock, package.steps[k]))
                package.steps[n++] = package.steps[k];
        package.step_count = n;
        if (n)
            lock->packages[kept++] = package;
    }
    lock->package_count = kept;
}

void sb_lock_drop_stages(sb_lock *lock, const sb_dockerfile *df)
{
    size_t kept = 0;

    for (size_t i = 0; i < lock->step_count; i++)
        if (has_stage(df, lock->steps[i].stage))
            lock->steps[kept++] = lock->steps[i];
    if (kept == lock->step_count)
        return;
    lock->step_count = kept;
    drop_packages(lock);
}
