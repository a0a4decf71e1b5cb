// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cli/progress.h>

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sbuild/utf8.h>

/* --- A terminal as small as the sequences that are used --- */

enum { ROWS = 12, COLUMNS_MAX = 200 };

typedef struct screen {
    char cell[ROWS][COLUMNS_MAX * 4]; /* UTF-8 */
    unsigned row, column;
    unsigned columns;
    bool wrapped; /* something was written beyond the last column */
} screen;

static void scroll(screen *s)
{
    memmove(s->cell[0], s->cell[1], sizeof(s->cell) - sizeof(s->cell[0]));
    memset(s->cell[ROWS - 1], 0, sizeof(s->cell[0]));
}

static void erase_line_end(screen *s)
{
    sb_slice kept = cli_fit(sb_slice_z(s->cell[s->row]), s->column);

    s->cell[s->row][kept.len] = '\0';
}

static void erase_below(screen *s)
{
    erase_line_end(s);
    for (unsigned row = s->row + 1; row < ROWS; row++)
        s->cell[row][0] = '\0';
}

/* Handles one control sequence; returns its length. */
static size_t control(screen *s, const char *text)
{
    unsigned number = 0;
    size_t n = 2;

    assert_int_equal(text[1], '[');
    while (text[n] == '?' || (text[n] >= '0' && text[n] <= '9')) {
        if (text[n] != '?')
            number = number * 10 + (unsigned)(text[n] - '0');
        n++;
    }
    switch (text[n]) {
    case 'A':
        s->row -= number > s->row ? s->row : number;
        break;
    case 'K':
        erase_line_end(s);
        break;
    case 'J':
        erase_below(s);
        break;
    case 'm':
        break;
    case 'h':
    case 'l':
        assert_int_equal(number, 2026);
        break;
    default:
        fail_msg("unknown sequence %c", text[n]);
    }
    return n + 1;
}

static void put_character(screen *s, const char *text, size_t n)
{
    sb_slice before = cli_fit(sb_slice_z(s->cell[s->row]), s->column);
    size_t len = strlen(s->cell[s->row]);
    unsigned width = cli_width(sb_slice_of(text, n));
    sb_slice under = cli_fit(sb_slice_z(s->cell[s->row] + before.len), width);
    char *at = s->cell[s->row] + before.len;

    memmove(at + n, at + under.len, len - before.len - under.len + 1);
    memcpy(at, text, n);
    s->column += width;
    s->wrapped = s->wrapped || s->column > s->columns;
}

static void feed(screen *s, const char *text)
{
    while (*text) {
        uint32_t c;
        size_t n = sb_utf8_decode(text, strlen(text), &c);

        assert_true(n > 0);
        if (c == 033) {
            n = control(s, text);
        } else if (c == '\r') {
            s->column = 0;
        } else if (c == '\n') {
            s->column = 0;
            if (++s->row == ROWS) {
                s->row--;
                scroll(s);
            }
        } else {
            put_character(s, text, n);
        }
        text += n;
    }
}

/* --- A progress on a pseudo terminal --- */

typedef struct rig {
    int master, slave;
    screen screen;
    cli_progress *progress;
    sb_progress *events;
} rig;

static void resize(rig *r, unsigned columns)
{
    struct winsize size = {.ws_row = ROWS, .ws_col = (unsigned short)columns};

    r->screen.columns = columns;
    assert_int_equal(ioctl(r->master, TIOCSWINSZ, &size), 0);
}

static rig *rig_new(unsigned columns)
{
    cli_progress_options options = {.live = true, .style = {.terminal = true, .width = columns}};
    rig *r = sb_new(rig);

    assert_int_equal(openpty(&r->master, &r->slave, NULL, NULL, NULL), 0);
    resize(r, columns);
    options.fd = r->slave;
    r->progress = cli_progress_new(&options);
    r->events = cli_progress_events(r->progress);
    return r;
}

/* What has been written since the last time is on the screen then. */
static void look(rig *r)
{
    struct pollfd ready = {.fd = r->master, .events = POLLIN};

    while (poll(&ready, 1, 50) > 0) {
        char text[65536];
        ssize_t n = read(r->master, text, sizeof(text) - 1);

        assert_true(n > 0);
        text[n] = '\0';
        feed(&r->screen, text);
    }
    assert_false(r->screen.wrapped);
}

static void rig_free(rig *r)
{
    cli_progress_free(r->progress);
    close(r->master);
    close(r->slave);
    free(r);
}

static void next_frame(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 110000000}, NULL);
}

static bool on_screen(const rig *r, const char *text)
{
    for (unsigned row = 0; row < ROWS; row++)
        if (strstr(r->screen.cell[row], text))
            return true;
    return false;
}

static unsigned lines_on_screen(const rig *r)
{
    unsigned count = 0;

    for (unsigned row = 0; row < ROWS; row++)
        count += r->screen.cell[row][0] != '\0';
    return count;
}

/* --- Tests --- */

static void test_transfers_are_redrawn_in_place(void **state)
{
    rig *r = rig_new(80);
    unsigned first, second;

    (void)state;
    first = sb_progress_begin(r->events, 1000000, "first");
    second = sb_progress_begin(r->events, 0, "second");
    next_frame();
    sb_progress_advance(r->events, first, 250000, 1000000);
    next_frame();
    sb_progress_advance(r->events, second, 5000, 0);
    look(r);
    assert_int_equal(lines_on_screen(r), 3);
    assert_non_null(strstr(r->screen.cell[0], "first"));
    assert_non_null(strstr(r->screen.cell[0], "250.0 kB / 1.0 MB"));
    assert_non_null(strstr(r->screen.cell[1], "5.0 kB"));
    assert_non_null(strstr(r->screen.cell[2], "0 of 2"));
    assert_non_null(strstr(r->screen.cell[2], "255.0 kB"));

    next_frame();
    sb_progress_end(r->events, first, true);
    look(r);
    assert_false(on_screen(r, "first"));
    assert_true(on_screen(r, "1 of 2"));
    sb_progress_end(r->events, second, true);
    look(r);
    assert_int_equal(lines_on_screen(r), 0);
    rig_free(r);
}

