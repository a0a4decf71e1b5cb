// SPDX-License-Identifier: Apache-2.0
#include <builder/build_run.h>

#include <builder/engine.h>
#include <builder/serve.h>

static int serve_images(sb_plan *plan, sb_serve **ret_serve, sb_error **err)
{
    const char *host = getenv("DOCKER_HOST");

    if (plan->engine->can.layout_contexts || plan->engine->kind != SB_ENGINE_DOCKER || !plan->image_count)
        return 0;
    if (host && *host && strncmp(host, "unix:", 5) != 0)
        return sb_fail(err, SB_ERR_ENGINE,
                       "the Docker daemon is on another machine and uses the classic image store, which can "
                       "take images from a registry only; switch on its containerd image store");
    if (sb_serve_start(plan->images[0].layout.ptr, ret_serve, err) < 0)
        return -1;
    plan->registry = sb_slice_z(sb_serve_address(*ret_serve));
    return 0;
}

int sb_build_run(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, sb_plan **ret_plan, sb_slice *ret_layout,
                 sb_digest *ret_manifest, sb_error **err)
{
    SB_AUTO(sb_plan) plan = NULL;
    SB_AUTO(sb_serve) serve = NULL;
    sb_slice layout;

    if (sb_plan_make(project, lock, options, engine, platform, NULL, &plan, err) < 0 ||
        serve_images(plan, &serve, err) < 0)
        return -1;
    sb_seal_warn(plan);
    layout = sb_arena_printf(plan->arena, "%" SB_FMT "/result", SB_ARG(plan->path));
    if (sb_engine_ops_of(engine->kind)->build(plan, layout.ptr, ret_manifest, err) < 0)
        return sb_seal_failed(plan, err);
    if (sb_result_rebase(plan, layout.ptr, ret_manifest, err) < 0)
        return -1;
    *ret_layout = layout;
    *ret_plan = SB_TAKE(plan);
    return 0;
}
