// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <cli/findings.h>
#include <sbuild/fs.h>
#include <sbuild/lint.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct lint_options {
    const char *format;
    const char *output;
    cli_list rules;
    cli_list only;
    const char *fail_on;
    bool list_rules;
    bool require_reason;
    bool no_ignore;
    const char *target;
    cli_list build_args;
    const char *platform;
    const char *context;
} lint_options;

static const cli_option options[] = {
    {"format", 0, CLI_CHOICE(lint_options, format), "text|json|sarif|github|junit",
     "the form of the report (default: text)"},
    {"output", 'o', CLI_FILE(lint_options, output), "FILE", "write the report to FILE"},
    {"rule", 0, CLI_LIST(lint_options, rules), "ID=off|info|warning|error", "set a rule's severity"},
    {"only", 0, CLI_WORDS(lint_options, only), "ID", "no other rule than this one (may be repeated)"},
    {"fail-on", 0, CLI_CHOICE(lint_options, fail_on), "info|warning|error|never",
     "the severity from which on findings make the exit status 1 (default: warning)"},
    {"require-reason", 0, CLI_FLAG(lint_options, require_reason), NULL,
     "comments that silence a rule must say why"},
    {"no-ignore", 0, CLI_FLAG(lint_options, no_ignore), NULL,
     "comments that silence a rule, and the baseline, do not count"},
    {"list-rules", 0, CLI_FLAG(lint_options, list_rules), NULL, "list the rules, and look at no file"},
    {"context", 0, CLI_FILE(lint_options, context), "DIR",
     "the build context (default: the directory of each Dockerfile)"},
    {"target", 0, CLI_STRING(lint_options, target), "STAGE", "the stage to build (default: the last)"},
    {"build-arg", 0, CLI_LIST(lint_options, build_args), "KEY=VALUE", "a build argument"},
    {"platform", 0, CLI_STRING(lint_options, platform), "OS/ARCH", "the platform to build for"},
    CLI_OPTIONS_END,
};

/* --- Options --- */

static int check_only(const cli_list *list, sb_error **err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!sb_rule_find(sb_slice_z(list->items[i])))
            return cli_unknown_rule(list->items[i], err);
    }
    return 0;
}

/* --- Files --- */

static int lint_stdin(const sb_lint_options *lint, sb_report *report, sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len;

    if (sb_read_fd(STDIN_FILENO, "standard input", SB_DOCKERFILE_MAX, &data, &len, err) < 0)
        return -1;
    return sb_lint_text(sb_slice_of(data, len), "<stdin>", lint, report, err);
}

static int lint_operand(const lint_options *opts, const char *path, const sb_lint_options *lint,
                        sb_report *report, sb_error **err)
{
    if (strcmp(path, "-") == 0)
        return lint_stdin(lint, report, err);
    return sb_lint_file(path, opts->context, lint, report, err);
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    static const char *const here[] = {"Dockerfile"};
    const lint_options *opts = values;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_lint_options lint = {.only = cli_strings(&opts->only),
                            .target = opts->target,
                            .platform = opts->platform,
                            .require_reason = opts->require_reason,
                            .no_ignore = opts->no_ignore};
    const char *const *paths = app->operand_count ? app->operands : here;
    size_t count = app->operand_count ? app->operand_count : SB_COUNT(here);
    sb_severity threshold;
    sb_rule_setting *settings;
    sb_df_var *build_args;
    int status = 0;

    if (opts->list_rules)
        return cli_findings_list_rules(app, opts->format, err);
    if (cli_check_platforms((const char *[]){opts->platform, NULL}, err) < 0 ||
        cli_fail_on(opts->fail_on, SB_SEVERITY_WARNING, &threshold, err) < 0 ||
        cli_rule_settings(&opts->rules, arena, &settings, &lint.rule_count, err) < 0 ||
        check_only(&opts->only, err) < 0 ||
        cli_build_args(&opts->build_args, arena, &build_args, &lint.build_arg_count, err) < 0)
        return -1;
    lint.rules = settings;
    lint.build_args = build_args;
    for (size_t i = 0; i < count; i++) {
        SB_AUTO(sb_error) error = NULL;

        if (lint_operand(opts, paths[i], &lint, report, &error) < 0) {
            int failed = cli_report(app, error);

            status = failed > status ? failed : status;
        }
    }
    sb_report_sort(report);
    if (cli_findings_write(app, report, opts->format, opts->output, err) < 0)
        return -1;
    return status ? status : cli_findings_status(report, threshold);
}

static bool rule_entry(size_t index, sb_arena *arena, const char **ret_name, const char **ret_text)
{
    const sb_rule_set *family;

    for (size_t f = 0; (family = sb_rule_family(f)); f++) {
        if (index < family->count) {
            const sb_rule *rule = family->rules[index];

            *ret_name = sb_arena_printf(arena, "%s %s", rule->id, rule->name).ptr;
            *ret_text = rule->summary;
            return true;
        }
        index -= family->count;
    }
    return false;
}

static const cli_example examples[] = {
    {"sbuild lint", "the Dockerfiles of this directory and beneath"},
    {"sbuild lint --format json Dockerfile", "for programs"},
    {NULL, NULL},
};

const cli_command cli_lint = {
    .name = "lint",
    .summary = "find what a Dockerfile should not do",
    .usage = "[FILE|DIR|-]...",
    .description = "Looks at each FILE (\"-\" for standard input).",
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
