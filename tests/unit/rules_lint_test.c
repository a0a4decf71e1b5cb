// SPDX-License-Identifier: Apache-2.0
/* Whole files: settings, locks, what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lint_fixture.h"
#include "tempdir.h"

static int enter(void **state)
{
    const tempdir *t;

    if (tempdir_setup(state) < 0)
        return -1;
    t = *state;
    setenv("HOME", t->dir, 1);
    unsetenv("XDG_CONFIG_HOME");
    return chdir(t->dir);
}

static int leave(void **state)
{
    return chdir("/") < 0 ? -1 : tempdir_teardown(state);
}

static sb_report *lint_file(const char *path, const char *context, sb_error **err)
{
    sb_lint_options options = {0};
    SB_AUTO(sb_report) report = sb_report_new("lint");

    return sb_lint_file(path, context, &options, report, err) < 0 ? NULL : SB_TAKE(report);
}

static bool finds(const char *path, const char *context, const char *id)
{
    sb_error *err = NULL;
    SB_AUTO(sb_report) report = lint_file(path, context, &err);
    const sb_finding *finding;

    if (!report) {
        fail_msg("%s", err ? err->message : "no report");
        return false;
    }
    finding = finding_of(report, id);
    return finding && !finding->ignored.ptr;
}

static void nearest_settings(void **state)
{
    const tempdir *t = *state;

    free(tempdir_shell(
        t, "mkdir -p a/b c\n"
           "for d in . a a/b c; do printf 'FROM x:1.2.3\\nWORKDIR app\\nCMD x\\n' > $d/Dockerfile; done\n"
           "echo '{\"lint\": {\"rules\": {\"WorkdirRelativePath\": \"off\"}}}' > sbuild.json\n"
           "echo '{\"lint\": {\"rules\": {\"JSONArgsRecommended\": \"off\"}}}' > c/sbuild.json\n"));
    assert_false(finds("Dockerfile", NULL, "WorkdirRelativePath"));
    assert_false(finds("./a/b/Dockerfile", NULL, "WorkdirRelativePath"));
    assert_true(finds("a/b/Dockerfile", NULL, "JSONArgsRecommended"));
    /* One file of settings counts, not several. */
    assert_true(finds("c/Dockerfile", NULL, "WorkdirRelativePath"));
    assert_false(finds("c/Dockerfile", NULL, "JSONArgsRecommended"));
    /* A context that is named counts, and nothing above it. */
    assert_true(finds("a/Dockerfile", "c", "WorkdirRelativePath"));
    assert_true(finds("a/Dockerfile", "a", "WorkdirRelativePath"));
}

static void users_settings(void **state)
{
    const tempdir *t = *state;

    free(tempdir_shell(t, "mkdir -p .config/sbuild p\n"
                          "printf 'FROM x:1.2.3\\nWORKDIR app\\nCMD x\\n' > p/Dockerfile\n"
                          "echo '{\"lint\": {\"rules\": {\"WorkdirRelativePath\": \"off\", "
                          "\"JSONArgsRecommended\": \"off\"}}}' > .config/sbuild/config.json\n"));
    assert_false(finds("p/Dockerfile", NULL, "WorkdirRelativePath"));
    free(tempdir_shell(
        t, "echo '{\"lint\": {\"rules\": {\"WorkdirRelativePath\": \"error\"}}}' > p/sbuild.json\n"));
    assert_true(finds("p/Dockerfile", NULL, "WorkdirRelativePath"));
    assert_false(finds("p/Dockerfile", NULL, "JSONArgsRecommended"));
}

/* Patterns are relative to the file that has them. */
static void exceptions(void **state)
{
    const tempdir *t = *state;
    sb_autofree char *absolute = sb_path_join(t->dir, "p/old/Dockerfile");

    free(tempdir_shell(t,
                       "mkdir -p p/old p/new\n"
                       "for d in old new; do printf 'FROM x:1.2.3\\nWORKDIR app\\n' > p/$d/Dockerfile; done\n"
                       "echo '{\"lint\": {\"ignore\": [{\"path\": \"old/*\"}]}}' > p/sbuild.json\n"));
    assert_false(finds("p/old/Dockerfile", NULL, "WorkdirRelativePath"));
    assert_true(finds("p/new/Dockerfile", NULL, "WorkdirRelativePath"));
    assert_false(finds("p/old/Dockerfile", "p", "WorkdirRelativePath"));
    free(tempdir_shell(t, "echo 'NO' > p/old/Dockerfile; echo 'NO' > p/new/Dockerfile\n"));
    assert_false(finds("p/old/Dockerfile", NULL, "SB000"));
    assert_true(finds("p/new/Dockerfile", NULL, "SB000"));
    assert_true(finds(absolute, NULL, "SB000")); /* whose settings are not looked for above */
}

/* A finding is the same one however the path of its file is written. */
static void paths_in_fingerprints(void **state)
{
    const tempdir *t = *state;
    sb_autofree char *real = realpath(t->dir, NULL), *absolute = sb_path_join(real, "p/Dockerfile");
    const char *const paths[] = {"p/Dockerfile", "./p/Dockerfile", absolute};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice first = SB_NIL;

    free(tempdir_shell(t, "mkdir -p p; printf 'FROM x:1.2.3\\nWORKDIR app\\n' > p/Dockerfile\n"));
    for (size_t i = 0; i < SB_COUNT(paths); i++) {
        SB_AUTO(sb_report) report = lint_file(paths[i], NULL, NULL);
        const sb_finding *f = report ? finding_of(report, "WorkdirRelativePath") : NULL;

        assert_non_null(f);
        if (!i)
            first = sb_arena_dup(arena, f->fingerprint);
        assert_true(sb_slice_eq(f->fingerprint, first));
    }
}

