// SPDX-License-Identifier: Apache-2.0
#include "lock_fixture.h"

#define INDEX "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static const char config[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"FROM_BASE="
                             "base\"],\"OnBuild\":[\"ADD "
                             "https://e.org/onbuild /\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

/* The config as an object of the store, and the lock that names it. */
static sb_lock *make_lock(sb_project *project)
{
    sb_lock *lock = NULL;
    sb_store *store = NULL;
    sb_digest digest;
    char text[SB_DIGEST_TEXT];
    sb_error *err = NULL;
    sb_autofree char *json = NULL;

    assert_int_equal(sb_project_store(project, &store, NULL), 0);
    assert_int_equal(sb_store_put(store, sb_slice_z(config), &digest, NULL), 0);
    sb_digest_format(&digest, text);
    json =
        sb_asprintf("{\"version\":1,\"dockerfile\":\"Dockerfile\",\"dockerfile-digest\":\"%s\",\"epoch\":1,"
                    "\"profiles\":[{\"args\":{\"V\":\"1\"},\"platforms\":[\"linux/amd64\"]}],"
                    "\"images\":[{\"ref\":\"base:${V}\",\"name\":\"docker.io/library/"
                    "base:1\",\"digest\":\"%s\",\"media-type\":"
                    "\"m\",\"where\":[\"FROM\"],\"platforms\":{\"linux/"
                    "amd64\":{\"config\":\"%s\",\"manifest\":\"%s\"}}}],"
                    "\"files\":[{\"url\":\"https://e.org/"
                    "onbuild\",\"digest\":\"%s\",\"size\":1,\"evidence\":[{\"kind\":\"tofu\"}]"
                    "},{\"url\":\"https://e.org/${FROM_BASE}\",\"expanded\":\"https://e.org/"
                    "base\",\"digest\":\"%s\",\"size\":1,"
                    "\"evidence\":[{\"kind\":\"tofu\"}]}]}",
                    INDEX, INDEX, text, OTHER, OTHER, OTHER);
    if (sb_lock_parse(sb_slice_z(json), "Dockerfile.lock", &lock, &err) < 0)
        fail_msg("%s", err->message);
    return lock;
}

typedef struct asked {
    const char *args[2]; /* key, value; NULL for none */
    const char *target;
    const char *platform; /* NULL: linux/amd64 */
} asked;

static int freeze(const fixture *f, const char *dockerfile, asked a, sb_df_view **ret_view,
                  sb_project **ret_project, sb_error **err)
{
    sb_df_var var = {sb_slice_z(a.args[0]), sb_slice_z(a.args[1])};
    sb_frozen_options options = {.build_args = &var,
                                 .build_arg_count = a.args[0] ? 1 : 0,
                                 .target = a.target,
                                 .platform = a.platform ? a.platform : "linux/amd64"};
    SB_AUTO(sb_lock) lock = NULL;

    put(f, "Dockerfile", dockerfile);
    *ret_project = open_project(f);
    lock = make_lock(*ret_project);
    return sb_frozen_view(*ret_project, lock, &options, ret_view, err);
}

static void assert_stale(const fixture *f, const char *dockerfile, asked a, const char *message)
{
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_df_view *view = NULL;

    assert_int_equal(freeze(f, dockerfile, a, &view, &project, &err), -1);
    assert_null(view);
    assert_string_equal(err->message, message);
    assert_int_equal(err->code, SB_ERR_STALE);
}

#define GOOD "ARG V=1\nFROM base:${V}\nADD https://e.org/${FROM_BASE} /x\n"

static void test_covered(void **state)
{
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    sb_error *err = NULL;
    bool from_base = false, trigger = false;

    if (freeze(*state, GOOD, (asked){.target = ""}, &view, &project, &err) < 0)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < view->ref_count; i++) {
        from_base = from_base || sb_slice_eqz(view->refs[i].expanded, "https://e.org/base");
        trigger = trigger || sb_slice_eqz(view->refs[i].expanded, "https://e.org/onbuild");
    }
    /* The environment of the base and its triggers come from the store. */
    assert_true(from_base);
    assert_true(trigger);
}

static void test_not_covered(void **state)
{
    assert_stale(*state, GOOD "ADD https://e.org/new /n\n", (asked){0},
                 "Dockerfile:4: ADD https://e.org/new is not in the lock; run \"sbuild lock\"");
    assert_stale(*state, GOOD "COPY --from=other /a /a\n", (asked){0},
                 "Dockerfile:4: COPY --from: other is not in the lock; run \"sbuild lock\"");
    assert_stale(*state, GOOD "RUN --mount=type=bind,from=other true\n", (asked){0},
                 "Dockerfile:4: RUN --mount: other is not in the lock; run \"sbuild lock\"");
    assert_stale(*state, "# syntax=docker/dockerfile:1\n" GOOD, (asked){0},
                 "Dockerfile:1: # syntax = docker/dockerfile:1 is not in the lock; run \"sbuild lock\"");
    assert_stale(*state, GOOD "ADD https://e.org/r.git#v1 /n\n", (asked){0},
                 "Dockerfile:4: ADD https://e.org/r.git#v1 is not in the lock; run \"sbuild lock\"");
}

