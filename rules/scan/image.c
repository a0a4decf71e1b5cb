// SPDX-License-Identifier: Apache-2.0
/* From an index to one image: its manifest, configuration, layers, and the attestations that go with it. */
#include <rules/scan/scan.h>

#include <sbuild/lock.h>

enum { NESTED_MAX = 4, ATTESTATIONS_MAX = 64, OTHERS_MAX = 64 };

sb_scan_image *sb_scan_image_new(void)
{
    sb_scan_image *image = sb_new(sb_scan_image);

    image->arena = sb_arena_new();
    return image;
}

void sb_scan_image_free(sb_scan_image *image)
{
    if (!image)
        return;
    for (size_t i = 0; i < image->layer_count; i++)
        if (!image->layers[i].shared)
            sb_scan_facts_free(image->layers[i].facts);
    sb_error_free(image->failure);
    sb_arena_free(image->arena);
    free(image);
}

int sb_scan_take_config(sb_scan_image *image, sb_slice config, sb_error **err)
{
    sb_image_config parsed;

    if (sb_image_config_parse(image->arena, config, &parsed, err) < 0)
        return -1;
    image->config = config;
    for (size_t i = 0; i < image->layer_count && i < parsed.diff_id_count; i++)
        image->layers[i].has_diff_id =
            sb_digest_parse(parsed.diff_ids[i], &image->layers[i].diff_id, NULL) == 0;
    return 0;
}

static void add_document(sb_scan_image *image, const sb_rule *rule, const char *place, sb_slice text,
                         bool cut)
{
    *SB_ARENA_PUSH(image->arena, image->documents, image->document_count, image->document_cap) =
        (sb_scan_document){rule, place, text, cut};
}

/* --- Which one --- */

static bool is_named(const json_t *child, const char *reference)
{
    const json_t *annotations = sb_json_object(child, "annotations");
    sb_slice wanted = sb_slice_z(reference);
    sb_slice full = sb_json_str(annotations, "io.containerd.image.name");
    sb_slice name = sb_json_str(annotations, "org.opencontainers.image.ref.name");

    return sb_slice_eq(wanted, full) || sb_slice_eq(wanted, name) ||
           sb_slice_eq(wanted, sb_json_str(child, "digest")) ||
           (full.len > wanted.len && sb_slice_ends(full, wanted) &&
            full.ptr[full.len - wanted.len - 1] == '/');
}

static bool is_platform(sb_arena *arena, const sb_descriptor *child, const char *platform)
{
    sb_df_platform wanted;
    sb_slice text;

    if (sb_df_platform_parse(arena, sb_slice_z(platform), &wanted, NULL) < 0)
        return false;
    text = sb_df_platform_format(arena, &wanted);
    /* "linux/arm64" means "linux/arm64/v8", and any variant when none is said. */
    return sb_slice_eq(child->platform, text) ||
           (sb_slice_starts(child->platform, text) && child->platform.ptr[text.len] == '/');
}

static int fail_choice(const sb_manifest *index, const char *platform, sb_error **err)
{
    sb_autobuf list = SB_BUF_INIT(1000);

    for (size_t i = 0; i < index->child_count && i < 20; i++)
        if (!index->children[i].attestation)
            sb_buf_printf(&list, "%s%" SB_FMT, list.len ? ", " : "",
                          SB_ARG(index->children[i].platform.len ? index->children[i].platform
                                                                 : SB_LIT("one without a platform")));
    return sb_fail(err, SB_ERR_USAGE, "it has no image for %s, but for: %s", platform,
                   list.len ? list.data : "none");
}

static int choose(sb_scan_image *image, const sb_manifest *index, const json_t *document,
                  const char *reference, const char *platform, size_t *ret_which, sb_error **err)
{
    json_t *children = sb_json_array(document, "manifests");
    sb_slice wanted = sb_slice_z(platform ? platform : sb_host_platform());
    size_t fitting = 0, named = 0;

    for (int round = 0; round < 2; round++) {
        /* First those of the platform, then, unless one was asked for, the only one there is. */
        fitting = named = 0;
        for (size_t i = 0; i < index->child_count; i++) {
            const sb_descriptor *child = &index->children[i];

            if (child->attestation || (reference && !is_named(json_array_get(children, i), reference)))
                continue;
            named++;
            if (child->platform.len && !is_platform(image->arena, child, wanted.ptr) &&
                (round == 0 || platform))
                continue;
            if (fitting++ == 0)
                *ret_which = i;
        }
        if (fitting == 1)
            return 0;
        if (fitting > 1)
            break;
    }
    if (reference && named == 0)
        return sb_fail(err, SB_ERR_USAGE, "it does not hold an image of the name %s", reference);
    if (fitting > 1)
        return sb_fail(err, SB_ERR_USAGE, "it holds %zu images; say which one, with its name behind the path",
                       fitting);
    return fail_choice(index, wanted.ptr, err);
}

/* --- What comes with it --- */

