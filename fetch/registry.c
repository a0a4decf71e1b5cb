// SPDX-License-Identifier: Apache-2.0
#include <fetch/registry.h>

#include <fetch/manifest.h>

enum { NESTED_MAX = 3, REMEMBERED_MAX = 512 };

sb_registry *sb_registry_new(sb_http *http, const sb_settings *settings, sb_progress *progress)
{
    sb_registry *registry = sb_new(sb_registry);

    registry->http = http;
    registry->settings = settings;
    registry->progress = progress;
    registry->arena = sb_arena_new();
    return registry;
}

void sb_registry_free(sb_registry *registry)
{
    if (!registry)
        return;
    sb_arena_free(registry->arena);
    free(registry);
}

/* ---- what went wrong, in the words of images ---- */

static int explain(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref, bool by_tag,
                   sb_error **err)
{
    const sb_registry_settings *entry;
    sb_slice name = sb_image_ref_format(arena, ref);

    if (!err || !*err)
        return -1;
    entry = sb_settings_registry(registry->settings, sb_image_ref_name(arena, ref));
    if ((*err)->code == SB_ERR_AUTH)
        return sb_wrap(err, "%" SB_FMT " does not exist, or needs \"docker login %" SB_FMT "\"", SB_ARG(name),
                       SB_ARG(ref->registry));
    if ((*err)->code == SB_ERR_NETWORK && by_tag && entry && entry->mirror_count &&
        !entry->mirrors[0].resolve)
        return sb_wrap(err,
                       "%" SB_FMT
                       " (tags are resolved at the registry itself, unless a mirror of it is marked "
                       "\"resolve\": true in the user's configuration)",
                       SB_ARG(name));
    return sb_wrap(err, "%" SB_FMT, SB_ARG(name));
}

/* ---- manifests ---- */

static const sb_manifest *remembered(const sb_registry *registry, sb_slice name, const sb_digest *digest)
{
    for (size_t i = 0; i < registry->manifest_count; i++)
        if (sb_digest_eq(&registry->manifests[i].manifest.digest, digest) &&
            sb_slice_eq(registry->manifests[i].name, name))
            return &registry->manifests[i].manifest;
    return NULL;
}

/* A manifest as it is, nothing flattened. Kept in the registry's arena for the rest of the run. */
static int get_manifest(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                        sb_manifest *ret_manifest, sb_error **err)
{
    sb_slice name = sb_image_ref_name(arena, ref);
    sb_registry_request request = {.headers = sb_manifest_accept, .max_body = SB_MANIFEST_MAX};
    const sb_manifest *known;
    sb_autoresponse response = {0};
    sb_endpoint *endpoints;
    sb_manifest manifest = {0};
    sb_digest expect = {0};
    size_t count;

    if (ref->digest.ptr) {
        if (sb_digest_parse(ref->digest, &expect, err) < 0)
            return -1;
        known = remembered(registry, name, &expect);
        if (known) {
            *ret_manifest = *known;
            return 0;
        }
        request.expect = &expect;
    }
    request.rest =
        sb_arena_printf(arena, "manifests/%" SB_FMT, SB_ARG(ref->digest.ptr ? ref->digest : ref->tag)).ptr;
    if (sb_endpoints_for(registry, arena, ref, !ref->digest.ptr, &endpoints, &count, err) < 0)
        return -1;
    if (sb_registry_send(registry, arena, endpoints, count, &request, &response, NULL, NULL, err) < 0)
        return explain(registry, arena, ref, !ref->digest.ptr, err);
    if (sb_manifest_parse(registry->arena, sb_buf_slice(&response.body),
                          sb_http_header(&response, "Content-Type", 0), &manifest, err) < 0)
        return sb_wrap(err, "%" SB_FMT, SB_ARG(sb_image_ref_format(arena, ref)));
    if (ref->digest.ptr)
        manifest.digest = expect;
    if (registry->manifest_count < REMEMBERED_MAX)
        *SB_ARENA_PUSH(registry->arena, registry->manifests, registry->manifest_count,
                       registry->manifest_cap) =
            (sb_known_manifest){sb_arena_dup(registry->arena, name), manifest};
    *ret_manifest = manifest;
    return 0;
}

