// SPDX-License-Identifier: Apache-2.0
/*
 * A heredoc is announced by a word of its own, and words are what BuildKit's shell lexer makes of the whole
 * logical line: always with "\" as the escape, with no variable set, and with what is not set left as it is
 * written. A line that cannot be lexed announces nothing.
 */
#include <dockerfile/heredoc.h>
#include <dockerfile/space.h>
#include <dockerfile/tree.h>

#include <sbuild/utf8.h>

#include <limits.h>

typedef struct lexer {
    sb_slice text;
    size_t i;
    bool raw_quotes;  /* quotes stay */
    bool raw_escapes; /* escapes stay */
    unsigned depth;   /* of ${…} */
    const char *why;  /* what is wrong */
    sb_buf part;      /* the quoted text or substitution in work */
    sb_arena *arena;
    sb_buf word;
    bool in_word;
    size_t count;    /* of all words */
    sb_slice *words; /* the first, and those with "<<" in them */
    size_t kept, cap;
} lexer;

static void lexer_clear(lexer *lex)
{
    sb_buf_free(&lex->part);
    sb_buf_free(&lex->word);
    free(lex->words);
}
#define autolexer __attribute__((cleanup(lexer_clear))) lexer

static bool at_end(const lexer *lex)
{
    return lex->i >= lex->text.len;
}

static char peek(const lexer *lex)
{
    return at_end(lex) ? '\0' : lex->text.ptr[lex->i];
}

static bool sees(const lexer *lex, char c)
{
    return !at_end(lex) && lex->text.ptr[lex->i] == c;
}

static int fail(lexer *lex, const char *why)
{
    lex->why = why;
    return -1;
}

/* Moves one character from the text to `out`; an invalid byte becomes U+FFFD. */
static void copy_char(lexer *lex, sb_buf *out)
{
    size_t n = df_char_at(lex->text, lex->i);

    if (n == 1 && (unsigned char)lex->text.ptr[lex->i] >= 0x80)
        sb_buf_addz(out, "\xef\xbf\xbd");
    else
        sb_buf_add(out, lex->text.ptr + lex->i, n);
    lex->i += n;
}

static int lex_substitution(lexer *lex, sb_buf *out);

/* `double_escapes`: in a pattern, which is parsed once more. */
static int lex_single_quotes(lexer *lex, bool double_escapes, sb_buf *out)
{
    lex->i++;
    if (lex->raw_quotes)
        sb_buf_addc(out, '\'');
    for (;;) {
        if (at_end(lex))
            return fail(lex, "unexpected end of statement while looking for matching single-quote");
        if (sees(lex, '\''))
            break;
        if (double_escapes && sees(lex, '\\'))
            sb_buf_addc(out, '\\');
        copy_char(lex, out);
    }
    lex->i++;
    if (lex->raw_quotes)
        sb_buf_addc(out, '\'');
    return 0;
}

/* A backslash between double quotes. */
static void lex_quoted_escape(lexer *lex, bool double_escapes, sb_buf *out)
{
    char next;

    lex->i++;
    if (at_end(lex))
        return;
    next = peek(lex);
    if (next == '"' || next == '$' || next == '\\') {
        if (lex->raw_escapes)
            sb_buf_addc(out, '\\');
        sb_buf_addc(out, next);
        lex->i++;
        return;
    }
    if (lex->raw_escapes && (!lex->raw_quotes || double_escapes))
        sb_buf_addc(out, '\\');
    sb_buf_addc(out, '\\');
}

static int lex_double_quotes(lexer *lex, bool double_escapes, sb_buf *out)
{
    lex->i++;
    if (lex->raw_quotes)
        sb_buf_addc(out, '"');
    for (;;) {
        if (at_end(lex))
            return fail(lex, "unexpected end of statement while looking for matching double-quote");
        if (sees(lex, '"'))
            break;
        if (sees(lex, '$')) {
            if (lex_substitution(lex, out) < 0)
                return -1;
        } else if (sees(lex, '\\')) {
            lex_quoted_escape(lex, double_escapes, out);
        } else {
            copy_char(lex, out);
        }
    }
    lex->i++;
    if (lex->raw_quotes)
        sb_buf_addc(out, '"');
    return 0;
}

/* The "<<" of a possible heredoc takes the blanks behind it along. */
static void lex_less(lexer *lex, sb_buf *out)
{
    sb_buf_addc(out, '<');
    lex->i++;
    if (!sees(lex, '<'))
        return;
    sb_buf_addc(out, '<');
    lex->i++;
    while (sees(lex, ' ') || sees(lex, '\t') || sees(lex, '\r'))
        copy_char(lex, out);
}