static void read_attestation(sb_scan_blobs *blobs, sb_scan_image *image, const sb_descriptor *child)
{
    SB_AUTO(sb_error) why = NULL;
    sb_manifest manifest;
    sb_slice raw;

    if (blobs->read(blobs, child, SB_MANIFEST_MAX, image->arena, &raw, &why) < 0 ||
        sb_manifest_parse(image->arena, raw, SB_NIL, &manifest, &why) < 0) {
        /* An archive may hold the index alone. */
        if (why->code != SB_ERR_NOT_FOUND)
            add_document(image, &sb906_attestation, "attestation", SB_NIL, true);
        return;
    }
    for (size_t i = 0; i < manifest.layer_count && image->document_count < ATTESTATIONS_MAX; i++) {
        sb_slice place = sb_arena_printf(image->arena, "attestation[%zu]", i);
        sb_slice text = SB_NIL;
        size_t left = SB_SCAN_DOCUMENTS_MAX - image->attested;
        size_t max = left < SB_SCAN_DOCUMENT_MAX ? left : SB_SCAN_DOCUMENT_MAX;
        bool cut = manifest.layers[i].size > max ||
                   blobs->read(blobs, &manifest.layers[i], max, image->arena, &text, NULL) < 0;

        image->attested += text.len;
        add_document(image, &sb906_attestation, place.ptr, text, cut);
    }
}

static void read_attestations(sb_scan_blobs *blobs, sb_scan_image *image, const sb_manifest *index,
                              const json_t *document, const sb_digest *digest)
{
    json_t *children = sb_json_array(document, "manifests");
    char wanted[SB_DIGEST_TEXT];

    sb_digest_format(digest, wanted);
    for (size_t i = 0; i < index->child_count; i++) {
        const json_t *annotations = sb_json_object(json_array_get(children, i), "annotations");

        if (index->children[i].attestation &&
            sb_slice_eqz(sb_json_str(annotations, "vnd.docker.reference.digest"), wanted))
            read_attestation(blobs, image, &index->children[i]);
    }
}

/* What else is there: an archive may name platforms that it does not have. */
static void list_others(sb_scan_blobs *blobs, sb_scan_image *image, const sb_manifest *index, size_t which)
{
    for (size_t i = 0; i < index->child_count && image->other_count < OTHERS_MAX; i++) {
        const sb_descriptor *child = &index->children[i];
        sb_manifest manifest;
        sb_slice raw;

        if (i == which || child->attestation || sb_digest_eq(&child->digest, &index->children[which].digest))
            continue;
        if (blobs->read(blobs, child, SB_MANIFEST_MAX, image->arena, &raw, NULL) == 0 &&
            sb_manifest_parse(image->arena, raw, SB_NIL, &manifest, NULL) == 0 &&
            (manifest.is_index ||
             blobs->read(blobs, &manifest.config, SB_CONFIG_MAX, image->arena, &raw, NULL) == 0))
            *SB_ARENA_PUSH(image->arena, image->others, image->other_count, image->other_cap) =
                child->platform.len ? child->platform : SB_LIT("another image");
    }
}

static int take_manifest(sb_scan_blobs *blobs, sb_scan_image *image, const sb_manifest *manifest,
                         sb_error **err)
{
    sb_slice config;

    image->manifest = manifest->raw;
    image->manifest_digest = manifest->digest;
    image->layer_count = manifest->layer_count;
    image->layers = sb_arena_array(image->arena, sb_scan_layer, manifest->layer_count + 1);
    for (size_t i = 0; i < manifest->layer_count; i++) {
        image->layers[i].stored = manifest->layers[i].digest;
        image->layers[i].has_stored = true;
        image->layers[i].size = manifest->layers[i].size;
        image->layers[i].type = manifest->layers[i].media_type;
    }
    add_document(image, &sb905_annotation, "manifest", manifest->raw, false);
    if (blobs->read(blobs, &manifest->config, SB_CONFIG_MAX, image->arena, &config, err) < 0)
        return -1;
    return sb_scan_take_config(image, config, err);
}

int sb_scan_resolve(sb_scan_blobs *blobs, sb_slice root, const char *reference,
                    const sb_scan_options *options, sb_scan_image *image, sb_error **err)
{
    for (unsigned depth = 0; depth < NESTED_MAX; depth++) {
        sb_autojson *document = NULL;
        sb_manifest parsed;
        size_t which = 0;

        if (sb_manifest_parse(image->arena, root, SB_NIL, &parsed, err) < 0)
            return -1;
        if (!parsed.is_index)
            return take_manifest(blobs, image, &parsed, err);
        if (sb_json_parse(root, "index.json", &document, err) < 0 ||
            choose(image, &parsed, document, reference, options->platform, &which, err) < 0)
            return -1;
        image->index = parsed.raw;
        add_document(image, &sb905_annotation, "index", parsed.raw, false);
        if (options->whole)
            list_others(blobs, image, &parsed, which);
        read_attestations(blobs, image, &parsed, document, &parsed.children[which].digest);
        if (blobs->read(blobs, &parsed.children[which], SB_MANIFEST_MAX, image->arena, &root, err) < 0)
            return -1;
        reference = NULL;
    }
    return sb_fail(err, SB_ERR_PARSE, "indexes within indexes within indexes");
}
