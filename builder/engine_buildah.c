// SPDX-License-Identifier: Apache-2.0
/*
 * Buildah, and Podman, which is Buildah inside. Daemonless; images are handed over as flat directories,
 * because its reader of OCI layouts does not take Docker's media types, and come back the same way. Docker's
 * image format is asked for, since the other one drops HEALTHCHECK and SHELL.
 */
#include <builder/engine.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <unistd.h>

static void probe_version(sb_engine *engine, sb_slice text, bool podman)
{
    /* "buildah version 1.28.2 (image-spec …)", "podman version 4.3.1" */
    for (int word = 0; word < 2; word++)
        (void)sb_slice_cut(&text, ' ');
    engine->version = sb_arena_dup(engine->arena, sb_slice_trim(sb_slice_cut(&text, ' ')));
    if (!sb_version_at_least(engine->version, podman ? 4 : 1, podman ? 3 : 28))
        engine->problem = sb_arena_printf(
            engine->arena, "%" SB_FMT " %" SB_FMT " is too old: %s is the oldest that can be used",
            SB_ARG(engine->name), SB_ARG(engine->version), podman ? "Podman 4.3" : "Buildah 1.28");
}

static int probe(sb_engine *engine, const char *builder, sb_error **err)
{
    const char *version_argv[] = {engine->program.ptr, "--version", NULL};
    const char *info_argv[] = {engine->program.ptr, "info", NULL};
    bool podman = engine->kind == SB_ENGINE_PODMAN;
    SB_AUTO(sb_error) problem = NULL;
    sb_slice text;

    if (builder)
        return sb_fail(err, SB_ERR_USAGE, "--builder is Docker's; %" SB_FMT " has none",
                       SB_ARG(engine->name));
    if (sb_engine_ask(engine->arena, version_argv, &text, &problem) < 0 ||
        (probe_version(engine, text, podman), 0) ||
        sb_engine_ask(engine->arena, info_argv, &text, &problem) < 0) {
        engine->problem =
            sb_arena_printf(engine->arena, "%s", problem ? problem->message : "it does not run");
        return 0;
    }
    engine->can = (sb_engine_abilities){
        .heredocs = sb_version_at_least(engine->version, podman ? 4 : 1, podman ? 8 : 33),
        .global_network = true,
        .tmpfs_private = true,
        .build_contexts = true,
        .copy_exclude = sb_version_at_least(engine->version, podman ? 5 : 1, podman ? 4 : 39),
        .copy_parents = sb_version_at_least(engine->version, podman ? 5 : 1, podman ? 6 : 41),
        .secrets = true,
        .ssh = true,
    };
    return 0;
}

/* --- Command --- */

static bool declares_arg(const sb_plan *plan, const char *name)
{
    const sb_dockerfile *df = plan->view->df;

    for (size_t i = 0; i < df->instruction_count; i++)
        for (size_t k = 0; df->instructions[i].keyword == SB_DF_ARG && k < df->instructions[i].pair_count;
             k++)
            if (sb_slice_eqz(df->instructions[i].pairs[k].key, name))
                return true;
    return false;
}

/* One name stands for one image here, whatever the platform. */
static int add_images(const sb_plan *plan, sb_argv *argv, sb_error **err)
{
    for (size_t i = 0; i < plan->image_count; i++) {
        const sb_plan_image *image = &plan->images[i];

        for (size_t k = 0; k < i; k++)
            if (sb_slice_eq(plan->images[k].text, image->text))
                return sb_fail(err, SB_ERR_ENGINE,
                               "%" SB_FMT " %" SB_FMT " cannot take %" SB_FMT
                               " for two platforms in one build; use --engine docker",
                               SB_ARG(plan->engine->name), SB_ARG(plan->engine->version),
                               SB_ARG(image->text));
        sb_argv_add(argv, "--build-context");
        sb_argv_addf(argv, "%" SB_FMT "=container-image://dir:%" SB_FMT, SB_ARG(image->text),
                     SB_ARG(image->directory));
    }
    return 0;
}

/* It has one network for all steps. */
static bool takes_network(const sb_plan *plan)
{
    return plan->options->offline || !plan->record;
}

/*
 * Buildah's steps share what Buildah has, when told to: then they have a host name that is no chance. It
 * forgets about --network=none as soon as anything is said about the host name, so that it needs an empty
 * network itself, which a cache in a registry does not allow.
 */
static bool shares_host(const sb_plan *plan)
{
    for (size_t i = 0; i < plan->options->engine_argument_count; i++)
        if (strncmp(plan->options->engine_arguments[i], "--cache-", 8) == 0)
            return false;
    return sb_engine_names_host(plan->engine);
}

