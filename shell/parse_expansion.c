// SPDX-License-Identifier: Apache-2.0
#include <shell/parse.h>

#include <sbuild/utf8.h>

static void add_part(sh_parser *p, sb_sh_part part, size_t start)
{
    part.text = sb_slice_of(p->src.text + start, p->src.at - start);
    part.span = sh_span(p, start);
    SH_STACK_PUSH(p->parts, part);
}

/* A quoted nothing is a part too: it makes an (empty) argument. */
static void add_quoted(sh_parser *p, sb_slice text, size_t start)
{
    SH_STACK_PUSH(p->parts, ((sb_sh_part){.kind = SB_SH_LITERAL,
                                          .quoted = true,
                                          .text = text.ptr ? text : SB_LIT(""),
                                          .span = sh_span(p, start)}));
}

/* --- Quotes -------------------------------------------------------------------------------------------- */

void sh_single_quoted(sh_parser *p)
{
    size_t start = p->src.at;
    const char *begin = p->src.text + start + 1;
    const char *end = memchr(begin, '\'', p->src.end - start - 1);

    if (!end) {
        sh_fail(p, "a ' has no partner", start);
        return;
    }
    p->src.at = (size_t)(end - p->src.text) + 1;
    add_quoted(p, sb_slice_of(begin, (size_t)(end - begin)), start);
}

static void double_quoted_content(sh_parser *p, size_t start)
{
    size_t literal = p->src.at;

    while (!p->trouble && !sh_at_end(p)) {
        char c = p->src.text[p->src.at];
        size_t at = p->src.at;

        if (c == '"')
            break;
        if (c == '\\' && p->src.end - at > 1) {
            size_t continued = sh_continuation(p);
            char next = p->src.text[at + 1];

            if (continued == 2 || next == '$' || next == '`' || next == '"' || next == '\\') {
                sh_add_literal(p, literal, at, true);
                literal = at + (continued ? continued : 1);
            }
            p->src.at += 2;
        } else if (c == '$' || c == '`') {
            literal = sh_expansion_in_text(p, literal, true);
        } else {
            p->src.at++;
        }
    }
    if (p->trouble)
        return;
    if (sh_at_end(p)) {
        sh_fail(p, "a \" has no partner", start);
        return;
    }
    sh_add_literal(p, literal, p->src.at, true);
    p->src.at++;
}

void sh_double_quoted(sh_parser *p)
{
    size_t start = p->src.at;
    size_t mark = p->parts.len;

    if (sh_enter(p, start)) {
        p->src.at++;
        double_quoted_content(p, start);
    }
    sh_leave(p);
    if (!p->trouble && p->parts.len == mark)
        add_quoted(p, SB_NIL, start);
}

static size_t escape_digits(sb_slice s, size_t at, size_t most, unsigned base, uint32_t *ret_value)
{
    size_t n = 0;

    *ret_value = 0;
    for (; n < most && at + n < s.len; n++) {
        int digit = sb_hex_value(s.ptr[at + n]);

        if (digit < 0 || (unsigned)digit >= base)
            break;
        *ret_value = *ret_value * base + (unsigned)digit;
    }
    return n;
}

/* What $'…' stands for; at most two bytes longer than it is written (an invalid character). */
static sb_slice ansi_unescape(sb_arena *arena, sb_slice raw)
{
    static const char from[] = "abeEfnrtv";
    static const char to[] = "\a\b\033\033\f\n\r\t\v";
    char *text, *out;

    if (sb_slice_chr(raw, '\\') < 0)
        return raw;
    out = text = sb_arena_alloc(arena, raw.len + 4);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        const char *known;
        uint32_t value;
        size_t digits;

        if (c != '\\' || i + 1 == raw.len) {
            *out++ = c;
            continue;
        }
        c = raw.ptr[++i];
        known = c ? strchr(from, c) : NULL;
        if (known) {
            *out++ = to[known - from];
        } else if (c == 'x' && (digits = escape_digits(raw, i + 1, 2, 16, &value)) > 0) {
            *out++ = (char)value;
            i += digits;
        } else if ((c == 'u' || c == 'U') &&
                   (digits = escape_digits(raw, i + 1, c == 'u' ? 4 : 8, 16, &value)) > 0) {
            out += sb_utf8_encode(value, out);
            i += digits;
        } else if ((digits = escape_digits(raw, i, 3, 8, &value)) > 0) {
            *out++ = (char)value;
            i += digits - 1;
        } else if (c == 'c' && i + 1 < raw.len) {
            *out++ = (char)(raw.ptr[++i] & 0x1f);
        } else if (c == '\'' || c == '"' || c == '\\' || c == '?') {
            *out++ = c;
        } else {
            *out++ = '\\';
            *out++ = c;
        }
    }
    return sb_slice_of(text, (size_t)(out - text));
}

void sh_ansi_quoted(sh_parser *p)
{
    size_t start = p->src.at;
    size_t at = start + 2;
    sb_slice raw;

    while (at < p->src.end && p->src.text[at] != '\'')
        at += p->src.text[at] == '\\' ? 2 : 1;
    if (at >= p->src.end) {
        sh_fail(p, "a $' has no partner", start);
        return;
    }
    raw = sb_slice_of(p->src.text + start + 2, at - start - 2);
    p->src.at = at + 1;
    add_quoted(p, ansi_unescape(p->arena, raw), start);
}

