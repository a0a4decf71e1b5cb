// SPDX-License-Identifier: Apache-2.0
#include "layer_fixture.h"

#include <fcntl.h>

static const sb_canonical_options plain = {.epoch = 1000};

static const char *rule_of(const sb_canonical_options *options, const char *path, uint64_t size)
{
    const sb_volatile_rule *rule = sb_volatile_match(options, sb_slice_z(path), size);

    return rule ? rule->name : "none";
}

static void test_every_rule_knows_its_files(void **state)
{
    static const struct {
        const char *path, *rule;
    } cases[] = {
        {"var/log/apt/term.log", "apt-logs"},
        {"var/log/apt/deep/term.log", "none"},
        {"var/log/dnf.librepo.log.1", "rpm-logs"},
        {"var/log/apk.log", "rpm-logs"},
        {"var/lib/rpm/__db.001", "rpm-state"},
        {"var/log/lastlog", "login-logs"},
        {"etc/passwd-", "backups"},
        {"etc/passwd", "none"},
        {"var/cache/debconf/config.dat-old", "backups"},
        {"root/.gnupg/random_seed", "random-seed"},
        {"home/a/b/.gnupg/random_seed", "random-seed"},
        {"usr/share/fonts/truetype/dejavu/.uuid", "font-cache"},
        {"usr/share/other/.uuid", "none"},
        {"root/.cache/pip/http-v2/a/b", "pip-cache"},
        {"root/.cache/pypoetry/virtualenvs/x/bin/python", "none"},
        {"root/.npm/_cacache/content-v2/sha512/aa", "none"},
        {"root/.npm/_cacache/index-v5/aa/bb", "npm-cache"},
        {"root/.cache/go-build/00/00-a", "go-cache"},
        {"root/.m2/repository/a/b/1/_remote.repositories", "maven-cache"},
        {"root/.m2/repository/a/b/1/b-1.jar", "none"},
        {"root/.cache/pnpm/metadata-v1.3/r/a.json", "pnpm-cache"},
        {"root/.local/share/pnpm/store/v3/files/09/0a-index.json", "pnpm-cache"},
        {"root/.local/share/pnpm/store/v3/files/09/0a", "none"},
        {"app/node_modules/.modules.yaml", "none"},
        {"root/.wget-hsts", "wget-hsts"},
        {"usr/lib/python3/m.pyc", "none"}, /* a patch leaves nothing out */
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++)
        assert_string_equal(rule_of(&plain, cases[i].path, 10), cases[i].rule);
    /* A trust database that holds trust is somebody's. */
    assert_string_equal(rule_of(&plain, "root/.gnupg/trustdb.gpg", 1200), "gpg-trustdb");
    assert_string_equal(rule_of(&plain, "root/.gnupg/trustdb.gpg", 1240), "none");
    assert_string_equal(rule_of(&plain, "root/.gnupg/pubring.kbx", 32), "gpg-keybox");
    assert_string_equal(rule_of(&plain, "root/.gnupg/pubring.kbx", 1947), "none");
}

static void test_switches(void **state)
{
    static const char *const keep[] = {"machine-id", NULL}, *const drop[] = {"ssh-host-keys", "apt-logs",
                                                                             NULL};
    const sb_canonical_options some = {.keep = keep, .drop = drop};
    const sb_canonical_options all = {.keep_volatile = true, .drop = drop};
    sb_autobuf text = SB_BUF_INIT(4096);

    (void)state;
    assert_string_equal(rule_of(&plain, "etc/machine-id", 33), "machine-id");
    assert_string_equal(rule_of(&plain, "etc/ssh/ssh_host_rsa_key", 1000), "none");
    assert_string_equal(rule_of(&some, "etc/machine-id", 33), "none");
    assert_string_equal(rule_of(&some, "etc/ssh/ssh_host_rsa_key.pub", 1000), "ssh-host-keys");
    assert_string_equal(rule_of(&all, "etc/machine-id", 33), "none");
    assert_string_equal(rule_of(&all, "var/log/dpkg.log", 33), "apt-logs");
    assert_int_equal(sb_volatile_patch(&plain, SB_LIT("a/m.pyc")), SB_PATCH_PYC);
    assert_int_equal(sb_volatile_patch(&plain, SB_LIT("etc/shadow")), SB_PATCH_SHADOW);
    assert_int_equal(sb_volatile_patch(&plain, SB_LIT("srv/etc/shadow")), SB_PATCH_NONE);
    assert_int_equal(sb_volatile_patch(&all, SB_LIT("a/m.pyc")), SB_PATCH_NONE);
    sb_volatile_switched(&plain, &text);
    assert_int_equal(text.len, 0);
    sb_volatile_switched(&some, &text);
    assert_string_equal(text.data, "keep machine-id, drop ssh-host-keys");
}

static void test_command_line_and_repository(void **state)
{
    static const char *const keep[] = {"npm-cache", NULL}, *const bad[] = {"nmp-cache", NULL};
    sb_volatile_setting rules[] = {{SB_LIT("npm-cache"), true}, {SB_LIT("ssh-host-keys"), true}};
    sb_settings settings = {.volatile_rules = rules, .volatile_count = 2};
    sb_build_options options = {.keep_volatile = keep};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_canonical_options canonical = {0};

    (void)state;
    must(sb_volatile_options(&settings, &options, arena, &canonical, &err), err);
    assert_string_equal(canonical.keep[0], "npm-cache");
    assert_null(canonical.keep[1]);
    assert_string_equal(canonical.drop[0], "ssh-host-keys");
    assert_null(canonical.drop[1]);
    options.drop_volatile = keep;
    assert_int_equal(sb_volatile_options(&settings, &options, arena, &canonical, &err), -1);
    assert_int_equal(sb_error_code(err), SB_ERR_USAGE);
    sb_error_free(err);
    err = NULL;
    options.drop_volatile = bad;
    assert_int_equal(sb_volatile_options(&settings, &options, arena, &canonical, &err), -1);
    assert_int_equal(sb_error_code(err), SB_ERR_USAGE);
    assert_non_null(strstr(err->message, "\"nmp-cache\""));
    assert_non_null(strstr(err->message, "npm-cache, node-compile-cache"));
}

/* docs/reproducible.md has a row for each rule, made of the table. */
static void test_documentation_is_the_table(void **state)
{
    static const char file[] = SBUILD_SOURCE_DIR "/docs/reproducible.md";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *docs = NULL;
    sb_volatile_text rule;
    size_t len;

    (void)state;
    must(sb_read_file(AT_FDCWD, file, 1 << 20, &docs, &len, NULL, &err), err);
    for (size_t i = 0; sb_volatile_list(i, arena, &rule); i++) {
        sb_autobuf row = SB_BUF_INIT(4096);
        sb_slice files = sb_slice_z(rule.files);

        sb_buf_printf(&row, "| `%s` | %s | ", rule.name, rule.what);
        for (size_t n = 0; files.ptr; n++) {
            sb_slice one = sb_slice_trim(sb_slice_cut(&files, ','));

            sb_buf_printf(&row, "%s`%" SB_FMT "`", n ? ", " : "", SB_ARG(one));
        }
        sb_buf_printf(&row, " | %s |\n", rule.about);
        if (!strstr(docs, row.data))
            fail_msg("docs/reproducible.md lacks the row\n%s", row.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule_knows_its_files),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_command_line_and_repository),
        cmocka_unit_test(test_documentation_is_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
