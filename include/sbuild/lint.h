// SPDX-License-Identifier: Apache-2.0
/*
 * Lint: what a Dockerfile does that it should not. docs/rules/ has a page per rule. Looks at the Dockerfile,
 * its lock when there is one, and by name at files of its context; never at the network, and runs nothing.
 */
#ifndef SBUILD_LINT_H
#define SBUILD_LINT_H

#include <sbuild/finding.h>
#include <sbuild/project.h>

typedef struct sb_rule_setting { /* "SB301": "off" */
    const sb_rule *rule;
    sb_severity severity;
} sb_rule_setting;

typedef struct sb_lint_options {
    const sb_rule_setting *rules; /* of the command line, behind those of sbuild.json */
    size_t rule_count;
    const char *const *only; /* ids or names, NULL-terminated: no other rule; may be NULL */
    const char *target;      /* NULL: the last stage */
    const sb_df_var *build_args;
    size_t build_arg_count;
    const char *platform;          /* NULL: the host's */
    bool require_reason;           /* an ignore comment without a reason does not count, and is a finding */
    bool no_ignore;                /* comments, sbuild.json's "ignore" and baseline do not count */
    struct sb_lint_shared *shared; /* what is read once for many files; NULL: anew for each */
} sb_lint_options;

/* Settings by directory, kept from one file to the next. */
typedef struct sb_lint_shared sb_lint_shared;
sb_lint_shared *sb_lint_shared_new(void);
void sb_lint_shared_free(sb_lint_shared *shared);
SB_DEFINE_CLEANUP(sb_lint_shared, sb_lint_shared_free)

/* What settings say of rules, with names that there are none of refused: SB_ERR_USAGE "NAME: …". */
int sb_rule_choices(const sb_rule_choice *choices, size_t count, const char *name, sb_arena *arena,
                    sb_rule_setting **ret_settings, size_t *ret_count, sb_error **err);

/* One Dockerfile's text with nothing beside it: standard input, tests, fuzzing. Findings are added to
 * `report`. */
int sb_lint_text(sb_slice text, const char *name, const sb_lint_options *options, sb_report *report,
                 sb_error **err);
/* A Dockerfile with its context: lock, lock files of package managers, sbuild.json, baseline count. `path` is
 * also the name in findings. */
int sb_lint_file(const char *path, const char *context, const sb_lint_options *options, sb_report *report,
                 sb_error **err);
/*
 * The Dockerfiles beneath a directory, by name (Dockerfile, Dockerfile.*, *.Dockerfile, Containerfile …) and,
 * for names that leave it open, by content; .git, node_modules, sbuild.vendor and the like are left out.
 * Sorted.
 */
int sb_lint_find(const char *directory, sb_arena *arena, sb_slice **ret_paths, size_t *ret_count,
                 sb_error **err);

typedef struct sb_lint_fixes {
    size_t fixed;
    size_t dropped; /* fixes that would have broken something else, and were not made */
} sb_lint_fixes;
/*
 * Applies the safe fixes of all findings that count to the text, again and again until nothing more can be
 * fixed, checking each time that the result parses, that what was fixed is not found again, and that nothing
 * else is found that was not there before. `path`: the Dockerfile that the text is, or will be, for its
 * context and lock; NULL: there is nothing beside it.
 */
int sb_lint_fix(sb_slice text, const char *path, const char *context, const sb_lint_options *options,
                sb_buf *out, sb_lint_fixes *ret_fixes, sb_error **err);
/* A unified diff of two texts, in out; empty when they are equal. */
int sb_text_diff(sb_slice before, sb_slice after, const char *name, sb_buf *out, sb_error **err);

#endif
