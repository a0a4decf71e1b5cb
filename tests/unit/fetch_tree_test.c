// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tests/unit/tempdir.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>
#include <sbuild/tree.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EPOCH = 1700000000 };

static void check_shell(const tempdir *f, const char *script, const char *expected)
{
    sb_autofree char *out = tempdir_shell(f, script);

    assert_string_equal(out, expected);
}

static int open_new(const tempdir *f, const char *name)
{
    int fd = openat(f->dirfd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void write_tree(const tempdir *f, const char *tree, const char *ignore_text, const char *const *never,
                       const char *out)
{
    SB_AUTO(sb_error) error = NULL;
    SB_AUTO(sb_ignore) ignore = NULL;
    sb_autoclose int dir = openat(f->dirfd, tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sb_autoclose int fd = open_new(f, out);

    if (ignore_text)
        assert_int_equal(sb_ignore_parse(sb_slice_z(ignore_text), ".dockerignore", &ignore, NULL), 0);
    if (sb_tree_write(dir, ignore, never, EPOCH, fd, &error) < 0)
        fail_msg("%s", error->message);
}

static sb_errc unpack(const tempdir *f, const char *archive, const char *to, uint64_t max)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autoclose int fd = openat(f->dirfd, archive, O_RDONLY | O_CLOEXEC);
    sb_autoclose int dir = -1;

    assert_true(fd >= 0);
    assert_int_equal(sb_mkdirs_beneath(f->dirfd, to, NULL), 0);
    dir = openat(f->dirfd, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return sb_tree_unpack(fd, dir, max, &error) < 0 ? error->code : SB_ERR_NONE;
}

static const char sample[] = "mkdir -p in/b/deep in/empty in/a; echo one >in/b/one; echo x >in/b.txt; echo "
                             "run >in/a/run; chmod 755 in/a/run;"
                             "chmod 600 in/b/one; ln -s ../b/one in/a/link; ln -s /absolute in/b/deep/abs; "
                             "ln in/b.txt in/a/hard; mkfifo in/fifo;"
                             "truncate -s 5M in/sparse; printf end >>in/sparse; : >in/empty-file; touch -d "
                             "@1 in/b/one; chmod 700 in/empty";

static void test_one_form(void **state)
{
    tempdir *f = *state;

    check_shell(f, sample, "");
    write_tree(f, "in", NULL, NULL, "one.tar");
    check_shell(f, "tar --numeric-owner --full-time --utc -tvf one.tar | sed 's/  */ /g'",
                "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 a/\n"
                "-rw-r--r-- 0/0 2 2023-11-14 22:13:20 a/hard\n"
                "lrwxrwxrwx 0/0 0 2023-11-14 22:13:20 a/link -> ../b/one\n"
                "-rwxr-xr-x 0/0 4 2023-11-14 22:13:20 a/run\n"
                "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 b/\n"
                "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 b/deep/\n"
                "lrwxrwxrwx 0/0 0 2023-11-14 22:13:20 b/deep/abs -> /absolute\n"
                "-rw-r--r-- 0/0 4 2023-11-14 22:13:20 b/one\n"
                "-rw-r--r-- 0/0 2 2023-11-14 22:13:20 b.txt\n"
                "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 empty/\n"
                "-rw-r--r-- 0/0 0 2023-11-14 22:13:20 empty-file\n"
                "-rw-r--r-- 0/0 5242883 2023-11-14 22:13:20 sparse\n");
    /* Another umask, other times, made in another order, an attribute: the same bytes. */
    check_shell(
        f,
        "umask 077; mkdir again; (cd in; find . -depth ! -name fifo ! -type d | sort -R) | while read -r n; "
        "do "
        "mkdir -p again/${n%/*}; cp -d in/$n again/$n; done; mkdir again/empty; chmod 700 again/a/run;"
        "python3 -c 'import os; os.setxattr(\"again/b.txt\", \"user.note\", b\"x\")' 2>/dev/null || true",
        "");
    write_tree(f, "again", NULL, NULL, "two.tar");
    check_shell(f, "cmp one.tar two.tar && tar -xf one.tar -C $(mktemp -d -p .) && echo same", "same\n");
}

static void test_ignored(void **state)
{
    static const char *const never[] = {"sbuild.vendor", "Dockerfile.lock", NULL};
    tempdir *f = *state;

    check_shell(
        f,
        "mkdir -p in/sbuild.vendor/sha256 in/node_modules/keep/x in/sub/sbuild.vendor; touch "
        "in/Dockerfile.lock "
        "in/sbuild.vendor/x in/node_modules/{a,b} in/node_modules/keep/x/y in/sub/sbuild.vendor/z in/log.txt",
        "");
    write_tree(f, "in", "node_modules\n!node_modules/keep/x\n*.txt\n", never, "out.tar");
    check_shell(f, "tar -tf out.tar",
                "node_modules/\nnode_modules/keep/\nnode_modules/keep/x/\nnode_modules/keep/x/y\nsub/\n"
                "sub/sbuild.vendor/\nsub/sbuild.vendor/z\n");
}

static void test_names(void **state)
{
    tempdir *f = *state;

    /* 100 and 101 bytes, prefix and name, too long for both; UTF-8, Latin-1, a newline; long link targets. */
    check_shell(
        f,
        "n() { printf \"%0$1d\" 0; }; mkdir -p in/$(n 155) in/$(n 150)/$(n 120) in/$(n 200); cd in;"
        "touch $(n 100) $(n 101) $(n 155)/$(n 100) $(n 155)/$(n 101) $(n 150)/$(n 120)/x $(n 200)/$(n 200);"
        "touch $'\\xc3\\xa9' $'\\xe9' $'new\\nline' $(n 120)$'\\xe9' $(n 120)$'\\xc3\\xa9';"
        "ln -s $(n 100) l100; ln -s $(n 101) l101; ln -s $(n 130)$'\\xe9' l131",
        "");
    write_tree(f, "in", NULL, NULL, "out.tar");
    assert_int_equal(unpack(f, "out.tar", "out", 1 << 20), SB_ERR_NONE);
    check_shell(f,
                "diff -r --no-dereference in out; mkdir gnu; tar -xf out.tar -C gnu 2>/dev/null; diff -r "
                "--no-dereference in gnu",
                "");
    check_shell(f, "python3 -c 'import tarfile; print(len(tarfile.open(\"out.tar\").getnames()))'", "18\n");
}

static void test_copy(void **state)
{
    tempdir *f = *state;
    sb_autoclose int in = -1, out = -1;

    check_shell(f, sample, "");
    assert_int_equal(mkdirat(f->dirfd, "out", 0777), 0);
    in = openat(f->dirfd, "in", O_RDONLY | O_DIRECTORY);
    out = openat(f->dirfd, "out", O_RDONLY | O_DIRECTORY);
    assert_int_equal(sb_tree_copy(in, NULL, NULL, EPOCH, out, NULL), 0);
    check_shell(f, "rm in/fifo; diff -r --no-dereference in out; find out -printf '%T@ %m\\n' | sort -u",
                "1700000000.0000000000 644\n1700000000.0000000000 755\n1700000000.0000000000 777\n");
    write_tree(f, "in", NULL, NULL, "one.tar");
    write_tree(f, "out", NULL, NULL, "two.tar");
    check_shell(f, "cmp one.tar two.tar", "");
}

static void test_unpack(void **state)
{
    tempdir *f = *state;

    check_shell(
        f,
        "mkdir -p in/d in/ro; echo hi >in/d/x; ln in/d/x in/hard; ln -s d/x in/link; ln -s ../hard in/d/up; "
        "chmod 4750 in/d/x; touch -d @5 in/d/x; truncate -s 3M in/sparse; echo z >>in/sparse; echo r "
        ">in/ro/f;"
        "chmod 555 in/ro; touch -d @77 in/ro; tar -S -C in -cf gnu.tar .; tar --format=pax -C in -cf pax.tar "
        ".;"
        "gzip -k gnu.tar; xz -k gnu.tar; zstd -q gnu.tar; bzip2 -k gnu.tar",
        "");
    assert_int_equal(unpack(f, "gnu.tar", "a", 1 << 24), SB_ERR_NONE);
    assert_int_equal(unpack(f, "pax.tar", "b", 1 << 24), SB_ERR_NONE);
    assert_int_equal(unpack(f, "gnu.tar.gz", "c", 1 << 24), SB_ERR_NONE);
    assert_int_equal(unpack(f, "gnu.tar.xz", "d", 1 << 24), SB_ERR_NONE);
    assert_int_equal(unpack(f, "gnu.tar.zst", "e", 1 << 24), SB_ERR_NONE);
    assert_int_equal(unpack(f, "gnu.tar.bz2", "f", 1 << 24), SB_ERR_NONE);
    check_shell(
        f,
        "for d in a b c d e f; do diff -r --no-dereference in $d; done; stat -c '%a %h %Y' a/d/x a/hard; "
        "stat -c '%a %Y' a/ro",
        "750 1 5\n750 1 5\n555 77\n");
    /* Over what is there already. */
    assert_int_equal(unpack(f, "gnu.tar", "a", 1 << 24), SB_ERR_NONE);
    check_shell(f, "diff -r --no-dereference in a", "");
}

/* Archives by Python, which writes what it is told. */
static void make_tar(const tempdir *f, const char *entries)
{
    sb_autofree char *script = sb_asprintf(
        "python3 - <<'END'\nimport tarfile, io\nt = tarfile.open('evil.tar', 'w')\n"
        "def add(name, type=tarfile.REGTYPE, link='', data=b'', **kw):\n"
        "    i = tarfile.TarInfo(name); i.type = type; i.linkname = link; i.size = len(data)\n"
        "    t.addfile(i, io.BytesIO(data))\n"
        "SYM, LNK, DIR, CHR, FIFO = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, "
        "tarfile.FIFOTYPE\n%s\nt.close()\nEND\nrm -rf out",
        entries);

    check_shell(f, script, "");
}

static void test_hostile_archives(void **state)
{
    static const struct {
        const char *entries;
        sb_errc code;
    } cases[] = {
        {"add('../escape', data=b'x')", SB_ERR_PARSE},
        {"add('a/../../escape', data=b'x')", SB_ERR_PARSE},
        {"add('a/../b', data=b'x')", SB_ERR_PARSE},
        {"add('/escape', data=b'x')", SB_ERR_PARSE},
        {"add('link', SYM, '/etc/passwd')", SB_ERR_PARSE},
        {"add('link', SYM, '../escape')", SB_ERR_PARSE},
        {"add('d', DIR); add('d/link', SYM, '../../escape')", SB_ERR_PARSE},
        {"add('d', DIR); add('d/link', SYM, '../x/../../escape')", SB_ERR_PARSE},
        {"add('d', DIR); add('d/link', SYM, '../x/../ok')", SB_ERR_NONE},
        {"add('l', SYM, 'd'); add('d', DIR); add('l/x', data=b'x')", SB_ERR_IO},
        {"add('l', SYM, '.'); add('l', DIR); add('l/x', data=b'x')", SB_ERR_NONE},
        {"add('l', SYM, 'd'); add('l', data=b'replaced')", SB_ERR_NONE},
        {"add('hard', LNK, '../escape')", SB_ERR_PARSE},
        {"add('hard', LNK, '/etc/passwd')", SB_ERR_PARSE},
        {"add('hard', LNK, 'missing')", SB_ERR_PARSE},
        {"add('x', data=b'x'); add('x', LNK, 'x')", SB_ERR_PARSE},
        {"add('s', SYM, 'd'); add('hard', LNK, 's')", SB_ERR_IO},
        {"add('d', DIR); add('hard', LNK, 'd')", SB_ERR_PARSE},
        {"add('null', CHR)", SB_ERR_PARSE},
        {"add('fifo', FIFO)", SB_ERR_PARSE},
        {"add('d/x', data=b'x'); add('d', data=b'x')", SB_ERR_IO},
        {"add('x', data=b'x'); add('x/y', data=b'x')", SB_ERR_IO},
        {"add('/'.join(['d'] * 300), data=b'x')", SB_ERR_PARSE},
        {"add('', data=b'x')", SB_ERR_PARSE},
        {"add('./', DIR); add('./x', data=b'x')", SB_ERR_NONE},
        {"add('big', data=b'x' * 2000000)", SB_ERR_LIMIT},
        {"add('x', data=b'x' * 600000); add('h', LNK, 'x')", SB_ERR_LIMIT},
    };
    tempdir *f = *state;

    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        sb_errc code;

        make_tar(f, cases[i].entries);
        code = unpack(f, "evil.tar", "out", 1000000);
        if (code != cases[i].code)
            fail_msg("%s: code %d instead of %d", cases[i].entries, code, cases[i].code);
        assert_int_equal(faccessat(f->dirfd, "escape", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    }
}

/* Links that lead out are an engine's business, when they are asked for; writing through them is nobody's. */
static void test_links_as_they_are(void **state)
{
    tempdir *f = *state;
    sb_autoclose int out = -1;

    make_tar(f, "add('abs', SYM, '/etc/passwd'); add('d', DIR); add('d/up', SYM, '../../escape')");
    assert_int_equal(mkdirat(f->dirfd, "out", 0755), 0);
    out = openat(f->dirfd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        sb_autoclose int archive = openat(f->dirfd, "evil.tar", O_RDONLY | O_CLOEXEC);

        assert_int_equal(sb_tree_unpack_links(archive, out, 1000, NULL), i ? -1 : 0);
        check_shell(f, "readlink out/abs out/d/up", "/etc/passwd\n../../escape\n");
        check_shell(f,
                    "python3 -c 'import tarfile, io; t = tarfile.open(\"evil.tar\", \"w\"); i = "
                    "tarfile.TarInfo(\"d/up\"); i.size = 1; i.name = \"d/up/x\"; t.addfile(i, "
                    "io.BytesIO(b\"x\"))'; test ! -e "
                    "escape",
                    "");
    }
}

static void test_damaged_archives(void **state)
{
    tempdir *f = *state;

    check_shell(f,
                "mkdir in; head -c 100000 /dev/urandom >in/x; tar -C in -cf whole.tar .; head -c 50000 "
                "whole.tar >cut.tar;"
                "gzip -k whole.tar; head -c 50000 whole.tar.gz >cut.gz; : >nothing; echo no tar >text;"
                "truncate -s 500M zeros; tar -cf - zeros | gzip -9 >bomb.gz; truncate -s 5T huge; "
                "tar -S -cf huge.tar huge; rm -f zeros",
                "");
    assert_int_equal(unpack(f, "cut.tar", "a", 1 << 24), SB_ERR_PARSE);
    assert_int_equal(unpack(f, "cut.gz", "b", 1 << 24), SB_ERR_PARSE);
    assert_int_equal(unpack(f, "nothing", "c", 1 << 24), SB_ERR_PARSE);
    assert_int_equal(unpack(f, "text", "d", 1 << 24), SB_ERR_PARSE);
    assert_int_equal(unpack(f, "bomb.gz", "e", 1 << 24), SB_ERR_LIMIT);
    assert_int_equal(unpack(f, "huge.tar", "f", 1 << 30), SB_ERR_LIMIT);
}

static void test_limits_of_the_walk(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_error) error = NULL;
    sb_autoclose int in = -1, out = open_new(f, "out.tar");

    check_shell(f, "mkdir in; cd in; for i in $(seq 300); do mkdir d; cd d; done", "");
    in = openat(f->dirfd, "in", O_RDONLY | O_DIRECTORY);
    assert_int_equal(sb_tree_write(in, NULL, NULL, EPOCH, out, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_form),
        TEST(test_ignored),
        TEST(test_names),
        TEST(test_copy),
        TEST(test_unpack),
        TEST(test_hostile_archives),
        TEST(test_links_as_they_are),
        TEST(test_damaged_archives),
        TEST(test_limits_of_the_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
