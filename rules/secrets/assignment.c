// SPDX-License-Identifier: Apache-2.0
/*
 * Assignments around a word: shell, properties, INI, YAML, JSON, TOML, XML, HCL, code of many languages,
 * command line options. By hand, since a word such as "token" stands everywhere: most places are left after a
 * few bytes.
 */
#include <rules/secrets/engine.h>

enum { BLANKS_MAX = 32, TYPE_MAX = 32 };

typedef struct reader {
    const char *text;
    size_t at, len;
} reader;

static int peek(const reader *r, size_t ahead)
{
    return r->at + ahead < r->len ? (unsigned char)r->text[r->at + ahead] : 0;
}

static bool is_name(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static bool is_quote(int c)
{
    return c == '"' || c == '\'' || c == '`';
}

static bool skip_blanks(reader *r)
{
    size_t start = r->at;

    while ((peek(r, 0) == ' ' || peek(r, 0) == '\t') && r->at - start < BLANKS_MAX)
        r->at++;
    return r->at > start;
}

/* A quote, or one that is escaped since the whole stands in a string. */
static int take_quote(reader *r)
{
    size_t escape = peek(r, 0) == '\\';
    int quote = peek(r, escape);

    if (!is_quote(quote))
        return 0;
    r->at += escape + 1;
    return quote;
}

/* "name" value="…": an attribute that names, and one that has the value. */
static bool skip_value_attribute(reader *r)
{
    static const char word[] = "value";
    size_t i = 0;

    while (word[i] && (peek(r, i) | 0x20) == word[i])
        i++;
    if (word[i] || peek(r, i) != '=')
        return false;
    r->at += i + 1;
    return true;
}

/* The type in "token: string = …", "const TOKEN: &str = …". */
static void skip_type(reader *r)
{
    size_t i = 0;

    while (i < TYPE_MAX && (is_name(peek(r, i)) || (peek(r, i) && strchr("&'<>*?: ", peek(r, i)))))
        i++;
    if (peek(r, i) == '=' && peek(r, i + 1) != '=' && (is_quote(peek(r, i + 1)) || peek(r, i + 1) == ' ')) {
        r->at += i + 1;
        skip_blanks(r);
    }
}

typedef enum operator{ NO_OPERATOR, SETS, SETS_QUOTED /* only if a quote follows */ } operator;

static operator take_operator(reader *r, int name_quote, bool option, bool element)
{
    bool blanks = skip_blanks(r);
    int c = peek(r, 0), d = peek(r, 1);

    if (c == '=') {
        if (d == '=' || d == '~')
            return NO_OPERATOR;
        r->at += d == '>' ? 2 : 1;
        return SETS;
    }
    if (c == ':') {
        if (d == ':')
            return NO_OPERATOR;
        r->at += d == '=' ? 2 : 1;
        skip_blanks(r);
        skip_type(r);
        return SETS;
    }
    if (c == '?' && d == '=') {
        r->at += 2;
        return SETS;
    }
    if (c == '>' && (element || name_quote)) {
        r->at++;
        return SETS;
    }
    if (c == ',' && name_quote) {
        r->at++;
        return SETS_QUOTED;
    }
    if (c == '(' && !name_quote) {
        r->at++;
        return SETS_QUOTED;
    }
    if (blanks && name_quote && skip_value_attribute(r))
        return SETS_QUOTED;
    return blanks && option ? SETS : NO_OPERATOR;
}

static bool ends_unquoted(int c)
{
    return c <= ' ' || c >= 0x7f || strchr("\"'`<>,;(){}[]|\\&", c);
}

/* "--name VALUE" on a command line, "ENV NAME VALUE" in a Dockerfile. */
static bool is_option(const char *text, size_t name_at, size_t name_len)
{
    return (name_len > 2 && text[name_at] == '-' && text[name_at + 1] == '-') ||
           (name_at >= 4 && memcmp(text + name_at - 4, "ENV ", 4) == 0);
}

static bool read_quoted(reader *r, int quote, secret_assignment *a)
{
    size_t start = r->at;

    while (r->at < r->len && r->at - start <= SECRET_VALUE_MAX) {
        int c = peek(r, 0);

        if (c == quote) {
            a->value_at = start;
            a->value_len = r->at - start;
            if (a->value_len && r->text[r->at - 1] == '\\')
                a->value_len--; /* the whole stands in a string */
            return true;
        }
        if (c < ' ' || c >= 0x7f)
            return false;
        r->at++;
    }
    return false;
}

static bool read_unquoted(reader *r, secret_assignment *a)
{
    size_t start = r->at;
    int c;

    while (r->at < r->len && r->at - start <= SECRET_VALUE_MAX && !ends_unquoted(peek(r, 0)))
        r->at++;
    c = peek(r, 0);
    if (c == '(' || c == '[' || c == '{' || c == '|' || c >= 0x7f || r->at - start > SECRET_VALUE_MAX)
        return false;
    a->value_at = start;
    a->value_len = r->at - start;
    while (a->value_len && strchr(".,:", r->text[start + a->value_len - 1]))
        a->value_len--;
    return true;
}

bool secret_assignment_read(sb_slice text, size_t at, size_t len, secret_assignment *ret_assignment)
{
    secret_assignment a = {.name_at = at};
    reader r = {text.ptr, at + len, text.len};
    int name_quote = 0, quote;
    operator op;

    while (r.at - at - len < SECRET_NAME_MAX && is_name(peek(&r, 0)))
        r.at++;
    /* Most places end here: a word in a text, an expression in code. */
    if (peek(&r, 0) && !strchr(" \t=:\"'`\\]>?,(", peek(&r, 0)))
        return false;
    while (a.name_at > 0 && at - a.name_at < SECRET_NAME_MAX &&
           is_name((unsigned char)text.ptr[a.name_at - 1]))
        a.name_at--;
    a.name_len = r.at - a.name_at;
    if (a.name_at > 0 && is_quote((unsigned char)text.ptr[a.name_at - 1])) {
        name_quote = take_quote(&r);
        if (name_quote && peek(&r, 0) == ']')
            r.at++;
    }
    op = take_operator(&r, name_quote, is_option(text.ptr, a.name_at, a.name_len),
                       a.name_at > 0 && text.ptr[a.name_at - 1] == '<');
    if (op == NO_OPERATOR)
        return false;
    skip_blanks(&r);
    /* Prefixes of strings: r"…", b'…', @"…" */
    if (peek(&r, 0) && strchr("brufLR@$", peek(&r, 0)) && is_quote(peek(&r, 1)))
        r.at++;
    quote = take_quote(&r);
    if (!quote && op == SETS_QUOTED)
        return false;
    a.quoted = quote != 0;
    if (!(quote ? read_quoted(&r, quote, &a) : read_unquoted(&r, &a)) || !a.value_len)
        return false;
    *ret_assignment = a;
    return true;
}
