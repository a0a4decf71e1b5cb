// SPDX-License-Identifier: Apache-2.0
#include <fetch/settings_internal.h>
#include <fetch/toml.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "tempdir.h"

static int add(sb_settings *settings, const char *text, bool own, sb_error **err)
{
    sb_settings_builder builder = {.settings = settings,
                                   .user_file = "/home/u/.config/sbuild/config.json",
                                   .registry_cap = settings->registry_count,
                                   .allow_cap = settings->allow_host_count,
                                   .trust_cap = settings->trust_count};

    return sb_settings_add_json(&builder, sb_slice_z(text), own ? builder.user_file : "sbuild.json", own,
                                err);
}

static void users_file(void **state)
{
    SB_AUTO(sb_settings) s = sb_settings_new();
    const sb_registry_settings *r;

    (void)state;
    assert_int_equal(
        add(s,
            "{\"registries\": {\"docker.io\": {\"mirrors\": [{\"location\": \"127.0.0.1:5000/hub/\","
            " \"resolve\": true, \"insecure\": true}]},"
            " \"docker.io/acme\": {\"blocked\": true}, \"*.example.org\": {\"ca-file\": \"/ca\"}},"
            " \"allow-hosts\": [\"localhost\"], \"min-age\": \"7d\", \"parallel\": 8,"
            " \"require-signatures\": false, \"trust\": {\"https://x/\": \"sha256=00\"}}",
            true, NULL),
        0);
    r = sb_settings_registry(s, SB_LIT("docker.io/library/node"));
    assert_non_null(r);
    assert_int_equal(r->mirror_count, 1);
    assert_true(sb_slice_eqz(r->mirrors[0].location, "127.0.0.1:5000/hub"));
    assert_true(r->mirrors[0].resolve && r->mirrors[0].insecure);
    assert_true(sb_settings_registry(s, SB_LIT("docker.io/acme/tool"))->blocked);
    assert_false(sb_settings_registry(s, SB_LIT("docker.io/acmex/tool"))->blocked);
    assert_true(sb_slice_eqz(sb_settings_registry(s, SB_LIT("a.example.org/x"))->ca_file, "/ca"));
    assert_null(sb_settings_registry(s, SB_LIT("example.org/x")));
    assert_null(sb_settings_registry(s, SB_LIT("docker.iox/x")));
    assert_true(sb_settings_host_allowed(s, SB_LIT("LOCALHOST")));
    assert_true(sb_settings_host_allowed(s, SB_LIT("localhost:8080")));
    assert_false(sb_settings_host_allowed(s, SB_LIT("127.0.0.1")));
    assert_int_equal(s->min_age, 7 * 86400);
    assert_int_equal(s->parallel, 8);
    assert_int_equal(s->trust_count, 1);
}

/* The user's own rules stand before the repository's, which counts where both say something. */
static void rules(void **state)
{
    SB_AUTO(sb_settings) s = sb_settings_new();

    (void)state;
    assert_int_equal(add(s,
                         "{\"lint\": {\"rules\": {\"A\": \"off\"}, \"fail-on\": \"info\"},"
                         " \"scan\": {\"secret-rules\": [\"/etc/own.toml\"]}}",
                         true, NULL),
                     0);
    assert_int_equal(
        add(s,
            "{\"lint\": {\"rules\": {\"B\": \"error\"}, \"fail-on\": \"never\", \"baseline\": \"b.json\","
            " \"require-reason\": true, \"ignore\": [{\"path\": \"old/*\", \"reason\": \"r\"}]},"
            " \"scan\": {\"ignore-file\": \"i.json\", \"secret-rules\": [\"own.toml\"], \"fail-on\": "
            "\"error\"}}",
            false, NULL),
        0);
    assert_int_equal(s->lint.rule_count, 2);
    assert_true(sb_slice_eqz(s->lint.rules[0].rule, "A") && sb_slice_eqz(s->lint.rules[0].severity, "off"));
    assert_true(sb_slice_eqz(s->lint.rules[1].rule, "B") && sb_slice_eqz(s->lint.rules[1].severity, "error"));
    assert_true(sb_slice_eqz(s->lint.fail_on, "never") && sb_slice_eqz(s->lint.accepted, "b.json"));
    assert_true(s->lint.require_reason && !s->scan.require_reason);
    assert_int_equal(s->lint.exception_count, 1);
    assert_null(s->lint.exceptions[0].rule.ptr);
    assert_true(sb_slice_eqz(s->lint.exceptions[0].path, "old/*"));
    assert_true(sb_slice_eqz(s->scan.accepted, "i.json"));
    assert_int_equal(s->scan.secret_rule_count, 2);
}