/* --- Commands within ----------------------------------------------------------------------------------- */

bool sh_process_substitution(sh_parser *p)
{
    size_t start = p->src.at;
    sb_sh_part part = {.kind = p->src.text[start] == '<' ? SB_SH_PROCESS_IN : SB_SH_PROCESS_OUT};

    p->src.at += 2;
    part.script = sh_script_in_parentheses(p, start);
    add_part(p, part, start);
    return true;
}

/* The text between backticks without the backslashes that belong to them. */
static sh_source unescape_backticks(sh_parser *p, sb_slice raw, bool quoted, size_t start)
{
    char *text = sb_arena_alloc(p->arena, raw.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char next = i + 1 < raw.len ? raw.ptr[i + 1] : '\0';

        if (raw.ptr[i] == '\\' && (next == '$' || next == '`' || next == '\\' || (quoted && next == '"')))
            i++;
        text[len++] = raw.ptr[i];
    }
    return (sh_source){.text = text,
                       .end = len,
                       .fixed = true,
                       .span = p->src.fixed ? p->src.span : (sb_span){start, start + raw.len + 2}};
}

static void backticks(sh_parser *p, bool quoted)
{
    sb_sh_part part = {.kind = SB_SH_COMMAND, .quoted = quoted};
    sh_source outer = p->src;
    size_t start = outer.at;
    size_t at = start + 1;
    bool escaped = false;

    while (at < outer.end && outer.text[at] != '`') {
        escaped = escaped || outer.text[at] == '\\';
        at += outer.text[at] == '\\' ? 2 : 1;
    }
    if (at >= outer.end) {
        sh_fail(p, "a ` has no partner", start);
        return;
    }
    if (sh_enter(p, start)) {
        p->src.at++;
        p->src.end = at;
        if (escaped)
            p->src =
                unescape_backticks(p, sb_slice_of(outer.text + start + 1, at - start - 1), quoted, start);
        part.script = sh_script(p);
    }
    sh_leave(p);
    p->src = outer;
    p->src.at = p->trouble ? outer.end : at + 1;
    if (part.script) {
        p->src.at = at + 1;
        add_part(p, part, start);
        p->src.at = p->trouble ? outer.end : at + 1;
    }
}

static bool arithmetic(sh_parser *p, size_t open, size_t end, size_t close, bool quoted)
{
    sb_sh_part part = {.kind = SB_SH_ARITH, .quoted = quoted};
    size_t start = p->src.at;
    sb_sh_word inner;

    if (!sh_enter(p, start)) {
        sh_leave(p);
        return true;
    }
    p->src.at += open;
    sh_text_word(p, end, false, &inner);
    sh_leave(p);
    if (p->trouble)
        return true;
    part.operand = sh_word_dup(p, &inner);
    p->src.at = end + close;
    add_part(p, part, start);
    return true;
}

/* --- Parameters ---------------------------------------------------------------------------------------- */

static bool is_special_parameter(char c)
{
    return c && strchr("@*#?-$!", c);
}

/* Its length at `at`: a name, digits or one special character. */
static size_t parameter_length(const sh_parser *p, size_t at)
{
    size_t end = at;

    if (at >= p->src.end)
        return 0;
    if (sh_is_name_start(p->src.text[at]))
        while (end < p->src.end && (sh_is_name_start(p->src.text[end]) || sh_is_digit(p->src.text[end])))
            end++;
    else if (sh_is_digit(p->src.text[at]))
        while (end < p->src.end && sh_is_digit(p->src.text[end]))
            end++;
    else if (is_special_parameter(p->src.text[at]))
        end++;
    return end - at;
}

/* Up to the "}" that ends it, which is not read. In double quotes a ' is one only in a pattern. */
static sb_sh_word *operand(sh_parser *p, bool quoted, bool pattern)
{
    size_t start = p->src.at;
    size_t mark = p->parts.len;
    size_t literal = start;
    bool quotes = !quoted || pattern;
    bool as_quoted = quoted && !pattern;
    sb_sh_word word;

    while (!p->trouble && !sh_at_end(p) && p->src.text[p->src.at] != '}') {
        size_t at = p->src.at;
        char c = p->src.text[at];

        if ((c == '\'' && quotes) || c == '"' || (c == '$' && quotes && sh_peek(p, 1) == '\'')) {
            sh_add_literal(p, literal, at, as_quoted);
            if (c == '"')
                sh_double_quoted(p);
            else if (c == '$')
                sh_ansi_quoted(p);
            else
                sh_single_quoted(p);
            literal = p->src.at;
        } else if (c == '\\' && p->src.end - at > 1) {
            size_t continued = sh_continuation(p);

            if (quotes || continued || strchr("$`\"\\}", p->src.text[at + 1])) {
                sh_add_literal(p, literal, at, as_quoted);
                if (!continued)
                    sh_add_literal(p, at + 1, at + 2, true);
                literal = at + (continued ? continued : 2);
            }
            p->src.at += continued ? continued : 2;
        } else if (c == '$' || c == '`') {
            literal = sh_expansion_in_text(p, literal, as_quoted);
        } else {
            p->src.at++;
        }
    }
    if (!p->trouble)
        sh_add_literal(p, literal, p->src.at, as_quoted);
    sh_word_done(p, mark, start, &word);
    return sh_word_dup(p, &word);
}

