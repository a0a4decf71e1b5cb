// SPDX-License-Identifier: Apache-2.0
/* A project on disk for tests of lock/: a directory with a Dockerfile, and a home of its own. */
#ifndef SBUILD_TESTS_LOCK_FIXTURE_H
#define SBUILD_TESTS_LOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/fs.h>
#include <sbuild/lock.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct fixture {
    char *dir; /* the context */
    char *home;
    int fd; /* of the context */
} fixture;

static int fixture_setup(void **state)
{
    fixture *f = sb_new(fixture);

    f->dir = sb_temp_dir("sbuild-test", NULL);
    f->home = sb_temp_dir("sbuild-home", NULL);
    if (!f->dir || !f->home || sb_open_dir(f->dir, &f->fd, NULL) < 0)
        return -1;
    setenv("HOME", f->home, 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("XDG_CONFIG_HOME");
    *state = f;
    return 0;
}

static int fixture_teardown(void **state)
{
    fixture *f = *state;

    close(f->fd);
    sb_remove_tree(AT_FDCWD, f->dir, NULL);
    sb_remove_tree(AT_FDCWD, f->home, NULL);
    free(f->dir);
    free(f->home);
    free(f);
    return 0;
}

static void put(const fixture *f, const char *path, const char *content)
{
    sb_error *err = NULL;
    const char *slash = strrchr(path, '/');

    if (slash) {
        sb_autofree char *dir = sb_strndup(path, (size_t)(slash - path));

        assert_int_equal(sb_mkdirs_beneath(f->fd, dir, NULL), 0);
    }
    if (sb_write_file(f->fd, path, sb_slice_z(content), 0644, &err) < 0)
        fail_msg("%s", err->message);
}

static sb_project *open_project(const fixture *f)
{
    sb_project_options options = {.context = f->dir};
    sb_project *project = NULL;
    sb_error *err = NULL;

    if (sb_project_open(&options, &project, &err) < 0)
        fail_msg("%s", err->message);
    return project;
}

#endif
