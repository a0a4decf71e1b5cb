// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/misses.h>

typedef struct lines {
    sb_buf text;
} lines;

static void take_line(void *ctx, const sb_event *event)
{
    lines *l = ctx;

    sb_buf_printf(&l->text, "%d %s\n", (int)event->kind, event->text);
}

static const sb_run_step step = {.id = "0123456789ab", .line = 7, .label = {"RUN make", 8}};
static const sb_run_step *const steps[] = {&step};

static void feed(sb_misses *misses, const char *text)
{
    for (; *text; text++) /* in the smallest pieces */
        sb_misses_feed(misses, sb_slice_of(text, 1));
}

#define MISS(url) SB_STEP_MISS "GET " url " (step 0123456789ab: RUN make); run \"sbuild lock\"\n"

static void report(const sb_misses *misses, lines *l, sb_error **err)
{
    sb_progress progress = {.event = take_line, .ctx = l};
    sb_project project = {.dockerfile_name = SB_LIT("Dockerfile"), .progress = &progress};

    l->text = SB_BUF_INIT(1 << 20);
    (void)sb_fail(err, SB_ERR_BUILD, "the build failed");
    sb_misses_report(misses, &project, steps, 1, err);
}

static void test_none(void **state)
{
    SB_AUTO(sb_misses) misses = sb_misses_new();
    SB_AUTO(sb_error) err = NULL;
    lines l;

    (void)state;
    feed(misses, "#5 0.1 sbuild: not in the lock: \n" SB_STEP_MISS "GET x (step 01");
    /* A step that there is not. */
    feed(misses, "\n" SB_STEP_MISS "GET http://a/ (step ffffffffffff: RUN x)\n");
    report(misses, &l, &err);
    assert_int_equal(err->code, SB_ERR_BUILD);
    assert_int_equal(l.text.len, 0);
}

static void test_some(void **state)
{
    SB_AUTO(sb_misses) misses = sb_misses_new();
    SB_AUTO(sb_error) err = NULL;
    lines l;

    (void)state;
    feed(misses, "#9 0.123 " MISS("https://a/b"));
    feed(misses, "\033[34m => => # \033[0m" MISS("https://a/b") "\033]0;title\a" MISS("https://a/c"));
    assert_int_equal(sb_misses_count(misses), 2);
    report(misses, &l, &err);
    assert_int_equal(err->code, SB_ERR_STALE);
    assert_string_equal(err->message,
                        "2 requests of RUN instructions are not in the lock; run \"sbuild lock\"");
    assert_string_equal(l.text.data,
                        "4 Dockerfile:7: RUN make asked for GET https://a/b, which is not in the lock\n"
                        "4 Dockerfile:7: RUN make asked for GET https://a/c, which is not in the lock\n");
    sb_buf_free(&l.text);
}

static void test_many(void **state)
{
    SB_AUTO(sb_misses) misses = sb_misses_new();
    SB_AUTO(sb_error) err = NULL;
    lines l;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        sb_autofree char *line =
            sb_asprintf(SB_STEP_MISS "GET http://a/%u (step 0123456789ab: RUN make)\r\n", i);

        feed(misses, line);
    }
    report(misses, &l, &err);
    assert_string_equal(err->message,
                        "2000 requests of RUN instructions are not in the lock; run \"sbuild lock\"");
    assert_non_null(strstr(l.text.data, "\n4 and 1960 more like these\n"));
    assert_null(strstr(l.text.data, "http://a/40,"));
    sb_buf_free(&l.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_some),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
