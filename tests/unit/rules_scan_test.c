// SPDX-License-Identifier: Apache-2.0
/* rules/scan: layers against each other, files by name and mode, archives within files.
 * tests/e2e/scan_test.sh has whole images. */
#include "layer_fixture.h"

#include <rules/scan/scan.h>

static const char rules_text[] = "[[rules]]\nid = \"word\"\ntitle = \"A word\"\nkeywords = [\"secret\"]\n"
                                 "regex = 'secret_[a-z]{4}'\n";

typedef struct fixture {
    sb_secret_rules *rules;
    sb_scan_options options;
    sb_scan_run run;
    sb_scan_worker worker;
} fixture;

static int set_up(void **state)
{
    fixture *f = sb_new(fixture);
    SB_AUTO(sb_error) err = NULL;

    must(sb_secret_rules_parse(sb_slice_z(rules_text), "rules", &f->rules, &err), err);
    f->run = (sb_scan_run){.options = &f->options, .secrets = f->rules, .depth = 2, .seed = 12345};
    sb_scan_worker_init(&f->worker, &f->run);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    sb_scan_worker_clear(&f->worker);
    sb_secret_rules_free(f->rules);
    free(f);
    return 0;
}

static int read_fd(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    ssize_t got = read(*(const int *)ctx, data, len);

    (void)err;
    assert_true(got >= 0);
    *ret_len = (size_t)got;
    return 0;
}

static sb_scan_facts *facts_of_fd(fixture *f, int fd)
{
    sb_scan_facts *facts = sb_scan_facts_new();
    SB_AUTO(sb_error) err = NULL;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    must(sb_scan_read_layer(&f->worker, (sb_layer_feed){read_fd, &fd}, "its data", facts, &err), err);
    return facts;
}

static sb_scan_facts *facts_of(fixture *f, const item *items)
{
    sb_autoclose int fd = layer_of(items);

    return facts_of_fd(f, fd);
}

static void test_what_a_layer_takes_away(void **state)
{
    static const struct {
        const char *path;
        bool gone, replaced;
    } cases[] = {
        {"etc/file", true, true},       {"etc/other", false, false},  {"gone", true, false},
        {"gone/below/it", true, false}, {"goner", false, false},      {"dir/old", true, false},
        {"dir/sub/old", true, false},   {"dir", true, true},          {"was-dir/child", true, false},
        {"link", true, true},           {"stays/file", false, false},
    };
    SB_AUTO(sb_scan_facts)
    facts = facts_of(*state, ITEMS({'0', "etc/file", "x", 0644, 0, 1}, {'0', ".wh.gone", "", 0644, 0, 1},
                                   {'5', "dir", NULL, 0755, 0, 1}, {'0', "dir/.wh..wh..opq", "", 0644, 0, 1},
                                   {'0', "was-dir", "x", 0644, 0, 1}, {'2', "link", "etc", 0777, 0, 1},
                                   {'5', "stays", NULL, 0755, 0, 1}, {'0', ".wh..wh.plnk", "", 0644, 0, 1}));
    fixture *f = *state;

    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        bool replaced = false;
        bool gone = sb_scan_takes_away(&f->run, facts, sb_slice_z(cases[i].path), &replaced);

        if (gone != cases[i].gone || replaced != cases[i].replaced)
            fail_msg("%s: gone %d, replaced %d", cases[i].path, gone, replaced);
    }
}

static void test_root_is_emptied(void **state)
{
    SB_AUTO(sb_scan_facts) facts = facts_of(*state, ITEMS({'0', ".wh..wh..opq", "", 0644, 0, 1}));
    fixture *f = *state;
    bool replaced;

    assert_true(sb_scan_takes_away(&f->run, facts, SB_LIT("any/thing"), &replaced));
    assert_true(sb_scan_takes_away(&f->run, facts, SB_LIT("thing"), &replaced));
}

