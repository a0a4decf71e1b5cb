// SPDX-License-Identifier: Apache-2.0
/*
 * The parts of the canonical image: tar entries (read by fetch/layer.h, written by image_write.c), the file
 * system that layers add up to (image_rootfs.c), what one layer changes in it (image_diff.c), which of that
 * does not count (volatile.c), gzip (compress.c), configuration (image_config.c), and blobs in the making
 * (image_blob.c). docs/reproducible.md describes the form to people.
 */
#ifndef SBUILD_BUILDER_IMAGE_H
#define SBUILD_BUILDER_IMAGE_H

#include <fetch/layer.h>
#include <sbuild/arena.h>
#include <sbuild/builder.h>
#include <sbuild/json.h>
#include <sbuild/registry.h>
#include <sbuild/settings.h>
#include <sbuild/tree.h>

enum {
    SB_CHUNK = 1 << 20, /* bytes compressed at a time: part of the format, since it shows in the result */
};

/* --- Tar entries out, in the one form: builder/image_write.c --- */

typedef struct sb_sink { /* where bytes go */
    int (*write)(void *ctx, const void *data, size_t len, sb_error **err);
    void *ctx;
} sb_sink;

/* Header of one entry: directories get their "/", pax records only where ustar does not suffice. */
int sb_layer_write_header(const sb_sink *sink, const sb_layer_entry *entry, sb_error **err);
/* The zeros behind `size` bytes of content. */
int sb_layer_write_padding(const sb_sink *sink, uint64_t size, sb_error **err);
int sb_layer_write_end(const sb_sink *sink, sb_error **err);
/* A whole small file. */
int sb_layer_write_file(const sb_sink *sink, sb_slice path, int64_t mtime, sb_slice content, sb_error **err);

/* --- What layers add up to: builder/image_rootfs.c --- */

/* Files that stay, and in which a time becomes the epoch: builder/volatile_patch.c. */
typedef enum sb_patch {
    SB_PATCH_NONE,
    SB_PATCH_PYC,    /* the time of the source in Python's bytecode */
    SB_PATCH_SHADOW, /* days of password changes in /etc/shadow */
    SB_PATCH_PNPM,   /* when pnpm pruned and looked */
} sb_patch;

typedef struct sb_inode {
    sb_entry_type type; /* never SB_ENTRY_HARD_LINK: links share an inode */
    bool hashed;
    bool opaque;    /* its bytes are not known (sparse): equal to nothing */
    sb_patch patch; /* what of its content becomes the epoch */
    uint16_t mode;
    uint32_t uid, gid;
    uint32_t major, minor;
    uint32_t layer; /* that brought it: index of sb_rootfs.layers */
    uint32_t xattr_count;
    int64_t mtime;
    uint64_t size, offset;
    sb_slice link;
    const sb_xattr *xattrs;
    unsigned char *hash;         /* when `hashed` */
    const struct sb_node *first; /* the name that the layer being written has it under */
} sb_inode;

typedef struct sb_node {
    struct sb_node *parent; /* NULL for the root */
    struct sb_node *child;  /* in no order; names that are gone stay with inode NULL */
    struct sb_node *next;
    sb_slice name;
    sb_inode *inode;  /* NULL: not there */
    sb_inode *before; /* before the current layer; meaningful when touched == the current layer */
    uint32_t touched; /* layer number + 1 */
    uint32_t marked;  /* likewise: to be written, see image_diff.c */
} sb_node;

typedef struct sb_rootfs {
    sb_arena *arena;
    sb_node *root;
    sb_node **table; /* open addressing by parent and name */
    size_t table_size, node_count;
    sb_node **changes; /* touched in the current layer */
    size_t change_count, change_cap;
    int *fds; /* of the uncompressed layers, -1 where they are not needed again; owned */
    size_t layer_count, fds_cap;
    bool tracking; /* the current layer's changes are remembered, its bytes are at hand */
} sb_rootfs;

sb_rootfs *sb_rootfs_new(void);
void sb_rootfs_free(sb_rootfs *rootfs);
SB_DEFINE_CLEANUP(sb_rootfs, sb_rootfs_free)
/*
 * Begins layer number rootfs->layer_count. `fd`: of its uncompressed bytes, owned from now on; -1: contents
 * are hashed in passing instead.
 */
void sb_rootfs_begin(sb_rootfs *rootfs, int fd, bool tracking);
/* Applies everything that the source holds. */
int sb_rootfs_apply(sb_rootfs *rootfs, sb_layer_source *source, sb_error **err);
sb_node *sb_rootfs_find(const sb_rootfs *rootfs, sb_slice path); /* NULL when it never was there */
/* sha256 of a file's content, computed when it is asked for first. */
int sb_rootfs_hash(sb_rootfs *rootfs, sb_inode *inode, const unsigned char **ret_hash, sb_error **err);
/* Content of a file: fills `data` from `at`; in one with a patch, times are replaced. */
int sb_rootfs_read(const sb_rootfs *rootfs, const sb_inode *inode, uint64_t at, void *data, size_t len,
                   int64_t epoch, sb_error **err);
/* "a/b/c", in `path` (reset first). */
void sb_node_path(const sb_node *node, sb_buf *path);
/* The children that are there and for which `wanted` holds, sorted by name; the caller frees them. */
sb_node **sb_node_children(const sb_node *node, bool (*wanted)(const sb_node *node, uint32_t mark),
                           uint32_t mark, size_t *ret_count);
