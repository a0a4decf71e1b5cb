// SPDX-License-Identifier: Apache-2.0
#include "lock_fixture.h"

typedef struct listed {
    sb_dockerfile *df;
    sb_df_view *view;
    sb_arena *arena;
    sb_run_step *steps;
    size_t count;
} listed;

static const sb_slice triggers[] = {{"RUN --network=none  make   deps", 31}, {"COPY . .", 8}};

static int lookup(void *ctx, sb_slice image, sb_slice platform, sb_df_image_config *ret_config,
                  sb_error **err)
{
    (void)ctx, (void)platform, (void)err;
    if (!sb_slice_eqz(image, "triggers"))
        return 0;
    *ret_config = (sb_df_image_config){.onbuild = triggers, .onbuild_count = SB_COUNT(triggers)};
    return 1;
}

static listed list_for(const char *text, const char *target, const char *context, const char *platform)
{
    const char *contexts[] = {context};
    sb_df_inputs inputs = {.target = target,
                           .target_platform = platform,
                           .contexts = contexts,
                           .context_count = context ? 1 : 0,
                           .lookup = lookup};
    listed l = {.arena = sb_arena_new()};
    sb_error *err = NULL;

    if (sb_df_parse(sb_slice_z(text), "Dockerfile", 0, &l.df, &err) < 0 ||
        sb_df_view_new(l.df, &inputs, &l.view, &err) < 0 ||
        sb_run_steps(l.view, l.arena, &l.steps, &l.count, &err) < 0)
        fail_msg("%s", err->message);
    return l;
}

static listed list(const char *text)
{
    return list_for(text, NULL, NULL, NULL);
}

static void unlist(listed *l)
{
    sb_df_view_free(l->view);
    sb_df_free(l->df);
    sb_arena_free(l->arena);
}

static void assert_text(const listed *l, size_t i, const char *text)
{
    if (i >= l->count || !sb_slice_eqz(l->steps[i].text, text))
        fail_msg("%zu is \"%.*s\", not \"%s\"", i, i < l->count ? (int)l->steps[i].text.len : 0,
                 i < l->count ? l->steps[i].text.ptr : "", text);
}

static void test_texts(void **state)
{
    listed l = list("FROM scratch AS One\n"
                    "RUN --mount=type=cache,target=/c --network=host  a \\\n  # why\n  b\n"
                    "RUN [\"a\", \"b\"]\n"
                    "RUN <<EOF sh\r\nx\r\n\ty\nEOF\n"
                    "RUN cat <<A <<-B\n1\nA\n\t2\n\tB\n");

    (void)state;
    assert_int_equal(l.count, 4);
    assert_text(&l, 0, "a   b");
    assert_text(&l, 1, "[\"a\", \"b\"]");
    assert_text(&l, 2, "<<EOF sh\nx\n\ty\nEOF");
    assert_true(sb_slice_starts(l.steps[3].text, SB_LIT("cat <<A <<-B\n1\nA\n")));
    assert_true(sb_slice_eqz(l.steps[0].network, "host"));
    assert_null(l.steps[1].network.ptr);
    assert_true(sb_slice_eqz(l.steps[0].stage_name, "one"));
    assert_true(sb_slice_eqz(l.steps[0].platform, "linux/amd64"));
    assert_int_equal(l.steps[0].line, 2);
    assert_int_equal(l.steps[0].trigger, -1);
    assert_true(sb_slice_eqz(l.steps[0].label, "RUN a b"));
    assert_true(sb_slice_eqz(l.steps[2].label, "RUN <<EOF sh x y"));
    assert_int_equal(strlen(l.steps[0].id), SB_STEP_ID_LEN);
    unlist(&l);
}

static void test_label(void **state)
{
    listed l = list("FROM scratch\nRUN echo 12345678901234567890123456789012345678901234567ää more\n"
                    "RUN printf '\x1b[31m'\n");

    (void)state;
    assert_true(l.steps[0].label.len <= 60);
    assert_true(sb_slice_eqz(l.steps[0].label, "RUN echo 12345678901234567890123456789012345678901234567…"));
    assert_true(sb_slice_find(l.steps[1].label, SB_LIT("\x1b")) < 0);
    unlist(&l);
}

