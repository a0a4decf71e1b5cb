// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fetch/git.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Real servers on loopback (tests/infra/git-server.sh) with the sample repository and one of odd things. */
typedef struct fixture {
    char *dir;
    int dirfd;
    char *daemon; /* git://127.0.0.1:PORT */
    char *http;
    char *https;
    sb_slice hosts[1];
    sb_settings settings; /* with loopback allowed */
} fixture;

static fixture fx;

static void run(const char *const *argv, sb_buf *out)
{
    const sb_process_options options = {.argv = argv, .cwd = fx.dir, .output = out, .errors = out};
    int status = -1;

    if (sb_process_run(&options, &status, NULL) < 0 || status != 0)
        fail_msg("%s: status %d\n%s", argv[0], status, out->data ? out->data : "");
}

/* The output of a script in the fixture's directory; the arena's. */
static sb_slice shell(sb_arena *arena, const char *script)
{
    const char *const argv[] = {"bash", "-euo", "pipefail", "-c", script, NULL};
    sb_autobuf out = SB_BUF_INIT(1 << 20);

    run(argv, &out);
    return sb_arena_dup(arena, sb_slice_trim(sb_buf_slice(&out)));
}

static const char start_script[] =
    "i=\"$SOURCE/tests/infra/git-server.sh\"; \"$i\" sample repos; export GIT_CONFIG_GLOBAL=/dev/null "
    "GIT_CONFIG_SYSTEM=/dev/null;"
    "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b;"
    "export GIT_AUTHOR_DATE='1600000000 +0200' GIT_COMMITTER_DATE='1600000000 +0200';"
    "git init -q -b main odd; cd odd; n() { printf \"%0$1d\" 0; }; mkdir -p $(n 120)/$(n 120) a; echo long "
    ">$(n 120)/$(n 120)/x;"
    "echo e >$'\\xe9'; echo u >$'\\xc3\\xa9'; echo 1 >a.b; echo 2 >a/c; echo 3 >a-b; ln -s /etc/passwd abs; "
    "ln -s ../../x up;"
    "head -c 200000 /dev/zero >zeros; : >empty; printf 'a\\r\\n$Id$\\n' >crlf; echo '$Format:%H$' >subst; "
    "echo run >run; chmod +x run;"
    "printf '* text=auto eol=crlf ident export-subst\\na export-ignore\\n*.x filter=lfs\\n' >.gitattributes;"
    "printf '[submodule \"s\"]\\n\\tpath = sub/mod\\n\\turl = ../tool.git\\n' >.gitmodules; git -c "
    "core.autocrlf=false add -A 2>/dev/null;"
    "git update-index --cacheinfo 100644,$(git hash-object -w --no-filters crlf),crlf;"
    "git update-index --add --cacheinfo 160000,$(git -C ../repos/tool.git rev-parse v1.0.0),sub/mod; git "
    "commit -q -m odd;"
    "git tag -a v1 -m v1; cd ..; git init -q -b main --object-format=sha256 two; cd two; echo a >a; mkdir d; "
    "echo b >d/b; git add -A;"
    "git commit -q -m one; echo c >a; git add -A; git commit -q -m two; git tag -a v2 -m v2; cd ..; git "
    "clone -q --bare two repos/two.git;"
    "git init -q -b main none; git -C none commit -q --allow-empty -m nothing; git clone -q --bare none "
    "repos/none.git; git clone -q --bare odd repos/odd.git; \"$i\" start git repos;"
    "cat git/env";

static char *variable(sb_slice text, const char *name)
{
    sb_autofree char *prefix = sb_asprintf("export %s=", name);
    ptrdiff_t at = sb_slice_find(text, sb_slice_z(prefix));
    sb_slice rest = sb_slice_sub(text, (size_t)at + strlen(prefix), text.len);

    assert_true(at >= 0);
    return sb_slice_dup(sb_slice_cut(&rest, '\n'));
}

