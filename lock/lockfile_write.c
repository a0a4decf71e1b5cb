// SPDX-License-Identifier: Apache-2.0
/* From the lock to bytes: members and entries sorted, one entry per line, nothing that is at its default. */
#include <lock/lockfile.h>

#include <stdlib.h>

#include <sbuild/timefmt.h>

/* A document in the making. The first thing that cannot be written is remembered. */
typedef struct writer {
    sb_slice bad; /* absent while all is well */
    const char *bad_key;
} writer;

static void add(writer *w, json_t *object, const char *key, json_t *value, sb_slice shown)
{
    if (value && json_object_set_new(object, key, value) == 0)
        return;
    if (!w->bad.ptr) {
        w->bad = shown;
        w->bad_key = key;
    }
}

/* NULL for what JSON cannot hold and for what the reader would refuse. */
static json_t *string(sb_slice text)
{
    if (text.len > SB_LOCK_TEXT_MAX || sb_slice_chr(text, '\0') >= 0)
        return NULL;
    return json_stringn(text.len ? text.ptr : "", text.len);
}

static void add_text(writer *w, json_t *object, const char *key, sb_slice text)
{
    if (text.ptr)
        add(w, object, key, string(text), text);
}

static json_t *digest_string(const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    return json_string(text);
}

static void add_digest(writer *w, json_t *object, const char *key, const sb_digest *digest)
{
    add(w, object, key, digest_string(digest), SB_LIT("a digest"));
}

static void add_texts(writer *w, json_t *object, const char *key, const sb_slice *texts, size_t count)
{
    json_t *list;

    if (!count)
        return;
    list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, string(texts[i])) < 0)
            add(w, object, key, NULL, texts[i]);
    add(w, object, key, list, SB_LIT("a list"));
}

static void add_time(writer *w, json_t *object, const char *key, int64_t when)
{
    char text[SB_TIME_TEXT];

    sb_time_format(when, text);
    add(w, object, key, json_string(text), SB_LIT("a time"));
}

static void add_number(writer *w, json_t *object, const char *key, uint64_t number)
{
    add(w, object, key, number > INT64_MAX ? NULL : json_integer((json_int_t)number), SB_LIT("a number"));
}

static void add_size(writer *w, json_t *object, uint64_t size)
{
    add_number(w, object, "size", size);
}

static void add_extra(json_t *object, const json_t *extra)
{
    if (extra)
        json_object_update_missing(object, (json_t *)(uintptr_t)extra);
}

static json_t *write_profile(writer *w, const void *item)
{
    const sb_lock_profile *profile = item;
    json_t *object = json_object();

    if (profile->target.len)
        add_text(w, object, "target", profile->target);
    add_texts(w, object, "platforms", profile->platforms, profile->platform_count);
    if (profile->arg_count) {
        json_t *args = json_object();

        for (size_t i = 0; i < profile->arg_count; i++) {
            sb_autofree char *key = sb_slice_dup(profile->args[i].key);

            if (json_object_set_new(args, key, string(profile->args[i].value)) < 0)
                add(w, object, "args", NULL, profile->args[i].key);
        }
        add(w, object, "args", args, SB_LIT("arguments"));
    }
    add_extra(object, profile->extra);
    return object;
}

static void add_platforms(writer *w, json_t *object, const sb_lock_image *image)
{
    json_t *platforms = json_object();

    for (size_t i = 0; i < image->platform_count; i++) {
        const sb_lock_platform *platform = &image->platforms[i];
        sb_autofree char *key = sb_slice_dup(platform->platform);
        json_t *one = json_object();

        add_digest(w, one, "manifest", &platform->manifest);
        add_digest(w, one, "config", &platform->config);
        add_extra(one, platform->extra);
        add(w, platforms, key, one, platform->platform);
    }
    add(w, object, "platforms", platforms, SB_LIT("platforms"));
}

static json_t *write_image(writer *w, const void *item)
{
    const sb_lock_image *image = item;
    json_t *object = json_object();

    add_text(w, object, "ref", image->ref);
    add_text(w, object, "name", image->name);
    add_texts(w, object, "where", image->where, image->where_count);
    add_text(w, object, "version", image->version);
    add_text(w, object, "reason", image->reason);
    add_texts(w, object, "aliases", image->aliases, image->alias_count);
    add_digest(w, object, "digest", &image->digest);
    add_text(w, object, "media-type", image->media_type);
    add_platforms(w, object, image);
    add_text(w, object, "user", image->user);
    add_texts(w, object, "onbuild", image->onbuild, image->onbuild_count);
    add_text(w, object, "created", image->created);
    if (image->evidence)
        json_object_set(object, "evidence", image->evidence);
    add_extra(object, image->extra);
    return object;
}

