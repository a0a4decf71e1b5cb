// SPDX-License-Identifier: Apache-2.0
#include <lock/resolve_image.h>

#include <lock/version_search.h>
#include <lock/version_sources.h>
#include <sbuild/timefmt.h>

typedef struct resolver {
    sb_image_job *job;
    sb_registry *registry;
    sb_http *http;
    const sb_settings *settings;
    sb_arena *arena;
    sb_manifest top; /* what the digest stands for */
    sb_slice declared[3];
    size_t declared_count;
    size_t object_cap;
    size_t platform_cap;
} resolver;

static bool in_stores(const resolver *r, const sb_digest *digest, sb_slice *ret_data)
{
    for (size_t i = 0; i < SB_COUNT(r->job->stores); i++) {
        SB_AUTO(sb_error) ignored = NULL;
        sb_autofree char *data = NULL;
        size_t len = 0;

        if (r->job->stores[i] && sb_store_has(r->job->stores[i], digest, 0) &&
            sb_store_read(r->job->stores[i], digest, SB_MANIFEST_MAX, &data, &len, &ignored) == 0) {
            *ret_data = sb_arena_dup(r->arena, sb_slice_of(data, len));
            return true;
        }
    }
    return false;
}

static void add_object(resolver *r, const sb_digest *digest, sb_slice data)
{
    for (size_t i = 0; i < r->job->object_count; i++)
        if (sb_digest_eq(&r->job->objects[i].digest, digest))
            return;
    *SB_ARENA_PUSH(r->arena, r->job->objects, r->job->object_count, r->object_cap) =
        (sb_object){.digest = *digest, .data = data};
}

static sb_image_ref ref_with(resolver *r, const sb_digest *digest)
{
    sb_image_ref ref = r->job->ref;
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    ref.digest = sb_arena_dup(r->arena, sb_slice_z(text));
    return ref;
}

/* A manifest or index by its digest: from a store, else from the registry. Nested indexes need the registry.
 */
static int manifest(resolver *r, const sb_digest *digest, sb_manifest *ret_manifest, sb_error **err)
{
    sb_image_ref ref = ref_with(r, digest);
    sb_manifest found;
    sb_slice raw;

    if (in_stores(r, digest, &raw)) {
        bool nested = false;

        if (sb_manifest_parse(r->arena, raw, SB_NIL, &found, err) < 0)
            return -1;
        for (size_t i = 0; i < found.child_count; i++)
            nested = nested || sb_slice_eqz(found.children[i].media_type, SB_MEDIA_OCI_INDEX) ||
                     sb_slice_eqz(found.children[i].media_type, SB_MEDIA_DOCKER_LIST);
        if (!nested) {
            found.digest = *digest;
            add_object(r, digest, raw);
            *ret_manifest = found;
            return 0;
        }
    }
    if (sb_registry_manifest(r->registry, r->arena, &ref, &found, err) < 0)
        return -1;
    add_object(r, digest, found.raw);
    *ret_manifest = found;
    return 0;
}

static int config_of(resolver *r, const sb_manifest *image, sb_image_config *ret_config, sb_error **err)
{
    sb_image_ref ref = ref_with(r, &image->digest);
    sb_slice raw;

    if (!in_stores(r, &image->config.digest, &raw) &&
        sb_registry_blob(r->registry, r->arena, &ref, &image->config, SB_MANIFEST_MAX, &raw, err) < 0)
        return -1;
    add_object(r, &image->config.digest, raw);
    return sb_image_config_parse(r->arena, raw, ret_config, err);
}

static unsigned arm_version(sb_slice platform)
{
    sb_slice prefix = SB_LIT("linux/arm/v");

    return sb_slice_starts(platform, prefix) && platform.len == prefix.len + 1
               ? (unsigned)(platform.ptr[prefix.len] - '0')
               : 0;
}

const sb_descriptor *sb_index_choose(sb_arena *arena, const sb_manifest *index, sb_slice platform)
{
    sb_df_platform wanted;
    const sb_descriptor *best = NULL;
    sb_slice base;

    for (size_t i = 0; i < index->child_count; i++)
        if (!index->children[i].attestation && sb_slice_eq(index->children[i].platform, platform))
            return &index->children[i];
    /* A newer 32-bit ARM runs what was made for older ones. */
    for (size_t i = 0; arm_version(platform) && i < index->child_count; i++) {
        const sb_descriptor *child = &index->children[i];
        unsigned version = child->attestation ? 0 : arm_version(child->platform);

        if (version && version < arm_version(platform) && (!best || version > arm_version(best->platform)))
            best = child;
    }
    if (best || sb_df_platform_parse(arena, platform, &wanted, NULL) < 0 || !wanted.variant.len ||
        arm_version(platform))
        return best;
    /* linux/amd64/v3 runs what is for linux/amd64. */
    wanted.variant = SB_LIT("");
    base = sb_df_platform_format(arena, &wanted);
    for (size_t i = 0; i < index->child_count; i++)
        if (!index->children[i].attestation && sb_slice_eq(index->children[i].platform, base))
            return &index->children[i];
    return NULL;
}

