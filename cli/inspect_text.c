// SPDX-License-Identifier: Apache-2.0
#include <cli/inspect.h>

#include <string.h>

enum { ORIGINAL_MAX = 1000, NUMBER_MAX = 24, CELL_MAX = 1 << 20 };

static void print_title(const cli_style *style, const char *title, FILE *out)
{
    fprintf(out, "\n%s%s%s\n", cli_color_on(style, CLI_BOLD), title, cli_color_on(style, CLI_PLAIN));
}

static sb_slice number(char buf[NUMBER_MAX], long long value)
{
    snprintf(buf, NUMBER_MAX, "%lld", value);
    return sb_slice_z(buf);
}

/* "12" or "12-15" */
static sb_slice lines(char buf[NUMBER_MAX], const sb_df_instruction *ins)
{
    if (ins->start_line == ins->end_line)
        return number(buf, ins->start_line);
    snprintf(buf, NUMBER_MAX, "%u-%u", ins->start_line, ins->end_line);
    return sb_slice_z(buf);
}

static void print_directives(const sb_dockerfile *df, const cli_style *style, FILE *out)
{
    static const char *const titles[] = {"LINE", "NAME", "VALUE"};
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));
    char line[NUMBER_MAX];

    if (df->directive_count == 0)
        return;
    print_title(style, "Directives", out);
    cli_table_title(table, titles);
    for (size_t i = 0; i < df->directive_count; i++) {
        const sb_df_directive *directive = &df->directives[i];
        sb_slice cells[] = {number(line, directive->line), directive->name, directive->value};

        cli_table_add(table, cells, CLI_PLAIN);
    }
    cli_table_print(table, style, out);
}

static void describe_base(const sb_df_view *view, const sb_df_stage *stage, sb_buf *out)
{
    sb_buf_adds(out, stage->base_expanded);
    switch (stage->base_kind) {
    case SB_BASE_STAGE:
        sb_buf_printf(out, " (stage %d)", view->stages[stage->base_stage].index);
        break;
    case SB_BASE_CONTEXT:
        sb_buf_addz(out, " (named context)");
        break;
    case SB_BASE_IMAGE:
    case SB_BASE_SCRATCH:
        break;
    }
}

static void print_stages(const sb_dockerfile *df, const sb_df_view *view, const cli_style *style, FILE *out)
{
    static const char *const titles[] = {"LINE", "STAGE", "NAME", "BASE", "PLATFORM", ""};
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));

    print_title(style, "Stages", out);
    cli_table_title(table, titles);
    for (size_t i = 0; i < view->stage_count; i++) {
        const sb_df_stage *stage = &view->stages[i];
        sb_autobuf base = SB_BUF_INIT(CELL_MAX);
        char line[NUMBER_MAX], index[NUMBER_MAX];
        const char *note = !stage->reachable ? "not built" : view->target == stage->index ? "target" : "";
        sb_slice cells[] = {number(line, df->instructions[stage->from].start_line),
                            number(index, stage->index),
                            stage->name,
                            SB_NIL,
                            stage->platform,
                            sb_slice_z(note)};

        describe_base(view, stage, &base);
        cells[3] = sb_buf_slice(&base);
        cli_table_add(table, cells, stage->reachable ? CLI_PLAIN : CLI_DIM);
    }
    cli_table_print(table, style, out);
}

/* What a reference comes to, where that is not what is written. */
static void describe_reference(const sb_df_view *view, const sb_df_ref *ref, sb_buf *out)
{
    if (ref->resolved_stage >= 0) {
        const sb_df_stage *stage = &view->stages[ref->resolved_stage];

        sb_buf_printf(out, "stage %d", stage->index);
        if (stage->name.len > 0 && !sb_slice_eq(stage->name, ref->text))
            sb_buf_printf(out, " (%" SB_FMT ")", SB_ARG(stage->name));
    } else if (ref->context) {
        sb_buf_addz(out, "named context");
    } else if (!sb_slice_eq(ref->text, ref->expanded)) {
        sb_buf_adds(out, ref->expanded);
    }
    if (ref->incomplete)
        sb_buf_addz(out, out->len > 0 ? " (depends on the base image)" : "depends on the base image");
}

