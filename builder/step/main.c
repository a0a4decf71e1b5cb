// SPDX-License-Identifier: Apache-2.0
/*
 * sbuild-step, the program inside a RUN. It brings everything that it needs with it: the image may have no
 * library, no shell, no /proc and no /tmp.
 */
#include <builder/step/run.h>

#include <stdio.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static int refuse(const sb_error *error)
{
    fprintf(stderr, "sbuild: %s\n", error->message);
    return SB_STEP_EXIT_REFUSED;
}

/* The whole life of a step. */
static int run(char *const *argv)
{
    SB_AUTO(step_config) config = NULL;
    SB_AUTO(sb_error) error = NULL;
    step_child child = {0};

    if (step_config_load(SB_STEP_DIR, &config, &error) < 0)
        return refuse(error);
    step_signals_hold(&child);
    if (step_child_start(&child, argv, environ, &error) < 0)
        return refuse(error);
    return step_child_wait(&child);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--") == 0)
        return run(argv + 2);
    fputs("usage: sbuild-step -- COMMAND [ARGUMENT...]\n", stderr);
    return EXIT_USAGE;
}
