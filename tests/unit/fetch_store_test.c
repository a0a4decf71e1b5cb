// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>
#include <sbuild/store.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct fixture {
    char *dir;
    int dirfd;
    sb_store *store; /* dir/store, vendored */
} fixture;

static int setup(void **state)
{
    fixture *f = sb_new(fixture);
    sb_autofree char *path = NULL;

    f->dir = sb_temp_dir("sbuild-test", NULL);
    path = sb_path_join(f->dir, "store");
    *state = f;
    return sb_open_dir(f->dir, &f->dirfd, NULL) == 0 && sb_store_open(path, true, true, &f->store, NULL) == 0
               ? 0
               : -1;
}

static int teardown(void **state)
{
    fixture *f = *state;

    sb_store_free(f->store);
    close(f->dirfd);
    sb_remove_tree(AT_FDCWD, f->dir, NULL);
    free(f->dir);
    free(f);
    return 0;
}

static void put(sb_store *store, const char *text, sb_digest *ret_digest)
{
    SB_AUTO(sb_error) error = NULL;

    if (sb_store_put(store, sb_slice_z(text), ret_digest, &error) < 0)
        fail_msg("%s", error->message);
}

static void object_path(const sb_digest *digest, char path[160])
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    snprintf(path, 160, "store/sha256/%.2s/%s", hex, hex);
}

static unsigned count_entries(const fixture *f, const char *dir)
{
    sb_autofree char *full = sb_path_join(f->dir, dir);
    sb_autobuf out = SB_BUF_INIT(1 << 20);
    const char *const argv[] = {"find", full, "-mindepth", "1", NULL};
    const sb_process_options options = {.argv = argv, .output = &out};
    unsigned lines = 0;
    int status;

    assert_int_equal(sb_process_run(&options, &status, NULL), 0);
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    return lines;
}

