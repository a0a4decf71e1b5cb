// SPDX-License-Identifier: Apache-2.0
/* Whole images: what two engines make of the same build becomes one image. */
#include "image_fixture.h"

static const item base[] = {{'5', "etc", NULL, 0755, 0, 10}, {'0', "etc/motd", "hello", 0644, 0, 10}, {0}};
static const item copied_by_one[] = {
    {'5', "app", NULL, 0755, 0, 5000}, {'0', "app/run", "run", 0755, 0, 77}, {0}};
static const item copied_by_other[] = {
    {'0', "app/run", "run", 0755, 0, 77}, {'5', "app", NULL, 0755, 0, 6000}, {0}};
static const item nothing_by_one[] = {{0}};
static const item nothing_by_other[] = {
    {'5', "etc", NULL, 0755, 0, 6000}, {'0', "etc/hosts", "", 0755, 0, 6000}, {0}};
static const item gone_by_one[] = {{'0', "etc/.wh.motd", "", 0, 0, 0}, {0}};
static const item gone_by_other[] = {
    {'5', "etc", NULL, 0755, 0, 6000}, {'0', "etc/.wh..wh..opq", "", 0, 0, 0}, {0}};

static const char config_one[] =
    "\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"],\"ArgsEscaped\":true}";
static const char config_other[] =
    "\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"sh\"],\"Image\":\"\"},"
    "\"container\":\"1\"";

static const sb_canonical_options options = {.epoch = 1000, .base_layers = 1};

static sb_digest canonicalize(sb_layout *from, sb_digest manifest, sb_layout *to)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_descriptor result;

    must(sb_image_canonicalize(from, &manifest, &options, to, arena, &result, &err), err);
    assert_true(sb_slice_eqz(result.media_type, SB_MEDIA_OCI_MANIFEST));
    assert_true(sb_layout_has(to, &result.digest, result.size));
    return result.digest;
}

static void test_two_engines_one_image(void **state)
{
    sb_autofree char *dir = new_dir();
    SB_AUTO(sb_layout) one = new_layout(dir, "one");
    SB_AUTO(sb_layout) other = new_layout(dir, "other");
    SB_AUTO(sb_layout) result = new_layout(dir, "result");
    const image_layer layers_one[] = {
        {base, GZIP}, {copied_by_one, GZIP}, {nothing_by_one, GZIP}, {gone_by_one, ZSTD}};
    const image_layer layers_other[] = {
        {base, GZIP}, {copied_by_other, PLAIN}, {nothing_by_other, PLAIN}, {gone_by_other, PLAIN}};
    sb_digest from_one = canonicalize(one, new_image(one, layers_one, 4, false, config_one), result);
    sb_digest from_other = canonicalize(other, new_image(other, layers_other, 4, true, config_other), other);
    sb_digest again;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_manifest manifest;
    sb_slice raw;

    (void)state;
    assert_true(sb_digest_eq(&from_one, &from_other));
    /* The layer that changed nothing is gone, the base's is as it was. */
    must(sb_layout_read(result, arena, &from_one, SB_MANIFEST_MAX, &raw, &err), err);
    must(sb_manifest_parse(arena, raw, SB_NIL, &manifest, &err), err);
    assert_int_equal(manifest.layer_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(
            sb_slice_eqz(manifest.layers[i].media_type, "application/vnd.oci.image.layer.v1.tar+gzip"));
        assert_true(sb_layout_has(result, &manifest.layers[i].digest, manifest.layers[i].size));
    }
    assert_true(sb_layout_has(one, &manifest.layers[0].digest, manifest.layers[0].size));
    /* The one form of the one form is itself. */
    again = canonicalize(result, from_one, result);
    assert_true(sb_digest_eq(&again, &from_one));
    remove_dir(dir);
}

/* Whoever changes the form on purpose changes this value; users get other image IDs then. */
static void test_the_form_stays(void **state)
{
    sb_autofree char *dir = new_dir();
    SB_AUTO(sb_layout) layout = new_layout(dir, "layout");
    const image_layer layers[] = {{base, PLAIN}, {copied_by_one, PLAIN}, {gone_by_one, PLAIN}};
    sb_digest manifest = canonicalize(layout, new_image(layout, layers, 3, false, config_one), layout);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    char id[SB_DIGEST_TEXT];
    sb_manifest parsed;
    sb_slice raw;

    (void)state;
    must(sb_layout_read(layout, arena, &manifest, SB_MANIFEST_MAX, &raw, &err), err);
    must(sb_manifest_parse(arena, raw, SB_NIL, &parsed, &err), err);
    sb_digest_format(&parsed.config.digest, id);
    assert_string_equal(id, "sha256:744a9889d920525644b9d87368e6d456587cc115b0858706f5b421c527c7833b");
    remove_dir(dir);
}

static void refused(sb_layout *layout, sb_digest manifest, const sb_canonical_options *with, sb_errc code)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_descriptor result;

    assert_int_equal(sb_image_canonicalize(layout, &manifest, with, layout, arena, &result, &err), -1);
    if (sb_error_code(err) != code)
        fail_msg("code %d: %s", (int)sb_error_code(err), err->message);
}

static void test_damaged_images(void **state)
{
    sb_autofree char *dir = new_dir();
    SB_AUTO(sb_layout) layout = new_layout(dir, "layout");
    const image_layer layers[] = {{base, GZIP}, {copied_by_one, PLAIN}};
    const sb_canonical_options too_many = {.epoch = 1000, .base_layers = 3};
    sb_digest manifest = new_image(layout, layers, 2, false, config_one);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *path = NULL;
    sb_autoclose int fd = -1;
    char hex[SB_DIGEST_HEX];
    sb_manifest parsed;
    sb_slice raw;

    (void)state;
    refused(layout, manifest, &too_many, SB_ERR_PARSE);
    must(sb_layout_read(layout, arena, &manifest, SB_MANIFEST_MAX, &raw, &err), err);
    must(sb_manifest_parse(arena, raw, SB_NIL, &parsed, &err), err);
    sb_digest_hex(&parsed.layers[0].digest, hex);
    path = sb_asprintf("%s/layout/blobs/sha256/%s", dir, hex);
    assert_int_equal(chmod(path, 0600), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    /* The base's header time: still a good gzip stream, but other bytes. */
    assert_int_equal(pwrite(fd, "\1", 1, 4), 1);
    refused(layout, manifest, &options, SB_ERR_VERIFY);
    assert_int_equal(unlink(path), 0);
    refused(layout, manifest, &options, SB_ERR_NOT_FOUND);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_engines_one_image),
        cmocka_unit_test(test_the_form_stays),
        cmocka_unit_test(test_damaged_images),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
