// SPDX-License-Identifier: Apache-2.0
/* From a span of the file to a finding: place, excerpt, fingerprint. */
#include <rules/lint/internal.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Is it to be said at all? --- */

sb_severity sb_lint_severity(const sb_lint *lint, const sb_rule *rule)
{
    const sb_lint_options *options = lint->options;
    const sb_lint_settings *settings = lint->private->settings;
    sb_severity severity = rule->severity;

    if (!sb_rule_is_among(rule, options->only))
        return SB_SEVERITY_OFF;
    for (size_t i = 0; settings && i < settings->rule_count; i++)
        if (settings->rules[i].rule == rule)
            severity = settings->rules[i].severity;
    for (size_t i = 0; i < options->rule_count; i++)
        if (options->rules[i].rule == rule)
            severity = options->rules[i].severity;
    return severity;
}

bool sb_lint_is_set(const sb_lint *lint, const sb_rule *rule)
{
    const sb_lint_settings *settings = lint->private->settings;

    for (size_t i = 0; settings && i < settings->rule_count; i++)
        if (settings->rules[i].rule == rule)
            return true;
    for (size_t i = 0; i < lint->options->rule_count; i++)
        if (lint->options->rules[i].rule == rule)
            return true;
    return false;
}

/* --- Lines and columns --- */

static void find_lines(sb_lint *lint)
{
    struct sb_lint_private *own = lint->private;
    sb_slice text = lint->df->text;
    size_t cap = 0, at = 0;
    const char *end;

    do {
        *SB_ARENA_PUSH(lint->arena, own->lines, own->line_count, cap) = at;
        end = memchr(text.ptr + at, '\n', text.len - at);
        at = end ? (size_t)(end - text.ptr) + 1 : text.len;
    } while (end);
}

