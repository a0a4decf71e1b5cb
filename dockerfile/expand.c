// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/expand.h>
#include <dockerfile/heredoc.h>
#include <dockerfile/letters.h>
#include <dockerfile/space.h>

#include <sbuild/utf8.h>

enum { END = -1 };

void df_expander_init(df_expander *x, sb_arena *arena, const sb_df_env *env, char escape)
{
    *x = (df_expander){
        .arena = arena,
        .env = env,
        .escape = escape,
        .bytes_left = SB_DF_EXPAND_MAX,
        .steps_left = SB_DF_EXPAND_STEPS_MAX,
    };
}

void df_expander_clear(df_expander *x)
{
    sb_buf_free(&x->out);
    sb_buf_free(&x->word);
    free(x->words);
}

int df_expand_charge(df_expander *x, uint64_t steps, sb_error **err)
{
    if (steps > x->steps_left)
        return sb_fail(err, SB_ERR_LIMIT, "expanding the variables takes more than the maximum of steps");
    x->steps_left -= steps;
    return 0;
}

/* --- Characters --- */

static int32_t peek(const df_expander *x)
{
    unsigned char c;
    uint32_t wide;

    if (x->i >= x->text.len)
        return END;
    c = (unsigned char)x->text.ptr[x->i];
    if (c < 0x80)
        return c;
    return sb_utf8_decode(x->text.ptr + x->i, x->text.len - x->i, &wide) ? (int32_t)wide : 0xfffd;
}

static int32_t next(df_expander *x)
{
    int32_t c = peek(x);

    if (c != END)
        x->i += df_char_at(x->text, x->i);
    return c;
}

static void add_char(sb_buf *out, int32_t c)
{
    char bytes[4];

    sb_buf_add(out, bytes, sb_utf8_encode(c == END ? 0xfffd : (uint32_t)c, bytes));
}

/* --- Words --- */

static void end_word(df_expander *x)
{
    *SB_PUSH(x->words, x->word_count, x->word_cap) = sb_arena_dup(x->arena, sb_buf_slice(&x->word));
    sb_buf_reset(&x->word);
    x->in_word = false;
}

static void add_to_word(df_expander *x, sb_slice text)
{
    sb_buf_adds(&x->word, text);
    x->in_word = true;
}

/* Appends what out has behind `mark` to the current word; white space in it separates words. */
static void split_from(df_expander *x, size_t mark)
{
    sb_slice text = sb_slice_of(x->out.data + mark, x->out.len - mark);

    for (size_t i = 0, n; i < text.len; i += n) {
        bool space = df_space_at(text, i) > 0;
        char bytes[4];

        n = df_char_at(text, i);
        if (space) {
            if (x->in_word && x->word.len)
                end_word(x);
        } else if (n == 1 && (unsigned char)text.ptr[i] >= 0x80) {
            add_to_word(x, sb_slice_of(bytes, sb_utf8_encode(0xfffd, bytes)));
        } else {
            add_to_word(x, sb_slice_sub(text, i, i + n));
        }
    }
}

static void keep_from(df_expander *x, size_t mark)
{
    add_to_word(x, sb_slice_of(x->out.data + mark, x->out.len - mark));
}

/* --- Substitutions --- */

typedef struct variable {
    sb_slice name;
    sb_slice value;
    bool set;
    bool uncertain;
} variable;

static variable look_up(df_expander *x, sb_slice name)
{
    size_t index = df_env_find(x->env, name);
    variable v = {.name = name, .value = SB_LIT("")};

    v.uncertain = x->used && x->used(x->ctx, name, index);
    if (index != DF_NO_VAR && x->env->vars[index].value.ptr) {
        v.value = x->env->vars[index].value;
        v.set = true;
    }
    return v;
}

