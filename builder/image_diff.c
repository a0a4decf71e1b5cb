// SPDX-License-Identifier: Apache-2.0
/*
 * What a layer really changes. Engines describe the same change in different ways: one repeats directories of
 * which only the time changed, hides what a directory held by an opaque mark where another lists what is
 * gone, repeats an unchanged file because a link to it was made. Both end in the same file system, so the
 * layer is made anew from the file systems below and above it.
 */
#include <builder/image.h>

static uint32_t stamp_of(const sb_rootfs *rootfs)
{
    return (uint32_t)rootfs->layer_count;
}

/* Equal in everything but the time. */
static int is_same(sb_rootfs *rootfs, sb_inode *a, sb_inode *b, bool *ret_same, sb_error **err)
{
    const unsigned char *hash_a, *hash_b;

    *ret_same = false;
    if (a->type != b->type || a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
        !sb_xattrs_eq(a->xattrs, a->xattr_count, b->xattrs, b->xattr_count))
        return 0;
    switch (a->type) {
    case SB_ENTRY_FILE:
        if (a->size != b->size || a->opaque || b->opaque)
            return 0;
        if (sb_rootfs_hash(rootfs, a, &hash_a, err) < 0 || sb_rootfs_hash(rootfs, b, &hash_b, err) < 0)
            return -1;
        *ret_same = memcmp(hash_a, hash_b, 32) == 0;
        return 0;
    case SB_ENTRY_SYMLINK:
        *ret_same = sb_slice_eq(a->link, b->link);
        return 0;
    case SB_ENTRY_CHAR:
    case SB_ENTRY_BLOCK:
        *ret_same = a->major == b->major && a->minor == b->minor;
        return 0;
    case SB_ENTRY_DIR:
    case SB_ENTRY_FIFO:
        *ret_same = true;
        return 0;
    case SB_ENTRY_HARD_LINK:
        break;
    }
    return 0;
}

static int look_for_patch(const sb_rootfs *rootfs, const sb_node *node, sb_slice path,
                          const sb_canonical_options *options, sb_error **err)
{
    sb_inode *inode = node->inode;
    sb_autofree unsigned char *data = NULL;
    unsigned char header[16];
    sb_patch patch;
    bool needed;

    if (inode->type != SB_ENTRY_FILE || inode->size < sizeof(header) || inode->patch)
        return 0;
    patch = sb_volatile_patch(options, path);
    if (!patch || (patch != SB_PATCH_PYC && inode->size > SB_PATCH_MAX))
        return 0;
    if (patch != SB_PATCH_PYC) {
        data = sb_malloc((size_t)inode->size);
        if (sb_rootfs_read(rootfs, inode, 0, data, (size_t)inode->size, 0, err) < 0)
            return -1;
        needed = sb_patch_is_needed(patch, data, (size_t)inode->size, options->epoch);
    } else {
        if (sb_rootfs_read(rootfs, inode, 0, header, sizeof(header), 0, err) < 0)
            return -1;
        needed = sb_patch_is_needed(patch, header, sizeof(header), options->epoch);
    }
    if (needed)
        inode->patch = patch;
    return 0;
}

static int take_back(sb_rootfs *rootfs, sb_node *node, const sb_canonical_options *options, sb_buf *path,
                     sb_error **err)
{
    bool same = false;

    if (!node->inode || node->inode == node->before)
        return 0;
    sb_node_path(node, path);
    if (node->inode->type != SB_ENTRY_DIR && (!node->before || node->before->type != SB_ENTRY_DIR) &&
        sb_volatile_match(options, sb_buf_slice(path), node->inode->size)) {
        node->inode = node->before;
        return 0;
    }
    if (look_for_patch(rootfs, node, sb_buf_slice(path), options, err) < 0)
        return -1;
    if (node->before && is_same(rootfs, node->before, node->inode, &same, err) < 0)
        return -1;
    if (same)
        node->inode = node->before;
    return 0;
}

static bool is_there(const sb_node *node, uint32_t mark)
{
    (void)mark;
    return node->inode != NULL;
}

