// SPDX-License-Identifier: Apache-2.0
/* What should not be in an image, by the name and the mode of a file. */
#include <rules/scan/scan.h>

/* --- Caches of package managers --- */

static const struct {
    const char *name;
    const char *at; /* the directory; with a "/" in front also anywhere deeper */
} caches[] = {
    {"apt's package lists", "var/lib/apt/lists"},
    {"apt's packages", "var/cache/apt/archives"},
    {"apt's binary caches", "var/cache/apt"},
    {"apk's cache", "var/cache/apk"},
    {"apk's cache", "etc/apk/cache"},
    {"dnf's cache", "var/cache/dnf"},
    {"dnf's cache", "var/cache/libdnf5"},
    {"yum's cache", "var/cache/yum"},
    {"zypper's cache", "var/cache/zypp"},
    {"pacman's packages", "var/cache/pacman/pkg"},
    {"pip's cache", "/.cache/pip"},
    {"uv's cache", "/.cache/uv"},
    {"Poetry's cache", "/.cache/pypoetry"},
    {"npm's cache", "/.npm/_cacache"},
    {"Yarn's cache", "/.cache/yarn"},
    {"Yarn's cache", "usr/local/share/.cache/yarn"},
    {"pnpm's store", "/.local/share/pnpm/store"},
    {"Go's build cache", "/.cache/go-build"},
    {"Go's module cache", "/go/pkg/mod/cache"},
    {"Cargo's registry", "/.cargo/registry"},
    {"Cargo's registry", "usr/local/cargo/registry"},
    {"Composer's cache", "/.composer/cache"},
    {"Maven's repository", "/.m2/repository"},
    {"RubyGems' cache", "/.gem/specs"},
};
_Static_assert(SB_COUNT(caches) <= SB_SCAN_CACHES_MAX, "caches");

const char *sb_scan_cache_name(size_t index)
{
    return index < SB_COUNT(caches) ? caches[index].name : NULL;
}

static bool is_below(sb_slice path, const char *at)
{
    sb_slice dir = sb_slice_z(at);
    ptrdiff_t found;

    if (*at != '/')
        return path.len > dir.len && sb_slice_starts(path, dir) && path.ptr[dir.len] == '/';
    /* At the top the slash in front is not there. */
    if (is_below(path, at + 1))
        return true;
    found = sb_slice_find(path, dir);
    return found >= 0 && path.len > (size_t)found + dir.len && path.ptr[(size_t)found + dir.len] == '/';
}

static void count_cache(sb_scan_facts *facts, const sb_layer_entry *entry)
{
    /* Every one of them has this in its way. */
    static const char *const marks[] = {"cache", "apt/lists", ".npm/", "pnpm/", "cargo/", ".m2/", ".gem/"};
    bool maybe = false;

    for (size_t i = 0; !maybe && i < SB_COUNT(marks); i++)
        maybe = sb_slice_find(entry->path, sb_slice_z(marks[i])) >= 0;
    for (size_t i = 0; maybe && i < SB_COUNT(caches); i++) {
        sb_scan_cache *cache = &facts->caches[i];

        if (!is_below(entry->path, caches[i].at))
            continue;
        cache->bytes += entry->size;
        cache->files++;
        if (!cache->sample.ptr)
            cache->sample = sb_arena_dup(facts->arena, entry->path);
        return;
    }
}

/* --- Rights --- */

/* Set by the packages of Debian, Alpine and Fedora themselves. */
static const char *const system_programs[] = {
    "bbsuid",      "chage",
    "chfn",        "chsh",
    "crontab",     "dbus-daemon-launch-helper",
    "doas",        "dotlockfile",
    "expiry",      "fusermount",
    "fusermount3", "gpasswd",
    "mail-lock",   "mail-touchlock",
    "mail-unlock", "mount",
    "newgidmap",   "newgrp",
    "newuidmap",   "pam_timestamp_check",
    "passwd",      "ping",
    "ping4",       "ping6",
    "pkexec",      "polkit-agent-helper-1",
    "ssh-agent",   "ssh-keysign",
    "su",          "sudo",
    "umount",      "unix_chkpwd",
    "userhelper",  "utempter",
    "wall",        "write",
    "write.ul",    "bsd-write",
    "mtr-packet",  "arping",
    "clockdiff",   "rcp",
};

static bool is_system_program(sb_slice path, sb_slice base)
{
    static const char *const places[] = {"usr/bin/", "usr/sbin/", "bin/",
                                         "sbin/",    "usr/lib/",  "usr/libexec/"};
    bool there = false;

    for (size_t i = 0; !there && i < SB_COUNT(places); i++)
        there = sb_slice_starts(path, sb_slice_z(places[i]));
    for (size_t i = 0; there && i < SB_COUNT(system_programs); i++)
        if (sb_slice_eqz(base, system_programs[i]))
            return true;
    return false;
}

