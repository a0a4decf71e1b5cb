// SPDX-License-Identifier: Apache-2.0
/* Tags as versions, and the search for the versioned tag of a digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <lock/version_search.h>
#include <lock/version_sources.h>

static sb_tag tag(const char *text)
{
    sb_tag t;

    assert_true(sb_tag_parse(sb_slice_z(text), &t));
    return t;
}

static bool compatible(const char *requested, const char *candidate)
{
    sb_tag a = tag(requested), b;

    return sb_tag_parse(sb_slice_z(candidate), &b) && sb_tag_compatible(&a, &b);
}

static void test_no_versions_name(void **state)
{
    static const char *const refused[] = {"",
                                          "sha256-0123456789abcdef.sig",
                                          "1.2.3.sig",
                                          "1.2.3.att",
                                          "1.2.3.sbom",
                                          "0a1b2c3d",
                                          "main-0a1b2c3",
                                          "0123456789abcdef0123456789abcdef01234567"};
    sb_tag t;

    (void)state;
    for (size_t i = 0; i < SB_COUNT(refused); i++)
        assert_false(sb_tag_parse(sb_slice_z(refused[i]), &t));
    assert_true(sb_tag_parse(SB_LIT("20240311"), &t));
    assert_true(t.date);
}

static void test_full(void **state)
{
    static const char *const full[] = {"1.2.3",    "v1.2.3",   "20.19.4-alpine", "bookworm-20240311-slim",
                                       "10.1.1.0", "20240311", "3.13.0rc1"};
    static const char *const moving[] = {"latest",    "20",         "20.19",    "bookworm",
                                         "12.5-slim", "alpine3.22", "20-alpine"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(full); i++) {
        sb_tag t = tag(full[i]);

        assert_true(sb_tag_is_full(&t));
    }
    for (size_t i = 0; i < SB_COUNT(moving); i++) {
        sb_tag t = tag(moving[i]);

        assert_false(sb_tag_is_full(&t));
    }
}

static void test_compatible(void **state)
{
    (void)state;
    assert_true(compatible("20", "20.19.4"));
    assert_true(compatible("20", "20.19.4-bookworm"));
    assert_false(compatible("20", "2.19.4"));
    assert_false(compatible("20", "200.1.0"));
    assert_false(compatible("20", "20"));
    assert_true(compatible("20-alpine", "20.19.4-alpine"));
    assert_true(compatible("20-alpine", "20.19.4-alpine3.22"));
    assert_false(compatible("20-alpine", "20.19.4"));
    assert_false(compatible("20-alpine", "20.19.4-slim"));
    assert_true(compatible("alpine", "20.19.4-alpine"));
    assert_true(compatible("latest", "1.2.3"));
    assert_true(compatible("lts-alpine", "22.18.0-alpine"));
    assert_true(compatible("bookworm", "bookworm-20240311"));
    assert_true(compatible("bookworm-slim", "bookworm-20240311-slim"));
    assert_false(compatible("bookworm-slim", "12.5-slim"));
    assert_false(compatible("bookworm", "bookworm"));
    assert_true(compatible("3-eclipse-temurin-17", "3.9.9-eclipse-temurin-17"));
    assert_true(compatible("3-eclipse-temurin-17", "3.9.9-eclipse-temurin-17.0.2"));
    assert_false(compatible("3-eclipse-temurin-17", "3.9.9-eclipse-temurin-170"));
    assert_false(compatible("3-eclipse-temurin-17", "3.9.9-eclipse-temurin-21"));
    assert_true(compatible("v1", "v1.2.3"));
    assert_false(compatible("v1", "1.2.3"));
    assert_false(compatible("1", "v1.2.3"));
    /* pre-releases only for those who asked for one */
    assert_false(compatible("3.13-slim", "3.13.0rc1-slim"));
    assert_false(compatible("latest", "2.0.0-beta.1"));
    assert_false(compatible("latest", "2.0.0-alpha"));
    assert_true(compatible("3.13-rc-slim", "3.13.0rc1-slim"));
    assert_true(compatible("rc-slim", "3.13.0rc1-slim"));
    assert_true(compatible("alpine", "1.2.3-alpine3.20")); /* begins like "alpha" and "a" */
    assert_false(compatible("latest", "1.2.3-SNAPSHOT"));
    assert_false(compatible("latest", "2-latest"));
}

