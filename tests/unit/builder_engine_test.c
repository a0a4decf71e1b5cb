// SPDX-License-Identifier: Apache-2.0
/* Probing, with programs of the engines' names that answer as the real ones do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/engine.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <sbuild/fs.h>

static char *dir;

static void program(const char *name, const char *script)
{
    sb_autofree char *path = sb_path_join(dir, name);
    sb_autofree char *text = sb_asprintf("#!/bin/sh\n%s\n", script);

    assert_int_equal(sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0755, NULL), 0);
}

static void no_program(const char *name)
{
    sb_autofree char *path = sb_path_join(dir, name);

    (void)unlink(path);
}

static void docker(const char *version, const char *buildx, const char *status, const char *driver)
{
    sb_autofree char *script =
        sb_asprintf("if [ \"$1\" = info ]; then echo "
                    "'{\"ServerVersion\":\"%s\",\"DriverStatus\":%s,\"ClientInfo\":{\"Plugins\":"
                    "[{\"Name\":\"buildx\",\"Version\":\"%s\"}]}}'; else printf 'Name:   it\\nDriver: "
                    "%s\\nLast: 1:2\\n'; fi",
                    version, status, buildx, driver);

    program("docker", script);
}

static sb_engine *chosen(const char *name)
{
    SB_AUTO(sb_error) err = NULL;
    sb_engine *engine = NULL;

    if (sb_engine_select(name, NULL, &engine, &err) < 0)
        fail_msg("%s: %s", name ? name : "(any)", err->message);
    return engine;
}

static void not_chosen(const char *name, const char *because)
{
    SB_AUTO(sb_error) err = NULL;
    sb_engine *engine = NULL;

    assert_int_equal(sb_engine_select(name, NULL, &engine, &err), -1);
    if (!strstr(err->message, because))
        fail_msg("\"%s\" does not say \"%s\"", err->message, because);
    assert_int_equal(sb_exit_code(err->code), strcmp(because, "use docker") == 0 ? 2 : 9);
}

static const char containerd[] = "[[\"driver-type\",\"io.containerd.snapshotter.v1\"]]";
static const char classic[] = "[[\"Backing Filesystem\",\"extfs\"]]";

static void test_versions(void **state)
{
    (void)state;
    assert_true(sb_version_at_least(SB_LIT("26.1.5+dfsg1"), 26, 1));
    assert_true(sb_version_at_least(SB_LIT("v0.13.1"), 0, 10));
    assert_true(sb_version_at_least(SB_LIT("27"), 26, 9));
    assert_false(sb_version_at_least(SB_LIT("1.28.2"), 1, 33));
    assert_false(sb_version_at_least(SB_LIT("0.9.9"), 0, 10));
    assert_false(sb_version_at_least(SB_LIT(""), 0, 1));
    assert_false(sb_version_at_least(SB_LIT("unknown"), 1, 0));
    assert_true(sb_version_at_least(SB_LIT("99999999999999999999.1"), 26, 0));
}

static void test_docker_stores(void **state)
{
    SB_AUTO(sb_engine) first = NULL;
    SB_AUTO(sb_engine) second = NULL;
    SB_AUTO(sb_engine) third = NULL;

    (void)state;
    docker("26.1.5+dfsg1", "0.13.1+ds", containerd, "docker");
    first = chosen("docker");
    assert_true(first->can.containerd_store && first->can.layout_contexts);
    assert_true(sb_slice_eqz(first->version, "26.1.5+dfsg1 (buildx 0.13.1+ds)"));
    assert_true(sb_slice_eqz(first->builder, "it (docker)"));
    docker("26.1.5", "0.13.1", classic, "docker");
    second = chosen("docker");
    assert_false(second->can.containerd_store || second->can.layout_contexts);
    docker("26.1.5", "0.13.1", classic, "docker-container");
    third = chosen("docker");
    assert_true(!third->can.containerd_store && third->can.layout_contexts);
}

static void test_docker_problems(void **state)
{
    (void)state;
    program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    not_chosen("docker", "Cannot connect");
    docker("20.10.24", "0.13.1", classic, "docker");
    not_chosen("docker", "too old");
    docker("26.1.5", "0.5.0", classic, "docker");
    not_chosen("docker", "too old");
    program("docker", "echo '{\"ServerVersion\":\"26.1\",\"ClientInfo\":{\"Plugins\":[]}}'");
    not_chosen("docker", "buildx");
    program("docker", "echo '{\"ServerVersion\":\"\",\"ServerErrors\":[\"no\"]}'");
    not_chosen("docker", "does not answer");
    no_program("docker");
    not_chosen("docker", "not installed");
}

static void test_buildah(void **state)
{
    SB_AUTO(sb_engine) old = NULL;
    SB_AUTO(sb_engine) recent = NULL;

    (void)state;
    program("buildah", "echo 'buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)'");
    old = chosen("buildah");
    assert_true(sb_slice_eqz(old->version, "1.28.2"));
    assert_false(old->can.heredocs || old->can.run_network || old->can.workdir_layer || old->can.copy_link);
    program("buildah", "echo 'buildah version 1.39.3 (image-spec 1.1.1)'");
    recent = chosen("buildah");
    assert_true(recent->can.heredocs && recent->can.copy_exclude && !recent->can.copy_parents);
    program("buildah", "echo 'buildah version 1.19.6 (image-spec 1.0.1)'");
    not_chosen("buildah", "too old");
}

static void test_choice(void **state)
{
    SB_AUTO(sb_engine) first = NULL;
    SB_AUTO(sb_engine) second = NULL;
    SB_AUTO(sb_engine) third = NULL;

    (void)state;
    unsetenv("SBUILD_ENGINE");
    program("buildah", "echo 'buildah version 1.28.2 (x)'");
    docker("26.1.5", "0.13.1", containerd, "docker");
    first = chosen(NULL);
    assert_true(sb_slice_eqz(first->name, "docker"));
    program("docker", "exit 1");
    second = chosen(NULL);
    assert_true(sb_slice_eqz(second->name, "buildah"));
    docker("26.1.5", "0.13.1", containerd, "docker");
    setenv("SBUILD_ENGINE", "buildah", 1);
    third = chosen(NULL);
    assert_true(sb_slice_eqz(third->name, "buildah"));
    unsetenv("SBUILD_ENGINE");
    not_chosen("kaniko", "use docker");
    no_program("docker");
    no_program("buildah");
    not_chosen(NULL, "install buildah");
}

static void test_options_that_engines_lack(void **state)
{
    sb_engine engine = {.name = SB_LIT("x")};

    (void)state;
    assert_null(sb_engine_docker.refuses(&engine, SB_LIT("secret"), SB_LIT("id=a")));
    assert_null(sb_engine_docker.refuses(&engine, SB_LIT("provenance"), SB_LIT("false")));
    assert_non_null(sb_engine_docker.refuses(&engine, SB_LIT("provenance"), SB_LIT("mode=max")));
    assert_null(sb_engine_buildah.refuses(&engine, SB_LIT("label"), SB_LIT("a=b")));
    assert_non_null(sb_engine_buildah.refuses(&engine, SB_LIT("allow"), SB_LIT("network.host")));
    assert_non_null(sb_engine_buildah.refuses(&engine, SB_LIT("cache-to"), SB_LIT("type=inline")));
    assert_null(sb_engine_buildah.refuses(&engine, SB_LIT("cache-to"), SB_LIT("registry.example.org/cache")));
}

static void test_one_name_is_one_image(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_argv argv = {.arena = arena};
    sb_build_options options = {0};
    sb_plan_image images[] = {{.text = SB_LIT("docker.io/acme/onbuild:2.1.0")},
                              {.text = SB_LIT("docker.io/acme/onbuild:2.1.0")}};
    sb_plan plan = {.options = &options, .images = images, .image_count = 2};

    (void)state;
    sb_digest_of(SB_HASH_SHA256, SB_LIT("amd64"), &images[0].digest);
    sb_digest_of(SB_HASH_SHA256, SB_LIT("arm64"), &images[1].digest);
    assert_int_equal(sb_engine_docker.command(&plan, &argv, &err), -1);
    assert_int_equal(err->code, SB_ERR_ENGINE);
    assert_non_null(strstr(err->message, "docker.io/acme/onbuild:2.1.0 has ONBUILD triggers"));
}

static int setup(void **state)
{
    (void)state;
    dir = sb_temp_dir("sbuild-engine-test", NULL);
    /* printf and echo are built into the shell: nothing else of the machine is needed or seen. */
    return setenv("PATH", dir, 1);
}

static int teardown(void **state)
{
    (void)state;
    (void)sb_remove_tree(AT_FDCWD, dir, NULL);
    free(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_name_is_one_image),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_docker_stores),
        cmocka_unit_test(test_docker_problems),
        cmocka_unit_test(test_buildah),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_options_that_engines_lack),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
