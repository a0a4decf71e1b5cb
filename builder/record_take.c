// SPDX-License-Identifier: Apache-2.0
/*
 * Takes in what a step has recorded. The step's own command could write there, too, so nothing of it is
 * trusted: files are opened without following links, all has a maximum, the manifest is parsed strictly,
 * every object is hashed, and only what the manifest names is read. What was locked before stays as it was.
 */
#include <builder/record.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>

enum { DONE_MAX = 4096, REPORT_MAX = 16 << 20 };

static int wrong(const char *label, sb_error **err, const char *what)
{
    return sb_fail(err, SB_ERR_VERIFY,
                   "the recording of \"%s\" cannot be used: %s; record it again with \"sbuild lock\"", label,
                   what);
}

/* A regular file of the recording; *ret_missing when there is none. */
static int open_file(int dirfd, const char *path, const char *label, int *ret_fd, uint64_t *ret_size,
                     bool *ret_missing, sb_error **err)
{
    /* O_NONBLOCK: a FIFO in its place must not hold us up. */
    sb_autoclose int fd = sb_open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, ret_missing, err);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return wrong(label, err, "it holds something that is no file");
    *ret_size = (uint64_t)st.st_size;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int read_file(int dirfd, const char *path, const char *label, size_t max, char **ret_data,
                     size_t *ret_len, bool *ret_missing, sb_error **err)
{
    sb_autoclose int fd = -1;
    uint64_t size;

    *ret_missing = false;
    if (open_file(dirfd, path, label, &fd, &size, ret_missing, err) < 0)
        return -1;
    return sb_read_fd(fd, path, max, ret_data, ret_len, err);
}

/* --- done --- */

static int take_done(sb_taken *taken, int dirfd, const char *label, sb_error **err)
{
    sb_autofree char *data = NULL;
    sb_autojson *json = NULL;
    bool missing;
    size_t len = 0;
    int64_t status;

    if (read_file(dirfd, "done", label, DONE_MAX, &data, &len, &missing, err) < 0)
        return missing ? 0 : -1;
    if (sb_json_parse(sb_slice_of(data, len), "done", &json, NULL) < 0)
        return wrong(label, err, "its end is not marked as it should be");
    status = sb_json_int(json, "status", -1);
    if (status < 0 || status > 255)
        return wrong(label, err, "its end is not marked as it should be");
    taken->complete = true;
    taken->status = (int)status;
    return 0;
}

/* --- report.jsonl --- */

static sb_slice shown(sb_arena *arena, sb_slice text)
{
    sb_autofree char *printable = text.ptr ? sb_printable(text) : NULL;

    return printable ? sb_arena_dup(arena, sb_slice_z(printable)) : SB_NIL;
}

static void take_note(sb_taken *taken, sb_slice line, size_t *cap)
{
    static const char *const names[] = {[SB_NOTE_POST] = "post",
                                        [SB_NOTE_NO_STORE] = "no-store",
                                        [SB_NOTE_FAILED] = "failed",
                                        [SB_NOTE_UNRECORDABLE] = "unrecordable",
                                        [SB_NOTE_SCRUBBED] = "scrubbed"};
    sb_autojson *json = NULL;
    sb_record_note note = {.kind = SB_NOTE_OTHER};

    /* It is information and nothing else: what cannot be read tells nothing. */
    if (sb_json_parse(line, "report.jsonl", &json, NULL) < 0)
        return;
    if (taken->note_count == SB_NOTES_MAX) {
        taken->notes_left_out++;
        return;
    }
    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(sb_json_str(json, "kind"), names[i]))
            note.kind = (sb_note_kind)i;
    note.url = shown(taken->arena, sb_json_str(json, "url"));
    note.text = shown(taken->arena, sb_json_str(json, "text"));
    *SB_ARENA_PUSH(taken->arena, taken->notes, taken->note_count, *cap) = note;
}

static int take_report(sb_taken *taken, int dirfd, const char *label, sb_error **err)
{
    sb_autofree char *data = NULL;
    bool missing;
    size_t len = 0, cap = 0;
    sb_slice rest;

    if (read_file(dirfd, "report.jsonl", label, REPORT_MAX, &data, &len, &missing, err) < 0)
        return missing ? 0 : -1;
    rest = sb_slice_of(data, len);
    while (rest.ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&rest, '\n'));

        if (line.len)
            take_note(taken, line, &cap);
    }
    return 0;
}

/* --- manifest and objects --- */

/* --- Requests in an order of their own, so that they are found --- */

static int by_url(const void *a, const void *b)
{
    return sb_slice_cmp((*(const sb_step_request *const *)a)->url, (*(const sb_step_request *const *)b)->url);
}

static int by_digest(const void *a, const void *b)
{
    return sb_digest_cmp(&(*(const sb_step_request *const *)a)->digest,
                         &(*(const sb_step_request *const *)b)->digest);
}

