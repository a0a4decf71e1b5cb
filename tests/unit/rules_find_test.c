// SPDX-License-Identifier: Apache-2.0
#include <sbuild/lint.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tempdir.h"

/* What is found beneath `dir` of the test's directory, one per line. */
static char *found_in(const tempdir *t, const char *dir)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *path = sb_path_join(t->dir, dir);
    sb_autobuf out = SB_BUF_INIT(1 << 20);
    sb_error *err = NULL;
    sb_slice *paths;
    size_t count;

    if (sb_lint_find(path, arena, &paths, &count, &err) < 0)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < count; i++) {
        assert_true(sb_slice_starts(paths[i], sb_slice_z(path)));
        sb_buf_adds(&out, sb_slice_sub(paths[i], strlen(path) + 1, paths[i].len));
        sb_buf_addc(&out, '\n');
    }
    sb_buf_addz(&out, "");
    return out.data ? sb_buf_take(&out) : sb_strdup("");
}

static void by_name(void **state)
{
    const tempdir *t = *state;
    sb_autofree char *found = NULL;

    free(tempdir_shell(
        t, "mkdir -p a/b .git node_modules/x vendor/y sbuild.vendor sub\n"
           "for f in Dockerfile Dockerfile.prod app.Dockerfile a/Containerfile a/b/dockerfile \\\n"
           "  Dockerfile.lock Dockerfile.dockerignore Dockerfile.md dockerfile.py a/x.dockerfile.sh \\\n"
           "  .git/Dockerfile node_modules/x/Dockerfile vendor/y/Dockerfile sbuild.vendor/Dockerfile; do\n"
           "  echo 'nothing like one' > $f\n"
           "done\n"
           "ln -s Dockerfile Dockerfile.link; ln -s a linked; ln -s . sub/loop; mkfifo fifo.Dockerfile; "
           "mkdir d.Dockerfile\n"));
    found = found_in(t, ".");
    assert_string_equal(found,
                        "Dockerfile\nDockerfile.prod\na/Containerfile\na/b/dockerfile\napp.Dockerfile\n");
}

static void by_content(void **state)
{
    const tempdir *t = *state;
    sb_autofree char *found = NULL;

    free(tempdir_shell(
        t, "printf '# build\\n\\nARG V=1\\nFROM a:$V\\nRUN x\\n' > build\n"
           "printf 'from a\\nrun x\\n' > small\n"
           "printf '\\357\\273\\277FROM a\\nRUN x\\n' > Dockerfile.txt\n"
           "printf 'FROM a\\nRUN x\\n' > image.yaml\n" /* the name says that it is something else */
           "printf 'FROM {{ base }}\\nRUN x\\n' > Dockerfile.j2\n" /* a template that does not parse */
           "printf 'FROM a\\nRUN x\\n' > Dockerfile.tmpl\n"
           "printf 'FROM users\\n' > query\n" /* the end of a query */
           "printf 'SELECT a\\nFROM users\\n' > query2\n"
           "printf 'FROM users WHERE x = 1\\n' > query3\n"
           "printf 'From: me@example.org\\nTo: you\\n' > mail\n"
           "printf 'FROM a\\nRUN x\\000\\n' > binary\n"
           "printf '#!/bin/sh\\n# FROM a\\nrun x\\n' > script\n"
           "printf 'FROM a\\nRUN x\\n' > .hidden\n"
           ": > empty\n"
           "{ printf 'FROM a\\n'; seq -f 'RUN x%g' 50000; } > huge\n"));
    found = found_in(t, ".");
    assert_string_equal(found, "Dockerfile.tmpl\nDockerfile.txt\nbuild\nsmall\n");
}

static void odd_names(void **state)
{
    const tempdir *t = *state;
    sb_autofree char *found = NULL, *none = NULL;

    free(tempdir_shell(t, "mkdir empty; echo FROM > $'a\\n.Dockerfile'; echo FROM > $'\\377.Dockerfile'\n"));
    found = found_in(t, ".");
    assert_string_equal(found, "a\n.Dockerfile\n\xff.Dockerfile\n");
    none = found_in(t, "empty");
    assert_string_equal(none, "");
}

/* Not more directories within each other than a stack would hold, and no end of the world where one is
 * closed.
 */
static void deep_and_closed(void **state)
{
    const tempdir *t = *state;
    sb_autofree char *found = NULL;

    free(tempdir_shell(
        t, "mkdir deep && cd deep && for i in $(seq 150); do mkdir d; echo x > Dockerfile; cd d; done\n"));
    found = found_in(t, "deep");
    assert_true(strlen(found) > 1000);
    free(tempdir_shell(t, "mkdir -p closed/in; echo x > closed/Dockerfile; chmod 0 closed/in\n"));
    free(found);
    found = found_in(t, "closed");
    assert_string_equal(found, "Dockerfile\n");
    free(tempdir_shell(t, "chmod 700 closed/in\n"));
}

static void missing(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_slice *paths;
    size_t count;

    (void)state;
    assert_int_equal(sb_lint_find("/nonexistent", arena, &paths, &count, &err), -1);
    assert_int_equal(err->code, SB_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_name, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(by_content, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(odd_names, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(deep_and_closed, tempdir_setup, tempdir_teardown),
        cmocka_unit_test(missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
