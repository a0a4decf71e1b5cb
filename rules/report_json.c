// SPDX-License-Identifier: Apache-2.0
/* The report for programs; docs/lint.md and docs/scan.md describe it. One finding per line. */
#include <sbuild/finding.h>
#include <sbuild/json.h>

static void put_number(sb_json_writer *w, const char *key, uint64_t value)
{
    if (value)
        sb_json_put_u64(w, key, value);
}

static void put_place(sb_json_writer *w, const sb_layer_place *place)
{
    sb_json_open(w, "place", '{');
    put_number(w, "layer", place->layer);
    sb_json_put_str(w, "digest", place->digest);
    sb_json_put_str(w, "history", place->history);
    sb_json_put_str(w, "where", place->where);
    put_number(w, "size", place->size);
    put_number(w, "removed", place->removed);
    sb_json_put_str(w, "removedBy", place->removed_by);
    sb_json_close(w, '}');
}

static void put_finding(sb_json_writer *w, const sb_finding *f)
{
    sb_json_newline(w);
    sb_json_open(w, NULL, '{');
    sb_json_put_strz(w, "rule", f->rule->id);
    sb_json_put_strz(w, "name", f->rule->name);
    sb_json_put_strz(w, "severity", sb_severity_name(f->severity));
    sb_json_put_str(w, "kind", f->kind);
    sb_json_put_str(w, "message", f->message);
    sb_json_put_str(w, "remedy", sb_finding_remedy(f));
    sb_json_put_str(w, "file", f->file);
    put_number(w, "line", f->line);
    put_number(w, "column", f->column);
    put_number(w, "endLine", f->end_line);
    put_number(w, "endColumn", f->end_column);
    sb_json_put_str(w, "excerpt", f->excerpt);
    if (f->place.where.ptr)
        put_place(w, &f->place);
    sb_json_put_str(w, "fingerprint", f->fingerprint);
    sb_json_put_bool(w, "fixable", f->edit_count > 0);
    sb_json_put_str(w, "ignored", f->ignored);
    sb_json_close(w, '}');
}

static void put_image(sb_json_writer *w, const sb_report *report)
{
    sb_json_open(w, "image", '{');
    sb_json_put_str(w, "name", report->subject);
    sb_json_put_str(w, "id", report->image_id);
    sb_json_put_str(w, "manifest", report->manifest);
    sb_json_put_str(w, "platform", report->platform);
    sb_json_put_str(w, "user", report->user);
    sb_json_put_str(w, "created", report->created);
    sb_json_close(w, '}');
    sb_json_put_u64(w, "bytes", report->bytes);
    sb_json_open(w, "layers", '[');
    for (size_t i = 0; i < report->layer_count; i++) {
        const sb_report_layer *layer = &report->layers[i];

        sb_json_newline(w);
        sb_json_open(w, NULL, '{');
        sb_json_put_str(w, "digest", layer->digest);
        sb_json_put_str(w, "history", layer->history);
        sb_json_put_u64(w, "size", layer->size);
        sb_json_put_u64(w, "files", layer->files);
        sb_json_put_bool(w, "base", layer->base);
        sb_json_close(w, '}');
    }
    sb_json_close(w, ']');
}

int sb_report_json(const sb_report *report, sb_buf *out, sb_error **err)
{
    sb_report_counts counts = sb_report_count(report);
    sb_json_writer writer = {.out = out}, *w = &writer;

    sb_json_open(w, NULL, '{');
    sb_json_put_u64(w, "version", 1);
    sb_json_put_strz(w, "tool", report->tool);
    sb_json_put_u64(w, "files", report->files);
    if (report->subject.ptr)
        put_image(w, report);
    sb_json_open(w, "findings", '[');
    for (size_t i = 0; i < report->count; i++)
        put_finding(w, &report->items[i]);
    sb_json_close(w, ']');
    if (report->cut)
        sb_json_put_bool(w, "cut", true);
    sb_json_open(w, "summary", '{');
    for (sb_severity s = SB_SEVERITY_ERROR; s > SB_SEVERITY_OFF; s--)
        sb_json_put_u64(w, sb_severity_name(s), counts.by[s]);
    sb_json_put_u64(w, "ignored", counts.ignored);
    sb_json_close(w, '}');
    sb_json_close(w, '}');
    sb_buf_addc(out, '\n');
    return sb_buf_check(out, "the report", err);
}
