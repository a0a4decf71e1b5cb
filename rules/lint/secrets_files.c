// SPDX-License-Identifier: Apache-2.0
/*
 * Files with secrets that COPY and ADD bring into the image: told by their names, and by what is in them
 * where the context has them. Of a whole directory only what is really there counts.
 */
#include <fcntl.h>
#include <unistd.h>

#include <rules/lint/internal.h>
#include <rules/lint/operands.h>
#include <rules/lint/secrets.h>
#include <sbuild/fs.h>

enum {
    FOUND_MAX = 50, /* files with secrets of one directory that are told */
    PATH_LEN_MAX = 1024,
};

typedef enum doubt {              /* what its name alone says */
                     DOUBT_NONE,  /* it holds a secret */
                     DOUBT_SOME,  /* likely: unless its content says otherwise */
                     DOUBT_GREAT, /* only if its content says so */
} doubt;

typedef struct kind {
    const char *pattern; /* of the last component, or of the last two when it has a "/" */
    doubt doubt;
    const char *what;
} kind;

static const kind kinds[] = {
    {"id_rsa", DOUBT_NONE, "a private SSH key"},
    {"id_dsa", DOUBT_NONE, "a private SSH key"},
    {"id_ecdsa", DOUBT_NONE, "a private SSH key"},
    {"id_ecdsa_sk", DOUBT_NONE, "a private SSH key"},
    {"id_ed25519", DOUBT_NONE, "a private SSH key"},
    {"id_ed25519_sk", DOUBT_NONE, "a private SSH key"},
    {".ssh", DOUBT_SOME, "SSH keys"},
    {".netrc", DOUBT_NONE, "passwords of hosts"},
    {"_netrc", DOUBT_NONE, "passwords of hosts"},
    {".git-credentials", DOUBT_NONE, "git's passwords"},
    {".pypirc", DOUBT_SOME, "a package index's password"},
    {".pgpass", DOUBT_NONE, "database passwords"},
    {".my.cnf", DOUBT_SOME, "a database password"},
    {".dockercfg", DOUBT_NONE, "registry passwords"},
    {".docker/config.json", DOUBT_SOME, "registry passwords"},
    {".dockerconfigjson", DOUBT_NONE, "registry passwords"},
    {".aws/credentials", DOUBT_NONE, "AWS keys"},
    {".aws", DOUBT_SOME, "AWS keys"},
    {".s3cfg", DOUBT_SOME, "AWS keys"},
    {".boto", DOUBT_SOME, "cloud keys"},
    {".azure", DOUBT_SOME, "Azure tokens"},
    {".kube/config", DOUBT_NONE, "a cluster's credentials"},
    {"kubeconfig", DOUBT_SOME, "a cluster's credentials"},
    {"kubeconfig.y*ml", DOUBT_SOME, "a cluster's credentials"},
    {"*.kubeconfig", DOUBT_SOME, "a cluster's credentials"},
    {"terraform.tfstate", DOUBT_NONE, "Terraform's state, secrets included"},
    {"terraform.tfstate.backup", DOUBT_NONE, "Terraform's state, secrets included"},
    {".vault-token", DOUBT_NONE, "a Vault token"},
    {"*.p12", DOUBT_SOME, "a private key"},
    {"*.pfx", DOUBT_SOME, "a private key"},
    {"*.jks", DOUBT_GREAT, "a private key"},
    {"*.ppk", DOUBT_SOME, "a private key"},
    {"*.kdbx", DOUBT_SOME, "a password database"},
    {"privkey*.pem", DOUBT_SOME, "a private key"},
    {"*private*.pem", DOUBT_SOME, "a private key"},
    {"*-key.pem", DOUBT_SOME, "a private key"},
    {"*_key.pem", DOUBT_SOME, "a private key"},
    {"key.pem", DOUBT_SOME, "a private key"},
    {"*.pem", DOUBT_GREAT, "a private key"},
    {"server.key", DOUBT_SOME, "a private key"},
    {"*private*.key", DOUBT_SOME, "a private key"},
    {"tls.key", DOUBT_SOME, "a private key"},
    {"*.key", DOUBT_GREAT, "a private key"},
    {".env", DOUBT_SOME, "settings with passwords"},
    {".env.local", DOUBT_SOME, "settings with passwords"},
    {".env.prod*", DOUBT_SOME, "settings with passwords"},
    {".env.*", DOUBT_GREAT, "settings with passwords"},
    {"*.env", DOUBT_GREAT, "settings with passwords"},
    {".npmrc", DOUBT_GREAT, "a package registry's token"},
    {".yarnrc.yml", DOUBT_GREAT, "a package registry's token"},
    {"auth.json", DOUBT_GREAT, "a package registry's token"},
    {"pip.conf", DOUBT_GREAT, "a package index's password"},
    {"NuGet.Config", DOUBT_GREAT, "a package source's password"},
    {"nuget.config", DOUBT_GREAT, "a package source's password"},
    {"settings.xml", DOUBT_GREAT, "a package repository's password"},
    {"service-account*.json", DOUBT_SOME, "a service account's key"},
    {"service_account*.json", DOUBT_SOME, "a service account's key"},
    {"*serviceaccount*.json", DOUBT_SOME, "a service account's key"},
    {"gcp-key*.json", DOUBT_SOME, "a service account's key"},
    {"*credentials*.json", DOUBT_SOME, "a service account's key"},
    {"credentials.json", DOUBT_SOME, "a service account's key"},
    {"secrets.y*ml", DOUBT_SOME, "secrets"},
    {"secrets.json", DOUBT_SOME, "secrets"},
    {".htpasswd", DOUBT_SOME, "passwords"},
};

