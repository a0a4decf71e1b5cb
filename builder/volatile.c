// SPDX-License-Identifier: Apache-2.0
/*
 * Files that differ from build to build and that nothing needs. This is the one table of them: help, manual
 * page, docs/reproducible.md (which a test compares with it) and the switches come from it.
 */
#include <builder/image.h>

#define PATTERNS(...)                                                                                        \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }
#define DROP SB_VOLATILE_DROP
#define ASK SB_VOLATILE_ASK
#define PATCH SB_VOLATILE_PATCH

const sb_volatile_rule sb_volatile_rules[] = {
    {"apt-logs", DROP, "times of installation",
     PATTERNS("var/log/apt/*", "var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log",
              "var/log/fontconfig.log"),
     0},
    {"apt-cache", DROP, "indexes of what was downloaded, with addresses in memory",
     PATTERNS("var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin"), 0},
    {"apt-lists", ASK, "the same for the same lock; a later \"apt-get install\" wants them",
     PATTERNS("var/lib/apt/lists/**"), 0},
    {"apt-archives", ASK, "the same for the same lock; packages that are installed already",
     PATTERNS("var/cache/apt/archives/**"), 0},
    {"rpm-logs", DROP, "times of installation",
     PATTERNS("var/log/dnf*.log*", "var/log/yum.log", "var/log/hawkey.log*", "var/log/zypper.log",
              "var/log/zypp/*", "var/log/pacman.log", "var/log/apk.log"),
     0},
    {"rpm-state", DROP, "shared memory of a database, random numbers for statistics",
     PATTERNS("var/lib/rpm/__db.*", "usr/lib/sysimage/rpm/__db.*", "var/lib/dnf/repos/*/countme",
              "var/lib/zypp/AnonymousUniqueId"),
     0},
    {"dnf-history", ASK, "times of transactions; \"dnf history\" and \"autoremove\" want them",
     PATTERNS("var/lib/dnf/history.sqlite*", "usr/lib/sysimage/libdnf5/transaction_history.sqlite*",
              "var/lib/yum/history/**"),
     0},
    {"dnf-cache", ASK, "times of requests",
     PATTERNS("var/cache/dnf/**", "var/cache/libdnf5/**", "var/cache/yum/**"), 0},
    {"login-logs", DROP, "times of logins, and of the making of users",
     PATTERNS("var/log/lastlog", "var/log/faillog", "var/log/tallylog", "var/log/wtmp", "var/log/btmp"), 0},
    {"backups", DROP, "what was there before, with its own times and order",
     PATTERNS("etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-",
              "var/cache/debconf/*-old", "var/lib/dpkg/*-old", "**/.gnupg/pubring.kbx~"),
     0},
    {"shadow-days", PATCH, "the day of the last password change", PATTERNS("etc/shadow"), SB_PATCH_MAX},
    {"ldconfig-cache", DROP, "inode numbers and change times", PATTERNS("var/cache/ldconfig/aux-cache"), 0},
    {"machine-id", DROP, "random: each machine gets its own at its first start",
     PATTERNS("etc/machine-id", "var/lib/dbus/machine-id"), 0},
    {"random-seed", DROP, "random", PATTERNS("var/lib/systemd/random-seed", "**/.gnupg/random_seed"), 0},
    {"gpg-trustdb", DROP, "the time of its making; only where it holds no trust",
     PATTERNS("**/.gnupg/trustdb.gpg"), 1200},
    {"gpg-keybox", DROP, "the time of its making; only where it holds no key",
     PATTERNS("**/.gnupg/pubring.kbx"), 32},
    {"pacman-keyring", ASK, "random keys; \"pacman-key --init\" makes it again",
     PATTERNS("etc/pacman.d/gnupg/**"), 0},
    {"ssh-host-keys", ASK,
     "random; whoever has the image has them, so make them when the container starts (\"ssh-keygen -A\")",
     PATTERNS("etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_*_key.pub"), 0},
    {"ssl-snakeoil", ASK, "random; \"make-ssl-cert generate-default-snakeoil\" makes it again",
     PATTERNS("etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/ssl-cert-snakeoil.pem"), 0},
    {"systemd-catalog", DROP, "times", PATTERNS("var/lib/systemd/catalog/database"), 0},
    {"font-cache", DROP, "times, host names and random numbers",
     PATTERNS("var/cache/fontconfig/**", "**/.cache/fontconfig/**", "usr/share/fonts/**/.uuid"), 0},
    {"man-cache", DROP, "times", PATTERNS("var/cache/man/**"), 0},
    {"initramfs", ASK, "times and random numbers; no container boots it",
     PATTERNS("boot/initrd.img-*", "boot/initramfs-*"), 0},
    {"mount-table", DROP, "the engine's own", PATTERNS("run/mount/utab"), 0},
    {SB_VOLATILE_PYC, PATCH, "the time of the source file, as that of the source itself does",
     PATTERNS("**/*.pyc"), 0},
    {"pip-cache", DROP, "times of requests", PATTERNS("**/.cache/pip/**", "**/.cache/pypoetry/cache/**"), 0},
    {"uv-cache", ASK, "times of requests; environments may link to it", PATTERNS("**/.cache/uv/**"), 0},
    {"npm-cache", DROP, "times of requests",
     PATTERNS("**/.npm/_cacache/index-v5/**", "**/.npm/_cacache/tmp/**", "**/.npm/_logs/**",
              "**/.npm/_update-notifier-last-checked", "**/.config/configstore/update-notifier-*.json"),
     0},
    {"node-compile-cache", DROP, "addresses of code",
     PATTERNS("tmp/node-compile-cache/**", "tmp/v8-compile-cache-*/**"), 0},
    {"pnpm-cache", DROP, "times of requests, and of looking at the store",
     PATTERNS("**/.cache/pnpm/**", "**/pnpm/store/*/files/*/*-index.json", "**/pnpm/store/*/index/**",
              "**/.pnpm-store/*/files/*/*-index.json", "**/.pnpm-store/*/index/**"),
     0},
    {SB_VOLATILE_PNPM, PATCH, "when pnpm last pruned, and looked at the project",
     PATTERNS("**/node_modules/.modules.yaml", "**/node_modules/.pnpm-workspace-state*.json"), SB_PATCH_MAX},
    {"yarn-state", ASK, "the order of things that were done at once; Yarn makes it again where it may write",
     PATTERNS("**/.yarn/install-state.gz"), 0},
    {"node-build-cache", ASK, "times, and paths of the build", PATTERNS("**/node_modules/.cache/**"), 0},
    {"gem-logs", DROP, "times and temporary paths", PATTERNS("**/gem_make.out", "**/mkmf.log"), 0},
    {"go-cache", DROP, "times of use, counters, which tiles of the checksum database were wanted",
     PATTERNS("**/.cache/go-build/**", "**/.config/go/telemetry/**", "**/pkg/mod/cache/download/sumdb/**"),
     0},
    {"cargo-cache", DROP, "times of use",
     PATTERNS("**/.cargo/.global-cache", "usr/local/cargo/.global-cache"), 0},
    {"maven-cache", DROP, "times of requests",
     PATTERNS("**/.m2/repository/**/_remote.repositories", "**/.m2/repository/**/*.lastUpdated",
              "**/.m2/repository/**/resolver-status.properties"),
     0},
    {"gradle-logs", DROP, "times and process numbers",
     PATTERNS("**/.gradle/daemon/**", "**/.gradle/caches/journal-1/**", "**/.gradle/caches/*/gc.properties"),
     0},
    {"wget-hsts", DROP, "times of requests", PATTERNS("**/.wget-hsts"), 0},
};
const size_t sb_volatile_rule_count = SB_COUNT(sb_volatile_rules);

