// SPDX-License-Identifier: Apache-2.0
/* The parts of builder/pin*.c among themselves: one document being edited, and the plan that it fills. */
#ifndef SBUILD_BUILDER_PIN_H
#define SBUILD_BUILDER_PIN_H

#include <builder/plan.h>

typedef struct sb_pin_doc { /* the user's Dockerfile, or one trigger of a base image */
    sb_plan *plan;
    sb_arena *arena;
    const sb_dockerfile *df;
    bool own;    /* the user's: spans of references are of this text */
    int trigger; /* else: its number among those of the stage */
    sb_df_edit *edits;
    size_t count, cap;
    const char *prefix; /* of every instruction that is added: "ONBUILD ", or "" */
    sb_slice *shells;   /* per stage: the SHELL in force, as the elements of a JSON array without brackets */
} sb_pin_doc;

void sb_pin_edit(sb_pin_doc *doc, size_t start, size_t end, sb_slice text);
/* A new named context of the plan; its name is `prefix` and a number. NULL with an error at the maximum. */
sb_plan_context *sb_pin_context(sb_pin_doc *doc, sb_plan_context_kind kind, const char *prefix,
                                sb_error **err);
/* "FILE:LINE" for messages. */
sb_slice sb_pin_place(const sb_pin_doc *doc, const sb_df_instruction *ins);
/* The text as a JSON string; SB_ERR_PARSE when it is no UTF-8. */
int sb_pin_json(sb_pin_doc *doc, sb_slice text, sb_slice *ret_json, sb_error **err);
/* A word that expansion (and, with `pattern`, matching of file names) turns back into exactly `literal`. */
sb_slice sb_pin_quote(sb_pin_doc *doc, sb_slice literal, bool pattern);

/* builder/pin_add.c: ADD of URLs and git repositories becomes COPY from contexts. `refs` are this
 * instruction's. */
int sb_pin_add(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *const *refs, size_t ref_count,
               sb_error **err);

/* builder/pin_run.c: RUN, sealed as the plan has it. */
int sb_pin_run(sb_pin_doc *doc, const sb_df_instruction *ins, int stage, sb_error **err);
/* SHELL in force: what a stage begins with, and what an instruction sets, for doc->shells. */
int sb_pin_begin_stage(sb_pin_doc *doc, int index, sb_error **err);
int sb_pin_shell(sb_pin_doc *doc, const sb_df_instruction *ins, sb_slice *ret_shell, sb_error **err);

/* builder/pin_mount.c: the flag anew, its `from` field replaced. */
sb_slice sb_pin_mount_from(sb_pin_doc *doc, const sb_df_flag *flag, sb_slice image);
/* Is the value of this --mount a cache mount? *ret_id is what names it: its id, else its target. */
bool sb_pin_mount_cache(sb_slice value, sb_slice *ret_id);

/* builder/pin_lower.c: what this engine does not know is put in other words, or refused. */
int sb_pin_lower(sb_pin_doc *doc, const sb_df_instruction *ins, int stage, sb_error **err);

/* SB_ERR_ENGINE: this engine has no `what`. */
int sb_pin_refuse(sb_pin_doc *doc, const sb_df_instruction *ins, const char *what, sb_error **err);
/* Removes the flag and the blanks behind it. */
void sb_pin_drop_flag(sb_pin_doc *doc, const sb_df_flag *flag);
/* The body of a heredoc as a shell gets it: of <<- without leading tabs. */
sb_slice sb_pin_chomped(sb_arena *arena, const sb_df_heredoc *doc);

/* builder/pin_check.c: the result as an engine reads it. SB_ERR_INTERNAL when anything in it is not supplied.
 */
int sb_pin_check(const sb_plan *plan, sb_error **err);

/* The flag of ADD or COPY that the engine's own frontend does not know; NULL when it knows all. */
const char *sb_pin_lacking(const sb_engine_abilities *can, const sb_df_instruction *ins);

#endif