/* A run of digits, one special parameter, or letters, digits and "_". */
static sb_slice take_name(df_expander *x)
{
    size_t start = x->i;
    int32_t c = peek(x);
    bool number = c != END && df_is_digit((uint32_t)c);

    if (c > 0 && c < 0x80 && strchr("@*#?-$!", c)) {
        x->i++;
        return sb_slice_sub(x->text, start, x->i);
    }
    while ((c = peek(x)) != END &&
           (df_is_digit((uint32_t)c) || (!number && (c == '_' || df_is_letter((uint32_t)c)))))
        next(x);
    return sb_slice_sub(x->text, start, x->i);
}

static int expand_until(df_expander *x, int32_t stop, bool raw_escapes, bool pattern, sb_error **err);

/*
 * What is behind an operator, up to `stop`, on top of out. Whatever is wrong, when the text is at its end,
 * then the end is what is wrong.
 */
static int expand_operand(df_expander *x, char stop, bool raw_escapes, bool pattern, sb_error **err)
{
    SB_AUTO(sb_error) cause = NULL;
    bool before = x->raw_escapes, splitting = x->splitting;

    /* BuildKit's lexer forgets what stood before the substitution in the word. */
    sb_buf_reset(&x->word);
    x->splitting = false;
    if (expand_until(x, stop, raw_escapes, pattern, &cause) < 0) {
        if (sb_error_code(cause) == SB_ERR_PARSE && peek(x) == END)
            return sb_fail(err, SB_ERR_PARSE,
                           stop == '/' ? "syntax error: missing '/' in ${}" : "syntax error: missing '}'");
        return sb_fail(err, cause->code, "%s", cause->message);
    }
    x->raw_escapes = before;
    x->splitting = splitting;
    return 0;
}

/* Leaves the operand at `mark` as the result, or puts the value there. */
static int replace_operand(df_expander *x, size_t mark, sb_slice value, sb_error **err)
{
    x->out.len = mark;
    sb_buf_adds(&x->out, value);
    return df_expand_charge(x, value.len, err);
}

static int fail_variable(df_expander *x, const variable *v, size_t mark, const char *otherwise,
                         sb_error **err)
{
    sb_autofree char *name = sb_printable(v->name);
    sb_autofree char *message = sb_printable(sb_slice_of(x->out.data + mark, x->out.len - mark));

    return sb_fail(err, SB_ERR_PARSE, "%s: %s", name, *message ? message : otherwise);
}

/* ${name-…} and its kin: `op` is "-", "+" or "?", `colon` that an empty value counts as none. */
static int expand_condition(df_expander *x, sb_slice name, char op, bool colon, sb_error **err)
{
    size_t mark = x->out.len;
    variable v;
    bool usable;

    if (expand_operand(x, '}', false, false, err) < 0)
        return -1;
    v = look_up(x, name);
    usable = v.set && !(colon && v.value.len == 0);
    if (op == '?' && !usable && !v.uncertain)
        return fail_variable(x, &v, mark, v.set ? "is not allowed to be empty" : "is not allowed to be unset",
                             err);
    if (op == '+')
        return usable ? 0 : replace_operand(x, mark, SB_LIT(""), err);
    return usable || op == '?' ? replace_operand(x, mark, v.value, err) : 0;
}

static int expand_trim(df_expander *x, sb_slice name, char op, sb_error **err)
{
    size_t mark = x->out.len;
    sb_slice pattern, rest;
    sb_autofree char *copy = NULL;
    bool longest;

    if (expand_operand(x, '}', true, true, err) < 0)
        return -1;
    pattern = sb_slice_of(x->out.data + mark, x->out.len - mark);
    longest = pattern.len && pattern.ptr[0] == op;
    if (longest)
        pattern = sb_slice_sub(pattern, 1, pattern.len);
    copy = sb_slice_dup(pattern);
    if (df_pattern_trim(x, look_up(x, name).value, sb_slice_of(copy, pattern.len), op == '%', longest, &rest,
                        err) < 0)
        return -1;
    return replace_operand(x, mark, rest, err);
}

