// SPDX-License-Identifier: Apache-2.0
/*
 * Layers of images as they are stored: their bytes whatever the compression (layer_source.c), and the entries
 * of their tar (layer_tar.c). Streams: memory does not depend on the layer.
 */
#ifndef SBUILD_FETCH_LAYER_H
#define SBUILD_FETCH_LAYER_H

#include <sbuild/digest.h>
#include <sbuild/registry.h>

enum {
    SB_LAYER_PATH_MAX = 4096,      /* bytes of a path or link target */
    SB_LAYER_XATTRS_MAX = 256,     /* per entry */
    SB_LAYER_HEADER_MAX = 4 << 20, /* bytes of one extended header */
    SB_CONFIG_MAX = 8 << 20,       /* bytes of an image configuration */
};
#define SB_LAYER_BYTES_MAX ((uint64_t)256 << 30) /* of one uncompressed layer */
#define SB_LAYER_MEMORY ((uint64_t)129 << 20)    /* that a decompressor may take: zstd's window of 128 MiB */

/* --- The bytes of a layer: fetch/layer_source.c --- */

typedef enum sb_compression {
    SB_COMPRESSION_NONE,
    SB_COMPRESSION_GZIP,
    SB_COMPRESSION_ZSTD,
    SB_COMPRESSION_XZ,
    SB_COMPRESSION_BZIP2,
} sb_compression;
/* By the first bytes: ten are enough. */
sb_compression sb_compression_of(const void *data, size_t len);

/* Where bytes come from that are no file: fills `data` with some; *ret_len is 0 only at the end. */
typedef struct sb_layer_feed {
    int (*read)(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err);
    void *ctx;
} sb_layer_feed;

/* A feed from a descriptor, as it comes: {sb_layer_read_fd, &fd}. */
typedef struct sb_layer_fd {
    int fd;
    const char *name; /* for messages: "cannot read NAME: …" */
} sb_layer_fd;
int sb_layer_read_fd(void *fd, void *data, size_t len, size_t *ret_len, sb_error **err);

/* Plain, gzip (of one or more members), zstd, xz or bzip2, told by the first bytes. */
typedef struct sb_layer_source sb_layer_source;
/* `fd`, a file (read from its beginning) or a pipe, stays the caller's; `name` is for messages. */
int sb_layer_source_open(int fd, const char *name, sb_layer_source **ret_source, sb_error **err);
/* `memory`: what the decompressor may take, in bytes; SB_ERR_LIMIT when the data wants more, then or later.
 */
int sb_layer_source_feed(sb_layer_feed feed, const char *name, uint64_t memory, sb_layer_source **ret_source,
                         sb_error **err);
void sb_layer_source_free(sb_layer_source *source);
SB_DEFINE_CLEANUP(sb_layer_source, sb_layer_source_free)
bool sb_layer_source_is_plain(const sb_layer_source *source);
sb_compression sb_layer_source_compression(const sb_layer_source *source);
/* Fills `data` as far as there is something; *ret_len < len only at the end. */
int sb_layer_source_read(sb_layer_source *source, void *data, size_t len, size_t *ret_len, sb_error **err);
/* SB_ERR_PARSE when there is less. */
int sb_layer_source_skip(sb_layer_source *source, uint64_t len, sb_error **err);
uint64_t sb_layer_source_offset(const sb_layer_source *source); /* in the uncompressed bytes */
uint64_t sb_layer_source_taken(const sb_layer_source *source);  /* of the compressed bytes */
/* Reads what is left; sha256 of the bytes as they are stored. */
int sb_layer_source_digest(sb_layer_source *source, sb_digest *ret_digest, sb_error **err);
/* The same, then SB_ERR_VERIFY unless they have this digest. */
int sb_layer_source_verify(sb_layer_source *source, const sb_digest *digest, sb_error **err);

/* --- Tar entries in: fetch/layer_tar.c --- */

typedef struct sb_xattr {
    sb_slice name;
    sb_slice value;
} sb_xattr;
/* Of two sorted lists. */
bool sb_xattrs_eq(const sb_xattr *a, size_t a_count, const sb_xattr *b, size_t b_count);

typedef enum sb_entry_type {
    SB_ENTRY_FILE = '0',
    SB_ENTRY_HARD_LINK = '1',
    SB_ENTRY_SYMLINK = '2',
    SB_ENTRY_CHAR = '3',
    SB_ENTRY_BLOCK = '4',
    SB_ENTRY_DIR = '5',
    SB_ENTRY_FIFO = '6',
} sb_entry_type;

typedef struct sb_layer_entry {
    sb_entry_type type;
    sb_slice path; /* "usr/bin/env": no "." or "..", no "/" at either end; empty for the root */
    sb_slice link; /* of hard links normalised like path; of symbolic links as it is */
    unsigned mode; /* 07777 */
    uint32_t uid, gid;
    uint32_t major, minor;
    int64_t mtime;
    uint64_t size;    /* of files */
    uint64_t offset;  /* of a file's bytes in the uncompressed layer */
    bool sparse;      /* the stored bytes are not the content */
    sb_xattr *xattrs; /* sorted by name */
    size_t xattr_count;
} sb_layer_entry;

typedef struct sb_layer_reader sb_layer_reader;
sb_layer_reader *sb_layer_reader_new(sb_layer_source *source); /* which stays the caller's */
void sb_layer_reader_free(sb_layer_reader *reader);
SB_DEFINE_CLEANUP(sb_layer_reader, sb_layer_reader_free)
/* 1 and the entry, whose slices live until the next call; 0 at the end; -1. */
int sb_layer_next(sb_layer_reader *reader, sb_layer_entry *ret_entry, sb_error **err);
/* For looking at what others wrote: names that lead out of the image have their ".." taken off, and extended
 * attributes beyond the maximum do not count. */
void sb_layer_reader_lenient(sb_layer_reader *reader);
/* The next bytes of the current file's content as it is stored; *ret_len < len only at its end. */
int sb_layer_read(sb_layer_reader *reader, void *data, size_t len, size_t *ret_len, sb_error **err);
/* sha256 of the current file's content, which is consumed. */
int sb_layer_hash(sb_layer_reader *reader, unsigned char ret_hash[32], sb_error **err);

#endif
