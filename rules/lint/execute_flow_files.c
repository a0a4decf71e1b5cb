// SPDX-License-Identifier: Apache-2.0
/* Files of a RUN: how bytes get from one to another, out of commands into files, and out of files again. */
#include <rules/lint/downloads.h>
#include <rules/lint/execute.h>
#include <rules/lint/operands.h>

sb_slice sb_execute_path(const sb_execute *x, const sb_sh_command *cmd, sb_slice written)
{
    return sb_files_path(x->lint->arena, cmd->directory, written);
}

/* --- Files that become other files --- */

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
    to = sb_execute_path(x, cmd, to);
    for (size_t i = 1; i < cmd->count; i++) {
        const sb_named *f;
        sb_named from;
        sb_slice inner;

        if ((!into.ptr && i == last) || cmd->args[i].text.len == 0 || cmd->args[i].text.ptr[0] == '-')
            continue;
        f = sb_files_find(x->files, sb_execute_path(x, cmd, cmd->args[i].text));
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
        sb_slice path = sb_execute_path(x, cmd, cmd->args[i].text);
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
        sb_files_drop(x->lint->arena, x->files, sb_execute_path(x, cmd, cmd->args[i].text));
}

bool sb_flow_move(sb_execute *x, const sb_sh_command *cmd)
{
    if (sb_word_in(cmd->name, "rm unlink")) {
        drop_files(x, cmd);
        return true;
    }
    if (sb_word_in(cmd->name, "cp mv install ln")) {
        copy_files(x, cmd);
        return true;
    }
    if (sb_word_in(cmd->name, "gunzip unxz bunzip2 unzstd gzip xz bzip2 zstd"))
        unpack_files(x, cmd); /* … and may write to its output as well */
    return false;
}

/* --- Where output goes --- */

void sb_flow_written(sb_execute *x, int origin, sb_slice path)
{
    sb_origin *o = &x->origins[origin];

    if (!o->path.ptr)
        o->path = path;
    o->key = o->key || sb_is_keyring(path);
}

sb_slice sb_flow_text(const sb_execute *x, const sb_sh_command *cmd)
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
        sb_flow_written(x, flow.origin, path);
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

sb_flow sb_flow_write(sb_execute *x, const sb_sh_command *cmd, sb_flow out, sb_slice text)
{
    bool redirected = false;

    for (size_t i = 0; i < cmd->file_count; i++) {
        const sb_sh_file *f = &cmd->files[i];

        if (f->fd != 1 || f->op.len == 0 || f->op.ptr[f->op.len - 1] == '&' || sb_slice_chr(f->op, '>') < 0)
            continue;
        write_file(x, sb_execute_path(x, cmd, f->target.text), out, text,
                   sb_slice_find(f->op, SB_LIT(">>")) >= 0);
        redirected = true;
    }
    if (sb_sh_is(cmd, "tee"))
        for (size_t i = 1; i < cmd->count; i++)
            if (cmd->args[i].text.len && cmd->args[i].text.ptr[0] != '-' && !cmd->args[i].fetched)
                write_file(x, sb_execute_path(x, cmd, cmd->args[i].text), out, SB_NIL,
                           sb_sh_has_option(cmd, "-a", NULL));
    return redirected ? SB_FLOW_NONE : out;
}

sb_flow sb_flow_read(const sb_execute *x, const sb_sh_command *cmd, sb_flow in)
{
    static const char readers[] = "cat zcat gzcat xzcat bzcat zstdcat gunzip unxz bunzip2 gzip xz bzip2 zstd "
                                  "sed awk head tail grep gpg base64 openssl tr envsubst";

    if (in.origin >= 0 || !sb_word_in(cmd->name, readers))
        return in;
    for (size_t i = 1; i < cmd->count; i++) {
        const sb_named *f = sb_files_find(x->files, sb_execute_path(x, cmd, cmd->args[i].text));

        if (f && f->origin >= 0)
            return (sb_flow){.origin = f->origin};
    }
    return in;
}
