// SPDX-License-Identifier: Apache-2.0
#include <shell/read.h>

sb_span sh_outer_span(const sh_context *context, sb_span span)
{
    if (context->fixed)
        return context->span;
    return (sb_span){(size_t)((ptrdiff_t)span.start + context->shift),
                     (size_t)((ptrdiff_t)span.end + context->shift)};
}

void sh_read_trouble(sh_reader *r, const sh_context *context, const char *trouble, sb_span span)
{
    if (r->trouble)
        return;
    r->trouble = trouble;
    r->trouble_span = sh_outer_span(context, span);
}

bool sh_deeper(sh_reader *r, const sh_context *context, sb_span span)
{
    if (r->depth >= SB_SH_DEPTH_MAX) {
        sh_read_trouble(r, context, "it is nested too deeply", span);
        return false;
    }
    r->depth++;
    return true;
}

/* Returns the last position in the pipeline around it that its commands have. */
static size_t walk(sh_reader *r, const sb_sh_node *node, const sh_context *context);

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static sb_slice first_word(const sb_sh_node *node)
{
    if (node->kind == SB_SH_TEST || node->kind == SB_SH_ARITH_COMMAND)
        return SB_LIT("[");
    if (node->kind != SB_SH_SIMPLE || !node->word_count || node->words[0].count != 1 ||
        node->words[0].parts[0].kind != SB_SH_LITERAL)
        return SB_LIT("");
    return node->words[0].parts[0].text;
}

static bool is_test(const sb_sh_node *node)
{
    sb_slice word;

    while (node->kind == SB_SH_PIPELINE && node->child_count == 1)
        node = node->children[0];
    word = first_word(node);
    return sb_slice_eqz(word, "[") || sb_slice_eqz(word, "test");
}

/* Behind "||", this lets what failed before go by. */
static bool is_harmless(const sb_sh_node *node)
{
    sb_slice word;

    while ((node->kind == SB_SH_GROUP || node->kind == SB_SH_LIST) && node->child_count)
        node = node->children[node->child_count - 1];
    word = first_word(node);
    if (sb_slice_eqz(word, "exit") || sb_slice_eqz(word, "return"))
        return node->word_count == 2 && node->words[1].count == 1 &&
               sb_slice_eqz(node->words[1].parts[0].text, "0");
    return sb_slice_eqz(word, "true") || sb_slice_eqz(word, ":") || sb_slice_eqz(word, "echo") ||
           sb_slice_eqz(word, "printf") || sb_slice_eqz(word, "continue");
}

/* Nothing comes behind it: it ends in "exit" or "return". */
static bool leaves(const sb_sh_node *node)
{
    sb_slice word;

    while ((node->kind == SB_SH_GROUP || node->kind == SB_SH_LIST) && node->child_count)
        node = node->children[node->child_count - 1];
    word = first_word(node);
    return sb_slice_eqz(word, "exit") || sb_slice_eqz(word, "return") || sb_slice_eqz(word, "false");
}

/* A part that may not run. */
static size_t walk_optional(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;
    size_t trail = r->trail.len, outcomes = r->outcomes.len;
    size_t position;

    inner.conditional = true;
    position = walk(r, node, &inner);
    sh_branch_end(r, trail, 0, leaves(node));
    sh_join(r, outcomes, 1, false);
    return position;
}

/* One of several, of which one runs. One that leaves is not counted. */
static size_t walk_branch(sh_reader *r, const sb_sh_node *node, const sh_context *context, size_t *branches)
{
    sh_context inner = *context;
    size_t trail = r->trail.len;
    size_t position = context->position;

    inner.conditional = true;
    if (node)
        position = walk(r, node, &inner);
    sh_branch_end(r, trail, *branches, node && leaves(node));
    *branches += !node || !leaves(node);
    return position;
}

/* What it does to variables ends with it. */
static size_t walk_apart(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    size_t trail = r->trail.len;
    size_t position = walk(r, node, context);

    sh_take_back(r, trail);
    return position;
}

static size_t walk_list(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;
    size_t position = context->position;

    for (size_t i = 0; i < node->child_count; i++) {
        inner.more = context->more || i + 1 < node->child_count;
        position = larger(position, walk(r, node->children[i], &inner));
    }
    return position;
}

/* --- && and || ----------------------------------------------------------------------------------------- */

/* The chain as a sequence; it leans to the left as often as && and || change in it, so there is no recursion.
 */
