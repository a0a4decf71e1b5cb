// SPDX-License-Identifier: Apache-2.0
/* The pinned Dockerfile, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/engine.h>

#include <stdio.h>

#define DIGEST "sha256:c75454f8c8d91d324eab52e5d2202809f68dfec0cf9ef0a75438fc86929413c2"
#define NODE "docker.io/library/node:20.19.4@" DIGEST
#define BUSYBOX "docker.io/library/busybox:1.35.0@" DIGEST
#define APP "registry.example.org:5000/team/app:1@" DIGEST

static sb_lock *lock;
static sb_slice triggers[2];
static size_t trigger_count;
static sb_df_var argument; /* --build-arg; none without a key */

static const sb_engine_abilities everything = {
    .heredocs = true,
    .run_network = true,
    .copy_link = true,
    .copy_exclude = true,
    .copy_parents = true,
    .add_unpack = true,
    .frontends = true,
    .workdir_layer = true,
};
static const sb_engine_abilities nothing;

static void add_image(const char *ref, const char *name, const char *version)
{
    sb_lock_image *image;

    image = &lock->images[lock->image_count++];
    *image = (sb_lock_image){
        .ref = sb_slice_z(ref),
        .name = sb_slice_z(name),
        .version = version ? sb_slice_z(version) : SB_NIL,
    };
    assert_int_equal(sb_digest_parse(SB_LIT(DIGEST), &image->digest, NULL), 0);
}

static void add_file(const char *url)
{
    lock->files[lock->file_count++] = (sb_lock_file){.url = sb_slice_z(url), .expanded = sb_slice_z(url)};
}

static int lookup(void *ctx, sb_slice image, sb_slice platform, sb_df_image_config *ret_config,
                  sb_error **err)
{
    (void)ctx;
    (void)platform;
    (void)err;
    *ret_config = (sb_df_image_config){0};
    if (sb_slice_eqz(image, "onbuild:1")) {
        ret_config->onbuild = triggers;
        ret_config->onbuild_count = trigger_count;
    }
    return 1;
}

typedef struct pinned {
    sb_dockerfile *df;
    sb_plan *plan;
    sb_error *err;
} pinned;

