// SPDX-License-Identifier: Apache-2.0
#include <fetch/manifest.h>

#include <sbuild/dockerfile.h>
#include <sbuild/json.h>

static int fail_manifest(const char *why, sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "not a valid image manifest: %s", why);
}

sb_slice sb_media_type_plain(sb_slice type)
{
    sb_slice rest = type;

    return sb_slice_trim(sb_slice_cut(&rest, ';'));
}

bool sb_media_type_is_index(sb_slice type)
{
    return sb_slice_eqz(type, SB_MEDIA_OCI_INDEX) || sb_slice_eqz(type, SB_MEDIA_DOCKER_LIST);
}

bool sb_media_type_is_image(sb_slice type)
{
    return sb_slice_eqz(type, SB_MEDIA_OCI_MANIFEST) || sb_slice_eqz(type, SB_MEDIA_DOCKER_MANIFEST);
}

bool sb_media_type_is_foreign(sb_slice type)
{
    return sb_slice_find(type, SB_LIT(".foreign.")) >= 0 ||
           sb_slice_find(type, SB_LIT(".nondistributable.")) >= 0;
}

int sb_media_type_check(sb_slice type, sb_error **err)
{
    if (!sb_slice_starts(type, SB_LIT("application/vnd.docker.distribution.manifest.v1+")))
        return 0;
    return sb_fail(
        err, SB_ERR_PARSE,
        "it is in the manifest format of 2014 (schema 1), which cannot be pinned safely; push it again with "
        "a current tool, for example \"skopeo copy --format v2s2\"");
}

static sb_slice dup_str(sb_arena *arena, const json_t *object, const char *key)
{
    sb_slice s = sb_json_str(object, key);

    return s.ptr ? sb_arena_dup(arena, s) : SB_NIL;
}

static sb_slice annotation(sb_arena *arena, const json_t *object, const char *key)
{
    return dup_str(arena, sb_json_object(object, "annotations"), key);
}

static void read_platform(sb_arena *arena, const json_t *json, sb_descriptor *d)
{
    const json_t *platform = sb_json_object(json, "platform");
    sb_slice os = sb_json_str(platform, "os"), arch = sb_json_str(platform, "architecture");
    sb_slice variant = sb_json_str(platform, "variant"), text;
    const json_t *annotations = sb_json_object(json, "annotations");
    sb_df_platform parsed;

    d->os_version = dup_str(arena, platform, "os.version");
    d->attestation = sb_json_str(annotations, "vnd.docker.reference.type").len > 0 ||
                     sb_slice_eqz(os, "unknown") || sb_slice_eqz(arch, "unknown");
    d->platform = SB_LIT("");
    if (!os.len || !arch.len || d->attestation)
        return;
    text = sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT "%s%" SB_FMT, SB_ARG(os), SB_ARG(arch),
                           variant.len ? "/" : "", SB_ARG(variant));
    d->platform =
        sb_df_platform_parse(arena, text, &parsed, NULL) == 0 ? sb_df_platform_format(arena, &parsed) : text;
}

static int read_descriptor(sb_arena *arena, const json_t *json, const char *what,
                           sb_descriptor *ret_descriptor, sb_error **err)
{
    sb_descriptor d = {.media_type = dup_str(arena, json, "mediaType")};
    int64_t size = sb_json_int(json, "size", -1);

    if (!json_is_object(json) || !d.media_type.len || size < 0)
        return sb_fail(err, SB_ERR_PARSE, "not a valid image manifest: a %s without media type or size",
                       what);
    if (sb_digest_parse(sb_json_str(json, "digest"), &d.digest, err) < 0)
        return sb_wrap(err, "not a valid image manifest");
    d.size = (uint64_t)size;
    d.version = annotation(arena, json, "org.opencontainers.image.version");
    d.created = annotation(arena, json, "org.opencontainers.image.created");
    *ret_descriptor = d;
    return 0;
}

static int read_list(sb_arena *arena, json_t *list, size_t max, const char *what, sb_descriptor **ret_items,
                     size_t *ret_count, sb_error **err)
{
    size_t count = json_array_size(list), i;
    sb_descriptor *items;
    json_t *item;

    if (count > max)
        return sb_fail(err, SB_ERR_LIMIT, "an image manifest has more than %zu entries", max);
    items = sb_arena_array(arena, sb_descriptor, count + 1);
    json_array_foreach(list, i, item) if (read_descriptor(arena, item, what, &items[i], err) < 0) return -1;
    *ret_items = items;
    *ret_count = count;
    return 0;
}

/* What it is: by what it says itself, by what the server says, by what is in it. */
static int decide_type(const json_t *root, sb_slice served, sb_manifest *m, sb_error **err)
{
    bool has_children = sb_json_array(root, "manifests") != NULL,
         has_config = sb_json_object(root, "config") != NULL;
    sb_slice own = sb_json_str(root, "mediaType");

    if (sb_json_int(root, "schemaVersion", 0) == 1)
        return sb_media_type_check(SB_LIT("application/vnd.docker.distribution.manifest.v1+json"), err);
    if (has_children == (has_config || sb_json_array(root, "layers") != NULL))
        return fail_manifest(
            has_children ? "it is an image and an index at once" : "neither an image nor an index", err);
    served = sb_media_type_plain(served);
    if (!sb_media_type_is_index(served) && !sb_media_type_is_image(served))
        served = SB_NIL; /* text/plain and the like say nothing */
    if (own.len && served.len && !sb_slice_eq(own, served))
        return fail_manifest("the server's content type is another than its own", err);
    m->media_type = own.len ? own : served;
    if (!m->media_type.len)
        m->media_type = has_children ? SB_LIT(SB_MEDIA_OCI_INDEX) : SB_LIT(SB_MEDIA_OCI_MANIFEST);
    if (has_children ? !sb_media_type_is_index(m->media_type) : !sb_media_type_is_image(m->media_type))
        return fail_manifest("its media type does not fit what is in it", err);
    m->is_index = has_children;
    return 0;
}

int sb_manifest_parse(sb_arena *arena, sb_slice raw, sb_slice media_type, sb_manifest *ret_manifest,
                      sb_error **err)
{
    sb_manifest m = {0};
    sb_autojson *root = NULL;

    if (raw.len > SB_MANIFEST_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "an image manifest is larger than %d bytes", SB_MANIFEST_MAX);
    if (sb_media_type_check(sb_media_type_plain(media_type), err) < 0 ||
        sb_json_parse(raw, "manifest", &root, err) < 0 || decide_type(root, media_type, &m, err) < 0)
        return -1;
    m.media_type = sb_arena_dup(arena, m.media_type);
    m.raw = sb_arena_dup(arena, raw);
    sb_digest_of(SB_HASH_SHA256, raw, &m.digest);
    m.version = annotation(arena, root, "org.opencontainers.image.version");
    if (m.is_index) {
        json_t *list = sb_json_array(root, "manifests");

        if (read_list(arena, list, SB_INDEX_MAX, "entry", &m.children, &m.child_count, err) < 0)
            return -1;
        for (size_t i = 0; i < m.child_count; i++)
            read_platform(arena, json_array_get(list, i), &m.children[i]);
    } else if (read_descriptor(arena, sb_json_object(root, "config"), "config", &m.config, err) < 0 ||
               read_list(arena, sb_json_array(root, "layers"), SB_LAYERS_MAX, "layer", &m.layers,
                         &m.layer_count, err) < 0) {
        return -1;
    }
    *ret_manifest = m;
    return 0;
}
