// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/operands.h>
#include <rules/lint/secrets_tables.h>

#include <pthread.h>
#include <stdlib.h>

#define MYSQL "mysql mysqladmin mysqldump mysqlimport mariadb mariadb-admin mariadb-dump"
#define LOGIN "docker podman buildah skopeo helm oras crane nerdctl"
#define MONGO "mongo mongosh mongodump mongorestore mongoimport mongoexport"

const sk_password_option sk_password_options[] = {
    {MYSQL, "", "-p", SK_FORM_PLAIN, true, "a password"},
    {MYSQL, "", "--password", SK_FORM_PLAIN, false, "a password"},
    {MONGO, "", "-p", SK_FORM_PLAIN, false, "a password"},
    {MONGO, "", "--password", SK_FORM_PLAIN, false, "a password"},
    {"redis-cli", "", "-a", SK_FORM_PLAIN, false, "a password"},
    {"redis-cli", "", "--pass", SK_FORM_PLAIN, false, "a password"},
    {"curl", "", "-u", SK_FORM_USER_AND_PASSWORD, false, "a password"},
    {"curl", "", "--user", SK_FORM_USER_AND_PASSWORD, false, "a password"},
    {"curl", "", "--proxy-user", SK_FORM_USER_AND_PASSWORD, false, "a password"},
    {"curl", "", "-H", SK_FORM_HEADER, false, "a token"},
    {"curl", "", "--header", SK_FORM_HEADER, false, "a token"},
    {"curl", "", "--oauth2-bearer", SK_FORM_PLAIN, false, "a token"},
    {"wget", "", "--header", SK_FORM_HEADER, false, "a token"},
    {"wget", "", "--password", SK_FORM_PLAIN, false, "a password"},
    {"wget", "", "--http-password", SK_FORM_PLAIN, false, "a password"},
    {"wget", "", "--ftp-password", SK_FORM_PLAIN, false, "a password"},
    {"wget", "", "--proxy-password", SK_FORM_PLAIN, false, "a password"},
    {"sshpass", "", "-p", SK_FORM_PLAIN, false, "a password"},
    {LOGIN, "login", "-p", SK_FORM_PLAIN, false, "a password"},
    {LOGIN, "login", "--password", SK_FORM_PLAIN, false, "a password"},
    {"helm", "repo add", "--password", SK_FORM_PLAIN, false, "a password"},
    {"az", "login", "-p", SK_FORM_PLAIN, false, "a password"},
    {"az", "login", "--password", SK_FORM_PLAIN, false, "a password"},
    {"oc kubectl", "login", "-p", SK_FORM_PLAIN, false, "a password"},
    {"oc kubectl", "", "--token", SK_FORM_PLAIN, false, "a token"},
    {"nuget dotnet", "", "--password", SK_FORM_PLAIN, false, "a password"},
    {"nuget", "sources add", "-Password", SK_FORM_PLAIN, false, "a password"},
    {"twine", "upload", "-p", SK_FORM_PLAIN, false, "a password"},
    {"twine", "upload", "--password", SK_FORM_PLAIN, false, "a password"},
    {"poetry", "publish", "-p", SK_FORM_PLAIN, false, "a password"},
    {"cargo", "", "--token", SK_FORM_PLAIN, false, "a token"},
    {"svn", "", "--password", SK_FORM_PLAIN, false, "a password"},
    {"lftp", "", "-u", SK_FORM_USER_COMMA_PASSWORD, false, "a password"},
    {"openssl", "", "-passin", SK_FORM_PASS_PREFIX, false, "a passphrase"},
    {"openssl", "", "-passout", SK_FORM_PASS_PREFIX, false, "a passphrase"},
    {"openssl", "", "-pass", SK_FORM_PASS_PREFIX, false, "a passphrase"},
    {"gpg gpg2", "", "--passphrase", SK_FORM_PLAIN, false, "a passphrase"},
    {"unzip zip", "", "-P", SK_FORM_PLAIN, false, "a password"},
    {"7z 7za 7zz", "", "-p", SK_FORM_PLAIN, true, "a password"},
    {"sqlcmd", "", "-P", SK_FORM_PLAIN, false, "a password"},
    {"ldapsearch ldapadd ldapmodify", "", "-w", SK_FORM_PLAIN, false, "a password"},
    {NULL, NULL, NULL, SK_FORM_PLAIN, false, NULL},
};

