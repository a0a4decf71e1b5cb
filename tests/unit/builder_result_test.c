// SPDX-License-Identifier: Apache-2.0
/* What engines leave behind, as layouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/engine.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sbuild/fs.h>

static char *dir;

static const char config_text[] =
    "{\"architecture\":\"amd64\",\"config\":{},\"os\":\"linux\",\"rootfs\":{\"diff_ids\":["
    "\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"],\"type\":\"layers\"}}";
static const char layer_text[] = "the bytes of a layer";

static char *hex_of(const char *text)
{
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, sb_slice_z(text), &digest);
    sb_digest_hex(&digest, hex);
    return sb_strdup(hex);
}

static char *path_of(const char *name)
{
    return sb_path_join(dir, name);
}

static void put(const char *name, const char *text)
{
    sb_autofree char *path = path_of(name);
    sb_autofree char *parent = sb_strdup(path);

    *strrchr(parent, '/') = '\0';
    assert_int_equal(sb_mkdirs(parent, NULL), 0);
    assert_int_equal(sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0644, NULL), 0);
}

static char *manifest_text(const char *config, const char *layer)
{
    return sb_asprintf(
        "{\"config\":{\"digest\":\"sha256:%s\",\"mediaType\":\"application/"
        "vnd.docker.container.image.v1+json\",\"size\":%zu},\"layers\":[{\"digest\":\"sha256:%s\","
        "\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar\",\"size\":%zu}],\"mediaType\":"
        "\"application/vnd.docker.distribution.manifest.v2+json\",\"schemaVersion\":2}",
        config, strlen(config_text), layer, strlen(layer_text));
}

static void check_layout(const char *path, const sb_digest *digest)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_manifest manifest = {0};
    sb_slice raw = SB_NIL;

    if (sb_layout_open(path, false, &layout, &err) < 0 ||
        sb_layout_read(layout, arena, digest, SB_MANIFEST_MAX, &raw, &err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, &err) < 0 ||
        sb_layout_read(layout, arena, &manifest.config.digest, 4096, &raw, &err) < 0)
        fail_msg("%s", err->message);
    assert_true(sb_slice_eqz(raw, config_text));
    assert_int_equal(manifest.layer_count, 1);
    assert_int_equal(sb_layout_read(layout, arena, &manifest.layers[0].digest, 4096, &raw, NULL), 0);
    assert_true(sb_slice_eqz(raw, layer_text));
}

static void put_flat(const char *config, const char *layer)
{
    sb_autofree char *manifest = manifest_text(config, layer);
    sb_autofree char *config_name = sb_path_join("flat", config);
    sb_autofree char *layer_name = sb_path_join("flat", layer);

    put("flat/manifest.json", manifest);
    put(config_name, config_text);
    put(layer_name, layer_text);
}

static void test_flat_there_and_back(void **state)
{
    sb_autofree char *config = hex_of(config_text);
    sb_autofree char *layer = hex_of(layer_text);
    sb_autofree char *flat = path_of("flat");
    sb_autofree char *path = path_of("layout");
    sb_autofree char *back = path_of("back");
    sb_autofree char *again = path_of("again");
    SB_AUTO(sb_layout) layout = NULL;
    sb_digest digest, second;

    (void)state;
    put_flat(config, layer);
    assert_int_equal(sb_result_from_flat(flat, path, &digest, NULL), 0);
    check_layout(path, &digest);
    assert_int_equal(sb_layout_open(path, false, &layout, NULL), 0);
    assert_int_equal(sb_result_to_flat(layout, &digest, back, NULL), 0);
    /* Links are moved as links, which still lead to the bytes. */
    assert_int_equal(sb_result_from_flat(back, again, &second, NULL), 0);
    assert_true(sb_digest_eq(&digest, &second));
}

static void test_flat_without_a_layer(void **state)
{
    sb_autofree char *config = hex_of(config_text);
    sb_autofree char *layer = hex_of(layer_text);
    sb_autofree char *flat = path_of("flat");
    sb_autofree char *lost = sb_asprintf("%s/flat/%s", dir, layer);
    sb_autofree char *path = path_of("layout");
    SB_AUTO(sb_error) err = NULL;
    sb_digest digest;

    (void)state;
    put_flat(config, layer);
    assert_int_equal(unlink(lost), 0);
    assert_int_equal(sb_result_from_flat(flat, path, &digest, &err), -1);
    assert_int_equal(err->code, SB_ERR_IO);
}

static void test_saved_by_a_recent_docker(void **state)
{
    sb_autofree char *config = hex_of(config_text);
    sb_autofree char *layer = hex_of(layer_text);
    sb_autofree char *config_name = sb_path_join("saved/blobs/sha256", config);
    sb_autofree char *layer_name = sb_path_join("saved/blobs/sha256", layer);
    sb_autofree char *list =
        sb_asprintf("[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":null,\"Layers\":[\"blobs/sha256/%s\"]}]",
                    config, layer);
    sb_autofree char *saved = path_of("saved");
    sb_autofree char *path = path_of("layout");
    SB_AUTO(sb_error) err = NULL;
    sb_digest digest;

    (void)state;
    put("saved/manifest.json", list);
    put(config_name, config_text);
    put(layer_name, layer_text);
    if (sb_result_from_archive(saved, path, &digest, &err) < 0)
        fail_msg("%s", err->message);
    check_layout(path, &digest);
}

static void test_saved_by_an_older_docker(void **state)
{
    sb_autofree char *config = hex_of(config_text);
    sb_autofree char *name = sb_asprintf("saved/%s.json", config);
    sb_autofree char *list =
        sb_asprintf("[{\"Config\":\"%s.json\",\"RepoTags\":null,\"Layers\":[\"abc/layer.tar\"]}]", config);
    sb_autofree char *saved = path_of("saved");
    sb_autofree char *path = path_of("layout");
    sb_digest digest;

    (void)state;
    put("saved/manifest.json", list);
    put(name, config_text);
    put("saved/abc/layer.tar", layer_text);
    assert_int_equal(sb_result_from_archive(saved, path, &digest, NULL), 0);
    check_layout(path, &digest);
}

static void test_saved_with_a_name_that_leaves(void **state)
{
    sb_autofree char *saved = path_of("saved");
    sb_autofree char *path = path_of("layout");
    SB_AUTO(sb_error) err = NULL;
    sb_digest digest;

    (void)state;
    put("saved/manifest.json", "[{\"Config\":\"../../etc/passwd\",\"Layers\":[]}]");
    assert_int_equal(sb_result_from_archive(saved, path, &digest, &err), -1);
    assert_int_equal(err->code, SB_ERR_ENGINE);
}

static void test_layout_with_several_images(void **state)
{
    sb_autofree char *path = path_of("layout");
    SB_AUTO(sb_error) err = NULL;
    sb_digest digest;

    (void)state;
    put("layout/index.json", "{\"schemaVersion\":2,\"manifests\":[{},{}]}");
    assert_int_equal(sb_result_manifest(path, &digest, &err), -1);
    assert_int_equal(err->code, SB_ERR_ENGINE);
}

static int setup(void **state)
{
    (void)state;
    dir = sb_temp_dir("sbuild-result-test", NULL);
    return dir ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    (void)sb_remove_tree(AT_FDCWD, dir, NULL);
    free(dir);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_flat_there_and_back),           T(test_flat_without_a_layer),
        T(test_saved_by_a_recent_docker),      T(test_saved_by_an_older_docker),
        T(test_saved_with_a_name_that_leaves), T(test_layout_with_several_images),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
