// SPDX-License-Identifier: Apache-2.0
#include <fetch/toml.h>

#include <sbuild/utf8.h>

typedef struct parser {
    sb_slice text;
    size_t at;
    unsigned line;
    const char *name;
    bool lines; /* note the lines of [[tables]] */
    sb_error **err;
} parser;

enum { END = -1, STRING_MAX = 1 << 20 };

static int peek_at(const parser *p, size_t ahead)
{
    return p->at + ahead < p->text.len ? (unsigned char)p->text.ptr[p->at + ahead] : END;
}

static int peek(const parser *p)
{
    return peek_at(p, 0);
}

static void next(parser *p)
{
    if (peek(p) == '\n')
        p->line++;
    p->at++;
}

static int wrong(parser *p, const char *why)
{
    return sb_fail(p->err, SB_ERR_PARSE, "%s:%u: not valid TOML: %s", p->name, p->line, why);
}

static void skip_blanks(parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t')
        next(p);
}

static void skip_comment(parser *p)
{
    if (peek(p) == '#')
        while (peek(p) != END && peek(p) != '\n')
            next(p);
}

static bool at_line_end(const parser *p)
{
    return peek(p) == END || peek(p) == '\n' || (peek(p) == '\r' && peek_at(p, 1) == '\n');
}

/* Blanks, comments and line ends: between lines and within arrays. */
static void skip_lines(parser *p)
{
    for (;;) {
        skip_blanks(p);
        skip_comment(p);
        if (peek(p) == END || !at_line_end(p))
            return;
        next(p);
    }
}

static int end_line(parser *p)
{
    skip_blanks(p);
    skip_comment(p);
    return at_line_end(p) ? 0 : wrong(p, "something follows where the line should end");
}

/* \uXXXX, \UXXXXXXXX */
static int unicode_escape(parser *p, unsigned digits, sb_buf *out)
{
    uint32_t c = 0;
    char bytes[4];

    for (unsigned i = 0; i < digits; i++, next(p)) {
        int d = peek(p);

        if (d >= '0' && d <= '9')
            c = c << 4 | (uint32_t)(d - '0');
        else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f' && d != END)
            c = c << 4 | (uint32_t)((d | 0x20) - 'a' + 10);
        else
            return wrong(p, "bad \\u escape");
    }
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c == 0)
        return wrong(p, "bad \\u escape");
    sb_buf_add(out, bytes, sb_utf8_encode(c, bytes));
    return 0;
}

static int escape(parser *p, bool multi_line, sb_buf *out)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    int c = peek(p);
    const char *known = c > 0 ? strchr(from, c) : NULL;

    if (known) {
        next(p);
        sb_buf_addc(out, to[known - from]);
        return 0;
    }
    if (c == 'u' || c == 'U') {
        next(p);
        return unicode_escape(p, c == 'u' ? 4 : 8, out);
    }
    if (multi_line && (c == '\n' || c == '\r' || c == ' ' || c == '\t')) {
        while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r')
            next(p);
        return 0;
    }
    return wrong(p, "unknown escape in a string");
}

static bool closes(const parser *p, int quote, bool multi_line)
{
    return peek(p) == quote && (!multi_line || (peek_at(p, 1) == quote && peek_at(p, 2) == quote));
}

/* At the opening quote. */
static int parse_string(parser *p, bool multi_allowed, sb_buf *out)
{
    int quote = peek(p);
    bool multi_line = multi_allowed && peek_at(p, 1) == quote && peek_at(p, 2) == quote;

    p->at += multi_line ? 3 : 1;
    if (multi_line && peek(p) == '\r' && peek_at(p, 1) == '\n')
        next(p);
    if (multi_line && peek(p) == '\n')
        next(p);
    while (!closes(p, quote, multi_line)) {
        int c = peek(p);

        if (c == END || c == 0 || (!multi_line && (c == '\n' || c == '\r')))
            return wrong(p, "a string has no end");
        next(p);
        if (c == '\\' && quote == '"') {
            if (escape(p, multi_line, out) < 0)
                return -1;
        } else if (!sb_buf_addc(out, (char)c)) {
            return wrong(p, "a string is too long");
        }
    }
    /* Up to two quotes may stand before the closing three. */
    while (multi_line && peek_at(p, 3) == quote) {
        sb_buf_addc(out, (char)quote);
        p->at++;
    }
    p->at += multi_line ? 3 : 1;
    return 0;
}

