// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <cli/findings.h>
#include <cli/scan.h>

#include <string.h>

typedef struct scan_options {
    cli_scan_options scan;
    bool list_rules;
} scan_options;

static const cli_option options[] = {
    CLI_SCAN_OPTIONS(scan_options),
    {"list-rules", 0, CLI_FLAG(scan_options, list_rules), NULL, "list the rules, and look at no image"},
    CLI_OPTIONS_END,
};

/* --- From options and settings to what the library takes --- */

static int number(const char *text, const char *option, unsigned max, unsigned *ret_number, sb_error **err)
{
    uint64_t value;

    if (!text)
        return 0;
    if (!sb_slice_to_u64(sb_slice_z(text), &value) || value == 0 || value > max)
        return sb_fail(err, SB_ERR_USAGE, "%s wants a number from 1 to %u", option, max);
    *ret_number = (unsigned)value;
    return 0;
}

static int merge_rules(const cli_scan_options *o, const sb_settings *settings, sb_arena *arena,
                       sb_scan_options *scan, sb_error **err)
{
    sb_rule_setting *configured, *given, *all;
    size_t configured_count, given_count;

    if (sb_rule_choices(settings->scan.rules, settings->scan.rule_count, "sbuild.json", arena, &configured,
                        &configured_count, err) < 0 ||
        cli_rule_settings(&o->report.rules, arena, &given, &given_count, err) < 0 ||
        cli_check_rules(&o->report.only, err) < 0)
        return -1;
    all = sb_arena_array(arena, sb_rule_setting, configured_count + given_count + 1);
    if (configured_count)
        memcpy(all, configured, configured_count * sizeof(*all));
    if (given_count)
        memcpy(all + configured_count, given, given_count * sizeof(*all));
    scan->rules = all;
    scan->rule_count = configured_count + given_count;
    scan->only = cli_strings(&o->report.only);
    return 0;
}

static void merge_secret_rules(const cli_scan_options *o, const sb_settings *settings, sb_arena *arena,
                               sb_scan_options *scan)
{
    size_t count = 0;
    const char **files =
        sb_arena_array(arena, const char *, settings->scan.secret_rule_count + o->secret_rules.count + 1);

    for (size_t i = 0; i < settings->scan.secret_rule_count; i++)
        files[count++] = sb_arena_strdup(arena, settings->scan.secret_rules[i]);
    for (size_t i = 0; i < o->secret_rules.count; i++)
        files[count++] = o->secret_rules.items[i];
    scan->secret_rules = files;
}

static int scan_with(cli_app *app, const cli_scan_options *o, const sb_settings *settings,
                     cli_scan_input *image, const char *name, sb_report **ret_report, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_report) report = NULL;
    cli_autoinput base = {.fd = -1};
    sb_scan_options scan = {.platform = o->platform, .name = name, .whole = o->whole};

    if (cli_check_platforms((const char *[]){o->platform, NULL}, err) < 0 ||
        number(o->depth, "--depth", SB_SCAN_DEPTH_MAX, &scan.depth, err) < 0 ||
        number(o->threads, "--threads", 64, &scan.threads, err) < 0 ||
        merge_rules(o, settings, arena, &scan, err) < 0)
        return -1;
    merge_secret_rules(o, settings, arena, &scan);
    if (o->base && cli_scan_input_open(o->base, o, false, &base, err) < 0)
        return sb_wrap(err, "--base");
    if (sb_scan(&image->input, o->base ? &base.input : NULL, &scan, settings, app->progress, &report, err) <
        0) {
        SB_AUTO(sb_error) cause = NULL;

        /* What an engine said is the reason that its archive makes no sense. */
        if (image->export && !sb_interrupted && err && *err && (*err)->code == SB_ERR_PARSE &&
            cli_scan_input_end(image, &cause) < 0) {
            sb_error_free(*err);
            *err = SB_TAKE(cause);
        }
        return -1;
    }
    if (cli_scan_input_end(image, err) < 0)
        return -1;
    *ret_report = SB_TAKE(report);
    return 0;
}

/* --- What is known --- */