static int command_for(const sb_plan *plan, bool host, sb_argv *argv, sb_error **err)
{
    const sb_build_options *options = plan->options;

    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(plan->engine->name));
    sb_argv_add(argv, "build");
    /* A layer per instruction, as everywhere else; no trace of the engine. */
    sb_argv_add(argv, "--layers");
    sb_argv_add(argv, "--format=docker");
    sb_argv_add(argv, "--identity-label=false");
    sb_argv_addf(argv, "--platform=%" SB_FMT, SB_ARG(plan->platform));
    if (options->target)
        sb_argv_addf(argv, "--target=%s", options->target);
    if (declares_arg(plan, "SOURCE_DATE_EPOCH"))
        sb_argv_addf(argv, "--build-arg=SOURCE_DATE_EPOCH=%lld", (long long)plan->lock->epoch);
    if (options->no_cache)
        sb_argv_add(argv, "--no-cache");
    if (takes_network(plan))
        sb_argv_add(argv, host ? "--network=host" : "--network=none");
    if (add_images(plan, argv, err) < 0)
        return -1;
    sb_argv_add_contexts(argv, plan);
    sb_argv_add_user(argv, plan);
    for (size_t i = 0; i < options->engine_argument_count; i++)
        sb_argv_add(argv, options->engine_arguments[i]);
    sb_argv_addf(argv, "--ignorefile=%" SB_FMT, SB_ARG(plan->ignore_path));
    sb_argv_addf(argv, "--file=%" SB_FMT, SB_ARG(plan->dockerfile_path));
    return 0;
}

static int command(const sb_plan *plan, sb_argv *argv, sb_error **err)
{
    return command_for(plan, false, argv, err);
}

/* --- Build --- */

/* The result as a flat directory with uncompressed layers, which are recompressed in one way anyway. */
static int take_result(const sb_plan *plan, const char *id, const char *layout, sb_digest *ret_manifest,
                       sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice dir = sb_arena_printf(arena, "%" SB_FMT "/flat", SB_ARG(plan->path));
    sb_slice dest = sb_arena_printf(arena, "dir:%" SB_FMT, SB_ARG(dir));
    const char *buildah[] = {"buildah", "push", "--quiet", "--disable-compression", id, dest.ptr, NULL};
    const char *podman[] = {"podman", "push", "--quiet", "--format=v2s2", id, dest.ptr, NULL};
    sb_slice out;

    if (sb_engine_move(arena, plan->engine->kind == SB_ENGINE_PODMAN ? podman : buildah, &out, err) < 0)
        return sb_wrap(err, "while taking the result");
    return sb_result_from_flat(dir.ptr, layout, ret_manifest, err);
}

/* With chroot isolation, --network none is accepted and does nothing. */
static bool must_unplug(const sb_plan *plan)
{
    const char *isolation = getenv("BUILDAH_ISOLATION");

    return takes_network(plan) && isolation && strcmp(isolation, "chroot") == 0;
}

static int build_image(const sb_plan *plan, sb_argv *argv, char **ret_id, sb_error **err)
{
    sb_slice iidfile = sb_arena_printf(argv->arena, "%" SB_FMT "/image-id", SB_ARG(plan->path));
    const char *host = plan->options->step_host ? plan->options->step_host : SB_STEP_HOST;
    bool shared = shares_host(plan);
    size_t id_len;

    if (command_for(plan, shared, argv, err) < 0)
        return -1;
    if (shared) {
        sb_argv_add(argv, "--uts=host");
        sb_argv_addf(argv, "--add-host=%s:127.0.0.1", host);
    }
    sb_argv_addf(argv, "--iidfile=%" SB_FMT, SB_ARG(iidfile));
    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(plan->context_path));
    if (sb_engine_build(plan, sb_argv_end(argv), must_unplug(plan) || (shared && takes_network(plan)),
                        shared ? host : NULL, err) < 0)
        return -1;
    return sb_read_file(AT_FDCWD, iidfile.ptr, 4096, ret_id, &id_len, NULL, err);
}

static int build(const sb_plan *plan, const char *layout, sb_digest *ret_manifest, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_argv argv = {.arena = arena};
    sb_autofree char *id = NULL;

    if (build_image(plan, &argv, &id, err) < 0)
        return -1;
    return take_result(plan, id, layout, ret_manifest, err);
}

/* One that somebody has named meanwhile stays: without --force only a nameless one goes. */
static void remove_image(const sb_plan *plan, const char *id)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const char *argv[] = {plan->engine->name.ptr, "rmi", id, NULL};
    sb_slice out;

    (void)sb_engine_ask(arena, argv, &out, NULL);
}

static int run(const sb_plan *plan, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_argv argv = {.arena = arena};
    sb_autofree char *id = NULL;

    if (build_image(plan, &argv, &id, err) < 0)
        return -1;
    remove_image(plan, id);
    return 0;
}

