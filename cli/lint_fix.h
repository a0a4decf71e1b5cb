// SPDX-License-Identifier: Apache-2.0
/* What `lint --fix` does with a file before it is looked at. */
#ifndef SBUILD_CLI_LINT_FIX_H
#define SBUILD_CLI_LINT_FIX_H

#include <cli/cli.h>
#include <sbuild/lint.h>

/*
 * Fixes the file in its place, or with `dry_run` prints a diff; then 1 is returned when something would
 * change. `tells`: say on standard error what was done.
 */
int cli_lint_fix_file(const cli_app *app, const char *path, const char *context, const sb_lint_options *lint,
                      bool dry_run, bool tells, sb_error **err);
/* Reads standard input and prints it fixed, or with `dry_run` a diff. */
int cli_lint_fix_stdin(const cli_app *app, const sb_lint_options *lint, bool dry_run, sb_error **err);

#endif
