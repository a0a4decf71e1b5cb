// SPDX-License-Identifier: Apache-2.0
#include <sbuild/registry.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DESCRIPTOR(type, more) "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX "\",\"size\":7" more "}"
#define PLATFORM(text) ",\"platform\":{" text "}"

static const char index_text[] =
    "{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_INDEX "\",\"manifests\":[" DESCRIPTOR(
        SB_MEDIA_OCI_MANIFEST,
        PLATFORM(
            "\"os\":\"linux\",\"architecture\":"
            "\"amd64\"") ",\"annotations\":{"
                         "\"org.opencontainers."
                         "image.version\":\"1.2."
                         "3\"}") "," DESCRIPTOR(SB_MEDIA_OCI_MANIFEST,
                                                PLATFORM(
                                                    "\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":"
                                                    "\"v8\"")) "," DESCRIPTOR(SB_MEDIA_OCI_MANIFEST,
                                                                              PLATFORM(
                                                                                  "\"os\":\"unknown\","
                                                                                  "\"architecture\":"
                                                                                  "\"unknown\"")) "," DESCRIPTOR(SB_MEDIA_OCI_MANIFEST,
                                                                                                                 ",\"annotations\":{\"vnd."
                                                                                                                 "docker.reference.type\":"
                                                                                                                 "\"attestation-"
                                                                                                                 "manifest\"}") "," DESCRIPTOR(SB_MEDIA_OCI_MANIFEST,
                                                                                                                                               PLATFORM(
                                                                                                                                                   "\"os\":\"windows\",\"architecture\":\"amd64\",\"os.version\":\"10.0.1\"")) "]}";
static const char image_text[] = "{\"schemaVersion\":2,\"config\":" DESCRIPTOR(
    "application/vnd.oci.image.config.v1+json",
    "") ",\"layers\":[" DESCRIPTOR("application/vnd.oci.image.layer.v1.tar+gzip", "") "]}";
/* clang-format on */

static void an_index(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_manifest m;
    sb_digest own;

    (void)state;
    assert_int_equal(sb_manifest_parse(arena, sb_slice_z(index_text),
                                       SB_LIT(SB_MEDIA_OCI_INDEX "; charset=utf-8"), &m, NULL),
                     0);
    sb_digest_of(SB_HASH_SHA256, sb_slice_z(index_text), &own);
    assert_true(sb_digest_eq(&m.digest, &own));
    assert_true(sb_slice_eqz(m.raw, index_text));
    assert_true(m.is_index);
    assert_int_equal(m.child_count, 5);
    assert_true(sb_slice_eqz(m.children[0].platform, "linux/amd64"));
    assert_true(sb_slice_eqz(m.children[0].version, "1.2.3"));
    assert_true(sb_slice_eqz(m.children[1].platform, "linux/arm64"));
    assert_true(m.children[2].attestation && m.children[3].attestation);
    assert_int_equal(m.children[3].platform.len, 0);
    assert_false(m.children[0].attestation);
    assert_true(sb_slice_eqz(m.children[4].os_version, "10.0.1"));
}

static void an_image(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_manifest m;

    (void)state;
    assert_int_equal(sb_manifest_parse(arena, sb_slice_z(image_text), SB_NIL, &m, NULL), 0);
    assert_false(m.is_index);
    assert_true(sb_slice_eqz(m.media_type, SB_MEDIA_OCI_MANIFEST));
    assert_int_equal(m.config.size, 7);
    assert_int_equal(m.layer_count, 1);
    assert_int_equal(sb_manifest_parse(arena, sb_slice_z(image_text), SB_LIT("text/plain"), &m, NULL), 0);
    assert_int_equal(
        sb_manifest_parse(arena, sb_slice_z(image_text), SB_LIT(SB_MEDIA_DOCKER_MANIFEST), &m, NULL), 0);
    assert_true(sb_slice_eqz(m.media_type, SB_MEDIA_DOCKER_MANIFEST));
}