static void test_arguments(void **state)
{
    assert_stale(
        *state, GOOD, (asked){.args = {"V", "2"}},
        "Dockerfile:2: FROM base:${V}: \"base:2\" (build argument V=2) is not in the lock; run \"sbuild "
        "lock --build-arg V=2\"");
    assert_stale(
        *state, GOOD, (asked){.args = {"V", "2 3"}},
        "Dockerfile:2: FROM base:${V}: \"base:2 3\" (build argument V=2 3) is not in the lock; run \"sbuild "
        "lock --build-arg V=…\"");
    {
        SB_AUTO(sb_project) project = NULL;
        SB_AUTO(sb_df_view) view = NULL;

        /* One that reaches nothing passes. */
        assert_int_equal(
            freeze(*state, GOOD "ARG OTHER\nRUN x\n", (asked){.args = {"OTHER", "7"}}, &view, &project, NULL),
            0);
    }
}

static void test_platform(void **state)
{
    assert_stale(*state, GOOD, (asked){.platform = "linux/s390x"},
                 "Dockerfile:2: FROM base:${V} is not locked for linux/s390x; run \"sbuild lock --platform "
                 "linux/amd64,linux/s390x\"");
}

static void test_target(void **state)
{
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    sb_error *err = NULL;

    /* What the target does not reach need not be locked. */
    if (freeze(*state, GOOD "FROM scratch AS first\nFROM other AS last\n", (asked){.target = "first"}, &view,
               &project, &err) < 0)
        fail_msg("%s", err->message);
    assert_stale(*state, GOOD "FROM other AS last\n", (asked){.target = "last"},
                 "Dockerfile:4: FROM other is not in the lock; run \"sbuild lock --target last\"");
}

static void test_demands(void **state)
{
    assert_stale(
        *state,
        "FROM scratch\n# sbuild: verify sha256=" /* as the lock has no such evidence */
        "3333333333333333333333333333333333333333333333333333333333333333\nADD https://e.org/onbuild /\n",
        (asked){0},
        "Dockerfile:3: https://e.org/onbuild: what must vouch for it is not what the lock was made with; run "
        "\"sbuild lock\"");
}

/* A lock that was edited: its evidence answers to the Dockerfile, its digest does not. */
static void test_contradiction(void **state)
{
    static const char three[] = "sha256:3333333333333333333333333333333333333333333333333333333333333333";
    sb_frozen_options options = {.platform = "linux/amd64"};
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_df_view *view = NULL;

    put(*state, "Dockerfile",
        "FROM scratch\nADD "
        "--checksum=sha256:3333333333333333333333333333333333333333333333333333333333333333 "
        "https://e.org/onbuild /\n");
    project = open_project(*state);
    lock = make_lock(project);
    for (size_t i = 0; i < lock->file_count; i++) {
        lock->files[i].evidence[0] =
            (sb_lock_evidence){.kind = SB_EVIDENCE_CHECKSUM, .checksum = sb_slice_z(three), .threshold = 1};
    }
    assert_int_equal(sb_frozen_view(project, lock, &options, &view, &err), -1);
    assert_int_equal(err->code, SB_ERR_VERIFY);
    assert_non_null(strstr(err->message, "is demanded, but " OTHER " is locked"));
    for (size_t i = 0; i < lock->file_count; i++)
        assert_int_equal(sb_digest_parse(sb_slice_z(three), &lock->files[i].digest, NULL), 0);
    assert_int_equal(sb_frozen_view(project, lock, &options, &view, NULL), 0);
    sb_df_view_free(view);
}

static void test_missing_config(void **state)
{
    const fixture *f = *state;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_frozen_options options = {.platform = "linux/amd64"};
    sb_df_view *view = NULL;

    put(f, "Dockerfile", GOOD);
    project = open_project(f);
    lock = make_lock(project);
    assert_int_equal(sb_remove_tree(f->fd, "sbuild.vendor/sha256", NULL), 0);
    assert_int_equal(sb_frozen_view(project, lock, &options, &view, &err), -1);
    assert_int_equal(err->code, SB_ERR_VERIFY);
    assert_non_null(strstr(err->message, "the config of docker.io/library/base:1"));
    assert_non_null(strstr(err->message, "run \"sbuild vendor\""));
}

static void test_host_platform(void **state)
{
    (void)state;
    assert_true(sb_slice_starts(sb_slice_z(sb_host_platform()), SB_LIT("linux/")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_covered),       TEST(test_not_covered),    TEST(test_arguments),
        TEST(test_platform),      TEST(test_target),         TEST(test_demands),
        TEST(test_contradiction), TEST(test_missing_config), TEST(test_host_platform),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
