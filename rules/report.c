// SPDX-License-Identifier: Apache-2.0
#include <sbuild/finding.h>

#include <stdio.h>
#include <stdlib.h>

#include <sbuild/digest.h>
#include <sbuild/utf8.h>

static const char *const severity_names[] = {
    [SB_SEVERITY_OFF] = "off",
    [SB_SEVERITY_INFO] = "info",
    [SB_SEVERITY_WARNING] = "warning",
    [SB_SEVERITY_ERROR] = "error",
};

const char *sb_severity_name(sb_severity severity)
{
    return severity_names[severity];
}

bool sb_severity_parse(sb_slice text, sb_severity *ret_severity)
{
    for (size_t i = 0; i < SB_COUNT(severity_names); i++)
        if (sb_slice_eqz(text, severity_names[i])) {
            *ret_severity = (sb_severity)i;
            return true;
        }
    return false;
}

void sb_rule_url(const sb_rule *rule, sb_buf *out)
{
    sb_buf_printf(out, "docs/rules/%s.md", rule->id);
}

sb_report *sb_report_new(const char *tool)
{
    sb_report *report = sb_new(sb_report);

    report->arena = sb_arena_new();
    report->tool = tool;
    return report;
}

void sb_report_free(sb_report *report)
{
    if (!report)
        return;
    sb_arena_free(report->arena);
    free(report->items);
    free(report);
}

sb_finding *sb_report_add(sb_report *report, const sb_rule *rule)
{
    sb_finding *finding;

    if (report->count >= SB_FINDINGS_MAX) {
        report->cut = true;
        return NULL;
    }
    finding = SB_PUSH(report->items, report->count, report->cap);
    *finding = (sb_finding){.rule = rule, .severity = rule->severity};
    return finding;
}

sb_slice sb_finding_remedy(const sb_finding *finding)
{
    return finding->remedy.ptr ? finding->remedy : sb_slice_z(finding->rule->remedy);
}

/* Printable, but for tabs. Bytes and not characters where it is no UTF-8. */
static size_t add_character(sb_buf *out, sb_slice text)
{
    uint32_t c;
    size_t n = sb_utf8_decode(text.ptr, text.len, &c);

    n = n ? n : 1;
    if (*text.ptr == '\t')
        sb_buf_addc(out, '\t');
    else
        sb_buf_add_printable(out, sb_slice_sub(text, 0, n), n);
    return n;
}

static bool fits(sb_slice line)
{
    sb_autobuf out = SB_BUF_INIT(SB_EXCERPT_MAX);

    for (size_t i = 0; i < line.len && !out.overflow;)
        i += add_character(&out, sb_slice_sub(line, i, line.len));
    return !out.overflow;
}

/* The column in characters; a byte that is no UTF-8 is one. */
static unsigned characters(sb_slice line, unsigned column)
{
    unsigned count = 1;
    uint32_t c;

    for (size_t i = 0, n; i < line.len && i + 1 < column; i += n, count++) {
        n = sb_utf8_decode(line.ptr + i, line.len - i, &c);
        n = n ? n : 1;
    }
    return count;
}

/* Shown byte for byte. */
static bool is_plain(sb_slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.ptr[i] < 0x20 || line.ptr[i] > 0x7e) && line.ptr[i] != '\t')
            return false;
    return true;
}

