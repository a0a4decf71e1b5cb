// SPDX-License-Identifier: Apache-2.0
/* One plan, built by an engine. */
#ifndef SBUILD_BUILDER_BUILD_RUN_H
#define SBUILD_BUILDER_BUILD_RUN_H

#include <builder/plan.h>

/*
 * Makes the plan and has the engine build it. *ret_layout (in the plan's arena) is an OCI layout below the
 * plan's directory with what came out, on the base's own layers: *ret_manifest.
 */
int sb_build_run(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, sb_plan **ret_plan, sb_slice *ret_layout,
                 sb_digest *ret_manifest, sb_error **err);

#endif
