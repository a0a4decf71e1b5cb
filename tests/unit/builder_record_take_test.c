// SPDX-License-Identifier: Apache-2.0
/* Recordings as steps leave them, and as a step would forge them. */
#include "lock_fixture.h"

#include <builder/record.h>

#include <sys/stat.h>

#define DONE "{\"status\":0}\n"
#define ENTRY(url, digest, size)                                                                             \
    "{\"digest\":\"sha256:" digest "\",\"method\":\"GET\",\"size\":" size ",\"status\":200,\"url\":\"" url   \
    "\"}\n"
#define HEAD "{\"version\":1}\n"
/* sha256 of "body" and of "else". */
#define BODY "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"
#define ELSE "7dd530c4d36da47cd33396718ef1fa1e8c0f7d91ee551d7fdc1c73aa65edb454"
#define URL "https://e.org/a"

static sb_step_manifest *parse(const char *text)
{
    sb_step_manifest *manifest = NULL;
    sb_error *err = NULL;

    if (sb_step_manifest_parse(sb_slice_z(text), "m", &manifest, &err) < 0)
        fail_msg("%s", err->message);
    return manifest;
}

/* Of the directory rec/ of the context. */
static int take(const fixture *f, sb_project *project, const char *offered, sb_taken **ret_taken,
                sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = parse(offered);
    sb_autoclose int dirfd = -1;

    assert_int_equal(sb_mkdirs_beneath(f->fd, "rec", NULL), 0);
    dirfd = openat(f->fd, "rec", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dirfd >= 0);
    return sb_record_take(project, dirfd, "RUN x", manifest, ret_taken, err);
}

static sb_taken *taken(const fixture *f, sb_project *project, const char *offered)
{
    sb_taken *result = NULL;
    sb_error *err = NULL;

    if (take(f, project, offered, &result, &err) < 0)
        fail_msg("%s", err->message);
    return result;
}

static void assert_refused(const fixture *f, sb_project *project, const char *offered, const char *part)
{
    SB_AUTO(sb_error) err = NULL;
    sb_taken *result = NULL;

    if (take(f, project, offered, &result, &err) == 0)
        fail_msg("taken, although: %s", part);
    assert_null(result);
    assert_int_equal(err->code, SB_ERR_VERIFY);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\"", err->message, part);
}

static bool in_cache(sb_project *project, const char *hex)
{
    sb_store *cache = NULL;
    sb_digest digest;

    assert_int_equal(sb_project_cache(project, &cache, NULL), 0);
    assert_true(sb_digest_from_hex(sb_slice_z(hex), &digest));
    return sb_store_has(cache, &digest, 0);
}

static sb_project *begin(const fixture *f)
{
    put(f, "Dockerfile", "FROM scratch\nRUN x\n");
    put(f, "rec/done", DONE);
    put(f, "rec/manifest", HEAD ENTRY(URL, BODY, "4"));
    put(f, "rec/objects/" BODY, "body");
    return open_project(f);
}

static void test_good(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f);
    SB_AUTO(sb_taken) result = NULL;

    put(f, "rec/objects/" ELSE, "not named by the manifest");
    put(f, "rec/report.jsonl",
        "{\"kind\":\"post\",\"url\":\"https://e.org/\\u001b[31m\"}\nnonsense\n"
        "{\"kind\":\"unheard-of\",\"text\":\"t\"}\n");
    result = taken(f, project, HEAD);
    assert_true(result->complete);
    assert_int_equal(result->status, 0);
    assert_int_equal(result->manifest->count, 1);
    assert_true(in_cache(project, BODY));
    assert_false(in_cache(project, ELSE));
    assert_int_equal(result->note_count, 2);
    assert_int_equal(result->notes[0].kind, SB_NOTE_POST);
    assert_true(sb_slice_find(result->notes[0].url, SB_LIT("\033")) < 0);
    assert_int_equal(result->notes[1].kind, SB_NOTE_OTHER);
    /* Nothing has gone to the repository's store: that is decided later. */
    assert_null(project->store);
}

