// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/scrubbed.h>
#include <sbuild/buf.h>

/* One worry with this phrase, whose remedy says `remedy`. */
static void worry(const char *text, sb_step_worry_kind kind, const char *phrase, const char *remedy)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_step_worry *worries;
    size_t count;

    sb_step_worries(sb_slice_z(text), arena, &worries, &count);
    if (count != 1)
        fail_msg("%zu worries: %s", count, text);
    assert_int_equal(worries[0].kind, kind);
    if (!sb_slice_eqz(worries[0].phrase, phrase))
        fail_msg("\"%" SB_FMT "\" instead of \"%s\"", SB_ARG(worries[0].phrase), phrase);
    if (sb_slice_find(worries[0].remedy, sb_slice_z(remedy)) < 0)
        fail_msg("\"%" SB_FMT "\" does not say \"%s\"", SB_ARG(worries[0].remedy), remedy);
}

static void scrubbed(const char *text, const char *phrase)
{
    worry(text, SB_WORRY_SCRUBBED, phrase, "variables");
}

static void unrecordable(const char *text, const char *phrase, const char *remedy)
{
    worry(text, SB_WORRY_UNRECORDABLE, phrase, remedy);
}

static void fine(const char *text)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_step_worry *worries;
    size_t count;

    sb_step_worries(sb_slice_z(text), arena, &worries, &count);
    if (count)
        fail_msg("%s: \"%" SB_FMT "\"", text, SB_ARG(worries[0].phrase));
}

static void test_scrubbed(void **state)
{
    (void)state;
    scrubbed("su - app -c 'npm ci'", "su - app -c");
    scrubbed("su -l app", "su -l app");
    scrubbed("useradd app && su app - -c make", "su app - -c");
    scrubbed("su --login app", "su --login app");
    scrubbed("env -i PATH=/bin make", "env -i PATH=/bin make");
    scrubbed("cd /src; env - make", "env - make");
    scrubbed("/usr/bin/env --ignore-environment make", "/usr/bin/env --ignore-environment make");
    scrubbed("sudo apt-get update", "sudo apt-get update");
    scrubbed("sudo -u app npm ci", "sudo -u app npm");
    scrubbed("setpriv --reset-env --reuid=1000 npm ci", "setpriv --reset-env --reuid=1000 npm");
    scrubbed("runuser -l app -c 'npm ci'", "runuser -l app -c");
    scrubbed("if true; then su - app; fi", "su - app");
    scrubbed("FOO=1 \\\n  sudo \\\n make install", "sudo make install");
    scrubbed("bash -ec 'su - app -c true'", "su - app -c");
}

static void test_not_scrubbed(void **state)
{
    (void)state;
    fine("su app -c 'npm ci'");
    fine("su app -c 'rm -l x'");
    fine("env FOO=1 make");
    fine("env make -i");
    fine("sudo -E apt-get update");
    fine("sudo -nE make");
    fine("sudo --preserve-env=PATH,http_proxy make");
    fine("setpriv --reuid=1000 npm ci");
    fine("runuser -u app -- npm ci");
    fine("apt-get install -y sudo su-exec env");
    fine("# su - app\nmake");
    fine("make # env -i");
    fine("echo 'su - app'");
    fine("gosu app npm ci");
    fine("");
}

static void test_git(void **state)
{
    (void)state;
    unrecordable("git clone git@git.example.org:team/app.git", "git clone git@git.example.org:team/app.git",
                 "url.https://git.example.org/.insteadOf git@git.example.org:");
    unrecordable("git clone --depth 1 -b v1 ssh://git@git.example.org:2222/app /src",
                 "git clone --depth 1 … ssh://git@git.example.org:2222/app",
                 "url.https://git.example.org/.insteadOf ssh://git@git.example.org:2222/");
    unrecordable("git clone git://git.example.org/app", "git clone git://git.example.org/app",
                 "url.https://git.example.org/.insteadOf git://git.example.org/");
    unrecordable("npm install git+ssh://git@git.example.org/app.git#v1",
                 "npm install git+ssh://git@git.example.org/app.git#v1",
                 "url.https://git.example.org/.insteadOf ssh://git@git.example.org/");
    unrecordable("pip install 'app @ git+ssh://git@git.example.org/app'",
                 "pip install app @ git+ssh://git@git.example.org/app",
                 "insteadOf ssh://git@git.example.org/");
    fine("git clone https://git.example.org/app");
    fine("git clone https://git@git.example.org:8443/app");
    fine("git config --global user.email a@example.org");
    /* What helps is no worry. */
    fine("echo git@git.example.org:x");
}

