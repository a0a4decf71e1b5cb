// SPDX-License-Identifier: Apache-2.0
/*
 * What came out of a build and what went into it, as others' tools read it: an in-toto Statement v1 with SLSA
 * provenance v1. It holds no time and nothing of the machine, and is not signed: who vouches is the user.
 */
#include <builder/engine.h>

#include <lock/purl.h>
#include <sbuild/fs.h>

#include <fcntl.h>

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://slsa.dev/provenance/v1"
#define BUILD_TYPE "urn:sbuild:dockerfile:v1"
#define BUILDER_ID "urn:sbuild:user"

enum { STATEMENT_MAX = 64 << 20 };

/* A ResourceDescriptor: a name or a URI, and a digest. */
static json_t *resource(const char *key, sb_slice value, const char *algorithm, sb_slice hex)
{
    json_t *json = json_object(), *digest = json_object();

    sb_json_set_str(json, key, value);
    sb_json_set_str(digest, algorithm, hex);
    json_object_set_new(json, "digest", digest);
    return json;
}

static json_t *resource_of(const char *key, sb_slice value, const sb_digest *digest)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    return resource(key, value, sb_hash_name(digest->algo), sb_slice_z(hex));
}

/* "sha256:…" → the part behind the colon. */
static sb_slice bare_hex(sb_slice digest)
{
    (void)sb_slice_cut(&digest, ':');
    return digest;
}

static json_t *subjects(const sb_outcome *outcome)
{
    json_t *list = json_array();

    for (const char *const *tag = outcome->tags; tag && *tag; tag++)
        json_array_append_new(list, resource_of("name", sb_slice_z(*tag), &outcome->whole.digest));
    if (json_array_size(list) == 0)
        json_array_append_new(list, resource_of("name", SB_LIT("image"), &outcome->whole.digest));
    return list;
}

/* --- What went in --- */

static sb_slice image_uri(sb_arena *arena, const sb_lock_image *image)
{
    char digest[SB_DIGEST_TEXT];
    sb_purl purl = {.type = "oci"};
    sb_image_ref ref;
    ptrdiff_t slash;

    if (sb_image_ref_parse(arena, image->name, &ref, NULL) < 0)
        return image->name;
    slash = sb_slice_rchr(ref.repository, '/');
    sb_digest_format(&image->digest, digest);
    purl.name = sb_slice_sub(ref.repository, (size_t)(slash + 1), ref.repository.len);
    purl.version = sb_arena_dup(arena, sb_slice_z(digest));
    sb_purl_qualify(
        &purl, "repository_url",
        sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(ref.registry), SB_ARG(ref.repository)));
    sb_purl_qualify(&purl, "tag", image->version.len ? image->version : ref.tag);
    return sb_purl_format(arena, &purl);
}

static void add_locked(json_t *list, const sb_lock *lock, sb_arena *arena)
{
    for (size_t i = 0; i < lock->image_count; i++)
        json_array_append_new(
            list, resource_of("uri", image_uri(arena, &lock->images[i]), &lock->images[i].digest));
    for (size_t i = 0; i < lock->file_count; i++)
        json_array_append_new(list, resource_of("uri", lock->files[i].expanded, &lock->files[i].digest));
    for (size_t i = 0; i < lock->git_count; i++) {
        const sb_lock_git *git = &lock->git[i];
        sb_slice uri = sb_arena_printf(arena, "git+%" SB_FMT "%s%" SB_FMT, SB_ARG(git->remote),
                                       git->ref.len ? "@" : "", SB_ARG(git->ref));

        json_array_append_new(list, resource("uri", uri, "gitCommit", git->commit));
    }
    for (size_t i = 0; i < lock->package_count; i++)
        json_array_append_new(list, resource_of("uri", lock->packages[i].purl, &lock->packages[i].digest));
    for (size_t i = 0; i < lock->step_count; i++)
        if (lock->steps[i].has_manifest)
            json_array_append_new(
                list,
                resource_of("name",
                            sb_arena_printf(arena, "requests of RUN %" SB_FMT " (%" SB_FMT ")",
                                            SB_ARG(lock->steps[i].command), SB_ARG(lock->steps[i].platform)),
                            &lock->steps[i].manifest));
}

static int dependencies(const sb_outcome *outcome, sb_arena *arena, json_t *list, sb_error **err)
{
    const sb_project *project = outcome->project;
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, project->text, &digest);
    json_array_append_new(list, resource_of("name", project->dockerfile_name, &digest));
    if (sb_outcome_lock_digest(outcome, &digest, err) < 0)
        return -1;
    json_array_append_new(list, resource_of("name", project->lock_name, &digest));
    add_locked(list, outcome->lock, arena);
    return 0;
}

