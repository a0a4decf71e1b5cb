// SPDX-License-Identifier: Apache-2.0
/* Does the lock cover the Dockerfile, is everything there, and does everything that vouches still hold? */
#include <lock/check.h>

#include <unistd.h>

#include <lock/evidence.h>
#include <lock/frozen.h>
#include <lock/objects.h>
#include <lock/project.h>

sb_slice sb_check_where(const sb_check *check, sb_slice expanded)
{
    sb_autofree char *shown = sb_printable(expanded);

    for (size_t i = 0; i < check->origin_count; i++)
        if (sb_slice_eq(check->origins[i].expanded, expanded))
            return sb_arena_printf(check->arena, "%" SB_FMT ": %s", SB_ARG(check->origins[i].where), shown);
    return sb_arena_printf(check->arena, "%s", shown);
}

/* The name under which an image's entry is known, so that an origin can be found by either spelling. */
static sb_slice key_of(const sb_check *check, const sb_df_ref *ref)
{
    const sb_lock_image *image;

    if (ref->kind == SB_REF_ADD_URL || ref->kind == SB_REF_ADD_GIT)
        return ref->expanded;
    image = sb_lock_find_image(check->lock, ref->expanded);
    return image ? image->name : ref->expanded;
}

void sb_check_note_origins(sb_check *check, const sb_df_view *view)
{
    sb_autofree char *file = sb_printable(check->project->dockerfile_name);

    for (size_t i = 0; i < view->ref_count; i++) {
        const sb_df_ref *ref = &view->refs[i];
        sb_slice key;
        bool known = false;

        if (!sb_frozen_is_remote(view, ref))
            continue;
        key = key_of(check, ref);
        for (size_t k = 0; k < check->origin_count && !known; k++)
            known = sb_slice_eq(check->origins[k].expanded, key);
        if (!known)
            *SB_ARENA_PUSH(check->arena, check->origins, check->origin_count, check->origin_cap) =
                (sb_origin){.expanded = sb_arena_dup(check->arena, key),
                            .where = sb_arena_printf(check->arena, "%s:%u", file, ref->line)};
    }
}

/* Frontends and --platform=$BUILDPLATFORM were locked for the platforms of the profile, too: the answer does
 * not depend on the machine that asks, unless that is one of them. */
static const char *build_platform(const sb_lock_profile *profile, const char *platform)
{
    for (size_t i = 0; i < profile->platform_count; i++)
        if (sb_slice_eqz(profile->platforms[i], sb_host_platform()))
            return sb_host_platform();
    return platform;
}

static int check_profile(sb_check *check, const sb_lock_profile *profile, sb_slice platform, sb_error **err)
{
    sb_autofree char *target = sb_slice_dup(profile->target);
    sb_autofree char *text = sb_slice_dup(platform);
    const char *build = build_platform(profile, text);
    sb_frozen_options options = {.build_args = profile->args,
                                 .build_arg_count = profile->arg_count,
                                 .target = target,
                                 .platform = text};
    SB_AUTO(sb_df_view) view = NULL;
    SB_AUTO(sb_error) missing = NULL;
    SB_AUTO(sb_error) why = NULL;

    /* A stage that is gone, a variable that must be set: the lock was made for another Dockerfile. */
    if (sb_frozen_expand(check->project, check->lock, &options, build, &view, &missing, &why) < 0) {
        sb_lock_findings_take(check->findings, NULL, &why);
        return 0;
    }
    sb_check_note_origins(check, view);
    check->findings->checked += view->ref_count;
    /* A config that is missing is told once, with the other objects. */
    if (!missing) {
        sb_frozen_uncovered(check->project, check->lock, &options, view, build, check->findings);
        if (sb_check_run_steps(check, view, err) < 0)
            return -1;
    }
    return sb_check_collect(check, view, err);
}

static int check_coverage(sb_check *check, sb_error **err)
{
    sb_lock_profile none = {.target = SB_LIT("")};
    size_t profiles = 0;

    for (size_t p = 0; p < check->lock->profile_count; p++) {
        const sb_lock_profile *profile = &check->lock->profiles[p];

        for (size_t i = 0; i < profile->platform_count; i++, profiles++)
            if (check_profile(check, profile, profile->platforms[i], err) < 0)
                return -1;
    }
    return profiles ? 0 : check_profile(check, &none, sb_slice_z(sb_host_platform()), err);
}

typedef struct rehash_state {
    sb_check *check;
    const sb_needed_list *needed, *bodies;
} rehash_state;

