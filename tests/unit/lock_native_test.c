// SPDX-License-Identifier: Apache-2.0
/* What lock files of package managers say, and bodies held against it. */
#include "lock_fixture.h"

#include <lock/native.h>

#include <archive.h>
#include <archive_entry.h>

#include <sys/mman.h>

/* Of "the package". */
#define SHA512                                                                                               \
    "sha512-jjb8r/nhhANO0PV22GZdh5epVe5w5CrCN0r9d4JmR/IAZmgxqikDxLPfJASfN5iLXv+b/bNMcFhzn76iBs5tug=="
#define SHA1 "7be4e7b0e9c438d2e58cd4f721449d7bd558610b"
#define SHA256 "ab326f16dec533ba65139949246581c016b9d4c77d0de0046e65f48e575372a3"
/* Of something else. */
#define OTHER512                                                                                             \
    "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define OTHER256 "aa326f16dec533ba65139949246581c016b9d4c77d0de0046e65f48e575372a3"
#define GO_ZIP "h1:IQfP7BbgF4InarxsSeEoVnajIKUFoKnYND9qFAdLqmk="
#define GO_MOD "h1:Zd4rws1PQ9aEbsi+DKlTiV365c0/9qNQzwbC/P/Vbsc="

static sb_native *read_native(const char *path, const char *text)
{
    sb_native *native = sb_native_new(NULL);

    assert_true(sb_native_read(native, sb_slice_z(path), sb_slice_z(text)));
    sb_native_sort(native);
    return native;
}

static int memory(const void *data, size_t len)
{
    int fd = memfd_create("body", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    return fd;
}

/* "1" agrees, "0" says nothing, "!" differs. */
static char verdict(const sb_native *native, const char *url, const char *body, char **ret_message)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) err = NULL;
    sb_autoclose int fd = memory(body, strlen(body));
    sb_named named = {.url = sb_slice_z(url), .file = sb_purl_file(arena, sb_slice_z(url))};
    const sb_native_entry *entry = NULL;

    if (!sb_purl_of_url(arena, named.url, &named.purl))
        fail_msg("no purl: %s", url);
    named.text = sb_purl_format(arena, &named.purl);
    if (sb_native_check(native, &named, fd, &entry, &err) < 0) {
        assert_int_equal(err->code, SB_ERR_VERIFY);
        assert_true(sb_native_knows(native, &named));
        if (ret_message)
            *ret_message = sb_strdup(err->message);
        return '!';
    }
    assert_int_equal(sb_native_knows(native, &named), entry != NULL);
    if (entry)
        assert_ptr_equal(sb_native_find_text(native, &named, entry->text), entry);
    return entry ? '1' : '0';
}

static void assert_verdicts(const char *path, const char *text, const char *const *urls, const char *expected)
{
    SB_AUTO(sb_native) native = read_native(path, text);

    for (size_t i = 0; expected[i]; i++) {
        char got = verdict(native, urls[i], "the package", NULL);

        if (got != expected[i])
            fail_msg("%s: %s is %c, not %c", path, urls[i], got, expected[i]);
    }
}

static void test_npm(void **state)
{
    static const char *const urls[] = {
        "https://r.org/pad/-/pad-1.0.0.tgz", "https://r.org/@s/real/-/real-2.0.0.tgz",
        "https://r.org/bad/-/bad-3.0.0.tgz", "https://r.org/pad/-/pad-1.0.1.tgz",
        "https://r.org/old/-/old-0.1.0.tgz", "https://r.org/deep/-/deep-4.0.0.tgz"};

    (void)state;
    assert_verdicts(
        "web/package-lock.json",
        "{\"lockfileVersion\":3,\"packages\":{\"\":{\"name\":\"app\",\"version\":\"1.0.0\"},"
        "\"node_modules/pad\":{\"version\":\"1.0.0\",\"resolved\":\"https://else.org/pad/-/pad-1.0.0.tgz\","
        "\"integrity\":\"" SHA512 "\"},"
        "\"node_modules/alias\":{\"name\":\"@s/real\",\"version\":\"2.0.0\",\"integrity\":\"" SHA512 "\"},"
        "\"node_modules/x/node_modules/bad\":{\"version\":\"3.0.0\",\"integrity\":\"" OTHER512 "\"},"
        "\"node_modules/old\":{\"version\":\"0.1.0\",\"integrity\":\"sha1-e+TnsOnEONLljNT3IUSde9VYYQs=\"},"
        "\"node_modules/link\":{\"resolved\":\"packages/link\",\"link\":true}}}",
        urls, "11!01");
    assert_verdicts(
        "npm-shrinkwrap.json",
        "{\"lockfileVersion\":1,\"dependencies\":{\"pad\":{\"version\":\"1.0.0\",\"integrity\":\"" SHA512
        "\",\"dependencies\":{\"deep\":{\"version\":\"4.0.0\",\"integrity\":\"" OTHER512 "\"}}}}}",
        urls, "10000!");
    assert_verdicts("package-lock.json", "{\"packages\": [", urls, "000000");
}

