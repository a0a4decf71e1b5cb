// SPDX-License-Identifier: Apache-2.0
#include "layer_fixture.h"

enum { EPOCH = 1000, LATER = 2000 };

static const sb_canonical_options plain = {.epoch = EPOCH};

static void apply(sb_rootfs *rootfs, const item *items, bool base)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_layer_source) source = NULL;
    int fd = layer_of(items);

    must(sb_layer_source_open(fd, "a layer", &source, &err), err);
    /* A base's bytes are not kept, as in a real run. */
    sb_rootfs_begin(rootfs, base ? -1 : fd, !base);
    must(sb_rootfs_apply(rootfs, source, &err), err);
    if (base)
        close(fd);
}

static char *changes(sb_rootfs *rootfs, const sb_canonical_options *options)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autoclose int fd = memory_file();
    sb_sink sink = {sink_to_fd, &fd};
    size_t entries;

    must(sb_rootfs_write_changes(rootfs, options, &sink, &entries, &err), err);
    if (entries == 0) {
        assert_int_equal(lseek(fd, 0, SEEK_END), 0);
        return sb_strdup("nothing\n");
    }
    return listing_of(fd);
}

/* The layer `made` on top of `base` becomes `expected`. */
static void expect_with(const sb_canonical_options *options, const item *base, const item *made,
                        const char *expected)
{
    SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
    sb_autofree char *actual = NULL;

    apply(rootfs, base, true);
    apply(rootfs, made, false);
    actual = changes(rootfs, options);
    assert_string_equal(actual, expected);
}

static void expect(const item *base, const item *made, const char *expected)
{
    expect_with(&plain, base, made, expected);
}

static const item base[] = {
    {'5', "etc", NULL, 0755, 0, 10},
    {'0', "etc/motd", "hello", 0644, 0, 10},
    {'2', "etc/link", "motd", 0777, 0, 10},
    {'5', "usr", NULL, 0755, 0, 10},
    {'5', "usr/share", NULL, 0711, 5, 10},
    {'0', "usr/share/a", "a", 0644, 0, 10},
    {'0', "usr/share/b", "b", 0644, 0, 10},
    {'5', "usr/share/sub", NULL, 0755, 0, 10},
    {'0', "usr/share/sub/c", "c", 0644, 0, 10},
    {0},
};

static void test_new_files_bring_their_directories(void **state)
{
    (void)state;
    expect(base, ITEMS({'0', "usr/share/new", "n", 0600, 7, LATER}),
           "5 0755 0 1000 usr\n5 0711 5 1000 usr/share\n0 0600 7 1000 usr/share/new = n\n");
}

static void test_times_are_clamped_not_set(void **state)
{
    (void)state;
    expect(base,
           ITEMS({'0', "old", "o", 0644, 0, 500}, {'0', "new", "n", 0644, 0, LATER},
                 {'2', "link", "x", 0777, 0, 500}),
           "2 0777 0 1000 link -> x\n0 0644 0 1000 new = n\n0 0644 0 500 old = o\n");
}

static void test_what_is_the_same_is_no_change(void **state)
{
    (void)state;
    expect(base,
           ITEMS({'5', "etc", NULL, 0755, 0, LATER}, {'0', "etc/motd", "hello", 0644, 0, LATER},
                 {'2', "etc/link", "motd", 0777, 0, LATER}),
           "nothing\n");
    expect(base, ITEMS({'0', "etc/motd", "hella", 0644, 0, LATER}),
           "5 0755 0 1000 etc\n0 0644 0 1000 etc/motd = hella\n");
    expect(base, ITEMS({'0', "etc/motd", "hello", 0640, 0, 10}),
           "5 0755 0 1000 etc\n0 0640 0 10 etc/motd = hello\n");
    expect(base, ITEMS({'0', "etc/motd", "hello", 0644, 1, 10}),
           "5 0755 0 1000 etc\n0 0644 1 10 etc/motd = hello\n");
    expect(base, ITEMS({'2', "etc/link", "other", 0777, 0, 10}),
           "5 0755 0 1000 etc\n2 0777 0 1000 etc/link -> other\n");
    expect(base, ITEMS({'5', "etc", NULL, 0700, 0, 10}), "5 0700 0 1000 etc\n");
    expect(base, ITEMS({'0', "etc/motd [user.x=1]", "hello", 0644, 0, 10}),
           "5 0755 0 1000 etc\n0 0644 0 10 etc/motd = hello [user.x=1]\n");
}

