// SPDX-License-Identifier: Apache-2.0
/* What the files of lint's core share, and the families do not see. */
#ifndef SBUILD_RULES_LINT_INTERNAL_H
#define SBUILD_RULES_LINT_INTERNAL_H

#include <rules/lint/lint.h>
#include <sbuild/dockerfile.h>

#include <sys/types.h>

enum {
    SB_LINT_MESSAGE_MAX = 1000,     /* bytes of a message or a remedy */
    SB_LINT_SNAPSHOTS_MAX = 200000, /* variables that all RUNs of a file are told of */
    SB_LINT_HIDDEN_MAX = 2000,      /* secrets of one file */
    SB_LINT_WHAT_MAX = 4096,        /* bytes of the text that a fingerprint is made of */
};

typedef struct sb_lint_map { /* how a run's text lies in the file; made when it is asked for */
    bool made;
    sb_df_piece *pieces;
    size_t count, cap;
} sb_lint_map;

typedef struct sb_lint_place { /* of a finding: what tells it from others of its rule */
    sb_span span;
    sb_slice what;
} sb_lint_place;

typedef struct sb_lint_known sb_lint_known; /* ask.c */

typedef struct sb_lint_exception {
    const sb_rule *rule; /* NULL: all */
    const char *path;    /* a pattern; NULL: all */
    sb_slice reason;     /* absent without one */
} sb_lint_exception;

typedef struct sb_lint_settings { /* of sbuild.json and the user's own file, understood */
    sb_settings *source;
    const char *dir; /* where they are; patterns of paths are relative to it */
    sb_rule_setting *rules;
    size_t rule_count;
    sb_lint_exception *exceptions;
    size_t exception_count;
    bool require_reason;
} sb_lint_settings;

/*
 * The settings for a Dockerfile in `dir`: those of `context`, or, without one (NULL), of the nearest
 * directory at or above `dir` that has an sbuild.json. *ret_path is the Dockerfile's path beneath it, for
 * patterns.
 */
int sb_lint_settings_for(sb_lint_shared *shared, const char *dir, const char *context,
                         const sb_lint_settings **ret_settings, sb_error **err);

/* The directory above, as far as the working directory; NULL there and above. The caller frees it. */
char *sb_lint_parent(const char *dir);

/* context.c: which directory is meant, if none is named; `lock` may be NULL. The caller frees the path. */
char *sb_lint_guess_context(const sb_dockerfile *df, const char *path, const char *dir, const sb_lock *lock);

/*
 * Files of a context that somebody asked for by name; kept for the other Dockerfiles of that
 * context. .dockerignore does not count, directories of other tools and of tests are left out.
 */
typedef struct sb_lint_listing {
    sb_arena *arena;
    dev_t device;
    ino_t directory;
    sb_slice *paths; /* relative */
    size_t count, cap;
    size_t entries;
} sb_lint_listing;

struct sb_lint_private {
    size_t first;        /* index in the report of this file's first finding */
    sb_slice name;       /* of the file, in the report's arena */
    sb_slice print_name; /* the same for fingerprints */
    size_t *lines;       /* where each line of the file begins; NULL until it is needed */
    size_t line_count;
    sb_lint_map *maps; /* of the runs */
    sb_lint_place *places;
    size_t place_count, place_cap;
    sb_span *hidden; /* secrets, sb_lint_hide() */
    size_t hidden_count, hidden_cap;
    sb_lint_known **known; /* by stage; NULL until it is needed */
    sb_ignore *ignore;     /* .dockerignore */
    bool ignore_read;
    const char *ignore_name; /* "NAME.dockerignore" beside the Dockerfile; may be NULL */
    int dirfd;               /* the Dockerfile's directory, or -1 */
    const char *path;        /* of the Dockerfile, beneath the settings' directory; NULL for a text */
    const sb_lint_settings *settings; /* NULL: none */
    bool require_reason;
    sb_lint_listing **listing; /* of the last context; NULL: there is no place to keep one */
};

/* listing.c: NULL without a context. `wanted` is the same function each time. */
const sb_lint_listing *sb_lint_list(const sb_lint *lint, bool (*wanted)(sb_slice path));
void sb_lint_listing_free(sb_lint_listing *listing);
sb_lint_listing **sb_lint_shared_listing(sb_lint_shared *shared); /* settings.c */
sb_secret_scanner **sb_lint_shared_scanner(sb_lint_shared *shared);

/* lint.c: as sb_lint_file(), with this text instead of the file's; absent: with the file's. */
int sb_lint_source(sb_slice text, const char *path, const char *context, const sb_lint_options *options,
                   sb_lint_shared *shared, sb_report *report, sb_error **err);

/* stages.c: fills lint->stages and lint->runs. */
void sb_lint_walk(sb_lint *lint, const sb_run_step *steps, size_t step_count);

/* runs.c */
void sb_lint_read_run(sb_lint *lint, const sb_df_instruction *ins, const sb_slice *shell, size_t shell_count,
                      sb_lint_run *run);
/* How run->text lies in the file. */
const sb_lint_map *sb_lint_run_map(const sb_lint *lint, const sb_lint_run *run);

/* general.c: SB000. */
void sb_lint_general(sb_lint *lint);
extern const sb_rule sb_rule_not_understood, sb_rule_no_reason, sb_rule_idle_ignore;

/* say.c */
sb_severity sb_lint_severity(const sb_lint *lint, const sb_rule *rule);
/* Have settings or options said what it is to be? */
bool sb_lint_is_set(const sb_lint *lint, const sb_rule *rule);
/* The text without the secrets that the file is known to have: "*" for each of their bytes. In place. */
void sb_lint_mask(const sb_lint *lint, char *text, size_t len);
/* Gives the findings of this file their fingerprints. */
void sb_lint_fingerprints(sb_lint *lint);

#endif
