// SPDX-License-Identifier: Apache-2.0
/* Commands that run others: wrappers, and texts and commands in arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "shell_reading.h"

static void check(const char *text, const sb_sh_reading *reading, const char *expected)
{
    sb_autobuf out = SB_BUF_INIT(1 << 20);

    reading_print(&out, reading);
    if (reading->trouble)
        fail_msg("%s: %s", text, reading->trouble);
    if (!sb_slice_eqz(sb_buf_slice(&out), expected))
        fail_msg("%s\nis read as\n%s\nand should be\n%s", text, out.data ? out.data : "", expected);
}

static void reads(const char *text, const char *expected)
{
    const sb_sh_var vars[] = {{SB_LIT("VERSION"), SB_LIT("1.2")}};
    const sb_sh_options options = {
        .vars = vars, .var_count = SB_COUNT(vars), .directory = SB_LIT("/w"), .dialect = SB_SH_POSIX};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    sb_sh_read(sb_slice_z(text), &options, arena, &reading);
    check(text, &reading, expected);
}

static void test_wrappers(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"sudo make", "[sudo] @root make\n"},
        {"sudo -E -u app --group=g -- make -j", "[sudo] @app make -j\n"},
        {"sudo --user app -H A=1 make", "[sudo] @app A=<1> make\n"},
        {"sudo -uapp make", "[sudo] @app make\n"},
        {"doas -u app make", "[doas] @app make\n"},
        {"env A=1 B=2 make", "[env] A=<1> B=<2> make\n"},
        {"env -i -u X -C /tmp A=1 make", "[env] A=<1> make\n"},
        {"env - make", "[env] make\n"},
        {"env", "env\n"},
        {"time make", "[time] make\n"},
        {"time -p make", "[time] make\n"},
        {"nice make; nice -n 5 make; nice -5 make", "[nice] make\n[nice] make\n[nice] make\n"},
        {"ionice -c 3 -n 7 make", "[ionice] make\n"},
        {"nohup make", "[nohup] make\n"},
        {"timeout 10 make; timeout -s KILL -k 5 10m make", "[timeout] make\n[timeout] make\n"},
        {"timeout --signal KILL --foreground 5 make", "[timeout] make\n"},
        {"xargs make; xargs -0 -r -n 1 -I {} -P4 make {}", "[xargs] make\n[xargs] make <{}>\n"},
        {"exec make; exec -a x make; exec", "[exec] make\n[exec] make\nexec\n"},
        {"command make; command -p make; command -v make",
         "[command] make\n[command] make\ncommand -v make\n"},
        {"builtin cd /x", "[builtin] cd /x\n"},
        {"gosu app make; gosu 1000:1000 make", "[gosu] @app make\n[gosu] @1000:1000 make\n"},
        {"su-exec app make", "[su-exec] @app make\n"},
        {"setpriv --reuid=5 --clear-groups make; setpriv --reuid app --init-groups make",
         "[setpriv] @5 make\n[setpriv] @app make\n"},
        {"runuser -u app -- make; runuser --user app make", "[runuser] @app make\n[runuser] @app make\n"},
        {"chroot /mnt make; chroot --userspec=1 /mnt make", "[chroot] make\n[chroot] make\n"},
        {"unshare -r --net make", "[unshare] make\n"},
        {"stdbuf -oL make; stdbuf -o L make", "[stdbuf] make\n[stdbuf] make\n"},
        {"tini -g -- make; dumb-init -- make", "[tini] make\n[dumb-init] make\n"},
        {"busybox wget x", "[busybox] wget x\n"},
        {"fakeroot make; catchsegv make; setsid make; linux32 make",
         "[fakeroot] make\n[catchsegv] make\n[setsid] make\n"
         "[linux32] make\n"},
        {"flock /lock make; flock -w 5 /lock make", "[flock] make\n[flock] make\n"},
        {"conda run -n base make; conda install x", "[conda] make\nconda install x\n"},
        {"sudo -u app env A=1 nice timeout 5 make", "[sudo env nice timeout] @app A=<1> make\n"},
        {"/usr/bin/sudo /usr/bin/env make", "[sudo env] @root make\n"},
        {"$SUDO make; ${sudo} make; $X make", "[sudo] make\n[sudo] make\n?<$X> make\n"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++)
        reads(cases[i].text, cases[i].expected);
}

/* The table of wrappers is searched by halves, so every one has to be found. */
static void test_each_wrapper(void **state)
{
    static const char *const plain[] = {
        "builtin",     "busybox",      "catatonit",  "catchsegv", "chronic", "command",  "chpst",
        "doas",        "dumb-init",    "eatmydata",  "env",       "exec",    "fakeroot", "ionice",
        "linux32",     "linux64",      "nice",       "nohup",     "nosync",  "numactl",  "setpriv",
        "setsid",      "ssh-agent",    "stdbuf",     "strace",    "sudo",    "time",     "tini",
        "tini-static", "torsocks",     "toybox",     "unshare",   "xargs",   "xvfb-run", "with-contenv",
        "proxychains", "proxychains4", "dbus-launch"};
    static const char *const with_operand[] = {"chroot",  "chrt",         "faketime", "flock",
                                               "gosu",    "s6-setuidgid", "setarch",  "setuidgid",
                                               "su-exec", "taskset",      "timeout"};
    static const char *const with_verb[] = {"bundle exec", "conda run",  "mamba run",  "micromamba run",
                                            "pipenv run",  "poetry run", "pyenv exec", "rbenv exec"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(plain) + SB_COUNT(with_operand) + SB_COUNT(with_verb); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_autobuf text = SB_BUF_INIT(1000);
        sb_sh_options options = {.dialect = SB_SH_POSIX};
        sb_sh_reading reading;

        if (i < SB_COUNT(plain))
            sb_buf_printf(&text, "%s make", plain[i]);
        else if (i < SB_COUNT(plain) + SB_COUNT(with_operand))
            sb_buf_printf(&text, "%s 1 make", with_operand[i - SB_COUNT(plain)]);
        else
            sb_buf_printf(&text, "%s make", with_verb[i - SB_COUNT(plain) - SB_COUNT(with_operand)]);
        sb_sh_read(sb_buf_slice(&text), &options, arena, &reading);
        assert_int_equal(reading.count, 1);
        if (!sb_slice_eqz(reading.commands[0].name, "make"))
            fail_msg("%s", text.data);
    }
}

