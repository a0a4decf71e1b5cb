// SPDX-License-Identifier: Apache-2.0
/* What changed between two locks, one line per change. */
#include <lock/diff.h>

#include <lock/evidence.h>
#include <lock/lockfile.h>
#include <sbuild/timefmt.h>

enum { NAME_SHOWN = 300 };

typedef struct differ {
    sb_buf *out;
    sb_arena *arena;
} differ;

/* "image node:20" and for entries that expand to something else "image node:${V} (…)". */
static void begin(differ *d, const char *kind, sb_slice written, sb_slice expanded)
{
    sb_buf_printf(d->out, "%s ", kind);
    sb_buf_add_printable(d->out, written, NAME_SHOWN);
    if (sb_slice_chr(written, '$') >= 0) {
        sb_buf_addz(d->out, " (");
        sb_buf_add_printable(d->out, expanded, NAME_SHOWN);
        sb_buf_addc(d->out, ')');
    }
    sb_buf_addz(d->out, ": ");
}

static void end(differ *d)
{
    sb_buf_addc(d->out, '\n');
}

static void add_digest(differ *d, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    sb_buf_printf(d->out, "%.19s", text);
}

static void add_text(differ *d, sb_slice text)
{
    if (text.len)
        sb_buf_add_printable(d->out, text, NAME_SHOWN);
    else
        sb_buf_addz(d->out, "none");
}

static void add_change(differ *d, sb_slice before, sb_slice after)
{
    add_text(d, before);
    sb_buf_addz(d->out, " → ");
    add_text(d, after);
}

static bool same_texts(const sb_slice *a, size_t an, const sb_slice *b, size_t bn)
{
    for (size_t i = 0; an == bn && i < an; i++)
        if (!sb_slice_eq(a[i], b[i]))
            return false;
    return an == bn;
}

/* --- Images --- */

static void add_pinned(differ *d, const sb_lock_image *image)
{
    if (image->version.len) {
        sb_buf_add_printable(d->out, image->version, NAME_SHOWN);
        sb_buf_addc(d->out, ' ');
    }
    add_digest(d, &image->digest);
}

static void diff_platforms(differ *d, const sb_lock_image *a, const sb_lock_image *b)
{
    for (size_t i = 0; i < b->platform_count; i++) {
        const sb_lock_platform *now = &b->platforms[i];
        const sb_lock_platform *was = sb_lock_image_platform(a, now->platform);

        /* Another index has other manifests: that is said already. */
        if (was && (!sb_digest_eq(&a->digest, &b->digest) || sb_digest_eq(&was->manifest, &now->manifest)))
            continue;
        begin(d, "image", b->ref, b->name);
        sb_buf_printf(d->out, "%s ", was ? "another manifest for" : "locked also for");
        add_text(d, now->platform);
        end(d);
    }
    for (size_t i = 0; i < a->platform_count; i++) {
        if (sb_lock_image_platform(b, a->platforms[i].platform))
            continue;
        begin(d, "image", b->ref, b->name);
        sb_buf_addz(d->out, "no longer locked for ");
        add_text(d, a->platforms[i].platform);
        end(d);
    }
}

static void one_image(differ *d, const sb_lock_image *one, const char *what)
{
    begin(d, "image", one->ref, one->name);
    sb_buf_printf(d->out, "%s ", what);
    add_pinned(d, one);
    end(d);
}

