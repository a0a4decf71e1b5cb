// SPDX-License-Identifier: Apache-2.0
/* Comments that silence rules: sbuild's own, hadolint's and BuildKit's. */
#ifndef SBUILD_RULES_LINT_IGNORES_H
#define SBUILD_RULES_LINT_IGNORES_H

#include <rules/lint/internal.h>

enum { SB_LINT_IGNORES_MAX = 2000, SB_LINT_IGNORED_RULES_MAX = 100 /* that one comment names */ };

typedef enum sb_ignore_dialect { SB_IGNORE_SBUILD, SB_IGNORE_HADOLINT, SB_IGNORE_CHECK } sb_ignore_dialect;
typedef enum sb_ignore_scope { SB_IGNORE_INSTRUCTION, SB_IGNORE_STAGE, SB_IGNORE_FILE } sb_ignore_scope;

typedef struct sb_ignored_rule {
    sb_slice name;       /* as the comment has it */
    const sb_rule *rule; /* NULL: there is none, or what it stands for is `prefix` */
    const char
        *prefix; /* of ids: what a hadolint rule is here; "" is all of BuildKit's checks; may be NULL */
    bool used;
} sb_ignored_rule;

typedef struct sb_ignore_comment {
    sb_ignore_dialect dialect;
    sb_ignore_scope scope;
    sb_ignored_rule *rules;
    size_t rule_count;
    sb_slice reason;   /* printable; absent without one */
    sb_slice leftover; /* what stands behind the rules and is not understood; absent without */
    bool raises;       /* check=error=true: BuildKit's checks are errors */
    sb_span span;      /* of the comment in the file */
    unsigned line;
    unsigned from, to; /* lines for which it counts */
} sb_ignore_comment;

/* What the comment says, text behind the #; false when it silences nothing. Fills dialect, scope, rules,
 * reason, leftover, raises. */
bool sb_ignore_comment_parse(sb_arena *arena, sb_slice text, sb_ignore_comment *ret_comment);
/* The same of the directive `# check=…`, which counts for the whole file. */
bool sb_ignore_directive_parse(sb_arena *arena, sb_slice value, sb_ignore_comment *ret_comment);

/* Marks the finding if settings except it; `path` is the Dockerfile's beneath their directory, or NULL. */
void sb_lint_except(const sb_lint_settings *settings, const char *path, sb_report *report,
                    sb_finding *finding);
/* Marks what comments and settings silence, and says what is wrong with the comments. */
void sb_lint_silence(sb_lint *lint);

#endif
