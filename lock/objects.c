// SPDX-License-Identifier: Apache-2.0
#include <lock/objects.h>

#include <stdlib.h>

#include <lock/resolve_image.h>
#include <sbuild/timefmt.h>

const char *sb_needed_kind_name(sb_needed_kind kind)
{
    static const char *const names[] = {
        [SB_NEEDED_INDEX] = "image",
        [SB_NEEDED_MANIFEST] = "manifest",
        [SB_NEEDED_CONFIG] = "config",
        [SB_NEEDED_LAYER] = "layer",
        [SB_NEEDED_FILE] = "file",
        [SB_NEEDED_SIGNATURE] = "signature",
        [SB_NEEDED_LIST] = "checksum list",
        [SB_NEEDED_KEY] = "public key",
        [SB_NEEDED_GIT_OBJECT] = "git object",
        [SB_NEEDED_GIT] = "git archive",
        [SB_NEEDED_STEP] = "step manifest",
        [SB_NEEDED_BODY] = "download",
    };

    return names[kind];
}

static void push(sb_arena *arena, sb_needed_list *list, sb_needed needed)
{
    *SB_ARENA_PUSH(arena, list->items, list->count, list->cap) = needed;
}

static void add_image(sb_arena *arena, sb_needed_list *list, const sb_lock_image *image)
{
    sb_needed base = {.digest = image->digest, .kind = SB_NEEDED_INDEX, .name = image->name, .image = image};

    push(arena, list, base);
    for (size_t i = 0; i < image->platform_count; i++) {
        base.platform = &image->platforms[i];
        base.kind = SB_NEEDED_MANIFEST;
        base.digest = base.platform->manifest;
        if (!sb_digest_eq(&base.digest, &image->digest))
            push(arena, list, base);
        base.kind = SB_NEEDED_CONFIG;
        base.digest = base.platform->config;
        push(arena, list, base);
    }
}

/* `base` is the entry's own object. */
static void add_evidence(sb_arena *arena, sb_needed_list *list, sb_needed base,
                         const sb_lock_evidence *evidence, size_t count)
{
    base.size = 0;
    for (size_t i = 0; i < count; i++) {
        const sb_lock_evidence *e = &evidence[i];
        bool of_list = e->kind == SB_EVIDENCE_CHECKSUMS;

        if (e->has_list) {
            base.kind = base.git ? SB_NEEDED_GIT_OBJECT : SB_NEEDED_LIST;
            base.digest = e->list;
            base.url = base.git ? SB_NIL : e->url;
            push(arena, list, base);
        }
        if (e->has_signature) {
            base.kind = SB_NEEDED_SIGNATURE;
            base.digest = e->signature;
            base.url = of_list ? e->signature_url : e->url;
            push(arena, list, base);
        }
        base.kind = SB_NEEDED_KEY;
        base.url = SB_NIL;
        for (size_t k = 0; k < e->key_count; k++) {
            base.digest = e->keys[k];
            push(arena, list, base);
        }
    }
}

void sb_needed_by_lock(const sb_lock *lock, sb_arena *arena, sb_needed_list *list)
{
    for (size_t i = 0; i < lock->image_count; i++)
        add_image(arena, list, &lock->images[i]);
    for (size_t i = 0; i < lock->file_count; i++) {
        const sb_lock_file *file = &lock->files[i];
        sb_needed needed = {.digest = file->digest,
                            .kind = SB_NEEDED_FILE,
                            .size = file->size,
                            .name = file->expanded,
                            .url = file->expanded,
                            .file = file};

        push(arena, list, needed);
        add_evidence(arena, list, needed, file->evidence, file->evidence_count);
    }
    for (size_t i = 0; i < lock->git_count; i++) {
        const sb_lock_git *git = &lock->git[i];
        sb_needed needed = {.digest = git->archive,
                            .kind = SB_NEEDED_GIT,
                            .size = git->size,
                            .name = git->expanded,
                            .git = git};

        push(arena, list, needed);
        add_evidence(arena, list, needed, git->evidence, git->evidence_count);
    }
    for (size_t i = 0; i < lock->step_count; i++) {
        const sb_lock_step *step = &lock->steps[i];

        if (step->has_manifest)
            push(arena, list,
                 (sb_needed){.digest = step->manifest,
                             .kind = SB_NEEDED_STEP,
                             .name = sb_arena_printf(arena, "RUN %" SB_FMT, SB_ARG(step->command)),
                             .step = step});
    }
}

