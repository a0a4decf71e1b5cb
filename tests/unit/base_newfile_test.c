// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tests/unit/tempdir.h>

#include <sbuild/fs.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned count(const tempdir *f)
{
    DIR *dir = opendir(f->dir);
    struct dirent *entry;
    unsigned n = 0;

    while ((entry = readdir(dir)))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static void check_content(const tempdir *f, const char *path, const char *expected)
{
    sb_autofree char *data = NULL;
    size_t len;

    assert_int_equal(sb_read_file(f->dirfd, path, 1 << 20, &data, &len, NULL, NULL), 0);
    assert_string_equal(data, expected);
}

static void test_only_a_commit_counts(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_newfile *file;
    struct stat st;

    assert_int_equal(sb_write_file(f->dirfd, "lock", SB_LIT("old"), 0644, NULL), 0);
    assert_int_equal(sb_newfile_begin(f->dirfd, "lock", 0640, &file, NULL), 0);
    assert_int_equal(sb_write_all(sb_newfile_fd(file), "new", 3, "lock", NULL), 0);
    check_content(f, "lock", "old");
    sb_newfile_free(file);
    check_content(f, "lock", "old");
    assert_int_equal(count(f), 1);
    assert_int_equal(sb_newfile_begin(f->dirfd, "lock", 0600, &file, NULL), 0);
    assert_int_equal(sb_write_all(sb_newfile_fd(file), "new", 3, "lock", NULL), 0);
    assert_int_equal(sb_newfile_commit(file, NULL), 0);
    sb_newfile_free(file);
    check_content(f, "lock", "new");
    assert_int_equal(fstatat(f->dirfd, "lock", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count(f), 1);
    assert_int_equal(sb_newfile_begin(f->dirfd, "none/lock", 0600, &file, &error), -1);
    assert_int_equal(error->code, SB_ERR_IO);
}

static void test_same_content_is_left_alone(void **state)
{
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    tempdir *f = *state;
    struct stat before, after;

    assert_int_equal(sb_write_file(f->dirfd, "x", SB_LIT("same"), 0644, NULL), 0);
    assert_int_equal(utimensat(f->dirfd, "x", old, 0), 0);
    assert_int_equal(fstatat(f->dirfd, "x", &before, 0), 0);
    assert_int_equal(sb_write_file(f->dirfd, "x", SB_LIT("same"), 0644, NULL), 0);
    assert_int_equal(fstatat(f->dirfd, "x", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(after.st_mtime, 1000);
    assert_int_equal(sb_write_file(f->dirfd, "x", SB_LIT("sam"), 0644, NULL), 0);
    check_content(f, "x", "sam");
    assert_int_equal(sb_write_file(f->dirfd, "x", SB_LIT(""), 0644, NULL), 0);
    check_content(f, "x", "");
    assert_int_equal(sb_write_file(f->dirfd, "x", SB_LIT(""), 0644, NULL), 0);
}

/* A link in the file's place is replaced, not followed. */
static void test_links(void **state)
{
    tempdir *f = *state;
    struct stat st;

    assert_int_equal(sb_write_file(f->dirfd, "victim", SB_LIT("precious"), 0644, NULL), 0);
    assert_int_equal(symlinkat("victim", f->dirfd, "link"), 0);
    assert_int_equal(sb_write_file(f->dirfd, "link", SB_LIT("new"), 0644, NULL), 0);
    check_content(f, "victim", "precious");
    assert_int_equal(fstatat(f->dirfd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void write_for_ever(const tempdir *f)
{
    static char text[2][200000];

    memset(text[0], 'a', sizeof(text[0]));
    memset(text[1], 'b', sizeof(text[1]));
    for (unsigned i = 0;; i++)
        sb_write_file(f->dirfd, "file", sb_slice_of(text[i % 2], sizeof(text[0])), 0644, NULL);
}

static void test_killed_at_any_time(void **state)
{
    tempdir *f = *state;

    for (unsigned round = 0; round < 25; round++) {
        sb_autofree char *data = NULL;
        bool missing;
        pid_t child = fork();
        size_t len;
        int status;

        if (child == 0)
            write_for_ever(f);
        usleep(1000 + round * 500);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (sb_read_file(f->dirfd, "file", 1 << 20, &data, &len, &missing, NULL) < 0) {
            assert_true(missing);
            continue;
        }
        assert_int_equal(len, 200000);
        for (size_t i = 1; i < len; i++)
            assert_int_equal(data[i], data[0]);
    }
}

static void test_full_disk(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_autoclose int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)f;
    assert_int_equal(sb_write_all(full, "x", 1, "the file", &error), -1);
    assert_int_equal(error->code, SB_ERR_IO);
    assert_string_equal(error->message, "cannot write the file: No space left on device");
}

/* "--iidfile /dev/stdout", "--output type=tar,dest=/dev/full": root would lose the device. */
static void test_devices_and_pipes_are_written_to(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *fifo = sb_path_join(f->dir, "fifo"), *link = sb_path_join(f->dir, "link");
    sb_newfile *file;
    struct stat st;
    char got[8];
    int reader;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("fifo", link), 0);
    reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_int_equal(sb_write_file(AT_FDCWD, fifo, SB_LIT("one"), 0644, &error), 0);
    assert_int_equal(read(reader, got, sizeof(got)), 3);
    assert_int_equal(sb_write_file(AT_FDCWD, link, SB_LIT("four"), 0644, &error), 0);
    assert_int_equal(read(reader, got, sizeof(got)), 4);
    assert_int_equal(lstat(fifo, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(sb_newfile_begin(AT_FDCWD, fifo, 0644, &file, &error), 0);
    sb_newfile_free(file);
    close(reader);
    assert_int_equal(lstat(fifo, &st), 0);
    assert_int_equal(count(f), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_devices_and_pipes_are_written_to),
        TEST(test_only_a_commit_counts),
        TEST(test_same_content_is_left_alone),
        TEST(test_links),
        TEST(test_killed_at_any_time),
        TEST(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