static sb_slice name_of(const rehash_state *state, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    for (size_t i = 0; i < state->needed->count; i++)
        if (sb_digest_eq(&state->needed->items[i].digest, digest))
            return sb_needed_name(&state->needed->items[i], state->check->arena);
    for (size_t i = 0; i < state->bodies->count; i++)
        if (sb_digest_eq(&state->bodies->items[i].digest, digest))
            return sb_needed_name(&state->bodies->items[i], state->check->arena);
    sb_digest_format(digest, text);
    return sb_arena_dup(state->check->arena, sb_slice_z(text));
}

static int rehash(void *ctx, const sb_digest *digest, uint64_t size, sb_error **err)
{
    rehash_state *state = ctx;
    sb_check *check = state->check;
    SB_AUTO(sb_error) why = NULL;
    sb_autoclose int fd = -1;
    uint64_t found;

    (void)size;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    check->findings->checked++;
    if (sb_store_open_object(check->project->store, digest, &fd, &found, &why) < 0) {
        sb_slice name = name_of(state, digest);
        sb_autofree char *where = sb_slice_dup(name);

        sb_lock_findings_take(check->findings, where, &why);
    }
    return 0;
}

static void check_present(sb_check *check, const sb_needed *needed)
{
    const sb_store *store = check->project->store;
    sb_slice part, where, command;
    char text[SB_DIGEST_TEXT];

    if (store && sb_store_has(store, &needed->digest, needed->size))
        return;
    part = sb_needed_part(needed, check->arena);
    where = needed->step ? sb_check_step_where(check, needed->step) : sb_check_where(check, needed->name);
    command = sb_project_command(check->project, check->arena, "vendor");
    sb_digest_format(&needed->digest, text);
    if (store && sb_store_has(store, &needed->digest, 0))
        sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                             "%" SB_FMT
                             ": %s in %s has another size than the lock says; remove it from there and "
                             "run \"%" SB_FMT "\"",
                             SB_ARG(where), text, SB_STORE_NAME, SB_ARG(command));
    else
        sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                             "%" SB_FMT ": %s%" SB_FMT " (%s) is not in %s; run \"%" SB_FMT "\"",
                             SB_ARG(where), part.len ? "its " : "it", SB_ARG(part), text, SB_STORE_NAME,
                             SB_ARG(command));
}

static int check_store(sb_check *check, const sb_needed_list *needed, sb_error **err)
{
    sb_needed_list bodies = {0};
    rehash_state state = {.check = check, .needed = needed, .bodies = &bodies};

    sb_check_load_steps(check, &bodies);
    if (check->project->store && sb_store_each(check->project->store, rehash, &state, err) < 0)
        return -1;
    if (!check->project->store && needed->count) {
        sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                             "there is no %s here, but the lock needs %zu objects in it; run \"%" SB_FMT "\"",
                             SB_STORE_NAME, needed->count,
                             SB_ARG(sb_project_command(check->project, check->arena, "vendor")));
        return 0;
    }
    for (size_t i = 0; i < needed->count; i++)
        check_present(check, &needed->items[i]);
    sb_check_bodies(check, &bodies);
    return 0;
}

/* A repository that holds some of its base images' layers promises to hold all: offline builds rely on it. */
static void check_layers(sb_check *check)
{
    const sb_store *store = check->project->store;
    sb_needed_list layers = {0};
    SB_AUTO(sb_error) why = NULL;
    bool some = false;

    /* A damaged manifest has been told already. */
    if (!store || sb_needed_layers(check->lock, store, check->arena, &layers, &why) < 0)
        return;
    for (size_t i = 0; i < layers.count && !some; i++)
        some = sb_store_has(store, &layers.items[i].digest, 0);
    for (size_t i = 0; i < layers.count && some; i++)
        if (!sb_store_has(store, &layers.items[i].digest, layers.items[i].size))
            sb_lock_findings_add(check->findings, SB_ERR_VERIFY,
                                 "%" SB_FMT " is not all in %s, as other base images are; run \"%" SB_FMT
                                 "\"",
                                 SB_ARG(sb_check_where(check, layers.items[i].name)), SB_STORE_NAME,
                                 SB_ARG(sb_project_command(check->project, check->arena, "vendor --images")));
}

/* 1 with the document, 0 when it is missing or damaged, which has been told already. */
static bool read_document(const sb_check *check, const sb_digest *digest, sb_slice *ret_data)
{
    SB_AUTO(sb_error) told = NULL;
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_store_read(check->project->store, digest, SB_MANIFEST_MAX, &data, &len, &told) < 0)
        return false;
    *ret_data = sb_arena_dup(check->arena, sb_slice_of(data, len));
    return true;
}

