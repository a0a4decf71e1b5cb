// SPDX-License-Identifier: Apache-2.0
/* Which instruction made which layer, as the histories of real engines tell it. */
#include "layer_fixture.h"

#include <builder/origin.h>

static const char dockerfile[] = "FROM base AS one\n"
                                 "WORKDIR /srv\n"
                                 "COPY a /a\n"
                                 "RUN first \\\n"
                                 "    thing\n"
                                 "FROM other\n"
                                 "RUN not ours\n"
                                 "FROM one\n"
                                 "ENV A=1\n"
                                 "ADD b /b\n"
                                 "RUN second\n"
                                 "WORKDIR /end\n";

#define NONE "\"empty_layer\":true"

static void expect(const char *history, size_t base_layers, size_t layers, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_dockerfile) df = NULL;
    SB_AUTO(sb_df_view) view = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autojson *config = NULL;
    sb_autobuf text = SB_BUF_INIT(1 << 16);
    sb_layer_origin *origins;
    sb_df_inputs inputs = {0};

    must(sb_df_parse(sb_slice_z(dockerfile), "Dockerfile", 0, &df, &err), err);
    must(sb_df_view_new(df, &inputs, &view, &err), err);
    must(sb_json_parse(sb_slice_z(history), "history", &config, &err), err);
    origins = sb_layer_origins(view, config, base_layers, layers, arena);
    for (size_t i = 0; i < layers; i++)
        sb_buf_printf(&text, "%u %" SB_FMT "%s\n", origins[i].line, SB_ARG(origins[i].instruction),
                      origins[i].key ? "" : " ?");
    assert_string_equal(text.data, expected);
}

static const char all_known[] =
    "0 the base image\n2 WORKDIR /srv\n3 COPY a /a\n4 RUN first     thing\n10 ADD b /b\n"
    "11 RUN second\n12 WORKDIR /end\n";

static void test_buildkit(void **state)
{
    (void)state;
    expect("{\"history\":[{\"created_by\":\"/bin/sh -c #(nop) ADD file:1 in / \"},"
           "{\"created_by\":\"/bin/sh -c #(nop)  CMD [\\\"bash\\\"]\"," NONE "},"
           "{\"created_by\":\"WORKDIR /srv\"},{\"created_by\":\"COPY a /a # buildkit\"},"
           "{\"created_by\":\"SHELL [/.sbuild-bin/sbuild-step -- /bin/sh -c]\"," NONE "},"
           "{\"created_by\":\"RUN /.sbuild-bin/sbuild-step -- /bin/sh -c first thing # buildkit\"},"
           "{\"created_by\":\"SHELL [/bin/sh -c]\"," NONE "},{\"created_by\":\"ENV A=1\"," NONE "},"
           "{\"created_by\":\"COPY b /b # buildkit\"},{\"created_by\":\"RUN /bin/sh -c second # buildkit\"},"
           "{\"created_by\":\"WORKDIR /end\"}]}",
           1, 7, all_known);
}

static void test_buildah(void **state)
{
    (void)state;
    expect("{\"history\":[{\"created_by\":\"layer 0\"},"
           "{\"created_by\":\"/bin/sh -c #(nop) COPY dir:1 in /srv/ \"},"
           "{\"created_by\":\"/bin/sh -c #(nop) WORKDIR /srv\"," NONE "},"
           "{\"created_by\":\"/bin/sh -c #(nop) COPY file:1 in /a \"},"
           "{\"created_by\":\"/bin/sh -c --mount=type=bind,from=sbuild-steps first thing\"},"
           "{\"created_by\":\"/bin/sh -c #(nop) ENV A=1\"," NONE "},"
           "{\"created_by\":\"/bin/sh -c #(nop) ADD file:1 in /b \"},{\"created_by\":\"/bin/sh -c second\"},"
           "{\"created_by\":\"/bin/sh -c #(nop) COPY dir:1 in /end/ \"},"
           "{\"created_by\":\"/bin/sh -c #(nop) WORKDIR /end\"," NONE "}]}",
           1, 7, all_known);
}

static void test_a_base_without_history(void **state)
{
    (void)state;
    expect("{\"history\":[{\"created_by\":\"COPY a /a # buildkit\"},{\"created_by\":\"RUN /bin/sh -c x\"}]}",
           1, 3, "0 the base image\n3 COPY a /a\n4 RUN first     thing\n");
}

static void test_what_cannot_be_told(void **state)
{
    (void)state;
    /* Nothing wrong is said from where on it does not fit. */
    expect("{\"history\":[{\"created_by\":\"COPY a /a\"},{\"created_by\":\"COPY \\u001b[31m\"}]}", 0, 2,
           "3 COPY a /a\n0 COPY \\x1b[31m ?\n");
    expect("{}", 0, 1, "0  ?\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buildkit),
        cmocka_unit_test(test_buildah),
        cmocka_unit_test(test_a_base_without_history),
        cmocka_unit_test(test_what_cannot_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