/* One entry of `inode` under `path`, with its content; a link when the inode has a first name already. */
int sb_rootfs_write_entry(const sb_rootfs *rootfs, const sb_sink *sink, const sb_node *node, sb_slice path,
                          int64_t mtime, int64_t epoch, sb_error **err);

/* --- What the current layer changes: builder/image_diff.c --- */

/*
 * Takes back what does not count (no real change, stubs of engines, volatile files) and writes the rest as a
 * tar. *ret_entries: how many; nothing is written when it is 0.
 */
int sb_rootfs_write_changes(sb_rootfs *rootfs, const sb_canonical_options *options, const sb_sink *sink,
                            size_t *ret_entries, sb_error **err);

/* --- What does not count: builder/volatile.c --- */

typedef enum sb_volatile_kind {
    SB_VOLATILE_DROP,  /* left out */
    SB_VOLATILE_ASK,   /* left out on request: somebody may need it */
    SB_VOLATILE_PATCH, /* stays: a time in it becomes the epoch */
} sb_volatile_kind;

typedef struct sb_volatile_rule {
    const char *name; /* by which it is switched */
    sb_volatile_kind kind;
    const char *about;           /* why it differs from build to build */
    const char *const *patterns; /* NULL-terminated: '*' within a component, a double star for any number of
                                    them */
    uint64_t max_size;           /* bytes of a file that it is about; 0: any */
} sb_volatile_rule;
extern const sb_volatile_rule sb_volatile_rules[];
extern const size_t sb_volatile_rule_count;
/* '*' within a component, a component of two stars for any number of components. */
bool sb_path_matches(sb_slice pattern, sb_slice path);
/* The rule by which a file is left out, or NULL. */
const sb_volatile_rule *sb_volatile_match(const sb_canonical_options *options, sb_slice path, uint64_t size);
#define SB_VOLATILE_PYC "python-bytecode"
#define SB_VOLATILE_SHADOW "shadow-days"
#define SB_VOLATILE_PNPM "pnpm-state"
bool sb_volatile_enabled(const sb_canonical_options *options, const char *name);
/*
 * builder/volatile_options.c: the rules that command line and repository switch, in `arena`. SB_ERR_USAGE
 * names the rules that there are.
 */
int sb_volatile_options(const sb_settings *settings, const sb_build_options *options, sb_arena *arena,
                        sb_canonical_options *canonical, sb_error **err);
/* "keep npm-cache, drop ssh-host-keys": what is not as by default. */
void sb_volatile_switched(const sb_canonical_options *canonical, sb_buf *out);
/* Which patch a file wants, going by its name. */
sb_patch sb_volatile_patch(const sb_canonical_options *options, sb_slice path);

enum { SB_PATCH_MAX = 1 << 20 }; /* bytes of a file that is patched as a whole: all but SB_PATCH_PYC */
/* Does the file need it? By its first 16 bytes for SB_PATCH_PYC, else by the whole. */
bool sb_patch_is_needed(sb_patch patch, const unsigned char *data, size_t len, int64_t epoch);
/* Changes the piece of the content that begins at `at`; of all but SB_PATCH_PYC it must be the whole.
 */
void sb_patch_apply(sb_patch patch, uint64_t at, unsigned char *data, size_t len, int64_t epoch);
/* What engines leave behind where they mounted something: empty files, and directories that were not there.
 */
extern const char *const sb_engine_stub_files[];
extern const char *const sb_engine_stub_dirs[]; /* the deeper ones first */

/* --- gzip: builder/compress.c --- */

/*
 * Deterministic whatever the number of threads: chunks of SB_CHUNK bytes, each deflated with the 32 KiB
 * before it as its dictionary; chunks that do not compress are stored.
 */
typedef struct sb_gzip sb_gzip;
sb_gzip *sb_gzip_new(int fd, unsigned threads); /* 0: as many as there are processors, at most 8 */
void sb_gzip_free(sb_gzip *gzip);
SB_DEFINE_CLEANUP(sb_gzip, sb_gzip_free)
int sb_gzip_write(sb_gzip *gzip, const void *data, size_t len, sb_error **err);
/* Writes everything; tells digest and size of the compressed bytes. */
int sb_gzip_finish(sb_gzip *gzip, sb_digest *ret_digest, uint64_t *ret_size, sb_error **err);

/* --- Blobs in the making: builder/image_blob.c --- */

/* A nameless file beside the layout's blobs. */
int sb_blob_temp(const sb_layout *layout, int *ret_fd, sb_error **err);
/* Gives it its name; a blob of that name that is there already is left alone. */
int sb_blob_commit(sb_layout *layout, int fd, const sb_digest *digest, sb_error **err);
/* *ret_fd: the uncompressed bytes of a blob, spooled beside `scratch`'s blobs when it is compressed. */
int sb_blob_uncompressed(const sb_layout *layout, const sb_layout *scratch, const sb_digest *digest,
                         int *ret_fd, sb_error **err);

/* --- The configuration: builder/image_config.c --- */

typedef struct sb_canonical_layers { /* of the result */
    size_t base;                     /* the first so many are the base's */
    const sb_digest *diff_ids;
    size_t count;
} sb_canonical_layers;
/* The one form of a configuration, as bytes. */
int sb_image_config_canonical(const json_t *config, const sb_canonical_layers *layers, int64_t epoch,
                              sb_buf *out, sb_error **err);

#endif
