// SPDX-License-Identifier: Apache-2.0
/* Which files a command downloads, and how such files are found again by other names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rules/lint/execute.h>

static void assert_text(const char *expected, sb_slice actual)
{
    sb_autofree char *text = sb_slice_dup(actual);

    assert_string_equal(expected, text);
}

/* --- Paths --- */

static void paths(void **state)
{
    static const struct {
        const char *directory, *written, *expected;
    } table[] = {
        {"/tmp", "x.sh", "/tmp/x.sh"},
        {"/tmp", "./a/../x.sh", "/tmp/x.sh"},
        {"/tmp", "/opt//x.sh", "/opt/x.sh"},
        {"/", "x", "/x"},
        {"/a/b", "../../..", ""},
        {NULL, "./x.sh", "x.sh"},
        {NULL, "../x.sh", "../x.sh"},
        {"/tmp", "${DIR}/x-${V}.sh", "$DIR/x-$V.sh"},
        {"/tmp", "${V%.*}", "${V%.*}"},
        {"/tmp", "~/x", "$HOME/x"},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(table); i++)
        assert_text(table[i].expected,
                    sb_files_path(arena, sb_slice_z(table[i].directory), sb_slice_z(table[i].written)));
    assert_text("x", sb_path_base(SB_LIT("/a/x/")));
    assert_text("x-$(cat /v).sh", sb_path_base(SB_LIT("/a/x-$(cat /v).sh")));
    assert_text("/", sb_path_base(SB_LIT("/")));
}

static int find(const sb_files *files, const char *path)
{
    const sb_named *f = sb_files_find(files, sb_slice_z(path));

    return f ? f->origin : -1;
}

static void found_again(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_files files = {0}, later;

    (void)state;
    sb_files_put(arena, &files, SB_LIT("/tmp/a-1.2.sh"), 1, SB_NIL);
    sb_files_put(arena, &files, SB_LIT("/usr/local/bin/tool"), 2, SB_NIL);
    sb_files_put(arena, &files, SB_LIT("dir/x"), 3, SB_NIL);
    sb_files_put(arena, &files, SB_LIT("/dev/null"), 4, SB_NIL);
    assert_int_equal(1, find(&files, "/tmp/a-1.2.sh"));
    assert_int_equal(1, find(&files, "/tmp/a-*.sh"));
    assert_int_equal(-1, find(&files, "/tmp/*/a-1.2.sh"));
    assert_int_equal(-1, find(&files, "/opt/a-1.2.sh"));
    assert_int_equal(3, find(&files, "x"));
    assert_int_equal(3, find(&files, "top/dir/x"));
    assert_int_equal(-1, find(&files, "ax"));
    assert_int_equal(-1, find(&files, "/dev/null"));
    assert_int_equal(2, sb_files_find_program(&files, SB_LIT("tool"), SB_NIL)->origin);
    assert_null(sb_files_find_program(&files, SB_LIT("x"), SB_NIL));
    assert_null(sb_files_find_program(&files, SB_LIT("a-1.2.sh"), SB_NIL));
    assert_int_equal(1, sb_files_find_program(&files, SB_LIT("a-1.2.sh"), SB_LIT("/bin:/tmp"))->origin);

    /* A stage that is built on it changes nothing of it. */
    later = files;
    later.shared = true;
    sb_files_drop(arena, &later, SB_LIT("/tmp/a-1.2.sh"));
    sb_files_put(arena, &later, SB_LIT("/usr/local/bin/tool"), 7, SB_NIL);
    assert_int_equal(-1, find(&later, "/tmp/a-1.2.sh"));
    assert_int_equal(7, find(&later, "/usr/local/bin/tool"));
    assert_int_equal(1, find(&files, "/tmp/a-1.2.sh"));
    assert_int_equal(2, find(&files, "/usr/local/bin/tool"));

    for (int i = 0; i < 2 * SB_FILES_MAX; i++)
        sb_files_put(arena, &later, sb_arena_printf(arena, "/many/%d", i), i, SB_NIL);
    assert_int_equal(SB_FILES_MAX, later.count);
}

/* --- Commands that download --- */

