// SPDX-License-Identifier: Apache-2.0
/* What a variable's name and value say: is it a secret? Judged word by word, not by parts of words. */
#include <rules/lint/secrets.h>

enum { WORDS_MAX = 16, WORD_MAX = 32, NAME_MAX_LEN = 128 };

typedef struct name_words { /* in small letters */
    char words[WORDS_MAX][WORD_MAX];
    size_t count;
} name_words;

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "secret2" is a secret, too. */
static void without_number(char *word)
{
    size_t len = strlen(word);

    while (len > 1 && word[len - 1] >= '0' && word[len - 1] <= '9')
        word[--len] = '\0';
}

/* "DB_PASSWORD", "npmToken", "aws.secret-key": at what is no letter or digit, and where capitals begin. */
static bool split(sb_slice name, name_words *out)
{
    size_t len = 0;

    *out = (name_words){.count = 0};
    if (!name.len || name.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = is_upper(c) || is_lower_or_digit(c);

        if (len && (!letter || (is_upper(c) && is_lower_or_digit(name.ptr[i - 1])))) {
            out->count++;
            len = 0;
        }
        if (!letter)
            continue;
        if (out->count >= WORDS_MAX || len + 1 >= WORD_MAX)
            return false;
        out->words[out->count][len++] = sb_ascii_lower(c);
    }
    out->count += len > 0;
    for (size_t i = 0; i < out->count; i++)
        without_number(out->words[i]);
    return out->count > 0;
}

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

static bool ends_with(const char *word, const char *end)
{
    return sb_slice_ends(sb_slice_z(word), sb_slice_z(end));
}

/* By itself, wherever it stands in the name. */
static bool is_strong(const char *word)
{
    static const char *const strong[] = {
        "apikey",     "appkey",    "accesskey",  "authkey",   "credential", "credentials",
        "passphrase", "passwd",    "password",   "passwords", "privatekey", "pword",
        "secret",     "secretkey", "signingkey", "sshpass",   "token",      "encryptionkey",
    };

    return is_one_of(word, strong, SB_COUNT(strong)) || ends_with(word, "password") ||
           ends_with(word, "passwd") || ends_with(word, "token") || ends_with(word, "secret");
}

/* Before "key": of an API, of a cipher, of an account. A primary key or a cache key is no secret. */
static bool makes_key_secret(const char *word)
{
    static const char *const before[] = {
        "access",   "account", "admin",   "aes", "api",     "app",        "auth",   "cipher",
        "consumer", "crypto",  "deploy",  "des", "encrypt", "encryption", "hmac",   "jwt",
        "master",   "priv",    "private", "rsa", "secret",  "session",    "shared", "sign",
        "signing",  "ssh",     "storage", "tls", "webhook",
    };

    return is_one_of(word, before, SB_COUNT(before));
}

static bool makes_auth_secret(const char *word)
{
    static const char *const before[] = {"basic", "docker",   "http",     "npm", "proxy",
                                         "redis", "registry", "rediscli", "ftp"};

    return is_one_of(word, before, SB_COUNT(before));
}

/* A name with one of these is about a secret: where it is, how long, whether it is needed. */
static bool is_harmless(const char *word)
{
    static const char *const about[] = {
        "age",      "algo",      "algorithm", "allow",      "arn",         "asset",      "audience",
        "backend",  "bucket",    "bytes",     "change",     "class",       "cli",        "column",
        "command",  "count",     "days",      "dir",        "directory",   "disable",    "disabled",
        "driver",   "dummy",     "empty",     "enable",     "enabled",     "encoding",   "endpoint",
        "engine",   "env",       "exchange",  "expire",     "expires",     "expiration", "expiry",
        "field",    "file",      "filename",  "files",      "fingerprint", "folder",     "format",
        "generate", "generator", "group",     "hash",       "header",      "helper",     "host",
        "id",       "ids",       "image",     "interval",   "issuer",      "kind",       "label",
        "len",      "length",    "level",     "lifetime",   "limit",       "location",   "manager",
        "max",      "method",    "min",       "minutes",    "mode",        "mount",      "name",
        "no",       "operator",  "option",    "options",    "package",     "path",       "period",
        "plugin",   "policy",    "port",      "prefix",     "prompt",      "protocol",   "provider",
        "pub",      "public",    "random",    "refresher",  "region",      "regex",      "repo",
        "require",  "required",  "reset",     "ring",       "role",        "rotation",   "rounds",
        "salt",     "scope",     "seconds",   "server",     "service",     "show",       "size",
        "skip",     "sock",      "source",    "store",      "strategy",    "suffix",     "support",
        "table",    "timeout",   "ttl",       "type",       "uri",         "url",        "use",
        "user",     "username",  "validate",  "validation", "validator",   "var",        "version",
        "without",
    };

    return is_one_of(word, about, SB_COUNT(about));
}

/* Most names have none of these, and need not be split. */
static bool may_be_secret(sb_slice name)
{
    static const char *const parts[] = {"pass", "pw", "token", "secret", "key", "cred", "auth"};

    for (size_t i = 0; i + 1 < name.len; i++) {
        char c = sb_ascii_lower(name.ptr[i]);

        if (c != 'p' && c != 't' && c != 's' && c != 'k' && c != 'c' && c != 'a')
            continue;
        for (size_t k = 0; k < SB_COUNT(parts); k++) {
            size_t len = strlen(parts[k]);

            if (parts[k][0] == c && i + len <= name.len &&
                sb_slice_eq_nocase(sb_slice_sub(name, i, i + len), sb_slice_of(parts[k], len)))
                return true;
        }
    }
    return false;
}