/* A step that has not ended, or has failed, gives nothing, and is no mistake. */
static void test_unfinished(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f);
    SB_AUTO(sb_taken) failed = NULL;
    SB_AUTO(sb_taken) unfinished = NULL;

    put(f, "rec/done", "{\"status\":3}");
    failed = taken(f, project, HEAD);
    assert_true(failed->complete);
    assert_int_equal(failed->status, 3);
    assert_null(failed->manifest);
    assert_int_equal(unlinkat(f->fd, "rec/done", 0), 0);
    unfinished = taken(f, project, HEAD);
    assert_false(unfinished->complete);
    assert_null(unfinished->manifest);
    assert_false(in_cache(project, BODY));
}

static void test_forged(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f);

    put(f, "rec/objects/" BODY, "bodY");
    assert_refused(f, project, HEAD, "digest");
    put(f, "rec/objects/" BODY, "bodyguard");
    assert_refused(f, project, HEAD, "size");
    assert_int_equal(unlinkat(f->fd, "rec/objects/" BODY, 0), 0);
    assert_refused(f, project, HEAD, "missing");
    assert_false(in_cache(project, BODY));

    /* Two sizes for one body. */
    put(f, "rec/objects/" BODY, "body");
    put(f, "rec/manifest", HEAD ENTRY(URL, BODY, "4") ENTRY("https://e.org/b", BODY, "5"));
    assert_refused(f, project, HEAD, "size");

    put(f, "rec/manifest", HEAD ENTRY("https://e.org/a#fragment", BODY, "4"));
    assert_refused(f, project, HEAD, "url");
    put(f, "rec/manifest", "{}");
    assert_refused(f, project, HEAD, "manifest");
    assert_int_equal(unlinkat(f->fd, "rec/manifest", 0), 0);
    assert_refused(f, project, HEAD, "list of requests");

    put(f, "rec/done", "{\"status\":\"0\"}");
    assert_refused(f, project, HEAD, "end");
    put(f, "rec/done", "{\"status\":1000}");
    assert_refused(f, project, HEAD, "end");
}

/* Links lead out of the recording, a FIFO would hold us up. */
static void test_no_files(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f);
    SB_AUTO(sb_error) err = NULL;
    sb_taken *result = NULL;

    put(f, "secret", "body");
    assert_int_equal(unlinkat(f->fd, "rec/objects/" BODY, 0), 0);
    assert_int_equal(symlinkat("../../secret", f->fd, "rec/objects/" BODY), 0);
    assert_int_equal(take(f, project, HEAD, &result, &err), -1);
    assert_false(in_cache(project, BODY));
    assert_int_equal(unlinkat(f->fd, "rec/objects/" BODY, 0), 0);
    assert_int_equal(mkfifoat(f->fd, "rec/objects/" BODY, 0600), 0);
    assert_refused(f, project, HEAD, "no file");
    assert_int_equal(unlinkat(f->fd, "rec/objects/" BODY, 0), 0);
    assert_int_equal(mkdirat(f->fd, "rec/objects/" BODY, 0700), 0);
    assert_refused(f, project, HEAD, "no file");
    assert_int_equal(unlinkat(f->fd, "rec/done", 0), 0);
    assert_int_equal(mkfifoat(f->fd, "rec/done", 0600), 0);
    assert_refused(f, project, HEAD, "no file");
}

/* What is locked stays as it is, and its bytes come from the store. */
static void test_locked(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f);
    SB_AUTO(sb_taken) result = NULL;
    sb_store *store = NULL;
    sb_digest digest;

    assert_refused(f, project, HEAD ENTRY(URL, ELSE, "4"), "locked already");
    assert_int_equal(sb_project_store(project, &store, NULL), 0);
    assert_int_equal(sb_store_put(store, SB_LIT("body"), &digest, NULL), 0);
    assert_int_equal(unlinkat(f->fd, "rec/objects/" BODY, 0), 0);
    result = taken(f, project, HEAD ENTRY(URL, BODY, "4"));
    assert_int_equal(result->manifest->count, 1);
    assert_true(in_cache(project, BODY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unfinished, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_forged, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_no_files, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_locked, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