const char *sb_lock_evidence_name(sb_evidence_kind kind)
{
    static const char *const names[] = {
        [SB_EVIDENCE_TOFU] = "tofu",           [SB_EVIDENCE_CHECKSUM] = "checksum",
        [SB_EVIDENCE_CHECKSUMS] = "checksums", [SB_EVIDENCE_OPENPGP] = "openpgp",
        [SB_EVIDENCE_MINISIGN] = "minisign",
    };

    return names[kind];
}

static void add_signers(writer *w, json_t *object, const sb_lock_evidence *evidence)
{
    json_t *list;

    if (!evidence->signer_count)
        return;
    list = json_array();
    for (size_t i = 0; i < evidence->signer_count; i++) {
        const sb_lock_signer *signer = &evidence->signers[i];
        json_t *one = json_object();

        add_text(w, one, "fingerprint", signer->fingerprint);
        add_text(w, one, "primary", signer->primary);
        if (signer->created)
            add_time(w, one, "created", signer->created);
        add_extra(one, signer->extra);
        json_array_append_new(list, one);
    }
    add(w, object, "signers", list, SB_LIT("signers"));
}

static json_t *write_one_evidence(writer *w, const sb_lock_evidence *evidence)
{
    json_t *object = json_object();

    json_object_set_new(object, "kind", json_string(sb_lock_evidence_name(evidence->kind)));
    add_text(w, object, "checksum", evidence->checksum);
    add_text(w, object, "url", evidence->url);
    add_text(w, object, "signature-url", evidence->signature_url);
    if (evidence->has_signature)
        add_digest(w, object, "signature", &evidence->signature);
    if (evidence->has_list)
        add_digest(w, object, "list", &evidence->list);
    if (evidence->key_count) {
        json_t *keys = json_array();

        for (size_t i = 0; i < evidence->key_count; i++)
            json_array_append_new(keys, digest_string(&evidence->keys[i]));
        json_object_set_new(object, "keys", keys);
    }
    add_texts(w, object, "pins", evidence->pins, evidence->pin_count);
    if (evidence->threshold)
        json_object_set_new(object, "threshold", json_integer(evidence->threshold));
    add_signers(w, object, evidence);
    add_text(w, object, "minisign-key", evidence->minisign_key);
    if (evidence->verified_at)
        add_time(w, object, "verified-at", evidence->verified_at);
    add_extra(object, evidence->extra);
    return object;
}

static void add_evidence(writer *w, json_t *object, const sb_lock_evidence *evidence, size_t count)
{
    json_t *list;

    if (!count)
        return;
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, write_one_evidence(w, &evidence[i]));
    json_object_set_new(object, "evidence", list);
}

static json_t *write_file(writer *w, const void *item)
{
    const sb_lock_file *file = item;
    json_t *object = json_object();

    add_text(w, object, "url", file->url);
    if (!sb_slice_eq(file->url, file->expanded))
        add_text(w, object, "expanded", file->expanded);
    add_digest(w, object, "digest", &file->digest);
    add_size(w, object, file->size);
    add_text(w, object, "final-host", file->final_host);
    if (file->last_modified >= 0)
        add_time(w, object, "last-modified", file->last_modified);
    add_evidence(w, object, file->evidence, file->evidence_count);
    add_extra(object, file->extra);
    return object;
}

static json_t *write_git(writer *w, const void *item)
{
    const sb_lock_git *git = item;
    json_t *object = json_object();

    add_text(w, object, "url", git->url);
    if (!sb_slice_eq(git->url, git->expanded))
        add_text(w, object, "expanded", git->expanded);
    add_text(w, object, "remote", git->remote);
    if (git->ref.len)
        add_text(w, object, "ref", git->ref);
    add_text(w, object, "commit", git->commit);
    add_text(w, object, "tag-object", git->tag_object);
    add_text(w, object, "subdir", git->subdir);
    if (git->git_dir)
        json_object_set_new(object, "git-dir", json_true());
    if (git->submodules)
        json_object_set_new(object, "submodules", json_true());
    add_digest(w, object, "archive", &git->archive);
    add_size(w, object, git->size);
    add_evidence(w, object, git->evidence, git->evidence_count);
    add_extra(object, git->extra);
    return object;
}

