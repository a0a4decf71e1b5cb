// SPDX-License-Identifier: Apache-2.0
#include <builder/misses.h>

enum {
    LINE_MAX_BYTES = 32 << 10, /* of output; what is longer cannot be one of ours */
    MISSES_MAX = 1000,
    SHOWN_MAX = 40,
};

typedef struct miss {
    sb_slice id;      /* of the step */
    sb_slice request; /* "GET https://…" */
} miss;

struct sb_misses {
    sb_arena *arena;
    sb_buf line; /* without what a terminal obeys */
    enum { TEXT, ESCAPE, CONTROL, COMMAND } state;
    miss *items;
    size_t count, cap;
    size_t more; /* beyond the maximum */
};

sb_misses *sb_misses_new(void)
{
    sb_misses *misses = sb_new(sb_misses);

    misses->arena = sb_arena_new();
    misses->line = SB_BUF_INIT(LINE_MAX_BYTES);
    return misses;
}

void sb_misses_free(sb_misses *misses)
{
    if (!misses)
        return;
    sb_buf_free(&misses->line);
    sb_arena_free(misses->arena);
    free(misses);
}

static void add(sb_misses *misses, sb_slice id, sb_slice request)
{
    for (size_t i = 0; i < misses->count; i++)
        if (sb_slice_eq(misses->items[i].id, id) && sb_slice_eq(misses->items[i].request, request))
            return;
    if (misses->count == MISSES_MAX) {
        misses->more++;
        return;
    }
    *SB_ARENA_PUSH(misses->arena, misses->items, misses->count, misses->cap) =
        (miss){sb_arena_dup(misses->arena, id), sb_arena_dup(misses->arena, request)};
}

/* "…sbuild: not in the lock: GET https://example.org/x (step 0123456789ab: RUN make); run …" */
static void look_at_line(sb_misses *misses)
{
    const sb_slice mark = SB_LIT(SB_STEP_MISS), step = SB_LIT(" (step ");
    sb_slice line = sb_buf_slice(&misses->line), request;
    ptrdiff_t at = sb_slice_find(line, mark);

    if (at < 0)
        return;
    line = sb_slice_sub(line, (size_t)at + mark.len, line.len);
    at = sb_slice_find(line, step);
    if (at < 0)
        return;
    request = sb_slice_sub(line, 0, (size_t)at);
    line = sb_slice_sub(line, (size_t)at + step.len, line.len);
    if (line.len > SB_STEP_ID_LEN && line.ptr[SB_STEP_ID_LEN] == ':')
        add(misses, sb_slice_sub(line, 0, SB_STEP_ID_LEN), request);
}

static void feed_character(sb_misses *misses, char c)
{
    switch (misses->state) {
    case ESCAPE:
        misses->state = c == '[' ? CONTROL : c == ']' ? COMMAND : TEXT;
        return;
    case CONTROL:
        if (c >= '@' && c <= '~')
            misses->state = TEXT;
        return;
    case COMMAND:
        if (c == '\a' || c == '\n')
            misses->state = TEXT;
        return;
    case TEXT:
        break;
    }
    if (c == '\033') {
        misses->state = ESCAPE;
    } else if (c == '\n' || c == '\r') {
        look_at_line(misses);
        sb_buf_reset(&misses->line);
    } else {
        sb_buf_addc(&misses->line, c);
    }
}

void sb_misses_feed(sb_misses *misses, sb_slice piece)
{
    for (size_t i = 0; i < piece.len; i++)
        feed_character(misses, piece.ptr[i]);
}

size_t sb_misses_count(const sb_misses *misses)
{
    return misses->count + misses->more;
}

/* The same id, wherever it is known. */
static const sb_run_step *step_of(const miss *m, const sb_run_step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eqz(m->id, steps[i]->id))
            return steps[i];
    return NULL;
}

static void report_one(const miss *m, const sb_project *project, const sb_run_step *step)
{
    sb_autofree char *request = sb_printable(m->request);
    sb_autofree char *file = sb_printable(project->dockerfile_name);

    sb_progress_line(project->progress, SB_EVENT_WARNING,
                     "%s:%u: %" SB_FMT " asked for %s, which is not in the lock", file, step->line,
                     SB_ARG(step->label), request);
}

void sb_misses_report(const sb_misses *misses, const sb_project *project, const sb_run_step *const *steps,
                      size_t count, sb_error **err)
{
    size_t known = 0;

    for (size_t i = 0; i < misses->count; i++) {
        const sb_run_step *step = step_of(&misses->items[i], steps, count);

        /* What a step prints of steps that there are not is its own affair. */
        if (step && ++known <= SHOWN_MAX)
            report_one(&misses->items[i], project, step);
    }
    if (!known)
        return;
    if (known > SHOWN_MAX || misses->more)
        sb_progress_line(project->progress, SB_EVENT_WARNING, "and %zu more like these",
                         known + misses->more - (known > SHOWN_MAX ? SHOWN_MAX : known));
    if (err) {
        sb_error_free(*err);
        *err = NULL;
    }
    (void)sb_fail(
        err, SB_ERR_STALE, "%zu request%s of RUN instructions %s not in the lock; run \"sbuild lock\"",
        known + misses->more, known + misses->more == 1 ? "" : "s", known + misses->more == 1 ? "is" : "are");
}

size_t sb_misses_steps(const sb_misses *misses, const sb_run_step *const *steps, size_t count,
                       sb_arena *arena, const char ***ret_ids)
{
    const char **ids = sb_arena_array(arena, const char *, count + 1);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < misses->count; k++)
            if (sb_slice_eqz(misses->items[k].id, steps[i]->id)) {
                ids[n++] = steps[i]->id;
                break;
            }
    *ret_ids = ids;
    return n;
}
