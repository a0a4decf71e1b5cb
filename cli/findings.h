// SPDX-License-Identifier: Apache-2.0
/* What the commands that find things have alike: lint and scan. */
#ifndef SBUILD_CLI_FINDINGS_H
#define SBUILD_CLI_FINDINGS_H

#include <cli/cli.h>
#include <sbuild/lint.h>

typedef struct cli_report_options {
    const char *format;
    const char *output;
    const char *fail_on;
    cli_list rules;
    cli_list only;
} cli_report_options;

/* Their lines of an option table; `member` is the struct in `type`, `forms` what --format offers. */
#define CLI_OPTIONS_REPORT(type, member, forms)                                                              \
    {"format", 0, CLI_CHOICE(type, member.format), forms, "the form of the report (default: text)"},         \
        {"output", 'o', CLI_FILE(type, member.output), "FILE", "write the report to FILE"},                  \
        {"fail-on", 0, CLI_CHOICE(type, member.fail_on), "info|warning|error|never",                         \
         "the severity from which on findings make the exit status 1 (default: warning)"},                   \
        {"rule", 0, CLI_LIST(type, member.rules), "ID=off|info|warning|error", "set a rule's severity"},     \
    {                                                                                                        \
        "only", 0, CLI_WORDS(type, member.only), "ID", "no other rule than this one (may be repeated)"       \
    }

/*
 * Writes the report to the file `output`, else to standard output. `format`: text (or NULL), json, sarif,
 * github, junit, html; what the command does not offer is refused by its option table.
 */
int cli_findings_write(cli_app *app, const sb_report *report, const char *format, const char *output,
                       sb_error **err);
/* Text for people (cli/findings_text.c). `quiet`: a line per finding and no more; `verbose`: also what is
 * ignored and why, and what is summarised in full. */
void cli_findings_text(const sb_report *report, const cli_style *style, bool quiet, bool verbose,
                       sb_buf *out);
/* Is the name the id with hyphens, as with BuildKit's checks? Then one of them is enough. */
bool cli_same_name(const char *id, const char *name);
/* 1 when something at or above `fail_on` counts; `fail_on` SB_SEVERITY_OFF: never. */
int cli_findings_status(const sb_report *report, sb_severity fail_on);
/* --list-rules; `format`: text or json. */
int cli_findings_list_rules(cli_app *app, const char *format, sb_error **err);
/* "ID=SEVERITY" each, as --rule has them. In the arena. */
int cli_rule_settings(const cli_list *list, sb_arena *arena, sb_rule_setting **ret_settings,
                      size_t *ret_count, sb_error **err);
/* --fail-on: "error", "warning", "info" or "never"; NULL: `fallback`. */
int cli_fail_on(const char *text, sb_severity fallback, sb_severity *ret_severity, sb_error **err);
/* --only: is there each of these rules? SB_ERR_USAGE names the nearest. */
int cli_check_rules(const cli_list *list, sb_error **err);

#endif
