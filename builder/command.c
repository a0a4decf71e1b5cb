// SPDX-License-Identifier: Apache-2.0
/* The pinned Dockerfile and the engine's command, for people: `sbuild rewrite`. */
#include <builder/engine.h>

static void add_result(const sb_plan *plan, sb_argv *argv)
{
    for (size_t i = 0; plan->options->tags && i < plan->options->tag_count; i++)
        sb_argv_addf(argv, "--tag=%s", plan->options->tags[i]);
    sb_argv_addf(argv, "%" SB_FMT, SB_ARG(plan->context_path));
}

/* Where images come from a registry that only "sbuild build" runs, a printed command takes them from their
 * own. */
static int check_images(const sb_plan *plan, sb_error **err)
{
    if (plan->engine->can.layout_contexts || plan->engine->kind != SB_ENGINE_DOCKER)
        return 0;
    for (size_t i = 0; i < plan->image_count; i++)
        if (plan->images[i].strip || plan->options->offline)
            return sb_fail(
                err, SB_ERR_ENGINE,
                "Docker's classic image store cannot take %" SB_FMT
                " from a layout, so only \"sbuild build\" can build this there; switch on the containerd "
                "image store, or use --engine buildah",
                SB_ARG(plan->images[i].text));
    return 0;
}

int sb_rewrite_make(sb_project *project, const sb_build_options *options, sb_rewrite *ret_rewrite,
                    sb_error **err)
{
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_engine) engine = NULL;
    SB_AUTO(sb_plan) plan = NULL;
    sb_autoclose int exclusive = -1;
    sb_argv argv = {0};

    if (options->platforms && options->platforms[0] && options->platforms[1])
        return sb_fail(err, SB_ERR_USAGE, "a rewritten Dockerfile is of one platform; name one --platform");
    if (sb_lock_load(project, &lock, err) < 0 ||
        sb_engine_select(options->engine, options->builder, &engine, err) < 0 ||
        sb_project_exclusive(project, &exclusive, err) < 0 ||
        sb_plan_make(project, lock, options, engine, options->platforms ? options->platforms[0] : NULL, NULL,
                     &plan, err) < 0)
        return -1;
    argv.arena = plan->arena;
    if (check_images(plan, err) < 0 || sb_engine_ops_of(engine->kind)->command(plan, &argv, err) < 0)
        return -1;
    add_result(plan, &argv);
    ret_rewrite->command = sb_new_array(char *, argv.count + 1);
    for (size_t i = 0; i < argv.count; i++)
        ret_rewrite->command[i] = sb_strdup(argv.items[i]);
    ret_rewrite->dockerfile = sb_slice_dup(plan->dockerfile);
    ret_rewrite->dockerfile_len = plan->dockerfile.len;
    return 0;
}

void sb_rewrite_clear(sb_rewrite *rewrite)
{
    for (char **arg = rewrite->command; arg && *arg; arg++)
        free(*arg);
    free(rewrite->command);
    free(rewrite->dockerfile);
    *rewrite = (sb_rewrite){0};
}
