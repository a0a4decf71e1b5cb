// SPDX-License-Identifier: Apache-2.0
/* What the Dockerfile wants from the network, under every profile that is locked. */
#include <lock/update.h>

#include <stdlib.h>

enum { PLATFORMS_MAX = 64, PROFILES_MAX = 256 };

static int cmp_slices(const void *a, const void *b)
{
    return sb_slice_cmp(*(const sb_slice *)a, *(const sb_slice *)b);
}

/* Sorted, each once. */
static void set_platforms(sb_updater *u, sb_lock_profile *profile, sb_slice *platforms, size_t count)
{
    size_t kept = 0;

    (void)u;
    qsort(platforms, count, sizeof(*platforms), cmp_slices);
    for (size_t i = 0; i < count; i++)
        if (!kept || !sb_slice_eq(platforms[kept - 1], platforms[i]))
            platforms[kept++] = platforms[i];
    profile->platforms = platforms;
    profile->platform_count = kept;
}

static const sb_lock_profile *old_profile(const sb_lock *lock, sb_slice target)
{
    for (size_t i = 0; i < lock->profile_count; i++)
        if (sb_slice_eq(lock->profiles[i].target, target))
            return &lock->profiles[i];
    return NULL;
}

/* What was asked for; else what this profile, or any other, is locked for; else this machine's. */
static void choose_platforms(sb_updater *u, sb_lock_profile *profile, const sb_lock_profile *old)
{
    sb_slice *platforms = NULL;
    size_t count = 0, cap = 0;
    sb_lock *lock = u->lock;

    for (size_t i = 0; u->options->platforms && u->options->platforms[i]; i++) {
        sb_df_platform platform;
        sb_slice text = sb_slice_z(u->options->platforms[i]);

        if (sb_df_platform_parse(lock->arena, text, &platform, NULL) == 0)
            text = sb_df_platform_format(lock->arena, &platform);
        *SB_ARENA_PUSH(lock->arena, platforms, count, cap) = sb_arena_dup(lock->arena, text);
    }
    for (size_t p = 0; !count && p < lock->profile_count; p++)
        for (size_t i = 0; (!old || old == &lock->profiles[p]) && i < lock->profiles[p].platform_count; i++)
            *SB_ARENA_PUSH(lock->arena, platforms, count, cap) = lock->profiles[p].platforms[i];
    if (!count)
        *SB_ARENA_PUSH(lock->arena, platforms, count, cap) =
            sb_arena_dup(lock->arena, sb_slice_z(sb_host_platform()));
    set_platforms(u, profile, platforms, count);
}

static sb_run_profile *add_profile(sb_updater *u, sb_slice target)
{
    sb_run_profile *run = SB_ARENA_PUSH(u->arena, u->profiles, u->profile_count, u->profile_cap);

    run->profile = sb_arena_new_of(u->arena, sb_lock_profile);
    run->profile->target = sb_arena_dup(u->lock->arena, target);
    return run;
}

void sb_update_profiles(sb_updater *u)
{
    sb_slice target = sb_slice_z(u->options->target ? u->options->target : "");
    const sb_lock_profile *old = old_profile(u->lock, target);
    sb_run_profile *run = add_profile(u, target);

    if (old)
        run->profile->extra = old->extra;
    run->args = u->options->build_args;
    run->arg_count = u->options->build_arg_count;
    choose_platforms(u, run->profile, old);
    for (size_t i = 0; i < u->lock->profile_count && u->profile_count < PROFILES_MAX; i++) {
        const sb_lock_profile *other = &u->lock->profiles[i];

        if (sb_slice_eq(other->target, target))
            continue;
        run = add_profile(u, other->target);
        *run->profile = *other;
        run->args = other->args;
        run->arg_count = other->arg_count;
        run->old = true;
    }
}

static sb_slice origin_of(sb_updater *u, unsigned line)
{
    return sb_arena_printf(u->arena, "%" SB_FMT ":%u", SB_ARG(u->project->dockerfile_name), line);
}

static void want_platform(sb_updater *u, sb_want_image *want, sb_slice platform, bool optional)
{
    for (size_t i = 0; i < want->platform_count; i++)
        if (sb_slice_eq(want->platforms[i], platform)) {
            want->resolved = want->resolved && (optional || !want->optional[i]);
            want->optional[i] = want->optional[i] && optional;
            return;
        }
    *SB_ARENA_PUSH(u->arena, want->platforms, want->platform_count, want->platform_cap) =
        sb_arena_dup(u->arena, platform);
    want->optional =
        sb_arena_grow(u->arena, want->optional, want->platform_count - 1, &want->optional_cap, sizeof(bool));
    want->optional[want->platform_count - 1] = optional;
    want->resolved = false;
}

