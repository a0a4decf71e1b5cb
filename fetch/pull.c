// SPDX-License-Identifier: Apache-2.0
/*
 * Pulling: level by level (indexes, manifests, then configs and layers), each level's objects of all images
 * at once.
 */
#include <fetch/layout.h>
#include <fetch/manifest.h>
#include <fetch/registry.h>
#include <fetch/sink_file.h>

#include <fcntl.h>

enum { LEVELS_MAX = 6, OBJECTS_MAX = 65536, PENDING_MAX = 64 };

/* One object that an image needs. */
typedef struct object {
    const sb_pull *pull;
    sb_digest digest;
    uint64_t size; /* 0: not known */
    bool is_manifest;
} object;

typedef struct objects {
    object *items;
    size_t count, cap;
} objects;

typedef struct puller {
    sb_registry *registry;
    sb_layout *layout;
    sb_arena *arena;
    sb_blob_stage *pending[PENDING_MAX]; /* complete and verified, not yet in place */
    size_t pending_count;
} puller;

/* An object on its way. */
typedef struct job {
    puller *puller;
    const object *object;
    sb_transfer transfer;
    sb_file_sink sink;
    sb_blob_stage *stage;
} job;

static job *job_of(sb_transfer *transfer)
{
    return transfer->ctx;
}

static int begin(sb_transfer *transfer, struct curl_slist **headers, sb_error **err)
{
    job *j = job_of(transfer);

    if (!j->stage) {
        if (sb_blob_stage_open(j->puller->layout, &j->object->digest, &j->stage, err) < 0)
            return -1;
        j->sink.fd = sb_blob_stage_fd(j->stage);
    }
    return sb_file_sink_begin(&j->sink, transfer, headers, err);
}

static int head(sb_transfer *transfer, sb_error **err)
{
    return sb_file_sink_head(&job_of(transfer)->sink, transfer, err);
}

static int body(sb_transfer *transfer, const char *data, size_t len, sb_error **err)
{
    return sb_file_sink_body(&job_of(transfer)->sink, transfer, data, len, err);
}

static void free_pending(puller *p)
{
    while (p->pending_count)
        sb_blob_stage_free(p->pending[--p->pending_count]);
}

static int commit_pending(puller *p, sb_error **err)
{
    int result = sb_blob_stages_commit(p->layout, p->pending, p->pending_count, err);

    free_pending(p);
    return result;
}