static void test_put_and_read(void **state)
{
    fixture *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *data = NULL;
    sb_digest digest, none = {.algo = SB_HASH_SHA256};
    sb_autoclose int fd = -1;
    uint64_t size;
    size_t len;

    put(f->store, "hello\n", &digest);
    assert_true(sb_store_has(f->store, &digest, 6));
    assert_true(sb_store_has(f->store, &digest, 0));
    assert_false(sb_store_has(f->store, &digest, 7));
    assert_false(sb_store_has(f->store, &none, 0));
    assert_int_equal(sb_store_open_object(f->store, &digest, &fd, &size, &error), 0);
    assert_int_equal(size, 6);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    assert_int_equal(sb_store_read(f->store, &digest, 100, &data, &len, &error), 0);
    assert_string_equal(data, "hello\n");
    assert_int_equal(sb_store_read(f->store, &digest, 5, &data, &len, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_store_read(f->store, &none, 5, &data, &len, &error), -1);
    assert_int_equal(error->code, SB_ERR_NOT_FOUND);
    assert_int_equal(count_entries(f, "store/tmp"), 0);
}

static void test_modes_and_files_of_its_own(void **state)
{
    fixture *f = *state;
    sb_autofree char *text = NULL;
    sb_digest digest;
    char path[160];
    struct stat st;
    mode_t old = umask(077);
    SB_AUTO(sb_store) other = NULL;
    size_t len;

    put(f->store, "masked\n", &digest);
    assert_int_equal(sb_store_open_at(f->dirfd, "deep/other", true, &other, NULL), 0);
    umask(old);
    object_path(&digest, path);
    assert_int_equal(fstatat(f->dirfd, path, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    path[strlen("store/sha256/ab")] = '\0';
    assert_int_equal(fstatat(f->dirfd, path, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(fstatat(f->dirfd, "deep/other/sha256", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(fstatat(f->dirfd, "deep/other/.gitignore", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(sb_read_file(f->dirfd, "store/.gitattributes", 100, &text, &len, NULL, NULL), 0);
    assert_non_null(strstr(text, "* -text -diff"));
}

/* What git makes of a committed store, with settings that change and drop files. */
static void test_git_keeps_it(void **state)
{
    static const char script[] =
        "set -e; cd \"$1\"; export HOME=\"$1\" GIT_CONFIG_NOSYSTEM=1; git init -q; git config user.name a; "
        "git config user.email a@b; printf '*.tgz\\n[0-9a-f]*\\ndist/\\ntmp\\n' >.gitignore; "
        "printf '* text=auto eol=crlf ident\\n' >.gitattributes; : >store/tmp/unfinished; git add -A; git "
        "commit -q -m x; "
        "git -c core.autocrlf=true clone -q . clone; diff -r store/sha256 clone/store/sha256; test ! -e "
        "clone/store/tmp";
    fixture *f = *state;
    const char *const argv[] = {"sh", "-c", script, "sh", f->dir, NULL};
    const sb_process_options options = {.argv = argv};
    sb_digest digest;
    int status;

    put(f->store, "line\r\nline\n$Id$\n", &digest);
    put(f->store, "plain\nlines\n", &digest);
    assert_int_equal(sb_process_run(&options, &status, NULL), 0);
    assert_int_equal(status, 0);
}

static void overwrite(const fixture *f, const sb_digest *digest, const char *text)
{
    char path[160];

    object_path(digest, path);
    assert_int_equal(sb_write_file(f->dirfd, path, sb_slice_z(text), 0644, NULL), 0);
}

static void test_damage(void **state)
{
    fixture *f = *state;
    SB_AUTO(sb_error) error = NULL;
    SB_AUTO(sb_store) copy = NULL;
    sb_autofree char *data = NULL;
    sb_digest digest, again;
    sb_autoclose int fd = -1;
    uint64_t size;
    size_t len;

    assert_int_equal(sb_store_open_at(f->dirfd, "copy", true, &copy, NULL), 0);
    put(f->store, "good", &digest);
    assert_int_equal(sb_store_copy(copy, f->store, &digest, NULL), 0);
    overwrite(f, &digest, "evil");
    assert_int_equal(sb_store_open_object(f->store, &digest, &fd, &size, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_store_read(f->store, &digest, 100, &data, &len, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
    sb_error_free(SB_TAKE(error));
    /* A copy from it fails, a copy to it and a put repair it. */
    assert_int_equal(sb_store_copy(f->store, copy, &digest, NULL), 0);
    assert_int_equal(sb_store_read(f->store, &digest, 100, &data, &len, NULL), 0);
    overwrite(f, &digest, "worse");
    put(f->store, "good", &again);
    free(SB_TAKE(data));
    assert_int_equal(sb_store_read(f->store, &digest, 100, &data, &len, NULL), 0);
    overwrite(f, &digest, "evil");
    assert_int_equal(sb_remove_tree(f->dirfd, "copy/sha256", NULL), 0);
    assert_int_equal(mkdirat(f->dirfd, "copy/sha256", 0755), 0);
    assert_int_equal(sb_store_copy(copy, f->store, &digest, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
    assert_false(sb_store_has(copy, &digest, 0));
    assert_int_equal(count_entries(f, "copy/tmp"), 0);
}

static void test_put_fd(void **state)
{
    fixture *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_digest digest, expect, sha512;
    uint64_t size = 0;
    sb_autoclose int fd = -1;

    assert_int_equal(sb_write_file(f->dirfd, "in", SB_LIT("0123456789"), 0600, NULL), 0);
    fd = openat(f->dirfd, "in", O_RDONLY);
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    sb_digest_of(SB_HASH_SHA512, SB_LIT("456789"), &sha512);
    assert_int_equal(sb_store_put_fd(f->store, fd, &sha512, &digest, &size, &error), 0);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("456789"), &expect);
    assert_true(sb_digest_eq(&digest, &expect));
    assert_int_equal(size, 6);
    assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
    assert_int_equal(sb_store_put_fd(f->store, fd, &expect, &digest, &size, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
    assert_int_equal(count_entries(f, "store/tmp"), 0);
}

static void test_links_lead_nowhere(void **state)
{
    fixture *f = *state;
    SB_AUTO(sb_error) error = NULL;
    SB_AUTO(sb_store) store = NULL;
    sb_digest digest;
    char path[160];

    put(f->store, "x", &digest);
    object_path(&digest, path);
    assert_int_equal(renameat(f->dirfd, path, f->dirfd, "outside"), 0);
    assert_int_equal(symlinkat("../../../outside", f->dirfd, path), 0);
    assert_false(sb_store_has(f->store, &digest, 0));
    assert_int_equal(symlinkat("store", f->dirfd, "link"), 0);
    assert_int_equal(sb_store_open_at(f->dirfd, "link", false, &store, &error), -1);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_store_open_at(f->dirfd, "absent", false, &store, &error), -1);
    assert_int_equal(error->code, SB_ERR_NOT_FOUND);
}

static void test_stage_is_resumed(void **state)
{
    fixture *f = *state;
    sb_stage *stage, *second;
    char text[16] = "";
    sb_digest digest;

    assert_int_equal(sb_store_stage(f->store, SB_LIT("https://example.org/x"), &stage, NULL), 0);
    assert_int_equal(write(sb_stage_fd(stage), "hel", 3), 3);
    /* The same file for somebody else at the same time: a stage of its own. */
    assert_int_equal(sb_store_stage(f->store, SB_LIT("https://example.org/x"), &second, NULL), 0);
    assert_int_equal(lseek(sb_stage_fd(second), 0, SEEK_END), 0);
    assert_int_equal(write(sb_stage_fd(second), "other", 5), 5);
    sb_stage_free(second);
    sb_stage_free(stage);
    assert_int_equal(count_entries(f, "store/tmp"), 1);
    assert_int_equal(sb_store_stage(f->store, SB_LIT("https://example.org/x"), &stage, NULL), 0);
    assert_int_equal(read(sb_stage_fd(stage), text, sizeof(text)), 3);
    assert_string_equal(text, "hel");
    assert_int_equal(write(sb_stage_fd(stage), "lo", 2), 2);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("hello"), &digest);
    assert_int_equal(sb_stage_commit(stage, &digest, NULL), 0);
    sb_stage_discard(stage); /* too late to take anything away */
    sb_stage_free(stage);
    assert_true(sb_store_has(f->store, &digest, 5));
    assert_int_equal(count_entries(f, "store/tmp"), 0);
    assert_int_equal(sb_store_stage(f->store, SB_LIT("key"), &stage, NULL), 0);
    assert_int_equal(write(sb_stage_fd(stage), "x", 1), 1);
    sb_stage_discard(stage);
    sb_stage_free(stage);
    assert_int_equal(count_entries(f, "store/tmp"), 0);
}

static void test_left_over_staging(void **state)
{
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    fixture *f = *state;
    SB_AUTO(sb_store) store = NULL;
    SB_AUTO(sb_stage) held = NULL;
    sb_stage *stage;

    assert_int_equal(sb_store_stage(f->store, SB_LIT("held"), &held, NULL), 0);
    assert_int_equal(sb_store_stage(f->store, SB_LIT("recent"), &stage, NULL), 0);
    sb_stage_free(stage);
    assert_int_equal(sb_store_stage(f->store, SB_LIT("ancient"), &stage, NULL), 0);
    assert_int_equal(futimens(sb_stage_fd(stage), old), 0);
    sb_stage_free(stage);
    assert_int_equal(sb_write_file(f->dirfd, "store/tmp/new-0123", SB_LIT("x"), 0600, NULL), 0);
    assert_int_equal(futimens(sb_stage_fd(held), old), 0);
    assert_int_equal(count_entries(f, "store/tmp"), 4);
    assert_int_equal(sb_store_open_at(f->dirfd, "store", true, &store, NULL), 0);
    assert_int_equal(count_entries(f, "store/tmp"), 2);
}

static void test_sync(void **state)
{
    fixture *f = *state;
    sb_digest digest;
    char path[160];

    assert_int_equal(sb_store_sync(f->store, NULL), 0);
    put(f->store, "one", &digest);
    object_path(&digest, path);
    put(f->store, "two", &digest);
    assert_int_equal(sb_store_sync(f->store, NULL), 0);
    /* Pruned by somebody else in the meantime. */
    put(f->store, "three", &digest);
    object_path(&digest, path);
    assert_int_equal(unlinkat(f->dirfd, path, 0), 0);
    assert_int_equal(sb_store_sync(f->store, NULL), 0);
}

typedef struct seen {
    sb_digest last;
    unsigned count;
    uint64_t bytes;
} seen;

static int see(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err)
{
    seen *s = ctx;

    (void)err;
    if (s->count)
        assert_true(sb_digest_cmp(&s->last, digest) < 0);
    s->last = *digest;
    s->count++;
    s->bytes += size;
    return 0;
}

static bool keep_even(void *ctx, const sb_digest *digest)
{
    unsigned *kept = ctx;

    *kept += digest->bytes[31] % 2 == 0;
    return digest->bytes[31] % 2 == 0;
}

static void test_each_and_prune(void **state)
{
    fixture *f = *state;
    seen before = {.count = 0}, after = {.count = 0};
    sb_digest digest;
    unsigned kept = 0;
    uint64_t freed;
    size_t removed;

    for (int i = 0; i < 300; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%03d", i);
        put(f->store, text, &digest);
    }
    assert_int_equal(sb_write_file(f->dirfd, "store/sha256/README", SB_LIT("x"), 0644, NULL), 0);
    assert_int_equal(sb_store_each(f->store, see, &before, NULL), 0);
    assert_int_equal(before.count, 300);
    assert_int_equal(before.bytes, 900);
    assert_int_equal(sb_write_file(f->dirfd, "store/tmp/new-0123", SB_LIT("1234"), 0600, NULL), 0);
    assert_int_equal(sb_store_prune(f->store, keep_even, &kept, &freed, &removed, NULL), 0);
    assert_int_equal(removed, 300 - kept);
    assert_int_equal(freed, 3 * removed + 4);
    assert_int_equal(sb_store_each(f->store, see, &after, NULL), 0);
    assert_int_equal(after.count, kept);
}

/* Several processes write and prune the same objects; every one that is there at the end is sound. */
static void test_writers_at_once(void **state)
{
    enum { WRITERS = 4, OBJECTS = 60 };
    fixture *f = *state;
    pid_t children[WRITERS];
    seen s = {.count = 0};

    for (int w = 0; w < WRITERS; w++) {
        children[w] = fork();
        if (children[w] == 0) {
            sb_store *store;
            sb_digest digest;
            char text[2000];

            if (sb_store_open_at(f->dirfd, "store", true, &store, NULL) < 0)
                _exit(1);
            for (int i = 0; i < OBJECTS; i++) {
                memset(text, 'a' + i % 26, sizeof(text));
                text[0] = (char)i;
                if (sb_store_put(store, sb_slice_of(text, sizeof(text)), &digest, NULL) < 0)
                    _exit(2);
            }
            _exit(0);
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;

        assert_int_equal(waitpid(children[w], &status, 0), children[w]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(sb_store_each(f->store, see, &s, NULL), 0);
    assert_int_equal(s.count, OBJECTS);
    assert_int_equal(count_entries(f, "store/tmp"), 0);
}

/* Killed anywhere, a writer leaves sound objects or staging that the next one clears. */
static void test_killed_writer(void **state)
{
    fixture *f = *state;

    for (unsigned round = 0; round < 20; round++) {
        SB_AUTO(sb_store) store = NULL;
        sb_digest digest;
        int status;
        pid_t child = fork();

        if (child == 0) {
            static char big[300000];

            for (unsigned i = 0;; i++) {
                memcpy(big, &i, sizeof(i));
                sb_store_put(f->store, sb_slice_of(big, sizeof(big)), &digest, NULL);
            }
        }
        usleep(1000 + round * 700);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(sb_store_open_at(f->dirfd, "store", true, &store, NULL), 0);
        assert_int_equal(count_entries(f, "store/tmp"), 0);
    }
}

static int check_object(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err)
{
    uint64_t found;
    int fd;

    if (sb_store_open_object(ctx, digest, &fd, &found, err) < 0)
        return -1;
    close(fd);
    assert_int_equal(found, size);
    return 0;
}

static void test_killed_writer_leaves_sound_objects(void **state)
{
    fixture *f = *state;

    test_killed_writer(state);
    assert_int_equal(sb_store_each(f->store, check_object, f->store, NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_put_and_read),
        TEST(test_modes_and_files_of_its_own),
        TEST(test_git_keeps_it),
        TEST(test_damage),
        TEST(test_put_fd),
        TEST(test_links_lead_nowhere),
        TEST(test_stage_is_resumed),
        TEST(test_left_over_staging),
        TEST(test_sync),
        TEST(test_each_and_prune),
        TEST(test_writers_at_once),
        TEST(test_killed_writer_leaves_sound_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