/* Index of the line that the byte stands in. */
static size_t line_of(sb_lint *lint, size_t offset)
{
    struct sb_lint_private *own = lint->private;
    size_t low = 0, high;

    if (!own->lines)
        find_lines(lint);
    for (high = own->lines ? own->line_count : 0; high > low + 1;) {
        size_t middle = low + (high - low) / 2;

        if (own->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static sb_slice line_text(const sb_lint *lint, size_t line)
{
    const struct sb_lint_private *own = lint->private;
    sb_slice text = lint->df->text;
    size_t end = line + 1 < own->line_count ? own->lines[line + 1] - 1 : text.len;

    while (end > own->lines[line] && text.ptr[end - 1] == '\r')
        end--;
    return sb_slice_sub(text, own->lines[line], end);
}

/* The line with "*" for each byte of a secret, so that columns stay what they are; also where it stands once
 * more. */
static sb_slice shown_line(const sb_lint *lint, size_t index)
{
    const struct sb_lint_private *own = lint->private;
    sb_slice line = line_text(lint, index);
    size_t start = own->lines[index], end = start + line.len;
    char *copy;

    if (!own->hidden_count)
        return line;
    copy = sb_arena_strdup(lint->arena, line);
    for (size_t i = 0; i < own->hidden_count; i++) {
        size_t from = own->hidden[i].start > start ? own->hidden[i].start : start;
        size_t to = own->hidden[i].end < end ? own->hidden[i].end : end;

        if (from < to)
            memset(copy + (from - start), '*', to - from);
    }
    sb_lint_mask(lint, copy, line.len);
    return sb_slice_of(copy, line.len);
}

static void add_place(sb_lint *lint, sb_finding *finding, sb_span span)
{
    size_t len = lint->df->text.len, start, first, last;

    if (!span.end)
        return;
    start = span.start < len ? span.start : len;
    span.end = span.end < start ? start : span.end > len ? len : span.end;
    first = line_of(lint, start);
    last = span.end > start ? line_of(lint, span.end - 1) : first;
    finding->line = (unsigned)first + 1;
    finding->column = (unsigned)(start - lint->private->lines[first]) + 1;
    finding->end_line = (unsigned)last + 1;
    finding->end_column = (unsigned)(span.end - lint->private->lines[last]) + 1;
    sb_finding_excerpt(lint->report, finding, shown_line(lint, first),
                       last == first ? SB_NIL : shown_line(lint, last));
}

/* --- Fingerprints --- */

/* The bytes of the place with one blank for all white space: what stays when lines are moved or wrapped. */
static sb_slice words_of(const sb_lint *lint, sb_span span)
{
    const struct sb_lint_private *own = lint->private;
    size_t hidden = 0;
    sb_slice text = lint->df->text;
    size_t end = span.end < text.len ? span.end : text.len;
    char *copy;
    size_t len = 0;

    if (span.start >= end)
        return SB_LIT("");
    if (end - span.start > SB_LINT_WHAT_MAX)
        end = span.start + SB_LINT_WHAT_MAX;
    copy = sb_arena_alloc(lint->arena, end - span.start);
    for (size_t i = span.start; i < end; i++) {
        char c = text.ptr[i];

        /* Nobody is to try secrets until the fingerprint is right. */
        while (hidden < own->hidden_count && own->hidden[hidden].end <= i)
            hidden++;
        if (hidden < own->hidden_count && own->hidden[hidden].start <= i)
            c = '*';
        if (c == '\t' || c == '\n' || c == '\r' || c == lint->df->escape)
            c = ' ';
        if (c != ' ' || (len && copy[len - 1] != ' '))
            copy[len++] = c;
    }
    return sb_slice_of(copy, len);
}

typedef struct print_order {
    const sb_finding *finding;
    sb_finding *target;
    sb_slice what;
    size_t start;
} print_order;

static int by_what(const void *left, const void *right)
{
    const print_order *a = left, *b = right;
    int order = strcmp(a->finding->rule->id, b->finding->rule->id);

    if (!order)
        order = sb_slice_cmp(a->what, b->what);
    if (!order)
        order = a->start < b->start ? -1 : a->start > b->start;
    return order;
}

void sb_lint_fingerprints(sb_lint *lint)
{
    struct sb_lint_private *own = lint->private;
    size_t count = lint->report->count - own->first;
    print_order *items = sb_arena_array(lint->arena, print_order, count + 1);
    unsigned nth = 0;

    for (size_t i = 0; i < count; i++) {
        sb_finding *finding = &lint->report->items[own->first + i];

        items[i] = (print_order){finding, finding, own->places[i].what, own->places[i].span.start};
    }
    if (count)
        qsort(items, count, sizeof(*items), by_what);
    for (size_t i = 0; i < count; i++) {
        const print_order *item = &items[i];

        nth = i && item->finding->rule == items[i - 1].finding->rule &&
                      sb_slice_eq(item->what, items[i - 1].what)
                  ? nth + 1
                  : 0;
        item->target->fingerprint =
            sb_fingerprint(lint->report->arena, item->finding->rule, own->print_name, item->what, nth);
    }
}

/* --- Secrets --- */

void sb_lint_hide(sb_lint *lint, sb_span span)
{
    struct sb_lint_private *own = lint->private;
    size_t i;

    if (span.end > lint->df->text.len || span.start >= span.end || own->hidden_count >= SB_LINT_HIDDEN_MAX)
        return;
    SB_ARENA_PUSH(lint->arena, own->hidden, own->hidden_count, own->hidden_cap);
    /* In the order of the file, most of them come so. */
    for (i = own->hidden_count - 1; i > 0 && own->hidden[i - 1].end > span.end; i--)
        own->hidden[i] = own->hidden[i - 1];
    own->hidden[i] = span;
}

/* A word such as "password", which messages have of their own, is hidden only where it stands as a secret. */
static bool is_word(sb_slice secret)
{
    enum { WORD_MAX = 16 };

    for (size_t i = 0; i < secret.len; i++)
        if (secret.ptr[i] < 'a' || secret.ptr[i] > 'z')
            return false;
    return secret.len < WORD_MAX;
}

/* A message may hold a part of it only: from the first bytes on, as far as it goes. */
void sb_lint_mask(const sb_lint *lint, char *text, size_t len)
{
    const struct sb_lint_private *own = lint->private;
    enum { FIRST = 8, LEAST = 4 /* bytes: "a" would be everywhere */ };

    for (size_t i = 0; i < own->hidden_count; i++) {
        sb_slice secret = sb_slice_sub(lint->df->text, own->hidden[i].start, own->hidden[i].end);
        sb_slice first = sb_slice_sub(secret, 0, secret.len < FIRST ? secret.len : FIRST);
        sb_slice rest = sb_slice_of(text, len);
        ptrdiff_t at;

        if (secret.len < LEAST || is_word(secret))
            continue;
        while ((at = sb_slice_find(rest, first)) >= 0) {
            size_t start = len - rest.len + (size_t)at, k = 0;

            for (; k < secret.len && start + k < len && text[start + k] == secret.ptr[k]; k++)
                text[start + k] = '*';
            rest = sb_slice_of(text + start + k, len - start - k);
        }
    }
}

/* --- Saying --- */

static sb_slice printed(const sb_lint *lint, const char *fmt, va_list ap)
{
    sb_arena *arena = lint->report->arena;
    sb_autofree char *text = NULL;
    size_t len;

    if (vasprintf(&text, fmt, ap) < 0) {
        text = NULL;
        return sb_slice_z(fmt);
    }
    sb_lint_mask(lint, text, strlen(text));
    sb_scrub(text);
    len = strlen(text);
    if (len <= SB_LINT_MESSAGE_MAX)
        return sb_arena_dup(arena, sb_slice_of(text, len));
    for (len = SB_LINT_MESSAGE_MAX; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    return sb_arena_printf(arena, "%.*s…", (int)len, text);
}

sb_finding *sb_lint_say(sb_lint *lint, const sb_rule *rule, sb_span span, const char *fmt, ...)
{
    struct sb_lint_private *own = lint->private;
    sb_severity severity = sb_lint_severity(lint, rule);
    sb_finding *finding = severity ? sb_report_add(lint->report, rule) : NULL;
    va_list ap;

    if (!finding)
        return NULL;
    finding->severity = severity;
    va_start(ap, fmt);
    finding->message = printed(lint, fmt, ap);
    va_end(ap);
    finding->file = own->name;
    add_place(lint, finding, span);
    *SB_ARENA_PUSH(lint->arena, own->places, own->place_count, own->place_cap) =
        (sb_lint_place){span, words_of(lint, span)};
    return finding;
}

void sb_lint_help(sb_lint *lint, sb_finding *finding, const char *fmt, ...)
{
    va_list ap;

    if (!finding)
        return;
    va_start(ap, fmt);
    finding->remedy = printed(lint, fmt, ap);
    va_end(ap);
}

void sb_lint_edit(sb_lint *lint, sb_finding *finding, sb_span span, sb_slice text)
{
    sb_arena *arena = lint->report->arena;
    sb_autofree char *copy = sb_slice_dup(text);
    sb_df_edit *edits;

    /* A fix without edits is one that was taken back. */
    if (!finding || (finding->edits && !finding->edit_count))
        return;
    sb_lint_mask(lint, copy, text.len);
    if (memcmp(copy, text.ptr ? text.ptr : "", text.len) != 0) {
        finding->edit_count = 0; /* reports show edits */
        finding->edits = sb_arena_array(arena, sb_df_edit, 1);
        return;
    }
    /* Few findings have more than one edit. */
    edits = sb_arena_array(arena, sb_df_edit, finding->edit_count + 1);
    if (finding->edits)
        memcpy(edits, finding->edits, finding->edit_count * sizeof(*edits));
    edits[finding->edit_count++] = (sb_df_edit){span, sb_arena_dup(arena, text)};
    finding->edits = edits;
}

/* --- From a run's text to the file --- */

/* The file's byte for byte `at` of the run's text. */
static size_t file_offset(const sb_lint_map *map, size_t at)
{
    size_t low = 0, high;

    for (high = map->count; high - low > 1;) {
        size_t middle = low + (high - low) / 2;

        if (map->pieces[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return map->pieces[low].offset + (at > map->pieces[low].at ? at - map->pieces[low].at : 0);
}

sb_span sb_lint_run_span(const sb_lint *lint, const sb_lint_run *run, sb_span span)
{
    const sb_lint_map *map = sb_lint_run_map(lint, run);
    size_t start, end;

    if (!map->count)
        return run->instruction->span;
    start = file_offset(map, span.start);
    end = span.end > span.start ? file_offset(map, span.end - 1) + 1 : start;
    return (sb_span){start, end < start ? start : end};
}

sb_span sb_lint_arg_span(const sb_lint *lint, const sb_lint_run *run, const sb_sh_arg *arg)
{
    return sb_lint_run_span(lint, run, arg->span);
}

sb_span sb_lint_command_span(const sb_lint *lint, const sb_lint_run *run, const sb_sh_command *command)
{
    return sb_lint_run_span(lint, run, command->span);
}
