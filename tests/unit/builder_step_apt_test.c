// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/step/run.h>

/* What was good at the epoch stays so; what had gone bad by then stays that. */
static void test_policy(void **state)
{
    static const char before[] = "# a comment = 2030-01-01\n"
                                 "[asymmetric_algorithms]\n"
                                 "dsa2048 = 2024-02-01\n"
                                 "rsa2048  = 2030-02-01\n"
                                 "brainpoolp256 = 2028-02-01T00:00:00Z   # later\n"
                                 "ed25519 = \"always\"\n"
                                 "md5 = \"never\"\n"
                                 "sha1.second_preimage_resistance = 2023-11-14\n"
                                 "x = 1\n"
                                 "\n"
                                 "ignore_invalid = [ 2030-01-01 ]";
    static const char after[] = "# a comment = 2030-01-01\n"
                                "[asymmetric_algorithms]\n"
                                "dsa2048 = 2024-02-01\n"
                                "rsa2048  = \"always\"\n"
                                "brainpoolp256 = \"always\"\n"
                                "ed25519 = \"always\"\n"
                                "md5 = \"never\"\n"
                                "sha1.second_preimage_resistance = 2023-11-14\n"
                                "x = 1\n"
                                "\n"
                                "ignore_invalid = [ 2030-01-01 ]";
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    (void)state;
    step_apt_policy(sb_slice_z(before), 1709251200 /* 2024-03-01 */, &out);
    assert_string_equal(out.data, after);
}

/* Nothing of the user's own file name can end the line early. */
static void test_include(void **state)
{
    char trust[] = "/t/trust.pem", proxy[] = "/t/apt-proxy";
    const step_files files = {.trust = trust, .apt_proxy = proxy};
    const step_config config = {.mode = STEP_RECORD};
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    (void)state;
    step_apt_conf(&files, &config, 1, "/etc/a\"; Dir \"/", &out);
    assert_null(strstr(out.data, "#include"));
    assert_null(strstr(out.data, "Retries"));
    sb_buf_reset(&out);
    step_apt_conf(&files, &config, 1, "/etc/own.conf", &out);
    assert_true(sb_slice_starts(sb_buf_slice(&out), SB_LIT("#include \"/etc/own.conf\";\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_include),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
