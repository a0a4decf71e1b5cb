// SPDX-License-Identifier: Apache-2.0
/* What a command runs or installs, held against what was downloaded. */
#include <rules/lint/execute.h>

/* args[arg], and the further values that the word may have. */
static void ran_files(sb_execute *x, const sb_sh_command *cmd, size_t arg)
{
    do {
        const sb_named *f = sb_files_find(x->files, sb_execute_path(x, cmd, cmd->args[arg].text));

        if (f && f->origin >= 0)
            sb_execute_ran(x, &sb_rule_download_then_run, f->origin, cmd, sb_path_base(f->path));
    } while (++arg < cmd->count && cmd->args[arg].also);
}

static void ran_bytes(sb_execute *x, const sb_sh_command *cmd, sb_flow flow, sb_slice by)
{
    if (flow.origin >= 0 && !flow.digest)
        sb_execute_ran(x, &sb_rule_pipe_to_shell, flow.origin, cmd, by);
}

/* A text in an argument: `sh -c "$script"`. One that only has a part of an origin in it is data. */
static void ran_text(sb_execute *x, const sb_sh_command *cmd, size_t arg, const sb_flow *args, sb_flow in)
{
    bool whole = false, placeholder;
    sb_flow flow;

    if (sb_sh_is_wrapped(cmd, "xargs")) { /* its input becomes the text, or fills a place in it */
        placeholder = arg < cmd->count &&
                      (sb_slice_eqz(cmd->args[arg].text, "{}") || sb_slice_eqz(cmd->args[arg].text, "%"));
        if (arg >= cmd->count || placeholder)
            ran_bytes(x, cmd, in, cmd->name);
    }
    if (arg >= cmd->count)
        return;
    flow = sb_flow_of_vars(x, cmd->args[arg].text, &whole);
    if (flow.origin >= 0 && whole) {
        ran_bytes(x, cmd, flow, cmd->name);
        return;
    }
    if (cmd->args[arg].text.len && (cmd->args[arg].text.ptr[0] == '$' || cmd->args[arg].text.ptr[0] == '`'))
        ran_bytes(x, cmd, args[arg], cmd->name);
}

void sb_execute_program(sb_execute *x, const sb_sh_command *cmd, const sb_flow *args, sb_flow in)
{
    sb_program program = sb_program_read(cmd);
    const sb_named *f;
    sb_slice word, search = SB_NIL;

    switch (program.kind) {
    case SB_PROGRAM_INPUT:
        if (!sb_sh_is_wrapped(cmd, "xargs"))
            ran_bytes(x, cmd, in, cmd->name);
        break;
    case SB_PROGRAM_FILE:
        if (cmd->args[program.arg].fetched && args[program.arg].origin >= 0)
            ran_bytes(x, cmd, args[program.arg], cmd->name);
        else
            ran_files(x, cmd, program.arg);
        break;
    case SB_PROGRAM_TEXT:
        sb_check_text(x, cmd);
        ran_text(x, cmd, program.arg, args, in);
        if (sb_slice_eqz(cmd->name, "pwsh") || sb_slice_eqz(cmd->name, "powershell"))
            for (size_t i = program.arg; i < cmd->count; i++)
                if (sb_fetch_powershell_runs(cmd->args[i].text))
                    sb_execute_ran(x, &sb_rule_pipe_to_shell, sb_execute_origin(x, SB_NIL, cmd), cmd,
                                   cmd->name);
        break;
    case SB_PROGRAM_PATH:
        word = cmd->args[0].text;
        if (cmd->args[0].fetched || (word.len && word.ptr[0] == '$')) {
            bool whole = cmd->args[0].fetched;
            sb_flow flow = sb_flow_merge(args[0], sb_flow_of_vars(x, word, &whole));

            if (whole && flow.origin >= 0) {
                ran_bytes(x, cmd, flow, SB_LIT("the shell"));
                break;
            }
        }
        if (sb_slice_chr(word, '/') >= 0) {
            ran_files(x, cmd, 0);
            break;
        }
        for (size_t i = 0; i < x->run->var_count; i++)
            if (sb_slice_eqz(x->run->vars[i].name, "PATH"))
                search = x->run->vars[i].value;
        f = sb_files_find_program(x->files, word, search);
        if (f && f->origin >= 0)
            sb_execute_ran(x, &sb_rule_download_then_run, f->origin, cmd, word);
        break;
    case SB_PROGRAM_NONE:
    default:
        break;
    }
}

static bool is_package_file(sb_slice name)
{
    return sb_slice_ends(name, SB_LIT(".deb")) || sb_slice_ends(name, SB_LIT(".rpm")) ||
           sb_slice_ends(name, SB_LIT(".apk")) || sb_slice_find(name, SB_LIT(".pkg.tar")) >= 0;
}

static bool is_url(sb_slice text)
{
    return sb_slice_starts(text, SB_LIT("http://")) || sb_slice_starts(text, SB_LIT("https://")) ||
           sb_slice_starts(text, SB_LIT("ftp://"));
}

/* --repository URL, -X URL: the word before is an option, and this no package. */
static bool is_option_value(const sb_sh_command *cmd, size_t arg)
{
    sb_slice before = cmd->args[arg - 1].text;

    return sb_slice_starts(before, SB_LIT("--")) || sb_slice_eqz(before, "-X") || sb_slice_eqz(before, "-p");
}

void sb_execute_packages(sb_execute *x, const sb_sh_command *cmd)
{
    bool by_file;
    size_t first;

    if (!sb_program_installs(cmd, &first))
        return;
    by_file = sb_slice_eqz(cmd->name, "dpkg") || sb_slice_eqz(cmd->name, "rpm");
    for (size_t i = first; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;
        const sb_named *f;

        if (text.len == 0 || text.ptr[0] == '-' || (is_option_value(cmd, i) && !is_package_file(text)))
            continue;
        if (is_url(text)) {
            if (sb_slice_eqz(cmd->name, "pacman")) /* looks at the signature of what it downloads */
                continue;
            sb_execute_ran(x, &sb_rule_package_file, sb_execute_origin(x, text, cmd), cmd,
                           sb_path_base(text));
            return;
        }
        if (!by_file && !is_package_file(text) && sb_slice_chr(text, '/') < 0 && sb_slice_chr(text, '$') < 0)
            continue;
        f = sb_files_find(x->files, sb_execute_path(x, cmd, text));
        if (f && f->origin >= 0 && x->origins[f->origin].check != SB_CHECK_GOOD) {
            sb_execute_ran(x, &sb_rule_package_file, f->origin, cmd, sb_path_base(f->path));
            return;
        }
    }
}