static void test_yarn(void **state)
{
    static const char *const urls[] = {
        "https://r.org/pad/-/pad-1.0.0.tgz", "https://r.org/@s/real/-/real-2.0.0.tgz",
        "https://r.org/bad/-/bad-3.0.0.tgz", "https://r.org/old/-/old-0.1.0.tgz"};

    (void)state;
    assert_verdicts("yarn.lock",
                    "# yarn lockfile v1\n\n\n"
                    "pad@^1.0.0, pad@1.x:\n  version \"1.0.0\"\n"
                    "  resolved \"https://r.org/pad/-/pad-1.0.0.tgz#" SHA1 "\"\n  integrity " SHA512 "\n"
                    "  dependencies:\n    version \"9\"\n\n"
                    "\"alias@npm:@s/real@^2\":\r\n  version \"2.0.0\"\r\n  integrity " SHA512 "\r\n\n"
                    "bad@3:\n  version \"3.0.0\"\n  integrity " OTHER512 "\n"
                    "\"old@0\":\n  version \"0.1.0\"\n  resolved \"https://r.org/old/-/old-0.1.0.tgz#" SHA1
                    "\"",
                    urls, "11!1");
    assert_verdicts("yarn.lock",
                    "__metadata:\n  version: 8\n\n\"pad@npm:^1.0.0\":\n  version: 1.0.0\n"
                    "  checksum: 10c0/0123\n",
                    urls, "0000");
}

static void test_pnpm(void **state)
{
    static const char *const urls[] = {
        "https://r.org/pad/-/pad-1.0.0.tgz", "https://r.org/@s/real/-/real-2.0.0.tgz",
        "https://r.org/bad/-/bad-3.0.0.tgz", "https://r.org/old/-/old-0.1.0.tgz",
        "https://r.org/@s/peer/-/peer-5.0.0.tgz"};

    (void)state;
    assert_verdicts("pnpm-lock.yaml",
                    "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      pad:\n        "
                    "version: 1.0.0\n\n"
                    "packages:\n\n  pad@1.0.0:\n    resolution: {integrity: " SHA512
                    "}\n    engines: {node: '>=4'}\n\n"
                    "  '@s/real@2.0.0':\n    resolution: {integrity: " SHA512 ", tarball: https://x}\n\n"
                    "  bad@3.0.0:\n    resolution: {integrity: " OTHER512 "}\n\n"
                    "snapshots:\n\n  old@0.1.0: {}\n",
                    urls, "11!0");
    assert_verdicts("pnpm-lock.yaml",
                    "lockfileVersion: 5.4\npackages:\n\n  /pad/1.0.0:\n    resolution: {integrity: " SHA512
                    "}\n"
                    "  /@s/real/2.0.0_react@18.2.0:\n    resolution:\n      integrity: " SHA512 "\n"
                    "  /bad@3.0.0(react@18.2.0):\n    resolution: {integrity: " OTHER512 "}\n"
                    "  /@s/peer@5.0.0(@a/b@1.0.0):\n    resolution: {integrity: " SHA512 "}\n",
                    urls, "11!01");
}

