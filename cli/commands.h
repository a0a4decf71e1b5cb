// SPDX-License-Identifier: Apache-2.0
/* The commands, each in the file of its name. */
#ifndef SBUILD_CLI_COMMANDS_H
#define SBUILD_CLI_COMMANDS_H

#include <cli/cli.h>

extern const cli_command cli_lock;         /* lock.c */
extern const cli_command cli_build;        /* build.c */
extern const cli_command cli_vendor;       /* vendor.c */
extern const cli_command cli_verify;       /* verify.c */
extern const cli_command cli_rewrite;      /* rewrite.c */
extern const cli_command cli_diff;         /* diff.c */
extern const cli_command cli_sbom;         /* sbom.c */
extern const cli_command cli_why;          /* why.c */
extern const cli_command cli_inspect;      /* inspect.c */
extern const cli_command cli_lint;         /* lint.c */
extern const cli_command cli_scan_command; /* scan.c */
extern const cli_command cli_push;         /* push.c */
extern const cli_command cli_init;         /* init.c */
extern const cli_command cli_doctor;       /* doctor.c */
extern const cli_command cli_help;         /* help.c */
extern const cli_command cli_version;      /* version.c */

#endif
