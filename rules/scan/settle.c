// SPDX-License-Identifier: Apache-2.0
/*
 * What the layers' facts come to. A secret counts wherever it is: who pulls the image gets every layer. What
 * is about a file's rights counts when the file is still there in the end.
 */
#include <rules/scan/scan.h>

enum { CACHE_BYTES_MIN = 1 << 20 /* a cache smaller than that is not worth a word */ };

typedef struct fate {
    unsigned layer; /* from 1; 0: it is still there */
    bool replaced;
} fate;

static fate fate_of(const sb_scan_run *run, const sb_scan_image *image, size_t layer, sb_slice path)
{
    for (size_t i = layer + 1; i < image->layer_count; i++) {
        const sb_scan_facts *facts = image->layers[i].facts;
        bool replaced;

        if (facts && sb_scan_takes_away(run, facts, path, &replaced))
            return (fate){(unsigned)i + 1, replaced};
    }
    return (fate){0, false};
}

static void digest_text(const sb_scan_layer *layer, sb_arena *arena, sb_slice *ret_text)
{
    char text[SB_DIGEST_TEXT];

    if (!layer->has_diff_id && !layer->has_stored)
        return;
    sb_digest_format(layer->has_diff_id ? &layer->diff_id : &layer->stored, text);
    *ret_text = sb_arena_dup(arena, sb_slice_z(text));
}

static void set_place(sb_finding *finding, const sb_scan_image *image, sb_arena *arena, size_t layer,
                      sb_slice path, fate end)
{
    sb_autobuf where = SB_BUF_INIT((size_t)SB_LAYER_PATH_MAX * 16);

    sb_buf_printf(&where, "layer %zu%s", layer + 1, path.len ? ": " : "");
    sb_buf_add_printable(&where, path, SB_LAYER_PATH_MAX);
    finding->place.layer = (unsigned)layer + 1;
    finding->place.where = sb_arena_dup(arena, sb_buf_slice(&where));
    finding->place.history = image->layers[layer].history;
    digest_text(&image->layers[layer], arena, &finding->place.digest);
    finding->place.removed = end.layer;
    if (end.layer)
        finding->place.removed_by = image->layers[end.layer - 1].history;
}

static const char *fate_text(fate end, sb_arena *arena)
{
    if (!end.layer)
        return "";
    return sb_arena_printf(arena, "; layer %u %s the file, but this layer still has it", end.layer,
                           end.replaced ? "replaces" : "deletes")
        .ptr;
}

static void settle_leak(sb_scan_run *run, const sb_scan_image *image, sb_report *report, size_t layer,
                        const sb_scan_leak *leak)
{
    fate end = fate_of(run, image, layer, sb_slice_sub(leak->path, 0, leak->path_file));
    const sb_rule *rule = leak->generic ? &sb908_likely : end.layer ? &sb902_deleted : &sb901_layer;
    sb_autofree char *path = sb_printable(leak->path);
    sb_autofree char *times = leak->times > 1 ? sb_asprintf(" (%u times)", leak->times) : sb_strdup("");
    sb_finding *finding = sb_scan_say(run, report, rule, "%s %" SB_FMT " in %s, line %llu%s%s", leak->title,
                                      SB_ARG(leak->redacted), path, (unsigned long long)leak->line, times,
                                      fate_text(end, report->arena));

    if (!finding)
        return;
    set_place(finding, image, report->arena, layer, leak->path, end);
    finding->kind = sb_arena_dup(report->arena, sb_slice_z(leak->id));
    finding->place.size = leak->size;
    finding->line = leak->line < 1U << 31 ? (unsigned)leak->line : 0;
    sb_scan_print_later(run, report, finding, leak->id, leak->hash, leak->path);
    if (leak->excerpt.ptr) {
        sb_slice excerpt = leak->excerpt;

        while (excerpt.len > SB_EXCERPT_MAX || (excerpt.len > 0 && excerpt.len < leak->excerpt.len &&
                                                ((unsigned char)excerpt.ptr[excerpt.len] & 0xc0) == 0x80))
            excerpt.len--;
        finding->excerpt = sb_arena_dup(report->arena, excerpt);
    }
}

/* Whether a layer has something of its own to be told at the same place. */
static bool has_spot(const sb_scan_facts *facts, const sb_scan_spot *spot)
{
    for (size_t i = 0; i < facts->spot_count; i++)
        if (facts->spots[i].rule == spot->rule && sb_slice_eq(facts->spots[i].path, spot->path))
            return true;
    return false;
}

static void settle_spot(const sb_scan_run *run, const sb_scan_image *image, sb_report *report, size_t layer,
                        const sb_scan_spot *spot)
{
    fate end = fate_of(run, image, layer, spot->proof.ptr ? spot->proof : spot->path);
    sb_autofree char *path = NULL;
    sb_finding *finding;

    /* What a later layer has in its place is that layer's own; emptying a file takes nothing out of the
     * image. */
    if (end.layer && (!spot->stays || (end.replaced && has_spot(image->layers[end.layer - 1].facts, spot))))
        return;
    path = sb_printable(spot->path);
    finding = sb_scan_say(run, report, spot->rule, "%s: %" SB_FMT "%s", path, SB_ARG(spot->message),
                          fate_text(end, report->arena));
    if (!finding)
        return;
    set_place(finding, image, report->arena, layer, spot->path, end);
    finding->place.size = spot->size;
    finding->fingerprint = sb_fingerprint(report->arena, spot->rule, SB_LIT(""), spot->path, 0);
}

