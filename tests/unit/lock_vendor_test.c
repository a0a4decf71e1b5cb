// SPDX-License-Identifier: Apache-2.0
/* What needs no network: filling from the cache, pruning, listing. */
#include "lock_fixture.h"

typedef struct made {
    sb_project *project;
    sb_lock *lock;
    sb_digest file; /* of "content" */
} made;

static char *lock_text(const sb_digest *file, const char *more)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(file, text);
    return sb_asprintf(
        "{\"version\":1,\"dockerfile\":\"Dockerfile\",\"dockerfile-digest\":\"%s\",\"epoch\":1,"
        "\"files\":[{\"url\":\"https://e.org/file\",\"digest\":\"%s\",\"size\":7}]%s}",
        text, text, more);
}

static made make(const fixture *f, const char *more)
{
    sb_autofree char *json = NULL;
    sb_error *err = NULL;
    made m = {0};

    put(f, "Dockerfile", "FROM scratch\n");
    sb_digest_of(SB_HASH_SHA256, SB_LIT("content"), &m.file);
    json = lock_text(&m.file, more);
    m.project = open_project(f);
    if (sb_lock_parse(sb_slice_z(json), "Dockerfile.lock", &m.lock, &err) < 0)
        fail_msg("%s", err->message);
    return m;
}

static void unmake(made *m)
{
    sb_project_free(m->project);
    sb_lock_free(m->lock);
}

static void into_cache(const made *m, const char *content)
{
    sb_store *cache = NULL;
    sb_digest digest;

    assert_int_equal(sb_project_cache(m->project, &cache, NULL), 0);
    assert_int_equal(sb_store_put(cache, sb_slice_z(content), &digest, NULL), 0);
}

static sb_digest into_store(const made *m, const char *content)
{
    sb_store *store = NULL;
    sb_digest digest;

    assert_int_equal(sb_project_store(m->project, &store, NULL), 0);
    assert_int_equal(sb_store_put(store, sb_slice_z(content), &digest, NULL), 0);
    return digest;
}

static sb_vendor_report vendor(const made *m, sb_vendor_options options)
{
    sb_vendor_report report;
    sb_error *err = NULL;

    if (sb_vendor(m->project, m->lock, &options, &report, &err) < 0)
        fail_msg("%s", err->message);
    return report;
}

static void assert_vendor_fails(const made *m, sb_vendor_options options, sb_errc code, const char *part)
{
    SB_AUTO(sb_error) err = NULL;
    sb_vendor_report report;

    assert_int_equal(sb_vendor(m->project, m->lock, &options, &report, &err), -1);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\"", err->message, part);
    assert_int_equal(err->code, code);
}

static void damage(const fixture *f, const sb_digest *digest)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *path = NULL;

    sb_digest_hex(digest, hex);
    path = sb_asprintf("sbuild.vendor/sha256/%.2s/%s", hex, hex);
    put(f, path, "CONTENT");
}

static void test_from_the_cache(void **state)
{
    const fixture *f = *state;
    made m = make(f, "");
    sb_vendor_report report;

    into_cache(&m, "content");
    report = vendor(&m, (sb_vendor_options){0});
    assert_int_equal(report.fetched, 1);
    assert_int_equal(report.bytes, 7);
    assert_int_equal(report.present, 0);
    report = vendor(&m, (sb_vendor_options){0});
    assert_int_equal(report.fetched, 0);
    assert_int_equal(report.present, 1);
    damage(f, &m.file);
    report = vendor(&m, (sb_vendor_options){0});
    assert_int_equal(report.fetched, 1);
    assert_true(sb_store_has(m.project->store, &m.file, 7));
    unmake(&m);
}

