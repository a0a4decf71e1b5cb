// SPDX-License-Identifier: Apache-2.0
/*
 * SB2xx: packages of the base image brought up to date in RUN. Whether that is wise is not the point: what it
 * brings is decided on the day of the build, so nothing that pins the base says what is in the image. It is
 * no finding in a step that is in the lock, nor where the packages come from a snapshot of a day.
 */
#include <rules/lint/lint.h>
#include <rules/lint/operands.h>

static const sb_rule sb201 = {
    .id = "SB201",
    .name = "upgrade-of-base",
    .summary = "All packages of the base image are upgraded to what the archive has on the day of the build",
    .remedy = "take a newer base image (raise the tag, pin the digest) instead; or take the packages from a "
              "dated snapshot, or lock the step with \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule sb202 = {
    .id = "SB202",
    .name = "upgrade-of-package",
    .summary = "A package of the base image is upgraded to what the archive has on the day of the build",
    .remedy = "take a base image that has the fixed version; until there is one, install that version by "
              "number, or lock the step with \"sbuild lock\"",
    .severity = SB_SEVERITY_INFO,
};
static const sb_rule sb203 = {
    .id = "SB203",
    .name = "release-upgrade",
    .summary = "The base image is turned into another release of its distribution",
    .remedy = "name the release that you want in FROM",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule *const rules[] = {&sb201, &sb202, &sb203};
const sb_rule_set sb_rules_updates = {"Updates of the base image", rules, SB_COUNT(rules)};

/* --- Which commands upgrade --- */

typedef enum upgrade { NOTHING, ALL, NAMED, RELEASE } upgrade;

typedef struct verb {
    const char *name;
    upgrade kind;       /* NAMED: that of the packages named behind it; without one, all */
    const char *option; /* counts with this option only */
} verb;

typedef struct manager {
    const char *name;
    const verb *verbs;
    const char *const *with_value; /* options that take the next word */
    const char *const *harmless;   /* options with which nothing is installed */
} manager;

static const char *const apt_values[] = {
    "-o", "-t", "-c", "-a", "--option", "--target-release", "--default-release", "--config-file", NULL};
static const char *const apt_harmless[] = {
    "-s",           "--simulate", "--dry-run", "--just-print",    "--recon",
    "--print-uris", "--no-act",   "-d",        "--download-only", NULL};
static const char *const apk_values[] = {"-p",           "-X",        "-t",          "--root",
                                         "--repository", "--virtual", "--keys-dir",  "--repositories-file",
                                         "--arch",       "--wait",    "--cache-dir", NULL};
static const char *const apk_harmless[] = {"-s", "--simulate", NULL};
static const char *const dnf_values[] = {"-x",
                                         "-c",
                                         "-d",
                                         "-e",
                                         "-R",
                                         "--disablerepo",
                                         "--enablerepo",
                                         "--setopt",
                                         "--exclude",
                                         "--releasever",
                                         "--installroot",
                                         "--repo",
                                         "--repoid",
                                         "--advisory",
                                         NULL};
static const char *const dnf_harmless[] = {"--assumeno", "--downloadonly", NULL};
static const char *const zypper_values[] = {
    "-R",           "-D",     "-C",     "-c",           "-p",
    "-r",           "-t",     "--root", "--reposd-dir", "--config",
    "--plus-repo",  "--repo", "--from", "--type",       "--installroot",
    "--releasever", NULL};
static const char *const zypper_harmless[] = {"--dry-run", "-d", "--download-only", NULL};
static const char *const no_options[] = {NULL};

static const verb apt_verbs[] = {
    {"upgrade", ALL, NULL},      {"dist-upgrade", ALL, NULL},          {"full-upgrade", ALL, NULL},
    {"safe-upgrade", ALL, NULL}, {"install", NAMED, "--only-upgrade"}, {NULL, NOTHING, NULL}};
static const verb apk_verbs[] = {{"upgrade", NAMED, NULL},
                                 {"add", NAMED, "-u"},
                                 {"add", NAMED, "--upgrade"},
                                 {"add", NAMED, "--latest"},
                                 {NULL, NOTHING, NULL}};
static const verb dnf_verbs[] = {
    {"update", NAMED, NULL},         {"upgrade", NAMED, NULL},          {"up", NAMED, NULL},
    {"update-minimal", NAMED, NULL}, {"upgrade-minimal", NAMED, NULL},  {"distro-sync", NAMED, NULL},
    {"dsync", NAMED, NULL},          {"system-upgrade", RELEASE, NULL}, {NULL, NOTHING, NULL}};
static const verb zypper_verbs[] = {{"update", NAMED, NULL},     {"up", NAMED, NULL},  {"dup", ALL, NULL},
                                    {"dist-upgrade", ALL, NULL}, {"patch", ALL, NULL}, {NULL, NOTHING, NULL}};
static const verb upgrade_verbs[] = {{"upgrade", NAMED, NULL}, {NULL, NOTHING, NULL}};
static const verb update_verbs[] = {{"update", ALL, NULL}, {NULL, NOTHING, NULL}};

static const manager managers[] = {
    {"apt-get", apt_verbs, apt_values, apt_harmless},
    {"apt", apt_verbs, apt_values, apt_harmless},
    {"aptitude", apt_verbs, apt_values, apt_harmless},
    {"apk", apk_verbs, apk_values, apk_harmless},
    {"yum", dnf_verbs, dnf_values, dnf_harmless},
    {"dnf", dnf_verbs, dnf_values, dnf_harmless},
    {"dnf5", dnf_verbs, dnf_values, dnf_harmless},
    {"microdnf", dnf_verbs, dnf_values, dnf_harmless},
    {"tdnf", dnf_verbs, dnf_values, dnf_harmless},
    {"zypper", zypper_verbs, zypper_values, zypper_harmless},
    {"opkg", upgrade_verbs, no_options, no_options},
    {"swupd", update_verbs, no_options, no_options},
};

static bool has_any(const sb_sh_command *cmd, const char *const *options)
{
    for (; *options; options++)
        if (sb_sh_has_option(cmd, *options, NULL))
            return true;
    return false;
}

/* Is there an operand behind args[from]? */
static bool names_packages(const sb_sh_command *cmd, const char *const *with_value, size_t from)
{
    for (size_t i = from + 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (text.len == 0 || text.ptr[0] != '-')
            return text.len > 0;
        for (size_t j = 0; with_value[j]; j++)
            if (sb_slice_eqz(text, with_value[j])) {
                i++;
                break;
            }
    }
    return false;
}

static upgrade kind_of_verb(const manager *m, const sb_sh_command *cmd)
{
    size_t at = 0;
    sb_slice word = sb_sh_verb(cmd, m->with_value, &at);

    for (const verb *v = m->verbs; word.ptr && v->name; v++) {
        if (!sb_slice_eqz(word, v->name) || (v->option && !sb_sh_has_option(cmd, v->option, NULL)))
            continue;
        if (has_any(cmd, m->harmless))
            return NOTHING;
        if (v->kind == NAMED && !names_packages(cmd, m->with_value, at))
            return v->option ? NOTHING : ALL;
        return v->kind;
    }
    return NOTHING;
}

static bool syncs_and_upgrades(const sb_sh_command *cmd)
{
    static const char *const harmless[] = {"-p", "--print", "-w", "--downloadonly", NULL};

    return (sb_sh_has_letter(cmd, 'S') || sb_sh_has_option(cmd, "--sync", NULL)) &&
           (sb_sh_has_letter(cmd, 'u') || sb_sh_has_option(cmd, "--sysupgrade", NULL)) &&
           !has_any(cmd, harmless);
}

static upgrade kind_of(const sb_sh_command *cmd)
{
    if (cmd->name.len < 2)
        return NOTHING;
    switch (cmd->name.ptr[0]) {
    case 'd':
        if (sb_sh_is(cmd, "do-release-upgrade"))
            return RELEASE;
        break;
    case 'e':
        if (!sb_sh_is(cmd, "emerge") ||
            !(sb_sh_has_option(cmd, "-u", NULL) || sb_sh_has_option(cmd, "--update", NULL)))
            return NOTHING;
        for (size_t i = 1; i < cmd->count; i++)
            if (sb_slice_ends(cmd->args[i].text, SB_LIT("world")) ||
                sb_slice_ends(cmd->args[i].text, SB_LIT("@system")))
                return ALL;
        return NAMED;
    case 'p':
        return (sb_sh_is(cmd, "pacman") || sb_sh_is(cmd, "paru")) && syncs_and_upgrades(cmd) ? ALL : NOTHING;
    case 'u':
        return sb_sh_is(cmd, "unattended-upgrade") || sb_sh_is(cmd, "unattended-upgrades") ? ALL : NOTHING;
    case 'x':
        return sb_sh_is(cmd, "xbps-install") && syncs_and_upgrades(cmd) ? ALL : NOTHING;
    case 'y':
        if (sb_sh_is(cmd, "yay"))
            return syncs_and_upgrades(cmd) ? ALL : NOTHING;
        break;
    default:
        break;
    }
    for (size_t i = 0; i < SB_COUNT(managers); i++)
        if (managers[i].name[0] == cmd->name.ptr[0] && sb_sh_is(cmd, managers[i].name))
            return kind_of_verb(&managers[i], cmd);
    return NOTHING;
}

/* --- Saying it --- */

static void say(sb_lint *lint, const sb_lint_run *run, const sb_sh_command *cmd, upgrade kind)
{
    sb_span span = sb_lint_command_span(lint, run, cmd);

    if (kind == RELEASE)
        sb_lint_say(lint, &sb203, span, "%" SB_FMT " turns the base image into another release",
                    SB_ARG(cmd->name));
    else if (kind == NAMED)
        sb_lint_say(lint, &sb202, span,
                    "%" SB_FMT
                    " upgrades packages of the base image to whatever version the archive has on the "
                    "day of the build",
                    SB_ARG(cmd->name));
    else
        sb_lint_say(lint, &sb201, span,
                    "%" SB_FMT
                    " upgrades every package of the base image to what the archive has on the day of "
                    "the build: two builds give two images, and no digest in FROM can say which",
                    SB_ARG(cmd->name));
}

void sb_lint_updates(sb_lint *lint)
{
    for (size_t i = 0; i < lint->run_count; i++) {
        const sb_lint_run *run = &lint->runs[i];
        bool asked = false;

        if (run->locked)
            continue;
        for (size_t j = 0; j < run->reading.count; j++) {
            upgrade kind = kind_of(&run->reading.commands[j]);

            if (!kind)
                continue;
            if (kind != RELEASE && !asked) {
                if (sb_lint_uses_snapshot(lint, run->stage, run->instruction))
                    break;
                asked = true;
            }
            say(lint, run, &run->reading.commands[j], kind);
        }
    }
}
