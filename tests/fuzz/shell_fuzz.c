// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a shell text. The first byte chooses the dialect. No crash, no endless work; every span lies
 * in the text; what commands refer to is there.
 */
#include <sbuild/shell.h>

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_span(sb_slice text, sb_span span)
{
    require(span.start <= span.end && span.end <= text.len);
}

static void check_script(sb_slice text, const sb_sh_script *script);

static void check_word(sb_slice text, const sb_sh_word *word)
{
    check_span(text, word->span);
    for (size_t i = 0; i < word->count; i++) {
        const sb_sh_part *part = &word->parts[i];

        check_span(text, part->span);
        require(part->text.ptr != NULL);
        require((part->kind == SB_SH_PARAM) == (part->name.len > 0));
        require(part->kind != SB_SH_PARAM || part->op.ptr);
        if (part->operand)
            check_word(text, part->operand);
        if (part->index)
            check_word(text, part->index);
        if (part->script)
            check_script(text, part->script);
    }
}

static void check_words(sb_slice text, const sb_sh_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_word(text, &words[i]);
}

static void check_node(sb_slice text, const sb_sh_node *node)
{
    check_span(text, node->span);
    check_words(text, node->words, node->word_count);
    for (size_t i = 0; i < node->assignment_count; i++) {
        require(node->assignments[i].array || node->assignments[i].count == 1);
        check_words(text, node->assignments[i].values, node->assignments[i].count);
    }
    for (size_t i = 0; i < node->redirect_count; i++)
        check_word(text, &node->redirects[i].target);
    for (size_t i = 0; i < node->child_count; i++)
        check_node(text, node->children[i]);
    for (size_t i = 0; i < node->arm_count; i++) {
        check_words(text, node->arms[i].patterns, node->arms[i].pattern_count);
        if (node->arms[i].body)
            check_node(text, node->arms[i].body);
    }
    if (node->condition)
        check_node(text, node->condition);
    if (node->body)
        check_node(text, node->body);
    if (node->otherwise)
        check_node(text, node->otherwise);
}

static void check_script(sb_slice text, const sb_sh_script *script)
{
    require(script->root && script->root->kind == SB_SH_LIST);
    check_node(text, script->root);
}

static void check_arg(sb_slice text, const sb_sh_arg *arg)
{
    check_span(text, arg->span);
    require(arg->text.ptr != NULL);
}

static void check_command(sb_slice text, const sb_sh_reading *reading, size_t index)
{
    const sb_sh_command *command = &reading->commands[index];

    check_span(text, command->span);
    require(command->name.ptr != NULL);
    require(command->word_count >= command->count);
    require(!command->count || command->args == command->words + (command->word_count - command->count));
    for (size_t i = 0; i < command->word_count; i++)
        check_arg(text, &command->words[i]);
    for (size_t i = 0; i < command->assigned_count; i++)
        check_arg(text, &command->assigned[i].value);
    for (size_t i = 0; i < command->file_count; i++)
        check_arg(text, &command->files[i].target);
    require(command->inside < (ptrdiff_t)index);
    if (command->inside >= 0) {
        const sb_sh_command *outer = &reading->commands[command->inside];

        require(command->inside_arg < outer->count + outer->file_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sb_sh_var vars[] = {{SB_LIT("VERSION"), SB_LIT("1.2.3")}, {SB_LIT("HOME"), SB_NIL}};
    sb_sh_options options = {.vars = vars, .var_count = SB_COUNT(vars), .directory = SB_LIT("/w")};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;
    sb_slice text;

    if (!size)
        return 0;
    options.dialect = data[0] % 2 ? SB_SH_BASH : SB_SH_POSIX;
    text = sb_slice_of((const char *)data + 1, size - 1);
    sb_sh_read(text, &options, arena, &reading);
    check_script(text, reading.script);
    require(!reading.script->trouble || reading.trouble);
    check_span(text, reading.trouble_span);
    for (size_t i = 0; i < reading.count; i++)
        check_command(text, &reading, i);
    return 0;
}
