// SPDX-License-Identifier: Apache-2.0
/* The checks that `docker build --check` has, under the same names and with the same judgement. */
#ifndef SBUILD_RULES_LINT_BUILDKIT_H
#define SBUILD_RULES_LINT_BUILDKIT_H

#include <rules/lint/lint.h>

extern const sb_rule bk_stage_name_casing, bk_from_as_casing, bk_no_empty_continuation,
    bk_consistent_instruction_casing, bk_duplicate_stage_name, bk_reserved_stage_name,
    bk_json_args_recommended, bk_maintainer_deprecated, bk_undefined_arg_in_from, bk_workdir_relative_path,
    bk_undefined_var, bk_multiple_instructions, bk_legacy_key_value, bk_invalid_base_image_platform,
    bk_redundant_target_platform, bk_secrets_in_arg_or_env, bk_invalid_default_arg_in_from,
    bk_from_platform_const, bk_copy_ignored_file, bk_invalid_definition_description, bk_expose_proto_casing,
    bk_expose_invalid_format;

/* As the checks walk through a stage: what its instructions so far have set. */
typedef struct bk_stage {
    sb_lint *lint;
    const sb_df_stage *stage;
    bool workdir_set;
    bool shell_set;
    bool has_triggers;                                       /* ONBUILD for the stages that start from it */
    const sb_df_instruction *cmd, *entrypoint, *healthcheck; /* the last one; NULL: none */
    sb_span cmd_place, entrypoint_place, healthcheck_place;  /* where it is reported */
} bk_stage;

/* One instruction, with what its words expand to. */
typedef struct bk_instruction {
    const sb_df_instruction *ins;
    const sb_df_expanded *expanded; /* NULL: it is a trigger, or could not be expanded */
    const sb_df_instruction *at;    /* where it is reported: itself, or the FROM that brings a trigger in */
} bk_instruction;

/* Where in the instruction's first line a finding about `span` is reported. */
sb_span bk_place(const sb_lint *lint, const bk_instruction *bk, sb_span span);
/* Is a word of upper-case letters and digits alone? */
bool bk_is_upper(sb_slice text);
bool bk_is_lower(sb_slice text);
/* Are the checks of instructions run in this stage: is it built, or is no target chosen? */
bool bk_is_looked_at(const sb_lint *lint, const sb_df_stage *stage);

void bk_check_names(sb_lint *lint);                             /* buildkit_names.c */
void bk_check_froms(sb_lint *lint);                             /* buildkit_from.c */
void bk_check_comments(sb_lint *lint);                          /* buildkit_comments.c */
void bk_check_variables(bk_stage *s, const bk_instruction *bk); /* buildkit_variables.c */
void bk_check_pairs(bk_stage *s, const bk_instruction *bk);     /* buildkit_pairs.c */
void bk_check_cmd(bk_stage *s, const bk_instruction *bk);       /* buildkit_command.c */
void bk_check_entrypoint(bk_stage *s, const bk_instruction *bk);
void bk_check_healthcheck(bk_stage *s, const bk_instruction *bk);
void bk_check_workdir(bk_stage *s, const bk_instruction *bk);
void bk_check_expose(bk_stage *s, const bk_instruction *bk); /* buildkit_expose.c */
void bk_check_copy(bk_stage *s, const bk_instruction *bk);   /* buildkit_copy.c */

#endif
