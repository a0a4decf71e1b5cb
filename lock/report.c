// SPDX-License-Identifier: Apache-2.0
/* What `sbuild lock` tells in the end. */
#include <lock/update.h>

#include <stdlib.h>

#include <lock/evidence.h>

enum { SHORT_HEX = 12 };

static sb_slice short_digest(sb_arena *arena, const sb_digest *digest)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    return sb_arena_printf(arena, "%s:%.*s", sb_hash_name(digest->algo), SHORT_HEX, hex);
}

static void report_image(sb_arena *arena, const sb_updater *u, const sb_lock_image *image,
                         sb_lock_change *change)
{
    sb_slice digest = short_digest(arena, &image->digest);
    sb_slice rest = image->name, registry = sb_slice_cut(&rest, '/');

    change->kind = "image";
    change->name = sb_arena_dup(arena, image->ref);
    change->pinned =
        image->version.ptr
            ? sb_arena_printf(arena, "%" SB_FMT " %" SB_FMT, SB_ARG(image->version), SB_ARG(digest))
            : sb_arena_printf(arena, "%" SB_FMT " (%" SB_FMT ")", SB_ARG(digest), SB_ARG(image->reason));
    change->vouched = sb_arena_printf(arena, "the registry %" SB_FMT, SB_ARG(registry));
    for (size_t i = 0; i < u->image_count; i++)
        if (sb_slice_eq(u->images[i].name, image->name))
            change->changed = u->images[i].changed;
}

static bool source_changed(const sb_updater *u, sb_slice expanded)
{
    for (size_t i = 0; i < u->source_count; i++)
        if (sb_slice_eq(u->sources[i].expanded, expanded))
            return u->sources[i].changed;
    return false;
}

static void report_file(sb_arena *arena, const sb_updater *u, const sb_lock_file *file,
                        sb_lock_change *change)
{
    change->kind = "file";
    change->name = sb_arena_dup(arena, file->url);
    change->pinned = short_digest(arena, &file->digest);
    change->vouched = sb_evidence_describe(arena, file->evidence, file->evidence_count);
    change->changed = source_changed(u, file->expanded);
}

static void report_git(sb_arena *arena, const sb_updater *u, const sb_lock_git *git, sb_lock_change *change)
{
    sb_slice name = git->ref, commit = git->commit;

    if (sb_slice_starts(name, SB_LIT("refs/tags/")))
        name = sb_slice_sub(name, strlen("refs/tags/"), name.len);
    else if (sb_slice_starts(name, SB_LIT("refs/heads/")))
        name = sb_slice_sub(name, strlen("refs/heads/"), name.len);
    if (commit.len > SHORT_HEX)
        commit = sb_slice_sub(commit, 0, SHORT_HEX);
    change->kind = "git";
    change->name = sb_arena_dup(arena, git->url);
    change->pinned = sb_arena_printf(arena, "%" SB_FMT "%scommit %" SB_FMT, SB_ARG(name), name.len ? " " : "",
                                     SB_ARG(commit));
    change->vouched = sb_evidence_describe(arena, git->evidence, git->evidence_count);
    change->changed = source_changed(u, git->expanded);
}

sb_update_report *sb_update_report_make(const sb_updater *u, bool written)
{
    const sb_lock *lock = u->lock;
    sb_update_report *report = sb_new(sb_update_report);
    size_t total = lock->image_count + lock->file_count + lock->git_count, n = 0;

    report->arena = sb_arena_new();
    report->changes = sb_arena_array(report->arena, sb_lock_change, total + 1);
    report->written = written;
    report->run_names = sb_update_run_names(u, report->arena);
    for (size_t i = 0; i < lock->image_count; i++)
        report_image(report->arena, u, &lock->images[i], &report->changes[n++]);
    for (size_t i = 0; i < lock->file_count; i++)
        report_file(report->arena, u, &lock->files[i], &report->changes[n++]);
    for (size_t i = 0; i < lock->git_count; i++)
        report_git(report->arena, u, &lock->git[i], &report->changes[n++]);
    report->count = n;
    return report;
}

void sb_update_report_free(sb_update_report *report)
{
    if (!report)
        return;
    sb_arena_free(report->arena);
    free(report);
}
