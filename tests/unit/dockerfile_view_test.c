// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dockerfile/view.h>

/* --- A view in words: one line per reference --- */

typedef struct fixture {
    sb_dockerfile *df;
    sb_df_view *view;
    sb_error *err;
} fixture;

static void fixture_clear(fixture *f)
{
    sb_df_view_free(f->view);
    sb_df_free(f->df);
    sb_error_free(f->err);
}
#define autofixture __attribute__((cleanup(fixture_clear))) fixture

static fixture view_of(const char *text, const sb_df_inputs *inputs)
{
    static const sb_df_inputs none;
    fixture f = {0};

    if (sb_df_parse(sb_slice_z(text), "Dockerfile", 0, &f.df, &f.err) < 0)
        fail_msg("%s", f.err->message);
    (void)sb_df_view_new(f.df, inputs ? inputs : &none, &f.view, &f.err);
    return f;
}

static void describe(const fixture *f, const sb_df_ref *ref, sb_buf *out)
{
    sb_slice there = sb_slice_sub(f->df->text, ref->span.start, ref->span.end);

    sb_buf_printf(out, "%u %s %.*s", ref->line, sb_df_ref_kind_name(ref->kind), (int)ref->expanded.len,
                  ref->expanded.ptr);
    if (!sb_slice_eq(there, ref->expanded))
        sb_buf_printf(out, " at [%.*s]", (int)there.len, there.ptr);
    if (ref->resolved_stage >= 0)
        sb_buf_printf(out, " = %d", ref->resolved_stage);
    if (ref->context)
        sb_buf_addz(out, " context");
    if (!ref->reachable)
        sb_buf_addz(out, " unreachable");
    if (ref->incomplete)
        sb_buf_addz(out, " incomplete");
    if (ref->trigger >= 0)
        sb_buf_printf(out, " trigger %d", ref->trigger);
    if (!sb_slice_eqz(ref->platform, "linux/amd64"))
        sb_buf_printf(out, " %.*s", (int)ref->platform.len, ref->platform.ptr);
    sb_buf_addc(out, '\n');
}

static void expect_refs(const char *text, const sb_df_inputs *inputs, const char *expected)
{
    autofixture f = view_of(text, inputs);
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    if (f.err)
        fail_msg("%s", f.err->message);
    for (size_t i = 0; i < f.view->ref_count; i++)
        describe(&f, &f.view->refs[i], &out);
    if (!sb_slice_eqz(sb_buf_slice(&out), expected))
        fail_msg("got:\n%s\nnot:\n%s", out.data ? out.data : "", expected);
}

static void expect_error(const char *text, const sb_df_inputs *inputs, const char *part)
{
    autofixture f = view_of(text, inputs);

    if (!f.err)
        fail_msg("no error in:\n%s", text);
    assert_null(f.view);
    if (!strstr(f.err->message, part))
        fail_msg("\"%s\" does not say \"%s\"", f.err->message, part);
}

static void expect_words(const char *text, const sb_df_inputs *inputs, size_t instruction,
                         const char *expected)
{
    autofixture f = view_of(text, inputs);
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    if (f.err)
        fail_msg("%s", f.err->message);
    for (size_t i = 0; i < f.view->expanded[instruction].count; i++) {
        sb_slice word = f.view->expanded[instruction].words[i];

        sb_buf_printf(&out, "%s%.*s", i ? "|" : "", (int)word.len, word.ptr ? word.ptr : "");
        if (!word.ptr)
            sb_buf_addz(&out, "(absent)");
    }
    if (!sb_slice_eqz(sb_buf_slice(&out), expected))
        fail_msg("got \"%s\", not \"%s\"", out.data ? out.data : "", expected);
}

static void expect_args(const char *text, const sb_df_inputs *inputs, const char *expected)
{
    autofixture f = view_of(text, inputs);
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    if (f.err)
        fail_msg("%s", f.err->message);
    for (size_t i = 0; i < f.view->locked_arg_count; i++)
        sb_buf_printf(&out, "%s%.*s", i ? " " : "", (int)f.view->locked_args[i].len,
                      f.view->locked_args[i].ptr);
    if (!sb_slice_eqz(sb_buf_slice(&out), expected))
        fail_msg("got \"%s\", not \"%s\"", out.data ? out.data : "", expected);
}