static unsigned where_of(const sb_df_ref *ref)
{
    unsigned where = ref->trigger >= 0 ? SB_WHERE_ONBUILD : 0;

    switch (ref->kind) {
    case SB_REF_FROM:
        return where | SB_WHERE_FROM;
    case SB_REF_COPY:
        return where | SB_WHERE_COPY;
    case SB_REF_MOUNT:
        return where | SB_WHERE_MOUNT;
    case SB_REF_SYNTAX:
        return where | SB_WHERE_SYNTAX;
    case SB_REF_ADD_URL:
    case SB_REF_ADD_GIT:
        break;
    }
    return where;
}

static int want_image(sb_updater *u, const sb_df_ref *ref, sb_slice platform, bool optional, sb_error **err)
{
    sb_image_ref parsed;
    sb_want_image *want = NULL;
    sb_slice name;

    if (sb_image_ref_parse(u->arena, ref->expanded, &parsed, err) < 0) {
        /* What the variables are is what is wrong. */
        if (!sb_slice_eq(ref->text, ref->expanded))
            (void)sb_wrap(err, "%" SB_FMT, SB_ARG(ref->text));
        return sb_wrap(err, "%" SB_FMT, SB_ARG(origin_of(u, ref->line)));
    }
    name = sb_image_ref_format(u->arena, &parsed);
    for (size_t i = 0; i < u->image_count && !want; i++)
        if (sb_slice_eq(u->images[i].name, name))
            want = &u->images[i];
    if (!want) {
        want = SB_ARENA_PUSH(u->arena, u->images, u->image_count, u->image_cap);
        *want = (sb_want_image){
            .ref = sb_arena_dup(u->arena, ref->text), .name = name, .origin = origin_of(u, ref->line)};
        /* The view goes away, the reference stays. */
        if (sb_image_ref_parse(u->arena, sb_arena_dup(u->arena, ref->expanded), &want->parsed, err) < 0)
            return -1;
    }
    /* Of several spellings the first by bytes stands in the lock, whatever the order of the instructions. */
    if (sb_slice_cmp(ref->text, want->ref) < 0)
        want->ref = sb_arena_dup(u->arena, ref->text);
    want->where |= where_of(ref);
    want_platform(u, want, platform, optional);
    return 0;
}

/* BuildKit takes an empty --checksum for none, which nobody who writes one can want. */
static int add_checksum(sb_updater *u, const sb_df_ref *ref, sb_want_source *want, sb_error **err)
{
    if (!ref->checksum.ptr)
        return 0;
    if (!ref->checksum.len)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": --checksum is empty once its variables are expanded",
                       SB_ARG(origin_of(u, ref->line)));
    for (size_t i = 0; i < want->checksum_count; i++)
        if (sb_slice_eq(want->checksums[i], ref->checksum))
            return 0;
    *SB_ARENA_PUSH(u->arena, want->checksums, want->checksum_count, want->checksum_cap) =
        sb_arena_dup(u->arena, ref->checksum);
    return 0;
}

static bool is_seen(const sb_want_source *want, const sb_df_instruction *ins)
{
    for (size_t i = 0; i < want->seen_count; i++)
        if (want->seen[i] == ins->span.start)
            return true;
    return false;
}