static void unroll(sh_reader *r, const sb_sh_node *node)
{
    size_t mark = r->chain.len;
    bool before_or = false, ignored = false;

    for (; node->kind == SB_SH_AND || node->kind == SB_SH_OR; node = node->children[0])
        for (size_t i = node->child_count; i-- > 1;)
            SH_STACK_PUSH(r->chain,
                          ((sh_link){.node = node->children[i], .behind_or = node->kind == SB_SH_OR}));
    SH_STACK_PUSH(r->chain, (sh_link){.node = node});
    for (size_t i = mark; i < r->chain.len; i++) { /* from the last to the first */
        sh_link *link = &r->chain.items[i];

        link->before_or = before_or;
        link->ignored = ignored;
        before_or = link->behind_or || before_or;
        ignored = ignored || (link->behind_or && is_harmless(link->node));
    }
}

static size_t walk_chain(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    size_t mark = r->chain.len;
    size_t outcomes = r->outcomes.len;
    size_t trail = SIZE_MAX; /* where the branch "x && this || …" began */
    size_t position = context->position;
    bool first = true, tested = false;

    unroll(r, node);
    while (r->chain.len > mark) {
        sh_link link = r->chain.items[r->chain.len - 1];
        sh_context inner = *context;

        r->chain.len--;
        inner.ignored = context->ignored || link.ignored;
        inner.more = context->more || r->chain.len > mark;
        if (trail != SIZE_MAX && link.behind_or) { /* this, or the branch before it */
            size_t branches = 1;

            sh_branch_end(r, trail, 0, false);
            position = larger(position, walk_branch(r, link.node, &inner, &branches));
            sh_join(r, outcomes, branches, true);
            trail = SIZE_MAX;
        } else if (!first && !link.behind_or && link.before_or) {
            if (trail == SIZE_MAX)
                trail = r->trail.len;
            inner.conditional = true;
            position = larger(position, walk(r, link.node, &inner));
        } else if (!first && (link.behind_or || (tested && context->more))) {
            position = larger(position, walk_optional(r, link.node, &inner));
        } else {
            position = larger(position, walk(r, link.node, &inner));
        }
        tested = is_test(link.node) || (tested && !link.behind_or);
        first = false;
    }
    return position;
}

/* Without those files of compound commands around that a pipe takes the place of. */
static void take_files(sh_reader *r, const sh_context *context, bool reads, bool writes, sh_context *inner)
{
    sb_sh_file *files = sb_arena_array(r->arena, sb_sh_file, context->file_count);
    sh_value *docs = sb_arena_array(r->arena, sh_value, context->file_count);

    inner->file_count = 0;
    for (size_t i = 0; i < context->file_count; i++) {
        if ((reads && context->files[i].fd == 0) || (writes && context->files[i].fd == 1))
            continue;
        files[inner->file_count] = context->files[i];
        docs[inner->file_count++] = context->docs[i];
    }
    inner->files = files;
    inner->docs = docs;
}

/* --- Pipelines ----------------------------------------------------------------------------------------- */

static size_t walk_pipeline(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;
    size_t position = context->position;

    if (node->child_count == 1)
        return walk(r, node->children[0], &inner);
    if (!context->piped) {
        inner.piped = true;
        inner.pipeline = r->pipelines++;
        inner.last = true;
        position = 0;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        bool last = i + 1 == node->child_count;

        inner.position = position;
        inner.last = last && (context->piped ? context->last : true);
        if (context->file_count)
            take_files(r, context, i > 0, !last, &inner);
        position = walk_apart(r, node->children[i], &inner);
        if (!last)
            position++;
    }
    return context->piped ? position : context->position;
}

/* --- Compound commands --------------------------------------------------------------------------------- */

/* The redirections of a compound command hold for the commands in it. */
static void redirect(sh_reader *r, const sb_sh_node *node, sh_context *context)
{
    sb_sh_file *files;
    sh_value *docs;

    if (context->file_count + node->redirect_count <= SH_FILES_MAX) {
        sh_tell_files(r, node, context, &files, &docs, &context->file_count);
        context->files = files;
        context->docs = docs;
    }
    for (size_t i = 0; i < node->redirect_count; i++)
        sh_walk_word(r, &node->redirects[i].target, context);
}

static size_t walk_if(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    size_t outcomes = r->outcomes.len;
    size_t position = context->position;
    size_t branches = 0;
    bool complete = false;
    bool first = true;

    for (; node; first = false) {
        sh_context inner = *context;

        inner.more = true;
        if (node->kind != SB_SH_IF) {
            complete = true;
            position = larger(position, walk_branch(r, node, &inner, &branches));
            break;
        }
        inner.conditional = context->conditional || !first;
        if (node->condition)
            position = larger(position, walk(r, node->condition, &inner));
        position = larger(position, walk_branch(r, node->body, &inner, &branches));
        node = node->otherwise;
    }
    sh_join(r, outcomes, branches, complete);
    return position;
}

static bool is_default_arm(const sb_sh_arm *arm)
{
    for (size_t i = 0; i < arm->pattern_count; i++)
        if (arm->patterns[i].count == 1 && sb_slice_eqz(arm->patterns[i].parts[0].text, "*") &&
            arm->patterns[i].parts[0].kind == SB_SH_GLOB)
            return true;
    return false;
}