static void test_order_of_entries_does_not_matter(void **state)
{
    (void)state;
    expect(base,
           ITEMS({'0', "z", "z", 0644, 0, 10}, {'5', "d", NULL, 0755, 0, 10}, {'0', "d/b", "b", 0644, 0, 10},
                 {'0', "d-e", "e", 0644, 0, 10}, {'0', "d/a", "a", 0644, 0, 10}),
           "5 0755 0 1000 d\n0 0644 0 10 d/a = a\n0 0644 0 10 d/b = b\n0 0644 0 10 d-e = e\n0 0644 0 10 z = "
           "z\n");
}

static void test_whiteouts_come_first(void **state)
{
    (void)state;
    expect(base,
           ITEMS({'5', "usr/share", NULL, 0711, 5, 10}, {'0', "usr/share/0", "0", 0644, 0, 10},
                 {'0', "usr/share/.wh.b", "", 0, 0, 0}, {'0', "usr/share/.wh.a", "", 0600, 3, LATER}),
           "5 0755 0 1000 usr\n5 0711 5 1000 usr/share\n0 0000 0 1000 usr/share/.wh.a\n0 0000 0 1000 "
           "usr/share/.wh.b\n"
           "0 0644 0 10 usr/share/0 = 0\n");
    /* Of something that is not there. */
    expect(base, ITEMS({'0', "etc/.wh.nothing", "", 0, 0, 0}), "nothing\n");
    /* A directory goes with all that is in it. */
    expect(base, ITEMS({'0', "usr/.wh.share", "", 0, 0, 0}),
           "5 0755 0 1000 usr\n0 0000 0 1000 usr/.wh.share\n");
}

static void test_opaque_directories_become_whiteouts(void **state)
{
    const char *expected = "5 0755 0 1000 usr\n5 0711 5 1000 usr/share\n0 0000 0 1000 usr/share/.wh.b\n"
                           "0 0000 0 1000 usr/share/.wh.sub\n0 0644 0 10 usr/share/a = new\n";

    (void)state;
    expect(base,
           ITEMS({'5', "usr/share", NULL, 0711, 5, 10}, {'0', "usr/share/.wh..wh..opq", "", 0, 0, 0},
                 {'0', "usr/share/a", "new", 0644, 0, 10}),
           expected);
    /* The mark counts against lower layers wherever it stands. */
    expect(base,
           ITEMS({'0', "usr/share/a", "new", 0644, 0, 10}, {'0', "usr/share/.wh..wh..opq", "", 0, 0, 0}),
           expected);
    /* The other way to say it. */
    expect(base,
           ITEMS({'0', "usr/share/a", "new", 0644, 0, 10}, {'0', "usr/share/.wh.b", "", 0, 0, 0},
                 {'0', "usr/share/.wh.sub", "", 0, 0, 0}),
           expected);
    /* Removed and made again. */
    expect(base,
           ITEMS({'0', "usr/.wh.share", "", 0, 0, 0}, {'5', "usr/share", NULL, 0711, 5, 10},
                 {'0', "usr/share/a", "new", 0644, 0, 10}),
           expected);
}

static void test_types_that_change(void **state)
{
    (void)state;
    expect(base, ITEMS({'0', "usr/share", "file", 0644, 0, 10}),
           "5 0755 0 1000 usr\n0 0644 0 10 usr/share = file\n");
    expect(base, ITEMS({'5', "etc/motd", NULL, 0755, 0, 10}, {'0', "etc/motd/x", "x", 0644, 0, 10}),
           "5 0755 0 1000 etc\n5 0755 0 1000 etc/motd\n0 0644 0 10 etc/motd/x = x\n");
}

