// SPDX-License-Identifier: Apache-2.0
/* What the commands that find things have alike: lint and scan. */
#ifndef SBUILD_CLI_FINDINGS_H
#define SBUILD_CLI_FINDINGS_H

#include <cli/cli.h>
#include <sbuild/lint.h>

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
/* SB_ERR_USAGE naming the nearest rule. */
int cli_unknown_rule(const char *name, sb_error **err);

#endif