static int start(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *ca = NULL;
    sb_slice env;

    (void)state;
    fx.dir = sb_temp_dir("sbuild-test", NULL);
    if (sb_open_dir(fx.dir, &fx.dirfd, NULL) < 0)
        return -1;
    setenv("SOURCE", SBUILD_SOURCE_DIR, 1);
    setenv("HOME", fx.dir, 1);
    env = shell(arena, start_script);
    fx.daemon = variable(env, "GIT_DAEMON_URL");
    fx.http = variable(env, "GIT_HTTP_URL");
    fx.https = variable(env, "GIT_HTTPS_URL");
    ca = variable(env, "GIT_CA");
    setenv("GIT_SSL_CAINFO", ca, 1);
    fx.hosts[0] = SB_LIT("127.0.0.1");
    fx.settings.allow_hosts = fx.hosts;
    fx.settings.allow_host_count = 1;
    return 0;
}

static int stop(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    shell(arena, "\"$SOURCE/tests/infra/git-server.sh\" stop git");
    close(fx.dirfd);
    sb_remove_tree(AT_FDCWD, fx.dir, NULL);
    free(fx.dir);
    free(fx.daemon);
    free(fx.http);
    free(fx.https);
    return 0;
}

static sb_slice url(sb_arena *arena, const char *server, const char *repository)
{
    return sb_arena_printf(arena, "%s/%s", server, repository);
}

static void check_slice(sb_slice actual, const char *expected)
{
    if (!sb_slice_eqz(actual, expected))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)actual.len, actual.ptr, expected);
}

static sb_git_resolved resolve(sb_arena *arena, sb_slice remote, const char *ref)
{
    SB_AUTO(sb_error) error = NULL;
    sb_git_resolved resolved = {.ref = SB_NIL};

    if (sb_git_resolve(arena, &fx.settings, remote, sb_slice_z(ref), &resolved, &error) < 0)
        fail_msg("%s: %s", ref ? ref : "HEAD", error->message);
    return resolved;
}

static void test_resolve(void **state)
{
    static const char v110[] = "0084d892fb1df03bc7720e84ebc69828d357bbd7";
    static const char *const names[] = {"v1.1.0", "tags/v1.1.0", "refs/tags/v1.1.0"};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    const char *servers[] = {fx.daemon, fx.http, fx.https};
    sb_slice tip = shell(arena, "git -C repos/tool.git rev-parse main");
    sb_git_resolved r;

    (void)state;
    for (size_t i = 0; i < SB_COUNT(servers); i++) {
        sb_slice remote = url(arena, servers[i], "tool.git");

        for (size_t k = 0; k < SB_COUNT(names); k++) {
            r = resolve(arena, remote, names[k]);
            check_slice(r.ref, "refs/tags/v1.1.0");
            check_slice(r.commit, v110);
            assert_int_equal(r.tag_object.len, 40);
        }
        r = resolve(arena, remote, "v1.0.0");
        assert_null(r.tag_object.ptr);
        r = resolve(arena, remote, NULL);
        check_slice(r.ref, "refs/heads/main");
        assert_true(sb_slice_eq(r.commit, tip));
        r = resolve(arena, remote, "old");
        check_slice(r.ref, "refs/heads/old");
        r = resolve(arena, remote, v110);
        check_slice(r.ref, "");
        check_slice(r.commit, v110);
        assert_int_equal(sb_git_resolve(arena, &fx.settings, remote, SB_LIT("0084d892"), &r, &error), -1);
        assert_int_equal(error->code, SB_ERR_NOT_FOUND);
        assert_non_null(strstr(error->message, "all 40 digits"));
        sb_error_free(SB_TAKE(error));
        assert_int_equal(
            sb_git_resolve(arena, &fx.settings, url(arena, servers[i], "absent.git"), SB_NIL, &r, &error),
            -1);
        assert_int_equal(error->code, SB_ERR_NOT_FOUND);
        sb_error_free(SB_TAKE(error));
    }
    assert_int_equal(
        sb_git_resolve(arena, &fx.settings, url(arena, fx.http, "tool.git"), SB_LIT("v*"), &r, &error), -1);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_git_resolve(arena, &fx.settings, url(arena, fx.http, "tool.git"),
                                    SB_LIT("--upload-pack=x"), &r, &error),
                     -1);
    assert_int_equal(error->code, SB_ERR_NOT_FOUND);
}

