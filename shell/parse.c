// SPDX-License-Identifier: Apache-2.0
#include <shell/parse.h>

void *sh_stack_take(sb_arena *arena, const void *items, size_t size, size_t *len, size_t mark,
                    size_t *ret_count)
{
    size_t count = *len - mark;
    void *copy = NULL;

    if (count) {
        copy = sb_arena_alloc(arena, count * size);
        memcpy(copy, (const char *)items + mark * size, count * size);
    }
    *len = mark;
    *ret_count = count;
    return copy;
}

sb_span sh_span(const sh_parser *p, size_t start)
{
    return p->src.fixed ? p->src.span : (sb_span){start, p->src.at > start ? p->src.at : start};
}

void sh_fail(sh_parser *p, const char *trouble, size_t start)
{
    if (!p->trouble) {
        size_t end = start;

        /* A place is a line at the most, and has something in it. */
        while (end < p->src.end && end - start < 40 && p->src.text[end] != '\n')
            end++;
        p->trouble = trouble;
        p->trouble_span = p->src.fixed ? p->src.span : (sb_span){start, end};
    }
    p->src.at = p->src.end;
}

bool sh_enter(sh_parser *p, size_t start)
{
    if (++p->depth <= SB_SH_DEPTH_MAX)
        return true;
    sh_fail(p, "it is nested too deeply", start);
    return false;
}

/* --- Lists --------------------------------------------------------------------------------------------- */

static void push_node(sh_parser *p, sb_sh_node *node)
{
    SH_STACK_PUSH(p->nodes, node); /* NOLINT(bugprone-sizeof-expression): pointers */
}

static sb_sh_node *wrap(sh_parser *p, sb_sh_node_kind kind, size_t mark, size_t start)
{
    sb_sh_node *node = sh_node(p, kind);

    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers */
    node->children = SH_STACK_TAKE(p, p->nodes, mark, &node->child_count);
    node->span = sh_span(p, start);
    return node;
}

static sb_sh_node *simple(sh_parser *p);

sb_sh_node *sh_command(sh_parser *p)
{
    sb_sh_node *node;

    if (!sh_enter(p, p->src.at)) {
        sh_leave(p);
        return NULL;
    }
    node = sh_at_list_end(p) ? NULL : sh_compound(p);
    if (!node && !p->trouble && !sh_at_list_end(p))
        node = simple(p);
    sh_leave(p);
    return node;
}

/* "time" alone is a command like others; before a compound command it is a word of the language. */
static void skip_time(sh_parser *p)
{
    size_t start = p->src.at;
    sb_slice word;

    if (!sh_looking_at(p, "time") || !sh_is_delimiter(sh_peek(p, 4)))
        return;
    p->src.at += 4;
    sh_skip_blanks(p);
    if (sh_looking_at(p, "-p ")) {
        p->src.at += 3;
        sh_skip_blanks(p);
    }
    word = sh_reserved(p);
    if (sh_peek(p, 0) != '(' && !word.ptr)
        p->src.at = start;
}

static sb_sh_node *pipeline(sh_parser *p)
{
    size_t start = p->src.at;
    size_t mark = p->nodes.len;
    bool negated = false;
    sb_sh_node *node;

    while (sh_peek(p, 0) == '!' && sh_reserved(p).ptr) {
        negated = !negated;
        p->src.at++;
        sh_skip_blanks(p);
    }
    skip_time(p);
    for (;;) {
        node = sh_command(p);
        if (node)
            push_node(p, node);
        else if (p->nodes.len > mark)
            sh_fail(p, "a command is missing behind \"|\"", p->src.at);
        if (p->trouble || !node)
            break;
        sh_skip_blanks(p);
        if (sh_peek(p, 0) != '|' || sh_peek(p, 1) == '|')
            break;
        p->src.at += sh_peek(p, 1) == '&' ? 2 : 1;
        sh_skip_newlines(p);
    }
    if (p->nodes.len == mark)
        return NULL;
    if (p->nodes.len == mark + 1 && !negated)
        return p->nodes.items[--p->nodes.len];
    node = wrap(p, SB_SH_PIPELINE, mark, start);
    node->negated = negated;
    return node;
}

/* NULL when nothing is there that a command could begin with. */
static sb_sh_node *and_or(sh_parser *p)
{
    size_t start = p->src.at;
    size_t mark = p->nodes.len;
    sb_sh_node *node = pipeline(p);
    sb_sh_node_kind kind = SB_SH_AND;

    if (!node)
        return NULL;
    push_node(p, node);
    while (!p->trouble) {
        sb_sh_node_kind next;

        sh_skip_blanks(p);
        if (!sh_looking_at(p, "&&") && !sh_looking_at(p, "||"))
            break;
        next = sh_peek(p, 0) == '&' ? SB_SH_AND : SB_SH_OR;
        if (p->nodes.len > mark + 1 && next != kind) {
            node = wrap(p, kind, mark, start);
            push_node(p, node);
        }
        kind = next;
        p->src.at += 2;
        sh_skip_newlines(p);
        node = pipeline(p);
        if (node)
            push_node(p, node);
        else
            sh_fail(p,
                    kind == SB_SH_AND ? "a command is missing behind \"&&\""
                                      : "a command is missing behind \"||\"",
                    p->src.at);
    }
    if (p->nodes.len == mark + 1)
        return p->nodes.items[--p->nodes.len];
    return wrap(p, kind, mark, start);
}

