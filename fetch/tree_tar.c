// SPDX-License-Identifier: Apache-2.0
#include <fetch/tar.h>

#include <sbuild/buf.h>
#include <sbuild/fs.h>
#include <sbuild/utf8.h>

#include <stdio.h>

enum {
    BLOCK = 512,
    BUFFER = 1 << 17,
    NAME_MAX_USTAR = 100,
    PREFIX_MAX_USTAR = 155,
    PAX_MAX = 1 << 17, /* two long names and the numbers */
};
static const uint64_t size_max_ustar = 077777777777;

/* As POSIX lays it out. */
typedef struct header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char pad[12];
} header;
_Static_assert(sizeof(header) == BLOCK, "a tar header is one block");

struct sb_tar {
    int fd;
    char *buffer;
    size_t used;
    uint64_t left;  /* bytes that the current entry still lacks */
    size_t padding; /* zeros behind them */
};

sb_tar *sb_tar_new(int fd)
{
    sb_tar *tar = sb_new(sb_tar);

    tar->fd = fd;
    tar->buffer = sb_malloc(BUFFER);
    return tar;
}

void sb_tar_free(sb_tar *tar)
{
    if (!tar)
        return;
    free(tar->buffer);
    free(tar);
}

static int flush(sb_tar *tar, sb_error **err)
{
    size_t used = tar->used;

    tar->used = 0;
    return sb_write_all(tar->fd, tar->buffer, used, "the archive", err);
}

static int put(sb_tar *tar, const void *data, size_t len, sb_error **err)
{
    if (len > BUFFER - tar->used && flush(tar, err) < 0)
        return -1;
    if (len > BUFFER / 2)
        return sb_write_all(tar->fd, data, len, "the archive", err);
    if (len)
        memcpy(tar->buffer + tar->used, data, len);
    tar->used += len;
    return 0;
}

static int put_zeros(sb_tar *tar, size_t len, sb_error **err)
{
    static const char zeros[2 * BLOCK];

    return put(tar, zeros, len, err);
}

static void octal(char *field, size_t width, uint64_t value)
{
    field[width - 1] = '\0';
    for (size_t i = width - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

/* Where to cut a long name so that both halves fit; 0 when there is no such place. */
static size_t split_at(sb_slice name)
{
    size_t from = name.len > NAME_MAX_USTAR ? name.len - NAME_MAX_USTAR - 1 : 0;

    for (size_t i = from; i < name.len - 1 && i <= PREFIX_MAX_USTAR; i++)
        if (i > 0 && name.ptr[i] == '/')
            return i;
    return 0;
}

static bool name_fits(sb_slice name)
{
    return name.len <= NAME_MAX_USTAR || split_at(name) > 0;
}

static void set_name(header *h, sb_slice name)
{
    size_t cut = name.len > NAME_MAX_USTAR ? split_at(name) : 0;

    if (cut) {
        memcpy(h->prefix, name.ptr, cut);
        name = sb_slice_sub(name, cut + 1, name.len);
    }
    memcpy(h->name, name.ptr, name.len < NAME_MAX_USTAR ? name.len : NAME_MAX_USTAR);
}

static int put_header(sb_tar *tar, char type, sb_slice name, sb_slice link, unsigned mode, uint64_t size,
                      int64_t mtime, sb_error **err)
{
    header h;
    unsigned sum = 0;

    memset(&h, 0, sizeof(h));
    set_name(&h, name);
    octal(h.mode, sizeof(h.mode), mode & 07777);
    octal(h.uid, sizeof(h.uid), 0);
    octal(h.gid, sizeof(h.gid), 0);
    octal(h.size, sizeof(h.size), size > size_max_ustar ? 0 : size);
    octal(h.mtime, sizeof(h.mtime), mtime > 0 ? (uint64_t)mtime : 0);
    h.type = type;
    if (link.len)
        memcpy(h.link, link.ptr, link.len < sizeof(h.link) ? link.len : sizeof(h.link));
    memcpy(h.magic, "ustar", 6);
    memcpy(h.version, "00", 2);
    octal(h.major, sizeof(h.major), 0);
    octal(h.minor, sizeof(h.minor), 0);
    memset(h.checksum, ' ', sizeof(h.checksum));
    for (size_t i = 0; i < sizeof(h); i++)
        sum += ((const unsigned char *)&h)[i];
    octal(h.checksum, sizeof(h.checksum) - 1, sum);
    return put(tar, &h, sizeof(h), err);
}

static bool is_utf8(sb_slice s)
{
    uint32_t c;

    for (size_t i = 0, n; i < s.len; i += n) {
        n = sb_utf8_decode(s.ptr + i, s.len - i, &c);
        if (n == 0)
            return false;
    }
    return true;
}

/* "LENGTH key=value\n", where the length counts its own digits. */
static void add_record(sb_buf *pax, const char *key, sb_slice value)
{
    size_t rest = strlen(key) + value.len + 3;
    size_t total = rest + 1;

    for (size_t power = 10; total >= power; power *= 10)
        total++;
    sb_buf_printf(pax, "%zu %s=", total, key);
    sb_buf_adds(pax, value);
    sb_buf_addc(pax, '\n');
}

static int put_pax(sb_tar *tar, const sb_tar_entry *entry, sb_slice name, sb_error **err)
{
    sb_autobuf pax = SB_BUF_INIT(PAX_MAX);
    bool long_name = !name_fits(name);
    bool long_link = entry->link.len > NAME_MAX_USTAR;

    if ((long_name && !is_utf8(name)) || (long_link && !is_utf8(entry->link)))
        add_record(&pax, "hdrcharset", SB_LIT("BINARY"));
    if (long_name)
        add_record(&pax, "path", name);
    if (long_link)
        add_record(&pax, "linkpath", entry->link);
    if (entry->size > size_max_ustar) {
        char digits[24];
        int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)entry->size);

        add_record(&pax, "size", sb_slice_of(digits, (size_t)n));
    }
    if (!pax.len)
        return 0;
    if (sb_buf_check(&pax, "a name in the archive", err) < 0 ||
        put_header(tar, 'x', SB_LIT("pax"), SB_NIL, 0644, pax.len, 0, err) < 0 ||
        put(tar, pax.data, pax.len, err) < 0)
        return -1;
    return put_zeros(tar, -pax.len % BLOCK, err);
}