static sb_verdict end(sb_transfer *transfer, sb_error **err)
{
    job *j = job_of(transfer);
    puller *p = j->puller;
    sb_verdict verdict = sb_file_sink_end(&j->sink, transfer, err);

    if (verdict != SB_VERDICT_DONE)
        return verdict;
    /* The disk may begin; that it has finished is waited for later, for many at once. */
    (void)sync_file_range(j->sink.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    p->pending[p->pending_count++] = SB_TAKE(j->stage);
    if (p->pending_count == PENDING_MAX && commit_pending(p, err) < 0)
        return SB_VERDICT_FAILED;
    return verdict;
}

static bool authorize(sb_transfer *transfer, sb_source *source, sb_error **err)
{
    return sb_endpoint_authorize(job_of(transfer)->puller->registry, transfer, source, err);
}

static void finished(sb_transfer *transfer)
{
    job *j = job_of(transfer);

    sb_file_sink_finished(&j->sink, transfer);
    sb_file_sink_clear(&j->sink);
    sb_blob_stage_free(j->stage);
    j->stage = NULL;
}

static int set_up(puller *p, const object *o, job *j, sb_error **err)
{
    static const sb_sink sink = {
        .begin = begin, .head = head, .body = body, .end = end, .authorize = authorize, .finished = finished};
    sb_endpoint *endpoints;
    char text[SB_DIGEST_TEXT];
    sb_image_ref shown = o->pull->ref;
    size_t count;

    sb_digest_format(&o->digest, text);
    if (sb_endpoints_for(p->registry, p->arena, &o->pull->ref, false, &endpoints, &count, err) < 0)
        return -1;
    if (shown.tag.ptr)
        shown.digest = SB_NIL;
    *j = (job){
        .puller = p,
        .object = o,
        .sink =
            {
                .fd = -1,
                .max_size = o->is_manifest ? SB_MANIFEST_MAX : 0,
                .expect_size = o->size,
                .expect = &o->digest,
                .label = sb_arena_printf(p->arena, "%.60s %.12s", sb_image_ref_familiar(p->arena, &shown).ptr,
                                         strchr(text, ':') + 1)
                             .ptr,
                .progress = p->registry->progress,
            },
        .transfer =
            {
                .sources = sb_endpoint_sources(
                    p->registry, p->arena, endpoints, count,
                    sb_arena_printf(p->arena, "%s/%s", o->is_manifest ? "manifests" : "blobs", text).ptr,
                    o->is_manifest ? sb_manifest_accept : NULL),
                .source_count = count,
                .sink = &sink,
            },
    };
    j->transfer.ctx = j;
    return 0;
}

static bool is_intact(const puller *p, const object *o)
{
    SB_AUTO(sb_arena) scratch = NULL;
    sb_slice data;

    if (!sb_layout_has(p->layout, &o->digest, o->size))
        return false;
    if (!o->is_manifest)
        return true;
    scratch = sb_arena_new();
    return sb_layout_read(p->layout, scratch, &o->digest, SB_MANIFEST_MAX, &data, NULL) == 0;
}

static bool listed(const objects *list, size_t count, const sb_digest *digest)
{
    for (size_t i = 0; i < count; i++)
        if (sb_digest_eq(&list->items[i].digest, digest))
            return true;
    return false;
}

/* Whatever of them the layout lacks. */
static int fetch(puller *p, const objects *wanted, sb_error **err)
{
    sb_autofree job *jobs = sb_new_array(job, wanted->count + 1);
    sb_autofree sb_transfer **list = sb_new_array(sb_transfer *, wanted->count + 1);
    size_t count = 0;
    int result = 0;

    for (size_t i = 0; i < wanted->count && result == 0; i++) {
        const object *o = &wanted->items[i];

        if (listed(wanted, i, &o->digest) || is_intact(p, o))
            continue;
        result = set_up(p, o, &jobs[count], err);
        if (result == 0) {
            list[count] = &jobs[count].transfer;
            count++;
        }
    }
    if (result == 0)
        result = sb_transfers_run(p->registry->http, list, count, NULL);
    /* Also when others have failed: what is there need not be fetched again. Who is to stop does not wait for
     * the disk; the next run finds the bytes. */
    if (sb_interrupted)
        free_pending(p);
    else if (commit_pending(p, result == 0 ? err : NULL) < 0)
        result = -1;
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].transfer.error && result < 0 && err && !*err) {
            sb_fail(err, jobs[i].transfer.error->code, "%s", jobs[i].transfer.error->message);
            sb_wrap(err, "%" SB_FMT, SB_ARG(sb_image_ref_format(p->arena, &jobs[i].object->pull->ref)));
        }
        sb_file_sink_clear(&jobs[i].sink);
        sb_transfer_clear(&jobs[i].transfer);
    }
    return result;
}

