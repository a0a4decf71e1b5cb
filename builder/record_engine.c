// SPDX-License-Identifier: Apache-2.0
/*
 * Small builds beside the real one, that run the program of sealed steps and nothing else: to get at what is
 * in cache mounts, which no engine hands out, and to see what a step sees of the network. They work where the
 * builder is another machine, too.
 */
#include <builder/record.h>

#include <builder/contexts.h>
#include <builder/step_program.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/process.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, OUTPUT_MAX = 4 << 20, NAMESERVERS_MAX = 8, ROOM_MIN = 1 << 20 };

#define OUT_DIR "/export"
static const char in_dir[] = "/.sbuild-recs";

/* The first step that is wrapped says which program runs here. */
static sb_slice architecture(const sb_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].directory.ptr)
            return sb_seal_architecture(plan->arena, plan->steps[i].run.platform);
    return sb_seal_architecture(plan->arena, plan->platform);
}

/* Never from an engine's cache: what is in cache mounts is not part of its key. (And not --no-cache, which
 * makes cache mounts empty in newer BuildKits.) */
static int begin_run(const sb_plan *plan, sb_buf *text, sb_error **err)
{
    sb_slice arch = architecture(plan);
    char nonce[SB_NONCE_LEN + 1];

    if (sb_record_nonce(nonce, err) < 0)
        return -1;
    sb_buf_printf(text,
                  "FROM scratch\nENV SBUILD_RUN=%s\nRUN --mount=type=bind,from=" SB_SEAL_CONTEXT
                  ",source=program/%" SB_FMT ",target=" SB_STEP_BIN_DIR " \\\n",
                  nonce, SB_ARG(arch));
    return 0;
}

/* Makes the directory `name` below the plan's, with this Dockerfile: *argv builds it into NAME-out. */
static int prepare(const sb_plan *plan, const sb_engine_ops *ops, const char *name, sb_slice text,
                   sb_argv *argv, const char **ret_out, sb_error **err)
{
    const char *dir = sb_arena_printf(plan->arena, "%" SB_FMT "/%s", SB_ARG(plan->path), name).ptr;
    const char *dest = sb_arena_printf(plan->arena, "%s-out", dir).ptr;
    sb_autofree char *dockerfile = sb_path_join(name, "Dockerfile");
    sb_autofree char *out = sb_asprintf("%s-out", name);

    if (sb_remove_tree(plan->dirfd, name, err) < 0 || sb_remove_tree(plan->dirfd, out, err) < 0 ||
        sb_mkdirs_beneath(plan->dirfd, name, err) < 0 || sb_mkdirs_beneath(plan->dirfd, out, err) < 0 ||
        sb_write_file(plan->dirfd, dockerfile, text, 0644, err) < 0)
        return -1;
    ops->beside(plan, dir, dest, argv);
    *ret_out = dest;
    return 0;
}

static void forget(const sb_plan *plan, const sb_engine_ops *ops, const char *name)
{
    if (ops->forget)
        ops->forget(plan, sb_arena_printf(plan->arena, "%" SB_FMT "/%s", SB_ARG(plan->path), name).ptr);
}