static void diff_image(differ *d, const sb_lock_image *a, const sb_lock_image *b)
{
    if (!sb_digest_eq(&a->digest, &b->digest)) {
        begin(d, "image", b->ref, b->name);
        add_pinned(d, a);
        sb_buf_addz(d->out, " → ");
        add_pinned(d, b);
        end(d);
    } else if (!sb_slice_eq(a->version, b->version)) {
        begin(d, "image", b->ref, b->name);
        sb_buf_addz(d->out, "the same image is now called ");
        add_change(d, a->version, b->version);
        end(d);
    }
    diff_platforms(d, a, b);
    if (!sb_slice_eq(a->user, b->user)) {
        begin(d, "image", b->ref, b->name);
        sb_buf_addz(d->out, "user of the base image ");
        add_change(d, a->user, b->user);
        end(d);
    }
    if (!same_texts(a->onbuild, a->onbuild_count, b->onbuild, b->onbuild_count)) {
        begin(d, "image", b->ref, b->name);
        sb_buf_printf(d->out, "ONBUILD triggers changed (%zu → %zu)", a->onbuild_count, b->onbuild_count);
        end(d);
    }
    if (!same_texts(a->where, a->where_count, b->where, b->where_count)) {
        begin(d, "image", b->ref, b->name);
        sb_buf_addz(d->out, "now used by");
        for (size_t i = 0; i < b->where_count; i++) {
            sb_buf_addc(d->out, ' ');
            add_text(d, b->where[i]);
        }
        end(d);
    }
}

/* --- Files and git --- */

static void diff_vouched(differ *d, const char *kind, sb_slice url, sb_slice expanded,
                         const sb_lock_evidence *a, size_t an, const sb_lock_evidence *b, size_t bn)
{
    sb_slice was = sb_evidence_describe(d->arena, a, an), is = sb_evidence_describe(d->arena, b, bn);

    if (sb_slice_eq(was, is))
        return;
    begin(d, kind, url, expanded);
    sb_buf_addz(d->out, "vouched for by ");
    add_change(d, was, is);
    end(d);
}

static void one_file(differ *d, const sb_lock_file *one, const char *what)
{
    begin(d, "file", one->url, one->expanded);
    sb_buf_printf(d->out, "%s ", what);
    add_digest(d, &one->digest);
    sb_buf_printf(d->out, " (%llu bytes), vouched for by ", (unsigned long long)one->size);
    add_text(d, sb_evidence_describe(d->arena, one->evidence, one->evidence_count));
    end(d);
}

static void diff_file(differ *d, const sb_lock_file *a, const sb_lock_file *b)
{
    if (!sb_digest_eq(&a->digest, &b->digest)) {
        begin(d, "file", b->url, b->expanded);
        sb_buf_addz(d->out, "same URL, other bytes: ");
        add_digest(d, &a->digest);
        sb_buf_addz(d->out, " → ");
        add_digest(d, &b->digest);
        sb_buf_printf(d->out, " (%llu → %llu bytes)", (unsigned long long)a->size,
                      (unsigned long long)b->size);
        end(d);
    }
    if (!sb_slice_eq(a->final_host, b->final_host)) {
        begin(d, "file", b->url, b->expanded);
        sb_buf_addz(d->out, "comes from another host after redirects: ");
        add_change(d, a->final_host, b->final_host);
        end(d);
    }
    diff_vouched(d, "file", b->url, b->expanded, a->evidence, a->evidence_count, b->evidence,
                 b->evidence_count);
}

static void one_git(differ *d, const sb_lock_git *one, const char *what)
{
    begin(d, "git", one->url, one->expanded);
    sb_buf_printf(d->out, "%s commit %.12s, vouched for by ", what, one->commit.ptr);
    add_text(d, sb_evidence_describe(d->arena, one->evidence, one->evidence_count));
    end(d);
}

static void diff_git(differ *d, const sb_lock_git *a, const sb_lock_git *b)
{
    if (!sb_slice_eq(a->commit, b->commit)) {
        begin(d, "git", b->url, b->expanded);
        sb_buf_addz(d->out, "commit ");
        add_change(d, a->commit, b->commit);
        end(d);
    } else if (!sb_digest_eq(&a->archive, &b->archive)) {
        begin(d, "git", b->url, b->expanded);
        sb_buf_addz(d->out, "same commit, other archive");
        end(d);
    }
    if (!sb_slice_eq(a->tag_object, b->tag_object)) {
        begin(d, "git", b->url, b->expanded);
        sb_buf_addz(d->out, "tag object ");
        add_change(d, a->tag_object, b->tag_object);
        end(d);
    }
    diff_vouched(d, "git", b->url, b->expanded, a->evidence, a->evidence_count, b->evidence,
                 b->evidence_count);
}

/* --- The rest --- */