static void fetches(void **state)
{
    static const struct {
        const char *command,
            *files; /* separated by blanks; "-": standard output; NULL: it downloads nothing */
    } table[] = {
        {"curl https://e.org/x", "-"},
        {"curl -fsSLo /tmp/x https://e.org/x", "/tmp/x"},
        {"curl -H 'A: b' -o- https://e.org/x", "-"},
        {"curl -OL 'https://e.org/d/x.sh?raw=1'", "x.sh"},
        {"curl --output-dir /o -O https://e.org/x -O https://e.org/y", "/o/x /o/y"},
        {"curl https://e.org/a -o a https://e.org/b -o b", "a b"},
        {"curl --output=a --url https://e.org/a", "a"},
        {"curl -I https://e.org/x", NULL},
        {"curl --version", NULL},
        {"curl -s http://localhost:80/x", NULL},
        {"curl file:///etc/x", NULL},
        {"wget https://e.org/d/x.sh", "x.sh"},
        {"wget -qO- https://e.org/x", "-"},
        {"wget -nv -O x https://e.org/y", "x"},
        {"wget -q -P /d https://e.org/a https://e.org/b", "/d/a /d/b"},
        {"wget --spider https://e.org/a", NULL},
        {"wget https://e.org", NULL},
        {"busybox wget -O - https://e.org/x", "-"},
        {"aria2c -d /d -o x https://e.org/y", "/d/x"},
        {"lynx -source https://e.org/x", "-"},
        {"http --download -o x GET https://e.org/y", "x"},
        {"aws s3 cp s3://b/k/x /tmp/", "/tmp//x"},
        {"aws s3 cp /tmp/x s3://b/k", NULL},
        {"php -r \"copy('https://e.org/i', 'x.php');\"", "x.php"},
        {"php x.php https://e.org/i", NULL},
        {"python3 -c \"print(urlopen('https://e.org/i').read())\"", "-"},
        {"echo https://e.org/x", NULL},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(table); i++) {
        sb_sh_options options = {.dialect = SB_SH_BASH};
        sb_autobuf files = SB_BUF_INIT(1000);
        sb_sh_reading reading;
        sb_fetch fetch;
        bool found;

        sb_sh_read(sb_slice_z(table[i].command), &options, arena, &reading);
        assert_true(reading.count > 0);
        found =
            sb_fetch_by_name(reading.commands[0].name) && sb_fetch_read(&reading.commands[0], arena, &fetch);
        for (size_t j = 0; found && j < fetch.file_count; j++)
            sb_buf_printf(&files, "%s%" SB_FMT, files.len ? " " : "", SB_ARG(fetch.files[j]));
        if (found && fetch.to_output)
            sb_buf_printf(&files, "%s-", files.len ? " " : "");
        if (found != (table[i].files != NULL))
            fail_msg("%s: %s", table[i].command, found ? "downloads" : "downloads nothing");
        if (found)
            assert_text(table[i].files, sb_buf_slice(&files));
    }
    assert_text("e.org", sb_fetch_host(SB_LIT("https://u:p@e.org:8443/x@y")));
    assert_text("", sb_fetch_host(SB_LIT("e.org/x")));
}

/* --- Commands that run something --- */

static void programs(void **state)
{
    static const struct {
        const char *command;
        sb_program_kind kind;
        size_t arg;
    } table[] = {
        {"sh", SB_PROGRAM_INPUT, 0},
        {"bash -s -- a b", SB_PROGRAM_INPUT, 1},
        {"bash -euxo pipefail", SB_PROGRAM_INPUT, 0},
        {"bash -euxo pipefail x.sh", SB_PROGRAM_FILE, 3},
        {"bash /dev/stdin a", SB_PROGRAM_INPUT, 1},
        {"zsh x -c", SB_PROGRAM_FILE, 1},
        {"python3.12 -", SB_PROGRAM_INPUT, 1},
        {"python3 -m json.tool", SB_PROGRAM_TEXT, 2},
        {"python3 -W ignore x.py", SB_PROGRAM_FILE, 3},
        {"pythonic x.py", SB_PROGRAM_PATH, 0},
        {"perl -0777pe 's/a/b/'", SB_PROGRAM_TEXT, 2},
        {"perl -Ilib x.pl", SB_PROGRAM_FILE, 2},
        {"perl", SB_PROGRAM_INPUT, 0},
        {"php -- --install-dir=/x", SB_PROGRAM_INPUT, 1},
        {"php -d a=b x.php", SB_PROGRAM_FILE, 3},
        {"php -f x.php", SB_PROGRAM_FILE, 2},
        {"node --eval 1", SB_PROGRAM_TEXT, 2},
        {"make install", SB_PROGRAM_NONE, 0},
        {"make -f x.mk", SB_PROGRAM_FILE, 2},
        {"java -Xmx1g -jar x.jar", SB_PROGRAM_FILE, 3},
        {"java Main", SB_PROGRAM_NONE, 0},
        {". ./x", SB_PROGRAM_FILE, 1},
        {"pwsh -NoProfile -Command -", SB_PROGRAM_INPUT, 2},
        {"pwsh -File x.ps1", SB_PROGRAM_FILE, 2},
        {"./x", SB_PROGRAM_PATH, 0},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(table); i++) {
        sb_sh_options options = {.dialect = SB_SH_BASH};
        sb_sh_reading reading;
        sb_program program;

        sb_sh_read(sb_slice_z(table[i].command), &options, arena, &reading);
        assert_true(reading.count > 0);
        program = sb_program_read(&reading.commands[0]);
        if (program.kind != table[i].kind || (program.kind != SB_PROGRAM_NONE &&
                                              program.kind != SB_PROGRAM_PATH && program.arg != table[i].arg))
            fail_msg("%s: kind %d of argument %zu", table[i].command, (int)program.kind, program.arg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(found_again),
        cmocka_unit_test(fetches),
        cmocka_unit_test(programs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
