// SPDX-License-Identifier: Apache-2.0
/* The parts of `sbuild verify` between themselves. */
#ifndef SBUILD_LOCK_CHECK_H
#define SBUILD_LOCK_CHECK_H

#include <lock/findings.h>
#include <lock/objects.h>
#include <lock/step_places.h>
#include <lock/update.h>

typedef struct sb_origin { /* where something of the lock is asked for */
    sb_slice expanded;     /* reference or URL */
    sb_slice where;        /* "Dockerfile:3" */
} sb_origin;

typedef struct sb_check {
    sb_project *project;
    sb_lock *lock;
    sb_arena *arena;
    sb_lock_findings *findings;
    sb_origin *origins;
    size_t origin_count, origin_cap;
    sb_step_places step_places;
    sb_updater updater; /* collects what is demanded, as for the lock's own making; writes no lock */
} sb_check;

/* "Dockerfile:3: https://example.org/x", the first alone where it is asked for nowhere; printable. */
sb_slice sb_check_where(const sb_check *check, sb_slice expanded);

void sb_check_note_origins(sb_check *check, const sb_df_view *view);

/*
 * check_demands.c: what the Dockerfile and the settings demand of downloads, against the evidence in the
 * lock. First every view is looked at, then all is compared.
 */
int sb_check_collect(sb_check *check, const sb_df_view *view, sb_error **err);
void sb_check_demands(sb_check *check);
/* --- check_steps.c --- */
/* "Dockerfile:3: RUN npm ci", without the place when no RUN is this step any more; printable. */
sb_slice sb_check_step_where(const sb_check *check, const sb_lock_step *step);
/* Notes where the steps of this view stand, and tells of those that the lock does not have. */
int sb_check_run_steps(sb_check *check, const sb_df_view *view, sb_error **err);
/* The answers of all steps, as far as their manifests can be read; tells of what is wrong with these. */
void sb_check_load_steps(sb_check *check, sb_needed_list *list);
/* Tells which of these answers the store lacks. */
void sb_check_bodies(sb_check *check, const sb_needed_list *list);
/* check_native.c: holds what the steps downloaded against lock files of package managers in the context. */
int sb_check_native(sb_check *check, sb_error **err);

/* --- check_online.c: has upstream changed, or is it gone? --- */
int sb_check_online(sb_check *check, sb_error **err);

typedef struct sb_probe { /* a URL that should still give these bytes */
    sb_slice url;
    const char *const *headers; /* NULL-terminated; may be NULL */
    const sb_digest *digest;
    uint64_t size;
    int64_t last_modified; /* -1 not known */
    sb_slice etag;         /* a strong one; absent without. Without either only the bytes tell */
    bool quiet;            /* one of many: no progress of its own */
    const void *subject;   /* the caller's */
} sb_probe;
/* It could not be had, or has other bytes (SB_ERR_VERIFY, SB_ERR_LIMIT). May take the error. */
typedef void (*sb_probe_judge)(void *ctx, const sb_probe *probe, sb_error **why);
int sb_check_probe(sb_check *check, const sb_probe *probes, size_t count, sb_probe_judge judge_one, void *ctx,
                   sb_error **err);
/* check_online_steps.c */
int sb_check_online_steps(sb_check *check, sb_error **err);

#endif
