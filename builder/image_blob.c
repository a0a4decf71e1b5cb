// SPDX-License-Identifier: Apache-2.0
/* Blobs that are written before their digest is known, and blobs that must be at hand uncompressed. */
#include <builder/image.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int sb_blob_temp(const sb_layout *layout, int *ret_fd, sb_error **err)
{
    sb_autofree char *dir = sb_path_join(sb_layout_path(layout), "blobs/sha256");
    sb_autofree char *name = NULL;
    int fd;

    if (sb_mkdirs(dir, err) < 0)
        return -1;
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        name = sb_path_join(dir, ".sbuild-XXXXXX");
        fd = mkostemp(name, O_CLOEXEC);
        if (fd >= 0)
            (void)unlink(name);
    }
    if (fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a file in %s: %s", dir, strerror(errno));
    *ret_fd = fd;
    return 0;
}

int sb_blob_commit(sb_layout *layout, int fd, const sb_digest *digest, sb_error **err)
{
    char from[64], hex[SB_DIGEST_HEX];
    sb_autofree char *to = NULL;

    sb_digest_hex(digest, hex);
    to = sb_asprintf("%s/blobs/sha256/%s", sb_layout_path(layout), hex);
    (void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST)
        return 0;
    /* The file had a name once, or there is no /proc. */
    if (lseek(fd, 0, SEEK_SET) != 0)
        return sb_fail(err, SB_ERR_IO, "cannot read a temporary file: %s", strerror(errno));
    return sb_layout_add_fd(layout, fd, digest, err);
}

int sb_blob_uncompressed(const sb_layout *layout, const sb_layout *scratch, const sb_digest *digest,
                         int *ret_fd, sb_error **err)
{
    SB_AUTO(sb_layer_source) source = NULL;
    sb_autofree char *piece = NULL;
    sb_autoclose int blob = -1;
    sb_autoclose int spool = -1;
    char name[SB_DIGEST_TEXT];
    size_t got = SB_CHUNK;

    sb_digest_format(digest, name);
    if (sb_layout_open_blob(layout, digest, &blob, err) < 0 ||
        sb_layer_source_open(blob, name, &source, err) < 0)
        return -1;
    if (sb_layer_source_is_plain(source)) {
        *ret_fd = blob;
        blob = -1;
        return 0;
    }
    if (sb_blob_temp(scratch, &spool, err) < 0)
        return -1;
    piece = sb_malloc(SB_CHUNK);
    while (got == SB_CHUNK)
        if (sb_layer_source_read(source, piece, SB_CHUNK, &got, err) < 0 ||
            sb_write_all(spool, piece, got, "a temporary file", err) < 0)
            return -1;
    *ret_fd = spool;
    spool = -1;
    return 0;
}
