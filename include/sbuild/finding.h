// SPDX-License-Identifier: Apache-2.0
/*
 * What `sbuild lint` and `sbuild scan` find: rules, findings, reports, and the forms that a report is written
 * in. Slices live in the report's arena. Text from outside is printable, and a secret is redacted, before it
 * gets into a finding: whoever writes a report need not think of it again.
 *
 * The texts are of one style, so that reports read as if one had written them. None ends with a full stop. A
 * summary is a sentence and begins with a capital letter (or a program's name: "npm", "git"); messages and
 * remedies go on behind a colon and begin in lower case (but for instructions: "COPY", "USER"). What is to be
 * typed, and what is cited from a file, stands in "quotes" where its end is not plain without.
 */
#ifndef SBUILD_FINDING_H
#define SBUILD_FINDING_H

#include <sbuild/arena.h>
#include <sbuild/buf.h>
#include <sbuild/dockerfile.h>

enum { SB_FINDINGS_MAX = 100000, SB_EXCERPT_MAX = 400 /* bytes of a line */ };

typedef enum sb_severity {
    SB_SEVERITY_OFF,
    SB_SEVERITY_INFO,
    SB_SEVERITY_WARNING,
    SB_SEVERITY_ERROR
} sb_severity;
const char *sb_severity_name(sb_severity severity); /* "off", "info", "warning", "error" */
bool sb_severity_parse(sb_slice text, sb_severity *ret_severity);

typedef struct sb_rule {
    const char *id;       /* "SB301", or BuildKit's own name of a check */
    const char *name;     /* "pipe-to-shell": for people, in words with hyphens */
    const char *summary;  /* one sentence: what is wrong */
    const char *remedy;   /* one sentence: what to do; text output puts "fix: " in front */
    sb_severity severity; /* unless settings say otherwise */
    bool summarised;      /* hits nearly everybody: one line for all of a run's findings */
    bool fixes;           /* `lint --fix` can mend (some of) it */
} sb_rule;

typedef struct sb_rule_set { /* a family */
    const char *title;       /* "Root" */
    const sb_rule *const *rules;
    size_t count;
} sb_rule_set;
/* Every family of lint's and scan's rules in order; NULL behind the last. rules/table.c */
const sb_rule_set *sb_rule_family(size_t index);
const sb_rule *sb_rule_find(sb_slice id_or_name); /* case does not matter; NULL: there is none */
/* Is it one of these (ids or names, NULL-terminated)? NULL: all of them are meant. */
bool sb_rule_is_among(const sb_rule *rule, const char *const *only);
/* "docs/rules/SB301.md" of the published documentation. report.c */
void sb_rule_url(const sb_rule *rule, sb_buf *out);

typedef struct sb_layer_place { /* scan: where in an image */
    unsigned layer;             /* from 1; 0: not in a layer */
    sb_slice digest;            /* of the layer (diffID), "sha256:…" */
    sb_slice history;           /* the history line that made it, printable, one line */
    sb_slice where;   /* "config.Env[3]", "history[2]", "layer 4: app/x.jar!/config.properties", printable */
    unsigned removed; /* the later layer in which the file was deleted or replaced; 0: it is still there */
    sb_slice removed_by; /* its history line */
    uint64_t size;       /* bytes of the file; 0: none */
} sb_layer_place;

typedef struct sb_finding {
    const sb_rule *rule;
    sb_severity severity; /* after settings */
    sb_slice message;     /* one sentence about this case */
    sb_slice remedy;      /* what to do here; absent: the rule's */
    sb_slice kind;        /* secrets: which one, "github-token"; absent elsewhere */
    sb_slice file;        /* path of the Dockerfile as given, or name of the image */
    unsigned line, column, end_line,
        end_column;                    /* from 1, columns in bytes; 0: no place; the end is exclusive */
    unsigned character, end_character; /* column and end_column in characters; 0: not known */
    sb_slice excerpt; /* the line `line`, printable but for tabs, at most SB_EXCERPT_MAX bytes; or absent */
    unsigned excerpt_column, excerpt_width; /* where the caret goes in it, from 1, in bytes of the excerpt */
    sb_layer_place place;                   /* scan */
    sb_slice fingerprint;                   /* 32 hex digits: stays the same when lines move */
    const sb_df_edit *edits;                /* a safe fix; NULL without one */
    size_t edit_count;
    sb_slice ignored; /* the reason for which it does not count (a comment, the baseline, the ignore file);
                         absent: it counts */
    bool accepted;    /* ignored by baseline or ignore file, not by a comment */
} sb_finding;

/* Whole-image facts for the HTML report; lint has none. */
typedef struct sb_report_layer {
    sb_slice digest;
    sb_slice history;
    uint64_t size, files; /* uncompressed bytes, entries */
    bool base;            /* left out by --base */
} sb_report_layer;

