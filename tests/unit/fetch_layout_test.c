// SPDX-License-Identifier: Apache-2.0
#include <fetch/layout.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = sb_temp_dir("sbuild-test", NULL);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    sb_remove_tree(AT_FDCWD, *state, NULL);
    free(*state);
    return 0;
}

static void blobs(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_error) damaged = NULL;
    SB_AUTO(sb_error) missing = NULL;
    sb_autofree char *path = sb_path_join(*state, "a/b"), *hex_path = NULL;
    char hex[SB_DIGEST_HEX];
    sb_digest digest, other;
    sb_slice data;

    assert_int_equal(sb_layout_open(path, false, &layout, NULL), -1);
    assert_int_equal(sb_layout_open(path, true, &layout, NULL), 0);
    assert_int_equal(sb_layout_write(layout, SB_LIT("hello"), &digest, NULL), 0);
    assert_true(sb_layout_has(layout, &digest, 0));
    assert_true(sb_layout_has(layout, &digest, 5));
    assert_false(sb_layout_has(layout, &digest, 6));
    assert_int_equal(sb_layout_read(layout, arena, &digest, 5, &data, NULL), 0);
    assert_true(sb_slice_eqz(data, "hello"));
    assert_int_equal(sb_layout_read(layout, arena, &digest, 4, &data, NULL), -1);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("other"), &other);
    assert_int_equal(sb_layout_read(layout, arena, &other, 5, &data, &missing), -1);
    assert_int_equal(missing->code, SB_ERR_NOT_FOUND);
    sb_digest_hex(&digest, hex);
    hex_path = sb_asprintf("%s/blobs/sha256/%s", path, hex);
    assert_int_equal(sb_write_file(AT_FDCWD, hex_path, SB_LIT("hellO"), 0644, NULL), 0);
    assert_int_equal(sb_layout_read(layout, arena, &digest, 5, &data, &damaged), -1);
    assert_int_equal(damaged->code, SB_ERR_VERIFY);
}

static void added_files_are_verified(void **state)
{
    SB_AUTO(sb_layout) layout = NULL;
    sb_autofree char *file = sb_path_join(*state, "file");
    sb_autoclose int fd = -1;
    sb_digest digest, other;

    assert_int_equal(sb_layout_open(*state, true, &layout, NULL), 0);
    assert_int_equal(sb_write_file(AT_FDCWD, file, SB_LIT("content"), 0644, NULL), 0);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    sb_digest_of(SB_HASH_SHA512, SB_LIT("content"), &digest);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("else"), &other);
    assert_int_equal(sb_layout_add_fd(layout, fd, &digest, NULL), 0);
    assert_true(sb_layout_has(layout, &digest, 7));
    assert_int_equal(sb_layout_add_fd(layout, fd, &other, NULL), -1);
    assert_false(sb_layout_has(layout, &other, 0));
}

static void tags(void **state)
{
    SB_AUTO(sb_layout) layout = NULL;
    sb_autofree char *index = sb_path_join(*state, "index.json"), *data = NULL;
    sb_autojson *root = NULL;
    sb_descriptor d = {.media_type = SB_LIT(SB_MEDIA_OCI_INDEX), .size = 5};
    char text[SB_DIGEST_TEXT];
    json_t *list;
    size_t len;

    assert_int_equal(sb_layout_open(*state, true, &layout, NULL), 0);
    assert_int_equal(sb_layout_write(layout, SB_LIT("one"), &d.digest, NULL), 0);
    assert_int_equal(sb_layout_tag(layout, &d, SB_LIT("x"), NULL), 0);
    assert_int_equal(sb_layout_tag(layout, &d, SB_LIT("y"), NULL), 0);
    assert_int_equal(sb_layout_tag(layout, &d, SB_NIL, NULL), 0);
    assert_int_equal(sb_layout_tag(layout, &d, SB_NIL, NULL), 0);
    assert_int_equal(sb_layout_write(layout, SB_LIT("two"), &d.digest, NULL), 0);
    assert_int_equal(sb_layout_tag(layout, &d, SB_LIT("x"), NULL), 0);
    assert_int_equal(sb_read_file(AT_FDCWD, index, 1 << 20, &data, &len, NULL, NULL), 0);
    assert_int_equal(sb_json_parse(sb_slice_of(data, len), "index.json", &root, NULL), 0);
    list = sb_json_array(root, "manifests");
    assert_int_equal(json_array_size(list), 3);
    sb_digest_format(&d.digest, text);
    assert_true(sb_slice_eqz(sb_json_str(json_array_get(list, 2), "digest"), text));
}

