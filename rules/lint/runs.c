// SPDX-License-Identifier: Apache-2.0
/*
 * The text that a RUN gives to its shell, as BuildKit puts it together, and where its bytes stand in the
 * file.
 */
#include <rules/lint/internal.h>

typedef struct composer {
    const sb_lint *lint;
    sb_buf text;
    sb_lint_map *map; /* NULL: only the text is wanted */
} composer;

static void add_bytes(composer *c, sb_slice bytes, size_t offset)
{
    if (!bytes.len)
        return;
    if (c->map)
        *SB_ARENA_PUSH(c->lint->arena, c->map->pieces, c->map->count, c->map->cap) =
            (sb_df_piece){c->text.len, offset};
    sb_buf_adds(&c->text, bytes);
}

/* --- Heredocs --- */

/* What a shell sees of a body: <<- takes the tabs at the beginning of lines, CRs before line ends are not
 * looked at. */
static void add_body(composer *c, const sb_df_heredoc *doc)
{
    for (size_t at = 0; at < doc->body.len;) {
        const char *start = doc->body.ptr + at;
        const char *end = memchr(start, '\n', doc->body.len - at);
        size_t len = end ? (size_t)(end - start) + 1 : doc->body.len - at, tabs = 0;

        while (doc->chomp && tabs < len && start[tabs] == '\t')
            tabs++;
        if (len >= tabs + 2 && start[len - 1] == '\n' && start[len - 2] == '\r') {
            add_bytes(c, sb_slice_of(start + tabs, len - tabs - 2), doc->span.start + at + tabs);
            add_bytes(c, SB_LIT("\n"), doc->span.start + at + len - 1);
        } else {
            add_bytes(c, sb_slice_of(start + tabs, len - tabs), doc->span.start + at + tabs);
        }
        at += len;
    }
}

/* `RUN <<EOF` alone: the body is the script. */
static bool is_lone_heredoc(const sb_df_instruction *ins)
{
    sb_slice rest = sb_slice_trim(ins->rest);
    size_t i = 0;

    if (ins->heredoc_count != 1)
        return false;
    while (i < rest.len && rest.ptr[i] >= '0' && rest.ptr[i] <= '9')
        i++;
    if (!sb_slice_starts(sb_slice_sub(rest, i, rest.len), SB_LIT("<<")))
        return false;
    for (i += 2; i < rest.len; i++)
        if (rest.ptr[i] == '<' || rest.ptr[i] == ' ' || rest.ptr[i] == '\t')
            return false;
    return true;
}

static void add_rest(composer *c, const sb_df_instruction *ins)
{
    sb_df_piece *pieces;
    size_t count;

    if (!c->map) {
        sb_buf_adds(&c->text, ins->rest);
        return;
    }
    sb_df_rest_pieces(c->lint->df, ins, c->lint->arena, &pieces, &count);
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? pieces[i + 1].at : ins->rest.len;

        add_bytes(c, sb_slice_sub(ins->rest, pieces[i].at, end), pieces[i].offset);
    }
}

static void compose_shell_form(composer *c, const sb_df_instruction *ins)
{
    if (is_lone_heredoc(ins)) {
        add_body(c, &ins->heredocs[0]);
        return;
    }
    add_rest(c, ins);
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        const sb_df_heredoc *doc = &ins->heredocs[i];

        add_bytes(c, SB_LIT("\n"), ins->rest_span.end);
        add_body(c, doc);
        add_bytes(c, doc->name, doc->span.end);
    }
}

static void compose_exec_form(composer *c, const sb_df_instruction *ins)
{
    for (size_t i = 0; i < ins->arg_count; i++) {
        size_t start = ins->args[i].span.start;

        if (i)
            add_bytes(c, SB_LIT(" "), start);
        add_bytes(c, ins->args[i].text, start + (ins->args[i].span.end > start + 1));
    }
}

static void compose(composer *c, const sb_df_instruction *ins)
{
    if (ins->json)
        compose_exec_form(c, ins);
    else
        compose_shell_form(c, ins);
}

static sb_slice text_of(const sb_lint *lint, const sb_df_instruction *ins, bool *ret_fits)
{
    composer c = {.lint = lint, .text = SB_BUF_INIT(SB_SH_TEXT_MAX)};
    sb_slice text;

    *ret_fits = true;
    if (!ins->json && !ins->heredoc_count)
        return ins->rest;
    compose(&c, ins);
    *ret_fits = !c.text.overflow;
    text = sb_arena_dup(lint->arena, sb_buf_slice(&c.text));
    sb_buf_free(&c.text);
    return text;
}

const sb_lint_map *sb_lint_run_map(const sb_lint *lint, const sb_lint_run *run)
{
    sb_lint_map *map = run->map ? run->map : &lint->private->maps[run - lint->runs];

    if (!map->made && run->instruction->rest_span.end) {
        composer c = {.lint = lint, .text = SB_BUF_INIT(SB_SH_TEXT_MAX), .map = map};

        compose(&c, run->instruction);
        sb_buf_free(&c.text);
    }
    map->made = true;
    return map;
}