static int end_entry(sb_tar *tar, sb_error **err)
{
    size_t padding = tar->padding;

    if (tar->left)
        return sb_fail(err, SB_ERR_INTERNAL, "an entry of the archive lacks %llu bytes",
                       (unsigned long long)tar->left);
    tar->padding = 0;
    return put_zeros(tar, padding, err);
}

int sb_tar_add(sb_tar *tar, const sb_tar_entry *entry, sb_error **err)
{
    sb_autobuf name = SB_BUF_INIT(PAX_MAX);

    sb_buf_adds(&name, entry->name);
    if (entry->type == SB_TAR_DIRECTORY)
        sb_buf_addc(&name, '/');
    if (!name.len || sb_buf_check(&name, "a name in the archive", err) < 0)
        return sb_fail(err, SB_ERR_INTERNAL, "an entry of the archive lacks a name");
    if (end_entry(tar, err) < 0 || put_pax(tar, entry, sb_buf_slice(&name), err) < 0 ||
        put_header(tar, (char)entry->type, sb_buf_slice(&name), entry->link, entry->mode, entry->size,
                   entry->mtime, err) < 0)
        return -1;
    tar->left = entry->size;
    tar->padding = (size_t)(-entry->size % BLOCK);
    return 0;
}

int sb_tar_data(sb_tar *tar, const void *data, size_t len, sb_error **err)
{
    if (len > tar->left)
        return sb_fail(err, SB_ERR_INTERNAL, "an entry of the archive has more bytes than announced");
    tar->left -= len;
    return put(tar, data, len, err);
}

int sb_tar_add_file(sb_tar *tar, sb_slice name, unsigned mode, int64_t mtime, sb_slice content,
                    sb_error **err)
{
    sb_tar_entry entry = {
        .type = SB_TAR_FILE, .name = name, .mode = mode, .size = content.len, .mtime = mtime};

    return sb_tar_add(tar, &entry, err) < 0 ? -1 : sb_tar_data(tar, content.ptr, content.len, err);
}

int sb_tar_add_directory(sb_tar *tar, sb_slice name, int64_t mtime, sb_error **err)
{
    sb_tar_entry entry = {.type = SB_TAR_DIRECTORY, .name = name, .mode = 0755, .mtime = mtime};

    return sb_tar_add(tar, &entry, err);
}

int sb_tar_finish(sb_tar *tar, sb_error **err)
{
    if (end_entry(tar, err) < 0 || put_zeros(tar, 2 * BLOCK, err) < 0)
        return -1;
    return flush(tar, err);
}
