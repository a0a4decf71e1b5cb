// SPDX-License-Identifier: Apache-2.0
/* Files that differ from build to build and that nothing needs. docs/reproducible.md lists the same rules. */
#include <builder/image.h>

#define PATTERNS(...)                                                                                        \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

const sb_volatile_rule sb_volatile_rules[] = {
    {"apt-logs", "times of installation",
     PATTERNS("var/log/apt/*", "var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log",
              "var/log/fontconfig.log")},
    {"apt-cache", "indexes of what was downloaded, with addresses in memory",
     PATTERNS("var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin")},
    {"rpm-logs", "times of installation",
     PATTERNS("var/log/dnf*.log*", "var/log/yum.log", "var/log/hawkey.log*", "var/log/zypper.log",
              "var/log/zypp/*", "var/log/pacman.log")},
    {"ldconfig-cache", "inode numbers and change times", PATTERNS("var/cache/ldconfig/aux-cache")},
    {"machine-id", "random: each machine gets its own at its first start",
     PATTERNS("etc/machine-id", "var/lib/dbus/machine-id")},
    {"random-seed", "random", PATTERNS("var/lib/systemd/random-seed", "**/.gnupg/random_seed")},
    {"systemd-catalog", "times", PATTERNS("var/lib/systemd/catalog/database")},
    {"font-cache", "times and host names", PATTERNS("var/cache/fontconfig/**", "**/.cache/fontconfig/**")},
    {"man-cache", "times", PATTERNS("var/cache/man/**")},
    {"npm-cache", "times of requests",
     PATTERNS("**/.npm/_cacache/index-v5/**", "**/.npm/_logs/**", "**/.npm/_update-notifier-last-checked")},
    {"node-compile-cache", "addresses of code", PATTERNS("tmp/node-compile-cache/**")},
    {"gem-logs", "times and temporary paths", PATTERNS("**/gem_make.out", "**/mkmf.log")},
    {"mount-table", "the engine's own", PATTERNS("run/mount/utab")},
    /* Not dropped: its time becomes the epoch, as that of the source that it is compared with does. */
    {SB_VOLATILE_PYC, "the time of the source file", PATTERNS(NULL)},
};
const size_t sb_volatile_rule_count = SB_COUNT(sb_volatile_rules);

const char *const sb_engine_stub_files[] = {"etc/hostname", "etc/hosts", "etc/resolv.conf",
                                            "run/.containerenv", NULL};
const char *const sb_engine_stub_dirs[] = {"dev/mqueue", "dev/pts", "dev/shm", "sys/fs/cgroup",
                                           "sys/fs",     "dev",     "proc",    "run/secrets",
                                           "run",        "sys",     "etc",     NULL};

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

static bool match_path(sb_slice pattern, sb_slice path)
{
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
            if (match_path(pattern, path))
                return true;
        return false;
    }
    return !path.ptr;
}

bool sb_volatile_enabled(const sb_canonical_options *options, const char *name)
{
    if (options->keep_volatile)
        return false;
    for (const char *const *keep = options->keep; keep && *keep; keep++)
        if (strcmp(*keep, name) == 0)
            return false;
    return true;
}

const sb_volatile_rule *sb_volatile_match(const sb_canonical_options *options, sb_slice path)
{
    for (size_t i = 0; i < sb_volatile_rule_count; i++) {
        const sb_volatile_rule *rule = &sb_volatile_rules[i];

        for (const char *const *pattern = rule->patterns; *pattern; pattern++)
            if (match_path(sb_slice_z(*pattern), path) && sb_volatile_enabled(options, rule->name))
                return rule;
    }
    return NULL;
}

bool sb_volatile_is_stale_pyc(const unsigned char header[16], int64_t epoch)
{
    uint32_t flags = 0, mtime = 0;

    for (int i = 3; i >= 0; i--) {
        flags = flags << 8 | header[4 + i];
        mtime = mtime << 8 | header[8 + i];
    }
    /* Python's magic number ends in CR LF; flags tell hashes instead of times. */
    return header[2] == '\r' && header[3] == '\n' && flags == 0 && (int64_t)mtime > epoch;
}
