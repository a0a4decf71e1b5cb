// SPDX-License-Identifier: Apache-2.0
/* Two images: which of their layers belong together, and what differs in the configuration. */
#include <builder/compare.h>

typedef struct side {
    const sb_compared *image;
    sb_manifest manifest;
    json_t *config; /* owned */
} side;

typedef struct comparing {
    sb_comparison *comparison;
    side sides[2];
} comparing;

static void comparing_clear(comparing *c)
{
    json_decref(c->sides[0].config);
    json_decref(c->sides[1].config);
}

void sb_comparison_free(sb_comparison *comparison)
{
    if (!comparison)
        return;
    sb_arena_free(comparison->arena);
    free(comparison);
}

sb_difference *sb_compare_add(sb_comparison *comparison, unsigned kinds, sb_slice path)
{
    sb_autofree char *shown = sb_printable(path);
    sb_difference *difference;

    comparison->parts[comparison->part_count - 1].count++;
    if (comparison->count == SB_COMPARE_MAX)
        return NULL;
    difference = SB_ARENA_PUSH(comparison->arena, comparison->items, comparison->count, comparison->cap);
    *difference = (sb_difference){
        .kinds = kinds,
        .part = comparison->part_count - 1,
        .path = sb_arena_printf(comparison->arena, "%s%s", kinds & SB_DIFF_CONFIG ? "" : "/", shown)};
    return difference;
}

void sb_difference_kinds(unsigned kinds, sb_buf *out)
{
    static const char *const names[] = {"content",
                                        "order",
                                        "type",
                                        "mode",
                                        "owner",
                                        "time",
                                        "extended attributes",
                                        "only in the first build",
                                        "only in the other build",
                                        "configuration",
                                        "compression"};
    bool any = false;

    for (size_t i = 0; i < SB_COUNT(names); i++) {
        if (kinds & 1u << i) {
            sb_buf_printf(out, "%s%s", any ? ", " : "", names[i]);
            any = true;
        }
    }
}

static int load(const sb_compared *image, sb_comparison *comparison, side *ret_side, sb_slice *ret_id,
                sb_slice *ret_manifest, sb_error **err)
{
    char text[SB_DIGEST_TEXT];
    sb_slice raw;

    ret_side->image = image;
    if (sb_layout_read(image->layout, comparison->arena, &image->manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(comparison->arena, raw, SB_NIL, &ret_side->manifest, err) < 0 ||
        sb_layout_read(image->layout, comparison->arena, &ret_side->manifest.config.digest, SB_CONFIG_MAX,
                       &raw, err) < 0 ||
        sb_json_parse(raw, "the image configuration", &ret_side->config, err) < 0)
        return -1;
    sb_digest_format(&ret_side->manifest.config.digest, text);
    *ret_id = sb_arena_dup(comparison->arena, sb_slice_z(text));
    sb_digest_format(&image->manifest, text);
    *ret_manifest = sb_arena_dup(comparison->arena, sb_slice_z(text));
    return 0;
}

/* --- The configuration --- */

static sb_slice shown_value(sb_arena *arena, const json_t *value)
{
    sb_autobuf text = SB_BUF_INIT(SB_CONFIG_MAX), shown = SB_BUF_INIT(1 << 16);

    if (!value)
        return SB_LIT("nothing");
    if (sb_json_write(value, &text, NULL) < 0)
        return SB_LIT("something long");
    sb_buf_add_printable(&shown, sb_buf_slice(&text), SB_COMPARE_LINE_MAX);
    return sb_arena_dup(arena, sb_buf_slice(&shown));
}

static void begin_part(sb_comparison *comparison, size_t number, const sb_layer_origin *origin)
{
    sb_compared_part *part =
        SB_ARENA_PUSH(comparison->arena, comparison->parts, comparison->part_count, comparison->part_cap);

    *part = (sb_compared_part){.number = number};
    if (origin) {
        part->origin = *origin;
        part->origin.instruction = sb_arena_dup(comparison->arena, origin->instruction);
    }
}

static void end_part(sb_comparison *comparison)
{
    if (comparison->parts[comparison->part_count - 1].count == 0)
        comparison->part_count--;
}

static void compare_members(sb_comparison *comparison, const char *prefix, const json_t *a, const json_t *b)
{
    const json_t *both[] = {a, b};

    for (size_t i = 0; i < 2; i++) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)(uintptr_t)both[i], key, value)
        {
            const json_t *other = json_object_get(both[!i], key);
            sb_autofree char *path = sb_asprintf("%s%s", prefix, key);
            sb_difference *difference;

            /* Those are told by the layers and by "config", and what the second alone has comes last. */
            if (strcmp(path, "rootfs") == 0 || strcmp(path, "history") == 0 || strcmp(path, "config") == 0 ||
                (i == 1 && other) || (other && json_equal(value, other)))
                continue;
            difference = sb_compare_add(comparison, SB_DIFF_CONFIG, sb_slice_z(path));
            if (difference) {
                difference->detail[i] = shown_value(comparison->arena, value);
                difference->detail[!i] = shown_value(comparison->arena, other);
            }
        }
    }
}