/* --- Images for the lookup: "base:ENV…" --- */

static int lookup(void *ctx, sb_slice image, sb_slice platform, sb_df_image_config *ret_config,
                  sb_error **err)
{
    static const sb_slice env[] = {{"PATH=/opt/bin", 13}, {"RELEASE=1.2", 11}, {"EMPTY", 5}};
    static const sb_slice triggers[] = {
        {"ARG TOOL=tool:1", 15},
        {"COPY --from=tool:1 /x /x", 24},
        {"ADD https://example.org/$RELEASE.tgz /", 38},
        {"RUN --mount=from=build,target=/b true", 37},
    };
    static const sb_slice bad[] = {{"FROM x", 6}}, two[] = {{"RUN a\nRUN b", 11}},
                          late[] = {{"COPY --from=later a b", 21}};

    (void)platform;
    if (ctx)
        ++*(int *)ctx;
    *ret_config = (sb_df_image_config){.env = env, .env_count = SB_COUNT(env)};
    if (sb_slice_eqz(image, "unknown"))
        return 0;
    if (sb_slice_eqz(image, "broken"))
        return sb_fail(err, SB_ERR_IO, "cannot read the config");
    if (sb_slice_eqz(image, "onbuild")) {
        ret_config->onbuild = triggers;
        ret_config->onbuild_count = SB_COUNT(triggers);
    } else if (sb_slice_eqz(image, "bad") || sb_slice_eqz(image, "two") || sb_slice_eqz(image, "late")) {
        ret_config->onbuild = image.ptr[0] == 'b' ? bad : image.ptr[0] == 't' ? two : late;
        ret_config->onbuild_count = 1;
    }
    return 1;
}

static const sb_df_inputs with_images = {.lookup = lookup};

/* --- Stages --- */

static void test_bases(void **state)
{
    (void)state;
    expect_refs("FROM node:20\n", NULL, "1 from node:20\n");
    expect_refs("FROM scratch\n", NULL, "");
    expect_refs("FROM a AS Base\nFROM base\n", NULL, "1 from a\n2 from base = 0\n");
    expect_refs("FROM a AS base\nFROM Base\n", NULL, "1 from a unreachable\n2 from Base\n");
    expect_refs("FROM a AS x\nFROM b AS x\nFROM x\n", NULL, "1 from a unreachable\n2 from b\n3 from x = 1\n");
    expect_refs("FROM a AS x\nFROM x AS x\n", &(sb_df_inputs){.target = "x"}, "1 from a\n2 from x = 0\n");
}

static void test_variables_in_from(void **state)
{
    const sb_df_var args[] = {{SB_LIT("V"), SB_LIT("18")}, {SB_LIT("HIDDEN"), SB_LIT("x")}};
    const sb_df_inputs inputs = {.build_args = args, .build_arg_count = 2};

    (void)state;
    expect_refs("ARG V=20\nARG I=node:$V\nFROM $I\n", NULL, "3 from node:20 at [$I]\n");
    expect_refs("ARG V=20\nARG I=node:$V\nFROM $I\n", &inputs, "3 from node:18 at [$I]\n");
    expect_refs("ARG V=20 I=node:$V\nFROM ${I}-slim AS x\n", NULL, "2 from node:20-slim at [${I}-slim]\n");
    expect_refs("ARG V\nFROM node${V:+:$V}\n", NULL, "2 from node at [node${V:+:$V}]\n");
    expect_refs("FROM a$HIDDEN\n", &inputs, "1 from a at [a$HIDDEN]\n");
    expect_refs("FROM \"a\"\n", NULL, "1 from a at [\"a\"]\n");
    expect_refs("ARG S=b\nFROM a AS b\nFROM $S\n", NULL, "2 from a\n3 from b at [$S] = 0\n");
    expect_error("FROM $V\n", NULL, "Dockerfile:1: base name ($V) should not be blank");
    expect_error("ARG X=${Y:?none}\nFROM a\n", NULL,
                 "Dockerfile:1: failed to process \"${Y:?none}\": Y: none");
    expect_args("ARG V=20\nARG I=node:$V\nARG W\nFROM $I\nARG I\nENV J=$I\nRUN $J\n", NULL, "I V");
}

