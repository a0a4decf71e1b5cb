// SPDX-License-Identifier: Apache-2.0
/*
 * What usually makes a file differ, and what helps. Going by the file's name, by the first bytes of it, and
 * by the text around the difference; the first row that fits counts, so the special ones come first.
 */
#include <builder/compare.h>

#include <regex.h>

/* --- By the bytes --- */

static bool begins(const sb_difference_hints *h, const char *magic, size_t len)
{
    return h->head[0].len >= len && memcmp(h->head[0].ptr, magic, len) == 0;
}

static bool is_zip(const sb_difference_hints *h)
{
    return begins(h, "PK\003\004", 4);
}

/* The time stands in bytes 4 to 7 of the header. */
static bool is_gzip_time(const sb_difference_hints *h)
{
    return begins(h, "\037\213", 2) && h->offset >= 4 && h->offset < 8;
}

static bool is_gzip(const sb_difference_hints *h)
{
    return begins(h, "\037\213", 2);
}

static bool is_ar(const sb_difference_hints *h)
{
    return begins(h, "!<arch>\n", 8);
}

static bool is_elf(const sb_difference_hints *h)
{
    return begins(h, "\177ELF", 4);
}

static bool is_sqlite(const sb_difference_hints *h)
{
    return begins(h, "SQLite format 3", 15);
}

static bool is_tar(const sb_difference_hints *h)
{
    return h->head[0].len > 262 && memcmp(h->head[0].ptr + 257, "ustar", 5) == 0;
}

static bool is_java_store(const sb_difference_hints *h)
{
    return begins(h, "\376\355\376\355", 4) ||
           (begins(h, "0\202", 2) && sb_slice_ends(h->path, SB_LIT("cacerts")));
}

static bool is_key(const sb_difference_hints *h)
{
    return begins(h, "-----BEGIN ", 11) || begins(h, "ssh-", 4) || begins(h, "ecdsa-sha2-", 11);
}

/* --- By the text --- */

/* Does something of this form stand where the first difference is, in both? */
static bool matches_at(const sb_difference_hints *h, const char *pattern)
{
    bool both = true;
    regex_t regex;

    if (!h->line[0].ptr || !h->line[1].ptr || regcomp(&regex, pattern, REG_EXTENDED) != 0)
        return false;
    for (size_t i = 0; i < 2 && both; i++) {
        sb_autofree char *text = sb_slice_dup(h->line[i]);
        size_t at = 0;
        regmatch_t match;

        both = false;
        while (!both && at <= strlen(text) &&
               regexec(&regex, text + at, 1, &match, at ? REG_NOTBOL : 0) == 0) {
            both = at + (size_t)match.rm_so <= h->column && h->column < at + (size_t)match.rm_eo;
            at += (size_t)match.rm_eo + (match.rm_eo == match.rm_so);
        }
    }
    regfree(&regex);
    return both;
}

static bool is_host(const sb_difference_hints *h)
{
    for (size_t i = 0; i < 2; i++)
        if (!h->host[i].len || !h->line[i].ptr || sb_slice_find(h->line[i], h->host[i]) < 0)
            return false;
    return !sb_slice_eq(h->host[0], h->host[1]);
}

static bool is_step_id(const sb_difference_hints *h)
{
    return matches_at(h, "(^|[^0-9a-f])[0-9a-f]{12}($|[^0-9a-f])");
}

/* The number of processors of each build, where they differ. */
static bool is_processors(const sb_difference_hints *h)
{
    if (h->cpus[0] == h->cpus[1])
        return false;
    for (size_t i = 0; i < 2; i++) {
        sb_autofree char *number = sb_asprintf("%u", h->cpus[i]);
        size_t len = strlen(number);

        if (!h->line[i].ptr || h->column + len > h->line[i].len ||
            memcmp(h->line[i].ptr + h->column, number, len) != 0 ||
            (h->column + len < h->line[i].len && strchr("0123456789", h->line[i].ptr[h->column + len])))
            return false;
    }
    return true;
}

static bool is_time(const sb_difference_hints *h)
{
    return matches_at(h, "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?") ||
           matches_at(h, "(19|20)[0-9]{2}[-/.]?[01][0-9][-/.]?[0-3][0-9]([T ][0-9:.]*)?") ||
           matches_at(h, "(^|[^0-9])1[5-9][0-9]{8}([.]?[0-9]+)?") ||
           matches_at(h, "(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +[A-Za-z0-9]+ +[A-Za-z0-9]+[ 0-9:]*");
}

static bool is_uuid(const sb_difference_hints *h)
{
    return matches_at(h, "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}");
}

static bool is_temporary(const sb_difference_hints *h)
{
    return matches_at(h, "/(tmp|var/tmp|run)/[^ '\"]+|tmp[._-]?[A-Za-z0-9_]{6,}");
}

static bool is_random(const sb_difference_hints *h)
{
    return matches_at(h, "[0-9A-Fa-f]{16,}|[A-Za-z0-9+/_-]{20,}={0,2}");
}

