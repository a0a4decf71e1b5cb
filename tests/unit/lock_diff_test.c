// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/lock.h>

#include <stdlib.h>
#include <string.h>

#define REST "23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A "sha256:aa" REST
#define B "sha256:bb" REST
#define COMMIT "0123456789012345678901234567890123456789"

static sb_lock *parse(const char *members)
{
    sb_autofree char *text = sb_asprintf(
        "{\"version\":1,\"dockerfile\":\"Dockerfile\",\"dockerfile-digest\":\"%s\"%s%s,\"epoch\":0}", A,
        *members ? "," : "", members);
    sb_lock *lock = NULL;
    sb_error *err = NULL;

    if (sb_lock_parse(sb_slice_z(text), "x.lock", &lock, &err) < 0)
        fail_msg("%s", err->message);
    return lock;
}

static char *diff_of(const char *before, const char *after)
{
    SB_AUTO(sb_lock) a = parse(before);
    SB_AUTO(sb_lock) b = parse(after);
    sb_autobuf out = SB_BUF_INIT(65536);

    assert_int_equal(sb_lock_diff(a, b, &out, NULL), 0);
    return sb_buf_take(&out);
}

static void assert_diff(const char *before, const char *after, const char *expected)
{
    sb_autofree char *changes = diff_of(before, after);

    assert_string_equal(changes, expected);
}

#define IMAGE(digest, version, more)                                                                         \
    "\"images\":[{\"ref\":\"node:20\",\"name\":\"docker.io/library/node:20\",\"digest\":\"" digest           \
    "\",\"media-type\":\"m\",\"version\":\"" version "\"" more "}]"
#define PLATFORM(name, digest) "\"" name "\":{\"manifest\":\"" digest "\",\"config\":\"" digest "\"}"
#define FILE_OF(digest, more)                                                                                \
    "\"files\":[{\"url\":\"https://e.org/${V}\",\"expanded\":\"https://e.org/"                               \
    "1\",\"size\":3,\"digest\":\"" digest "\"" more "}]"

static void test_images(void **state)
{
    (void)state;
    assert_diff("", "", "");
    assert_diff("", IMAGE(A, "20.1.0", ",\"platforms\":{}"),
                "image node:20: added, 20.1.0 sha256:aa23456789ab\n");
}

static void test_changes(void **state)
{
    (void)state;
    assert_diff(IMAGE(A, "20.1.0", ",\"platforms\":{}"), "",
                "image node:20: removed, was 20.1.0 sha256:aa23456789ab\n");
    assert_diff(IMAGE(A, "20.1.0", ",\"platforms\":{}"), IMAGE(B, "20.2.0", ",\"platforms\":{}"),
                "image node:20: 20.1.0 sha256:aa23456789ab → 20.2.0 sha256:bb23456789ab\n");
    assert_diff(IMAGE(A, "20.1.0", ",\"platforms\":{}"), IMAGE(A, "20.2.0", ",\"platforms\":{}"),
                "image node:20: the same image is now called 20.1.0 → 20.2.0\n");
    assert_diff(IMAGE(A, "1", ",\"platforms\":{" PLATFORM("linux/amd64", A) "}"),
                IMAGE(A, "1", ",\"platforms\":{" PLATFORM("linux/arm64", A) "}"),
                "image node:20: locked also for linux/arm64\n"
                "image node:20: no longer locked for linux/amd64\n");
    assert_diff(IMAGE(A, "1", ",\"platforms\":{},\"user\":\"node\""), IMAGE(A, "1", ",\"platforms\":{}"),
                "image node:20: user of the base image node → none\n");
    assert_diff(IMAGE(A, "1", ",\"platforms\":{},\"onbuild\":[\"RUN a\"]"),
                IMAGE(A, "1", ",\"platforms\":{},\"onbuild\":[\"RUN b\"]"),
                "image node:20: ONBUILD triggers changed (1 → 1)\n");
}

