// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lock/lockfile.h>

#include <stdlib.h>
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A "sha256:aa23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "sha256:" HEX
#define HEAD                                                                                                 \
    "{\n  \"version\": 1,\n  \"dockerfile\": \"Dockerfile\",\n  \"dockerfile-digest\": \"" B                 \
    "\",\n  \"epoch\": 1700000000,\n"

/* One of everything, in the one form in which it is written. */
static const char full[] = HEAD
    "  \"files\": [\n"
    "    {\"digest\":\"" A "\",\"evidence\":[{\"future\":7,\"keys\":[\"" B
    "\"],\"kind\":\"openpgp\",\"pins\":[\"ABCD\"],\"signature\":\"" B
    "\",\"signers\":[{\"created\":\"2024-01-02T03:04:05Z\",\"fingerprint\":\"ABCD\",\"primary\":\"EF\",\"x\":"
    "[1]}],"
    "\"threshold\":2,\"url\":\"https://e.org/a.asc\",\"verified-at\":\"2026-01-02T03:04:05Z\"},"
    "{\"checksum\":\"" A "\",\"kind\":\"checksums\",\"list\":\"" B
    "\",\"signature-url\":\"https://e.org/s\",\"url\":\"https://e.org/l\"},"
    "{\"kind\":\"minisign\",\"minisign-key\":\"RWabc\"},{\"kind\":\"tofu\"}],"
    "\"expanded\":\"https://e.org/1/a.tgz\",\"final-host\":\"cdn.e.org\",\"future\":{\"a\":1},"
    "\"last-modified\":\"2025-06-07T08:09:10Z\",\"size\":42,\"url\":\"https://e.org/${V}/a.tgz\"},\n"
    "    {\"digest\":\"" B "\",\"size\":0,\"url\":\"https://e.org/b\"}\n  ],\n"
    "  \"future\": {\"deep\":[true,null]},\n"
    "  \"git\": [\n"
    "    {\"archive\":\"" A "\",\"commit\":\"" HEX "\",\"git-dir\":true,\"ref\":\"refs/tags/v1\","
    "\"remote\":\"https://e.org/r.git\",\"size\":10240,\"subdir\":\"sub\",\"submodules\":true,"
    "\"tag-object\":\"0123\",\"url\":\"https://e.org/r.git#v1:sub\"}\n  ],\n"
    "  \"images\": [\n"
    "    {\"aliases\":[\"20\",\"lts\"],\"created\":\"2026-01-01T00:00:00Z\",\"digest\":\"" A
    "\",\"media-type\":\"application/vnd.oci.image.index.v1+json\",\"name\":\"docker.io/library/node:20\","
    "\"onbuild\":[\"RUN b\",\"RUN a\"],\"platforms\":{\"linux/amd64\":{\"config\":\"" A "\",\"manifest\":\"" B
    "\"},\"linux/arm64\":{\"config\":\"" B "\",\"later\":\"ü\",\"manifest\":\"" A
    "\"}},\"ref\":\"node:${V}\",\"user\":\"node\",\"version\":\"20.19.4\",\"where\":[\"COPY\",\"FROM\"]},\n"
    "    {\"digest\":\"" B "\",\"media-type\":\"application/vnd.oci.image.manifest.v1+json\","
    "\"name\":\"quay.io/x/y:latest\",\"platforms\":{},\"reason\":\"no tag has this digest\","
    "\"ref\":\"quay.io/x/y\",\"where\":[\"FROM\"]}\n  ],\n"
    "  \"packages\": [\n    {\"digest\":\"" A
    "\",\"future\":[],\"integrity\":\"sha512-x\",\"purl\":\"pkg:npm/a@1\","
    "\"steps\":[\"0123456789ab\",\"ab0123456789\"],\"vouched\":\"package-lock.json\"},\n"
    "    {\"digest\":\"" B "\",\"purl\":\"pkg:npm/b@2\"}\n  ],\n"
    "  \"profiles\": [\n"
    "    {\"args\":{\"V\":\"20\"},\"later\":1,\"platforms\":[\"linux/amd64\",\"linux/arm64\"]},\n"
    "    {\"platforms\":[\"linux/amd64\"],\"target\":\"test\"}\n  ],\n"
    "  \"steps\": [\n    {\"command\":\"apt-get update\",\"network\":\"default\",\"platform\":"
    "\"linux/amd64\",\"text\":\"" A "\"},\n"
    "    {\"command\":\"npm ci\",\"future\":{},\"manifest\":\"" B "\",\"nth\":1,\"platform\":\"linux/arm64\","
    "\"requests\":12,\"size\":3400,\"stage\":\"deps\",\"text\":\"" A "\"}\n  ]\n}\n";

static const char empty[] = HEAD "  \"files\": [],\n  \"git\": [],\n  \"images\": [],\n  \"packages\": [],\n"
                                 "  \"profiles\": [],\n  \"steps\": []\n}\n";

