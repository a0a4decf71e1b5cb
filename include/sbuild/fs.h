// SPDX-License-Identifier: Apache-2.0
/*
 * Files. Directories are held as descriptors, and what lies below a directory of somebody else's making (a
 * build context, a store) is opened with sb_open_beneath: no "..", no absolute path, no symbolic link leads
 * out of it. Writing is always: temporary file in the same directory, fsync, rename. Errors are SB_ERR_IO
 * with the path and errno's text.
 */
#ifndef SBUILD_FS_H
#define SBUILD_FS_H

#include <sys/stat.h>
#include <sys/types.h>

#include <sbuild/buf.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

/* A directory for use as dirfd; the caller closes it. */
int sb_open_dir(const char *path, int *ret_fd, sb_error **err);

/*
 * openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; where the kernel lacks openat2,
 * component by component with O_NOFOLLOW. Returns a descriptor (O_CLOEXEC) or -1. *ret_missing (may be NULL)
 * tells ENOENT apart, and *err is then not set.
 */
int sb_open_beneath(int dirfd, const char *path, int flags, mode_t mode, bool *ret_missing, sb_error **err);
/* As sb_open_beneath, but links may be followed as long as they stay beneath. For the user's own context. */
int sb_open_within(int dirfd, const char *path, int flags, mode_t mode, bool *ret_missing, sb_error **err);
/* mkdir -p beneath dirfd, without following links. Mode 0777 & ~umask. */
int sb_mkdirs_beneath(int dirfd, const char *path, sb_error **err);
/* mkdir -p of an ordinary path. */
int sb_mkdirs(const char *path, sb_error **err);

/* Reads to the end; SB_ERR_LIMIT when there is more than `max` bytes. *ret_data is NUL-terminated, the caller
 * frees it. */
int sb_read_fd(int fd, const char *name, size_t max, char **ret_data, size_t *ret_len, sb_error **err);
/* `dirfd` may be AT_FDCWD. *ret_missing as above. */
int sb_read_file(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len, bool *ret_missing,
                 sb_error **err);
int sb_write_all(int fd, const void *data, size_t len, const char *name, sb_error **err);

/* A file in the making beside its final place. Not committed, it vanishes with sb_newfile_free. A device or a
 * pipe (dirfd AT_FDCWD: a user's own path) is written to, not replaced. */
typedef struct sb_newfile sb_newfile;
int sb_newfile_begin(int dirfd, const char *path, mode_t mode, sb_newfile **ret_file, sb_error **err);
int sb_newfile_fd(const sb_newfile *file); /* for writing; the sb_newfile owns it */
/* fsync, rename over `path`, fsync of the directory. Frees nothing. */
int sb_newfile_commit(sb_newfile *file, sb_error **err);
void sb_newfile_free(sb_newfile *file);
SB_DEFINE_CLEANUP(sb_newfile, sb_newfile_free)

/* The whole in one: replaces the file atomically; leaves it untouched (mtime too) when it already has this
 * content. */
int sb_write_file(int dirfd, const char *path, sb_slice data, mode_t mode, sb_error **err);

/*
 * Waits for the exclusive lock on `path` (made if missing); closing *ret_fd releases it. `waiting` (may be
 * NULL) is called once if somebody else holds it.
 */
int sb_file_lock(int dirfd, const char *path, void (*waiting)(void *ctx), void *ctx, int *ret_fd,
                 sb_error **err);

/* Copies from one descriptor to another, by reflink or in the kernel where possible. */
int sb_copy_fd(int from, int to, const char *name, sb_error **err);
/* Removes a file or a directory with all that is in it; missing is fine. Follows no link. */
int sb_remove_tree(int dirfd, const char *path, sb_error **err);
/* A new private directory below $TMPDIR; the caller frees the path and removes the tree. */
char *sb_temp_dir(const char *prefix, sb_error **err);

/* "a/b": `a` alone when b is empty; b alone when it is absolute. The caller frees it. */
char *sb_path_join(const char *a, const char *b);
/* $XDG_CACHE_HOME/sbuild, $XDG_CONFIG_HOME/sbuild (with their defaults below $HOME). The caller frees it. */
char *sb_cache_dir(sb_error **err);
char *sb_config_dir(sb_error **err);
/* True for a relative path without empty, "." or ".." components, NUL, or more than 4096 bytes. */
bool sb_path_is_plain(sb_slice path);

#endif
