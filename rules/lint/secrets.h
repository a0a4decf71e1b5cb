// SPDX-License-Identifier: Apache-2.0
/*
 * Family SB7, secrets. What looks for them hides what it finds first (sb_lint_hide), so that no finding of
 * any rule shows it, and notes what is to be said; all of it is said at the end.
 */
#ifndef SBUILD_RULES_LINT_SECRETS_H
#define SBUILD_RULES_LINT_SECRETS_H

#include <rules/lint/lint.h>

enum {
    SK_NOTES_MAX = 5000,
    SK_FILES_MAX = 1000, /* files with a secret that are copied or written */
};

extern const sb_rule sk_environment, sk_build_argument, sk_value, sk_likely_value, sk_command_line,
    sk_written, sk_mount_copied, sk_file_copied, sk_context, sk_removed;

typedef struct sk_note { /* a finding in the making */
    const sb_rule *rule;
    int stage; /* -1: none */
    sb_span span;
    sb_slice message;
    sb_slice help; /* absent: the rule's remedy */
    sb_slice kind; /* of a secret that is told by its form */
} sk_note;

typedef struct sk_file { /* a file with a secret in a stage */
    sb_slice path;       /* as far as it is known; its last component always is */
    int stage;
    unsigned line;
} sk_file;

typedef struct sk_search {
    sb_lint *lint;
    sk_note *notes;
    size_t note_count, note_cap;
    sk_file *files;
    size_t file_count, file_cap;
    sb_span *known; /* secrets that were found by their form: not to be told of again */
    size_t known_count, known_cap;
    sk_note *likely; /* to judge by the look: told when nothing else was found there */
    size_t likely_count, likely_cap;
} sk_search;

/* Hides nothing by itself. The note, or NULL when there are too many. */
sk_note *sk_say(sk_search *s, const sb_rule *rule, int stage, sb_span span, const char *fmt, ...)
    SB_PRINTF(5, 6);
void sk_help(sk_search *s, sk_note *note, const char *fmt, ...) SB_PRINTF(3, 4);
/* Was a secret in this span told already? */
bool sk_is_known(const sk_search *s, sb_span span);
void sk_add_file(sk_search *s, sb_slice path, int stage, unsigned line);

/* --- secrets_names.c --- */

/* Do the words of the name say that its value is a secret? DB_PASSWORD and npmToken do, TOKEN_URL and
 * PUBLIC_KEY do not. */
bool sk_is_secret_name(sb_slice name);
/* Could it be one: no path, URL, switch, number, placeholder, or reference to something else? */
bool sk_is_real_value(sb_slice name, sb_slice value);
/* "changeme", "<token>" */
bool sk_is_placeholder(sb_slice value);

/* --- The parts of the search --- */

void sk_find_values(sk_search *s);        /* secrets_values.c */
void sk_find_declarations(sk_search *s);  /* secrets_declared.c */
void sk_find_copies(sk_search *s);        /* secrets_files.c */
void sk_find_in_runs(sk_search *s);       /* secrets_run.c */
void sk_tell_likely_values(sk_search *s); /* secrets_values.c, behind all others */

#endif