static void look_at_rights(sb_scan_facts *facts, const sb_layer_entry *entry, sb_slice base)
{
    bool file = entry->type == SB_ENTRY_FILE || entry->type == SB_ENTRY_HARD_LINK;
    bool setuid = entry->mode & 04000, setgid = (entry->mode & 02010) == 02010;
    bool system = is_system_program(entry->path, base);

    if (file && (setuid || setgid))
        sb_scan_add_spot(facts, system ? &sb821_setuid_base : &sb820_setuid, entry->path, entry->size,
                         "it runs with the rights of %s %u (mode %04o)", setuid ? "user" : "group",
                         setuid ? entry->uid : entry->gid, entry->mode);
    for (size_t i = 0; i < entry->xattr_count; i++)
        if (sb_slice_eqz(entry->xattrs[i].name, "security.capability"))
            sb_scan_add_spot(facts, system ? &sb821_setuid_base : &sb822_capabilities, entry->path,
                             entry->size, "it has capabilities of its own");
    if (file && entry->mode & 022 &&
        (sb_slice_eqz(entry->path, "etc/passwd") || sb_slice_eqz(entry->path, "etc/shadow") ||
         sb_slice_eqz(entry->path, "etc/group") || sb_slice_eqz(entry->path, "etc/gshadow")))
        sb_scan_add_spot(facts, &sb825_passwd_writable, entry->path, entry->size,
                         "%s may write it (mode %04o)", entry->mode & 2 ? "anybody" : "its group",
                         entry->mode);
    else if (file && entry->mode & 2)
        sb_scan_add_spot(facts, &sb823_writable_file, entry->path, entry->size,
                         "anybody may write it (mode %04o)", entry->mode);
    if (entry->type == SB_ENTRY_DIR && (entry->mode & 01002) == 2)
        sb_scan_add_spot(facts, &sb824_writable_dir, entry->path, 0,
                         "anybody may write in it, and it is not sticky (mode %04o)", entry->mode);
}

/* --- Names --- */

typedef enum name_match { NAME_IS, NAME_ENDS, PATH_ENDS } name_match;

static const struct {
    name_match match;
    const char *text;
    const sb_rule *rule;
    const char *message;
} names[] = {
    {NAME_IS, "authorized_keys", &sb841_authorized_keys, "who may log in is part of the image"},
    {NAME_IS, ".bash_history", &sb842_history_file, "commands that somebody typed"},
    {NAME_IS, ".zsh_history", &sb842_history_file, "commands that somebody typed"},
    {NAME_IS, ".ash_history", &sb842_history_file, "commands that somebody typed"},
    {NAME_IS, ".sh_history", &sb842_history_file, "commands that somebody typed"},
    {NAME_IS, ".python_history", &sb842_history_file, "lines that somebody typed"},
    {NAME_IS, ".node_repl_history", &sb842_history_file, "lines that somebody typed"},
    {NAME_IS, ".mysql_history", &sb842_history_file, "queries that somebody typed"},
    {NAME_IS, ".psql_history", &sb842_history_file, "queries that somebody typed"},
    {NAME_IS, ".sqlite_history", &sb842_history_file, "queries that somebody typed"},
    {NAME_IS, ".rediscli_history", &sb842_history_file, "commands that somebody typed"},
    {NAME_IS, "id_rsa", &sb845_sensitive_file, "a private key for SSH, by its name"},
    {NAME_IS, "id_dsa", &sb845_sensitive_file, "a private key for SSH, by its name"},
    {NAME_IS, "id_ecdsa", &sb845_sensitive_file, "a private key for SSH, by its name"},
    {NAME_IS, "id_ed25519", &sb845_sensitive_file, "a private key for SSH, by its name"},
    {NAME_IS, ".env", &sb845_sensitive_file, "variables of a deployment"},
    {NAME_IS, ".env.local", &sb845_sensitive_file, "variables of a deployment"},
    {NAME_IS, ".env.production", &sb845_sensitive_file, "variables of a deployment"},
    {NAME_IS, ".netrc", &sb845_sensitive_file, "logins of programs that fetch things"},
    {NAME_IS, ".git-credentials", &sb845_sensitive_file, "logins of git"},
    {NAME_IS, ".pgpass", &sb845_sensitive_file, "passwords of PostgreSQL"},
    {NAME_IS, ".pypirc", &sb845_sensitive_file, "logins at package indexes"},
    {NAME_IS, ".dockercfg", &sb845_sensitive_file, "logins at registries"},
    {NAME_IS, ".s3cfg", &sb845_sensitive_file, "keys of a store"},
    {NAME_IS, "terraform.tfstate", &sb845_sensitive_file, "Terraform's state has secrets in plain text"},
    {NAME_ENDS, ".kdbx", &sb845_sensitive_file, "a password safe"},
    {PATH_ENDS, ".docker/config.json", &sb845_sensitive_file, "logins at registries"},
    {PATH_ENDS, ".aws/credentials", &sb845_sensitive_file, "keys of a cloud account"},
    {PATH_ENDS, ".azure/accessTokens.json", &sb845_sensitive_file, "tokens of a cloud account"},
    {PATH_ENDS, ".kube/config", &sb845_sensitive_file, "logins at clusters"},
    {PATH_ENDS, "gcloud/application_default_credentials.json", &sb845_sensitive_file,
     "keys of a cloud account"},
};

