// SPDX-License-Identifier: Apache-2.0
/* One page for people: what the image is, its layers, and what was found in them. */
#include <sbuild/finding.h>
#include <sbuild/markup.h>

static void add_row(sb_buf *out, const char *name, sb_slice value)
{
    if (!value.len)
        return;
    sb_buf_printf(out, "<tr><th scope=\"row\">%s</th>", name);
    sb_markup_element(out, "<td><code>", value, "</code></td></tr>\n");
}

/* "12.3 MB", in powers of 1000 */
static void add_size(sb_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes / 1000;
    size_t unit = 0;

    if (bytes < 1000) {
        sb_buf_printf(out, "%u B", (unsigned)bytes);
        return;
    }
    for (; value >= 999.95 && unit + 1 < SB_COUNT(units); unit++)
        value /= 1000;
    sb_buf_printf(out, "%.1f %s", value, units[unit]);
}

static const char *class_of(const sb_finding *f)
{
    return f->ignored.ptr                       ? "what"
           : f->severity == SB_SEVERITY_ERROR   ? "bad"
           : f->severity == SB_SEVERITY_WARNING ? "warn"
                                                : "";
}

static void add_counts(sb_buf *out, const sb_report *report)
{
    sb_report_counts counts = sb_report_count(report);

    if (sb_report_worst(report) == SB_SEVERITY_OFF)
        sb_buf_addz(out, "<p class=\"good\"><strong>No findings</strong>");
    else
        sb_buf_printf(out, "<p><strong>Errors: %zu · warnings: %zu · notes: %zu</strong>",
                      counts.by[SB_SEVERITY_ERROR], counts.by[SB_SEVERITY_WARNING],
                      counts.by[SB_SEVERITY_INFO]);
    if (counts.ignored)
        sb_buf_printf(out, " · ignored: %zu", counts.ignored);
    sb_buf_printf(out, " in %zu file%s</p>\n", report->files, report->files == 1 ? "" : "s");
    if (report->cut)
        sb_buf_printf(out, "<p>There are more than %d findings; the rest is not shown.</p>\n",
                      SB_FINDINGS_MAX);
}

static void add_image(sb_buf *out, const sb_report *report)
{
    sb_buf_addz(out, "<h2>Image</h2>\n<table>\n");
    add_row(out, "name", report->subject);
    add_row(out, "image ID", report->image_id);
    add_row(out, "manifest", report->manifest);
    add_row(out, "platform", report->platform);
    add_row(out, "user", report->user.len ? report->user : SB_LIT("root, since none is set"));
    add_row(out, "created", report->created);
    sb_buf_addz(out, "</table>\n");
}

/* --- Layers --- */

static void add_layer(sb_buf *out, const sb_report *report, size_t index, size_t findings)
{
    const sb_report_layer *layer = &report->layers[index];

    sb_buf_printf(out, "<tr><td class=\"number\">%zu</td><td class=\"number\">", index + 1);
    add_size(out, layer->size);
    sb_buf_printf(out, "</td><td class=\"number\">%llu</td><td class=\"number\">",
                  (unsigned long long)layer->files);
    if (layer->base)
        sb_buf_addz(out, "base");
    else if (findings)
        sb_buf_printf(out, "<a href=\"#layer-%zu\">%zu</a>", index + 1, findings);
    else
        sb_buf_addz(out, "0");
    sb_markup_element(out, "</td><td><code>", layer->history, "</code><br>");
    sb_markup_element(out, "<code class=\"what\">", layer->digest, "</code></td></tr>\n");
}

static void add_layers(sb_buf *out, const sb_report *report)
{
    sb_autofree size_t *findings = sb_new_array(size_t, report->layer_count + 1);

    for (size_t i = 0; i < report->count; i++)
        if (report->items[i].place.layer <= report->layer_count && !report->items[i].ignored.ptr)
            findings[report->items[i].place.layer]++;
    sb_buf_addz(
        out, "<h2>Layers</h2>\n<table>\n<thead><tr><th class=\"number\" scope=\"col\">layer</th>"
             "<th class=\"number\" scope=\"col\">size</th><th class=\"number\" scope=\"col\">files</th>"
             "<th class=\"number\" scope=\"col\">findings</th><th scope=\"col\">made by</th></tr></thead>\n"
             "<tbody>\n");
    for (size_t i = 0; i < report->layer_count; i++)
        add_layer(out, report, i, findings[i + 1]);
    sb_buf_addz(out, "</tbody>\n</table>\n");
}