int sb_update_want_source(sb_updater *u, const sb_df_view *view, const sb_df_ref *ref, sb_error **err)
{
    sb_want_source *want = NULL;
    sb_demand *demands;
    size_t count;
    const sb_df_flag *git_dir = sb_df_find_flag(ref->instruction, "keep-git-dir");

    for (size_t i = 0; i < u->source_count && !want; i++)
        if (sb_slice_eq(u->sources[i].expanded, ref->expanded))
            want = &u->sources[i];
    if (!want) {
        want = SB_ARENA_PUSH(u->arena, u->sources, u->source_count, u->source_cap);
        *want = (sb_want_source){.is_git = ref->kind == SB_REF_ADD_GIT,
                                 .url = sb_arena_dup(u->arena, ref->text),
                                 .expanded = sb_arena_dup(u->arena, ref->expanded),
                                 .origin = origin_of(u, ref->line)};
    }
    if (sb_slice_cmp(ref->text, want->url) < 0)
        want->url = sb_arena_dup(u->arena, ref->text);
    if (add_checksum(u, ref, want, err) < 0)
        return -1;
    if (git_dir && !sb_slice_eqz(git_dir->value, "false"))
        want->keep_git_dir = true;
    /* A trigger's instruction dies with the view, and has no comments. */
    if (ref->trigger >= 0 || is_seen(want, ref->instruction))
        return 0;
    *SB_ARENA_PUSH(u->arena, want->seen, want->seen_count, want->seen_cap) = ref->instruction->span.start;
    if (sb_verify_comments_of(u->arena, view->df, ref->instruction, &demands, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        *SB_ARENA_PUSH(u->arena, want->demands, want->demand_count, want->demand_cap) = demands[i];
    return 0;
}

static int want_ref(sb_updater *u, const sb_df_view *view, const sb_df_ref *ref, const char *build_platform,
                    sb_error **err)
{
    bool optional = strcmp(build_platform, sb_host_platform()) != 0;

    if (!ref->reachable || ref->context || ref->resolved_stage >= 0)
        return 0;
    if (ref->incomplete) /* decided when the base image is known */
        return 0;
    if (ref->kind == SB_REF_ADD_URL || ref->kind == SB_REF_ADD_GIT)
        return sb_update_want_source(u, view, ref, err);
    if (ref->kind == SB_REF_SYNTAX) /* a frontend runs where the build runs */
        return want_image(u, ref, sb_slice_z(build_platform), optional, err);
    if (ref->kind == SB_REF_FROM && ref->stage >= 0 && view->stages[ref->stage].base_kind != SB_BASE_IMAGE)
        return 0;
    return want_image(u, ref, ref->platform, optional, err);
}

/* A reference that nothing can expand: an error once all base images are known. */
static void note_incomplete(sb_updater *u, const sb_df_view *view)
{
    for (size_t i = 0; i < view->ref_count && !u->incomplete.ptr; i++) {
        const sb_df_ref *ref = &view->refs[i];

        if (ref->reachable && ref->incomplete && !ref->context) {
            sb_autofree char *text = sb_printable(ref->text);

            u->incomplete =
                sb_arena_printf(u->arena, "%" SB_FMT ": \"%s\"", SB_ARG(origin_of(u, ref->line)), text);
        }
    }
}

/* A verify comment above an ADD that takes nothing from the network would silently do nothing. */
static int check_comments(const sb_df_view *view, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();

    for (size_t i = 0; i < view->df->instruction_count; i++) {
        const sb_df_instruction *ins = &view->df->instructions[i];
        sb_demand *demands;
        size_t count;
        bool used = false;

        if (ins->keyword != SB_DF_ADD || !ins->comment_count)
            continue;
        if (sb_verify_comments_of(arena, view->df, ins, &demands, &count, err) < 0)
            return -1;
        for (size_t k = 0; k < view->ref_count && !used; k++)
            used = view->refs[k].instruction == ins;
        if (count && !used)
            return sb_fail(err, SB_ERR_PARSE,
                           "%" SB_FMT
                           ": \"# sbuild: verify\" stands above an ADD without a URL; only downloads can be "
                           "verified",
                           SB_ARG(demands[0].origin));
    }
    return 0;
}

static int lookup(void *ctx, sb_slice image, sb_slice platform, sb_df_image_config *ret_config,
                  sb_error **err)
{
    sb_image_config config;
    int r = sb_update_config(ctx, image, platform, &config, err);

    if (r <= 0)
        return r;
    *ret_config = (sb_df_image_config){.env = config.env,
                                       .env_count = config.env_count,
                                       .onbuild = config.onbuild,
                                       .onbuild_count = config.onbuild_count,
                                       .shell = config.shell,
                                       .shell_count = config.shell_count};
    return 1;
}

static bool args_contain(const sb_lock_profile *profile, sb_slice key)
{
    for (size_t i = 0; i < profile->arg_count; i++)
        if (sb_slice_eq(profile->args[i].key, key))
            return true;
    return false;
}

static int cmp_vars(const void *a, const void *b)
{
    return sb_slice_cmp(((const sb_df_var *)a)->key, ((const sb_df_var *)b)->key);
}

/* Is it declared before a RUN, whose downloads it may change? Stages hand their arguments on. */
static bool reaches_run(const sb_df_view *view, sb_slice key)
{
    const sb_dockerfile *df = view->df;
    bool declared = false;

    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];

        if (ins->stage < 0 || !view->stages[ins->stage].reachable)
            continue;
        for (size_t k = 0; ins->keyword == SB_DF_ARG && k < ins->pair_count; k++)
            declared = declared || sb_slice_eq(ins->pairs[k].key, key);
        if (ins->keyword == SB_DF_RUN && declared)
            return true;
    }
    return false;
}

static bool is_locked_arg(const sb_df_view *view, sb_slice key)
{
    for (size_t k = 0; k < view->locked_arg_count; k++)
        if (sb_slice_eq(view->locked_args[k], key))
            return true;
    return reaches_run(view, key);
}