static void test_order(void **state)
{
    static const char *const best_first[] = {
        "20.19.4",      "20.19.3",          "20.19.3.1",          "20.9.0", "9.20.0",
        "20.19.5-slim", "20.19.4-bookworm", "20.19.4-alpine3.22", "20.20",  "20.19"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(best_first); i++)
        for (size_t k = 0; k < SB_COUNT(best_first); k++) {
            sb_tag a = tag(best_first[i]), b = tag(best_first[k]);
            int c = sb_tag_prefer(&a, &b);

            assert_true((c < 0) == (i < k) && (c > 0) == (i > k));
        }
}

static void check_derived(const char *requested, const char *declared, const char *first, const char *second)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_tag t = tag(requested);
    sb_slice tags[2];
    size_t n = sb_tag_derive(arena, &t, sb_slice_z(declared), tags);

    assert_int_equal(n, (size_t)(first != NULL) + (second != NULL));
    if (first)
        assert_true(sb_slice_eqz(tags[0], first));
    if (second)
        assert_true(sb_slice_eqz(tags[1], second));
}

static void test_derive(void **state)
{
    (void)state;
    check_derived("20", "20.19.4-bookworm", "20.19.4", "20.19.4-bookworm");
    check_derived("20-alpine", "20.19.4-alpine3.22", "20.19.4-alpine", "20.19.4-alpine3.22");
    check_derived("latest", "1.2.3", "1.2.3", NULL);
    check_derived("lts-slim", "v22.1.0", "v22.1.0-slim", NULL);
    check_derived("v1", "1.2.3", "v1.2.3", NULL);
    check_derived("jre-17", "17.0.2", "jre-17.0.2", NULL);
    check_derived("latest", "24.04", "24.04", NULL);
    check_derived("latest", "1.2.3+build5", "1.2.3", NULL);
    check_derived("20", "22.1.0", NULL, NULL);
    check_derived("latest", "bookworm", NULL, NULL);
    check_derived("latest", "3.0.0-rc1", NULL, NULL);
}

/* --- the search, against a registry in memory --- */

typedef struct fake {
    const char *const *tags; /* "tag=digest", NULL-terminated; '1' is the digest that is looked for */
    bool no_list;
    bool tells_digests;
    const char *platform_equal;
    unsigned heads;
    sb_arena *arena;
} fake;

static void digest_of(char c, sb_digest *ret_digest)
{
    sb_digest_of(SB_HASH_SHA256, sb_slice_of(&c, 1), ret_digest);
}

static int fake_digest(void *ctx, sb_slice wanted, sb_digest *ret_digest, sb_error **err)
{
    fake *f = ctx;

    f->heads++;
    for (size_t i = 0; f->tags[i]; i++) {
        sb_slice rest = sb_slice_z(f->tags[i]), name = sb_slice_cut(&rest, '=');

        if (sb_slice_eqz(rest, "error") && sb_slice_eq(name, wanted))
            return sb_fail(err, SB_ERR_NETWORK, "429 for %" SB_FMT, SB_ARG(name));
        if (sb_slice_eq(name, wanted)) {
            digest_of(rest.ptr[0], ret_digest);
            return 1;
        }
    }
    return 0;
}

static int fake_tags(void *ctx, sb_tag_list *ret_list, sb_error **err)
{
    fake *f = ctx;
    size_t n = 0;

    if (f->no_list)
        return sb_fail(err, SB_ERR_AUTH, "not allowed");
    while (f->tags[n])
        n++;
    *ret_list = (sb_tag_list){.tags = sb_arena_array(f->arena, sb_slice, n + 1), .count = n};
    if (f->tells_digests)
        ret_list->digests = sb_arena_array(f->arena, sb_slice, n + 1);
    for (size_t i = 0; i < n; i++) {
        sb_slice rest = sb_slice_z(f->tags[i]);
        sb_digest digest;
        char text[SB_DIGEST_TEXT];

        ret_list->tags[i] = sb_slice_cut(&rest, '=');
        digest_of(rest.ptr[0], &digest);
        sb_digest_format(&digest, text);
        if (f->tells_digests)
            ret_list->digests[i] = sb_arena_dup(f->arena, sb_slice_z(text));
    }
    return 0;
}

static bool fake_platforms(void *ctx, sb_slice wanted)
{
    const fake *f = ctx;

    return f->platform_equal && sb_slice_eqz(wanted, f->platform_equal);
}