#define WHEEL(name) "https://f.org/x/" name "-1.0-py3-none-any.whl"

static void test_python(void **state)
{
    static const char *const urls[] = {WHEEL("My_App"), WHEEL("bad"), WHEEL("other"),
                                       "https://f.org/x/my.app-1.0-cp311-cp311-linux_x86_64.whl"};

    (void)state;
    assert_verdicts("requirements-dev.txt",
                    "--index-url https://f.org\n# a comment\nmy-app[extra]==1.0 ; python_version > '3' \\\n"
                    "    --hash=sha256:" OTHER256 " \\\n    --hash=sha256:" SHA256 "\n"
                    "bad==1.0 --hash=sha256:" OTHER256 "\nother>=1.0 --hash=sha256:" OTHER256 "\n"
                    "other==1.0\n",
                    urls, "1!01");
    assert_verdicts(
        "Pipfile.lock",
        "{\"_meta\":{\"hash\":{\"sha256\":\"x\"}},\"default\":{\"my-app\":{\"hashes\":[\"sha256:" SHA256
        "\"],\"version\":\"==1.0\"}},\"develop\":{\"bad\":{\"hashes\":[\"sha256:" OTHER256
        "\"],\"version\":\"==1.0\"},\"git\":{\"ref\":\"abc\"}}}",
        urls, "1!01");
    /* With names of files, one of the two that the lock does not know is nobody's business. */
    assert_verdicts("poetry.lock",
                    "[[package]]\nname = \"my-app\"\nversion = \"1.0\"\noptional = false\nfiles = [\n"
                    "    {file = \"My_App-1.0-py3-none-any.whl\", hash = \"sha256:" SHA256 "\"},\n]\n\n"
                    "[package.dependencies]\nbad = {version = \">=1\", markers = \"x\"}\n\n"
                    "[[package]]\nname = \"bad\"\nversion = \"1.0\"\nfiles = [\n"
                    "    {file = \"bad-1.0-py3-none-any.whl\", hash = \"sha256:" OTHER256 "\"},\n]\n\n"
                    "[metadata]\nlock-version = \"2.0\"\n",
                    urls, "1!00");
    assert_verdicts(
        "poetry.lock",
        "[[package]]\nname = \"bad\"\nversion = \"1.0\"\n\n[metadata]\nlock-version = \"1.1\"\n\n"
        "[metadata.files]\nbad = [\n    {file = \"bad-1.0-py3-none-any.whl\", hash = \"sha256:" OTHER256
        "\"},\n]\n",
        urls, "0!00");
    assert_verdicts(
        "uv.lock",
        "version = 1\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"my-app\"\nversion = \"1.0\"\n"
        "source = { registry = \"https://f.org/simple\" }\n"
        "sdist = { url = \"https://f.org/my_app-1.0.tar.gz\", hash = \"sha256:" OTHER256 "\", size = 1 }\n"
        "wheels = [\n    { url = \"https://f.org/y/My_App-1.0-py3-none-any.whl\", hash = \"sha256:" SHA256
        "\", size = 11 },\n]\n",
        urls, "1000");
}

static void test_cargo(void **state)
{
    static const char *const urls[] = {"https://c.org/crates/pad/1.0.0/download",
                                       "https://c.org/crates/bad/bad-1.0.0.crate",
                                       "https://c.org/crates/own/1.0.0/download"};

    (void)state;
    assert_verdicts("Cargo.lock",
                    "# generated\nversion = 3\n\n[[package]]\nname = \"own\"\nversion = "
                    "\"1.0.0\"\ndependencies = [\n \"pad\",\n]\n\n"
                    "[[package]]\nname = \"pad\"\nversion = \"1.0.0\"\nsource = "
                    "\"registry+https://c.org/index\"\nchecksum = \"" SHA256 "\"\n\n"
                    "[[package]]\nname = \"bad\"\nversion = \"1.0.0\"\nchecksum = \"" OTHER256 "\"\n",
                    urls, "1!0");
    assert_verdicts("Cargo.lock",
                    "[[package]]\nname = \"pad\"\nversion = \"1.0.0\"\n\n[metadata]\n"
                    "\"checksum pad 1.0.0 (registry+https://c.org/index)\" = \"" SHA256 "\"\n",
                    urls, "100");
}

