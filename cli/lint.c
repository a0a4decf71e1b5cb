// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/lint.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct lint_options {
    const char *format;
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
    {"format", 0, CLI_CHOICE(lint_options, format), "text|json", "the form of the report (default: text)"},
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

enum { REPORT_MAX = 256 << 20, RULE_PAGE_MAX = 256 };

/* --- The rules there are --- */

static void list_as_text(void)
{
    const sb_rule_set *family;

    for (size_t f = 0; (family = sb_rule_family(f)); f++) {
        printf("%s%s\n", f ? "\n" : "", family->title);
        for (size_t i = 0; i < family->count; i++) {
            const sb_rule *rule = family->rules[i];

            printf("  %-8s %-8s %s: %s\n", rule->id, sb_severity_name(rule->severity), rule->name,
                   rule->summary);
        }
    }
}

static void list_as_json(sb_buf *out)
{
    sb_json_writer w = {.out = out};
    const sb_rule_set *family;

    sb_json_open(&w, NULL, '{');
    sb_json_open(&w, "rules", '[');
    for (size_t f = 0; (family = sb_rule_family(f)); f++) {
        for (size_t i = 0; i < family->count; i++) {
            const sb_rule *rule = family->rules[i];
            sb_autobuf page = SB_BUF_INIT(RULE_PAGE_MAX);

            sb_rule_url(rule, &page);
            sb_json_newline(&w);
            sb_json_open(&w, NULL, '{');
            sb_json_put_strz(&w, "id", rule->id);
            sb_json_put_strz(&w, "name", rule->name);
            sb_json_put_strz(&w, "summary", rule->summary);
            sb_json_put_strz(&w, "remedy", rule->remedy);
            sb_json_put_strz(&w, "severity", sb_severity_name(rule->severity));
            sb_json_put_bool(&w, "summarised", rule->summarised);
            sb_json_put_bool(&w, "fixes", rule->fixes);
            sb_json_put_strz(&w, "family", family->title);
            sb_json_put_str(&w, "page", sb_buf_slice(&page));
            sb_json_close(&w, '}');
        }
    }
    sb_json_close(&w, ']');
    sb_json_close(&w, '}');
    sb_buf_addc(out, '\n');
}

static int list_rules(const lint_options *opts, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(REPORT_MAX);

    if (strcmp(opts->format, "json") != 0) {
        list_as_text();
        return 0;
    }
    list_as_json(&out);
    if (sb_buf_check(&out, "the list of rules", err) < 0)
        return -1;
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

static int parse_rules(const cli_list *list, sb_rule_setting *settings, sb_error **err)
{
    for (size_t i = 0; i < list->count; i++) {
        sb_slice value = sb_slice_z(list->items[i]), id = sb_slice_cut(&value, '=');
        sb_autofree char *shown = sb_printable(id);

        settings[i].rule = sb_rule_find(id);
        if (!settings[i].rule)
            return sb_fail(err, SB_ERR_USAGE,
                           "--rule: there is no rule \"%s\"; \"sbuild lint --list-rules\" lists them", shown);
        if (!value.ptr || !sb_severity_parse(value, &settings[i].severity))
            return sb_fail(err, SB_ERR_USAGE, "--rule: %s wants =off, =info, =warning or =error", shown);
    }
    return 0;
}

static int check_only(const cli_list *list, sb_error **err)
{
    for (size_t i = 0; i < list->count; i++) {
        sb_autofree char *shown = sb_printable(sb_slice_z(list->items[i]));

        if (!sb_rule_find(sb_slice_z(list->items[i])))
            return sb_fail(err, SB_ERR_USAGE,
                           "--only: there is no rule \"%s\"; \"sbuild lint --list-rules\" lists them", shown);
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

static int show(const lint_options *opts, const sb_report *report, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(REPORT_MAX);

    if (strcmp(opts->format, "json") == 0) {
        if (sb_report_json(report, &out, err) < 0 || sb_buf_check(&out, "the report", err) < 0)
            return -1;
        fwrite(out.data, 1, out.len, stdout);
        return 0;
    }
    for (size_t i = 0; i < report->count; i++) {
        const sb_finding *f = &report->items[i];

        printf("%.*s:%u:%u: %s: %.*s [%s]\n", (int)f->file.len, f->file.ptr, f->line, f->column,
               sb_severity_name(f->severity), (int)f->message.len, f->message.ptr, f->rule->id);
    }
    return 0;
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    static const char *const here[] = {"Dockerfile"};
    lint_options opts = *(const lint_options *)values;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_report) report = sb_report_new("lint");
    sb_rule_setting *settings = sb_arena_array(arena, sb_rule_setting, opts.rules.count + 1);
    sb_lint_options lint = {.rules = settings,
                            .rule_count = opts.rules.count,
                            .only = cli_strings(&opts.only),
                            .target = opts.target,
                            .platform = opts.platform,
                            .require_reason = opts.require_reason,
                            .no_ignore = opts.no_ignore};
    const char *const *paths = app->operand_count ? app->operands : here;
    size_t count = app->operand_count ? app->operand_count : SB_COUNT(here);
    sb_severity threshold = SB_SEVERITY_WARNING;
    sb_df_var *build_args;
    int status = 0;

    if (!opts.format)
        opts.format = "text";
    if (opts.list_rules)
        return list_rules(&opts, err);
    if (opts.fail_on && !sb_severity_parse(sb_slice_z(opts.fail_on), &threshold))
        threshold = SB_SEVERITY_ERROR + 1;
    if (cli_check_platforms((const char *[]){opts.platform, NULL}, err) < 0 ||
        parse_rules(&opts.rules, settings, err) < 0 || check_only(&opts.only, err) < 0 ||
        cli_build_args(&opts.build_args, arena, &build_args, &lint.build_arg_count, err) < 0)
        return -1;
    lint.build_args = build_args;
    for (size_t i = 0; i < count; i++) {
        SB_AUTO(sb_error) error = NULL;

        if (lint_operand(&opts, paths[i], &lint, report, &error) < 0) {
            int failed = cli_report(app, error);

            status = failed > status ? failed : status;
        }
    }
    sb_report_sort(report);
    if (show(&opts, report, err) < 0)
        return -1;
    if (!status && sb_report_worst(report) >= threshold)
        status = 1;
    return status;
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