static sb_lock *parse(const char *text)
{
    sb_lock *lock = NULL;
    sb_error *err = NULL;

    if (sb_lock_parse(sb_slice_z(text), "x.lock", &lock, &err) < 0)
        fail_msg("%s", err->message);
    return lock;
}

static void assert_fails(const char *text, sb_errc code, const char *part)
{
    sb_lock *lock = NULL;
    SB_AUTO(sb_error) err = NULL;

    assert_int_equal(sb_lock_parse(sb_slice_z(text), "x.lock", &lock, &err), -1);
    assert_null(lock);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\"", err->message, part);
    assert_int_equal(err->code, code);
}

/* `full` with the first `from` replaced. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(full, from);

    assert_non_null(at);
    return sb_asprintf("%.*s%s%s", (int)(at - full), full, to, at + strlen(from));
}

static void assert_changed_fails(const char *from, const char *to, const char *part)
{
    sb_autofree char *text = changed(from, to);

    assert_fails(text, SB_ERR_PARSE, part);
}

static void assert_format(sb_lock *lock, const char *expected)
{
    sb_autobuf out = SB_BUF_INIT(SB_LOCK_MAX);

    assert_int_equal(sb_lock_format(lock, &out, NULL), 0);
    assert_string_equal(out.data, expected);
}

static void test_round_trip(void **state)
{
    SB_AUTO(sb_lock) lock = parse(full);
    SB_AUTO(sb_lock) none = parse(empty);

    (void)state;
    assert_format(lock, full);
    assert_format(lock, full);
    assert_format(none, empty);
}

static void test_values(void **state)
{
    SB_AUTO(sb_lock) lock = parse(full);
    const sb_lock_file *file = &lock->files[0];
    const sb_lock_evidence *e = &file->evidence[0];

    (void)state;
    assert_int_equal(lock->epoch, 1700000000);
    assert_int_equal(lock->file_count, 2);
    assert_true(sb_slice_eqz(file->expanded, "https://e.org/1/a.tgz"));
    assert_int_equal(file->size, 42);
    assert_int_equal(file->last_modified, 1749283750);
    assert_int_equal(file->evidence_count, 4);
    assert_int_equal(e->kind, SB_EVIDENCE_OPENPGP);
    assert_true(e->has_signature);
    assert_false(e->has_list);
    assert_int_equal(e->threshold, 2);
    assert_int_equal(e->verified_at, 1767323045);
    assert_int_equal(e->signer_count, 1);
    assert_true(sb_slice_eqz(e->signers[0].primary, "EF"));
    /* Without `expanded` a URL expands to itself, and without a date none is known. */
    assert_true(sb_slice_eqz(lock->files[1].expanded, "https://e.org/b"));
    assert_int_equal(lock->files[1].last_modified, -1);
    assert_int_equal(lock->images[0].platform_count, 2);
    assert_int_equal(lock->images[0].onbuild_count, 2);
    assert_true(sb_slice_eqz(lock->images[0].onbuild[0], "RUN b"));
    assert_null(lock->images[1].version.ptr);
    assert_null(lock->images[1].user.ptr);
    assert_true(lock->git[0].git_dir && lock->git[0].submodules);
    assert_true(sb_slice_eqz(lock->profiles[1].target, "test"));
    assert_int_equal(lock->profiles[0].arg_count, 1);
    assert_int_equal(lock->package_count, 2);
    assert_true(sb_slice_eqz(lock->packages[0].vouched, "package-lock.json"));
    assert_int_equal(lock->packages[0].step_count, 2);
    assert_int_equal(lock->step_count, 2);
    assert_false(lock->steps[0].has_manifest);
    assert_true(sb_slice_eqz(lock->steps[0].stage, ""));
    assert_true(sb_slice_eqz(lock->steps[0].network, "default"));
    assert_true(lock->steps[1].has_manifest);
    assert_int_equal(lock->steps[1].nth, 1);
    assert_int_equal(lock->steps[1].requests, 12);
    assert_int_equal(lock->steps[1].size, 3400);
}