/* What a step is does not change when others come and go. */
static void test_stable(void **state)
{
    listed a = list("FROM scratch AS x\nRUN one\nRUN two\n");
    listed b = list("# a comment\nFROM busybox AS y\nRUN one\n\nFROM scratch AS X\nENV A=1\nRUN new\n"
                    "RUN --mount=type=cache,target=/c \\\n  two\nCOPY --from=y / /\nRUN one\n");

    (void)state;
    assert_int_equal(b.count, 4);
    assert_string_equal(a.steps[0].id, b.steps[3].id);
    assert_string_equal(a.steps[1].id, b.steps[2].id);
    /* The same text in another stage is another step. */
    assert_string_not_equal(a.steps[0].id, b.steps[0].id);
    unlist(&a);
    unlist(&b);
}

static void test_platforms(void **state)
{
    const char *text = "FROM --platform=$BUILDPLATFORM alpine AS tools\nRUN a\nFROM tools AS more\nRUN a\n"
                       "FROM alpine\nRUN a\nCOPY --from=more / /\n";
    listed amd = list(text), arm = list_for(text, NULL, NULL, "linux/arm64");

    (void)state;
    assert_int_equal(arm.count, 3);
    assert_true(sb_slice_eqz(arm.steps[0].platform, "linux/amd64"));
    assert_true(sb_slice_eqz(arm.steps[1].platform, "linux/amd64"));
    assert_true(sb_slice_eqz(arm.steps[2].platform, "linux/arm64"));
    assert_string_equal(amd.steps[1].id, arm.steps[1].id);
    assert_string_not_equal(amd.steps[2].id, arm.steps[2].id);
    unlist(&amd);
    unlist(&arm);
}

/* Equal ones are told apart by number, which does not depend on the target. */
static void test_numbers(void **state)
{
    const char *text =
        "FROM scratch\nRUN a\nRUN a\nFROM scratch AS x\nRUN a\nFROM scratch\nRUN a\nFROM scratch AS t\n";
    listed none = list(text);
    listed last = list_for("FROM scratch\nRUN a\nRUN a\nFROM scratch AS x\nRUN a\nFROM scratch\nRUN a\n",
                           NULL, NULL, NULL);
    listed x = list_for(text, "x", NULL, NULL);

    (void)state;
    assert_int_equal(none.count, 0);
    assert_int_equal(last.count, 1);
    assert_int_equal(last.steps[0].nth, 2);
    assert_int_equal(last.steps[0].stage, 2);
    assert_int_equal(x.count, 1);
    assert_int_equal(x.steps[0].nth, 0);
    unlist(&none);
    unlist(&last);
    unlist(&x);
}

static void test_triggers(void **state)
{
    listed l = list("FROM triggers AS base\nONBUILD RUN own\nONBUILD COPY a b\nRUN here\n"
                    "FROM base AS one\nRUN last\nFROM base AS two\nCOPY --from=one / /\n");

    (void)state;
    assert_int_equal(l.count, 5);
    assert_text(&l, 0, "make   deps");
    assert_int_equal(l.steps[0].trigger, 0);
    assert_int_equal(l.steps[0].stage, 0);
    assert_int_equal(l.steps[0].line, 1);
    assert_true(sb_slice_eqz(l.steps[0].network, "none"));
    assert_text(&l, 1, "here");
    assert_text(&l, 2, "own");
    assert_int_equal(l.steps[2].stage, 1);
    assert_int_equal(l.steps[2].trigger, -1);
    assert_ptr_equal(l.steps[2].instruction, l.df->instructions[1].trigger);
    assert_text(&l, 3, "last");
    assert_text(&l, 4, "own");
    assert_int_equal(l.steps[4].stage, 2);
    assert_string_not_equal(l.steps[2].id, l.steps[4].id);
    unlist(&l);
}

