// SPDX-License-Identifier: Apache-2.0
/* Shell patterns of "*" and "?" alone, as ${x#…}, ${x%…} and ${x/…/…} have them. */
#include <dockerfile/expand.h>
#include <dockerfile/letters.h>
#include <dockerfile/space.h>

#include <sbuild/utf8.h>

enum { STAR = 0x110000, ANY = 0x110001 };

typedef struct compiled {
    uint32_t *tokens; /* characters, STAR or ANY */
    size_t count;
    bool *now, *then; /* which tokens may come next */
} compiled;

static void compiled_clear(compiled *p)
{
    free(p->tokens);
    free(p->now);
    free(p->then);
}
#define autocompiled __attribute__((cleanup(compiled_clear))) compiled

static uint32_t char_at(sb_slice s, size_t i)
{
    uint32_t c;

    if ((unsigned char)s.ptr[i] < 0x80)
        return (unsigned char)s.ptr[i];
    return sb_utf8_decode(s.ptr + i, s.len - i, &c) ? c : 0xfffd;
}

/* Back to front, but an escape stays before what it escapes. */
static void reverse_pattern(uint32_t *chars, size_t count)
{
    uint32_t *copy = sb_new_array(uint32_t, count + 1);

    memcpy(copy, chars, count * sizeof(*chars));
    for (size_t i = 0; i < count;) {
        if (copy[i] == '\\' && i + 1 < count) {
            chars[count - i - 2] = copy[i];
            chars[count - i - 1] = copy[i + 1];
            i += 2;
        } else {
            chars[count - i - 1] = copy[i];
            i++;
        }
    }
    free(copy);
}

static int fail_escape(sb_slice text, bool suffix, const uint32_t *chars, size_t count, size_t i,
                       sb_error **err)
{
    sb_autobuf shown = SB_BUF_INIT(1024), escaped = SB_BUF_INIT(8);
    char bytes[4];

    if (!suffix) {
        sb_buf_add_printable(&shown, text, 200);
    } else {
        for (size_t k = 0; k < count && k < 50; k++)
            sb_buf_add_printable(&shown, sb_slice_of(bytes, sb_utf8_encode(chars[k], bytes)), 4);
    }
    sb_buf_add(&escaped, bytes, sb_utf8_encode(i < count ? chars[i] : 0xfffd, bytes));
    return sb_fail(err, SB_ERR_PARSE, "invalid pattern (%s) in substitution: invalid escape '\\%s'",
                   shown.data ? shown.data : "", escaped.data);
}

/* Characters to tokens, in place. */
static int tokenize(compiled *p, sb_slice text, bool suffix, sb_error **err)
{
    const uint32_t *chars = p->tokens;
    size_t count = p->count, n = 0;

    for (size_t i = count && chars[0] == 0xfeff ? 1 : 0; i < count; i++) {
        uint32_t c = chars[i];

        if (c == '*') {
            c = STAR;
        } else if (c == '?') {
            c = ANY;
        } else if (c == '\\') {
            if (i + 1 < count && (chars[i + 1] == '}' || chars[i + 1] == '/'))
                continue;
            i++;
            if (i >= count || (chars[i] != '*' && chars[i] != '?' && chars[i] != '\\'))
                return fail_escape(text, suffix, chars, count, i, err);
            c = chars[i];
        }
        if (c != STAR || !n || p->tokens[n - 1] != STAR)
            p->tokens[n++] = c;
    }
    p->count = n;
    return 0;
}

static int compile(sb_slice text, bool suffix, compiled *p, sb_error **err)
{
    p->tokens = sb_new_array(uint32_t, text.len + 1);
    p->now = sb_new_array(bool, text.len + 2);
    p->then = sb_new_array(bool, text.len + 2);
    for (size_t i = 0; i < text.len; i += df_char_at(text, i))
        p->tokens[p->count++] = char_at(text, i);
    if (suffix)
        reverse_pattern(p->tokens, p->count);
    return tokenize(p, text, suffix, err);
}

static void reach(const compiled *p, bool *set, size_t i, size_t *last)
{
    set[i] = true;
    if (i < p->count && p->tokens[i] == STAR)
        set[++i] = true;
    if (i > *last)
        *last = i;
}

/* Length of the character before s[i]. */
static size_t char_before(sb_slice s, size_t i)
{
    size_t n = 1;

    while (n < i && n < 4 && ((unsigned char)s.ptr[i - n] & 0xc0) == 0x80)
        n++;
    return n;
}

/*
 * Where a match that begins at `at` ends, the longest or the shortest of them; false when there is none.
 * Backwards, the value must be valid UTF-8.
 */
