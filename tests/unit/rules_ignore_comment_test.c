// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/ignores.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void comments(void **state)
{
    static const struct {
        const char *text;
        bool counts;
        sb_ignore_dialect dialect;
        sb_ignore_scope scope;
        size_t rules;
        const char *reason, *leftover;
    } cases[] = {
        {" sbuild: ignore=SB000", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 1, NULL, NULL},
        {"sbuild:ignore = SB000 , SB001,SB002 reason= a b ", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 3,
         "a b", NULL},
        {" sbuild: ignore-file=SB000 reason=\"a\"", true, SB_IGNORE_SBUILD, SB_IGNORE_FILE, 1, "a", NULL},
        {" sbuild: ignore=SB000 reason=a=b, c", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 1, "a=b, c",
         NULL},
        {" sbuild: ignore=SB000 reason=\033[31mred", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 1,
         "\\x1b[31mred", NULL},
        {" sbuild: ignore=SB000 since ever", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 1, NULL,
         "since ever"},
        {" sbuild: ignore= reason=x", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 1, NULL, "=x"},
        {" sbuild: ignore", true, SB_IGNORE_SBUILD, SB_IGNORE_INSTRUCTION, 0, NULL, ""},
        {" sbuild: verify sha256=00", false, 0, 0, 0, NULL, NULL},
        {" sbuild ignore=SB000", false, 0, 0, 0, NULL, NULL},
        {" hadolint ignore=DL3008,SC2086", true, SB_IGNORE_HADOLINT, SB_IGNORE_INSTRUCTION, 2, NULL, NULL},
        {" hadolint ignore=DL3008 # why", true, SB_IGNORE_HADOLINT, SB_IGNORE_INSTRUCTION, 1, "why", NULL},
        {" hadolint global ignore=DL3008", true, SB_IGNORE_HADOLINT, SB_IGNORE_FILE, 1, NULL, NULL},
        {" hadolint stage ignore=DL3008", true, SB_IGNORE_HADOLINT, SB_IGNORE_STAGE, 1, NULL, NULL},
        {" hadolint shell=powershell", false, 0, 0, 0, NULL, NULL},
        {" hadolint: see below", false, 0, 0, 0, NULL, NULL},
        {" check=skip=StageNameCasing,UndefinedVar", true, SB_IGNORE_CHECK, SB_IGNORE_INSTRUCTION, 2, NULL,
         NULL},
        {" check=skip=all;error=true", true, SB_IGNORE_CHECK, SB_IGNORE_INSTRUCTION, 1, NULL, NULL},
        {" check=error=true", false, 0, 0, 0, NULL, NULL},
        {" check the version", false, 0, 0, 0, NULL, NULL},
        {" ignore this", false, 0, 0, 0, NULL, NULL},
        {"", false, 0, 0, 0, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_ignore_comment comment;
        bool counts = sb_ignore_comment_parse(arena, sb_slice_z(cases[i].text), &comment);

        if (counts != cases[i].counts)
            fail_msg("%s: %d", cases[i].text, counts);
        if (!counts)
            continue;
        if (comment.dialect != cases[i].dialect || comment.scope != cases[i].scope ||
            comment.rule_count != cases[i].rules || !sb_slice_eqz(comment.reason, cases[i].reason) ||
            !sb_slice_eqz(comment.leftover, cases[i].leftover))
            fail_msg("%s: %zu rules, reason \"%.*s\", behind \"%.*s\"", cases[i].text, comment.rule_count,
                     (int)comment.reason.len, comment.reason.ptr, (int)comment.leftover.len,
                     comment.leftover.ptr);
    }
}

static void names(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_ignore_comment comment;

    (void)state;
    assert_true(sb_ignore_comment_parse(arena, SB_LIT("sbuild: ignore=sb000,Not-Understood,DL3008,SB123456"),
                                        &comment));
    assert_ptr_equal(comment.rules[0].rule, &sb_rule_not_understood);
    assert_ptr_equal(comment.rules[1].rule, &sb_rule_not_understood);
    assert_null(comment.rules[2].rule);
    assert_null(comment.rules[3].rule);
    assert_true(sb_ignore_comment_parse(arena, SB_LIT("hadolint ignore=dl3008,SB000"), &comment));
    assert_string_equal(comment.rules[0].prefix, "SB501");
    assert_null(comment.rules[1].rule);
    assert_true(sb_ignore_comment_parse(arena, SB_LIT("check=skip=SB000,WorkdirRelativePath,all"), &comment));
    assert_null(comment.rules[0].rule);
    assert_non_null(comment.rules[1].rule);
    assert_string_equal(comment.rules[2].prefix, "");
}

static void directives(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_ignore_comment comment;

    (void)state;
    assert_true(sb_ignore_directive_parse(arena, SB_LIT("skip=A,B;error=true;experimental=all"), &comment));
    assert_true(comment.raises && comment.rule_count == 2 && comment.scope == SB_IGNORE_FILE);
    assert_true(sb_ignore_directive_parse(arena, SB_LIT("error=TRUE"), &comment));
    assert_true(comment.raises && comment.rule_count == 0);
    assert_false(sb_ignore_directive_parse(arena, SB_LIT("error=false"), &comment));
    assert_false(sb_ignore_directive_parse(arena, SB_LIT("experimental=all"), &comment));
}

/* A comment of any length names so many rules and no more. */
static void many(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf text = SB_BUF_INIT(1 << 20);
    sb_ignore_comment comment;

    (void)state;
    sb_buf_addz(&text, "sbuild: ignore=SB000");
    for (int i = 0; i < 10000; i++)
        sb_buf_addz(&text, ",SB000");
    assert_true(sb_ignore_comment_parse(arena, sb_buf_slice(&text), &comment));
    assert_int_equal(comment.rule_count, SB_LINT_IGNORED_RULES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments),
        cmocka_unit_test(names),
        cmocka_unit_test(directives),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