static int expand_replace(df_expander *x, sb_slice name, sb_error **err)
{
    size_t mark = x->out.len, middle, end;
    bool all = peek(x) == '/';
    sb_autofree char *copy = NULL;

    if (all)
        next(x);
    if (expand_operand(x, '/', true, true, err) < 0)
        return -1;
    middle = x->out.len;
    if (expand_operand(x, '}', true, false, err) < 0)
        return -1;
    end = x->out.len;
    copy = sb_slice_dup(sb_slice_of(x->out.data + mark, end - mark));
    x->out.len = mark;
    return df_pattern_replace(x, look_up(x, name).value, sb_slice_of(copy, middle - mark),
                              sb_slice_of(copy + (middle - mark), end - middle), all, &x->out, err);
}

static int fail_modifier(bool colon, int32_t c, sb_error **err)
{
    sb_autobuf shown = SB_BUF_INIT(16);

    if (colon)
        sb_buf_addc(&shown, ':');
    add_char(&shown, c);
    return sb_fail(err, SB_ERR_PARSE, "unsupported modifier (%s) in substitution", shown.data);
}

/* Behind "${". */
static int expand_braces(df_expander *x, sb_error **err)
{
    int32_t c = peek(x);
    sb_slice name;
    bool colon;

    if (c == END)
        return sb_fail(err, SB_ERR_PARSE, "syntax error: missing '}'");
    if (c == '{' || c == '}' || c == ':')
        return sb_fail(err, SB_ERR_PARSE, "syntax error: bad substitution");
    name = take_name(x);
    c = next(x);
    colon = c == ':';
    if (colon)
        c = next(x);
    if (c == '}' && !colon) {
        sb_slice value = look_up(x, name).value;

        return replace_operand(x, x->out.len, value, err);
    }
    if (c == '/' && !colon)
        return expand_replace(x, name, err);
    if (c == '-' || c == '+' || c == '?')
        return expand_condition(x, name, (char)c, colon, err);
    if ((c == '#' || c == '%') && !colon)
        return expand_trim(x, name, (char)c, err);
    /* BuildKit reads the operand before it looks at the modifier behind a colon. */
    if (colon && c != '#' && c != '%' && expand_operand(x, '}', false, false, err) < 0)
        return -1;
    return fail_modifier(colon, c, err);
}

static int expand_dollar(df_expander *x, sb_error **err)
{
    sb_slice name;
    int result;

    x->i++;
    if (peek(x) == '{') {
        x->i++;
        if (x->depth >= DF_SUBSTITUTION_DEPTH_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "substitutions are nested deeper than %d",
                           DF_SUBSTITUTION_DEPTH_MAX);
        x->depth++;
        result = expand_braces(x, err);
        x->depth--;
        return result;
    }
    name = take_name(x);
    if (!name.len) {
        sb_buf_addc(&x->out, '$');
        return 0;
    }
    return replace_operand(x, x->out.len, look_up(x, name).value, err);
}

/* --- Quotes --- */

static int expand_single_quotes(df_expander *x, bool pattern, sb_error **err)
{
    int32_t c;

    x->i++;
    while ((c = next(x)) != '\'') {
        if (c == END)
            return sb_fail(err, SB_ERR_PARSE,
                           "unexpected end of statement while looking for matching single-quote");
        if (pattern && c == x->escape)
            add_char(&x->out, c);
        add_char(&x->out, c);
    }
    return 0;
}

static void expand_quoted_escape(df_expander *x)
{
    int32_t c = peek(x);

    if (c == END)
        return;
    if (c != '"' && c != '$' && c != x->escape) {
        /* It stays: twice in a pattern, which is read once more. */
        if (x->raw_escapes)
            sb_buf_addc(&x->out, x->escape);
        sb_buf_addc(&x->out, x->escape);
        return;
    }
    if (x->raw_escapes)
        sb_buf_addc(&x->out, x->escape);
    add_char(&x->out, next(x));
}

