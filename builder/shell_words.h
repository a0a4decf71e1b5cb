// SPDX-License-Identifier: Apache-2.0
/* The commands of a shell text, as far as they can be told without running it. */
#ifndef SBUILD_BUILDER_SHELL_WORDS_H
#define SBUILD_BUILDER_SHELL_WORDS_H

#include <sbuild/arena.h>

typedef struct sb_shell_command {
    sb_slice *words; /* quotes taken off; at least one */
    size_t count, cap;
} sb_shell_command;

enum { SB_SHELL_COMMANDS_MAX = 20000 };

/*
 * In `arena`. A command is what stands between operators and line ends, without assignments and words like
 * "if" or "exec" before it; the command that "sudo", "xargs" and the like start is one of its own as well.
 * Expansions stay as they are written; comments are left out.
 */
void sb_shell_commands(sb_slice text, sb_arena *arena, sb_shell_command **ret_commands, size_t *ret_count);

#endif