static void test_files(void **state)
{
    (void)state;
    assert_diff(
        "", FILE_OF(A, ""),
        "file https://e.org/${V} (https://e.org/1): added, sha256:aa23456789ab (3 bytes), vouched for by "
        "nobody (first use)\n");
    assert_diff(
        FILE_OF(A, ""), FILE_OF(B, ",\"final-host\":\"cdn\""),
        "file https://e.org/${V} (https://e.org/1): same URL, other bytes: sha256:aa23456789ab → "
        "sha256:bb23456789ab (3 → 3 bytes)\n"
        "file https://e.org/${V} (https://e.org/1): comes from another host after redirects: none → cdn\n");
    assert_diff(FILE_OF(A, ",\"evidence\":[{\"kind\":\"checksum\",\"checksum\":\"sha256:0\"}]"),
                FILE_OF(A, ""),
                "file https://e.org/${V} (https://e.org/1): vouched for by sha256 in the Dockerfile → nobody "
                "(first use)\n");
}

static void test_git(void **state)
{
#define GIT(commit, archive)                                                                                 \
    "\"git\":[{\"url\":\"https://e.org/r.git\",\"remote\":\"https://e.org/"                                  \
    "r.git\",\"size\":1,\"commit\":\"" commit "\",\"archive\":\"" archive "\"}]"
    (void)state;
    assert_diff("", GIT(COMMIT, A),
                "git https://e.org/r.git: added, commit 012345678901, vouched for by nobody (first use)\n");
    assert_diff(GIT(COMMIT, A), GIT("abc", B), "git https://e.org/r.git: commit " COMMIT " → abc\n");
    assert_diff(GIT(COMMIT, A), GIT(COMMIT, B), "git https://e.org/r.git: same commit, other archive\n");
}

static void test_profiles_and_rest(void **state)
{
    (void)state;
    assert_diff(
        "\"profiles\":[{\"platforms\":[\"linux/amd64\"]}]",
        "\"profiles\":[{\"platforms\":[\"linux/amd64\",\"linux/arm64\"],\"args\":{\"V\":\"1\"}}]",
        "profile removed: target (last stage), platforms linux/amd64\n"
        "profile added: target (last stage), platforms linux/amd64,linux/arm64, build arguments V=1\n");
    assert_diff("\"steps\":[]", "", "");
}

#define PACKAGE(purl, digest, more) "{\"purl\":\"pkg:" purl "\",\"digest\":\"" digest "\"" more "}"
#define PACKAGES(list) "\"packages\":[" list "]"
#define CURL(version, arch) PACKAGE("deb/debian/curl@" version "?arch=" arch, A, "")

static void test_packages(void **state)
{
    (void)state;
    assert_diff(PACKAGES(CURL("7.88.1-10%2Bdeb12u14", "amd64")),
                PACKAGES(CURL("7.88.1-10%2Bdeb12u15", "amd64")),
                "package curl (deb): 7.88.1-10+deb12u14 → 7.88.1-10+deb12u15\n");
    /* For two platforms it is one change. */
    assert_diff(PACKAGES(CURL("1", "amd64") "," CURL("1", "arm64")),
                PACKAGES(CURL("2", "arm64") "," CURL("2", "amd64")), "package curl (deb): 1 → 2\n");
    assert_diff(PACKAGES(CURL("1", "amd64")), PACKAGES(CURL("1", "amd64") "," CURL("2", "amd64")),
                "1 package new (deb): curl 2\n");
    assert_diff(PACKAGES(CURL("1", "amd64") "," CURL("2", "amd64")), PACKAGES(CURL("3", "amd64")),
                "package curl (deb): 1, 2 → 3\n");
    assert_diff(PACKAGES(PACKAGE("npm/a@1", A, "")), PACKAGES(PACKAGE("npm/a@1", B, "")),
                "package a (npm): 1, same version, other bytes: sha256:aa23456789ab → sha256:bb23456789ab\n");
    /* A wheel for one more platform changes nothing of what was there. */
    assert_diff(PACKAGES(PACKAGE("pypi/a@1", A, "")),
                PACKAGES(PACKAGE("pypi/a@1", A, "") "," PACKAGE("pypi/a@1", B, "")), "");
    assert_diff(PACKAGES(PACKAGE("npm/a@1", A, "")),
                PACKAGES(PACKAGE("npm/a@1", A, ",\"vouched\":\"package-lock.json\"")),
                "package a (npm): 1, vouched for by nobody → package-lock.json\n");
    assert_diff("",
                PACKAGES(PACKAGE("npm/%40s/a@1", A, ",\"vouched\":\"yarn.lock\"") "," PACKAGE(
                    "npm/b@2", A, "") "," CURL("1", "amd64")),
                "1 package new (deb): curl 1\n"
                "2 packages new (npm, 1 vouched for by a lock file of the project): @s/a 1, b 2\n");
    assert_diff(PACKAGES(PACKAGE("npm/a@1", A, "")), "", "1 package gone (npm): a 1\n");
    assert_diff(PACKAGES("{\"purl\":\"odd\",\"digest\":\"" A "\"}"),
                PACKAGES("{\"purl\":\"odd\",\"digest\":\"" B "\"}"),
                "package odd: , same version, other bytes: sha256:aa23456789ab → sha256:bb23456789ab\n");
    assert_diff("", PACKAGES(PACKAGE("npm/\\u001b%1b[31m@1", A, "")),
                "1 package new (npm): \\x1b\\x1b[31m 1\n");
}