int sb_needed_by_image(const sb_lock_image *image, const sb_lock_platform *platform, sb_slice manifest,
                       sb_arena *arena, sb_needed_list *list, sb_error **err)
{
    sb_autofree char *name = sb_printable(image->name);
    sb_manifest parsed;

    if (sb_manifest_parse(arena, manifest, SB_NIL, &parsed, err) < 0)
        return sb_wrap(err, "the manifest of %s", name);
    if (parsed.is_index)
        return sb_fail(err, SB_ERR_VERIFY, "the manifest of %s is an index; run \"sbuild lock --update=%s\"",
                       name, name);
    for (size_t i = 0; i < parsed.layer_count; i++)
        push(arena, list,
             (sb_needed){.digest = parsed.layers[i].digest,
                         .kind = SB_NEEDED_LAYER,
                         .size = parsed.layers[i].size,
                         .name = image->name,
                         .image = image,
                         .platform = platform});
    return 0;
}

static bool is_nested(const sb_manifest *index)
{
    for (size_t i = 0; i < index->child_count; i++)
        if (sb_slice_eqz(index->children[i].media_type, SB_MEDIA_OCI_INDEX) ||
            sb_slice_eqz(index->children[i].media_type, SB_MEDIA_DOCKER_LIST))
            return true;
    return false;
}

int sb_image_check_chain(const sb_lock_image *image, const sb_lock_platform *platform, sb_slice index,
                         sb_slice manifest, sb_arena *arena, sb_error **err)
{
    sb_autofree char *name = sb_printable(image->name);
    sb_autofree char *shown = sb_printable(platform->platform);
    const sb_descriptor *child;
    sb_manifest top, own;

    if (sb_manifest_parse(arena, index, SB_NIL, &top, err) < 0 ||
        sb_manifest_parse(arena, manifest, SB_NIL, &own, err) < 0)
        return sb_wrap(err, "the manifest of %s", name);
    if (top.is_index) {
        child = sb_index_choose(arena, &top, platform->platform);
        /* What an index within the index holds is not at hand. */
        if (!is_nested(&top) && (!child || !sb_digest_eq(&child->digest, &platform->manifest)))
            return sb_fail(
                err, SB_ERR_VERIFY,
                "the lock has a manifest of %s for %s that its index does not have; restore the lock, "
                "or run \"sbuild lock --update=%s\"",
                name, shown, name);
    } else if (!sb_digest_eq(&image->digest, &platform->manifest)) {
        return sb_fail(
            err, SB_ERR_VERIFY,
            "the lock has two manifests of %s; restore the lock, or run \"sbuild lock --update=%s\"", name,
            name);
    }
    if (!own.is_index && !sb_digest_eq(&own.config.digest, &platform->config))
        return sb_fail(err, SB_ERR_VERIFY,
                       "the lock has a config of %s for %s that is not the image's; restore the lock, or run "
                       "\"sbuild lock --update=%s\"",
                       name, shown, name);
    return 0;
}

static int layers_of(const sb_lock_image *image, const sb_lock_platform *platform, const sb_store *store,
                     sb_arena *arena, sb_needed_list *list, sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_store_read(store, &platform->manifest, SB_MANIFEST_MAX, &data, &len, err) < 0)
        return -1;
    return sb_needed_by_image(image, platform, sb_arena_dup(arena, sb_slice_of(data, len)), arena, list, err);
}

int sb_needed_layers(const sb_lock *lock, const sb_store *store, sb_arena *arena, sb_needed_list *list,
                     sb_error **err)
{
    for (size_t i = 0; i < lock->image_count; i++) {
        const sb_lock_image *image = &lock->images[i];

        for (size_t p = 0; p < image->platform_count; p++)
            if (sb_store_has(store, &image->platforms[p].manifest, 0) &&
                layers_of(image, &image->platforms[p], store, arena, list, err) < 0)
                return -1;
    }
    return 0;
}

/* Is it what anybody gets who asks with a plain GET? */
static bool can_be_had_again(const sb_step_request *request)
{
    enum { STATUS_OK = 200 };

    return request->status == STATUS_OK && sb_slice_eqz(request->method, "GET") && !request->has_body &&
           !sb_step_has_secrets(request->url);
}