/* What is behind the operator of ${…}, to the `stop` that ends it. */
static int lex_operand(lexer *lex, char stop, bool raw_escapes, bool double_escapes, sb_buf *out)
{
    bool before = lex->raw_escapes;

    lex->raw_escapes = raw_escapes;
    sb_buf_reset(&lex->word); /* BuildKit forgets what stood before it in the word */
    while (!sees(lex, stop)) {
        int result = 0;

        if (at_end(lex))
            return fail(lex, stop == '/' ? "syntax error: missing '/' in ${}" : "syntax error: missing '}'");
        switch (peek(lex)) {
        case '$':
            result = lex_substitution(lex, out);
            break;
        case '\'':
            result = lex_single_quotes(lex, double_escapes, out);
            break;
        case '"':
            result = lex_double_quotes(lex, double_escapes, out);
            break;
        case '<':
            lex_less(lex, out);
            break;
        case '\\':
            lex->i++;
            if (raw_escapes)
                sb_buf_addc(out, '\\');
            if (!at_end(lex))
                copy_char(lex, out);
            break;
        default:
            copy_char(lex, out);
        }
        if (result < 0)
            return at_end(lex) ? fail(lex, stop == '/' ? "syntax error: missing '/' in ${}"
                                                       : "syntax error: missing '}'")
                               : -1;
    }
    lex->i++;
    lex->raw_escapes = before;
    return 0;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || sb_ascii_is_digit(c) || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* A variable's name: digits, one special parameter, or letters, digits and "_". */
static void lex_name(lexer *lex, sb_buf *out)
{
    if (!at_end(lex) && sb_ascii_is_digit(peek(lex))) {
        while (!at_end(lex) && sb_ascii_is_digit(peek(lex)))
            copy_char(lex, out);
    } else if (!at_end(lex) && peek(lex) && strchr("@*#?-$!", peek(lex))) {
        copy_char(lex, out);
    } else {
        while (!at_end(lex) && is_name_char(peek(lex)))
            copy_char(lex, out);
    }
}

/* What is behind "${" and the name. */
static int lex_modifier(lexer *lex, sb_buf *out)
{
    char op = peek(lex);
    bool pattern;

    if (at_end(lex) || !op || !strchr("}:+-?#%/", op))
        return fail(lex, "unsupported modifier in substitution");
    lex->i++;
    sb_buf_addc(out, op);
    if (op == '}')
        return 0;
    if (op == '/') {
        if (lex_operand(lex, '/', true, true, out) < 0)
            return -1;
        sb_buf_addc(out, '/');
        if (lex_operand(lex, '}', true, false, out) < 0)
            return -1;
        sb_buf_addc(out, '}');
        return 0;
    }
    pattern = op == '#' || op == '%';
    if (op == ':') {
        if (at_end(lex) || sees(lex, '#') || sees(lex, '%'))
            return fail(lex, "unsupported modifier in substitution");
        copy_char(lex, out);
    }
    if (lex_operand(lex, '}', pattern, pattern, out) < 0)
        return -1;
    sb_buf_addc(out, '}');
    return 0;
}

/* "$" and what belongs to it, left as it is. */
static int lex_substitution(lexer *lex, sb_buf *out)
{
    int result;

    lex->i++;
    sb_buf_addc(out, '$');
    if (!sees(lex, '{')) {
        lex_name(lex, out);
        return 0;
    }
    lex->i++;
    sb_buf_addc(out, '{');
    if (at_end(lex))
        return fail(lex, "syntax error: missing '}'");
    if (sees(lex, '{') || sees(lex, '}') || sees(lex, ':'))
        return fail(lex, "syntax error: bad substitution");
    if (lex->depth >= DF_SUBSTITUTION_DEPTH_MAX)
        return fail(lex, "substitutions are nested too deeply");
    lex_name(lex, out);
    lex->depth++;
    result = lex_modifier(lex, out);
    lex->depth--;
    return result;
}

static void end_word(lexer *lex)
{
    if (lex->word.len == 0)
        return;
    if (lex->count++ == 0 || sb_slice_find(sb_buf_slice(&lex->word), SB_LIT("<<")) >= 0)
        *SB_PUSH(lex->words, lex->kept, lex->cap) = sb_arena_dup(lex->arena, sb_buf_slice(&lex->word));
    sb_buf_reset(&lex->word);
    lex->in_word = false;
}

static void add_raw(lexer *lex, sb_slice text)
{
    sb_buf_adds(&lex->word, text);
    lex->in_word = true;
}

/* White space in it separates words. */
static void add_splitting(lexer *lex, sb_slice text)
{
    for (size_t i = 0, n; i < text.len; i += n) {
        size_t space = df_space_at(text, i);

        n = df_char_at(text, i);
        if (space == 0)
            add_raw(lex, sb_slice_sub(text, i, i + n));
        else if (lex->in_word)
            end_word(lex);
    }
}

static int lex_special(lexer *lex, bool *ret_splits)
{
    *ret_splits = false;
    switch (peek(lex)) {
    case '$':
        *ret_splits = true;
        return lex_substitution(lex, &lex->part);
    case '\'':
        return lex_single_quotes(lex, false, &lex->part);
    case '"':
        return lex_double_quotes(lex, false, &lex->part);
    case '<':
        lex_less(lex, &lex->part);
        return 0;
    case '\\':
        lex->i++;
        if (lex->raw_escapes)
            sb_buf_addc(&lex->part, '\\');
        if (!at_end(lex))
            copy_char(lex, &lex->part);
        return 0;
    default:
        *ret_splits = true;
        copy_char(lex, &lex->part);
        return 0;
    }
}

static int lex_words(lexer *lex)
{
    if (sb_slice_starts(lex->text, SB_LIT("\xef\xbb\xbf")))
        lex->i = 3;
    while (!at_end(lex)) {
        bool splits;

        sb_buf_reset(&lex->part);
        if (lex_special(lex, &splits) < 0)
            return -1;
        if (splits)
            add_splitting(lex, sb_buf_slice(&lex->part));
        else
            add_raw(lex, sb_buf_slice(&lex->part));
    }
    end_word(lex);
    return 0;
}

static lexer new_lexer(sb_arena *arena, sb_slice text, bool raw_quotes, bool raw_escapes)
{
    size_t max = text.len * 3 + 64; /* an invalid byte becomes three */

    return (lexer){
        .text = text,
        .raw_quotes = raw_quotes,
        .raw_escapes = raw_escapes,
        .part = SB_BUF_INIT(max),
        .word = SB_BUF_INIT(max),
        .arena = arena,
    };
}

static size_t count_quotes(sb_slice s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i++)
        count += s.ptr[i] == '\'' || s.ptr[i] == '"';
    return count;
}