static void test_lines_stay_above_the_frame(void **state)
{
    rig *r = rig_new(60);
    unsigned id;

    (void)state;
    id = sb_progress_begin(r->events, 0, "something");
    sb_progress_line(r->events, SB_EVENT_NOTE, "a note");
    sb_progress_line(r->events, SB_EVENT_WARNING, "a warning");
    sb_progress_line(r->events, SB_EVENT_DETAIL, "a detail that nobody asked for");
    look(r);
    assert_string_equal(r->screen.cell[0], "a note");
    assert_string_equal(r->screen.cell[1], "sbuild: warning: a warning");
    assert_non_null(strstr(r->screen.cell[2], "something"));
    assert_int_equal(lines_on_screen(r), 3);
    sb_progress_end(r->events, id, false);
    look(r);
    assert_string_equal(r->screen.cell[2], "something: failed");
    assert_int_equal(lines_on_screen(r), 3);
    rig_free(r);
}

static void test_names_fit_the_width(void **state)
{
    static const unsigned widths[] = {200, 80, 60, 41, 40, 30, 20};
    rig *r = rig_new(200);
    unsigned id;

    (void)state;
    id = sb_progress_begin(r->events, 1000,
                           "日本語のとても長い名前のファイル.tar.gz and ünïcödé, which is longer than most "
                           "terminals are wide, so that it has to be cut somewhere");
    for (size_t i = 0; i < SB_COUNT(widths); i++) {
        resize(r, widths[i]);
        memset(r->screen.cell, 0, sizeof(r->screen.cell));
        next_frame();
        sb_progress_advance(r->events, id, 10 + i, 1000);
        look(r);
        assert_true(on_screen(r, "日本"));
    }
    assert_true(on_screen(r, ".."));
    rig_free(r);
}

static void test_more_transfers_than_rows(void **state)
{
    rig *r = rig_new(80);

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        sb_progress_begin(r->events, 100, "transfer %u", i);
    sb_progress_line(r->events, SB_EVENT_NOTE, "first");
    for (unsigned i = 0; i < 5; i++) {
        next_frame();
        sb_progress_advance(r->events, 1, i, 100);
    }
    look(r);
    assert_int_equal(lines_on_screen(r),
                     11); /* the note, eight transfers, "and more", the sum; the cursor's line */
    assert_string_equal(r->screen.cell[0], "first");
    assert_true(on_screen(r, "and 42 more"));
    rig_free(r);
}

/* Each write of a sequenced-packet socket is a packet: frames can be counted and looked at. */
static void test_a_frame_is_one_write_and_rare(void **state)
{
    cli_progress_options options = {.live = true, .style = {.terminal = true, .width = 80}};
    cli_progress *progress;
    sb_progress *events;
    int ends[2], frames = 0;
    char packet[65536];
    struct timespec start, now;
    uint64_t done = 0;
    unsigned id;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    options.fd = ends[0];
    progress = cli_progress_new(&options);
    events = cli_progress_events(progress);
    id = sb_progress_begin(events, 0, "busy");
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        sb_progress_advance(events, id, ++done, 0);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 1050);
    while (recv(ends[1], packet, sizeof(packet) - 1, MSG_DONTWAIT) > 0) {
        assert_memory_equal(packet, "\033[?2026h", 8);
        assert_non_null(strstr(packet, "\033[?2026l"));
        memset(packet, 0, sizeof(packet));
        frames++;
    }
    assert_in_range(frames, 2, 12);
    cli_progress_free(progress);
    close(ends[0]);
    close(ends[1]);
}

static void test_plain_lines(void **state)
{
    cli_progress_options options = {.verbose = true, .style = {.width = 80}};
    cli_progress *progress;
    sb_progress *events;
    char text[4096] = "";
    int ends[2];
    unsigned id;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    options.fd = ends[1];
    progress = cli_progress_new(&options);
    events = cli_progress_events(progress);
    id = sb_progress_begin(events, 0, "small");
    sb_progress_advance(events, id, 1500, 1500);
    sb_progress_end(events, id, true);
    id = sb_progress_begin(events, 0, "bad");
    sb_progress_end(events, id, false);
    sb_progress_line(events, SB_EVENT_DETAIL, "detail");
    cli_progress_free(progress);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "small: 1.5 kB in 0.0 s\nbad: failed\ndetail\n");
    close(ends[0]);
    close(ends[1]);
}

static void test_quiet_shows_warnings_only(void **state)
{
    cli_progress_options options = {.quiet = true, .style = {.width = 80}};
    cli_progress *progress;
    sb_progress *events;
    char text[4096] = "";
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    options.fd = ends[1];
    progress = cli_progress_new(&options);
    events = cli_progress_events(progress);
    sb_progress_end(events, sb_progress_begin(events, 0, "transfer"), false);
    sb_progress_line(events, SB_EVENT_NOTE, "note");
    sb_progress_line(events, SB_EVENT_WARNING, "careful");
    cli_progress_free(progress);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "sbuild: warning: careful\n");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfers_are_redrawn_in_place),
        cmocka_unit_test(test_lines_stay_above_the_frame),
        cmocka_unit_test(test_names_fit_the_width),
        cmocka_unit_test(test_more_transfers_than_rows),
        cmocka_unit_test(test_a_frame_is_one_write_and_rare),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_quiet_shows_warnings_only),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
