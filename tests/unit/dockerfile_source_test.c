// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/dockerfile.h>

static sb_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = sb_arena_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sb_arena_free(arena);
    return 0;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        sb_df_source_kind kind;
    } rows[] = {
        {"https://example.org/a.tgz", SB_SOURCE_HTTP},
        {"http://example.org/", SB_SOURCE_HTTP},
        {"HTTP://example.org/a", SB_SOURCE_LOCAL},
        {"ftp://example.org/a", SB_SOURCE_LOCAL},
        {"https://example.org/a.git", SB_SOURCE_GIT},
        {"https://example.org/a.git#main", SB_SOURCE_GIT},
        {"https://example.org/a.git?ref=main", SB_SOURCE_GIT},
        {"HTTPS://example.org/a.git", SB_SOURCE_GIT},
        {"https://example.org/a.git/", SB_SOURCE_HTTP},
        {"https://example.org/a.git.tgz", SB_SOURCE_HTTP},
        {"https://example.org/a?x=b.git", SB_SOURCE_HTTP},
        {"https://exa mple.org/a.git", SB_SOURCE_HTTP},
        {"git://example.org/a", SB_SOURCE_GIT},
        {"ssh://git@example.org:22/a", SB_SOURCE_GIT},
        {"git@github.com:x/y.git", SB_SOURCE_GIT},
        {"u@h:x", SB_SOURCE_GIT},
        {"./u@h:x", SB_SOURCE_LOCAL},
        {"../u@h:x", SB_SOURCE_LOCAL},
        {"u.v@h:x", SB_SOURCE_LOCAL},
        {"github.com/x/y", SB_SOURCE_LOCAL},
        {"github.com/x/y.git", SB_SOURCE_LOCAL},
        {"a.git", SB_SOURCE_LOCAL},
        {"dir/", SB_SOURCE_LOCAL},
        {"", SB_SOURCE_LOCAL},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++)
        if (sb_df_source_classify(sb_slice_z(rows[i].text)) != rows[i].kind)
            fail_msg("%s", rows[i].text);
}

