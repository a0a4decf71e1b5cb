// SPDX-License-Identifier: Apache-2.0
/* A parsed Dockerfile in words and as JSON. */
#ifndef SBUILD_CLI_INSPECT_H
#define SBUILD_CLI_INSPECT_H

#include <cli/cli.h>

/* `view` is NULL for the syntax tree alone. */
typedef struct cli_inspection {
    const sb_dockerfile *df;
    const sb_df_view *view;
    bool named; /* JSON: the object says which file it is about */
} cli_inspection;

/* inspect_json.c: one object and a line feed. */
void cli_inspect_json(const cli_inspection *inspection, sb_buf *out);
/* inspect_text.c */
void cli_inspect_text(const cli_inspection *inspection, const cli_style *style, FILE *out);

#endif