/* Of cache mounts: ids of the mounts, and of the steps that record into them. */
static int add_command(const sb_plan *plan, const char *command, const char *last, const sb_slice *caches,
                       const char *const *ids, size_t count, sb_buf *text, sb_error **err)
{
    if (begin_run(plan, text, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        sb_buf_printf(text, "  --mount=type=cache,id=%" SB_FMT ",target=%s/%s,sharing=locked \\\n",
                      SB_ARG(caches[i]), in_dir, ids[i]);
    sb_buf_printf(text, "  [\"" SB_STEP_BIN_DIR "/" SB_STEP_PROGRAM "\",\"%s\"", command);
    for (size_t i = 0; i < count; i++)
        sb_buf_printf(text, ",\"%s/%s\"", in_dir, ids[i]);
    sb_buf_printf(text, "%s]\n", last);
    return sb_buf_check(text, "a build beside the real one", err);
}

/* Not every engine says it in a way that anybody could understand. */
static bool is_full(int dirfd)
{
    struct statvfs fs;

    return fstatvfs(dirfd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_MIN;
}

/* The program's `command` with the directories of these cache mounts as its arguments. */
static int run_with_caches(const sb_plan *plan, const sb_engine_ops *ops, const char *command,
                           const char *last, const sb_slice *caches, const char *const *ids, size_t count,
                           const char **ret_out, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(TEXT_MAX);
    sb_argv argv = {.arena = plan->arena};
    sb_engine_job job = {.what = "taking the recordings", .quiet = true};
    SB_AUTO(sb_error) failed = NULL;

    if (add_command(plan, command, last, caches, ids, count, &text, err) < 0 ||
        prepare(plan, ops, command, sb_buf_slice(&text), &argv, ret_out, err) < 0)
        return -1;
    job.argv = sb_argv_end(&argv);
    job.env = plan->record->environment;
    if (sb_engine_run(&job, &failed) < 0)
        return is_full(plan->dirfd) ? sb_fail(err, SB_ERR_IO, "%s failed: no space left in %" SB_FMT,
                                              job.what, SB_ARG(plan->path))
                                    : sb_fail(err, failed->code, "%s", failed->message);
    forget(plan, ops, command);
    return 0;
}

int sb_record_export(const sb_plan *plan, const sb_engine_ops *ops, const sb_slice *caches,
                     const char *const *ids, size_t count, const char **ret_path, sb_error **err)
{
    const char *out;

    if (run_with_caches(plan, ops, "export", ",\"" OUT_DIR "\"", caches, ids, count, &out, err) < 0)
        return -1;
    *ret_path = sb_arena_printf(plan->arena, "%s" OUT_DIR, out).ptr;
    return 0;
}

void sb_record_discard(const sb_plan *plan, const sb_engine_ops *ops, const sb_slice *caches,
                       const char *const *ids, size_t count)
{
    const char *out;

    /* Docker removes what was not used for long by itself. What stays costs room and nothing else. */
    if (count && plan->engine->kind != SB_ENGINE_DOCKER)
        (void)run_with_caches(plan, ops, "forget", "", caches, ids, count, &out, NULL);
}

/* --- What a step sees --- */

/* Engines put numbers and times before what a step prints. */
static int find_answer(sb_slice output, json_t **ret_answer)
{
    const sb_slice mark = SB_LIT("\"nameservers\":[");

    while (output.ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&output, '\n'));
        ptrdiff_t at = sb_slice_chr(line, '{');

        if (at >= 0 && sb_slice_find(line, mark) >= 0 &&
            sb_json_parse(sb_slice_sub(line, (size_t)at, line.len), "probe", ret_answer, NULL) == 0)
            return 0;
    }
    return -1;
}

static void read_servers(const json_t *answer, sb_arena *arena, sb_slice *servers, size_t *count)
{
    const json_t *list = sb_json_array(answer, "nameservers");

    for (size_t i = 0; i < json_array_size(list) && *count < NAMESERVERS_MAX; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct in6_addr address;

        if (text && (inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1))
            servers[(*count)++] = sb_arena_dup(arena, sb_slice_z(text));
    }
}

/* A plan of nothing but the program: contexts are copied once, for the real one. */
static int make_bare(sb_plan *plan, sb_error **err)
{
    sb_autofree char *scratch = NULL, *program = NULL;
    sb_autoclose int fd = -1, from = -1, dir = -1;
    sb_slice arch = sb_seal_architecture(plan->arena, plan->platform);
    sb_plan_context *context = sb_arena_new_of(plan->arena, sb_plan_context);
    const char *where = sb_arena_printf(plan->arena, "context/program/%" SB_FMT, SB_ARG(arch)).ptr;

    if (sb_project_scratch(plan->project, &fd, &scratch, err) < 0 ||
        sb_remove_tree(fd, "record-probe", err) < 0 ||
        sb_plan_new_dir(fd, "record-probe", &plan->dirfd, err) < 0 ||
        sb_step_program(plan->platform, &program, err) < 0)
        return -1;
    from = open(program, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", program, strerror(errno));
    if (sb_plan_new_dir(plan->dirfd, where, &dir, err) < 0 ||
        sb_plan_write_file(dir, SB_LIT(SB_STEP_PROGRAM), 0755, plan->lock->epoch, from, SB_NIL, err) < 0)
        return -1;
    plan->path = sb_arena_printf(plan->arena, "%s/record-probe", scratch);
    *context =
        (sb_plan_context){.name = SB_LIT(SB_SEAL_CONTEXT),
                          .path = sb_arena_printf(plan->arena, "%" SB_FMT "/context", SB_ARG(plan->path))};
    plan->contexts = context;
    plan->context_count = 1;
    return 0;
}

static int probe(sb_recorder *r, const sb_plan *plan, const sb_slice *caches, const char *const *ids,
                 size_t count, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(TEXT_MAX), output = SB_BUF_INIT(OUTPUT_MAX);
    sb_argv argv = {.arena = plan->arena};
    sb_process_options options = {.output = &output, .errors = &output};
    sb_autojson *answer = NULL;
    const char *out;
    int status;

    if (add_command(plan, "probe", "", caches, ids, count, &text, err) < 0 ||
        prepare(plan, r->ops, "probe", sb_buf_slice(&text), &argv, &out, err) < 0)
        return -1;
    options.argv = sb_argv_end(&argv);
    options.env = r->environment;
    if (sb_process_run(&options, &status, err) < 0)
        return -1;
    forget(plan, r->ops, "probe");
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (status != 0 || find_answer(sb_buf_slice(&output), &answer) < 0) {
        /* Its own words tell why. */
        (void)sb_write_all(STDERR_FILENO, output.data ? output.data : "", output.len, "standard error", NULL);
        return sb_fail(err, SB_ERR_ENGINE,
                       "%" SB_FMT " cannot run steps that are recorded; its output says why",
                       SB_ARG(plan->engine->name));
    }
    r->nameservers = sb_arena_array(r->arena, sb_slice, NAMESERVERS_MAX);
    r->nameserver_count = 0;
    read_servers(answer, r->arena, r->nameservers, &r->nameserver_count);
    return 0;
}

int sb_record_probe(sb_recorder *r, const sb_build_options *options, sb_slice platform,
                    const sb_slice *caches, const char *const *ids, size_t count, sb_error **err)
{
    sb_plan plan = {.arena = r->arena,
                    .project = r->project,
                    .lock = r->lock,
                    .options = options,
                    .engine = r->engine,
                    .platform = platform,
                    .dirfd = -1};
    int result = make_bare(&plan, err);

    if (result == 0)
        result = probe(r, &plan, caches, ids, count, err);
    sb_closep(&plan.dirfd);
    if (plan.path.ptr)
        (void)sb_remove_tree(AT_FDCWD, plan.path.ptr, NULL);
    return result;
}
