// SPDX-License-Identifier: Apache-2.0
/* --fix: what it makes of texts, and what holds for whatever it makes. */
#include <sbuild/lint.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT_MAX = 1 << 20 };

static sb_lint_fixes fix(sb_slice text, sb_buf *out)
{
    sb_lint_options options = {0};
    sb_lint_fixes fixes;
    SB_AUTO(sb_error) err = NULL;

    if (sb_lint_fix(text, NULL, NULL, &options, out, &fixes, &err) < 0)
        fail_msg("%s", err->message);
    return fixes;
}

static void check(const char *before, const char *after, size_t fixed)
{
    sb_autobuf out = SB_BUF_INIT(TEXT_MAX);
    sb_lint_fixes fixes = fix(sb_slice_z(before), &out);

    assert_string_equal(out.data, after);
    assert_int_equal(fixes.fixed, fixed);
}

static void test_bytes_that_stay(void **state)
{
    (void)state;
    /* BOM, CRLF, no final line end, comments. */
    check("\xef\xbb\xbf# x\r\nFROM a:1 as b\r\nENV x y z\r\n# last",
          "\xef\xbb\xbf# x\r\nFROM a:1 AS b\r\nENV x=\"y z\"\r\n# last", 2);
    check("FROM a:1 AS b\nENV x=1\n", "FROM a:1 AS b\nENV x=1\n", 0);
    check("FROM a:1\nENV x \\\n  y\nUSER 1", "FROM a:1\nENV x=y\nUSER 1", 1);
}

static void test_overlapping(void **state)
{
    (void)state;
    /* The keyword's fix takes AS along, which is a finding of its own: one of them waits, and is not needed.
     */
    check("FROM a:1 AS x\nRUN b\nRUN c\nfrom x AS y\nRUN d\n",
          "FROM a:1 AS x\nRUN b\nRUN c\nFROM x AS y\nRUN d\n", 1);
    check("FROM --platform=$TARGETPLATFORM a:1 as Base\nFROM b:1\nCOPY --from=Base a b\n",
          "FROM a:1 AS base\nFROM b:1\nCOPY --from=base a b\n", 3);
}

static void test_legacy_values(void **state)
{
    (void)state;
    check("FROM a:1\nENV a it\\'s  here\n", "FROM a:1\nENV a=it\\'s\\ \\ here\n", 1);
    check("FROM a:1\nENV a \"b c\"\n", "FROM a:1\nENV a=\"b c\"\n", 1);
    check("FROM a:1\nENV a say \"b c\" $PATH\n", "FROM a:1\nENV a=say\\ \"b c\"\\ $PATH\n", 1);
    check("# escape=`\nFROM a:1\nENV a c:\\x y\n", "# escape=`\nFROM a:1\nENV a=\"c:\\x y\"\n", 1);
    check("FROM a:1\nLABEL a b=c\n", "FROM a:1\nLABEL a=b=c\n", 1);
}

static void test_commands(void **state)
{
    (void)state;
    check("FROM a:1\nCMD npm  start\n", "FROM a:1\nCMD [\"npm\", \"start\"]\n", 1);
    check("FROM a:1\nCMD exec npm start\n", "FROM a:1\nCMD exec npm start\n", 0);
    check("FROM a:1\nCMD echo $HOME\n", "FROM a:1\nCMD echo $HOME\n", 0);
    check("FROM a:1\nCMD A=b npm start\n", "FROM a:1\nCMD A=b npm start\n", 0);
    /* ENTRYPOINT's shell does not see CMD; the program itself would. */
    check("FROM a:1\nENTRYPOINT app\nCMD [\"x\"]\n", "FROM a:1\nENTRYPOINT app\nCMD [\"x\"]\n", 0);
}

/* In small letters the name is the stage's, whose trigger then says what it says: nothing new may be found.
 */
static void test_dropped(void **state)
{
    const char *text = "FROM a:1 AS Base\nONBUILD ENV a b\nFROM Base\nEXPOSE 80/TCP\n";
    sb_autobuf out = SB_BUF_INIT(TEXT_MAX);
    sb_lint_fixes fixes = fix(sb_slice_z(text), &out);

    (void)state;
    assert_string_equal(out.data, "FROM a:1 AS Base\nONBUILD ENV a b\nFROM Base\nEXPOSE 80/tcp\n");
    assert_int_equal(fixes.fixed, 1);
    assert_int_equal(fixes.dropped, 1);
}

