// SPDX-License-Identifier: Apache-2.0
#include <shell/parse.h>

enum { DELIMITER = 1, SPECIAL = 2 };

/* Bytes that a run of plain text stops at. */
static const unsigned char classes[256] = {
    [' '] = DELIMITER, ['\t'] = DELIMITER, ['\n'] = DELIMITER, [';'] = DELIMITER, ['&'] = DELIMITER,
    ['|'] = DELIMITER, ['<'] = DELIMITER,  ['>'] = DELIMITER,  ['('] = DELIMITER, [')'] = DELIMITER,
    ['\r'] = SPECIAL,  ['\''] = SPECIAL,   ['"'] = SPECIAL,    ['`'] = SPECIAL,   ['$'] = SPECIAL,
    ['\\'] = SPECIAL,  ['*'] = SPECIAL,    ['?'] = SPECIAL,    ['['] = SPECIAL,
};

bool sh_is_delimiter(char c)
{
    return classes[(unsigned char)c] == DELIMITER;
}

bool sh_looking_at(const sh_parser *p, const char *what)
{
    size_t len = strlen(what);

    return p->src.end - p->src.at >= len && memcmp(p->src.text + p->src.at, what, len) == 0;
}

size_t sh_continuation(const sh_parser *p)
{
    if (sh_peek(p, 0) != '\\')
        return 0;
    if (sh_peek(p, 1) == '\n')
        return 2;
    return sh_peek(p, 1) == '\r' && sh_peek(p, 2) == '\n' ? 3 : 0;
}

/* Of a line end of Windows, or the last of the text. */
static bool is_stray_return(const sh_parser *p)
{
    return sh_peek(p, 0) == '\r' && (p->src.end - p->src.at == 1 || sh_peek(p, 1) == '\n');
}

void sh_skip_blanks(sh_parser *p)
{
    while (!sh_at_end(p)) {
        char c = p->src.text[p->src.at];
        size_t continued = sh_continuation(p);

        if (c == ' ' || c == '\t' || is_stray_return(p)) {
            p->src.at++;
        } else if (continued) {
            p->src.at += continued;
        } else if (c == '#') {
            const char *end = memchr(p->src.text + p->src.at, '\n', p->src.end - p->src.at);

            p->src.at = end ? (size_t)(end - p->src.text) : p->src.end;
            return;
        } else {
            return;
        }
    }
}

void sh_skip_newlines(sh_parser *p)
{
    for (;;) {
        sh_skip_blanks(p);
        if (sh_peek(p, 0) != '\n' || sh_at_end(p))
            return;
        p->src.at++;
        sh_heredocs(p);
    }
}

void sh_add_literal(sh_parser *p, size_t from, size_t to, bool quoted)
{
    sb_sh_part part = {.kind = SB_SH_LITERAL, .quoted = quoted};

    if (from >= to)
        return;
    part.text = sb_slice_of(p->src.text + from, to - from);
    part.span = p->src.fixed ? p->src.span : (sb_span){from, to};
    SH_STACK_PUSH(p->parts, part);
}

void sh_word_done(sh_parser *p, size_t mark, size_t start, sb_sh_word *ret_word)
{
    *ret_word = (sb_sh_word){.span = sh_span(p, start)};
    ret_word->parts = SH_STACK_TAKE(p, p->parts, mark, &ret_word->count);
    if (!p->words_left)
        sh_fail(p, "it has too many words", start);
    else
        p->words_left--;
}

sb_sh_word *sh_word_dup(sh_parser *p, const sb_sh_word *word)
{
    sb_sh_word *copy = sb_arena_new_of(p->arena, sb_sh_word);

    *copy = *word;
    return copy;
}

static void add_glob(sh_parser *p, size_t from)
{
    sb_sh_part part = {.kind = SB_SH_GLOB, .text = sb_slice_of(p->src.text + from, p->src.at - from)};

    part.span = sh_span(p, from);
    SH_STACK_PUSH(p->parts, part);
}

