// SPDX-License-Identifier: Apache-2.0
/* Completion for bash, zsh and fish from the tables: programs that need nothing but their shell. */
#include <cli/commands.h>

#include <string.h>

enum { SCRIPT_MAX = 1 << 20 };

/* `text`, with each of `special` behind a backslash. */
static void add_escaped(sb_buf *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            sb_buf_addc(out, '\\');
        sb_buf_addc(out, *text);
    }
}

/* For use within single quotes. */
static void add_quoted(sb_buf *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            sb_buf_addz(out, "'\\'");
        else if (strchr(special, *text))
            sb_buf_addc(out, '\\');
        sb_buf_addc(out, *text);
    }
}

/* "a|b|c" as "a b c" */
static void add_choices(sb_buf *out, const char *choices)
{
    for (; *choices; choices++)
        sb_buf_addc(out, *choices == '|' ? ' ' : *choices);
}

static void add_command_names(sb_buf *out)
{
    for (const cli_command *const *c = cli_commands; *c; c++)
        sb_buf_printf(out, "%s%s", c == cli_commands ? "" : " ", (*c)->name);
}

/* --- bash --- */

static void bash_option_names(sb_buf *out, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        if (o->kind == CLI_KIND_REFUSED)
            continue;
        if (o->letter)
            sb_buf_printf(out, "-%c ", o->letter);
        sb_buf_printf(out, "--%s ", o->name);
    }
}

/* The patterns of those options of a command ("*" for all) that take a value, each with how it is completed.
 */
static void bash_values(sb_buf *out, const char *command, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        if (!cli_option_needs_value(o))
            continue;
        sb_buf_printf(out, "    %s:--%s", command, o->name);
        if (o->letter)
            sb_buf_printf(out, " | %s:-%c", command, o->letter);
        sb_buf_addz(out, ") ");
        if (o->kind == CLI_KIND_CHOICE) {
            sb_buf_addz(out, "mapfile -t COMPREPLY < <(compgen -W '");
            add_choices(out, o->value);
            sb_buf_addz(out, "' -- \"$cur\"); ");
        } else if (o->kind == CLI_KIND_FILE) {
            sb_buf_addz(out, "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); ");
        }
        sb_buf_addz(out, "return ;;\n");
    }
}

static void bash_command(sb_buf *out, const cli_command *command)
{
    static const char *const actions[] = {
        [CLI_OPERAND_NONE] = "",   [CLI_OPERAND_DIR] = "-d",
        [CLI_OPERAND_FILE] = "-f", [CLI_OPERAND_COMMAND] = "-W \"$commands\"",
        [CLI_OPERAND_TEXT] = "",
    };

    sb_buf_printf(out, "    %s) options+='", command->name);
    bash_option_names(out, command->options);
    sb_buf_printf(out, "' operands=(%s) ;;\n", actions[command->operand]);
}

static void add_bash(sb_buf *out)
{
    sb_buf_addz(out, "# bash completion for sbuild, made by \"sbuild help --completion bash\"\n"
                     "_sbuild() {\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    local i command='' options='");
    bash_option_names(out, cli_global_options);
    sb_buf_addz(out, "' commands='");
    add_command_names(out);
    sb_buf_addz(
        out,
        "'\n"
        "    local -a operands=()\n"
        "    COMPREPLY=()\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case ${COMP_WORDS[i]} in\n"
        "        --color | --progress) if [[ ${COMP_WORDS[i + 1]} == = ]]; then ((i++)); fi; ((i++)) ;;\n"
        "        -*) ;;\n"
        "        *) command=${COMP_WORDS[i]}; break ;;\n"
        "        esac\n"
        "    done\n"
        "    if [[ $cur == = ]]; then\n"
        "        cur=\n"
        "    elif [[ $prev == = ]]; then\n"
        "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "    fi\n"
        "    case $command:$prev in\n");
    bash_values(out, "*", cli_global_options);
    for (const cli_command *const *c = cli_commands; *c; c++)
        bash_values(out, (*c)->name, (*c)->options);
    sb_buf_addz(out, "    esac\n"
                     "    case $command in\n"
                     "    '') operands=(-W \"$commands\") ;;\n");
    for (const cli_command *const *c = cli_commands; *c; c++)
        bash_command(out, *c);
    sb_buf_addz(out, "    esac\n"
                     "    if [[ $cur == -* ]]; then\n"
                     "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
                     "    elif [[ ${#operands[@]} -gt 0 ]]; then\n"
                     "        [[ ${operands[0]} == -W ]] || compopt -o filenames\n"
                     "        mapfile -t COMPREPLY < <(compgen \"${operands[@]}\" -- \"$cur\")\n"
                     "    fi\n"
                     "}\n"
                     "complete -F _sbuild sbuild\n");
}

/* --- zsh --- */

static void zsh_value(sb_buf *out, const cli_option *o)
{
    if (!o->value)
        return;
    sb_buf_addz(out, o->kind == CLI_KIND_OPTIONAL ? "::" : ":");
    add_quoted(out, o->value, ":\\");
    sb_buf_addc(out, ':');
    if (o->kind == CLI_KIND_CHOICE) {
        sb_buf_addc(out, '(');
        add_choices(out, o->value);
        sb_buf_addc(out, ')');
    } else if (o->kind == CLI_KIND_FILE) {
        sb_buf_addz(out, "_files");
    }
}

static bool repeats(const cli_option *o)
{
    return o->kind == CLI_KIND_LIST || o->kind == CLI_KIND_WORDS || o->kind == CLI_KIND_OPTIONAL ||
           o->kind == CLI_KIND_PASS;
}

