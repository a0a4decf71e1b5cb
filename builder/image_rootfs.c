// SPDX-License-Identifier: Apache-2.0
/*
 * The file system that layers add up to: names, and the inodes that hard links share. Whiteouts count against
 * lower layers wherever in their own layer they stand.
 */
#include <builder/image.h>

#include <sbuild/progress.h>

#include <errno.h>
#include <unistd.h>

enum { PIECE = 128 << 10 }; /* bytes of a file that are handled at a time */

sb_rootfs *sb_rootfs_new(void)
{
    sb_rootfs *rootfs = sb_new(sb_rootfs);

    rootfs->arena = sb_arena_new();
    rootfs->table_size = 1024;
    rootfs->table = sb_new_array(sb_node *, rootfs->table_size);
    rootfs->root = sb_arena_new_of(rootfs->arena, sb_node);
    rootfs->root->name = SB_LIT("");
    rootfs->root->inode = sb_arena_new_of(rootfs->arena, sb_inode);
    rootfs->root->inode->type = SB_ENTRY_DIR;
    rootfs->root->inode->mode = 0755;
    return rootfs;
}

void sb_rootfs_free(sb_rootfs *rootfs)
{
    if (!rootfs)
        return;
    for (size_t i = 0; i < rootfs->layer_count; i++)
        sb_closep(&rootfs->fds[i]);
    free(rootfs->fds);
    free(rootfs->changes);
    free(rootfs->table);
    sb_arena_free(rootfs->arena);
    free(rootfs);
}

void sb_rootfs_begin(sb_rootfs *rootfs, int fd, bool tracking)
{
    *SB_PUSH(rootfs->fds, rootfs->layer_count, rootfs->fds_cap) = fd;
    rootfs->tracking = tracking;
    rootfs->change_count = 0;
}

static uint32_t current_layer(const sb_rootfs *rootfs)
{
    return (uint32_t)rootfs->layer_count - 1;
}

static size_t hash_name(const sb_node *parent, sb_slice name)
{
    uint64_t hash = 14695981039346656037U ^ ((uintptr_t)parent >> 4);

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 1099511628211U;
    return (size_t)(hash ^ hash >> 29);
}

static size_t find_slot(const sb_rootfs *rootfs, const sb_node *parent, sb_slice name)
{
    size_t slot = hash_name(parent, name) & (rootfs->table_size - 1);

    while (rootfs->table[slot] &&
           (rootfs->table[slot]->parent != parent || !sb_slice_eq(rootfs->table[slot]->name, name)))
        slot = (slot + 1) & (rootfs->table_size - 1);
    return slot;
}

static void grow_table(sb_rootfs *rootfs)
{
    sb_node **old = rootfs->table;
    size_t old_size = rootfs->table_size;

    rootfs->table_size *= 2;
    rootfs->table = sb_new_array(sb_node *, rootfs->table_size);
    for (size_t i = 0; i < old_size; i++)
        if (old[i])
            rootfs->table[find_slot(rootfs, old[i]->parent, old[i]->name)] = old[i];
    free(old);
}

static int child_of(sb_rootfs *rootfs, sb_node *parent, sb_slice name, sb_node **ret_node, sb_error **err)
{
    size_t slot = find_slot(rootfs, parent, name);
    sb_node *node = rootfs->table[slot];

    if (!node) {
        if (rootfs->node_count >= SB_TREE_ENTRIES_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "the image has more than %d files", SB_TREE_ENTRIES_MAX);
        node = sb_arena_new_of(rootfs->arena, sb_node);
        node->parent = parent;
        node->name = sb_arena_dup(rootfs->arena, name);
        node->next = parent->child;
        parent->child = node;
        rootfs->table[slot] = node;
        if (++rootfs->node_count * 2 > rootfs->table_size)
            grow_table(rootfs);
    }
    *ret_node = node;
    return 0;
}

sb_node *sb_rootfs_find(const sb_rootfs *rootfs, sb_slice path)
{
    sb_node *node = rootfs->root;

    while (node && path.ptr && path.len > 0) {
        sb_slice name = sb_slice_cut(&path, '/');

        node = rootfs->table[find_slot(rootfs, node, name)];
    }
    return node;
}

/* Gives the name another inode, remembering what was there before this layer. */
static void set_inode(sb_rootfs *rootfs, sb_node *node, sb_inode *inode)
{
    uint32_t stamp = current_layer(rootfs) + 1;

    if (rootfs->tracking && node->touched != stamp) {
        node->touched = stamp;
        node->before = node->inode;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
        *SB_PUSH(rootfs->changes, rootfs->change_count, rootfs->change_cap) = node;
    }
    node->inode = inode;
}

