// SPDX-License-Identifier: Apache-2.0
/* sbuild as a plugin of the Docker CLI: `docker sbuild …` runs the program as docker-sbuild. */
#ifndef SBUILD_CLI_PLUGIN_H
#define SBUILD_CLI_PLUGIN_H

#include <cli/cli.h>

/* Is this the name of the plugin, or the question that the Docker CLI asks every plugin? */
bool cli_plugin_called(const char *program, char *const *arguments, size_t count);
/*
 * Takes away what the Docker CLI puts before the own arguments: its global options, which go into the
 * environment that engines see, and the word "sbuild". Answers its question about the plugin: *ret_answered.
 */
int cli_plugin_start(char ***arguments, size_t *count, bool *ret_answered, sb_error **err);

#endif
