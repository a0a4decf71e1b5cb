// SPDX-License-Identifier: Apache-2.0
/* Scanning an image, for the commands that do: scan and push. */
#ifndef SBUILD_CLI_SCAN_H
#define SBUILD_CLI_SCAN_H

#include <cli/findings.h>
#include <sbuild/builder.h>
#include <sbuild/scan.h>

typedef struct cli_scan_options {
    cli_report_options report;
    const char *base;
    const char *ignore_file;
    const char *write_ignore_file;
    bool require_reason;
    bool no_ignore;
    cli_list secret_rules;
    const char *platform;
    const char *engine;
    const char *depth;
    const char *threads;
    bool whole; /* all of the image is to be looked at */
} cli_scan_options;

/* The lines of an option table, for a struct that has them as the member `scan`. */
#define CLI_SCAN_OPTIONS(type)                                                                               \
    CLI_OPTIONS_REPORT(type, scan.report, "text|json|sarif|github|junit|html"),                              \
        {"base", 0, CLI_STRING(type, scan.base), "IMAGE",                                                    \
         "leave out the layers of the image that this one is built on"},                                     \
        {"ignore-file", 0, CLI_FILE(type, scan.ignore_file), "FILE",                                         \
         "findings that are known and accepted"},                                                            \
        {"write-ignore-file", 0, CLI_FILE(type, scan.write_ignore_file), "FILE",                             \
         "write a file that accepts all that is found"},                                                     \
        {"require-reason", 0, CLI_FLAG(type, scan.require_reason), NULL,                                     \
         "what the ignore file accepts must have a reason"},                                                 \
        {"no-ignore", 0, CLI_FLAG(type, scan.no_ignore), NULL, "the ignore file does not count"},            \
        {"secret-rules", 0, CLI_LIST(type, scan.secret_rules), "FILE",                                       \
         "further rules for secrets (may be repeated)"},                                                     \
        {"platform", 0, CLI_STRING(type, scan.platform), "OS/ARCH",                                          \
         "which image of several (default: the host's)"},                                                    \
        {"engine", 0, CLI_CHOICE(type, scan.engine), "docker|podman|buildah", "the engine to ask"},          \
        {"depth", 0, CLI_STRING(type, scan.depth), "N", "look into archives N deep (default: 3)"},           \
    {                                                                                                        \
        "threads", 0, CLI_STRING(type, scan.threads), "N",                                                   \
            "threads that read layers (default: one per processor, at most 8)"                               \
    }

/* An image as the user named it, open for reading (cli/scan_input.c). */
typedef struct cli_scan_input {
    sb_scan_input input;
    sb_arena *arena;
    int fd;                   /* owned; -1 without */
    sb_engine *engine;        /* owned; NULL when no engine has it */
    sb_engine_export *export; /* owned */
    sb_slice id;              /* the engine's */
} cli_scan_input;
#define cli_autoinput __attribute__((cleanup(cli_scan_input_clear))) cli_scan_input
/* `engine_only`: the text is the name of an engine's image. */
int cli_scan_input_open(const char *text, const cli_scan_options *options, bool engine_only,
                        cli_scan_input *ret_input, sb_error **err);
/* After all was read: tells whether the engine gave all of it. */
int cli_scan_input_end(cli_scan_input *input, sb_error **err);
void cli_scan_input_clear(cli_scan_input *input);

/*
 * Scans, and writes the report (cli/scan.c). *ret_status: 1 when something counts. `name`: the tag for the
 * rule about moving tags; NULL: none.
 */
int cli_scan(cli_app *app, const cli_scan_options *options, cli_scan_input *image, const char *name,
             int *ret_status, sb_error **err);

#endif