static void test_elsewhere(void **state)
{
    const fixture *f = *state;
    made m = make(f, "");
    sb_autofree char *to = sb_path_join(f->home, "elsewhere");
    SB_AUTO(sb_store) other = NULL;

    into_store(&m, "content");
    vendor(&m, (sb_vendor_options){.to = to});
    assert_int_equal(sb_store_open(to, false, true, &other, NULL), 0);
    assert_true(sb_store_has(other, &m.file, 7));
    assert_vendor_fails(&m, (sb_vendor_options){.to = "oci://registry.example.org/x"}, SB_ERR_USAGE,
                        "--to wants a directory");
    assert_vendor_fails(&m, (sb_vendor_options){.to = "registry.example.org/x:1"}, SB_ERR_USAGE,
                        "--to wants a directory");
    assert_vendor_fails(&m, (sb_vendor_options){.to = to, .prune = true}, SB_ERR_USAGE, "--prune");
    unmake(&m);
}

static void test_prune(void **state)
{
    const fixture *f = *state;
    sb_digest answer, later, other, junk;
    sb_autofree char *manifest = NULL, *more = NULL, *theirs = NULL;
    char text[SB_DIGEST_TEXT];
    sb_vendor_report report;
    made m;

    sb_digest_of(SB_HASH_SHA256, SB_LIT("answer"), &answer);
    sb_digest_format(&answer, text);
    manifest = sb_asprintf("{\"version\":1}\n{\"digest\":\"%s\",\"method\":\"GET\",\"size\":6,\"status\":200,"
                           "\"url\":\"https://e.org/\"}\n",
                           text);
    sb_digest_of(SB_HASH_SHA256, sb_slice_z(manifest), &later);
    sb_digest_format(&later, text);
    more = sb_asprintf(",\"steps\":[{\"command\":\"a\",\"platform\":\"linux/amd64\",\"text\":\"%s\","
                       "\"manifest\":\"%s\"}]",
                       text, text);
    m = make(f, more);
    into_store(&m, "content");
    into_store(&m, manifest);
    into_store(&m, "answer");
    other = into_store(&m, "other");
    junk = into_store(&m, "junk");
    theirs = lock_text(&other, "");
    put(f, "deep/er/Dockerfile.x.lock", theirs);
    put(f, "package.lock", "{\"name\": 1");
    put(f, "deep/poetry.lock", "[[package]]\n");

    report = vendor(&m, (sb_vendor_options){.prune = true});
    assert_int_equal(report.removed, 1);
    assert_int_equal(report.freed, 4);
    assert_true(sb_store_has(m.project->store, &m.file, 0));
    assert_true(sb_store_has(m.project->store, &later, 0));
    assert_true(sb_store_has(m.project->store, &answer, 0));
    assert_true(sb_store_has(m.project->store, &other, 0));
    assert_false(sb_store_has(m.project->store, &junk, 0));

    into_store(&m, "junk");
    {
        sb_autofree char *broken = sb_asprintf("<<<<<<< HEAD\n%s", theirs);

        put(f, "deep/er/Dockerfile.x.lock", broken);
    }
    assert_vendor_fails(&m, (sb_vendor_options){.prune = true}, SB_ERR_PARSE, "nothing was removed");
    assert_true(sb_store_has(m.project->store, &junk, 0));
    put(f, "deep/er/Dockerfile.x.lock", "");
    report = vendor(&m, (sb_vendor_options){.prune = true});
    assert_int_equal(report.removed, 2);
    assert_false(sb_store_has(m.project->store, &other, 0));
    unmake(&m);
}

static void test_list(void **state)
{
    made m = make(*state, "");
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_vendored *items;
    size_t count;

    assert_int_equal(sb_vendor_list(m.project, m.lock, arena, &items, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_true(sb_slice_eqz(items[0].name, "https://e.org/file"));
    assert_false(items[0].present);
    into_store(&m, "content");
    into_store(&m, "something else");
    assert_int_equal(sb_vendor_list(m.project, m.lock, arena, &items, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_true(items[0].present);
    assert_int_equal(items[0].size, 7);
    assert_null(items[1].name.ptr);
    assert_int_equal(items[1].size, 14);
    unmake(&m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_from_the_cache), TEST(test_elsewhere), TEST(test_prune),
                                       TEST(test_list)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