/* ";" or "&" or a line end behind a command. False when nothing separates it from what follows. */
static bool separator(sh_parser *p, sb_sh_node **node)
{
    size_t mark = p->nodes.len;
    char c;

    sh_skip_blanks(p);
    c = sh_peek(p, 0);
    if (c == '&') {
        push_node(p, *node);
        *node = wrap(p, SB_SH_BACKGROUND, mark, p->src.at);
        (*node)->span.start = (*node)->children[0]->span.start;
        p->src.at++;
        return true;
    }
    if (c == ';' && sh_peek(p, 1) != ';' && sh_peek(p, 1) != '&') {
        p->src.at++;
        return true;
    }
    return c == '\n';
}

sb_sh_node *sh_list(sh_parser *p)
{
    size_t start = p->src.at;
    size_t mark = p->nodes.len;

    for (;;) {
        sb_sh_node *node;
        bool separated;

        sh_skip_newlines(p);
        if (p->trouble || sh_at_end(p))
            break;
        node = and_or(p);
        if (!node)
            break;
        separated = p->trouble ? false : separator(p, &node);
        push_node(p, node);
        if (!separated)
            break;
    }
    return wrap(p, SB_SH_LIST, mark, start);
}

sb_sh_script *sh_script_in_parentheses(sh_parser *p, size_t start)
{
    sb_sh_script *script = sb_arena_new_of(p->arena, sb_sh_script);
    size_t from = p->src.at;

    if (!sh_enter(p, start)) {
        sh_leave(p);
        script->root = sh_node(p, SB_SH_LIST);
        return script;
    }
    script->root = sh_list(p);
    sh_leave(p);
    script->text = sb_slice_of(p->src.text + from, p->src.at - from);
    if (p->trouble)
        return script;
    if (sh_at_end(p))
        sh_fail(p, "a \"(\" has no \")\"", start);
    else if (sh_peek(p, 0) != ')')
        sh_fail(p, "this is not expected here", p->src.at);
    else
        p->src.at++;
    return script;
}

sb_sh_script *sh_script(sh_parser *p)
{
    sb_sh_script *script = sb_arena_new_of(p->arena, sb_sh_script);
    size_t base = p->pending_base;

    script->text = sb_slice_of(p->src.text + p->src.at, p->src.end - p->src.at);
    p->pending_base = p->pending.len;
    script->root = sh_list(p);
    if (!p->trouble && !sh_at_end(p))
        sh_fail(p, "this is not expected here", p->src.at);
    sh_heredocs(p);
    p->pending_base = base;
    return script;
}

/* --- Simple commands ----------------------------------------------------------------------------------- */

/* "name=", "name+=", "name[…]=": what is before "=", with src.at behind it. */
static bool assignment_start(sh_parser *p, sb_sh_assignment *assignment)
{
    size_t start = p->src.at;
    size_t n = 0;

    if (!sh_is_name_start(sh_peek(p, 0)))
        return false;
    while (sh_is_name_start(sh_peek(p, n)) || sh_is_digit(sh_peek(p, n)))
        n++;
    if (sh_peek(p, n) != '=' && sh_peek(p, n) != '+' && sh_peek(p, n) != '[')
        return false;
    assignment->name = sb_slice_of(p->src.text + start, n);
    p->src.at += n;
    if (sh_peek(p, 0) == '[')
        assignment->index = sh_subscript(p);
    assignment->append = sh_peek(p, 0) == '+' && sh_peek(p, 1) == '=';
    if (assignment->append)
        p->src.at++;
    if (p->trouble || sh_peek(p, 0) != '=') {
        if (!p->trouble)
            p->src.at = start;
        return false;
    }
    p->src.at++;
    return true;
}

static void array_values(sh_parser *p, sb_sh_assignment *assignment, size_t start)
{
    size_t mark = p->words.len;

    p->src.at++;
    for (;;) {
        sb_sh_word word;

        sh_skip_newlines(p);
        if (!sh_word(p, SH_WORD, &word))
            break;
        SH_STACK_PUSH(p->words, word);
    }
    assignment->array = true;
    assignment->values = SH_STACK_TAKE(p, p->words, mark, &assignment->count);
    if (p->trouble)
        return;
    if (sh_peek(p, 0) != ')')
        sh_fail(p, "the values of an array do not end in \")\"", start);
    else
        p->src.at++;
}

