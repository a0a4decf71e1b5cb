// SPDX-License-Identifier: Apache-2.0
/*
 * Which steps are to be recorded: those whose inputs are not the ones of what is locked, those that a build
 * found something missing of, and those that --update names.
 */
#include <builder/record.h>

#include <sbuild/fs.h>

#include <fcntl.h>

/* --- What builds missed: ids, one a line, in the scratch directory --- */

enum { MISSED_MAX = 1 << 20 };
static const char missed_name[] = "missed";

static int read_missed(sb_project *project, sb_arena *arena, int *ret_dirfd, sb_slice *ret_text,
                       sb_error **err)
{
    sb_autoclose int fd = -1;
    sb_autofree char *data = NULL;
    bool missing = false;
    size_t len = 0;

    if (sb_project_scratch(project, &fd, NULL, err) < 0)
        return -1;
    if (sb_read_file(fd, missed_name, MISSED_MAX, &data, &len, &missing, err) < 0 && !missing)
        return -1;
    *ret_text = sb_arena_dup(arena, missing ? SB_LIT("") : sb_slice_of(data, len));
    *ret_dirfd = fd;
    fd = -1;
    return 0;
}

static bool has_line(sb_slice text, const char *id)
{
    while (text.ptr)
        if (sb_slice_eqz(sb_slice_cut(&text, '\n'), id))
            return true;
    return false;
}

int sb_record_note_missed(sb_project *project, const char *const *ids, size_t count, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf out = SB_BUF_INIT(MISSED_MAX);
    sb_autoclose int dirfd = -1;
    sb_slice text;

    if (read_missed(project, arena, &dirfd, &text, err) < 0)
        return -1;
    sb_buf_adds(&out, text);
    for (size_t i = 0; i < count; i++)
        if (!has_line(sb_buf_slice(&out), ids[i]))
            sb_buf_printf(&out, "%s\n", ids[i]);
    /* More than the maximum are not worth a failure: the steps that do not fit are noted the next time. */
    return sb_write_file(dirfd, missed_name, sb_buf_slice(&out), 0644, err);
}

int sb_record_forget_missed(sb_recorder *r, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(MISSED_MAX);
    sb_autoclose int dirfd = -1;
    sb_slice text;

    if (read_missed(r->project, r->arena, &dirfd, &text, err) < 0)
        return -1;
    if (!text.len)
        return 0;
    /* Steps that are gone go, too. */
    for (size_t i = 0; i < r->recording_count; i++)
        if (r->recordings[i].stale && has_line(text, r->recordings[i].run.id))
            sb_buf_printf(&out, "%s\n", r->recordings[i].run.id);
    if (!out.len)
        return sb_remove_tree(dirfd, missed_name, err);
    return sb_write_file(dirfd, missed_name, sb_buf_slice(&out), 0644, err);
}

/* --- What --update names --- */

static bool is_line(const char *text, unsigned line)
{
    sb_autofree char *number = sb_asprintf("%u", line);

    return strcmp(text, number) == 0;
}

/* All platforms of one instruction are meant by its line or its text. */
static int update_one(sb_recorder *r, const char *name, sb_error **err)
{
    const sb_recording *first = NULL;
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    bool exact = false;

    for (size_t i = 0; i < r->recording_count; i++) {
        sb_recording *recording = &r->recordings[i];

        if (recording->sealed && (strcmp(name, recording->run.id) == 0 || is_line(name, recording->run.line)))
            exact = recording->update = true;
    }
    for (size_t i = 0; !exact && *name && i < r->recording_count; i++) {
        sb_recording *recording = &r->recordings[i];

        if (!recording->sealed || sb_slice_find(recording->run.text, sb_slice_z(name)) < 0)
            continue;
        if (first && !sb_slice_eq(first->run.text, recording->run.text))
            return sb_fail(err, SB_ERR_USAGE,
                           "--update=%s means several RUN instructions; give the line of one (%u, %u …)",
                           shown, first->run.line, recording->run.line);
        recording->update = true;
        first = recording;
    }
    if (!exact && !first)
        return sb_fail(err, SB_ERR_USAGE,
                       "--update=%s means no RUN instruction that is locked; give its line or a part of its "
                       "text",
                       shown);
    return 0;
}

static int apply_update(sb_recorder *r, sb_error **err)
{
    for (size_t i = 0; r->options->update_all && !r->options->no_run && i < r->recording_count; i++)
        r->recordings[i].update = r->recordings[i].sealed;
    for (size_t i = 0; r->options->update && r->options->update[i]; i++)
        if (update_one(r, r->options->update[i], err) < 0)
            return -1;
    return 0;
}

/* --- What is locked --- */

static bool has_object(sb_project *project, const sb_digest *digest, uint64_t size)
{
    return project->store && sb_store_has(project->store, digest, size);
}

/* Everything that the entry stands for is in the repository's store. */
static int is_whole(sb_recorder *r, const sb_lock_step *entry, bool *ret_whole, sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = NULL;

    *ret_whole = false;
    if (!entry->has_manifest) {
        *ret_whole = true;
        return 0;
    }
    if (!has_object(r->project, &entry->manifest, 0))
        return 0;
    if (sb_lock_read_manifest(r->project, entry, &manifest, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest->count; i++) {
        const sb_step_request *request = &manifest->requests[i];

        if (request->has_content && request->size && !has_object(r->project, &request->digest, request->size))
            return 0;
    }
    *ret_whole = true;
    return 0;
}

static bool is_same(const sb_lock_step *entry, const sb_recorded *memory)
{
    return entry->has_manifest == memory->has_manifest && !entry->network.len &&
           (!entry->has_manifest || sb_digest_eq(&entry->manifest, &memory->manifest));
}

static int judge(sb_recorder *r, sb_recording *recording, sb_slice missed, sb_error **err)
{
    const sb_lock_step *entry = sb_lock_find_step(r->lock, &recording->run);
    bool whole = false;

    recording->was_locked = entry != NULL;
    if (entry)
        recording->was = *entry;
    if (sb_recorded_load(&recording->key, &recording->memory, err) < 0)
        return -1;
    memcpy(recording->nonce, recording->memory.nonce, sizeof(recording->nonce));
    recording->stale = true;
    if (recording->update)
        return sb_record_nonce(recording->nonce, err);
    if (!entry || !recording->memory.known || !is_same(entry, &recording->memory) ||
        has_line(missed, recording->run.id))
        return 0;
    if (is_whole(r, entry, &whole, err) < 0)
        return -1;
    recording->stale = !whole;
    return 0;
}

int sb_record_find_stale(sb_recorder *r, sb_error **err)
{
    sb_autoclose int dirfd = -1;
    sb_slice missed;

    if (apply_update(r, err) < 0 || read_missed(r->project, r->arena, &dirfd, &missed, err) < 0)
        return -1;
    for (size_t i = 0; i < r->recording_count; i++)
        if (r->recordings[i].sealed && judge(r, &r->recordings[i], missed, err) < 0)
            return -1;
    return 0;
}