static void test_remotes(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        const char *shown;
    } cases[] = {
        {"https://example.org/a.git", "example.org", "https://example.org/a.git"},
        {"HTTPS://Example.org:8443/a", "Example.org", "https://Example.org:8443/a"},
        {"https://user@example.org/a", "example.org", "https://example.org/a"},
        {"ssh://git@example.org:22/a", "example.org", "ssh://example.org:22/a"},
        {"git@example.org:a/b.git", "example.org", "ssh://example.org/a/b.git"},
        {"https://[2001:db8::1]:443/a", "2001:db8::1", "https://[2001:db8::1]:443/a"},
        {"http://127.0.0.1/a", "127.0.0.1", "http://127.0.0.1/a"},
        {"http://example.org/a", NULL, NULL},
        {"git://example.org/a", NULL, NULL},
        {"https://user:secret@example.org/a", NULL, NULL},
        {"https://ghp_0123456789@example.org/a", NULL, NULL},
        {"file:///etc", NULL, NULL},
        {"/etc", NULL, NULL},
        {"./a", NULL, NULL},
        {"a:b/../c", "a", "ssh://a/b/../c"},
        {"ext::sh -c id", NULL, NULL},
        {"ext::sh", NULL, NULL},
        {"--upload-pack=touch", NULL, NULL},
        {"ssh://-oProxyCommand=id/x", NULL, NULL},
        {"-oProxyCommand=id:x", NULL, NULL},
        {"git@-oProxyCommand=id:x", NULL, NULL},
        {"example.org:-x", NULL, NULL},
        {"https://example.org/a\nb", NULL, NULL},
        {"https://example.org:99999/a", NULL, NULL},
        {"https:///a", NULL, NULL},
        {"https://example.org", NULL, NULL},
        {"", NULL, NULL},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(sb_error) error = NULL;
        sb_git_remote remote;
        int result = sb_git_remote_parse(arena, &fx.settings, sb_slice_z(cases[i].url), &remote, &error);

        if ((result == 0) != (cases[i].host != NULL))
            fail_msg("%s: %s", cases[i].url, error ? error->message : "accepted");
        if (result == 0) {
            check_slice(remote.host, cases[i].host);
            check_slice(remote.shown, cases[i].shown);
        } else {
            assert_int_equal(error->code, SB_ERR_USAGE);
            assert_null(strstr(error->message, "secret"));
            assert_null(strstr(error->message, "ghp_"));
        }
    }
}

static void test_local_addresses_are_refused(void **state)
{
    static const char *const urls[] = {"https://127.0.0.1/a", "https://localhost/a",
                                       "ssh://git@[::1]/a",   "https://169.254.169.254/a",
                                       "git@0.0.0.0:a",       "https://[::ffff:127.0.0.1]/a"};
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(urls); i++) {
        SB_AUTO(sb_error) error = NULL;
        sb_settings none = {.arena = NULL};
        sb_git_resolved r;

        assert_int_equal(sb_git_resolve(arena, &none, sb_slice_z(urls[i]), SB_NIL, &r, &error), -1);
        assert_int_equal(error->code, SB_ERR_NETWORK);
        assert_non_null(strstr(error->message, "allow-hosts"));
    }
}

static void test_relative_urls(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice https = SB_LIT("https://h/a/b.git"), ssh = SB_LIT("git@h:a/b.git");

    (void)state;
    check_slice(sb_git_relative_url(arena, https, SB_LIT("../c.git")), "https://h/a/c.git");
    check_slice(sb_git_relative_url(arena, https, SB_LIT("./c.git")), "https://h/a/b.git/c.git");
    check_slice(sb_git_relative_url(arena, https, SB_LIT("../../x/c")), "https://h/x/c");
    check_slice(sb_git_relative_url(arena, SB_LIT("https://h/a/b/"), SB_LIT("../c")), "https://h/a/c");
    check_slice(sb_git_relative_url(arena, ssh, SB_LIT("../c.git")), "git@h:a/c.git");
    check_slice(sb_git_relative_url(arena, ssh, SB_LIT("../../c.git")), "git@h:c.git");
    check_slice(sb_git_relative_url(arena, https, SB_LIT("https://o/c")), "https://o/c");
}

static void fetch(sb_slice remote, const sb_git_resolved *resolved, const char *cache)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *path = sb_path_join(fx.dir, cache);

    if (sb_git_fetch(&fx.settings, remote, resolved, path, &error) < 0)
        fail_msg("%s", error->message);
}

