// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/step/run.h>

#include "tempdir.h"

static const char *const make =
    "umask 022; printf '# a comment\\n[main]\\ngpgcheck=1\\n' >dnf.conf; chmod 640 dnf.conf;"
    "touch -d @1600000000.123456789 dnf.conf; cp -p dnf.conf before";

static step_dnf *trust(tempdir *t)
{
    sb_autofree char *path = sb_asprintf("%s/dnf.conf", t->dir);
    SB_AUTO(sb_error) err = NULL;
    step_dnf *dnf = NULL;

    if (step_dnf_trust(path, "/t/trust.pem", &dnf, &err) < 0)
        fail_msg("%s", err->message);
    return dnf;
}

static void shell(tempdir *t, const char *script)
{
    free(tempdir_shell(t, script));
}

static void test_left_alone(void **state)
{
    tempdir *t = *state;
    SB_AUTO(step_dnf) dnf = NULL;

    shell(t, make);
    dnf = trust(t);
    assert_non_null(dnf);
    shell(t, "printf '# a comment\\n[main]\\nsslcacert=/t/trust.pem\\ngpgcheck=1\\n' | cmp - dnf.conf");
    assert_int_equal(step_dnf_restore(dnf, NULL), 0);
    shell(t, "cmp before dnf.conf; [[ $(stat -c '%a %u %i %y' dnf.conf | cut -d ' ' -f 1,2,4-) == "
             "$(stat -c '%a %u %i %y' before | cut -d ' ' -f 1,2,4-) ]]");
}

/* Commands append to it, and replace it by another file. */
static void test_written(void **state)
{
    tempdir *t = *state;
    SB_AUTO(step_dnf) dnf = NULL;

    shell(t, make);
    dnf = trust(t);
    shell(t, "sed -i s/gpgcheck=1/gpgcheck=0/ dnf.conf; echo keepcache=1 >>dnf.conf");
    assert_int_equal(step_dnf_restore(dnf, NULL), 0);
    shell(t, "printf '# a comment\\n[main]\\ngpgcheck=0\\nkeepcache=1\\n' | cmp - dnf.conf");
    /* Once more, without the line: nothing to do, and nothing is done. */
    shell(t, "echo '[main]' >dnf.conf; touch -d @1600000000 dnf.conf");
    assert_int_equal(step_dnf_restore(dnf, NULL), 0);
    shell(t, "[[ $(cat dnf.conf) == '[main]' && $(stat -c %Y dnf.conf) == 1600000000 ]]; rm dnf.conf");
    assert_int_equal(step_dnf_restore(dnf, NULL), 0);
    shell(t, "[[ ! -e dnf.conf ]]");
}

static void nothing_to_do(tempdir *t, const char *script)
{
    shell(t, script);
    assert_null(trust(t));
}

static void test_not_ours(void **state)
{
    tempdir *t = *state;

    nothing_to_do(t, "true");
    nothing_to_do(t, "echo gpgcheck=1 >dnf.conf");
    nothing_to_do(t, "echo '[main]' >other; ln -sf other dnf.conf");
    nothing_to_do(t, "rm dnf.conf; ln other dnf.conf");
    shell(t, "[[ $(cat other) == '[main]' ]]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_left_alone, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_written, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_not_ours, tempdir_setup, tempdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