static sb_slice platforms_of(sb_arena *arena, const sb_manifest *index)
{
    enum { SHOWN_MAX = 1024 };
    sb_autobuf out = SB_BUF_INIT(SHOWN_MAX);

    for (size_t i = 0; i < index->child_count; i++)
        if (!index->children[i].attestation && index->children[i].platform.len) {
            if (out.len)
                sb_buf_addz(&out, ", ");
            sb_buf_add_printable(&out, index->children[i].platform, 100);
        }
    return out.len ? sb_arena_dup(arena, sb_buf_slice(&out)) : SB_LIT("no platform");
}

static void declare(resolver *r, sb_slice version)
{
    if (version.len && r->declared_count < SB_COUNT(r->declared))
        r->declared[r->declared_count++] = version;
}

/* What a single manifest without an index is made for. */
static sb_slice config_platform(resolver *r, const sb_image_config *config)
{
    sb_df_platform platform;
    sb_slice text =
        config->variant.len
            ? sb_arena_printf(r->arena, "%" SB_FMT "/%" SB_FMT "/%" SB_FMT, SB_ARG(config->os),
                              SB_ARG(config->arch), SB_ARG(config->variant))
            : sb_arena_printf(r->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(config->os), SB_ARG(config->arch));

    if (sb_df_platform_parse(r->arena, text, &platform, NULL) < 0)
        return text;
    return sb_df_platform_format(r->arena, &platform);
}

static int find_platform(resolver *r, sb_slice platform, sb_manifest *ret_image, sb_slice *ret_created,
                         sb_error **err)
{
    const sb_descriptor *child;

    if (!r->top.is_index) {
        *ret_image = r->top;
        return 0;
    }
    child = sb_index_choose(r->arena, &r->top, platform);
    if (!child)
        return sb_fail(err, SB_ERR_NOT_FOUND,
                       "it has no image for %" SB_FMT " (it has %" SB_FMT "); give --platform",
                       SB_ARG(platform), SB_ARG(platforms_of(r->arena, &r->top)));
    declare(r, child->version);
    *ret_created = child->created;
    return manifest(r, &child->digest, ret_image, err);
}

static int add_platform(resolver *r, sb_slice platform, sb_error **err)
{
    sb_lock_image *image = &r->job->image;
    sb_manifest found;
    sb_image_config config;
    sb_slice created = SB_NIL;
    bool first = image->platform_count == 0;

    for (size_t i = 0; i < image->platform_count; i++)
        if (sb_slice_eq(image->platforms[i].platform, platform))
            return 0;
    if (find_platform(r, platform, &found, &created, err) < 0)
        return -1;
    if (found.is_index)
        return sb_fail(err, SB_ERR_VERIFY, "the entry for %" SB_FMT " is an index again", SB_ARG(platform));
    if (config_of(r, &found, &config, err) < 0)
        return -1;
    if (!r->top.is_index && config.os.len && !sb_slice_eq(config_platform(r, &config), platform)) {
        sb_autofree char *made_for = sb_printable(config_platform(r, &config));

        r->job->warning =
            sb_arena_printf(r->arena, "it is made for %s alone and will not run natively on %" SB_FMT,
                            made_for, SB_ARG(platform));
    }
    *SB_ARENA_PUSH(r->arena, image->platforms, image->platform_count, r->platform_cap) =
        (sb_lock_platform){.platform = platform, .manifest = found.digest, .config = found.config.digest};
    if (!first || r->job->locked)
        return 0;
    declare(r, config.version);
    image->user = config.user.len ? config.user : SB_NIL;
    image->onbuild = config.onbuild;
    image->onbuild_count = config.onbuild_count;
    image->created = created.len ? created : config.created;
    return 0;
}

/* --- the versioned tag --- */

static int ask_digest(void *ctx, sb_slice tag, sb_digest *ret_digest, sb_error **err)
{
    resolver *r = ctx;
    sb_image_ref ref = r->job->ref;
    sb_descriptor found;
    SB_AUTO(sb_error) failed = NULL;

    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    ref.tag = tag;
    ref.tag_implied = false;
    ref.digest = SB_NIL;
    if (sb_registry_resolve(r->registry, r->arena, &ref, &found, &failed) == 0) {
        *ret_digest = found.digest;
        return 1;
    }
    if (sb_error_code(failed) == SB_ERR_NOT_FOUND)
        return 0;
    return sb_fail(err, sb_error_code(failed), "%s", failed->message);
}