static void archive(const sb_git_resolved *resolved, const char *cache, const char *subdir, bool git_dir,
                    bool submodules, const char *out)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *path = sb_path_join(fx.dir, cache);
    sb_autoclose int fd = openat(fx.dirfd, out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (sb_git_archive(&fx.settings, path, resolved, sb_slice_z(subdir), git_dir, submodules, fd, &error) < 0)
        fail_msg("%s", error->message);
}

static void test_fetch_is_shallow(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_slice remote = url(arena, fx.https, "tool.git");
    sb_git_resolved r = resolve(arena, remote, "main");
    sb_git_resolved gone = {.ref = SB_LIT("refs/heads/main"),
                            .commit = SB_LIT("1234567890123456789012345678901234567890")};
    sb_autofree char *path = sb_path_join(fx.dir, "c-shallow");

    (void)state;
    fetch(remote, &r, "c-shallow");
    check_slice(
        shell(arena,
              "git -C c-shallow rev-list --all --objects | wc -l; git -C c-shallow cat-file --batch-check "
              "--batch-all-objects | grep -c commit"),
        "0\n1");
    /* Another one into the same repository, by a bare commit. */
    r = resolve(arena, remote, "0084d892fb1df03bc7720e84ebc69828d357bbd7");
    fetch(remote, &r, "c-shallow");
    fetch(remote, &r, "c-shallow");
    assert_int_equal(sb_git_fetch(&fx.settings, remote, &gone, path, &error), -1);
    assert_int_equal(error->code, SB_ERR_GONE);
}

/* A server that hands out nothing but its references' tips, over the old protocol. */
static void test_fetch_from_a_strict_server(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice remote = url(arena, fx.daemon, "tool.git");
    sb_git_resolved r = {.ref = SB_LIT("refs/heads/main")};

    (void)state;
    r.commit = shell(arena, "git -C repos/tool.git rev-parse main~1");
    fetch(remote, &r, "c-strict");
    r.ref = SB_LIT("");
    r.commit = shell(arena, "git -C repos/tool.git rev-parse old");
    fetch(remote, &r, "c-strict");
}

static void test_tag_of_another_commit(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_slice remote = url(arena, fx.https, "tool.git");
    sb_git_resolved r = resolve(arena, remote, "v1.1.0");
    sb_autofree char *path = sb_path_join(fx.dir, "c-tag");

    (void)state;
    r.commit = resolve(arena, remote, "main").commit;
    assert_int_equal(sb_git_fetch(&fx.settings, remote, &r, path, &error), -1);
    assert_true(error->code == SB_ERR_VERIFY || error->code == SB_ERR_GONE);
}

static sb_errc verify(sb_arena *arena, const sb_git_resolved *r, sb_pgp_result *ret_result,
                      const char *message)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *path = sb_path_join(fx.dir, "c-verify");
    sb_slice key = shell(arena, "cat repos/git-signer.asc");

    if (sb_git_verify(arena, path, r, &key, 1, 0, ret_result, &error) == 0)
        return SB_ERR_NONE;
    if (message && !strstr(error->message, message))
        fail_msg("\"%s\" lacks \"%s\"", error->message, message);
    return error->code;
}