static const sb_step_request **sorted(const sb_step_manifest *manifest,
                                      int (*order)(const void *, const void *))
{
    const sb_step_request **requests = sb_new_array(const sb_step_request *, manifest->count + 1);

    for (size_t i = 0; i < manifest->count; i++)
        requests[i] = &manifest->requests[i];
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    qsort(requests, manifest->count, sizeof(*requests), order);
    return requests;
}

/* `requests` are sorted by URL. */
static const sb_step_request *same_question(const sb_step_request *const *requests, size_t count,
                                            const sb_step_request *request)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sb_slice_cmp(requests[middle]->url, request->url) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && sb_slice_eq(requests[low]->url, request->url); low++)
        if (requests[low]->turn == request->turn && sb_step_same_question(requests[low], request))
            return requests[low];
    return NULL;
}

static bool same_answer(const sb_step_request *a, const sb_step_request *b)
{
    return a->status == b->status && a->has_content == b->has_content && a->size == b->size &&
           (!a->has_content || sb_digest_eq(&a->digest, &b->digest));
}

static int take_object(sb_project *project, int dirfd, const char *label, const sb_step_request *request,
                       sb_error **err)
{
    char hex[SB_DIGEST_HEX], path[16 + SB_DIGEST_HEX];
    sb_autoclose int fd = -1;
    sb_store *cache;
    sb_digest digest;
    uint64_t size = 0, copied = 0;
    bool missing = false;

    sb_digest_hex(&request->digest, hex);
    snprintf(path, sizeof(path), "objects/%s", hex);
    if (sb_project_cache(project, &cache, err) < 0)
        return -1;
    if (open_file(dirfd, path, label, &fd, &size, &missing, err) < 0) {
        /* Another step's, or one that was locked before. */
        if (missing && sb_store_has(cache, &request->digest, request->size))
            return 0;
        if (missing && project->store && sb_store_has(project->store, &request->digest, request->size))
            return sb_store_copy(cache, project->store, &request->digest, err);
        return missing ? wrong(label, err, "an answer that it names is missing") : -1;
    }
    if (size != request->size)
        return wrong(label, err, "an answer has not the size that it names");
    if (sb_store_put_fd(cache, fd, &request->digest, &digest, &copied, err) < 0)
        return sb_wrap(err, "while taking the recording of \"%s\"", label);
    return copied == request->size ? 0 : wrong(label, err, "an answer has not the size that it names");
}

/* Each body once, however many requests it answers. */
static int take_objects(sb_project *project, const sb_taken *taken, int dirfd, const char *label,
                        sb_error **err)
{
    sb_autofree const sb_step_request **requests = sorted(taken->manifest, by_digest);
    const sb_step_request *last = NULL;

    for (size_t i = 0; i < taken->manifest->count; i++) {
        const sb_step_request *request = requests[i];

        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (!request->has_content)
            continue;
        if (last && sb_digest_eq(&last->digest, &request->digest)) {
            if (last->size != request->size)
                return wrong(label, err, "an answer has not the size that it names");
            continue;
        }
        if (take_object(project, dirfd, label, request, err) < 0)
            return -1;
        last = request;
    }
    return 0;
}

static int take_manifest(sb_taken *taken, int dirfd, const char *label, const sb_step_manifest *offered,
                         sb_error **err)
{
    sb_autofree char *data = NULL;
    SB_AUTO(sb_error) malformed = NULL;
    sb_autofree const sb_step_request **locked = sorted(offered, by_url);
    bool missing;
    size_t len = 0;

    if (read_file(dirfd, "manifest", label, SB_STEP_MANIFEST_MAX, &data, &len, &missing, err) < 0)
        return missing ? wrong(label, err, "it has no list of requests") : -1;
    if (sb_step_manifest_parse(sb_slice_of(data, len), "manifest", &taken->manifest, &malformed) < 0)
        return wrong(label, err, malformed->message);
    for (size_t i = 0; i < taken->manifest->count; i++) {
        const sb_step_request *request = &taken->manifest->requests[i];
        const sb_step_request *old = same_question(locked, offered->count, request);

        if (old && !same_answer(old, request))
            return wrong(label, err, "it has another answer to a request that is locked already");
    }
    return 0;
}

int sb_record_take(sb_project *project, int dirfd, const char *label, const sb_step_manifest *offered,
                   sb_taken **ret_taken, sb_error **err)
{
    SB_AUTO(sb_taken) taken = sb_new(sb_taken);

    taken->arena = sb_arena_new();
    if (take_done(taken, dirfd, label, err) < 0 || take_report(taken, dirfd, label, err) < 0)
        return -1;
    if (taken->complete && taken->status == 0 &&
        (take_manifest(taken, dirfd, label, offered, err) < 0 ||
         take_objects(project, taken, dirfd, label, err) < 0))
        return -1;
    *ret_taken = SB_TAKE(taken);
    return 0;
}

void sb_taken_free(sb_taken *taken)
{
    if (!taken)
        return;
    sb_step_manifest_free(taken->manifest);
    sb_arena_free(taken->arena);
    free(taken);
}
