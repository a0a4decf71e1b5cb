// SPDX-License-Identifier: Apache-2.0
/*
 * Workflow commands: one line per finding, which the runner turns into an annotation of the file. What is
 * ignored does not appear.
 */
#include <sbuild/finding.h>

/* Printable, and the runner decodes exactly these; in properties also what would end them. */
static void add_escaped(sb_buf *out, sb_slice text, bool property)
{
    enum { TEXT_MAX = 1 << 14 };
    sb_autobuf printable = SB_BUF_INIT(8 * TEXT_MAX);

    sb_buf_add_printable(&printable, text, TEXT_MAX);
    for (size_t i = 0; i < printable.len; i++) {
        char c = printable.data[i];

        if (c == '%' || (property && (c == ':' || c == ',')))
            sb_buf_printf(out, "%%%02X", (unsigned char)c);
        else
            sb_buf_addc(out, c);
    }
}

static void add_property(sb_buf *out, const char **separator, const char *name, sb_slice value)
{
    if (!value.len)
        return;
    sb_buf_printf(out, "%s%s=", *separator, name);
    add_escaped(out, value, true);
    *separator = ",";
}

static void add_number(sb_buf *out, const char **separator, const char *name, unsigned value)
{
    if (!value)
        return;
    sb_buf_printf(out, "%s%s=%u", *separator, name, value);
    *separator = ",";
}

static const char *command_of(sb_severity severity)
{
    return severity == SB_SEVERITY_ERROR ? "error" : severity == SB_SEVERITY_WARNING ? "warning" : "notice";
}

/* A file of an image is none of the repository: where it is stands in the text. */
static void add_finding(sb_buf *out, const sb_finding *f)
{
    bool in_image = f->place.where.ptr;
    sb_autobuf title = SB_BUF_INIT(1 << 10);
    const char *separator = " ";

    sb_buf_printf(&title, "%s %s", f->rule->id, f->rule->name);
    sb_buf_printf(out, "::%s", command_of(f->severity));
    if (!in_image) {
        add_property(out, &separator, "file", f->file);
        add_number(out, &separator, "line", f->line);
        /* Columns are shown for a range within one line only. */
        add_number(out, &separator, "endLine", f->end_line > f->line ? f->end_line : 0);
        add_number(out, &separator, "col", f->column);
        add_number(out, &separator, "endColumn", f->end_line == f->line ? f->end_column : 0);
    }
    add_property(out, &separator, "title", sb_buf_slice(&title));
    sb_buf_addz(out, "::");
    if (in_image) {
        add_escaped(out, f->file, false);
        sb_buf_addz(out, ": ");
        add_escaped(out, f->place.where, false);
        sb_buf_addz(out, ": ");
    }
    add_escaped(out, f->message, false);
    sb_buf_addz(out, "%0A");
    add_escaped(out, sb_finding_remedy(f), false);
    sb_buf_addc(out, '\n');
}

int sb_report_github(const sb_report *report, sb_buf *out, sb_error **err)
{
    for (size_t i = 0; i < report->count; i++)
        if (!report->items[i].ignored.ptr)
            add_finding(out, &report->items[i]);
    return sb_buf_check(out, "the report", err);
}