static void compare_configs(comparing *c)
{
    begin_part(c->comparison, 0, NULL);
    compare_members(c->comparison, "", c->sides[0].config, c->sides[1].config);
    compare_members(c->comparison, "config.", sb_json_object(c->sides[0].config, "config"),
                    sb_json_object(c->sides[1].config, "config"));
    end_part(c->comparison);
}

/* --- Layers --- */

/* The layer's number in the order of building, where both images know; else its place. */
static size_t key_of(const side *s, size_t index, bool known)
{
    return known ? s->image->origins[index].key : index + 1;
}

static bool all_known(const side *s)
{
    for (size_t i = 0; s->image->origins && i < s->manifest.layer_count; i++)
        if (!s->image->origins[i].key || (i && s->image->origins[i].key <= s->image->origins[i - 1].key))
            return false;
    return s->image->origins != NULL;
}

static bool same_layer(const comparing *c, size_t a, size_t b)
{
    return sb_digest_eq(&c->sides[0].manifest.layers[a].digest, &c->sides[1].manifest.layers[b].digest);
}

/* `index` SIZE_MAX: the other image has no such layer, which counts as an empty one. */
static int compare_pair(comparing *c, const size_t index[2], sb_error **err)
{
    const sb_compared *images[2] = {c->sides[0].image, c->sides[1].image};
    size_t which = index[0] != SIZE_MAX ? 0 : 1;
    const sb_layer_origin *origins = images[which]->origins;
    int fds[2] = {-1, -1}, result = 0;

    begin_part(c->comparison, index[which] + 1, origins ? &origins[index[which]] : NULL);
    for (size_t i = 0; i < 2 && result == 0; i++)
        if (index[i] != SIZE_MAX)
            result = sb_blob_uncompressed(images[i]->layout, images[i]->layout,
                                          &c->sides[i].manifest.layers[index[i]].digest, &fds[i], err);
    if (result == 0)
        result = sb_compare_layers(c->comparison, images, fds, err);
    sb_closep(&fds[0]);
    sb_closep(&fds[1]);
    if (result == 0 && c->comparison->parts[c->comparison->part_count - 1].count == 0)
        (void)sb_compare_add(c->comparison, SB_DIFF_PACKING, SB_LIT(""));
    end_part(c->comparison);
    return result;
}

static int compare_layers(comparing *c, sb_error **err)
{
    bool known = all_known(&c->sides[0]) && all_known(&c->sides[1]);
    size_t at[2] = {0, 0};

    while (at[0] < c->sides[0].manifest.layer_count || at[1] < c->sides[1].manifest.layer_count) {
        size_t index[2] = {SIZE_MAX, SIZE_MAX}, keys[2];

        for (size_t i = 0; i < 2; i++)
            keys[i] =
                at[i] < c->sides[i].manifest.layer_count ? key_of(&c->sides[i], at[i], known) : SIZE_MAX;
        for (size_t i = 0; i < 2; i++)
            if (keys[i] <= keys[!i])
                index[i] = at[i];
        for (size_t i = 0; i < 2; i++)
            at[i] += index[i] != SIZE_MAX;
        if (index[0] != SIZE_MAX && index[1] != SIZE_MAX && same_layer(c, index[0], index[1]))
            continue;
        if (compare_pair(c, index, err) < 0)
            return -1;
    }
    return 0;
}

int sb_compare_images(const sb_compared *first, const sb_compared *second, sb_comparison **ret_comparison,
                      sb_error **err)
{
    SB_AUTO(sb_comparison) comparison = sb_new(sb_comparison);
    __attribute__((cleanup(comparing_clear))) comparing c = {.comparison = comparison};

    comparison->arena = sb_arena_new();
    if (load(first, comparison, &c.sides[0], &comparison->image_id[0], &comparison->manifest[0], err) < 0 ||
        load(second, comparison, &c.sides[1], &comparison->image_id[1], &comparison->manifest[1], err) < 0)
        return -1;
    comparison->same = sb_slice_eq(comparison->manifest[0], comparison->manifest[1]);
    if (!comparison->same) {
        if (compare_layers(&c, err) < 0)
            return -1;
        compare_configs(&c);
    }
    *ret_comparison = SB_TAKE(comparison);
    return 0;
}
