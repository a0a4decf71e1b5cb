// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lint_fixture.h"

static void users(void **state)
{
    static const struct {
        const char *text;
        sb_lint_user who;
        const char *user; /* NULL: not known */
    } cases[] = {
        {"FROM a\n", SB_LINT_USER_UNKNOWN, NULL},
        {"FROM scratch\n", SB_LINT_USER_ROOT, "root"},
        {"FROM a\nUSER app\n", SB_LINT_USER_OTHER, "app"},
        {"FROM a\nUSER 0\n", SB_LINT_USER_ROOT, "0"},
        {"FROM a\nUSER 00:1000\n", SB_LINT_USER_ROOT, "00:1000"},
        {"FROM a\nUSER root:app\n", SB_LINT_USER_ROOT, "root:app"},
        {"FROM a\nUSER 1000:0\n", SB_LINT_USER_OTHER, "1000:0"},
        {"FROM a\nUSER app\nUSER root\n", SB_LINT_USER_ROOT, "root"},
        {"FROM a AS b\nUSER app\nFROM b\nRUN x\n", SB_LINT_USER_OTHER, "app"},
        {"FROM a AS b\nUSER app\nFROM c\n", SB_LINT_USER_UNKNOWN, NULL},
        {"FROM a\nARG U=app\nUSER ${U}\n", SB_LINT_USER_OTHER, "app"},
        {"FROM a\nARG U\nUSER $U\n", SB_LINT_USER_UNKNOWN, NULL},
        {"FROM a\nUSER ${FROM_BASE}\n", SB_LINT_USER_UNKNOWN, NULL},
        {"FROM scratch\nUSER ${NOBODY}\n", SB_LINT_USER_ROOT, ""},
        {"FROM a AS b\nONBUILD USER app\nFROM b\n", SB_LINT_USER_OTHER, "app"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(looked) l = look_at(cases[i].text);
        const sb_lint_stage *last = &l->lint.stages[l->lint.stage_count - 1];

        assert_true(last->final && last->reachable);
        if (last->who != cases[i].who || !sb_slice_eqz(last->user, cases[i].user) ||
            !last->user.ptr != !cases[i].user)
            fail_msg("%s: %d \"%.*s\"", cases[i].text, last->who, (int)last->user.len, last->user.ptr);
    }
}

/* The value of a variable in a run; absent when it is not known or not set. */
static sb_slice value_of(const sb_lint_run *run, const char *name, bool *ret_set)
{
    *ret_set = false;
    for (size_t i = 0; i < run->var_count; i++)
        if (sb_slice_eqz(run->vars[i].name, name)) {
            *ret_set = true;
            return run->vars[i].value;
        }
    return SB_NIL;
}

static void variables(void **state)
{
    SB_AUTO(looked)
    l = look_at(
        "ARG G=1\nFROM a AS one\nRUN first\nENV A=b\nARG G\nARG N\nRUN second\nENV A=c C=$A D=$X E=${N:-7}\n"
        "RUN third\nFROM one\nRUN fourth\n");
    const sb_lint_run *runs = l->lint.runs;
    bool set;

    (void)state;
    assert_int_equal(l->lint.run_count, 4);
    value_of(&runs[0], "A", &set);
    assert_false(set);
    assert_true(sb_slice_eqz(value_of(&runs[1], "A", &set), "b"));
    assert_true(sb_slice_eqz(value_of(&runs[1], "G", &set), "1"));
    assert_null(value_of(&runs[1], "N", &set).ptr);
    assert_true(set);
    assert_true(sb_slice_eqz(value_of(&runs[2], "A", &set), "c"));
    assert_true(sb_slice_eqz(value_of(&runs[2], "C", &set), "b"));
    assert_null(value_of(&runs[2], "D", &set).ptr); /* only the base image may know X */
    assert_true(set);
    assert_true(sb_slice_eqz(value_of(&runs[3], "A", &set), "c"));
    assert_int_equal(runs[3].stage, 1);
}

static void directories(void **state)
{
    SB_AUTO(looked)
    l = look_at("FROM a\nRUN x\nWORKDIR rel\nRUN x\nWORKDIR /app\nRUN x\nWORKDIR lib\nRUN x\nWORKDIR "
                "$UNKNOWN\nRUN x\n"
                "FROM scratch\nWORKDIR lib\nRUN x\n");
    static const char *const expected[] = {NULL, NULL, "/app", "/app/lib", NULL, "/lib"};

    (void)state;
    assert_int_equal(l->lint.run_count, SB_COUNT(expected));
    for (size_t i = 0; i < SB_COUNT(expected); i++) {
        assert_true(sb_slice_eqz(l->lint.runs[i].directory, expected[i]));
        assert_int_equal(!l->lint.runs[i].directory.ptr, !expected[i]);
    }
}

static void dialects(void **state)
{
    static const struct {
        const char *text;
        sb_sh_dialect dialect;
        size_t commands;
    } cases[] = {
        {"FROM a\nRUN x; y\n", SB_SH_POSIX, 2},
        {"FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nRUN x; y\n", SB_SH_BASH, 2},
        {"FROM a\nSHELL [\"powershell\", \"-Command\"]\nRUN x; y\n", SB_SH_OTHER, 0},
        {"FROM a AS b\nSHELL [\"bash\", \"-c\"]\nFROM b\nRUN x\n", SB_SH_BASH, 1},
        {"FROM a AS b\nSHELL [\"bash\", \"-c\"]\nFROM a\nRUN x\n", SB_SH_POSIX, 1},
        {"FROM a\nSHELL [\"conda\", \"run\", \"-n\", \"x\", \"/bin/bash\", \"-c\"]\nRUN x; y\n", SB_SH_BASH,
         2},
        {"FROM a\nSHELL [\"/usr/bin/scl\", \"enable\", \"devtoolset-7\"]\nRUN x; y\n", SB_SH_BASH, 2},
        {"FROM a\nSHELL [\"/usr/bin/python3\", \"-c\"]\nRUN x; y\n", SB_SH_OTHER, 0},
        {"FROM --platform=windows/amd64 a\nRUN x\n", SB_SH_OTHER, 0},
        {"FROM a\nRUN <<EOF\nx\ny\nEOF\n", SB_SH_POSIX, 2},
        {"FROM a\nRUN <<EOF\n#!/usr/bin/env bash\nx\nEOF\n", SB_SH_BASH, 1},
        {"FROM a\nRUN <<EOF\n#!/usr/bin/python3 -u\nx\nEOF\n", SB_SH_OTHER, 0},
        {"FROM a\nRUN [\"/bin/sh\", \"-c\", \"x && y\"]\n", SB_SH_POSIX, 3},
        {"FROM a\nRUN [\"C:\\\\\\\\x\\\\\\\\PowerShell.exe\", \"x\"]\n", SB_SH_OTHER, 0},
        {"FROM a\nONBUILD RUN x | y\n", SB_SH_POSIX, 2},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(looked) l = look_at(cases[i].text);

        assert_int_equal(l->lint.run_count, 1);
        if (l->lint.runs[0].dialect != cases[i].dialect || l->lint.runs[0].reading.count != cases[i].commands)
            fail_msg("%s: dialect %d, %zu commands", cases[i].text, l->lint.runs[0].dialect,
                     l->lint.runs[0].reading.count);
        assert_null(l->lint.runs[0].reading.trouble);
    }
}

/* A file that asks for more copies of its variables than is sensible is looked at without them. */
static void too_many_variables(void **state)
{
    sb_autobuf text = SB_BUF_INIT(1 << 20);
    sb_autofree char *whole = NULL;

    (void)state;
    sb_buf_addz(&text, "FROM a\n");
    for (int i = 0; i < 1500; i++)
        sb_buf_printf(&text, "ENV V%d=x\nRUN y\n", i);
    whole = sb_buf_take(&text);
    {
        SB_AUTO(looked) l = look_at(whole);

        assert_int_equal(l->lint.run_count, 1500);
        assert_true(l->lint.runs[10].var_count > 10);
        assert_int_equal(l->lint.runs[1499].var_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users),    cmocka_unit_test(variables),          cmocka_unit_test(directories),
        cmocka_unit_test(dialects), cmocka_unit_test(too_many_variables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
