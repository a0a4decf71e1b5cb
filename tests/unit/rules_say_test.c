// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lint_fixture.h"

static const sb_rule rule = {
    .id = "SB998", .name = "a-rule", .summary = "s", .remedy = "r", .severity = SB_SEVERITY_WARNING};

/* The bytes of the file that stand for argument `arg` of command `command` of the first run. */
static void expect_arg(const char *text, size_t command, size_t arg, const char *expected)
{
    SB_AUTO(looked) l = look_at(text);
    const sb_lint_run *run = &l->lint.runs[0];
    sb_span span;

    assert_true(run->reading.count > command && run->reading.commands[command].count > arg);
    span = sb_lint_arg_span(&l->lint, run, &run->reading.commands[command].args[arg]);
    assert_true(span.start <= span.end && span.end <= l->df->text.len);
    if (!sb_slice_eqz(sb_slice_sub(l->df->text, span.start, span.end), expected))
        fail_msg("got \"%.*s\", not \"%s\"", (int)(span.end - span.start), l->df->text.ptr + span.start,
                 expected);
}

static void spans_of_arguments(void **state)
{
    (void)state;
    expect_arg("FROM a\nRUN curl -k x\n", 0, 1, "-k");
    expect_arg("FROM a\nRUN --mount=type=cache,target=/x curl -k x\n", 0, 1, "-k");
    /* Continuations, with comments and empty lines between */
    expect_arg("FROM a\nRUN a && \\\n  # -k\n\n  curl \\\n  -k x\n", 1, 1, "-k");
    expect_arg("FROM a\r\nRUN a && \\\r\n  curl -k \\\r\n  'x y'\r\n", 1, 2, "'x y'");
    /* Heredocs: the script itself, with tabs taken off, and one for another command */
    expect_arg("FROM a\nRUN <<EOF\ncurl -k x\nEOF\n", 0, 1, "-k");
    expect_arg("FROM a\nRUN <<-EOF\n\t\ta\n\t\tcurl -k x\n\tEOF\n", 1, 2, "x");
    expect_arg("FROM a\r\nRUN <<EOF\r\na\r\ncurl -k x\r\nEOF\r\n", 1, 1, "-k");
    expect_arg("FROM a\nRUN cat <<EOF > /x && curl -k x\nb\nEOF\n", 1, 1, "-k");
    /* The exec form, a trigger */
    expect_arg("FROM a\nRUN [\"curl\", \"-k\", \"x\"]\n", 0, 1, "-k");
    expect_arg("FROM a\nONBUILD RUN curl \\\n -k x\n", 0, 1, "-k");
}

static void places(void **state)
{
    SB_AUTO(looked) l = look_at("FROM a\n\tCMD \tx y\n");
    const sb_finding *f;

    (void)state;
    f = sb_lint_say(&l->lint, &rule, l->df->instructions[1].args[0].span, "it is %s", "so\nand so");
    assert_non_null(f);
    assert_int_equal(f->line, 2);
    assert_int_equal(f->column, 7);
    assert_int_equal(f->end_line, 2);
    assert_int_equal(f->end_column, 10);
    assert_true(sb_slice_eqz(f->excerpt, "\tCMD \tx y"));
    assert_true(sb_slice_eqz(f->message, "it is so and so"));
    /* Over several lines, and without a place */
    f = sb_lint_say(&l->lint, &rule, (sb_span){0, l->df->text.len}, "all");
    assert_int_equal(f->line, 1);
    assert_int_equal(f->end_line, 2);
    f = sb_lint_say(&l->lint, &rule, (sb_span){0, 0}, "nowhere");
    assert_int_equal(f->line, 0);
}

static void severities(void **state)
{
    SB_AUTO(looked) l = look_at("FROM a\n");
    sb_rule_setting choices[] = {{&rule, SB_SEVERITY_ERROR}, {&rule, SB_SEVERITY_OFF}};
    const char *others[] = {"SB000", NULL}, *mine[] = {"SB000", "A-Rule", NULL};

    (void)state;
    l->options.rules = choices;
    l->options.rule_count = 1;
    assert_int_equal(sb_lint_say(&l->lint, &rule, (sb_span){0, 4}, "x")->severity, SB_SEVERITY_ERROR);
    l->options.rule_count = 2;
    assert_null(sb_lint_say(&l->lint, &rule, (sb_span){0, 4}, "x"));
    l->options.rule_count = 0;
    l->options.only = others;
    assert_null(sb_lint_say(&l->lint, &rule, (sb_span){0, 4}, "x"));
    l->options.only = mine;
    assert_non_null(sb_lint_say(&l->lint, &rule, (sb_span){0, 4}, "x"));
}

/* Fingerprints of `count` findings, one at each instruction but FROM. */
static void prints(const char *text, size_t count, sb_slice *ret_prints, sb_arena *arena)
{
    SB_AUTO(looked) l = look_at(text);

    for (size_t i = 1; i < l->df->instruction_count; i++)
        sb_lint_say(&l->lint, &rule, l->df->instructions[i].span, "x");
    sb_lint_fingerprints(&l->lint);
    assert_int_equal(l->report->count, count);
    for (size_t i = 0; i < count; i++)
        ret_prints[i] = sb_arena_dup(arena, l->report->items[i].fingerprint);
}

static void fingerprints(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice before[3], moved[4], wrapped[3];

    (void)state;
    prints("FROM a\nRUN x y\nRUN z\nRUN x y\n", 3, before, arena);
    assert_false(sb_slice_eq(before[0], before[1]));
    assert_false(sb_slice_eq(before[0], before[2]));
    prints("# new\nFROM a\n\nRUN first\nRUN x y\nRUN z\n\n\nRUN x y\n", 4, moved, arena);
    assert_true(sb_slice_eq(before[0], moved[1]));
    assert_true(sb_slice_eq(before[1], moved[2]));
    assert_true(sb_slice_eq(before[2], moved[3]));
    prints("FROM a\nRUN x \\\n   y\nRUN z\nRUN x y\n", 3, wrapped, arena);
    assert_true(sb_slice_eq(before[0], wrapped[0]));
}

static void edits(void **state)
{
    SB_AUTO(looked) l = look_at("FROM a\n");
    char text[] = "abc";
    sb_finding *f = sb_lint_say(&l->lint, &rule, (sb_span){0, 4}, "x");

    (void)state;
    sb_lint_edit(&l->lint, f, (sb_span){0, 1}, sb_slice_z(text));
    sb_lint_edit(&l->lint, f, (sb_span){2, 2}, SB_LIT(""));
    sb_lint_help(&l->lint, f, "do %d", 7);
    text[0] = 'x';
    assert_int_equal(f->edit_count, 2);
    assert_true(sb_slice_eqz(f->edits[0].text, "abc"));
    assert_true(sb_slice_eqz(f->remedy, "do 7"));
    sb_lint_edit(&l->lint, NULL, (sb_span){0, 1}, SB_LIT("x"));
    sb_lint_help(&l->lint, NULL, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_of_arguments), cmocka_unit_test(places), cmocka_unit_test(severities),
        cmocka_unit_test(fingerprints),       cmocka_unit_test(edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
