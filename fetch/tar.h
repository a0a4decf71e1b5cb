// SPDX-License-Identifier: Apache-2.0
/*
 * A writer of tar archives (POSIX ustar, pax extended headers only for what ustar cannot say) whose bytes
 * depend on nothing but what it is told: owner 0:0 without names, no device, no other times.
 */
#ifndef FETCH_TAR_H
#define FETCH_TAR_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_tar sb_tar;

typedef enum sb_tar_type { SB_TAR_FILE = '0', SB_TAR_SYMLINK = '2', SB_TAR_DIRECTORY = '5' } sb_tar_type;

typedef struct sb_tar_entry {
    sb_tar_type type;
    sb_slice name; /* without a "/" at its end, for directories too */
    sb_slice link; /* of symbolic links */
    unsigned mode;
    uint64_t size; /* of files: exactly as many bytes must follow by sb_tar_data */
    int64_t mtime;
} sb_tar_entry;

/* `fd` stays the caller's. */
sb_tar *sb_tar_new(int fd);
void sb_tar_free(sb_tar *tar);
SB_DEFINE_CLEANUP(sb_tar, sb_tar_free)

int sb_tar_add(sb_tar *tar, const sb_tar_entry *entry, sb_error **err);
int sb_tar_data(sb_tar *tar, const void *data, size_t len, sb_error **err);
/* A whole small file. */
int sb_tar_add_file(sb_tar *tar, sb_slice name, unsigned mode, int64_t mtime, sb_slice content,
                    sb_error **err);
int sb_tar_add_directory(sb_tar *tar, sb_slice name, int64_t mtime, sb_error **err);
/* The end of the archive; everything is written then. */
int sb_tar_finish(sb_tar *tar, sb_error **err);

#endif
