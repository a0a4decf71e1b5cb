// SPDX-License-Identifier: Apache-2.0
/* Which instruction needs something of the lock, what it is, and who vouches for it. */
#include <lock/why.h>

#include <lock/evidence.h>
#include <lock/frozen.h>
#include <lock/objects.h>
#include <lock/project.h>

#include <sbuild/timefmt.h>

bool sb_why_digest_matches(const sb_why *why, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];
    sb_slice all;

    sb_digest_format(digest, text);
    all = sb_slice_z(text);
    /* From the front of it or of its hex: hex in the middle is more likely part of a name. */
    return sb_slice_starts(all, why->what) ||
           (why->what.len >= 6 && sb_slice_starts(sb_slice_sub(all, strlen("sha256:"), all.len), why->what));
}

bool sb_why_text_matches(const sb_why *why, sb_slice text)
{
    return text.len && sb_slice_find(text, why->what) >= 0;
}

/* Does a digest of something that this entry needs match? NULL, or what it is. */
static const sb_needed *needed_matches(const sb_why *why, const sb_needed_list *list, const void *entry)
{
    for (size_t i = 0; i < list->count; i++) {
        const sb_needed *one = &list->items[i];

        if ((one->image == entry || one->file == entry || one->git == entry) &&
            sb_why_digest_matches(why, &one->digest))
            return one;
    }
    return NULL;
}

void sb_why_line(sb_why *why, const char *label, const char *fmt, ...)
{
    sb_autofree char *text = NULL;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len >= 0)
        sb_buf_printf(why->out, "  %-12s %s\n", label, text);
}

void sb_why_begin(sb_why *why, const char *kind, sb_slice name)
{
    if (why->answers++)
        sb_buf_addc(why->out, '\n');
    sb_buf_printf(why->out, "%s ", kind);
    sb_buf_add_printable(why->out, name, SB_WHY_SHOWN);
    sb_buf_addc(why->out, '\n');
}

static void add_matched(sb_why *why, const sb_needed *matched)
{
    if (matched)
        sb_why_line(why, "object", "%" SB_FMT, SB_ARG(sb_needed_name(matched, why->arena)));
}

/* The instructions, each once, that take `entry` from the lock. */
static void add_instructions(sb_why *why, const void *entry)
{
    sb_autofree char *file = sb_printable(why->project->dockerfile_name);
    unsigned seen[64];
    size_t count = 0, before = why->out->len;

    for (size_t v = 0; v < why->view_count; v++) {
        for (size_t i = 0; i < why->views[v]->ref_count; i++) {
            const sb_df_ref *ref = &why->views[v]->refs[i];
            const void *locked =
                ref->kind == SB_REF_ADD_URL   ? (const void *)sb_lock_find_file(why->lock, ref->expanded)
                : ref->kind == SB_REF_ADD_GIT ? (const void *)sb_lock_find_git(why->lock, ref->expanded)
                                              : (const void *)sb_lock_find_image(why->lock, ref->expanded);
            bool known = false;

            if (locked != entry || !sb_frozen_is_remote(why->views[v], ref))
                continue;
            for (size_t k = 0; k < count && !known; k++)
                known = seen[k] == ref->line;
            if (known || count == SB_COUNT(seen))
                continue;
            seen[count++] = ref->line;
            sb_why_line(why, "needed by", "%" SB_FMT,
                        SB_ARG(sb_frozen_origin(why->project, ref, why->arena)));
        }
    }
    if (why->out->len == before)
        sb_why_line(why, "needed by", "nothing in %s any more; \"sbuild lock\" drops it", file);
}

void sb_why_digest(sb_why *why, const char *label, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    sb_why_line(why, label, "%s", text);
}

static void tell_image(sb_why *why, const sb_lock_image *image, const sb_needed *matched)
{
    sb_autofree char *version = sb_printable(image->version.len ? image->version : SB_LIT(""));
    sb_autofree char *reason = sb_printable(image->reason.len ? image->reason : SB_LIT("none is known"));

    sb_why_begin(why, "image", image->name);
    add_matched(why, matched);
    add_instructions(why, image);
    if (*version)
        sb_why_line(why, "version", "%s", version);
    else
        sb_why_line(why, "version", "none: %s", reason);
    sb_why_digest(why, "digest", &image->digest);
    for (size_t i = 0; i < image->platform_count; i++) {
        sb_autofree char *platform = sb_printable(image->platforms[i].platform);
        char text[SB_DIGEST_TEXT];

        sb_digest_format(&image->platforms[i].manifest, text);
        sb_why_line(why, "platform", "%s %s", platform, text);
    }
    if (json_array_size(image->evidence))
        sb_why_line(why, "vouched by", "%zu signatures in the lock", json_array_size(image->evidence));
    else
        sb_why_line(why, "vouched by", "the registry, when it was locked");
}

