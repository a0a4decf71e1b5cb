// SPDX-License-Identifier: Apache-2.0
#include <sbuild/progress.h>

#include <sbuild/buf.h>

#include <stdarg.h>
#include <stdio.h>

volatile int sb_interrupted;

static void emit(sb_progress *progress, sb_event event, const char *fmt, va_list ap)
{
    sb_autofree char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0) {
        text = NULL;
        return;
    }
    sb_scrub(text);
    event.text = text;
    progress->event(progress->ctx, &event);
}

unsigned sb_progress_begin(sb_progress *progress, uint64_t total, const char *fmt, ...)
{
    va_list ap;
    unsigned id;

    if (!progress)
        return 0;
    id = ++progress->next_id;
    va_start(ap, fmt);
    emit(progress, (sb_event){.kind = SB_EVENT_BEGIN, .id = id, .total = total}, fmt, ap);
    va_end(ap);
    return id;
}

void sb_progress_advance(sb_progress *progress, unsigned id, uint64_t done, uint64_t total)
{
    sb_event event = {.kind = SB_EVENT_ADVANCE, .id = id, .done = done, .total = total};

    if (progress)
        progress->event(progress->ctx, &event);
}

void sb_progress_end(sb_progress *progress, unsigned id, bool ok)
{
    sb_event event = {.kind = SB_EVENT_END, .id = id, .ok = ok};

    if (progress)
        progress->event(progress->ctx, &event);
}

void sb_progress_line(sb_progress *progress, sb_event_kind kind, const char *fmt, ...)
{
    va_list ap;

    if (!progress)
        return;
    va_start(ap, fmt);
    emit(progress, (sb_event){.kind = kind}, fmt, ap);
    va_end(ap);
}