static size_t walk_case(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    size_t outcomes = r->outcomes.len;
    size_t position = context->position;
    size_t branches = 0;
    bool complete = false;
    sh_context inner = *context;

    inner.more = true;
    for (size_t i = 0; i < node->word_count; i++)
        sh_walk_word(r, &node->words[i], context);
    for (size_t i = 0; i < node->arm_count; i++) {
        for (size_t j = 0; j < node->arms[i].pattern_count; j++)
            sh_walk_word(r, &node->arms[i].patterns[j], context);
        complete = complete || is_default_arm(&node->arms[i]);
        position = larger(position, walk_branch(r, node->arms[i].body, &inner, &branches));
    }
    sh_join(r, outcomes, branches, complete);
    return position;
}

static size_t walk_loop(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;
    size_t position = context->position;

    inner.looped = true;
    inner.more = true;
    if (node->condition)
        position = walk(r, node->condition, &inner);
    if (node->body)
        position = larger(position, walk_optional(r, node->body, &inner));
    return position;
}

/* Returns whether there is at least one value, so that the body runs. */
static bool set_loop_variable(sh_reader *r, const sb_sh_node *node)
{
    size_t mark = r->fields.len;
    size_t index = sh_variable_index(r, node->name);
    sh_variable variable = {0};
    bool runs = false;

    if (!node->words_given) { /* "$@" */
        sh_set_unknown(r, index);
        return false;
    }
    for (size_t i = 0; i < node->word_count; i++)
        sh_expand(r, &node->words[i], true);
    for (size_t i = mark; i < r->fields.len && !runs; i++)
        runs = sh_is_known(&r->fields.items[i].value);
    variable.values = sh_take_values(r, mark, &variable.count);
    sh_set(r, index, variable);
    return runs;
}

static size_t walk_for(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;
    bool runs = false;

    for (size_t i = 0; i < node->word_count; i++)
        sh_walk_word(r, &node->words[i], context);
    if (node->name.len)
        runs = set_loop_variable(r, node);
    inner.looped = true;
    inner.more = true;
    if (!node->body)
        return context->position;
    return runs ? walk(r, node->body, &inner) : walk_optional(r, node->body, &inner);
}

/* Without its own variables. */
static void drop_locals(sh_reader *r, size_t outcomes, size_t locals)
{
    size_t kept = outcomes;

    for (size_t i = outcomes; i < r->outcomes.len; i++) {
        bool own = false;

        for (size_t j = locals; j < r->locals.len && j < locals + SH_LOCALS_MAX; j++)
            own = own || r->locals.items[j] == r->outcomes.items[i].variable;
        if (!own)
            r->outcomes.items[kept++] = r->outcomes.items[i];
    }
    r->outcomes.len = kept;
    r->locals.len = locals;
}

/* Its commands are told where it is defined; what it sets may be set wherever it is called. */
static size_t walk_function(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;
    size_t trail = r->trail.len, outcomes = r->outcomes.len, locals = r->locals.len;
    sh_function function = {.name = node->name};

    inner.function = true;
    inner.more = true;
    sh_set_unknown(r, sh_variable_index(r, SB_LIT("@")));
    if (node->body)
        walk(r, node->body, &inner);
    sh_branch_end(r, trail, 0, false);
    drop_locals(r, outcomes, locals);
    function.changes = SH_STACK_TAKE(r, r->outcomes, outcomes, &function.count);
    if (r->functions.len < SH_FUNCTIONS_MAX)
        SH_STACK_PUSH(r->functions, function);
    return context->position;
}

/* "[[ … ]]" and "(( … ))" are told like commands of these names. */
static size_t walk_test(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    bool is_test = node->kind == SB_SH_TEST;
    sb_sh_word name = {.parts = sb_arena_new_of(r->arena, sb_sh_part), .count = 1, .span = node->span};
    sb_sh_node simple = *node;

    name.parts->text = is_test ? SB_LIT("[[") : SB_LIT("((");
    simple.word_count = node->word_count + 1;
    simple.words = sb_arena_array(r->arena, sb_sh_word, simple.word_count);
    simple.words[0] = name;
    if (node->word_count)
        memcpy(simple.words + 1, node->words, node->word_count * sizeof(*node->words));
    sh_walk_simple(r, &simple, context);
    return context->position;
}

