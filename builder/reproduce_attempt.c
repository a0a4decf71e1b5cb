// SPDX-License-Identifier: Apache-2.0
/*
 * One of the builds that are compared. It runs in a process of its own, since what changes for it (umask,
 * processors, host name) is a whole process's; what came out comes back as a JSON file.
 */
#include <builder/build_run.h>
#include <builder/engine.h>
#include <builder/origin.h>
#include <builder/reproduce.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>
#include <sbuild/progress.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MESSAGE_MAX = 16 << 20 };

/* --- In the child: conditions --- */

typedef struct told { /* what the child tells */
    json_t *message;
    json_t *varied, *fixed; /* of it */
} told;

static void note(json_t *list, const char *fmt, ...) SB_PRINTF(2, 3);

static void note(json_t *list, const char *fmt, ...)
{
    sb_autofree char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n >= 0)
        json_array_append_new(list, json_string(text));
}

static unsigned processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 0;
}

static void change_processors(const told *t)
{
    unsigned before = processors();
    cpu_set_t set, one;
    int first = 0;

    if (before < 2 || sched_getaffinity(0, sizeof(set), &set) < 0) {
        note(t->fixed, "processors: there is one only");
        return;
    }
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    if (sched_setaffinity(0, sizeof(one), &one) < 0)
        note(t->fixed, "processors: %s", strerror(errno));
    else
        note(t->varied, "processors: 1 instead of %u", before);
}

static void change_conditions(const sb_attempt *a, const told *t)
{
    mode_t before = umask(0), after = before == 077 ? 022 : 077;

    umask(after);
    note(t->varied, "umask: %04o instead of %04o", (unsigned)after, (unsigned)before);
    note(t->varied, "names of the directories that the engine gets");
    if (sb_engine_names_host(a->engine))
        note(t->varied, "host name of the steps: " SB_CHECK_HOST " instead of " SB_STEP_HOST);
    else
        note(t->varied, "host name of the steps: the engine gives each another one");
    if (a->engine->kind == SB_ENGINE_DOCKER)
        note(t->fixed, "processors: steps run in Docker's daemon, which has its own");
    else
        change_processors(t);
}

/* --- In the child: the build --- */

static json_t *origins_json(const sb_layer_origin *origins, const size_t *sources, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const sb_layer_origin *origin = &origins[sources[i]];

        json_array_append_new(list, json_pack("{s:I, s:i, s:s%}", "key", (json_int_t)origin->key, "line",
                                              (int)origin->line, "instruction", origin->instruction.ptr,
                                              origin->instruction.len));
    }
    return list;
}

static int read_config(sb_layout *layout, sb_arena *arena, const sb_digest *digest, sb_manifest *ret_manifest,
                       json_t **ret_config, sb_error **err)
{
    sb_slice raw;

    if (sb_layout_read(layout, arena, digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, ret_manifest, err) < 0 ||
        sb_layout_read(layout, arena, &ret_manifest->config.digest, SB_CONFIG_MAX, &raw, err) < 0)
        return -1;
    return sb_json_parse(raw, "the image configuration", ret_config, err);
}

