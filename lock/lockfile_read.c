// SPDX-License-Identifier: Apache-2.0
/* From the JSON document to the lock: every member is checked, what is not known is kept. */
#include <lock/lockfile_member.h>

static json_t *kept(sb_lock *lock, json_t *value)
{
    if (value)
        json_array_append(lock->keep, value);
    return value;
}

static int read_profile(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err)
{
    static const char *const known[] = {"args", "platforms", "target", NULL};
    json_t *args = json_object_get(object, "args"), *value;
    sb_lock_profile *profile = item;
    const char *key;

    if (sb_member_text(r, object, "target", false, &profile->target, err) < 0 ||
        sb_member_texts(r, object, "platforms", &profile->platforms, &profile->platform_count, err) < 0)
        return -1;
    if (!profile->target.ptr)
        profile->target = SB_LIT("");
    if (args && (!json_is_object(args) || json_object_size(args) > SB_LOCK_LIST_MAX))
        return sb_member_bad(r, "args", "must be an object of strings", err);
    profile->args = sb_arena_array(r->lock->arena, sb_df_var, json_object_size(args) + 1);
    json_object_foreach(args, key, value)
    {
        sb_df_var *var = &profile->args[profile->arg_count++];

        var->key = sb_arena_dup(r->lock->arena, sb_slice_z(key));
        if (sb_member_string(r, value, "args", &var->value, err) < 0)
            return -1;
    }
    profile->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

static int read_platforms(const sb_lock_reader *r, const json_t *object, sb_lock_image *image, sb_error **err)
{
    static const char *const known[] = {"config", "manifest", NULL};
    json_t *platforms = json_object_get(object, "platforms"), *value;
    const char *key;

    if (!json_is_object(platforms) || json_object_size(platforms) > SB_LOCK_LIST_MAX)
        return sb_member_bad(r, "platforms", "must be an object with a member for each platform", err);
    image->platforms = sb_arena_array(r->lock->arena, sb_lock_platform, json_object_size(platforms) + 1);
    json_object_foreach(platforms, key, value)
    {
        sb_lock_platform *platform = &image->platforms[image->platform_count++];

        if (!json_is_object(value))
            return sb_member_bad(r, "platforms", "must hold objects", err);
        platform->platform = sb_arena_dup(r->lock->arena, sb_slice_z(key));
        platform->extra = sb_member_unknown(r->lock, value, known);
        if (sb_member_digest(r, value, "manifest", &platform->manifest, err) < 0 ||
            sb_member_digest(r, value, "config", &platform->config, err) < 0)
            return -1;
    }
    return 0;
}

static int read_image(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err)
{
    static const char *const known[] = {"aliases", "created", "digest",    "evidence", "media-type",
                                        "name",    "onbuild", "platforms", "reason",   "ref",
                                        "user",    "version", "where",     NULL};
    sb_lock_image *image = item;
    const json_t *evidence = NULL;

    if (sb_member_text(r, object, "ref", true, &image->ref, err) < 0 ||
        sb_member_text(r, object, "name", true, &image->name, err) < 0 ||
        sb_member_texts(r, object, "where", &image->where, &image->where_count, err) < 0 ||
        sb_member_text(r, object, "version", false, &image->version, err) < 0 ||
        sb_member_text(r, object, "reason", false, &image->reason, err) < 0 ||
        sb_member_texts(r, object, "aliases", &image->aliases, &image->alias_count, err) < 0 ||
        sb_member_digest(r, object, "digest", &image->digest, err) < 0 ||
        sb_member_text(r, object, "media-type", true, &image->media_type, err) < 0 ||
        read_platforms(r, object, image, err) < 0 ||
        sb_member_text(r, object, "user", false, &image->user, err) < 0 ||
        sb_member_texts(r, object, "onbuild", &image->onbuild, &image->onbuild_count, err) < 0 ||
        sb_member_text(r, object, "created", false, &image->created, err) < 0 ||
        sb_member_list(r, object, "evidence", &evidence, err) < 0)
        return -1;
    image->evidence = evidence ? kept(r->lock, json_object_get(object, "evidence")) : NULL;
    image->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

static int read_kind(const sb_lock_reader *r, const json_t *object, sb_evidence_kind *ret_kind,
                     sb_error **err)
{
    sb_slice name = SB_NIL;

    if (sb_member_text(r, object, "kind", true, &name, err) < 0)
        return -1;
    for (int kind = SB_EVIDENCE_TOFU; kind <= SB_EVIDENCE_MINISIGN; kind++) {
        if (sb_slice_eqz(name, sb_lock_evidence_name((sb_evidence_kind)kind))) {
            *ret_kind = (sb_evidence_kind)kind;
            return 0;
        }
    }
    return sb_member_bad(r, "kind", "is of a kind that this version does not know", err);
}

static int read_signers(const sb_lock_reader *r, const json_t *object, sb_lock_evidence *evidence,
                        sb_error **err)
{
    static const char *const known[] = {"created", "fingerprint", "primary", NULL};
    const json_t *list = NULL;

    if (sb_member_list(r, object, "signers", &list, err) < 0)
        return -1;
    evidence->signers = sb_arena_array(r->lock->arena, sb_lock_signer, json_array_size(list) + 1);
    evidence->signer_count = json_array_size(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        sb_lock_signer *signer = &evidence->signers[i];

        if (!json_is_object(entry))
            return sb_member_bad(r, "signers", "must hold objects", err);
        if (sb_member_text(r, entry, "fingerprint", true, &signer->fingerprint, err) < 0 ||
            sb_member_text(r, entry, "primary", false, &signer->primary, err) < 0 ||
            sb_member_time(r, entry, "created", 0, &signer->created, err) < 0)
            return -1;
        signer->extra = sb_member_unknown(r->lock, entry, known);
    }
    return 0;
}

static int read_one_evidence(const sb_lock_reader *r, const json_t *object, sb_lock_evidence *evidence,
                             sb_error **err)
{
    static const char *const known[] = {
        "checksum",      "keys",    "kind",      "list", "minisign-key", "pins", "signature",
        "signature-url", "signers", "threshold", "url",  "verified-at",  NULL};
    const json_t *threshold = json_object_get(object, "threshold");

    if (!json_is_object(object))
        return sb_member_bad(r, NULL, "must be an object", err);
    if (read_kind(r, object, &evidence->kind, err) < 0 ||
        sb_member_text(r, object, "checksum", false, &evidence->checksum, err) < 0 ||
        sb_member_text(r, object, "url", false, &evidence->url, err) < 0 ||
        sb_member_text(r, object, "signature-url", false, &evidence->signature_url, err) < 0 ||
        sb_member_digest_if(r, object, "signature", &evidence->has_signature, &evidence->signature, err) <
            0 ||
        sb_member_digest_if(r, object, "list", &evidence->has_list, &evidence->list, err) < 0 ||
        sb_member_digests(r, object, "keys", &evidence->keys, &evidence->key_count, err) < 0 ||
        sb_member_texts(r, object, "pins", &evidence->pins, &evidence->pin_count, err) < 0 ||
        read_signers(r, object, evidence, err) < 0 ||
        sb_member_text(r, object, "minisign-key", false, &evidence->minisign_key, err) < 0 ||
        sb_member_time(r, object, "verified-at", 0, &evidence->verified_at, err) < 0)
        return -1;
    if (threshold && (!json_is_integer(threshold) || json_integer_value(threshold) < 0 ||
                      json_integer_value(threshold) > SB_LOCK_LIST_MAX))
        return sb_member_bad(r, "threshold", "must be a small number", err);
    evidence->threshold = (unsigned)json_integer_value(threshold);
    evidence->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

static int read_evidence(const sb_lock_reader *outer, const json_t *object, sb_lock_evidence **ret_evidence,
                         size_t *ret_count, sb_error **err)
{
    sb_lock_evidence *evidence;
    sb_lock_reader r = *outer;
    const json_t *list = NULL;

    if (sb_member_list(&r, object, "evidence", &list, err) < 0)
        return -1;
    evidence = sb_arena_array(r.lock->arena, sb_lock_evidence, json_array_size(list) + 1);
    r.list = "evidence";
    for (r.list_index = 0; r.list_index < json_array_size(list); r.list_index++)
        if (read_one_evidence(&r, json_array_get(list, r.list_index), &evidence[r.list_index], err) < 0)
            return -1;
    *ret_evidence = evidence;
    *ret_count = json_array_size(list);
    return 0;
}

static int read_file(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err)
{
    static const char *const known[] = {"digest",        "evidence", "expanded", "final-host",
                                        "last-modified", "size",     "url",      NULL};
    sb_lock_file *file = item;

    if (sb_member_text(r, object, "url", true, &file->url, err) < 0 ||
        sb_member_text(r, object, "expanded", false, &file->expanded, err) < 0 ||
        sb_member_digest(r, object, "digest", &file->digest, err) < 0 ||
        sb_member_size(r, object, &file->size, err) < 0 ||
        sb_member_text(r, object, "final-host", false, &file->final_host, err) < 0 ||
        sb_member_time(r, object, "last-modified", -1, &file->last_modified, err) < 0 ||
        read_evidence(r, object, &file->evidence, &file->evidence_count, err) < 0)
        return -1;
    if (!file->expanded.ptr)
        file->expanded = file->url;
    file->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

static int read_git(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err)
{
    static const char *const known[] = {"archive",    "commit", "evidence", "expanded", "git-dir",
                                        "ref",        "remote", "size",     "subdir",   "submodules",
                                        "tag-object", "url",    NULL};
    sb_lock_git *git = item;

    if (sb_member_text(r, object, "url", true, &git->url, err) < 0 ||
        sb_member_text(r, object, "expanded", false, &git->expanded, err) < 0 ||
        sb_member_text(r, object, "remote", true, &git->remote, err) < 0 ||
        sb_member_text(r, object, "ref", false, &git->ref, err) < 0 ||
        sb_member_text(r, object, "commit", true, &git->commit, err) < 0 ||
        sb_member_text(r, object, "tag-object", false, &git->tag_object, err) < 0 ||
        sb_member_text(r, object, "subdir", false, &git->subdir, err) < 0 ||
        sb_member_bool(r, object, "git-dir", &git->git_dir, err) < 0 ||
        sb_member_bool(r, object, "submodules", &git->submodules, err) < 0 ||
        sb_member_digest(r, object, "archive", &git->archive, err) < 0 ||
        sb_member_size(r, object, &git->size, err) < 0 ||
        read_evidence(r, object, &git->evidence, &git->evidence_count, err) < 0)
        return -1;
    if (!git->expanded.ptr)
        git->expanded = git->url;
    if (!git->ref.ptr)
        git->ref = SB_LIT("");
    git->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

static int read_step(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err)
{
    static const char *const known[] = {"command",  "manifest", "network", "nth",  "platform",
                                        "requests", "size",     "stage",   "text", NULL};
    sb_lock_step *step = item;
    uint64_t nth = 0, requests = 0;

    if (sb_member_text(r, object, "stage", false, &step->stage, err) < 0 ||
        sb_member_text(r, object, "command", true, &step->command, err) < 0 ||
        sb_member_digest(r, object, "text", &step->text, err) < 0 ||
        sb_member_number(r, object, "nth", SB_LOCK_ENTRIES_MAX, &nth, err) < 0 ||
        sb_member_text(r, object, "platform", true, &step->platform, err) < 0 ||
        sb_member_text(r, object, "network", false, &step->network, err) < 0 ||
        sb_member_number(r, object, "requests", SB_STEP_REQUESTS_MAX, &requests, err) < 0 ||
        sb_member_number(r, object, "size", INT64_MAX, &step->size, err) < 0 ||
        sb_member_digest_if(r, object, "manifest", &step->has_manifest, &step->manifest, err) < 0)
        return -1;
    if (!step->stage.ptr)
        step->stage = SB_LIT("");
    step->nth = (unsigned)nth;
    step->requests = (size_t)requests;
    step->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

static int read_package(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err)
{
    static const char *const known[] = {"digest", "integrity", "purl", "steps", "vouched", NULL};
    sb_lock_package *package = item;

    if (sb_member_text(r, object, "purl", true, &package->purl, err) < 0 ||
        sb_member_digest(r, object, "digest", &package->digest, err) < 0 ||
        sb_member_text(r, object, "integrity", false, &package->integrity, err) < 0 ||
        sb_member_text(r, object, "vouched", false, &package->vouched, err) < 0 ||
        sb_member_texts(r, object, "steps", &package->steps, &package->step_count, err) < 0)
        return -1;
    package->extra = sb_member_unknown(r->lock, object, known);
    return 0;
}

typedef int (*entry_reader)(const sb_lock_reader *r, const json_t *object, void *item, sb_error **err);

/* One top-level array as an array of structures; NULL is a failure. */
static void *read_section(sb_lock_reader *r, const json_t *json, const char *section, size_t item_size,
                          entry_reader read, size_t *ret_count, sb_error **err)
{
    const json_t *array = json_object_get(json, section);
    size_t count = json_array_size(array);
    char *items = sb_arena_alloc(r->lock->arena, item_size * (count <= SB_LOCK_ENTRIES_MAX ? count + 1 : 1));

    if (array && !json_is_array(array)) {
        sb_fail(err, SB_ERR_PARSE, "%s:1: \"%s\" must be a list" SB_LOCK_REMEDY, r->name, section);
        return NULL;
    }
    if (count > SB_LOCK_ENTRIES_MAX) {
        sb_fail(err, SB_ERR_LIMIT, "%s: %s has more than %d entries", r->name, section, SB_LOCK_ENTRIES_MAX);
        return NULL;
    }
    r->section = section;
    for (r->index = 0; r->index < count; r->index++) {
        const json_t *entry = json_array_get(array, r->index);

        if (!json_is_object(entry)) {
            sb_member_bad(r, NULL, "must be an object", err);
            return NULL;
        }
        if (read(r, entry, items + r->index * item_size, err) < 0)
            return NULL;
    }
    *ret_count = count;
    return items;
}

static int read_head(sb_lock_reader *r, const json_t *json, sb_error **err)
{
    json_t *version = json_object_get(json, "version");
    json_t *epoch = json_object_get(json, "epoch");
    sb_lock *lock = r->lock;
    sb_slice digest = sb_json_str(json, "dockerfile-digest");
    sb_slice path = sb_json_str(json, "dockerfile");

    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return sb_fail(err, SB_ERR_PARSE,
                       "%s:1: it is no lock of sbuild: \"version\" is missing" SB_LOCK_REMEDY, r->name);
    if (json_integer_value(version) > SB_LOCK_VERSION)
        return sb_fail(err, SB_ERR_USAGE,
                       "%s has version %lld of the lock format, and this sbuild knows %d; use a newer sbuild",
                       r->name, (long long)json_integer_value(version), SB_LOCK_VERSION);
    if (!path.ptr || path.len > SB_LOCK_TEXT_MAX)
        return sb_fail(err, SB_ERR_PARSE, "%s:1: \"dockerfile\" must be a path" SB_LOCK_REMEDY, r->name);
    if (sb_digest_parse(digest, &lock->dockerfile_digest, NULL) < 0 ||
        lock->dockerfile_digest.algo != SB_HASH_SHA256)
        return sb_fail(err, SB_ERR_PARSE,
                       "%s:1: \"dockerfile-digest\" must be a sha256 digest" SB_LOCK_REMEDY, r->name);
    if (!json_is_integer(epoch) || json_integer_value(epoch) < 0)
        return sb_fail(err, SB_ERR_PARSE,
                       "%s:1: \"epoch\" must be a number of seconds since 1970" SB_LOCK_REMEDY, r->name);
    lock->version = json_integer_value(version);
    lock->dockerfile = sb_arena_dup(lock->arena, path);
    lock->epoch = json_integer_value(epoch);
    return 0;
}

static int twice(const sb_lock_reader *r, const char *section, sb_slice what, sb_error **err)
{
    sb_autofree char *shown = sb_printable(what);

    return sb_fail(err, SB_ERR_PARSE,
                   "%s: %s names %s twice, as after a merge; keep one of the two lines, then run "
                   "\"sbuild lock\"",
                   r->name, section, shown);
}

static int refuse_duplicates(const sb_lock_reader *r, sb_error **err)
{
    const sb_lock *lock = r->lock;

    for (size_t i = 1; i < lock->profile_count; i++)
        if (sb_lock_profile_cmp(&lock->profiles[i - 1], &lock->profiles[i]) == 0)
            return twice(r, "profiles", lock->profiles[i].target, err);
    for (size_t i = 1; i < lock->image_count; i++)
        if (sb_lock_image_cmp(&lock->images[i - 1], &lock->images[i]) == 0)
            return twice(r, "images", lock->images[i].ref, err);
    for (size_t i = 1; i < lock->file_count; i++)
        if (sb_lock_file_cmp(&lock->files[i - 1], &lock->files[i]) == 0)
            return twice(r, "files", lock->files[i].url, err);
    for (size_t i = 1; i < lock->git_count; i++)
        if (sb_lock_git_cmp(&lock->git[i - 1], &lock->git[i]) == 0)
            return twice(r, "git", lock->git[i].url, err);
    for (size_t i = 1; i < lock->package_count; i++)
        if (sb_lock_package_cmp(&lock->packages[i - 1], &lock->packages[i]) == 0)
            return twice(r, "packages", lock->packages[i].purl, err);
    for (size_t i = 1; i < lock->step_count; i++)
        if (sb_lock_step_cmp(&lock->steps[i - 1], &lock->steps[i]) == 0)
            return twice(r, "steps", lock->steps[i].command, err);
    return 0;
}

int sb_lock_read(sb_lock *lock, const json_t *json, const char *name, sb_slice text, sb_error **err)
{
    static const char *const known[] = {"dockerfile", "dockerfile-digest", "epoch",    "files", "git",
                                        "images",     "packages",          "profiles", "steps", "version",
                                        NULL};
    sb_lock_reader r = {.lock = lock, .name = name, .text = text};

    if (!json_is_object(json))
        return sb_fail(err, SB_ERR_PARSE, "%s:1: it is no lock of sbuild: not an object" SB_LOCK_REMEDY,
                       name);
    if (read_head(&r, json, err) < 0)
        return -1;
    lock->profiles =
        read_section(&r, json, "profiles", sizeof(*lock->profiles), read_profile, &lock->profile_count, err);
    if (!lock->profiles)
        return -1;
    lock->images =
        read_section(&r, json, "images", sizeof(*lock->images), read_image, &lock->image_count, err);
    if (!lock->images)
        return -1;
    lock->files = read_section(&r, json, "files", sizeof(*lock->files), read_file, &lock->file_count, err);
    if (!lock->files)
        return -1;
    lock->git = read_section(&r, json, "git", sizeof(*lock->git), read_git, &lock->git_count, err);
    if (!lock->git)
        return -1;
    lock->packages =
        read_section(&r, json, "packages", sizeof(*lock->packages), read_package, &lock->package_count, err);
    if (!lock->packages)
        return -1;
    lock->steps = read_section(&r, json, "steps", sizeof(*lock->steps), read_step, &lock->step_count, err);
    if (!lock->steps)
        return -1;
    lock->extra = sb_member_unknown(lock, json, known);
    sb_lock_sort(lock);
    return refuse_duplicates(&r, err);
}
