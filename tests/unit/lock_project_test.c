// SPDX-License-Identifier: Apache-2.0
#include "lock_fixture.h"

#include <sys/wait.h>

static char *joined(const fixture *f, const char *name)
{
    return sb_path_join(f->dir, name);
}

static sb_project *open_named(const char *context, const char *dockerfile)
{
    sb_project_options options = {.context = context, .dockerfile = dockerfile};
    sb_project *project = NULL;
    sb_error *err = NULL;

    if (sb_project_open(&options, &project, &err) < 0)
        fail_msg("%s", err->message);
    return project;
}

static void assert_refused(const char *context, const char *dockerfile, sb_errc code, const char *part)
{
    sb_project_options options = {.context = context, .dockerfile = dockerfile};
    sb_project *project = NULL;
    SB_AUTO(sb_error) err = NULL;

    assert_int_equal(sb_project_open(&options, &project, &err), -1);
    assert_null(project);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\"", err->message, part);
    assert_int_equal(err->code, code);
}

static void test_names(void **state)
{
    const fixture *f = *state;
    sb_autofree char *deep = joined(f, "a/b/Dockerfile.prod"), *sub = joined(f, "a"),
                     *other = joined(f, "a/../c");

    put(f, "Dockerfile", "FROM scratch\n");
    put(f, "a/b/Dockerfile.prod", "FROM scratch\n");
    put(f, "c/x", "");
    {
        SB_AUTO(sb_project) project = open_project(f);

        assert_true(sb_slice_eqz(project->dockerfile_name, "Dockerfile"));
        assert_true(sb_slice_eqz(project->lock_name, "Dockerfile.lock"));
        assert_null(project->store);
    }
    {
        SB_AUTO(sb_project) project = open_named(f->dir, deep);

        assert_true(sb_slice_eqz(project->dockerfile_name, "a/b/Dockerfile.prod"));
        assert_true(sb_slice_eqz(project->lock_name, "Dockerfile.prod.lock"));
    }
    {
        SB_AUTO(sb_project) project = open_named(sub, deep);

        assert_true(sb_slice_eqz(project->dockerfile_name, "b/Dockerfile.prod"));
    }
    {
        SB_AUTO(sb_project) project = open_named(other, deep);

        assert_true(sb_slice_eqz(project->dockerfile_name, "../a/b/Dockerfile.prod"));
    }
}

static void test_lower_case_name(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;

    put(f, "dockerfile", "FROM scratch\n");
    project = open_project(f);
    assert_true(sb_slice_eqz(project->lock_name, "dockerfile.lock"));
}

static void test_refusals(void **state)
{
    const fixture *f = *state;

    assert_refused(f->dir, NULL, SB_ERR_USAGE, "; name the Dockerfile with -f");
    assert_refused("/nonexistent", NULL, SB_ERR_USAGE, "/nonexistent");
    assert_refused("-", NULL, SB_ERR_USAGE, "must be a directory");
    assert_refused("https://example.org/x.git", NULL, SB_ERR_USAGE, "must be a directory");
    assert_refused(f->dir, "-", SB_ERR_USAGE, "standard input");
    put(f, "Dockerfile", "FROM scratch\nFORM x\n");
    assert_refused(f->dir, NULL, SB_ERR_PARSE, "Dockerfile:2");
}

static void test_digest_ignores_line_ends(void **state)
{
    static const char *const texts[] = {"FROM scratch\nCOPY a b\n", "FROM scratch\r\nCOPY a b\r\n",
                                        "\xef\xbb\xbf\x46ROM scratch\r\nCOPY a b\n"};
    const fixture *f = *state;
    sb_digest first, other;

    sb_digest_of(SB_HASH_SHA256, sb_slice_z(texts[0]), &first);
    for (size_t i = 0; i < SB_COUNT(texts); i++) {
        SB_AUTO(sb_project) project = NULL;

        put(f, "Dockerfile", texts[i]);
        project = open_project(f);
        assert_true(sb_digest_eq(&project->text_digest, &first));
    }
    {
        SB_AUTO(sb_project) project = NULL;

        put(f, "Dockerfile", "FROM scratch\nCOPY a b\n\r");
        project = open_project(f);
        other = project->text_digest;
        assert_false(sb_digest_eq(&other, &first));
    }
}

static void test_store_and_scratch(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;
    sb_autofree char *path = NULL, *content = NULL;
    sb_autoclose int fd = -1;
    sb_store *store = NULL, *again = NULL;
    sb_digest digest;
    size_t len;

    put(f, "Dockerfile", "FROM scratch\n");
    project = open_project(f);
    assert_null(project->store);
    assert_int_equal(sb_project_store(project, &store, NULL), 0);
    assert_int_equal(sb_store_put(store, SB_LIT("x"), &digest, NULL), 0);
    assert_int_equal(sb_project_store(project, &again, NULL), 0);
    assert_ptr_equal(store, again);
    assert_int_equal(sb_read_file(f->fd, "sbuild.vendor/.gitattributes", 100, &content, &len, NULL, NULL), 0);
    assert_int_equal(sb_project_scratch(project, &fd, &path, NULL), 0);
    assert_int_equal(faccessat(f->fd, ".sbuild/.gitignore", F_OK, 0), 0);
    assert_non_null(strstr(path, "/.sbuild"));
}

