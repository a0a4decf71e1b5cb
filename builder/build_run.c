// SPDX-License-Identifier: Apache-2.0
#include <builder/build_run.h>

#include <builder/engine.h>
#include <builder/serve.h>

int sb_build_run(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, sb_plan **ret_plan, sb_slice *ret_layout,
                 sb_digest *ret_manifest, sb_error **err)
{
    SB_AUTO(sb_plan) plan = NULL;
    SB_AUTO(sb_serve) serve = NULL;
    sb_slice layout;

    if (sb_plan_make(project, lock, options, engine, platform, NULL, &plan, err) < 0 ||
        sb_serve_plan(plan, &serve, err) < 0)
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