static int build(const sb_attempt *a, const told *t, sb_error **err)
{
    SB_AUTO(sb_plan) plan = NULL;
    SB_AUTO(sb_layout) from = NULL;
    SB_AUTO(sb_layout) to = NULL;
    sb_autojson *config = NULL;
    sb_autofree size_t *sources = NULL;
    sb_autofree char *key = NULL;
    sb_autofree char *digest = NULL;
    sb_canonical_options canonical = *a->canonical;
    sb_layer_origin *origins;
    sb_digest manifest;
    sb_manifest parsed, made;
    sb_descriptor image;
    sb_slice layout, raw;

    if (sb_build_run(a->project, a->lock, a->options, a->engine, a->platform, &plan, &layout, &manifest,
                     err) < 0 ||
        sb_layout_open(layout.ptr, false, &from, err) < 0 || sb_layout_open(a->layout, true, &to, err) < 0 ||
        read_config(from, plan->arena, &manifest, &parsed, &config, err) < 0)
        return -1;
    origins = sb_layer_origins(plan->view, config, plan->base_layers, parsed.layer_count, plan->arena);
    sources = sb_new_array(size_t, parsed.layer_count + 1);
    canonical.epoch = a->lock->epoch;
    canonical.base_layers = plan->base_layers;
    canonical.sources = sources;
    if (sb_memo_key(plan, from, &manifest, &canonical, &key, err) < 0)
        return -1;
    if (sb_image_canonicalize(from, &manifest, &canonical, to, plan->arena, &image, err) < 0)
        return sb_wrap(err, "while making the canonical image");
    if (sb_layout_read(to, plan->arena, &image.digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(plan->arena, raw, SB_NIL, &made, err) < 0)
        return -1;
    digest = sb_digest_dup(&image.digest);
    sb_json_set_strz(t->message, "digest", digest);
    sb_json_set_strz(t->message, "memo-key", key);
    json_object_set_new(t->message, "size", json_integer((json_int_t)image.size));
    json_object_set_new(t->message, "base-layers", json_integer((json_int_t)plan->base_layers));
    json_object_set_new(t->message, "origins", origins_json(origins, sources, made.layer_count));
    if (a->engine->kind != SB_ENGINE_DOCKER)
        json_object_set_new(t->message, "cpus", json_integer((json_int_t)processors()));
    if (sb_engine_names_host(a->engine))
        sb_json_set_strz(t->message, "host", a->changed ? SB_CHECK_HOST : SB_STEP_HOST);
    (void)sb_remove_tree(plan->dirfd, "result", NULL);
    return 0;
}

typedef struct child_job {
    const sb_attempt *attempt;
    int fd; /* where the message goes */
} child_job;

static int work(void *ctx)
{
    const child_job *job = ctx;
    told t = {.message = json_object(), .varied = json_array(), .fixed = json_array()};
    sb_autobuf out = SB_BUF_INIT(MESSAGE_MAX);
    SB_AUTO(sb_error) err = NULL;

    if (job->attempt->changed)
        change_conditions(job->attempt, &t);
    if (build(job->attempt, &t, &err) < 0) {
        json_object_set_new(t.message, "error", json_integer((json_int_t)err->code));
        sb_json_set_strz(t.message, "message", err->message);
    }
    json_object_set_new(t.message, "varied", t.varied);
    json_object_set_new(t.message, "fixed", t.fixed);
    return sb_json_write(t.message, &out, NULL) < 0 ||
           sb_write_all(job->fd, out.data, out.len, "a message", NULL) < 0;
}

/* --- In the parent --- */

static sb_slice *read_notes(sb_arena *arena, const json_t *list, size_t *ret_count)
{
    sb_slice *notes = sb_arena_array(arena, sb_slice, json_array_size(list) + 1);

    for (size_t i = 0; i < json_array_size(list); i++)
        notes[i] = sb_arena_dup(arena, sb_slice_z(json_string_value(json_array_get(list, i))));
    *ret_count = json_array_size(list);
    return notes;
}

static int read_message(sb_attempt *a, const json_t *message, sb_error **err)
{
    json_t *origins = sb_json_array(message, "origins");
    int64_t code = sb_json_int(message, "error", 0);
    sb_slice text = sb_json_str(message, "message");

    if (code)
        return sb_fail(err, (sb_errc)code, "%" SB_FMT, SB_ARG(text));
    if (sb_digest_parse(sb_json_str(message, "digest"), &a->image.digest, err) < 0)
        return -1;
    a->image.media_type = SB_LIT(SB_MEDIA_OCI_MANIFEST);
    a->image.size = (uint64_t)sb_json_int(message, "size", 0);
    a->base_layers = (size_t)sb_json_int(message, "base-layers", 0);
    a->memo_key = sb_arena_strdup(a->arena, sb_json_str(message, "memo-key"));
    a->cpus = (unsigned)sb_json_int(message, "cpus", 0);
    a->host = sb_arena_dup(a->arena, sb_json_str(message, "host"));
    a->varied = read_notes(a->arena, sb_json_array(message, "varied"), &a->varied_count);
    a->fixed = read_notes(a->arena, sb_json_array(message, "fixed"), &a->fixed_count);
    a->origins = sb_arena_array(a->arena, sb_layer_origin, json_array_size(origins) + 1);
    for (size_t i = 0; i < json_array_size(origins); i++) {
        json_t *origin = json_array_get(origins, i);

        a->origins[i] =
            (sb_layer_origin){(size_t)sb_json_int(origin, "key", 0), (unsigned)sb_json_int(origin, "line", 0),
                              sb_arena_dup(a->arena, sb_json_str(origin, "instruction"))};
    }
    return 0;
}

int sb_attempt_run(sb_attempt *attempt, sb_error **err)
{
    sb_autoclose int fd = memfd_create("sbuild", MFD_CLOEXEC);
    child_job job = {attempt, fd};
    sb_autofree char *text = NULL;
    sb_autojson *message = NULL;
    int status = 0;
    size_t len;
    pid_t pid;

    if (fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a file in memory: %s", strerror(errno));
    if (sb_process_fork(work, &job, &pid, err) < 0 || sb_process_wait(pid, &status, err) < 0)
        return -1;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (status != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return sb_fail(err, SB_ERR_INTERNAL, "a build ended without a word");
    if (sb_read_fd(fd, "a build's message", MESSAGE_MAX, &text, &len, err) < 0 ||
        sb_json_parse(sb_slice_of(text, len), "a build's message", &message, err) < 0)
        return -1;
    return read_message(attempt, message, err);
}