static void test_files_by_name_and_mode(void **state)
{
    static const struct {
        item entry;
        const sb_rule *rule; /* NULL: nothing to say */
    } cases[] = {
        {{'0', "usr/bin/su", "x", 04755, 0, 1}, &sb821_setuid_base},
        {{'0', "opt/su", "x", 04755, 0, 1}, &sb820_setuid},
        {{'0', "usr/bin/helper", "x", 02755, 0, 1}, &sb820_setuid},
        {{'0', "var/lock", "x", 02644, 0, 1}, NULL}, /* mandatory locking */
        {{'5', "var/mail", NULL, 02775, 0, 1}, NULL},
        {{'0', "usr/bin/ping [security.capability=x]", "x", 0755, 0, 1}, &sb821_setuid_base},
        {{'0', "app [security.capability=x]", "x", 0755, 0, 1}, &sb822_capabilities},
        {{'0', "etc/app.conf", "x", 0666, 0, 1}, &sb823_writable_file},
        {{'2', "link", "x", 0777, 0, 1}, NULL},
        {{'5', "data", NULL, 0777, 0, 1}, &sb824_writable_dir},
        {{'5', "tmp", NULL, 01777, 0, 1}, NULL},
        {{'0', "etc/passwd", "x", 0664, 0, 1}, &sb825_passwd_writable},
        {{'0', "etc/passwd", "x", 0644, 0, 1}, NULL},
        {{'0', "srv/etc/passwd", "x", 0664, 0, 1}, NULL},
        {{'0', "etc/shadow", "root:*:1:\nx::2:\n", 0640, 0, 1}, &sb826_empty_password},
        {{'0', "etc/shadow", "root:*:1:\nx:!:2:\n+\n\n", 0640, 0, 1}, NULL},
        {{'0', "src/.git/HEAD", "ref", 0644, 0, 1}, &sb831_git},
        {{'0', "src/x.git/HEAD", "ref", 0644, 0, 1}, NULL},
        {{'0', "etc/ssh/ssh_host_ed25519_key", "x", 0600, 0, 1}, &sb840_host_key},
        {{'0', "etc/ssh/ssh_host_ed25519_key.pub", "x", 0644, 0, 1}, NULL},
        {{'0', "root/.ssh/authorized_keys", "x", 0600, 0, 1}, &sb841_authorized_keys},
        {{'0', "root/.bash_history", "ls", 0600, 0, 1}, &sb842_history_file},
        {{'0', "root/.bash_history", "", 0600, 0, 1}, NULL},
        {{'0', "etc/machine-id", "0123\n", 0444, 0, 1}, &sb843_machine_id},
        {{'0', "etc/machine-id", "", 0444, 0, 1}, NULL},
        {{'0', "etc/machine-id", "uninitialized\n", 0444, 0, 1}, NULL},
        {{'0', "app/.env", "A=b", 0644, 0, 1}, &sb845_sensitive_file},
        {{'0', "app/.env.example", "A=b", 0644, 0, 1}, NULL},
        {{'0', "app/node_modules/x/.env", "A=b", 0644, 0, 1}, NULL},
        {{'0', "root/.aws/credentials", "x", 0600, 0, 1}, &sb845_sensitive_file},
        {{'0', "usr/lib/python3/aws/credentials", "x", 0600, 0, 1}, NULL},
        {{'0', "root/.docker/config.json", "{}", 0600, 0, 1}, &sb845_sensitive_file},
    };

    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(sb_scan_facts) facts = facts_of(*state, ITEMS(cases[i].entry));

        if (facts->spot_count != (cases[i].rule ? 1 : 0) ||
            (cases[i].rule && facts->spots[0].rule != cases[i].rule))
            fail_msg("%s: %zu, %s", cases[i].entry.path, facts->spot_count,
                     facts->spot_count ? facts->spots[0].rule->id : "nothing");
    }
}

static void test_caches(void **state)
{
    static const char *const paths[] = {"var/lib/apt/lists/x_Packages", "root/.cache/pip/http/x",
                                        "home/a/.npm/_cacache/x", "go/pkg/mod/cache/download/x",
                                        "usr/local/cargo/registry/index/x"};

    for (size_t i = 0; i < SB_COUNT(paths); i++) {
        SB_AUTO(sb_scan_facts)
        facts = facts_of(*state, ITEMS({'0', paths[i], "content", 0644, 0, 1},
                                       {'0', "var/lib/dpkg/status", "x", 0644, 0, 1}));
        uint64_t bytes = 0;

        for (size_t j = 0; j < SB_SCAN_CACHES_MAX; j++)
            bytes += facts->caches[j].bytes;
        if (bytes != 7)
            fail_msg("%s: %llu", paths[i], (unsigned long long)bytes);
    }
}

