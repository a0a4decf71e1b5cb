// SPDX-License-Identifier: Apache-2.0
/*
 * Reports of invented findings, hostile text wherever there is text:
 *
 *   report_tool lint|scan|empty json|sarif|github|junit|html
 *   report_tool lint|scan|empty text [COLUMNS [quiet|verbose]]
 */
#include <cli/findings.h>

#include <stdio.h>
#include <string.h>

#include "../../unit/report_fixture.h"

static int write_form(const sb_report *report, const char *form, sb_buf *out, sb_error **err)
{
    static const struct {
        const char *name;
        int (*write)(const sb_report *report, sb_buf *out, sb_error **err);
    } forms[] = {
        {"json", sb_report_json},   {"sarif", sb_report_sarif}, {"github", sb_report_github},
        {"junit", sb_report_junit}, {"html", sb_report_html},
    };

    for (size_t i = 0; i < SB_COUNT(forms); i++)
        if (strcmp(form, forms[i].name) == 0)
            return forms[i].write(report, out, err);
    return sb_fail(err, SB_ERR_USAGE, "no such form: %s", form);
}

static void write_text(const sb_report *report, int argc, char **argv, sb_buf *out)
{
    cli_style style = {.width = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100};

    cli_findings_text(report, &style, argc > 4 && strcmp(argv[4], "quiet") == 0,
                      argc > 4 && strcmp(argv[4], "verbose") == 0, out);
}

int main(int argc, char **argv)
{
    SB_AUTO(sb_report) report = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(1 << 24);

    if (argc < 3)
        return 2;
    report = strcmp(argv[1], "empty") == 0 ? sb_report_new("lint") : hostile_report(argv[1]);
    if (strcmp(argv[2], "text") == 0)
        write_text(report, argc, argv, &out);
    else if (write_form(report, argv[2], &out, &err) < 0) {
        fprintf(stderr, "report_tool: %s\n", err->message);
        return 1;
    }
    fwrite(out.data ? out.data : "", 1, out.len, stdout);
    return 0;
}
