// SPDX-License-Identifier: Apache-2.0
/*
 * How the library tells what it is doing, without printing. The program passes one sb_progress down; every
 * function that takes one accepts NULL. Calls come from one thread.
 */
#ifndef SBUILD_PROGRESS_H
#define SBUILD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <sbuild/alloc.h>

typedef enum sb_event_kind {
    SB_EVENT_BEGIN,   /* a transfer or task starts */
    SB_EVENT_ADVANCE, /* `done` of `total` bytes */
    SB_EVENT_END,     /* finished; `ok` tells how */
    SB_EVENT_NOTE,    /* a line worth reading */
    SB_EVENT_WARNING, /* a line that must be read */
    SB_EVENT_DETAIL,  /* a line for --verbose */
} sb_event_kind;

typedef struct sb_event {
    sb_event_kind kind;
    unsigned id;      /* of the task, for BEGIN, ADVANCE and END */
    const char *text; /* what it is, or the line: printable already */
    uint64_t done;    /* bytes */
    uint64_t total;   /* bytes; 0 when not known */
    bool ok;
} sb_event;

typedef struct sb_progress {
    void (*event)(void *ctx, const sb_event *event);
    void *ctx;
    unsigned next_id; /* of sb_progress_begin */
} sb_progress;

unsigned sb_progress_begin(sb_progress *progress, uint64_t total, const char *fmt, ...) SB_PRINTF(3, 4);
void sb_progress_advance(sb_progress *progress, unsigned id, uint64_t done, uint64_t total);
void sb_progress_end(sb_progress *progress, unsigned id, bool ok);
void sb_progress_line(sb_progress *progress, sb_event_kind kind, const char *fmt, ...) SB_PRINTF(3, 4);

/*
 * Set by the program's signal handler when the user wants to stop; long loops of the library look at it and
 * fail with SB_ERR_INTERRUPTED.
 */
extern volatile int sb_interrupted;

#endif
