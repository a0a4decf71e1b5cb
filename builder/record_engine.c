// SPDX-License-Identifier: Apache-2.0
/*
 * Small builds beside the real one, that run the program of sealed steps and nothing else: to get at what is
 * in cache mounts, which no engine hands out, and to see what a step sees of the network. They work where the
 * builder is another machine, too.
 */
#include <builder/record.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/process.h>

#include <arpa/inet.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, OUTPUT_MAX = 4 << 20, NAMESERVERS_MAX = 8 };

static const char in_dir[] = "/.sbuild-recs", out_dir[] = "/export";

/* The first step that is wrapped says which program runs here. */
static sb_slice architecture(const sb_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].directory.ptr)
            return sb_seal_architecture(plan->arena, plan->steps[i].run.platform);
    return sb_seal_architecture(plan->arena, plan->platform);
}

static void begin_run(const sb_plan *plan, sb_buf *text)
{
    sb_slice arch = architecture(plan);

    sb_buf_printf(text,
                  "FROM scratch\nRUN --mount=type=bind,from=" SB_SEAL_CONTEXT ",source=program/%" SB_FMT
                  ",target=" SB_STEP_BIN_DIR " \\\n",
                  SB_ARG(arch));
}

static void mount_cache(sb_slice cache, const char *id, sb_buf *text)
{
    sb_buf_printf(text, "  --mount=type=cache,id=%" SB_FMT ",target=%s/%s,mode=0777,sharing=locked \\\n",
                  SB_ARG(cache), in_dir, id);
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

int sb_record_export(const sb_plan *plan, const sb_engine_ops *ops, const sb_slice *caches,
                     const char *const *ids, size_t count, const char **ret_path, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(TEXT_MAX);
    sb_argv argv = {.arena = plan->arena};
    sb_engine_job job = {.what = "taking the recordings", .quiet = true};
    const char *out;

    begin_run(plan, &text);
    for (size_t i = 0; i < count; i++)
        mount_cache(caches[i], ids[i], &text);
    sb_buf_addz(&text, "  [\"" SB_STEP_BIN_DIR "/" SB_STEP_PROGRAM "\",\"export\",");
    for (size_t i = 0; i < count; i++)
        sb_buf_printf(&text, "\"%s/%s\",", in_dir, ids[i]);
    sb_buf_printf(&text, "\"%s\"]\n", out_dir);
    if (sb_buf_check(&text, "what takes the recordings", err) < 0 ||
        prepare(plan, ops, "export", sb_buf_slice(&text), &argv, &out, err) < 0)
        return -1;
    job.argv = sb_argv_end(&argv);
    if (sb_engine_run(&job, err) < 0)
        return -1;
    forget(plan, ops, "export");
    *ret_path = sb_arena_printf(plan->arena, "%s%s", out, out_dir).ptr;
    return 0;
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

int sb_record_probe(const sb_plan *plan, const sb_engine_ops *ops, sb_arena *arena, sb_slice **ret_servers,
                    size_t *ret_count, sb_error **err)
{
    sb_autobuf text = SB_BUF_INIT(TEXT_MAX), output = SB_BUF_INIT(OUTPUT_MAX);
    sb_slice *servers = sb_arena_array(arena, sb_slice, NAMESERVERS_MAX);
    sb_argv argv = {.arena = plan->arena};
    sb_process_options options = {.output = &output, .errors = &output};
    sb_autojson *answer = NULL;
    size_t count = 0;
    const char *out;
    int status;

    begin_run(plan, &text);
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].cache.ptr)
            mount_cache(plan->steps[i].cache, plan->steps[i].run.id, &text);
    sb_buf_addz(&text, "  [\"" SB_STEP_BIN_DIR "/" SB_STEP_PROGRAM "\",\"probe\"");
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].cache.ptr)
            sb_buf_printf(&text, ",\"%s/%s\"", in_dir, plan->steps[i].run.id);
    sb_buf_addz(&text, "]\n");
    if (sb_buf_check(&text, "what opens the recordings", err) < 0 ||
        prepare(plan, ops, "probe", sb_buf_slice(&text), &argv, &out, err) < 0)
        return -1;
    options.argv = sb_argv_end(&argv);
    if (sb_process_run(&options, &status, err) < 0)
        return -1;
    forget(plan, ops, "probe");
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (status != 0 || find_answer(sb_buf_slice(&output), &answer) < 0) {
        /* Its own words tell why. */
        (void)sb_write_all(STDERR_FILENO, output.data ? output.data : "", output.len, "standard error", NULL);
        return sb_fail(err, SB_ERR_ENGINE,
                       "%" SB_FMT " cannot run steps that are recorded; its output says why",
                       SB_ARG(plan->engine->name));
    }
    read_servers(answer, arena, servers, &count);
    *ret_servers = servers;
    *ret_count = count;
    return 0;
}
