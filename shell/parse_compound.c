// SPDX-License-Identifier: Apache-2.0
#include <shell/parse.h>

sb_sh_node *sh_node(sh_parser *p, sb_sh_node_kind kind)
{
    sb_sh_node *node = sb_arena_new_of(p->arena, sb_sh_node);

    node->kind = kind;
    return node;
}

sb_slice sh_reserved(const sh_parser *p)
{
    static const char *const words[] = {"if",   "then", "elif",   "else",  "fi",    "do",     "done",
                                        "case", "esac", "for",    "while", "until", "select", "function",
                                        "{",    "}",    "coproc", "[[",    "!"};
    size_t n = 0;
    char c = sh_peek(p, 0);

    if (c != '!' && c != '{' && c != '}' && c != '[' && (c < 'c' || c > 'w'))
        return SB_NIL;
    while (n < 9 && n < p->src.end - p->src.at && !sh_is_delimiter(sh_peek(p, n)) && sh_peek(p, n) != '\r')
        n++;
    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (words[i][0] == c && sb_slice_eqz(sb_slice_of(p->src.text + p->src.at, n), words[i]))
            return sb_slice_of(p->src.text + p->src.at, n);
    return SB_NIL;
}

static bool at_word(const sh_parser *p, const char *word)
{
    return sb_slice_eqz(sh_reserved(p), word);
}

/* Reads the word that has to be here. */
static bool expect(sh_parser *p, const char *word, const char *trouble, size_t start)
{
    if (p->trouble)
        return false;
    if (!at_word(p, word)) {
        sh_fail(p, trouble, sh_at_end(p) ? start : p->src.at);
        return false;
    }
    p->src.at += strlen(word);
    return true;
}

static void one_child(sh_parser *p, sb_sh_node *node, sb_sh_node *child)
{
    node->children = sb_arena_array(p->arena, sb_sh_node *, 1);
    node->children[0] = child;
    node->child_count = 1;
}

void sh_redirects_behind(sh_parser *p, sb_sh_node *node)
{
    size_t mark = p->redirects.len;

    do
        sh_skip_blanks(p);
    while (!p->trouble && !sh_at_end(p) && sh_redirect(p));
    node->redirects = sh_take_redirects(p, mark, &node->redirect_count);
}

/* --- Groups -------------------------------------------------------------------------------------------- */

static sb_sh_node *group(sh_parser *p)
{
    sb_sh_node *node = sh_node(p, SB_SH_GROUP);
    size_t start = p->src.at;

    p->src.at++;
    one_child(p, node, sh_list(p));
    expect(p, "}", "a \"{\" has no \"}\"", start);
    return node;
}

static sb_sh_node *subshell(sh_parser *p)
{
    sb_sh_node *node = sh_node(p, SB_SH_SUBSHELL);
    size_t start = p->src.at;

    p->src.at++;
    one_child(p, node, sh_script_in_parentheses(p, start)->root);
    return node;
}

static void one_word(sh_parser *p, sb_sh_node *node, size_t end)
{
    node->words = sb_arena_array(p->arena, sb_sh_word, 1);
    node->word_count = 1;
    sh_text_word(p, end, false, &node->words[0]);
}

static sb_sh_node *arithmetic(sh_parser *p, size_t end)
{
    sb_sh_node *node = sh_node(p, SB_SH_ARITH_COMMAND);

    p->src.at += 2;
    one_word(p, node, end);
    if (!p->trouble)
        p->src.at = end + 2;
    return node;
}

/* --- if, while ----------------------------------------------------------------------------------------- */

