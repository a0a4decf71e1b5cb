// SPDX-License-Identifier: Apache-2.0
#include <cli/progress.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_MS = 100,
    PLAIN_MS = 10000, /* between two plain lines about the same transfer */
    RATE_MS = 1000,   /* the rate is that of about the last second */
    NAME_MAX_BYTES = 500,
    FRAME_MAX = 1 << 20,
    BESIDE_NAME = 34, /* columns of size, total and rate */
    NAME_MIN = 12,
};

typedef struct task {
    unsigned id;
    char *name;
    uint64_t done, total; /* bytes */
    int64_t began;        /* milliseconds, as all times here */
    int64_t said;         /* last plain line */
    uint64_t rate_done;   /* state of the transfer at rate_time */
    int64_t rate_time;
    double rate; /* bytes a second; 0 when not known yet */
} task;

struct cli_progress {
    cli_progress_options options;
    sb_progress events;
    task *tasks; /* under way, oldest first */
    size_t len, cap;
    size_t finished;         /* tasks */
    uint64_t finished_bytes; /* of finished tasks */
    int64_t began;           /* the first task */
    int64_t drawn_at;
    unsigned drawn;       /* lines on the screen that the next frame replaces */
    unsigned drawn_width; /* columns of the terminal when they were drawn */
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One write, so that nobody sees half a frame. Nothing can be done about a terminal that is gone. */
static void put(const cli_progress *p, const sb_buf *text)
{
    size_t at = 0;

    while (at < text->len) {
        ssize_t n = write(p->options.fd, text->data + at, text->len - at);

        if (n < 0 && errno != EINTR)
            return;
        at += n < 0 ? 0 : (size_t)n;
    }
}

/* --- What is drawn in place --- */

/* Moves to the first line of the last frame. */
static void add_rewind(cli_progress *p, sb_buf *out)
{
    if (p->drawn > 0)
        sb_buf_printf(out, "\r\033[%uA", p->drawn);
    p->drawn = 0;
}

static void add_amounts(sb_buf *out, uint64_t done, uint64_t total, double rate)
{
    char text[CLI_SIZE_TEXT];

    cli_size(done, text);
    sb_buf_printf(out, " %9s", text);
    if (total) {
        cli_size(total, text);
        sb_buf_printf(out, " / %-8s", text);
    } else {
        sb_buf_addz(out, "           ");
    }
    if (rate >= 1) {
        cli_size((uint64_t)rate, text);
        sb_buf_printf(out, " %9s/s", text);
    }
}

/* One line: the name, cut or padded to what the amounts leave of the width. */
static void add_line(cli_progress *p, sb_buf *out, unsigned width, const char *name, uint64_t done,
                     uint64_t total, double rate)
{
    bool amounts = (done || total) && width > BESIDE_NAME + NAME_MIN;

    cli_add_column(out, sb_slice_z(name), amounts ? width - BESIDE_NAME - 1 : width - 1);
    if (amounts)
        add_amounts(out, done, total, rate);
    sb_buf_addz(out, "\033[K\n");
    p->drawn++;
}

static void add_sum(cli_progress *p, sb_buf *out, unsigned width, int64_t now)
{
    sb_autofree char *name = sb_asprintf("%zu of %zu", p->finished, p->finished + p->len);
    double seconds = (double)(now - p->began) / 1000;
    uint64_t done = p->finished_bytes, total = p->finished_bytes;
    bool known = true;

    for (size_t i = 0; i < p->len; i++) {
        const task *t = &p->tasks[i];

        done += t->done;
        total += t->total > t->done ? t->total : t->done;
        known = known && t->total > 0;
    }
    sb_buf_addz(out, cli_color_on(&p->options.style, CLI_BOLD));
    add_line(p, out, width, name, done, known ? total : 0, seconds > 0.5 ? (double)done / seconds : 0);
    sb_buf_addz(out, cli_color_on(&p->options.style, CLI_PLAIN));
}

/* Everything that is under way, as far as the screen has room. */
static void add_frame(cli_progress *p, sb_buf *out, unsigned width, unsigned rows, int64_t now)
{
    size_t room = rows > 4 ? rows - 3 : 1;
    size_t shown = p->len <= room ? p->len : room - 1;

    for (size_t i = 0; i < shown; i++)
        add_line(p, out, width, p->tasks[i].name, p->tasks[i].done, p->tasks[i].total, p->tasks[i].rate);
    if (shown < p->len) {
        sb_autofree char *more = sb_asprintf("and %zu more", p->len - shown);

        add_line(p, out, width, more, 0, 0, 0);
    }
    if (p->len + p->finished > 1)
        add_sum(p, out, width, now);
}

/* A new frame, behind a line that stays unless `line` is NULL. */
static void draw(cli_progress *p, const char *line)
{
    sb_autobuf out = SB_BUF_INIT(FRAME_MAX);
    int64_t now = now_ms();
    unsigned rows = 24;
    unsigned width = cli_terminal_width(p->options.fd, &rows);

    if (!width)
        width = p->options.style.width;
    if (width < p->drawn_width) /* its lines may have been wrapped: they cannot be found again */
        p->drawn = 0;
    p->drawn_width = width;
    sb_buf_addz(&out, "\033[?2026h"); /* a terminal that knows it shows the frame as a whole */
    add_rewind(p, &out);
    if (line)
        sb_buf_printf(&out, "%s\033[K\n", line);
    if (p->len > 0)
        add_frame(p, &out, width, rows, now);
    sb_buf_addz(&out, "\033[J\033[?2026l");
    put(p, &out);
    p->drawn_at = now;
}

/* --- Plain lines --- */

static void say(cli_progress *p, const char *line)
{
    if (p->options.live) {
        draw(p, line);
    } else {
        sb_autobuf out = SB_BUF_INIT(FRAME_MAX);

        sb_buf_printf(&out, "%s\n", line);
        put(p, &out);
    }
}

static void say_state(cli_progress *p, task *t, int64_t now)
{
    char done[CLI_SIZE_TEXT], total[CLI_SIZE_TEXT];
    sb_autofree char *line = NULL;

    cli_size(t->done, done);
    cli_size(t->total, total);
    line =
        t->total ? sb_asprintf("%s: %s of %s", t->name, done, total) : sb_asprintf("%s: %s", t->name, done);
    t->said = now;
    say(p, line);
}

static void say_end(cli_progress *p, const task *t, bool ok, int64_t now)
{
    double seconds = (double)(now - t->began) / 1000;
    sb_autofree char *line = NULL;
    char done[CLI_SIZE_TEXT];

    cli_size(t->done, done);
    if (!ok)
        line = sb_asprintf("%s: failed", t->name);
    else if (t->done)
        line = sb_asprintf("%s: %s in %.1f s", t->name, done, seconds);
    else
        line = sb_asprintf("%s: done", t->name);
    say(p, line);
}

/* --- Events --- */

static task *find(cli_progress *p, unsigned id)
{
    for (size_t i = 0; i < p->len; i++)
        if (p->tasks[i].id == id)
            return &p->tasks[i];
    return NULL;
}

static void begin(cli_progress *p, const sb_event *event, int64_t now)
{
    task *t;

    if (p->began == 0)
        p->began = now;
    t = SB_PUSH(p->tasks, p->len, p->cap);
    *t = (task){.id = event->id, .total = event->total, .began = now, .said = now, .rate_time = now};
    t->name = sb_strndup(event->text, strnlen(event->text, NAME_MAX_BYTES));
}

static void advance(task *t, const sb_event *event, int64_t now)
{
    t->done = event->done;
    if (event->total)
        t->total = event->total;
    if (t->done < t->rate_done) { /* began anew */
        t->rate_done = t->done;
        t->rate_time = now;
    }
    if (now - t->rate_time >= RATE_MS) {
        t->rate = (double)(t->done - t->rate_done) * 1000 / (double)(now - t->rate_time);
        t->rate_done = t->done;
        t->rate_time = now;
    }
}

static void end(cli_progress *p, task *t)
{
    size_t index = (size_t)(t - p->tasks);

    p->finished++;
    p->finished_bytes += t->done;
    free(t->name);
    memmove(t, t + 1, (p->len - index - 1) * sizeof(*t));
    p->len--;
}

static void on_task(cli_progress *p, const sb_event *event)
{
    int64_t now = now_ms();
    task *t;

    if (event->kind == SB_EVENT_BEGIN) {
        begin(p, event, now);
    } else if ((t = find(p, event->id))) {
        if (event->kind == SB_EVENT_ADVANCE) {
            advance(t, event, now);
            if (!p->options.live && now - t->said >= PLAIN_MS)
                say_state(p, t, now);
        } else {
            if (!p->options.live || !event->ok)
                say_end(p, t, event->ok, now);
            end(p, t);
        }
    }
    if (p->options.live && p->len == 0)
        cli_progress_clear(p);
    else if (p->options.live && now - p->drawn_at >= FRAME_MS)
        draw(p, NULL);
}

static void on_line(cli_progress *p, const sb_event *event)
{
    const cli_style *style = &p->options.style;
    sb_autofree char *line = NULL;

    if (event->kind == SB_EVENT_WARNING)
        line = sb_asprintf("sbuild: %swarning:%s %s", cli_color_on(style, CLI_YELLOW),
                           cli_color_on(style, CLI_PLAIN), event->text);
    else if (event->kind == SB_EVENT_NOTE && !p->options.quiet)
        line = sb_strdup(event->text);
    else if (event->kind == SB_EVENT_DETAIL && p->options.verbose)
        line =
            sb_asprintf("%s%s%s", cli_color_on(style, CLI_DIM), event->text, cli_color_on(style, CLI_PLAIN));
    if (line)
        say(p, line);
}

static void on_event(void *ctx, const sb_event *event)
{
    cli_progress *p = ctx;

    switch (event->kind) {
    case SB_EVENT_BEGIN:
    case SB_EVENT_ADVANCE:
    case SB_EVENT_END:
        if (!p->options.quiet)
            on_task(p, event);
        break;
    case SB_EVENT_NOTE:
    case SB_EVENT_WARNING:
    case SB_EVENT_DETAIL:
        on_line(p, event);
        break;
    }
}

cli_progress *cli_progress_new(const cli_progress_options *options)
{
    cli_progress *p = sb_new(cli_progress);

    p->options = *options;
    p->events = (sb_progress){.event = on_event, .ctx = p};
    return p;
}

void cli_progress_clear(cli_progress *p)
{
    sb_autobuf out = SB_BUF_INIT(FRAME_MAX);

    if (p->drawn == 0)
        return;
    add_rewind(p, &out);
    sb_buf_addz(&out, "\033[J");
    put(p, &out);
}

void cli_progress_free(cli_progress *p)
{
    if (!p)
        return;
    cli_progress_clear(p);
    for (size_t i = 0; i < p->len; i++)
        free(p->tasks[i].name);
    free(p->tasks);
    free(p);
}

sb_progress *cli_progress_events(cli_progress *progress)
{
    return &progress->events;
}
