// SPDX-License-Identifier: Apache-2.0
/* What makes a recording stale, and what does not. */
#include "lock_fixture.h"

#include <builder/record.h>

typedef struct key {
    char hex[SB_DIGEST_HEX];
} key;

/* Of the last RUN of the last stage, under one build argument "NAME=value" (NULL: none). */
static key key_with(const fixture *f, const char *dockerfile, const char *arg)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_record_files) files = sb_record_files_new();
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    sb_slice rest = sb_slice_z(arg);
    sb_df_var var = {.key = sb_slice_cut(&rest, '=')};
    sb_df_inputs inputs = {.build_args = &var, .build_arg_count = arg ? 1 : 0};
    sb_record_input input = {.lock = lock, .build_args = &var, .build_arg_count = inputs.build_arg_count};
    sb_error *err = NULL;
    sb_run_step *steps = NULL;
    sb_digest digest;
    size_t count = 0;
    key k;

    var.value = rest;
    put(f, "Dockerfile", dockerfile);
    project = open_project(f);
    if (sb_df_view_new(project->df, &inputs, &view, &err) < 0 ||
        sb_run_steps(view, arena, &steps, &count, &err) < 0 || !count)
        fail_msg("%s", err ? err->message : "no step");
    input.view = view;
    sb_record_key_files(&input, &steps[count - 1], files);
    if (sb_record_files_load(files, project, &err) < 0)
        fail_msg("%s", err->message);
    sb_record_key(&input, &steps[count - 1], files, &digest);
    sb_digest_hex(&digest, k.hex);
    return k;
}

static key key_of(const fixture *f, const char *dockerfile)
{
    return key_with(f, dockerfile, NULL);
}

static void assert_same(key a, key b)
{
    assert_string_equal(a.hex, b.hex);
}

static void assert_differ(key a, key b)
{
    assert_string_not_equal(a.hex, b.hex);
}

static void test_instructions(void **state)
{
    const fixture *f = *state;
    key plain = key_of(f, "FROM scratch\nRUN a\nRUN b\n");

    assert_same(plain, key_of(f, "FROM scratch\nRUN a\nRUN b\n"));
    assert_same(plain, key_of(f, "# comment\n\nFROM scratch\nRUN a\n\nRUN b\n"));
    assert_differ(plain, key_of(f, "FROM scratch\nRUN a2\nRUN b\n"));
    assert_differ(plain, key_of(f, "FROM scratch\nRUN a\nENV X=1\nRUN b\n"));
    assert_differ(plain, key_of(f, "FROM scratch\nRUN a\nRUN --security=sandbox b\n"));
    /* What neither environment nor file system depends on. */
    assert_same(plain, key_of(f, "FROM scratch\nLABEL x=1\nEXPOSE 80\nRUN a\nCMD [\"x\"]\nRUN b\n"));
    assert_same(plain, key_of(f, "FROM scratch\nRUN a\nRUN b\nENV X=1\nCOPY Dockerfile /\n"));
    assert_differ(key_of(f, "FROM scratch\nRUN <<E\na\nE\nRUN b\n"),
                  key_of(f, "FROM scratch\nRUN <<E\na2\nE\nRUN b\n"));
}

static void test_stages(void **state)
{
    const fixture *f = *state;
    key from = key_of(f, "FROM scratch AS x\nRUN a\nFROM x\nRUN b\n");
    key copy = key_of(f, "FROM scratch AS x\nRUN a\nFROM scratch\nCOPY --from=x /a /\nRUN b\n");
    key mount = key_of(f, "FROM scratch AS x\nRUN a\nFROM scratch\nRUN --mount=from=x,target=/x b\n");
    key apart = key_of(f, "FROM scratch AS x\nRUN a\nFROM scratch\nRUN b\n");

    assert_differ(from, key_of(f, "FROM scratch AS x\nRUN a2\nFROM x\nRUN b\n"));
    assert_differ(copy, key_of(f, "FROM scratch AS x\nRUN a2\nFROM scratch\nCOPY --from=x /a /\nRUN b\n"));
    assert_differ(mount,
                  key_of(f, "FROM scratch AS x\nRUN a2\nFROM scratch\nRUN --mount=from=x,target=/x b\n"));
    assert_same(apart, key_of(f, "FROM scratch AS x\nRUN a2\nFROM scratch\nRUN b\n"));
    assert_differ(key_of(f, "FROM scratch AS x\nONBUILD RUN a\nFROM x\nRUN b\n"),
                  key_of(f, "FROM scratch AS x\nONBUILD RUN a2\nFROM x\nRUN b\n"));
}

