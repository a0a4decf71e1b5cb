// SPDX-License-Identifier: Apache-2.0
/*
 * The commands of one RUN: what flows from one to the next, and what is run. A command is looked at after
 * those in its words, whose output it gets, and those in a shell's text before the shell itself.
 */
#include <rules/lint/execute.h>
#include <rules/lint/operands.h>

/* --- Variables --- */

static void add_var(sb_execute *x, sb_slice name, sb_slice text, sb_flow flow)
{
    if (x->var_count < SB_FLOW_VARS_MAX)
        *SB_ARENA_PUSH(x->lint->arena, x->vars, x->var_count, x->var_cap) = (sb_flow_var){name, text, flow};
}

/* export NAME="$(…)" */
static void note_declared(sb_execute *x, const sb_sh_command *cmd, const sb_flow *args)
{
    bool declares = sb_word_in(cmd->name, "export local declare readonly typeset");

    for (size_t i = 1; declares && i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;
        ptrdiff_t equals = sb_slice_chr(text, '=');

        if (args[i].origin >= 0 && equals > 0 && (size_t)equals + 1 < text.len)
            add_var(x, sb_slice_sub(text, 0, (size_t)equals),
                    sb_slice_sub(text, (size_t)equals + 1, text.len), args[i]);
    }
}

/* What a substitution in NAME="$(…)" writes, which is told behind it. */
static void set_flow(sb_execute *x, sb_slice name, sb_flow flow)
{
    for (size_t i = x->var_count; i > 0; i--)
        if (sb_slice_eq(x->vars[i - 1].name, name)) {
            x->vars[i - 1].flow = sb_flow_merge(x->vars[i - 1].flow, flow);
            return;
        }
}

sb_flow sb_flow_of_vars(const sb_execute *x, sb_slice text, bool *ret_whole)
{
    for (size_t i = x->var_count; i > 0; i--) {
        const sb_flow_var *var = &x->vars[i - 1];

        if (var->flow.origin < 0 || text.len < var->text.len || sb_slice_find(text, var->text) < 0)
            continue;
        if (ret_whole)
            *ret_whole = text.len == var->text.len;
        return var->flow;
    }
    return SB_FLOW_NONE;
}

/* --- What becomes of a download --- */

/* Commands that take a key, from a pipe or a file. */
static bool takes_keys(const sb_sh_command *cmd)
{
    if (sb_sh_is(cmd, "gpg") || sb_sh_is(cmd, "gpg2") || sb_sh_is(cmd, "rpm") || sb_sh_is(cmd, "rpmkeys"))
        return sb_sh_has_option(cmd, "--import", NULL) || sb_sh_has_option(cmd, "--dearmor", NULL);
    return sb_sh_is(cmd, "apt-key");
}

static void note_use(sb_execute *x, const sb_sh_command *cmd, sb_flow in, const sb_flow *args)
{
    bool unpacks = sb_sh_is(cmd, "tar") || sb_sh_is(cmd, "bsdtar") || sb_sh_is(cmd, "cpio") ||
                   sb_sh_is(cmd, "bsdcpio") || sb_sh_is(cmd, "unzip") || sb_sh_is(cmd, "7z");
    bool key = !unpacks && takes_keys(cmd);

    if (!unpacks && !key)
        return;
    for (size_t i = 0; i < cmd->count; i++) {
        sb_flow flow = i == 0 ? in : args[i];
        const sb_named *f =
            key && i ? sb_files_find(x->files, sb_execute_path(x, cmd, cmd->args[i].text)) : NULL;

        if (f && f->origin >= 0)
            x->origins[f->origin].key = true;
        if (flow.origin < 0 || flow.digest)
            continue;
        x->origins[flow.origin].key |= key;
        x->origins[flow.origin].unpacked |= unpacks;
    }
}

/* --- One command --- */

static sb_flow fetched(sb_execute *x, const sb_sh_command *cmd, const sb_fetch *fetch)
{
    int origin = sb_execute_origin(x, fetch->url, cmd);

    if (fetch->checked)
        sb_execute_checked(x, origin, SB_CHECK_GOOD);
    for (size_t i = 0; i < fetch->file_count; i++) {
        sb_slice path = sb_execute_path(x, cmd, fetch->files[i]);

        /* Several files of one command are several downloads. */
        if (i > 0)
            origin = sb_execute_origin(x, fetch->url, cmd);
        sb_files_put(x->lint->arena, x->files, path, origin, SB_NIL);
        if (origin >= 0)
            sb_flow_written(x, origin, path);
    }
    if (fetch->runs)
        sb_execute_ran(x, &sb_rule_pipe_to_shell, origin, cmd, cmd->name);
    return fetch->to_output ? (sb_flow){.origin = origin} : SB_FLOW_NONE;
}

