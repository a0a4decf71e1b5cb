// SPDX-License-Identifier: Apache-2.0
/* An in-toto statement with SLSA provenance, of a lock with one of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/engine.h>

#include "tempdir.h"

#define A "aa23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static const char lock_text[] =
    "{\"version\": 1, \"dockerfile\": \"Dockerfile\", \"dockerfile-digest\": \"sha256:" B
    "\", \"epoch\": 1700000000, \"files\": [{\"digest\":\"sha256:" A
    "\",\"expanded\":\"https://e.org/1/a.tgz\",\"size\":42,\"url\":\"https://e.org/${V}/a.tgz\"}],"
    "\"git\": [{\"archive\":\"sha256:" A "\",\"commit\":\"" COMMIT "\",\"ref\":\"refs/tags/v1\","
    "\"remote\":\"https://e.org/r.git\",\"size\":10240,\"url\":\"https://e.org/r.git#v1\"}],"
    "\"images\": [{\"digest\":\"sha256:" A "\",\"media-type\":\"application/vnd.oci.image.index.v1+json\","
    "\"name\":\"docker.io/library/node:20\",\"platforms\":{},\"ref\":\"node:${V}\",\"version\":\"20.19.4\","
    "\"where\":[\"FROM\"]}],\"packages\": [{\"digest\":\"sha256:" B "\",\"purl\":\"pkg:npm/b@2\"}],"
    "\"profiles\": [{\"args\":{\"V\":\"20\"},\"platforms\":[\"linux/amd64\"]}],"
    "\"steps\": [{\"command\":\"npm ci\",\"manifest\":\"sha256:" B
    "\",\"platform\":\"linux/amd64\",\"requests\":12,\"size\":3400,\"text\":\"sha256:" A "\"}]}\n";

static sb_slice hex_of(const char *text, char ret_hex[SB_DIGEST_HEX])
{
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, sb_slice_z(text), &digest);
    sb_digest_hex(&digest, ret_hex);
    return sb_slice_z(ret_hex);
}

static char *attest(const tempdir *t, const char *const *tags)
{
    const sb_df_var args[] = {{SB_LIT("V"), SB_LIT("20")}, {SB_LIT("TOKEN"), SB_LIT("hunter2")}};
    const sb_build_options options = {.build_args = args, .build_arg_count = 2, .target = "app"};
    sb_engine engine = {.name = SB_LIT("docker"), .version = SB_LIT("26.1.5 (buildx 0.13.1)")};
    sb_project project = {.lock_dirfd = t->dirfd,
                          .lock_name = SB_LIT("Dockerfile.lock"),
                          .dockerfile_name = SB_LIT("Dockerfile"),
                          .text = SB_LIT("FROM node:20\r\n")};
    sb_autojson *platforms = json_pack("[{s:s, s:s}]", "platform", "linux/amd64", "image", "sha256:" B);
    sb_autofree char *path = sb_path_join(t->dir, "statement.json");
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_outcome outcome = {.project = &project,
                          .options = &options,
                          .engine = &engine,
                          .switched = SB_LIT("keep npm-cache"),
                          .tags = tags};
    char *text = NULL;
    size_t len;

    assert_true(sb_digest_from_hex(SB_LIT(A), &outcome.whole.digest));
    if (sb_lock_parse(sb_slice_z(lock_text), "Dockerfile.lock", &lock, &err) < 0 ||
        sb_write_file(t->dirfd, "Dockerfile.lock", sb_slice_z(lock_text), 0644, &err) < 0)
        fail_msg("%s", err->message);
    outcome.lock = lock;
    if (sb_attestation_write(&outcome, platforms, path, &err) < 0 ||
        sb_read_file(AT_FDCWD, path, 1 << 20, &text, &len, NULL, &err) < 0)
        fail_msg("%s", err->message);
    return text;
}

static void the_whole(void **state)
{
    static const char *const tags[] = {"registry.example.org/app:1.2.3", "app:1.2.3", NULL};
    char dockerfile[SB_DIGEST_HEX], lock[SB_DIGEST_HEX];
    sb_autofree char *actual = attest(*state, tags);
    sb_autofree char *expected = sb_asprintf(
        "{\"_type\":\"https://in-toto.io/Statement/"
        "v1\",\"predicate\":{\"buildDefinition\":{\"buildType\":\"urn:"
        "sbuild:dockerfile:v1\",\"externalParameters\":{\"allowNetwork\":[],\"buildArgs\":{\"V\":\"20\"},"
        "\"buildArgsWithoutValue\":[\"TOKEN\"],\"dockerfile\":\"Dockerfile\",\"platforms\":[\"linux/amd64\"],"
        "\"target\":\"app\"},\"internalParameters\":{\"sourceDateEpoch\":1700000000,\"volatile\":\"keep "
        "npm-cache\"},\"resolvedDependencies\":["
        "{\"digest\":{\"sha256\":\"%s\"},\"name\":\"Dockerfile\"},"
        "{\"digest\":{\"sha256\":\"%s\"},\"name\":\"Dockerfile.lock\"},"
        "{\"digest\":{\"sha256\":\"" A "\"},\"uri\":\"pkg:oci/node@sha256:" A
        "?repository_url=docker.io/library/node&tag=20.19.4\"},"
        "{\"digest\":{\"sha256\":\"" A "\"},\"uri\":\"https://e.org/1/a.tgz\"},"
        "{\"digest\":{\"gitCommit\":\"" COMMIT "\"},\"uri\":\"git+https://e.org/r.git@refs/tags/v1\"},"
        "{\"digest\":{\"sha256\":\"" B "\"},\"uri\":\"pkg:npm/b@2\"},"
        "{\"digest\":{\"sha256\":\"" B "\"},\"name\":\"requests of RUN npm ci (linux/amd64)\"}]},"
        "\"runDetails\":{\"builder\":{\"id\":\"urn:sbuild:user\",\"version\":{\"docker\":\"26.1.5 (buildx "
        "0.13.1)\",\"sbuild\":\"" SBUILD_VERSION "\"}},\"byproducts\":[{\"digest\":{\"sha256\":\"" B
        "\"},\"name\":\"image ID of linux/amd64\"}]}},\"predicateType\":\"https://slsa.dev/provenance/v1\","
        "\"subject\":[{\"digest\":{\"sha256\":\"" A "\"},\"name\":\"registry.example.org/app:1.2.3\"},"
        "{\"digest\":{\"sha256\":\"" A "\"},\"name\":\"app:1.2.3\"}]}\n",
        hex_of("FROM node:20\r\n", dockerfile).ptr, hex_of(lock_text, lock).ptr);

    assert_string_equal(actual, expected);
    /* A build argument may be a secret. */
    assert_null(strstr(actual, "hunter2"));
}

static void without_a_name(void **state)
{
    sb_autofree char *actual = attest(*state, NULL);

    assert_non_null(strstr(actual, "\"subject\":[{\"digest\":{\"sha256\":\"" A "\"},\"name\":\"image\"}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(without_a_name, tempdir_setup, tempdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
