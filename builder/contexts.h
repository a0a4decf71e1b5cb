// SPDX-License-Identifier: Apache-2.0
/* The parts of builder/contexts*.c among themselves. */
#ifndef SBUILD_BUILDER_CONTEXTS_H
#define SBUILD_BUILDER_CONTEXTS_H

#include <builder/plan.h>

/* builder/contexts_images.c: makes the plan's images available, and finds the base of its result. */
int sb_plan_images(sb_plan *plan, sb_error **err);

#endif