static sb_slice answered(const sb_step_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (sb_slice_eqz(request->headers[i].name, name))
            return request->headers[i].value;
    return SB_NIL;
}

static void add_validators(const sb_step_request *request, sb_arena *arena, sb_needed *needed)
{
    sb_slice etag = answered(request, "etag");

    if (!sb_time_parse_http(answered(request, "last-modified"), &needed->last_modified))
        needed->last_modified = -1;
    if (sb_slice_starts(etag, SB_LIT("\"")))
        needed->etag = sb_arena_dup(arena, etag);
}

static int by_digest(const void *a, const void *b)
{
    const sb_needed *one = a, *other = b;
    int order = sb_digest_cmp(&one->digest, &other->digest);

    /* Those that can be had again come first. */
    return order ? order : (one->url.ptr == NULL) - (other->url.ptr == NULL);
}

void sb_needed_by_step(const sb_lock_step *step, const sb_step_manifest *manifest, sb_arena *arena,
                       sb_needed_list *list)
{
    sb_autofree sb_needed *found = sb_new_array(sb_needed, manifest->count + 1);
    size_t n = 0;

    for (size_t i = 0; i < manifest->count; i++) {
        const sb_step_request *request = &manifest->requests[i];

        /* An empty body needs no object. */
        if (!request->has_content || !request->size)
            continue;
        found[n] = (sb_needed){.digest = request->digest,
                               .kind = SB_NEEDED_BODY,
                               .size = request->size,
                               .name = sb_arena_dup(arena, request->url),
                               .step = step};
        add_validators(request, arena, &found[n]);
        if (can_be_had_again(request))
            found[n].url = found[n].name;
        for (size_t k = 0; k < request->wanted_count; k++)
            if (sb_slice_eqz(request->wanted[k].name, "accept"))
                found[n].accept = sb_arena_dup(arena, request->wanted[k].value);
        n++;
    }
    if (n > 1)
        qsort(found, n, sizeof(*found), by_digest);
    for (size_t i = 0; i < n; i++)
        if (!i || !sb_digest_eq(&found[i].digest, &found[i - 1].digest))
            push(arena, list, found[i]);
}

const char *const *sb_needed_headers(const sb_needed *needed, sb_arena *arena)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    const char **headers = sb_arena_array(arena, const char *, 2);

    headers[0] = sb_arena_printf(arena, "Accept: %" SB_FMT, SB_ARG(needed->accept)).ptr;
    return headers;
}

static int add_bodies(const sb_lock_step *step, const sb_store *store, sb_arena *arena, sb_needed_list *list,
                      sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = NULL;

    if (sb_step_manifest_load(step, store, &manifest, err) < 0)
        return -1;
    sb_needed_by_step(step, manifest, arena, list);
    return 0;
}

int sb_needed_bodies(const sb_lock *lock, const sb_store *store, sb_arena *arena, sb_needed_list *list,
                     sb_error **err)
{
    for (size_t i = 0; i < lock->step_count; i++) {
        const sb_lock_step *step = &lock->steps[i];

        if (step->has_manifest && sb_store_has(store, &step->manifest, 0) &&
            add_bodies(step, store, arena, list, err) < 0)
            return -1;
    }
    return 0;
}

sb_slice sb_needed_part(const sb_needed *needed, sb_arena *arena)
{
    const char *kind = sb_needed_kind_name(needed->kind);

    if (needed->kind == SB_NEEDED_FILE || needed->kind == SB_NEEDED_GIT || needed->kind == SB_NEEDED_INDEX ||
        needed->kind == SB_NEEDED_BODY)
        return SB_NIL;
    if (needed->platform) {
        sb_autofree char *platform = sb_printable(needed->platform->platform);

        return sb_arena_printf(arena, "%s for %s", kind, platform);
    }
    return sb_slice_z(kind);
}

sb_slice sb_needed_name(const sb_needed *needed, sb_arena *arena)
{
    sb_autofree char *name = sb_printable(needed->name);
    sb_slice part = sb_needed_part(needed, arena);

    return part.len ? sb_arena_printf(arena, "%s (%" SB_FMT ")", name, SB_ARG(part))
                    : sb_arena_printf(arena, "%s", name);
}