static void add_profile(differ *d, const sb_lock_profile *profile, const char *what)
{
    sb_buf_printf(d->out, "profile %s: target ", what);
    sb_buf_add_printable(d->out, profile->target.len ? profile->target : SB_LIT("(last stage)"), NAME_SHOWN);
    for (size_t i = 0; i < profile->platform_count; i++) {
        sb_buf_addz(d->out, i ? "," : ", platforms ");
        sb_buf_add_printable(d->out, profile->platforms[i], NAME_SHOWN);
    }
    for (size_t i = 0; i < profile->arg_count; i++) {
        sb_buf_addz(d->out, i ? " " : ", build arguments ");
        sb_buf_add_printable(d->out, profile->args[i].key, NAME_SHOWN);
        sb_buf_addc(d->out, '=');
        sb_buf_add_printable(d->out, profile->args[i].value, NAME_SHOWN);
    }
    end(d);
}

static bool has_profile(const sb_lock *lock, const sb_lock_profile *profile)
{
    for (size_t i = 0; i < lock->profile_count; i++)
        if (sb_lock_profile_cmp(&lock->profiles[i], profile) == 0)
            return true;
    return false;
}

static void diff_profiles(differ *d, const sb_lock *a, const sb_lock *b)
{
    for (size_t i = 0; i < a->profile_count; i++)
        if (!has_profile(b, &a->profiles[i]))
            add_profile(d, &a->profiles[i], "removed");
    for (size_t i = 0; i < b->profile_count; i++)
        if (!has_profile(a, &b->profiles[i]))
            add_profile(d, &b->profiles[i], "added");
}

/* Both are sorted: the entries of both are walked in step. */
#define WALK(d, a, b, items, count, compare, one, both)                                                      \
    do {                                                                                                     \
        size_t i_ = 0, k_ = 0;                                                                               \
        while (i_ < (a)->count || k_ < (b)->count) {                                                         \
            int order_ = i_ == (a)->count   ? 1                                                              \
                         : k_ == (b)->count ? -1                                                             \
                                            : compare(&(a)->items[i_], &(b)->items[k_]);                     \
            if (order_ < 0)                                                                                  \
                one((d), &(a)->items[i_++], "removed, was");                                                 \
            else if (order_ > 0)                                                                             \
                one((d), &(b)->items[k_++], "added,");                                                       \
            else                                                                                             \
                both((d), &(a)->items[i_++], &(b)->items[k_++]);                                             \
        }                                                                                                    \
    } while (0)

int sb_lock_diff(const sb_lock *old_lock, const sb_lock *new_lock, sb_buf *out, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    differ d = {.out = out, .arena = arena};

    WALK(&d, old_lock, new_lock, images, image_count, sb_lock_image_cmp, one_image, diff_image);
    WALK(&d, old_lock, new_lock, files, file_count, sb_lock_file_cmp, one_file, diff_file);
    WALK(&d, old_lock, new_lock, git, git_count, sb_lock_git_cmp, one_git, diff_git);
    diff_profiles(&d, old_lock, new_lock);
    sb_diff_steps(old_lock, new_lock, out);
    sb_diff_packages(old_lock, new_lock, arena, out);
    if (old_lock->epoch != new_lock->epoch) {
        char was[SB_TIME_TEXT], is[SB_TIME_TEXT];

        sb_time_format(old_lock->epoch, was);
        sb_time_format(new_lock->epoch, is);
        sb_buf_printf(out, "epoch: %s → %s\n", was, is);
    }
    if (!sb_slice_eq(old_lock->dockerfile, new_lock->dockerfile)) {
        sb_buf_addz(out, "dockerfile: ");
        add_change(&d, old_lock->dockerfile, new_lock->dockerfile);
        end(&d);
    } else if (!sb_digest_eq(&old_lock->dockerfile_digest, &new_lock->dockerfile_digest)) {
        sb_buf_addz(out, "dockerfile: ");
        add_text(&d, new_lock->dockerfile);
        sb_buf_addz(out, " itself changed\n");
    }
    return sb_buf_check(out, "the list of changes", err);
}