static void take_back_stubs(sb_rootfs *rootfs)
{
    for (const char *const *path = sb_engine_stub_files; *path; path++) {
        sb_node *node = sb_rootfs_find(rootfs, sb_slice_z(*path));

        if (node && node->touched == stamp_of(rootfs) && !node->before && node->inode &&
            node->inode->type == SB_ENTRY_FILE && node->inode->size == 0)
            node->inode = NULL;
    }
    for (const char *const *path = sb_engine_stub_dirs; *path; path++) {
        sb_node *node = sb_rootfs_find(rootfs, sb_slice_z(*path));
        size_t children = 1;

        if (node && node->touched == stamp_of(rootfs) && !node->before && node->inode &&
            node->inode->type == SB_ENTRY_DIR && node->inode->uid == 0 && node->inode->gid == 0) {
            sb_autofree sb_node **list = sb_node_children(node, is_there, 0, &children);

            (void)list; /* how many there are is enough */
            if (children == 0)
                node->inode = NULL;
        }
    }
}

/* The node and the directories that lead to it: without their entries, engines would make them anew as 0755.
 */
static void mark(sb_rootfs *rootfs, sb_node *node)
{
    for (; node->parent && node->marked != stamp_of(rootfs); node = node->parent)
        node->marked = stamp_of(rootfs);
}

typedef struct writing {
    const sb_rootfs *rootfs;
    const sb_sink *sink;
    int64_t epoch;
    size_t entries;
} writing;

static bool is_whiteout(const sb_node *node, uint32_t mark)
{
    return node->marked == mark && !node->inode;
}

static bool is_entry(const sb_node *node, uint32_t mark)
{
    return node->marked == mark && node->inode;
}

static int write_whiteouts(writing *w, const sb_node *dir, sb_buf *path, sb_error **err)
{
    size_t len = path->len, count;
    sb_autofree sb_node **gone = sb_node_children(dir, is_whiteout, stamp_of(w->rootfs), &count);

    for (size_t i = 0; i < count; i++) {
        sb_layer_entry entry = {.type = SB_ENTRY_FILE, .mtime = w->epoch};

        path->len = len;
        sb_buf_printf(path, "%s.wh.", len ? "/" : "");
        sb_buf_adds(path, gone[i]->name);
        entry.path = sb_buf_slice(path);
        if (sb_layer_write_header(w->sink, &entry, err) < 0)
            return -1;
        w->entries++;
    }
    path->len = len;
    return 0;
}

static int write_dir(writing *w, const sb_node *dir, sb_buf *path, sb_error **err)
{
    size_t len = path->len, count;
    sb_autofree sb_node **children = sb_node_children(dir, is_entry, stamp_of(w->rootfs), &count);

    if (write_whiteouts(w, dir, path, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const sb_inode *inode = children[i]->inode;
        int64_t mtime = inode->type == SB_ENTRY_FILE && inode->mtime < w->epoch ? inode->mtime : w->epoch;

        path->len = len;
        if (len > 0)
            sb_buf_addc(path, '/');
        sb_buf_adds(path, children[i]->name);
        if (sb_buf_check(path, "a name in a layer", err) < 0 ||
            sb_rootfs_write_entry(w->rootfs, w->sink, children[i], sb_buf_slice(path), mtime, w->epoch, err) <
                0)
            return -1;
        w->entries++;
        if (inode->type == SB_ENTRY_DIR && write_dir(w, children[i], path, err) < 0)
            return -1;
    }
    path->len = len;
    return 0;
}

int sb_rootfs_write_changes(sb_rootfs *rootfs, const sb_canonical_options *options, const sb_sink *sink,
                            size_t *ret_entries, sb_error **err)
{
    sb_autobuf path = SB_BUF_INIT(SB_LAYER_PATH_MAX + 16);
    writing w = {.rootfs = rootfs, .sink = sink, .epoch = options->epoch};
    bool any = false;

    for (size_t i = 0; i < rootfs->change_count; i++)
        if (take_back(rootfs, rootfs->changes[i], options, &path, err) < 0)
            return -1;
    take_back_stubs(rootfs);
    for (size_t i = 0; i < rootfs->change_count; i++) {
        sb_node *node = rootfs->changes[i];

        if (node->inode == node->before)
            continue;
        if (!node->inode && (!node->parent->inode || node->parent->inode->type != SB_ENTRY_DIR))
            continue;
        mark(rootfs, node);
        any = true;
    }
    if (any) {
        sb_buf_reset(&path);
        sb_buf_addz(&path, "");
        if (write_dir(&w, rootfs->root, &path, err) < 0 || sb_layer_write_end(sink, err) < 0)
            return -1;
    }
    *ret_entries = w.entries;
    return 0;
}
