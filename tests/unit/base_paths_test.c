// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_join(const char *a, const char *b, const char *expected)
{
    sb_autofree char *path = sb_path_join(a, b);

    assert_string_equal(path, expected);
}

static void test_join(void **state)
{
    (void)state;
    check_join("a", "b", "a/b");
    check_join("a/", "b", "a/b");
    check_join("a", "", "a");
    check_join("", "b", "b");
    check_join("a", "/b", "/b");
    check_join("/", "b", "/b");
}

static void test_plain(void **state)
{
    static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "./a"};
    sb_autofree char *long_path = sb_malloc(4098);

    (void)state;
    assert_true(sb_path_is_plain(SB_LIT("a")));
    assert_true(sb_path_is_plain(SB_LIT("a/.b/..c/d...")));
    for (size_t i = 0; i < SB_COUNT(bad); i++)
        assert_false(sb_path_is_plain(sb_slice_z(bad[i])));
    assert_false(sb_path_is_plain(SB_LIT("a\0b")));
    assert_false(sb_path_is_plain(SB_NIL));
    memset(long_path, 'x', 4097);
    assert_false(sb_path_is_plain(sb_slice_z(long_path)));
    assert_true(sb_path_is_plain(sb_slice_of(long_path, 4096)));
}

static void test_user_directories(void **state)
{
    SB_AUTO(sb_error) error = NULL;
    char *path;

    (void)state;
    setenv("HOME", "/home/ada", 1);
    setenv("XDG_CACHE_HOME", "/var/cache/ada", 1);
    setenv("XDG_CONFIG_HOME", "relative", 1); /* to be ignored, says the specification */
    path = sb_cache_dir(NULL);
    assert_string_equal(path, "/var/cache/ada/sbuild");
    free(path);
    path = sb_config_dir(NULL);
    assert_string_equal(path, "/home/ada/.config/sbuild");
    free(path);
    unsetenv("XDG_CACHE_HOME");
    path = sb_cache_dir(NULL);
    assert_string_equal(path, "/home/ada/.cache/sbuild");
    free(path);
    unsetenv("HOME");
    assert_null(sb_cache_dir(&error));
    assert_int_equal(error->code, SB_ERR_USAGE);
}

static void test_temp_dir(void **state)
{
    sb_autofree char *one = sb_temp_dir("sbuild-test", NULL), *two = sb_temp_dir("sbuild-test", NULL);
    struct stat st;

    (void)state;
    assert_string_not_equal(one, two);
    assert_int_equal(stat(one, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(sb_remove_tree(AT_FDCWD, one, NULL), 0);
    assert_int_equal(sb_remove_tree(AT_FDCWD, two, NULL), 0);
    setenv("TMPDIR", "/no/such/place", 1);
    assert_null(sb_temp_dir("sbuild-test", NULL));
    unsetenv("TMPDIR");
}

/* Deep trees, links that lead elsewhere, directories that nobody may write to. */
static void fill(int dirfd)
{
    int fd = dup(dirfd);

    assert_int_equal(symlinkat("../kept", dirfd, "link"), 0);
    for (int i = 0; i < 300; i++) {
        int next;

        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_int_equal(mkdirat(dirfd, "locked", 0755), 0);
    fd = openat(dirfd, "locked/file", O_WRONLY | O_CREAT, 0400);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fchmodat(dirfd, "locked", 0, 0), 0);
}

static void test_remove_tree(void **state)
{
    enum { NOBODY = 65534 };
    sb_autofree char *dir = sb_temp_dir("sbuild-test", NULL), *inner = sb_path_join(dir, "inner");
    sb_autofree char *kept = sb_path_join(dir, "kept"), *file = sb_path_join(kept, "file");
    pid_t child;
    int status;

    (void)state;
    assert_int_equal(sb_mkdirs(kept, NULL), 0);
    assert_int_equal(sb_write_file(AT_FDCWD, file, SB_LIT("x"), 0644, NULL), 0);
    if (getuid() == 0)
        assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
    child = fork();
    if (child == 0) {
        int fd;

        if (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(1);
        if (sb_mkdirs(inner, NULL) < 0 || sb_open_dir(inner, &fd, NULL) < 0)
            _exit(2);
        fill(fd);
        _exit(sb_remove_tree(AT_FDCWD, inner, NULL) == 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(access(inner, F_OK), -1);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(sb_remove_tree(AT_FDCWD, dir, NULL), 0);
    assert_int_equal(sb_remove_tree(AT_FDCWD, dir, NULL), 0);
    assert_int_equal(access(dir, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_user_directories),
        cmocka_unit_test(test_temp_dir),
        cmocka_unit_test(test_remove_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