static const char *const templates[] = {
    "*.example", "*.sample",   "*.template", "*.tmpl",   "*.dist",     "*.tpl", "*.test", "*.ci", "*.schema",
    "*.pub",     "*.defaults", "*example*",  "*sample*", "*template*", "*.enc", "*.gpg",  "*.j2"};

/* --- Names --- */

static sb_slice last_two(sb_slice path)
{
    sb_slice base = sb_lint_base_name(path);
    ptrdiff_t slash;

    if (base.ptr == path.ptr)
        return path;
    slash = sb_slice_rchr(sb_slice_sub(path, 0, (size_t)(base.ptr - path.ptr) - 1), '/');
    return sb_slice_sub(path, (size_t)(slash + 1), (size_t)(base.ptr + base.len - path.ptr));
}

/* "*" only, and bytes: fnmatch() would ask the locale about every one. */
static bool matches(const char *pattern, const char *name)
{
    const char *star = NULL, *again = NULL;

    for (; *name; name++) {
        if (*pattern == *name) {
            pattern++;
        } else if (*pattern == '*') {
            star = ++pattern;
            again = name--;
        } else if (star) {
            pattern = star;
            name = again++;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static const kind *kind_of(sb_slice path)
{
    sb_slice base = sb_lint_base_name(path), two = last_two(path);
    char name[PATH_LEN_MAX], pair[PATH_LEN_MAX];

    if (two.len >= PATH_LEN_MAX || !base.len)
        return NULL;
    *(char *)mempcpy(name, base.ptr, base.len) = '\0';
    *(char *)mempcpy(pair, two.ptr, two.len) = '\0';
    for (size_t i = 0; i < SB_COUNT(templates); i++)
        if (matches(templates[i], name))
            return NULL;
    for (size_t i = 0; i < SB_COUNT(kinds); i++)
        if (matches(kinds[i].pattern, strchr(kinds[i].pattern, '/') ? pair : name))
            return &kinds[i];
    return NULL;
}

static bool may_hold_secret(sb_slice path)
{
    return kind_of(path) != NULL;
}

/* --- Contents --- */

static bool has_text(sb_slice text, const char *word)
{
    return sb_slice_find(text, sb_slice_z(word)) >= 0;
}

static bool note_match(void *ctx, const sb_secret_match *match)
{
    bool *found = ctx;

    (void)match;
    *found = true;
    return false;
}

/* NAME=value lines, and the like: a name of a secret with a real value. */
static bool has_secret_setting(sb_slice text)
{
    while (text.len) {
        sb_slice value = sb_slice_trim(sb_slice_cut(&text, '\n'));
        ptrdiff_t sign;
        sb_slice name;

        if (!value.len || value.ptr[0] == '#' || value.ptr[0] == ';')
            continue;
        sign = sb_slice_chr(value, '=');
        if (sign < 0)
            sign = sb_slice_chr(value, ':');
        if (sign <= 0)
            continue;
        name = sb_slice_trim(sb_slice_sub(value, 0, (size_t)sign));
        value = sb_slice_trim(sb_slice_sub(value, (size_t)sign + 1, value.len));
        if (value.len > 1 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
            value.ptr[value.len - 1] == value.ptr[0])
            value = sb_slice_sub(value, 1, value.len - 1);
        /* "//registry.example.org/:_authToken" */
        name = sb_path_last(name);
        if ((sk_is_secret_name(name) || has_text(name, "_auth")) && sk_is_real_value(name, value))
            return true;
    }
    return false;
}

static bool looks_secret(const sk_search *s, sb_slice text)
{
    sb_secret_scanner *scanner = s->lint->scanner;
    bool found = false;

    if (has_text(text, "PRIVATE KEY-----") || has_secret_setting(text) || has_text(text, "\"auth\":") ||
        has_text(text, "client-key-data:") || has_text(text, "<password>"))
        return true;
    if (!scanner)
        return false;
    sb_secret_scan_begin(scanner, SB_NIL, note_match, &found);
    sb_secret_scan_add(scanner, text.ptr, text.len);
    sb_secret_scan_end(scanner);
    return found;
}

static bool is_binary(sb_slice text)
{
    return text.len && memchr(text.ptr, '\0', text.len);
}

/* Name and content together. */
static bool holds_secret(const sk_search *s, const kind *k, sb_slice path)
{
    sb_slice text;

    if (k->doubt == DOUBT_NONE && s->lint->context_fd < 0)
        return true;
    text = sb_lint_read(s->lint, path);
    if (!text.ptr)
        return k->doubt != DOUBT_GREAT;
    if (is_binary(text))
        return k->doubt != DOUBT_GREAT;
    return looks_secret(s, text);
}

/* --- One file --- */

static sb_slice relative(sb_slice path)
{
    while (sb_slice_starts(path, SB_LIT("./")) || sb_slice_starts(path, SB_LIT("/")))
        path = sb_slice_sub(path, (size_t)sb_slice_chr(path, '/') + 1, path.len);
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    return sb_slice_eqz(path, ".") ? SB_LIT("") : path;
}

static bool is_left_out(const sk_search *s, sb_slice path)
{
    const sb_ignore *ignore = sb_lint_ignore(s->lint);

    return ignore && sb_ignore_matches(ignore, path);
}

/* Keys that package managers trust are public, whatever they are called. */
static bool is_trust_anchor(sb_slice path, sb_slice destination)
{
    static const char *const places[] = {"/etc/apt",        "keyrings",   "rpm-gpg",      "/etc/apk",
                                         "ca-certificates", "/ssl/certs", "pki/ca-trust", "trusted.gpg"};

    for (size_t i = 0; i < SB_COUNT(places); i++)
        if (has_text(destination, places[i]))
            return true;
    return has_text(path, "gpg") || has_text(path, "apt") || has_text(path, "repo");
}

static sb_slice destination_of(sk_search *s, sb_slice destination, sb_slice path)
{
    if (!sb_slice_ends(destination, SB_LIT("/")) && !sb_slice_eqz(destination, "."))
        return destination;
    return sb_arena_printf(s->lint->arena, "%" SB_FMT "%s%" SB_FMT, SB_ARG(destination),
                           sb_slice_ends(destination, SB_LIT("/")) ? "" : "/",
                           SB_ARG(sb_lint_base_name(path)));
}

static bool check_file(sk_search *s, const sb_df_instruction *ins, sb_slice source, sb_slice destination,
                       sb_span span)
{
    sb_slice path = relative(source);
    const kind *k = kind_of(path);

    if (!k || is_left_out(s, path) || is_trust_anchor(path, destination) || !holds_secret(s, k, path))
        return false;
    sk_say(s, &sk_file_copied, ins->stage, span, "%s holds %s, and gets into a layer of the image",
           sb_lint_shown(s->lint, path), k->what);
    sk_add_file(s, destination_of(s, destination, path), ins->stage, ins->start_line);
    return true;
}

/* --- A directory --- */

static int by_path(const void *left, const void *right)
{
    const sb_slice *a = left, *b = right;

    return sb_slice_cmp(*a, *b);
}

static bool is_beneath(sb_slice path, sb_slice directory)
{
    return !directory.len ||
           (path.len > directory.len && sb_slice_starts(path, directory) && path.ptr[directory.len] == '/');
}

/* The one that is left out by itself, or with a directory above it, does not come along. */
static size_t find_beneath(const sk_search *s, sb_slice directory, sb_slice *found)
{
    const sb_lint_listing *listing = sb_lint_list(s->lint, may_hold_secret);
    size_t count = 0;

    for (size_t i = 0; listing && i < listing->count && count < FOUND_MAX; i++) {
        sb_slice path = listing->paths[i];

        if (is_beneath(path, directory) && !is_left_out(s, path) && !is_trust_anchor(path, SB_LIT("")) &&
            holds_secret(s, kind_of(path), path))
            found[count++] = path;
    }
    if (count)
        qsort(found, count, sizeof(*found), by_path);
    return count;
}

static void check_directory(sk_search *s, const sb_df_instruction *ins, sb_slice source, sb_slice destination,
                            sb_span span)
{
    sb_autobuf more = SB_BUF_INIT(100);
    sb_slice found[FOUND_MAX];
    size_t count = find_beneath(s, relative(source), found);

    if (!count)
        return;
    if (count > 1)
        sb_buf_printf(&more, " (and %zu more)", count - 1);
    sk_say(s, &sk_context, ins->stage, span, "%s holds %s%s, and .dockerignore does not leave it out",
           sb_lint_shown(s->lint, found[0]), kind_of(found[0])->what, more.data ? more.data : "");
    for (size_t i = 0; i < count; i++)
        sk_add_file(s,
                    sb_arena_printf(s->lint->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(destination),
                                    SB_ARG(sb_lint_base_name(found[i]))),
                    ins->stage, ins->start_line);
}

static bool is_directory(const sk_search *s, sb_slice source)
{
    sb_slice path = relative(source);
    sb_autofree char *name = path.len ? sb_slice_dup(path) : sb_strdup(".");
    sb_autoclose int fd = -1;
    bool missing = false;

    if (s->lint->context_fd < 0 || (path.len && !sb_path_is_plain(path)))
        return false;
    fd = sb_open_within(s->lint->context_fd, name, O_PATH | O_DIRECTORY, 0, &missing, NULL);
    return fd >= 0;
}

/* --- COPY and ADD --- */

static void check_copy(sk_search *s, const sb_df_instruction *ins, const sb_df_expanded *expanded)
{
    bool given = expanded && expanded->count == ins->arg_count;
    sb_slice destination = given ? expanded->words[ins->arg_count - 1] : ins->args[ins->arg_count - 1].text;

    for (size_t i = 0; i + 1 < ins->arg_count; i++) {
        sb_slice source = given ? expanded->words[i] : ins->args[i].text;

        if (sb_slice_starts(ins->args[i].text, SB_LIT("<<")) ||
            sb_df_source_classify(source) != SB_SOURCE_LOCAL)
            continue;
        if (!check_file(s, ins, source, destination, ins->args[i].span) && is_directory(s, source))
            check_directory(s, ins, source, destination, ins->args[i].span);
    }
}

void sk_find_copies(sk_search *s)
{
    const sb_dockerfile *df = s->lint->df;

    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];

        if ((ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_ADD) && ins->arg_count > 1 &&
            !sb_df_find_flag(ins, "from"))
            check_copy(s, ins, &s->lint->view->expanded[i]);
    }
}