/* set -e, set -eux, set -o errexit, set +e */
static void note_errexit(sb_execute *x, const sb_sh_command *cmd)
{
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (text.len > 1 && (text.ptr[0] == '-' || text.ptr[0] == '+') && sb_slice_chr(text, 'e') > 0)
            x->errexit = text.ptr[0] == '-';
        else if (sb_slice_eqz(text, "errexit"))
            x->errexit = cmd->args[i - 1].text.ptr[0] == '-';
    }
}

/* What the command writes to its standard output, after all that it does. */
static sb_flow do_command(sb_execute *x, size_t index, sb_flow in, const sb_flow *args)
{
    const sb_sh_command *cmd = &x->run->reading.commands[index];
    sb_flow out = in;
    sb_fetch fetch;

    if (cmd->count == 0)
        return in;
    if (sb_fetch_by_name(cmd->name) && sb_fetch_read(cmd, x->lint->arena, &fetch))
        return fetched(x, cmd, &fetch);
    note_use(x, cmd, in, args);
    if (sb_check_read(x, index, in, args, &out))
        return out;
    if (sb_sh_is(cmd, "echo") || sb_sh_is(cmd, "printf")) {
        out = SB_FLOW_NONE;
        for (size_t i = 1; i < cmd->count; i++)
            out = sb_flow_merge(out, args[i]);
        return out;
    }
    if (sb_flow_move(x, cmd))
        return SB_FLOW_NONE;
    if (sb_sh_is(cmd, "set"))
        note_errexit(x, cmd);
    note_declared(x, cmd, args);
    sb_execute_program(x, cmd, args, in);
    sb_execute_packages(x, cmd);
    return sb_flow_read(x, cmd, in);
}

static sb_flow do_tree(sb_execute *x, size_t index, sb_flow in);

/* Commands in the words of another: what comes out goes to args[], or is what its text writes. */
static sb_flow do_inside(sb_execute *x, size_t index, sb_flow in, sb_flow *args, sb_flow *ret_text)
{
    const sb_sh_command *cmds = x->run->reading.commands, *cmd = &cmds[index];
    sb_flow input = SB_FLOW_NONE;

    for (ptrdiff_t c = x->first[index]; c >= 0; c = x->next[c]) {
        sb_flow out;

        if (cmds[c].place == SB_SH_PLACE_OUTPUT)
            continue;
        out = do_tree(x, (size_t)c, cmds[c].place == SB_SH_PLACE_SCRIPT ? in : SB_FLOW_NONE);
        if (!cmds[c].last)
            continue;
        if (cmds[c].variable.ptr)
            set_flow(x, cmds[c].variable, out);
        else if (cmds[c].place == SB_SH_PLACE_SCRIPT)
            *ret_text = sb_flow_merge(*ret_text, out);
        else if (cmds[c].inside_arg < cmd->count && cmd->args[cmds[c].inside_arg].fetched)
            args[cmds[c].inside_arg] = sb_flow_merge(args[cmds[c].inside_arg], out);
        else
            input = sb_flow_merge(input, out);
    }
    return input;
}

/* Redirects of the input. `inside`: what substitutions that are in no argument wrote. */
static sb_flow read_in(const sb_execute *x, const sb_sh_command *cmd, sb_flow in, sb_flow inside)
{
    for (size_t i = 0; i < cmd->file_count; i++) {
        const sb_sh_file *f = &cmd->files[i];
        const sb_named *named;

        if (f->fd != 0 || f->op.len == 0 || f->op.ptr[0] != '<')
            continue;
        in = SB_FLOW_NONE;
        if (sb_slice_starts(f->op, SB_LIT("<<"))) {
            in = sb_flow_merge(f->target.fetched ? inside : SB_FLOW_NONE,
                               sb_flow_of_vars(x, f->target.text, NULL));
        } else if (f->target.fetched) {
            in = inside;
        } else {
            named = sb_files_find(x->files, sb_execute_path(x, cmd, f->target.text));
            if (named && named->origin >= 0)
                in = (sb_flow){.origin = named->origin};
        }
    }
    return in;
}

