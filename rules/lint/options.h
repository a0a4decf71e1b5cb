// SPDX-License-Identifier: Apache-2.0
/*
 * The words of a command line, option by option, for commands whose every option matters. (Is there this one
 * option? sb_sh_has_option(). The operands alone? sb_operand_next().)
 *
 *     sb_options walk = {.command = command, .with_value = "oP", .long_with_value = "--output", .at = 1};
 *     while (sb_option_next(&walk, &option))
 */
#ifndef SBUILD_RULES_LINT_OPTIONS_H
#define SBUILD_RULES_LINT_OPTIONS_H

#include <rules/lint/lint.h>

typedef struct sb_options {
    const sb_sh_command *command;
    const char *with_value;      /* letters of short options that have a value */
    const char *long_with_value; /* names of long ones that take the next word, "--" included: "--a --b" */
    size_t at;                   /* next argument */
    size_t letter;               /* within a cluster of short options; 0: none is open */
} sb_options;

typedef struct sb_option { /* neither letter nor name: an operand, in `value` */
    char letter;           /* short option; 0: none */
    sb_slice name;         /* long option, with its dashes; absent: none */
    sb_slice value;
    size_t arg; /* the value is this argument, and maybe those behind it that are `also`; 0: part of one */
} sb_option;

bool sb_option_next(sb_options *w, sb_option *ret_option);
/* One of these: letter (0: none) or name, "--output". */
bool sb_option_is(const sb_option *o, char letter, const char *name);
bool sb_option_is_operand(const sb_option *o);

#endif
