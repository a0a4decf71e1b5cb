// SPDX-License-Identifier: Apache-2.0
/* Findings about the image as a whole: its user, its labels, its tag. */
#include <rules/scan/scan.h>
#include <rules/users.h>

#include <sbuild/reference.h>

static const char *const wanted_labels[] = {"source", "version", "revision", "licenses"};

static void say_at(sb_finding *finding, sb_report *report, const char *where)
{
    if (!finding)
        return;
    finding->place.where = sb_arena_dup(report->arena, sb_slice_z(where));
    finding->fingerprint = sb_fingerprint(report->arena, finding->rule, SB_LIT(""), sb_slice_z(where), 0);
}

static void look_at_user(const sb_scan_run *run, sb_report *report, sb_slice text)
{
    sb_slice rest = text, user = sb_slice_trim(sb_slice_cut(&rest, ':'));
    sb_autofree char *shown = sb_printable(text);

    if (sb_user_is_root(user))
        say_at(text.len
                   ? sb_scan_say(run, report, &sb810_root, "the image runs as root (user \"%s\")", shown)
                   : sb_scan_say(run, report, &sb810_root, "the image runs as root, since it names no user"),
               report, "config.User");
    else if (!sb_user_is_number(user))
        say_at(sb_scan_say(run, report, &sb811_user_name, "the image's user is \"%s\", a name", shown),
               report, "config.User");
}

static void look_at_labels(const sb_scan_run *run, sb_report *report, const json_t *config)
{
    const json_t *labels = sb_json_object(config, "Labels");

    for (size_t i = 0; i < SB_COUNT(wanted_labels); i++) {
        sb_autofree char *name = sb_asprintf("org.opencontainers.image.%s", wanted_labels[i]);
        sb_autofree char *where = sb_asprintf("config.Labels.%s", name);

        if (!sb_json_str(labels, name).len)
            say_at(sb_scan_say(run, report, &sb851_labels, "the image has no label %s", name), report, where);
    }
}

static void look_at_tag(const sb_scan_run *run, sb_report *report)
{
    const char *name = run->options->name;
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    sb_image_ref ref;

    if (!name || sb_image_ref_parse(report->arena, sb_slice_z(name), &ref, NULL) < 0 ||
        (ref.digest.ptr && (ref.tag_implied || !ref.tag.ptr)))
        return;
    if (ref.tag_implied)
        say_at(sb_scan_say(run, report, &sb850_moving_tag, "%s has no tag, which means latest", shown),
               report, "tag");
    else if (sb_tag_moves(ref.tag))
        say_at(sb_scan_say(run, report, &sb850_moving_tag, "the tag of %s moves from image to image", shown),
               report, "tag");
}

static sb_slice known(sb_arena *arena, sb_slice text)
{
    sb_autofree char *shown = sb_printable(text);

    return text.len ? sb_arena_dup(arena, sb_slice_z(shown)) : SB_NIL;
}

static sb_slice digest_text(sb_arena *arena, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    return sb_arena_dup(arena, sb_slice_z(text));
}

void sb_scan_config(const sb_scan_run *run, const sb_scan_image *image, sb_report *report)
{
    sb_autojson *root = NULL;
    sb_image_config config;
    sb_digest id;

    look_at_tag(run, report);
    if (image->manifest.ptr)
        report->manifest = digest_text(report->arena, &image->manifest_digest);
    if (!image->config.ptr || sb_image_config_parse(report->arena, image->config, &config, NULL) < 0 ||
        sb_json_parse(image->config, "the image configuration", &root, NULL) < 0)
        return;
    sb_digest_of(SB_HASH_SHA256, image->config, &id);
    report->image_id = digest_text(report->arena, &id);
    report->user = known(report->arena, config.user);
    report->created = known(report->arena, config.created);
    if (config.os.len && config.arch.len) {
        sb_slice platform =
            sb_arena_printf(report->arena, "%" SB_FMT "/%" SB_FMT "%s%" SB_FMT, SB_ARG(config.os),
                            SB_ARG(config.arch), config.variant.len ? "/" : "", SB_ARG(config.variant));

        report->platform = known(report->arena, platform);
    }
    look_at_user(run, report, config.user);
    look_at_labels(run, report, sb_json_object(root, "config"));
}
