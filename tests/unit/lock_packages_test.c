// SPDX-License-Identifier: Apache-2.0
#include "lock_fixture.h"

#include <lock/packages.h>

#define BODY(c) "sha256:" c "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GET(url, c)                                                                                          \
    "{\"digest\":\"" BODY(c) "\",\"method\":\"GET\",\"size\":1,\"status\":200,\"url\":\"" url "\"}\n"
#define MOVED(url, to)                                                                                       \
    "{\"headers\":{\"location\":\"" to "\"},\"method\":\"GET\",\"status\":302,\"url\":\"" url "\"}\n"
#define POST(url, body, c, size)                                                                             \
    "{\"body\":\"" BODY(body) "\",\"digest\":\"" BODY(c) "\",\"method\":\"POST\",\"size\":" size             \
                                                         ",\"status\":200,\"url\":\"" url "\"}\n"

static sb_step_manifest *parse(const char *lines)
{
    sb_autofree char *text = sb_asprintf("{\"version\":1}\n%s", lines);
    sb_step_manifest *manifest = NULL;
    sb_error *err = NULL;

    if (sb_step_manifest_parse(sb_slice_z(text), "m", &manifest, &err) < 0)
        fail_msg("%s", err->message);
    return manifest;
}

/* `expected`: "purl first-digit-of-the-digest", one per line. */
static void assert_named(const char *lines, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_step_manifest) manifest = parse(lines);
    sb_autobuf out = SB_BUF_INIT(10000);
    sb_named *named;
    size_t count;

    assert_int_equal(sb_packages_of_manifest(manifest, arena, &named, &count, NULL), 0);
    sb_buf_addz(&out, "");
    for (size_t i = 0; i < count; i++)
        sb_buf_printf(&out, "%.*s %x\n", (int)named[i].text.len, named[i].text.ptr,
                      (unsigned)named[i].digest.bytes[0] >> 4);
    assert_string_equal(out.data ? out.data : "", expected);
}

static void test_named(void **state)
{
    (void)state;
    assert_named(GET("https://m.org/pool/c/curl_1_amd64.deb", "a") GET("https://m.org/InRelease", "b"),
                 "pkg:deb/debian/curl@1?arch=amd64 a\n");
    assert_named("", "");
    /* Neither a failure nor a question about it is the package. */
    assert_named("{\"digest\":\"" BODY("a") "\",\"method\":\"GET\",\"size\":1,\"status\":404,"
                                            "\"url\":\"https://m.org/pool/c/curl_1_amd64.deb\"}\n"
                                            "{\"method\":\"HEAD\",\"size\":1,\"status\":200,\"url\":\"https:/"
                                            "/m.org/pool/c/curl_2_amd64.deb\"}\n",
                 "");
}

static void test_redirects(void **state)
{
    (void)state;
    assert_named(MOVED("https://github.com/o/t/releases/download/v1/t.tgz", "https://cdn.org/x?sig=-&se=-")
                     GET("https://cdn.org/x?se=-&sig=-", "b") GET("https://cdn.org/x?sig=-&se=-", "a"),
                 "pkg:github/o/t@v1?file_name=t.tgz a\n");
    assert_named(MOVED("https://r.org/a/-/a-1.0.0.tgz", "/b/1") MOVED("https://r.org/b/1", "2")
                     MOVED("https://r.org/b/2", "//s.org/c") GET("https://s.org/c", "c"),
                 "pkg:npm/a@1.0.0 c\n");
    /* In a circle, to nowhere, without a Location. */
    assert_named(MOVED("https://r.org/a/-/a-1.0.0.tgz", "https://r.org/a/-/a-1.0.0.tgz"), "");
    assert_named(MOVED("https://r.org/a/-/a-1.0.0.tgz", "https://r.org/else"), "");
    assert_named(MOVED("https://r.org/a/-/a-1.0.0.tgz", "ftp://r.org/"), "");
    assert_named("{\"method\":\"GET\",\"status\":302,\"url\":\"https://r.org/a/-/a-1.0.0.tgz\"}\n", "");
}

static void test_git(void **state)
{
    (void)state;
    assert_named(POST("https://github.com/o/t.git/git-upload-pack", "1", "a", "400")
                     POST("https://github.com/o/t.git/git-upload-pack", "2", "b", "90000")
                         POST("https://r.org/a/-/a-1.0.0.tgz", "1", "c", "5"),
                 "pkg:github/o/t b\n");
}

static sb_digest store_text(sb_project *project, const char *lines)
{
    sb_autofree char *text = sb_asprintf("{\"version\":1}\n%s", lines);
    sb_store *store = NULL;
    sb_digest digest;

    assert_int_equal(sb_project_store(project, &store, NULL), 0);
    assert_int_equal(sb_store_put(store, sb_slice_z(text), &digest, NULL), 0);
    return digest;
}

#define CURL "https://m.org/pool/c/curl_1_amd64.deb"
#define CURL2 "https://n.org/pool/c/curl_1_amd64.deb"
#define PAD "https://r.org/pad/-/pad-1.0.0.tgz"
#define PROXY "https://p.org/e.org/m/@v/v1.0.0"

static void test_lock(void **state)
{
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_project) project = NULL;
    sb_lock_step steps[3] = {{.stage = SB_LIT(""), .platform = SB_LIT("linux/amd64")}};
    char ids[2][SB_STEP_ID_LEN + 1];

    put(*state, "Dockerfile", "FROM scratch\n");
    project = open_project(*state);
    steps[1] = steps[2] = steps[0];
    steps[1].nth = 1;
    steps[2].nth = 2;
    steps[0].has_manifest = steps[1].has_manifest = true;
    steps[0].manifest = store_text(project, GET(CURL, "a") GET(CURL2, "a") GET(PAD, "b"));
    steps[1].manifest =
        store_text(project, GET(PAD, "b") GET(CURL, "c") GET(PROXY ".mod", "d") GET(PROXY ".zip", "e"));
    lock->steps = steps;
    lock->step_count = 3;
    for (int i = 0; i < 2; i++)
        sb_step_id(steps[i].stage, &steps[i].text, steps[i].nth, steps[i].platform, ids[i]);

    assert_int_equal(sb_lock_fill_packages(project, lock, NULL), 0);
    assert_int_equal(lock->package_count, 4);
    /* The same version with other bytes is another entry; one step that asks twice is one. */
    assert_true(sb_slice_eqz(lock->packages[0].purl, "pkg:deb/debian/curl@1?arch=amd64"));
    assert_int_equal(lock->packages[0].step_count, 1);
    assert_true(sb_slice_eqz(lock->packages[0].steps[0], ids[0]));
    assert_true(sb_slice_eq(lock->packages[0].purl, lock->packages[1].purl));
    assert_true(sb_slice_eqz(lock->packages[1].steps[0], ids[1]));
    assert_true(sb_slice_eqz(lock->packages[2].purl, "pkg:golang/e.org/m@v1.0.0"));
    assert_int_equal(lock->packages[3].step_count, 2);
    assert_null(lock->packages[0].vouched.ptr);
    /* Of a manifest that is lost, what is known stays; of one that is damaged, nothing is believed. */
    steps[0].manifest.bytes[0] ^= 1;
    assert_int_equal(sb_lock_fill_packages(project, lock, NULL), 0);
    assert_int_equal(lock->package_count, 4);
    assert_int_equal(lock->packages[3].step_count, 2);
    steps[1].manifest = store_text(project, "nonsense\n");
    assert_int_equal(sb_lock_fill_packages(project, lock, NULL), -1);
    assert_int_equal(lock->package_count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_git),
        cmocka_unit_test_setup_teardown(test_lock, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
