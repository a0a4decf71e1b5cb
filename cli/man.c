// SPDX-License-Identifier: Apache-2.0
/* Manual pages from the tables, in the man macros that groff and mandoc both know. */
#include <cli/commands.h>

#include <string.h>

enum { MAN_MAX = 1 << 20 };

/* Text for roff: "-" is a minus, "\" and a leading "." or "'" lose their meaning. */
static void add_text(sb_buf *out, sb_slice text)
{
    if (text.len && (text.ptr[0] == '.' || text.ptr[0] == '\''))
        sb_buf_addz(out, "\\&");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            sb_buf_addz(out, "\\e");
        else if (text.ptr[i] == '-')
            sb_buf_addz(out, "\\-");
        else
            sb_buf_addc(out, text.ptr[i]);
    }
}

static void add_line(sb_buf *out, const char *text)
{
    add_text(out, sb_slice_z(text));
    sb_buf_addc(out, '\n');
}

static void add_option_name(sb_buf *out, const cli_option *o)
{
    sb_buf_addz(out, ".TP\n");
    if (o->letter)
        sb_buf_printf(out, "\\fB\\-%c\\fR, ", o->letter);
    sb_buf_addz(out, "\\fB\\-\\-");
    add_text(out, sb_slice_z(o->name));
    sb_buf_addz(out, "\\fR");
    if (o->value) {
        sb_buf_addz(out, cli_option_needs_value(o) ? " \\fI" : "[=\\fI");
        add_text(out, sb_slice_z(o->value));
        sb_buf_addz(out, cli_option_needs_value(o) ? "\\fR" : "\\fR]");
    }
    sb_buf_addc(out, '\n');
}

static void add_options(sb_buf *out, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        if (o->kind == CLI_KIND_REFUSED)
            continue;
        add_option_name(out, o);
        add_line(out, o->help);
    }
}

static void add_paragraphs(sb_buf *out, const char *text)
{
    sb_slice rest = sb_slice_z(text);

    while (rest.len) {
        ptrdiff_t end = sb_slice_find(rest, SB_LIT("\n\n"));
        size_t len = end < 0 ? rest.len : (size_t)end;

        add_text(out, sb_slice_sub(rest, 0, len));
        sb_buf_addz(out, end < 0 ? "\n" : "\n.PP\n");
        rest = sb_slice_sub(rest, end < 0 ? rest.len : len + 2, rest.len);
    }
}

static void add_exits(sb_buf *out, unsigned exits)
{
    exits |= CLI_EXIT(0) | CLI_EXIT(2) | CLI_EXIT(10);
    sb_buf_addz(out, ".SH EXIT STATUS\n");
    for (unsigned status = 0; exits >> status; status++) {
        if (exits & CLI_EXIT(status)) {
            sb_buf_printf(out, ".TP\n\\fB%u\\fR\n", status);
            add_line(out, cli_exit_text(status));
        }
    }
}

static void add_section(sb_buf *out, const cli_command *command)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const char *name, *text;

    if (!command->section)
        return;
    sb_buf_printf(out, ".SH %s\n", command->section);
    for (size_t i = 0; command->section_entry(i, arena, &name, &text); i++) {
        sb_buf_addz(out, ".TP\n\\fB");
        add_text(out, sb_slice_z(name));
        sb_buf_addz(out, "\\fR\n");
        add_line(out, text);
    }
}

static void add_title(sb_buf *out, const char *name, const char *summary)
{
    sb_buf_addz(out, ".TH ");
    for (const char *c = name; *c; c++)
        sb_buf_addc(out, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    sb_buf_printf(out, " 1 \"\" \"sbuild %s\" \"sbuild manual\"\n.SH NAME\n", SBUILD_VERSION);
    sb_buf_addz(out, name);
    sb_buf_addz(out, " \\- ");
    add_line(out, summary);
}

static void add_command(sb_buf *out, const cli_command *command)
{
    sb_autofree char *name = sb_asprintf("sbuild-%s", command->name);

    add_title(out, name, command->summary);
    sb_buf_printf(out, ".SH SYNOPSIS\n\\fBsbuild %s\\fR [\\fIOPTION\\fR]... ", command->name);
    add_line(out, command->usage);
    sb_buf_addz(out, ".SH DESCRIPTION\n");
    add_paragraphs(out, command->description);
    sb_buf_addz(out, ".SH OPTIONS\n");
    add_options(out, command->options);
    sb_buf_addz(out, ".SS Options of all commands\n");
    add_options(out, cli_global_options);
    add_section(out, command);
    add_exits(out, command->exits);
    if (command->examples)
        sb_buf_addz(out, ".SH EXAMPLES\n");
    for (const cli_example *e = command->examples; e && e->command; e++) {
        sb_buf_addz(out, ".TP\n\\fB");
        add_text(out, sb_slice_z(e->command));
        sb_buf_addz(out, "\\fR\n");
        add_line(out, e->what);
    }
    sb_buf_addz(out, ".SH SEE ALSO\n.BR sbuild (1)\n");
}

static void add_program(sb_buf *out)
{
    unsigned exits = CLI_EXIT(0);

    add_title(out, "sbuild", "docker build with a lockfile");
    sb_buf_addz(out,
                ".SH SYNOPSIS\n\\fBsbuild\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n"
                ".SH DESCRIPTION\n");
    add_paragraphs(
        out, "Finds everything that a Dockerfile takes from the network, verifies it, writes down what it is "
             "(Dockerfile.lock) and keeps the bytes (sbuild.vendor). Builds from that and nothing else.\n\n"
             "The Dockerfile stays as it is and still works with plain \"docker build\". Under the name "
             "docker-sbuild it is a plugin of the Docker CLI: \"docker sbuild\".");
    sb_buf_addz(out, ".SH COMMANDS\n");
    for (const cli_command *const *c = cli_commands; *c; c++) {
        sb_buf_printf(out, ".TP\n.BR sbuild\\-%s (1)\n", (*c)->name);
        add_line(out, (*c)->summary);
        exits |= (*c)->exits;
    }
    sb_buf_addz(out, ".SH OPTIONS\n");
    add_options(out, cli_global_options);
    add_exits(out, exits);
    sb_buf_addz(out, ".SH FILES\n"
                     ".TP\nDockerfile.lock\nthe lock, beside the Dockerfile\n"
                     ".TP\nsbuild.vendor\nthe store, in the context\n"
                     ".TP\nsbuild.json\nthe repository's settings, in the context\n"
                     ".TP\n$XDG_CONFIG_HOME/sbuild/config.json\nthe user's settings\n"
                     ".TP\n$XDG_CACHE_HOME/sbuild\nthe user's cache\n");
    sb_buf_addz(out, ".SH ENVIRONMENT\n"
                     ".TP\nSBUILD_ENGINE\nthe engine, as by \\-\\-engine\n"
                     ".TP\nNO_COLOR, CLICOLOR_FORCE, TERM\nwhether there are colours\n"
                     ".TP\nSSL_CERT_FILE, http_proxy, https_proxy, no_proxy\nas curl has them\n");
}

void cli_print_man(const cli_command *command, FILE *out)
{
    sb_autobuf text = SB_BUF_INIT(MAN_MAX);

    if (command)
        add_command(&text, command);
    else
        add_program(&text);
    fwrite(text.data, 1, text.len, out);
}
