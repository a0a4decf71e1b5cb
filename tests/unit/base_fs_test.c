// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tests/unit/tempdir.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const tempdir *f, const char *path, const char *text)
{
    assert_int_equal(sb_write_file(f->dirfd, path, sb_slice_z(text), 0644, NULL), 0);
}

static bool opens(int (*open_)(int, const char *, int, mode_t, bool *, sb_error **), const tempdir *f,
                  const char *path)
{
    SB_AUTO(sb_error) error = NULL;
    bool missing;
    sb_autoclose int fd = open_(f->dirfd, path, O_RDONLY, 0, &missing, &error);

    assert_false(missing);
    assert_true((fd < 0) == (error != NULL));
    return fd >= 0;
}

static void test_beneath(void **state)
{
    tempdir *f = *state;
    bool missing = false;

    assert_int_equal(sb_mkdirs_beneath(f->dirfd, "a/b", NULL), 0);
    put(f, "a/b/file", "x");
    assert_int_equal(symlinkat("b", f->dirfd, "a/inner"), 0);
    assert_int_equal(symlinkat("/etc", f->dirfd, "a/outer"), 0);
    assert_int_equal(symlinkat("../..", f->dirfd, "a/up"), 0);
    assert_true(opens(sb_open_beneath, f, "a/b/file"));
    assert_false(opens(sb_open_beneath, f, "a/inner/file"));
    assert_false(opens(sb_open_beneath, f, "a/outer/passwd"));
    assert_false(opens(sb_open_beneath, f, "../x"));
    assert_false(opens(sb_open_beneath, f, "/etc/passwd"));
    /* Where the kernel (or valgrind) lacks openat2, links are refused altogether. */
    if (syscall(SYS_openat2, -1, "", NULL, 0) == 0 || errno != ENOSYS) {
        assert_true(opens(sb_open_within, f, "a/inner/file"));
        assert_true(opens(sb_open_within, f, "a/b/../b/file"));
    }
    assert_false(opens(sb_open_within, f, "a/outer/passwd"));
    assert_false(opens(sb_open_within, f, "a/up/x"));
    assert_int_equal(sb_open_beneath(f->dirfd, "a/none", O_RDONLY, 0, &missing, NULL), -1);
    assert_true(missing);
    assert_int_equal(sb_open_beneath(f->dirfd, "a/b/file/none", O_RDONLY, 0, &missing, NULL), -1);
    assert_true(missing);
}

static void test_mkdirs(void **state)
{
    tempdir *f = *state;
    sb_autofree char *deep = sb_path_join(f->dir, "x/y//z/"), *file = sb_path_join(f->dir, "file");
    sb_autofree char *below = sb_path_join(f->dir, "file/x");
    SB_AUTO(sb_error) error = NULL;
    struct stat st;

    assert_int_equal(sb_mkdirs(deep, NULL), 0);
    assert_int_equal(sb_mkdirs(deep, NULL), 0);
    assert_int_equal(fstatat(f->dirfd, "x/y/z", &st, 0), 0);
    put(f, "file", "x");
    assert_int_equal(sb_mkdirs(file, &error), -1);
    assert_int_equal(error->code, SB_ERR_IO);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_mkdirs(below, NULL), -1);
    assert_int_equal(sb_mkdirs("", NULL), -1);
    assert_int_equal(sb_mkdirs("/", NULL), 0);
    assert_int_equal(symlinkat("x", f->dirfd, "link"), 0);
    assert_int_equal(sb_mkdirs_beneath(f->dirfd, "x/y/new", NULL), 0);
    assert_int_equal(sb_mkdirs_beneath(f->dirfd, "link/new", NULL), -1);
    assert_int_equal(sb_mkdirs_beneath(f->dirfd, "../new", NULL), -1);
    assert_int_equal(sb_mkdirs_beneath(f->dirfd, "/new", NULL), -1);
}

static void test_read(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *data = NULL;
    sb_autofree char *none = NULL;
    bool missing;
    size_t len;

    put(f, "file", "12345");
    assert_int_equal(sb_read_file(f->dirfd, "file", 5, &data, &len, &missing, NULL), 0);
    assert_string_equal(data, "12345");
    assert_int_equal(len, 5);
    assert_int_equal(sb_read_file(f->dirfd, "file", 4, &none, &len, &missing, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    assert_false(missing);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_read_file(f->dirfd, "none", 4, &none, &len, &missing, &error), -1);
    assert_true(missing);
    assert_null(error);
    assert_int_equal(sb_read_file(f->dirfd, "none", 4, &none, &len, NULL, &error), -1);
    assert_int_equal(error->code, SB_ERR_IO);
    /* No size to go by. */
    assert_int_equal(sb_read_file(AT_FDCWD, "/proc/self/stat", 10000, &none, &len, NULL, NULL), 0);
    assert_true(len > 10);
}

static void test_copy(void **state)
{
    enum { SIZE = 300000 };
    tempdir *f = *state;
    sb_autofree char *data = sb_malloc(SIZE), *copy = NULL;
    sb_autoclose int from = -1, to = -1, proc = open("/proc/version", O_RDONLY | O_CLOEXEC);
    size_t len;

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 / 3);
    assert_int_equal(sb_write_file(f->dirfd, "from", sb_slice_of(data, SIZE), 0644, NULL), 0);
    from = openat(f->dirfd, "from", O_RDONLY);
    to = openat(f->dirfd, "to", O_RDWR | O_CREAT, 0600);
    /* From where it stands, and behind what is there. */
    assert_int_equal(lseek(from, 1000, SEEK_SET), 1000);
    assert_int_equal(write(to, "head", 4), 4);
    assert_int_equal(sb_copy_fd(from, to, "it", NULL), 0);
    assert_int_equal(sb_read_file(f->dirfd, "to", SIZE, &copy, &len, NULL, NULL), 0);
    assert_int_equal(len, SIZE - 1000 + 4);
    assert_memory_equal(copy + 4, data + 1000, SIZE - 1000);
    assert_int_equal(ftruncate(to, 0), 0);
    assert_int_equal(lseek(to, 0, SEEK_SET), 0);
    assert_int_equal(sb_copy_fd(proc, to, "it", NULL), 0);
    assert_true(lseek(to, 0, SEEK_END) > 5);
}

static bool waited;

static void note_waiting(void *ctx)
{
    int *to_child = ctx;

    waited = true;
    assert_int_equal(write(*to_child, "x", 1), 1);
}

static void test_lock(void **state)
{
    tempdir *f = *state;
    int locked[2], go[2], fd, status;
    char c;
    pid_t child;

    assert_int_equal(pipe(locked), 0);
    assert_int_equal(pipe(go), 0);
    child = fork();
    if (child == 0) {
        /* Holds the lock until somebody waits for it. */
        if (sb_file_lock(f->dirfd, "lock", NULL, NULL, &fd, NULL) < 0 || write(locked[1], "x", 1) != 1 ||
            read(go[0], &c, 1) != 1)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(locked[0], &c, 1), 1);
    assert_int_equal(sb_file_lock(f->dirfd, "lock", note_waiting, &go[1], &fd, NULL), 0);
    assert_true(waited);
    close(fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 2; i++) {
        close(locked[i]);
        close(go[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_beneath), TEST(test_mkdirs), TEST(test_read), TEST(test_copy), TEST(test_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