/* At a component's beginning. */
static bool path_ends(sb_slice path, sb_slice end)
{
    return sb_slice_ends(path, end) && (path.len == end.len || path.ptr[path.len - end.len - 1] == '/');
}

static sb_scan_spot *add_staying(sb_scan_facts *facts, const sb_rule *rule, sb_slice path, uint64_t size,
                                 const char *message)
{
    sb_scan_spot *spot = sb_scan_add_spot(facts, rule, path, size, "%s", message);

    if (spot)
        spot->stays = true;
    return spot;
}

static void look_at_name(sb_scan_facts *facts, const sb_layer_entry *entry, sb_slice base)
{
    const sb_slice git = SB_LIT(".git/HEAD");

    if (entry->type != SB_ENTRY_FILE || entry->size == 0)
        return;
    if (path_ends(entry->path, git)) {
        sb_scan_spot *spot =
            add_staying(facts, &sb831_git, sb_slice_sub(entry->path, 0, entry->path.len - strlen("/HEAD")), 0,
                        "all that was ever committed, and maybe logins, go with the image");

        /* Later layers may well have the directory again, without deleting what is in it. */
        if (spot)
            spot->proof = sb_arena_dup(facts->arena, entry->path);
        return;
    }
    if (sb_slice_starts(entry->path, SB_LIT("etc/ssh/ssh_host_")) && sb_slice_ends(base, SB_LIT("_key"))) {
        (void)add_staying(facts, &sb840_host_key, entry->path, entry->size,
                          "whoever has the image can pretend to be its servers");
        return;
    }
    if (sb_slice_find(entry->path, SB_LIT("node_modules/")) >= 0)
        return;
    for (size_t i = 0; i < SB_COUNT(names); i++) {
        sb_slice text = sb_slice_z(names[i].text);
        bool is = names[i].match == NAME_IS     ? sb_slice_eq(base, text)
                  : names[i].match == NAME_ENDS ? sb_slice_ends(base, text)
                                                : path_ends(entry->path, text);

        if (is) {
            (void)add_staying(facts, names[i].rule, entry->path, entry->size, names[i].message);
            return;
        }
    }
}

void sb_scan_file(sb_scan_worker *worker, const sb_layer_entry *entry)
{
    ptrdiff_t slash = sb_slice_rchr(entry->path, '/');
    sb_slice base = slash < 0 ? entry->path : sb_slice_sub(entry->path, (size_t)slash + 1, entry->path.len);

    look_at_rights(worker->facts, entry, base);
    if (entry->type != SB_ENTRY_FILE)
        return;
    look_at_name(worker->facts, entry, base);
    count_cache(worker->facts, entry);
}

/* --- Texts --- */

bool sb_scan_wants_text(const sb_layer_entry *entry)
{
    return sb_slice_eqz(entry->path, "etc/shadow") || sb_slice_eqz(entry->path, "etc/machine-id") ||
           sb_slice_eqz(entry->path, "var/lib/dbus/machine-id");
}

void sb_scan_text(sb_scan_worker *worker, const sb_layer_entry *entry, sb_slice text)
{
    if (!sb_slice_eqz(entry->path, "etc/shadow")) {
        text = sb_slice_trim(text);
        if (text.len > 0 && !sb_slice_eqz(text, "uninitialized"))
            sb_scan_add_spot(worker->facts, &sb843_machine_id, entry->path, entry->size,
                             "all who run the image are the same machine");
        return;
    }
    while (text.ptr) {
        sb_slice line = sb_slice_cut(&text, '\n');
        sb_slice name = sb_slice_cut(&line, ':');
        sb_slice password = line.ptr ? sb_slice_cut(&line, ':') : SB_LIT("x");
        sb_autofree char *shown = NULL;

        if (name.len == 0 || password.len > 0)
            continue;
        shown = sb_printable(name);
        sb_scan_add_spot(worker->facts, &sb826_empty_password, entry->path, entry->size,
                         "%s can log in without a password", shown);
    }
}