static void test_never(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) inside = NULL;
    SB_AUTO(sb_project) outside = NULL;
    sb_autofree char *sub = joined(f, "sub"), *deep = joined(f, "sub/Dockerfile");
    sb_autofree char *above = joined(f, "Dockerfile");

    put(f, "Dockerfile", "FROM scratch\n");
    put(f, "sub/Dockerfile", "FROM scratch\n");
    inside = open_named(f->dir, deep);
    assert_string_equal(sb_project_never(inside)[0], "sbuild.vendor");
    assert_string_equal(sb_project_never(inside)[1], ".sbuild");
    assert_string_equal(sb_project_never(inside)[2], "sub/Dockerfile.lock");
    assert_null(sb_project_never(inside)[3]);
    outside = open_named(sub, above);
    assert_null(sb_project_never(outside)[2]);
}

static bool ignores(sb_project *project, const char *path)
{
    SB_AUTO(sb_ignore) ignore = NULL;

    assert_int_equal(sb_project_ignore(project, &ignore, NULL), 0);
    return ignore && sb_ignore_matches(ignore, sb_slice_z(path));
}

static void test_ignore_files(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_ignore) none = NULL;

    put(f, "Dockerfile", "FROM scratch\n");
    project = open_project(f);
    assert_int_equal(sb_project_ignore(project, &none, NULL), 0);
    assert_null(none);
    put(f, ".dockerignore", "a\n");
    assert_true(ignores(project, "a"));
    assert_false(ignores(project, "b"));
    put(f, "Dockerfile.dockerignore", "b\n");
    assert_false(ignores(project, "a"));
    assert_true(ignores(project, "b"));
}

static void test_one_writer(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;
    int fd = -1, status = 0;
    pid_t child;

    put(f, "Dockerfile", "FROM scratch\n");
    project = open_project(f);
    assert_int_equal(sb_project_exclusive(project, &fd, NULL), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        SB_AUTO(sb_project) own = NULL;
        int mine = -1;

        close(fd);
        own = open_project(f);
        alarm(60);
        _exit(sb_project_exclusive(own, &mine, NULL) == 0 && access("/proc/self", F_OK) == 0 &&
                      faccessat(f->fd, "released", F_OK, 0) == 0
                  ? 0
                  : 1);
    }
    usleep(200000);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    put(f, "released", "");
    close(fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_save_and_load(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_lock) loaded = NULL;
    SB_AUTO(sb_error) err = NULL;
    struct stat before, after;

    put(f, "sub/Dockerfile", "FROM scratch\n");
    {
        sb_autofree char *path = joined(f, "sub/Dockerfile");

        project = open_named(f->dir, path);
    }
    assert_int_equal(sb_lock_load(project, &loaded, &err), -1);
    assert_int_equal(err->code, SB_ERR_STALE);
    assert_non_null(strstr(err->message, "there is no sub/Dockerfile.lock; run \"sbuild lock\" first"));
    lock->epoch = 5;
    assert_int_equal(sb_lock_save(project, lock, NULL), 0);
    assert_int_equal(fstatat(f->fd, "sub/Dockerfile.lock", &before, 0), 0);
    assert_int_equal(sb_lock_load(project, &loaded, NULL), 0);
    assert_int_equal(loaded->epoch, 5);
    assert_int_equal(sb_lock_save(project, loaded, NULL), 0);
    assert_int_equal(fstatat(f->fd, "sub/Dockerfile.lock", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

/* Neither a link nor a pipe that a repository holds in the lock's place. */
static void test_lock_is_not_followed(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = sb_lock_new();
    sb_lock *loaded = NULL;
    SB_AUTO(sb_error) link = NULL;
    SB_AUTO(sb_error) pipe = NULL;

    put(f, "Dockerfile", "FROM scratch\n");
    project = open_project(f);
    assert_int_equal(sb_lock_save(project, lock, NULL), 0);
    assert_int_equal(renameat(f->fd, "Dockerfile.lock", f->fd, "other"), 0);
    assert_int_equal(symlinkat("other", f->fd, "Dockerfile.lock"), 0);
    assert_int_equal(sb_lock_load(project, &loaded, &link), -1);
    assert_non_null(strstr(link->message, "refusing to open Dockerfile.lock"));
    assert_int_equal(unlinkat(f->fd, "Dockerfile.lock", 0), 0);
    assert_int_equal(mkfifoat(f->fd, "Dockerfile.lock", 0600), 0);
    assert_int_equal(sb_lock_load(project, &loaded, &pipe), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_lower_case_name),
        TEST(test_refusals),
        TEST(test_digest_ignores_line_ends),
        TEST(test_store_and_scratch),
        TEST(test_never),
        TEST(test_ignore_files),
        TEST(test_one_writer),
        TEST(test_save_and_load),
        TEST(test_lock_is_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