static int expand_double_quotes(df_expander *x, sb_error **err)
{
    x->i++;
    for (;;) {
        int32_t c = peek(x);

        if (c == END)
            return sb_fail(err, SB_ERR_PARSE,
                           "unexpected end of statement while looking for matching double-quote");
        if (c == '$') {
            if (expand_dollar(x, err) < 0)
                return -1;
            continue;
        }
        next(x);
        if (c == '"')
            return 0;
        if (c == x->escape)
            expand_quoted_escape(x);
        else
            add_char(&x->out, c);
    }
}

/* --- Text --- */

/* "<<" and the blanks behind it belong to one word. */
static void expand_less(df_expander *x)
{
    x->i++;
    sb_buf_addc(&x->out, '<');
    if (peek(x) != '<')
        return;
    do
        sb_buf_addc(&x->out, (char)next(x));
    while (peek(x) == ' ' || peek(x) == '\t' || peek(x) == '\r');
}

static bool is_plain(const df_expander *x, char c, int32_t stop)
{
    return (unsigned char)c < 0x80 && c != '$' && c != '\'' && c != '"' && c != '<' && c != x->escape &&
           c != stop;
}

static void expand_escape(df_expander *x)
{
    int32_t c;

    next(x);
    if (x->raw_escapes)
        sb_buf_addc(&x->out, x->escape);
    c = next(x);
    if (c != END)
        add_char(&x->out, c);
}

static void expand_plain(df_expander *x, int32_t stop)
{
    size_t start = x->i;

    while (x->i < x->text.len && is_plain(x, x->text.ptr[x->i], stop))
        x->i++;
    if (x->i > start)
        sb_buf_adds(&x->out, sb_slice_sub(x->text, start, x->i));
    else
        add_char(&x->out, next(x));
}

static int expand_until(df_expander *x, int32_t stop, bool raw_escapes, bool pattern, sb_error **err)
{
    bool splitting = x->splitting;
    int32_t c;

    x->raw_escapes = raw_escapes;
    while ((c = peek(x)) != END) {
        size_t mark = x->out.len;
        bool splits = true;

        if (c == stop) {
            next(x);
            return 0;
        }
        if (c == '$') {
            if (expand_dollar(x, err) < 0)
                return -1;
        } else if (c == '\'' && !x->no_quotes) {
            splits = false;
            if (expand_single_quotes(x, pattern, err) < 0)
                return -1;
        } else if (c == '"' && !x->no_quotes) {
            splits = false;
            if (expand_double_quotes(x, err) < 0)
                return -1;
        } else if (c == '<') {
            splits = false;
            expand_less(x);
        } else if (c == x->escape) {
            splits = false;
            expand_escape(x);
        } else {
            expand_plain(x, stop);
        }
        if (x->out.overflow)
            return sb_fail(err, SB_ERR_LIMIT, "variables expand to more than the maximum of %d bytes",
                           SB_DF_EXPAND_MAX);
        if (splitting && splits)
            split_from(x, mark);
        else if (splitting)
            keep_from(x, mark);
    }
    if (stop == END)
        return 0;
    return sb_fail(err, SB_ERR_PARSE, "unexpected end of statement while looking for matching %c",
                   (char)stop);
}

static int expand_all(df_expander *x, sb_slice text, bool splitting, sb_error **err)
{
    SB_AUTO(sb_error) cause = NULL;
    sb_autofree char *shown = NULL;

    sb_buf_reset(&x->out);
    sb_buf_reset(&x->word);
    x->out.overflow = x->word.overflow = false;
    x->out.max = x->word.max = 3 * text.len + SB_DF_EXPAND_MAX; /* an invalid byte becomes three */
    sb_buf_add(&x->out, "", 0);                                 /* so that there is memory to point to */
    x->text = text;
    x->i = sb_slice_starts(text, SB_LIT("\xef\xbb\xbf")) ? 3 : 0;
    x->depth = 0;
    x->in_word = false;
    x->word_count = 0;
    x->splitting = splitting;
    if (expand_until(x, END, false, false, &cause) < 0) {
        shown = sb_printable(text);
        return sb_fail(err, cause->code, "failed to process \"%s\": %s", shown, cause->message);
    }
    if (splitting && x->word.len)
        end_word(x);
    if (x->out.len > text.len && x->out.len - text.len > x->bytes_left)
        return sb_fail(err, SB_ERR_LIMIT, "all expanded variables together are larger than the maximum");
    x->bytes_left -= x->out.len > text.len ? x->out.len - text.len : 0;
    return 0;
}