static bool is_of_layer(const sb_rootfs *rootfs, const sb_inode *inode)
{
    return inode->layer == current_layer(rootfs);
}

/* Takes away what lower layers brought below (and, with `self`, at) this name. True when nothing is left. */
static bool remove_lower(sb_rootfs *rootfs, sb_node *node, bool self)
{
    bool empty = true;

    for (sb_node *child = node->child; child; child = child->next)
        if (child->inode && !remove_lower(rootfs, child, true))
            empty = false;
    if (self && empty && !is_of_layer(rootfs, node->inode))
        set_inode(rootfs, node, NULL);
    return !node->inode;
}

static sb_inode *new_directory(sb_rootfs *rootfs)
{
    sb_inode *inode = sb_arena_new_of(rootfs->arena, sb_inode);

    inode->type = SB_ENTRY_DIR;
    inode->mode = 0755;
    inode->layer = current_layer(rootfs);
    return inode;
}

/* The node of a path; its parents become directories. */
static int make_node(sb_rootfs *rootfs, sb_slice path, sb_node **ret_node, sb_error **err)
{
    sb_node *node = rootfs->root;
    size_t depth = 0;

    while (path.ptr && path.len > 0) {
        sb_slice name = sb_slice_cut(&path, '/');

        if (++depth > SB_TREE_DEPTH_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "the image has directories more than %d deep",
                           SB_TREE_DEPTH_MAX);
        if (node != rootfs->root && (!node->inode || node->inode->type != SB_ENTRY_DIR))
            set_inode(rootfs, node, new_directory(rootfs));
        if (child_of(rootfs, node, name, &node, err) < 0)
            return -1;
    }
    *ret_node = node;
    return 0;
}

static int add_whiteout(sb_rootfs *rootfs, sb_slice dir, sb_slice name, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_node *node;

    (void)err;
    if (sb_slice_eqz(name, ".wh..wh..opq")) {
        node = sb_rootfs_find(rootfs, dir);
        if (node && node->inode)
            (void)remove_lower(rootfs, node, false);
        return 0;
    }
    /* Other ".wh..wh." names are AUFS's own. */
    if (sb_slice_starts(name, SB_LIT(".wh..wh.")))
        return 0;
    name = sb_slice_sub(name, 4, name.len);
    node = sb_rootfs_find(
        rootfs,
        dir.len > 0 ? sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(dir), SB_ARG(name)) : name);
    if (node && node->inode && node != rootfs->root)
        (void)remove_lower(rootfs, node, true);
    return 0;
}

static const sb_xattr *copy_xattrs(sb_arena *arena, const sb_layer_entry *entry)
{
    sb_xattr *copy = entry->xattr_count ? sb_arena_array(arena, sb_xattr, entry->xattr_count) : NULL;

    for (size_t i = 0; i < entry->xattr_count; i++) {
        copy[i].name = sb_arena_dup(arena, entry->xattrs[i].name);
        copy[i].value = sb_arena_dup(arena, entry->xattrs[i].value);
    }
    return copy;
}

static int new_inode(sb_rootfs *rootfs, sb_layer_reader *reader, const sb_layer_entry *entry,
                     sb_inode **ret_inode, sb_error **err)
{
    sb_inode *inode = sb_arena_new_of(rootfs->arena, sb_inode);

    inode->type = entry->type;
    inode->mode = (uint16_t)entry->mode;
    inode->uid = entry->uid;
    inode->gid = entry->gid;
    inode->major = entry->major;
    inode->minor = entry->minor;
    inode->layer = current_layer(rootfs);
    inode->mtime = entry->mtime;
    inode->size = entry->size;
    inode->offset = entry->offset;
    inode->opaque = entry->sparse;
    if (entry->type == SB_ENTRY_SYMLINK)
        inode->link = sb_arena_dup(rootfs->arena, entry->link);
    inode->xattrs = copy_xattrs(rootfs->arena, entry);
    inode->xattr_count = (uint32_t)entry->xattr_count;
    if (entry->type == SB_ENTRY_FILE && rootfs->fds[current_layer(rootfs)] < 0) {
        inode->hash = sb_arena_alloc(rootfs->arena, 32);
        inode->hashed = true;
        if (sb_layer_hash(reader, inode->hash, err) < 0)
            return -1;
    }
    *ret_inode = inode;
    return 0;
}