static int ask_side(void *ctx, unsigned which, sb_tag_list *ret_list)
{
    resolver *r = ctx;
    sb_image_ref ref = ref_with(r, &r->job->image.digest);

    return sb_version_source(r->http, r->settings, r->arena, &ref, which, ret_list);
}

static int ask_tags(void *ctx, sb_tag_list *ret_list, sb_error **err)
{
    resolver *r = ctx;

    return sb_registry_tags(r->registry, r->arena, &r->job->ref, SB_VERSION_TAGS_MAX, &ret_list->tags,
                            &ret_list->digests, &ret_list->count, err);
}

static bool ask_platforms(void *ctx, sb_slice tag)
{
    resolver *r = ctx;
    SB_AUTO(sb_error) ignored = NULL;
    sb_image_ref ref = r->job->ref;
    sb_manifest other;

    ref.tag = tag;
    ref.digest = SB_NIL;
    if (sb_registry_manifest(r->registry, r->arena, &ref, &other, &ignored) < 0)
        return false;
    for (size_t i = 0; i < r->job->image.platform_count; i++) {
        const sb_lock_platform *mine = &r->job->image.platforms[i];
        const sb_descriptor *child =
            other.is_index ? sb_index_choose(r->arena, &other, mine->platform) : NULL;

        if (!sb_digest_eq(child ? &child->digest : &other.digest, &mine->manifest))
            return false;
    }
    return true;
}

static int find_version(resolver *r, sb_error **err)
{
    sb_lock_image *image = &r->job->image;
    const sb_image_ref *ref = &r->job->ref;
    sb_version_asker asker = {
        .ctx = r,
        .digest = ask_digest,
        .side = ask_side,
        .side_count = SB_VERSION_SOURCES,
        .tags = ask_tags,
        .same_platforms = ask_platforms,
    };
    sb_version version;

    declare(r, r->top.version);
    if (sb_version_search(r->arena, ref->tag, ref->digest.ptr != NULL, &image->digest, r->declared,
                          r->declared_count, &asker, &version, err) < 0)
        return -1;
    if (version.detail.ptr)
        r->job->detail = version.detail;
    image->version = version.tag;
    image->reason = version.reason;
    image->aliases = version.aliases;
    image->alias_count = version.alias_count;
    return 0;
}

/* --- the job --- */

static int check_age(const resolver *r, sb_error **err)
{
    const sb_lock_image *image = &r->job->image;
    char text[SB_TIME_TEXT];
    int64_t created;

    if (!r->job->not_after || !image->created.ptr || !sb_time_parse(image->created, &created) ||
        created <= r->job->not_after)
        return 0;
    sb_time_format(created, text);
    return sb_fail(err, SB_ERR_UNPINNED,
                   "it was made at %s, which is younger than --min-age allows; use an older tag, or wait",
                   text);
}

static int what_it_is_now(resolver *r, sb_digest *ret_digest, sb_error **err)
{
    sb_descriptor found;

    if (r->job->ref.digest.ptr)
        return sb_digest_parse(r->job->ref.digest, ret_digest, err);
    if (sb_registry_resolve(r->registry, r->arena, &r->job->ref, &found, err) < 0)
        return -1;
    *ret_digest = found.digest;
    return 0;
}

static int resolve(resolver *r, sb_error **err)
{
    sb_image_job *job = r->job;
    sb_lock_image *image = &job->image;

    if (job->locked)
        image->digest = job->locked->digest;
    else if (what_it_is_now(r, &image->digest, err) < 0)
        return -1;
    if (job->before && sb_digest_eq(&job->before->digest, &image->digest) && job->before->version.ptr) {
        job->kept = true;
        return 0;
    }
    if (manifest(r, &image->digest, &r->top, err) < 0)
        return -1;
    image->media_type = r->top.media_type;
    for (size_t i = 0; i < job->platform_count; i++) {
        if (job->optional[i] && r->top.is_index && !sb_index_choose(r->arena, &r->top, job->platforms[i]))
            continue;
        if (add_platform(r, job->platforms[i], err) < 0)
            return -1;
    }
    if (job->locked)
        return 0;
    if (check_age(r, err) < 0)
        return -1;
    return find_version(r, err);
}

void sb_image_job_run(sb_image_job *job, sb_registry *registry, sb_http *http, const sb_settings *settings)
{
    resolver r = {.job = job, .registry = registry, .http = http, .settings = settings};

    if (!job->arena)
        job->arena = sb_arena_new();
    r.arena = job->arena;
    if (sb_interrupted)
        sb_fail(&job->error, SB_ERR_INTERRUPTED, "interrupted");
    else
        resolve(&r, &job->error);
}

void sb_image_job_clear(sb_image_job *job)
{
    sb_arena_free(job->arena);
    sb_error_free(job->error);
    job->arena = NULL;
    job->error = NULL;
}