/* --- Findings --- */

static void add_excerpt(sb_buf *out, const sb_finding *f)
{
    size_t first = f->excerpt_column ? f->excerpt_column - 1 : 0, last = first + f->excerpt_width;

    if (!f->excerpt.len)
        return;
    if (!f->excerpt_width) {
        sb_markup_element(out, "<pre>", f->excerpt, "</pre>\n");
        return;
    }
    first = first > f->excerpt.len ? f->excerpt.len : first;
    last = last > f->excerpt.len ? f->excerpt.len : last;
    sb_markup_element(out, "<pre>", sb_slice_sub(f->excerpt, 0, first), "<mark>");
    sb_markup_add(out, sb_slice_sub(f->excerpt, first, last));
    sb_markup_element(out, "</mark>", sb_slice_sub(f->excerpt, last, f->excerpt.len), "</pre>\n");
}

static void add_finding(sb_buf *out, const sb_finding *f)
{
    const sb_layer_place *place = &f->place;

    sb_buf_printf(out, "<article>\n<h4><span class=\"%s\">%s</span> %s %s</h4>\n<p>", class_of(f),
                  sb_severity_name(f->severity), f->rule->id, f->rule->name);
    sb_markup_element(out, "", f->message, "</p>\n");
    sb_markup_element(out, "<p><code>", place->where.ptr ? place->where : f->file, "");
    if (f->line)
        sb_buf_printf(out, ":%u:%u", f->line, f->column);
    sb_buf_addz(out, "</code>");
    if (place->size) {
        sb_buf_addz(out, ", ");
        add_size(out, place->size);
    }
    sb_buf_addz(out, "</p>\n");
    add_excerpt(out, f);
    if (place->removed) {
        sb_buf_printf(out, "<p>Removed in layer %u", place->removed);
        if (place->removed_by.len)
            sb_markup_element(out, " by <code>", place->removed_by, "</code>");
        sb_buf_addz(out, ", but this layer still has it.</p>\n");
    }
    if (f->ignored.ptr)
        sb_markup_element(out, "<p class=\"what\">Ignored: ",
                          f->ignored.len ? f->ignored : SB_LIT("without a reason"), "</p>\n");
    else
        sb_markup_element(out, "<p>Fix: ", sb_finding_remedy(f), "</p>\n");
    if (f->fingerprint.ptr)
        sb_markup_element(out, "<p class=\"what\">fingerprint <code>", f->fingerprint, "</code></p>\n");
    sb_buf_addz(out, "</article>\n");
}

/* Findings of one layer, or of one Dockerfile, stand beneath one title. */
static bool same_group(const sb_finding *a, const sb_finding *b)
{
    return sb_slice_eq(a->file, b->file) && a->place.layer == b->place.layer;
}

static void add_group_title(sb_buf *out, const sb_report *report, const sb_finding *f)
{
    unsigned layer = f->place.layer;

    if (!report->subject.ptr) {
        sb_markup_element(out, "<section>\n<h3><code>", f->file, "</code></h3>\n");
    } else if (!layer) {
        sb_buf_addz(out, "<section>\n<h3>The image itself</h3>\n");
    } else {
        sb_buf_printf(out, "<section id=\"layer-%u\">\n<h3>Layer %u</h3>\n", layer, layer);
        if (layer <= report->layer_count)
            sb_markup_element(out, "<p class=\"what\"><code>", report->layers[layer - 1].history,
                              "</code></p>\n");
    }
}

static void add_findings(sb_buf *out, const sb_report *report)
{
    if (report->count)
        sb_buf_addz(out, "<h2>Findings</h2>\n");
    for (size_t i = 0; i < report->count; i++) {
        const sb_finding *f = &report->items[i];

        if (i == 0 || !same_group(f, f - 1))
            add_group_title(out, report, f);
        add_finding(out, f);
        if (i + 1 == report->count || !same_group(f, f + 1))
            sb_buf_addz(out, "</section>\n");
    }
}

int sb_report_html(const sb_report *report, sb_buf *out, sb_error **err)
{
    sb_html_begin(out,
                  report->subject.ptr ? SB_LIT("What is in the image") : SB_LIT("Dockerfiles, looked at"));
    sb_buf_addz(out, "<main>\n");
    add_counts(out, report);
    if (report->subject.ptr) {
        add_image(out, report);
        add_layers(out, report);
    }
    add_findings(out, report);
    sb_buf_addz(out, "</main>\n");
    sb_html_end(out);
    return sb_buf_check(out, "the report", err);
}