static bool is_secret_at(const name_words *n, size_t i)
{
    const char *word = n->words[i], *before = i ? n->words[i - 1] : "";
    bool last = i + 1 == n->count;

    if (is_strong(word))
        return true;
    if (strcmp(word, "key") == 0)
        return makes_key_secret(before);
    if (strcmp(word, "auth") == 0)
        return last && makes_auth_secret(before);
    /* DB_PASS, SA_PWD; but not PASS_THROUGH, OLD_PWD or a bare PWD. */
    return last && i && strcmp(before, "old") != 0 &&
           (strcmp(word, "pass") == 0 || strcmp(word, "pwd") == 0 || strcmp(word, "pw") == 0);
}

bool sk_is_secret_name(sb_slice name)
{
    name_words n;
    bool found = false;

    if (!may_be_secret(name) || !split(name, &n))
        return false;
    for (size_t i = 0; i < n.count; i++) {
        if (is_harmless(n.words[i]))
            return false;
        found |= is_secret_at(&n, i);
    }
    return found;
}

/* --- Values --- */

static bool contains_nocase(sb_slice text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (sb_slice_eq_nocase(sb_slice_sub(text, i, i + len), sb_slice_of(word, len)))
            return true;
    return false;
}

bool sk_is_placeholder(sb_slice value)
{
    static const char *const marks[] = {
        "changeme",    "change_me",  "change-me", "changeit", "change_it", "replace",    "example",
        "placeholder", "dummy",      "your",      "todo",     "fixme",     "xxx",        "***",
        "...",         "insert",     "redacted",  "notreal",  "not-real",  "not_a_real", "fake",
        "sample",      "default",    "undefined", "not-set",  "not_set",   "notset",     "unset",
        "override",    "build-time", "buildtime", "set-me",   "set_me",
    };
    char first = value.len ? value.ptr[0] : 0, last = value.len ? value.ptr[value.len - 1] : 0;

    if ((first == '<' && last == '>') || (first == '{' && last == '}') || (first == '%' && last == '%') ||
        (first == '[' && last == ']') || (first == '_' && last == '_') || (first == '@' && last == '@'))
        return true;
    for (size_t i = 0; i < SB_COUNT(marks); i++)
        if (contains_nocase(value, marks[i]))
            return true;
    return false;
}

static bool is_switch(sb_slice value)
{
    static const char *const words[] = {"true", "false", "yes",  "no",    "on",  "off",   "none",    "null",
                                        "nil",  "auto",  "test", "empty", "n/a", "plain", "required"};

    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (sb_slice_eq_nocase(value, sb_slice_z(words[i])))
            return true;
    return false;
}

/* Digits with dots or blanks between: a number, a version. */
static bool is_number(sb_slice value)
{
    size_t digits = 0;

    for (size_t i = 0; i < value.len; i++) {
        bool digit = value.ptr[i] >= '0' && value.ptr[i] <= '9';

        if (!digit && value.ptr[i] != '.')
            return false;
        digits += digit;
    }
    return digits <= 3 || digits < value.len;
}

static bool is_path_or_url(sb_slice value)
{
    ptrdiff_t scheme = sb_slice_find(value, SB_LIT("://"));

    if (value.ptr[0] == '/' || value.ptr[0] == '~' || sb_slice_starts(value, SB_LIT("./")) ||
        sb_slice_starts(value, SB_LIT("../")))
        return true;
    if (value.len > 2 && value.ptr[1] == ':' && (value.ptr[2] == '\\' || value.ptr[2] == '/'))
        return true;
    /* A URL with a password in it is found by its form. */
    return scheme > 0 || sb_slice_starts(value, SB_LIT("arn:")) ||
           sb_slice_starts(value, SB_LIT("sha256:")) || sb_slice_starts(value, SB_LIT("vault:")) ||
           sb_slice_starts(value, SB_LIT("file:"));
}

/* 40 or 64 hexadecimal digits, maybe with blanks: what keys are known by. */
static bool is_fingerprint(sb_slice value)
{
    size_t digits = 0;

    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != ' ' && sb_hex_value(value.ptr[i]) < 0)
            return false;
        digits += value.ptr[i] != ' ';
    }
    return digits == 40;
}

/* The name once more, in whatever case: NPM_TOKEN=npm-token. */
static bool repeats(sb_slice name, sb_slice value)
{
    name_words a, b;

    if (!split(name, &a) || !split(value, &b) || a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++)
        if (strcmp(a.words[i], b.words[i]) != 0)
            return false;
    return true;
}

bool sk_is_real_value(sb_slice name, sb_slice value)
{
    value = sb_slice_trim(value);
    if (!value.len || memchr(value.ptr, '$', value.len) || memchr(value.ptr, '`', value.len))
        return false;
    return !is_switch(value) && !is_number(value) && !is_path_or_url(value) && !sk_is_placeholder(value) &&
           !is_fingerprint(value) && !repeats(name, value);
}
