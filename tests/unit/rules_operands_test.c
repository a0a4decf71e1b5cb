// SPDX-License-Identifier: Apache-2.0
/* What rules ask of words: URLs and git references that move, hosts, versions, requirements. */
#include <rules/lint/python.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void urls_that_move(void **state)
{
    static const struct {
        const char *url, *word; /* NULL: it stays */
    } urls[] = {
        {"https://example.org/tool/releases/latest/download/x", "latest"},
        {"https://example.org/Miniconda3-latest-Linux-x86_64.sh", "Miniconda3-latest-Linux-x86_64.sh"},
        {"https://example.org/LATEST.txt", "LATEST.txt"},
        {"https://example.org/team/tool/archive/refs/heads/main.zip", "main.zip"},
        {"https://example.org/team/tool/raw/master/x", "master"},
        {"https://raw.example.org/team/tool/develop/x", "develop"},
        {"https://example.org/release/stable.txt", "stable.txt"},
        {"https://example.org/nightly/tool.tgz", "nightly"},
        {"https://example.org/nightly/2024-05-01/tool.tgz", NULL},
        {"https://example.org/debian/pool/main/h/hello.deb", NULL},
        {"https://raw.example.org/main/tool/v1.2/x", NULL},
        {"https://example.org/greatest/hits", NULL},
        {"https://latest.example.org/tool-1.2.tgz", NULL},
        {"https://example.org/tool-1.2.tgz?from=latest", NULL},
        {"https://example.org", NULL},
        {"latest", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(urls); i++) {
        sb_slice word = SB_NIL;

        assert_int_equal(sb_url_moves(sb_slice_z(urls[i].url), &word), urls[i].word != NULL);
        if (urls[i].word)
            assert_true(sb_slice_eqz(word, urls[i].word));
    }
}

static void git_references(void **state)
{
    static const struct {
        const char *ref;
        sb_git_ref_kind kind;
    } refs[] = {
        {"", SB_GIT_REF_BRANCH},
        {"main", SB_GIT_REF_BRANCH},
        {"refs/heads/v1", SB_GIT_REF_BRANCH},
        {"v1.2.3", SB_GIT_REF_TAG},
        {"refs/tags/old", SB_GIT_REF_TAG},
        {"0123456", SB_GIT_REF_COMMIT},
        {"0123456789abcdef0123456789abcdef01234567", SB_GIT_REF_COMMIT},
        {"012345", SB_GIT_REF_TAG},
        {"${REF}", SB_GIT_REF_UNKNOWN},
        {"$(cat ref)", SB_GIT_REF_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(refs); i++)
        assert_int_equal(sb_git_ref_kind_of(sb_slice_z(refs[i].ref)), refs[i].kind);
    assert_int_equal(sb_git_ref_kind_of(SB_NIL), SB_GIT_REF_BRANCH);
}

static void hosts(void **state)
{
    static const char *const internal[] = {
        "http://localhost:80/x", "http://127.0.0.1/",           "http://mirror/x",
        "http://10.1.2.3/x",     "http://192.168.1.1:8080/x",   "http://172.16.0.1/x",
        "http://172.31.0.1",     "http://a.internal/x",         "http://user:pw@b.lan/x",
        "http://user@cache/x",   "http://u:p@cache:80/a@b.org",
    };
    static const char *const outside[] = {
        "http://example.org/x",
        "http://172.32.0.1/x",
        "http://100.1.2.3/x",
        "http://internal.example.org/",
        "http://u:localhost@example.org/x",
        "http://11.0.0.1",
        "http://example.org:8080/@scope/x",
        "example.org:8080/x",
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(internal); i++)
        assert_true(sb_host_is_internal(sb_slice_z(internal[i])));
    for (size_t i = 0; i < SB_COUNT(outside); i++)
        assert_false(sb_host_is_internal(sb_slice_z(outside[i])));
}

static void shown_without_credentials(void **state)
{
    static const struct {
        const char *text, *shown;
    } texts[] = {
        {"https://user:secret@example.org/x?token=secret", "https://example.org/x"},
        {"git+https://secret@example.org/x@v1#egg=x", "git+https://example.org/x@v1#egg=x"},
        {"x @ https://example.org/a@b", "x @ https://example.org/a@b"},
        {"https://example.org?token=secret", "https://example.org"},
        {"git@example.org:team/x", "git@example.org:team/x"},
        {"a\x1b[m", "a\\x1b[m"},
        {"", ""},
        {"://", "://"},
        {"https://@", "https://"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(texts); i++) {
        sb_autobuf buf = SB_BUF_INIT(1000);

        sb_buf_add_shown(&buf, sb_slice_z(texts[i].text), 100);
        assert_string_equal(buf.data ? buf.data : "", texts[i].shown);
    }
}

static void versions(void **state)
{
    static const char *const exact[] = {"1.2.3", "v1.2.3", "=1.2.3", "1.2.3-rc.1", "2024.1.0", "$V", "${V}"};
    static const char *const loose[] = {"",       "1",       "1.2",   "latest", "^1.2.3",
                                        "~1.2.3", ">=1.2.3", "1.2.x", "1.2.*",  "1.2.3 || 2.0.0"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(exact); i++)
        assert_true(sb_version_is_exact(sb_slice_z(exact[i]), 3));
    for (size_t i = 0; i < SB_COUNT(loose); i++)
        assert_false(sb_version_is_exact(sb_slice_z(loose[i]), 3));
}

static void requirements(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    static const struct {
        const char *text;
        sb_requirement kind;
    } entries[] = {
        {"requests", SB_REQUIREMENT_LOOSE},
        {"requests>=2", SB_REQUIREMENT_LOOSE},
        {"requests==2.*", SB_REQUIREMENT_LOOSE},
        {"requests!=2.1", SB_REQUIREMENT_LOOSE},
        {"requests[socks]==2.32.3", SB_REQUIREMENT_PINNED},
        {"requests===2.32.3", SB_REQUIREMENT_PINNED},
        {"requests == 2.32.3 ; python_version < \"3.*\"", SB_REQUIREMENT_PINNED},
        {".", SB_REQUIREMENT_LOCAL},
        {".[dev]", SB_REQUIREMENT_LOCAL},
        {"dir/sub", SB_REQUIREMENT_LOCAL},
        {"x-1.0-py3-none-any.whl[all]", SB_REQUIREMENT_LOCAL},
        {"$PACKAGES", SB_REQUIREMENT_LOCAL},
        {"", SB_REQUIREMENT_LOCAL},
        {"https://example.org/x-1.0.tar.gz", SB_REQUIREMENT_PINNED},
        {"x @ https://example.org/archive/main.zip", SB_REQUIREMENT_LOOSE},
        {"git+https://example.org/x.git", SB_REQUIREMENT_GIT_BRANCH},
        {"git+ssh://git@example.org/x.git", SB_REQUIREMENT_GIT_BRANCH},
        {"git+ssh://git@example.org/x.git@v1", SB_REQUIREMENT_GIT_TAG},
        {"x @ git+https://example.org/x@0123456789abcdef0123456789abcdef01234567#egg=x",
         SB_REQUIREMENT_PINNED},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(entries); i++)
        assert_int_equal(sb_requirement_of(sb_slice_z(entries[i].text)), entries[i].kind);
    assert_true(sb_slice_eqz(sb_requirement_name(arena, SB_LIT("My_Pack.age[x]>=1")), "my-pack-age"));
    assert_true(sb_slice_eqz(sb_requirement_name(arena, SB_LIT("")), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_that_move),
        cmocka_unit_test(git_references),
        cmocka_unit_test(hosts),
        cmocka_unit_test(versions),
        cmocka_unit_test(shown_without_credentials),
        cmocka_unit_test(requirements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