static void refused(void **state)
{
    static const struct {
        const char *text, *type, *why;
    } bad[] = {
        {"{", NULL, "not valid JSON"},
        {"[]", NULL, "neither an image nor an index"},
        {"{}", NULL, "neither an image nor an index"},
        {"{\"manifests\":[],\"config\":{},\"layers\":[]}", NULL, "at once"},
        {"{\"manifests\":[],\"layers\":[]}", NULL, "at once"},
        {index_text, SB_MEDIA_DOCKER_LIST, "content type"},
        {image_text, SB_MEDIA_OCI_INDEX, "does not fit"},
        {"{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\",\"manifests\":[]}", NULL, "does not fit"},
        {"{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, "schema 1"},
        {image_text, "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1"},
        {"{\"manifests\":[{}]}", NULL, "without media type"},
        {"{\"manifests\":[{\"mediaType\":\"x\",\"size\":-1}]}", NULL, "without media type or size"},
        {"{\"manifests\":[{\"mediaType\":\"x\",\"size\":1,\"digest\":\"sha256:../..\"}]}", NULL, "no digest"},
        {"{\"layers\":[]}", NULL, "config without"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        SB_AUTO(sb_error) err = NULL;
        sb_manifest m;

        assert_int_equal(sb_manifest_parse(arena, sb_slice_z(bad[i].text), sb_slice_z(bad[i].type), &m, &err),
                         -1);
        if (!strstr(err->message, bad[i].why))
            fail_msg("%zu: %s", i, err->message);
    }
}

static void too_much(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf text = SB_BUF_INIT(1 << 22);
    sb_manifest m;

    (void)state;
    sb_buf_addz(&text, "{\"manifests\":[");
    for (int i = 0; i <= SB_INDEX_MAX; i++)
        sb_buf_addz(&text, i ? ",{}" : "{}");
    sb_buf_addz(&text, "]}");
    assert_int_equal(sb_manifest_parse(arena, sb_buf_slice(&text), SB_NIL, &m, &err), -1);
    assert_int_equal(err->code, SB_ERR_LIMIT);
}

static void a_config(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_image_config c;

    (void)state;
    assert_int_equal(
        sb_image_config_parse(
            arena,
            SB_LIT("{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\",\"created\":\"2024\","
                   "\"config\":{\"User\":\"1000\",\"Env\":[\"A=b\"],\"OnBuild\":[\"RUN x\",\"COPY . .\"],"
                   "\"Labels\":{\"org.opencontainers.image.version\":\"1.2\"}},"
                   "\"rootfs\":{\"diff_ids\":[\"sha256:" HEX "\"]}}"),
            &c, NULL),
        0);
    assert_true(sb_slice_eqz(c.os, "linux") && sb_slice_eqz(c.arch, "arm") && sb_slice_eqz(c.variant, "v7"));
    assert_true(sb_slice_eqz(c.user, "1000"));
    assert_int_equal(c.onbuild_count, 2);
    assert_true(sb_slice_eqz(c.onbuild[1], "COPY . ."));
    assert_int_equal(c.env_count, 1);
    assert_int_equal(c.diff_id_count, 1);
    assert_true(sb_slice_eqz(c.version, "1.2"));
    assert_int_equal(sb_image_config_parse(arena, SB_LIT("{\"config\":null}"), &c, NULL), 0);
    assert_int_equal(c.os.len, 0);
    assert_null(c.version.ptr);
    assert_int_equal(sb_image_config_parse(arena, SB_LIT("{\"config\":{\"Env\":[1]}}"), &c, NULL), -1);
    assert_int_equal(sb_image_config_parse(arena, SB_LIT("[]"), &c, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index), cmocka_unit_test(an_image), cmocka_unit_test(refused),
        cmocka_unit_test(too_much), cmocka_unit_test(a_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
