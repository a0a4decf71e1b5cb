// SPDX-License-Identifier: Apache-2.0
/*
 * Scan: what is in a finished image that should not be. Every layer's own content is read, so that what a
 * later layer deletes or replaces is found all the same; image configuration, history, annotations and
 * attestations as well; archives within files to a depth. Streaming: nothing is unpacked to disk, memory does
 * not grow with the image.
 */
#ifndef SBUILD_SCAN_H
#define SBUILD_SCAN_H

#include <sbuild/lint.h>
#include <sbuild/registry.h>
#include <sbuild/secrets.h>

enum { SB_SCAN_DEPTH_MAX = 8, SB_SCAN_DEPTH = 3 };

typedef struct sb_scan_options {
    const sb_rule_setting *rules;
    size_t rule_count;
    const char *const *only;         /* ids or names, NULL-terminated: no other rule; may be NULL */
    const char *const *secret_rules; /* further TOML files, NULL-terminated; may be NULL */
    const char *platform;            /* of an index; NULL: the host's, else the only one */
    bool whole; /* it is a finding when there are other platforms than that: they would be pushed with it */
    unsigned depth;   /* of archives within archives; 0: SB_SCAN_DEPTH */
    unsigned threads; /* 0: as many as there are processors, at most 8 */
    const char *name; /* the tag that it will be pushed under, for the rule about moving tags; NULL */
} sb_scan_options;

typedef enum sb_scan_form {
    SB_SCAN_ARCHIVE, /* docker-archive or OCI archive, told apart by content; a pipe will do */
    SB_SCAN_LAYOUT,  /* an OCI layout */
    SB_SCAN_REGISTRY,
} sb_scan_form;

typedef struct sb_scan_input {
    sb_scan_form form;
    const char *name;      /* for people: as the user gave it */
    int fd;                /* ARCHIVE: open for reading, stays the caller's */
    const char *path;      /* LAYOUT */
    const char *reference; /* REGISTRY; LAYOUT and ARCHIVE: which of several images, NULL: the only one */
} sb_scan_input;

/*
 * `base`: an image whose layers are left out; NULL without one. What cannot be read to its end (a truncated
 * archive) is a finding among the others, of rule SB800; *err is for what cannot be begun.
 */
int sb_scan(const sb_scan_input *input, const sb_scan_input *base, const sb_scan_options *options,
            const sb_settings *settings, sb_progress *progress, sb_report **ret_report, sb_error **err);

#endif
