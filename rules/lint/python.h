// SPDX-License-Identifier: Apache-2.0
/* What the rules about Python's package managers share. */
#ifndef SBUILD_RULES_LINT_PYTHON_H
#define SBUILD_RULES_LINT_PYTHON_H

#include <rules/lint/frozen.h>

typedef enum sb_requirement {
    SB_REQUIREMENT_PINNED, /* name==1.2.3, a URL, a git repository at a commit */
    SB_REQUIREMENT_LOCAL,  /* a path or a wheel; also what only the build can tell */
    SB_REQUIREMENT_GIT_TAG,
    SB_REQUIREMENT_GIT_BRANCH,
    SB_REQUIREMENT_LOOSE, /* no version, or a range */
} sb_requirement;
/* Of an operand of pip, or a line of a requirements file without its options. */
sb_requirement sb_requirement_of(sb_slice text);
/* "my-name" of "My_Name[extra]>=1" */
sb_slice sb_requirement_name(sb_arena *arena, sb_slice text);

/* What files given with -c pin. */
typedef struct sb_constraints {
    bool read; /* one could be read; if not, nothing can be said */
    sb_slice *names;
    size_t count, cap;
} sb_constraints;
void sb_constraints_read(const sb_frozen *f, sb_slice path, sb_constraints *constraints);
bool sb_constraints_pin(const sb_constraints *constraints, sb_slice name);

/* Looks into a requirements file of the context and says SB507 at `arg`; `constraints` may be NULL. */
void sb_requirements_look(const sb_frozen *f, const sb_sh_arg *arg, sb_slice path,
                          const sb_constraints *constraints);

/* `pip install` or `uv pip install`, whose operands begin at `at`. */
void sb_frozen_pip_install(const sb_frozen *f, size_t at, const char *what);

#endif
