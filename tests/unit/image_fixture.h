// SPDX-License-Identifier: Apache-2.0
/* Whole images in OCI layouts of a temporary directory. */
#ifndef TESTS_UNIT_IMAGE_FIXTURE_H
#define TESTS_UNIT_IMAGE_FIXTURE_H

#include "layer_fixture.h"

#include <fcntl.h>
#include <zstd.h>

typedef enum packing { PLAIN, GZIP, ZSTD } packing;

typedef struct image_layer {
    const item *items;
    packing packing;
} image_layer;

static inline sb_layout *new_layout(const char *dir, const char *name)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *path = sb_path_join(dir, name);
    sb_layout *layout = NULL;

    must(sb_layout_open(path, true, &layout, &err), err);
    return layout;
}

static inline void whole_file(int fd, sb_buf *out)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autofree char *data = NULL;
    size_t len;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    must(sb_read_fd(fd, "a file", 64 << 20, &data, &len, &err), err);
    sb_buf_add(out, data, len);
}

static inline void pack(sb_buf *bytes, packing how)
{
    SB_AUTO(sb_error) err = NULL;

    if (how == GZIP) {
        sb_autoclose int fd = memory_file();
        SB_AUTO(sb_gzip) gzip = sb_gzip_new(fd, 1);
        sb_digest digest;
        uint64_t size;

        must(sb_gzip_write(gzip, bytes->data, bytes->len, &err), err);
        must(sb_gzip_finish(gzip, &digest, &size, &err), err);
        sb_buf_reset(bytes);
        whole_file(fd, bytes);
    } else if (how == ZSTD) {
        size_t bound = ZSTD_compressBound(bytes->len);
        sb_autofree char *packed = sb_malloc(bound);
        size_t len = ZSTD_compress(packed, bound, bytes->data, bytes->len, 3);

        sb_buf_reset(bytes);
        sb_buf_add(bytes, packed, len);
    }
}

/* An image as an engine leaves it; `docker`: with Docker's media types. `config`: members of a JSON object.
 */
static inline sb_digest new_image(sb_layout *layout, const image_layer *layers, size_t count, bool docker,
                                  const char *config)
{
    static const char *const suffix[2][3] = {{"", "+gzip", "+zstd"}, {"", ".gzip", ".zstd"}};
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf ids = SB_BUF_INIT(1 << 16), list = SB_BUF_INIT(1 << 16), text = SB_BUF_INIT(1 << 16);
    sb_digest digest;
    char hex[SB_DIGEST_TEXT];

    for (size_t i = 0; i < count; i++) {
        sb_autobuf bytes = SB_BUF_INIT(64 << 20);
        sb_autoclose int fd = layer_of(layers[i].items);

        whole_file(fd, &bytes);
        sb_digest_of(SB_HASH_SHA256, sb_buf_slice(&bytes), &digest);
        sb_digest_format(&digest, hex);
        sb_buf_printf(&ids, "%s\"%s\"", i ? "," : "", hex);
        pack(&bytes, layers[i].packing);
        must(sb_layout_write(layout, sb_buf_slice(&bytes), &digest, &err), err);
        sb_digest_format(&digest, hex);
        sb_buf_printf(&list, "%s{\"mediaType\":\"application/vnd.%s%s\",\"digest\":\"%s\",\"size\":%zu}",
                      i ? "," : "", docker ? "docker.image.rootfs.diff.tar" : "oci.image.layer.v1.tar",
                      suffix[docker][layers[i].packing], hex, bytes.len);
    }
    sb_buf_printf(&text, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]},%s}", ids.data, config);
    must(sb_layout_write(layout, sb_buf_slice(&text), &digest, &err), err);
    sb_digest_format(&digest, hex);
    sb_buf_free(&ids);
    sb_buf_printf(&ids,
                  "{\"schemaVersion\":2,\"mediaType\":\"application/"
                  "vnd.%s\",\"config\":{\"mediaType\":\"application/vnd.%s\","
                  "\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
                  docker ? "docker.distribution.manifest.v2+json" : "oci.image.manifest.v1+json",
                  docker ? "docker.container.image.v1+json" : "oci.image.config.v1+json", hex, text.len,
                  list.data);
    must(sb_layout_write(layout, sb_buf_slice(&ids), &digest, &err), err);
    return digest;
}

/* In a new directory that the caller removes with remove_dir(). */
static inline char *new_dir(void)
{
    SB_AUTO(sb_error) err = NULL;
    char *dir = sb_temp_dir("image", &err);

    if (!dir)
        fail_msg("%s", err->message);
    return dir;
}

static inline void remove_dir(const char *dir)
{
    SB_AUTO(sb_error) err = NULL;

    must(sb_remove_tree(AT_FDCWD, dir, &err), err);
}

#endif
