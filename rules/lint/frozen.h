// SPDX-License-Identifier: Apache-2.0
/*
 * Inside SB5xx: dependencies that are not frozen. frozen.c finds by its name who looks at a command; each
 * frozen_*.c knows some package managers. RUNs that are in the lock are never looked at.
 */
#ifndef SBUILD_RULES_LINT_FROZEN_H
#define SBUILD_RULES_LINT_FROZEN_H

#include <rules/lint/lint.h>
#include <rules/lint/operands.h>

typedef struct sb_frozen { /* a command that is looked at */
    sb_lint *lint;
    const sb_lint_run *run;
    const sb_sh_command *command;
    size_t index;  /* in run->reading.commands */
    sb_slice name; /* of the command, without the version of "pip3.11" */
} sb_frozen;

/* frozen_system.c */
void sb_frozen_apt(const sb_frozen *f);
void sb_frozen_apk(const sb_frozen *f);
void sb_frozen_dnf(const sb_frozen *f);
void sb_frozen_zypper(const sb_frozen *f);
void sb_frozen_pacman(const sb_frozen *f);
/* frozen_pip.c, frozen_requirements.c */
void sb_frozen_pip(const sb_frozen *f);
void sb_frozen_pipx(const sb_frozen *f);
void sb_frozen_python(const sb_frozen *f); /* python -m pip */
/* frozen_python.c */
void sb_frozen_uv(const sb_frozen *f);
void sb_frozen_uvx(const sb_frozen *f);
void sb_frozen_poetry(const sb_frozen *f);
void sb_frozen_pdm(const sb_frozen *f);
void sb_frozen_pipenv(const sb_frozen *f);
void sb_frozen_conda(const sb_frozen *f);
/* frozen_node.c */
void sb_frozen_npm(const sb_frozen *f);
void sb_frozen_npx(const sb_frozen *f);
void sb_frozen_yarn(const sb_frozen *f);
void sb_frozen_pnpm(const sb_frozen *f);
void sb_frozen_bun(const sb_frozen *f);
void sb_frozen_corepack(const sb_frozen *f);
/* frozen_languages.c */
void sb_frozen_gem(const sb_frozen *f);
void sb_frozen_bundle(const sb_frozen *f);
void sb_frozen_go(const sb_frozen *f);
void sb_frozen_cargo(const sb_frozen *f);
void sb_frozen_rustup(const sb_frozen *f);
void sb_frozen_composer(const sb_frozen *f);
void sb_frozen_php(const sb_frozen *f); /* php composer.phar */
/* frozen_git.c */
void sb_frozen_git(const sb_frozen *f);
void sb_frozen_download(const sb_frozen *f); /* curl, wget */

/* frozen_rules.c */
extern const sb_rule sb501, sb502, sb503, sb504, sb505, sb506, sb507, sb508, sb509, sb510, sb511, sb512,
    sb513, sb514, sb515, sb516, sb517, sb518, sb519, sb520, sb521, sb522;

/* --- What is without a version, for one finding about the whole command --- */

enum { SB_UNPINNED_SHOWN = 3 };
typedef struct sb_unpinned {
    const sb_sh_arg *first;
    sb_slice names[SB_UNPINNED_SHOWN];
    size_t count;
} sb_unpinned;
void sb_unpinned_add(sb_unpinned *list, const sb_sh_arg *arg, sb_slice name);
/* "WHAT: a, b and 3 more WHY", at the first of them. NULL when there is none. */
sb_finding *sb_unpinned_say(const sb_frozen *f, const sb_rule *rule, const sb_unpinned *list,
                            const char *what, const char *why);

/* --- Asking --- */

typedef enum sb_there { SB_THERE_NO, SB_THERE_YES, SB_THERE_UNKNOWN } sb_there;
/* Does the command find this lock file: COPY'd before, or mounted? UNKNOWN when there is no context to look
 * at, or when what the RUN works on did not come from it. */
sb_there sb_frozen_has(const sb_frozen *f, const char *name);
/* The value of an environment variable where the command runs; absent: not set or not known. */
sb_slice sb_frozen_env(const sb_frozen *f, const char *name);
bool sb_frozen_env_true(const sb_frozen *f, const char *name);         /* "1", "true", "yes" */
bool sb_frozen_option(const sb_frozen *f, const char *const *options); /* one of them; NULL-terminated */
/* The argument behind the command's own options, "install"; NULL without. *ret_at: the index behind it. */
const sb_sh_arg *sb_frozen_verb(const sb_frozen *f, size_t from, const char *const *with_value,
                                size_t *ret_at);
/* "1.2.3", "2024.1b3": numbers, no range. A variable counts: somebody sets it. */
bool sb_version_is_exact(sb_slice version, unsigned min_parts);

/* --- Safe fixes: nothing happens unless the file has just that text there --- */
void sb_frozen_replace(const sb_frozen *f, sb_finding *finding, const sb_sh_arg *arg, const char *text);
void sb_frozen_insert_behind(const sb_frozen *f, sb_finding *finding, const sb_sh_arg *arg, const char *text);

#endif
