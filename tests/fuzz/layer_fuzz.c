// SPDX-License-Identifier: Apache-2.0
/* A layer as a registry or an engine may send it, compressed or not: read, applied, made anew, read again. */
#include <builder/image.h>
#include <sbuild/fs.h>

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sink_to_fd(void *ctx, const void *data, size_t len, sb_error **err)
{
    return sb_write_all(*(const int *)ctx, data, len, "the new layer", err);
}

static int apply(sb_rootfs *rootfs, int fd, bool tracking)
{
    SB_AUTO(sb_layer_source) source = NULL;

    if (sb_layer_source_open(fd, "the layer", &source, NULL) < 0)
        return -1;
    sb_rootfs_begin(rootfs, tracking ? dup(fd) : -1, tracking && sb_layer_source_is_plain(source));
    return sb_rootfs_apply(rootfs, source, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sb_canonical_options options = {.epoch = 1000000000};
    SB_AUTO(sb_rootfs) rootfs = sb_rootfs_new();
    SB_AUTO(sb_rootfs) again = sb_rootfs_new();
    sb_autoclose int fd = memfd_create("layer", MFD_CLOEXEC);
    sb_autoclose int out = memfd_create("new", MFD_CLOEXEC);
    sb_sink sink = {sink_to_fd, &out};
    size_t entries = 0;

    if (fd < 0 || out < 0 || sb_write_all(fd, data, size, "the layer", NULL) < 0)
        abort();
    /* As a base layer, compressed or not, then once more on top of itself: no change. */
    if (apply(rootfs, fd, false) < 0 || size < 2 || data[0] == 0x1f || data[0] == 0x28)
        return 0;
    if (apply(rootfs, fd, true) < 0 || sb_rootfs_write_changes(rootfs, &options, &sink, &entries, NULL) < 0)
        return 0;
    if (entries > 0 && apply(again, out, false) < 0)
        abort(); /* what we write, we read */
    return 0;
}
