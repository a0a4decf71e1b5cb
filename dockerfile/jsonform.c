// SPDX-License-Identifier: Apache-2.0
/*
 * The exec form: a strict JSON array of strings. Anything that is not JSON is another form of the
 * instruction; JSON with anything but strings in it is an error, so that the whole array has to be
 * understood.
 */
#include <dockerfile/space.h>
#include <dockerfile/tree.h>

#include <sbuild/utf8.h>

#include <math.h>

enum { DEPTH_MAX = 10000, NUMBER_MAX = 400 };

typedef struct scan {
    sb_slice text;
    size_t i;
} scan;

static void skip_space(scan *s)
{
    while (s->i < s->text.len && strchr(" \t\r\n", s->text.ptr[s->i]) && s->text.ptr[s->i])
        s->i++;
}

static bool take(scan *s, char c)
{
    if (s->i >= s->text.len || s->text.ptr[s->i] != c)
        return false;
    s->i++;
    return true;
}

static bool take_word(scan *s, sb_slice word)
{
    if (!sb_slice_starts(sb_slice_sub(s->text, s->i, s->text.len), word))
        return false;
    s->i += word.len;
    return true;
}

/* Four hex digits. */
static bool take_hex(scan *s, uint32_t *ret_value)
{
    uint32_t value = 0;

    if (s->text.len - s->i < 4)
        return false;
    for (int k = 0; k < 4; k++) {
        int digit = sb_hex_value(s->text.ptr[s->i + (size_t)k]);

        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    s->i += 4;
    *ret_value = value;
    return true;
}

/* The string that begins at its quote; *ret_plain tells that it holds no escapes. */
static bool take_string(scan *s, bool *ret_plain)
{
    uint32_t unused;

    if (!take(s, '"'))
        return false;
    *ret_plain = true;
    while (s->i < s->text.len) {
        char c = s->text.ptr[s->i++];

        if (c == '"')
            return true;
        if ((unsigned char)c < 0x20)
            return false;
        if (c != '\\')
            continue;
        *ret_plain = false;
        if (s->i >= s->text.len)
            return false;
        c = s->text.ptr[s->i++];
        if (c == 'u' ? !take_hex(s, &unused) : !c || !strchr("\"\\/bfnrt", c))
            return false;
    }
    return false;
}

static size_t take_digits(scan *s)
{
    size_t start = s->i;

    while (s->i < s->text.len && s->text.ptr[s->i] >= '0' && s->text.ptr[s->i] <= '9')
        s->i++;
    return s->i - start;
}

/* A number that a double can hold. */
static bool take_number(scan *s)
{
    char digits[NUMBER_MAX + 1];
    size_t start = s->i, len;

    take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            take(s, '-');
        if (!take_digits(s))
            return false;
    }
    len = s->i - start;
    if (len > NUMBER_MAX)
        return false;
    memcpy(digits, s->text.ptr + start, len);
    digits[len] = '\0';
    return isfinite(strtod(digits, NULL));
}

static bool take_scalar(scan *s)
{
    bool plain;

    if (s->i >= s->text.len)
        return false;
    switch (s->text.ptr[s->i]) {
    case '"':
        return take_string(s, &plain);
    case 't':
        return take_word(s, SB_LIT("true"));
    case 'f':
        return take_word(s, SB_LIT("false"));
    case 'n':
        return take_word(s, SB_LIT("null"));
    default:
        return take_number(s);
    }
}

/* "key": of an object */
static bool take_key(scan *s)
{
    bool plain;

    skip_space(s);
    if (!take_string(s, &plain))
        return false;
    skip_space(s);
    return take(s, ':');
}

/* Any value; `open` is a stack of the brackets that are open. */
static bool take_nested(scan *s, char open[DEPTH_MAX])
{
    size_t depth = 0;

    for (;;) {
        char bracket;

        skip_space(s);
        bracket = s->i < s->text.len ? s->text.ptr[s->i] : '\0';
        if (bracket == '[' || bracket == '{') {
            s->i++;
            if (depth == DEPTH_MAX)
                return false;
            open[depth++] = bracket == '[' ? ']' : '}';
            skip_space(s);
            if (!take(s, open[depth - 1])) {
                if (bracket == '{' && !take_key(s))
                    return false;
                continue;
            }
            depth--;
        } else if (!take_scalar(s)) {
            return false;
        }
        for (;;) {
            if (depth == 0)
                return true;
            skip_space(s);
            if (take(s, ',')) {
                if (open[depth - 1] == '}' && !take_key(s))
                    return false;
                break;
            }
            if (!take(s, open[depth - 1]))
                return false;
            depth--;
        }
    }
}

static bool is_array(sb_slice text)
{
    sb_autofree char *open = sb_malloc(DEPTH_MAX);
    scan s = {text, 0};

    if (!take_nested(&s, open))
        return false;
    skip_space(&s);
    return s.i == text.len;
}

/* One escape of a valid string, behind its backslash; a lone surrogate becomes U+FFFD. */
static uint32_t decode_escape(scan *s)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    char c = s->text.ptr[s->i++];
    const char *name = strchr(names, c);
    uint32_t high, low;
    scan ahead;

    if (c != 'u')
        return name ? (uint32_t)values[name - names] : (uint32_t)c;
    if (!take_hex(s, &high))
        return 0xfffd;
    ahead = *s;
    if (high >= 0xd800 && high < 0xdc00 && take_word(&ahead, SB_LIT("\\u")) && take_hex(&ahead, &low) &&
        low >= 0xdc00 && low < 0xe000) {
        *s = ahead;
        return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    return high;
}

/* What a valid string (without its quotes) says. */
static sb_slice decode_string(sb_arena *arena, sb_slice inner)
{
    char *out = sb_arena_alloc(arena, inner.len + 1);
    scan s = {inner, 0};
    size_t len = 0;

    while (s.i < inner.len) {
        if (inner.ptr[s.i] == '\\') {
            s.i++;
            len += sb_utf8_encode(decode_escape(&s), out + len);
        } else {
            out[len++] = inner.ptr[s.i++];
        }
    }
    return df_valid_text(arena, sb_slice_of(out, len));
}

/* The strings of a valid array; false at the first element that is none. */
static int add_strings(df_parser *p, sb_slice rest, bool *ret_strings, sb_error **err)
{
    scan s = {rest, 1};

    *ret_strings = true;
    for (;;) {
        sb_slice raw, text;
        size_t start;
        bool plain;

        skip_space(&s);
        if (take(&s, ']'))
            return 0;
        start = s.i;
        if (!take_string(&s, &plain)) {
            *ret_strings = false;
            return 0;
        }
        raw = sb_slice_sub(rest, start, s.i);
        text = sb_slice_sub(raw, 1, raw.len - 1);
        text = plain ? df_valid_text(p->arena, text) : decode_string(p->arena, text);
        if (df_add_word(p, raw, text, err) < 0)
            return -1;
        skip_space(&s);
        take(&s, ',');
    }
}

int df_json_words(df_parser *p, sb_slice rest, bool *ret_json, sb_error **err)
{
    bool strings;

    *ret_json = false;
    if (rest.len == 0 || rest.ptr[0] != '[' || !is_array(rest))
        return 0;
    if (add_strings(p, rest, &strings, err) < 0)
        return -1;
    if (!strings)
        return df_fail(p, df_line_span(&p->line, rest).start, err,
                       "when using JSON array syntax, arrays must be comprised of strings only");
    *ret_json = true;
    return 0;
}