static void settle_cache(const sb_scan_run *run, const sb_scan_image *image, sb_report *report, size_t layer,
                         size_t index)
{
    const sb_scan_cache *cache = &image->layers[layer].facts->caches[index];
    const char *name = sb_scan_cache_name(index);
    sb_finding *finding;
    fate end;

    if (cache->bytes < CACHE_BYTES_MIN)
        return;
    end = fate_of(run, image, layer, cache->sample);
    finding = sb_scan_say(
        run, report, &sb830_package_cache, "%s: %llu files, %.1f MB%s", name,
        (unsigned long long)cache->files, (double)cache->bytes / 1e6,
        end.layer ? sb_arena_printf(report->arena, "; layer %u deletes them, but this layer still has them",
                                    end.layer)
                        .ptr
                  : "");
    if (!finding)
        return;
    set_place(finding, image, report->arena, layer, cache->sample, end);
    finding->place.size = cache->bytes;
    finding->fingerprint =
        sb_fingerprint(report->arena, &sb830_package_cache, SB_LIT(""), sb_slice_z(name), 0);
}

static void settle_failure(const sb_scan_run *run, const sb_scan_image *image, sb_report *report,
                           size_t layer)
{
    const sb_scan_facts *facts = image->layers[layer].facts;
    sb_finding *finding = sb_scan_say(run, report, &sb800_incomplete,
                                      "layer %zu could only be read in part (%llu files, %llu bytes): %s",
                                      layer + 1, (unsigned long long)facts->files,
                                      (unsigned long long)facts->bytes, facts->failure->message);

    if (!finding)
        return;
    set_place(finding, image, report->arena, layer, SB_LIT(""), (fate){0, false});
    finding->fingerprint =
        sb_fingerprint(report->arena, &sb800_incomplete, SB_LIT(""), SB_LIT("layer"), (unsigned)layer + 1);
}

static void settle_unread(const sb_scan_run *run, const sb_scan_image *image, sb_report *report, size_t layer)
{
    const sb_scan_facts *facts = image->layers[layer].facts;

    for (size_t i = 0; i < facts->unread_count; i++) {
        const sb_scan_unread *unread = &facts->unread[i];
        sb_autofree char *path = sb_printable(unread->path);
        sb_finding *finding = sb_scan_say(run, report, unread->rule, "%s was not read further: %" SB_FMT,
                                          path, SB_ARG(unread->why));

        if (!finding)
            continue;
        set_place(finding, image, report->arena, layer, unread->path, (fate){0, false});
        finding->fingerprint = sb_fingerprint(report->arena, unread->rule, SB_LIT(""), unread->path, 0);
    }
    if (facts->cut) {
        sb_finding *finding =
            sb_scan_say(run, report, &sb801_archive_limit,
                        "layer %zu has more than is remembered: some findings, or what later "
                        "layers took away, may be missing",
                        layer + 1);

        if (finding)
            set_place(finding, image, report->arena, layer, SB_LIT(""), (fate){0, false});
    }
}

static void settle_layer(sb_scan_run *run, const sb_scan_image *image, sb_report *report, size_t layer)
{
    const sb_scan_facts *facts = image->layers[layer].facts;

    if (facts->failure)
        settle_failure(run, image, report, layer);
    for (size_t i = 0; i < facts->leak_count; i++)
        settle_leak(run, image, report, layer, &facts->leaks[i]);
    for (size_t i = 0; i < facts->spot_count; i++)
        settle_spot(run, image, report, layer, &facts->spots[i]);
    for (size_t i = 0; i < SB_SCAN_CACHES_MAX; i++)
        settle_cache(run, image, report, layer, i);
    settle_unread(run, image, report, layer);
}

static void list_layer(const sb_scan_image *image, sb_report *report, size_t layer)
{
    const sb_scan_layer *from = &image->layers[layer];
    sb_report_layer *to = &report->layers[layer];

    *to = (sb_report_layer){.history = from->history, .size = from->size, .base = from->base};
    digest_text(from, report->arena, &to->digest);
    if (from->facts) {
        to->size = from->facts->bytes;
        to->files = from->facts->files;
        if (!from->base) {
            report->files += from->facts->files;
            report->bytes += from->facts->bytes;
        }
    }
}

static void settle_others(const sb_scan_run *run, const sb_scan_image *image, sb_report *report)
{
    for (size_t i = 0; i < image->other_count; i++) {
        sb_autofree char *platform = sb_printable(image->others[i]);
        sb_finding *finding = sb_scan_say(run, report, &sb800_incomplete,
                                          "%s is part of the image, and would be pushed with it, but was not "
                                          "looked at",
                                          platform);

        if (!finding)
            continue;
        finding->remedy =
            SB_LIT("push the platforms one by one, or scan each with --platform and accept this");
        finding->fingerprint =
            sb_fingerprint(report->arena, &sb800_incomplete, SB_LIT("platform"), image->others[i], 0);
    }
}

void sb_scan_settle(sb_scan_run *run, const sb_scan_image *image, sb_report *report)
{
    report->layer_count = image->layer_count;
    report->layers = sb_arena_array(report->arena, sb_report_layer, image->layer_count + 1);
    for (size_t i = 0; i < image->layer_count; i++) {
        list_layer(image, report, i);
        if (image->layers[i].facts && !image->layers[i].base)
            settle_layer(run, image, report, i);
    }
    settle_others(run, image, report);
    if (image->failure) {
        sb_finding *finding =
            sb_scan_say(run, report, &sb800_incomplete, "the archive could only be read in part: %s",
                        image->failure->message);

        if (finding)
            finding->fingerprint =
                sb_fingerprint(report->arena, &sb800_incomplete, SB_LIT(""), SB_LIT("archive"), 0);
    }
}
