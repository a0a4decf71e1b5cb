// SPDX-License-Identifier: Apache-2.0
#include "layer_fixture.h"

static const sb_digest diff_ids[2] = {{.bytes = {1}}, {.bytes = {2}}};

static char *canonical(const char *text, size_t base, size_t count)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autojson *config = NULL;
    sb_canonical_layers layers = {base, diff_ids, count};
    sb_buf out = SB_BUF_INIT(1 << 16);

    must(sb_json_parse(sb_slice_z(text), "config", &config, &err), err);
    must(sb_image_config_canonical(config, &layers, 0, &out, &err), err);
    return sb_buf_take(&out);
}

/* What BuildKit and Buildah make of the same Dockerfile. */
static const char buildkit[] =
    "{\"architecture\":\"amd64\",\"config\":{\"ArgsEscaped\":true,\"Cmd\":[\"-c\",\"id\"],\"Entrypoint\":[\"/"
    "bin/sh\"],"
    "\"Env\":[\"PATH=/x:/bin\",\"FOO=bar\"],\"ExposedPorts\":{\"80/tcp\":{}},"
    "\"Healthcheck\":{\"Interval\":5000000000,\"Test\":[\"CMD-SHELL\",\"true\"]},\"Labels\":{\"z\":\"1\","
    "\"a\":\"2\"},"
    "\"User\":\"1000\",\"WorkingDir\":\"/\"},\"created\":\"2026-11-24T21:31:31.7Z\",\"history\":["
    "{\"created\":\"2024-03-12T00:00:00Z\",\"created_by\":\"layer 0\"},"
    "{\"comment\":\"buildkit.dockerfile.v0\",\"created\":\"2026-11-24T21:31:30Z\",\"created_by\":\"ENV\","
    "\"empty_layer\":true},"
    "{\"comment\":\"buildkit.dockerfile.v0\",\"created\":\"2026-11-24T21:31:30Z\",\"created_by\":\"COPY\"}],"
    "\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
static const char buildah[] =
    "{\"created\":\"2026-11-24T21:31:38.1Z\",\"container\":\"230a\",\"parent\":\"sha256:25\",\"container_"
    "config\":{\"User\":\"1000\"},"
    "\"config\":{\"Hostname\":\"883cbe1ec85e\",\"Domainname\":\"\",\"User\":\"1000\",\"AttachStdin\":false,"
    "\"Tty\":false,"
    "\"Env\":[\"FOO=bar\",\"PATH=/x:/"
    "bin\"],\"Cmd\":[\"-c\",\"id\"],\"Image\":\"\",\"Volumes\":{},\"WorkingDir\":\"\","
    "\"ExposedPorts\":{\"80\":{}},\"Healthcheck\":{\"Interval\":5000000000,\"Test\":[\"CMD-SHELL\",\"true\"],"
    "\"Retries\":0},"
    "\"Entrypoint\":[\"/bin/"
    "sh\"],\"OnBuild\":[],\"Labels\":{\"a\":\"2\",\"z\":\"1\",\"io.buildah.version\":\"1.28.2\"}},"
    "\"history\":[{\"created\":\"2024-03-12T00:00:00Z\",\"created_by\":\"layer 0\"},"
    "{\"created\":\"2026-11-24T21:31:35Z\",\"created_by\":\"/bin/sh -c #(nop) COPY\",\"comment\":\"FROM "
    "x\"}],"
    "\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

static void test_engines_give_the_same(void **state)
{
    sb_autofree char *one = canonical(buildkit, 1, 2);
    sb_autofree char *other = canonical(buildah, 1, 2);

    (void)state;
    assert_string_equal(one, other);
    assert_string_equal(
        one,
        "{\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"-c\",\"id\"],\"Entrypoint\":[\"/bin/sh\"],"
        "\"Env\":[\"FOO=bar\",\"PATH=/x:/bin\"],\"ExposedPorts\":{\"80/tcp\":{}},"
        "\"Healthcheck\":{\"Interval\":5000000000,\"Test\":[\"CMD-SHELL\",\"true\"]},"
        "\"Labels\":{\"a\":\"2\",\"z\":\"1\"},\"User\":\"1000\"},\"created\":\"1970-01-01T00:00:00Z\","
        "\"history\":[{\"created\":\"2024-03-12T00:00:00Z\",\"created_by\":\"layer 0\"},"
        "{\"created\":\"1970-01-01T00:00:00Z\",\"created_by\":\"sbuild\"}],\"os\":\"linux\",\"rootfs\":{"
        "\"diff_ids\":["
        "\"sha256:0100000000000000000000000000000000000000000000000000000000000000\","
        "\"sha256:0200000000000000000000000000000000000000000000000000000000000000\"],\"type\":\"layers\"}}");
}

static void expect_part(const char *text, const char *part, bool wanted)
{
    sb_autofree char *actual = canonical(text, 1, 2);

    if (!!strstr(actual, part) != wanted)
        fail_msg("%s has%s %s", actual, wanted ? " not" : "", part);
}

static void test_members(void **state)
{
    (void)state;
    expect_part("{\"architecture\":\"arm64\",\"variant\":\"v8\"}", "variant", false);
    expect_part("{\"architecture\":\"arm\",\"variant\":\"v7\"}", "\"variant\":\"v7\"", true);
    expect_part("{\"os\":\"linux\",\"config\":{\"ArgsEscaped\":true}}", "ArgsEscaped", false);
    expect_part("{\"os\":\"windows\",\"config\":{\"ArgsEscaped\":true}}", "\"ArgsEscaped\":true", true);
    expect_part("{\"config\":{\"WorkingDir\":\"/app\"}}", "\"WorkingDir\":\"/app\"", true);
    expect_part("{\"config\":{\"Env\":[\"A=1\",\"B=2\",\"A=3\"]}}", "[\"A=3\",\"B=2\"]", true);
    expect_part("{\"config\":{\"Labels\":{\"io.buildah.version\":\"1\"}}}", "Labels", false);
    /* The default, whether an engine, a SHELL instruction or the base said it. */
    expect_part("{\"config\":{\"Shell\":[\"/bin/sh\",\"-c\"]}}", "Shell", false);
    expect_part("{\"config\":{\"Shell\":[\"/bin/sh\",\"-ec\"]}}", "\"Shell\":[\"/bin/sh\",\"-ec\"]", true);
    expect_part("{\"config\":{\"OnBuild\":[\"RUN true\"],\"Shell\":[\"/bin/bash\"]}}",
                "\"OnBuild\":[\"RUN true\"]", true);
    /* Wrong types are nobody's meaning. */
    expect_part("{\"config\":{\"Cmd\":\"sh\",\"Env\":[1,null]},\"history\":7}", "Cmd", false);
    /* A base without a history. */
    expect_part("{}", "[{\"created\":\"1970-01-01T00:00:00Z\",\"created_by\":\"base\"},", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engines_give_the_same),
        cmocka_unit_test(test_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
