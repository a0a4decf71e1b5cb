// SPDX-License-Identifier: Apache-2.0
#include <lock/frozen.h>

#include <sys/utsname.h>

#include <lock/check.h>
#include <lock/project.h>

const char *sb_host_platform(void)
{
    static char text[128];
    struct utsname machine;

    if (!text[0]) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_slice name = SB_LIT("linux/amd64");
        sb_df_platform platform;

        if (uname(&machine) == 0) {
            sb_slice asked = sb_arena_printf(arena, "linux/%s", machine.machine);

            if (sb_slice_eqz(asked, "linux/armv7l") || sb_slice_eqz(asked, "linux/armv6l"))
                asked = sb_slice_eqz(asked, "linux/armv7l") ? SB_LIT("linux/arm/v7") : SB_LIT("linux/arm/v6");
            if (sb_df_platform_parse(arena, asked, &platform, NULL) == 0)
                name = sb_df_platform_format(arena, &platform);
        }
        if (name.len < sizeof(text))
            memcpy(text, name.ptr, name.len);
    }
    return text;
}

typedef struct lookup_state {
    sb_project *project;
    const sb_lock *lock;
    sb_arena *arena; /* the configs live here until the view is made */
    sb_error *missing;
} lookup_state;

static int read_config(lookup_state *state, const sb_lock_image *image, const sb_digest *digest,
                       sb_image_config *ret_config, sb_error **err)
{
    const sb_store *store = sb_project_find(state->project, digest);
    sb_autofree char *name = sb_printable(image->name);
    sb_autofree char *data = NULL;
    size_t len = 0;
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    if (!store) {
        sb_slice command = sb_project_command(state->project, state->arena, "vendor");

        return sb_fail(err, SB_ERR_VERIFY,
                       "the config of %s (%s) is in the lock, but not in %s; run \"%" SB_FMT "\"", name, text,
                       SB_STORE_NAME, SB_ARG(command));
    }
    if (sb_store_read(store, digest, SB_MANIFEST_MAX, &data, &len, err) < 0 ||
        sb_image_config_parse(state->arena, sb_arena_dup(state->arena, sb_slice_of(data, len)), ret_config,
                              err) < 0)
        return sb_wrap(err, "the config of %s", name);
    return 0;
}

static int lookup(void *ctx, sb_slice name, sb_slice platform, sb_df_image_config *ret_config, sb_error **err)
{
    lookup_state *state = ctx;
    const sb_lock_image *image = sb_lock_find_image(state->lock, name);
    const sb_lock_platform *locked = image ? sb_lock_image_platform(image, platform) : NULL;
    sb_image_config config;

    (void)err;
    if (!locked)
        return 0;
    if (read_config(state, image, &locked->config, &config, state->missing ? NULL : &state->missing) < 0)
        return 0;
    *ret_config = (sb_df_image_config){.env = config.env,
                                       .env_count = config.env_count,
                                       .onbuild = config.onbuild,
                                       .onbuild_count = config.onbuild_count,
                                       .shell = config.shell,
                                       .shell_count = config.shell_count,
                                       .os = config.os,
                                       .arch = config.arch};
    return 1;
}

int sb_frozen_expand(sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                     const char *build_platform, sb_df_view **ret_view, sb_error **ret_missing,
                     sb_error **err)
{
    lookup_state state = {.project = project, .lock = lock, .arena = project->arena};
    sb_df_inputs inputs = {.build_args = options->build_args,
                           .build_arg_count = options->build_arg_count,
                           .target = options->target && *options->target ? options->target : NULL,
                           .build_platform = build_platform,
                           .target_platform = options->platform ? options->platform : build_platform,
                           .contexts = options->contexts,
                           .context_count = options->context_count,
                           .lenient = options->lenient,
                           .lookup = lookup,
                           .lookup_ctx = &state};

    if (sb_df_view_new(project->df, &inputs, ret_view, err) < 0) {
        sb_error_free(state.missing);
        return -1;
    }
    *ret_missing = state.missing;
    return 0;
}

sb_slice sb_frozen_origin(const sb_project *project, const sb_df_ref *ref, sb_arena *arena)
{
    sb_autofree char *file = sb_printable(project->dockerfile_name);
    sb_autofree char *text = sb_printable(ref->text);
    const char *what = ref->instruction ? sb_df_keyword_name(ref->instruction->keyword) : "# syntax =";

    if (ref->trigger >= 0)
        return sb_arena_printf(arena, "%s:%u: ONBUILD %s of the base image: %s", file, ref->line, what, text);
    if (ref->flag) {
        sb_autofree char *flag = sb_printable(ref->flag->name);

        return sb_arena_printf(arena, "%s:%u: %s --%s: %s", file, ref->line, what, flag, text);
    }
    return sb_arena_printf(arena, "%s:%u: %s %s", file, ref->line, what, text);
}

