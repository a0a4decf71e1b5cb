// SPDX-License-Identifier: Apache-2.0
/* What ${x%…} and its like make of a known text. */
#include <shell/read.h>

enum { PATTERN_MAX = 1024 };

/* Where a byte of a pattern comes from. */
enum { WRITTEN, QUOTED, FROM_VALUE };

typedef struct pattern {
    const char *text;
    const unsigned char *origins;
    size_t len;
    size_t *steps; /* that may still be taken */
} pattern;

/* "[a-z]" at `at`: where it ends, 0 when it is none; whether c is in it. */
static size_t in_brackets(const pattern *p, size_t at, unsigned char c, bool *ret_in)
{
    size_t i = at + 1;
    bool negated = false, in = false;

    if (i < p->len && (p->text[i] == '!' || p->text[i] == '^')) {
        negated = true;
        i++;
    }
    for (size_t first = i; i < p->len; i++) {
        unsigned char low = (unsigned char)p->text[i];

        if (low == ']' && i > first && p->origins[i] != QUOTED) {
            *ret_in = in != negated;
            return i + 1;
        }
        if (i + 2 < p->len && p->text[i + 1] == '-' && p->text[i + 2] != ']') {
            in = in || (c >= low && c <= (unsigned char)p->text[i + 2]);
            i += 2;
        } else {
            in = in || c == low;
        }
    }
    return 0;
}

/* Does the whole of s match? A star is retried from where it stood last, which is enough. */
static bool matches(pattern *p, sb_slice s)
{
    size_t at = 0, i = 0;
    size_t star = SIZE_MAX, star_at = 0;

    while (i < s.len || at < p->len) {
        bool special = at < p->len && p->origins[at] != QUOTED;
        bool in = false;
        size_t end = 0;

        if (!*p->steps)
            return false;
        --*p->steps;
        if (special && p->text[at] == '*') {
            star = at++;
            star_at = i;
            continue;
        }
        if (i < s.len && special && p->text[at] == '[')
            end = in_brackets(p, at, (unsigned char)s.ptr[i], &in);
        if (i < s.len && end && in) {
            at = end;
            i++;
        } else if (i < s.len && at < p->len && !end &&
                   ((special && p->text[at] == '?') || p->text[at] == s.ptr[i])) {
            at++;
            i++;
        } else if (star != SIZE_MAX && star_at < s.len) {
            at = star + 1;
            i = ++star_at;
        } else {
            return false;
        }
    }
    return true;
}

static unsigned char origin_of(const sb_sh_part *part)
{
    if (part->quoted)
        return QUOTED;
    return part->kind == SB_SH_LITERAL ? WRITTEN : FROM_VALUE;
}

/* The operand as text, known as a whole. */
static bool operand_text(sh_reader *r, const sb_sh_word *operand, char *text, unsigned char *origins,
                         size_t *ret_len)
{
    *ret_len = 0;
    for (size_t i = 0; i < operand->count; i++) {
        const sb_sh_part *part = &operand->parts[i];
        const sh_variable *variable;
        sb_slice s = part->text;
        bool known = true;

        if (part->kind == SB_SH_PARAM && !part->op.len && !part->index) {
            variable = sh_variable_find(r, part->name);
            if (!variable || !variable->count || variable->array)
                return false;
            s = sh_value_text(r, &variable->values[variable->choice], &known);
        } else if (part->kind != SB_SH_LITERAL) {
            return false;
        }
        if (!known || s.len > PATTERN_MAX - *ret_len)
            return false;
        memcpy(text + *ret_len, s.ptr, s.len);
        for (size_t j = 0; j < s.len; j++)
            origins[(*ret_len)++] = origin_of(part);
    }
    return true;
}

static bool matches_part(pattern *p, sb_slice text, size_t from, size_t to)
{
    return matches(p, sb_slice_sub(text, from, to));
}

static sb_slice remove_prefix(pattern *p, sb_slice text, bool longest)
{
    for (size_t n = 0; n <= text.len; n++) {
        size_t len = longest ? text.len - n : n;

        if (matches_part(p, text, 0, len))
            return sb_slice_sub(text, len, text.len);
    }
    return text;
}

static sb_slice remove_suffix(pattern *p, sb_slice text, bool longest)
{
    for (size_t n = 0; n <= text.len; n++) {
        size_t from = longest ? n : text.len - n;

        if (matches_part(p, text, from, text.len))
            return sb_slice_sub(text, 0, from);
    }
    return text;
}