static void a_beginning_survives(void **state)
{
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_blob_stage) stage = NULL;
    SB_AUTO(sb_blob_stage) second = NULL;
    sb_digest digest;
    char text[16] = "";

    assert_int_equal(sb_layout_open(*state, true, &layout, NULL), 0);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("hello"), &digest);
    assert_int_equal(sb_blob_stage_open(layout, &digest, &stage, NULL), 0);
    assert_int_equal(write(sb_blob_stage_fd(stage), "hel", 3), 3);
    /* Somebody else at the same time has a file of his own. */
    assert_int_equal(sb_blob_stage_open(layout, &digest, &second, NULL), 0);
    assert_int_equal(lseek(sb_blob_stage_fd(second), 0, SEEK_END), 0);
    sb_blob_stage_free(SB_TAKE(second));
    sb_blob_stage_free(SB_TAKE(stage));
    assert_int_equal(sb_blob_stage_open(layout, &digest, &stage, NULL), 0);
    assert_int_equal(pread(sb_blob_stage_fd(stage), text, 16, 0), 3);
    assert_int_equal(pwrite(sb_blob_stage_fd(stage), "lo", 2, 3), 2);
    assert_false(sb_layout_has(layout, &digest, 0));
    assert_int_equal(sb_blob_stages_commit(layout, &stage, 1, NULL), 0);
    assert_true(sb_layout_has(layout, &digest, 5));
}

/* Of several algorithms, and so many that the disk is waited for once. */
static void many_at_once(void **state)
{
    enum { COUNT = 12 };
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_blob_stage *stages[COUNT];
    sb_digest digests[COUNT];
    sb_slice data;
    char text[16];

    assert_int_equal(sb_layout_open(*state, true, &layout, NULL), 0);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "blob %02d", i);
        sb_digest_of(i % 3 ? SB_HASH_SHA256 : SB_HASH_SHA512, sb_slice_z(text), &digests[i]);
        assert_int_equal(sb_blob_stage_open(layout, &digests[i], &stages[i], NULL), 0);
        assert_int_equal(write(sb_blob_stage_fd(stages[i]), text, 7), 7);
        assert_false(sb_layout_has(layout, &digests[i], 0));
    }
    assert_int_equal(sb_blob_stages_commit(layout, stages, COUNT, NULL), 0);
    for (int i = 0; i < COUNT; i++) {
        sb_blob_stage_free(stages[i]);
        assert_int_equal(sb_layout_read(layout, arena, &digests[i], 7, &data, NULL), 0);
    }
    assert_int_equal(sb_blob_stages_commit(layout, NULL, 0, NULL), 0);
}

static void given_documents(void **state)
{
    SB_AUTO(sb_layout) layout = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_blob_stage) stage = NULL;
    sb_digest digest;
    sb_slice data;

    assert_int_equal(sb_layout_open(*state, true, &layout, NULL), 0);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("a document"), &digest);
    /* What a broken run left is no part of it. */
    assert_int_equal(sb_blob_stage_open(layout, &digest, &stage, NULL), 0);
    assert_int_equal(write(sb_blob_stage_fd(stage), "something else, and longer", 26), 26);
    sb_blob_stage_free(SB_TAKE(stage));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sb_layout_give(layout, SB_LIT("a document"), NULL), 0);
        assert_int_equal(sb_layout_read(layout, arena, &digest, 10, &data, NULL), 0);
        assert_true(sb_slice_eqz(data, "a document"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(added_files_are_verified, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tags, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_beginning_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(given_documents, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
