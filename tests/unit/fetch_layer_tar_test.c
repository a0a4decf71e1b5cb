// SPDX-License-Identifier: Apache-2.0
/* fetch/layer_tar.c and builder/image_write.c against each other and against GNU tar's formats. */
#include "layer_fixture.h"

#include <sbuild/process.h>

#include <fcntl.h>
#include <stdio.h>

static void round_trip(const item *items, const char *expected)
{
    sb_autoclose int fd = layer_of(items);
    sb_autofree char *actual = listing_of(fd);

    assert_string_equal(actual, expected);
}

static void test_round_trip(void **state)
{
    char long_name[301], line[400];

    (void)state;
    memset(long_name, 'n', 250);
    long_name[250] = '\0';
    (void)snprintf(line, sizeof(line), "0 0644 0 1 %s = x\n", long_name);
    round_trip(ITEMS({'0', long_name, "x", 0644, 0, 1}), line);
    round_trip(ITEMS({'5', "d", NULL, 01777, 1000, 2}, {'3', "null", NULL, 0666, 0, 3},
                     {'6', "fifo", NULL, 0600, 0, 4}),
               "5 1777 1000 2 d\n3 0666 0 3 null\n6 0600 0 4 fifo\n");
    round_trip(ITEMS({'0', "caf\xc3\xa9", "x", 0644, 0, 1}, {'0', "bad\xff", "y", 0644, 0, 1}),
               "0 0644 0 1 caf\xc3\xa9 = x\n0 0644 0 1 bad\xff = y\n");
    round_trip(ITEMS({'2', "l", "../../anything/ü", 0777, 0, -5}), "2 0777 0 -5 l -> ../../anything/ü\n");
    round_trip(ITEMS({'0', "big", "", 0644, 3000000000U, 99999999999L}),
               "0 0644 3000000000 99999999999 big\n");
    round_trip(ITEMS({'0', "cap [security.capability=bytes]", "", 0755, 0, 1}),
               "0 0755 0 1 cap [security.capability=bytes]\n");
    /* What only this host means by it. */
    round_trip(ITEMS({'0', "f [security.selinux=label]", "", 0755, 0, 1}), "0 0755 0 1 f\n");
}

/* A path that ustar can split needs no extended header: bytes would change without need. */
static void test_headers_are_as_short_as_possible(void **state)
{
    sb_autobuf path = SB_BUF_INIT(300);
    sb_autoclose int fd = -1;

    (void)state;
    for (int i = 0; i < 20; i++)
        sb_buf_printf(&path, "%sdirectory", i ? "/" : "");
    fd = layer_of(ITEMS({'0', path.data, "x", 0644, 0, 1}));
    assert_int_equal(lseek(fd, 0, SEEK_END), 512 + 512 + 1024);
}

/* Names as people's tars have them. */
static void test_names_are_normalised(void **state)
{
    (void)state;
    round_trip(ITEMS({'5', "./", NULL, 0755, 0, 1}, {'0', "./a//b/./c", "x", 0644, 0, 1},
                     {'1', "/d", "./a/b/c", 0644, 0, 1}),
               "5 0755 0 1 \n0 0644 0 1 a/b/c = x\n1 0644 0 1 d -> a/b/c\n");
}

static int run_tar(const char *directory, const char *format, const char *file)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *option = sb_asprintf("--format=%s", format);
    const char *argv[] = {"tar", option,    "--sort=name", "--owner=0", "--group=0", "--mtime=@7",
                          "-C",  directory, "-cf",         file,        ".",         NULL};
    sb_process_options options = {.argv = argv};
    int status = -1;

    must(sb_process_run(&options, &status, &err), err);
    return status;
}

/* The same tree in GNU's, POSIX's and the oldest format. */
static void test_formats_of_gnu_tar(void **state)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *dir = sb_temp_dir("layer", &err);
    sb_autofree char *tree = sb_path_join(dir, "tree");
    sb_autofree char *file = sb_path_join(dir, "layer.tar");
    sb_autofree char *name = sb_malloc(240);
    sb_autofree char *path = NULL, *link = NULL, *expected = NULL;
    static const char *const formats[] = {"gnu", "posix"};

    (void)state;
    memset(name, 'q', 200);
    path = sb_path_join(tree, name);
    link = sb_path_join(tree, "link");
    must(sb_mkdirs(tree, &err), err);
    must(sb_write_file(AT_FDCWD, path, SB_LIT("long"), 0644, &err), err);
    assert_int_equal(symlink(path, link), 0);
    expected = sb_asprintf("5 0755 0 7 \n2 0777 0 7 link -> %s\n0 0644 0 7 %s = long\n", path, name);
    for (size_t i = 0; i < SB_COUNT(formats); i++) {
        sb_autofree char *actual = NULL;
        sb_autoclose int fd = -1;

        assert_int_equal(run_tar(tree, formats[i], file), 0);
        fd = open(file, O_RDONLY | O_CLOEXEC);
        actual = listing_of(fd);
        assert_string_equal(actual, expected);
    }
    must(sb_remove_tree(AT_FDCWD, dir, &err), err);
}

static void refused(const void *data, size_t len, const char *because)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_layer_reader) reader = NULL;
    sb_autoclose int fd = memory_file();
    sb_layer_entry entry;
    int more;

    must(sb_write_all(fd, data, len, "a layer", &err), err);
    must(sb_layer_source_open(fd, "a layer", &source, &err), err);
    reader = sb_layer_reader_new(source);
    while ((more = sb_layer_next(reader, &entry, &err)) > 0)
        ;
    assert_int_equal(more, -1);
    if (!strstr(err->message, because))
        fail_msg("\"%s\" does not say \"%s\"", err->message, because);
}

static void test_damage(void **state)
{
    sb_autoclose int fd = layer_of(ITEMS({'0', "\xc3\xbc", "content", 0644, 0, 1}));
    unsigned char bytes[8192];
    ssize_t len = pread(fd, bytes, sizeof(bytes), 0);

    (void)state;
    assert_int_equal(len, 512 + 512 + 512 + 512 + 1024);
    refused(bytes, 700, "within a header");
    refused(bytes, 512 * 3 + 3, "ends in the middle");
    bytes[3] ^= 1;
    refused(bytes, (size_t)len, "no tar header");
    bytes[3] ^= 1;
    bytes[512] = '9'; /* the record's length */
    refused(bytes, (size_t)len, "malformed");
    memset(bytes, 'x', 512);
    refused(bytes, 512, "no tar header");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_headers_are_as_short_as_possible),
        cmocka_unit_test(test_names_are_normalised),
        cmocka_unit_test(test_formats_of_gnu_tar),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
