// SPDX-License-Identifier: Apache-2.0
/* Two images that differ in one thing, and how that is told. */
#include "image_fixture.h"

#include <builder/reproduce.h>

static sb_comparison *compare_with(const image_layer *a, size_t a_count, const image_layer *b, size_t b_count,
                                   const sb_layer_origin *origins[2], const char *configs[2])
{
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *dir = new_dir();
    SB_AUTO(sb_layout) layout = new_layout(dir, "layout");
    sb_comparison *comparison = NULL;
    sb_compared first = {.layout = layout, .host = SB_LIT("one-host"), .cpus = 4};
    sb_compared second = {.layout = layout, .host = SB_LIT("other-host"), .cpus = 1};

    first.manifest = new_image(layout, a, a_count, false, configs ? configs[0] : "\"os\":\"linux\"");
    second.manifest = new_image(layout, b, b_count, false, configs ? configs[1] : "\"os\":\"linux\"");
    if (origins) {
        first.origins = origins[0];
        second.origins = origins[1];
    }
    must(sb_compare_images(&first, &second, &comparison, &err), err);
    remove_dir(dir);
    return comparison;
}

static sb_comparison *compare(const item *a, const item *b)
{
    image_layer first = {a, PLAIN}, second = {b, GZIP};

    return compare_with(&first, 1, &second, 1, NULL, NULL);
}

/* The one difference of two layers. */
static void expect(const item *a, const item *b, const char *path, const char *kinds, const char *remedy)
{
    SB_AUTO(sb_comparison) comparison = compare(a, b);
    sb_autobuf told = SB_BUF_INIT(4096);

    assert_false(comparison->same);
    /* The layer, and what of it stands in the configuration is no difference of its own. */
    assert_int_equal(comparison->part_count, 1);
    if (comparison->count != 1)
        fail_msg("%zu differences, the first is %s", comparison->count,
                 comparison->count ? comparison->items[0].path.ptr : "none");
    sb_difference_kinds(comparison->items[0].kinds, &told);
    assert_string_equal(told.data, kinds);
    assert_true(sb_slice_eqz(comparison->items[0].path, path));
    if (remedy && (!comparison->items[0].remedy || !strstr(comparison->items[0].remedy, remedy)))
        fail_msg("%s: \"%s\" does not say \"%s\"", path,
                 comparison->items[0].remedy ? comparison->items[0].remedy : "nothing", remedy);
}

#define FILE_OF(path, text) ITEMS({'0', path, text, 0644, 0, 10})

static void test_every_kind(void **state)
{
    (void)state;
    expect(FILE_OF("a", "one\n"), FILE_OF("a", "two\n"), "/a", "content", NULL);
    expect(FILE_OF("a", "x"), ITEMS({'0', "a", "x", 0600, 0, 10}), "/a", "mode", "umask");
    expect(FILE_OF("a", "x"), ITEMS({'0', "a", "x", 0644, 7, 10}), "/a", "owner", "--uid");
    expect(FILE_OF("a", "x"), ITEMS({'0', "a", "x", 0644, 0, 11}), "/a", "time", "touch -d");
    expect(FILE_OF("a [user.x=1]", "x"), FILE_OF("a [user.x=2]", "x"), "/a", "extended attributes",
           "setfattr");
    expect(FILE_OF("a", ""), ITEMS({'5', "a", NULL, 0644, 0, 10}), "/a", "type", NULL);
    expect(ITEMS({'2', "a", "b", 0777, 0, 10}), ITEMS({'2', "a", "c", 0777, 0, 10}), "/a", "content", NULL);
    expect(ITEMS({'0', "a", "x", 0644, 0, 10}, {'0', "run/b.pid", "", 0644, 0, 10}), FILE_OF("a", "x"),
           "/run/b.pid", "only in the first build", "temporary file");
    expect(FILE_OF("a", "x"), ITEMS({'0', "a", "x", 0644, 0, 10}, {'5', "d", NULL, 0755, 0, 10}), "/d",
           "only in the other build", "by chance");
    expect(FILE_OF("list", "b\na\nc\n"), FILE_OF("list", "a\nb\nc\n"), "/list", "order", "sort");
    /* The same names in another order. */
    expect(ITEMS({'0', "a", "", 0644, 0, 10}, {'0', "b", "", 0644, 0, 10}),
           ITEMS({'0', "b", "", 0644, 0, 10}, {'0', "a", "", 0644, 0, 10}), "/", "order", NULL);
    expect(FILE_OF("a", "x"), ITEMS({'0', "a", "y", 0600, 3, 11}), "/a", "content, mode, owner, time", NULL);
    /* The same layer, packed in two ways. */
    expect(FILE_OF("a", "x"), FILE_OF("a", "x"), "/", "compression", NULL);
}