static void test_not_parsed(void **state)
{
    (void)state;
    check("FROM\n", "FROM\n", 0);
    check("nothing\n", "nothing\n", 0);
}

/* --- What always holds --- */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static const char *one_of(const char *const *list, size_t count, uint32_t *seed)
{
    return list[next(seed) % count];
}

static void random_dockerfile(sb_buf *out, uint32_t *seed)
{
    static const char *const bases[] = {
        "FROM alpine:3 as Base",
        "from debian:12 AS b",
        "FROM scratch",
        "FROM Base",
        "From base as c",
        "FROM --platform=$TARGETPLATFORM busybox:1",
        "FROM --platform=${TARGETPLATFORM} Base AS D",
    };
    static const char *const others[] = {
        "ENV a b c",
        "env x $PATH y",
        "LABEL k \"v w\"",
        "LABEL k it\\'s so",
        "maintainer Me <m@example.org>",
        "MAINTAINER \"a $b\"",
        "CMD run it",
        "ENTRYPOINT app --x=1",
        "cmd [\"a\"]",
        "EXPOSE 80/TCP 1:2/Udp",
        "RUN a && \\\n\n  b",
        "RUN a \\\n# c\n  \n\t\n  b",
        "COPY --from=Base a b",
        "COPY --from=b /a /",
        "RUN --mount=type=bind,from=Base,target=/x c",
        "run true",
        "WORKDIR x",
        "RUN <<E\n\ntext\nE",

        "SHELL [\"/bin/bash\", \"-c\"]",
        "# comment",
        "",
        "HEALTHCHECK NONE",
    };
    unsigned stages = 1 + next(seed) % 3;
    const char *end = next(seed) % 5 ? "\n" : "\r\n";

    for (unsigned s = 0; s < stages; s++) {
        sb_buf_printf(out, "%s%s", one_of(bases, SB_COUNT(bases), seed), end);
        for (unsigned i = next(seed) % 6; i > 0; i--)
            sb_buf_printf(out, "%s%s", one_of(others, SB_COUNT(others), seed), end);
    }
}

static size_t fixable(const sb_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++)
        count += report->items[i].edit_count > 0;
    return count;
}

static void test_properties(void **state)
{
    sb_lint_options options = {0};
    uint32_t seed = 11;
    size_t fixed = 0;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        sb_autobuf text = SB_BUF_INIT(TEXT_MAX), once = SB_BUF_INIT(TEXT_MAX), twice = SB_BUF_INIT(TEXT_MAX);
        SB_AUTO(sb_report) report = sb_report_new("lint");
        SB_AUTO(sb_report) before = sb_report_new("lint");
        SB_AUTO(sb_dockerfile) df = NULL;
        sb_lint_fixes fixes;

        random_dockerfile(&text, &seed);
        assert_int_equal(sb_lint_text(sb_buf_slice(&text), "d", &options, before, NULL), 0);
        fixes = fix(sb_buf_slice(&text), &once);
        fixed += fixes.fixed;
        if (fixes.dropped)
            fail_msg("dropped in\n%s", text.data);
        /* It still parses when it did, nothing fixable is left, nothing new is found, and again is no more.
         */
        if (sb_df_parse(sb_buf_slice(&text), "d", 0, &df, NULL) < 0) {
            assert_string_equal(once.data, text.data);
            continue;
        }
        assert_int_equal(sb_lint_text(sb_buf_slice(&once), "d", &options, report, NULL), 0);
        if (fixable(report))
            fail_msg("left: %.*s in\n%s", (int)report->items[0].message.len, report->items[0].message.ptr,
                     once.data);
        assert_true(report->count + fixes.fixed <= before->count);
        fix(sb_buf_slice(&once), &twice);
        assert_string_equal(twice.data, once.data);
    }
    assert_true(fixed > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_that_stay), cmocka_unit_test(test_overlapping),
        cmocka_unit_test(test_legacy_values),   cmocka_unit_test(test_commands),
        cmocka_unit_test(test_not_parsed),      cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
