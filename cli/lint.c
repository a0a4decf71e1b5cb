// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <cli/findings.h>
#include <cli/lint_fix.h>
#include <sbuild/fs.h>
#include <sbuild/lint.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct lint_options {
    cli_report_options report;
    bool fix;
    bool dry_run;
    bool list_rules;
    bool require_reason;
    bool no_ignore;
    const char *baseline;
    const char *write_baseline;
    bool stats;
    const char *target;
    cli_list build_args;
    const char *platform;
    const char *context;
} lint_options;

static const cli_option options[] = {
    CLI_OPTIONS_REPORT(lint_options, report, "text|json|sarif|github|junit"),
    {"fix", 0, CLI_FLAG(lint_options, fix), NULL,
     "mend in the file what can be mended safely; of standard input, print it mended"},
    {"dry-run", 0, CLI_FLAG(lint_options, dry_run), NULL, "with --fix: print what would change, as a diff"},
    {"require-reason", 0, CLI_FLAG(lint_options, require_reason), NULL,
     "comments that silence a rule must say why"},
    {"no-ignore", 0, CLI_FLAG(lint_options, no_ignore), NULL,
     "comments that silence a rule, and the baseline, do not count"},
    {"baseline", 0, CLI_FILE(lint_options, baseline), "FILE", "findings that FILE names do not count"},
    {"write-baseline", 0, CLI_FILE(lint_options, write_baseline), "FILE",
     "write all findings that count into FILE, as the baseline of later runs"},
    {"stats", 0, CLI_FLAG(lint_options, stats), NULL, "say how many files were looked at, and how fast"},
    {"list-rules", 0, CLI_FLAG(lint_options, list_rules), NULL, "list the rules, and look at no file"},
    {"context", 0, CLI_FILE(lint_options, context), "DIR",
     "the build context (default: told from the lock, or from what COPY names)"},
    {"target", 0, CLI_STRING(lint_options, target), "STAGE", "the stage to build (default: the last)"},
    {"build-arg", 0, CLI_LIST(lint_options, build_args), "KEY=VALUE", "a build argument"},
    {"platform", 0, CLI_STRING(lint_options, platform), "OS/ARCH", "the platform to build for"},
    CLI_OPTIONS_END,
};

/* --- Files --- */

typedef struct job {
    cli_app *app;
    const lint_options *opts;
    sb_lint_options lint;
    sb_report *report;
    sb_arena *arena;
    sb_slice *paths; /* of files; "-" is standard input */
    size_t count, cap;
    int status;
} job;

/* One that fails is told, and the others are looked at all the same. */
static void tell(job *j, const sb_error *error)
{
    int failed = cli_report(j->app, error);

    j->status = failed > j->status ? failed : j->status;
}

static int add_directory(job *j, const char *path, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(path));
    sb_slice *found;
    size_t count;

    if (sb_lint_find(path, j->arena, &found, &count, err) < 0)
        return -1;
    if (!count)
        return sb_fail(err, SB_ERR_USAGE, "there is no Dockerfile in %s or beneath it; name the file", shown);
    for (size_t i = 0; i < count; i++)
        *SB_ARENA_PUSH(j->arena, j->paths, j->count, j->cap) = found[i];
    return 0;
}

static void add_operand(job *j, const char *path)
{
    SB_AUTO(sb_error) error = NULL;
    struct stat st;

    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        if (add_directory(j, path, &error) < 0)
            tell(j, error);
        return;
    }
    while (path[0] == '.' && path[1] == '/' && path[2])
        path += 2;
    *SB_ARENA_PUSH(j->arena, j->paths, j->count, j->cap) = sb_slice_z(path);
}

static int by_bytes(const void *a, const void *b)
{
    return sb_slice_cmp(*(const sb_slice *)a, *(const sb_slice *)b);
}

/* In one order, each once. */
static void gather(job *j)
{
    size_t kept = 0;

    for (size_t i = 0; i < j->app->operand_count; i++)
        add_operand(j, j->app->operands[i]);
    if (!j->app->operand_count)
        add_operand(j, ".");
    if (j->count)
        qsort(j->paths, j->count, sizeof(*j->paths), by_bytes);
    for (size_t i = 0; i < j->count; i++)
        if (!i || !sb_slice_eq(j->paths[i], j->paths[i - 1]))
            j->paths[kept++] = j->paths[i];
    j->count = kept;
}

static int lint_stdin(const sb_lint_options *lint, sb_report *report, sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len;

    if (sb_read_fd(STDIN_FILENO, "standard input", SB_DOCKERFILE_MAX, &data, &len, err) < 0)
        return -1;
    return sb_lint_text(sb_slice_of(data, len), "<stdin>", lint, report, err);
}

