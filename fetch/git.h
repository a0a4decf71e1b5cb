// SPDX-License-Identifier: Apache-2.0
/* Inside git support: remotes taken apart and judged, and the one way in which the git program is run. */
#ifndef FETCH_GIT_H
#define FETCH_GIT_H

#include <sbuild/buf.h>
#include <sbuild/git.h>
#include <sbuild/process.h>

enum {
    SB_GIT_URL_MAX = 4096,
    SB_GIT_LISTING_MAX = 512 << 20, /* bytes of the list of a tree */
    SB_GIT_OBJECT_MAX = 16 << 20,   /* of a commit, a tag or .gitmodules */
};

/* Where a repository of ours keeps what it was fetched from. */
#define SB_GIT_REMOTE_KEY "sbuild.remote"

typedef struct sb_git_remote {
    sb_slice url;    /* as git gets it */
    sb_slice scheme; /* "https", "ssh", "http", "git" */
    sb_slice host;   /* without brackets and port */
    sb_slice port;   /* absent: the scheme's own */
    sb_slice shown;  /* for messages and for the .git directory: without the user */
} sb_git_remote;

/* Only what may be spoken to at all: SB_ERR_USAGE for other schemes, passwords, option-like parts. */
int sb_git_remote_parse(sb_arena *arena, const sb_settings *settings, sb_slice url, sb_git_remote *ret_remote,
                        sb_error **err);
/*
 * Resolves the host and refuses loopback, link-local and unspecified addresses unless the host is allowed.
 * *ret_pin: "host:port:address,address" so that git cannot get other ones; absent when it does not apply.
 */
int sb_git_remote_resolve(sb_arena *arena, const sb_settings *settings, const sb_git_remote *remote,
                          sb_slice *ret_pin, sb_error **err);
/* Did git fail because the repository has moved? */
bool sb_git_was_redirected(const sb_git_remote *remote, sb_slice errors);
/* Where it has moved (fetch/git_redirect.c), with the same guarantees as for the first place. */
int sb_git_remote_follow(sb_arena *arena, const sb_settings *settings, const sb_git_remote *remote,
                         sb_git_remote *ret_remote, sb_slice *ret_pin, sb_error **err);
/* What a submodule's URL means in the repository `base`. */
sb_slice sb_git_relative_url(sb_arena *arena, sb_slice base, sb_slice url);

typedef struct sb_git_call {
    const char *const *args;     /* without "git" itself; NULL-terminated */
    const char *dir;             /* the repository; NULL for none */
    const sb_git_remote *remote; /* what it will speak to; NULL: nothing, and then no protocol is allowed */
    sb_slice pin;
    sb_slice input;
    unsigned timeout;
    size_t max_output;
    void (*on_output)(void *ctx, int stream, sb_slice piece); /* instead of *ret_output */
    void *ctx;
} sb_git_call;

/* Its standard output in the arena (absent with on_output). A failure of git's is an error with git's own
 * words. */
int sb_git_run(sb_arena *arena, const sb_git_call *call, sb_slice *ret_output, sb_error **err);
/* As it, but tells git's exit status and standard error instead of failing. */
int sb_git_try(sb_arena *arena, const sb_git_call *call, sb_slice *ret_output, sb_slice *ret_errors,
               int *ret_status, sb_error **err);
int sb_git_fail(const sb_git_call *call, sb_slice errors, sb_error **err);

/* The content of a commit or tag object. */
int sb_git_read_object(sb_arena *arena, const char *dir, const char *type, sb_slice oid,
                       sb_slice *ret_content, sb_error **err);
/* The value of a header line "name value" of a commit or tag; absent without. */
sb_slice sb_git_object_header(sb_slice content, const char *name);

bool sb_git_is_oid(sb_slice text); /* 40 or 64 lower-case hex digits */

/* --- Trees (fetch/git_tree.c) --- */

typedef struct sb_git_entry {
    sb_slice path;
    sb_slice oid;
    unsigned mode;       /* as git has it: 040000, 100644, 100755, 120000, 160000 */
    unsigned repository; /* index into sb_git_tree.repositories */
} sb_git_entry;

/* All that is below a tree, submodules' trees included when wanted; sorted as archives are. */
typedef struct sb_git_tree {
    sb_git_entry *entries;
    size_t len, cap;
    const char **repositories; /* directories */
    size_t repository_count, repository_cap;
} sb_git_tree;

int sb_git_list_tree(sb_arena *arena, const sb_settings *settings, const char *dir, sb_slice commit,
                     sb_slice subdir, bool submodules, sb_git_tree *ret_tree, sb_error **err);
/* The order of archives: bytewise, but everything in a directory right behind it. */
int sb_git_path_cmp(sb_slice a, sb_slice b);

/*
 * Runs `git cat-file --batch` over the objects and hands out each one's header and content as it streams by;
 * `start` comes once before an object's `data`, `end` once behind.
 */
typedef struct sb_git_reader {
    int (*start)(void *ctx, size_t index, sb_slice type, uint64_t size, sb_error **err);
    int (*data)(void *ctx, sb_slice piece, sb_error **err);
    int (*end)(void *ctx, sb_error **err);
} sb_git_reader;
int sb_git_read_objects(sb_arena *arena, const char *dir, const sb_slice *oids, size_t count,
                        const sb_git_reader *reader, void *ctx, sb_error **err);

/* --- The .git directory of an archive (fetch/git_dir.c) --- */

struct sb_tar;
typedef struct sb_git_dir {
    const char *dir; /* the repository that has the objects */
    const sb_git_resolved *resolved;
    const sb_git_tree *tree;
    sb_slice remote; /* for its configuration; absent without */
    int64_t mtime;
} sb_git_dir;

/* A minimal repository at `prefix` ("tree/.git"): HEAD detached at the commit, its objects in one pack, an
 * index. */
int sb_git_write_dir(sb_arena *arena, const sb_git_dir *git, const char *prefix, struct sb_tar *tar,
                     sb_error **err);

/* One pack and its index (fetch/git_pack.c), stored without compression so that no library's version shows.
 */
int sb_git_write_pack(sb_arena *arena, const char *dir, const sb_slice *oids, size_t count,
                      const char *prefix, int64_t mtime, struct sb_tar *tar, sb_error **err);
/* The index file of the working tree: as after `git read-tree`. */
int sb_git_make_index(const sb_git_tree *tree, size_t hash_size, sb_buf *out, sb_error **err);
/* The raw bytes of an object ID. */
size_t sb_git_oid_bytes(sb_slice oid, unsigned char ret_bytes[32]);

#endif