static void test_shells(void **state)
{
    (void)state;
    reads("sh -c 'a; b'", "sh -c <a; b>\n>0.2s a\n>0.2s b\n");
    reads("bash -lc a; bash -euxo pipefail -c b; /bin/dash -ec c",
          "bash -lc a\n>0.2s a\nbash -euxo pipefail -c b\n>2.4s b\n/bin/dash -ec c\n>4.2s c\n");
    reads("bash -o errexit -c a; bash --login -c a; bash +x -c a; bash -O extglob -c a",
          "bash -o errexit -c a\n>0.4s a\nbash --login -c a\n>2.3s a\nbash <+x> -c a\n>4.3s a\n"
          "bash -O extglob -c a\n>6.4s a\n");
    reads("sh -c 'echo $1 $2' x a 'b c'", "sh -c <echo $1 $2> x a <b c>\n>0.2s echo a b c\n");
    reads("sh script.sh -c a", "sh script.sh -c a\n");
    reads("sh -c \"echo $VERSION $X \\$Y\"", "sh -c ?<echo 1.2 $X $Y>\n>0.2s echo 1.2 ?<$X> ?<$Y>\n");
    reads("v=1; export e=2; sh -c 'echo $v $e'; W=3 sh -c 'echo $W'",
          "v=<1>\nexport e=2\nsh -c <echo $v $e>\n>2.2s echo ?<$v> 2\nW=<3> sh -c <echo $W>\n>4.2s echo 3\n");
    reads("sh -c 'v=1'; echo $v", "sh -c v=1\n>0.2s v=<1>\necho ?<$v>\n");
    reads("t='a | b'; sh -c \"$t\"", "t=<a | b>\nsh -c <a | b>\n>1.2s 0| a\n>1.2s |1 b\n");
    reads("sh -c \"sh -c 'a'\"", "sh -c <sh -c 'a'>\n>0.2s sh -c a\n>1.2s a\n");
    /* What a text around it told is not told again. */
    reads("sh -c \"$(a)\"", "sh -c ?<$(a)>\n>0.2a a\n");
    reads("sh -c \"b $(a) \\$(c)\"", "sh -c ?<b $(a) $(c)>\n>0.2s b ?<$(a)> ?<$(c)>\n>1.2a c\n>0.2a a\n");
    reads("sudo -u app sh -c 'cd /x && a'", "[sudo] @app sh -c <cd /x && a>\n>0.2s [sudo] @app cd /x\n"
                                            ">0.2s [sudo] @app (/x) a\n");
    reads("busybox sh -c a", "[busybox] sh -c a\n>0.2s [busybox] a\n");
}