static bool is_number(const sb_difference_hints *h)
{
    return matches_at(h, "[0-9]+");
}

/* --- The table --- */

typedef struct remedy {
    unsigned kinds;                              /* one of them; 0: any */
    const char *const *paths;                    /* as in volatile rules; NULL: any */
    bool (*looks)(const sb_difference_hints *h); /* NULL: however it looks */
    const char *text;
} remedy;

#define PATHS(...)                                                                                           \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }
#define ONLY (SB_DIFF_ONLY_FIRST | SB_DIFF_ONLY_SECOND)
#define BYTES (SB_DIFF_CONTENT | SB_DIFF_ORDER)

static const remedy remedies[] = {
    {BYTES | ONLY, PATHS("etc/ssh/ssh_host_*"), NULL,
     "host keys that are made while building are everybody's: make them when the container starts "
     "(\"ssh-keygen "
     "-A\"), and build with --drop-volatile=ssh-host-keys"},
    {BYTES | ONLY, PATHS("etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/ssl-cert-snakeoil.pem"),
     NULL,
     "a random key: --drop-volatile=ssl-snakeoil, and make it when the container starts if it is needed"},
    {BYTES | ONLY, PATHS("etc/pacman.d/gnupg/**"), NULL, "random keys: --drop-volatile=pacman-keyring"},
    {BYTES | ONLY,
     PATHS("var/lib/dnf/history.sqlite*", "usr/lib/sysimage/libdnf5/**", "var/lib/yum/history/**"), NULL,
     "times of installation: --drop-volatile=dnf-history, or remove it in the same RUN"},
    {BYTES | ONLY, PATHS("var/cache/dnf/**", "var/cache/libdnf5/**", "var/cache/yum/**"), NULL,
     "times of requests: \"dnf clean all\" in the same RUN, or --drop-volatile=dnf-cache"},
    {BYTES | ONLY, PATHS("**/.cache/uv/**"), NULL,
     "times of requests: \"uv --no-cache\", a cache mount, or --drop-volatile=uv-cache"},
    {BYTES | ONLY, PATHS("**/.yarn/install-state.gz"), NULL,
     "Yarn's own notes: --drop-volatile=yarn-state, or remove it in the same RUN"},
    {BYTES | ONLY, PATHS("**/node_modules/.cache/**"), NULL,
     "a build tool's cache: remove it in the same RUN, or --drop-volatile=node-build-cache"},
    {BYTES | ONLY, PATHS("boot/initrd.img-*", "boot/initramfs-*"), NULL,
     "no container boots it: --drop-volatile=initramfs"},
    {BYTES, PATHS("etc/shadow"), NULL,
     "the day of the last password change, or a salted password: SOURCE_DATE_EPOCH for useradd, \"chage "
     "-d\"; no "
     "passwords in images"},
    {BYTES, PATHS("etc/passwd", "etc/group", "etc/gshadow", "etc/subuid", "etc/subgid"), NULL,
     "numbers are given in the order of creation: name them (\"useradd --uid\", \"groupadd --gid\")"},
    {BYTES, PATHS("**/*.gnupg/**", "**/pubring.kbx*", "**/.gnupg/**", "**/*.gpg~"), NULL,
     "GnuPG notes when it made its files: use a home of its own in the step (GNUPGHOME=\"$(mktemp -d)\") and "
     "remove "
     "it in the same RUN"},
    {BYTES | ONLY, PATHS("**/__pycache__/**", "**/*.pyc"), NULL,
     "Python's bytecode depends on chance and on when it was made: PYTHONHASHSEED=0, or "
     "PYTHONDONTWRITEBYTECODE=1"},
    {BYTES, PATHS("**/uv_cache.json"), NULL,
     "uv notes times here: remove it and its line of RECORD in the same RUN"},
    {SB_DIFF_ORDER, PATHS("**/*.dist-info/RECORD"), NULL,
     "virtualenv lists what it installed in the order of the directory: an environment without pip "
     "(\"virtualenv --no-pip\", POETRY_VIRTUALENVS_OPTIONS_NO_PIP=true), or sort it"},
    {BYTES, PATHS("**/direct_url.json"), NULL,
     "pip notes where a package was built: install from a directory with a fixed name"},
    {BYTES, PATHS("**/conda-meta/history", "**/conda-meta/*.json"), NULL,
     "conda notes times here: make an explicit environment (\"conda-pack\"), or set them in the same RUN"},
    {BYTES, PATHS("**/node_modules/.modules.yaml", "**/node_modules/.pnpm-workspace-state*"), NULL,
     "pnpm notes when it pruned: remove it in the same RUN"},
    {BYTES, PATHS("var/lib/apt/extended_states"), NULL,
     "the order in which packages were marked: sort what is given to apt-get, or install it in one command"},
    {BYTES, PATHS("lib/apk/db/scripts.tar*", "lib/apk/db/installed"), NULL,
     "apk notes times (and versions of virtual packages by time): apk 2.14 or newer with SOURCE_DATE_EPOCH; "
     "name "
     "virtual packages with a version (\"--virtual .deps=1\")"},
    {BYTES, PATHS("var/lib/rpm/**", "usr/lib/sysimage/rpm/**"), NULL,
     "rpm notes the time of installation: rpm 4.20 or newer with SOURCE_DATE_EPOCH, or keep the database out "
     "of the "
     "image"},
    {BYTES, PATHS("**/target/**/.fingerprint/**", "**/target/**/incremental/**", "**/target/**/*.d"), NULL,
     "cargo's own notes: copy only the finished program into the image"},
    {BYTES, PATHS("**/*.gemspec", "**/specifications/*"), NULL,
     "RubyGems notes the date of building: SOURCE_DATE_EPOCH for \"gem build\""},
    {BYTES, NULL, is_java_store,
     "a Java key store notes when each certificate came in: make it outside of the build"},
    {BYTES, PATHS("**/*.jar", "**/*.war", "**/*.ear"), is_zip,
     "members of the archive carry times: Maven's project.build.outputTimestamp, Gradle's "
     "preserveFileTimestamps = "
     "false and reproducibleFileOrder = true, \"jar --date\""},
    {BYTES, NULL, is_zip,
     "members of the archive carry times and stand in the order of the directory: touch them to "
     "@$SOURCE_DATE_EPOCH, sort them, \"zip -X\""},
    {BYTES, NULL, is_gzip_time, "gzip notes the time: \"gzip -n\""},
    {BYTES, NULL, is_gzip,
     "what is packed in it differs; of a tar, order, times and owners: tar --sort=name "
     "--mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner"},
    {BYTES, NULL, is_tar,
     "order, times and owners in the archive: tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 "
     "--group=0 "
     "--numeric-owner"},
    {BYTES, NULL, is_ar, "members of the archive carry times and owners: \"ar D\" (\"ranlib -D\")"},
    {BYTES, NULL, is_elf,
     "a program with a time, a path or a random build id in it: SOURCE_DATE_EPOCH, -ffile-prefix-map, "
     "-Wl,--build-id=sha1, \"go build -trimpath -buildvcs=false\"; link objects in a fixed order"},
    {BYTES, NULL, is_sqlite,
     "a database with times or in an order of chance: fill it in one order, or make it when the container "
     "starts"},
    {BYTES, NULL, is_key,
     "a key that is made while building is everybody's: make it when the container starts"},
    {SB_DIFF_ORDER, NULL, NULL,
     "the order of the directory, or of processes that ran at once: sort (\"find | sort\", \"ls\" with "
     "LC_ALL=C)"},
    {BYTES, NULL, is_host, "the name of the host: let the step not write it down"},
    {BYTES, NULL, is_processors, "the number of processors: fix it (\"make -j4\")"},
    {BYTES, NULL, is_time,
     "a time: let the program take SOURCE_DATE_EPOCH (\"date -u -d @$SOURCE_DATE_EPOCH\"), or not write it "
     "down"},
    {BYTES, NULL, is_uuid, "a random identifier: fix it, or make it when the container starts"},
    {BYTES, NULL, is_temporary, "a temporary name: use a fixed one"},
    {BYTES, NULL, is_step_id,
     "perhaps the host name that the engine gave the step: let the step not write it down"},
    {BYTES, NULL, is_random,
     "something random, or a sum of something that differs: fix its seed, or make it when the container "
     "starts"},
    {BYTES, NULL, is_number,
     "a number by chance, of a process or of a time: fix the seed, or let the step not write it down"},
    {ONLY, PATHS("tmp/**", "var/tmp/**", "run/**", "**/*.tmp", "**/*.lock", "**/*.pid"), NULL,
     "a temporary file: remove it in the same RUN"},
    {ONLY, PATHS("**/*.log", "var/log/**"), NULL, "a log: remove it in the same RUN"},
    {ONLY, NULL, NULL,
     "a name by chance, or a step that did not always do the same: fix it, or remove it in the same "
     "RUN"},
    {SB_DIFF_MODE, NULL, NULL, "the umask: \"umask 022\" at the beginning of the RUN, or COPY --chmod"},
    {SB_DIFF_OWNER, NULL, NULL,
     "numbers are given in the order of creation: name them (\"useradd --uid\"), or COPY --chown with "
     "numbers"},
    {SB_DIFF_TIME, NULL, NULL, "a time before the epoch of the lock: \"touch -d @$SOURCE_DATE_EPOCH\""},
    {SB_DIFF_XATTR, NULL, NULL,
     "attributes that the machine sets: set them in the step, or remove them (\"setfattr "
     "-x\")"},
};

const char *sb_compare_remedy(unsigned kinds, const sb_difference_hints *hints)
{
    for (size_t i = 0; i < SB_COUNT(remedies); i++) {
        const remedy *r = &remedies[i];
        bool named = !r->paths;

        if (!(r->kinds & kinds))
            continue;
        for (const char *const *path = r->paths; path && *path && !named; path++)
            named = sb_path_matches(sb_slice_z(*path), hints->path);
        if (named && (!r->looks || r->looks(hints)))
            return r->text;
    }
    return NULL;
}