static void refused_rules(void **state)
{
    static const struct {
        const char *text;
        bool own;
    } texts[] = {
        {"{\"lint\": []}", false},
        {"{\"lint\": {\"rule\": {}}}", false},
        {"{\"lint\": {\"rules\": {\"A\": \"of\"}}}", false},
        {"{\"lint\": {\"rules\": {\"A\": true}}}", false},
        {"{\"lint\": {\"fail-on\": \"off\"}}", false},
        {"{\"lint\": {\"require-reason\": 1}}", false},
        {"{\"lint\": {\"ignore\": [{\"reason\": \"r\"}]}}", false},
        {"{\"lint\": {\"ignore\": [{\"rule\": \"A\", \"until\": \"r\"}]}}", false},
        {"{\"lint\": {\"ignore-file\": \"x\"}}", false},
        {"{\"scan\": {\"baseline\": \"x\"}}", false},
        {"{\"scan\": {\"secret-rules\": \"x\"}}", false},
        {"{\"scan\": {\"secret-rules\": [\"x\"]}}", true},
        {"{\"scan\": {\"ignore-file\": \"x\"}}", true},
        {"{\"lint\": {\"baseline\": \"x\"}}", true},
        {"{\"lint\": {\"ignore\": []}}", true},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(texts); i++) {
        SB_AUTO(sb_settings) s = sb_settings_new();
        SB_AUTO(sb_error) err = NULL;

        assert_int_equal(add(s, texts[i].text, texts[i].own, &err), -1);
        assert_int_equal(err->code, SB_ERR_USAGE);
    }
}

static void repository_cannot_loosen(void **state)
{
    static const char *const loosening[] = {
        "{\"allow-hosts\": [\"localhost\"]}",
        "{\"recording\": {\"credentials\": [\"packages.example.org\"]}}",
        "{\"registries\": {\"docker.io\": {\"insecure\": true}}}",
        "{\"registries\": {\"docker.io\": {\"ca-file\": \"/x\"}}}",
        "{\"registries\": {\"docker.io\": {\"client-key\": \"/x\"}}}",
        "{\"registries\": {\"docker.io\": {\"location\": \"127.0.0.1:1\"}}}",
        "{\"registries\": {\"docker.io\": {\"location\": \"m.org\"}}}",
        "{\"registries\": {\"docker.io\": {\"mirrors\": [{\"location\": \"m.org\", \"resolve\": true}]}}}",
        "{\"registries\": {\"docker.io\": {\"mirrors\": [{\"location\": \"localhost:1\"}]}}}",
        "{\"registries\": {\"docker.io\": {\"mirrors\": [{\"location\": \"169.254.169.254\"}]}}}",
        "{\"registries\": {\"docker.io\": {\"mirrors\": [{\"location\": \"m.org\", \"insecure\": true}]}}}",
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(loosening); i++) {
        SB_AUTO(sb_settings) mine = sb_settings_new();
        SB_AUTO(sb_settings) theirs = sb_settings_new();
        SB_AUTO(sb_error) err = NULL;

        assert_int_equal(add(mine, loosening[i], true, NULL), 0);
        assert_int_equal(add(theirs, loosening[i], false, &err), -1);
        assert_int_equal(err->code, SB_ERR_USAGE);
        assert_non_null(strstr(err->message, "/home/u/.config/sbuild/config.json"));
    }
}

