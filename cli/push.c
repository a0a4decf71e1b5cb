// SPDX-License-Identifier: Apache-2.0
/* Push: the tag is checked, the image scanned, and what was scanned is what is pushed. */
#include <cli/commands.h>
#include <cli/scan.h>

#include <sbuild/reference.h>

#include <string.h>

typedef struct push_options {
    cli_scan_options scan;
    bool allow_findings;
    bool allow_moving_tag;
} push_options;

static const cli_option options[] = {
    CLI_SCAN_OPTIONS(push_options),
    {"allow-findings", 0, CLI_FLAG(push_options, allow_findings), NULL, "push whatever is found"},
    {"allow-moving-tag", 0, CLI_FLAG(push_options, allow_moving_tag), NULL,
     "push tags that mean another image tomorrow"},
    CLI_OPTIONS_END,
};

static int check_same(const cli_scan_input *image, const char *tag, const char *consequence, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice id;

    if (sb_engine_image_id(image->engine, tag, arena, &id, err) < 0)
        return -1;
    if (!sb_slice_eq(id, image->id))
        return sb_fail(err, SB_ERR_VERIFY, "%s is another image now than the one that was scanned; %s", tag,
                       consequence);
    return 0;
}

/* What the registry has under that name now; without an answer, nothing is said. */
static void tell_digest(cli_app *app, const char *tag)
{
    SB_AUTO(sb_settings) settings = NULL;
    SB_AUTO(sb_http) http = NULL;
    SB_AUTO(sb_registry) registry = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char digest[SB_DIGEST_TEXT];
    sb_descriptor found;
    sb_image_ref ref;

    if (sb_settings_load(".", &settings, NULL) < 0 ||
        sb_image_ref_parse(arena, sb_slice_z(tag), &ref, NULL) < 0)
        return;
    http = sb_http_new(settings, app->progress);
    registry = sb_registry_new(http, settings, app->progress);
    if (sb_registry_resolve(registry, arena, &ref, &found, NULL) < 0)
        return;
    sb_digest_format(&found.digest, digest);
    if (!app->quiet)
        printf("pushed %s@%s\n", tag, digest);
}

static int push_one(cli_app *app, const push_options *o, const char *tag, int *ret_status, sb_error **err)
{
    cli_autoinput image = {.fd = -1};
    cli_scan_options whole = o->scan;

    whole.whole = true; /* the engine pushes all platforms that it has */
    if (cli_scan_input_open(tag, &whole, true, &image, err) < 0 ||
        cli_scan(app, &whole, &image, o->allow_moving_tag ? NULL : tag, ret_status, err) < 0)
        return -1;
    if (*ret_status && !o->allow_findings)
        return 0;
    *ret_status = 0;
    if (check_same(&image, tag, "nothing was pushed: scan and push it again", err) < 0 ||
        sb_engine_push(image.engine, tag, err) < 0 ||
        check_same(&image, tag, "the registry may have what was not scanned: push it again", err) < 0)
        return -1;
    tell_digest(app, tag);
    return 0;
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const push_options *o = values;
    int status = 0;

    for (size_t i = 0; i < app->operand_count && !o->allow_moving_tag; i++)
        if (sb_check_tag(app->operands[i], err) < 0)
            return -1;
    if (o->scan.write_ignore_file)
        return sb_fail(err, SB_ERR_USAGE,
                       "--write-ignore-file is for \"sbuild scan\": what it accepts should be "
                       "read before something is pushed");
    for (size_t i = 0; i < app->operand_count; i++) {
        int one = 0;

        if (push_one(app, o, app->operands[i], &one, err) < 0)
            return -1;
        if (one)
            sb_progress_line(
                app->progress, SB_EVENT_WARNING,
                "%s was not pushed: the findings above count; mend them, accept them with a reason in "
                "an ignore file, or push all the same with --allow-findings",
                app->operands[i]);
        status = one ? one : status;
    }
    return status;
}

static const cli_example examples[] = {
    {"sbuild push registry.example.com/app:1.4.2", "scan it, then let the engine push it"},
    {"sbuild push --base debian:12 --fail-on error app:1.4.2",
     "only errors of the image's own layers stop it"},
    {NULL, NULL},
};

const cli_command cli_push = {
    .name = "push",
    .summary = "scan an image, and push it when nothing is found",
    .usage = "IMAGE...",
    .description = "Checks the tag, scans the engine's image as \"sbuild scan\" does, and has the engine "
                   "push it, with the engine's own credentials. Refused when something at or above "
                   "--fail-on is found. What is pushed is what was scanned: the image is told by its ID "
                   "before and after.",
    .options = options,
    .options_size = sizeof(push_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(7) | CLI_EXIT(8) | CLI_EXIT(9),
    .operand = CLI_OPERAND_TEXT,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