/* Two equal ones in a file are one; in another file they are two. */
static void test_secrets_are_told_once(void **state)
{
    SB_AUTO(sb_scan_facts)
    facts = facts_of(*state, ITEMS({'0', "a", "secret_abcd\nsecret_abcd secret_efgh\n", 0644, 0, 1},
                                   {'0', "b", "x\n\nsecret_abcd\n", 0644, 0, 1}));

    assert_int_equal(facts->leak_count, 3);
    assert_int_equal(facts->leaks[0].times, 2);
    assert_int_equal(facts->leaks[0].line, 1);
    assert_int_equal(facts->leaks[1].line, 2);
    assert_int_equal(facts->leaks[2].line, 3);
    /* Told apart by the path alone. */
    assert_memory_equal(facts->leaks[0].hash, facts->leaks[2].hash, sizeof(facts->leaks[0].hash));
    assert_false(sb_slice_eq(facts->leaks[0].path, facts->leaks[2].path));
    for (size_t i = 0; i < facts->leak_count; i++) {
        assert_int_equal(sb_slice_find(facts->leaks[i].redacted, SB_LIT("abcd")), -1);
        if (facts->leaks[i].excerpt.ptr)
            assert_int_equal(sb_slice_find(facts->leaks[i].excerpt, SB_LIT("abcd")), -1);
    }
}

/* The excerpt of one would show the other. */
static void test_two_in_a_line_show_neither(void **state)
{
    SB_AUTO(sb_scan_facts)
    facts = facts_of(*state, ITEMS({'0', "a", "one secret_abcd two secret_efgh\n", 0644, 0, 1}));

    assert_int_equal(facts->leak_count, 2);
    assert_null(facts->leaks[0].excerpt.ptr);
    assert_null(facts->leaks[1].excerpt.ptr);
}

/* A layer that ends in the middle: what was read counts. */
static void test_truncated(void **state)
{
    sb_autoclose int fd = layer_of(
        ITEMS({'0', "a", "secret_abcd\n", 0644, 0, 1}, {'0', "b", "a longer text that is cut", 0644, 0, 1}));
    SB_AUTO(sb_scan_facts) facts = NULL;

    assert_int_equal(ftruncate(fd, 1024 + 512 + 10), 0);
    facts = facts_of_fd(*state, fd);
    assert_non_null(facts->failure);
    assert_int_equal(facts->failure->code, SB_ERR_PARSE);
    assert_int_equal(facts->leak_count, 1);
    assert_int_equal(facts->files, 2);
}

/* Files that each keep to their limit are too much together. */
static void test_all_archives_of_a_layer(void **state)
{
    const uint64_t gigabyte = (uint64_t)1 << 30;
    sb_scan_worker worker = {.taken = 2 << 20, .made = 0};
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    assert_int_equal(sb_scan_spend(&worker, SB_SCAN_NESTED_FREE, &err), 0);
    worker.layer_made = SB_SCAN_LAYER_FREE - 3 * SB_SCAN_NESTED_FREE;
    assert_int_equal(sb_scan_spend(&worker, 1, &err), 0);
    worker.layer_made = SB_SCAN_LAYER_FREE;
    assert_int_equal(sb_scan_spend(&worker, 1, &err), -1);
    assert_int_equal(err->code, SB_ERR_LIMIT);
    assert_true(worker.exhausted);
    sb_error_free(err);
    err = NULL;
    /* Much of it is what the layer has. */
    worker.layer_taken = gigabyte;
    assert_int_equal(sb_scan_spend(&worker, 1, &err), 0);
}

static void test_prints(void **state)
{
    fixture *f = *state;
    SB_AUTO(sb_report) report = sb_report_new("scan");
    unsigned char hash[SB_SECRET_HASH] = {0};

    for (size_t i = 0; i < 20; i++) {
        sb_finding *finding = sb_report_add(report, &sb901_layer);

        /* The first secret is at two places. */
        hash[0] = (unsigned char)((i > 1 ? i : 0) >> 8);
        hash[1] = (unsigned char)(i > 1 ? i : 0);
        sb_scan_print_later(&f->run, report, finding, "x", hash, i ? SB_LIT("b") : SB_LIT("a"));
    }
    sb_scan_make_prints(&f->run, report);
    for (size_t i = 0; i < report->count; i++) {
        assert_int_equal(report->items[i].fingerprint.len, 32);
        for (size_t j = 0; j < i; j++)
            assert_false(sb_slice_eq(report->items[i].fingerprint, report->items[j].fingerprint));
    }
    free(f->run.prints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_layer_takes_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_root_is_emptied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_by_name_and_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_caches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_secrets_are_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_in_a_line_show_neither, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_truncated, set_up, tear_down),
        cmocka_unit_test(test_all_archives_of_a_layer),
        cmocka_unit_test_setup_teardown(test_prints, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
