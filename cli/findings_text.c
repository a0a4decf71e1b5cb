// SPDX-License-Identifier: Apache-2.0
/*
 * Findings for people. The first line of each is as editors and grep want it; what belongs to it is indented:
 *
 *     Dockerfile:12:5: error SB301 pipe-to-shell: what curl gets is run by bash
 *       12 | RUN curl -fsSL https://example.org/install.sh | sudo bash
 *          |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
 *          fix: download it to a file, check the file, then run it
 *
 * Rules that hit nearly everybody are told once, behind all others.
 */
#include <cli/findings.h>

#include <string.h>

enum { GUTTER = 4, INDENT = GUTTER + 3, TAB = 4, NARROWEST = 20, PLACES_SHOWN = 6, LINE_MAX_BYTES = 1 << 14 };

typedef struct told { /* the remedy that was printed last for a rule */
    const sb_rule *rule;
    sb_slice remedy;
} told;

typedef struct printer {
    const sb_report *report;
    const cli_style *style;
    sb_buf *out;
    bool quiet, verbose;
    size_t printed;
    told *told;
    size_t told_count, told_cap;
} printer;

static const cli_color severity_colors[] = {
    [SB_SEVERITY_OFF] = CLI_DIM,
    [SB_SEVERITY_INFO] = CLI_CYAN,
    [SB_SEVERITY_WARNING] = CLI_YELLOW,
    [SB_SEVERITY_ERROR] = CLI_RED,
};

static void add_colored(printer *p, cli_color color, sb_slice text)
{
    sb_buf_addz(p->out, cli_color_on(p->style, color));
    sb_buf_add_printable(p->out, text, LINE_MAX_BYTES);
    sb_buf_addz(p->out, cli_color_on(p->style, CLI_PLAIN));
}

static void add_spaces(sb_buf *out, unsigned n)
{
    sb_buf_printf(out, "%*s", (int)n, "");
}

/* "label: text", wrapped, behind the gutter. */
static void add_note(printer *p, const char *label, sb_slice text)
{
    sb_autobuf printable = SB_BUF_INIT(8 * LINE_MAX_BYTES);
    unsigned label_width = cli_width(sb_slice_z(label)) + 2;
    unsigned columns = p->style->width > INDENT + label_width + NARROWEST ? p->style->width : SB_EXCERPT_MAX;

    sb_buf_add_printable(&printable, text, LINE_MAX_BYTES);
    add_spaces(p->out, INDENT);
    add_colored(p, CLI_BOLD, sb_slice_z(label));
    sb_buf_addz(p->out, ": ");
    cli_add_wrapped(p->out, sb_buf_slice(&printable), INDENT + label_width, columns);
    sb_buf_addc(p->out, '\n');
}

/* --- The line of the file --- */

/* The excerpt as a terminal shows it: tabs are blanks. */
static void add_expanded(sb_buf *out, sb_slice text)
{
    while (text.ptr) {
        sb_slice piece = sb_slice_cut(&text, '\t');

        sb_buf_add_printable(out, piece, piece.len);
        if (text.ptr)
            add_spaces(out, TAB);
    }
}

/* Cuts a line that is too wide so that the caret and what is around it stay; moves *caret along. */
static void add_cut(sb_buf *out, sb_slice line, unsigned columns, unsigned *caret)
{
    unsigned skipped = 0;

    if (cli_width(line) <= columns) {
        sb_buf_adds(out, line);
        return;
    }
    if (*caret > columns * 3 / 4) {
        sb_slice before = cli_fit(line, *caret - columns / 4);

        skipped = cli_width(before);
        line = sb_slice_sub(line, before.len, line.len);
        sb_buf_addz(out, "…");
        columns--;
        *caret = *caret - skipped + 1;
    }
    if (cli_width(line) <= columns) {
        sb_buf_adds(out, line);
        return;
    }
    sb_buf_adds(out, cli_fit(line, columns - 1));
    sb_buf_addz(out, "…");
}

