// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a Dockerfile: no crash, and every span lies in the text and in order. */
#include <sbuild/dockerfile.h>

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_span(const sb_dockerfile *df, sb_span span)
{
    require(span.start <= span.end && span.end <= df->text.len);
}

static void check_instruction(const sb_dockerfile *df, const sb_df_instruction *ins)
{
    check_span(df, ins->span);
    check_span(df, ins->keyword_span);
    check_span(df, ins->rest_span);
    for (size_t i = 0; i < ins->flag_count; i++)
        check_span(df, ins->flags[i].span);
    for (size_t i = 0; i < ins->arg_count; i++)
        check_span(df, ins->args[i].span);
    for (size_t i = 0; i < ins->pair_count; i++) {
        check_span(df, ins->pairs[i].key_span);
        check_span(df, ins->pairs[i].value_span);
    }
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        check_span(df, ins->heredocs[i].span);
        require(ins->heredocs[i].body.ptr == df->text.ptr + ins->heredocs[i].span.start);
    }
    if (ins->trigger)
        check_instruction(df, ins->trigger);
}

static void check_tree(const sb_dockerfile *df)
{
    size_t end = 0;

    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];
        unsigned line, column;

        require(ins->span.start >= end && ins->start_line <= ins->end_line);
        end = ins->span.end;
        check_instruction(df, ins);
        sb_df_position(df, ins->span.start, &line, &column);
        require(line >= ins->start_line && line <= ins->end_line && column >= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice text = sb_slice_of((const char *)data, size);
    SB_AUTO(sb_dockerfile) tree = NULL;
    SB_AUTO(sb_dockerfile) checked = NULL;
    SB_AUTO(sb_error) error = NULL;

    if (sb_df_parse(text, "fuzz", SB_DF_SYNTAX_ONLY, &tree, NULL) == 0)
        check_tree(tree);
    if (sb_df_parse(text, "fuzz", 0, &checked, &error) < 0)
        require(error && error->message[0]);
    else
        require(tree && tree->instruction_count == checked->instruction_count);
    return 0;
}
