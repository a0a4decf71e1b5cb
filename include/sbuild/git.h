// SPDX-License-Identifier: Apache-2.0
/*
 * Git repositories through the `git` program: https and ssh only (http and git:// for hosts that the user's
 * configuration allows), hooks, filters, LFS and submodule commands off, no configuration of the user's or
 * the repository's but credentials for https, operands behind "--".
 */
#ifndef SBUILD_GIT_H
#define SBUILD_GIT_H

#include <sbuild/arena.h>
#include <sbuild/error.h>
#include <sbuild/settings.h>
#include <sbuild/verify.h>

typedef struct sb_git_resolved {
    sb_slice ref;        /* full: "refs/tags/v1", "refs/heads/main"; empty for a bare commit */
    sb_slice commit;     /* 40 or 64 hex */
    sb_slice tag_object; /* of an annotated tag; absent without */
} sb_git_resolved;

/* ls-remote: what `ref` (absent: HEAD) is now. A full hex commit resolves to itself without asking. */
int sb_git_resolve(sb_arena *arena, const sb_settings *settings, sb_slice remote, sb_slice ref,
                   sb_git_resolved *ret_resolved, sb_error **err);

/*
 * Fetches exactly that commit (and tag object) into the bare repository `cache_dir` (made if missing; reused
 * by later calls).
 */
int sb_git_fetch(const sb_settings *settings, sb_slice remote, const sb_git_resolved *resolved,
                 const char *cache_dir, sb_error **err);

/* Signed by a pinned key? Looks at the tag object if there is one, else at the commit. */
int sb_git_verify(sb_arena *arena, const char *cache_dir, const sb_git_resolved *resolved,
                  const sb_slice *keys, size_t key_count, int64_t now, sb_pgp_result *ret_result,
                  sb_error **err);
/* The object that it looks at, for keeping; and the same from these bytes alone, which must be that object.
 */
int sb_git_signed_object(sb_arena *arena, const char *cache_dir, const sb_git_resolved *resolved,
                         sb_slice *ret_content, sb_error **err);
int sb_git_verify_object(sb_arena *arena, const sb_git_resolved *resolved, sb_slice content,
                         const sb_slice *keys, size_t key_count, int64_t now, sb_pgp_result *ret_result,
                         sb_error **err);

/*
 * The tree of a commit (below `subdir` if not absent) as a deterministic ustar/pax archive on `out_fd`:
 * entries sorted, every name below "tree/", owner 0, modes 644/755/symlink, mtime = the commit's time, no
 * export-subst or export-ignore. With `git_dir`: a minimal reproducible .git as well. Submodules are recursed
 * into only when `submodules` (their commits are pinned by the tree).
 */
int sb_git_archive(const sb_settings *settings, const char *cache_dir, const sb_git_resolved *resolved,
                   sb_slice subdir, bool git_dir, bool submodules, int out_fd, sb_error **err);

#endif