/* Also of an elif: src.at is behind the word. The chain of elifs is no recursion. */
static sb_sh_node *if_command(sh_parser *p)
{
    sb_sh_node *first = sh_node(p, SB_SH_IF);
    sb_sh_node *node = first;
    size_t start = p->src.at;

    p->src.at += 2;
    for (;;) {
        node->condition = sh_list(p);
        if (!expect(p, "then", "an \"if\" has no \"then\"", start))
            return first;
        node->body = sh_list(p);
        if (p->trouble || !at_word(p, "elif"))
            break;
        node->otherwise = sh_node(p, SB_SH_IF);
        node = node->otherwise;
        start = p->src.at;
        p->src.at += 4;
        node->span = sh_span(p, start);
    }
    if (!p->trouble && at_word(p, "else")) {
        p->src.at += 4;
        node->otherwise = sh_list(p);
    }
    expect(p, "fi", "an \"if\" has no \"fi\"", start);
    return first;
}

static sb_sh_node *do_body(sh_parser *p, size_t start)
{
    sb_sh_node *body;

    if (!expect(p, "do", "a loop has no \"do\"", start))
        return NULL;
    body = sh_list(p);
    expect(p, "done", "a loop has no \"done\"", start);
    return body;
}

static sb_sh_node *while_command(sh_parser *p)
{
    sb_sh_node *node = sh_node(p, sh_peek(p, 0) == 'w' ? SB_SH_WHILE : SB_SH_UNTIL);
    size_t start = p->src.at;

    p->src.at += 5;
    node->condition = sh_list(p);
    node->body = do_body(p, start);
    return node;
}

/* --- for ----------------------------------------------------------------------------------------------- */

/* "do … done", or the "{ … }" that shells take as well. */
static sb_sh_node *for_body(sh_parser *p, size_t start)
{
    if (at_word(p, "{")) {
        sb_sh_node *body = group(p);

        return body->children[0];
    }
    return do_body(p, start);
}

static sb_sh_node *arithmetic_for(sh_parser *p, sb_sh_node *node, size_t start)
{
    size_t end;

    if (!sh_find_arithmetic_end(p, p->src.at + 2, &end)) {
        sh_fail(p, "a \"for ((\" has no \"))\"", start);
        return node;
    }
    p->src.at += 2;
    one_word(p, node, end);
    if (p->trouble)
        return node;
    p->src.at = end + 2;
    sh_skip_blanks(p);
    if (sh_peek(p, 0) == ';')
        p->src.at++;
    sh_skip_newlines(p);
    node->body = for_body(p, start);
    return node;
}

static sb_slice name_at(sh_parser *p)
{
    size_t start = p->src.at;

    if (sh_is_name_start(sh_peek(p, 0)))
        while (sh_is_name_start(sh_peek(p, 0)) || sh_is_digit(sh_peek(p, 0)))
            p->src.at++;
    return sb_slice_of(p->src.text + start, p->src.at - start);
}

static bool skip_word(sh_parser *p, const char *word)
{
    size_t len = strlen(word);

    if (!sh_looking_at(p, word) ||
        (len < p->src.end - p->src.at && !sh_is_delimiter(sh_peek(p, len)) && sh_peek(p, len) != '\r'))
        return false;
    p->src.at += len;
    return true;
}

static sb_sh_node *for_command(sh_parser *p)
{
    size_t start = p->src.at;
    sb_sh_node *node = sh_node(p, sh_peek(p, 0) == 'f' ? SB_SH_FOR : SB_SH_SELECT);
    size_t mark = p->words.len;

    p->src.at += node->kind == SB_SH_FOR ? 3 : 6;
    sh_skip_blanks(p);
    if (sh_looking_at(p, "(("))
        return arithmetic_for(p, node, start);
    node->name = name_at(p);
    if (!node->name.len) {
        sh_fail(p, "a \"for\" has no variable", start);
        return node;
    }
    sh_skip_newlines(p);
    if (skip_word(p, "in")) {
        sb_sh_word word;

        node->words_given = true;
        for (sh_skip_blanks(p); !sh_at_end(p) && sh_word(p, SH_WORD, &word); sh_skip_blanks(p))
            SH_STACK_PUSH(p->words, word);
        node->words = SH_STACK_TAKE(p, p->words, mark, &node->word_count);
    }
    if (sh_peek(p, 0) == ';')
        p->src.at++;
    sh_skip_newlines(p);
    node->body = p->trouble ? NULL : for_body(p, start);
    return node;
}