static void test_hard_links(void **state)
{
    (void)state;
    /* The first name in order has the content, whichever had it in the engine's layer. */
    expect(base,
           ITEMS({'0', "z", "same", 0644, 0, 10}, {'1', "b", "z", 0644, 0, 10}, {'1', "a", "z", 0644, 0, 10}),
           "0 0644 0 10 a = same\n1 0644 0 10 b -> a\n1 0644 0 10 z -> a\n");
    /* A link to an unchanged file: Buildah repeats the file, BuildKit does not. */
    expect(base, ITEMS({'0', "etc/motd", "hello", 0644, 0, 10}, {'1', "copy", "etc/motd", 0644, 0, 10}),
           "0 0644 0 10 copy = hello\n");
    expect(base, ITEMS({'0', "copy", "hello", 0644, 0, 10}), "0 0644 0 10 copy = hello\n");
}

static void test_a_base_with_a_dangling_hard_link(void **state)
{
    (void)state;
    expect(ITEMS({'1', "a", "missing", 0644, 0, 10}), ITEMS({'0', "a", "", 0644, 0, 10}), "0 0644 0 10 a\n");
}

static void test_stubs_of_engines(void **state)
{
    (void)state;
    expect(ITEMS({'0', "bin", "b", 0755, 0, 10}),
           ITEMS({'5', "dev", NULL, 0755, 0, LATER}, {'5', "etc", NULL, 0755, 0, LATER},
                 {'0', "etc/hosts", "", 0755, 0, LATER}, {'0', "etc/hostname", "", 0755, 0, LATER},
                 {'0', "etc/resolv.conf", "", 0755, 0, LATER}, {'5', "proc", NULL, 0755, 0, LATER},
                 {'5', "run", NULL, 0755, 0, LATER}, {'5', "sys", NULL, 0755, 0, LATER}),
           "nothing\n");
    /* Places of the mounts of sealed steps. */
    expect(ITEMS({'0', "bin", "b", 0755, 0, 10}),
           ITEMS({'5', ".sbuild-bin", NULL, 0755, 0, LATER}, {'5', ".sbuild-step", NULL, 0755, 0, LATER},
                 {'5', ".sbuild-tmp", NULL, 01777, 0, LATER}, {'5', ".sbuild-rec", NULL, 0777, 0, LATER}),
           "nothing\n");
    /* What a build puts there stays. */
    expect(ITEMS({'0', "bin", "b", 0755, 0, 10}),
           ITEMS({'5', "etc", NULL, 0755, 0, LATER}, {'0', "etc/hosts", "::1 me", 0644, 0, LATER},
                 {'5', "run", NULL, 0755, 0, LATER}, {'5', "run/app", NULL, 0700, 9, LATER}),
           "5 0755 0 1000 etc\n0 0644 0 1000 etc/hosts = ::1 me\n5 0755 0 1000 run\n5 0700 9 1000 run/app\n");
    expect(base, ITEMS({'0', "etc/hosts", "", 0755, 0, LATER}), "nothing\n");
}

static void test_volatile_files(void **state)
{
    static const char *const keep[] = {"apt-logs", NULL};
    const sb_canonical_options kept = {.epoch = EPOCH, .keep = keep};
    const sb_canonical_options all = {.epoch = EPOCH, .keep_volatile = true};
    const item log_base[] = {{'0', "var/log/dpkg.log", "base", 0644, 0, 10}, {0}};
    const item made[] = {{'0', "var/log/dpkg.log", "base and more", 0644, 0, LATER},
                         {'5', "var/cache/ldconfig", NULL, 0700, 0, LATER},
                         {'0', "var/cache/ldconfig/aux-cache", "x", 0600, 0, LATER},
                         {0}};

    (void)state;
    /* The directory that became empty by it stays. */
    expect_with(&plain, log_base, made,
                "5 0755 0 1000 var\n5 0755 0 1000 var/cache\n5 0700 0 1000 var/cache/ldconfig\n");
    expect_with(&kept, log_base, made,
                "5 0755 0 1000 var\n5 0755 0 1000 var/cache\n5 0700 0 1000 var/cache/ldconfig\n5 0755 0 1000 "
                "var/log\n"
                "0 0644 0 1000 var/log/dpkg.log = base and more\n");
    expect_with(&all, log_base, made,
                "5 0755 0 1000 var\n5 0755 0 1000 var/cache\n5 0700 0 1000 var/cache/ldconfig\n"
                "0 0600 0 1000 var/cache/ldconfig/aux-cache = x\n5 0755 0 1000 var/log\n"
                "0 0644 0 1000 var/log/dpkg.log = base and more\n");
    /* Removing one is a change like any other. */
    expect_with(&plain, log_base, ITEMS({'0', "var/log/.wh.dpkg.log", "", 0, 0, 0}),
                "5 0755 0 1000 var\n5 0755 0 1000 var/log\n0 0000 0 1000 var/log/.wh.dpkg.log\n");
}