static int link_inode(sb_rootfs *rootfs, const sb_layer_entry *entry, sb_inode **ret_inode, sb_error **err)
{
    const sb_node *target = sb_rootfs_find(rootfs, entry->link);
    sb_autofree char *shown = NULL;

    if (target && target->inode && target->inode->type != SB_ENTRY_DIR &&
        (!rootfs->tracking || is_of_layer(rootfs, target->inode))) {
        *ret_inode = target->inode;
        return 0;
    }
    /* Of a base it is only wanted what differs from it: this differs from everything. */
    if (rootfs->fds[current_layer(rootfs)] < 0) {
        *ret_inode = sb_arena_new_of(rootfs->arena, sb_inode);
        (*ret_inode)->type = SB_ENTRY_FILE;
        (*ret_inode)->opaque = true;
        (*ret_inode)->layer = current_layer(rootfs);
        return 0;
    }
    shown = sb_printable(entry->path);
    return sb_fail(err, SB_ERR_PARSE, "a layer has the hard link %s to a file that is not in it", shown);
}

static int add_entry(sb_rootfs *rootfs, sb_layer_reader *reader, const sb_layer_entry *entry, sb_error **err)
{
    ptrdiff_t slash = sb_slice_rchr(entry->path, '/');
    sb_slice dir = slash < 0 ? SB_LIT("") : sb_slice_sub(entry->path, 0, (size_t)slash);
    sb_slice name = sb_slice_sub(entry->path, (size_t)(slash + 1), entry->path.len);
    sb_inode *inode;
    sb_node *node;

    if (sb_slice_starts(name, SB_LIT(".wh.")))
        return add_whiteout(rootfs, dir, name, err);
    /* Docker's own differ never says anything about the root. */
    if (entry->path.len == 0)
        return 0;
    if (entry->sparse && rootfs->fds[current_layer(rootfs)] >= 0)
        return sb_fail(err, SB_ERR_PARSE, "a layer has a sparse file");
    if (entry->type == SB_ENTRY_HARD_LINK) {
        if (link_inode(rootfs, entry, &inode, err) < 0)
            return -1;
    } else if (new_inode(rootfs, reader, entry, &inode, err) < 0) {
        return -1;
    }
    if (make_node(rootfs, entry->path, &node, err) < 0)
        return -1;
    if (node->inode && node->inode->type == SB_ENTRY_DIR && inode->type != SB_ENTRY_DIR)
        for (sb_node *child = node->child; child; child = child->next)
            if (child->inode)
                (void)remove_lower(rootfs, child, true);
    set_inode(rootfs, node, inode);
    return 0;
}

int sb_rootfs_apply(sb_rootfs *rootfs, sb_layer_source *source, sb_error **err)
{
    SB_AUTO(sb_layer_reader) reader = sb_layer_reader_new(source);
    sb_layer_entry entry;
    int more;

    while ((more = sb_layer_next(reader, &entry, err)) > 0) {
        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (add_entry(rootfs, reader, &entry, err) < 0)
            return -1;
    }
    return more;
}

