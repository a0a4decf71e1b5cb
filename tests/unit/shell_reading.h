// SPDX-License-Identifier: Apache-2.0
/*
 * A reading as text, one line for each command:
 *
 *     C I L F           conditional, ignored, in a loop, in a function
 *     >0.2s             inside args[2] of command 0: s a script, a an argument, i and o process substitutions
 *     ~x                its output becomes the value of x
 *     2|3|              in pipeline with others, position 3, which writes a pipe as well
 *     [sudo env] @app   wrappers, user
 *     (/tmp)            directory, when it is not /w
 *     A=<v> curl <a b> ?<$x> +<c> {1> f}
 *                       assignments; arguments, ? not known, + one more value of the same word; files
 */
#ifndef SBUILD_TESTS_SHELL_READING_H
#define SBUILD_TESTS_SHELL_READING_H

#include <sbuild/buf.h>
#include <sbuild/shell.h>

static inline void reading_add_arg(sb_buf *out, const sb_sh_arg *arg)
{
    bool plain = arg->text.len > 0 && arg->known && !arg->also;

    for (size_t i = 0; i < arg->text.len; i++)
        plain = plain && !strchr(" \t\n<>{}?+", arg->text.ptr[i]);
    sb_buf_printf(out, plain ? " %s%s%" SB_FMT : " %s%s<%" SB_FMT ">", arg->known ? "" : "?",
                  arg->also ? "+" : "", SB_ARG(arg->text));
}

static inline void reading_add_command(sb_buf *out, const sb_sh_command *command)
{
    sb_buf_printf(out, "%s%s%s%s", command->conditional ? " C" : "", command->ignored ? " I" : "",
                  command->looped ? " L" : "", command->function ? " F" : "");
    if (command->inside >= 0)
        sb_buf_printf(out, " >%td.%zu", command->inside, command->inside_arg);
    if (command->place)
        sb_buf_printf(out, "%s%c", command->inside >= 0 ? "" : " ", "-saio"[command->place]);
    if (command->variable.ptr)
        sb_buf_printf(out, "~%" SB_FMT, SB_ARG(command->variable));
    if (command->position || !command->last)
        sb_buf_printf(out, " %s%zu%s", command->position ? "|" : "", command->position,
                      command->last ? "" : "|");
    for (size_t i = 0; i < command->wrapper_count; i++)
        sb_buf_printf(out, "%s%" SB_FMT "%s", i ? " " : " [", SB_ARG(command->wrappers[i]),
                      i + 1 < command->wrapper_count ? "" : "]");
    if (command->user.ptr)
        sb_buf_printf(out, " @%" SB_FMT, SB_ARG(command->user));
    if (!sb_slice_eqz(command->directory, "/w"))
        sb_buf_printf(out, " (%" SB_FMT ")", SB_ARG(command->directory));
    for (size_t i = 0; i < command->assigned_count; i++) {
        sb_buf_printf(out, " %" SB_FMT "=%s<%" SB_FMT ">", SB_ARG(command->assigned[i].name),
                      command->assigned[i].value.known ? "" : "?", SB_ARG(command->assigned[i].value.text));
    }
    for (size_t i = 0; i < command->count; i++)
        reading_add_arg(out, &command->args[i]);
    for (size_t i = 0; i < command->file_count; i++)
        sb_buf_printf(out, " {%d%s%" SB_FMT " %" SB_FMT "}", command->files[i].fd,
                      command->files[i].both ? "*" : "", SB_ARG(command->files[i].op),
                      SB_ARG(command->files[i].target.text));
    sb_buf_addc(out, '\n');
}

/* Every line begins behind the blank that its first item brings. */
static inline void reading_print(sb_buf *out, const sb_sh_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        sb_autobuf line = SB_BUF_INIT(1 << 20);

        reading_add_command(&line, &reading->commands[i]);
        sb_buf_adds(out, sb_slice_sub(sb_buf_slice(&line), line.len > 1, line.len));
    }
}

#endif