static void test_git_sources(void **state)
{
    static const struct {
        const char *text, *remote, *ref, *subdir, *checksum;
        int keep, submodules;
    } rows[] = {
        {"https://h/a.git", "https://h/a.git", NULL, NULL, NULL, -1, -1},
        {"https://h/a.git#v1", "https://h/a.git", "v1", NULL, NULL, -1, -1},
        {"https://h/a.git#v1:sub/dir", "https://h/a.git", "v1", "sub/dir", NULL, -1, -1},
        {"https://h/a.git#:sub", "https://h/a.git", NULL, "sub", NULL, -1, -1},
        {"https://h/a.git#v1:/../x/./y/..", "https://h/a.git", "v1", "x", NULL, -1, -1},
        {"https://h/a.git#a%2Fb", "https://h/a.git", "a/b", NULL, NULL, -1, -1},
        {"https://h/a.git?ref=main&subdir=d", "https://h/a.git", "main", "d", NULL, -1, -1},
        {"https://h/a.git?tag=v1", "https://h/a.git", "refs/tags/v1", NULL, NULL, -1, -1},
        {"https://h/a.git?tag=refs/tags/v1", "https://h/a.git", "refs/tags/v1", NULL, NULL, -1, -1},
        {"https://h/a.git?branch=b", "https://h/a.git", "refs/heads/b", NULL, NULL, -1, -1},
        {"https://h/a.git?checksum=abcd#v1", "https://h/a.git", "v1", NULL, "abcd", -1, -1},
        {"https://h/a.git?commit=abcd", "https://h/a.git", NULL, NULL, "abcd", -1, -1},
        {"https://h/a.git?keep-git-dir&submodules=0", "https://h/a.git", NULL, NULL, NULL, 1, 0},
        {"https://h/a.git?keep-git-dir=false&mtime=commit", "https://h/a.git", NULL, NULL, NULL, 0, -1},
        {"https://h/a.git?ref=v1#v1", "https://h/a.git", "v1", NULL, NULL, -1, -1},
        {"HTTPS://h/a.git", "https://h/a.git", NULL, NULL, NULL, -1, -1},
        {"git@h:x/y.git#main:sub", "git@h:x/y.git", "main", "sub", NULL, -1, -1},
        {"git@h:x/y.git?ref=main#", "git@h:x/y.git", "main", NULL, NULL, -1, -1},
        {"ssh://git@h:2222/x.git#main", "ssh://git@h:2222/x.git", "main", NULL, NULL, -1, -1},
        {"git://h/x", "git://h/x", NULL, NULL, NULL, -1, -1},
        {"github.com/x/y.git#z", "https://github.com/x/y.git", "z", NULL, NULL, -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++) {
        sb_df_git_source s;

        if (sb_df_git_source_parse(arena, sb_slice_z(rows[i].text), &s, NULL) < 0)
            fail_msg("%s", rows[i].text);
        if (!sb_slice_eqz(s.remote, rows[i].remote) || !sb_slice_eqz(s.ref, rows[i].ref) ||
            !sb_slice_eqz(s.subdir, rows[i].subdir) || !sb_slice_eqz(s.checksum, rows[i].checksum) ||
            s.keep_git_dir != rows[i].keep || s.submodules != rows[i].submodules ||
            (s.ref.ptr == NULL) != (rows[i].ref == NULL))
            fail_msg("%s: %.*s %.*s %.*s", rows[i].text, (int)s.remote.len, s.remote.ptr, (int)s.ref.len,
                     s.ref.ptr ? s.ref.ptr : "", (int)s.subdir.len, s.subdir.ptr ? s.subdir.ptr : "");
    }
}

static void test_git_sources_that_contradict_themselves(void **state)
{
    static const char *const rows[][2] = {
        {"https://h/a.git?ref=a&ref=b", "query \"ref\" has multiple values"},
        {"https://h/a.git?ref=", "query \"ref\" has no value"},
        {"https://h/a.git?tag", "query \"tag\" has no value"},
        {"https://h/a.git?what=ever", "unexpected query \"what\""},
        {"https://h/a.git?ref=a#b", "ref conflicts: \"b\" vs \"a\""},
        {"https://h/a.git?subdir=a#b:c", "subdir conflicts: \"c\" vs \"a\""},
        {"https://h/a.git?tag=a&branch=b", "branch conflicts with tag"},
        {"https://h/a.git?ref=a&tag=b", "ref conflicts: \"a\" vs \"refs/tags/b\""},
        {"https://h/a.git?submodules=maybe", "invalid submodules value: \"maybe\""},
        {"https://h/a.git?mtime=never", "invalid mtime value: \"never\""},
        {"https://h/a.tgz", "is no git repository"},
        {"./a.git", "is no git repository"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++) {
        SB_AUTO(sb_error) err = NULL;
        sb_df_git_source s;

        assert_int_equal(sb_df_git_source_parse(arena, sb_slice_z(rows[i][0]), &s, &err), -1);
        if (!strstr(err->message, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], err->message);
    }
}

static void test_file_names(void **state)
{
    static const char *const rows[][2] = {
        {"https://h/a/b.tgz", "b.tgz"},
        {"https://h/a/b.tgz?x=/c#/d", "b.tgz"},
        {"https://h/a/b/", "b"},
        {"https://h/a%20b", "a b"},
        {"https://h/a%2Fb", "b"},
        {"https://h/", "__unnamed__"},
        {"https://h", "__unnamed__"},
        {"https://h/a/..", "__unnamed__"},
        {"https://h/.", "__unnamed__"},
        {"https://h/%zz", "__unnamed__"},
        {"https://h/a%00b", "__unnamed__"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(rows); i++)
        if (!sb_slice_eqz(sb_df_url_filename(arena, sb_slice_z(rows[i][0])), rows[i][1]))
            fail_msg("%s", rows[i][0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_git_sources),
        cmocka_unit_test(test_git_sources_that_contradict_themselves),
        cmocka_unit_test(test_file_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
