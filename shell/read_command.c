// SPDX-License-Identifier: Apache-2.0
#include <shell/read.h>

/* --- Substitutions ------------------------------------------------------------------------------------- */

static sb_sh_place place_of(sb_sh_part_kind kind)
{
    if (kind == SB_SH_PROCESS_IN)
        return SB_SH_PLACE_INPUT;
    return kind == SB_SH_PROCESS_OUT ? SB_SH_PLACE_OUTPUT : SB_SH_PLACE_ARGUMENT;
}

/* Was this expansion put into the text by a text around it, which told of it? */
static bool is_told(const sh_context *context, sb_span span)
{
    size_t low = 0, high = context->told_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (context->told[middle].end <= span.start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < context->told_count && context->told[low].start <= span.start;
}

void sh_walk_word(sh_reader *r, const sb_sh_word *word, const sh_context *context)
{
    for (size_t i = 0; i < word->count; i++) {
        const sb_sh_part *part = &word->parts[i];

        if (part->kind == SB_SH_LITERAL || part->kind == SB_SH_GLOB)
            continue;
        if (part->operand)
            sh_walk_word(r, part->operand, context);
        if (part->index)
            sh_walk_word(r, part->index, context);
        if (part->script && !is_told(context, part->span)) {
            sh_context inner = *context;
            size_t trail = r->trail.len;

            inner.place = place_of(part->kind);
            inner.piped = false;
            inner.position = 0;
            inner.last = true;
            inner.wrappers = NULL;
            inner.wrapper_count = 0;
            inner.user = SB_NIL;
            sh_walk(r, part->script->root, &inner);
            sh_take_back(r, trail);
        }
    }
}

/* --- Telling ------------------------------------------------------------------------------------------- */

static void fill_from_context(sh_reader *r, sb_sh_command *command, const sh_context *context)
{
    const sh_variable *directory = &r->variables.items[SH_DIRECTORY];
    bool known = false;

    command->pipeline = context->piped ? context->pipeline : r->pipelines++;
    command->position = context->piped ? context->position : 0;
    command->last = context->piped ? context->last : true;
    command->conditional = context->conditional;
    command->ignored = context->ignored;
    command->looped = context->looped;
    command->function = context->function;
    command->place = context->place;
    command->inside = context->inside;
    command->inside_arg = context->inside_arg;
    command->variable = context->variable;
    if (directory->count == 1)
        command->directory = sh_value_text(r, directory->values, &known);
    if (!known)
        command->directory = SB_NIL;
}

void sh_tell(sh_reader *r, sh_field *fields, size_t count, const sb_sh_command *base, const sh_value *docs,
             const sh_context *context)
{
    sb_sh_command command = *base;
    size_t index = r->commands.len;
    size_t skipped;

    if (index == SB_SH_COMMANDS_MAX) {
        r->cut = true;
        return;
    }
    command.words = sb_arena_array(r->arena, sb_sh_arg, count);
    command.word_count = count;
    for (size_t i = 0; i < count; i++) {
        fields[i].span = sh_outer_span(context, fields[i].span);
        command.words[i] = sh_arg(r, &fields[i]);
    }
    fill_from_context(r, &command, context);
    command.wrappers = context->wrappers;
    command.wrapper_count = context->wrapper_count;
    command.user = context->user;
    skipped = sh_unwrap(r, command.words, count, &command);
    command.args = command.words + skipped;
    command.count = count - skipped;
    command.name = command.count ? sb_path_last(command.args[0].text) : SB_LIT("");
    SH_STACK_PUSH(r->commands, command);
    if (command.count)
        sh_look_inside(r, index, fields + skipped, docs, context);
}

/* --- A simple command ---------------------------------------------------------------------------------- */

static sb_sh_arg one_value(sh_reader *r, const sb_sh_word *word, const sh_context *context,
                           sh_value *ret_value)
{
    size_t mark = r->fields.len;
    sh_field field;
    sb_sh_arg arg;

    sh_expand(r, word, false);
    field = r->fields.items[mark];
    r->fields.len = mark;
    field.span = sh_outer_span(context, field.span);
    arg = sh_arg(r, &field);
    *ret_value = field.value;
    return arg;
}

static void tell_assignments(sh_reader *r, const sb_sh_node *node, const sh_context *context,
                             sb_sh_command *command)
{
    command->assigned = sb_arena_array(r->arena, sb_sh_assigned, node->assignment_count);
    command->assigned_count = node->assignment_count;
    for (size_t i = 0; i < node->assignment_count; i++) {
        const sb_sh_assignment *assignment = &node->assignments[i];
        sb_sh_assigned *assigned = &command->assigned[i];
        sh_value value;
        size_t count = 0;
        sb_sh_part *parts;

        assigned->name = assignment->name;
        if (!assignment->array) {
            assigned->value = one_value(r, &assignment->values[0], context, &value);
            continue;
        }
        for (size_t j = 0; j < assignment->count; j++)
            count += assignment->values[j].count + 1;
        parts = sb_arena_array(r->arena, sb_sh_part, count);
        count = 0;
        for (size_t j = 0; j < assignment->count; j++) {
            if (j)
                parts[count++] = (sb_sh_part){.text = SB_LIT(" ")};
            memcpy(parts + count, assignment->values[j].parts, assignment->values[j].count * sizeof(*parts));
            count += assignment->values[j].count;
        }
        assigned->value = one_value(r, &(sb_sh_word){parts, count, assignment->span}, context, &value);
    }
}

static bool is_redirected(const sb_sh_file *files, size_t count, const sb_sh_file *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (files[i].fd == wanted->fd)
            return true;
    return false;
}

void sh_tell_files(sh_reader *r, const sb_sh_node *node, const sh_context *context, sb_sh_file **ret_files,
                   sh_value **ret_docs, size_t *ret_count)
{
    size_t own = node->redirect_count;
    size_t count = own;
    sb_sh_file *files = sb_arena_array(r->arena, sb_sh_file, own + context->file_count);
    sh_value *docs = sb_arena_array(r->arena, sh_value, own + context->file_count);

    for (size_t i = 0; i < own; i++) {
        const sb_sh_redirect *redirect = &node->redirects[i];

        files[i].op = redirect->op;
        files[i].both = redirect->op.ptr[0] == '&';
        files[i].fd = redirect->fd >= 0 ? redirect->fd : redirect->op.ptr[0] != '<';
        files[i].target = one_value(r, &redirect->target, context, &docs[i]);
    }
    for (size_t i = 0; i < context->file_count; i++) {
        if (own < SH_FILES_MAX && is_redirected(files, own, &context->files[i]))
            continue;
        files[count] = context->files[i];
        docs[count++] = context->docs[i];
    }
    *ret_files = files;
    *ret_docs = docs;
    *ret_count = count;
}

/* The first of its args that a word became, seen from the command itself. */
static size_t arg_of(const size_t *first, size_t word, size_t skipped)
{
    return first[word] > skipped ? first[word] - skipped : 0;
}

static void walk_substitutions(sh_reader *r, const sb_sh_node *node, const size_t *first, ptrdiff_t index,
                               const sh_context *context)
{
    const sb_sh_command *command = &r->commands.items[index];
    size_t skipped = command->word_count - command->count;
    size_t args = command->count;
    sh_context inner = *context;

    inner.inside = index;
    inner.variable = SB_NIL;
    for (size_t i = 0; i < node->word_count; i++) {
        inner.inside_arg = arg_of(first, i, skipped);
        if (args && inner.inside_arg >= args)
            inner.inside_arg = args - 1;
        sh_walk_word(r, &node->words[i], &inner);
    }
    for (size_t i = 0; i < node->redirect_count; i++) {
        inner.inside_arg = args + i;
        sh_walk_word(r, &node->redirects[i].target, &inner);
    }
    inner.inside = -1;
    inner.inside_arg = 0;
    for (size_t i = 0; i < node->assignment_count; i++) {
        const sb_sh_assignment *assignment = &node->assignments[i];

        inner.variable = assignment->name;
        if (assignment->index)
            sh_walk_word(r, assignment->index, &inner);
        for (size_t j = 0; j < assignment->count; j++)
            sh_walk_word(r, &assignment->values[j], &inner);
    }
}

void sh_walk_simple(sh_reader *r, const sb_sh_node *node, const sh_context *context)
{
    size_t mark = r->fields.len;
    size_t *first = sb_arena_array(r->arena, size_t, node->word_count);
    sb_sh_command base = {.span = sh_outer_span(context, node->span)};
    size_t index = r->commands.len;
    sh_field *fields;
    size_t count;
    sh_value *docs;

    for (size_t i = 0; i < node->word_count; i++) {
        first[i] = r->fields.len - mark;
        sh_expand(r, &node->words[i], node->kind == SB_SH_SIMPLE);
    }
    fields = SH_STACK_TAKE(r, r->fields, mark, &count);
    tell_assignments(r, node, context, &base);
    sh_tell_files(r, node, context, &base.files, &docs, &base.file_count);
    sh_tell(r, fields, count, &base, docs, context);
    if (r->commands.len <= index)
        return;
    walk_substitutions(r, node, first, (ptrdiff_t)index, context);
    if (!count || !node->word_count)
        for (size_t i = 0; i < node->assignment_count; i++)
            sh_assign(r, &node->assignments[i]);
    else if (r->commands.items[index].count)
        sh_run_builtin(r, &r->commands.items[index],
                       fields + (r->commands.items[index].word_count - r->commands.items[index].count));
    if (node->word_count)
        for (size_t i = 0; i < node->assignment_count; i++)
            if (node->assignments[i].array) /* declare x=( … ) */
                sh_assign(r, &node->assignments[i]);
}