const char *const sb_engine_stub_files[] = {"etc/hostname", "etc/hosts", "etc/resolv.conf",
                                            "run/.containerenv", NULL};
const char *const sb_engine_stub_dirs[] = {"dev/mqueue",   "dev/pts",     "dev/shm",     "sys/fs/cgroup",
                                           "sys/fs",       "dev",         "proc",        "run/secrets",
                                           "run",          "sys",         "etc",         ".sbuild-bin",
                                           ".sbuild-step", ".sbuild-tmp", ".sbuild-rec", NULL};

static bool match_component(sb_slice pattern, sb_slice name)
{
    size_t p = 0, n = 0, star = pattern.len, resume = 0;

    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star < pattern.len) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* What begins with a double star is looked for all along the path: most paths lack its next name altogether.
 */
static bool may_match(sb_slice pattern, sb_slice path)
{
    sb_slice rest = pattern, name;

    if (!sb_slice_eqz(sb_slice_cut(&rest, '/'), "**") || !rest.ptr)
        return true;
    name = sb_slice_cut(&rest, '/');
    return memchr(name.ptr, '*', name.len) || memmem(path.ptr, path.len, name.ptr, name.len);
}

bool sb_path_matches(sb_slice pattern, sb_slice path)
{
    if (!may_match(pattern, path))
        return false;
    while (pattern.ptr) {
        sb_slice part = sb_slice_cut(&pattern, '/');

        if (!path.ptr)
            return false;
        if (!sb_slice_eqz(part, "**")) {
            if (!match_component(part, sb_slice_cut(&path, '/')))
                return false;
            continue;
        }
        if (!pattern.ptr)
            return true;
        for (; path.ptr; (void)sb_slice_cut(&path, '/'))
            if (sb_path_matches(pattern, path))
                return true;
        return false;
    }
    return !path.ptr;
}

