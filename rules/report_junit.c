// SPDX-License-Identifier: Apache-2.0
/*
 * JUnit's XML, as test reporters of build servers read it: a suite per file or image, a case per finding,
 * which has failed; what is ignored was skipped. A report without findings has one case that passed, since
 * servers take a report without cases for a broken one.
 */
#include <sbuild/finding.h>
#include <sbuild/markup.h>

static size_t suite_end(const sb_report *report, size_t start)
{
    size_t end = start + 1;

    while (end < report->count && sb_slice_eq(report->items[end].file, report->items[start].file))
        end++;
    return end;
}

static void add_counts(sb_buf *out, const sb_report *report, size_t start, size_t end)
{
    size_t ignored = 0;

    for (size_t i = start; i < end; i++)
        ignored += report->items[i].ignored.ptr != NULL;
    sb_buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", end - start,
                  end - start - ignored, ignored);
}

static void add_text(sb_buf *out, const sb_finding *f)
{
    sb_markup_element(out, "", f->place.where.ptr ? f->place.where : f->file, "");
    if (f->line)
        sb_buf_printf(out, ":%u:%u", f->line, f->column);
    sb_markup_element(out, ": ", f->message, "\n");
    if (f->excerpt.len)
        sb_markup_element(out, "", f->excerpt, "\n");
    if (f->place.history.len)
        sb_markup_element(out, "by: ", f->place.history, "\n");
    sb_markup_element(out, "fix: ", sb_finding_remedy(f), "");
}

static void add_case(sb_buf *out, const sb_finding *f)
{
    sb_buf_printf(out, "<testcase name=\"%s %s", f->rule->id, f->rule->name);
    if (f->place.where.ptr)
        sb_markup_element(out, " in ", f->place.where, "");
    if (f->line)
        sb_buf_printf(out, " in line %u", f->line);
    sb_markup_element(out, "\" classname=\"", f->file, "\"");
    if (!f->place.where.ptr) {
        sb_markup_element(out, " file=\"", f->file, "\"");
        if (f->line)
            sb_buf_printf(out, " line=\"%u\"", f->line);
    }
    if (f->ignored.ptr) {
        sb_markup_element(out, "><skipped message=\"", f->ignored, "\"/></testcase>\n");
        return;
    }
    sb_markup_element(out, "><failure type=\"", sb_slice_z(sb_severity_name(f->severity)), "\" message=\"");
    sb_markup_element(out, "", f->message, "\">");
    add_text(out, f);
    sb_buf_addz(out, "</failure></testcase>\n");
}

int sb_report_junit(const sb_report *report, sb_buf *out, sb_error **err)
{
    size_t end;

    sb_buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sbuild %s\"",
                  report->tool);
    if (!report->count) {
        sb_buf_printf(
            out,
            " tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\n<testsuite name=\"sbuild %s\" "
            "tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\n"
            "<testcase name=\"no findings\" classname=\"sbuild %s\"/>\n</testsuite>\n</testsuites>\n",
            report->tool, report->tool);
        return sb_buf_check(out, "the report", err);
    }
    add_counts(out, report, 0, report->count);
    sb_buf_addz(out, ">\n");
    for (size_t start = 0; start < report->count; start = end) {
        end = suite_end(report, start);
        sb_markup_element(out, "<testsuite name=\"", report->items[start].file, "\"");
        add_counts(out, report, start, end);
        sb_buf_addz(out, ">\n");
        for (size_t i = start; i < end; i++)
            add_case(out, &report->items[i]);
        sb_buf_addz(out, "</testsuite>\n");
    }
    sb_buf_addz(out, "</testsuites>\n");
    return sb_buf_check(out, "the report", err);
}
