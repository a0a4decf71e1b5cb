// SPDX-License-Identifier: Apache-2.0
/* From argv to a command and back to an exit status. */
#include <cli/commands.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <cli/plugin.h>
#include <cli/progress.h>

enum { EXIT_INTERNAL = 10 };

/* --- Signals, memory, standard output --- */

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    sb_interrupted = 1;
}

/* The first signal asks the library to stop, a second one kills. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, old;

    for (size_t i = 0; i < SB_COUNT(numbers); i++) {
        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* nohup */
            sigaction(numbers[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

static void on_out_of_memory(size_t size)
{
    static const char text[] = "sbuild: out of memory\n";

    (void)size;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_INTERNAL);
}

/* A result that did not reach its reader is no result. A reader who went away is told nothing, as usual. */
static int finish_output(cli_app *app, int status)
{
    SB_AUTO(sb_error) error = NULL;
    bool failed = fflush(stdout) == EOF;
    int reason = errno;

    if (!failed && !ferror(stdout))
        return status;
    if (reason == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    sb_fail(&error, SB_ERR_IO, "cannot write to standard output: %s", strerror(reason));
    return cli_report(app, error);
}

/* Descriptors 0 to 2 that the caller closed must not become the number of some file of ours. */
static void fill_standard_descriptors(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= STDERR_FILENO)
        continue;
    if (fd >= 0)
        close(fd);
}

/* --- Errors --- */

/* "FILE:LINE: …" and "FILE:LINE:COLUMN: …" stand at the beginning of their line, for editors and people
 * alike. */
static bool has_position(const char *message)
{
    const char *colon = strstr(message, ": ");
    const char *digits = colon;

    while (digits && digits > message && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    return digits && digits < colon && digits > message + 1 && digits[-1] == ':';
}

int cli_report(cli_app *app, const sb_error *error)
{
    const char *red = cli_color_on(&app->err, CLI_RED), *plain = cli_color_on(&app->err, CLI_PLAIN);

    if (app->live)
        cli_progress_clear(app->live);
    if (error->code == SB_ERR_INTERRUPTED)
        fprintf(stderr, "sbuild: interrupted; run it again, what is finished is kept\n");
    else if (error->code == SB_ERR_PARSE && has_position(error->message))
        fprintf(stderr, "%s\n", error->message);
    else
        fprintf(stderr, "sbuild: %s%s%s%s\n", red, app->err.color ? "error: " : "", plain, error->message);
    return sb_exit_code(error->code);
}

static int report_usage(cli_app *app, const sb_error *error)
{
    int status = cli_report(app, error);

    if (app->command)
        fprintf(stderr, "Try \"sbuild %s --help\".\n", app->command->name);
    return status;
}

/* --- Running --- */

static void set_up(cli_app *app, const cli_globals *globals)
{
    const char *mode = globals->progress ? globals->progress : "auto";
    const char *color = globals->color ? globals->color : "auto";
    cli_progress_options options;

    app->quiet = globals->quiet;
    app->verbose = globals->verbose;
    app->progress_mode = mode;
    app->out = cli_style_of(STDOUT_FILENO, color);
    app->err = cli_style_of(STDERR_FILENO, color);
    options = (cli_progress_options){
        .fd = STDERR_FILENO,
        .live = strcmp(mode, "auto") == 0 ? app->err.terminal : strcmp(mode, "tty") == 0,
        .quiet = app->quiet,
        .verbose = app->verbose,
        .style = app->err,
    };
    app->live = cli_progress_new(&options);
    app->progress = cli_progress_events(app->live);
}

static const char *const no_operands[] = {NULL};

static int check_operands(const cli_command *command, const cli_list *operands, sb_error **err)
{
    if (operands->count < command->min_operands)
        return sb_fail(err, SB_ERR_USAGE, "sbuild %s wants %s", command->name, command->usage);
    if (operands->count > command->max_operands) {
        sb_autofree char *shown = sb_printable(sb_slice_z(operands->items[command->max_operands]));

        return sb_fail(err, SB_ERR_USAGE, "sbuild %s has no use for \"%s\"", command->name, shown);
    }
    return 0;
}

/* `arguments` are those behind the command's name; `globals` those before it. */
static int run_command(cli_app *app, char **arguments, size_t count, cli_globals *globals)
{
    const cli_command *command = app->command;
    sb_autofree void *values = sb_calloc(1, command->options_size);
    const cli_option_set sets[] = {{command->options, values}, {cli_global_options, globals}};
    SB_AUTO(sb_error) error = NULL;
    cli_autolist operands = {0};
    int status = cli_parse(sets, SB_COUNT(sets), arguments, count, 0, &operands, &error);

    set_up(app, globals);
    if (status == 0 && globals->version) {
        puts("sbuild " SBUILD_VERSION);
    } else if (status == 0 && globals->help) {
        cli_print_help(&app->out, command, stdout);
    } else if (status < 0 || check_operands(command, &operands, &error) < 0) {
        status = report_usage(app, error);
    } else {
        app->operands = operands.count ? cli_strings(&operands) : no_operands;
        app->operand_count = operands.count;
        status = command->run(app, values, &error);
        if (status < 0)
            status = cli_report(app, error);
    }
    cli_options_clear(&sets[0]);
    status = finish_output(app, status);
    cli_progress_free(app->live);
    app->live = NULL;
    return status;
}

/* Without a command. */
static int run_bare(cli_app *app, const cli_globals *globals)
{
    if (globals->version) {
        puts("sbuild " SBUILD_VERSION);
        return finish_output(app, 0);
    }
    cli_print_help(&app->out, NULL, globals->help ? stdout : stderr);
    return finish_output(app, globals->help ? 0 : sb_exit_code(SB_ERR_USAGE));
}

int cli_main(int argc, char **argv)
{
    cli_app app = {.err = cli_style_of(STDERR_FILENO, "auto"), .out = cli_style_of(STDOUT_FILENO, "auto")};
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    char **arguments = argv + (argc > 0);
    cli_globals globals = {0};
    const cli_option_set set = {cli_global_options, &globals};
    SB_AUTO(sb_error) error = NULL;
    cli_autolist words = {0};
    bool answered = false;

    fill_standard_descriptors();
    /* Names in archives and columns on the terminal are UTF-8, whatever the user's locale says. */
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "");
    sb_set_oom_handler(on_out_of_memory);
    catch_signals();
    if (argc > 0 && cli_plugin_called(argv[0], arguments, count) &&
        cli_plugin_start(&arguments, &count, &answered, &error) < 0)
        return report_usage(&app, error);
    if (answered)
        return finish_output(&app, 0);
    if (cli_parse(&set, 1, arguments, count, CLI_STOP_AT_OPERAND, &words, &error) < 0)
        return report_usage(&app, error);
    if (words.count == 0)
        return run_bare(&app, &globals);
    app.command = cli_find_command(words.items[0]);
    if (!app.command) {
        cli_unknown_command(words.items[0], &error);
        return report_usage(&app, error);
    }
    return run_command(&app, arguments + (count - words.count) + 1, words.count - 1, &globals);
}
