// SPDX-License-Identifier: Apache-2.0
/* Layers made from a list of entries, and told as text, one line per entry. */
#ifndef TESTS_UNIT_LAYER_FIXTURE_H
#define TESTS_UNIT_LAYER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/image.h>
#include <sbuild/fs.h>

#include <sys/mman.h>
#include <unistd.h>

typedef struct item {
    char type;        /* as in tar: '0' file, '1' hard link, '2' symbolic link, '5' directory … */
    const char *path; /* "name" or "name [attribute=value]" */
    const char *text; /* content, or target of a link */
    unsigned mode;
    unsigned owner;
    long mtime;
} item;

#define ITEMS(...)                                                                                           \
    (const item[])                                                                                           \
    {                                                                                                        \
        __VA_ARGS__,                                                                                         \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }

static inline int sink_to_fd(void *ctx, const void *data, size_t len, sb_error **err)
{
    return sb_write_all(*(const int *)ctx, data, len, "a layer", err);
}

#define must(call, err)                                                                                      \
    do {                                                                                                     \
        if ((call) < 0)                                                                                      \
            fail_msg("%s: %s", #call, (err) ? (err)->message : "no message");                                \
    } while (0)

static inline int memory_file(void)
{
    int fd = memfd_create("layer", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* The caller closes it. */
static inline int layer_of(const item *items)
{
    SB_AUTO(sb_error) err = NULL;
    int fd = memory_file();
    sb_sink sink = {sink_to_fd, &fd};

    for (; items->path; items++) {
        sb_slice text = sb_slice_z(items->text ? items->text : "");
        bool file = items->type == SB_ENTRY_FILE;
        sb_slice path = sb_slice_z(items->path);
        ptrdiff_t bracket = sb_slice_find(path, SB_LIT(" ["));
        sb_slice value = bracket < 0 ? SB_NIL : sb_slice_sub(path, (size_t)bracket + 2, path.len - 1);
        sb_xattr xattr = {.name = sb_slice_cut(&value, '=')};
        sb_layer_entry entry = {
            .type = (sb_entry_type)items->type,
            .path = bracket < 0 ? path : sb_slice_sub(path, 0, (size_t)bracket),
            .link = file ? SB_LIT("") : text,
            .mode = items->mode,
            .uid = items->owner,
            .gid = items->owner,
            .mtime = items->mtime,
            .size = file ? text.len : 0,
            .xattrs = &xattr,
            .xattr_count = bracket < 0 ? 0 : 1,
        };

        xattr.value = value;
        must(sb_layer_write_header(&sink, &entry, &err), err);
        if (file) {
            must(sb_write_all(fd, text.ptr, text.len, "a layer", &err), err);
            must(sb_layer_write_padding(&sink, text.len, &err), err);
        }
    }
    must(sb_layer_write_end(&sink, &err), err);
    return fd;
}

/* "0 0644 0 1700000000 etc/motd = hello\n" for each entry: type, mode, owner, time, path, content or target.
 */
static inline char *listing_of(int fd)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_layer_reader) reader = NULL;
    sb_buf text = SB_BUF_INIT(1 << 20);
    sb_layer_entry entry;
    int more;

    must(sb_layer_source_open(fd, "a layer", &source, &err), err);
    reader = sb_layer_reader_new(source);
    while ((more = sb_layer_next(reader, &entry, &err)) > 0) {
        sb_buf_printf(&text, "%c %04o %u %lld %" SB_FMT, (char)entry.type, entry.mode, entry.uid,
                      (long long)entry.mtime, SB_ARG(entry.path));
        if (entry.link.len > 0)
            sb_buf_printf(&text, " -> %" SB_FMT, SB_ARG(entry.link));
        if (entry.size > 0) {
            sb_autofree char *content = sb_malloc((size_t)entry.size + 1);

            assert_int_equal(pread(fd, content, (size_t)entry.size, (off_t)entry.offset),
                             (ssize_t)entry.size);
            sb_buf_printf(&text, " = %s", content);
        }
        for (size_t i = 0; i < entry.xattr_count; i++)
            sb_buf_printf(&text, " [%" SB_FMT "=%" SB_FMT "]", SB_ARG(entry.xattrs[i].name),
                          SB_ARG(entry.xattrs[i].value));
        sb_buf_addc(&text, '\n');
    }
    must(more, err);
    return sb_buf_take(&text);
}

#endif