static sb_flow do_tree(sb_execute *x, size_t index, sb_flow in)
{
    const sb_sh_command *cmds = x->run->reading.commands, *cmd = &cmds[index];
    sb_flow_pipe *pipe = &x->pipes[cmd->pipeline];
    sb_flow *args = sb_arena_array(x->lint->arena, sb_flow, cmd->count + 1);
    sb_flow text = SB_FLOW_NONE, inside, out;

    if (cmd->position != pipe->position) {
        pipe->position = cmd->position;
        pipe->in = pipe->out;
        pipe->out = SB_FLOW_NONE;
    }
    if (cmd->position > 0)
        in = pipe->in;
    for (size_t i = 0; i < cmd->count; i++)
        args[i] = SB_FLOW_NONE;
    for (size_t i = 0; i < cmd->assigned_count; i++)
        if (cmd->assigned[i].value.fetched && cmd->assigned[i].value.text.len)
            add_var(x, cmd->assigned[i].name, cmd->assigned[i].value.text, SB_FLOW_NONE);
    /* Words in the text of a shell are not known before its input is: redirects first. */
    inside = do_inside(x, index, read_in(x, cmd, in, SB_FLOW_NONE), args, &text);
    in = read_in(x, cmd, in, inside);
    for (size_t i = 0; i < cmd->count; i++)
        args[i] = sb_flow_merge(args[i], sb_flow_of_vars(x, cmd->args[i].text, NULL));
    out = sb_flow_merge(text, do_command(x, index, in, args));
    for (ptrdiff_t c = x->first[index]; c >= 0; c = x->next[c]) /* tee >(…), curl > >(…) */
        if (cmds[c].place == SB_SH_PLACE_OUTPUT)
            do_tree(x, (size_t)c, out);
    out = sb_flow_write(x, cmd, out, out.origin < 0 ? sb_flow_text(x, cmd) : SB_NIL);
    pipe->out = sb_flow_merge(pipe->out, out);
    return out;
}

/* --- A RUN --- */

/* "#!/bin/bash -e" */
static bool has_errexit_line(sb_slice text)
{
    sb_slice line = sb_slice_starts(text, SB_LIT("#!")) ? sb_slice_cut(&text, '\n') : SB_NIL;
    ptrdiff_t dash = line.ptr ? sb_slice_find(line, SB_LIT(" -")) : -1;

    return dash >= 0 && sb_slice_chr(sb_slice_sub(line, (size_t)dash, line.len), 'e') > 0;
}

static bool is_worth_a_look(const sb_execute *x, const sb_sh_reading *reading)
{
    size_t first;

    if (x->files->count)
        return true;
    for (size_t i = 0; i < reading->count; i++)
        if (sb_fetch_by_name(reading->commands[i].name) ||
            sb_program_installs(&reading->commands[i], &first) ||
            sb_sh_is(&reading->commands[i], "powershell") || sb_sh_is(&reading->commands[i], "pwsh"))
            return true;
    return false;
}

void sb_execute_run(sb_execute *x, const sb_lint_run *run, sb_files *files)
{
    const sb_sh_reading *reading = &run->reading;
    size_t pipes = 0;
    ptrdiff_t *last;

    x->run = run;
    x->files = files;
    x->var_count = 0;
    x->errexit = x->shell_errexit || has_errexit_line(run->text);
    if (!is_worth_a_look(x, reading))
        return;
    x->first = sb_arena_array(x->lint->arena, ptrdiff_t, reading->count);
    x->next = sb_arena_array(x->lint->arena, ptrdiff_t, reading->count);
    last = sb_arena_array(x->lint->arena, ptrdiff_t, reading->count);
    for (size_t i = 0; i < reading->count; i++) {
        ptrdiff_t parent = reading->commands[i].inside;

        x->first[i] = x->next[i] = last[i] = -1;
        if (reading->commands[i].pipeline >= pipes)
            pipes = reading->commands[i].pipeline + 1;
        if (parent < 0 || parent >= (ptrdiff_t)i)
            continue;
        if (last[parent] >= 0)
            x->next[last[parent]] = (ptrdiff_t)i;
        else
            x->first[parent] = (ptrdiff_t)i;
        last[parent] = (ptrdiff_t)i;
    }
    x->pipes = sb_arena_array(x->lint->arena, sb_flow_pipe, pipes);
    for (size_t i = 0; i < pipes; i++)
        x->pipes[i] = (sb_flow_pipe){0, SB_FLOW_NONE, SB_FLOW_NONE};
    for (size_t i = 0; i < reading->count; i++)
        if (reading->commands[i].inside < 0) {
            sb_flow out = do_tree(x, i, SB_FLOW_NONE);

            if (reading->commands[i].variable.ptr && reading->commands[i].last)
                set_flow(x, reading->commands[i].variable, out);
        }
}
