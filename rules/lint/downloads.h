// SPDX-License-Identifier: Apache-2.0
/*
 * Inside SB6xx: downloads that nobody verifies, and verification that is switched off.
 *
 *     downloads_rules.c   the rules
 *     downloads.c         who looks at which command
 *     downloads_off.c     options that switch verification off
 *     downloads_config.c  variables and lines of configuration that do
 *     downloads_keys.c    keys that are fetched
 *     downloads_fetch.c   what is downloaded, and whether somebody checks it
 */
#ifndef SBUILD_RULES_LINT_DOWNLOADS_H
#define SBUILD_RULES_LINT_DOWNLOADS_H

#include <rules/lint/lint.h>
#include <rules/lint/operands.h>

typedef struct sb_download { /* a command that is looked at */
    sb_lint *lint;
    const sb_lint_run *run;
    const sb_sh_command *command;
    size_t index; /* in run->reading.commands */
} sb_download;

/* downloads_rules.c */
extern const sb_rule sb601, sb602, sb603, sb604, sb605, sb606, sb607, sb610, sb611, sb612, sb613, sb614,
    sb615, sb616, sb617, sb618, sb619, sb620, sb621, sb622, sb631, sb632, sb633, sb634;

/* downloads_off.c: by the command's name */
void sb_off_fetch(const sb_download *d); /* curl, wget and their like */
void sb_off_git(const sb_download *d);
void sb_off_apt(const sb_download *d);
void sb_off_apk(const sb_download *d);
void sb_off_rpm(const sb_download *d); /* rpm, dnf, yum, zypper */
void sb_off_python(const sb_download *d);
void sb_off_node(const sb_download *d);
void sb_off_ruby(const sb_download *d);
void sb_off_go(const sb_download *d);
void sb_off_composer(const sb_download *d);
void sb_off_ssh(const sb_download *d);
void sb_off_keyscan(const sb_download *d);
void sb_off_images(const sb_download *d); /* skopeo, helm … */

/* downloads_config.c */
/* NAME=value in ENV, ARG, before a command, or exported. */
void sb_config_variable(sb_lint *lint, sb_span span, sb_slice name, sb_slice value);
/* A text that becomes (part of) a file. `run`: whose commands it is in; NULL: none. */
void sb_config_text(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice text);
/* One that becomes the file at `path`: there are files where a word alone is a setting. */
void sb_config_file(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice path, sb_slice text);
void sb_config_command(const sb_download *d); /* echo, printf, sed, tee, cat */
void sb_config_export(const sb_download *d);

/* downloads_keys.c */
void sb_keys_gpg(const sb_download *d);
void sb_keys_apt_key(const sb_download *d);
void sb_keys_rpm(const sb_download *d);
/* Does a command of the RUN show the fingerprint of a key, for somebody to compare? */
bool sb_key_is_compared(const sb_lint_run *run, size_t index);
/* Is this file a key that a package manager trusts? By its path. */
bool sb_is_keyring(sb_slice path);

/* downloads_fetch.c: RUN and ADD */
void sb_lint_fetched(sb_lint *lint);
/* A URL in an argument: is it one of plain http? Says SB605. */
void sb_http_argument(const sb_download *d, const sb_sh_arg *arg, sb_slice url);
/* pip, uv, npm and their like: an archive by its URL as what is to be installed. */
void sb_fetch_package(const sb_download *d);

#endif