/* --- case ---------------------------------------------------------------------------------------------- */

static void patterns(sh_parser *p, sb_sh_arm *arm)
{
    size_t mark = p->words.len;

    if (sh_peek(p, 0) == '(')
        p->src.at++;
    for (;;) {
        sb_sh_word word;

        sh_skip_blanks(p);
        if (!sh_word(p, SH_WORD, &word))
            break;
        SH_STACK_PUSH(p->words, word);
        sh_skip_blanks(p);
        if (sh_peek(p, 0) != '|')
            break;
        p->src.at++;
    }
    arm->patterns = SH_STACK_TAKE(p, p->words, mark, &arm->pattern_count);
    if (p->trouble)
        return;
    if (sh_peek(p, 0) != ')' || sh_at_end(p) || !arm->pattern_count)
        sh_fail(p, "a pattern of a \"case\" is not understood", p->src.at);
    else
        p->src.at++;
}

static sb_sh_node *case_command(sh_parser *p)
{
    sb_sh_node *node = sh_node(p, SB_SH_CASE);
    size_t start = p->src.at;
    size_t mark = p->arms.len;
    sb_sh_word word;

    p->src.at += 4;
    sh_skip_blanks(p);
    if (!sh_word(p, SH_WORD, &word)) {
        sh_fail(p, "a \"case\" has no word", start);
        return node;
    }
    node->words = sh_word_dup(p, &word);
    node->word_count = 1;
    sh_skip_newlines(p);
    if (!skip_word(p, "in"))
        sh_fail(p, "a \"case\" has no \"in\"", start);
    while (!p->trouble) {
        sb_sh_arm arm = {0};
        sb_sh_node *body;

        sh_skip_newlines(p);
        if (sh_at_end(p) || at_word(p, "esac"))
            break;
        patterns(p, &arm);
        if (!p->trouble) {
            body = sh_list(p);
            arm.body = body->child_count ? body : NULL;
        }
        SH_STACK_PUSH(p->arms, arm);
        if (sh_looking_at(p, ";;&"))
            p->src.at += 3;
        else if (sh_looking_at(p, ";;") || sh_looking_at(p, ";&"))
            p->src.at += 2;
        else
            break;
    }
    node->arms = SH_STACK_TAKE(p, p->arms, mark, &node->arm_count);
    expect(p, "esac", "a \"case\" has no \"esac\"", start);
    return node;
}

/* --- [[ … ]] ------------------------------------------------------------------------------------------- */

static bool test_operator(sh_parser *p, sb_sh_word *ret_word)
{
    size_t start = p->src.at;
    size_t mark = p->parts.len;
    size_t len = 0;
    char c = sh_peek(p, 0);

    if (c == '(' || c == ')' || ((c == '<' || c == '>') && sh_peek(p, 1) != '('))
        len = 1;
    else if (sh_looking_at(p, "&&") || sh_looking_at(p, "||"))
        len = 2;
    if (!len)
        return false;
    p->src.at += len;
    sh_add_literal(p, start, p->src.at, false);
    sh_word_done(p, mark, start, ret_word);
    return true;
}

static sb_sh_node *test_command(sh_parser *p)
{
    sb_sh_node *node = sh_node(p, SB_SH_TEST);
    size_t start = p->src.at;
    size_t mark = p->words.len;
    bool regex = false;

    p->src.at += 2;
    for (;;) {
        sb_sh_word word;
        size_t at;

        sh_skip_newlines(p);
        at = p->src.at;
        if (p->trouble || sh_at_end(p) || skip_word(p, "]]"))
            break;
        if (regex ? !sh_word(p, SH_WORD_REGEX, &word)
                  : !test_operator(p, &word) && !sh_word(p, SH_WORD, &word)) {
            sh_fail(p, "this is not expected in \"[[ ]]\"", at);
            break;
        }
        regex = !regex && word.count == 1 && sb_slice_eqz(word.parts[0].text, "=~");
        SH_STACK_PUSH(p->words, word);
    }
    node->words = SH_STACK_TAKE(p, p->words, mark, &node->word_count);
    if (!p->trouble && sh_at_end(p) && !(p->src.at >= 2 && memcmp(p->src.text + p->src.at - 2, "]]", 2) == 0))
        sh_fail(p, "a \"[[\" has no \"]]\"", start);
    return node;
}

