// SPDX-License-Identifier: Apache-2.0
/* What sbuild lock does about RUN steps without any engine: it must need none as long as nothing is stale. */
#include "lock_fixture.h"

#include <builder/record.h>

/* The lock of a Dockerfile that needs nothing from the network. */
static void lock_plain(sb_project *project)
{
    sb_update_options options = {0};
    SB_AUTO(sb_update_report) report = NULL;
    sb_error *err = NULL;

    if (sb_lock_update(project, &options, &report, &err) < 0)
        fail_msg("%s", err->message);
}

static int record(sb_project *project, const sb_record_options *options, sb_record_report **ret_report,
                  sb_error **err)
{
    return sb_record(project, options, ret_report, err);
}

static void assert_needs_engine(sb_project *project, const sb_record_options *options)
{
    SB_AUTO(sb_error) err = NULL;
    sb_record_report *report = NULL;

    assert_int_equal(record(project, options, &report, &err), -1);
    assert_int_equal(err->code, SB_ERR_ENGINE);
}

static sb_record_report *recorded(sb_project *project, const sb_record_options *options)
{
    sb_record_report *report = NULL;
    sb_error *err = NULL;

    if (record(project, options, &report, &err) < 0)
        fail_msg("%s", err->message);
    return report;
}

static sb_project *begin(const fixture *f, const char *dockerfile)
{
    sb_project *project;

    /* There is no engine on this path. */
    setenv("PATH", f->dir, 1);
    unsetenv("SBUILD_ENGINE");
    put(f, "Dockerfile", dockerfile);
    project = open_project(f);
    lock_plain(project);
    return project;
}

static void put_record(const fixture *f, sb_project *project, const char *body)
{
    sb_record_options options = {0};
    sb_recorder r = {.project = project, .options = &options, .arena = sb_arena_new()};
    sb_error *err = NULL;

    (void)f;
    r.report = sb_new(sb_record_report);
    r.report->arena = sb_arena_new();
    if (sb_lock_load(project, &r.lock, &err) < 0 || sb_record_builds(&r, &err) < 0 ||
        sb_record_find_stale(&r, &err) < 0)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < r.recording_count; i++) {
        sb_recording *recording = &r.recordings[i];
        sb_step_request request = {
            .method = SB_LIT("GET"), .url = SB_LIT("https://e.org/a"), .status = 200, .has_content = true};
        const sb_lock_step *entry;
        sb_store *cache;

        if (!recording->sealed)
            continue;
        assert_int_equal(sb_project_cache(project, &cache, NULL), 0);
        assert_int_equal(sb_store_put(cache, sb_slice_z(body), &request.digest, NULL), 0);
        request.size = strlen(body);
        recording->manifest = sb_step_manifest_new();
        if (request.size)
            sb_step_manifest_add(recording->manifest, &request);
        if (sb_record_enter(&r, &recording, 1, &err) < 0)
            fail_msg("%s", err->message);
        recording->stale = false;
        entry = sb_lock_find_step(r.lock, &recording->run);
        assert_int_equal(
            sb_recorded_save(&recording->key, entry->has_manifest ? &entry->manifest : NULL, NULL), 0);
    }
    if (sb_record_finish_entries(&r, &err) < 0 || sb_record_save(&r, &err) < 0)
        fail_msg("%s", err->message);
    sb_record_builds_clear(&r);
    sb_lock_free(r.lock);
    sb_record_report_free(r.report);
    sb_arena_free(r.arena);
}

static void test_nothing_to_do(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f, "FROM scratch\nCOPY Dockerfile /\n");
    sb_record_options options = {0};
    SB_AUTO(sb_record_report) report = recorded(project, &options);

    assert_int_equal(report->count, 0);
    assert_false(report->written);
    assert_false(report->engine.ptr != NULL);
}

/* A step without a network needs no lock; one that keeps its own is named. */
static void test_networks(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project)
    project = begin(f, "FROM scratch\nRUN --network=none a\nRUN --network=host b\nRUN --network=default c\n");
    sb_record_options options = {0};
    SB_AUTO(sb_record_report) report = recorded(project, &options);
    SB_AUTO(sb_lock) lock = NULL;

    assert_int_equal(report->count, 2);
    assert_int_equal(report->warning_count, 2);
    assert_int_equal(report->warnings[0].line, 3);
    assert_int_equal(report->unlocked, 0);
    assert_true(report->written);
    assert_int_equal(sb_lock_load(project, &lock, NULL), 0);
    assert_int_equal(lock->step_count, 2);
    assert_true(lock->steps[0].network.len && lock->steps[1].network.len);
}