typedef struct flat {
    sb_descriptor *items;
    size_t count, cap;
} flat;

static int flatten(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref, const sb_manifest *index,
                   int depth, flat *out, sb_error **err)
{
    for (size_t i = 0; i < index->child_count; i++) {
        const sb_descriptor *child = &index->children[i];
        sb_image_ref inner = *ref;
        char text[SB_DIGEST_TEXT];
        sb_manifest nested = {0};

        if (out->count >= SB_INDEX_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "an image index has more than %d entries", SB_INDEX_MAX);
        if (!sb_media_type_is_index(child->media_type) || child->attestation) {
            *SB_ARENA_PUSH(arena, out->items, out->count, out->cap) = *child;
            continue;
        }
        if (depth >= NESTED_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "image indexes are nested deeper than %d levels", NESTED_MAX);
        sb_digest_format(&child->digest, text);
        inner.digest = sb_slice_z(text);
        if (get_manifest(registry, arena, &inner, &nested, err) < 0 ||
            flatten(registry, arena, ref, &nested, depth + 1, out, err) < 0)
            return -1;
    }
    return 0;
}

static sb_slice copy(sb_arena *arena, sb_slice s)
{
    return s.ptr ? sb_arena_dup(arena, s) : s;
}

static void copy_descriptors(sb_arena *arena, sb_descriptor **items, size_t count)
{
    sb_descriptor *copies = sb_arena_array(arena, sb_descriptor, count + 1);

    for (size_t i = 0; i < count; i++) {
        copies[i] = (*items)[i];
        copies[i].media_type = copy(arena, copies[i].media_type);
        copies[i].platform = copy(arena, copies[i].platform);
        copies[i].os_version = copy(arena, copies[i].os_version);
        copies[i].version = copy(arena, copies[i].version);
        copies[i].created = copy(arena, copies[i].created);
    }
    *items = copies;
}

int sb_registry_manifest(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                         sb_manifest *ret_manifest, sb_error **err)
{
    flat children = {0};
    sb_manifest m = {0};

    if (get_manifest(registry, arena, ref, &m, err) < 0)
        return -1;
    if (m.is_index) {
        if (flatten(registry, arena, ref, &m, 1, &children, err) < 0)
            return -1;
        m.children = children.items;
        m.child_count = children.count;
    }
    /* The caller's arena may outlive the registry. */
    m.media_type = copy(arena, m.media_type);
    m.raw = copy(arena, m.raw);
    m.version = copy(arena, m.version);
    m.config.media_type = copy(arena, m.config.media_type);
    copy_descriptors(arena, &m.children, m.child_count);
    copy_descriptors(arena, &m.layers, m.layer_count);
    *ret_manifest = m;
    return 0;
}

/* ---- what a tag is ---- */

/* True when a HEAD's headers say all there is to say. */
static bool read_head(sb_arena *arena, const sb_http_response *response, sb_descriptor *ret_descriptor)
{
    sb_slice type = sb_media_type_plain(sb_http_header(response, "Content-Type", 0));
    sb_descriptor d = {.platform = SB_LIT("")};

    if (sb_digest_parse(sb_http_header(response, "Docker-Content-Digest", 0), &d.digest, NULL) < 0 ||
        d.digest.algo != SB_HASH_SHA256 || (!sb_media_type_is_index(type) && !sb_media_type_is_image(type)) ||
        !sb_slice_to_u64(sb_http_header(response, "Content-Length", 0), &d.size) || !d.size)
        return false;
    d.media_type = sb_arena_dup(arena, type);
    *ret_descriptor = d;
    return true;
}

