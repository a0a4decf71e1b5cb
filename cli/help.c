// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <sbuild/builder.h>

#include <string.h>

enum { HELP_WIDTH_MAX = 100, OPTION_INDENT = 24, NAME_INDENT = 12, HELP_MAX = 1 << 20 };

static unsigned help_width(const cli_style *style)
{
    return style->width < HELP_WIDTH_MAX ? style->width : HELP_WIDTH_MAX;
}

static void add_heading(sb_buf *out, const cli_style *style, const char *text)
{
    sb_buf_printf(out, "\n%s%s:%s\n", cli_color_on(style, CLI_BOLD), text, cli_color_on(style, CLI_PLAIN));
}

/* "  name  text", the text wrapped; a name that is too long stands on a line of its own. */
static void add_entry(sb_buf *out, const cli_style *style, sb_slice name, const char *text, unsigned indent)
{
    unsigned used = cli_width(name) + 2;

    sb_buf_printf(out, "  %s%" SB_FMT "%s", cli_color_on(style, CLI_BOLD), SB_ARG(name),
                  cli_color_on(style, CLI_PLAIN));
    if (used + 2 > indent) {
        sb_buf_addc(out, '\n');
        used = 0;
    }
    sb_buf_printf(out, "%*s", (int)(indent - used), "");
    cli_add_wrapped(out, sb_slice_z(text), indent, help_width(style));
    sb_buf_addc(out, '\n');
}

static void add_options(sb_buf *out, const cli_style *style, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        sb_autobuf name = SB_BUF_INIT(1024);

        if (o->kind == CLI_KIND_REFUSED)
            continue;
        sb_buf_addz(&name, o->letter ? (char[]){'-', o->letter, ',', ' ', '\0'} : "    ");
        sb_buf_printf(&name, "--%s", o->name);
        if (o->value)
            sb_buf_printf(&name, cli_option_needs_value(o) ? " %s" : "[=%s]", o->value);
        add_entry(out, style, sb_buf_slice(&name), o->help, OPTION_INDENT);
    }
}

static void add_paragraphs(sb_buf *out, const cli_style *style, const char *text)
{
    sb_slice rest = sb_slice_z(text);

    while (rest.len) {
        ptrdiff_t end = sb_slice_find(rest, SB_LIT("\n\n"));
        size_t len = end < 0 ? rest.len : (size_t)end;

        sb_buf_addc(out, '\n');
        cli_add_wrapped(out, sb_slice_sub(rest, 0, len), 0, help_width(style));
        sb_buf_addc(out, '\n');
        rest = sb_slice_sub(rest, end < 0 ? rest.len : len + 2, rest.len);
    }
}

static void add_exits(sb_buf *out, const cli_style *style, unsigned exits)
{
    exits |= CLI_EXIT(0) | CLI_EXIT(2) | CLI_EXIT(10);
    for (unsigned status = 0; exits >> status; status++) {
        if (exits & CLI_EXIT(status)) {
            sb_autofree char *name = sb_asprintf("%2u", status);

            add_entry(out, style, sb_slice_z(name), cli_exit_text(status), 6);
        }
    }
}

static void add_command_help(sb_buf *out, const cli_style *style, const cli_command *command)
{
    sb_buf_printf(out, "Usage: sbuild %s [OPTION]...%s%s\n", command->name, *command->usage ? " " : "",
                  command->usage);
    add_paragraphs(out, style, command->description);
    if (command->options->name) {
        add_heading(out, style, "Options");
        add_options(out, style, command->options);
    }
    add_heading(out, style, "Options of all commands");
    add_options(out, style, cli_global_options);
    add_heading(out, style, "Exit status");
    add_exits(out, style, command->exits);
    if (command->examples)
        add_heading(out, style, "Examples");
    for (const cli_example *e = command->examples; e && e->command; e++)
        sb_buf_printf(out, "  %-48s # %s\n", e->command, e->what);
}

static void add_program_help(sb_buf *out, const cli_style *style)
{
    sb_buf_addz(out, "Usage: sbuild COMMAND [OPTION]... [ARGUMENT]...\n"
                     "       sbuild help COMMAND\n\n"
                     "docker build with a lockfile.\n");
    add_heading(out, style, "Commands");
    for (const cli_command *const *c = cli_commands; *c; c++)
        add_entry(out, style, sb_slice_z((*c)->name), (*c)->summary, NAME_INDENT);
    add_heading(out, style, "Options of all commands");
    add_options(out, style, cli_global_options);
}

void cli_print_help(const cli_style *style, const cli_command *command, FILE *out)
{
    sb_autobuf text = SB_BUF_INIT(HELP_MAX);

    if (command)
        add_command_help(&text, style, command);
    else
        add_program_help(&text, style);
    fwrite(text.data, 1, text.len, out);
}

/* --- sbuild help --- */

typedef struct help_options {
    bool man, list;
    const char *completion;
} help_options;

static const cli_option options[] = {
    {"man", 0, CLI_FLAG(help_options, man), NULL, "print the manual page (roff) instead"},
    {"volatile", 0, CLI_FLAG(help_options, list), NULL,
     "list the rules by which files that differ from build to build are left out of images"},
    {"completion", 0, CLI_CHOICE(help_options, completion), "bash|zsh|fish",
     "print a shell's completion instead"},
    CLI_OPTIONS_END,
};

static void print_volatile(const cli_style *style)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf out = SB_BUF_INIT(HELP_MAX);
    sb_volatile_text rule;

    for (size_t i = 0; sb_volatile_list(i, arena, &rule); i++) {
        sb_slice text = sb_arena_printf(arena, "%s: %s (%s)", rule.what, rule.files, rule.about);

        add_entry(&out, style, sb_slice_z(rule.name), text.ptr, OPTION_INDENT);
    }
    fwrite(out.data, 1, out.len, stdout);
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const help_options *asked = values;
    const cli_command *command = NULL;

    if (app->operand_count > 0 && !(command = cli_find_command(app->operands[0])))
        return cli_unknown_command(app->operands[0], err);
    if (asked->list)
        print_volatile(&app->out);
    else if (asked->completion)
        cli_print_completion(asked->completion, stdout);
    else if (asked->man)
        cli_print_man(command, stdout);
    else
        cli_print_help(&app->out, command, stdout);
    return 0;
}

const cli_command cli_help = {
    .name = "help",
    .summary = "explain a command",
    .usage = "[COMMAND]",
    .description =
        "Explains COMMAND, or lists the commands. Manual pages and completion are made by it, too.",
    .options = options,
    .options_size = sizeof(help_options),
    .operand = CLI_OPERAND_COMMAND,
    .max_operands = 1,
    .run = run,
};