static void repository_can_tighten(void **state)
{
    SB_AUTO(sb_settings) s = sb_settings_new();

    (void)state;
    assert_int_equal(
        add(s, "{\"registries\": {\"evil.org\": {\"blocked\": true}}, \"min-age\": \"7d\"}", true, NULL), 0);
    assert_int_equal(add(s,
                         "{\"registries\": {\"evil.org/x\": {\"mirrors\": [{\"location\": \"m.org\"}]},"
                         " \"q.io\": {\"blocked\": true}}, \"min-age\": \"1d\", \"require-signatures\": true,"
                         " \"parallel\": 64}",
                         false, NULL),
                     0);
    assert_true(sb_settings_registry(s, SB_LIT("evil.org/x/y"))->blocked);
    assert_true(sb_settings_registry(s, SB_LIT("q.io/y"))->blocked);
    assert_int_equal(s->min_age, 7 * 86400);
    assert_true(s->require_signatures);
    assert_int_equal(s->parallel, 4);
}

/* A longer prefix would count for more than what the user has configured. */
static void repository_cannot_lead_elsewhere(void **state)
{
    SB_AUTO(sb_settings) s = sb_settings_new();
    sb_settings_builder builder = {.settings = s, .user_file = "x"};
    const sb_registry_settings *r;

    (void)state;
    assert_int_equal(sb_settings_add_containers(&builder,
                                                SB_LIT("[[registry]]\nprefix = \"docker.io\"\n"
                                                       "location = \"hub.corp.org\"\n"
                                                       "[[registry]]\nprefix = \"evil.org\"\n"
                                                       "blocked = true\n"),
                                                "registries.conf", NULL),
                     0);
    assert_int_equal(
        sb_settings_add_json(
            &builder,
            SB_LIT("{\"registries\": {\"docker.io/library\": {\"mirrors\": [{\"location\": \"m.org\"}]},"
                   " \"docker.io/bad\": {\"blocked\": true}, \"evil.org/x\": {},"
                   " \"ghcr.io\": {\"mirrors\": [{\"location\": \"m.org\"}]}}}"),
            "sbuild.json", false, NULL),
        0);
    r = sb_settings_registry(s, SB_LIT("docker.io/library/node"));
    assert_true(sb_slice_eqz(r->location, "hub.corp.org"));
    assert_int_equal(r->mirror_count, 0);
    assert_true(sb_settings_registry(s, SB_LIT("docker.io/bad/x"))->blocked);
    assert_true(sb_settings_registry(s, SB_LIT("evil.org/x/y"))->blocked);
    assert_int_equal(sb_settings_registry(s, SB_LIT("ghcr.io/a/b"))->mirror_count, 1);
}

/* What the machine's own files say is known when the repository's file is read. */
static void the_repository_speaks_last(void **state)
{
    const tempdir *t = *state;
    SB_AUTO(sb_settings) s = NULL;
    sb_autofree char *conf = sb_path_join(t->dir, "registries.conf");
    sb_autofree char *config = sb_path_join(t->dir, "config");

    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("CONTAINERS_REGISTRIES_CONF", conf, 1);
    assert_int_equal(sb_write_file(AT_FDCWD, conf,
                                   SB_LIT("[[registry]]\nprefix = \"evil.org\"\nblocked = true\n"), 0644,
                                   NULL),
                     0);
    assert_int_equal(sb_write_file(t->dirfd, "sbuild.json",
                                   SB_LIT("{\"registries\": {\"evil.org/x\": {\"mirrors\": [{\"location\": "
                                          "\"m.org\"}]}}}"),
                                   0644, NULL),
                     0);
    assert_int_equal(sb_settings_load(t->dir, &s, NULL), 0);
    assert_true(sb_settings_registry(s, SB_LIT("evil.org/x/y"))->blocked);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("CONTAINERS_REGISTRIES_CONF");
}

