// SPDX-License-Identifier: Apache-2.0
#include <builder/step/recording.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_PREFIX ".new-" /* of a body that is not whole yet */

enum { TOKEN_MAX = 64 << 10, REPORT_TEXT_MAX = 1000 };

struct step_recording {
    int dir, objects; /* descriptors */
    const sb_step_manifest *locked;
    bool *used;      /* of each locked request */
    sb_arena *arena; /* of what was fetched; with the server's lock */
    sb_buf report;   /* the same */
};

/* What a recording left that did not come to its end. */
static void remove_leftovers(const step_recording *recording)
{
    int fd = dup(recording->objects);
    DIR *objects = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    (void)unlinkat(recording->dir, "manifest", 0);
    (void)unlinkat(recording->dir, "report.jsonl", 0);
    while (objects && (entry = readdir(objects)))
        if (sb_slice_starts(sb_slice_z(entry->d_name), SB_LIT(NEW_PREFIX)))
            (void)unlinkat(recording->objects, entry->d_name, 0);
    if (objects)
        closedir(objects);
    else if (fd >= 0)
        close(fd);
}

int step_recording_new(const char *dir, const sb_step_manifest *locked, step_recording **ret_recording,
                       sb_error **err)
{
    SB_AUTO(step_recording) recording = sb_new(step_recording);

    recording->dir = recording->objects = -1;
    recording->locked = locked;
    recording->used = sb_new_array(bool, locked->count + 1);
    recording->arena = sb_arena_new();
    recording->report = SB_BUF_INIT(STEP_REPORT_MAX);
    if (sb_open_dir(dir, &recording->dir, err) < 0)
        return -1;
    /* A run that was cut off may have left one behind. Bodies in it do no harm, its end would. */
    if (unlinkat(recording->dir, "done", 0) < 0 && errno != ENOENT)
        return sb_fail(err, SB_ERR_IO, "cannot remove %s/done: %s", dir, strerror(errno));
    (void)sb_remove_tree(recording->dir, "objects", NULL);
    if (mkdirat(recording->dir, "objects", 0777) < 0 && errno != EEXIST)
        return sb_fail(err, SB_ERR_IO, "cannot make %s/objects: %s", dir, strerror(errno));
    recording->objects = sb_open_beneath(recording->dir, "objects", O_RDONLY | O_DIRECTORY, 0, NULL, err);
    if (recording->objects < 0)
        return -1;
    remove_leftovers(recording);
    *ret_recording = SB_TAKE(recording);
    return 0;
}

void step_recording_free(step_recording *recording)
{
    if (!recording)
        return;
    if (recording->dir >= 0)
        close(recording->dir);
    if (recording->objects >= 0)
        close(recording->objects);
    free(recording->used);
    sb_arena_free(recording->arena);
    sb_buf_free(&recording->report);
    free(recording);
}

/* --- Bodies --- */