static pinned *pin_on(const char *text, const sb_engine_abilities *can, bool offline)
{
    static sb_engine engine;
    static sb_build_options options;
    sb_df_inputs inputs = {
        .lookup = lookup, .build_args = &argument, .build_arg_count = argument.key.len > 0};
    pinned *p = sb_new(pinned);

    engine = (sb_engine){.name = SB_LIT("buildah"), .version = SB_LIT("1.28.2"), .can = *can};
    options = (sb_build_options){
        .offline = offline, .build_args = &argument, .build_arg_count = argument.key.len > 0};
    p->plan = sb_new(sb_plan);
    p->plan->arena = sb_arena_new();
    p->plan->dirfd = -1;
    p->plan->lock = lock;
    p->plan->engine = &engine;
    p->plan->options = &options;
    p->plan->platform = SB_LIT("linux/amd64");
    if (sb_df_parse(sb_slice_z(text), "Dockerfile", 0, &p->df, &p->err) < 0 ||
        sb_df_view_new(p->df, &inputs, &p->plan->view, &p->err) < 0)
        fail_msg("%s", p->err->message);
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

static void expect_on(const sb_engine_abilities *can, const char *text, const char *expected)
{
    SB_AUTO(pinned) p = pin_on(text, can, false);

    if (p->err)
        fail_msg("%s", p->err->message);
    if (!sb_slice_eqz(p->plan->dockerfile, expected))
        fail_msg("expected:\n%s\ngot:\n%.*s", expected, (int)p->plan->dockerfile.len,
                 p->plan->dockerfile.ptr);
}

static void expect(const char *text, const char *expected)
{
    expect_on(&everything, text, expected);
}

static void expect_error(const sb_engine_abilities *can, const char *text, const char *part)
{
    SB_AUTO(pinned) p = pin_on(text, can, false);

    assert_non_null(p->err);
    if (!strstr(p->err->message, part))
        fail_msg("\"%s\" does not say \"%s\"", p->err->message, part);
}

static void test_from(void **state)
{
    (void)state;
    expect("FROM node:20\n", "FROM " NODE "\n");
    expect("FROM node:20 AS build\nFROM build\n", "FROM " NODE " AS build\nFROM build\n");
    expect("from  --platform=linux/amd64 \\\n  node:20\t \n",
           "from  --platform=linux/amd64 \\\n  " NODE "\t \n");
    expect("FROM scratch\n", "FROM scratch\n");
    expect("FROM registry.example.org:5000/team/app:1", "FROM " APP);
}

static void test_everything_else_is_untouched(void **state)
{
    (void)state;
    expect(
        "\xef\xbb\xbf# a comment\r\nFROM node:20\r\n\r\nRUN a \\\r\n\r\n  b\r\nCOPY --from=node:20 /a /b\r\n",
        "\xef\xbb\xbf# a comment\r\nFROM " NODE "\r\n\r\nRUN a \\\r\n\r\n  b\r\nCOPY --from=" NODE
        " /a /b\r\n");
}

static void test_variables(void **state)
{
    (void)state;
    expect("ARG V=20\nFROM node:${V}\n", "ARG V=20\nFROM " NODE "\n");
    expect("ARG V=20\nFROM \"node:$V\" AS x\n", "ARG V=20\nFROM " NODE " AS x\n");
}

static void test_images_of_other_instructions(void **state)
{
    (void)state;
    expect("FROM scratch\nCOPY --from=busybox:1.35 /a /b\n", "FROM scratch\nCOPY --from=" BUSYBOX " /a /b\n");
    expect("FROM scratch\nCOPY --chown=1 --from=\"busybox:1.35\" /a /b\n",
           "FROM scratch\nCOPY --chown=1 --from=" BUSYBOX " /a /b\n");
    expect("FROM node:20\nRUN --mount=type=bind,from=busybox:1.35,target=/x ls /x\n",
           "FROM " NODE "\nRUN --mount=type=bind,from=" BUSYBOX ",target=/x ls /x\n");
    expect("FROM node:20 AS a\nFROM a\nCOPY --from=a /a /b\nCOPY --from=0 /a /b\n",
           "FROM " NODE " AS a\nFROM a\nCOPY --from=a /a /b\nCOPY --from=0 /a /b\n");
}

static void test_one_image_is_planned_once(void **state)
{
    SB_AUTO(pinned)
    p = pin_on("FROM node:20\nCOPY --from=node:20 /a /b\nCOPY --from=busybox:1.35 /c /d\n", &everything,
               false);

    (void)state;
    assert_null(p->err);
    assert_int_equal(p->plan->image_count, 2);
    assert_true(sb_slice_eqz(p->plan->images[0].text, NODE));
    assert_true(sb_slice_eqz(p->plan->images[1].text, BUSYBOX));
}

static void test_unreachable_stages_stay(void **state)
{
    (void)state;
    expect("FROM unknown:1 AS unused\nADD https://example.org/unknown /\nFROM node:20\n",
           "FROM unknown:1 AS unused\nADD https://example.org/unknown /\nFROM " NODE "\n");
}

static void test_not_locked(void **state)
{
    (void)state;
    expect_error(&everything, "FROM unknown:1\n", "Dockerfile:1: unknown:1 is not in the lock");
    expect_error(&everything, "FROM node:20\nADD https://example.org/unknown /\n", "Dockerfile:2");
}

static void test_syntax(void **state)
{
    SB_AUTO(pinned) offline = pin_on("# syntax=example.org/frontend:1\nFROM node:20\n", &everything, true);

    (void)state;
    expect("# syntax=docker/dockerfile:1\nFROM node:20\n", "#\nFROM " NODE "\n");
    expect("#syntax=docker/dockerfile:1\r\n# escape=`\r\nFROM node:20\r\n",
           "# escape=`\r\nFROM " NODE "\r\n");
    expect("# syntax=example.org/frontend:1\nFROM node:20\n",
           "# syntax=example.org/frontend:1@" DIGEST "\nFROM " NODE "\n");
    expect_on(&nothing, "# syntax=docker/dockerfile:1\nFROM node:20\n",
              "# syntax=docker/dockerfile:1\nFROM " NODE "\n");
    assert_non_null(offline->err);
    assert_int_equal(offline->err->code, SB_ERR_ENGINE);
}

static void test_frontend_that_knows_more(void **state)
{
    sb_engine_abilities can = everything;

    (void)state;
    can.copy_parents = false;
    expect_on(&can, "# syntax=docker/dockerfile:1\nFROM node:20\nCOPY --parents a /\n",
              "# syntax=docker.io/docker/dockerfile:1@" DIGEST "\nFROM " NODE "\nCOPY --parents a /\n");
    expect_error(&can, "FROM node:20\nCOPY --parents a /\n", "--parents");
}

static void test_add_url(void **state)
{
    SB_AUTO(pinned) p = pin_on("FROM scratch\nADD https://example.org/a.tgz /x/\n", &everything, false);

    (void)state;
    assert_null(p->err);
    assert_int_equal(p->plan->context_count, 1);
    assert_int_equal(p->plan->contexts[0].kind, SB_CONTEXT_FILE);
    assert_true(sb_slice_eqz(p->plan->contexts[0].file_name, "a.tgz"));
    expect("FROM scratch\nADD https://example.org/a.tgz /x/\n",
           "FROM scratch\nCOPY --from=sbuild-add-1 /a.tgz /x/\n");
    expect("FROM scratch\nADD --checksum=" DIGEST
           " --chown=1:2 --chmod=755 --link https://example.org/a.tgz /x\n",
           "FROM scratch\nCOPY --from=sbuild-add-1 --chown=1:2 --chmod=755 --link /a.tgz /x\n");
    expect("FROM scratch\nADD [\"https://example.org/a.tgz\", \"/x y/\"]\n",
           "FROM scratch\nCOPY --from=sbuild-add-1 [\"/a.tgz\", \"/x y/\"]\n");
    expect("FROM scratch\nENV D=/d\nADD https://example.org/a.tgz $D/\nRUN x\n",
           "FROM scratch\nENV D=/d\nCOPY --from=sbuild-add-1 /a.tgz $D/\nRUN x\n");
}

static void test_add_of_several_sources_is_split_in_order(void **state)
{
    (void)state;
    expect("FROM scratch\nADD one two https://example.org/a.tgz three https://example.org/b /d/\n",
           "FROM scratch\nADD one two /d/\nCOPY --from=sbuild-add-1 /a.tgz /d/\nADD three /d/\n"
           "COPY --from=sbuild-add-2 /b /d/\n");
}

static void test_add_names_that_need_quotes(void **state)
{
    (void)state;
    expect("FROM scratch\nADD https://example.org/a%5B1%5D$.x /d/\n",
           "FROM scratch\nCOPY --from=sbuild-add-1 [\"/a\\\\\\\\[1]\\\\$.x\", \"/d/\"]\n");
}

static void test_add_unpack(void **state)
{
    SB_AUTO(pinned)
    p = pin_on("FROM scratch\nADD --unpack https://example.org/a.tgz /x/\n", &everything, false);

    (void)state;
    assert_null(p->err);
    assert_int_equal(p->plan->contexts[0].kind, SB_CONTEXT_UNPACK);
    assert_true(sb_slice_eqz(p->plan->dockerfile, "FROM scratch\nCOPY --from=sbuild-add-1 /tree/ /x/\n"));
}

static void test_add_git(void **state)
{
    SB_AUTO(pinned)
    p = pin_on("FROM scratch\nADD --keep-git-dir=true https://example.org/r.git#v1 /src\n", &everything,
               false);

    (void)state;
    if (p->err)
        fail_msg("%s", p->err->message);
    assert_int_equal(p->plan->contexts[0].kind, SB_CONTEXT_GIT);
    assert_true(sb_slice_eqz(p->plan->dockerfile, "FROM scratch\nCOPY --from=sbuild-add-1 /tree/ /src\n"));
}

static void test_triggers(void **state)
{
    SB_AUTO(pinned) p = NULL;

    (void)state;
    triggers[0] = SB_LIT("COPY --from=busybox:1.35 /a /b");
    triggers[1] = SB_LIT("ADD https://example.org/a.tgz /x/");
    trigger_count = 2;
    lock->images[2].onbuild = triggers;
    lock->images[2].onbuild_count = trigger_count;
    p = pin_on("FROM onbuild:1 AS x\r\nRUN y\r\n", &everything, false);
    if (p->err)
        fail_msg("%s", p->err->message);
    assert_true(sb_slice_eqz(p->plan->dockerfile,
                             "FROM docker.io/library/onbuild:1@" DIGEST " AS x\nCOPY --from=" BUSYBOX
                             " /a /b\nCOPY --from=sbuild-add-1 /a.tgz /x/\r\nRUN y\r\n"));
    assert_int_equal(p->plan->image_count, 2);
    assert_true(p->plan->images[0].strip);
    assert_false(p->plan->images[1].strip);
}

static void set_trigger(const char *text)
{
    triggers[0] = sb_slice_z(text);
    trigger_count = 1;
    lock->images[2].onbuild = triggers;
    lock->images[2].onbuild_count = trigger_count;
}

/* It would take the next line of the file into itself. */
static void test_triggers_that_go_on(void **state)
{
    static const char *const open_ended[] = {"RUN a \\", "RUN a \\ \t", "RUN a \\\n# comment",
                                             "RUN a \\\n\n"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(open_ended); i++) {
        set_trigger(open_ended[i]);
        expect_error(&everything, "FROM onbuild:1\nUSER 1\n", "ends in a continuation");
    }
    set_trigger("RUN a \\\n b");
    expect("FROM onbuild:1\nUSER 1\n", "FROM docker.io/library/onbuild:1@" DIGEST "\nRUN a \\\n b\nUSER 1\n");
}

/* The lock names versions; it does not write instructions. */
static void test_lock_cannot_write_instructions(void **state)
{
    sb_slice evil = SB_LIT("RUN evil");

    (void)state;
    lock->images[0].version = SB_LIT("20\nRUN evil\nFROM x:1");
    expect_error(&everything, "FROM node:20\n", "the lock's entry of node:20");
    expect_error(&everything, "FROM scratch\nCOPY --from=node:20 /a /b\n", "the lock's entry of node:20");
    set_trigger("RUN good");
    lock->images[2].onbuild = &evil;
    expect("FROM onbuild:1\n", "FROM docker.io/library/onbuild:1@" DIGEST "\nRUN good\n");
}

static void test_onbuild_of_the_same_file(void **state)
{
    static const char refs[] = "ONBUILD COPY --from=busybox:1.35 /a /b\n"
                               "ONBUILD RUN --mount=from=busybox:1.35,target=/x y\n"
                               "ONBUILD ADD a https://example.org/a.tgz /x/\n";
    sb_autofree char *base = sb_asprintf("FROM scratch AS base\n%s", refs);
    sb_autofree char *one = sb_asprintf("%sFROM base\nRUN z\n", base);
    sb_autofree char *two = sb_asprintf("%sFROM base AS a\nFROM base\nCOPY --from=a /q /q\n", base);
    static const char pinned_base[] = "FROM scratch AS base\n"
                                      "ONBUILD COPY --from=" BUSYBOX " /a /b\n"
                                      "ONBUILD RUN --mount=from=" BUSYBOX ",target=/x y\n"
                                      "ONBUILD ADD a /x/\nONBUILD COPY --from=sbuild-add-1 /a.tgz /x/\n";
    sb_autofree char *pinned_one = sb_asprintf("%sFROM base\nRUN z\n", pinned_base);
    sb_autofree char *pinned_two =
        sb_asprintf("%sFROM base AS a\nFROM base\nCOPY --from=a /q /q\n", pinned_base);

    (void)state;
    expect(one, pinned_one);
    expect(two, pinned_two);
    /* What runs elsewhere later is not this build's. */
    expect(base, base);
    expect(
        "FROM scratch AS base\nONBUILD ADD https://example.org/unknown /\nFROM base AS no\nFROM scratch\n",
        "FROM scratch AS base\nONBUILD ADD https://example.org/unknown /\nFROM base AS no\nFROM scratch\n");
    expect_error(&everything, "FROM scratch AS base\nONBUILD ADD https://example.org/unknown /\nFROM base\n",
                 "Dockerfile:2: ADD https://example.org/unknown is not in the lock");
}

static void test_onbuild_offline(void **state)
{
    SB_AUTO(pinned)
    p = pin_on("FROM node:20 AS base\nONBUILD RUN --network=host x\nFROM base\nRUN --network=host y\n",
               &everything, true);

    (void)state;
    if (p->err)
        fail_msg("%s", p->err->message);
    assert_true(
        sb_slice_eqz(p->plan->dockerfile, "FROM " NODE " AS base\nONBUILD RUN x\nFROM base\nRUN y\n"));
}

/* However the flag is written, what BuildKit takes for its `from` is replaced. */
static void test_mounts_in_disguise(void **state)
{
    (void)state;
    expect("FROM node:20\nRUN --mount=type=bind,\\\"from=busybox:1.35\\\",target=/x y\n",
           "FROM " NODE "\nRUN --mount=type=bind,from=" BUSYBOX ",target=/x y\n");
    expect("FROM node:20\nRUN --mount=type=bind,From=busy\\box:1.35,target=/x y\n",
           "FROM " NODE "\nRUN --mount=type=bind,from=" BUSYBOX ",target=/x y\n");
    expect("FROM node:20\nRUN --mount=\"type=bind,target=/x y,FROM=busy\"'box':1.35 y\n",
           "FROM " NODE "\nRUN --mount=type=bind,target=/x\\ y,from=" BUSYBOX " y\n");
}

/* A frontend that the file has no place for. */
static void test_frontend_of_an_argument(void **state)
{
    SB_AUTO(pinned) p = NULL;
    SB_AUTO(pinned) offline = NULL;
    sb_argv argv = {0};

    (void)state;
    argument = (sb_df_var){SB_LIT("BUILDKIT_SYNTAX"), SB_LIT("example.org/frontend:1")};
    p = pin_on("FROM node:20\n", &everything, false);
    if (p->err)
        fail_msg("%s", p->err->message);
    assert_true(sb_slice_eqz(p->plan->dockerfile, "FROM " NODE "\n"));
    argv.arena = p->plan->arena;
    sb_argv_add_user(&argv, p->plan);
    assert_int_equal(argv.count, 1);
    assert_string_equal(argv.items[0], "--build-arg=BUILDKIT_SYNTAX=example.org/frontend:1@" DIGEST);
    offline = pin_on("FROM node:20\n", &everything, true);
    assert_non_null(offline->err);
    assert_int_equal(offline->err->code, SB_ERR_ENGINE);
    expect_error(&everything, "FROM node:20\n# later\nFROM unknown:1\n", "not in the lock");
    argument.value = SB_LIT("example.org/unknown:1");
    expect_error(&everything, "FROM node:20\n", "the frontend example.org/unknown:1 is not in the lock");
}

/* It beats the line of the file, and never reaches the engine as it was given. */
static void test_frontend_of_both(void **state)
{
    SB_AUTO(pinned) p = NULL;
    sb_argv argv = {0};

    (void)state;
    argument = (sb_df_var){SB_LIT("BUILDKIT_SYNTAX"), SB_LIT("example.org/frontend:1")};
    p = pin_on("# syntax=docker/dockerfile:1\nFROM node:20\n", &everything, false);
    if (p->err)
        fail_msg("%s", p->err->message);
    assert_true(
        sb_slice_eqz(p->plan->dockerfile, "# syntax=example.org/frontend:1@" DIGEST "\nFROM " NODE "\n"));
    argv.arena = p->plan->arena;
    sb_argv_add_user(&argv, p->plan);
    assert_int_equal(argv.count, 0);
    argument.value = SB_LIT("docker/dockerfile:1");
    expect("# syntax=example.org/frontend:1\nFROM node:20\n", "#\nFROM " NODE "\n");
    expect_on(&nothing, "FROM node:20\n", "FROM " NODE "\n");
}

/* What only the base image's environment can say does not keep the result from being read once more. */
static void test_unknown_environment(void **state)
{
    (void)state;
    expect("FROM node:20\nENV A=${PATH:?x}\nUSER ${NOBODY:-1}\nCOPY ${A#/} /b\n",
           "FROM " NODE "\nENV A=${PATH:?x}\nUSER ${NOBODY:-1}\nCOPY ${A#/} /b\n");
}

/* --- An engine that lacks things --- */

static void test_lowered_heredocs(void **state)
{
    (void)state;
    expect_on(&nothing, "FROM node:20\nRUN <<EOF\necho \"a\"\nb\nEOF\nCMD x\n",
              "FROM " NODE "\nRUN [\"/bin/sh\",\"-c\",\"echo \\\"a\\\"\\nb\\n\"]\nCMD x\n");
    expect_on(&nothing, "FROM node:20\nSHELL [\"/bin/bash\", \"-ec\"]\nRUN <<-EOF\n\ta\n\tEOF\n",
              "FROM " NODE "\nSHELL [\"/bin/bash\", \"-ec\"]\nRUN [\"/bin/bash\",\"-ec\",\"a\\n\"]\n");
    expect_on(&nothing, "FROM node:20\nRUN cat <<A > /x\n$y\nA\n",
              "FROM " NODE "\nRUN [\"/bin/sh\",\"-c\",\"cat <<A > /x\\n$y\\nA\"]\n");
    expect("FROM node:20\nRUN <<EOF\na\nEOF\n", "FROM " NODE "\nRUN <<EOF\na\nEOF\n");
}

static void test_lowered_scripts(void **state)
{
    SB_AUTO(pinned) p = pin_on("FROM node:20\nRUN <<EOF\n#!/bin/x\na\nEOF\n", &nothing, false);

    (void)state;
    assert_null(p->err);
    assert_int_equal(p->plan->context_count, 1);
    assert_true(sb_slice_eqz(p->plan->contexts[0].text, "#!/bin/x\na\n"));
    assert_int_equal(p->plan->contexts[0].mode, 0755);
    assert_true(sb_slice_find(p->plan->dockerfile, SB_LIT("target=/dev/pipes [\"/bin/sh\",\"-c\","
                                                          "\"/dev/pipes/script\"]\n")) > 0);
}

static void test_lowered_copy(void **state)
{
    SB_AUTO(pinned)
    p = pin_on("FROM node:20\nENV A=b\nCOPY --chmod=600 <<X /d/\nv=$A\nX\nRUN y\n", &nothing, false);

    (void)state;
    if (p->err)
        fail_msg("%s", p->err->message);
    assert_true(sb_slice_eqz(p->plan->dockerfile,
                             "FROM " NODE
                             "\nENV A=b\nCOPY --from=sbuild-copy-1 --chmod=600 /X /d/\nRUN y\n"));
    assert_true(sb_slice_eqz(p->plan->contexts[0].text, "v=b\n"));
    expect_on(&nothing, "FROM node:20\nCOPY --link --chown=1 a b\n", "FROM " NODE "\nCOPY --chown=1 a b\n");
    expect_error(&nothing, "FROM node:20\nCOPY <<X other /d/\nX\n", "1.28.2");
    expect_error(&nothing, "FROM node:20\nCOPY <<X /d/\n$A\nX\nENV A=b\n", "1.28.2");
    expect_error(&nothing, "FROM node:20\nCOPY --exclude=x a b\n", "--exclude");
}

static void test_lowered_run_flags(void **state)
{
    SB_AUTO(pinned)
    offline = pin_on("FROM node:20\nRUN --network=none --mount=type=tmpfs,target=/t x\n", &nothing, true);

    (void)state;
    assert_null(offline->err);
    assert_true(
        sb_slice_eqz(offline->plan->dockerfile, "FROM " NODE "\nRUN --mount=type=tmpfs,target=/t x\n"));
    expect_on(&nothing, "FROM node:20\nRUN --network=none x\n", "FROM " NODE "\nRUN x\n");
    expect_error(&nothing, "FROM node:20\nRUN --network=default x\n",
                 "Dockerfile:2: buildah 1.28.2 has no RUN --network");
    expect_error(&nothing, "FROM node:20\nRUN --security=insecure x\n", "--security");
}

static void test_lowered_workdir(void **state)
{
    (void)state;
    expect_on(&nothing, "FROM node:20\nWORKDIR /a b\nWORKDIR $C\n",
              "FROM " NODE "\nCOPY --from=sbuild-empty-1 [\".\", \"/a b/\"]\nWORKDIR /a b\n"
              "COPY --from=sbuild-empty-1 [\".\", \"$C/\"]\nWORKDIR $C\n");
}

static int setup(void **state)
{
    (void)state;
    trigger_count = 0;
    argument = (sb_df_var){.key = SB_NIL};
    lock = sb_lock_new();
    lock->images = sb_arena_array(lock->arena, sb_lock_image, 16);
    lock->files = sb_arena_array(lock->arena, sb_lock_file, 16);
    add_image("node:20", "docker.io/library/node:20", "20.19.4");
    add_image("busybox:1.35", "docker.io/library/busybox:1.35", "1.35.0");
    add_image("onbuild:1", "docker.io/library/onbuild:1", NULL);
    add_image("registry.example.org:5000/team/app:1", "registry.example.org:5000/team/app:1", NULL);
    add_image("docker/dockerfile:1", "docker.io/docker/dockerfile:1", NULL);
    add_image("example.org/frontend:1", "example.org/frontend:1", NULL);
    add_file("https://example.org/a.tgz");
    add_file("https://example.org/b");
    add_file("https://example.org/a%5B1%5D$.x");
    lock->git = sb_arena_new_of(lock->arena, sb_lock_git);
    lock->git[0] = (sb_lock_git){
        .url = SB_LIT("https://example.org/r.git#v1"),
        .expanded = SB_LIT("https://example.org/r.git#v1"),
        .git_dir = true,
    };
    lock->git_count = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sb_lock_free(lock);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_from),
        T(test_everything_else_is_untouched),
        T(test_variables),
        T(test_images_of_other_instructions),
        T(test_one_image_is_planned_once),
        T(test_unreachable_stages_stay),
        T(test_not_locked),
        T(test_syntax),
        T(test_frontend_that_knows_more),
        T(test_add_url),
        T(test_add_of_several_sources_is_split_in_order),
        T(test_add_names_that_need_quotes),
        T(test_add_unpack),
        T(test_add_git),
        T(test_triggers),
        T(test_triggers_that_go_on),
        T(test_lock_cannot_write_instructions),
        T(test_onbuild_of_the_same_file),
        T(test_onbuild_offline),
        T(test_mounts_in_disguise),
        T(test_frontend_of_an_argument),
        T(test_frontend_of_both),
        T(test_unknown_environment),
        T(test_lowered_heredocs),
        T(test_lowered_scripts),
        T(test_lowered_copy),
        T(test_lowered_run_flags),
        T(test_lowered_workdir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