static json_t *write_step(writer *w, const void *item)
{
    const sb_lock_step *step = item;
    json_t *object = json_object();

    if (step->stage.len)
        add_text(w, object, "stage", step->stage);
    add_text(w, object, "command", step->command);
    add_digest(w, object, "text", &step->text);
    if (step->nth)
        add_number(w, object, "nth", step->nth);
    add_text(w, object, "platform", step->platform);
    add_text(w, object, "network", step->network);
    if (step->requests)
        add_number(w, object, "requests", step->requests);
    if (step->size)
        add_size(w, object, step->size);
    if (step->has_manifest)
        add_digest(w, object, "manifest", &step->manifest);
    add_extra(object, step->extra);
    return object;
}

static json_t *write_package(writer *w, const void *item)
{
    const sb_lock_package *package = item;
    json_t *object = json_object();

    add_text(w, object, "purl", package->purl);
    add_digest(w, object, "digest", &package->digest);
    add_text(w, object, "integrity", package->integrity);
    add_text(w, object, "vouched", package->vouched);
    add_texts(w, object, "steps", package->steps, package->step_count);
    add_extra(object, package->extra);
    return object;
}

static void add_section(writer *w, json_t *root, const char *key, const void *items, size_t count,
                        size_t item_size, json_t *(*write)(writer *w, const void *item))
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, write(w, (const char *)items + i * item_size));
    json_object_set_new(root, key, list);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The order of the file's own members: what tells what the file is comes first, the rest is sorted. */
static size_t member_order(json_t *root, const char **ret_keys)
{
    static const char *const first[] = {"version", "dockerfile", "dockerfile-digest", "epoch"};
    size_t count = 0;
    const char *key;
    json_t *value;

    for (size_t i = 0; i < SB_COUNT(first); i++)
        ret_keys[count++] = first[i];
    json_object_foreach(root, key, value)
    {
        bool is_first = false;

        for (size_t i = 0; i < SB_COUNT(first) && !is_first; i++)
            is_first = strcmp(first[i], key) == 0;
        if (!is_first)
            ret_keys[count++] = key;
    }
    qsort(ret_keys + SB_COUNT(first), count - SB_COUNT(first), sizeof(*ret_keys), by_name);
    return count;
}

static int write_member(sb_buf *out, const char *key, const json_t *value, sb_error **err)
{
    sb_autojson *name = json_string(key);
    const char *before = "";

    sb_buf_addz(out, "  ");
    if (sb_json_write(name, out, err) < 0)
        return -1;
    sb_buf_addz(out, ": ");
    if (!json_is_array(value) || !json_array_size(value))
        return sb_json_write(value, out, err);
    sb_buf_addc(out, '[');
    for (size_t i = 0; i < json_array_size(value); i++) {
        sb_buf_printf(out, "%s\n    ", before);
        if (sb_json_write(json_array_get(value, i), out, err) < 0)
            return -1;
        before = ",";
    }
    sb_buf_addz(out, "\n  ]");
    return 0;
}

int sb_lock_format(sb_lock *lock, sb_buf *out, sb_error **err)
{
    sb_autojson *root = json_object();
    sb_autofree const char **keys = NULL;
    const char *before = "{";
    writer w = {0};
    size_t count;

    sb_lock_sort(lock);
    json_object_set_new(root, "version", json_integer(SB_LOCK_VERSION));
    add_text(&w, root, "dockerfile", lock->dockerfile);
    add_digest(&w, root, "dockerfile-digest", &lock->dockerfile_digest);
    json_object_set_new(root, "epoch", json_integer(lock->epoch));
    add_section(&w, root, "profiles", lock->profiles, lock->profile_count, sizeof(*lock->profiles),
                write_profile);
    add_section(&w, root, "images", lock->images, lock->image_count, sizeof(*lock->images), write_image);
    add_section(&w, root, "files", lock->files, lock->file_count, sizeof(*lock->files), write_file);
    add_section(&w, root, "git", lock->git, lock->git_count, sizeof(*lock->git), write_git);
    add_section(&w, root, "packages", lock->packages, lock->package_count, sizeof(*lock->packages),
                write_package);
    add_section(&w, root, "steps", lock->steps, lock->step_count, sizeof(*lock->steps), write_step);
    add_extra(root, lock->extra);
    if (w.bad.ptr) {
        sb_autofree char *shown = sb_printable(w.bad);

        return sb_fail(err, SB_ERR_PARSE, "\"%s\" cannot go into the lock (%s): it is not UTF-8 or too long",
                       shown, w.bad_key);
    }
    keys = sb_new_array(const char *, json_object_size(root) + 4);
    count = member_order(root, keys);
    for (size_t i = 0; i < count; i++) {
        sb_buf_printf(out, "%s\n", before);
        if (write_member(out, keys[i], json_object_get(root, keys[i]), err) < 0)
            return -1;
        before = ",";
    }
    sb_buf_addz(out, "\n}\n");
    return sb_buf_check(out, "the lock", err);
}
