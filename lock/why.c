// SPDX-License-Identifier: Apache-2.0
/* Which instruction needs something of the lock, what it is, and who vouches for it. */
#include <lock/why.h>

#include <lock/evidence.h>
#include <lock/frozen.h>
#include <lock/objects.h>
#include <lock/project.h>

#include <sbuild/timefmt.h>

bool sb_why_digest_matches(const sb_why *a, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];
    sb_slice all;

    sb_digest_format(digest, text);
    all = sb_slice_z(text);
    /* From the front of it or of its hex: hex in the middle is more likely part of a name. */
    return sb_slice_starts(all, a->what) ||
           (a->what.len >= 6 && sb_slice_starts(sb_slice_sub(all, strlen("sha256:"), all.len), a->what));
}

bool sb_why_text_matches(const sb_why *a, sb_slice text)
{
    return text.len && sb_slice_find(text, a->what) >= 0;
}

/* Does a digest of something that this entry needs match? NULL, or what it is. */
static const sb_needed *needed_matches(const sb_why *a, const sb_needed_list *list, const void *entry)
{
    for (size_t i = 0; i < list->count; i++) {
        const sb_needed *one = &list->items[i];

        if ((one->image == entry || one->file == entry || one->git == entry) &&
            sb_why_digest_matches(a, &one->digest))
            return one;
    }
    return NULL;
}

void sb_why_line(sb_why *a, const char *label, const char *fmt, ...)
{
    sb_autofree char *text = NULL;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len >= 0)
        sb_buf_printf(a->out, "  %-12s %s\n", label, text);
}

void sb_why_begin(sb_why *a, const char *kind, sb_slice name)
{
    if (a->answers++)
        sb_buf_addc(a->out, '\n');
    sb_buf_printf(a->out, "%s ", kind);
    sb_buf_add_printable(a->out, name, SB_WHY_SHOWN);
    sb_buf_addc(a->out, '\n');
}

static void add_matched(sb_why *a, const sb_needed *matched)
{
    if (matched)
        sb_why_line(a, "object", "%" SB_FMT, SB_ARG(sb_needed_name(matched, a->arena)));
}

/* The instructions, each once, that take `entry` from the lock. */
static void add_instructions(sb_why *a, const void *entry)
{
    sb_autofree char *file = sb_printable(a->project->dockerfile_name);
    unsigned seen[64];
    size_t count = 0, before = a->out->len;

    for (size_t v = 0; v < a->view_count; v++) {
        for (size_t i = 0; i < a->views[v]->ref_count; i++) {
            const sb_df_ref *ref = &a->views[v]->refs[i];
            const void *locked =
                ref->kind == SB_REF_ADD_URL   ? (const void *)sb_lock_find_file(a->lock, ref->expanded)
                : ref->kind == SB_REF_ADD_GIT ? (const void *)sb_lock_find_git(a->lock, ref->expanded)
                                              : (const void *)sb_lock_find_image(a->lock, ref->expanded);
            bool known = false;

            if (locked != entry || !sb_frozen_is_remote(a->views[v], ref))
                continue;
            for (size_t k = 0; k < count && !known; k++)
                known = seen[k] == ref->line;
            if (known || count == SB_COUNT(seen))
                continue;
            seen[count++] = ref->line;
            sb_why_line(a, "needed by", "%" SB_FMT, SB_ARG(sb_frozen_origin(a->project, ref, a->arena)));
        }
    }
    if (a->out->len == before)
        sb_why_line(a, "needed by", "nothing in %s any more; \"sbuild lock\" drops it", file);
}

void sb_why_digest(sb_why *a, const char *label, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    sb_why_line(a, label, "%s", text);
}

static void tell_image(sb_why *a, const sb_lock_image *image, const sb_needed *matched)
{
    sb_autofree char *version = sb_printable(image->version.len ? image->version : SB_LIT(""));
    sb_autofree char *reason = sb_printable(image->reason.len ? image->reason : SB_LIT("none is known"));

    sb_why_begin(a, "image", image->name);
    add_matched(a, matched);
    add_instructions(a, image);
    if (*version)
        sb_why_line(a, "version", "%s", version);
    else
        sb_why_line(a, "version", "none: %s", reason);
    sb_why_digest(a, "digest", &image->digest);
    for (size_t i = 0; i < image->platform_count; i++) {
        sb_autofree char *platform = sb_printable(image->platforms[i].platform);
        char text[SB_DIGEST_TEXT];

        sb_digest_format(&image->platforms[i].manifest, text);
        sb_why_line(a, "platform", "%s %s", platform, text);
    }
    if (json_array_size(image->evidence))
        sb_why_line(a, "vouched by", "%zu signatures in the lock", json_array_size(image->evidence));
    else
        sb_why_line(a, "vouched by", "the registry, when it was locked");
}