static sb_version search(fake *f, const char *requested, const char *declared)
{
    sb_version_asker asker = {
        .ctx = f, .digest = fake_digest, .tags = fake_tags, .same_platforms = fake_platforms};
    sb_slice said = sb_slice_z(declared);
    sb_version version;
    sb_digest wanted;

    digest_of('1', &wanted);
    assert_int_equal(
        sb_version_search(f->arena, sb_slice_z(requested), false, &wanted, &said, 1, &asker, &version, NULL),
        0);
    assert_true(version.tag.ptr ? !version.reason.ptr : version.reason.len > 0);
    return version;
}

static void expect(const char *const *tags, const char *requested, const char *declared, const char *version,
                   unsigned max_heads)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    fake f = {.tags = tags, .arena = arena};
    sb_version found = search(&f, requested, declared);

    if (version)
        assert_true(sb_slice_eqz(found.tag, version));
    else
        assert_null(found.tag.ptr);
    assert_true(f.heads <= max_heads);
}

static const char *const node[] = {
    "latest=2",  "lts=2",     "22=2",           "22.18.0=2",          "20=1",
    "iron=1",    "20.19=1",   "20.19.4=1",      "20.19.4-bookworm=1", "20-bookworm=1",
    "20.19.3=3", "20-slim=4", "20.19.4-slim=4", "20.20.0-rc1=1",      "18.0.0=5",
    NULL};
static const char *const debian[] = {
    "latest=1", "bookworm=1", "bookworm-20240311=1", "bookworm-20240211=2", "12=1",
    "12.5=1",   "12.4=2",     "bookworm-slim=3",     "12.5-slim=3",         NULL};

static void test_search(void **state)
{
    static const char *const claimed[] = {"1=1", "1.2.3=2", "1.2.2=3", NULL};

    (void)state;
    expect(node, "20", "20.19.4-bookworm", "20.19.4", 1);
    expect(node, "20", NULL, "20.19.4", 2);
    expect(node, "20-bookworm", NULL, "20.19.4-bookworm", 2);
    expect(node, "20.19.4", NULL, "20.19.4", 0);
    expect(node, "iron", "20.19.4-bookworm", "20.19.4", 4);
    expect(node, "iron", NULL, NULL, 30);
    expect(debian, "bookworm", "bookworm", "bookworm-20240311", 2);
    expect(debian, "latest", NULL, "12.5", 2);
    expect(debian, "12", NULL, "12.5", 1);
    /* as full as it gets: nothing longer exists */
    expect(debian, "12.5", NULL, "12.5", 1);
    /* longer ones exist, and have other digests */
    expect(claimed, "1", "1.2.3", NULL, 30);
}

static void test_reasons(void **state)
{
    static const char *const other[] = {"1=1", "1.2=1", "1.2.3=2", NULL};
    static const char *const wordy[] = {"latest=1", "edge=1", NULL};
    static const char *const limited[] = {"1=1", "1.2.3=error", NULL};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    fake f = {.tags = other, .arena = arena, .platform_equal = "1.2.3"};
    sb_version found = search(&f, "1.2", NULL);

    (void)state;
    assert_null(found.tag.ptr);
    assert_true(sb_slice_starts(found.reason, SB_LIT("1.2.3 has the same image")));
    f = (fake){.tags = other, .arena = arena};
    found = search(&f, "1.2", NULL);
    assert_true(sb_slice_eqz(found.reason, "no versioned tag has this digest"));
    f = (fake){.tags = wordy, .arena = arena};
    found = search(&f, "latest", NULL);
    assert_true(sb_slice_eqz(found.reason, "there is no versioned tag for it"));
    f = (fake){.tags = limited, .arena = arena};
    found = search(&f, "1", NULL);
    assert_true(sb_slice_eqz(found.reason, "the registry could not be asked for its tags"));
    assert_true(sb_slice_find(found.detail, SB_LIT("429")) >= 0);
    f = (fake){.tags = node, .arena = arena, .no_list = true};
    found = search(&f, "20-slim", NULL);
    assert_true(sb_slice_find(found.detail, SB_LIT("not allowed")) >= 0);
}

static void test_told_digests(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    fake f = {.tags = node, .arena = arena, .tells_digests = true};
    sb_version found = search(&f, "20", NULL);

    (void)state;
    assert_true(sb_slice_eqz(found.tag, "20.19.4"));
    assert_int_equal(f.heads, 1); /* the winner is asked for, nobody else */
    assert_int_equal(found.alias_count, 5);
    assert_true(sb_slice_eqz(found.aliases[0], "20-bookworm"));
    assert_true(sb_slice_eqz(found.aliases[4], "iron"));
}

