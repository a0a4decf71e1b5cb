// SPDX-License-Identifier: Apache-2.0
/* A directory of a test's own, removed behind it; include it behind cmocka.h. */
#ifndef TESTS_TEMPDIR_H
#define TESTS_TEMPDIR_H

#include <sbuild/arena.h>
#include <sbuild/fs.h>
#include <sbuild/process.h>

#include <fcntl.h>
#include <unistd.h>

typedef struct tempdir {
    char *dir;
    int dirfd;
} tempdir;

static inline int tempdir_setup(void **state)
{
    tempdir *t = sb_new(tempdir);

    t->dir = sb_temp_dir("sbuild-test", NULL);
    *state = t;
    return t->dir ? sb_open_dir(t->dir, &t->dirfd, NULL) : -1;
}

static inline int tempdir_teardown(void **state)
{
    tempdir *t = *state;

    close(t->dirfd);
    sb_remove_tree(AT_FDCWD, t->dir, NULL);
    free(t->dir);
    free(t);
    return 0;
}

/* A script with $1 = the directory (and its working directory) and $2 = the sources; what it printed, to be
 * freed. */
static inline char *tempdir_shell(const tempdir *t, const char *script)
{
    const char *const argv[] = {"bash", "-euo", "pipefail",        "-c", script,
                                "bash", t->dir, SBUILD_SOURCE_DIR, NULL};
    sb_autobuf out = SB_BUF_INIT(1 << 20);
    const sb_process_options options = {.argv = argv, .cwd = t->dir, .output = &out, .errors = &out};
    int status = -1;

    if (sb_process_run(&options, &status, NULL) < 0 || status != 0)
        fail_msg("status %d of: %s\n%s", status, script, out.data ? out.data : "");
    return sb_buf_take(&out);
}

static inline sb_slice tempdir_load(const tempdir *t, const char *name, sb_arena *arena)
{
    enum { MAX = 16 << 20 };
    sb_autofree char *data = NULL;
    size_t len;

    if (sb_read_file(t->dirfd, name, MAX, &data, &len, NULL, NULL) < 0)
        fail_msg("no file %s", name);
    return sb_arena_dup(arena, sb_slice_of(data, len));
}

#endif
