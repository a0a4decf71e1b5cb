// SPDX-License-Identifier: Apache-2.0
/*
 * Docker with buildx. Where the result can be had as an OCI layout (the containerd image store, or a builder
 * of another driver) it is taken so; the classic image store neither reads nor writes layouts: there the
 * images come from a registry on loopback, and the result by `docker save`.
 */
#include <builder/engine.h>

#include <builder/archive.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/process.h>
#include <sbuild/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAVED_MAX_SHIFT = 40 }; /* 1 TiB of `docker save` */

/* --- Probe --- */

static void set_problem(sb_engine *engine, sb_slice problem)
{
    engine->problem = sb_arena_dup(engine->arena, problem);
}

static bool uses_containerd(const json_t *info)
{
    json_t *pairs = sb_json_array(info, "DriverStatus");

    for (size_t i = 0; i < json_array_size(pairs); i++) {
        json_t *pair = json_array_get(pairs, i);
        const char *key = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));

        if (key && value && strcmp(key, "driver-type") == 0 && strstr(value, "containerd.snapshotter"))
            return true;
    }
    return false;
}

static sb_slice plugin_version(const json_t *info, const char *name)
{
    json_t *plugins = sb_json_array(sb_json_object(info, "ClientInfo"), "Plugins");

    for (size_t i = 0; i < json_array_size(plugins); i++) {
        json_t *plugin = json_array_get(plugins, i);

        if (sb_slice_eqz(sb_json_str(plugin, "Name"), name))
            return sb_json_str(plugin, "Version");
    }
    return SB_NIL;
}

/* "Name: x", "Driver: y" of `docker buildx inspect`. */
static sb_slice inspect_field(sb_slice text, const char *field)
{
    while (text.ptr) {
        sb_slice value = sb_slice_cut(&text, '\n');
        sb_slice key = sb_slice_cut(&value, ':');

        if (value.ptr && sb_slice_eqz(sb_slice_trim(key), field))
            return sb_slice_trim(value);
    }
    return SB_NIL;
}

static void set_abilities(sb_engine *engine, sb_slice server, bool containerd, bool own_driver)
{
    bool layouts = containerd || !own_driver;

    engine->can = (sb_engine_abilities){
        .heredocs = true,
        .run_network = true,
        .global_network = true,
        .build_contexts = true,
        .layout_contexts = layouts,
        .containerd_store = containerd,
        .rewrite_timestamp = layouts,
        .copy_link = true,
        /* The frontend is the builder's own with another driver, and that is as new as one likes. */
        .copy_exclude = !own_driver || sb_version_at_least(server, 29, 0),
        .copy_parents = !own_driver || sb_version_at_least(server, 29, 0),
        .add_checksum = true,
        .add_unpack = !own_driver || sb_version_at_least(server, 28, 2),
        .secrets = true,
        .env_secrets = !own_driver || sb_version_at_least(server, 28, 0),
        .ssh = true,
        .frontends = true,
        .workdir_layer = true,
    };
}

static int probe(sb_engine *engine, const char *builder, sb_error **err)
{
    const char *info_argv[] = {engine->program.ptr, "info", "--format", "{{json .}}", NULL};
    const char *inspect_argv[] = {engine->program.ptr, "buildx", "inspect", builder, NULL};
    sb_autojson *info = NULL;
    SB_AUTO(sb_error) problem = NULL;
    sb_slice text, server, buildx, driver, name;

    (void)err;
    if (sb_engine_ask(engine->arena, info_argv, &text, &problem) < 0 ||
        sb_json_parse(text, "docker info", &info, &problem) < 0 || !sb_json_str(info, "ServerVersion").len) {
        sb_slice reason = problem ? sb_slice_z(problem->message) : SB_LIT("its daemon does not answer");

        set_problem(engine,
                    sb_arena_printf(engine->arena, "Docker cannot be used: %" SB_FMT, SB_ARG(reason)));
        return 0;
    }
    server = sb_arena_dup(engine->arena, sb_json_str(info, "ServerVersion"));
    buildx = plugin_version(info, "buildx");
    if (!buildx.len) {
        set_problem(engine, SB_LIT("Docker lacks its buildx plugin (package docker-buildx or "
                                   "docker-buildx-plugin)"));
        return 0;
    }
    engine->version =
        sb_arena_printf(engine->arena, "%" SB_FMT " (buildx %" SB_FMT ")", SB_ARG(server), SB_ARG(buildx));
    if (!sb_version_at_least(server, 23, 0) || !sb_version_at_least(buildx, 0, 10)) {
        set_problem(engine,
                    sb_arena_printf(engine->arena,
                                    "Docker %" SB_FMT " is too old: Docker 23 with buildx 0.10 is the "
                                    "oldest that can be used",
                                    SB_ARG(engine->version)));
        return 0;
    }
    if (sb_engine_ask(engine->arena, inspect_argv, &text, &problem) < 0) {
        set_problem(engine, sb_slice_z(problem->message));
        return 0;
    }
    driver = inspect_field(text, "Driver");
    name = inspect_field(text, "Name");
    engine->builder =
        sb_arena_printf(engine->arena, "%" SB_FMT " (%" SB_FMT ")", SB_ARG(name), SB_ARG(driver));
    set_abilities(engine, server, uses_containerd(info), sb_slice_eqz(driver, "docker"));
    return 0;
}