static void test_fresh(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f, "FROM scratch\nCOPY data /\nRUN a\nRUN b\n");
    SB_AUTO(sb_record_report) report = NULL;
    sb_record_options options = {0};
    sb_autofree char *object = NULL;

    assert_needs_engine(project, &options);
    put(f, "data", "1");
    put_record(f, project, "body");
    report = recorded(project, &options);
    assert_int_equal(report->count, 2);
    assert_int_equal(report->recorded, 0);
    assert_false(report->written || report->changes[0].changed);
    assert_true(sb_slice_eqz(report->changes[0].pinned, "1 request, 4 bytes"));
    assert_true(sb_slice_eqz(report->changes[0].name, "RUN a"));

    /* What it depends on. */
    put(f, "data", "2");
    assert_needs_engine(project, &options);
    put(f, "data", "1");
    sb_record_report_free(report);
    report = recorded(project, &options);

    /* A build has missed something of one step. */
    {
        char id[SB_STEP_ID_LEN + 1];
        const char *ids[] = {id};
        SB_AUTO(sb_lock) lock = NULL;

        assert_int_equal(sb_lock_load(project, &lock, NULL), 0);
        sb_step_id(lock->steps[0].stage, &lock->steps[0].text, lock->steps[0].nth, lock->steps[0].platform,
                   id);
        assert_int_equal(sb_record_note_missed(project, ids, 1, NULL), 0);
        assert_int_equal(sb_record_note_missed(project, ids, 1, NULL), 0);
        assert_needs_engine(project, &options);
        assert_int_equal(unlinkat(f->fd, ".sbuild/missed", 0), 0);
    }

    /* An object is gone from the repository. */
    object =
        sb_asprintf("sbuild.vendor/sha256/23/230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31ac"
                    "b5");
    assert_int_equal(unlinkat(f->fd, object, 0), 0);
    assert_needs_engine(project, &options);
}

static void test_update(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = begin(f, "FROM scratch\nRUN make one\nRUN make two\n");
    const char *names[] = {NULL, NULL};
    sb_record_options options = {.update = names}, all = {.update_all = true};
    sb_record_report *report = NULL;

    put_record(f, project, "body");
    names[0] = "two";
    assert_needs_engine(project, &options);
    names[0] = "2";
    assert_needs_engine(project, &options);
    assert_needs_engine(project, &all);
    for (size_t i = 0; i < 2; i++) {
        SB_AUTO(sb_error) err = NULL;

        names[0] = i ? "three" : "make";
        assert_int_equal(record(project, &options, &report, &err), -1);
        assert_int_equal(err->code, SB_ERR_USAGE);
        assert_non_null(strstr(err->message, i ? "no RUN" : "several"));
    }
    {
        SB_AUTO(sb_error) err = NULL;

        options.no_run = true;
        assert_int_equal(record(project, &options, &report, &err), -1);
        assert_int_equal(err->code, SB_ERR_USAGE);
    }
}

/* The lock keeps what the old text had until the new one is recorded. */
static void test_edited(void **state)
{
    const fixture *f = *state;
    sb_record_options options = {0}, no_run = {.no_run = true};
    SB_AUTO(sb_project) project = begin(f, "FROM scratch\nRUN a\n");
    SB_AUTO(sb_project) edited = NULL;
    SB_AUTO(sb_record_report) report = NULL;
    SB_AUTO(sb_lock) before = NULL;
    SB_AUTO(sb_lock) after = NULL;

    put_record(f, project, "body");
    put(f, "Dockerfile", "FROM scratch\nRUN b\n");
    edited = open_project(f);
    lock_plain(edited);
    assert_needs_engine(edited, &options);
    assert_int_equal(sb_lock_load(edited, &before, NULL), 0);
    assert_int_equal(before->step_count, 1);
    report = recorded(edited, &no_run);
    assert_int_equal(report->unlocked, 1);
    put_record(f, edited, "");
    assert_int_equal(sb_lock_load(edited, &after, NULL), 0);
    assert_int_equal(after->step_count, 1);
    assert_int_equal(after->steps[0].requests, 0);
    assert_true(sb_slice_eqz(after->steps[0].command, "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_to_do, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_networks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_fresh, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_update, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_edited, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