static void test_gem(void **state)
{
    static const char *const urls[] = {"https://g.org/gems/pad-1.0.0.gem",
                                       "https://g.org/gems/bad-1.0.0-x86_64-linux.gem",
                                       "https://g.org/gems/bad-1.0.0.gem"};

    (void)state;
    assert_verdicts("Gemfile.lock",
                    "GEM\n  remote: https://g.org/\n  specs:\n    pad (1.0.0)\n\nCHECKSUMS\n"
                    "  pad (1.0.0) sha256=" SHA256 "\n  bad (1.0.0-x86_64-linux) sha256=" OTHER256
                    "\n  none (2)\n\n"
                    "BUNDLED WITH\n   2.6.0\n",
                    urls, "1!0");
}

static sb_slice module_zip(char *buffer, size_t size)
{
    static const char *const files[][2] = {{"e.org/m@v1.0.0/go.mod", "module e.org/m\n"},
                                           {"e.org/m@v1.0.0/a.go", "package m\n"},
                                           {"e.org/m@v1.0.0/B/c.txt", ""}};
    struct archive *zip = archive_write_new();
    size_t used = 0;

    archive_write_set_format_zip(zip);
    archive_write_open_memory(zip, buffer, size, &used);
    for (size_t i = 0; i < SB_COUNT(files); i++) {
        struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname(entry, files[i][0]);
        archive_entry_set_size(entry, (la_int64_t)strlen(files[i][1]));
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_write_header(zip, entry);
        archive_write_data(zip, files[i][1], strlen(files[i][1]));
        archive_entry_free(entry);
    }
    archive_write_close(zip);
    archive_write_free(zip);
    return sb_slice_of(buffer, used);
}

static void test_go(void **state)
{
    SB_AUTO(sb_native)
    native = read_native("go.sum", "e.org/M v1.0.0 " GO_ZIP "\ne.org/M v1.0.0/go.mod " GO_MOD "\n"
                                   "e.org/bad v1.0.0 " GO_MOD "\ngarbage\n");
    char buffer[8192];
    sb_slice zip = module_zip(buffer, sizeof(buffer));
    sb_autoclose int fd = memory(zip.ptr, zip.len);
    sb_native_hash hash;
    sb_autofree char *text = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autoclose int junk = memory("PK\003\004 no zip at all", 18);

    (void)state;
    assert_int_equal(sb_native_hash_of_fd(SB_NATIVE_GO_ZIP, fd, &hash, NULL), 0);
    text = sb_native_hash_text(&hash, false);
    assert_string_equal(text, GO_ZIP);
    assert_int_equal(verdict(native, "https://p.org/e.org/!m/@v/v1.0.0.mod", "module e.org/m\n", NULL), '1');
    assert_int_equal(verdict(native, "https://p.org/e.org/!m/@v/v1.0.0.mod", "module e.org/n\n", NULL), '!');
    assert_int_equal(verdict(native, "https://p.org/e.org/bad/@v/v1.0.0.mod", "module e.org/m\n", NULL), '0');
    assert_int_equal(sb_native_hash_of_fd(SB_NATIVE_GO_ZIP, junk, &hash, &err), -1);
    assert_int_equal(err->code, SB_ERR_PARSE);
}

static void test_message(void **state)
{
    static const char text[] =
        "{\"packages\":{\"node_modules/bad\":{\"version\":\"3.0.0\",\"integrity\":\"" OTHER512 "\"}}}";
    SB_AUTO(sb_native) native = read_native("web/package-lock.json", text);
    sb_autofree char *message = NULL;

    (void)state;
    assert_int_equal(verdict(native, "https://r.org/bad/-/bad-3.0.0.tgz", "the package", &message), '!');
    assert_non_null(strstr(message, "web/package-lock.json: pkg:npm/bad@3.0.0 is " OTHER512 " there"));
    assert_non_null(strstr(message, "https://r.org/bad/-/bad-3.0.0.tgz gave is " SHA512));
}

