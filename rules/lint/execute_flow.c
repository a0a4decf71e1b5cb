// SPDX-License-Identifier: Apache-2.0
/*
 * The commands of one RUN: what flows from one to the next, and what is run. A command is looked at after
 * those in its words, whose output it gets, and those in a shell's text before the shell itself.
 */
#include <rules/lint/downloads.h>
#include <rules/lint/execute.h>

static sb_flow merge(sb_flow a, sb_flow b)
{
    return a.origin >= 0 ? a : b;
}

static sb_slice path_of(const sb_execute *x, const sb_sh_command *cmd, sb_slice written)
{
    return sb_files_path(x->lint->arena, cmd->directory, written);
}

/* --- Variables --- */

static void add_var(sb_execute *x, sb_slice name, sb_slice text, sb_flow flow)
{
    if (x->var_count < SB_FLOW_VARS_MAX)
        *SB_ARENA_PUSH(x->lint->arena, x->vars, x->var_count, x->var_cap) = (sb_flow_var){name, text, flow};
}

/* export NAME="$(…)" */
static void note_declared(sb_execute *x, const sb_sh_command *cmd, const sb_flow *args)
{
    static const char *const names[] = {"export", "local", "declare", "readonly", "typeset"};
    bool declares = false;

    for (size_t i = 0; i < SB_COUNT(names); i++)
        declares |= sb_slice_eqz(cmd->name, names[i]);
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
            x->vars[i - 1].flow = merge(x->vars[i - 1].flow, flow);
            return;
        }
}

/* What the variables in a text hold; *ret_whole (may be NULL): one is the whole text. */
static sb_flow flow_of_vars(const sb_execute *x, sb_slice text, bool *ret_whole)
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

static void note_written(sb_execute *x, int origin, sb_slice path)
{
    sb_origin *o = &x->origins[origin];

    if (!o->path.ptr)
        o->path = path;
    o->key = o->key || sb_is_keyring(path);
}

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
        const sb_named *f = key && i ? sb_files_find(x->files, path_of(x, cmd, cmd->args[i].text)) : NULL;

        if (f && f->origin >= 0)
            x->origins[f->origin].key = true;
        if (flow.origin < 0 || flow.digest)
            continue;
        x->origins[flow.origin].key |= key;
        x->origins[flow.origin].unpacked |= unpacks;
    }
}

/* --- Files that become other files --- */

static const char *const copies[] = {"cp", "mv", "install", "ln", NULL};
static const char *const unpackers[] = {"gunzip", "unxz",  "bunzip2", "unzstd", "gzip",
                                        "xz",     "bzip2", "zstd",    NULL};
static const char *const readers[] = {"cat",    "zcat",   "gzcat",   "xzcat", "bzcat",    "zstdcat",
                                      "gunzip", "unxz",   "bunzip2", "gzip",  "xz",       "bzip2",
                                      "zstd",   "sed",    "awk",     "head",  "tail",     "grep",
                                      "gpg",    "base64", "openssl", "tr",    "envsubst", NULL};

static bool is_one_of(sb_slice name, const char *const *list)
{
    for (; *list; list++)
        if (sb_slice_eqz(name, *list))
            return true;
    return false;
}

static void copy_files(sb_execute *x, const sb_sh_command *cmd)
{
    sb_slice into = SB_NIL, to;
    size_t last = 0;

    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (sb_slice_eqz(text, "-t") && i + 1 < cmd->count)
            into = cmd->args[++i].text;
        else if (sb_slice_starts(text, SB_LIT("--target-directory=")))
            into = sb_slice_sub(text, strlen("--target-directory="), text.len);
        else if (text.len && text.ptr[0] != '-')
            last = i;
    }
    to = into.ptr ? into : last ? cmd->args[last].text : SB_NIL;
    if (!to.ptr)
        return;
    to = path_of(x, cmd, to);
    for (size_t i = 1; i < cmd->count; i++) {
        const sb_named *f;
        sb_named from;
        sb_slice inner;

        if ((!into.ptr && i == last) || cmd->args[i].text.len == 0 || cmd->args[i].text.ptr[0] == '-')
            continue;
        f = sb_files_find(x->files, path_of(x, cmd, cmd->args[i].text));
        if (!f)
            continue;
        from = *f;
        /* Whether the last operand is a directory cannot be seen: it is both. */
        inner = sb_arena_printf(x->lint->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(to),
                                SB_ARG(sb_path_base(from.path)));
        sb_files_put(x->lint->arena, x->files, to, from.origin, from.text);
        sb_files_put(x->lint->arena, x->files, inner, from.origin, from.text);
    }
}