static void test_layers_upon_layers(void **state)
{
    SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
    sb_autofree char *first = NULL, *second = NULL, *third = NULL;

    (void)state;
    apply(rootfs, base, true);
    apply(rootfs, ITEMS({'0', "a", "one", 0644, 0, 10}, {'0', "var/log/dpkg.log", "x", 0644, 0, 10}), false);
    first = changes(rootfs, &plain);
    assert_string_equal(first, "0 0644 0 10 a = one\n5 0755 0 1000 var\n5 0755 0 1000 var/log\n");
    /* The same again, compared with a layer whose bytes are at hand; and what was dropped was never there. */
    apply(rootfs, ITEMS({'0', "a", "one", 0644, 0, LATER}, {'0', "var/log/.wh.dpkg.log", "", 0, 0, 0}),
          false);
    second = changes(rootfs, &plain);
    assert_string_equal(second, "nothing\n");
    apply(rootfs, ITEMS({'0', ".wh.a", "", 0, 0, 0}, {'0', "b", "two", 0644, 0, 10}), false);
    third = changes(rootfs, &plain);
    assert_string_equal(third, "0 0000 0 1000 .wh.a\n0 0644 0 10 b = two\n");
}

static void test_python_bytecode_gets_the_time_of_its_source(void **state)
{
    /* Magic, no flags, time 0x7d1 = 2001, size, code: without NUL bytes it could not be an item's text. */
    static const unsigned char later[20] = {0xa7, 0x0d, '\r', '\n', 0, 0, 0,   0,   0xd1, 7,
                                            0,    0,    4,    0,    0, 0, 'c', 'o', 'd',  'e'};
    unsigned char header[16];

    (void)state;
    memcpy(header, later, 16);
    assert_true(sb_patch_is_needed(SB_PATCH_PYC, header, 16, EPOCH));
    assert_false(sb_patch_is_needed(SB_PATCH_PYC, header, 16, 2001));
    header[4] = 1; /* checked by hash */
    assert_false(sb_patch_is_needed(SB_PATCH_PYC, header, 16, EPOCH));
    header[4] = 0;
    header[2] = 0;
    assert_false(sb_patch_is_needed(SB_PATCH_PYC, header, 16, EPOCH));
    {
        SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
        SB_AUTO(sb_error) err = NULL;
        SB_AUTO(sb_layer_source) source = NULL;
        sb_autoclose int out = memory_file();
        int fd = memory_file();
        sb_sink to_layer = {sink_to_fd, &fd}, to_out = {sink_to_fd, &out};
        unsigned char made[20];
        size_t entries;

        must(sb_layer_write_file(&to_layer, SB_LIT("m.pyc"), LATER, sb_slice_of((const char *)later, 20),
                                 &err),
             err);
        must(sb_layer_write_end(&to_layer, &err), err);
        must(sb_layer_source_open(fd, "a layer", &source, &err), err);
        sb_rootfs_begin(rootfs, fd, true);
        must(sb_rootfs_apply(rootfs, source, &err), err);
        must(sb_rootfs_write_changes(rootfs, &plain, &to_out, &entries, &err), err);
        assert_int_equal(pread(out, made, 20, 512), 20);
        assert_memory_equal(made, later, 8);
        assert_int_equal(made[8] | made[9] << 8 | made[10] << 16, EPOCH);
        assert_memory_equal(made + 12, later + 12, 8);
    }
}

