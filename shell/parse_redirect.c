// SPDX-License-Identifier: Apache-2.0
#include <shell/parse.h>

/* The longest first. */
static const char *const operators[] = {"&>>", "<<<", "<<-", "&>", "<<", "<&",
                                        "<>",  ">>",  ">&",  ">|", "<",  ">"};

static sb_slice operator_at(const sh_parser *p)
{
    for (size_t i = 0; i < SB_COUNT(operators); i++)
        if (sh_looking_at(p, operators[i]))
            return sb_slice_z(operators[i]);
    return SB_NIL;
}

/* "2" of "2>", "{fd}" of "{fd}>": false when no operator follows directly. */
static bool descriptor(sh_parser *p, sb_sh_redirect *redirect)
{
    size_t at = p->src.at;
    size_t n = 0;
    int fd = 0;

    redirect->fd = -1;
    if (sh_peek(p, 0) == '{') {
        while (sh_is_name_start(sh_peek(p, n + 1)) || (n && sh_is_digit(sh_peek(p, n + 1))))
            n++;
        if (!n || sh_peek(p, n + 1) != '}' || (sh_peek(p, n + 2) != '<' && sh_peek(p, n + 2) != '>'))
            return false;
        redirect->variable = sb_slice_of(p->src.text + at + 1, n);
        p->src.at += n + 2;
        return true;
    }
    while (n < 6 && sh_is_digit(sh_peek(p, n)))
        fd = fd * 10 + (sh_peek(p, n++) - '0');
    if (!n)
        return true;
    if (sh_peek(p, n) != '<' && sh_peek(p, n) != '>')
        return false;
    redirect->fd = fd;
    p->src.at += n;
    return true;
}

/* The delimiter of a heredoc: a word whose quotes go, and in which nothing is expanded. */
static bool delimiter(sh_parser *p, sh_pending *pending, sb_sh_word *ret_word)
{
    size_t start = p->src.at;
    char *text;
    size_t len = 0;
    char quote = 0;

    if (!sh_word(p, SH_WORD, ret_word))
        return false;
    text = sb_arena_alloc(p->arena, p->src.at - start + 1);
    for (size_t i = start; i < p->src.at; i++) {
        char c = p->src.text[i];

        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? '\0' : c;
            pending->quoted = true;
        } else if (c == '\\' && quote != '\'' && i + 1 < p->src.at) {
            pending->quoted = true;
            text[len++] = p->src.text[++i];
        } else {
            text[len++] = c;
        }
    }
    pending->delimiter = sb_slice_of(text, len);
    return true;
}

bool sh_redirect(sh_parser *p)
{
    size_t start = p->src.at;
    sb_sh_redirect redirect = {0};
    sh_pending pending = {0};
    bool is_doc;
    char c = sh_peek(p, 0);

    if (c != '<' && c != '>' && c != '&' && c != '{' && !sh_is_digit(c))
        return false;
    if (!descriptor(p, &redirect))
        return false;
    redirect.op = operator_at(p);
    if (!redirect.op.ptr ||
        (redirect.op.len == 1 && sh_peek(p, 1) == '(' && redirect.fd < 0 && !redirect.variable.ptr)) {
        p->src.at = start;
        return false;
    }
    p->src.at += redirect.op.len;
    is_doc = sb_slice_eqz(redirect.op, "<<") || sb_slice_eqz(redirect.op, "<<-");
    sh_skip_blanks(p);
    if (is_doc ? !delimiter(p, &pending, &redirect.target) : !sh_word(p, SH_WORD, &redirect.target)) {
        sh_fail(p, "a redirection has no target", start);
        return true;
    }
    redirect.span = sh_span(p, start);
    if (is_doc) {
        pending.chomp = redirect.op.len == 3;
        pending.index = p->redirects.len;
        SH_STACK_PUSH(p->pending, pending);
    }
    SH_STACK_PUSH(p->redirects, redirect);
    return true;
}

sb_sh_redirect *sh_take_redirects(sh_parser *p, size_t mark, size_t *ret_count)
{
    sb_sh_redirect *taken = SH_STACK_TAKE(p, p->redirects, mark, ret_count);

    for (size_t i = p->pending.len; *ret_count && i-- > p->pending_base;) {
        sh_pending *pending = &p->pending.items[i];

        if (pending->redirect || pending->index < mark)
            break;
        pending->redirect = &taken[pending->index - mark];
    }
    return taken;
}

/* Where the body ends; src.at is moved behind the line that ends it. */
static size_t body_end(sh_parser *p, const sh_pending *pending, size_t *ret_behind)
{
    size_t at = p->src.at;

    while (at < p->src.end) {
        const char *newline = memchr(p->src.text + at, '\n', p->src.end - at);
        size_t end = newline ? (size_t)(newline - p->src.text) : p->src.end;
        sb_slice line = sb_slice_of(p->src.text + at, end - at);

        while (pending->chomp && line.len && line.ptr[0] == '\t')
            line = sb_slice_sub(line, 1, line.len);
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (sb_slice_eq(line, pending->delimiter)) {
            *ret_behind = newline ? end + 1 : end;
            return at;
        }
        at = newline ? end + 1 : end;
    }
    *ret_behind = p->src.end;
    return p->src.end;
}

/* Nothing in it is special; with "<<-" the tabs that lines begin with go. */
static void quoted_body(sh_parser *p, size_t end, bool chomp, sb_sh_word *ret_word)
{
    size_t start = p->src.at;
    size_t mark = p->parts.len;

    while (p->src.at < end) {
        size_t from = p->src.at;
        const char *newline = chomp ? memchr(p->src.text + from, '\n', end - from) : NULL;

        while (chomp && from < end && p->src.text[from] == '\t')
            from++;
        p->src.at = newline ? (size_t)(newline - p->src.text) + 1 : end;
        sh_add_literal(p, from, p->src.at, true);
    }
    sh_word_done(p, mark, start, ret_word);
}

void sh_heredocs(sh_parser *p)
{
    size_t base = p->pending_base;

    for (size_t i = base; i < p->pending.len && !p->trouble; i++) {
        sh_pending pending = p->pending.items[i];
        size_t behind;
        size_t end = body_end(p, &pending, &behind);
        sb_sh_word body;

        p->pending_base = p->pending.len; /* what the body itself holds is its own matter */
        if (pending.quoted)
            quoted_body(p, end, pending.chomp, &body);
        else
            sh_text_word(p, end, pending.chomp, &body);
        if (!p->trouble) {
            size_t outer = p->src.end;

            p->src.at = p->src.end = end;
            sh_heredocs(p);
            p->src.end = outer;
            p->src.at = behind;
        }
        p->pending_base = base;
        if (pending.redirect)
            pending.redirect->target = body;
        else
            p->redirects.items[pending.index].target = body;
    }
    p->pending.len = base;
}