static void test_sorted(void **state)
{
    SB_AUTO(sb_lock) lock = sb_lock_new();
    sb_lock_file files[2] = {
        {.url = SB_LIT("https://b"), .expanded = SB_LIT("https://b"), .last_modified = -1},
        {.url = SB_LIT("https://a"), .expanded = SB_LIT("https://a"), .last_modified = -1}};
    sb_slice where[] = {SB_LIT("FROM"), SB_LIT("COPY")};
    sb_lock_image images[2] = {{.ref = SB_LIT("x:${V}"),
                                .name = SB_LIT("x:2"),
                                .media_type = SB_LIT("m"),
                                .where = where,
                                .where_count = 2},
                               {.ref = SB_LIT("x:${V}"), .name = SB_LIT("x:1"), .media_type = SB_LIT("m")}};
    sb_autobuf out = SB_BUF_INIT(SB_LOCK_MAX);
    char *a, *b;

    (void)state;
    lock->files = files;
    lock->file_count = 2;
    lock->images = images;
    lock->image_count = 2;
    assert_int_equal(sb_lock_format(lock, &out, NULL), 0);
    a = strstr(out.data, "https://a");
    b = strstr(out.data, "https://b");
    assert_true(a && b && a < b);
    assert_true(strstr(out.data, "\"x:1\"") < strstr(out.data, "\"x:2\""));
    assert_non_null(strstr(out.data, "[\"COPY\",\"FROM\"]"));
}

static void test_order_of_input_does_not_count(void **state)
{
    sb_autofree char *text = sb_asprintf(
        "{\"steps\":[],\"files\":[{\"url\":\"https://"
        "b\",\"size\":1,\"digest\":\"%s\"},{\"size\":1,\"digest\":"
        "\"%s\",\"url\":\"https://a\"}],\"epoch\":1,\"dockerfile\":\"D\",\"dockerfile-digest\":\"%s\","
        "\"version\":1}",
        A, A, B);
    SB_AUTO(sb_lock) lock = parse(text);

    (void)state;
    assert_true(sb_slice_eqz(lock->files[0].url, "https://a"));
}

static void test_other_files(void **state)
{
    (void)state;
    assert_fails("", SB_ERR_PARSE, "x.lock:");
    assert_fails("[]", SB_ERR_PARSE, "no lock of sbuild");
    assert_fails("{}", SB_ERR_PARSE, "\"version\" is missing");
    assert_fails("{\"version\":2}", SB_ERR_USAGE, "version 2");
    assert_fails("{\"version\":1}", SB_ERR_PARSE, "\"dockerfile\"");
    assert_fails("{\n\n\"version\":1,}", SB_ERR_PARSE, "x.lock:3");
}

static void test_conflict(void **state)
{
    sb_autofree char *text =
        changed("  \"git\": [\n", "<<<<<<< HEAD\n  \"git\": [\n=======\n>>>>>>> other\n");

    (void)state;
    assert_fails(text, SB_ERR_PARSE, "x.lock:11: it has the markers of a merge conflict");
    assert_fails("{\n=======\n}", SB_ERR_PARSE, "x.lock:2:");
}

static void test_wrong_members(void **state)
{
    (void)state;
    assert_changed_fails("\"size\":42", "\"size\":-1", "x.lock:7: files[0].size");
    assert_changed_fails("\"size\":42", "\"size\":\"42\"", "files[0].size");
    assert_changed_fails("\"size\":0,", "", "x.lock:8: files[1].size");
    assert_changed_fails("\"digest\":\"" A, "\"digest\":\"sha256:AA", "files[0].digest");
    assert_changed_fails("\"kind\":\"tofu\"", "\"kind\":\"magic\"", "files[0].evidence[3].kind");
    assert_changed_fails("\"threshold\":2", "\"threshold\":99999", "evidence[0].threshold");
    assert_changed_fails("2026-01-02T03:04:05Z", "yesterday", "evidence[0].verified-at");
    assert_changed_fails("\"git-dir\":true", "\"git-dir\":1", "x.lock:12: git[0].git-dir");
    assert_changed_fails("\"name\":\"quay.io/x/y:latest\",", "", "x.lock:16: images[1].name is missing");
    assert_changed_fails("\"platforms\":{}", "\"platforms\":[]", "images[1].platforms");
    assert_changed_fails("\"where\":[\"FROM\"]", "\"where\":[7]", "images[1].where");
    assert_changed_fails("{\"V\":\"20\"}", "{\"V\":20}", "profiles[0].args");
    assert_changed_fails("\"git\": [", "\"git\": {}, \"x\": [", "\"git\" must be a list");
    assert_changed_fails("{\"digest\":\"" B "\",\"purl\"", "1,{\"purl\"", "packages[1] must be an object");
    assert_changed_fails("\"purl\":\"pkg:npm/b@2\"", "\"name\":\"b\"", "packages[1].purl is missing");
    assert_changed_fails("\"sha512-x\"", "512", "packages[0].integrity");
    assert_changed_fails("\"nth\":1", "\"nth\":-1", "steps[1].nth");
    assert_changed_fails("\"requests\":12", "\"requests\":1.5", "steps[1].requests");
    assert_changed_fails("\"manifest\":\"" B "\",\"nth\"", "\"manifest\":null,\"nth\"", "steps[1].manifest");
    assert_changed_fails("\"command\":\"apt-get update\",", "", "steps[0].command is missing");
    assert_changed_fails("\"epoch\": 1700000000", "\"epoch\": -1", "\"epoch\"");
}

