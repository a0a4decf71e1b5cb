// SPDX-License-Identifier: Apache-2.0
/* The program that sealed steps run under: where it is for a platform. */
#ifndef SBUILD_BUILDER_STEP_PROGRAM_H
#define SBUILD_BUILDER_STEP_PROGRAM_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

/*
 * The path of sbuild-step for a platform ("linux/arm64/v8"), which the caller frees: in $SBUILD_STEP_DIR
 * alone when that is set; else in the build tree of the running program, else where it was installed.
 * SB_ERR_ENGINE when there is none.
 */
int sb_step_program(sb_slice platform, char **ret_path, sb_error **err);

#endif