static void test_days_of_password_changes(void **state)
{
    static const sb_canonical_options late = {.epoch = 20000 * INT64_C(86400)};
    static const char *const keep[] = {"shadow-days", NULL};
    const sb_canonical_options kept = {.epoch = late.epoch, .keep = keep};
    const item made[] = {{'0', "etc/shadow",
                          "root:*:19000:0:99999:7:::\njoe:!:20782:0:99999:7:::\nodd:x\nann::20001:::", 0640,
                          0, 10},
                         {0}};

    (void)state;
    expect_with(&late, base, made,
                "5 0755 0 1728000000 etc\n0 0640 0 10 etc/shadow = root:*:19000:0:99999:7:::\n"
                "joe:!:20000:0:99999:7:::\nodd:x\nann::20000:::\n");
    expect_with(&kept, base, made,
                "5 0755 0 1728000000 etc\n0 0640 0 10 etc/shadow = root:*:19000:0:99999:7:::\n"
                "joe:!:20782:0:99999:7:::\nodd:x\nann::20001:::\n");
}

static void test_when_pnpm_looked(void **state)
{
    const item made[] = {
        {'0', "app/node_modules/.modules.yaml",
         "layoutVersion: 5\nprunedAt: Wed, 25 Nov 2026 21:32:28 GMT\nstoreDir: /s\n", 0644, 0, 10},
        {'0', "app/node_modules/.pnpm-workspace-state-v1.json", "{\"lastValidatedTimestamp\": 1795642347900}",
         0644, 0, 10},
        {'0', "app/old/node_modules/.modules.yaml", "prunedAt: Wed, 25 Nov 1998 21:32:28 GMT\n", 0644, 0, 10},
        {0}};
    static const sb_canonical_options late = {.epoch = 1700000000};

    (void)state;
    expect_with(
        &late, base, made,
        "5 0755 0 1700000000 app\n5 0755 0 1700000000 app/node_modules\n"
        "0 0644 0 10 app/node_modules/.modules.yaml = layoutVersion: 5\n"
        "prunedAt: Tue, 14 Nov 2023 22:13:20 GMT\nstoreDir: /s\n\n"
        "0 0644 0 10 app/node_modules/.pnpm-workspace-state-v1.json = "
        "{\"lastValidatedTimestamp\": 1700000000000}\n"
        "5 0755 0 1700000000 app/old\n5 0755 0 1700000000 app/old/node_modules\n"
        "0 0644 0 10 app/old/node_modules/.modules.yaml = prunedAt: Wed, 25 Nov 1998 21:32:28 GMT\n\n");
}

static void refused(const item *made, const char *because)
{
    SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_layer_source) source = NULL;
    int fd = layer_of(made);

    must(sb_layer_source_open(fd, "a layer", &source, &err), err);
    sb_rootfs_begin(rootfs, fd, true);
    assert_int_equal(sb_rootfs_apply(rootfs, source, &err), -1);
    if (!strstr(err->message, because))
        fail_msg("\"%s\" does not say \"%s\"", err->message, because);
}

static void test_layers_that_make_no_sense(void **state)
{
    sb_autobuf deep = SB_BUF_INIT(4096);

    (void)state;
    refused(ITEMS({'1', "a", "missing", 0644, 0, 10}), "hard link a");
    refused(ITEMS({'5', "d", NULL, 0755, 0, 10}, {'1', "a", "d", 0644, 0, 10}), "hard link a");
    refused(ITEMS({'0', "a/../../b", "x", 0644, 0, 10}), "leads out");
    for (int i = 0; i < SB_TREE_DEPTH_MAX + 1; i++)
        sb_buf_addz(&deep, "d/");
    refused(ITEMS({'5', deep.data, NULL, 0755, 0, 10}), "deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_files_bring_their_directories),
        cmocka_unit_test(test_times_are_clamped_not_set),
        cmocka_unit_test(test_what_is_the_same_is_no_change),
        cmocka_unit_test(test_order_of_entries_does_not_matter),
        cmocka_unit_test(test_whiteouts_come_first),
        cmocka_unit_test(test_opaque_directories_become_whiteouts),
        cmocka_unit_test(test_types_that_change),
        cmocka_unit_test(test_hard_links),
        cmocka_unit_test(test_a_base_with_a_dangling_hard_link),
        cmocka_unit_test(test_stubs_of_engines),
        cmocka_unit_test(test_volatile_files),
        cmocka_unit_test(test_layers_upon_layers),
        cmocka_unit_test(test_python_bytecode_gets_the_time_of_its_source),
        cmocka_unit_test(test_days_of_password_changes),
        cmocka_unit_test(test_when_pnpm_looked),
        cmocka_unit_test(test_layers_that_make_no_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
