// SPDX-License-Identifier: Apache-2.0
/* What surrounds the server in a step: the user's command, and what is prepared for it. */
#ifndef SBUILD_STEP_RUN_H
#define SBUILD_STEP_RUN_H

#include <builder/step/step.h>

#include <signal.h>
#include <sys/types.h>

/*
 * The user's command (builder/step/child.c). From step_signals_hold() on no signal interrupts this process
 * or a thread that it starts; step_child_start() gives the command the mask and dispositions that were
 * before; step_child_wait() hands on what arrives, reaps what is left behind, and returns when the
 * command has ended.
 */
typedef struct step_child {
    sigset_t mask;            /* as it was */
    struct sigaction sigchld; /* as it was */
    pid_t pid;
} step_child;

void step_signals_hold(step_child *child);
/* `argv` and `env` end with NULL. A command that cannot be run is told on standard error by the child, which
 * ends as a shell would: 127 for none of this name, else 126. */
int step_child_start(step_child *child, char *const *argv, char *const *env, sb_error **err);
/* Its exit status, or 128 and the number of the signal that ended it. */
int step_child_wait(const step_child *child);

#endif