static void check_images(sb_check *check)
{
    for (size_t i = 0; check->project->store && i < check->lock->image_count; i++) {
        const sb_lock_image *image = &check->lock->images[i];
        sb_slice index, manifest;

        for (size_t p = 0; p < image->platform_count; p++) {
            const sb_lock_platform *platform = &image->platforms[p];
            sb_slice where = sb_check_where(check, image->name);
            SB_AUTO(sb_error) why = NULL;

            if (read_document(check, &image->digest, &index) &&
                read_document(check, &platform->manifest, &manifest) &&
                sb_image_check_chain(image, platform, index, manifest, check->arena, &why) < 0)
                sb_lock_findings_take(check->findings, where.ptr, &why);
        }
    }
}

static bool all_there(const sb_check *check, const sb_lock_evidence *evidence, const sb_digest *itself)
{
    sb_digest *digests;
    size_t count = sb_evidence_objects(evidence, check->arena, &digests);

    for (size_t i = 0; i < count; i++)
        if (!sb_store_has(check->project->store, &digests[i], 0))
            return false;
    return sb_store_has(check->project->store, itself, 0);
}

/* What vouches for a file or a repository, one of the two. */
typedef struct vouched {
    sb_slice expanded;
    const sb_digest *digest;
    const sb_lock_evidence *evidence;
    size_t count;
    const sb_lock_file *file;
    const sb_lock_git *git;
} vouched;

static int recheck(const sb_check *check, const vouched *v, const sb_lock_evidence *evidence, sb_error **err)
{
    const sb_store *store = check->project->store;

    return v->file ? sb_evidence_recheck(store, v->file, evidence, check->arena, err)
                   : sb_evidence_recheck_git(store, v->git, evidence, check->arena, err);
}

static void check_evidence(sb_check *check, const vouched *v)
{
    sb_slice where = sb_check_where(check, v->expanded);
    sb_autofree char *shown = sb_slice_dup(where);
    bool vouches = false;

    for (size_t i = 0; i < v->count; i++) {
        SB_AUTO(sb_error) why = NULL;

        vouches = vouches || sb_evidence_vouches(&v->evidence[i]);
        check->findings->checked++;
        /* What is missing has been told already. */
        if (check->project->store && all_there(check, &v->evidence[i], v->digest) &&
            recheck(check, v, &v->evidence[i], &why) < 0)
            sb_lock_findings_take(check->findings, shown, &why);
    }
    if (!vouches && check->project->settings->require_signatures)
        sb_lock_findings_add(
            check->findings, SB_ERR_UNPINNED,
            "%s: nobody vouches for it, and the settings require that; add --checksum or a \"# "
            "sbuild: verify\" comment, then run \"sbuild lock\"",
            shown);
}

static void check_vouched(sb_check *check)
{
    for (size_t i = 0; i < check->lock->file_count; i++) {
        const sb_lock_file *file = &check->lock->files[i];

        check_evidence(check, &(vouched){.expanded = file->expanded,
                                         .digest = &file->digest,
                                         .evidence = file->evidence,
                                         .count = file->evidence_count,
                                         .file = file});
    }
    for (size_t i = 0; i < check->lock->git_count; i++) {
        const sb_lock_git *git = &check->lock->git[i];

        check_evidence(check, &(vouched){.expanded = git->expanded,
                                         .digest = &git->archive,
                                         .evidence = git->evidence,
                                         .count = git->evidence_count,
                                         .git = git});
    }
}

int sb_lock_verify(sb_project *project, bool online, sb_lock_findings **ret_findings, sb_error **err)
{
    SB_AUTO(sb_lock_findings) findings = sb_lock_findings_new();
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_check check = {.project = project, .arena = arena, .findings = findings};
    sb_needed_list needed = {0};

    if (sb_lock_load(project, &lock, err) < 0 || sb_lock_check_owner(project, lock, err) < 0)
        return -1;
    check.lock = lock;
    sb_needed_by_lock(lock, arena, &needed);
    if (check_coverage(&check, err) < 0)
        return -1;
    sb_check_demands(&check);
    if (check_store(&check, &needed, err) < 0)
        return -1;
    check_layers(&check);
    check_images(&check);
    check_vouched(&check);
    if (sb_check_native(&check, err) < 0)
        return -1;
    if (online && sb_check_online(&check, err) < 0)
        return -1;
    *ret_findings = SB_TAKE(findings);
    return 0;
}
