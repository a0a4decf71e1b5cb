// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/output.h>

static sb_arena *arena;

static sb_output parse(const char *text)
{
    SB_AUTO(sb_error) err = NULL;
    sb_output output = {0};

    if (sb_output_parse(arena, text, &output, &err) < 0)
        fail_msg("%s: %s", text, err->message);
    return output;
}

static void refused(const char *text, const char *because)
{
    SB_AUTO(sb_error) err = NULL;
    sb_output output;

    assert_int_equal(sb_output_parse(arena, text, &output, &err), -1);
    assert_int_equal(err->code, SB_ERR_USAGE);
    if (!strstr(err->message, because))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err->message, because);
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(parse("type=oci,dest=a.tar").kind, SB_OUTPUT_ARCHIVE);
    assert_int_equal(parse("type=oci,dest=a,tar=false").kind, SB_OUTPUT_LAYOUT);
    assert_int_equal(parse("type=docker").kind, SB_OUTPUT_LOAD);
    assert_int_equal(parse("type=docker,dest=a.tar").kind, SB_OUTPUT_ARCHIVE);
    assert_int_equal(parse("type=image").kind, SB_OUTPUT_LOAD);
    assert_int_equal(parse("type=image,push=true,name=x/y:1").kind, SB_OUTPUT_PUSH);
    assert_int_equal(parse("type=registry").kind, SB_OUTPUT_PUSH);
    assert_int_equal(parse("type=local,dest=d").kind, SB_OUTPUT_FILES);
    assert_int_equal(parse("type=cacheonly").kind, SB_OUTPUT_NOTHING);
    assert_false(parse("type=local,dest=d").tar);
    assert_true(parse("type=tar,dest=d").tar);
}

static void test_values(void **state)
{
    (void)state;
    assert_true(sb_slice_eqz(parse("type=oci,dest=dir/a.tar").dest, "dir/a.tar"));
    assert_true(sb_slice_eqz(parse("dest=a.tar,type=oci").dest, "a.tar"));
    assert_true(sb_slice_eqz(parse("type=oci").dest, "-"));
    assert_true(sb_slice_eqz(parse("type=image,name=x/y:1.0").name, "x/y:1.0"));
}

static void test_bare_path(void **state)
{
    sb_output output = parse("out");

    (void)state;
    assert_int_equal(output.kind, SB_OUTPUT_FILES);
    assert_false(output.tar);
    assert_true(sb_slice_eqz(output.dest, "out"));
    assert_true(parse("-").tar);
}

static void test_nonsense(void **state)
{
    (void)state;
    refused("", "directory");
    refused("type=iso,dest=x", "type=oci");
    refused("dest=x", "type");
    refused("type=local", "dest=");
    refused("type=oci,tar=false", "dest=");
    refused("type=oci,dest=x,compression=zstd", "canonical");
}

static int setup(void **state)
{
    (void)state;
    arena = sb_arena_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sb_arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_bare_path),
        cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