static void unpack_files(sb_execute *x, const sb_sh_command *cmd)
{
    static const char *const suffixes[] = {".gz", ".xz", ".bz2", ".zst", ".lzma", ".lz4"};

    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice path = path_of(x, cmd, cmd->args[i].text);
        const sb_named *f = sb_files_find(x->files, path);
        sb_named from;

        if (!f)
            continue;
        from = *f;
        for (size_t j = 0; j < SB_COUNT(suffixes); j++)
            if (sb_slice_ends(from.path, sb_slice_z(suffixes[j])))
                sb_files_put(x->lint->arena, x->files,
                             sb_slice_sub(from.path, 0, from.path.len - strlen(suffixes[j])), from.origin,
                             from.text);
    }
}

static void drop_files(sb_execute *x, const sb_sh_command *cmd)
{
    for (size_t i = 1; i < cmd->count; i++)
        sb_files_drop(x->lint->arena, x->files, path_of(x, cmd, cmd->args[i].text));
}

/* --- Where output goes --- */

/* What echo, printf and cat <<EOF write, when they write nothing of an origin: lists of checksums. */
static sb_slice text_written(const sb_execute *x, const sb_sh_command *cmd)
{
    sb_slice text = SB_NIL;

    if (sb_sh_is(cmd, "cat") && cmd->count == 1) {
        for (size_t i = 0; i < cmd->file_count; i++)
            if (sb_slice_starts(cmd->files[i].op, SB_LIT("<<")))
                return cmd->files[i].target.text;
    } else if (sb_sh_is(cmd, "echo") || sb_sh_is(cmd, "printf")) {
        text = SB_LIT("");
        for (size_t i = 1; i < cmd->count && i < 16; i++)
            text = sb_arena_printf(x->lint->arena, "%" SB_FMT " %" SB_FMT, SB_ARG(text),
                                   SB_ARG(cmd->args[i].text));
    }
    return text;
}

static void write_file(sb_execute *x, sb_slice path, sb_flow flow, sb_slice text, bool append)
{
    const sb_named *f = append ? sb_files_find(x->files, path) : NULL;

    if (flow.origin >= 0 && !flow.digest) {
        sb_files_put(x->lint->arena, x->files, path, flow.origin, SB_NIL);
        note_written(x, flow.origin, path);
        return;
    }
    if (f && f->origin >= 0)
        return; /* something is added to a download: it stays one */
    if (!text.ptr || text.len + (f ? f->text.len : 0) > SB_NAMED_TEXT_MAX) {
        if (!append || f)
            sb_files_drop(x->lint->arena, x->files, path);
        return;
    }
    if (f)
        text = sb_arena_printf(x->lint->arena, "%" SB_FMT "\n%" SB_FMT, SB_ARG(f->text), SB_ARG(text));
    sb_files_put(x->lint->arena, x->files, path, -1, text);
}

/* Redirects of the output, and tee. Returns what is left for the pipe. */
static sb_flow write_out(sb_execute *x, const sb_sh_command *cmd, sb_flow out, sb_slice text)
{
    bool redirected = false;

    for (size_t i = 0; i < cmd->file_count; i++) {
        const sb_sh_file *f = &cmd->files[i];

        if (f->fd != 1 || f->op.len == 0 || f->op.ptr[f->op.len - 1] == '&' || sb_slice_chr(f->op, '>') < 0)
            continue;
        write_file(x, path_of(x, cmd, f->target.text), out, text, sb_slice_find(f->op, SB_LIT(">>")) >= 0);
        redirected = true;
    }
    if (sb_sh_is(cmd, "tee"))
        for (size_t i = 1; i < cmd->count; i++)
            if (cmd->args[i].text.len && cmd->args[i].text.ptr[0] != '-' && !cmd->args[i].fetched)
                write_file(x, path_of(x, cmd, cmd->args[i].text), out, SB_NIL,
                           sb_sh_has_option(cmd, "-a", NULL));
    return redirected ? SB_FLOW_NONE : out;
}

/* --- What a command runs --- */

static bool has_wrapper(const sb_sh_command *cmd, const char *name)
{
    for (size_t i = 0; i < cmd->wrapper_count; i++)
        if (sb_slice_eqz(cmd->wrappers[i], name))
            return true;
    return false;
}