static bool is_bare(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static int parse_key(parser *p, sb_buf *out)
{
    skip_blanks(p);
    sb_buf_reset(out);
    sb_buf_addz(out, "");
    if (peek(p) == '"' || peek(p) == '\'') {
        if (parse_string(p, false, out) < 0)
            return -1;
    } else {
        while (is_bare(peek(p))) {
            sb_buf_addc(out, (char)peek(p));
            next(p);
        }
        if (!out->len)
            return wrong(p, "expected a key");
    }
    if (strlen(out->data) != out->len)
        return wrong(p, "a NUL in a key");
    skip_blanks(p);
    return 0;
}

static json_t *parse_value(parser *p, int depth);
static int parse_assignment(parser *p, json_t *table, int depth);

static json_t *parse_array(parser *p, int depth)
{
    sb_autojson *array = json_array();

    next(p);
    for (;;) {
        json_t *item;

        skip_lines(p);
        if (peek(p) == ']')
            break;
        item = parse_value(p, depth + 1);
        if (!item)
            return NULL;
        json_array_append_new(array, item);
        skip_lines(p);
        if (peek(p) == ',')
            next(p);
        else if (peek(p) != ']') {
            wrong(p, "expected \",\" or \"]\" in an array");
            return NULL;
        }
    }
    next(p);
    return SB_TAKE(array);
}

static json_t *parse_inline_table(parser *p, int depth)
{
    sb_autojson *table = json_object();

    next(p);
    skip_blanks(p);
    while (peek(p) != '}') {
        if (parse_assignment(p, table, depth + 1) < 0)
            return NULL;
        skip_blanks(p);
        if (peek(p) == ',') {
            next(p);
            skip_blanks(p);
        } else if (peek(p) != '}') {
            wrong(p, "expected \",\" or \"}\" in an inline table");
            return NULL;
        }
    }
    next(p);
    return SB_TAKE(table);
}

/* "3.5": without exponent, and without strtod(), which has its own idea of a point in some locales. */
static bool read_fraction(const char *digits, double *ret_number)
{
    const char *at = digits + (*digits == '-' || *digits == '+');
    double number = 0, unit = 1;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (*at - '0');
    if (*at++ != '.' || *at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        number += (*at - '0') * (unit /= 10);
    *ret_number = *digits == '-' ? -number : number;
    return *at == '\0';
}

/* true, false, integers and decimal fractions. */
static json_t *parse_word(parser *p)
{
    char word[32], digits[32];
    size_t len = 0, n = 0;
    char *end;
    long long number;
    double fraction;

    while (is_bare(peek(p)) || peek(p) == '+' || peek(p) == '.' || peek(p) == ':') {
        if (len + 1 < sizeof(word))
            word[len++] = (char)peek(p);
        next(p);
    }
    word[len] = '\0';
    if (strcmp(word, "true") == 0)
        return json_true();
    if (strcmp(word, "false") == 0)
        return json_false();
    for (size_t i = 0; i < len; i++)
        if (word[i] != '_')
            digits[n++] = word[i];
    digits[n] = '\0';
    if (n && strspn(digits, "0123456789+-") == n) {
        number = strtoll(digits, &end, 10);
        if (*end == '\0')
            return json_integer(number);
    }
    if (read_fraction(digits, &fraction))
        return json_real(fraction);
    wrong(p, "expected a string, a number, true, false, an array or a table");
    return NULL;
}

static json_t *parse_value(parser *p, int depth)
{
    if (depth > SB_TOML_DEPTH_MAX) {
        wrong(p, "nested too deep");
        return NULL;
    }
    skip_blanks(p);
    if (peek(p) == '"' || peek(p) == '\'') {
        sb_autobuf text = SB_BUF_INIT(STRING_MAX);
        json_t *value;

        sb_buf_addz(&text, "");
        if (parse_string(p, true, &text) < 0)
            return NULL;
        value = json_stringn(text.data, text.len);
        if (!value)
            wrong(p, "a string is not UTF-8");
        return value;
    }
    if (peek(p) == '[')
        return parse_array(p, depth);
    if (peek(p) == '{')
        return parse_inline_table(p, depth);
    return parse_word(p);
}

/* The table `key` of a table, made if missing; of an array of tables its last one. */
static json_t *enter(parser *p, json_t *table, const char *key)
{
    json_t *inner = json_object_get(table, key);

    if (!inner) {
        inner = json_object();
        if (json_object_set_new(table, key, inner) < 0) {
            wrong(p, "a key is not UTF-8");
            return NULL;
        }
        return inner;
    }
    if (json_is_array(inner) && json_array_size(inner))
        inner = json_array_get(inner, json_array_size(inner) - 1);
    if (!json_is_object(inner)) {
        wrong(p, "a key that has a value is used as a table");
        return NULL;
    }
    return inner;
}

/* Walks "a.b.c": returns the table of the last key, which is left in `key`. */
static json_t *walk(parser *p, json_t *table, sb_buf *key)
{
    int depth = 0;

    if (parse_key(p, key) < 0)
        return NULL;
    while (peek(p) == '.') {
        if (++depth > SB_TOML_DEPTH_MAX) {
            wrong(p, "nested too deep");
            return NULL;
        }
        table = enter(p, table, key->data);
        next(p);
        if (!table || parse_key(p, key) < 0)
            return NULL;
    }
    return table;
}

static int parse_assignment(parser *p, json_t *table, int depth)
{
    sb_autobuf key = SB_BUF_INIT(STRING_MAX);
    json_t *value;

    table = walk(p, table, &key);
    if (!table)
        return -1;
    if (peek(p) != '=')
        return wrong(p, "expected \"=\" behind a key");
    next(p);
    if (json_object_get(table, key.data))
        return wrong(p, "a key is given twice");
    value = parse_value(p, depth);
    if (!value)
        return -1;
    if (json_object_set_new(table, key.data, value) < 0)
        return wrong(p, "a key is not UTF-8");
    return 0;
}

/* [a.b] or [[a.b]] */
static json_t *parse_header(parser *p, json_t *root)
{
    sb_autobuf key = SB_BUF_INIT(STRING_MAX);
    bool array = peek_at(p, 1) == '[';
    json_t *table, *list, *item;

    p->at += array ? 2 : 1;
    table = walk(p, root, &key);
    if (!table)
        return NULL;
    if (peek(p) != ']' || (array && peek_at(p, 1) != ']')) {
        wrong(p, "a table's header has no end");
        return NULL;
    }
    p->at += array ? 2 : 1;
    if (!array)
        return enter(p, table, key.data);
    list = json_object_get(table, key.data);
    if (!list) {
        list = json_array();
        if (json_object_set_new(table, key.data, list) < 0) {
            wrong(p, "a key is not UTF-8");
            return NULL;
        }
    }
    if (!json_is_array(list)) {
        wrong(p, "a key that has a value is used as an array of tables");
        return NULL;
    }
    item = json_object();
    if (p->lines)
        json_object_set_new(item, SB_TOML_LINE, json_integer(p->line));
    json_array_append_new(list, item);
    return item;
}

static int parse(sb_slice text, const char *name, bool lines, json_t **ret_json, sb_error **err)
{
    parser p = {.text = text, .line = 1, .name = name, .lines = lines, .err = err};
    sb_autojson *root = json_object();
    json_t *table = root;

    if (sb_slice_starts(text, SB_LIT("\xef\xbb\xbf")))
        p.at = 3;
    for (;;) {
        skip_lines(&p);
        if (peek(&p) == END)
            break;
        if (peek(&p) == '[') {
            table = parse_header(&p, root);
            if (!table)
                return -1;
        } else if (parse_assignment(&p, table, 0) < 0) {
            return -1;
        }
        if (end_line(&p) < 0)
            return -1;
    }
    *ret_json = SB_TAKE(root);
    return 0;
}

int sb_toml_parse(sb_slice text, const char *name, json_t **ret_json, sb_error **err)
{
    return parse(text, name, false, ret_json, err);
}

int sb_toml_parse_lines(sb_slice text, const char *name, json_t **ret_json, sb_error **err)
{
    return parse(text, name, true, ret_json, err);
}