static int apply_ignore_file(cli_app *app, const cli_scan_options *o, const sb_settings *settings,
                             sb_report *report, sb_error **err)
{
    sb_autofree char *configured = settings->scan.accepted.ptr ? sb_slice_dup(settings->scan.accepted) : NULL;
    const char *path = o->ignore_file ? o->ignore_file : configured;
    SB_AUTO(sb_accepted) accepted = NULL;
    size_t stale = 0;

    if (!path || o->no_ignore)
        return 0;
    if (sb_accepted_load(path, NULL, &accepted, err) < 0 ||
        sb_accepted_apply(accepted, report, o->require_reason || settings->scan.require_reason, &stale, err) <
            0)
        return -1;
    if (stale)
        sb_progress_line(app->progress, SB_EVENT_NOTE, "%s: %zu entries name nothing that is found any more",
                         path, stale);
    return 0;
}

int cli_scan(cli_app *app, const cli_scan_options *o, cli_scan_input *image, const char *name,
             int *ret_status, sb_error **err)
{
    SB_AUTO(sb_settings) settings = NULL;
    SB_AUTO(sb_report) report = NULL;
    sb_autofree char *fail_on = NULL;
    sb_severity threshold;

    if (sb_settings_load(".", &settings, err) < 0)
        return -1;
    fail_on = settings->scan.fail_on.ptr ? sb_slice_dup(settings->scan.fail_on) : NULL;
    if (cli_fail_on(o->report.fail_on ? o->report.fail_on : fail_on, SB_SEVERITY_WARNING, &threshold, err) <
            0 ||
        scan_with(app, o, settings, image, name, &report, err) < 0 ||
        apply_ignore_file(app, o, settings, report, err) < 0)
        return -1;
    if (o->write_ignore_file && sb_accepted_save(NULL, report, o->write_ignore_file, err) < 0)
        return -1;
    if (cli_findings_write(app, report, o->report.format, o->report.output, err) < 0)
        return -1;
    *ret_status = o->write_ignore_file ? 0 : cli_findings_status(report, threshold);
    return 0;
}

/* The tag of a reference, for the rule about moving tags; files have none. */
static const char *tag_of(const cli_scan_input *image, const char *text)
{
    const char *colon = strchr(text, ':');

    if (image->input.form == SB_SCAN_REGISTRY)
        return image->input.reference;
    if (!image->engine)
        return NULL;
    if (strncmp(text, "engine:", 7) == 0 || strncmp(text, "docker:", 7) == 0 ||
        strncmp(text, "podman:", 7) == 0 || strncmp(text, "buildah:", 8) == 0)
        return colon + 1;
    return text;
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const scan_options *o = values;
    cli_autoinput image = {.fd = -1};
    int status;

    if (o->list_rules)
        return cli_findings_list_rules(app, o->scan.report.format, err);
    if (app->operand_count == 0)
        return sb_fail(err, SB_ERR_USAGE, "name an image: an archive, an OCI layout, or a reference");
    if (cli_scan_input_open(app->operands[0], &o->scan, false, &image, err) < 0 ||
        cli_scan(app, &o->scan, &image, tag_of(&image, app->operands[0]), &status, err) < 0)
        return -1;
    return status;
}

static const cli_example examples[] = {
    {"sbuild scan app:1.4.2", "an image of a local engine, else of a registry"},
    {"sbuild scan --base debian:12 oci:build/image", "an OCI layout, without what the base has"},
    {"docker save app:1.4.2 | sbuild scan -", "an archive through a pipe"},
    {"sbuild scan --format html --output scan.html app:1.4.2", "one page with layers, findings and history"},
    {NULL, NULL},
};

const cli_command cli_scan_command = {
    .name = "scan",
    .summary = "find secrets and other things that should not be in a finished image",
    .usage = "IMAGE",
    .description =
        "Reads every layer of IMAGE, also what a later layer deletes, archives within files, "
        "configuration, history, annotations and attestations. Secrets are shown redacted, never whole, "
        "and nothing is asked of a network but the image itself.\n\n"
        "IMAGE is a file (an archive by docker save, or an OCI archive), a directory (an OCI layout), "
        "\"-\" for an archive on standard input, or a reference: of a local engine, else of a registry. A "
        "prefix says which: docker-archive:FILE, oci-archive:FILE, oci:DIR, registry:REFERENCE, "
        "engine:REFERENCE, docker:REFERENCE, podman:REFERENCE, buildah:REFERENCE. Behind a path, :NAME "
        "says which of several images.",
    .options = options,
    .options_size = sizeof(scan_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(7) | CLI_EXIT(8) | CLI_EXIT(9),
    .operand = CLI_OPERAND_FILE,
    .min_operands = 0,
    .max_operands = 1,
    .run = run,
};