static void bad_settings(void **state)
{
    static const char *const texts[] = {
        "{\"lint\": {\"rules\": {\"SB99\": \"off\"}}}",
        "{\"lint\": {\"ignore\": [{\"rule\": \"SB99\"}]}}",
        "{\"lint\": {\"require-reason\": true, \"ignore\": [{\"rule\": \"SB000\"}]}}",
    };
    const tempdir *t = *state;

    free(tempdir_shell(t, "printf 'FROM x\\n' > Dockerfile\n"));
    for (size_t i = 0; i < SB_COUNT(texts); i++) {
        SB_AUTO(sb_error) err = NULL;

        assert_int_equal(sb_write_file(t->dirfd, "sbuild.json", sb_slice_z(texts[i]), 0644, NULL), 0);
        assert_null(lint_file("Dockerfile", NULL, &err));
        assert_int_equal(err->code, SB_ERR_USAGE);
        assert_true(sb_slice_starts(sb_slice_z(err->message), SB_LIT("sbuild.json: ")));
    }
}

/* A lock of another Dockerfile tells nothing; one that cannot be read is said. */
static void locks(void **state)
{
    const tempdir *t = *state;
    SB_AUTO(sb_error) err = NULL;

    free(tempdir_shell(t, "printf 'FROM x:1.2.3\\nRUN y\\n' > Dockerfile\n"
                          "echo '{\"version\": 1, \"dockerfile\": \"Other\", \"epoch\": 0, "
                          "\"dockerfile-digest\": \"sha256:'$(printf %064d 0)'\"}' > Dockerfile.lock\n"));
    assert_true(finds("Dockerfile", NULL, "SB403"));
    free(tempdir_shell(t, "echo '<<<<<<<' > Dockerfile.lock\n"));
    assert_null(lint_file("Dockerfile", NULL, &err));
    assert_non_null(strstr(err->message, "Dockerfile.lock"));
    /* A Dockerfile that cannot be parsed is a finding with a lock, too. */
    free(tempdir_shell(t, "echo 'NO' > Dockerfile\n"));
    assert_true(finds("Dockerfile", NULL, "SB000"));
}

static void contexts(void **state)
{
    static const struct {
        const char *copy, *lock, *expected;
    } cases[] = {
        {"COPY own.py /x", NULL, "docker"},
        {"COPY app.py /x", NULL, "."},
        {"COPY ./app.py /docker/own.py /x/", NULL, "."},
        {"COPY . .", NULL, "docker"},
        {"COPY none.py /x", NULL, "docker"},
        {"COPY --from=b app.py /x", NULL, "docker"},
        {"ADD https://example.org/app.py /x", NULL, "docker"},
        {"COPY $FILE *.py /x/", NULL, "docker"},
        {"COPY own.py /x", "docker/Dockerfile", "."},
        {"COPY app.py /x", "Dockerfile", "docker"},
        {"COPY app.py /x", "other/Dockerfile", "."},
    };
    const tempdir *t = *state;

    free(tempdir_shell(t, "mkdir docker; touch app.py docker/own.py\n"));
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        sb_autofree char *text = sb_asprintf("FROM a AS b\nFROM a\n%s\n", cases[i].copy), *found = NULL;
        SB_AUTO(sb_lock) lock = cases[i].lock ? sb_lock_new() : NULL;
        SB_AUTO(sb_dockerfile) df = NULL;

        assert_int_equal(sb_df_parse(sb_slice_z(text), "Dockerfile", 0, &df, NULL), 0);
        if (lock)
            lock->dockerfile = sb_slice_z(cases[i].lock);
        found = sb_lint_guess_context(df, "docker/Dockerfile", "docker", lock);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].copy, found);
    }
    /* What .dockerignore of that context leaves out. */
    free(tempdir_shell(
        t, "printf 'FROM a:1.2.3\\nCOPY app.py /x\\n' > docker/Dockerfile; echo app.py > .dockerignore\n"));
    assert_true(finds("docker/Dockerfile", NULL, "CopyIgnoredFile"));
    assert_false(finds("docker/Dockerfile", "docker", "CopyIgnoredFile"));
}

static void unparsable(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        {"", 1}, {"FROM a\nCOPY x\n", 2}, {"FROM a\nRUN <<X\n", 2}, {"FROM a\n\n\nNO\n", 4}, {"ARG x\n", 1}};
    const char *const only[] = {"SB002", NULL};
    sb_lint_options options = {.only = only};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(sb_report) report = sb_report_new("lint");

        assert_int_equal(sb_lint_text(sb_slice_z(cases[i].text), "a:b", &options, report, NULL), 0);
        assert_int_equal(report->count, 1);
        assert_ptr_equal(report->items[0].rule, &sb_rule_not_understood);
        assert_int_equal(report->items[0].severity, SB_SEVERITY_ERROR);
        assert_int_equal(report->items[0].line, cases[i].line);
        assert_int_equal(report->items[0].fingerprint.len, 32);
    }
}

static void wrong_target(void **state)
{
    sb_lint_options options = {.target = "none"};
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    assert_int_equal(sb_lint_text(SB_LIT("FROM a\n"), "x", &options, report, &err), -1);
    assert_int_equal(err->code, SB_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nearest_settings, enter, leave),
        cmocka_unit_test_setup_teardown(users_settings, enter, leave),
        cmocka_unit_test_setup_teardown(exceptions, enter, leave),
        cmocka_unit_test_setup_teardown(paths_in_fingerprints, enter, leave),
        cmocka_unit_test_setup_teardown(bad_settings, enter, leave),
        cmocka_unit_test_setup_teardown(locks, enter, leave),
        cmocka_unit_test_setup_teardown(contexts, enter, leave),
        cmocka_unit_test(unparsable),
        cmocka_unit_test(wrong_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