/* --- Command --- */

static void add_image(const sb_plan *plan, const sb_plan_image *image, sb_argv *argv)
{
    char digest[SB_DIGEST_TEXT];
    sb_image_ref ref;
    sb_slice tag;

    if (sb_image_ref_parse(argv->arena, image->text, &ref, NULL) < 0)
        return;
    sb_digest_format(&image->digest, digest);
    tag = ref.tag.len ? ref.tag : SB_LIT("locked");
    if (plan->engine->can.layout_contexts) {
        sb_argv_add(argv, "--build-context");
        sb_argv_addf(argv, "%" SB_FMT "=oci-layout://%" SB_FMT ":%" SB_FMT "@%s", SB_ARG(image->text),
                     SB_ARG(image->layout), SB_ARG(tag), digest);
    } else if (plan->registry.len) {
        sb_argv_add(argv, "--build-context");
        sb_argv_addf(argv, "%" SB_FMT "=docker-image://%" SB_FMT "/%" SB_FMT "@%s", SB_ARG(image->text),
                     SB_ARG(plan->registry), SB_ARG(ref.repository), digest);
    }
}

/* An index serves all platforms; without its triggers an image is one platform's, and a name means one image.
 */
static int check_names(const sb_plan *plan, sb_error **err)
{
    for (size_t i = 0; i < plan->image_count; i++)
        for (size_t k = 0; k < i; k++)
            if (sb_slice_eq(plan->images[k].text, plan->images[i].text) &&
                !sb_digest_eq(&plan->images[k].digest, &plan->images[i].digest))
                return sb_fail(err, SB_ERR_ENGINE,
                               "%" SB_FMT
                               " has ONBUILD triggers and is wanted for two platforms in one build, "
                               "which cannot be supplied; build on it for one platform",
                               SB_ARG(plan->images[i].text));
    return 0;
}

static int command(const sb_plan *plan, sb_argv *argv, sb_error **err)
{
    const sb_build_options *options = plan->options;

    if (check_names(plan, err) < 0)
        return -1;
    sb_argv_add(argv, "docker");
    sb_argv_add(argv, "buildx");
    sb_argv_add(argv, "build");
    if (options->builder)
        sb_argv_addf(argv, "--builder=%s", options->builder);
    sb_argv_addf(argv, "--progress=%s",
                 options->quiet      ? "plain" /* not shown, but looked through */
                 : options->progress ? options->progress
                                     : "auto");
    /* The canonical image carries none, and one that is not there cannot differ. */
    sb_argv_add(argv, "--provenance=false");
    sb_argv_addf(argv, "--platform=%" SB_FMT, SB_ARG(plan->platform));
    if (options->target)
        sb_argv_addf(argv, "--target=%s", options->target);
    sb_argv_addf(argv, "--build-arg=SOURCE_DATE_EPOCH=%lld", (long long)plan->lock->epoch);
    if (options->step_host)
        sb_argv_addf(argv, "--build-arg=BUILDKIT_SANDBOX_HOSTNAME=%s", options->step_host);
    if (options->no_cache)
        sb_argv_add(argv, "--no-cache");
    if (options->offline)
        sb_argv_add(argv, "--network=none");
    for (size_t i = 0; i < plan->image_count; i++)
        add_image(plan, &plan->images[i], argv);
    sb_argv_add_contexts(argv, plan);
    sb_argv_add_user(argv, plan);
    for (size_t i = 0; i < options->engine_argument_count; i++)
        sb_argv_add(argv, options->engine_arguments[i]);
    sb_argv_addf(argv, "--file=%" SB_FMT, SB_ARG(plan->dockerfile_path));
    return 0;
}

/* --- Build --- */

