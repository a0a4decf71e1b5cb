// SPDX-License-Identifier: Apache-2.0
/* The parts of `sbuild verify` between themselves. */
#ifndef SBUILD_LOCK_CHECK_H
#define SBUILD_LOCK_CHECK_H

#include <lock/findings.h>
#include <lock/update.h>

typedef struct sb_origin { /* where something of the lock is asked for */
    sb_slice expanded;     /* reference or URL */
    sb_slice where;        /* "Dockerfile:3" */
} sb_origin;

typedef struct sb_check {
    sb_project *project;
    sb_lock *lock;
    sb_arena *arena;
    sb_findings *findings;
    sb_origin *origins;
    size_t origin_count, origin_cap;
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
/* check_online.c: has upstream changed, or is it gone? */
int sb_check_online(sb_check *check, sb_error **err);

#endif