/* --- How it was built --- */

/* Is this value in the lock, so that everybody may know it? */
static bool is_locked(const sb_lock *lock, const sb_df_var *arg)
{
    for (size_t i = 0; i < lock->profile_count; i++)
        for (size_t k = 0; k < lock->profiles[i].arg_count; k++)
            if (sb_slice_eq(lock->profiles[i].args[k].key, arg->key) &&
                sb_slice_eq(lock->profiles[i].args[k].value, arg->value))
                return true;
    return false;
}

/* Of build arguments that are in no lock the names alone: some are secrets. */
static json_t *external_parameters(const sb_outcome *outcome, const json_t *platforms)
{
    const sb_build_options *options = outcome->options;
    json_t *json = json_object(), *args = json_object(), *others = json_array(), *list = json_array();

    sb_json_set_str(json, "dockerfile", outcome->project->dockerfile_name);
    if (options->target)
        sb_json_set_strz(json, "target", options->target);
    for (size_t i = 0; i < json_array_size(platforms); i++) {
        sb_slice name = sb_json_str(json_array_get(platforms, i), "platform");

        json_array_append_new(list, json_stringn(name.ptr, name.len));
    }
    json_object_set_new(json, "platforms", list);
    for (size_t i = 0; i < options->build_arg_count; i++) {
        const sb_df_var *arg = &options->build_args[i];
        sb_autofree char *key = sb_slice_dup(arg->key);

        if (is_locked(outcome->lock, arg))
            sb_json_set_str(args, key, arg->value);
        else
            json_array_append_new(others, json_string(key));
    }
    json_object_set_new(json, "buildArgs", args);
    json_object_set_new(json, "buildArgsWithoutValue", others);
    list = json_array();
    for (const char *const *step = options->allow_network; step && *step; step++)
        json_array_append_new(list, json_string(*step));
    json_object_set_new(json, "allowNetwork", list);
    return json;
}

static json_t *internal_parameters(const sb_outcome *outcome)
{
    json_t *json = json_object();

    json_object_set_new(json, "sourceDateEpoch", json_integer((json_int_t)outcome->lock->epoch));
    if (outcome->switched.len)
        sb_json_set_str(json, "volatile", outcome->switched);
    return json;
}

static json_t *run_details(const sb_outcome *outcome, const json_t *platforms)
{
    json_t *json = json_object(), *builder = json_object(), *version = json_object(),
           *products = json_array();
    sb_autofree char *engine = sb_slice_dup(outcome->engine->name);

    sb_json_set_strz(version, "sbuild", SBUILD_VERSION);
    sb_json_set_str(version, engine, outcome->engine->version);
    sb_json_set_strz(builder, "id", BUILDER_ID);
    json_object_set_new(builder, "version", version);
    json_object_set_new(json, "builder", builder);
    for (size_t i = 0; i < json_array_size(platforms); i++) {
        const json_t *platform = json_array_get(platforms, i);
        sb_autofree char *name =
            sb_asprintf("image ID of %s", json_string_value(json_object_get(platform, "platform")));

        json_array_append_new(
            products, resource("name", sb_slice_z(name), "sha256", bare_hex(sb_json_str(platform, "image"))));
    }
    json_object_set_new(json, "byproducts", products);
    return json;
}

int sb_attestation_write(const sb_outcome *outcome, const json_t *platforms, const char *path, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autojson *statement = json_object();
    sb_autobuf out = SB_BUF_INIT(STATEMENT_MAX);
    json_t *predicate = json_object(), *definition = json_object(), *resolved = json_array();

    sb_json_set_strz(statement, "_type", STATEMENT_TYPE);
    sb_json_set_strz(statement, "predicateType", PREDICATE_TYPE);
    json_object_set_new(statement, "subject", subjects(outcome));
    json_object_set_new(statement, "predicate", predicate);
    json_object_set_new(predicate, "buildDefinition", definition);
    json_object_set_new(predicate, "runDetails", run_details(outcome, platforms));
    sb_json_set_strz(definition, "buildType", BUILD_TYPE);
    json_object_set_new(definition, "externalParameters", external_parameters(outcome, platforms));
    json_object_set_new(definition, "internalParameters", internal_parameters(outcome));
    json_object_set_new(definition, "resolvedDependencies", resolved);
    if (dependencies(outcome, arena, resolved, err) < 0 || sb_json_write(statement, &out, err) < 0)
        return -1;
    sb_buf_addc(&out, '\n');
    if (sb_buf_check(&out, "the attestation", err) < 0)
        return -1;
    return sb_write_file(AT_FDCWD, path, sb_buf_slice(&out), 0666, err);
}