static void zsh_spec(sb_buf *out, const cli_option *o, const char *name, const char *link)
{
    sb_buf_printf(out, " \\\n        '%s%s%s[", repeats(o) ? "*" : "", name, link);
    add_quoted(out, o->help, "[]\\");
    sb_buf_addc(out, ']');
    zsh_value(out, o);
    sb_buf_addc(out, '\'');
}

static void zsh_options(sb_buf *out, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        sb_autofree char *name = sb_asprintf("--%s", o->name);

        if (o->kind == CLI_KIND_REFUSED)
            continue;
        zsh_spec(out, o, name, cli_option_needs_value(o) ? "=" : o->kind == CLI_KIND_OPTIONAL ? "=-" : "");
        if (o->letter)
            zsh_spec(out, o, (char[]){'-', o->letter, '\0'}, cli_option_needs_value(o) ? "+" : "");
    }
}

static void zsh_command(sb_buf *out, const cli_command *command)
{
    static const char *const actions[] = {
        [CLI_OPERAND_NONE] = "",       [CLI_OPERAND_DIR] = "_files -/",
        [CLI_OPERAND_FILE] = "_files", [CLI_OPERAND_COMMAND] = "_sbuild_commands",
        [CLI_OPERAND_TEXT] = "",
    };

    sb_buf_printf(out, "    %s) _arguments -s", command->name);
    zsh_options(out, command->options);
    zsh_options(out, cli_global_options);
    if (command->operand != CLI_OPERAND_NONE)
        sb_buf_printf(out, " \\\n        '*:%s:%s'",
                      command->operand == CLI_OPERAND_DIR ? "directory" : "argument",
                      actions[command->operand]);
    sb_buf_addz(out, " ;;\n");
}

static void add_zsh(sb_buf *out)
{
    sb_buf_addz(out, "#compdef sbuild\n"
                     "# zsh completion for sbuild, made by \"sbuild help --completion zsh\"\n"
                     "_sbuild_commands() {\n"
                     "    local -a commands=(");
    for (const cli_command *const *c = cli_commands; *c; c++) {
        sb_buf_printf(out, "\n        '%s:", (*c)->name);
        add_quoted(out, (*c)->summary, ":\\");
        sb_buf_addc(out, '\'');
    }
    sb_buf_addz(out, ")\n"
                     "    _describe command commands\n"
                     "}\n"
                     "_sbuild() {\n"
                     "    local curcontext=$curcontext state line\n"
                     "    _arguments -C -s");
    zsh_options(out, cli_global_options);
    sb_buf_addz(out, " \\\n        '1:command:_sbuild_commands' '*::argument:->rest'\n"
                     "    [[ $state == rest ]] || return\n"
                     "    curcontext=${curcontext%:*}-$line[1]:\n"
                     "    case $line[1] in\n");
    for (const cli_command *const *c = cli_commands; *c; c++)
        zsh_command(out, *c);
    sb_buf_addz(out, "    esac\n"
                     "}\n"
                     "_sbuild \"$@\"\n");
}

/* --- fish --- */

static void fish_options(sb_buf *out, const char *condition, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        if (o->kind == CLI_KIND_REFUSED)
            continue;
        sb_buf_printf(out, "complete -c sbuild%s -l %s", condition, o->name);
        if (o->letter)
            sb_buf_printf(out, " -s %c", o->letter);
        if (o->kind == CLI_KIND_CHOICE) {
            sb_buf_addz(out, " -xa '");
            add_choices(out, o->value);
            sb_buf_addc(out, '\'');
        } else if (cli_option_needs_value(o)) {
            sb_buf_addz(out, o->kind == CLI_KIND_FILE ? " -rF" : " -x");
        }
        sb_buf_addz(out, " -d '");
        add_escaped(out, o->help, "'\\");
        sb_buf_addz(out, "'\n");
    }
}

static void fish_command(sb_buf *out, const cli_command *command)
{
    sb_autofree char *condition = sb_asprintf(" -n '__fish_seen_subcommand_from %s'", command->name);

    sb_buf_printf(out, "complete -c sbuild -n __fish_use_subcommand -a %s -d '", command->name);
    add_escaped(out, command->summary, "'\\");
    sb_buf_addz(out, "'\n");
    if (command->operand == CLI_OPERAND_DIR)
        sb_buf_printf(out, "complete -c sbuild%s -a '(__fish_complete_directories)'\n", condition);
    else if (command->operand == CLI_OPERAND_FILE)
        sb_buf_printf(out, "complete -c sbuild%s -F\n", condition);
    else if (command->operand == CLI_OPERAND_COMMAND) {
        sb_buf_printf(out, "complete -c sbuild%s -a '", condition);
        add_command_names(out);
        sb_buf_addz(out, "'\n");
    }
    fish_options(out, condition, command->options);
}

static void add_fish(sb_buf *out)
{
    sb_buf_addz(out, "# fish completion for sbuild, made by \"sbuild help --completion fish\"\n"
                     "complete -c sbuild -f\n");
    fish_options(out, "", cli_global_options);
    for (const cli_command *const *c = cli_commands; *c; c++)
        fish_command(out, *c);
}

void cli_print_completion(const char *shell, FILE *out)
{
    sb_autobuf text = SB_BUF_INIT(SCRIPT_MAX);

    if (strcmp(shell, "bash") == 0)
        add_bash(&text);
    else if (strcmp(shell, "zsh") == 0)
        add_zsh(&text);
    else
        add_fish(&text);
    fwrite(text.data, 1, text.len, out);
}