static void volatile_files(void **state)
{
    static const char text[] = "{\"volatile\": {\"keep\": [\"npm-cache\"], \"drop\": [\"ssh-host-keys\"]}}";
    static const char *const bad[] = {"{\"volatile\": []}", "{\"volatile\": {\"kept\": []}}",
                                      "{\"volatile\": {\"keep\": \"npm-cache\"}}",
                                      "{\"volatile\": {\"drop\": [1]}}"};
    SB_AUTO(sb_settings) s = sb_settings_new();
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    assert_int_equal(add(s, text, false, NULL), 0);
    assert_int_equal(s->volatile_count, 2);
    assert_true(sb_slice_eqz(s->volatile_rules[0].name, "npm-cache") && !s->volatile_rules[0].drop);
    assert_true(sb_slice_eqz(s->volatile_rules[1].name, "ssh-host-keys") && s->volatile_rules[1].drop);
    /* What one user has for himself would make another image of it. */
    assert_int_equal(add(s, text, true, &err), -1);
    assert_int_equal(err->code, SB_ERR_USAGE);
    assert_non_null(strstr(err->message, "sbuild.json"));
    for (size_t i = 0; i < SB_COUNT(bad); i++)
        if (add(s, bad[i], false, NULL) == 0)
            fail_msg("taken: %s", bad[i]);
}

static void mistakes(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"registrys\": {}}",
        "{\"registries\": []}",
        "{\"registries\": {\"x.org\": {\"blokced\": true}}}",
        "{\"registries\": {\"x.org\": {\"mirrors\": [{}]}}}",
        "{\"registries\": {\"x.org\": {\"location\": \"https://y\"}}}",
        "{\"require-signatures\": \"yes\"}",
        "{\"min-age\": \"soon\"}",
        "{\"min-age\": -1}",
        "{\"parallel\": 0}",
        "{\"trust\": {\"https://x\": 1}}",
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        SB_AUTO(sb_settings) s = sb_settings_new();
        SB_AUTO(sb_error) err = NULL;

        if (add(s, bad[i], true, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err->code, SB_ERR_USAGE);
    }
}

static void other_tools_files(void **state)
{
    SB_AUTO(sb_settings) s = sb_settings_new();
    sb_settings_builder builder = {.settings = s, .user_file = "x"};
    const sb_registry_settings *r;

    (void)state;
    assert_int_equal(
        sb_settings_add_daemon(&builder,
                               SB_LIT("{\"registry-mirrors\": [\"https://m.org/\", \"http://n.org:5000\"],"
                                      " \"insecure-registries\": [\"10.0.0.0/8\", \"old.org:80\"]}"),
                               "daemon.json", NULL),
        0);
    assert_int_equal(
        sb_settings_add_containers(&builder,
                                   SB_LIT("unqualified-search-registries = ['docker.io'] # none\n"
                                          "[[registry]]\nprefix = \"docker.io\"\n[[registry.mirror]]\n"
                                          "location = \"late.org\"\n"
                                          "[[registry]]\nlocation = 'quay.io'\nblocked = true\n"
                                          "[[registry]]\nprefix = \"r.org/a\"\nlocation = \"s.org/b\"\n"
                                          "  [[registry.mirror]]\n  location = \"t.org\"\n  insecure = true\n"
                                          "  [[registry.mirror]]\n  location = \"u.org\"\n"
                                          "  pull-from-mirror = \"tag-only\"\n"),
                                   "registries.conf", NULL),
        0);
    r = sb_settings_registry(s, SB_LIT("docker.io/library/node"));
    assert_int_equal(r->mirror_count, 2);
    assert_true(sb_slice_eqz(r->mirrors[0].location, "m.org"));
    assert_true(!r->mirrors[0].insecure && !r->mirrors[0].resolve && r->mirrors[1].insecure);
    assert_true(sb_settings_insecure(s, SB_LIT("10.1.2.3:5000")));
    assert_false(sb_settings_insecure(s, SB_LIT("11.1.2.3:5000")));
    assert_true(sb_settings_insecure(s, SB_LIT("old.org:80")));
    assert_true(sb_settings_registry(s, SB_LIT("quay.io/x"))->blocked);
    r = sb_settings_registry(s, SB_LIT("r.org/a/x"));
    assert_true(sb_slice_eqz(r->location, "s.org/b"));
    assert_int_equal(r->mirror_count, 1);
    assert_true(r->mirrors[0].insecure);
}