static size_t walk_node(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    sh_context inner = *context;

    switch (node->kind) {
    case SB_SH_SIMPLE:
        sh_walk_simple(r, node, context);
        return context->position;
    case SB_SH_PIPELINE:
        return walk_pipeline(r, node, context);
    case SB_SH_AND:
    case SB_SH_OR:
        return walk_chain(r, node, context);
    case SB_SH_LIST:
        return walk_list(r, node, context);
    case SB_SH_GROUP:
        return walk(r, node->children[0], context);
    case SB_SH_BACKGROUND:
        inner.ignored = true;
        return node->child_count ? walk_apart(r, node->children[0], &inner) : context->position;
    case SB_SH_SUBSHELL:
        return walk_apart(r, node->children[0], context);
    case SB_SH_IF:
        return walk_if(r, node, context);
    case SB_SH_WHILE:
    case SB_SH_UNTIL:
        return walk_loop(r, node, context);
    case SB_SH_FOR:
    case SB_SH_SELECT:
        return walk_for(r, node, context);
    case SB_SH_CASE:
        return walk_case(r, node, context);
    case SB_SH_FUNCTION:
        return walk_function(r, node, context);
    case SB_SH_TEST:
    case SB_SH_ARITH_COMMAND:
        return walk_test(r, node, context);
    }
    return context->position;
}

static size_t walk(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    size_t position;

    if (r->cut || !sh_deeper(r, context, node->span))
        return context->position;
    if (node->redirect_count && node->kind != SB_SH_SIMPLE && node->kind != SB_SH_TEST &&
        node->kind != SB_SH_ARITH_COMMAND) {
        sh_context inner = *context;

        redirect(r, node, &inner);
        position = walk_node(r, node, &inner);
    } else {
        position = walk_node(r, node, context);
    }
    r->depth--;
    return position;
}

void sh_walk(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    walk(r, node, context);
}

/* --- The whole ----------------------------------------------------------------------------------------- */

static const sh_context outermost = {.inside = -1, .last = true};

static void begin(sh_reader *r, sb_slice text, const sb_sh_options *options, sb_arena *arena)
{
    *r = (sh_reader){.arena = arena,
                     .text = text,
                     .dialect = options->dialect,
                     .bytes_left = SH_EXPANDED_MAX,
                     .steps_left = SH_STEPS_MAX,
                     .braces_left = SH_BRACES_MAX};
    sh_variable_index(r, SB_LIT("")); /* SH_DIRECTORY */
    if (options->directory.ptr)
        sh_set_text(r, SH_DIRECTORY, options->directory);
    r->variables.items[SH_DIRECTORY].exported = true;
    for (size_t i = 0; i < options->var_count; i++) {
        size_t index = sh_variable_index(r, options->vars[i].name);

        if (options->vars[i].value.ptr)
            sh_set_text(r, index, options->vars[i].value);
        else
            sh_set_unknown(r, index);
        r->variables.items[index].exported = true;
    }
}

static void end(sh_reader *r, sb_sh_reading *ret_reading)
{
    ret_reading->commands = SH_STACK_TAKE(r, r->commands, 0, &ret_reading->count);
    ret_reading->trouble = r->trouble;
    ret_reading->trouble_span = r->trouble_span;
    ret_reading->cut = r->cut;
    free(r->commands.items);
    free(r->variables.items);
    free(r->slots);
    free(r->chain.items);
    free(r->trail.items);
    free(r->outcomes.items);
    free(r->functions.items);
    free(r->locals.items);
    free(r->fields.items);
    free(r->pieces.items);
}

void sb_sh_read(sb_slice text, const sb_sh_options *options, sb_arena *arena, sb_sh_reading *ret_reading)
{
    sh_reader reader;

    begin(&reader, text, options, arena);
    *ret_reading = (sb_sh_reading){.script = sb_sh_parse(text, options->dialect, arena)};
    if (ret_reading->script->trouble)
        sh_read_trouble(&reader, &outermost, ret_reading->script->trouble, ret_reading->script->trouble_span);
    walk(&reader, ret_reading->script->root, &outermost);
    end(&reader, ret_reading);
}

void sb_sh_read_exec(const sb_slice *words, size_t count, const sb_sh_options *options, sb_arena *arena,
                     sb_sh_reading *ret_reading)
{
    sh_field *fields = sb_arena_array(arena, sh_field, count);
    sb_sh_command base = {.inside = -1};
    size_t at = 0;
    sh_reader reader;

    begin(&reader, SB_NIL, options, arena);
    *ret_reading = (sb_sh_reading){0};
    for (size_t i = 0; i < count; i++) {
        fields[i] = (sh_field){.quoted = true, .span = {at, at + words[i].len}};
        at += words[i].len + 1;
        fields[i].value = (sh_value){sb_arena_new_of(arena, sh_piece), 1};
        fields[i].value.pieces->text = words[i].ptr ? words[i] : SB_LIT("");
    }
    base.span = (sb_span){0, at ? at - 1 : 0};
    if (count)
        sh_tell(&reader, fields, count, &base, NULL, &outermost);
    end(&reader, ret_reading);
}