static void test_platforms(void **state)
{
    const sb_df_inputs cross = {.build_platform = "linux/arm64/v8", .target_platform = "linux/x86_64"};
    const sb_df_var args[] = {{SB_LIT("TARGETARCH"), SB_LIT("riscv64")}};
    const sb_df_inputs forced = {.build_args = args, .build_arg_count = 1};

    (void)state;
    expect_refs("FROM --platform=$BUILDPLATFORM a AS b\nFROM c\nCOPY --from=b x y\nCOPY --from=d x y\n",
                &cross, "1 from a linux/arm64\n2 from c\n3 copy b = 0\n4 copy d\n");
    expect_refs(
        "FROM a-$TARGETARCH\nADD https://h/$TARGETARCH /\nARG TARGETARCH\nADD https://h/$TARGETARCH /\n",
        &cross,
        "1 from a-amd64 at [a-$TARGETARCH]\n2 add-url https://h/ at [https://h/$TARGETARCH] incomplete\n"
        "4 add-url https://h/amd64 at [https://h/$TARGETARCH]\n");
    expect_refs("FROM a-$TARGETARCH\n", &forced, "1 from a-riscv64 at [a-$TARGETARCH]\n");
    expect_args("FROM a-$TARGETARCH\n", &forced, "TARGETARCH");
    expect_words("ARG TARGETARCH=foo\nFROM a\nARG TARGETARCH\n", NULL, 2, "TARGETARCH|foo");
    expect_words("FROM a\nARG TARGETARCH=foo\n", NULL, 1, "TARGETARCH|foo");
    expect_words("FROM a AS x\nARG TARGETSTAGE BUILDOS TARGETVARIANT\n", NULL, 1,
                 "TARGETSTAGE|x|BUILDOS|linux|TARGETVARIANT|");
    expect_error("FROM --platform=$NONE a\n", NULL, "empty platform value from expression $NONE");
    expect_error("FROM --platform=no-such-one a\n", NULL, "failed to parse platform no-such-one");
}

static void test_targets(void **state)
{
    const char *text = "FROM a AS one\nFROM b AS two\nCOPY --from=one x y\nFROM c AS three\n";

    (void)state;
    expect_refs(text, NULL,
                "1 from a unreachable\n2 from b unreachable\n3 copy one = 0 unreachable\n4 from c\n");
    expect_refs(text, &(sb_df_inputs){.target = "TWO"},
                "1 from a\n2 from b\n3 copy one = 0\n4 from c unreachable\n");
    expect_error(text, &(sb_df_inputs){.target = "1"}, "target stage \"1\" could not be found");
}

static void test_circles_and_order(void **state)
{
    (void)state;
    expect_error("FROM a AS x\nCOPY --from=x a b\n", NULL,
                 "Dockerfile:1: circular dependency detected on stage: x");
    expect_error("FROM a AS x\nCOPY --from=y a b\nFROM a AS y\nRUN --mount=from=x,target=/x true\n", NULL,
                 "circular dependency detected on stage: x");
    expect_error(
        "FROM a AS x\nCOPY --from=y a b\nFROM a AS y\n", &(sb_df_inputs){.target = "x"},
        "Dockerfile:2: cannot copy from stage \"y\", it needs to be defined before current stage \"x\"");
    expect_error("FROM a AS x\nCOPY --from=1 a b\n", NULL, "Dockerfile:2: invalid stage index 1");
    expect_error("FROM a AS x\nCOPY --from=-1 a b\n", NULL, "invalid stage index -1");
    expect_error("FROM a\nCOPY --from=$x a b\n", NULL,
                 "Dockerfile:2: variable expansion is not supported for --from");
}