static void test_budget(void **state)
{
    enum { TAGS = 200 };
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const char *tags[TAGS + 2] = {NULL};
    fake f = {.tags = tags, .arena = arena};
    sb_version found;

    (void)state;
    for (unsigned i = 0; i < TAGS; i++)
        tags[i] = sb_arena_printf(arena, "1.%u.0=2", i + 1).ptr;
    tags[TAGS] = "1.0.0=1";
    found = search(&f, "latest", NULL);
    assert_null(found.tag.ptr);
    assert_int_equal(f.heads, SB_VERSION_HEADS_MAX);
}

static void test_written_digest(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    fake f = {.tags = node, .arena = arena};
    sb_version_asker asker = {.ctx = &f, .digest = fake_digest, .tags = fake_tags};
    sb_version version;
    sb_digest wanted;

    (void)state;
    digest_of('1', &wanted);
    assert_int_equal(
        sb_version_search(arena, SB_LIT("20.19.4"), true, &wanted, NULL, 0, &asker, &version, NULL), 0);
    assert_true(sb_slice_eqz(version.tag, "20.19.4"));
    assert_int_equal(f.heads, 1);
    assert_int_equal(
        sb_version_search(arena, SB_LIT("20.19.3"), true, &wanted, NULL, 0, &asker, &version, NULL), 0);
    assert_null(version.tag.ptr);
    assert_int_equal(sb_version_search(arena, SB_NIL, true, &wanted, NULL, 0, &asker, &version, NULL), 0);
    assert_true(sb_slice_eqz(version.reason, "it has no tag"));
}

static void test_official_list(void **state)
{
    static const char text[] = "Maintainers: A B (@ab)\n\n"
                               "Tags: 22.1.0-bookworm, 22.1.0, 22, latest\nArchitectures: amd64\n\n"
                               "Tags: 20.19.4-bookworm, 20\r\nSharedTags: 20.19.4, iron\nDirectory: 20\n";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_tag_list list;

    (void)state;
    assert_true(sb_official_group(arena, sb_slice_z(text), SB_LIT("iron"), &list));
    assert_int_equal(list.count, 4);
    assert_true(sb_slice_eqz(list.tags[1], "20"));
    assert_true(sb_slice_eqz(list.tags[2], "20.19.4"));
    assert_true(sb_official_group(arena, sb_slice_z(text), SB_LIT("latest"), &list));
    assert_false(sb_official_group(arena, sb_slice_z(text), SB_LIT("21"), &list));
    assert_false(sb_official_group(arena, SB_LIT(""), SB_LIT("21"), &list));
}

static void test_pages(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_tag_list list = {0};
    size_t cap = 0;
    bool more;

    (void)state;
    assert_true(
        sb_tag_page(arena,
                    SB_LIT("{\"next\":\"https://x\",\"results\":[{\"name\":\"1\",\"digest\":\"sha256:aa\"},"
                           "{\"name\":\"2\"},{\"name\":\"3\"},{\"name\":\"4\"},{\"name\":\"5\"}]}"),
                    &list, &cap, &more));
    assert_true(more);
    assert_int_equal(list.count, 5);
    assert_true(sb_slice_eqz(list.digests[0], "sha256:aa"));
    assert_null(list.digests[4].ptr);
    assert_true(sb_tag_page(arena, SB_LIT("{\"tags\":[{\"name\":\"6\",\"manifest_digest\":\"sha256:bb\"}]}"),
                            &list, &cap, &more));
    assert_false(more);
    assert_true(sb_slice_eqz(list.digests[5], "sha256:bb"));
    assert_true(sb_slice_eqz(list.tags[0], "1"));
    assert_false(sb_tag_page(arena, SB_LIT("[]"), &list, &cap, &more));
    assert_false(sb_tag_page(arena, SB_LIT("<html>"), &list, &cap, &more));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_versions_name), cmocka_unit_test(test_full),
        cmocka_unit_test(test_compatible),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_derive),           cmocka_unit_test(test_search),
        cmocka_unit_test(test_reasons),          cmocka_unit_test(test_told_digests),
        cmocka_unit_test(test_budget),           cmocka_unit_test(test_written_digest),
        cmocka_unit_test(test_official_list),    cmocka_unit_test(test_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
