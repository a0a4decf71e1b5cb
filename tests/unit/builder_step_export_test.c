// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "step_config_fixture.h"

static const char *const prepare =
    "name=$(printf x | sha256sum | cut -c 1-64)\n"
    "mkdir -p c/aaa/objects c/bbb/objects c/ccc\n"
    "printf x >c/aaa/objects/$name; printf y >c/aaa/objects/.part; echo m >c/aaa/manifest\n"
    "echo r >c/aaa/report.jsonl; echo '{\"status\":0}' >c/aaa/done; echo z >c/aaa/other\n"
    "echo '{\"status\":1}' >c/bbb/done; echo m >c/bbb/manifest\n"
    "echo m >c/ccc/manifest; chmod 600 c/*/manifest; echo >&2\n";

static int export(tempdir *t, char **ret_listing, sb_error **err)
{
    sb_autofree char *a = sb_asprintf("%s/c/aaa", t->dir);
    sb_autofree char *b = sb_asprintf("%s/c/bbb", t->dir);
    sb_autofree char *c = sb_asprintf("%s/c/ccc", t->dir);
    sb_autofree char *out = sb_asprintf("%s/out", t->dir);
    char *const from[] = {a, b, c};

    if (step_export(from, SB_COUNT(from), out, err) < 0)
        return -1;
    *ret_listing =
        tempdir_shell(t, "cd out; find . -type f | sort | sed 's/[0-9a-f]\\{64\\}/HEX/' | tr '\\n' ' ';"
                         "stat -c %a aaa/manifest; cmp aaa/objects/* ../c/aaa/objects/*");
    return 0;
}

/* Finished recordings, failed commands included; nothing of what was cut off. */
static void test_export(void **state)
{
    tempdir *t = *state;
    sb_autofree char *listing = NULL;
    SB_AUTO(sb_error) err = NULL;

    free(tempdir_shell(t, prepare));
    if (export(t, &listing, &err) < 0)
        fail_msg("%s", err->message);
    assert_string_equal(listing, "./aaa/done ./aaa/manifest ./aaa/objects/HEX ./aaa/report.jsonl ./bbb/done "
                                 "./bbb/manifest 644\n");
}

static void test_forget(void **state)
{
    tempdir *t = *state;
    sb_autofree char *a = sb_asprintf("%s/c/aaa", t->dir);
    sb_autofree char *missing = sb_asprintf("%s/c/zzz", t->dir);
    sb_autofree char *listing = NULL;
    char *const directories[] = {missing, a};

    free(tempdir_shell(t, prepare));
    step_forget(directories, SB_COUNT(directories));
    listing = tempdir_shell(t, "ls c/aaa; find c/bbb c/ccc -type f | wc -l");
    assert_string_equal(listing, "other\n3\n");
}

static void refused(void **state, const char *script)
{
    tempdir *t = *state;
    sb_autofree char *listing = NULL;
    SB_AUTO(sb_error) err = NULL;

    free(tempdir_shell(t, prepare));
    free(tempdir_shell(t, script));
    if (export(t, &listing, &err) == 0)
        fail_msg("exported: %s", listing);
}

/* A step can put anything into its cache: it must not make the export read another file, or wait. */
static void test_links(void **state)
{
    refused(state, "rm c/aaa/manifest; ln -s /etc/passwd c/aaa/manifest");
}

static void test_linked_object(void **state)
{
    refused(state, "ln -sf /etc/passwd c/aaa/objects/$(printf x | sha256sum | cut -c 1-64)");
}

static void test_pipe(void **state)
{
    refused(state, "rm c/aaa/report.jsonl; mkfifo c/aaa/report.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forget, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_export, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_links, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_linked_object, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_pipe, tempdir_setup, tempdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
