// SPDX-License-Identifier: Apache-2.0
/* Sealed RUN in the pinned Dockerfile, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/engine.h>
#include <builder/pin.h>

static const sb_engine_abilities modern = {
    .heredocs = true, .run_network = true, .frontends = true, .workdir_layer = true};
static const sb_engine_abilities old = {.tmpfs_private = true, .workdir_layer = true};

static sb_lock *lock;
static sb_slice base_shell[2];
static size_t base_shell_count;

static int lookup(void *ctx, sb_slice image, sb_slice platform, sb_df_image_config *ret_config,
                  sb_error **err)
{
    static const sb_slice triggers[] = {{"RUN make", 8}, {"RUN [\"make\", \"check\"]", 21}};

    (void)ctx;
    (void)platform;
    (void)err;
    *ret_config = (sb_df_image_config){.shell = base_shell, .shell_count = base_shell_count};
    if (sb_slice_starts(image, SB_LIT("onbuild"))) {
        ret_config->onbuild = triggers;
        ret_config->onbuild_count = 2;
    }
    return 1;
}

typedef struct pinned {
    sb_dockerfile *df;
    sb_plan *plan;
    sb_engine engine;
    sb_build_options options;
    sb_error *err;
} pinned;

static sb_slice cache_id(void *ctx, const sb_run_step *step, sb_arena *arena)
{
    (void)ctx;
    return sb_arena_printf(arena, "rec-%u", step->line);
}

static const sb_seal_record recording = {.cache_id = cache_id, .cold = {"cold-1", 6}};

/* As builder/seal.c does it, but for manifests of a store. */
static void seal(sb_plan *plan)
{
    sb_run_step *runs;

    assert_int_equal(sb_run_steps(plan->view, plan->arena, &runs, &plan->step_count, NULL), 0);
    plan->steps = sb_arena_array(plan->arena, sb_plan_step, plan->step_count + 1);
    for (size_t i = 0; i < plan->step_count; i++) {
        sb_plan_step *step = &plan->steps[i];

        step->run = runs[i];
        step->manifest = sb_step_manifest_new();
        step->mode = runs[i].network.len ? SB_STEP_OPEN : plan->record ? SB_STEP_RECORD : SB_STEP_REPLAY;
        step->networked = runs[i].network.len && !sb_slice_eqz(runs[i].network, "none");
        step->cache = sb_arena_printf(plan->arena, "rec-%u", runs[i].line);
    }
}

static pinned *pin(const char *text, const sb_engine_abilities *can, const sb_seal_record *record)
{
    sb_df_inputs inputs = {.lookup = lookup};
    pinned *p = sb_new(pinned);

    p->engine = (sb_engine){.name = SB_LIT("buildah"), .version = SB_LIT("1.28.2"), .can = *can};
    p->plan = sb_new(sb_plan);
    *p->plan = (sb_plan){.arena = sb_arena_new(),
                         .dirfd = -1,
                         .lock = lock,
                         .engine = &p->engine,
                         .options = &p->options,
                         .record = record,
                         .platform = SB_LIT("linux/amd64")};
    assert_int_equal(sb_df_parse(sb_slice_z(text), "Dockerfile", 0, &p->df, NULL), 0);
    assert_int_equal(sb_df_view_new(p->df, &inputs, &p->plan->view, NULL), 0);
    seal(p->plan);
    (void)sb_plan_pin(p->plan, &p->err);
    return p;
}

static void pinned_free(pinned *p)
{
    sb_plan_free(p->plan);
    sb_df_free(p->df);
    sb_error_free(p->err);
    free(p);
}
SB_DEFINE_CLEANUP(pinned, pinned_free)

/* "@N" stands for the mounts of step N in replay, "#N" for its directory. */
static void expand(const pinned *p, const char *text, sb_buf *out)
{
    for (; *text; text++) {
        const sb_plan_step *step;

        if ((*text != '@' && *text != '#') || text[1] < '0' || text[1] > '9') {
            sb_buf_addc(out, *text);
            continue;
        }
        step = &p->plan->steps[text[1] - '0'];
        if (*text == '#')
            sb_buf_printf(out, "%" SB_FMT, SB_ARG(step->directory));
        else
            sb_buf_printf(out,
                          "--mount=type=bind,from=sbuild-steps,source=program/amd64,target=/.sbuild-bin "
                          "--mount=type=bind,from=sbuild-steps,source=%" SB_FMT ",target=/.sbuild-step "
                          "--mount=type=tmpfs,target=/.sbuild-tmp%s "
                          "--mount=type=bind,from=sbuild-steps,source=%" SB_FMT
                          "/resolv.conf,target=/etc/resolv.conf",
                          SB_ARG(step->directory), p->engine.can.tmpfs_private ? ",tmpfs-mode=1777" : "",
                          SB_ARG(step->directory));
        text++;
    }
}