/* args[arg], and the further values that the word may have. */
static void ran_files(sb_execute *x, const sb_sh_command *cmd, size_t arg)
{
    do {
        const sb_named *f = sb_files_find(x->files, path_of(x, cmd, cmd->args[arg].text));

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

    if (has_wrapper(cmd, "xargs")) { /* its input becomes the text, or fills a place in it */
        placeholder = arg < cmd->count &&
                      (sb_slice_eqz(cmd->args[arg].text, "{}") || sb_slice_eqz(cmd->args[arg].text, "%"));
        if (arg >= cmd->count || placeholder)
            ran_bytes(x, cmd, in, cmd->name);
    }
    if (arg >= cmd->count)
        return;
    flow = flow_of_vars(x, cmd->args[arg].text, &whole);
    if (flow.origin >= 0 && whole) {
        ran_bytes(x, cmd, flow, cmd->name);
        return;
    }
    if (cmd->args[arg].text.len && (cmd->args[arg].text.ptr[0] == '$' || cmd->args[arg].text.ptr[0] == '`'))
        ran_bytes(x, cmd, args[arg], cmd->name);
}

static void ran_program(sb_execute *x, const sb_sh_command *cmd, const sb_flow *args, sb_flow in)
{
    sb_program program = sb_program_read(cmd);
    const sb_named *f;
    sb_slice word, search = SB_NIL;

    switch (program.kind) {
    case SB_PROGRAM_INPUT:
        if (!has_wrapper(cmd, "xargs"))
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
            sb_flow flow = merge(args[0], flow_of_vars(x, word, &whole));

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

/* One finding for a command, however many packages it installs. */
static void ran_packages(sb_execute *x, const sb_sh_command *cmd)
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
        f = sb_files_find(x->files, path_of(x, cmd, text));
        if (f && f->origin >= 0 && x->origins[f->origin].check != SB_CHECK_GOOD) {
            sb_execute_ran(x, &sb_rule_package_file, f->origin, cmd, sb_path_base(f->path));
            return;
        }
    }
}

/* --- One command --- */

static sb_flow fetched(sb_execute *x, const sb_sh_command *cmd, const sb_fetch *fetch)
{
    int origin = sb_execute_origin(x, fetch->url, cmd);

    if (fetch->checked)
        sb_execute_checked(x, origin, SB_CHECK_GOOD);
    for (size_t i = 0; i < fetch->file_count; i++) {
        sb_slice path = path_of(x, cmd, fetch->files[i]);

        /* Several files of one command are several downloads. */
        if (i > 0)
            origin = sb_execute_origin(x, fetch->url, cmd);
        sb_files_put(x->lint->arena, x->files, path, origin, SB_NIL);
        if (origin >= 0)
            note_written(x, origin, path);
    }
    if (fetch->runs)
        sb_execute_ran(x, &sb_rule_pipe_to_shell, origin, cmd, cmd->name);
    return fetch->to_output ? (sb_flow){.origin = origin} : SB_FLOW_NONE;
}

/* Bytes of the files that it reads and writes on. */
static sb_flow read_files(const sb_execute *x, const sb_sh_command *cmd, sb_flow in)
{
    if (in.origin >= 0 || !is_one_of(cmd->name, readers))
        return in;
    for (size_t i = 1; i < cmd->count; i++) {
        const sb_named *f = sb_files_find(x->files, path_of(x, cmd, cmd->args[i].text));

        if (f && f->origin >= 0)
            return (sb_flow){.origin = f->origin};
    }
    return in;
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
            out = merge(out, args[i]);
        return out;
    }
    if (sb_sh_is(cmd, "rm") || sb_sh_is(cmd, "unlink")) {
        drop_files(x, cmd);
        return SB_FLOW_NONE;
    }
    if (is_one_of(cmd->name, copies)) {
        copy_files(x, cmd);
        return SB_FLOW_NONE;
    }
    if (sb_sh_is(cmd, "set"))
        note_errexit(x, cmd);
    if (is_one_of(cmd->name, unpackers))
        unpack_files(x, cmd);
    note_declared(x, cmd, args);
    ran_program(x, cmd, args, in);
    ran_packages(x, cmd);
    return read_files(x, cmd, in);
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
            *ret_text = merge(*ret_text, out);
        else if (cmds[c].inside_arg < cmd->count && cmd->args[cmds[c].inside_arg].fetched)
            args[cmds[c].inside_arg] = merge(args[cmds[c].inside_arg], out);
        else
            input = merge(input, out);
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
            in = merge(f->target.fetched ? inside : SB_FLOW_NONE, flow_of_vars(x, f->target.text, NULL));
        } else if (f->target.fetched) {
            in = inside;
        } else {
            named = sb_files_find(x->files, path_of(x, cmd, f->target.text));
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
        args[i] = merge(args[i], flow_of_vars(x, cmd->args[i].text, NULL));
    out = merge(text, do_command(x, index, in, args));
    for (ptrdiff_t c = x->first[index]; c >= 0; c = x->next[c]) /* tee >(…), curl > >(…) */
        if (cmds[c].place == SB_SH_PLACE_OUTPUT)
            do_tree(x, (size_t)c, out);
    out = write_out(x, cmd, out, out.origin < 0 ? text_written(x, cmd) : SB_NIL);
    pipe->out = merge(pipe->out, out);
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