/* "[a-z]" at src.at; a "[" without its "]" in the same word is text. */
static bool bracket(sh_parser *p)
{
    size_t at = p->src.at + 1;

    if (p->src.at < p->no_bracket)
        return false;
    if (at < p->src.end && (p->src.text[at] == '!' || p->src.text[at] == '^'))
        at++;
    if (at < p->src.end && p->src.text[at] == ']')
        at++;
    for (; at < p->src.end; at++) {
        char c = p->src.text[at];

        if (c == '[' && at + 1 < p->src.end && p->src.text[at + 1] == ':') {
            size_t end = at + 2;

            while (end < p->src.end && sb_ascii_lower(p->src.text[end]) >= 'a' &&
                   sb_ascii_lower(p->src.text[end]) <= 'z')
                end++;
            if (p->src.end - end >= 2 && p->src.text[end] == ':' && p->src.text[end + 1] == ']')
                at = end + 1;
        } else if (c == ']') {
            size_t from = p->src.at;

            p->src.at = at + 1;
            add_glob(p, from);
            return true;
        } else if (sh_is_delimiter(c) || strchr("'\"`$\\\r", c)) {
            break;
        }
    }
    if (!p->src.fixed)
        p->no_bracket = at;
    return false;
}

/* "(a|b)" of "@(a|b)": up to its ")", with quotes and expansions inside passed over. */
static void extended_glob(sh_parser *p, size_t from)
{
    size_t mark = p->parts.len;
    sb_sh_word inner;

    if (!sh_enter(p, from)) {
        sh_leave(p);
        return;
    }
    p->src.at++;
    while (!p->trouble && !sh_at_end(p) && sh_peek(p, 0) != ')') {
        char c = sh_peek(p, 0);

        if (c == '(')
            extended_glob(p, p->src.at);
        else if (sh_is_delimiter(c) || !sh_word(p, SH_WORD, &inner))
            p->src.at++;
    }
    if (sh_at_end(p))
        sh_fail(p, "a pattern's \"(\" has no \")\"", from);
    else
        p->src.at++;
    p->parts.len = mark;
    sh_leave(p);
    if (!p->trouble)
        add_glob(p, from);
}

static bool is_before_extended_glob(const sh_parser *p, size_t start)
{
    return p->src.at > start && strchr("?*+@!", p->src.text[p->src.at - 1]) && p->src.text[p->src.at - 1];
}

/* The part at src.at, which is one of the special bytes; text before it was added. */
static void special_part(sh_parser *p, sh_word_mode mode)
{
    size_t at = p->src.at;
    char c = p->src.text[at];
    size_t continued = sh_continuation(p);

    if (c == '\'') {
        sh_single_quoted(p);
    } else if (c == '"') {
        sh_double_quoted(p);
    } else if (c == '$' && sh_peek(p, 1) == '\'') {
        sh_ansi_quoted(p);
    } else if (c == '$' && sh_peek(p, 1) == '"') {
        p->src.at++;
        sh_double_quoted(p);
    } else if (c == '$' || c == '`') {
        if (!sh_expansion(p, false)) {
            p->src.at++;
            sh_add_literal(p, at, at + 1, false);
        }
    } else if (continued) {
        p->src.at += continued;
    } else if (c == '\\' && p->src.end - at > 1) {
        p->src.at += 2;
        sh_add_literal(p, at + 1, at + 2, true);
    } else if ((c == '*' || c == '?') && sh_peek(p, 1) == '(' && mode != SH_WORD_REGEX) {
        p->src.at++;
        extended_glob(p, at);
    } else if (c == '*' || c == '?') {
        p->src.at++;
        add_glob(p, at);
    } else if (c != '[' || !bracket(p)) {
        p->src.at++;
        sh_add_literal(p, at, at + 1, false);
    }
}

/* In a regular expression ( ) | belong to the word, and within parentheses blanks and < > & ; as well. */
static bool regex_goes_on(char c, unsigned open)
{
    if (c == '(' || c == '|')
        return true;
    return open && c != '\n';
}

bool sh_word(sh_parser *p, sh_word_mode mode, sb_sh_word *ret_word)
{
    size_t start = p->src.at;
    size_t mark = p->parts.len;
    size_t literal = start;
    unsigned open = 0; /* parentheses of a regular expression */

    if (!sh_enter(p, start)) {
        sh_leave(p);
        return false;
    }
    while (!p->trouble && !sh_at_end(p)) {
        char c = p->src.text[p->src.at];
        unsigned char kind = classes[(unsigned char)c];

        if (!kind) {
            p->src.at++;
            continue;
        }
        if (kind == DELIMITER) {
            if (mode == SH_WORD_REGEX && regex_goes_on(c, open)) {
                if (c == '(')
                    open++;
                else if (c == ')')
                    open--;
                p->src.at++;
                continue;
            }
            if ((c == '<' || c == '>') && sh_peek(p, 1) == '(' && mode != SH_WORD_REGEX) {
                sh_add_literal(p, literal, p->src.at, false);
                sh_process_substitution(p);
                literal = p->src.at;
                continue;
            }
            if (c == '(' && is_before_extended_glob(p, literal)) {
                sh_add_literal(p, literal, p->src.at - 1, false);
                extended_glob(p, p->src.at - 1);
                literal = p->src.at;
                continue;
            }
            break;
        }
        if (c == '\r' && is_stray_return(p))
            break;
        sh_add_literal(p, literal, p->src.at, false);
        special_part(p, mode);
        literal = p->src.at;
    }
    sh_leave(p);
    if (p->trouble)
        literal = p->src.at;
    sh_add_literal(p, literal, p->src.at, false);
    if (p->src.at == start || (p->trouble && p->parts.len == mark)) {
        p->parts.len = mark;
        return false;
    }
    sh_word_done(p, mark, start, ret_word);
    /* A continuation at its end is no part of it. */
    while (!p->src.fixed && ret_word->span.end > start + 2 && p->src.text[ret_word->span.end - 1] == '\n' &&
           p->src.text[ret_word->span.end - 2] == '\\')
        ret_word->span.end -= 2;
    return true;
}