static bool is_listed(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static bool is_enabled(const sb_canonical_options *options, const sb_volatile_rule *rule)
{
    if (is_listed(options->keep, rule->name))
        return false;
    return is_listed(options->drop, rule->name) || (!options->keep_volatile && rule->kind != SB_VOLATILE_ASK);
}

bool sb_volatile_enabled(const sb_canonical_options *options, const char *name)
{
    for (size_t i = 0; i < sb_volatile_rule_count; i++)
        if (strcmp(sb_volatile_rules[i].name, name) == 0)
            return is_enabled(options, &sb_volatile_rules[i]);
    return false;
}

static bool is_about(const sb_volatile_rule *rule, sb_slice path, uint64_t size)
{
    if (rule->max_size && size > rule->max_size)
        return false;
    for (const char *const *pattern = rule->patterns; *pattern; pattern++)
        if (sb_path_matches(sb_slice_z(*pattern), path))
            return true;
    return false;
}

const sb_volatile_rule *sb_volatile_match(const sb_canonical_options *options, sb_slice path, uint64_t size)
{
    for (size_t i = 0; i < sb_volatile_rule_count; i++) {
        const sb_volatile_rule *rule = &sb_volatile_rules[i];

        if (rule->kind != SB_VOLATILE_PATCH && is_about(rule, path, size) && is_enabled(options, rule))
            return rule;
    }
    return NULL;
}

bool sb_volatile_list(size_t index, sb_arena *arena, sb_volatile_text *ret_text)
{
    static const char *const what[] = {"left out", "left out on request", "the time in it becomes the epoch"};
    sb_autobuf files = SB_BUF_INIT(1 << 16);

    if (index >= sb_volatile_rule_count)
        return false;
    for (const char *const *pattern = sb_volatile_rules[index].patterns; *pattern; pattern++)
        sb_buf_printf(&files, "%s/%s", files.len ? ", " : "", *pattern);
    *ret_text =
        (sb_volatile_text){sb_volatile_rules[index].name, what[sb_volatile_rules[index].kind],
                           sb_arena_strdup(arena, sb_buf_slice(&files)), sb_volatile_rules[index].about};
    return true;
}