static int add(objects *list, object o, sb_error **err)
{
    if (list->count >= OBJECTS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the images have more than %d parts", OBJECTS_MAX);
    *SB_PUSH(list->items, list->count, list->cap) = o;
    return 0;
}

static unsigned arm_version(sb_slice platform)
{
    sb_slice prefix = SB_LIT("linux/arm/v");

    if (!sb_slice_starts(platform, prefix) || platform.len != prefix.len + 1)
        return 0;
    return (unsigned)(platform.ptr[prefix.len] - '0');
}

/* The best that runs on the platform: as it is, an older 32-bit ARM, the one without a variant. */
static const sb_descriptor *choose(const sb_manifest *index, sb_slice platform)
{
    sb_slice os = platform, base = platform;
    const sb_descriptor *best = NULL;
    unsigned wanted = arm_version(platform), found = 0;

    sb_slice_cut(&os, '/');
    sb_slice_cut(&os, '/');
    if (os.ptr)
        base = sb_slice_of(platform.ptr, platform.len - os.len - 1);
    for (size_t i = 0; i < index->child_count; i++) {
        const sb_descriptor *child = &index->children[i];
        unsigned version = arm_version(child->platform);

        if (child->attestation)
            continue;
        if (sb_slice_eq(child->platform, platform))
            return child;
        if (wanted && version && version < wanted && version > found) {
            found = version;
            best = child;
        } else if (!wanted && !best && sb_slice_eq(child->platform, base)) {
            best = child;
        }
    }
    return best;
}

static int add_child(objects *next, const object *parent, const sb_descriptor *child, sb_error **err)
{
    return add(next, (object){parent->pull, child->digest, child->size, true}, err);
}

/* Nested indexes are followed always: what is in them shows only inside. */
static int add_children(const object *parent, const sb_manifest *index, objects *next, sb_error **err)
{
    const sb_pull *pull = parent->pull;

    for (size_t i = 0; i < index->child_count; i++) {
        const sb_descriptor *child = &index->children[i];

        if (!child->attestation && (sb_media_type_is_index(child->media_type) || !pull->platform_count) &&
            add_child(next, parent, child, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < pull->platform_count; i++) {
        const sb_descriptor *child = choose(index, pull->platforms[i]);

        if (child && add_child(next, parent, child, err) < 0)
            return -1;
    }
    return 0;
}

static int add_blobs(puller *p, const object *parent, const sb_manifest *image, objects *blobs,
                     sb_error **err)
{
    if (add(blobs, (object){parent->pull, image->config.digest, image->config.size, false}, err) < 0)
        return -1;
    for (size_t i = 0; i < image->layer_count; i++) {
        const sb_descriptor *layer = &image->layers[i];

        if (sb_media_type_is_foreign(layer->media_type))
            return sb_fail(err, SB_ERR_NOT_FOUND,
                           "%" SB_FMT " has a layer that its registry may not hand out (%" SB_FMT
                           "); use a base image without such layers",
                           SB_ARG(sb_image_ref_format(p->arena, &parent->pull->ref)),
                           SB_ARG(layer->media_type));
        if (add(blobs, (object){parent->pull, layer->digest, layer->size, false}, err) < 0)
            return -1;
    }
    return 0;
}

/* Reads a level's manifests: what they lead to goes to `next` and `blobs`. */
static int expand(puller *p, const objects *level, objects *next, objects *blobs, sb_error **err)
{
    for (size_t i = 0; i < level->count; i++) {
        const object *o = &level->items[i];
        sb_manifest manifest;
        sb_slice raw;

        if (sb_layout_read(p->layout, p->arena, &o->digest, SB_MANIFEST_MAX, &raw, err) < 0)
            return -1;
        if (sb_manifest_parse(p->arena, raw, SB_NIL, &manifest, err) < 0)
            return sb_wrap(err, "%" SB_FMT, SB_ARG(sb_image_ref_format(p->arena, &o->pull->ref)));
        if (manifest.is_index ? add_children(o, &manifest, next, err) < 0
                              : add_blobs(p, o, &manifest, blobs, err) < 0)
            return -1;
    }
    return 0;
}

static void free_objects(objects *list)
{
    free(list->items);
    *list = (objects){0};
}
#define autoobjects __attribute__((cleanup(free_objects))) objects

int sb_registry_pull(sb_registry *registry, const sb_pull *pulls, size_t count, sb_layout *layout,
                     sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    puller p = {.registry = registry, .layout = layout, .arena = arena};
    autoobjects level = {0}, blobs = {0};

    for (size_t i = 0; i < count; i++) {
        sb_digest digest;

        if (!pulls[i].ref.digest.ptr)
            return sb_fail(err, SB_ERR_INTERNAL, "an image is to be pulled without a digest");
        if (sb_digest_parse(pulls[i].ref.digest, &digest, err) < 0 ||
            add(&level, (object){&pulls[i], digest, 0, true}, err) < 0)
            return -1;
    }
    for (int depth = 0; level.count; depth++) {
        autoobjects next = {0};

        if (depth >= LEVELS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "image indexes are nested too deep");
        if (fetch(&p, &level, err) < 0 || expand(&p, &level, &next, &blobs, err) < 0)
            return -1;
        free_objects(&level);
        level = next;
        next = (objects){0};
    }
    return fetch(&p, &blobs, err);
}
