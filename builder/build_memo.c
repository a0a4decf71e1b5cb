// SPDX-License-Identifier: Apache-2.0
#include <builder/build_memo.h>

#include <sbuild/fs.h>

#include <fcntl.h>

enum { MEMO_MAX = 1 << 20 };

/* "…/canonical/HEX.json" below the user's cache: what a repository brings along must not have a say here. */
static char *memo_path(const sb_project *project, sb_error **err)
{
    sb_autofree char *cache = sb_cache_dir(err);
    sb_autofree char *dir = cache ? sb_path_join(cache, "canonical") : NULL;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    if (!dir || sb_mkdirs(dir, err) < 0)
        return NULL;
    sb_digest_of(SB_HASH_SHA256, project->dockerfile_path, &digest);
    sb_digest_hex(&digest, hex);
    return sb_asprintf("%s/%s.json", dir, hex);
}

static int open_layout(sb_memo *memo, bool fresh, sb_error **err)
{
    sb_autofree char *scratch = NULL;
    sb_autofree char *path = NULL;
    sb_autoclose int fd = -1;

    if (sb_project_scratch(memo->project, &fd, &scratch, err) < 0)
        return -1;
    sb_layout_free(memo->layout);
    memo->layout = NULL;
    if (fresh && sb_remove_tree(fd, "image", err) < 0)
        return -1;
    path = sb_path_join(scratch, "image");
    return sb_layout_open(path, true, &memo->layout, err);
}

int sb_memo_open(sb_project *project, sb_memo *memo, sb_error **err)
{
    sb_autofree char *path = memo_path(project, err);
    sb_autofree char *text = NULL;
    bool missing = false;
    size_t len;

    if (!path)
        return -1;
    *memo = (sb_memo){.project = project, .used = json_object()};
    /* One that cannot be read only costs time. */
    if (sb_read_file(AT_FDCWD, path, MEMO_MAX, &text, &len, &missing, NULL) == 0)
        (void)sb_json_parse(sb_slice_of(text, len), path, &memo->known, NULL);
    return open_layout(memo, !memo->known, err);
}

int sb_memo_key(const sb_plan *plan, const sb_layout *result, const sb_digest *manifest,
                const sb_canonical_options *options, char **ret_key, sb_error **err)
{
    sb_autobuf switched = SB_BUF_INIT(1 << 16);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char config[SB_DIGEST_TEXT], base[SB_DIGEST_TEXT] = "scratch";
    sb_manifest parsed;
    sb_slice raw;

    if (sb_layout_read(result, arena, manifest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &parsed, err) < 0)
        return -1;
    /* The config names every layer by its content. */
    sb_digest_format(&parsed.config.digest, config);
    if (plan->base)
        sb_digest_format(&plan->base->manifest, base);
    sb_volatile_switched(options, &switched);
    *ret_key = sb_asprintf("%s on %s at %lld by %s%s%s", config, base, (long long)options->epoch,
                           SBUILD_VERSION, switched.len ? ": " : "", switched.len ? switched.data : "");
    return 0;
}

static bool is_whole(const sb_layout *layout, const sb_descriptor *blob)
{
    sb_autoclose int fd = -1;
    sb_digest digest;

    return sb_layout_has(layout, &blob->digest, blob->size) &&
           sb_layout_open_blob(layout, &blob->digest, &fd, NULL) == 0 &&
           sb_digest_of_fd(blob->digest.algo, fd, &digest, NULL, NULL) == 0 &&
           sb_digest_eq(&digest, &blob->digest);
}

/* All of it, with the content that its digests say: the directory is the repository's, too. */
static bool is_complete(const sb_layout *layout, sb_arena *arena, const sb_digest *image)
{
    sb_manifest manifest;
    sb_slice raw;

    if (sb_layout_read(layout, arena, image, SB_MANIFEST_MAX, &raw, NULL) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, NULL) < 0 || !is_whole(layout, &manifest.config))
        return false;
    for (size_t i = 0; i < manifest.layer_count; i++)
        if (!is_whole(layout, &manifest.layers[i]))
            return false;
    return true;
}

bool sb_memo_find(sb_memo *memo, const char *key, sb_arena *arena, sb_descriptor *ret_image)
{
    json_t *entry = sb_json_object(memo->known, key);
    sb_descriptor image = {.media_type = SB_LIT(SB_MEDIA_OCI_MANIFEST)};

    if (!entry || sb_digest_parse(sb_json_str(entry, "digest"), &image.digest, NULL) < 0 ||
        !is_complete(memo->layout, arena, &image.digest))
        return false;
    image.size = (uint64_t)sb_json_int(entry, "size", 0);
    json_object_set(memo->used, key, entry);
    *ret_image = image;
    return true;
}

int sb_memo_make_room(sb_memo *memo, sb_error **err)
{
    if (json_object_size(memo->used))
        return 0;
    json_decref(memo->known);
    memo->known = NULL;
    return open_layout(memo, true, err);
}

void sb_memo_add(sb_memo *memo, const char *key, const sb_descriptor *image)
{
    sb_autofree char *digest = sb_digest_dup(&image->digest);

    json_object_set_new(memo->used, key,
                        json_pack("{s:s, s:I}", "digest", digest, "size", (json_int_t)image->size));
}

int sb_memo_save(sb_memo *memo, sb_error **err)
{
    sb_autofree char *path = memo_path(memo->project, err);
    sb_autobuf out = SB_BUF_INIT(MEMO_MAX);

    if (!path || sb_json_write(memo->used, &out, err) < 0)
        return -1;
    return sb_write_file(AT_FDCWD, path, sb_buf_slice(&out), 0644, err);
}

void sb_memo_close(sb_memo *memo)
{
    json_decref(memo->known);
    json_decref(memo->used);
    sb_layout_free(memo->layout);
}