bool sb_frozen_is_remote(const sb_df_view *view, const sb_df_ref *ref)
{
    if (!ref->reachable || ref->context || ref->resolved_stage >= 0)
        return false;
    return ref->kind != SB_REF_FROM || ref->stage < 0 || view->stages[ref->stage].base_kind == SB_BASE_IMAGE;
}

/* The last value of a name counts. */
static sb_slice given_arg(const sb_frozen_options *options, sb_slice key)
{
    for (size_t i = options->build_arg_count; i-- > 0;)
        if (sb_slice_eq(options->build_args[i].key, key))
            return options->build_args[i].value;
    return SB_NIL;
}

static bool plain_word(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,:/_@%+=-",
                    text.ptr[i]) ||
            !text.ptr[i])
            return false;
    return text.len > 0;
}

/* The command that would lock what is asked for here. `platforms`: for --platform, or absent. */
static sb_slice remedy(const sb_project *project, const sb_frozen_options *options, const sb_df_view *view,
                       sb_slice platforms, sb_arena *arena)
{
    enum { COMMAND_MAX = 8192 };
    sb_autobuf out = SB_BUF_INIT(COMMAND_MAX);

    sb_buf_adds(&out, sb_project_command(project, arena, "lock"));
    if (options->target && *options->target)
        sb_buf_printf(&out, " --target %s", options->target);
    if (platforms.ptr)
        sb_buf_printf(&out, " --platform %" SB_FMT, SB_ARG(platforms));
    for (size_t i = 0; i < view->locked_arg_count; i++) {
        sb_slice value = given_arg(options, view->locked_args[i]);

        if (!value.ptr)
            continue;
        if (!plain_word(value))
            value = SB_LIT("…");
        sb_buf_printf(&out, " --build-arg %" SB_FMT "=%" SB_FMT, SB_ARG(view->locked_args[i]), SB_ARG(value));
    }
    return sb_arena_dup(arena, sb_buf_slice(&out));
}

/* The build arguments that the reference depends on and that no profile has with this value, in words. */
static sb_slice changed_args(const sb_lock *lock, const sb_frozen_options *options, const sb_df_view *view,
                             sb_arena *arena)
{
    for (size_t i = 0; i < view->locked_arg_count; i++) {
        sb_slice key = view->locked_args[i], value = given_arg(options, key);
        sb_autofree char *shown = sb_printable(value.ptr ? value : SB_LIT(""));
        bool known = !value.ptr;

        for (size_t p = 0; p < lock->profile_count && !known; p++)
            for (size_t a = 0; a < lock->profiles[p].arg_count && !known; a++)
                known = sb_slice_eq(lock->profiles[p].args[a].key, key) &&
                        sb_slice_eq(lock->profiles[p].args[a].value, value);
        if (!known)
            return sb_arena_printf(arena, " (build argument %" SB_FMT "=%s)", SB_ARG(key), shown);
    }
    return SB_LIT("");
}

static void not_locked(const sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                       const sb_df_view *view, const sb_df_ref *ref, sb_lock_findings *findings)
{
    sb_arena *arena = findings->arena;
    sb_slice origin = sb_frozen_origin(project, ref, arena), why = changed_args(lock, options, view, arena);
    sb_slice command = remedy(project, options, view, SB_NIL, arena);
    sb_autofree char *expanded = sb_printable(ref->expanded);

    if (sb_slice_eq(ref->text, ref->expanded))
        sb_lock_findings_add(findings, SB_ERR_STALE, "%" SB_FMT " is not in the lock; run \"%" SB_FMT "\"",
                             SB_ARG(origin), SB_ARG(command));
    else
        sb_lock_findings_add(findings, SB_ERR_STALE,
                             "%" SB_FMT ": \"%s\"%" SB_FMT " is not in the lock; run \"%" SB_FMT "\"",
                             SB_ARG(origin), expanded, SB_ARG(why), SB_ARG(command));
}