/* --- Reading --- */

static bool next_word(sb_slice *rest, sb_slice *ret_word)
{
    size_t len = 0;

    *rest = sb_slice_trim(*rest);
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t')
        len++;
    *ret_word = sb_slice_sub(*rest, 0, len);
    *rest = sb_slice_sub(*rest, len, rest->len);
    return len > 0;
}

static bool is_env(sb_slice program)
{
    return sb_slice_eqz(program, "env") || sb_slice_ends(program, SB_LIT("/env"));
}

/* The program of "#!/usr/bin/env -S bash -e"; absent when the text does not begin like that. */
static sb_slice interpreter_of(sb_slice text)
{
    sb_slice line, word;

    if (!sb_slice_starts(text, SB_LIT("#!")))
        return SB_NIL;
    line = sb_slice_cut(&text, '\n');
    line = sb_slice_sub(line, 2, line.len);
    if (!next_word(&line, &word))
        return SB_NIL;
    if (!is_env(word))
        return word;
    while (next_word(&line, &word))
        if (word.ptr[0] != '-' && sb_slice_chr(word, '=') < 0)
            return word;
    return SB_NIL;
}

static sb_slice program_name(sb_slice path)
{
    ptrdiff_t slash = sb_slice_rchr(path, '/'), backslash = sb_slice_rchr(path, '\\');

    path = sb_slice_sub(path, (size_t)((slash > backslash ? slash : backslash) + 1), path.len);
    if (path.len > 4 && sb_slice_eq_nocase(sb_slice_sub(path, path.len - 4, path.len), SB_LIT(".exe")))
        path.len -= 4;
    return path;
}

static bool is_shell_of_windows(sb_slice program)
{
    sb_slice name = program_name(program);

    return sb_slice_eq_nocase(name, SB_LIT("powershell")) || sb_slice_eq_nocase(name, SB_LIT("pwsh")) ||
           sb_slice_eq_nocase(name, SB_LIT("cmd"));
}

static bool is_other_interpreter(sb_slice program)
{
    static const char *const names[] = {"python",  "perl",  "ruby", "node", "php",
                                        "Rscript", "julia", "fish", "csh",  "tcsh"};
    sb_slice name = program_name(program);

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_starts(name, sb_slice_z(names[i])))
            return true;
    return is_shell_of_windows(program);
}

/* Of SHELL: also of a shell behind a program that runs it, as in ["conda", "run", "-n", "app", "bash", "-c"].
 * What is neither a shell nor another interpreter hands the text on to one, as ["scl", "enable",
 * "devtoolset"] does. */
static sb_sh_dialect dialect_of_shell(const sb_slice *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_sh_dialect_of(words[i]) != SB_SH_OTHER)
            return sb_sh_dialect_of(words[i]);
    if (!count)
        return SB_SH_POSIX;
    return is_other_interpreter(words[0]) ? SB_SH_OTHER : SB_SH_BASH;
}

static void read_exec_form(sb_lint *lint, const sb_df_instruction *ins, sb_sh_options *options,
                           sb_lint_run *run)
{
    sb_slice *words = sb_arena_array(lint->arena, sb_slice, ins->arg_count + 1);

    for (size_t i = 0; i < ins->arg_count; i++)
        words[i] = ins->args[i].text;
    run->dialect = ins->arg_count && is_shell_of_windows(words[0]) ? SB_SH_OTHER : SB_SH_POSIX;
    options->dialect = SB_SH_POSIX;
    if (run->dialect != SB_SH_OTHER)
        sb_sh_read_exec(words, ins->arg_count, options, lint->arena, &run->reading);
}

static void read_text(sb_lint *lint, const sb_df_instruction *ins, const sb_slice *shell, size_t shell_count,
                      sb_lint_run *run)
{
    sb_sh_options options = {.vars = run->vars, .var_count = run->var_count, .directory = run->directory};
    sb_slice program;
    bool fits;

    run->instruction = ins;
    run->text = text_of(lint, ins, &fits);
    run->dialect = dialect_of_shell(shell, shell_count);
    if (ins->json) {
        read_exec_form(lint, ins, &options, run);
        return;
    }
    program = is_lone_heredoc(ins) ? interpreter_of(run->text) : SB_NIL;
    if (program.ptr)
        run->dialect = sb_sh_dialect_of(program);
    options.dialect = run->dialect;
    if (run->dialect != SB_SH_OTHER)
        sb_sh_read(run->text, &options, lint->arena, &run->reading);
    if (!fits)
        run->reading.trouble = "it is longer than 4 MiB";
}

void sb_lint_read_run(sb_lint *lint, const sb_df_instruction *ins, const sb_slice *shell, size_t shell_count,
                      sb_lint_run *run)
{
    static sb_sh_command none;

    read_text(lint, ins, shell, shell_count, run);
    if (!run->reading.commands) /* whoever goes through them may add to the pointer */
        run->reading.commands = &none;
}