static void add_excerpt(printer *p, const sb_finding *f)
{
    sb_autobuf line = SB_BUF_INIT(LINE_MAX_BYTES), shown = SB_BUF_INIT(LINE_MAX_BYTES);
    size_t first = f->excerpt_column ? f->excerpt_column - 1 : 0, last = first + f->excerpt_width;
    unsigned columns = p->style->width > INDENT + NARROWEST ? p->style->width - INDENT : NARROWEST;
    unsigned caret, width;

    if (!f->excerpt.len || p->quiet)
        return;
    first = first > f->excerpt.len ? f->excerpt.len : first;
    last = last > f->excerpt.len ? f->excerpt.len : last;
    add_expanded(&line, sb_slice_sub(f->excerpt, 0, first));
    caret = cli_width(sb_buf_slice(&line));
    add_expanded(&line, sb_slice_sub(f->excerpt, first, last));
    width = cli_width(sb_buf_slice(&line)) - caret;
    add_expanded(&line, sb_slice_sub(f->excerpt, last, f->excerpt.len));
    add_cut(&shown, sb_buf_slice(&line), columns, &caret);
    if (f->line)
        sb_buf_printf(p->out, "%s%*u | %s", cli_color_on(p->style, CLI_DIM), GUTTER, f->line,
                      cli_color_on(p->style, CLI_PLAIN));
    else
        sb_buf_printf(p->out, "%s%*s | %s", cli_color_on(p->style, CLI_DIM), GUTTER, "",
                      cli_color_on(p->style, CLI_PLAIN));
    sb_buf_adds(p->out, sb_buf_slice(&shown));
    sb_buf_addc(p->out, '\n');
    if (!f->excerpt_width) /* the line, and no place in it */
        return;
    sb_buf_printf(p->out, "%s%*s | %s", cli_color_on(p->style, CLI_DIM), GUTTER, "",
                  cli_color_on(p->style, CLI_PLAIN));
    add_spaces(p->out, caret);
    sb_buf_addz(p->out, cli_color_on(p->style, severity_colors[f->severity]));
    sb_buf_addc(p->out, '^');
    for (unsigned i = 1; i < width && caret + i < columns; i++)
        sb_buf_addc(p->out, '~');
    sb_buf_printf(p->out, "%s\n", cli_color_on(p->style, CLI_PLAIN));
}

/* --- One finding --- */

bool cli_same_name(const char *id, const char *name)
{
    while (*id && *name) {
        if (*name == '-')
            name++;
        else if (sb_ascii_lower(*id++) != sb_ascii_lower(*name++))
            return false;
    }
    return !*id && !*name;
}

static void add_rule(printer *p, const sb_rule *rule, sb_severity severity)
{
    add_colored(p, severity_colors[severity], sb_slice_z(sb_severity_name(severity)));
    sb_buf_printf(p->out, " %s", rule->id);
    if (!cli_same_name(rule->id, rule->name))
        sb_buf_printf(p->out, " %s", rule->name);
    sb_buf_addz(p->out, ": ");
}

/* "Dockerfile:12:5", "layer 4: app/.env:3" */
static void add_place(sb_buf *out, const sb_finding *f, bool column)
{
    sb_buf_add_printable(out, f->place.where.ptr ? f->place.where : f->file, LINE_MAX_BYTES);
    if (f->line)
        sb_buf_printf(out, ":%u", f->line);
    if (f->line && f->column && column)
        sb_buf_printf(out, ":%u", f->column);
}

static void add_head(printer *p, const sb_finding *f)
{
    sb_autobuf place = SB_BUF_INIT(8 * LINE_MAX_BYTES);

    if (p->printed++ && !p->quiet)
        sb_buf_addc(p->out, '\n');
    add_place(&place, f, true);
    sb_buf_addz(&place, ":");
    add_colored(p, CLI_BOLD, sb_buf_slice(&place));
    sb_buf_addc(p->out, ' ');
    add_rule(p, f->rule, f->severity);
    sb_buf_add_printable(p->out, f->message, LINE_MAX_BYTES);
    sb_buf_addc(p->out, '\n');
}

/* Not the same remedy again and again. */
static bool is_news(printer *p, const sb_rule *rule, sb_slice remedy)
{
    for (size_t i = 0; i < p->told_count; i++)
        if (p->told[i].rule == rule) {
            bool news = !sb_slice_eq(p->told[i].remedy, remedy);

            p->told[i].remedy = remedy;
            return news;
        }
    *SB_PUSH(p->told, p->told_count, p->told_cap) = (told){rule, remedy};
    return true;
}

static void add_remedy(printer *p, const sb_rule *rule, sb_slice remedy)
{
    sb_autobuf page = SB_BUF_INIT(1 << 10);

    if (p->quiet || !is_news(p, rule, remedy))
        return;
    add_note(p, "fix", remedy);
    if (!p->verbose)
        return;
    sb_rule_url(rule, &page);
    add_note(p, "more", sb_buf_slice(&page));
}

static void add_layer(printer *p, const sb_layer_place *place)
{
    char label[64];

    if (place->history.len) {
        snprintf(label, sizeof(label), "layer %u", place->layer);
        add_note(p, place->layer ? label : "history", place->history);
    }
    if (!place->removed)
        return;
    snprintf(label, sizeof(label), "removed in layer %u", place->removed);
    add_note(p, label,
             place->removed_by.len ? place->removed_by : SB_LIT("it is still in the image's bytes"));
}

static void add_finding(printer *p, const sb_finding *f)
{
    add_head(p, f);
    if (p->quiet)
        return;
    add_excerpt(p, f);
    add_layer(p, &f->place);
    if (f->ignored.ptr)
        add_note(p, "ignored", f->ignored.len ? f->ignored : SB_LIT("without a reason"));
    else
        add_remedy(p, f->rule, sb_finding_remedy(f));
}

/* --- What is told once --- */

typedef struct summary {
    const sb_finding *first;
    size_t places, files;
    sb_slice file; /* of the last place */
    sb_buf where;
} summary;

static bool is_summarised(const printer *p, const sb_finding *f)
{
    return f->rule->summarised && !p->verbose && !f->ignored.ptr;
}

