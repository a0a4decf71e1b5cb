// SPDX-License-Identifier: Apache-2.0
/*
 * What an sb_progress looks like to people. On a terminal: one line per transfer that is under way and one
 * for all of them, redrawn in place at most ten times a second, each time with a single write. Elsewhere:
 * plain lines.
 */
#ifndef SBUILD_CLI_PROGRESS_H
#define SBUILD_CLI_PROGRESS_H

#include <cli/output.h>
#include <sbuild/progress.h>

typedef struct cli_progress cli_progress;

typedef struct cli_progress_options {
    int fd;       /* standard error */
    bool live;    /* redraw in place; otherwise plain lines */
    bool quiet;   /* warnings only */
    bool verbose; /* details, too */
    cli_style style;
} cli_progress_options;

cli_progress *cli_progress_new(const cli_progress_options *options);
/* Removes what is drawn in place. */
void cli_progress_free(cli_progress *progress);
/* For the library; lives as long as the progress. */
sb_progress *cli_progress_events(cli_progress *progress);
/* Removes what is drawn in place until the next event, so that something else can be printed. */
void cli_progress_clear(cli_progress *progress);

#endif