/* One file may know only a weak hash, another a strong one. */
static void test_several_files(void **state)
{
    SB_AUTO(sb_native) native = sb_native_new(NULL);

    (void)state;
    sb_native_read(
        native, SB_LIT("a/package-lock.json"),
        SB_LIT("{\"packages\":{\"node_modules/pad\":{\"version\":\"1.0.0\",\"integrity\":\"" OTHER512
               "\"}}}"));
    sb_native_read(
        native, SB_LIT("b/yarn.lock"),
        SB_LIT("pad@1:\n  version \"1.0.0\"\n  resolved \"https://r.org/pad-1.0.0.tgz#" SHA1 "\"\n"));
    sb_native_sort(native);
    /* What is strong and differs is not outweighed by what is weak and agrees. */
    assert_int_equal(verdict(native, "https://r.org/pad/-/pad-1.0.0.tgz", "the package", NULL), '!');
    sb_native_read(
        native, SB_LIT("c/package-lock.json"),
        SB_LIT("{\"packages\":{\"node_modules/pad\":{\"version\":\"1.0.0\",\"integrity\":\"" SHA512 "\"}}}"));
    sb_native_sort(native);
    assert_int_equal(verdict(native, "https://r.org/pad/-/pad-1.0.0.tgz", "the package", NULL), '1');
}

/* --- In a project --- */

static void test_lock(void **state)
{
    SB_AUTO(sb_lock) lock = sb_lock_new();
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_lock_step step = {.stage = SB_LIT(""), .platform = SB_LIT("linux/amd64"), .has_manifest = true};
    sb_store *cache = NULL;
    sb_digest body;

    put(*state, "Dockerfile", "FROM scratch\n");
    put(*state, "app/package-lock.json",
        "{\"packages\":{\"node_modules/pad\":{\"version\":\"1.0.0\",\"integrity\":\"" SHA512 "\"}}}");
    put(*state, "node_modules/x/package-lock.json",
        "{\"packages\":{\"node_modules/pad\":{\"version\":\"1.0.0\",\"integrity\":\"" OTHER512 "\"}}}");
    put(*state, "broken/Cargo.lock", "[[");
    project = open_project(*state);
    assert_int_equal(sb_project_cache(project, &cache, NULL), 0);
    assert_int_equal(sb_store_put(cache, SB_LIT("the package"), &body, NULL), 0);
    assert_int_equal(sb_store_put(cache,
                                  SB_LIT("{\"version\":1}\n{\"digest\":\"sha256:" SHA256
                                         "\",\"method\":\"GET\",\"size\":11,\"status\":200,\"url\":"
                                         "\"https://r.org/pad/-/pad-1.0.0.tgz\"}\n"),
                                  &step.manifest, NULL),
                     0);
    lock->steps = &step;
    lock->step_count = 1;
    for (int i = 0; i < 2; i++) { /* the second time without hashing */
        assert_int_equal(sb_lock_fill_packages(project, lock, NULL), 0);
        assert_int_equal(lock->package_count, 1);
        assert_true(sb_slice_eqz(lock->packages[0].integrity, SHA512));
        assert_true(sb_slice_eqz(lock->packages[0].vouched, "app/package-lock.json"));
    }
    put(*state, "app/package-lock.json",
        "{\"packages\":{\"node_modules/pad\":{\"version\":\"1.0.0\",\"integrity\":\"" OTHER512 "\"}}}");
    assert_int_equal(sb_lock_fill_packages(project, lock, &err), -1);
    assert_int_equal(err->code, SB_ERR_VERIFY);
    put(*state, "app/package-lock.json", "{}");
    assert_int_equal(sb_lock_fill_packages(project, lock, NULL), 0);
    assert_null(lock->packages[0].integrity.ptr);
    assert_null(lock->packages[0].vouched.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npm),
        cmocka_unit_test(test_yarn),
        cmocka_unit_test(test_pnpm),
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_cargo),
        cmocka_unit_test(test_gem),
        cmocka_unit_test(test_go),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_several_files),
        cmocka_unit_test_setup_teardown(test_lock, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