static bool is_special(const df_expander *x, sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain(x, text.ptr[i], END) && text.ptr[i] != '<')
            return true;
    return false;
}

int df_expand_text(df_expander *x, sb_slice text, sb_slice *ret_text, sb_error **err)
{
    if (!text.ptr || !is_special(x, text)) {
        *ret_text = text.ptr ? text : SB_LIT("");
        return 0;
    }
    if (expand_all(x, text, false, err) < 0)
        return -1;
    *ret_text = sb_arena_dup(x->arena, sb_buf_slice(&x->out));
    return 0;
}

int df_expand_split(df_expander *x, sb_slice text, sb_slice **ret_words, size_t *ret_count, sb_error **err)
{
    sb_slice *words;

    if (expand_all(x, text, true, err) < 0)
        return -1;
    words = sb_arena_array(x->arena, sb_slice, x->word_count + 1);
    if (x->word_count)
        memcpy(words, x->words, x->word_count * sizeof(*words));
    *ret_words = words;
    *ret_count = x->word_count;
    return 0;
}

/* --- The public forms --- */

int sb_df_expand(sb_arena *arena, sb_slice word, const sb_df_env *env, char escape, sb_slice *ret_text,
                 sb_error **err)
{
    df_autoexpander x;

    df_expander_init(&x, arena, env, escape);
    return df_expand_text(&x, word, ret_text, err);
}

int sb_df_expand_words(sb_arena *arena, sb_slice word, const sb_df_env *env, char escape,
                       sb_slice **ret_words, size_t *ret_count, sb_error **err)
{
    df_autoexpander x;

    df_expander_init(&x, arena, env, escape);
    return df_expand_split(&x, word, ret_words, ret_count, err);
}

/* Without the tabs at the start of each line. */
static sb_slice chomped(sb_arena *arena, sb_slice body)
{
    char *out = sb_arena_alloc(arena, body.len + 1);
    size_t len = 0;
    bool start = true;

    for (size_t i = 0; i < body.len; i++) {
        if (start && body.ptr[i] == '\t')
            continue;
        start = body.ptr[i] == '\n';
        out[len++] = body.ptr[i];
    }
    return sb_slice_of(out, len);
}

int sb_df_expand_heredoc(sb_arena *arena, const sb_df_heredoc *doc, const sb_df_env *env, sb_slice *ret_body,
                         sb_error **err)
{
    sb_slice body = doc->chomp ? chomped(arena, doc->body) : doc->body;
    df_autoexpander x;

    df_expander_init(&x, arena, env, '\\');
    x.no_quotes = true;
    if (doc->expand)
        return df_expand_text(&x, body, ret_body, err);
    *ret_body = body.ptr ? body : SB_LIT("");
    return 0;
}

typedef struct variable_listener {
    sb_df_variable_used used;
    void *ctx;
} variable_listener;

/* Every value is uncertain: ${x:?} must not end the search. */
static bool tell_name(void *ctx, sb_slice name, size_t index)
{
    const variable_listener *listener = ctx;

    (void)index;
    listener->used(listener->ctx, name);
    return true;
}

int sb_df_each_variable(sb_arena *arena, sb_slice word, char escape, bool heredoc, sb_df_variable_used used,
                        void *ctx, sb_error **err)
{
    variable_listener listener = {.used = used, .ctx = ctx};
    sb_df_env nothing = {0};
    sb_slice ignored;
    df_autoexpander x;

    df_expander_init(&x, arena, &nothing, heredoc ? '\\' : escape);
    x.no_quotes = heredoc;
    x.used = tell_name;
    x.ctx = &listener;
    return df_expand_text(&x, word, &ignored, err);
}