int step_body_file_begin(step_recording *recording, step_body_file *file, sb_error **err)
{
    unsigned char random[16];
    step_body_file f = {.fd = -1};
    size_t len = 0;

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return sb_fail(err, SB_ERR_IO, "no random bytes: %s", strerror(errno));
    len = (size_t)snprintf(f.name, sizeof(f.name), NEW_PREFIX);
    for (size_t i = 0; i < sizeof(random); i++)
        len += (size_t)snprintf(f.name + len, sizeof(f.name) - len, "%02x", random[i]);
    f.fd = openat(recording->objects, f.name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (f.fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write a recording: %s", strerror(errno));
    f.hasher = sb_hasher_new(SB_HASH_SHA256);
    *file = f;
    return 0;
}

bool step_body_file_add(step_body_file *file, sb_slice data)
{
    if (data.len > (UINT64_C(1) << SB_STEP_BODY_MAX_SHIFT) - file->size) {
        errno = EFBIG;
        return false;
    }
    sb_hasher_add(file->hasher, data.ptr, data.len);
    file->size += data.len;
    while (data.len) {
        ssize_t n = write(file->fd, data.ptr, data.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data = sb_slice_sub(data, (size_t)n, data.len);
    }
    return true;
}

/* Is the body what a token end point answers? *ret_body: what stands for it. */
static bool is_token(sb_arena *arena, int fd, uint64_t size, sb_slice url, sb_slice *ret_body)
{
    sb_autofree char *text = NULL;

    if (!size || size > TOKEN_MAX)
        return false;
    text = sb_malloc((size_t)size);
    return pread(fd, text, (size_t)size, 0) == (ssize_t)size &&
           sb_step_is_token_answer(url, sb_slice_of(text, (size_t)size), arena, ret_body);
}

static int name_object(step_recording *recording, const char *from, const sb_digest *digest, sb_error **err)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    if (renameat(recording->objects, from, recording->objects, hex) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write a recording: %s", strerror(errno));
    return 0;
}

int step_body_file_keep(step_recording *recording, step_body_file *file, sb_slice url, sb_digest *ret_digest,
                        uint64_t *ret_size, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    step_body_file other;
    sb_slice body;
    int status;

    if (!is_token(arena, file->fd, file->size, url, &body)) {
        sb_hasher_finish(file->hasher, ret_digest);
        *ret_size = file->size;
        if (name_object(recording, file->name, ret_digest, err) < 0)
            return -1;
        file->name[0] = '\0';
        return 0;
    }
    if (step_body_file_begin(recording, &other, err) < 0)
        return -1;
    status = step_body_file_add(&other, body) ? 0 : sb_fail(err, SB_ERR_IO, "cannot write a recording");
    if (status == 0) {
        sb_hasher_finish(other.hasher, ret_digest);
        *ret_size = other.size;
        status = name_object(recording, other.name, ret_digest, err);
        other.name[0] = '\0';
    }
    close(other.fd);
    step_body_file_end(recording, &other);
    return status;
}

void step_body_file_end(step_recording *recording, step_body_file *file)
{
    if (file->name[0])
        (void)unlinkat(recording->objects, file->name, 0);
    sb_hasher_free(file->hasher);
    *file = (step_body_file){.fd = -1};
}

int step_recording_open(const step_recording *recording, const sb_digest *digest)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    return openat(recording->objects, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- Answers --- */

/* Not the truth about what was asked for, but about that moment, or about who asked. */
static bool is_failure(unsigned status)
{
    return status == 401 || status == 407 || status == 429 || status >= 500;
}

/* Does this locked answer stand for a token? Without one the client would be sent away by the next server. */
static bool stands_for_token(step_server *server, const sb_step_request *locked)
{
    SB_AUTO(sb_arena) arena = NULL;
    sb_autoclose int fd = -1;
    sb_slice body;

    if (!locked->has_content || locked->size > TOKEN_MAX)
        return false;
    fd = step_objects_open(server->objects, &locked->digest, locked->size);
    arena = sb_arena_new();
    return fd >= 0 && is_token(arena, fd, locked->size, locked->url, &body);
}

const sb_step_request *step_recording_accepts(step_server *server, const sb_step_request *found)
{
    step_recording *recording = server->recording;
    size_t i;

    if (!found || is_failure(found->status) || stands_for_token(server, found))
        return NULL;
    i = (size_t)(found - recording->locked->requests);
    pthread_mutex_lock(&server->lock);
    /* With the turns before it; they are sorted so. */
    for (bool same = true; same;
         same = i-- > 0 && sb_step_same_question(found, &recording->locked->requests[i]))
        recording->used[i] = true;
    pthread_mutex_unlock(&server->lock);
    return found;
}

static sb_slice header_of(const sb_step_request *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (sb_slice_eqz(answer->headers[i].name, name))
            return answer->headers[i].value;
    return SB_NIL;
}

/* For a client: the same bytes with another Last-Modified are no other answer. */
static bool same_answer(const sb_step_request *a, const sb_step_request *b)
{
    static const char *const names[] = {"content-encoding", "content-type", "location"};

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (!sb_slice_eq(header_of(a, names[i]), header_of(b, names[i])))
            return false;
    return a->status == b->status && a->has_content == b->has_content && a->size == b->size &&
           (!a->has_content || sb_digest_eq(&a->digest, &b->digest));
}

static sb_step_header *keep_headers(sb_arena *arena, const sb_step_request *answer, size_t *ret_count)
{
    sb_step_header *kept = sb_arena_array(arena, sb_step_header, answer->header_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < answer->header_count; i++) {
        const sb_step_header *h = &answer->headers[i];

        if (sb_step_keeps_header(h->name) && step_is_text(h->value))
            kept[count++] =
                (sb_step_header){sb_arena_dup(arena, h->name),
                                 sb_arena_dup(arena, sb_step_header_value(arena, h->name, h->value))};
    }
    *ret_count = count;
    return kept;
}

/* What is recorded of an answer. */
static const sb_step_request *dup_answer(sb_arena *arena, const sb_step_request *answer)
{
    sb_step_request *copy = sb_arena_new_of(arena, sb_step_request);

    *copy = *answer;
    copy->method = sb_arena_dup(arena, answer->method);
    copy->url = sb_arena_dup(arena, answer->url);
    copy->wanted = sb_arena_array(arena, sb_step_header, answer->wanted_count + 1);
    for (size_t i = 0; i < answer->wanted_count; i++)
        copy->wanted[i] = (sb_step_header){sb_arena_dup(arena, answer->wanted[i].name),
                                           sb_arena_dup(arena, answer->wanted[i].value)};
    copy->headers = keep_headers(arena, answer, &copy->header_count);
    return copy;
}

void step_recording_add(step_server *server, step_asked *asked, const sb_step_request *answer)
{
    sb_arena *arena = server->recording->arena;
    const sb_step_request *copy;

    pthread_mutex_lock(&server->lock);
    copy = dup_answer(arena, answer);
    if (is_failure(answer->status))
        asked->failure = copy;
    else if (!asked->answer_count || !same_answer(asked->answers[asked->answer_count - 1], copy))
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
        *SB_PUSH(asked->answers, asked->answer_count, asked->answer_cap) = copy;
    pthread_mutex_unlock(&server->lock);
}

const sb_step_request *step_recording_latest(const step_asked *asked)
{
    const sb_step_request *latest = asked->answer_count ? asked->answers[asked->answer_count - 1] : NULL;

    return latest && latest->status == 200 && latest->has_content ? latest : NULL;
}

/* --- The report --- */

void step_server_report(step_server *server, const char *kind, sb_slice url, sb_slice text)
{
    sb_autojson *line = json_object();
    sb_autofree char *shown = sb_printable(text);
    sb_autobuf out = SB_BUF_INIT(SB_STEP_URL_MAX * 8);

    if (!server->recording)
        return;
    sb_json_set_strz(line, "kind", kind);
    sb_json_set_str(line, "url", url);
    if (text.ptr)
        sb_json_set_strz(line, "text", shown);
    if (sb_json_write(line, &out, NULL) < 0 || !sb_buf_addc(&out, '\n'))
        return;
    pthread_mutex_lock(&server->lock);
    if (sb_slice_find(sb_buf_slice(&server->recording->report), sb_buf_slice(&out)) < 0)
        (void)sb_buf_adds(&server->recording->report, sb_buf_slice(&out));
    pthread_mutex_unlock(&server->lock);
}

/* --- The end --- */

static int add_one(sb_step_manifest *manifest, const sb_step_request *answer, unsigned turn, sb_error **err)
{
    sb_step_request request = *answer;

    request.turn = turn;
    if (!sb_step_manifest_add(manifest, &request))
        return sb_fail(err, SB_ERR_LIMIT, "the step asks for more than %d things", SB_STEP_REQUESTS_MAX);
    return 0;
}

static int add_asked(sb_step_manifest *manifest, const step_asked *asked, sb_error **err)
{
    for (size_t i = 0; i < asked->answer_count; i++)
        if (add_one(manifest, asked->answers[i], (unsigned)i, err) < 0)
            return -1;
    if (!asked->answer_count && asked->failure)
        return add_one(manifest, asked->failure, 0, err);
    return 0;
}

int step_recording_finish(step_server *server, sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = sb_step_manifest_new();
    step_recording *recording = server->recording;
    sb_autobuf out = SB_BUF_INIT(SB_STEP_MANIFEST_MAX);
    int status = 0;

    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < recording->locked->count; i++)
        if (recording->used[i])
            (void)sb_step_manifest_add(manifest, &recording->locked->requests[i]);
    for (size_t i = 0; i < server->asked.slot_count; i++)
        for (const step_asked *asked = server->asked.slots[i]; asked && status == 0; asked = asked->next)
            status = add_asked(manifest, asked, err);
    pthread_mutex_unlock(&server->lock);
    if (status < 0 || sb_step_manifest_format(manifest, &out, err) < 0 ||
        sb_buf_check(&out, "the step's manifest", err) < 0 ||
        sb_write_file(recording->dir, "manifest", sb_buf_slice(&out), 0644, err) < 0)
        return -1;
    return sb_write_file(recording->dir, "report.jsonl",
                         recording->report.len ? sb_buf_slice(&recording->report) : SB_LIT(""), 0644, err);
}
