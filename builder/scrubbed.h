// SPDX-License-Identifier: Apache-2.0
/*
 * What can be told of a RUN by its text: commands that take their environment away from clients, and with it
 * proxy and certificates, and protocols that cannot be recorded.
 */
#ifndef SBUILD_BUILDER_SCRUBBED_H
#define SBUILD_BUILDER_SCRUBBED_H

#include <sbuild/arena.h>

typedef enum sb_step_worry_kind {
    SB_WORRY_SCRUBBED,     /* "scrubbed" in report.jsonl */
    SB_WORRY_UNRECORDABLE, /* "unrecordable" */
} sb_step_worry_kind;

typedef struct sb_step_worry {
    sb_step_worry_kind kind;
    sb_slice phrase; /* as it stands in the text, printable: "su - app" */
    sb_slice remedy; /* a clause: "say \"su app\" without the dash" */
} sb_step_worry;

enum { SB_STEP_WORRIES_MAX = 32 };

/*
 * Looks at the shell text of a step (for an exec form: its words, with blanks between them). In `arena`, in
 * the order of the text, each phrase once, at most SB_STEP_WORRIES_MAX. It reads commands, not the shell:
 * what a variable holds or another script does stays unseen, and nothing is said about comments.
 */
void sb_step_worries(sb_slice text, sb_arena *arena, sb_step_worry **ret_worries, size_t *ret_count);

#endif
