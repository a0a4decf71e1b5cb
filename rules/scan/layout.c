// SPDX-License-Identifier: Apache-2.0
/* An image in an OCI layout, a directory. */
#include <rules/scan/scan.h>

#include <sbuild/fs.h>

#include <fcntl.h>

typedef struct layout {
    sb_scan_blobs blobs;
    sb_layout *files;
} layout;

static void free_layout(sb_scan_blobs *blobs)
{
    layout *l = (layout *)blobs;

    sb_layout_free(l->files);
    free(l);
}

static int read_blob(sb_scan_blobs *blobs, const sb_descriptor *blob, size_t max, sb_arena *arena,
                     sb_slice *ret_data, sb_error **err)
{
    return sb_layout_read(((layout *)blobs)->files, arena, &blob->digest, max, ret_data, err);
}

static int stream_layer(sb_scan_blobs *blobs, const sb_scan_layer *layer,
                        int (*use)(void *ctx, sb_layer_feed feed, sb_error **err), void *ctx, sb_error **err)
{
    sb_autoclose int fd = -1;

    if (sb_layout_open_blob(((layout *)blobs)->files, &layer->stored, &fd, err) < 0)
        return -1;
    return use(ctx, (sb_layer_feed){sb_layer_read_fd, &(sb_layer_fd){fd, "it"}}, err);
}

int sb_scan_open_layout(const sb_scan_input *input, const sb_scan_options *options, sb_scan_image *image,
                        sb_scan_blobs **ret_blobs, sb_error **err)
{
    layout *l = sb_new(layout);
    sb_autofree char *index = sb_path_join(input->path, "index.json");
    sb_autofree char *text = NULL;
    size_t len;

    *ret_blobs = &l->blobs;
    l->blobs = (sb_scan_blobs){.read = read_blob, .stream = stream_layer, .free = free_layout};
    if (sb_layout_open(input->path, false, &l->files, err) < 0)
        return sb_wrap(err, "%s is no OCI layout", input->path);
    if (sb_read_file(AT_FDCWD, index, SB_MANIFEST_MAX, &text, &len, NULL, err) < 0)
        return -1;
    if (sb_scan_resolve(&l->blobs, sb_slice_of(text, len), input->reference, options, image, err) < 0)
        return sb_wrap(err, "%s", input->name);
    return 0;
}