static void test_duplicates(void **state)
{
    sb_autofree char *two = changed("\"ref\":\"quay.io/x/y\"", "\"ref\":\"node:${V}\"");

    (void)state;
    assert_changed_fails("https://e.org/b", "https://e.org/${V}/a.tgz\",\"expanded\":\"https://e.org/1/a.tgz",
                         "files names https://e.org/${V}/a.tgz twice");
    assert_changed_fails("\"digest\":\"" B "\",\"purl\":\"pkg:npm/b@2\"",
                         "\"digest\":\"" A "\",\"purl\":\"pkg:npm/a@1\"", "packages names pkg:npm/a@1 twice");
    assert_changed_fails("\"network\":\"default\",\"platform\":\"linux/amd64\"",
                         "\"nth\":1,\"stage\":\"deps\",\"platform\":\"linux/arm64\"",
                         "steps names npm ci twice");
    /* The same text may expand to two images under two profiles. */
    sb_lock_free(parse(two));
}

static void test_limits(void **state)
{
    sb_autofree char *deep = sb_new_array(char, 2001);
    sb_autobuf many = SB_BUF_INIT(64 << 20);
    SB_AUTO(sb_lock) lock = parse(full);
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(100);

    (void)state;
    memset(deep, '[', 2000);
    assert_fails(deep, SB_ERR_LIMIT, "deeper");
    sb_buf_addz(&many, HEAD "\"steps\":[0");
    for (int i = 0; i < SB_LOCK_ENTRIES_MAX; i++)
        sb_buf_addz(&many, ",0");
    sb_buf_addz(&many, "]}");
    assert_fails(many.data, SB_ERR_LIMIT, "steps has more than 100000 entries");
    assert_int_equal(sb_lock_format(lock, &out, &err), -1);
    assert_int_equal(err->code, SB_ERR_LIMIT);
}

static void test_what_json_cannot_hold(void **state)
{
    SB_AUTO(sb_lock) lock = sb_lock_new();
    sb_lock_file file = {.url = SB_LIT("https://e.org/\xff"), .expanded = SB_LIT("x"), .last_modified = -1};
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(SB_LOCK_MAX);

    (void)state;
    lock->files = &file;
    lock->file_count = 1;
    assert_int_equal(sb_lock_format(lock, &out, &err), -1);
    assert_non_null(strstr(err->message, "\\xff"));
    assert_int_equal(err->code, SB_ERR_PARSE);
}

static void test_entries_may_be_dropped(void **state)
{
    SB_AUTO(sb_lock) lock = parse(full);
    sb_autobuf out = SB_BUF_INIT(SB_LOCK_MAX);

    (void)state;
    lock->file_count = 0;
    lock->images[0] = lock->images[1];
    lock->image_count = 1;
    assert_int_equal(sb_lock_format(lock, &out, NULL), 0);
    assert_null(strstr(out.data, "node"));
}

static void test_lookup(void **state)
{
    SB_AUTO(sb_lock) lock = parse(full);
    const sb_lock_image *node = &lock->images[0];

    (void)state;
    assert_ptr_equal(sb_lock_find_image(lock, SB_LIT("node:20")), node);
    assert_ptr_equal(sb_lock_find_image(lock, SB_LIT("docker.io/node:20")), node);
    assert_ptr_equal(sb_lock_find_image(lock, SB_LIT("index.docker.io/library/node:20")), node);
    assert_ptr_equal(sb_lock_find_image(lock, SB_LIT("node:20@" A)), node);
    assert_null(sb_lock_find_image(lock, SB_LIT("node:20@" B)));
    assert_null(sb_lock_find_image(lock, SB_LIT("node:21")));
    assert_null(sb_lock_find_image(lock, SB_LIT("node")));
    assert_null(sb_lock_find_image(lock, SB_LIT("No:de:x")));
    assert_ptr_equal(sb_lock_find_image(lock, SB_LIT("quay.io/x/y")), &lock->images[1]);
    assert_ptr_equal(sb_lock_image_platform(node, SB_LIT("linux/arm64")), &node->platforms[1]);
    assert_null(sb_lock_image_platform(node, SB_LIT("linux/arm")));
    assert_ptr_equal(sb_lock_find_file(lock, SB_LIT("https://e.org/1/a.tgz")), &lock->files[0]);
    assert_null(sb_lock_find_file(lock, SB_LIT("https://e.org/${V}/a.tgz")));
    assert_ptr_equal(sb_lock_find_git(lock, SB_LIT("https://e.org/r.git#v1:sub")), &lock->git[0]);
    assert_null(sb_lock_find_git(lock, SB_LIT("https://e.org/r.git")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_order_of_input_does_not_count),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_wrong_members),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_json_cannot_hold),
        cmocka_unit_test(test_entries_may_be_dropped),
        cmocka_unit_test(test_lookup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