/* The classic image store: build into it, save, and leave no nameless image behind. */
static int build_classic(const sb_plan *plan, const char *layout, sb_argv *argv, sb_digest *ret_manifest,
                         sb_error **err)
{
    sb_slice iidfile = sb_arena_printf(argv->arena, "%" SB_FMT "/image-id", SB_ARG(plan->path));
    sb_slice archive = sb_arena_printf(argv->arena, "%" SB_FMT "/saved.tar", SB_ARG(plan->path));
    sb_slice saved = sb_arena_printf(argv->arena, "%" SB_FMT "/saved", SB_ARG(plan->path));
    sb_autofree char *id = NULL;
    size_t id_len;
    sb_autoclose int fd = -1;
    sb_autoclose int dir = -1;
    sb_slice out;

    sb_argv_addf(argv, "--iidfile=%" SB_FMT, SB_ARG(iidfile));
    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(plan->context_path));
    if (sb_engine_build(plan, sb_argv_end(argv), false, NULL, err) < 0 ||
        sb_read_file(AT_FDCWD, iidfile.ptr, 4096, &id, &id_len, NULL, err) < 0)
        return -1;
    {
        const char *save[] = {"docker", "save", "--output", archive.ptr, id, NULL};
        const char *names[] = {"docker", "image", "inspect", "--format", "{{json .RepoTags}}", id, NULL};
        const char *clean[] = {"docker", "image", "rm", id, NULL};

        if (sb_engine_work(argv->arena, save, -1, &out, err) < 0)
            return -1;
        if (sb_engine_ask(argv->arena, names, &out, err) < 0)
            return -1;
        /* Its layers stay in the build cache. One that somebody has named is not ours to remove. */
        if (sb_slice_eqz(out, "[]") || sb_slice_eqz(out, "null"))
            (void)sb_engine_ask(argv->arena, clean, &out, NULL);
    }
    fd = open(archive.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot open %" SB_FMT ": %s", SB_ARG(archive), strerror(errno));
    if (sb_mkdirs(saved.ptr, err) < 0 || sb_open_dir(saved.ptr, &dir, err) < 0 ||
        sb_tree_unpack(fd, dir, UINT64_C(1) << SAVED_MAX_SHIFT, err) < 0)
        return sb_wrap(err, "while unpacking what docker saved");
    (void)unlink(archive.ptr);
    return sb_result_from_archive(saved.ptr, layout, ret_manifest, err);
}

static int build(const sb_plan *plan, const char *layout, sb_digest *ret_manifest, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_argv argv = {.arena = arena};

    if (command(plan, &argv, err) < 0)
        return -1;
    if (!plan->engine->can.layout_contexts)
        return build_classic(plan, layout, &argv, ret_manifest, err);
    sb_argv_addf(&argv, "--output=type=oci,dest=%s,tar=false,compression=uncompressed", layout);
    sb_argv_addf(&argv, "%" SB_FMT, SB_ARG(plan->context_path));
    if (sb_engine_build(plan, sb_argv_end(&argv), false, NULL, err) < 0)
        return -1;
    return sb_result_manifest(layout, ret_manifest, err);
}

/* Without an exporter the result stays in the build cache alone. */
static int run(const sb_plan *plan, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_argv argv = {.arena = arena};

    if (command(plan, &argv, err) < 0)
        return -1;
    sb_argv_add(&argv, "--output=type=cacheonly");
    sb_argv_addf(&argv, "%" SB_FMT, SB_ARG(plan->context_path));
    return sb_engine_build(plan, sb_argv_end(&argv), false, NULL, err);
}

static void beside(const sb_plan *plan, const char *dir, const char *dest, sb_argv *argv)
{
    const sb_build_options *options = plan->options;

    sb_argv_add(argv, "docker");
    sb_argv_add(argv, "buildx");
    sb_argv_add(argv, "build");
    if (options->builder)
        sb_argv_addf(argv, "--builder=%s", options->builder);
    sb_argv_add(argv, "--progress=plain");
    sb_argv_add(argv, "--provenance=false");
    sb_argv_addf(argv, "--platform=%" SB_FMT, SB_ARG(plan->platform));
    sb_argv_addf(argv, "--output=type=local,dest=%s", dest);
    sb_argv_add_contexts(argv, plan);
    for (size_t i = 0; i < options->engine_argument_count; i++)
        sb_argv_add(argv, options->engine_arguments[i]);
    sb_argv_addf(argv, "--file=%s/Dockerfile", dir);
    sb_argv_add(argv, dir);
}

/* --- Load and push --- */

/* How many of the first layers the engine has: those that it built on, and those of an older image of that
 * name. */
static size_t known_layers(sb_arena *arena, sb_layout *layout, const sb_digest *manifest, size_t base_layers,
                           const char *tag)
{
    const char *argv[] = {"docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", tag, NULL};
    sb_autojson *layers = NULL;
    sb_image_config config;
    sb_manifest parsed;
    sb_slice text, raw;
    size_t same = 0;

    if (!tag || sb_engine_ask(arena, argv, &text, NULL) < 0 ||
        sb_json_parse(text, "docker image inspect", &layers, NULL) < 0 ||
        sb_layout_read(layout, arena, manifest, SB_MANIFEST_MAX, &raw, NULL) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &parsed, NULL) < 0 ||
        sb_layout_read(layout, arena, &parsed.config.digest, 8 << 20, &raw, NULL) < 0 ||
        sb_image_config_parse(arena, raw, &config, NULL) < 0)
        return base_layers;
    while (same < config.diff_id_count && same < json_array_size(layers) &&
           sb_slice_eqz(config.diff_ids[same], json_string_value(json_array_get(layers, same))))
        same++;
    return same > base_layers ? same : base_layers;
}