static void beside(const sb_plan *plan, const char *dir, const char *dest, sb_argv *argv)
{
    const sb_build_options *options = plan->options;

    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(plan->engine->name));
    sb_argv_add(argv, "build");
    sb_argv_add(argv, "--layers=false");
    sb_argv_add(argv, "--no-cache");
    sb_argv_addf(argv, "--platform=%" SB_FMT, SB_ARG(plan->platform));
    sb_argv_addf(argv, "--output=%s", dest);
    sb_argv_addf(argv, "--iidfile=%s/image-id", dir);
    sb_argv_add_contexts(argv, plan);
    for (size_t i = 0; i < options->engine_argument_count; i++)
        sb_argv_add(argv, options->engine_arguments[i]);
    sb_argv_addf(argv, "--file=%s/Dockerfile", dir);
    sb_argv_add(argv, dir);
}

static void forget(const sb_plan *plan, const char *dir)
{
    sb_autofree char *path = sb_path_join(dir, "image-id");
    sb_autofree char *id = NULL;
    size_t len;

    if (sb_read_file(AT_FDCWD, path, 4096, &id, &len, NULL, NULL) == 0)
        remove_image(plan, id);
}

/* --- Load and push --- */

/* From a flat directory the image comes in without a name. */
static int pull(const char *program, sb_arena *arena, sb_layout *layout, const sb_digest *manifest,
                sb_slice *ret_id, sb_error **err)
{
    sb_autofree char *dir = sb_temp_dir("sbuild-load", err);
    sb_slice source;
    int result = -1;

    if (!dir)
        return -1;
    source = sb_arena_printf(arena, "dir:%s", dir);
    if (sb_result_to_flat(layout, manifest, dir, err) == 0) {
        const char *argv[] = {program, "pull", "--quiet", source.ptr, NULL};

        result = sb_engine_move(arena, argv, ret_id, err);
    }
    (void)sb_remove_tree(AT_FDCWD, dir, NULL);
    return result;
}

static int load(const sb_engine *engine, sb_layout *layout, const sb_digest *manifest, size_t base_layers,
                const char *const *tags, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const char *program = engine->name.ptr;
    sb_slice id;

    /* It looks by itself which layers its storage has. */
    (void)base_layers;
    if (pull(program, arena, layout, manifest, &id, err) < 0)
        return -1;
    for (; tags && *tags; tags++) {
        const char *tag[] = {program, "tag", id.ptr, *tags, NULL};
        sb_slice out;

        if (sb_engine_ask(arena, tag, &out, err) < 0)
            return -1;
    }
    return 0;
}

static int push(const sb_engine *engine, const char *tag, sb_error **err)
{
    const char *argv[] = {engine->name.ptr, "push", tag, NULL};
    sb_engine_job job = {.argv = argv, .what = "the push"};

    return sb_engine_run(&job, err);
}

static void identify(const sb_engine *engine, const char *image, sb_argv *argv)
{
    bool podman = engine->kind == SB_ENGINE_PODMAN;

    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(engine->name));
    sb_argv_add(argv, "inspect");
    sb_argv_add(argv, "--type=image");
    sb_argv_add(argv, podman ? "--format={{.Id}}" : "--format={{.FromImageID}}");
    sb_argv_add(argv, image);
}

static void export(const sb_engine *engine, const char *image, sb_argv *argv)
{
    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(engine->name));
    sb_argv_add(argv, "push");
    sb_argv_add(argv, "--quiet");
    sb_argv_add(argv, image);
    sb_argv_add(argv, "docker-archive:/dev/stdout");
}

static const char *refuses(const sb_engine *engine, sb_slice name, sb_slice value)
{
    static const char *const docker_only[] = {"allow", "no-cache-filter"};

    (void)engine;
    for (size_t i = 0; i < SB_COUNT(docker_only); i++)
        if (sb_slice_eqz(name, docker_only[i]))
            return "it has no such option; use --engine docker";
    if ((sb_slice_eqz(name, "cache-from") || sb_slice_eqz(name, "cache-to")) &&
        sb_slice_find(value, SB_LIT("type=")) >= 0)
        return "it takes a repository here, not type=…";
    if (sb_slice_eqz(name, "provenance") || sb_slice_eqz(name, "sbom") || sb_slice_eqz(name, "attest"))
        return "it makes no attestations";
    return NULL;
}

const sb_engine_ops sb_engine_buildah = {
    .kind = SB_ENGINE_BUILDAH,
    .name = "buildah",
    .probe = probe,
    .command = command,
    .build = build,
    .run = run,
    .beside = beside,
    .forget = forget,
    .load = load,
    .push = push,
    .identify = identify,
    .export = export,
    .refuses = refuses,
};

const sb_engine_ops sb_engine_podman = {
    .kind = SB_ENGINE_PODMAN,
    .name = "podman",
    .probe = probe,
    .command = command,
    .build = build,
    .run = run,
    .beside = beside,
    .forget = forget,
    .load = load,
    .push = push,
    .identify = identify,
    .export = export,
    .refuses = refuses,
};