void sh_text_word(sh_parser *p, size_t end, bool chomp, sb_sh_word *ret_word)
{
    size_t start = p->src.at;
    size_t mark = p->parts.len;
    size_t old_end = p->src.end;
    size_t literal = start;
    bool line_start = true;

    p->src.end = end;
    while (!p->trouble && !sh_at_end(p)) {
        char c = p->src.text[p->src.at];

        if (chomp && line_start && c == '\t') {
            sh_add_literal(p, literal, p->src.at, true);
            literal = ++p->src.at;
            continue;
        }
        line_start = c == '\n';
        if (c == '\\' && end - p->src.at > 1 && strchr("$`\\\n", p->src.text[p->src.at + 1]) &&
            p->src.text[p->src.at + 1]) {
            sh_add_literal(p, literal, p->src.at, true);
            line_start = p->src.text[p->src.at + 1] == '\n';
            literal = p->src.at + (line_start ? 2 : 1);
            p->src.at += 2;
        } else if (c == '$' || c == '`') {
            literal = sh_expansion_in_text(p, literal, true);
        } else {
            p->src.at++;
        }
    }
    if (!p->trouble)
        sh_add_literal(p, literal, p->src.at, true);
    p->src.end = old_end;
    if (p->trouble)
        p->src.at = old_end;
    sh_word_done(p, mark, start, ret_word);
}

/* From behind an opening quote to behind the closing one; the end when there is none. */
static size_t behind_quote(const sh_parser *p, size_t at, char quote)
{
    while (at < p->src.end && p->src.text[at] != quote)
        at += quote != '\'' && p->src.text[at] == '\\' ? 2 : 1;
    return at < p->src.end ? at + 1 : p->src.end;
}

bool sh_find_arithmetic_end(sh_parser *p, size_t from, size_t *ret_end)
{
    size_t at = from;
    size_t open = 0;
    bool found = false;

    while (at < p->src.end && !found) {
        char c = p->src.text[at];

        if (c == '(') {
            open++;
        } else if (c == ')' && open) {
            open--;
        } else if (c == ')') {
            found = at + 1 < p->src.end && p->src.text[at + 1] == ')';
            break;
        } else if (c == '\'' || c == '"' || c == '`') {
            at = behind_quote(p, at + 1, c);
            continue;
        } else if (c == '\\') {
            at++;
        }
        at++;
    }
    if (at > p->src.end)
        at = p->src.end;
    if (at - from > p->scans_left) {
        p->scans_left = 0;
        return false;
    }
    p->scans_left -= at - from;
    *ret_end = at;
    return found;
}

sb_sh_word *sh_subscript(sh_parser *p)
{
    size_t start = p->src.at + 1;
    size_t at = start;
    unsigned open = 1;
    sb_sh_word word;

    while (at < p->src.end && open) {
        char c = p->src.text[at];

        if (c == '[')
            open++;
        else if (c == ']')
            open--;
        else if (c == '\n')
            break;
        if (c == '\'' || c == '"')
            at = behind_quote(p, at + 1, c);
        else
            at += c == '\\' ? 2 : 1;
    }
    if (at > p->src.end)
        at = p->src.end;
    if (at - start > p->scans_left) {
        p->scans_left = 0;
        return NULL;
    }
    p->scans_left -= at - start;
    if (open)
        return NULL;
    p->src.at = start;
    sh_text_word(p, at - 1, false, &word);
    if (p->trouble)
        return NULL;
    p->src.at = at;
    return sh_word_dup(p, &word);
}