/* The longest match at `at`; 0 without. */
static size_t match_at(pattern *p, sb_slice text, size_t at)
{
    for (size_t end = text.len; end > at; end--)
        if (matches_part(p, text, at, end))
            return end - at;
    return 0;
}

static bool replace(sh_reader *r, pattern *p, sb_slice text, sb_slice with, char how, sb_slice *ret_text)
{
    sb_autobuf out = SB_BUF_INIT(SH_VALUE_MAX);
    bool done = false;

    /* Nothing is at the beginning, and at the end, of everything. */
    if ((!p->len && how == '#') || (p->len && !text.len && matches(p, text)))
        sb_buf_adds(&out, with);

    for (size_t at = 0; at < text.len;) {
        size_t len = done || (how == '#' && at) ? 0 : match_at(p, text, at);

        if (how == '%' && len && at + len != text.len)
            len = 0;
        if (len) {
            sb_buf_adds(&out, with);
            at += len;
            done = how != '/';
        } else {
            sb_buf_addc(&out, text.ptr[at++]);
        }
    }
    if (!p->len && how == '%')
        sb_buf_adds(&out, with);
    if (out.overflow || out.len > r->bytes_left || !r->steps_left)
        return false;
    r->bytes_left -= out.len;
    *ret_text = sb_arena_dup(r->arena, sb_buf_slice(&out));
    return true;
}

/* "a/b" behind ${x/ : its first "/" that is not quoted parts it. */
static bool apply_replace(sh_reader *r, sb_slice text, sb_slice op, pattern p, sb_slice *ret_text)
{
    size_t slash = 0;
    sb_slice with = SB_LIT("");

    while (slash < p.len && (p.text[slash] != '/' || p.origins[slash] != WRITTEN))
        slash++;
    if (slash < p.len)
        with = sb_slice_of(p.text + slash + 1, p.len - slash - 1);
    p.len = slash;
    return replace(r, &p, text, with, op.len == 2 ? op.ptr[1] : ' ', ret_text);
}

static bool apply_case(sh_reader *r, sb_slice text, sb_slice op, sb_slice *ret_text)
{
    char *changed = sb_arena_strdup(r->arena, text);

    for (size_t i = 0; i < (op.len == 2 ? text.len : text.len > 0); i++) {
        char c = text.ptr[i];

        if (op.ptr[0] == ',')
            changed[i] = sb_ascii_lower(c);
        else if (c >= 'a' && c <= 'z')
            changed[i] = (char)(c - 'a' + 'A');
    }
    *ret_text = sb_slice_of(changed, text.len);
    return true;
}

static bool apply_substring(sb_slice text, sb_slice range, sb_slice *ret_text)
{
    sb_slice start = sb_slice_cut(&range, ':');
    bool from_end = false;
    uint64_t from, len = text.len;

    start = sb_slice_trim(start);
    if (start.len && start.ptr[0] == '-') {
        from_end = true;
        start = sb_slice_sub(start, 1, start.len);
    }
    if (!sb_slice_to_u64(start, &from) || from > text.len ||
        (range.ptr && !sb_slice_to_u64(sb_slice_trim(range), &len)))
        return false;
    if (from_end)
        from = text.len - from;
    if (len > text.len - from)
        len = text.len - from;
    *ret_text = sb_slice_sub(text, (size_t)from, (size_t)(from + len));
    return true;
}

bool sh_apply(sh_reader *r, sb_slice text, sb_slice op, const sb_sh_word *operand, sb_slice *ret_text)
{
    char bytes[PATTERN_MAX + 1];
    unsigned char origins[PATTERN_MAX + 1];
    pattern p = {.text = bytes, .origins = origins, .steps = &r->steps_left};
    bool twice = op.len == 2;

    if (sb_slice_eqz(op, "length")) {
        *ret_text = sb_arena_printf(r->arena, "%zu", text.len);
        return true;
    }
    if (!operand || !operand_text(r, operand, bytes, origins, &p.len))
        return false;
    switch (op.ptr[0]) {
    case '#':
        *ret_text = remove_prefix(&p, text, twice);
        return r->steps_left > 0;
    case '%':
        *ret_text = remove_suffix(&p, text, twice);
        return r->steps_left > 0;
    case '/':
        return apply_replace(r, text, op, p, ret_text);
    case '^':
    case ',':
        return !p.len && apply_case(r, text, op, ret_text);
    case ':':
        return op.len == 1 && apply_substring(text, sb_slice_of(bytes, p.len), ret_text);
    default:
        return false;
    }
}