static void toml(void **state)
{
    static const char text[] =
        "a = \"x\\u00e9\\n\" # c\r\n'b c'.d = [1, 2_000,\n # c\n -3,]\n"
        "t = {x = true, \"y\" = 'l\\n'}\nm = \"\"\"\nl1\\\n   l2\"\"\"\"\nn = '''a\nb'''\n"
        "[p.q]\nr = false\n[[p.s]]\nv=1\n[[p.s]]\nv=2\n[p.s.w]\nz=3\n";
    sb_autojson *root = NULL;
    sb_autobuf out = SB_BUF_INIT(4096);

    (void)state;
    assert_int_equal(sb_toml_parse(sb_slice_z(text), "t", &root, NULL), 0);
    assert_int_equal(sb_json_write(root, &out, NULL), 0);
    assert_string_equal(
        out.data, "{\"a\":\"x\xc3\xa9\\n\",\"b c\":{\"d\":[1,2000,-3]},\"m\":\"l1l2\\\"\",\"n\":\"a\\nb\","
                  "\"p\":{\"q\":{\"r\":false},\"s\":[{\"v\":1},{\"v\":2,\"w\":{\"z\":3}}]},"
                  "\"t\":{\"x\":true,\"y\":\"l\\\\n\"}}");
}

static void toml_lines(void **state)
{
    sb_autojson *root = NULL;
    const json_t *second;

    (void)state;
    assert_int_equal(sb_toml_parse_lines(SB_LIT("\n[[a]]\nx = 2.5\n\n[[a]]\nx = -0.25\n"), "t", &root, NULL),
                     0);
    second = json_array_get(json_object_get(root, "a"), 1);
    assert_int_equal(sb_json_int(second, SB_TOML_LINE, 0), 5);
    assert_true(json_real_value(json_object_get(second, "x")) == -0.25);
    assert_int_equal(sb_toml_parse_lines(SB_LIT("[[a]]\n\"\\nline\" = 1\n"), "t", &root, NULL), -1);
}

static void toml_mistakes(void **state)
{
    static const char *const bad[] = {
        "a",           "a = ",       "a = \"x",     "a = 1 2",         "a = 1\na = 2", "[a",
        "[[a]",        "[a]\n[[a]]", "a = [1",      "a = {b = 1",      "a = 1.5.1",    "a = 1.",
        "a = .5",      "a = 'x\ny'", "a = \"\\q\"", "a = \"\\ud800\"", "= 1",          "a = 1\n[a.b]",
        "a = \"\xff\""};
    char deep[100];

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        sb_autojson *root = NULL;
        SB_AUTO(sb_error) err = NULL;

        if (sb_toml_parse(sb_slice_z(bad[i]), "t", &root, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(strncmp(err->message, "t:", 2), 0);
    }
    memset(deep, '[', sizeof(deep));
    memcpy(deep, "a = ", 4);
    {
        sb_autojson *root = NULL;

        assert_int_equal(sb_toml_parse(sb_slice_of(deep, sizeof(deep)), "t", &root, NULL), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_file),
        cmocka_unit_test(rules),
        cmocka_unit_test(refused_rules),
        cmocka_unit_test(repository_cannot_loosen),
        cmocka_unit_test(repository_can_tighten),
        cmocka_unit_test(repository_cannot_lead_elsewhere),
        cmocka_unit_test_setup_teardown(the_repository_speaks_last, tempdir_setup, tempdir_teardown),
        cmocka_unit_test(volatile_files),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(other_tools_files),
        cmocka_unit_test(toml),
        cmocka_unit_test(toml_lines),
        cmocka_unit_test(toml_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