static void test_what_helps(void **state)
{
    static const struct {
        const char *path, *one, *other, *remedy;
    } cases[] = {
        {"built", "at Wed Nov 25 19:40:22 UTC 2026\n", "at Wed Nov 25 19:40:25 UTC 2026\n", "a time: "},
        {"built", "{\"at\": \"2026-11-25\"}", "{\"at\": \"2026-12-03\"}", "a time: "},
        {"stamp", "1764099622\n", "1764099731\n", "a time: "},
        {"id", "id=0b9e4c7a-7a44-4a5c-9d1a-4f5a0a1b2c3d", "id=1b9e4c7a-7a44-4a5c-9d1a-4f5a0a1b2c3d",
         "identifier"},
        {"x", "in /tmp/tmp.aBcDeF/x", "in /tmp/tmp.gHiJkL/x", "temporary name"},
        {"sum", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  -",
         "0f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  -", "something random"},
        {"conf", "host=one-host\n", "host=other-host\n", "name of the host"},
        {"conf", "jobs=4\n", "jobs=1\n", "number of processors"},
        {"pid", "pid 4711", "pid 4812", "a number by chance"},
        {"etc/shadow", "joe:!:20782:0:::::\n", "joe:!:20783:0:::::\n", "last password change"},
        {"etc/passwd", "a:x:100:", "b:x:100:", "--uid"},
        {"lib/x.a", "!<arch>\n1", "!<arch>\n2", "ar D"},
        {"bin/x", "\177ELF1", "\177ELF2", "-trimpath"},
        {"x.jar", "PK\003\0041", "PK\003\0042", "outputTimestamp"},
        {"x.zip", "PK\003\0041", "PK\003\0042", "zip -X"},
        {"x.gz", "\037\213\b\b1", "\037\213\b\b2", "gzip -n"},
        {"x.gz", "\037\213\b\b1111111", "\037\213\b\b1111112", "what is packed"},
        {"x/__pycache__/m.cpython-311.pyc", "\001\001", "\001\002", "PYTHONHASHSEED"},
        {"etc/ssh/ssh_host_rsa_key", "-----BEGIN A\n1", "-----BEGIN A\n2", "--drop-volatile=ssh-host-keys"},
        {"app/key.pem", "-----BEGIN A\n1", "-----BEGIN A\n2", "everybody's"},
        {"root/.gnupg/pubring.kbx", "\001\002", "\001\003", "GNUPGHOME"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        sb_autofree char *path = sb_asprintf("/%s", cases[i].path);

        expect(FILE_OF(cases[i].path, cases[i].one), FILE_OF(cases[i].path, cases[i].other), path, "content",
               cases[i].remedy);
    }
}

static void test_the_line_that_differs(void **state)
{
    SB_AUTO(sb_comparison)
    comparison = compare(FILE_OF("a", "same\nalso\nhere \033[31mred\nrest"),
                         FILE_OF("a", "same\nalso\nhere blue\nrest"));
    SB_AUTO(sb_comparison) binary = compare(FILE_OF("a", "\001\002\003"), FILE_OF("a", "\001\002\004\005"));
    sb_autobuf one = SB_BUF_INIT(1 << 20), other = SB_BUF_INIT(1 << 20);
    const sb_difference *d = &comparison->items[0];

    (void)state;
    assert_int_equal(d->line, 3);
    /* Nothing that a terminal obeys. */
    assert_true(sb_slice_eqz(d->text[0], "here \\x1b[31mred"));
    assert_true(sb_slice_eqz(d->text[1], "here blue"));
    assert_int_equal(binary->items[0].line, 0);
    assert_int_equal(binary->items[0].offset, 2);
    assert_int_equal(binary->items[0].size[1], 4);
    /* Far behind the beginning of a long line. */
    for (int i = 0; i < 200000; i++) {
        sb_buf_addc(&one, 'x');
        sb_buf_addc(&other, 'x');
    }
    sb_buf_addz(&one, "1");
    sb_buf_addz(&other, "2");
    {
        SB_AUTO(sb_comparison) far = compare(FILE_OF("a", one.data), FILE_OF("a", other.data));

        assert_int_equal(far->items[0].line, 1);
        assert_int_equal(far->items[0].offset, 200000);
        assert_true(sb_slice_starts(far->items[0].text[0], SB_LIT("…xxx")));
        assert_true(sb_slice_ends(far->items[0].text[0], SB_LIT("x1")));
    }
}

/* A layer that only one of the builds has does not shift the others. */
static void test_layers_go_by_instruction(void **state)
{
    const sb_layer_origin all[] = {
        {1, 0, SB_LIT("the base image")}, {2, 3, SB_LIT("RUN a")}, {3, 4, SB_LIT("RUN b")}};
    const sb_layer_origin some[] = {{1, 0, SB_LIT("the base image")}, {3, 4, SB_LIT("RUN b")}};
    const sb_layer_origin *origins[] = {all, some};
    image_layer base = {FILE_OF("base", "b"), PLAIN}, a = {FILE_OF("a", "a"), PLAIN},
                b = {FILE_OF("b", "b"), PLAIN};
    image_layer first[] = {base, a, b}, second[] = {base, b};
    SB_AUTO(sb_comparison) known = compare_with(first, 3, second, 2, origins, NULL);
    SB_AUTO(sb_comparison) unknown = compare_with(first, 3, second, 2, NULL, NULL);
    sb_autobuf text = SB_BUF_INIT(1 << 16);

    (void)state;
    assert_int_equal(known->part_count, 1);
    assert_int_equal(known->items[0].kinds, SB_DIFF_ONLY_FIRST);
    sb_comparison_text(known, SB_LIT("Dockerfile"), &text);
    assert_true(sb_slice_starts(sb_buf_slice(&text),
                                SB_LIT("layer 2, Dockerfile:3: RUN a\n  /a: only in the first build\n")));
    /* By place alone, two of them differ. */
    assert_int_equal(unknown->part_count, 2);
}

static void test_configuration(void **state)
{
    const char *configs[] = {"\"os\":\"linux\",\"config\":{\"Env\":[\"A=1\"],\"User\":\"joe\"}",
                             "\"os\":\"linux\",\"config\":{\"Env\":[\"A=2\"]}"};
    image_layer layer = {FILE_OF("a", "a"), PLAIN};
    SB_AUTO(sb_comparison) comparison = compare_with(&layer, 1, &layer, 1, NULL, configs);

    (void)state;
    assert_int_equal(comparison->part_count, 1);
    assert_int_equal(comparison->count, 2);
    assert_true(sb_slice_eqz(comparison->items[0].path, "config.Env"));
    assert_true(sb_slice_eqz(comparison->items[0].detail[1], "[\"A=2\"]"));
    assert_true(sb_slice_eqz(comparison->items[1].path, "config.User"));
    assert_true(sb_slice_eqz(comparison->items[1].detail[1], "nothing"));
}

static void test_nothing_differs(void **state)
{
    image_layer layer = {FILE_OF("a", "a"), GZIP};
    SB_AUTO(sb_comparison) comparison = compare_with(&layer, 1, &layer, 1, NULL, NULL);

    (void)state;
    assert_true(comparison->same);
    assert_int_equal(comparison->count, 0);
}

static void test_more_than_anybody_reads(void **state)
{
    sb_autofree item *one = sb_new_array(item, SB_COMPARE_MAX + 11),
                     *other = sb_new_array(item, SB_COMPARE_MAX + 11);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf text = SB_BUF_INIT(1 << 20);

    (void)state;
    for (size_t i = 0; i < SB_COMPARE_MAX + 10; i++) {
        one[i] = (item){'0', sb_arena_printf(arena, "%06zu", i).ptr, "1", 0644, 0, 10};
        other[i] = one[i];
        other[i].text = "2";
    }
    {
        SB_AUTO(sb_comparison) comparison = compare(one, other);

        assert_int_equal(comparison->count, SB_COMPARE_MAX);
        assert_int_equal(comparison->parts[0].count, SB_COMPARE_MAX + 10);
        sb_comparison_text(comparison, SB_LIT("Dockerfile"), &text);
        assert_non_null(strstr(text.data, "and 4990 more"));
    }
}

/* One page, and nothing from outside in it that a browser would take for markup. */
static void test_html(void **state)
{
    SB_AUTO(sb_reproduction) reproduction = sb_new(sb_reproduction);
    sb_autobuf page = SB_BUF_INIT(1 << 20);
    const sb_layer_origin origin[] = {{1, 2, SB_LIT("RUN echo '<b>\"&' > /a")}};
    const sb_layer_origin *origins[] = {origin, origin};
    image_layer first = {FILE_OF("<img src=x>", "<script>1\n"), PLAIN};
    image_layer second = {FILE_OF("<img src=x>", "<script>2\n"), PLAIN};
    sb_slice varied[] = {SB_LIT("umask: <0077>")};

    (void)state;
    reproduction->arena = sb_arena_new();
    reproduction->dockerfile = SB_LIT("Docker<file>");
    reproduction->count = 1;
    reproduction->items[0].platform = SB_LIT("linux/amd64");
    reproduction->items[0].comparison = compare_with(&first, 1, &second, 1, origins, NULL);
    reproduction->items[0].varied = varied;
    reproduction->items[0].varied_count = 1;
    sb_reproduction_html(reproduction, &page);
    assert_non_null(
        strstr(page.data, "Docker&lt;file&gt;:2: RUN echo &#39;&lt;b&gt;&quot;&amp;&#39; &gt; /a"));
    assert_non_null(strstr(page.data, "/&lt;img src=x&gt;"));
    assert_non_null(strstr(page.data, "&lt;script&gt;2"));
    assert_non_null(strstr(page.data, "umask: &lt;0077&gt;"));
    assert_null(strstr(page.data, "<script"));
    assert_null(strstr(page.data, "<img"));
    assert_null(strstr(page.data, "<b>"));
    /* Nothing is fetched. */
    assert_null(strstr(page.data, "http:"));
    assert_null(strstr(page.data, "https:"));
    assert_null(strstr(page.data, "src=\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_what_helps),
        cmocka_unit_test(test_the_line_that_differs),
        cmocka_unit_test(test_layers_go_by_instruction),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_nothing_differs),
        cmocka_unit_test(test_more_than_anybody_reads),
        cmocka_unit_test(test_html),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