static void test_many_packages(void **state)
{
    enum { MANY = 30 };
    sb_autobuf text = SB_BUF_INIT(100000);
    sb_autofree char *line = NULL;

    (void)state;
    sb_buf_addz(&text, "\"packages\":[");
    for (int i = 0; i < MANY; i++)
        sb_buf_printf(&text, "%s" PACKAGE("npm/p%02d@1", A, ""), i ? "," : "", i);
    sb_buf_addz(&text, "]");
    line = diff_of("", text.data);
    assert_true(strncmp(line, "30 packages new (npm): p00 1, p01 1, ", 37) == 0);
    assert_non_null(strstr(line, "p19 1 and 10 more\n"));
}

#define STEP(text, more)                                                                                     \
    "\"steps\":[{\"command\":\"npm ci\",\"platform\":\"linux/amd64\",\"stage\":\"deps\",\"text\":\"" text    \
    "\"" more "}]"

static void test_steps(void **state)
{
    (void)state;
    assert_diff("", STEP(A, ",\"requests\":3,\"size\":70,\"manifest\":\"" A "\""),
                "step RUN npm ci (deps): added, for linux/amd64, 3 requests, 70 bytes\n");
    assert_diff(STEP(A, ",\"network\":\"host\""), "",
                "step RUN npm ci (deps): removed, was for linux/amd64, not sealed\n");
    assert_diff(STEP(A, ",\"requests\":3,\"size\":70,\"manifest\":\"" A "\""),
                STEP(A, ",\"requests\":4,\"size\":75,\"manifest\":\"" B "\""),
                "step RUN npm ci (deps): 3 → 4 requests, 70 → 75 bytes\n");
    assert_diff(STEP(A, ",\"requests\":3,\"size\":70,\"manifest\":\"" A "\""),
                STEP(A, ",\"requests\":3,\"size\":70,\"manifest\":\"" B "\""),
                "step RUN npm ci (deps): other answers to its 3 requests\n");
    assert_diff(STEP(A, ""), STEP(A, ",\"network\":\"default\""),
                "step RUN npm ci (deps): network sealed → default\n");
    assert_diff(STEP(A, ",\"manifest\":\"" A "\""), STEP(A, ",\"manifest\":\"" A "\""), "");
}

static void test_harmless_text(void **state)
{
    (void)state;
    assert_diff("", "\"profiles\":[{\"target\":\"a\\u001b[31m\"}]", "profile added: target a\\x1b[31m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_git),
        cmocka_unit_test(test_profiles_and_rest),
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_many_packages),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_harmless_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