static void add_evidence(sb_why *a, const sb_lock_evidence *evidence, size_t count)
{
    sb_why_line(a, "vouched by", "%" SB_FMT, SB_ARG(sb_evidence_describe(a->arena, evidence, count)));
    for (size_t i = 0; i < count; i++) {
        const sb_lock_evidence *e = &evidence[i];
        char when[SB_TIME_TEXT];

        for (size_t k = 0; k < e->signer_count; k++) {
            sb_autofree char *key = sb_printable(e->signers[k].fingerprint);
            sb_autofree char *primary = sb_printable(e->signers[k].primary);
            bool subkey = *primary && strcmp(primary, key) != 0;

            sb_time_format(e->signers[k].created, when);
            sb_why_line(a, "signed by", "%s%s%s, %s", key, subkey ? " of " : "", subkey ? primary : "", when);
        }
        if (e->signer_count && e->verified_at) {
            sb_time_format(e->verified_at, when);
            sb_why_line(a, "verified", "%s", when);
        }
    }
}

static void tell_file(sb_why *a, const sb_lock_file *file, const sb_needed *matched)
{
    sb_why_begin(a, "file", file->expanded);
    add_matched(a, matched);
    add_instructions(a, file);
    sb_why_digest(a, "digest", &file->digest);
    sb_why_line(a, "size", "%llu bytes", (unsigned long long)file->size);
    if (file->final_host.len) {
        sb_autofree char *host = sb_printable(file->final_host);

        sb_why_line(a, "came from", "%s, after redirects", host);
    }
    add_evidence(a, file->evidence, file->evidence_count);
}

static void tell_git(sb_why *a, const sb_lock_git *git, const sb_needed *matched)
{
    sb_autofree char *commit = sb_printable(git->commit);
    sb_autofree char *ref = sb_printable(git->ref);

    sb_why_begin(a, "git", git->expanded);
    add_matched(a, matched);
    add_instructions(a, git);
    sb_why_line(a, "commit", "%s%s%s", commit, *ref ? " of " : "", ref);
    sb_why_digest(a, "archive", &git->archive);
    add_evidence(a, git->evidence, git->evidence_count);
}

/* A view for each profile and platform; one that cannot be made says nothing here, `verify` tells of it. */
static void make_views(sb_why *a)
{
    for (size_t p = 0; p < a->lock->profile_count; p++) {
        const sb_lock_profile *profile = &a->lock->profiles[p];
        sb_autofree char *target = sb_slice_dup(profile->target);

        for (size_t i = 0; i < profile->platform_count; i++) {
            sb_autofree char *platform = sb_slice_dup(profile->platforms[i]);
            sb_frozen_options options = {.build_args = profile->args,
                                         .build_arg_count = profile->arg_count,
                                         .target = target,
                                         .platform = platform};
            SB_AUTO(sb_error) missing = NULL;
            SB_AUTO(sb_error) ignored = NULL;
            sb_df_view *view = NULL;

            if (sb_frozen_expand(a->project, a->lock, &options, platform, &view, &missing, &ignored) == 0)
                /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
                *SB_ARENA_PUSH(a->arena, a->views, a->view_count, a->view_cap) = view;
        }
    }
}

static void answer(sb_why *a)
{
    sb_needed_list needed = {0};

    sb_needed_by_lock(a->lock, a->arena, &needed);
    for (size_t i = 0; i < a->lock->image_count; i++) {
        const sb_lock_image *image = &a->lock->images[i];
        const sb_needed *matched = needed_matches(a, &needed, image);

        if (matched || sb_why_text_matches(a, image->ref) || sb_why_text_matches(a, image->name) ||
            sb_why_text_matches(a, image->version))
            tell_image(a, image, matched);
    }
    for (size_t i = 0; i < a->lock->file_count; i++) {
        const sb_lock_file *file = &a->lock->files[i];
        const sb_needed *matched = needed_matches(a, &needed, file);

        if (matched || sb_why_text_matches(a, file->url) || sb_why_text_matches(a, file->expanded))
            tell_file(a, file, matched);
    }
    for (size_t i = 0; i < a->lock->git_count; i++) {
        const sb_lock_git *git = &a->lock->git[i];
        const sb_needed *matched = needed_matches(a, &needed, git);

        if (matched || sb_why_text_matches(a, git->url) || sb_why_text_matches(a, git->expanded) ||
            sb_slice_starts(git->commit, a->what))
            tell_git(a, git, matched);
    }
}

int sb_lock_why(sb_project *project, const sb_lock *lock, const char *what, sb_buf *out, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_why a = {.project = project, .lock = lock, .arena = arena, .what = sb_slice_z(what), .out = out};
    int r;

    if (!a.what.len)
        return sb_fail(err, SB_ERR_USAGE, "an empty name asks for nothing");
    make_views(&a);
    answer(&a);
    r = sb_why_steps(&a, err);
    for (size_t i = 0; i < a.view_count; i++)
        sb_df_view_free(a.views[i]);
    if (r < 0)
        return -1;
    if (!a.answers) {
        sb_autofree char *shown = sb_printable(a.what);

        return sb_fail(err, SB_ERR_NOT_FOUND,
                       "nothing in the lock is called \"%s\"; \"sbuild vendor --list\" shows what is in it",
                       shown);
    }
    return sb_buf_check(out, "the answer", err);
}
