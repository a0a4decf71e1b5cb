// SPDX-License-Identifier: Apache-2.0
/* Inside SB1xx, "root": root.c whom the image runs as, root_files.c who may write what, root_accounts.c sudo
 * and passwords. */
#ifndef SBUILD_RULES_LINT_ROOT_H
#define SBUILD_RULES_LINT_ROOT_H

#include <rules/lint/lint.h>

/* root_files.c */
extern const sb_rule sb_rule_writable_accounts, sb_rule_arbitrary_uid, sb_rule_world_writable;
void sb_root_files(sb_lint *lint);

/* root_accounts.c */
extern const sb_rule sb_rule_sudo_installed, sb_rule_sudo_used, sb_rule_password, sb_rule_sparse_lastlog;
void sb_root_accounts(sb_lint *lint);

/* The stage of the instruction is the target's or one that it builds on. */
bool sb_root_is_of_target(const sb_lint *lint, int stage);
/* An instruction's expanded words; its words as written where they are not known. */
sb_slice sb_root_word(const sb_lint *lint, size_t instruction, size_t word);

#endif