static void test_standard_input(void **state)
{
    (void)state;
    reads("bash <<E\na $VERSION\nE", "bash {0<< a 1.2\n}\n>0.1s a 1.2\n");
    reads("sh -s x <<'E'\na $1\nE", "sh -s x {0<< a $1\n}\n>0.3s a ?<$1>\n");
    reads("bash -e - <<< 'a; b'", "bash -e - {0<<< a; b}\n>0.3s a\n>0.3s b\n");
    reads("bash file <<E\na\nE", "bash file {0<< a\n}\n");
    reads("cat <<E\na\nE", "cat {0<< a\n}\n");
    reads("su app <<E\na\nE", "@app su app {0<< a\n}\n>0.2s @app a\n");
}

static void test_su(void **state)
{
    static const char *const forms[] = {"su app -c 'a'",
                                        "su - app -c a",
                                        "su -c a app",
                                        "su -l app -c a",
                                        "su app --command=a",
                                        "su --command a app",
                                        "su app -s /bin/sh -c a",
                                        "su -lc a app",
                                        "runuser app -c a",
                                        "runuser -l app -c a",
                                        "su app --session-command=a"};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(forms); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_sh_options options = {.dialect = SB_SH_POSIX};
        sb_sh_reading reading;

        sb_sh_read(sb_slice_z(forms[i]), &options, arena, &reading);
        if (reading.count != 2 || !sb_slice_eqz(reading.commands[1].name, "a") ||
            !sb_slice_eqz(reading.commands[1].user, "app") || reading.commands[1].inside != 0)
            fail_msg("%s", forms[i]);
    }
    reads("su -c a", "@root su -c a\n>0.2s @root a\n");
}

static void test_eval_and_others(void **state)
{
    (void)state;
    reads("eval 'a; b' c", "eval <a; b> c\n>0.1s a\n>0.1s b c\n");
    reads("eval v=1; echo $v", "eval v=1\n>0.1s v=<1>\necho 1\n");
    reads("eval \"$(a)\"", "eval ?<$(a)>\n>0.1a a\n");
    reads("v=$(a); eval \"$v\"", "v=?<$(a)>\na~v a\neval ?<$(a)>\n");
    reads("trap 'rm x' EXIT; trap - EXIT", "trap <rm x> EXIT\n>0.1s rm x\ntrap - EXIT\n");
    reads("script -qc 'a b' /dev/null", "script -qc <a b> /dev/null\n>0.2s a b\n");
    reads("scl enable x y 'a b'", "scl enable x y <a b>\n>0.4s a b\n");
    reads("env -S 'a b'", "env -S <a b>\n>0.2s a b\n");
    reads("flock -c 'a b' /lock", "flock -c <a b> /lock\n>0.2s a b\n");
    reads("echo 'sh -c x'; printf eval", "echo <sh -c x>\nprintf eval\n");
    reads(". ./x; source y", ". ./x\nsource y\n");
}

static void test_find(void **state)
{
    (void)state;
    reads("find / -exec rm -f {} + -o -execdir sh -c 'x $0' {} ';'",
          "find / -exec rm -f <{}> <+> -o -execdir sh -c <x $0> <{}> ;\n"
          "C L >0.3s [find] rm -f <{}>\nC L >0.9s [find] sh -c <x $0> <{}>\nC L >2.2s [find] x ?<$0>\n");
    reads("find / -exec", "find / -exec\n");
    reads("find / -delete", "find / -delete\n");
    reads("sudo find / -exec a ';'", "[sudo] @root find / -exec a ;\nC L >0.3s [sudo find] @root a\n");
}

static void exec_reads(const char *const *words, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_options options = {.directory = SB_LIT("/w")};
    sb_sh_reading reading;
    sb_slice slices[8];
    size_t count = 0;

    while (words[count]) {
        slices[count] = sb_slice_z(words[count]);
        count++;
    }
    sb_sh_read_exec(slices, count, &options, arena, &reading);
    check(words[0] ? words[0] : "nothing", &reading, expected);
}

static void test_exec_form(void **state)
{
    (void)state;
    exec_reads((const char *[]){"a", "b c", "$D", NULL}, "a <b c> $D\n");
    exec_reads((const char *[]){"/bin/bash", "-c", "a | b", NULL},
               "/bin/bash -c <a | b>\n>0.2s 0| a\n>0.2s |1 b\n");
    exec_reads((const char *[]){"sudo", "a", NULL}, "[sudo] @root a\n");
    exec_reads((const char *[]){NULL}, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrappers), cmocka_unit_test(test_each_wrapper),
        cmocka_unit_test(test_shells),   cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_su),       cmocka_unit_test(test_eval_and_others),
        cmocka_unit_test(test_find),     cmocka_unit_test(test_exec_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