/* 1: with --dry-run, something would change. */
static int fix_one(const job *j, const char *path, sb_error **err)
{
    const lint_options *opts = j->opts;
    bool is_text = !opts->report.format || strcmp(opts->report.format, "text") == 0;

    if (strcmp(path, "-") == 0)
        return cli_lint_fix_stdin(j->app, &j->lint, opts->dry_run, err);
    return cli_lint_fix_file(j->app, path, opts->context, &j->lint, opts->dry_run, is_text, err);
}

static int look_at_one(const job *j, const char *path, sb_error **err)
{
    int changes = j->opts->fix ? fix_one(j, path, err) : 0;

    if (changes < 0 || j->opts->dry_run)
        return changes;
    if (strcmp(path, "-") != 0)
        return sb_lint_file(path, j->opts->context, &j->lint, j->report, err);
    return j->opts->fix ? 0 : lint_stdin(&j->lint, j->report, err);
}

static void look_at_all(job *j)
{
    for (size_t i = 0; i < j->count; i++) {
        SB_AUTO(sb_error) error = NULL;
        int status = look_at_one(j, j->paths[i].ptr, &error);

        if (status < 0)
            tell(j, error);
        else if (status > j->status)
            j->status = status;
    }
}

/* --- The baseline --- */

static int apply_baseline(const job *j, const char *path, bool require_reason, sb_accepted **ret_accepted,
                          sb_error **err)
{
    const char *write = j->opts->write_baseline;
    bool same = write && strcmp(write, path) == 0, missing = false;
    size_t stale = 0;

    if (sb_accepted_load(path, same ? &missing : NULL, ret_accepted, err) < 0)
        return missing ? 0 : -1;
    if (sb_accepted_apply(*ret_accepted, j->report, require_reason, &stale, err) < 0)
        return -1;
    if (stale && !write && !j->app->quiet)
        fprintf(stderr,
                "sbuild: %s: %zu %s nothing any more; \"--write-baseline\" with the same file drops them\n",
                path, stale, stale == 1 ? "entry names" : "entries name");
    return 0;
}

/* --- The whole --- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_stats(const sb_report *report, double took)
{
    fprintf(stderr, "sbuild: %zu %s in %.3f s, %.0f a second\n", report->files,
            report->files == 1 ? "file" : "files", took, (double)report->files / (took > 0 ? took : 1e-9));
}

/* What the command line leaves open is as the settings of the context, else of the working directory, say. */
static int read_settings(const lint_options *opts, sb_settings **ret_settings, sb_severity *ret_threshold,
                         char **ret_baseline, sb_error **err)
{
    const char *context = opts->context ? opts->context : ".";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_settings) settings = NULL;
    sb_autofree char *fail_on = NULL, *baseline = NULL;
    sb_rule_setting *rules;
    size_t count;

    if (sb_settings_load_own(context, &settings, err) < 0 ||
        sb_rule_choices(settings->lint.rules, settings->lint.rule_count, "sbuild.json", arena, &rules, &count,
                        err) < 0)
        return -1;
    fail_on = settings->lint.fail_on.ptr ? sb_slice_dup(settings->lint.fail_on) : NULL;
    if (cli_fail_on(opts->report.fail_on ? opts->report.fail_on : fail_on, SB_SEVERITY_WARNING, ret_threshold,
                    err) < 0)
        return -1;
    if (opts->baseline) {
        *ret_baseline = sb_strdup(opts->baseline);
    } else if (settings->lint.accepted.ptr) {
        baseline = sb_slice_dup(settings->lint.accepted);
        *ret_baseline = strcmp(context, ".") == 0 ? SB_TAKE(baseline) : sb_path_join(context, baseline);
    }
    *ret_settings = SB_TAKE(settings);
    return 0;
}