static void no_platform(const sb_project *project, const sb_frozen_options *options, const sb_df_view *view,
                        const sb_df_ref *ref, const sb_lock_image *image, sb_slice platform,
                        sb_lock_findings *findings)
{
    enum { LIST_MAX = 4096 };
    sb_arena *arena = findings->arena;
    sb_slice origin = sb_frozen_origin(project, ref, arena), command;
    sb_autofree char *shown = sb_printable(platform);
    sb_autobuf list = SB_BUF_INIT(LIST_MAX);

    for (size_t i = 0; i < image->platform_count; i++) {
        sb_buf_add_printable(&list, image->platforms[i].platform, 100);
        sb_buf_addc(&list, ',');
    }
    sb_buf_addz(&list, shown);
    command = remedy(project, options, view, sb_buf_slice(&list), arena);
    sb_lock_findings_add(findings, SB_ERR_STALE, "%" SB_FMT " is not locked for %s; run \"%" SB_FMT "\"",
                         SB_ARG(origin), shown, SB_ARG(command));
}

static void check_ref(const sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                      const sb_df_view *view, const sb_df_ref *ref, const char *build_platform,
                      sb_lock_findings *findings)
{
    sb_slice platform = ref->kind == SB_REF_SYNTAX ? sb_slice_z(build_platform) : ref->platform;
    const sb_lock_image *image;

    if (ref->kind == SB_REF_ADD_URL || ref->kind == SB_REF_ADD_GIT) {
        if (ref->kind == SB_REF_ADD_URL ? !sb_lock_find_file(lock, ref->expanded)
                                        : !sb_lock_find_git(lock, ref->expanded))
            not_locked(project, lock, options, view, ref, findings);
        return;
    }
    image = sb_lock_find_image(lock, ref->expanded);
    if (!image)
        not_locked(project, lock, options, view, ref, findings);
    else if (!sb_lock_image_platform(image, platform))
        no_platform(project, options, view, ref, image, platform, findings);
}

void sb_frozen_uncovered(const sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                         const sb_df_view *view, const char *build_platform, sb_lock_findings *findings)
{
    const sb_df_ref *incomplete = NULL;
    size_t before = findings->count;

    for (size_t i = 0; i < view->ref_count; i++) {
        const sb_df_ref *ref = &view->refs[i];

        if (!sb_frozen_is_remote(view, ref))
            continue;
        if (!ref->incomplete)
            check_ref(project, lock, options, view, ref, build_platform, findings);
        else if (!incomplete)
            incomplete = ref;
    }
    /* As long as a base image is not locked, what depends on its environment cannot be told. */
    if (incomplete && findings->count == before)
        not_locked(project, lock, options, view, incomplete, findings);
}

/* A build must not go on with bytes that were never held against what the Dockerfile asks of them now. */
static int check_demands(sb_project *project, const sb_lock *lock, const sb_df_view *view,
                         sb_lock_findings *findings, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_check check = {
        .project = project, .lock = (sb_lock *)(uintptr_t)lock, .arena = arena, .findings = findings};

    if (!lock->file_count && !lock->git_count)
        return 0;
    if (sb_check_collect(&check, view, err) < 0)
        return -1;
    sb_check_note_origins(&check, view);
    sb_check_demands(&check);
    return 0;
}

int sb_lock_check_owner(const sb_project *project, const sb_lock *lock, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *file = sb_printable(project->lock_name);
    sb_autofree char *theirs = sb_printable(lock->dockerfile);
    sb_autofree char *ours = sb_printable(project->dockerfile_name);
    sb_slice command = sb_project_command(project, arena, "lock");

    /* Directories do not count: another context gives the same Dockerfile another path. */
    if (sb_slice_eq(sb_path_last(lock->dockerfile), sb_path_last(project->dockerfile_name)))
        return 0;
    return sb_fail(err, SB_ERR_STALE, "%s is the lock of %s, not of %s; remove it and run \"%" SB_FMT "\"",
                   file, theirs, ours, SB_ARG(command));
}

int sb_frozen_view(sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                   sb_df_view **ret_view, sb_error **err)
{
    SB_AUTO(sb_lock_findings) findings = sb_lock_findings_new();
    SB_AUTO(sb_df_view) view = NULL;
    SB_AUTO(sb_error) missing = NULL;

    if (sb_lock_check_owner(project, lock, err) < 0 ||
        sb_frozen_expand(project, lock, options, sb_host_platform(), &view, &missing, err) < 0)
        return -1;
    if (missing)
        return sb_fail(err, missing->code, "%s", missing->message);
    sb_frozen_uncovered(project, lock, options, view, sb_host_platform(), findings);
    if (!findings->count && check_demands(project, lock, view, findings, err) < 0)
        return -1;
    if (findings->count)
        return sb_fail(err, findings->items[0].code, "%.*s", (int)findings->items[0].message.len,
                       findings->items[0].message.ptr);
    *ret_view = SB_TAKE(view);
    return 0;
}