static int match(df_expander *x, compiled *p, sb_slice value, size_t at, bool backwards, bool longest,
                 size_t *ret_end, bool *ret_found, sb_error **err)
{
    size_t first = 0, last = 0;
    bool alive = true;

    *ret_found = false;
    if (df_expand_charge(x, p->count / 64, err) < 0)
        return -1;
    memset(p->now, 0, p->count + 1);
    reach(p, p->now, 0, &last);
    while (alive) {
        size_t n, from = first, to = last, low = p->count, high = 0;
        uint32_t c;

        if (p->now[p->count] && to == p->count) {
            *ret_found = true;
            *ret_end = at;
            if (!longest)
                return 0;
        }
        if (backwards ? at == 0 : at == value.len)
            return 0;
        n = backwards ? char_before(value, at) : df_char_at(value, at);
        c = char_at(value, backwards ? at - n : at);
        if (df_expand_charge(x, to - from + 1, err) < 0)
            return -1;
        alive = false;
        for (size_t i = from; i <= to && i < p->count; i++) {
            uint32_t token = p->tokens[i];
            size_t next = token == STAR ? i : i + 1;

            if (!p->now[i] || !(token < STAR ? token == c : c != '\n'))
                continue;
            reach(p, p->then, next, &high);
            low = next < low ? next : low;
            alive = true;
        }
        memset(p->now + from, 0, to - from + 1);
        for (size_t i = low; i <= high && alive; i++) {
            p->now[i] = p->then[i];
            p->then[i] = false;
        }
        first = low;
        last = high;
        at = backwards ? at - n : at + n;
    }
    return 0;
}

int df_pattern_trim(df_expander *x, sb_slice value, sb_slice pattern, bool suffix, bool longest,
                    sb_slice *ret_rest, sb_error **err)
{
    autocompiled p = {0};
    size_t end = 0;
    bool found;

    if (compile(pattern, suffix, &p, err) < 0)
        return -1;
    if (suffix)
        value = df_valid_text(x->arena, value);
    if (match(x, &p, value, suffix ? value.len : 0, suffix, longest, &end, &found, err) < 0)
        return -1;
    if (found)
        value = suffix ? sb_slice_sub(value, 0, end) : sb_slice_sub(value, end, value.len);
    *ret_rest = value;
    return 0;
}

/* The leftmost match at or behind `at`. */
static int search(df_expander *x, compiled *p, sb_slice value, size_t at, size_t *ret_start, size_t *ret_end,
                  bool *ret_found, sb_error **err)
{
    for (;; at += df_char_at(value, at)) {
        if (p->count && p->tokens[0] < 0x80 && at < value.len) {
            const char *next = memchr(value.ptr + at, (int)p->tokens[0], value.len - at);

            at = next ? (size_t)(next - value.ptr) : value.len;
        }
        if (match(x, p, value, at, false, true, ret_end, ret_found, err) < 0)
            return -1;
        *ret_start = at;
        if (*ret_found || at >= value.len)
            return 0;
    }
}

/* Length of the name behind "$" in a template, braces included, and the name itself; 0 when there is none. */
static size_t template_name(sb_slice s, sb_slice *ret_name)
{
    size_t start = s.len && s.ptr[0] == '{', i = start;

    while (i < s.len && (df_is_letter(char_at(s, i)) || df_is_digit(char_at(s, i)) || s.ptr[i] == '_'))
        i += df_char_at(s, i);
    if (i == start || (start && (i >= s.len || s.ptr[i] != '}')))
        return 0;
    *ret_name = sb_slice_sub(s, start, i);
    return i + start;
}

/* ${x//…/R}: R is a template of Go's regular expressions, without any group: $0 is the match, others nothing.
 */
static void add_template(sb_buf *out, sb_slice text, sb_slice matched)
{
    for (size_t i = 0; i < text.len;) {
        sb_slice name;
        size_t n;

        if (text.ptr[i] != '$') {
            sb_buf_addc(out, text.ptr[i++]);
            continue;
        }
        i++;
        if (i < text.len && text.ptr[i] == '$') {
            sb_buf_addc(out, '$');
            i++;
            continue;
        }
        n = template_name(sb_slice_sub(text, i, text.len), &name);
        if (!n)
            sb_buf_addc(out, '$');
        else if (sb_slice_eqz(name, "0"))
            sb_buf_adds(out, matched);
        i += n;
    }
}

static int replace_all(df_expander *x, compiled *p, sb_slice value, sb_slice template, sb_buf *out,
                       sb_error **err)
{
    size_t at = 0, copied = 0, start, end;
    bool found;

    while (at <= value.len) {
        if (search(x, p, value, at, &start, &end, &found, err) < 0)
            return -1;
        if (!found)
            break;
        sb_buf_adds(out, sb_slice_sub(value, copied, start));
        /* Nothing found right behind a match is no match. */
        if (end > copied || start == 0)
            add_template(out, template, sb_slice_sub(value, start, end));
        if (df_expand_charge(x, template.len + 1, err) < 0)
            return -1;
        if (out->overflow)
            break;
        copied = end;
        if (end > at)
            at = end;
        else
            at += at < value.len ? df_char_at(value, at) : 1;
    }
    sb_buf_adds(out, sb_slice_sub(value, copied, value.len));
    return df_expand_charge(x, value.len, err);
}

int df_pattern_replace(df_expander *x, sb_slice value, sb_slice pattern, sb_slice replacement, bool all,
                       sb_buf *out, sb_error **err)
{
    autocompiled p = {0};
    size_t start, end = 0;
    bool found;

    if (compile(pattern, false, &p, err) < 0)
        return -1;
    if (all)
        return replace_all(x, &p, value, replacement, out, err);
    if (search(x, &p, value, 0, &start, &end, &found, err) < 0)
        return -1;
    if (found) {
        sb_buf_adds(out, sb_slice_sub(value, 0, start));
        sb_buf_adds(out, replacement);
        value = sb_slice_sub(value, end, value.len);
    }
    sb_buf_adds(out, value);
    return df_expand_charge(x, value.len + replacement.len, err);
}