static void test_contexts(void **state)
{
    listed l = list_for("FROM scratch AS dep\nONBUILD RUN own\nRUN a\nFROM dep\nRUN b\n", NULL, "dep", NULL);

    (void)state;
    assert_int_equal(l.count, 1);
    assert_text(&l, 0, "b");
    unlist(&l);
}

/* --- What is locked for them --- */

static sb_digest store_text(sb_project *project, const char *text)
{
    sb_store *store = NULL;
    sb_digest digest;

    assert_int_equal(sb_project_store(project, &store, NULL), 0);
    assert_int_equal(sb_store_put(store, sb_slice_z(text), &digest, NULL), 0);
    return digest;
}

#define BODY(c) "sha256:" c "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE(c, url)                                                                                         \
    "{\"digest\":\"" BODY(c) "\",\"method\":\"GET\",\"size\":1,\"status\":200,\"url\":\"" url "\"}\n"

static sb_lock_step *add_step(sb_lock *lock, const sb_run_step *step, sb_project *project, const char *lines)
{
    sb_autofree char *text = sb_asprintf("{\"version\":1}\n%s", lines);
    sb_lock_step *steps = sb_arena_array(lock->arena, sb_lock_step, lock->step_count + 1);

    for (size_t i = 0; i < lock->step_count; i++)
        steps[i] = lock->steps[i];
    steps[lock->step_count] = sb_lock_step_of(lock, step);
    steps[lock->step_count].manifest = store_text(project, text);
    steps[lock->step_count].has_manifest = true;
    lock->steps = steps;
    return &steps[lock->step_count++];
}

static sb_step_manifest *manifest_of(sb_project *project, const sb_lock *lock, const listed *l, size_t i)
{
    sb_step_manifest *manifest = NULL;
    sb_error *err = NULL;

    if (sb_lock_step_manifest(project, lock, l->steps, l->count, i, &manifest, &err) < 0)
        fail_msg("%s", err->message);
    return manifest;
}

static void test_manifests(void **state)
{
    listed before =
        list("FROM scratch AS s\nRUN one\nRUN two\nRUN three\nFROM scratch AS t\nRUN x\nCOPY --from=s / /\n");
    listed after =
        list("FROM scratch AS s\nRUN one\nRUN 2\nRUN three\nFROM scratch AS t\nRUN y\nCOPY --from=s / /\n");
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_project) project = NULL;
    sb_step_manifest *m;

    put(*state, "Dockerfile", "FROM scratch\n");
    project = open_project(*state);
    assert_null(sb_lock_find_step(lock, &before.steps[0]));
    m = manifest_of(project, lock, &before, 0);
    assert_int_equal(m->count, 0);
    sb_step_manifest_free(m);

    add_step(lock, &before.steps[0], project, LINE("0", "https://e.org/1"));
    add_step(lock, &before.steps[1], project, LINE("0", "https://e.org/2") LINE("1", "https://e.org/both"));
    add_step(lock, &before.steps[2], project, LINE("2", "https://e.org/3"))->has_manifest = false;
    add_step(lock, &before.steps[3], project, LINE("3", "https://e.org/4"));
    assert_true(sb_slice_eqz(lock->steps[0].command, "one"));
    assert_ptr_equal(sb_lock_find_step(lock, &after.steps[0]), &lock->steps[0]);
    assert_null(sb_lock_find_step(lock, &after.steps[1]));

    m = manifest_of(project, lock, &after, 0);
    assert_int_equal(m->count, 1);
    assert_true(sb_slice_eqz(m->requests[0].url, "https://e.org/1"));
    sb_step_manifest_free(m);
    /* Asked for nothing, and says so: nobody else's answers. */
    m = manifest_of(project, lock, &after, 2);
    assert_int_equal(m->count, 0);
    sb_step_manifest_free(m);
    /* An edited step has what the step had that is gone, of its own stage. */
    m = manifest_of(project, lock, &after, 1);
    assert_int_equal(m->count, 2);
    assert_true(sb_slice_eqz(m->requests[0].url, "https://e.org/2"));
    sb_step_manifest_free(m);
    m = manifest_of(project, lock, &after, 3);
    assert_int_equal(m->count, 1);
    assert_true(sb_slice_eqz(m->requests[0].url, "https://e.org/4"));
    sb_step_manifest_free(m);
    unlist(&before);
    unlist(&after);
}