void sb_finding_excerpt(sb_report *report, sb_finding *finding, sb_slice line, sb_slice last_line)
{
    /* A byte may become four: so the caret is always within. */
    enum { BEFORE = 90, CHARACTER_MAX = 16 };
    static const char cut[] = "…";
    sb_autobuf out = SB_BUF_INIT(SB_EXCERPT_MAX + CHARACTER_MAX);
    size_t first = finding->column ? finding->column - 1 : 0, last = line.len, caret, end, i = 0;
    bool whole = fits(line);

    if (finding->column)
        finding->character = characters(line, finding->column);
    if (finding->end_column && (last_line.ptr || finding->end_line == finding->line))
        finding->end_character = characters(last_line.ptr ? last_line : line, finding->end_column);
    first = first > line.len ? line.len : first;
    if (finding->end_line == finding->line && finding->end_column && finding->end_column - 1 < last)
        last = finding->end_column - 1;
    if (whole && is_plain(line)) {
        finding->excerpt = sb_arena_dup(report->arena, line);
        finding->excerpt_column = (unsigned)first + 1;
        finding->excerpt_width = last > first ? (unsigned)(last - first) : 1;
        return;
    }
    if (!whole && first > BEFORE) {
        for (i = first - BEFORE; i < first && ((unsigned char)line.ptr[i] & 0xc0) == 0x80;)
            i++;
        sb_buf_addz(&out, cut);
    }
    caret = end = out.len;
    while (i < line.len && (whole || out.len < SB_EXCERPT_MAX - CHARACTER_MAX)) {
        i += add_character(&out, sb_slice_sub(line, i, line.len));
        if (i <= first)
            caret = out.len;
        if (i <= last)
            end = out.len;
    }
    if (i < line.len)
        sb_buf_addz(&out, cut);
    finding->excerpt = sb_arena_dup(report->arena, sb_buf_slice(&out));
    finding->excerpt_column = (unsigned)caret + 1;
    finding->excerpt_width = end > caret ? (unsigned)(end - caret) : 1;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* What is equal in all that a reader sees in its order is told apart by the rest, so that no order depends on
 * the sort. */
static int compare_findings(const void *left, const void *right)
{
    const sb_finding *a = left, *b = right;
    int order = sb_slice_cmp(a->file, b->file);

    if (!order)
        order = compare_numbers(a->place.layer, b->place.layer);
    if (!order)
        order = sb_slice_cmp(a->place.where, b->place.where);
    if (!order)
        order = compare_numbers(a->line, b->line);
    if (!order)
        order = compare_numbers(a->column, b->column);
    if (!order)
        order = strcmp(a->rule->id, b->rule->id);
    if (!order)
        order = sb_slice_cmp(a->message, b->message);
    if (!order)
        order = compare_numbers(a->end_line, b->end_line);
    if (!order)
        order = compare_numbers(a->end_column, b->end_column);
    return order ? order : sb_slice_cmp(a->fingerprint, b->fingerprint);
}

void sb_report_sort(sb_report *report)
{
    if (report->count)
        qsort(report->items, report->count, sizeof(*report->items), compare_findings);
}

sb_report_counts sb_report_count(const sb_report *report)
{
    sb_report_counts counts = {{0}, 0};

    for (size_t i = 0; i < report->count; i++)
        if (report->items[i].ignored.ptr)
            counts.ignored++;
        else
            counts.by[report->items[i].severity]++;
    return counts;
}

sb_severity sb_report_worst(const sb_report *report)
{
    sb_severity worst = SB_SEVERITY_OFF;

    for (size_t i = 0; i < report->count; i++)
        if (!report->items[i].ignored.ptr && report->items[i].severity > worst)
            worst = report->items[i].severity;
    return worst;
}

sb_slice sb_fingerprint(sb_arena *arena, const sb_rule *rule, sb_slice file, sb_slice what, unsigned nth)
{
    enum { FINGERPRINT_HEX = 32 };
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    char number[16], hex[SB_DIGEST_HEX];
    sb_digest digest;

    while (sb_slice_starts(file, SB_LIT("./")))
        file = sb_slice_sub(file, 2, file.len);
    /* The final NUL of each goes in, so that no two sets of parts are the same bytes. */
    sb_hasher_add(hasher, rule->id, strlen(rule->id) + 1);
    sb_hasher_add(hasher, file.ptr ? file.ptr : "", file.len);
    sb_hasher_add(hasher, "", 1);
    sb_hasher_add(hasher, number, (size_t)snprintf(number, sizeof(number), "%u", nth) + 1);
    sb_hasher_add(hasher, what.ptr ? what.ptr : "", what.len);
    sb_hasher_finish(hasher, &digest);
    sb_digest_hex(&digest, hex);
    return sb_arena_dup(arena, sb_slice_of(hex, FINGERPRINT_HEX));
}