/* --- References --- */

static void test_places_of_references(void **state)
{
    (void)state;
    expect_refs("FROM a\nCOPY --chown=1 --from=node:20 a b\n", NULL, "1 from a\n2 copy node:20\n");
    expect_refs("FROM a\nCOPY --from=\"node:20\" a b\n", NULL,
                "1 from a\n2 copy node:20 at [--from=\"node:20\"]\n");
    expect_refs("FROM a\nCOPY --from=no\\de a b\n", NULL, "1 from a\n2 copy node at [--from=no\\de]\n");
    expect_refs("FROM a\nRUN --mount=type=bind,from=x,target=y true\n", NULL, "1 from a\n2 mount x\n");
    expect_refs("FROM a\nRUN --mount=FROM=x,dst=/x --mount=type=cache,from=z,dst=/z true\n", NULL,
                "1 from a\n2 mount x\n2 mount z\n");
    expect_refs("FROM a\nRUN --mount=type=cache,target=/x true\n", NULL, "1 from a\n");
    expect_refs("FROM a\nRUN --mount=source=from=x,from=x,dst=y true\n", NULL,
                "1 from a\n2 mount x at [--mount=source=from=x,from=x,dst=y]\n");
    expect_refs("FROM a\nRUN --mount=from=scratch,dst=/x true\nCOPY --from=scratch a b\n", NULL,
                "1 from a\n");
    expect_refs("FROM a AS b\nFROM c\nRUN --mount=from=B,dst=/x true\nRUN --mount=from=0,dst=/x true\nCOPY "
                "--from=+0 a b\n",
                NULL, "1 from a\n2 from c\n3 mount B = 0\n4 mount 0\n5 copy +0 = 0\n");
    expect_refs("# syntax=docker/dockerfile:1 x\nFROM scratch\n", NULL, "1 syntax docker/dockerfile:1\n");
    expect_refs("FROM \\\n  a\r\nCOPY \\\r\n --from=b x y", NULL, "1 from a\n3 copy b\n");
}

static void test_syntax_given_as_an_argument(void **state)
{
    const sb_df_var args[] = {{SB_LIT("BUILDKIT_SYNTAX"), SB_LIT("my/frontend:2 args")}};
    const sb_df_inputs inputs = {.build_args = args, .build_arg_count = 1};

    (void)state;
    expect_refs("# syntax=a\nFROM scratch\n", &inputs, "1 syntax my/frontend:2 at [a]\n");
    expect_args("# syntax=a\nFROM scratch\n", &inputs, "BUILDKIT_SYNTAX");
}

static void test_sources(void **state)
{
    (void)state;
    expect_refs("FROM scratch\nADD a https://h/b.tgz git@h:x.git /\n", NULL,
                "2 add-url https://h/b.tgz\n2 add-git git@h:x.git\n");
    expect_refs(
        "FROM scratch\nARG V=1\nENV U=https://h/$V\nADD ${U}.tgz $U/x.git#v$V /\n", NULL,
        "4 add-url https://h/1.tgz at [${U}.tgz]\n4 add-git https://h/1/x.git#v1 at [$U/x.git#v$V]\n");
    expect_args("FROM scratch\nARG V=1\nARG W=2\nENV U=https://h/$V\nRUN $W\nADD ${U}.tgz /\n", NULL, "V");
    expect_args("FROM scratch\nARG SUM=\nADD --checksum=$SUM https://h/a /\n", NULL, "SUM");
    expect_args("FROM scratch AS a\nARG V=1\nADD https://h/$V /\nFROM scratch\n", NULL, "");
    expect_refs("FROM scratch\nADD <<https://h/x /d\nx\nhttps://h/x\n", NULL, "");
    expect_error("FROM scratch\nCOPY https://h/a /\n", NULL, "Dockerfile:2: source can't be a URL for COPY");
    expect_error("FROM scratch\nCOPY u@h:x /\n", NULL, "source can't be a git ref for COPY");
    expect_error("FROM scratch\nADD https://h/a.git?x=y /\n", NULL,
                 "Dockerfile:2: https://h/a.git?x=y: unexpected query \"x\"");
    expect_error("FROM scratch\nADD --checksum=sha256:0 a /\n", NULL,
                 "checksum requires HTTP(S) or Git sources");
    expect_error("FROM scratch\nADD --checksum=sha256:0 https://h/a https://h/b /\n", NULL,
                 "checksum can't be specified for multiple sources");
}