static bool assignment(sh_parser *p, bool only_array)
{
    size_t start = p->src.at;
    sb_sh_assignment assignment = {0};
    sb_sh_word value = {0};

    if (!assignment_start(p, &assignment))
        return p->trouble != NULL;
    if (only_array && sh_peek(p, 0) != '(') {
        p->src.at = start;
        return false;
    }
    if (sh_peek(p, 0) == '(') {
        array_values(p, &assignment, start);
    } else {
        value.span = sh_span(p, p->src.at);
        sh_word(p, SH_WORD, &value);
        assignment.values = sh_word_dup(p, &value);
        assignment.count = 1;
    }
    assignment.span = sh_span(p, start);
    SH_STACK_PUSH(p->assignments, assignment);
    return true;
}

/* Commands whose arguments may be "name=( … )". */
static bool declares(const sb_sh_word *word)
{
    static const char *const names[] = {"declare", "typeset", "local", "export", "readonly"};

    if (word->count != 1 || word->parts[0].kind != SB_SH_LITERAL)
        return false;
    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(word->parts[0].text, names[i]))
            return true;
    return false;
}

/* "name ()": the name, when this one word is followed by parentheses with nothing between them. */
static bool is_function(sh_parser *p, const sb_sh_word *word)
{
    size_t at = p->src.at;

    if (word->count != 1 || word->parts[0].kind != SB_SH_LITERAL || word->parts[0].quoted)
        return false;
    p->src.at++;
    sh_skip_blanks(p);
    if (sh_peek(p, 0) == ')') {
        p->src.at++;
        return true;
    }
    p->src.at = at;
    return false;
}

static sb_sh_node *simple(sh_parser *p)
{
    size_t start = p->src.at;
    size_t end = start;
    size_t words = p->words.len, redirects = p->redirects.len, assignments = p->assignments.len;
    bool declaring = false;
    sb_sh_node *node;

    while (!p->trouble) {
        sb_sh_word word;

        sh_skip_blanks(p);
        if (sh_at_end(p))
            break;
        if (sh_redirect(p) || ((p->words.len == words || declaring) && assignment(p, declaring))) {
            end = p->src.at;
            continue;
        }
        if (p->trouble || !sh_word(p, SH_WORD, &word))
            break;
        end = word.span.end;
        SH_STACK_PUSH(p->words, word);
        if (p->words.len != words + 1)
            continue;
        declaring = declares(&word);
        sh_skip_blanks(p);
        if (sh_peek(p, 0) == '(' && p->redirects.len == redirects && p->assignments.len == assignments &&
            is_function(p, &word)) {
            p->words.len = words;
            return sh_function_body(p, word.parts[0].text, start);
        }
    }
    if (!p->trouble && sh_peek(p, 0) == '(' && !sh_at_end(p))
        sh_fail(p, "a \"(\" is not expected here", p->src.at);
    if (p->words.len == words && p->redirects.len == redirects && p->assignments.len == assignments)
        return NULL;
    node = sh_node(p, SB_SH_SIMPLE);
    node->words = SH_STACK_TAKE(p, p->words, words, &node->word_count);
    node->assignments = SH_STACK_TAKE(p, p->assignments, assignments, &node->assignment_count);
    node->redirects = sh_take_redirects(p, redirects, &node->redirect_count);
    node->span = p->src.fixed ? p->src.span : (sb_span){start, end};
    return node;
}

/* --- The whole ----------------------------------------------------------------------------------------- */

sb_sh_script *sb_sh_parse(sb_slice text, sb_sh_dialect dialect, sb_arena *arena)
{
    sh_parser parser = {.arena = arena,
                        .src = {.text = text.ptr ? text.ptr : "", .end = text.len},
                        .words_left = SB_SH_WORDS_MAX,
                        .scans_left = 16 * text.len + 65536};
    sb_sh_script *script;

    if (dialect == SB_SH_OTHER || text.len > SB_SH_TEXT_MAX) {
        script = sb_arena_new_of(arena, sb_sh_script);
        script->root = sb_arena_new_of(arena, sb_sh_node);
        script->root->kind = SB_SH_LIST;
        script->trouble =
            dialect == SB_SH_OTHER ? "it is not for a shell of the Bourne family" : "it is too long";
    } else {
        script = sh_script(&parser);
        script->trouble = parser.trouble;
        script->trouble_span = parser.trouble_span;
    }
    script->text = text;
    free(parser.parts.items);
    free(parser.words.items);
    free(parser.nodes.items);
    free(parser.redirects.items);
    free(parser.assignments.items);
    free(parser.arms.items);
    free(parser.pending.items);
    return script;
}