typedef struct archive_job {
    sb_layout *layout;
    const sb_digest *manifest;
    size_t omit;
    int from, to; /* the ends of a pipe */
} archive_job;

static int write_to_pipe(void *ctx)
{
    const archive_job *job = ctx;

    close(job->from);
    return sb_image_write_archive(job->layout, job->manifest, NULL, job->omit, job->to, NULL) < 0;
}

/* `docker load` reads while a child of ours writes. */
static int feed_archive(sb_arena *arena, sb_layout *layout, const sb_digest *manifest, size_t omit,
                        sb_error **err)
{
    static const char *const argv[] = {"docker", "load", "--quiet", NULL};
    archive_job job = {.layout = layout, .manifest = manifest, .omit = omit};
    int ends[2], status = 0, result;
    sb_slice out;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a pipe: %s", strerror(errno));
    job.from = ends[0];
    job.to = ends[1];
    result = sb_process_fork(write_to_pipe, &job, &pid, err);
    close(ends[1]);
    if (result < 0) {
        close(ends[0]);
        return -1;
    }
    result = sb_engine_work(arena, argv, ends[0], &out, err);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (result == 0 && status != 0)
        return sb_fail(err, SB_ERR_IO, "the archive for \"docker load\" could not be written");
    return result;
}

static bool has_image(sb_arena *arena, const char *id)
{
    const char *argv[] = {"docker", "image", "inspect", "--format", "{{.Id}}", id, NULL};
    sb_slice found;

    return sb_engine_ask(arena, argv, &found, NULL) == 0 && sb_slice_eqz(found, id);
}

static int load(const sb_engine *engine, sb_layout *layout, const sb_digest *manifest, size_t base_layers,
                const char *const *tags, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char id[SB_DIGEST_TEXT];
    sb_manifest parsed;
    sb_slice raw, out;

    if (sb_layout_read(layout, arena, manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &parsed, err) < 0)
        return -1;
    /* With the containerd store an image goes by its manifest, else by its config. */
    sb_digest_format(engine->can.containerd_store ? manifest : &parsed.config.digest, id);
    if (!has_image(arena, id)) {
        size_t omit = known_layers(arena, layout, manifest, base_layers, tags ? tags[0] : NULL);

        /* What the engine had may be gone meanwhile: then it gets the whole. */
        if (feed_archive(arena, layout, manifest, omit, NULL) < 0 &&
            feed_archive(arena, layout, manifest, 0, err) < 0)
            return -1;
    }
    for (; tags && *tags; tags++) {
        const char *tag[] = {"docker", "tag", id, *tags, NULL};

        if (sb_engine_ask(arena, tag, &out, err) < 0)
            return -1;
    }
    return 0;
}

static int push(const sb_engine *engine, const char *tag, sb_error **err)
{
    const char *argv[] = {"docker", "push", tag, NULL};
    sb_engine_job job = {.argv = argv, .what = "the push"};

    (void)engine;
    return sb_engine_run(&job, err);
}

static void identify(const sb_engine *engine, const char *image, sb_argv *argv)
{
    (void)engine;
    sb_argv_add(argv, "docker");
    sb_argv_add(argv, "image");
    sb_argv_add(argv, "inspect");
    sb_argv_add(argv, "--format={{.Id}}");
    sb_argv_add(argv, image);
}

static void export(const sb_engine *engine, const char *image, sb_argv *argv)
{
    (void)engine;
    sb_argv_add(argv, "docker");
    sb_argv_add(argv, "save");
    sb_argv_add(argv, image);
}

static const char *refuses(const sb_engine *engine, sb_slice name, sb_slice value)
{
    (void)engine;
    if ((sb_slice_eqz(name, "provenance") || sb_slice_eqz(name, "sbom") || sb_slice_eqz(name, "attest")) &&
        !sb_slice_eqz(value, "false"))
        return "the canonical image carries no attestations";
    return NULL;
}

const sb_engine_ops sb_engine_docker = {
    .kind = SB_ENGINE_DOCKER,
    .name = "docker",
    .probe = probe,
    .command = command,
    .build = build,
    .run = run,
    .beside = beside,
    .load = load,
    .push = push,
    .identify = identify,
    .export = export,
    .refuses = refuses,
};