/* "Dockerfile:3, 9, 12, api/Dockerfile:7" */
static void collect(summary *s, const sb_finding *f)
{
    bool same = s->places && sb_slice_eq(s->file, f->file) && !f->place.where.ptr && f->line;

    if (!s->places++)
        s->first = f;
    s->files += !same;
    s->file = f->file;
    if (s->places > PLACES_SHOWN)
        return;
    if (s->places > 1)
        sb_buf_addz(&s->where, ", ");
    if (same)
        sb_buf_printf(&s->where, "%u", f->line);
    else
        add_place(&s->where, f, false);
}

/* The gravest first. */
static int compare_summaries(const void *left, const void *right)
{
    const sb_finding *a = ((const summary *)left)->first, *b = ((const summary *)right)->first;

    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    return strcmp(a->rule->id, b->rule->id);
}

static void add_summary(printer *p, summary *s)
{
    const sb_rule *rule = s->first->rule;

    if (s->places == 1) {
        add_head(p, s->first);
        add_remedy(p, rule, sb_finding_remedy(s->first));
        return;
    }
    if (p->printed++ && !p->quiet)
        sb_buf_addc(p->out, '\n');
    add_rule(p, rule, s->first->severity);
    sb_buf_printf(p->out, "%s (%zu places", rule->summary, s->places);
    if (!p->report->subject.ptr)
        sb_buf_printf(p->out, " in %zu file%s", s->files, s->files == 1 ? "" : "s");
    sb_buf_addz(p->out, ")\n");
    if (p->quiet)
        return;
    if (s->places > PLACES_SHOWN)
        sb_buf_printf(&s->where, " and %zu more; --verbose shows all", s->places - PLACES_SHOWN);
    add_note(p, "in", sb_buf_slice(&s->where));
    add_remedy(p, rule, sb_slice_z(rule->remedy));
}

static void add_summaries(printer *p)
{
    sb_autofree summary *all = NULL;
    size_t count = 0, cap = 0;

    for (size_t i = 0; i < p->report->count; i++) {
        const sb_finding *f = &p->report->items[i];
        size_t at = 0;

        if (!is_summarised(p, f))
            continue;
        while (at < count && all[at].first->rule != f->rule)
            at++;
        if (at == count)
            *SB_PUSH(all, count, cap) = (summary){.where = SB_BUF_INIT(LINE_MAX_BYTES)};
        collect(&all[at], f);
    }
    if (count)
        qsort(all, count, sizeof(*all), compare_summaries);
    for (size_t i = 0; i < count; i++) {
        add_summary(p, &all[i]);
        sb_buf_free(&all[i].where);
    }
}

/* --- The whole --- */

static void add_count(printer *p, size_t count, const char *what, const char **separator)
{
    if (!count)
        return;
    sb_buf_printf(p->out, "%s%zu %s%s", *separator, count, what, count == 1 ? "" : "s");
    *separator = ", ";
}

static void add_totals(printer *p)
{
    sb_report_counts counts = sb_report_count(p->report);
    const char *separator = "";
    size_t fixable = 0;

    for (size_t i = 0; i < p->report->count; i++)
        fixable += p->report->items[i].edit_count && !p->report->items[i].ignored.ptr;
    if (p->printed)
        sb_buf_addc(p->out, '\n');
    sb_buf_addz(p->out, cli_color_on(p->style, CLI_BOLD));
    add_count(p, counts.by[SB_SEVERITY_ERROR], "error", &separator);
    add_count(p, counts.by[SB_SEVERITY_WARNING], "warning", &separator);
    add_count(p, counts.by[SB_SEVERITY_INFO], "note", &separator);
    if (!*separator)
        sb_buf_addz(p->out, "no findings");
    sb_buf_printf(p->out, "%s in ", cli_color_on(p->style, CLI_PLAIN));
    separator = "";
    if (p->report->subject.ptr)
        add_count(p, p->report->layer_count, "layer", &separator);
    sb_buf_printf(p->out, "%s%zu file%s", separator, p->report->files, p->report->files == 1 ? "" : "s");
    if (counts.ignored)
        sb_buf_printf(p->out, "; %zu ignored%s", counts.ignored, p->verbose ? "" : " (--verbose shows them)");
    if (fixable)
        sb_buf_printf(p->out, "; \"sbuild lint --fix\" mends %zu", fixable);
    if (p->report->cut)
        sb_buf_printf(p->out, "; there are more than %d, the rest is not shown", SB_FINDINGS_MAX);
    sb_buf_addc(p->out, '\n');
}

void cli_findings_text(const sb_report *report, const cli_style *style, bool quiet, bool verbose, sb_buf *out)
{
    printer printing = {.report = report, .style = style, .out = out, .quiet = quiet, .verbose = verbose};

    for (size_t i = 0; i < report->count; i++) {
        const sb_finding *f = &report->items[i];

        if ((f->ignored.ptr && !verbose) || is_summarised(&printing, f))
            continue;
        add_finding(&printing, f);
    }
    add_summaries(&printing);
    if (!quiet)
        add_totals(&printing);
    free(printing.told);
}