static int resolve_by_get(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                          sb_descriptor *ret_descriptor, sb_error **err)
{
    sb_manifest manifest = {0};

    if (get_manifest(registry, arena, ref, &manifest, err) < 0)
        return -1;
    *ret_descriptor = (sb_descriptor){
        .digest = manifest.digest,
        .media_type = copy(arena, manifest.media_type),
        .size = manifest.raw.len,
        .platform = SB_LIT(""),
        .version = copy(arena, manifest.version),
    };
    return 0;
}

int sb_registry_resolve(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                        sb_descriptor *ret_descriptor, sb_error **err)
{
    sb_registry_request request = {
        .method = "HEAD", .headers = sb_manifest_accept, .max_body = SB_MANIFEST_MAX};
    SB_AUTO(sb_error) no_head = NULL;
    sb_autoresponse response = {0};
    sb_endpoint *endpoints;
    sb_descriptor found;
    sb_digest wanted;
    long status = 0;
    size_t count;

    if (ref->digest.ptr && sb_digest_parse(ref->digest, &wanted, err) < 0)
        return -1;
    request.rest =
        sb_arena_printf(arena, "manifests/%" SB_FMT, SB_ARG(ref->digest.ptr ? ref->digest : ref->tag)).ptr;
    if (sb_endpoints_for(registry, arena, ref, !ref->digest.ptr, &endpoints, &count, err) < 0)
        return -1;
    if (sb_registry_send(registry, arena, endpoints, count, &request, &response, NULL, &status, &no_head) <
        0) {
        /* Some answer 400, 405 or 5xx to HEAD alone. */
        if (no_head->code == SB_ERR_NETWORK && status && status != 429)
            return resolve_by_get(registry, arena, ref, ret_descriptor, err);
        sb_fail(err, no_head->code, "%s", no_head->message);
        return explain(registry, arena, ref, !ref->digest.ptr, err);
    }
    if (sb_media_type_check(sb_media_type_plain(sb_http_header(&response, "Content-Type", 0)), err) < 0)
        return sb_wrap(err, "%" SB_FMT, SB_ARG(sb_image_ref_format(arena, ref)));
    if (!read_head(arena, &response, &found) || (ref->digest.ptr && !sb_digest_eq(&found.digest, &wanted)))
        return resolve_by_get(registry, arena, ref, ret_descriptor, err);
    *ret_descriptor = found;
    return 0;
}

/* ---- small blobs ---- */

int sb_registry_blob(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                     const sb_descriptor *blob, size_t max, sb_slice *ret_data, sb_error **err)
{
    char text[SB_DIGEST_TEXT];
    sb_registry_request request = {.max_body = max, .expect = &blob->digest};
    sb_autoresponse response = {0};
    sb_endpoint *endpoints;
    size_t count;

    sb_digest_format(&blob->digest, text);
    if (blob->size > max)
        return sb_fail(err, SB_ERR_LIMIT, "%" SB_FMT ": the blob %s is larger than the maximum of %zu bytes",
                       SB_ARG(sb_image_ref_format(arena, ref)), text, max);
    request.rest = sb_arena_printf(arena, "blobs/%s", text).ptr;
    if (sb_endpoints_for(registry, arena, ref, false, &endpoints, &count, err) < 0)
        return -1;
    if (sb_registry_send(registry, arena, endpoints, count, &request, &response, NULL, NULL, err) < 0)
        return explain(registry, arena, ref, false, err);
    if (blob->size && response.body.len != blob->size)
        return sb_fail(
            err, SB_ERR_VERIFY, "%" SB_FMT ": the blob %s has %zu bytes, but its manifest says %llu",
            SB_ARG(sb_image_ref_format(arena, ref)), text, response.body.len, (unsigned long long)blob->size);
    *ret_data = sb_arena_dup(arena, sb_buf_slice(&response.body));
    return 0;
}
