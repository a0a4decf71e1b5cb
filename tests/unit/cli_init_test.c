// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <cli/cli.h>
#include <sbuild/fs.h>

#include <fcntl.h>
#include <unistd.h>

static char *dir;

static void put(const char *name, const char *text)
{
    sb_autofree char *path = sb_path_join(dir, name);

    assert_int_equal(sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0640, NULL), 0);
}

static void holds(const char *name, const char *text)
{
    sb_autofree char *path = sb_path_join(dir, name);
    sb_autofree char *data = NULL;
    bool missing = false;
    size_t len;

    if (sb_read_file(AT_FDCWD, path, 1 << 20, &data, &len, &missing, NULL) < 0) {
        assert_true(missing);
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(data, text);
}

static void make_dir(const char *name)
{
    sb_autofree char *path = sb_path_join(dir, name);

    assert_int_equal(sb_mkdirs(path, NULL), 0);
}

static int init(const char *option)
{
    char program[] = "sbuild", command[] = "init", quiet[] = "--quiet";
    sb_autofree char *extra = sb_strdup(option ? option : "--quiet");
    char *argv[] = {program, command, quiet, extra, dir, NULL};

    return cli_main(5, argv);
}

static int set_up(void **state)
{
    (void)state;
    dir = sb_temp_dir("init", NULL);
    return dir ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)sb_remove_tree(AT_FDCWD, dir, NULL);
    free(dir);
    return 0;
}

static void test_new_files_once(void **state)
{
    (void)state;
    make_dir(".git");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(init(NULL), 0);
        holds(".gitignore", "/.sbuild/\n");
        holds(".dockerignore", ".sbuild\nsbuild.vendor\nDockerfile.lock\n");
    }
}

static void test_outside_of_git(void **state)
{
    (void)state;
    assert_int_equal(init(NULL), 0);
    holds(".gitignore", NULL);
}

static void test_what_is_there_stays(void **state)
{
    sb_autofree char *path = sb_path_join(dir, ".dockerignore");
    struct stat st;

    (void)state;
    make_dir(".git");
    put(".gitignore", "*.o\n.sbuild");
    put(".dockerignore", "node_modules\r\n/sbuild.vendor/\r\n!keep");
    assert_int_equal(init(NULL), 0);
    holds(".gitignore", "*.o\n.sbuild");
    holds(".dockerignore", "node_modules\r\n/sbuild.vendor/\r\n!keep\r\n.sbuild\r\nDockerfile.lock\r\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_dry_run_writes_nothing(void **state)
{
    (void)state;
    make_dir(".git");
    assert_int_equal(init("--dry-run"), 0);
    holds(".gitignore", NULL);
    holds(".dockerignore", NULL);
}

static void test_another_dockerfile(void **state)
{
    sb_autofree char *option = sb_asprintf("--file=%s/images/app[1].Dockerfile", dir);
    sb_autofree char *outside = sb_strdup("--file=/Dockerfile");

    (void)state;
    make_dir("images");
    assert_int_equal(init(option), 0);
    holds(".dockerignore", ".sbuild\nsbuild.vendor\nimages/app\\[1\\].Dockerfile.lock\n");
    /* Its own ignore file counts once it is there. */
    put("images/app[1].Dockerfile.dockerignore", "*.md\n");
    assert_int_equal(init(option), 0);
    holds("images/app[1].Dockerfile.dockerignore",
          "*.md\n.sbuild\nsbuild.vendor\nimages/app\\[1\\].Dockerfile.lock\n");
    put(".dockerignore", "");
    assert_int_equal(init(outside), 0);
    holds(".dockerignore", ".sbuild\nsbuild.vendor\n");
}

static void test_links_are_not_followed(void **state)
{
    sb_autofree char *link = sb_path_join(dir, ".dockerignore");

    (void)state;
    put("elsewhere", "mine\n");
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_int_not_equal(init(NULL), 0);
    holds("elsewhere", "mine\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_files_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outside_of_git, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_there_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dry_run_writes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_dockerfile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