typedef struct sb_report {
    sb_arena *arena;
    const char *tool; /* "lint", "scan" */
    sb_slice subject; /* scan: the image; absent for lint */
    sb_finding *items;
    size_t count, cap;
    bool cut;                /* there were more than SB_FINDINGS_MAX */
    size_t files;            /* Dockerfiles or image files that were looked at */
    uint64_t bytes;          /* scan: that were looked at */
    sb_report_layer *layers; /* scan */
    size_t layer_count;
    sb_slice image_id, manifest, platform, user, created; /* scan; absent when not known */
} sb_report;
sb_report *sb_report_new(const char *tool);
void sb_report_free(sb_report *report);
SB_DEFINE_CLEANUP(sb_report, sb_report_free)
/* A new finding with the rule's severity; NULL when there are too many already (report->cut is set). Good
 * until the next one is added. */
sb_finding *sb_report_add(sb_report *report, const sb_rule *rule);
/* By file, line, column, rule; in an image by layer, path, line, rule. */
void sb_report_sort(sb_report *report);
/* The worst severity of those that count; SB_SEVERITY_OFF without any. */
sb_severity sb_report_worst(const sb_report *report);
/*
 * Sets the excerpt and where the caret goes in it, and the columns in characters, from the finding's columns
 * and the line as it stands in the file, without its end; `last`: the line where it ends, absent when that is
 * the same. Tabs stay; a line that is too long is cut around the caret.
 */
void sb_finding_excerpt(sb_report *report, sb_finding *finding, sb_slice line, sb_slice last);
sb_slice sb_finding_remedy(const sb_finding *finding); /* its own, else its rule's */
typedef struct sb_report_counts {
    size_t by[SB_SEVERITY_ERROR + 1]; /* those that count, by severity */
    size_t ignored;
} sb_report_counts;
sb_report_counts sb_report_count(const sb_report *report);
/* Of rule, file and what the caller says identifies the place (an instruction's text, a path in an image).
 * `nth` tells equal ones apart. */
sb_slice sb_fingerprint(sb_arena *arena, const sb_rule *rule, sb_slice file, sb_slice what, unsigned nth);

/* --- Forms of a report (rules/report_*.c). Text for a terminal is in cli/findings.c --- */
int sb_report_json(const sb_report *report, sb_buf *out, sb_error **err);
int sb_report_sarif(const sb_report *report, sb_buf *out, sb_error **err);  /* 2.1.0 */
int sb_report_github(const sb_report *report, sb_buf *out, sb_error **err); /* workflow commands */
int sb_report_junit(const sb_report *report, sb_buf *out, sb_error **err);
int sb_report_html(const sb_report *report, sb_buf *out, sb_error **err); /* one self-contained page */

/* --- Findings that are known and accepted (rules/accepted.c): lint's baseline, scan's ignore file --- */
/*
 * JSON: {"version": 1, "accepted": [{"fingerprint": "…", "rule": "SB301", "path": "…", "reason": "…",
 * "expires": "2027-01-31"}]}. One entry per line, sorted. `expires` is optional: after that day the entry
 * does not count. A mistake in it is SB_ERR_USAGE (SB_ERR_PARSE: it is no JSON) with "NAME:LINE: …".
 */
typedef struct sb_accepted sb_accepted;
int sb_accepted_parse(sb_slice text, const char *name, sb_accepted **ret_accepted, sb_error **err);
/* From a file. *ret_missing (may be NULL) as sb_read_file(). */
int sb_accepted_load(const char *path, bool *ret_missing, sb_accepted **ret_accepted, sb_error **err);
void sb_accepted_free(sb_accepted *accepted);
SB_DEFINE_CLEANUP(sb_accepted, sb_accepted_free)
/* Marks what it names as ignored. With `require_reason` an entry without one is SB_ERR_USAGE. *ret_stale (may
 * be NULL): entries that named nothing. */
int sb_accepted_apply(const sb_accepted *accepted, sb_report *report, bool require_reason, size_t *ret_stale,
                      sb_error **err);
/* The file that accepts everything that the report has and that still counts. `reason` may be NULL. */
int sb_accepted_write(const sb_report *report, const char *reason, sb_buf *out, sb_error **err);
/* The same, and what `old` (already applied) accepts stays with its reason and its last day; what named
 * nothing goes. */
int sb_accepted_rewrite(const sb_accepted *old, const sb_report *report, const char *reason, sb_buf *out,
                        sb_error **err);
/* The same into a file, whole or not at all; `old` may be NULL. */
int sb_accepted_save(const sb_accepted *old, const sb_report *report, const char *path, sb_error **err);

#endif
