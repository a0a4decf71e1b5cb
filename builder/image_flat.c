// SPDX-License-Identifier: Apache-2.0
/* An image's root file system, all layers applied: as one tar, or below a directory. */
#include <builder/archive.h>

#include <builder/image.h>
#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int load_rootfs(sb_layout *layout, const sb_digest *digest, sb_rootfs *rootfs, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_manifest manifest;
    sb_slice raw;

    if (sb_layout_read(layout, arena, digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, err) < 0)
        return -1;
    if (manifest.is_index)
        return sb_fail(err, SB_ERR_USAGE,
                       "an image of several platforms has no single root file system; build one platform");
    for (size_t i = 0; i < manifest.layer_count; i++) {
        SB_AUTO(sb_layer_source) source = NULL;
        int fd = -1;

        if (sb_blob_uncompressed(layout, layout, &manifest.layers[i].digest, &fd, err) < 0)
            return -1;
        sb_rootfs_begin(rootfs, fd, false);
        if (sb_layer_source_open(fd, "a layer", &source, err) < 0 || sb_rootfs_apply(rootfs, source, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_there(const sb_node *node, uint32_t mark)
{
    (void)mark;
    return node->inode != NULL;
}

static int write_fd(void *ctx, const void *data, size_t len, sb_error **err)
{
    return sb_write_all(*(const int *)ctx, data, len, "the root file system", err);
}

static int write_tar(const sb_rootfs *rootfs, const sb_sink *sink, const sb_node *dir, sb_buf *path,
                     sb_error **err)
{
    size_t len = path->len, count;
    sb_autofree sb_node **children = sb_node_children(dir, is_there, 0, &count);

    for (size_t i = 0; i < count; i++) {
        const sb_inode *inode = children[i]->inode;

        path->len = len;
        if (len > 0)
            sb_buf_addc(path, '/');
        sb_buf_adds(path, children[i]->name);
        if (sb_rootfs_write_entry(rootfs, sink, children[i], sb_buf_slice(path), inode->mtime, 0, err) < 0)
            return -1;
        if (inode->type == SB_ENTRY_DIR && write_tar(rootfs, sink, children[i], path, err) < 0)
            return -1;
    }
    path->len = len;
    return 0;
}

int sb_image_write_rootfs(sb_layout *layout, const sb_digest *manifest, int fd, sb_error **err)
{
    SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
    sb_autobuf path = SB_BUF_INIT(SB_LAYER_PATH_MAX + 16);
    sb_sink sink = {write_fd, &fd};

    if (load_rootfs(layout, manifest, rootfs, err) < 0 ||
        write_tar(rootfs, &sink, rootfs->root, &path, err) < 0)
        return -1;
    return sb_layer_write_end(&sink, err);
}

/* --- Below a directory --- */

typedef struct unpacking {
    const sb_rootfs *rootfs;
    int top;      /* of the directory */
    bool is_root; /* may give files away */
    sb_buf path;  /* of the current name, for messages and hard links */
} unpacking;

static int fail_here(const unpacking *u, const char *what, sb_error **err)
{
    int saved = errno;
    sb_autofree char *shown = sb_printable(sb_buf_slice(&u->path));

    return sb_fail(err, SB_ERR_IO, "cannot %s %s: %s", what, shown, strerror(saved));
}

static int copy_content(unpacking *u, const sb_inode *inode, int fd, sb_error **err)
{
    sb_autofree unsigned char *piece = sb_malloc(inode->size < SB_CHUNK ? (size_t)inode->size + 1 : SB_CHUNK);

    for (uint64_t at = 0; at < inode->size;) {
        size_t want = inode->size - at < SB_CHUNK ? (size_t)(inode->size - at) : SB_CHUNK;

        if (sb_rootfs_read(u->rootfs, inode, at, piece, want, 0, err) < 0 ||
            sb_write_all(fd, piece, want, "a file of the image", err) < 0)
            return -1;
        at += want;
    }
    return 0;
}

/* Owner, attributes, mode, time: in this order, since each undoes some of those behind it. */
static int finish_inode(unpacking *u, const sb_inode *inode, int dirfd, const char *name, sb_error **err)
{
    const struct timespec times[2] = {{.tv_sec = inode->mtime}, {.tv_sec = inode->mtime}};
    bool link = inode->type == SB_ENTRY_SYMLINK;
    sb_autoclose int fd = -1;

    if (u->is_root && fchownat(dirfd, name, inode->uid, inode->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_here(u, "give away", err);
    if (inode->type == SB_ENTRY_FILE || inode->type == SB_ENTRY_DIR) {
        fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return fail_here(u, "open", err);
        for (size_t i = 0; u->is_root && i < inode->xattr_count; i++) {
            sb_autofree char *key = sb_slice_dup(inode->xattrs[i].name);

            if (fsetxattr(fd, key, inode->xattrs[i].value.ptr, inode->xattrs[i].value.len, 0) < 0 &&
                errno != ENOTSUP)
                return fail_here(u, "set an attribute of", err);
        }
        if (fchmod(fd, inode->mode) < 0)
            return fail_here(u, "set the mode of", err);
    } else if (!link && fchmodat(dirfd, name, inode->mode, 0) < 0) {
        return fail_here(u, "set the mode of", err);
    }
    if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_here(u, "set the time of", err);
    return 0;
}

/* What is in the way goes, a directory for a directory excepted: the output may be merged into what is there.
 */
static int make_room(unpacking *u, const sb_inode *inode, int dirfd, const char *name, sb_error **err)
{
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail_here(u, "look at", err);
    if (S_ISDIR(st.st_mode))
        return inode->type == SB_ENTRY_DIR ? 0 : sb_remove_tree(dirfd, name, err);
    return unlinkat(dirfd, name, 0) < 0 ? fail_here(u, "remove", err) : 0;
}

static int make_link(unpacking *u, const sb_inode *inode, int dirfd, const char *name, sb_error **err)
{
    sb_autobuf first = SB_BUF_INIT(SB_LAYER_PATH_MAX + 16);
    sb_autofree char *dir = NULL;
    sb_autoclose int from = -1;
    char *slash;

    sb_node_path(inode->first, &first);
    slash = strrchr(first.data, '/');
    dir = slash ? sb_strndup(first.data, (size_t)(slash - first.data)) : sb_strdup(".");
    from = sb_open_beneath(u->top, dir, O_PATH | O_DIRECTORY, 0, NULL, err);
    if (from < 0)
        return -1;
    return linkat(from, slash ? slash + 1 : first.data, dirfd, name, 0) < 0 ? fail_here(u, "link", err) : 0;
}

/* 1 when it was made, 0 when it was left out or needs nothing more, -1. */
static int make_inode(unpacking *u, const sb_inode *inode, int dirfd, const char *name, sb_error **err)
{
    bool block = inode->type == SB_ENTRY_BLOCK;
    sb_autofree char *target = NULL;
    sb_autoclose int fd = -1;

    switch (inode->type) {
    case SB_ENTRY_DIR:
        return mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST ? fail_here(u, "make", err) : 1;
    case SB_ENTRY_FILE:
        fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return fail_here(u, "make", err);
        return copy_content(u, inode, fd, err) < 0 ? -1 : 1;
    case SB_ENTRY_SYMLINK:
        target = sb_slice_dup(inode->link);
        return symlinkat(target, dirfd, name) < 0 ? fail_here(u, "make", err) : 1;
    case SB_ENTRY_FIFO:
        return mkfifoat(dirfd, name, 0600) < 0 ? fail_here(u, "make", err) : 1;
    case SB_ENTRY_CHAR:
    case SB_ENTRY_BLOCK:
        if (!u->is_root)
            return 0;
        if (mknodat(dirfd, name, (block ? S_IFBLK : S_IFCHR) | 0600, makedev(inode->major, inode->minor)) < 0)
            return fail_here(u, "make", err);
        return 1;
    case SB_ENTRY_HARD_LINK:
        break;
    }
    return 0;
}

static int unpack_dir(unpacking *u, const sb_node *dir, int dirfd, sb_error **err);

static int unpack_node(unpacking *u, sb_node *node, int dirfd, sb_error **err)
{
    sb_autofree char *name = sb_slice_dup(node->name);
    sb_inode *inode = node->inode;
    sb_autoclose int fd = -1;
    int made;

    if (make_room(u, inode, dirfd, name, err) < 0)
        return -1;
    if (inode->first && inode->type != SB_ENTRY_DIR)
        return make_link(u, inode, dirfd, name, err);
    made = make_inode(u, inode, dirfd, name, err);
    if (made <= 0)
        return made;
    inode->first = node;
    if (inode->type == SB_ENTRY_DIR) {
        fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return fail_here(u, "open", err);
        if (unpack_dir(u, node, fd, err) < 0)
            return -1;
    }
    return finish_inode(u, inode, dirfd, name, err);
}

static int unpack_dir(unpacking *u, const sb_node *dir, int dirfd, sb_error **err)
{
    size_t len = u->path.len, count;
    sb_autofree sb_node **children = sb_node_children(dir, is_there, 0, &count);

    for (size_t i = 0; i < count; i++) {
        u->path.len = len;
        if (len > 0)
            sb_buf_addc(&u->path, '/');
        sb_buf_adds(&u->path, children[i]->name);
        if (unpack_node(u, children[i], dirfd, err) < 0)
            return -1;
    }
    u->path.len = len;
    u->path.data[len] = '\0';
    return 0;
}

int sb_image_write_directory(sb_layout *layout, const sb_digest *manifest, const char *path, sb_error **err)
{
    SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
    unpacking u = {.rootfs = rootfs, .is_root = geteuid() == 0, .path = SB_BUF_INIT(SB_LAYER_PATH_MAX + 16)};
    sb_autoclose int fd = -1;
    int result;

    if (sb_mkdirs(path, err) < 0 || sb_open_dir(path, &fd, err) < 0)
        return -1;
    u.top = fd;
    sb_buf_addz(&u.path, "");
    result = load_rootfs(layout, manifest, rootfs, err) < 0 ? -1 : unpack_dir(&u, rootfs->root, fd, err);
    sb_buf_free(&u.path);
    return result;
}