/* The signed object alone, as a lock keeps it: any change shows. */
static void check_stored_object(sb_arena *arena, const sb_git_resolved *r)
{
    sb_autofree char *path = sb_path_join(fx.dir, "c-verify");
    sb_slice key = shell(arena, "cat repos/git-signer.asc"), content;
    SB_AUTO(sb_error) error = NULL;
    sb_pgp_result result;
    char *changed;

    assert_int_equal(sb_git_signed_object(arena, path, r, &content, NULL), 0);
    assert_int_equal(sb_git_verify_object(arena, r, content, &key, 1, 0, &result, NULL), 0);
    assert_int_equal(result.signatures[0].status, SB_PGP_GOOD);
    changed = sb_arena_strdup(arena, content);
    changed[content.len / 2] ^= 1;
    assert_int_equal(
        sb_git_verify_object(arena, r, sb_slice_of(changed, content.len), &key, 1, 0, &result, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
}

static void test_verify(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice remote = url(arena, fx.https, "tool.git");
    sb_slice pin = shell(arena, "cat repos/git-signer.fpr");
    sb_git_resolved tag = resolve(arena, remote, "v1.1.0-signed"), commit = resolve(arena, remote, "signed");
    sb_git_resolved plain_tag = resolve(arena, remote, "v1.1.0"), plain = resolve(arena, remote, "main");
    sb_pgp_result result;
    size_t *signers, count;

    (void)state;
    fetch(remote, &tag, "c-verify");
    fetch(remote, &commit, "c-verify");
    fetch(remote, &plain_tag, "c-verify");
    fetch(remote, &plain, "c-verify");
    assert_int_equal(verify(arena, &tag, &result, NULL), SB_ERR_NONE);
    assert_int_equal(sb_pgp_require(arena, &result, &pin, 1, 1, &signers, &count, NULL), 0);
    assert_int_equal(verify(arena, &commit, &result, NULL), SB_ERR_NONE);
    assert_int_equal(sb_pgp_require(arena, &result, &pin, 1, 1, &signers, &count, NULL), 0);
    assert_int_equal(verify(arena, &plain_tag, &result, "is not signed"), SB_ERR_VERIFY);
    assert_int_equal(verify(arena, &plain, &result, "is not signed"), SB_ERR_VERIFY);
    check_stored_object(arena, &tag);
    check_stored_object(arena, &commit);
    tag.ref = SB_LIT("refs/tags/v9.9.9");
    assert_int_equal(verify(arena, &tag, &result, "calls itself \"v1.1.0-signed\""), SB_ERR_VERIFY);
}

static void test_archive(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice remote = url(arena, fx.https, "odd.git");
    sb_git_resolved r = resolve(arena, remote, "main");

    (void)state;
    fetch(remote, &r, "c-odd");
    archive(&r, "c-odd", NULL, false, false, "one.tar");
    fetch(url(arena, fx.daemon, "odd.git"), &r, "c-odd2");
    archive(&r, "c-odd2", "/", false, false, "two.tar");
    /* The bytes of the commit, whatever attributes say; the submodule an empty directory. */
    shell(arena,
          "cmp one.tar two.tar; mkdir x; tar -xf one.tar -C x 2>/dev/null; rmdir x/tree/sub/mod x/tree/sub;"
          "cp -a odd want; rm -rf want/.git; diff -r --no-dereference want x/tree");
    check_slice(shell(arena, "tar --full-time --utc --numeric-owner -tvf one.tar 2>/dev/null | awk '{print "
                             "$1,$2,$4,$5}' | sort | "
                             "uniq -c | sed 's/^ *//'"),
                "12 -rw-r--r-- 0/0 2020-09-13 12:26:40\n1 -rwxr-xr-x 0/0 2020-09-13 12:26:40\n"
                "6 drwxr-xr-x 0/0 2020-09-13 12:26:40\n2 lrwxrwxrwx 0/0 2020-09-13 12:26:40");
    check_slice(shell(arena, "tar -tf one.tar 2>/dev/null | grep -E '^tree/(a|sub)' | xargs"),
                "tree/a/ tree/a/c tree/a-b tree/a.b tree/abs tree/sub/ tree/sub/mod/ tree/subst");
    archive(&r, "c-odd", "a", false, false, "sub.tar");
    check_slice(shell(arena, "tar -tf sub.tar | xargs"), "tree/ tree/c");
}

static void test_subdirectories_that_are_none(void **state)
{
    static const char *const names[] = {"../x", "a/../b", "absent", "run", "a//c", ".git"};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice remote = url(arena, fx.https, "odd.git");
    sb_git_resolved r = resolve(arena, remote, "main");
    sb_autofree char *path = sb_path_join(fx.dir, "c-odd");
    sb_autoclose int fd = openat(fx.dirfd, "none.tar", O_RDWR | O_CREAT, 0600);

    (void)state;
    fetch(remote, &r, "c-odd");
    for (size_t i = 0; i < SB_COUNT(names); i++)
        assert_int_equal(sb_git_archive(&fx.settings, path, &r, sb_slice_z(names[i]), false, false, fd, NULL),
                         -1);
}

static void test_submodules(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice remote = url(arena, fx.https, "odd.git");
    sb_git_resolved r = resolve(arena, remote, "main");

    (void)state;
    fetch(remote, &r, "c-sub");
    archive(&r, "c-sub", NULL, false, true, "sub.tar");
    check_slice(shell(arena, "tar -tf sub.tar 2>/dev/null | grep -c ^tree/sub/mod/.; tar -xOf sub.tar "
                             "tree/sub/mod/tool.sh | tail -n1"),
                "10\necho tool 1.0.0");
    archive(&r, "c-sub", "sub", false, true, "sub.tar");
    check_slice(shell(arena, "tar -xOf sub.tar tree/mod/tool.sh | tail -n1"), "echo tool 1.0.0");
}

static void test_git_directory(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice odd = url(arena, fx.https, "odd.git"), tool = url(arena, fx.https, "tool.git");
    sb_git_resolved r = resolve(arena, odd, "v1"), light = resolve(arena, tool, "v1.0.0"),
                    tip = resolve(arena, tool, "main");

    (void)state;
    fetch(odd, &r, "c-keep");
    archive(&r, "c-keep", NULL, true, false, "keep.tar");
    fetch(odd, &r, "c-keep2");
    shell(arena, "git -C c-keep2 repack -q -a -d -f -k --depth=50");
    archive(&r, "c-keep2", NULL, true, false, "keep2.tar");
    check_slice(shell(arena,
                      "export GIT_CONFIG_GLOBAL=/dev/null; cmp keep.tar keep2.tar; mkdir k; tar -xf keep.tar "
                      "-C k 2>/dev/null; cd k/tree;"
                      "git rev-parse HEAD | cmp - <(git -C ../../odd rev-parse HEAD); git describe --tags; "
                      "git -c core.autocrlf=false status --porcelain; git fsck --strict 2>&1; git log "
                      "--oneline | wc -l;"
                      "git cat-file -t v1; git config remote.origin.url | sed 's/:[0-9]*//2'"),
                "v1\n1\ntag\nhttps://127.0.0.1/odd.git");
    fetch(tool, &light, "c-tool");
    archive(&light, "c-tool", NULL, true, true, "light.tar");
    check_slice(
        shell(arena,
              "export GIT_CONFIG_GLOBAL=/dev/null; mkdir l; tar -xf light.tar -C l; cd l/tree; git describe "
              "--tags; git status --porcelain; test ! -e .git/shallow; git verify-pack "
              ".git/objects/pack/*.idx"),
        "v1.0.0");
    fetch(tool, &tip, "c-tool");
    archive(&tip, "c-tool", NULL, true, false, "tip.tar");
    check_slice(
        shell(arena,
              "export GIT_CONFIG_GLOBAL=/dev/null; mkdir t; tar -xf tip.tar -C t; cd t/tree; git status "
              "--porcelain; git log --oneline | wc -l; git fsck 2>&1; echo x >>tool.sh; git status "
              "--porcelain"),
        "1\n M tool.sh");
}

static void test_other_repositories(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice two = url(arena, fx.https, "two.git"), none = url(arena, fx.https, "none.git");
    sb_git_resolved r = resolve(arena, two, "v2"), empty = resolve(arena, none, NULL);

    (void)state;
    assert_int_equal(r.commit.len, 64);
    fetch(two, &r, "c-sha256");
    archive(&r, "c-sha256", NULL, true, false, "sha256.tar");
    check_slice(shell(arena, "export GIT_CONFIG_GLOBAL=/dev/null; mkdir s; tar -xf sha256.tar -C s; cd "
                             "s/tree; git describe; git "
                             "status --porcelain; git fsck 2>&1; cat a d/b; git rev-parse HEAD | wc -c"),
                "v2\nc\nb\n65");
    fetch(none, &empty, "c-none");
    archive(&empty, "c-none", NULL, true, true, "none.tar");
    check_slice(
        shell(arena,
              "export GIT_CONFIG_GLOBAL=/dev/null; mkdir n; tar -xf none.tar -C n; cd n/tree; git status "
              "--porcelain; git fsck 2>&1; git log --format=%s"),
        "nothing");
}

/* A server that has moved its repositories: /there to the real one, /loop to itself, /inside to where none
 * may go. */
static const char redirect_script[] =
    "cat >redirect.py <<'END'\nimport http.server, sys\nclass H(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n        where, _, rest = self.path[1:].partition('/')\n"
    "        to = {'there': sys.argv[1] + '/tool.git', 'inside': 'http://[::1]:9', 'loop': '/loop'}[where]\n"
    "        self.send_response(301)\n        self.send_header('Location', to + '/' + rest)\n"
    "        self.send_header('Content-Length', '0')\n        self.end_headers()\n"
    "    def log_message(self, *_):\n        pass\n"
    "s = http.server.HTTPServer(('127.0.0.1', 0), H)\nprint(s.server_port, "
    "flush=True)\ns.serve_forever()\nEND\n"
    ". git/env; python3 redirect.py \"$GIT_HTTPS_URL\" >redirect.port 2>/dev/null </dev/null & echo $! "
    ">redirect.pid;"
    "until test -s redirect.port; do sleep 0.05; done; cat redirect.port";

static void test_moved(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice port = shell(arena, redirect_script);
    sb_slice there = sb_arena_printf(arena, "http://127.0.0.1:%.*s/there", (int)port.len, port.ptr);
    static const char *const nowhere[] = {"inside", "loop"};
    sb_git_resolved r = resolve(arena, there, "v1.1.0");

    (void)state;
    check_slice(r.commit, "0084d892fb1df03bc7720e84ebc69828d357bbd7");
    fetch(there, &r, "c-moved");
    for (size_t i = 0; i < SB_COUNT(nowhere); i++) {
        SB_AUTO(sb_error) error = NULL;
        sb_slice remote =
            sb_arena_printf(arena, "http://127.0.0.1:%.*s/%s", (int)port.len, port.ptr, nowhere[i]);

        assert_int_equal(sb_git_resolve(arena, &fx.settings, remote, SB_NIL, &r, &error), -1);
        assert_int_equal(error->code, SB_ERR_NETWORK);
    }
    shell(arena, "kill $(cat redirect.pid)");
}

/* What the user's configuration and environment must not do, and what they may: credentials for https. */
static void test_configuration(void **state)
{
    static const char config[] =
        "[core]\n\thooksPath = hooks\n\tfsmonitor = \"touch $HOME/pwned\"\n"
        "[url \"file:///\"]\n\tinsteadOf = https://\n[http]\n\tproxy = http://127.0.0.1:1\n"
        "[credential]\n\thelper = \"!f() { echo username=ada; echo password=lovelace; }; f\"\n";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_slice env = shell(
        arena,
        "\"$SOURCE/tests/infra/git-server.sh\" start private repos --user ada:lovelace; cat private/env");
    sb_autofree char *https = variable(env, "GIT_HTTPS_URL"), *http = variable(env, "GIT_HTTP_URL");
    sb_autofree char *ca = variable(env, "GIT_CA"), *old_ca = sb_strdup(getenv("GIT_SSL_CAINFO"));
    sb_git_resolved r;

    (void)state;
    setenv("GIT_SSL_CAINFO", ca, 1);
    assert_int_equal(sb_git_resolve(arena, &fx.settings, url(arena, https, "tool.git"), SB_NIL, &r, &error),
                     -1);
    assert_int_equal(error->code, SB_ERR_AUTH);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_write_file(fx.dirfd, ".gitconfig", sb_slice_z(config), 0600, NULL), 0);
    resolve(arena, url(arena, https, "tool.git"), "v1.1.0");
    /* A password is not for a connection that anybody can read. */
    assert_int_equal(sb_git_resolve(arena, &fx.settings, url(arena, http, "tool.git"), SB_NIL, &r, &error),
                     -1);
    assert_int_equal(error->code, SB_ERR_AUTH);
    assert_null(strstr(error->message, "lovelace"));
    assert_int_equal(faccessat(fx.dirfd, "pwned", F_OK, 0), -1);
    setenv("GIT_SSL_CAINFO", old_ca, 1);
    assert_int_equal(unlinkat(fx.dirfd, ".gitconfig", 0), 0);
    shell(arena, "\"$SOURCE/tests/infra/git-server.sh\" stop private");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_remotes),
        cmocka_unit_test(test_local_addresses_are_refused),
        cmocka_unit_test(test_relative_urls),
        cmocka_unit_test(test_fetch_is_shallow),
        cmocka_unit_test(test_fetch_from_a_strict_server),
        cmocka_unit_test(test_tag_of_another_commit),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_subdirectories_that_are_none),
        cmocka_unit_test(test_submodules),
        cmocka_unit_test(test_git_directory),
        cmocka_unit_test(test_other_repositories),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_configuration),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