/* --- Functions, coproc --------------------------------------------------------------------------------- */

sb_sh_node *sh_function_body(sh_parser *p, sb_slice name, size_t start)
{
    sb_sh_node *node = sh_node(p, SB_SH_FUNCTION);

    node->name = name;
    sh_skip_newlines(p);
    node->body = sh_compound(p);
    if (!node->body && !p->trouble)
        sh_fail(p, "a function has no body", start);
    node->span = sh_span(p, start);
    return node;
}

static sb_sh_node *function(sh_parser *p)
{
    size_t start = p->src.at;
    sb_sh_word name;

    p->src.at += 8;
    sh_skip_blanks(p);
    if (!sh_word(p, SH_WORD, &name) || !name.count) {
        sh_fail(p, "a function has no name", start);
        return NULL;
    }
    sh_skip_blanks(p);
    if (sh_peek(p, 0) == '(') {
        size_t at = p->src.at++;

        sh_skip_blanks(p);
        if (sh_peek(p, 0) == ')')
            p->src.at++;
        else
            p->src.at = at; /* the body is a subshell */
    }
    return sh_function_body(p, name.parts[0].text, start);
}

static sb_sh_node *coprocess(sh_parser *p)
{
    sb_sh_node *node = sh_node(p, SB_SH_BACKGROUND);
    size_t start = p->src.at;
    size_t at;
    sb_sh_node *body;

    p->src.at += 6;
    sh_skip_blanks(p);
    at = p->src.at;
    if (name_at(p).len) { /* a name only stands before a compound command */
        sh_skip_blanks(p);
        if (sh_peek(p, 0) != '{' && sh_peek(p, 0) != '(')
            p->src.at = at;
    }
    body = sh_command(p);
    if (!body)
        sh_fail(p, "a \"coproc\" has no command", start);
    else
        one_child(p, node, body);
    return node;
}

/* --- Any of them --------------------------------------------------------------------------------------- */

static sb_sh_node *by_word(sh_parser *p)
{
    sb_slice word = sh_reserved(p);

    if (!word.ptr)
        return NULL;
    switch (word.ptr[0]) {
    case '{':
        return group(p);
    case '[':
        return test_command(p);
    case 'i':
        return if_command(p);
    case 'w':
    case 'u':
        return while_command(p);
    case 's':
        return for_command(p);
    case 'f':
        if (word.ptr[1] == 'o')
            return for_command(p);
        return word.ptr[1] == 'u' ? function(p) : NULL;
    case 'c':
        return word.ptr[1] == 'a' ? case_command(p) : coprocess(p);
    default:
        return NULL;
    }
}

static bool ends_a_list(sb_slice word)
{
    static const char *const words[] = {"then", "elif", "else", "fi", "do", "done", "esac", "}"};

    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (sb_slice_eqz(word, words[i]))
            return true;
    return false;
}

bool sh_at_list_end(const sh_parser *p)
{
    return ends_a_list(sh_reserved(p));
}

sb_sh_node *sh_compound(sh_parser *p)
{
    size_t start = p->src.at;
    sb_sh_node *node;
    size_t end;

    if (sh_looking_at(p, "((") && sh_find_arithmetic_end(p, start + 2, &end))
        node = arithmetic(p, end);
    else if (sh_peek(p, 0) == '(')
        node = subshell(p);
    else
        node = by_word(p);
    if (!node || node->kind == SB_SH_FUNCTION)
        return node;
    node->span = sh_span(p, start);
    if (!p->trouble && node->kind != SB_SH_BACKGROUND)
        sh_redirects_behind(p, node);
    return node;
}
