// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "step_config_fixture.h"

enum { PORT = 4711 };

static step_files *make(tempdir *t, const step_config *config, const step_ca *ca, char *const *env)
{
    SB_AUTO(sb_error) err = NULL;
    step_files *files = NULL;

    if (step_files_new(t->dir, config, ca, PORT, env, &files, &err) < 0)
        fail_msg("%s", err->message);
    return files;
}

static sb_slice load(tempdir *t, const char *path, sb_arena *arena)
{
    return tempdir_load(t, path, arena);
}

static bool has(sb_slice text, const char *part)
{
    return sb_slice_find(text, sb_slice_z(part)) >= 0;
}

static void test_trust(void **state)
{
    tempdir *t = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(step_config) config = step_config_fixture(t, STEP_CONFIG_REPLAY);
    SB_AUTO(step_ca) ca = NULL;
    SB_AUTO(step_files) files = NULL;
    sb_autofree char *chosen = sb_asprintf("SSL_CERT_FILE=%s/own.pem", t->dir);
    char *env[] = {chosen, NULL};
    sb_slice text;

    assert_int_equal(step_ca_new(&ca, NULL), 0);
    /* The bundle that the image chose, which does not end in a newline. */
    free(tempdir_shell(t, "printf '%s' '-----OWN-----' >own.pem"));
    files = make(t, config, ca, env);
    text = load(t, "step/trust.pem", arena);
    assert_true(sb_slice_starts(text, SB_LIT("-----OWN-----\n-----BEGIN CERTIFICATE-----\n")));
    assert_true(sb_slice_ends(text, step_ca_pem(ca)));
    assert_true(sb_slice_eq(load(t, "step/ca.pem", arena), step_ca_pem(ca)));
}

/* Any user has to be able to read them, whatever the umask; and nothing stays. */
static void test_modes_and_removal(void **state)
{
    tempdir *t = *state;
    SB_AUTO(step_config) config = step_config_fixture(t, STEP_CONFIG_REPLAY);
    SB_AUTO(step_ca) ca = NULL;
    char *env[] = {NULL};
    mode_t before = umask(0777);
    step_files *files;
    char *modes;

    assert_int_equal(step_ca_new(&ca, NULL), 0);
    files = make(t, config, ca, env);
    umask(before);
    modes = tempdir_shell(
        t, "stat -c %a step step/ca.pem step/trust.pem step/trust.p12 step/wgetrc step/apt.conf |"
           " tr '\\n' ' '");
    assert_string_equal(modes, "755 644 644 644 644 644 ");
    free(modes);
    step_files_free(files);
    modes = tempdir_shell(t, "ls");
    assert_string_equal(modes, "step.json\n");
    free(modes);
}

static void test_wgetrc(void **state)
{
    tempdir *t = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(step_config) config = step_config_fixture(t, STEP_CONFIG_REPLAY);
    SB_AUTO(step_ca) ca = NULL;
    SB_AUTO(step_files) files = NULL;
    sb_autofree char *home = sb_asprintf("HOME=%s", t->dir);
    char *env[] = {home, NULL};

    assert_int_equal(step_ca_new(&ca, NULL), 0);
    free(tempdir_shell(t, "echo 'tries = 1' >.wgetrc"));
    files = make(t, config, ca, env);
    assert_true(sb_slice_starts(load(t, "step/wgetrc", arena), SB_LIT("tries = 1\nca_certificate = /")));
}

static void test_apt(void **state)
{
    tempdir *t = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(step_ca) ca = NULL;
    sb_autofree char *own = sb_asprintf("APT_CONFIG=%s/own.conf", t->dir);
    char *env[] = {own, NULL};

    assert_int_equal(step_ca_new(&ca, NULL), 0);
    for (int recording = 0; recording < 2; recording++) {
        SB_AUTO(step_config)
        config = step_config_fixture(t, recording ? STEP_CONFIG_RECORD : STEP_CONFIG_REPLAY);
        SB_AUTO(step_files) files = NULL;
        sb_slice text;

        if (recording)
            free(tempdir_shell(t, "touch own.conf"));
        files = make(t, config, ca, env);
        text = load(t, "step/apt.conf", arena);
        assert_true(has(text, "Acquire::http::Proxy \"http://127.0.0.1:4711\";\n"));
        assert_true(has(text, "/step/trust.pem\";\n"));
        /* Whoever looks at what is new does not look away from what has expired. */
        assert_int_equal(has(text, "Check-Valid-Until"), !recording);
        assert_int_equal(has(text, "/step/gpgv\";\n"), !recording && !step_apt_has_sqv());
        assert_int_equal(files->gpgv != NULL, !recording && !step_apt_has_sqv());
        /* The user's own comes first, so that ours wins; apt refuses to include what is not there. */
        assert_int_equal(sb_slice_starts(text, SB_LIT("#include \"")), recording);
    }
}

static void test_refused(void **state)
{
    tempdir *t = *state;
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(step_config) config = step_config_fixture(t, STEP_CONFIG_REPLAY);
    SB_AUTO(step_ca) ca = NULL;
    char *env[] = {NULL};
    step_files *files = NULL;
    sb_autofree char *none = sb_asprintf("%s/none", t->dir);

    assert_int_equal(step_ca_new(&ca, NULL), 0);
    assert_int_equal(step_files_new(none, config, ca, PORT, env, &files, &err), -1);
    assert_non_null(strstr(err->message, "tmpfs of mode 1777"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trust, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_modes_and_removal, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_wgetrc, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_apt, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_refused, tempdir_setup, tempdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