static int lint_and_report(job *j, sb_severity threshold, const char *baseline, bool require_reason,
                           sb_error **err)
{
    SB_AUTO(sb_accepted) accepted = NULL;
    double start = seconds();

    gather(j);
    look_at_all(j);
    if (j->opts->fix && (j->opts->dry_run || !j->report->files)) /* what was printed is the file or a diff */
        return j->status;
    sb_report_sort(j->report);
    if (baseline && !j->opts->no_ignore && apply_baseline(j, baseline, require_reason, &accepted, err) < 0)
        return -1;
    if (j->opts->stats)
        print_stats(j->report, seconds() - start);
    if (j->opts->write_baseline) {
        if (sb_accepted_save(accepted, j->report, j->opts->write_baseline, err) < 0)
            return -1;
        threshold = SB_SEVERITY_OFF;
    }
    if (!j->report->files && j->status) /* the errors have said it all */
        return j->status;
    if (cli_findings_write(j->app, j->report, j->opts->report.format, j->opts->report.output, err) < 0)
        return -1;
    return j->status ? j->status : cli_findings_status(j->report, threshold);
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const lint_options *opts = values;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_report) report = sb_report_new("lint");
    SB_AUTO(sb_lint_shared) shared = sb_lint_shared_new();
    SB_AUTO(sb_settings) settings = NULL;
    sb_autofree char *baseline = NULL;
    job j = {.app = app, .opts = opts, .report = report, .arena = arena};
    sb_rule_setting *rules;
    sb_severity threshold;
    sb_df_var *build_args;
    size_t build_arg_count, rule_count;

    if (opts->list_rules)
        return cli_findings_list_rules(app, opts->report.format, err);
    if (opts->dry_run && !opts->fix)
        return sb_fail(err, SB_ERR_USAGE, "--dry-run goes with --fix");
    if (cli_check_platforms((const char *[]){opts->platform, NULL}, err) < 0 ||
        read_settings(opts, &settings, &threshold, &baseline, err) < 0 ||
        cli_rule_settings(&opts->report.rules, arena, &rules, &rule_count, err) < 0 ||
        cli_check_rules(&opts->report.only, err) < 0 ||
        cli_build_args(&opts->build_args, arena, &build_args, &build_arg_count, err) < 0)
        return -1;
    j.lint = (sb_lint_options){.rules = rules,
                               .rule_count = rule_count,
                               .only = cli_strings(&opts->report.only),
                               .target = opts->target,
                               .build_args = build_args,
                               .build_arg_count = build_arg_count,
                               .platform = opts->platform,
                               .require_reason = opts->require_reason,
                               .no_ignore = opts->no_ignore,
                               .shared = shared};
    return lint_and_report(&j, threshold, baseline, opts->require_reason || settings->lint.require_reason,
                           err);
}

static bool is_lints(const sb_rule *rule)
{
    return strncmp(rule->id, "SB8", 3) != 0 && strncmp(rule->id, "SB9", 3) != 0; /* of scan */
}

static bool rule_entry(size_t index, sb_arena *arena, const char **ret_name, const char **ret_text)
{
    const sb_rule_set *family;

    for (size_t f = 0; (family = sb_rule_family(f)); f++) {
        if (family->count && !is_lints(family->rules[0]))
            break;
        if (index < family->count) {
            const sb_rule *rule = family->rules[index];

            *ret_name = strcmp(rule->id, rule->name) == 0
                            ? rule->id
                            : sb_arena_printf(arena, "%s %s", rule->id, rule->name).ptr;
            *ret_text = rule->summary;
            return true;
        }
        index -= family->count;
    }
    return false;
}

static const cli_example examples[] = {
    {"sbuild lint", "every Dockerfile in this directory and beneath"},
    {"sbuild lint --format github --fail-on error", "in a workflow, as annotations"},
    {"sbuild lint --write-baseline lint-baseline.json", "begin in an old project: what is there is accepted"},
    {"sbuild lint --only SB301,SB302 -", "two rules, over standard input"},
    {NULL, NULL},
};

const cli_command cli_lint = {
    .name = "lint",
    .summary = "find what a Dockerfile should not do",
    .usage = "[FILE|DIR|-]...",
    .description =
        "Looks at each FILE (\"-\" for standard input), and in each DIR at every Dockerfile, also those of "
        "another name that have the content of one. .git, node_modules, vendor and the like are left out, "
        "links are not followed. Nothing is run and nothing is asked of the network: what is looked at is "
        "the Dockerfile, its lock if there is one, and the names of files in its context.\n\n"
        "A comment above an instruction silences rules for it, and says why: \"# sbuild: "
        "ignore=SB301,SB302 reason=the script is our own\"; \"# sbuild: ignore-file=SB101 reason=…\" "
        "counts for the whole file. \"# hadolint ignore=…\" and \"# check=skip=…\" are understood. In "
        "sbuild.json, \"lint\" sets severities, exceptions and the baseline.\n\n"
        "A Dockerfile that cannot be parsed is a finding, too. The exit status is 1 when a finding counts "
        "whose severity is that of --fail-on or worse; with --fix --dry-run, when something would change.",
    .options = options,
    .options_size = sizeof(lint_options),
    .section = "RULES",
    .section_entry = rule_entry,
    .examples = examples,
    .exits = CLI_EXIT(1),
    .operand = CLI_OPERAND_FILE,
    .min_operands = 0,
    .max_operands = SIZE_MAX,
    .run = run,
};
