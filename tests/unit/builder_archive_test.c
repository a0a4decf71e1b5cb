// SPDX-License-Identifier: Apache-2.0
/* builder/archive.c and image_flat.c: what leaves a layout. */
#include "image_fixture.h"

#include <builder/archive.h>
#include <sys/stat.h>

static const item base[] = {{'5', "etc", NULL, 0755, 0, 10},
                            {'0', "etc/motd", "hello", 0644, 0, 10},
                            {'0', "etc/old", "old", 0644, 0, 10},
                            {0}};
static const item upper[] = {{'0', "etc/.wh.old", "", 0, 0, 0},    {'0', "etc/motd", "changed", 0600, 0, 20},
                             {'0', "a", "one", 0755, 0, 30},       {'1', "b", "a", 0755, 0, 30},
                             {'2', "l", "/etc/motd", 0777, 0, 40}, {0}};
static const char config[] = "\"architecture\":\"amd64\",\"os\":\"linux\"";

typedef struct world {
    char *dir;
    sb_layout *layout;
    sb_digest image;
} world;

static int set_up(void **state)
{
    const image_layer layers[] = {{base, GZIP}, {upper, PLAIN}};
    world *w = sb_new(world);

    w->dir = new_dir();
    w->layout = new_layout(w->dir, "layout");
    w->image = new_image(w->layout, layers, 2, false, config);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;

    remove_dir(w->dir);
    sb_layout_free(w->layout);
    free(w->dir);
    free(w);
    return 0;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

static void test_archive(void **state)
{
    static const char *const tags[] = {"app:1.2.3", "example.org/team/app:1.2.3", NULL};
    SB_AUTO(sb_error) err = NULL;
    const world *w = *state;
    sb_autoclose int whole = memory_file(), less = memory_file();
    sb_autofree char *all = NULL, *some = NULL;

    must(sb_image_write_archive(w->layout, &w->image, tags, 0, whole, &err), err);
    all = listing_of(whole);
    assert_non_null(strstr(all, "oci-layout = {\"imageLayoutVersion\":\"1.0.0\"}"));
    assert_non_null(strstr(all, "\"io.containerd.image.name\":\"docker.io/library/app:1.2.3\""));
    assert_non_null(strstr(all, "\"io.containerd.image.name\":\"example.org/team/app:1.2.3\""));
    assert_non_null(strstr(all, "\"RepoTags\":[\"app:1.2.3\",\"example.org/team/app:1.2.3\"]"));
    assert_int_equal(count_of(all, " blobs/sha256/"), 4); /* manifest, configuration, two layers */
    must(sb_image_write_archive(w->layout, &w->image, NULL, 1, less, &err), err);
    some = listing_of(less);
    assert_int_equal(count_of(some, " blobs/sha256/"), 3);
    assert_non_null(strstr(some, "\"RepoTags\":[]"));
    /* It is still named. */
    assert_int_equal(count_of(strstr(some, "\"Layers\":"), "\"blobs/sha256/"), 2);
}

static void test_archive_of_an_index(void **state)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const world *w = *state;
    sb_autoclose int fd = memory_file();
    sb_autofree char *text = sb_digest_dup(&w->image), *all = NULL;
    sb_slice raw;
    sb_digest index;

    must(sb_layout_read(w->layout, arena, &w->image, SB_MANIFEST_MAX, &raw, &err), err);
    raw = sb_arena_printf(arena,
                          "{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_INDEX
                          "\",\"manifests\":[{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST
                          "\",\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":\"linux\","
                          "\"architecture\":\"amd64\"}}]}",
                          text, raw.len);
    must(sb_layout_write(w->layout, raw, &index, &err), err);
    must(sb_image_write_archive(w->layout, &index, NULL, 0, fd, &err), err);
    all = listing_of(fd);
    assert_int_equal(count_of(all, " blobs/sha256/"), 5);
    assert_non_null(strstr(all, text));
}

static void test_root_file_system_as_a_tar(void **state)
{
    SB_AUTO(sb_error) err = NULL;
    const world *w = *state;
    sb_autoclose int fd = memory_file();
    sb_autofree char *all = NULL;

    must(sb_image_write_rootfs(w->layout, &w->image, fd, &err), err);
    all = listing_of(fd);
    assert_string_equal(
        all, "0 0755 0 30 a = one\n1 0755 0 30 b -> a\n5 0755 0 10 etc\n0 0600 0 20 etc/motd = changed\n"
             "2 0777 0 40 l -> /etc/motd\n");
}

static void test_root_file_system_as_a_directory(void **state)
{
    SB_AUTO(sb_error) err = NULL;
    const world *w = *state;
    sb_autofree char *to = sb_path_join(w->dir, "out");
    sb_autofree char *motd = sb_path_join(to, "etc/motd"), *old = sb_path_join(to, "etc/old");
    sb_autofree char *a = sb_path_join(to, "a"), *b = sb_path_join(to, "b"),
                     *other = sb_path_join(w->dir, "other");
    sb_autofree char *content = NULL, *etc = sb_path_join(to, "etc");
    struct stat one, two;
    size_t len;

    must(sb_mkdirs(to, &err), err);
    /* Something is there already: a link where a directory comes must not lead the files elsewhere. */
    must(sb_mkdirs(other, &err), err);
    assert_int_equal(symlink(other, etc), 0);
    for (int again = 0; again < 2; again++)
        must(sb_image_write_directory(w->layout, &w->image, to, &err), err);
    must(sb_read_file(AT_FDCWD, motd, 100, &content, &len, NULL, &err), err);
    assert_string_equal(content, "changed");
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(stat(motd, &one), 0);
    assert_int_equal(one.st_mode & 07777, 0600);
    assert_int_equal(one.st_mtime, 20);
    assert_int_equal(stat(a, &one), 0);
    assert_int_equal(stat(b, &two), 0);
    assert_int_equal(one.st_ino, two.st_ino);
    assert_int_equal(rmdir(other), 0); /* nothing went there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_archive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_archive_of_an_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_root_file_system_as_a_tar, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_root_file_system_as_a_directory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