static bool is_pattern_operator(sb_slice op)
{
    return op.ptr[0] == '#' || op.ptr[0] == '%' || op.ptr[0] == '/' || op.ptr[0] == '^' || op.ptr[0] == ',';
}

/* Behind the name: operator and operand. False when it is none. */
static bool parameter_operator(sh_parser *p, sb_sh_part *part)
{
    static const char *const operators[] = {":-", ":=", ":+", ":?", "##", "%%", "//", "/#",
                                            "/%", "^^", ",,", "~~", "-",  "=",  "+",  "?",
                                            "#",  "%",  "/",  "^",  ",",  "~",  "@",  ":"};

    for (size_t i = 0; i < SB_COUNT(operators); i++) {
        if (!sh_looking_at(p, operators[i]))
            continue;
        if (!part->op.ptr)
            part->op = sb_slice_z(operators[i]);
        p->src.at += strlen(operators[i]);
        part->operand = operand(p, part->quoted, is_pattern_operator(sb_slice_z(operators[i])));
        return true;
    }
    return false;
}

/* "#" and "!" before a name are operators; alone, and before an operator, they are names. */
static sb_slice prefix_operator(const sh_parser *p)
{
    char c = sh_peek(p, 0);
    char next = sh_peek(p, 1);

    if ((c != '#' && c != '!') || next == '}')
        return SB_NIL;
    if (sh_is_name_start(next) || sh_is_digit(next))
        return c == '#' ? SB_LIT("length") : SB_LIT("!");
    if (is_special_parameter(next) && sh_peek(p, 2) == '}')
        return c == '#' ? SB_LIT("length") : SB_LIT("!");
    return SB_NIL;
}

static void braces_content(sh_parser *p, sb_sh_part *part, size_t start)
{
    size_t len;

    p->src.at += 2;
    part->op = prefix_operator(p);
    if (part->op.ptr)
        p->src.at++;
    len = parameter_length(p, p->src.at);
    if (!len) {
        sh_fail(p, "\"${\" is not followed by the name of a variable", start);
        return;
    }
    part->name = sb_slice_of(p->src.text + p->src.at, len);
    p->src.at += len;
    if (sh_peek(p, 0) == '[') {
        part->index = sh_subscript(p);
        if (!part->index) {
            sh_fail(p, "a subscript does not end", start);
            return;
        }
    }
    if (part->op.ptr && part->op.ptr[0] == '!' && (sh_peek(p, 0) == '*' || sh_peek(p, 0) == '@'))
        p->src.at++;
    if (sh_peek(p, 0) != '}' && !sh_at_end(p) && !parameter_operator(p, part)) {
        sh_fail(p, "what is in \"${…}\" is not understood", start);
        return;
    }
    if (p->trouble)
        return;
    if (sh_at_end(p)) {
        sh_fail(p, "a \"${\" has no \"}\"", start);
        return;
    }
    if (!part->op.ptr)
        part->op = SB_LIT("");
    p->src.at++;
}

static void braces(sh_parser *p, bool quoted)
{
    sb_sh_part part = {.kind = SB_SH_PARAM, .quoted = quoted};
    size_t start = p->src.at;

    if (sh_enter(p, start))
        braces_content(p, &part, start);
    sh_leave(p);
    if (!p->trouble)
        add_part(p, part, start);
}

bool sh_expansion(sh_parser *p, bool quoted)
{
    size_t start = p->src.at;
    sb_sh_part part = {.kind = SB_SH_PARAM, .quoted = quoted, .op = SB_LIT("")};
    char next = sh_peek(p, 1);
    size_t len, end;

    if (p->src.text[start] == '`') {
        backticks(p, quoted);
        return true;
    }
    if (next == '{') {
        braces(p, quoted);
        return true;
    }
    if (next == '(' && sh_peek(p, 2) == '(' && sh_find_arithmetic_end(p, start + 3, &end))
        return arithmetic(p, 3, end, 2, quoted);
    if (next == '(') {
        part.kind = SB_SH_COMMAND;
        p->src.at += 2;
        part.script = sh_script_in_parentheses(p, start);
        add_part(p, part, start);
        return true;
    }
    len = parameter_length(p, start + 1);
    if (!len)
        return false;
    if (sh_is_digit(next))
        len = 1; /* $10 is $1 and a 0 */
    part.name = sb_slice_of(p->src.text + start + 1, len);
    p->src.at += 1 + len;
    add_part(p, part, start);
    return true;
}

size_t sh_expansion_in_text(sh_parser *p, size_t literal, bool quoted)
{
    size_t at = p->src.at;

    sh_add_literal(p, literal, at, quoted);
    if (sh_expansion(p, quoted))
        return p->src.at;
    p->src.at++;
    return at;
}