static void add_evidence(sb_why *why, const sb_lock_evidence *evidence, size_t count)
{
    sb_why_line(why, "vouched by", "%" SB_FMT, SB_ARG(sb_evidence_describe(why->arena, evidence, count)));
    for (size_t i = 0; i < count; i++) {
        const sb_lock_evidence *e = &evidence[i];
        char when[SB_TIME_TEXT];

        for (size_t k = 0; k < e->signer_count; k++) {
            sb_autofree char *key = sb_printable(e->signers[k].fingerprint);
            sb_autofree char *primary = sb_printable(e->signers[k].primary);
            bool subkey = *primary && strcmp(primary, key) != 0;

            sb_time_format(e->signers[k].created, when);
            sb_why_line(why, "signed by", "%s%s%s, %s", key, subkey ? " of " : "", subkey ? primary : "",
                        when);
        }
        if (e->signer_count && e->verified_at) {
            sb_time_format(e->verified_at, when);
            sb_why_line(why, "verified", "%s", when);
        }
    }
}

static void tell_file(sb_why *why, const sb_lock_file *file, const sb_needed *matched)
{
    sb_why_begin(why, "file", file->expanded);
    add_matched(why, matched);
    add_instructions(why, file);
    sb_why_digest(why, "digest", &file->digest);
    sb_why_line(why, "size", "%llu bytes", (unsigned long long)file->size);
    if (file->final_host.len) {
        sb_autofree char *host = sb_printable(file->final_host);

        sb_why_line(why, "came from", "%s, after redirects", host);
    }
    add_evidence(why, file->evidence, file->evidence_count);
}

static void tell_git(sb_why *why, const sb_lock_git *git, const sb_needed *matched)
{
    sb_autofree char *commit = sb_printable(git->commit);
    sb_autofree char *ref = sb_printable(git->ref);

    sb_why_begin(why, "git", git->expanded);
    add_matched(why, matched);
    add_instructions(why, git);
    sb_why_line(why, "commit", "%s%s%s", commit, *ref ? " of " : "", ref);
    sb_why_digest(why, "archive", &git->archive);
    add_evidence(why, git->evidence, git->evidence_count);
}

/* A view for each profile and platform; one that cannot be made says nothing here, `verify` tells of it. */
static void make_views(sb_why *why)
{
    for (size_t p = 0; p < why->lock->profile_count; p++) {
        const sb_lock_profile *profile = &why->lock->profiles[p];
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

            if (sb_frozen_expand(why->project, why->lock, &options, platform, &view, &missing, &ignored) == 0)
                /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
                *SB_ARENA_PUSH(why->arena, why->views, why->view_count, why->view_cap) = view;
        }
    }
}

static void answer(sb_why *why)
{
    sb_needed_list needed = {0};

    sb_needed_by_lock(why->lock, why->arena, &needed);
    for (size_t i = 0; i < why->lock->image_count; i++) {
        const sb_lock_image *image = &why->lock->images[i];
        const sb_needed *matched = needed_matches(why, &needed, image);

        if (matched || sb_why_text_matches(why, image->ref) || sb_why_text_matches(why, image->name) ||
            sb_why_text_matches(why, image->version))
            tell_image(why, image, matched);
    }
    for (size_t i = 0; i < why->lock->file_count; i++) {
        const sb_lock_file *file = &why->lock->files[i];
        const sb_needed *matched = needed_matches(why, &needed, file);

        if (matched || sb_why_text_matches(why, file->url) || sb_why_text_matches(why, file->expanded))
            tell_file(why, file, matched);
    }
    for (size_t i = 0; i < why->lock->git_count; i++) {
        const sb_lock_git *git = &why->lock->git[i];
        const sb_needed *matched = needed_matches(why, &needed, git);

        if (matched || sb_why_text_matches(why, git->url) || sb_why_text_matches(why, git->expanded) ||
            sb_slice_starts(git->commit, why->what))
            tell_git(why, git, matched);
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