static int read_raw(const sb_rootfs *rootfs, const sb_inode *inode, uint64_t at, void *data, size_t len,
                    sb_error **err)
{
    int fd = rootfs->fds[inode->layer];
    size_t done = 0;

    if (fd < 0)
        return sb_fail(err, SB_ERR_INTERNAL, "the bytes of a lower layer are not at hand");
    while (done < len) {
        ssize_t got = pread(fd, (char *)data + done, len - done, (off_t)(inode->offset + at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sb_fail(err, SB_ERR_IO, "cannot read a layer: %s", strerror(errno));
        if (got == 0)
            return sb_fail(err, SB_ERR_PARSE, "a layer ends in the middle of a file");
        done += (size_t)got;
    }
    return 0;
}

int sb_rootfs_read(const sb_rootfs *rootfs, const sb_inode *inode, uint64_t at, void *data, size_t len,
                   int64_t epoch, sb_error **err)
{
    sb_autofree unsigned char *whole = NULL;

    if (inode->patch == SB_PATCH_NONE || inode->patch == SB_PATCH_PYC) {
        if (read_raw(rootfs, inode, at, data, len, err) < 0)
            return -1;
        sb_patch_apply(inode->patch, at, data, len, epoch);
        return 0;
    }
    whole = sb_malloc((size_t)inode->size);
    if (read_raw(rootfs, inode, 0, whole, (size_t)inode->size, err) < 0)
        return -1;
    sb_patch_apply(inode->patch, 0, whole, (size_t)inode->size, epoch);
    memcpy(data, whole + at, len);
    return 0;
}

static size_t piece_size(const sb_inode *inode, uint64_t at)
{
    return inode->size - at < PIECE ? (size_t)(inode->size - at) : PIECE;
}

static unsigned char *new_piece(const sb_inode *inode)
{
    return sb_malloc(piece_size(inode, 0) + 1);
}

int sb_rootfs_hash(sb_rootfs *rootfs, sb_inode *inode, const unsigned char **ret_hash, sb_error **err)
{
    if (!inode->hashed) {
        SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
        sb_autofree unsigned char *piece = new_piece(inode);
        sb_digest digest;

        for (uint64_t at = 0; at < inode->size;) {
            size_t want = piece_size(inode, at);

            if (sb_rootfs_read(rootfs, inode, at, piece, want, 0, err) < 0)
                return -1;
            sb_hasher_add(hasher, piece, want);
            at += want;
        }
        sb_hasher_finish(hasher, &digest);
        inode->hash = sb_arena_alloc(rootfs->arena, 32);
        memcpy(inode->hash, digest.bytes, 32);
        inode->hashed = true;
    }
    *ret_hash = inode->hash;
    return 0;
}

void sb_node_path(const sb_node *node, sb_buf *path)
{
    const sb_node *chain[SB_TREE_DEPTH_MAX + 1];
    size_t depth = 0;

    sb_buf_reset(path);
    for (; node->parent && depth <= SB_TREE_DEPTH_MAX; node = node->parent)
        chain[depth++] = node;
    while (depth-- > 0) {
        if (path->len > 0)
            sb_buf_addc(path, '/');
        sb_buf_adds(path, chain[depth]->name);
    }
}

static int compare_nodes(const void *a, const void *b)
{
    return sb_slice_cmp((*(sb_node *const *)a)->name, (*(sb_node *const *)b)->name);
}

sb_node **sb_node_children(const sb_node *node, bool (*wanted)(const sb_node *node, uint32_t mark),
                           uint32_t mark, size_t *ret_count)
{
    sb_node **children = NULL;
    size_t count = 0, cap = 0;

    for (sb_node *child = node->child; child; child = child->next)
        if (wanted(child, mark))
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
            *SB_PUSH(children, count, cap) = child;
    if (count > 0)
        qsort(children, count, sizeof(void *), compare_nodes);
    *ret_count = count;
    return children;
}

static int write_content(const sb_rootfs *rootfs, const sb_sink *sink, const sb_inode *inode, int64_t epoch,
                         sb_error **err)
{
    sb_autofree unsigned char *piece = new_piece(inode);

    for (uint64_t at = 0; at < inode->size;) {
        size_t want = piece_size(inode, at);

        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (sb_rootfs_read(rootfs, inode, at, piece, want, epoch, err) < 0 ||
            sink->write(sink->ctx, piece, want, err) < 0)
            return -1;
        at += want;
    }
    return sb_layer_write_padding(sink, inode->size, err);
}

int sb_rootfs_write_entry(const sb_rootfs *rootfs, const sb_sink *sink, const sb_node *node, sb_slice path,
                          int64_t mtime, int64_t epoch, sb_error **err)
{
    sb_autobuf first = SB_BUF_INIT(SB_LAYER_PATH_MAX + 1);
    sb_inode *inode = node->inode;
    sb_layer_entry entry = {
        .type = inode->type,
        .path = path,
        .link = inode->link,
        .mode = inode->mode,
        .uid = inode->uid,
        .gid = inode->gid,
        .major = inode->major,
        .minor = inode->minor,
        .mtime = mtime,
        .size = inode->size,
        .xattr_count = inode->xattr_count,
    };
    sb_autofree sb_xattr *xattrs = sb_new_array(sb_xattr, (size_t)inode->xattr_count + 1);

    if (inode->first && inode->type != SB_ENTRY_DIR) {
        sb_node_path(inode->first, &first);
        entry.type = SB_ENTRY_HARD_LINK;
        entry.link = sb_buf_slice(&first);
        entry.xattr_count = 0;
    } else {
        inode->first = node;
    }
    if (entry.xattr_count > 0)
        memcpy(xattrs, inode->xattrs, sizeof(*xattrs) * entry.xattr_count);
    entry.xattrs = xattrs;
    if (sb_layer_write_header(sink, &entry, err) < 0)
        return -1;
    if (entry.type == SB_ENTRY_FILE)
        return write_content(rootfs, sink, inode, epoch, err);
    return 0;
}