/* Two steps were answered differently: the edited one gets one after the other. */
static void test_merged_turns(void **state)
{
    listed before = list("FROM scratch\nRUN one\nRUN two\nRUN three\n"),
           after = list("FROM scratch\nRUN new\n");
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_project) project = NULL;
    sb_step_manifest *m;

    put(*state, "Dockerfile", "FROM scratch\n");
    project = open_project(*state);
    add_step(lock, &before.steps[0], project, LINE("0", "https://e.org/"));
    add_step(lock, &before.steps[1], project, LINE("1", "https://e.org/"));
    add_step(lock, &before.steps[2], project, LINE("0", "https://e.org/"));
    m = manifest_of(project, lock, &after, 0);
    assert_int_equal(m->count, 2);
    assert_int_equal(m->requests[0].turn, 0);
    assert_int_equal(m->requests[1].turn, 1);
    assert_int_equal(m->requests[1].digest.bytes[0], 0x11);
    sb_step_manifest_free(m);
    unlist(&before);
    unlist(&after);
}

static void test_damaged(void **state)
{
    listed l = list("FROM scratch\nRUN one\n");
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_error) gone = NULL;
    sb_step_manifest *m = NULL;

    put(*state, "Dockerfile", "FROM scratch\n");
    project = open_project(*state);
    add_step(lock, &l.steps[0], project, "nonsense\n");
    assert_int_equal(sb_lock_step_manifest(project, lock, l.steps, l.count, 0, &m, &err), -1);
    assert_int_equal(err->code, SB_ERR_PARSE);
    lock->steps[0].manifest.bytes[0] ^= 1;
    assert_int_equal(sb_lock_step_manifest(project, lock, l.steps, l.count, 0, &m, &gone), -1);
    assert_int_equal(gone->code, SB_ERR_VERIFY);
    assert_non_null(strstr(gone->message, "\"RUN one\" (line 2) is in the lock"));
    assert_non_null(strstr(gone->message, l.steps[0].id));
    assert_null(m);
    unlist(&l);
}

static void test_drop_stages(void **state)
{
    listed l = list("FROM scratch AS gone\nRUN one\nFROM scratch AS Stays\nRUN two\nCOPY --from=gone / /\n");
    listed now = list("FROM scratch AS stays\nRUN else\n");
    SB_AUTO(sb_lock) lock = sb_lock_new();
    sb_lock_step steps[2];
    sb_slice first[] = {sb_slice_z(l.steps[0].id)};
    sb_slice both[] = {sb_slice_z(l.steps[0].id), sb_slice_z(l.steps[1].id)};
    sb_lock_package packages[] = {{.purl = SB_LIT("pkg:a"), .steps = first, .step_count = 1},
                                  {.purl = SB_LIT("pkg:b"), .steps = both, .step_count = 2}};

    (void)state;
    steps[0] = sb_lock_step_of(lock, &l.steps[0]);
    steps[1] = sb_lock_step_of(lock, &l.steps[1]);
    lock->steps = steps;
    lock->step_count = 2;
    lock->packages = packages;
    lock->package_count = 2;
    sb_lock_drop_stages(lock, l.df);
    assert_int_equal(lock->step_count, 2);
    assert_int_equal(lock->package_count, 2);
    sb_lock_drop_stages(lock, now.df);
    assert_int_equal(lock->step_count, 1);
    assert_true(sb_slice_eqz(lock->steps[0].command, "two"));
    assert_int_equal(lock->package_count, 1);
    assert_int_equal(lock->packages[0].step_count, 1);
    assert_true(sb_slice_eqz(lock->packages[0].steps[0], l.steps[1].id));
    unlist(&l);
    unlist(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_stable),
        cmocka_unit_test(test_platforms),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_contexts),
        cmocka_unit_test_setup_teardown(test_manifests, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_merged_turns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_drop_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
