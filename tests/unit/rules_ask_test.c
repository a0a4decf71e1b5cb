// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lint_fixture.h"
#include "tempdir.h"

static looked *command(const char *words)
{
    sb_autofree char *text = sb_asprintf("FROM a\nRUN %s\n", words);
    /* Leaked into the fixture's text, which must outlive it. */
    static char kept[1000];

    assert_true(strlen(text) < sizeof(kept));
    memcpy(kept, text, strlen(text) + 1);
    return look_at(kept);
}

static void has_option(void **state)
{
    static const struct {
        const char *words, *option;
        bool expected;
    } cases[] = {
        {"curl -k x", "-k", true},
        {"curl -sSk x", "-k", true},
        {"curl -sSok x", "-k", false}, /* the file's name is "k" */
        {"curl -o -k x", "-k", false}, /* so it is here */
        {"curl -H -k -k x", "-k", true},
        {"curl --insecure x", "--insecure", true},
        {"curl --insecure=1 x", "--insecure", true},
        {"curl --insecurely x", "--insecure", false},
        {"curl x -- -k", "-k", false},
        {"curl x", "-k", false},
        {"tool -xk", "-k", true},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(looked) l = command(cases[i].words);

        if (sb_sh_has_option(&l->lint.runs[0].reading.commands[0], cases[i].option, NULL) !=
            cases[i].expected)
            fail_msg("%s: %s", cases[i].words, cases[i].option);
    }
}

static void option_value(void **state)
{
    static const struct {
        const char *words, *option, *expected;
    } cases[] = {
        {"curl -o x y", "-o", "x"},
        {"curl -ox y", "-o", "x"},
        {"curl -fsSLo x y", "-o", "x"},
        {"curl --output x y", "--output", "x"},
        {"curl --output=x y", "--output", "x"},
        {"curl y -o", "-o", NULL},
        {"curl y", "-o", NULL},
        {"curl --output= y", "--output", ""},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(looked) l = command(cases[i].words);
        sb_slice value = SB_NIL;
        const sb_sh_arg *arg =
            sb_sh_option_value(&l->lint.runs[0].reading.commands[0], cases[i].option, &value);

        if (!arg != !cases[i].expected || !sb_slice_eqz(value, cases[i].expected))
            fail_msg("%s: \"%.*s\"", cases[i].words, (int)value.len, value.ptr);
    }
}

static void verb(void **state)
{
    static const char *const with_value[] = {"-o", "--prefix", NULL};
    size_t index = 0;
    SB_AUTO(looked) l = command("apt-get -o install --prefix x -qq update -y");
    SB_AUTO(looked) none = look_at("FROM a\nRUN apt-get -y\n");

    (void)state;
    assert_true(sb_slice_eqz(sb_sh_verb(&l->lint.runs[0].reading.commands[0], with_value, &index), "update"));
    assert_int_equal(index, 6);
    assert_null(sb_sh_verb(&none->lint.runs[0].reading.commands[0], with_value, NULL).ptr);
}

static void copied(void **state)
{
    SB_AUTO(looked)
    l = look_at("FROM a AS one\nRUN x\nCOPY package*.json ./\nRUN x\nFROM one\nCOPY sub/go.mod /src/\nCOPY "
                "--from=one /go.sum /src/Gemfile\n"
                "RUN --mount=type=bind,source=uv.lock,target=uv.lock x\nCOPY . .\nRUN x\n");
    const sb_lint_run *runs = l->lint.runs;

    (void)state;
    assert_false(sb_lint_copied(&l->lint, 0, runs[0].instruction, "package-lock.json"));
    assert_true(sb_lint_copied(&l->lint, 0, runs[1].instruction, "package-lock.json"));
    assert_true(sb_lint_copied(&l->lint, 1, runs[2].instruction, "package-lock.json"));
    assert_true(sb_lint_copied(&l->lint, 1, runs[2].instruction, "go.mod"));
    assert_false(sb_lint_copied(&l->lint, 1, runs[2].instruction, "go.sum"));
    assert_true(sb_lint_copied(&l->lint, 1, runs[2].instruction, "Gemfile"));
    assert_true(sb_lint_copied(&l->lint, 1, runs[2].instruction, "uv.lock"));
    assert_false(sb_lint_copied(&l->lint, 1, runs[2].instruction, "poetry.lock"));
    /* Without a context, "." may hold anything. */
    assert_true(sb_lint_copied(&l->lint, 1, runs[3].instruction, "poetry.lock"));
    assert_false(sb_lint_copied(&l->lint, -1, NULL, "x"));
}

static void context(void **state)
{
    const tempdir *t = *state;
    SB_AUTO(looked) l = look_at("FROM a\nCOPY . .\nCOPY sub /sub\nRUN x\n");

    l->lint.context_fd = t->dirfd;
    free(tempdir_shell(
        t, "touch a.lock secret.lock; mkdir sub; touch sub/b.lock; echo secret.lock > .dockerignore"));
    assert_true(sb_lint_has_file(&l->lint, "a.lock"));
    assert_true(sb_lint_has_file(&l->lint, "./sub/b.lock"));
    assert_false(sb_lint_has_file(&l->lint, "secret.lock"));
    assert_false(sb_lint_has_file(&l->lint, "none.lock"));
    assert_false(sb_lint_has_file(&l->lint, "../a.lock"));
    assert_true(sb_lint_copied(&l->lint, 0, l->lint.runs[0].instruction, "a.lock"));
    assert_true(sb_lint_copied(&l->lint, 0, l->lint.runs[0].instruction, "b.lock"));
    assert_false(sb_lint_copied(&l->lint, 0, l->lint.runs[0].instruction, "none.lock"));
    assert_false(sb_lint_copied(&l->lint, 0, l->lint.runs[0].instruction, "secret.lock"));
    sb_ignore_free(l->own.ignore);
    l->own.ignore = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_option),
        cmocka_unit_test(option_value),
        cmocka_unit_test(verb),
        cmocka_unit_test(copied),
        cmocka_unit_test_setup_teardown(context, tempdir_setup, tempdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