static int malformed(const lexer *lex, sb_error **err)
{
    sb_autofree char *shown = df_quote(lex->text);

    return sb_fail(err, SB_ERR_PARSE, "failed to process %s: %s", shown, lex->why);
}

/* The digits before <<, clamped. */
static unsigned descriptor(sb_slice digits)
{
    uint64_t value = 0;

    if (digits.len > 0 && (!sb_slice_to_u64(digits, &value) || value > UINT_MAX))
        value = UINT_MAX;
    return (unsigned)value;
}

int df_heredoc_word(sb_arena *arena, sb_slice word, sb_df_heredoc *ret_doc, sb_error **err)
{
    size_t digits = 0, i;
    bool chomp;
    sb_slice rest;

    while (digits < word.len && sb_ascii_is_digit(word.ptr[digits]))
        digits++;
    i = digits + 2;
    if (!sb_slice_starts(sb_slice_sub(word, digits, word.len), SB_LIT("<<")))
        return 0;
    chomp = i < word.len && word.ptr[i] == '-';
    i += chomp;
    while (i < word.len && word.ptr[i] && strchr(" \t\n\f\r", word.ptr[i]))
        i++;
    rest = sb_slice_sub(word, i, word.len);
    if (rest.len == 0 || sb_slice_chr(rest, '<') >= 0)
        return 0;

    autolexer plain = new_lexer(arena, rest, false, false);
    autolexer quoted = new_lexer(arena, rest, true, false);

    if (lex_words(&plain) < 0)
        return malformed(&plain, err);
    if (plain.count != 1)
        return 0;
    if (lex_words(&quoted) < 0 || quoted.count != 1)
        return malformed(&quoted, err);
    *ret_doc = (sb_df_heredoc){
        .name = plain.words[0],
        .fd = descriptor(sb_slice_sub(word, 0, digits)),
        .expand = count_quotes(plain.words[0]) == count_quotes(quoted.words[0]),
        .chomp = chomp,
    };
    return 1;
}

int df_heredocs_of_line(sb_arena *arena, sb_slice line, sb_df_heredoc **ret_docs, size_t *ret_count,
                        sb_error **err)
{
    autolexer lex = new_lexer(arena, line, true, true);
    sb_df_heredoc *docs = NULL;
    size_t count = 0, cap = 0;

    *ret_count = 0;
    if (lex_words(&lex) < 0)
        return 0;
    for (size_t i = 0; i < lex.kept; i++) {
        sb_df_heredoc doc;
        int found = df_heredoc_word(arena, lex.words[i], &doc, err);

        if (found < 0)
            return -1;
        if (found == 0)
            continue;
        if (count >= DF_HEREDOCS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "more than %d heredocs in one instruction", DF_HEREDOCS_MAX);
        *SB_ARENA_PUSH(arena, docs, count, cap) = doc;
    }
    *ret_docs = docs;
    *ret_count = count;
    return 0;
}
