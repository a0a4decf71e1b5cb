// SPDX-License-Identifier: Apache-2.0
/*
 * Writes tar entries in the one form: ustar, with a pax header before it only when ustar cannot say it. What
 * this writes must not change between versions of sbuild without need: image IDs depend on it.
 */
#include <builder/image.h>

#include <stdio.h>

enum { BLOCK = 512 };

static const unsigned char zeros[2 * BLOCK];

static bool is_ascii(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Octal with a NUL behind it; false when it does not fit. */
static bool put_octal(unsigned char *field, size_t len, uint64_t value)
{
    if (value >> (3 * (len - 1)))
        return false;
    field[len - 1] = 0;
    for (size_t i = len - 1; i-- > 0; value >>= 3)
        field[i] = (unsigned char)('0' + (value & 7));
    return true;
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static void add_record(sb_buf *pax, const char *prefix, sb_slice key, sb_slice value)
{
    size_t bare = 1 + strlen(prefix) + key.len + 1 + value.len + 1;
    size_t len = bare;

    for (int i = 0; i < 3; i++) {
        size_t digits = 0;

        for (size_t n = len; n > 0; n /= 10)
            digits++;
        len = bare + digits;
    }
    sb_buf_printf(pax, "%zu %s", len, prefix);
    sb_buf_adds(pax, key);
    sb_buf_addc(pax, '=');
    sb_buf_adds(pax, value);
    sb_buf_addc(pax, '\n');
}

static void add_number(sb_buf *pax, const char *key, int64_t value)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%lld", (long long)value);

    add_record(pax, "", sb_slice_z(key), sb_slice_of(text, (size_t)len));
}

static void finish_header(unsigned char block[BLOCK])
{
    unsigned sum = 0;

    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    (void)put_octal(block + 148, 7, sum);
}

/* Into name and prefix; false when only pax can say it. */
static bool put_path(unsigned char block[BLOCK], sb_slice path)
{
    if (!is_ascii(path))
        return false;
    if (path.len <= 100) {
        memcpy(block, path.ptr, path.len);
        return true;
    }
    for (size_t i = path.len - 1; i > 0; i--) {
        /* The "/" between the two is in neither; the name may end in one, but not be empty. */
        if (path.ptr[i] != '/' || i > 155 || i + 1 == path.len)
            continue;
        if (path.len - i - 1 > 100)
            return false;
        memcpy(block + 345, path.ptr, i);
        memcpy(block, path.ptr + i + 1, path.len - i - 1);
        return true;
    }
    return false;
}

static int write_pax(const sb_sink *sink, const sb_buf *pax, int64_t mtime, sb_error **err)
{
    unsigned char block[BLOCK] = "PaxHeaders/entry";

    if (sb_buf_check(pax, "an extended header", err) < 0)
        return -1;
    (void)put_octal(block + 100, 8, 0644);
    (void)put_octal(block + 108, 8, 0);
    (void)put_octal(block + 116, 8, 0);
    (void)put_octal(block + 124, 12, pax->len);
    if (mtime < 0 || !put_octal(block + 136, 12, (uint64_t)mtime))
        (void)put_octal(block + 136, 12, 0);
    block[156] = 'x';
    finish_header(block);
    if (sink->write(sink->ctx, block, BLOCK, err) < 0 || sink->write(sink->ctx, pax->data, pax->len, err) < 0)
        return -1;
    return sb_layer_write_padding(sink, pax->len, err);
}

int sb_layer_write_header(const sb_sink *sink, const sb_layer_entry *entry, sb_error **err)
{
    sb_autobuf pax = SB_BUF_INIT(SB_LAYER_HEADER_MAX);
    sb_autobuf name = SB_BUF_INIT(SB_LAYER_PATH_MAX + 16);
    unsigned char block[BLOCK] = {0};
    bool file = entry->type == SB_ENTRY_FILE;
    bool device = entry->type == SB_ENTRY_CHAR || entry->type == SB_ENTRY_BLOCK;

    sb_buf_adds(&name, entry->path);
    if (entry->type == SB_ENTRY_DIR)
        sb_buf_addc(&name, '/');
    /* Records come in the order of their keys. */
    for (size_t i = 0; i < entry->xattr_count; i++)
        add_record(&pax, "SCHILY.xattr.", entry->xattrs[i].name, entry->xattrs[i].value);
    (void)put_octal(block + 100, 8, entry->mode);
    if (!put_octal(block + 116, 8, entry->gid))
        add_number(&pax, "gid", entry->gid);
    if (entry->link.len <= 100 && is_ascii(entry->link))
        memcpy(block + 157, entry->link.len ? entry->link.ptr : "", entry->link.len);
    else
        add_record(&pax, "", SB_LIT("linkpath"), entry->link);
    if (entry->mtime < 0 || !put_octal(block + 136, 12, (uint64_t)entry->mtime)) {
        (void)put_octal(block + 136, 12, 0);
        add_number(&pax, "mtime", entry->mtime);
    }
    if (!put_path(block, sb_buf_slice(&name)))
        add_record(&pax, "", SB_LIT("path"), sb_buf_slice(&name));
    if (!put_octal(block + 124, 12, file ? entry->size : 0))
        add_number(&pax, "size", (int64_t)entry->size);
    if (!put_octal(block + 108, 8, entry->uid))
        add_number(&pax, "uid", entry->uid);
    if (device && (!put_octal(block + 329, 8, entry->major) || !put_octal(block + 337, 8, entry->minor)))
        return sb_fail(err, SB_ERR_LIMIT, "a device number is too large for a layer");
    block[156] = (unsigned char)entry->type;
    finish_header(block);
    if (pax.len > 0 && write_pax(sink, &pax, entry->mtime, err) < 0)
        return -1;
    return sink->write(sink->ctx, block, BLOCK, err);
}

int sb_layer_write_padding(const sb_sink *sink, uint64_t size, sb_error **err)
{
    size_t rest = (size_t)(size % BLOCK);

    return rest ? sink->write(sink->ctx, zeros, BLOCK - rest, err) : 0;
}

int sb_layer_write_end(const sb_sink *sink, sb_error **err)
{
    return sink->write(sink->ctx, zeros, sizeof(zeros), err);
}

int sb_layer_write_file(const sb_sink *sink, sb_slice path, int64_t mtime, sb_slice content, sb_error **err)
{
    sb_layer_entry entry = {
        .type = SB_ENTRY_FILE, .path = path, .mode = 0644, .mtime = mtime, .size = content.len};

    if (sb_layer_write_header(sink, &entry, err) < 0 ||
        sink->write(sink->ctx, content.ptr, content.len, err) < 0)
        return -1;
    return sb_layer_write_padding(sink, content.len, err);
}