static void test_other_protocols(void **state)
{
    (void)state;
    unrecordable("scp host.example.org:file .", "scp host.example.org:file .", "COPY");
    unrecordable("rsync -a rsync://mirror.example.org/x .", "rsync -a rsync://mirror.example.org/x .",
                 "https");
    unrecordable("rsync -a mirror.example.org::x .", "rsync -a mirror.example.org::x .", "https");
    unrecordable("rsync -a me@mirror.example.org:x .", "rsync -a me@mirror.example.org:x .", "https");
    unrecordable("curl -O ftp://ftp.example.org/x", "curl -O ftp://ftp.example.org/x", "https");
    unrecordable("wget ftp://ftp.example.org/x", "wget ftp://ftp.example.org/x", "https");
    unrecordable("svn checkout svn://svn.example.org/x", "svn checkout svn://svn.example.org/x", "https");
    unrecordable("gpg --batch --keyserver hkps://keys.example.org --recv-keys ABCD",
                 "gpg --batch --keyserver hkps://keys.example.org … --recv-keys", "--import");
    unrecordable("gpg --recv-keys ABCD", "gpg --recv-keys ABCD", "hkp://HOST");
    unrecordable("apt-key adv --keyserver=hkps://keys.example.org --recv-key ABCD",
                 "apt-key adv --keyserver=hkps://keys.example.org --recv-key", "--import");
    fine("gpg --batch --keyserver hkp://keys.example.org:80 --recv-keys ABCD");
    fine("gpg --keyserver keys.example.org --receive-keys ABCD");
    fine("rsync -a /src/ /dst/");
    fine("curl -O https://ftp.example.org/ftp/x");
    fine("apt-get install -y rsync openssh-client ftp");
    fine("gpg --batch --verify x.asc x");
    fine("mkdir -p ~/.ssh && ssh-keyscan -h");
}

/* The instruction that turns a URL around mentions it. */
static void test_the_remedy(void **state)
{
    (void)state;
    fine("git config --global url.https://git.example.org/.insteadOf git@git.example.org:");
    fine("git config --global url.\"https://git.example.org/\".insteadOf ssh://git@git.example.org/");
}

static void test_order_and_maximum(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf text = SB_BUF_INIT(1 << 20);
    sb_step_worry *worries;
    size_t count;

    (void)state;
    sb_step_worries(SB_LIT("scp a:b . && su - app\nscp a:b ."), arena, &worries, &count);
    assert_int_equal(count, 2);
    assert_int_equal(worries[0].kind, SB_WORRY_UNRECORDABLE);
    assert_int_equal(worries[1].kind, SB_WORRY_SCRUBBED);
    for (int i = 0; i < 2 * SB_STEP_WORRIES_MAX; i++)
        sb_buf_printf(&text, "scp a:%d .\n", i);
    sb_step_worries(sb_buf_slice(&text), arena, &worries, &count);
    assert_int_equal(count, SB_STEP_WORRIES_MAX);
}

/* Text from outside: no terminal obeys what is shown of it, and nothing in it leads astray. */
static void test_hostile(void **state)
{
    static const char nul[] = "su - a\0b; 'unfinished";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_step_worry *worries;
    size_t count;

    (void)state;
    sb_step_worries(SB_LIT("su - \033]0;x\007"), arena, &worries, &count);
    assert_int_equal(count, 1);
    assert_null(memchr(worries[0].phrase.ptr, '\033', worries[0].phrase.len));
    sb_step_worries(sb_slice_of(nul, sizeof(nul) - 1), arena, &worries, &count);
    assert_int_equal(count, 1);
    fine("\"");
    fine("\\");
    fine("'\\");
    fine("sh -c");
    fine("sh -c ''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scrubbed),   cmocka_unit_test(test_not_scrubbed),
        cmocka_unit_test(test_git),        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_the_remedy), cmocka_unit_test(test_order_and_maximum),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
