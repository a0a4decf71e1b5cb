// SPDX-License-Identifier: Apache-2.0
/* SB501–SB505: packages of distributions. */
#include <rules/lint/frozen.h>

static bool is_local(sb_slice text)
{
    return sb_slice_chr(text, '/') >= 0 || sb_slice_ends(text, SB_LIT(".deb")) ||
           sb_slice_ends(text, SB_LIT(".rpm")) || sb_slice_ends(text, SB_LIT(".apk"));
}

/* Nobody can tell what "$(cat packages)" holds; "$name=$version" is an operand with a version. */
static bool cannot_tell(const sb_sh_arg *arg)
{
    return !arg->text.len || (!arg->known && (arg->text.ptr[0] == '$' || arg->text.ptr[0] == '`'));
}

/* The packages behind the verb that `pinned` does not accept. */
static void say_packages(const sb_frozen *f, const sb_rule *rule, size_t at, const char *const *with_value,
                         const char *verb, bool (*is_fine)(sb_slice package))
{
    sb_operands walk = {.command = f->command, .at = at, .with_value = with_value};
    sb_unpinned list = {0};
    sb_autofree char *what = NULL;
    const sb_sh_arg *arg;

    while ((arg = sb_operand_next(&walk)))
        if (!cannot_tell(arg) && !is_fine(arg->text))
            sb_unpinned_add(&list, arg, arg->text);
    if (!list.count)
        return;
    what = sb_asprintf("%.*s %s", (int)f->name.len, f->name.ptr, verb);
    sb_unpinned_say(f, rule, &list, what, list.count > 1 ? "have no version" : "has no version");
}

/* --- apt --- */

/* "name=1.2", "./name.deb", "name-" (to be removed); but not "name/bookworm-backports". */
static bool apt_is_fine(sb_slice package)
{
    return sb_slice_chr(package, '=') > 0 || strchr("./~", package.ptr[0]) ||
           sb_slice_ends(package, SB_LIT(".deb")) || sb_slice_ends(package, SB_LIT("-"));
}

void sb_frozen_apt(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-o",
        "--option",
        "-c",
        "--config-file",
        "-t",
        "--target-release",
        "--default-release",
        "-a",
        "--host-architecture",
        "--snapshot",
        "-S",
        NULL,
    };
    static const char *const snapshot[] = {"--snapshot", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (!verb || !sb_word_in(verb->text, "install build-dep reinstall") || sb_frozen_option(f, snapshot))
        return;
    if (!sb_lint_uses_snapshot(f->lint, f->run->stage, f->run->instruction))
        say_packages(f, &sb501, at, with_value,
                     sb_slice_eqz(verb->text, "build-dep") ? "build-dep" : "install", apt_is_fine);
}

/* --- apk --- */

/* "name=1.2-r3", "name~1.2", "name~=1.2"; not "name>1.2". ".build-deps" is a name for others. */
static bool apk_is_fine(sb_slice package)
{
    size_t i = 0;

    while (i < package.len && !strchr("=~<>", package.ptr[i]))
        i++;
    return package.ptr[0] == '.' || package.ptr[0] == '!' || is_local(package) ||
           (i < package.len && package.ptr[i] != '<' && package.ptr[i] != '>');
}

void sb_frozen_apk(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-t",
        "--virtual",
        "-X",
        "--repository",
        "-p",
        "--root",
        "--arch",
        "--cache-dir",
        "--keys-dir",
        "--repositories-file",
        "--progress-fd",
        "--wait",
        "--cache-max-age",
        NULL,
    };
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (verb && sb_slice_eqz(verb->text, "add"))
        say_packages(f, &sb502, at, with_value, "add", apk_is_fine);
}

/* --- dnf, yum, microdnf, zypper: NAME-VERSION[-RELEASE] --- */

static bool begins_with_digit(sb_slice part)
{
    return part.len && part.ptr[0] >= '0' && part.ptr[0] <= '9';
}

/* Alone it must be more than the "8.0" of dotnet-sdk-8.0, which is part of a name. */
static bool is_full_version(sb_slice part)
{
    ptrdiff_t first = sb_slice_chr(part, '.');

    return begins_with_digit(part) &&
           (part.len >= 8 || sb_slice_chr(part, ':') > 0 || (first > 0 && first != sb_slice_rchr(part, '.')));
}

static bool rpm_is_fine(sb_slice package)
{
    ptrdiff_t dash = sb_slice_rchr(package, '-'), equals = sb_slice_chr(package, '=');
    sb_slice last;

    if (is_local(package) || sb_slice_chr(package, '$') >= 0)
        return true;
    if (equals > 0)
        return package.ptr[equals - 1] != '>' && package.ptr[equals - 1] != '<';
    if (dash <= 0)
        return false;
    last = sb_slice_sub(package, (size_t)dash + 1, package.len);
    if (is_full_version(last))
        return true;
    /* "1.20-14.el9", "1.20-*"; but not "java-1.8.0-openjdk". */
    package = sb_slice_sub(package, 0, (size_t)dash);
    dash = sb_slice_rchr(package, '-');
    return dash > 0 && (begins_with_digit(last) || sb_slice_starts(last, SB_LIT("*"))) &&
           begins_with_digit(sb_slice_sub(package, (size_t)dash + 1, package.len));
}

void sb_frozen_dnf(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-c",
        "--config",
        "--installroot",
        "--releasever",
        "--enablerepo",
        "--disablerepo",
        "--repo",
        "--repoid",
        "--setopt",
        "-x",
        "--exclude",
        "--disableplugin",
        "--enableplugin",
        "-e",
        "--errorlevel",
        "-d",
        "--debuglevel",
        "-R",
        "--forcearch",
        "--downloaddir",
        "--destdir",
        "--repofrompath",
        "--color",
        "--enable-repo",
        "--disable-repo",
        NULL,
    };
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (verb && sb_slice_eqz(verb->text, "group")) {
        sb_operands walk = {.command = f->command, .at = at, .with_value = with_value};

        verb = sb_operand_next(&walk);
        at = walk.at;
    }
    if (verb && sb_word_in(verb->text, "install reinstall groupinstall install-n install-na"))
        say_packages(f, &sb503, at, with_value, "install", rpm_is_fine);
}

void sb_frozen_zypper(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-r",     "--repo",      "--from",        "-t",           "--type", "-R",
        "--root", "-D",          "--reposd-dir",  "--cache-dir",  "-c",     "--config",
        "-p",     "--plus-repo", "--installroot", "--releasever", NULL,
    };
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (verb && sb_word_in(verb->text, "install in"))
        say_packages(f, &sb504, at, with_value, "install", rpm_is_fine);
}

/* --- pacman: it knows no versions at all --- */

void sb_frozen_pacman(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-r",         "--root", "-b",          "--dbpath",           "--config", "--ignore",
        "--cachedir", "--arch", "--overwrite", "--assume-installed", NULL,
    };
    bool syncs = false;

    for (size_t i = 1; i < f->command->count; i++) {
        sb_slice text = f->command->args[i].text;

        if (sb_slice_eqz(text, "--sync"))
            syncs = true;
        else if (sb_slice_starts(text, SB_LIT("-S"))) {
            syncs = true;
            for (size_t j = 2; j < text.len; j++)
                syncs = syncs && !strchr("sciglp", text.ptr[j]);
        }
    }
    if (syncs)
        say_packages(f, &sb505, 1, with_value, "-S", is_local);
}