static void expect_as(const sb_engine_abilities *can, const sb_seal_record *record, const char *text,
                      const char *expected)
{
    SB_AUTO(pinned) p = pin(text, can, record);
    sb_autobuf wanted = SB_BUF_INIT(1 << 16);

    if (p->err)
        fail_msg("%s", p->err->message);
    expand(p, expected, &wanted);
    if (!sb_slice_eq(p->plan->dockerfile, sb_buf_slice(&wanted)))
        fail_msg("expected:\n%s\ngot:\n%.*s", wanted.data, (int)p->plan->dockerfile.len,
                 p->plan->dockerfile.ptr);
}

static void expect(const char *text, const char *expected)
{
    expect_as(&modern, NULL, text, expected);
}

static void expect_error(const sb_engine_abilities *can, const char *text, const char *part)
{
    SB_AUTO(pinned) p = pin(text, can, NULL);

    assert_non_null(p->err);
    if (!strstr(p->err->message, part))
        fail_msg("\"%s\" does not say \"%s\"", p->err->message, part);
}

#define SEALED_SH "SHELL [\"/.sbuild-bin/sbuild-step\",\"--\",\"/bin/sh\",\"-c\"]\n"
#define SH "\nSHELL [\"/bin/sh\",\"-c\"]"

static void test_shell_form(void **state)
{
    (void)state;
    expect("FROM scratch\nRUN make\n", "FROM scratch\n" SEALED_SH "RUN --network=none @0 make" SH "\n");
    expect("FROM scratch\n  run \\\n  # why\n  make && \\\r\n  x # y\r\nUSER 1\n",
           "FROM scratch\n  " SEALED_SH "run --network=none @0 \\\n  # why\n  make && \\\r\n  x # y" SH
           "\r\nUSER 1\n");
    expect("FROM scratch\nRUN <<EOF\na\nEOF",
           "FROM scratch\n" SEALED_SH "RUN --network=none @0 <<EOF\na\nEOF" SH);
}

static void test_exec_form(void **state)
{
    (void)state;
    expect("FROM scratch\nRUN [\"a\", \"b\"]\n",
           "FROM scratch\nRUN --network=none @0 [\"/.sbuild-bin/sbuild-step\",\"--\",\"a\", \"b\"]\n");
}

static void test_shell_in_force(void **state)
{
    (void)state;
    expect("FROM scratch\nSHELL [\"/bin/bash\", \"-c\"]\nRUN a\nFROM scratch\nCOPY --from=0 / /\n",
           "FROM scratch\nSHELL [\"/bin/bash\", \"-c\"]\n"
           "SHELL [\"/.sbuild-bin/sbuild-step\",\"--\",\"/bin/bash\",\"-c\"]\nRUN --network=none @0 a\n"
           "SHELL [\"/bin/bash\",\"-c\"]\nFROM scratch\nCOPY --from=0 / /\n");
    base_shell[0] = SB_LIT("/bin/ash");
    base_shell[1] = SB_LIT("-ec");
    base_shell_count = 2;
    lock->images[0].name = SB_LIT("docker.io/library/plain:1");
    expect_as(&old, NULL, "FROM plain:1\nRUN <<E\na\nE\n",
              "FROM docker.io/library/plain:1@sha256:"
              "0000000000000000000000000000000000000000000000000000000000000000\n"
              "RUN @0 [\"/.sbuild-bin/sbuild-step\",\"--\",\"/bin/ash\",\"-ec\",\"a\\n\"]\n");
    base_shell_count = 0;
}