static void print_references(const sb_df_view *view, const cli_style *style, FILE *out)
{
    static const char *const titles[] = {"LINE", "KIND", "REFERENCE", "IS"};
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));

    if (view->ref_count == 0)
        return;
    print_title(style, "References", out);
    cli_table_title(table, titles);
    for (size_t i = 0; i < view->ref_count; i++) {
        const sb_df_ref *ref = &view->refs[i];
        sb_autobuf is = SB_BUF_INIT(CELL_MAX);
        char line[NUMBER_MAX];
        sb_slice cells[] = {number(line, ref->line), sb_slice_z(sb_df_ref_kind_name(ref->kind)), ref->text,
                            SB_NIL};

        describe_reference(view, ref, &is);
        cells[3] = sb_buf_slice(&is);
        cli_table_add(table, cells, ref->reachable ? CLI_PLAIN : CLI_DIM);
    }
    cli_table_print(table, style, out);
}

/* The logical line behind its keyword, with runs of white space made one space. */
static void describe_instruction(const sb_df_instruction *ins, sb_buf *out)
{
    sb_slice text = sb_slice_trim(ins->original);
    bool gap = false;

    if (text.len > ORIGINAL_MAX)
        text.len = ORIGINAL_MAX;
    for (size_t i = ins->keyword_text.len; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == ' ' || c == '\t') {
            gap = out->len > 0;
            continue;
        }
        if (gap)
            sb_buf_addc(out, ' ');
        gap = false;
        sb_buf_addc(out, c);
    }
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        size_t count = 0;

        for (size_t k = 0; k < ins->heredocs[i].body.len; k++)
            count += ins->heredocs[i].body.ptr[k] == '\n';
        sb_buf_printf(out, " (%zu line%s)", count, count == 1 ? "" : "s");
    }
}

static void print_instructions(const sb_dockerfile *df, const cli_style *style, FILE *out)
{
    static const char *const titles[] = {"LINE", "INSTRUCTION", "ARGUMENTS"};
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));

    print_title(style, "Instructions", out);
    cli_table_title(table, titles);
    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];
        sb_autobuf arguments = SB_BUF_INIT(CELL_MAX);
        char line[NUMBER_MAX];
        sb_slice cells[] = {lines(line, ins),
                            ins->keyword == SB_DF_UNKNOWN ? ins->keyword_text
                                                          : sb_slice_z(sb_df_keyword_name(ins->keyword)),
                            SB_NIL};

        describe_instruction(ins, &arguments);
        cells[2] = sb_buf_slice(&arguments);
        cli_table_add(table, cells, ins->keyword == SB_DF_FROM ? CLI_CYAN : CLI_PLAIN);
    }
    cli_table_print(table, style, out);
}

static void print_warnings(const sb_dockerfile *df, const cli_style *style, FILE *out)
{
    if (df->warning_count == 0)
        return;
    print_title(style, "Warnings", out);
    for (size_t i = 0; i < df->warning_count; i++)
        fprintf(out, "line %u: %s\n", df->warnings[i].line, df->warnings[i].rule);
}

void cli_inspect_text(const cli_inspection *inspection, const cli_style *style, FILE *out)
{
    const sb_dockerfile *df = inspection->df;

    fputs(cli_color_on(style, CLI_BOLD), out);
    cli_print_safe(out, df->name);
    fprintf(out, "%s: %zu instruction%s", cli_color_on(style, CLI_PLAIN), df->instruction_count,
            df->instruction_count == 1 ? "" : "s");
    if (inspection->view)
        fprintf(out, ", %zu stage%s, %zu reference%s", inspection->view->stage_count,
                inspection->view->stage_count == 1 ? "" : "s", inspection->view->ref_count,
                inspection->view->ref_count == 1 ? "" : "s");
    fputc('\n', out);
    print_directives(df, style, out);
    if (inspection->view) {
        print_stages(df, inspection->view, style, out);
        print_references(inspection->view, style, out);
    }
    print_instructions(df, style, out);
    print_warnings(df, style, out);
}
