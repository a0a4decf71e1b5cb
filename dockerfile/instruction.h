// SPDX-License-Identifier: Apache-2.0
/* What each instruction demands of its flags and arguments, in BuildKit's order and wording. */
#ifndef SBUILD_DOCKERFILE_INSTRUCTION_H
#define SBUILD_DOCKERFILE_INSTRUCTION_H

#include <dockerfile/tree.h>

/* instruction.c: everything about one instruction that can be told from it alone. */
int df_check_instruction(const df_parser *p, const sb_df_instruction *ins, sb_error **err);

/* instruction_flags.c: known, given once, with a value that fits. Uses no value of a flag. */
int df_check_flags(const df_parser *p, const sb_df_instruction *ins, sb_error **err);
/* instruction_health.c */
int df_check_health(const df_parser *p, const sb_df_instruction *ins, sb_error **err);
/* instruction_run.c: --mount, --network, --security, --device */
int df_check_run(const df_parser *p, const sb_df_instruction *ins, sb_error **err);

#endif