/* Those build args of the profile that can change the lock; the last of a name counts. */
static void keep_args(sb_updater *u, sb_run_profile *run, const sb_df_view *view)
{
    sb_lock_profile *profile = run->profile;
    sb_df_var *args = sb_arena_array(u->lock->arena, sb_df_var, profile->arg_count + run->arg_count + 1);
    size_t n = profile->arg_count;

    if (n)
        memcpy(args, profile->args, n * sizeof(*args));
    profile->args = args;
    for (size_t i = run->arg_count; i-- > 0;)
        if (is_locked_arg(view, run->args[i].key) && !args_contain(profile, run->args[i].key)) {
            args[n++] = (sb_df_var){.key = sb_arena_dup(u->lock->arena, run->args[i].key),
                                    .value = sb_arena_dup(u->lock->arena, run->args[i].value)};
            profile->arg_count = n;
        }
    qsort(args, n, sizeof(*args), cmp_vars);
}

static int collect_one(sb_updater *u, sb_run_profile *run, sb_slice platform, const char *build_platform,
                       sb_error **err)
{
    SB_AUTO(sb_df_view) view = NULL;
    sb_autofree char *target = sb_slice_dup(run->profile->target);
    sb_autofree char *target_platform = sb_slice_dup(platform);
    sb_df_inputs inputs = {.build_args = run->args,
                           .build_arg_count = run->arg_count,
                           .target = run->profile->target.len ? target : NULL,
                           .build_platform = build_platform,
                           .target_platform = target_platform,
                           .contexts = u->options->contexts,
                           .context_count = u->options->context_count,
                           .lookup = lookup,
                           .lookup_ctx = u};

    if (sb_df_view_new(u->project->df, &inputs, &view, err) < 0)
        return -1;
    for (size_t i = 0; i < view->ref_count; i++)
        if (want_ref(u, view, &view->refs[i], build_platform, err) < 0)
            return -1;
    keep_args(u, run, view);
    if (strcmp(build_platform, sb_host_platform()) == 0)
        note_incomplete(u, view);
    return sb_update_match_runs(u, view, err) < 0 ? -1 : check_comments(view, err);
}

static bool mentions_build_platform(sb_slice text)
{
    return sb_slice_find(text, SB_LIT("BUILDPLATFORM")) >= 0 ||
           sb_slice_find(text, SB_LIT("BUILDARCH")) >= 0 || sb_slice_find(text, SB_LIT("BUILDOS")) >= 0 ||
           sb_slice_find(text, SB_LIT("BUILDVARIANT")) >= 0;
}

/* The platforms that a build of this profile may run on: this machine's, and those that it is for. */
static size_t build_platforms(const sb_updater *u, const sb_run_profile *run, const char **ret_platforms)
{
    const sb_dockerfile *df = u->project->df;
    size_t n = 0;

    ret_platforms[n++] = sb_host_platform();
    if (!df->syntax.ptr && !mentions_build_platform(df->text))
        return n;
    for (size_t i = 0; i < run->profile->platform_count && n <= PLATFORMS_MAX; i++)
        if (!sb_slice_eqz(run->profile->platforms[i], sb_host_platform()))
            ret_platforms[n++] = sb_arena_strdup(u->arena, run->profile->platforms[i]);
    return n;
}

static int collect_profile(sb_updater *u, sb_run_profile *run, sb_error **err)
{
    const char *builds[PLATFORMS_MAX + 2];
    size_t build_count;

    if (run->profile->platform_count > PLATFORMS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "more than %d platforms", PLATFORMS_MAX);
    build_count = build_platforms(u, run, builds);
    for (size_t i = 0; i < run->profile->platform_count; i++)
        for (size_t b = 0; b < build_count; b++)
            if (collect_one(u, run, run->profile->platforms[i], builds[b], err) < 0)
                return -1;
    return 0;
}

int sb_update_collect(sb_updater *u, bool *ret_pending, sb_error **err)
{
    u->incomplete = SB_NIL;
    for (size_t i = 0; i < u->profile_count; i++) {
        sb_run_profile *run = &u->profiles[i];
        SB_AUTO(sb_error) failed = NULL;

        if (run->dropped)
            continue;
        if (!run->old) {
            if (collect_profile(u, run, err) < 0)
                return -1;
        } else if (collect_profile(u, run, &failed) < 0) {
            /* What was locked for another target once need not fit the Dockerfile any more. */
            run->dropped = true;
            sb_progress_line(u->progress, SB_EVENT_WARNING,
                             "the lock for --target %" SB_FMT " is dropped: %s", SB_ARG(run->profile->target),
                             failed->message);
        }
    }
    *ret_pending = false;
    for (size_t i = 0; i < u->image_count; i++)
        *ret_pending = *ret_pending || !u->images[i].resolved;
    if (!*ret_pending && u->incomplete.ptr)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT
                       " uses a variable that nothing sets; give it a default with ARG, or --build-arg",
                       SB_ARG(u->incomplete));
    return 0;
}