static void test_checksums_are_expanded_where_they_stand(void **state)
{
    autofixture f = view_of("FROM scratch\nENV S=1\nADD --checksum=sha256:$S https://h/a /\nENV S=2\n", NULL);

    (void)state;
    assert_null(f.err);
    assert_true(sb_slice_eqz(f.view->refs[0].checksum, "sha256:1"));
}

/* --- Variables --- */

static void test_order_of_arg_and_env(void **state)
{
    const sb_df_var args[] = {{SB_LIT("X"), SB_LIT("given$Y")}};
    const sb_df_inputs inputs = {.build_args = args, .build_arg_count = 1};

    (void)state;
    expect_words("FROM scratch\nENV a=1\nENV a=2 b=$a\n", NULL, 2, "a|2|b|1");
    expect_words("FROM scratch\nARG a=1 b=$a\n", NULL, 1, "a|1|b|1");
    expect_words("FROM scratch\nARG X=${Y:?}\n", &inputs, 1, "X|given$Y");
    expect_words("FROM scratch\nARG X=1\nENV X=2\nARG X\nWORKDIR /$X\n", NULL, 4, "/2");
    expect_words("FROM scratch\nENV X=2\nARG X\nWORKDIR /$X\n", &inputs, 3, "/given$Y");
    expect_words("FROM scratch\nENV X=2\nARG X=3\nWORKDIR /$X\n", NULL, 3, "/3");
    expect_words("ARG X=global\nFROM scratch\nWORKDIR /$X\n", NULL, 2, "/");
    expect_words("ARG X=global\nFROM scratch\nARG X\nWORKDIR /$X\n", NULL, 3, "/global");
    expect_words("ARG X=global\nFROM scratch\nARG X=own\n", NULL, 2, "X|own");
    expect_words("FROM scratch\nARG X\n", NULL, 1, "X|(absent)");
    expect_words("FROM scratch AS a\nARG X=1\nENV Y=2\nFROM a\nLABEL $X=$Y\n", NULL, 4, "1|2");
    expect_words("FROM scratch\nENV PATH=/x:$PATH\n", NULL, 1,
                 "PATH|/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

static void test_what_expands(void **state)
{
    const char *text = "FROM scratch\nARG V=\"a b\"\nCOPY $V \"$V\" /d/\nCOPY [\"$V\", \"'x'\", "
                       "\"/d\"]\nEXPOSE $V 80\nRUN $V\n"
                       "CMD $V\nUSER ${V}c\nVOLUME $V x\nSTOPSIGNAL $V\nADD <<$V $V /\nx\n$V\n";

    (void)state;
    expect_words(text, NULL, 0, "scratch");
    expect_words(text, NULL, 1, "V|a b");
    expect_words(text, NULL, 2, "a b|a b|/d/");
    expect_words(text, NULL, 3, "a b|x|/d");
    expect_words(text, NULL, 4, "a|b|80");
    expect_words(text, NULL, 5, "");
    expect_words(text, NULL, 6, "");
    expect_words(text, NULL, 7, "a bc");
    expect_words(text, NULL, 8, "a b|x");
    expect_words(text, NULL, 9, "a b");
    expect_words(text, NULL, 10, "<<$V|a b|/");
}

static void test_errors_count_in_what_is_built_only(void **state)
{
    (void)state;
    expect_error("FROM scratch\nENV X=${Y:?needed}\n", NULL,
                 "Dockerfile:2: failed to process \"${Y:?needed}\": Y: needed");
    expect_refs("FROM a AS x\nENV X=${Y:?needed}\nUSER 'x\nFROM b\n", &with_images,
                "1 from a unreachable\n4 from b\n");
}

/* --- Base images --- */

static void test_environment_of_base_images(void **state)
{
    int asked = 0;
    const sb_df_inputs counting = {.lookup = lookup, .lookup_ctx = &asked};

    (void)state;
    expect_words("FROM known\nWORKDIR $PATH/$RELEASE/${EMPTY-unset}\n", &with_images, 1, "/opt/bin/1.2/");
    expect_refs("FROM known\nADD https://h/$RELEASE$NONE /\n", &with_images,
                "1 from known\n2 add-url https://h/1.2 at [https://h/$RELEASE$NONE]\n");
    expect_refs("FROM unknown\nENV A=$RELEASE\nARG B=x$A\nADD https://h/$B /\nENV A=1\nADD https://h/$A /\n",
                &with_images,
                "1 from unknown\n4 add-url https://h/x at [https://h/$B] incomplete\n6 add-url https://h/1 "
                "at [https://h/$A]\n");
    expect_refs("FROM unknown\nENV A=${B:?missing}\nWORKDIR ${A:?}\n", &with_images, "1 from unknown\n");
    expect_refs("FROM unknown AS x\nFROM x\nADD https://h/$B /\n", &with_images,
                "1 from unknown\n2 from x = 0\n3 add-url https://h/ at [https://h/$B] incomplete\n");
    expect_refs("FROM a AS one\nFROM b AS two\nFROM a\nCOPY --from=c x y\n", &counting,
                "1 from a unreachable\n2 from b unreachable\n3 from a\n4 copy c\n");
    assert_int_equal(asked, 1);
    expect_error("FROM broken\n", &with_images, "cannot read the config");
}

static void test_triggers_of_base_images(void **state)
{
    const char *text = "FROM a AS build\nFROM onbuild\nADD https://h/$TOOL /\n";
    autofixture f = view_of(text, &with_images);

    (void)state;
    expect_refs(text, &with_images,
                "1 from a\n2 from onbuild\n2 copy tool:1 at [] trigger 1\n"
                "2 add-url https://example.org/1.2.tgz at [] trigger 2\n2 mount build at [] = 0 trigger 3\n"
                "3 add-url https://h/tool:1 at [https://h/$TOOL]\n");
    assert_int_equal(f.view->stages[1].trigger_count, 4);
    assert_int_equal(f.view->stages[1].triggers[1].keyword, SB_DF_COPY);
    assert_int_equal(f.view->stages[1].triggers[1].stage, -1);
    assert_int_equal(f.view->stages[1].triggers[1].span.end, 0);
    assert_int_equal(f.view->stages[0].trigger_count, 0);
    expect_error("FROM bad\n", &with_images,
                 "ONBUILD trigger of bad: FROM isn't allowed as an ONBUILD trigger");
    expect_error("FROM two\n", &with_images, "onbuild trigger should be a single expression");
    expect_error("FROM late AS x\nFROM a AS later\n", &(sb_df_inputs){.lookup = lookup, .target = "x"},
                 "it needs to be defined before");
}

static void test_triggers_of_stages(void **state)
{
    (void)state;
    expect_refs(
        "FROM a AS p\nONBUILD COPY --from=tool x y\nONBUILD ARG V=1\nONBUILD ADD https://h/$V /\nFROM p AS "
        "c\nFROM c\n",
        NULL, "1 from a\n5 from p = 0\n2 copy tool\n4 add-url https://h/1 at [https://h/$V]\n6 from c = 1\n");
    expect_refs("FROM a AS p\nONBUILD COPY --from=tool x y\n", NULL, "1 from a\n");
    expect_refs("FROM t AS tool\nFROM a AS p\nONBUILD COPY --from=tool x y\nFROM p\n", NULL,
                "1 from t\n2 from a\n4 from p = 1\n3 copy tool = 0\n");
}

static void test_contexts(void **state)
{
    static const char *const names[] = {"base", "alpine", "docker.io/library/debian:latest",
                                        "only::linux/arm64"};
    const sb_df_inputs inputs = {.contexts = names, .context_count = 4};
    const sb_df_inputs arm = {.contexts = names, .context_count = 4, .target_platform = "linux/arm64"};

    (void)state;
    expect_refs("FROM node AS base\nCOPY --from=x a b\nFROM base\n", &inputs,
                "1 from node context\n2 copy x unreachable\n3 from base = 0\n");
    expect_refs("FROM alpine:latest\nCOPY --from=debian a b\nCOPY --from=alpine:3 a b\n", &inputs,
                "1 from alpine:latest context\n2 copy debian context\n3 copy alpine:3\n");
    expect_refs("FROM only\n", &inputs, "1 from only\n");
    expect_refs("FROM only\n", &arm, "1 from only context linux/arm64\n");
}

/* --- Size --- */

static void expect_fast(sb_buf *text, size_t refs)
{
    SB_AUTO(sb_dockerfile) df = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    SB_AUTO(sb_error) err = NULL;
    const sb_df_inputs inputs = {0};

    if (sb_df_parse(sb_buf_slice(text), "Dockerfile", 0, &df, &err) < 0 ||
        sb_df_view_new(df, &inputs, &view, &err) < 0)
        fail_msg("%s", err->message);
    assert_int_equal(view->ref_count, refs);
}

static void test_many_instructions(void **state)
{
    sb_autobuf variables = SB_BUF_INIT(64 << 20), stages = SB_BUF_INIT(64 << 20);

    (void)state;
    sb_buf_addz(&variables, "FROM a\n");
    for (int i = 0; i < 100000; i++)
        sb_buf_printf(&variables, "ENV V%d=$V%d/x W=${V%d:-y}\n", i, i / 2, i - 1);
    expect_fast(&variables, 1);
    sb_buf_addz(&stages, "FROM a AS s0\n");
    for (int i = 0; i < 1000; i++)
        sb_buf_printf(&stages, "ENV V%d=1\n", i);
    for (int i = 1; i < 20000; i++)
        sb_buf_printf(&stages, "FROM s%d AS s%d\nCOPY --from=%d a b\n", i - 1, i, i - 1);
    expect_fast(&stages, 1 + 2 * 19999);
}

static void test_growth_is_limited(void **state)
{
    sb_autobuf growing = SB_BUF_INIT(1 << 20), copied = SB_BUF_INIT(64 << 20);

    (void)state;
    sb_buf_addz(&growing, "FROM scratch\nENV A=0123456789\n");
    for (int i = 0; i < 100; i++)
        sb_buf_addz(&growing, "ENV A=$A$A$A$A\n");
    expect_error(growing.data, NULL, "maximum");
    sb_buf_addz(&copied, "FROM a AS s0\n");
    for (int i = 0; i < 10000; i++)
        sb_buf_printf(&copied, "ENV V%d=1\n", i);
    for (int i = 1; i < 1000; i++)
        sb_buf_printf(&copied, "FROM s%d AS s%d\nENV V=1\n", i - 1, i);
    expect_error(copied.data, NULL, "stages inherit more than the maximum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bases),
        cmocka_unit_test(test_variables_in_from),
        cmocka_unit_test(test_platforms),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_circles_and_order),
        cmocka_unit_test(test_places_of_references),
        cmocka_unit_test(test_syntax_given_as_an_argument),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_checksums_are_expanded_where_they_stand),
        cmocka_unit_test(test_order_of_arg_and_env),
        cmocka_unit_test(test_what_expands),
        cmocka_unit_test(test_errors_count_in_what_is_built_only),
        cmocka_unit_test(test_environment_of_base_images),
        cmocka_unit_test(test_triggers_of_base_images),
        cmocka_unit_test(test_triggers_of_stages),
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_many_instructions),
        cmocka_unit_test(test_growth_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
