// SPDX-License-Identifier: Apache-2.0
/* Diffs, held against what diff(1) writes and what patch(1) makes of them. */
#include <sbuild/lint.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tempdir.h"

enum { DIFF_MAX = 64 << 20 };

static char *diff_of(const char *before, const char *after)
{
    sb_buf out = SB_BUF_INIT(DIFF_MAX);

    assert_int_equal(sb_text_diff(sb_slice_z(before), sb_slice_z(after), "Dockerfile", &out, NULL), 0);
    return sb_buf_take(&out);
}

static void check(const char *before, const char *after, const char *expected)
{
    sb_autofree char *diff = diff_of(before, after);

    assert_string_equal(diff, expected);
}

#define HEAD "--- Dockerfile\n+++ Dockerfile\n"

static void test_forms(void **state)
{
    (void)state;
    check("a\nb\n", "a\nb\n", "");
    check("", "a\n", HEAD "@@ -0,0 +1 @@\n+a\n");
    check("a\n", "", HEAD "@@ -1 +0,0 @@\n-a\n");
    check("a\nb\nc\n", "a\nx\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
    check("a\nb", "a\nc",
          HEAD "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n");
    check("a", "a\n", HEAD "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    check("a\r\nb\r\n", "a\r\nc\r\n", HEAD "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n");
}

static void test_hunks(void **state)
{
    (void)state;
    /* Six lines between two changes are context of both; seven are not. */
    check("1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n",
          HEAD "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n");
    check("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
          HEAD "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n");
}

static void write_text(const tempdir *t, const char *name, sb_slice text)
{
    assert_int_equal(sb_write_file(t->dirfd, name, text, 0644, NULL), 0);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Lines of few kinds, so that there is much to align. */
static void random_lines(sb_buf *out, uint32_t *seed)
{
    unsigned count = next(seed) % 40;

    for (unsigned i = 0; i < count; i++)
        sb_buf_printf(out, "%c%s", 'a' + (int)(next(seed) % 5),
                      i + 1 == count && next(seed) % 4 == 0 ? "" : "\n");
}

/* Some lines of the first text are changed, dropped or doubled. */
static void mutate(sb_slice text, sb_buf *out, uint32_t *seed)
{
    sb_slice line;

    while (text.len && (line = sb_slice_cut(&text, '\n')).ptr) {
        unsigned what = next(seed) % 10;

        if (what == 0)
            continue;
        sb_buf_adds(out, what == 1 ? SB_LIT("new") : line);
        if (text.ptr)
            sb_buf_addc(out, '\n');
        if (what == 2)
            sb_buf_addz(out, "more\n");
    }
}

static void test_against_patch(void **state)
{
    const tempdir *t = *state;
    uint32_t seed = 7;

    for (unsigned i = 0; i < 150; i++) {
        sb_autobuf before = SB_BUF_INIT(DIFF_MAX), after = SB_BUF_INIT(DIFF_MAX),
                   diff = SB_BUF_INIT(DIFF_MAX);
        sb_autofree char *said = NULL;

        random_lines(&before, &seed);
        if (i % 3)
            mutate(sb_buf_slice(&before), &after, &seed);
        else
            random_lines(&after, &seed);
        assert_int_equal(sb_text_diff(sb_buf_slice(&before), sb_buf_slice(&after), "file", &diff, NULL), 0);
        write_text(t, "before", sb_buf_slice(&before));
        write_text(t, "after", sb_buf_slice(&after));
        write_text(t, "diff", sb_buf_slice(&diff));
        /* As few lines as diff has, and patch makes the second text of the first. */
        said = tempdir_shell(t, "cd \"$1\"\n"
                                "cp before file; rm -f file.orig; touch out\n"
                                "[ ! -s diff ] || patch -s -o out file diff || exit\n"
                                "[ -s diff ] || cp file out\n"
                                "cmp out after || exit\n"
                                "diff -u --minimal before after | grep -c '^[-+]' >theirs || :\n"
                                "grep -c '^[-+]' diff >ours || :\n"
                                "cmp ours theirs && printf same; rm -f out\n");
        assert_string_equal(said, "same");
    }
}

/* Too different to look for the shortest: one text instead of the other, and quickly. */
static void test_replacement(void **state)
{
    sb_autobuf before = SB_BUF_INIT(DIFF_MAX), after = SB_BUF_INIT(DIFF_MAX), diff = SB_BUF_INIT(DIFF_MAX);
    size_t gone = 0, added = 0;
    sb_slice rest, line;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        sb_buf_printf(&before, "a%u\n", i);
        sb_buf_printf(&after, "b%u\n", i);
    }
    assert_int_equal(sb_text_diff(sb_buf_slice(&before), sb_buf_slice(&after), "file", &diff, NULL), 0);
    rest = sb_buf_slice(&diff);
    while (rest.len && (line = sb_slice_cut(&rest, '\n')).ptr) {
        gone += line.len && line.ptr[0] == '-';
        added += line.len && line.ptr[0] == '+';
    }
    assert_int_equal(gone, 100001);
    assert_int_equal(added, 100001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_hunks),
        cmocka_unit_test_setup_teardown(test_against_patch, tempdir_setup, tempdir_teardown),
        cmocka_unit_test(test_replacement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