static void test_arguments(void **state)
{
    static const char stage[] = "FROM scratch\nARG V=1\nRUN b\n";
    static const char global[] = "ARG V=1\nFROM scratch\nARG V\nRUN b\n";
    static const char unused[] = "ARG V=1\nFROM scratch\nRUN b\n";
    static const char later[] = "FROM scratch\nRUN b\nARG V=1\n";
    const fixture *f = *state;

    assert_differ(key_with(f, stage, NULL), key_with(f, stage, "V=2"));
    assert_same(key_with(f, stage, NULL), key_with(f, stage, "W=2"));
    assert_differ(key_with(f, global, NULL), key_with(f, global, "V=2"));
    assert_differ(key_of(f, global), key_of(f, "ARG V=2\nFROM scratch\nARG V\nRUN b\n"));
    assert_same(key_with(f, unused, NULL), key_with(f, unused, "V=2"));
    assert_same(key_with(f, later, NULL), key_with(f, later, "V=2"));
}

static void test_context(void **state)
{
    static const char one[] = "FROM scratch\nCOPY package.json /\nRUN b\n";
    static const char all[] = "FROM scratch\nCOPY . /\nRUN b\n";
    static const char variable[] = "ARG D=src\nFROM scratch\nARG D\nCOPY ${D}/a /\nRUN b\n";
    static const char pattern[] = "FROM scratch\nCOPY src/*.txt /\nRUN b\n";
    static const char mount[] = "FROM scratch\nRUN --mount=type=bind,source=src,target=/s b\n";
    static const char later[] = "FROM scratch\nRUN b\nCOPY . /\n";
    const fixture *f = *state;
    key before[6], after[6];
    const char *const files[] = {one, all, variable, pattern, mount, later};

    put(f, ".dockerignore", "ignored\nDockerfile\n");
    put(f, "package.json", "{}");
    put(f, "src/a", "a");
    put(f, "src/b.txt", "b");
    put(f, "ignored", "1");
    for (size_t i = 0; i < 6; i++)
        before[i] = key_of(f, files[i]);
    put(f, "ignored", "2");
    put(f, "unrelated", "1");
    for (size_t i = 0; i < 6; i++)
        after[i] = key_of(f, files[i]);
    assert_same(before[0], after[0]);
    assert_differ(before[1], after[1]);
    for (size_t i = 2; i < 6; i++)
        assert_same(before[i], after[i]);

    put(f, "src/a", "A");
    for (size_t i = 0; i < 6; i++)
        before[i] = key_of(f, files[i]);
    assert_same(before[0], after[0]);
    for (size_t i = 1; i < 5; i++)
        assert_differ(before[i], after[i]);
    assert_same(before[5], after[5]);

    put(f, "package.json", "{ }");
    assert_differ(before[0], key_of(f, one));
}

/* Time and umask do not count, being executable does. */
static void test_modes(void **state)
{
    static const char dockerfile[] = "FROM scratch\nCOPY run /\nRUN b\n";
    const fixture *f = *state;
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    key plain;

    put(f, "run", "x");
    plain = key_of(f, dockerfile);
    assert_int_equal(utimensat(f->fd, "run", old, 0), 0);
    assert_int_equal(fchmodat(f->fd, "run", 0600, 0), 0);
    assert_same(plain, key_of(f, dockerfile));
    assert_int_equal(fchmodat(f->fd, "run", 0755, 0), 0);
    assert_differ(plain, key_of(f, dockerfile));
}

/* A source that is a link takes what it leads to. */
static void test_links(void **state)
{
    static const char dockerfile[] = "FROM scratch\nCOPY link/file /\nRUN b\n";
    const fixture *f = *state;
    key plain;

    put(f, "real/file", "1");
    assert_int_equal(symlinkat("real", f->fd, "link"), 0);
    plain = key_of(f, dockerfile);
    put(f, "real/file", "2");
    assert_differ(plain, key_of(f, dockerfile));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_instructions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_stages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_arguments, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_context, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_modes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_links, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