const sk_password_operand sk_password_operands[] = {
    {"aws", "configure set", "aws_secret_access_key", 1, "a secret key"},
    {"aws", "configure set", "aws_session_token", 1, "a session token"},
    {"npm pnpm", "config set", "_auth", 1, "a token"},
    {"npm pnpm", "config set", "_password", 1, "a password"},
    {"npm pnpm", "set", "_auth", 1, "a token"},
    {"yarn", "config set", "AuthToken", 1, "a token"},
    {"yarn", "config set", "_auth", 1, "a token"},
    {"composer", "config", "github-oauth", 1, "a token"},
    {"composer", "config", "gitlab-token", 1, "a token"},
    {"composer", "config", "http-basic", 2, "a password"},
    {"poetry", "config", "http-basic", 2, "a password"},
    {"poetry", "config", "pypi-token", 1, "a token"},
    {"cargo", "login", NULL, 1, "a token"},
    {"vault", "login", NULL, 1, "a token"},
    {"rabbitmqctl", "add_user", NULL, 2, "a password"},
    {"rabbitmqctl", "change_password", NULL, 2, "a password"},
    {NULL, NULL, NULL, 0, NULL},
};

const sk_config_command sk_config_commands[] = {
    {"npm pnpm", "config set", false, "npm's configuration"},
    {"npm pnpm", "set", false, "npm's configuration"},
    {"yarn", "config set", false, "yarn's configuration"},
    {"git", "config", false, "git's configuration"},
    {"git", "clone", true, "the clone's .git/config"},
    {"git", "remote add", true, ".git/config"},
    {"git", "remote set-url", true, ".git/config"},
    {"git", "submodule add", true, ".git/config"},
    {"pip pip3", "config set", false, "pip's configuration"},
    {"poetry", "config", false, "poetry's configuration"},
    {"composer", "config", false, "composer's configuration"},
    {"bundle bundler", "config", false, "bundler's configuration"},
    {"aws", "configure set", false, "~/.aws/credentials"},
    {"nuget dotnet", "add source", false, "NuGet's configuration"},
    {"nuget dotnet", "update source", false, "NuGet's configuration"},
    {"nuget", "sources add", false, "NuGet's configuration"},
    {"cargo", "login", false, "~/.cargo/credentials.toml"},
    {NULL, NULL, false, NULL},
};

/* --- All of their commands, sorted --- */

enum { COMMANDS_MAX = 300 };

static sb_slice commands[COMMANDS_MAX];
static size_t command_count;
static pthread_once_t commands_once = PTHREAD_ONCE_INIT;

static void add_commands(const char *words)
{
    sb_slice rest = sb_slice_z(words);

    while (rest.ptr && command_count < COMMANDS_MAX)
        commands[command_count++] = sb_slice_cut(&rest, ' ');
}

static int by_name(const void *left, const void *right)
{
    const sb_slice *a = left, *b = right;

    return sb_slice_cmp(*a, *b);
}

static void list_commands(void)
{
    for (const sk_password_option *o = sk_password_options; o->command; o++)
        add_commands(o->command);
    for (const sk_password_operand *o = sk_password_operands; o->command; o++)
        add_commands(o->command);
    for (const sk_config_command *c = sk_config_commands; c->command; c++)
        add_commands(c->command);
    qsort(commands, command_count, sizeof(*commands), by_name);
}

bool sk_is_in_tables(sb_slice command)
{
    pthread_once(&commands_once, list_commands);
    return bsearch(&command, commands, command_count, sizeof(*commands), by_name) != NULL;
}

bool sk_is_config_file(const char *command, sb_slice name)
{
    static const struct {
        const char *command;
        const char *files;
    } of[] = {
        {"npm", ".npmrc"},
        {"yarn", ".yarnrc .yarnrc.yml .npmrc"},
        {"git", ".git .gitconfig .git-credentials config"},
        {"pip", "pip.conf .pip .config"},
        {"poetry", "auth.toml pypoetry .config"},
        {"composer", "auth.json .composer"},
        {"bundle", "config .bundle"},
        {"aws", ".aws credentials"},
        {"nuget", "NuGet.Config nuget.config NuGet .nuget"},
        {"cargo", "credentials.toml credentials .cargo"},
    };

    for (size_t i = 0; i < SB_COUNT(of); i++)
        if (sb_word_in(sb_slice_z(of[i].command), command))
            return sb_word_in(name, of[i].files);
    return false;
}

sb_slice sk_header_secret(sb_slice header)
{
    static const char *const names[] = {
        "authorization", "proxy-authorization", "private-token", "job-token",    "x-api-key",
        "x-auth-token",  "x-jfrog-art-api",     "api-key",       "x-vault-token"};
    static const char *const schemes[] = {"bearer ", "basic ", "token "};
    sb_slice value = header, name = sb_slice_trim(sb_slice_cut(&value, ':'));
    bool named = false;

    for (size_t i = 0; i < SB_COUNT(names); i++)
        named |= sb_slice_eq_nocase(name, sb_slice_z(names[i]));
    if (!named || !value.ptr)
        return SB_LIT("");
    value = sb_slice_trim(value);
    for (size_t i = 0; i < SB_COUNT(schemes); i++) {
        size_t len = strlen(schemes[i]);

        if (value.len > len && sb_slice_eq_nocase(sb_slice_sub(value, 0, len), sb_slice_z(schemes[i])))
            return sb_slice_trim(sb_slice_sub(value, len, value.len));
    }
    return value;
}
