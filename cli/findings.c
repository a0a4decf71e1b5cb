// SPDX-License-Identifier: Apache-2.0
#include <cli/findings.h>

#include <fcntl.h>
#include <string.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

enum { REPORT_MAX = 1 << 30 };

static const struct form {
    const char *name;
    int (*write)(const sb_report *report, sb_buf *out, sb_error **err);
} forms[] = {
    {"json", sb_report_json},   {"sarif", sb_report_sarif}, {"github", sb_report_github},
    {"junit", sb_report_junit}, {"html", sb_report_html},
};

static int write_form(const sb_report *report, const char *format, sb_buf *out, sb_error **err)
{
    for (size_t i = 0; i < SB_COUNT(forms); i++)
        if (strcmp(format, forms[i].name) == 0)
            return forms[i].write(report, out, err);
    return sb_fail(err, SB_ERR_USAGE, "there is no format \"%s\"", format);
}

int cli_findings_write(cli_app *app, const sb_report *report, const char *format, const char *output,
                       sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(REPORT_MAX);

    if (format && strcmp(format, "text") != 0) {
        if (write_form(report, format, &out, err) < 0)
            return -1;
    } else {
        cli_style plain = app->out;

        plain.color = plain.color && !output;
        cli_findings_text(report, &plain, app->quiet, app->verbose, &out);
        if (sb_buf_check(&out, "the report", err) < 0)
            return -1;
    }
    if (output)
        return sb_write_file(AT_FDCWD, output, sb_buf_slice(&out), 0666, err);
    fwrite(out.data ? out.data : "", 1, out.len, stdout);
    return 0;
}

int cli_findings_status(const sb_report *report, sb_severity fail_on)
{
    /* Nobody knows what those that did not fit would have been. */
    return fail_on != SB_SEVERITY_OFF && (report->cut || sb_report_worst(report) >= fail_on);
}

int cli_fail_on(const char *text, sb_severity fallback, sb_severity *ret_severity, sb_error **err)
{
    sb_autofree char *shown = NULL;

    if (!text) {
        *ret_severity = fallback;
        return 0;
    }
    if (strcmp(text, "never") == 0)
        text = "off";
    if (sb_severity_parse(sb_slice_z(text), ret_severity))
        return 0;
    shown = sb_printable(sb_slice_z(text));
    return sb_fail(err, SB_ERR_USAGE, "--fail-on is error, warning, info or never, not \"%s\"", shown);
}

/* --- Rules --- */

/* The i-th of all rules, and its family. */
static const sb_rule *rule_at(size_t index, const sb_rule_set **ret_family)
{
    const sb_rule_set *family;

    for (size_t i = 0; (family = sb_rule_family(i)); index -= family->count, i++)
        if (index < family->count) {
            *ret_family = family;
            return family->rules[index];
        }
    return NULL;
}

static const char *rule_id(const void *ctx, size_t index)
{
    const sb_rule_set *family = NULL;
    const sb_rule *rule = rule_at(index, &family);

    (void)ctx;
    return rule ? rule->id : "";
}

static int unknown_rule(const char *name, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    const sb_rule_set *family = NULL;
    const char *near;
    size_t count = 0;

    while (rule_at(count, &family))
        count++;
    near = cli_nearest(name, rule_id, NULL, count);
    if (near)
        return sb_fail(err, SB_ERR_USAGE, "there is no rule \"%s\"; did you mean %s?", shown, near);
    return sb_fail(err, SB_ERR_USAGE, "there is no rule \"%s\"; \"sbuild lint --list-rules\" shows all",
                   shown);
}

int cli_check_rules(const cli_list *list, sb_error **err)
{
    for (size_t i = 0; i < list->count; i++)
        if (!sb_rule_find(sb_slice_z(list->items[i])))
            return unknown_rule(list->items[i], err);
    return 0;
}

int cli_rule_settings(const cli_list *list, sb_arena *arena, sb_rule_setting **ret_settings,
                      size_t *ret_count, sb_error **err)
{
    sb_rule_setting *settings = sb_arena_array(arena, sb_rule_setting, list->count + 1);

    for (size_t i = 0; i < list->count; i++) {
        sb_slice text = sb_slice_z(list->items[i]);
        sb_slice id = sb_slice_cut(&text, '=');

        settings[i].rule = sb_rule_find(id);
        if (!settings[i].rule) {
            sb_autofree char *name = sb_slice_dup(id);

            return unknown_rule(name, err);
        }
        if (!text.ptr || !sb_severity_parse(text, &settings[i].severity))
            return sb_fail(err, SB_ERR_USAGE,
                           "--rule is ID=SEVERITY with off, info, warning or error: %s=error",
                           settings[i].rule->id);
    }
    *ret_settings = settings;
    *ret_count = list->count;
    return 0;
}

static void put_rule(sb_json_writer *w, const sb_rule *rule, const sb_rule_set *family)
{
    sb_autobuf page = SB_BUF_INIT(1 << 10);

    sb_rule_url(rule, &page);
    sb_json_newline(w);
    sb_json_open(w, NULL, '{');
    sb_json_put_strz(w, "id", rule->id);
    sb_json_put_strz(w, "name", rule->name);
    sb_json_put_strz(w, "summary", rule->summary);
    sb_json_put_strz(w, "remedy", rule->remedy);
    sb_json_put_strz(w, "severity", sb_severity_name(rule->severity));
    sb_json_put_bool(w, "summarised", rule->summarised);
    sb_json_put_bool(w, "fixes", rule->fixes);
    sb_json_put_strz(w, "family", family->title);
    sb_json_put_str(w, "page", sb_buf_slice(&page));
    sb_json_close(w, '}');
}

static void list_json(sb_buf *out)
{
    sb_json_writer writer = {.out = out}, *w = &writer;
    const sb_rule_set *family = NULL;
    const sb_rule *rule;

    sb_json_open(w, NULL, '{');
    sb_json_open(w, "rules", '[');
    for (size_t i = 0; (rule = rule_at(i, &family)); i++)
        put_rule(w, rule, family);
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_buf_addc(out, '\n');
}

static void list_text(const cli_style *style)
{
    const sb_rule_set *family;

    for (size_t i = 0; (family = sb_rule_family(i)); i++) {
        SB_AUTO(cli_table) table = cli_table_new(5);

        printf("%s%s%s%s\n", i ? "\n" : "", cli_color_on(style, CLI_BOLD), family->title,
               cli_color_on(style, CLI_PLAIN));
        for (size_t j = 0; j < family->count; j++) {
            const sb_rule *rule = family->rules[j];
            bool one_name = cli_same_name(rule->id, rule->name);
            sb_slice cells[] = {sb_slice_z(rule->id), one_name ? SB_LIT("") : sb_slice_z(rule->name),
                                sb_slice_z(sb_severity_name(rule->severity)),
                                rule->fixes ? SB_LIT("--fix") : SB_LIT(""), sb_slice_z(rule->summary)};

            cli_table_add(table, cells, CLI_PLAIN);
        }
        cli_table_print(table, style, stdout);
    }
}

int cli_findings_list_rules(cli_app *app, const char *format, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(REPORT_MAX);

    if (!format || strcmp(format, "text") == 0) {
        list_text(&app->out);
        return 0;
    }
    if (strcmp(format, "json") != 0)
        return sb_fail(err, SB_ERR_USAGE, "rules are listed as text or json");
    list_json(&out);
    if (sb_buf_check(&out, "the list of rules", err) < 0)
        return -1;
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}