static void test_triggers(void **state)
{
    (void)state;
    lock->images[0].name = SB_LIT("docker.io/library/onbuild:1");
    lock->images[0].onbuild_count = 2;
    expect("FROM onbuild:1\n",
           "FROM docker.io/library/onbuild:1@sha256:"
           "0000000000000000000000000000000000000000000000000000000000000000\n" SEALED_SH
           "RUN --network=none @0 make" SH
           "\nRUN --network=none @1 [\"/.sbuild-bin/sbuild-step\",\"--\",\"make\", \"check\"]\n");
    lock->images[0].onbuild_count = 0;
    /* One that stands in the file: the shell is the one that its stage ends with. */
    expect("FROM scratch AS a\nONBUILD RUN x\nSHELL [\"s\"]\nFROM a\n",
           "FROM scratch AS a\nONBUILD SHELL [\"/.sbuild-bin/sbuild-step\",\"--\",\"s\"]\n"
           "ONBUILD RUN --network=none @0 x\nONBUILD SHELL [\"s\"]\nSHELL [\"s\"]\nFROM a\n");
}

static void test_networks(void **state)
{
    (void)state;
    expect("FROM scratch\nRUN --network=default a\n",
           "FROM scratch\n" SEALED_SH
           "RUN --mount=type=bind,from=sbuild-steps,source=program/amd64,target=/.sbuild-bin "
           "--mount=type=bind,from=sbuild-steps,source=#0,target=/.sbuild-step "
           "--mount=type=tmpfs,target=/.sbuild-tmp --network=default a" SH "\n");
    expect_error(&old, "FROM scratch\nRUN --network=host a\n",
                 "Dockerfile:2: buildah 1.28.2 takes the network");
}

static void test_caches(void **state)
{
    sb_slice id;

    (void)state;
    assert_true(sb_pin_mount_cache(SB_LIT("type=cache,target=/c"), &id));
    assert_true(sb_slice_eqz(id, "/c"));
    assert_true(sb_pin_mount_cache(SB_LIT("\"target=/c\",id=x,TYPE=cache,\"id=y,z\""), &id));
    assert_true(sb_slice_eqz(id, "y,z"));
    assert_false(sb_pin_mount_cache(SB_LIT("type=bind,target=/c"), &id));
    assert_false(sb_pin_mount_cache(SB_LIT(""), &id));
    expect_as(&modern, &recording, "FROM scratch\nRUN --mount=type=cache,target=/c a\n",
              "FROM scratch\n" SEALED_SH
              "RUN @0 --mount=type=cache,id=rec-2,target=/.sbuild-rec,sharing=locked "
              "--mount=type=cache,target=/c,id=cold-1-/c a" SH "\n");
}

static void test_find(void **state)
{
    SB_AUTO(pinned) p = pin("FROM scratch\nRUN npm ci\nRUN npm run build\n", &modern, NULL);
    const sb_plan_step *steps = p->plan->steps;
    sb_error *err = NULL;
    size_t index = 9;

    (void)state;
    assert_int_equal(sb_seal_find("--o", "3", &steps->run, 2, sizeof(*steps), &index, NULL), 0);
    assert_int_equal(index, 1);
    assert_int_equal(sb_seal_find("--o", steps[0].run.id, &steps->run, 2, sizeof(*steps), &index, NULL), 0);
    assert_int_equal(index, 0);
    assert_int_equal(sb_seal_find("--o", "run build", &steps->run, 2, sizeof(*steps), &index, NULL), 0);
    assert_int_equal(index, 1);
    assert_int_equal(sb_seal_find("--o", "npm", &steps->run, 2, sizeof(*steps), &index, &err), -1);
    assert_non_null(
        strstr(err->message, "--o=npm means several RUN instructions; give the line of one (2, 3"));
    sb_error_free(err);
    err = NULL;
    assert_int_equal(sb_seal_find("--o", "4", &steps->run, 2, sizeof(*steps), &index, &err), -1);
    assert_int_equal(err->code, SB_ERR_USAGE);
    sb_error_free(err);
}

static int set_up(void **state)
{
    (void)state;
    lock = sb_lock_new();
    lock->images = sb_arena_array(lock->arena, sb_lock_image, 1);
    lock->image_count = 1;
    lock->images[0].name = SB_LIT("docker.io/library/unused:1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sb_lock_free(lock);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shell_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exec_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shell_in_force, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_triggers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_networks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_caches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_find, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
