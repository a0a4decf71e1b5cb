// SPDX-License-Identifier: Apache-2.0
/*
 * Reads the tar of a layer: ustar, pax, GNU long names and base-256 numbers. Unlike a general archive library
 * it gives names and extended attributes as the bytes that they are, whatever the locale, and where a file's
 * content lies.
 */
#include <fetch/layer.h>

enum { BLOCK = 512 };

typedef struct pax_state { /* what extended headers say about the next entry; absent slices when nothing */
    sb_slice path, link;
    bool has_size, has_mtime, has_uid, has_gid, sparse;
    uint64_t size, uid, gid;
    int64_t mtime;
} pax_state;

struct sb_layer_reader {
    sb_layer_source *source;
    uint64_t left; /* of the current entry's content and padding */
    uint64_t padding;
    sb_buf pax;                  /* the raw records: what slices of the entry point to */
    sb_buf long_path, long_link; /* of GNU's own headers; empty without */
    sb_buf joined;               /* prefix and name of ustar */
    sb_buf path, link;           /* normalised */
    sb_xattr xattrs[SB_LAYER_XATTRS_MAX];
    size_t xattr_count;
    bool lenient;
};

sb_layer_reader *sb_layer_reader_new(sb_layer_source *source)
{
    sb_layer_reader *reader = sb_new(sb_layer_reader);

    reader->source = source;
    reader->pax = SB_BUF_INIT(SB_LAYER_HEADER_MAX);
    reader->long_path = SB_BUF_INIT(SB_LAYER_HEADER_MAX);
    reader->long_link = SB_BUF_INIT(SB_LAYER_HEADER_MAX);
    reader->joined = SB_BUF_INIT(512);
    reader->path = SB_BUF_INIT(SB_LAYER_HEADER_MAX);
    reader->link = SB_BUF_INIT(SB_LAYER_HEADER_MAX);
    return reader;
}

void sb_layer_reader_free(sb_layer_reader *reader)
{
    if (!reader)
        return;
    sb_buf_free(&reader->pax);
    sb_buf_free(&reader->long_path);
    sb_buf_free(&reader->long_link);
    sb_buf_free(&reader->joined);
    sb_buf_free(&reader->path);
    sb_buf_free(&reader->link);
    free(reader);
}

static int fail_layer(const sb_layer_reader *reader, const char *why, sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "its tar, at byte %llu: %s",
                   (unsigned long long)sb_layer_source_offset(reader->source), why);
}

/* Octal digits between blanks and NULs, or GNU's base 256. Negative numbers (of times) are told by
 * *ret_negative. */
static bool parse_number(const unsigned char *field, size_t len, uint64_t *ret_value, bool *ret_negative)
{
    uint64_t value = 0;
    size_t i = 0;

    *ret_negative = false;
    if (field[0] & 0x80) {
        bool negative = (field[0] & 0x40) != 0;
        unsigned char flip = negative ? 0xff : 0;

        for (i = 0; i < len; i++) {
            unsigned char byte = field[i] ^ flip;

            if (i == 0)
                byte &= 0x7f;
            if (value >> 55)
                return false;
            value = value << 8 | byte;
        }
        *ret_value = negative ? value + 1 : value;
        *ret_negative = negative;
        return true;
    }
    while (i < len && (field[i] == ' ' || field[i] == 0))
        i++;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
        if (value >> 60)
            return false;
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    for (; i < len; i++)
        if (field[i] != ' ' && field[i] != 0)
            return false;
    *ret_value = value;
    return true;
}

static bool checksum_holds(const unsigned char *block)
{
    uint64_t wanted, with_unsigned = 0;
    int64_t with_signed = 0;
    bool negative;

    for (size_t i = 0; i < BLOCK; i++) {
        unsigned char c = i >= 148 && i < 156 ? ' ' : block[i];

        with_unsigned += c;
        with_signed += (signed char)c;
    }
    return parse_number(block + 148, 8, &wanted, &negative) && !negative &&
           (wanted == with_unsigned || (int64_t)wanted == with_signed);
}

static sb_slice text_field(const unsigned char *field, size_t len)
{
    return sb_slice_of((const char *)field, strnlen((const char *)field, len));
}

/* Reads content of `size` bytes with its padding into `into`. */
static int read_long(sb_layer_reader *reader, uint64_t size, sb_buf *into, sb_error **err)
{
    char piece[4096];

    sb_buf_reset(into);
    if (size > SB_LAYER_HEADER_MAX)
        return fail_layer(reader, "an extended header is too large", err);
    for (uint64_t left = (size + BLOCK - 1) / BLOCK * BLOCK, content = size; left > 0;) {
        size_t want = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        size_t got;

        if (sb_layer_source_read(reader->source, piece, want, &got, err) < 0)
            return -1;
        if (got < want)
            return fail_layer(reader, "it ends within a header", err);
        sb_buf_add(into, piece, content < got ? (size_t)content : got);
        content -= content < got ? content : got;
        left -= got;
    }
    return sb_buf_check(into, "an extended header", err);
}

/* "1700000000.25", rounded down. */
static bool parse_time(sb_slice text, int64_t *ret_time)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    sb_slice rest = negative ? sb_slice_sub(text, 1, text.len) : text;
    sb_slice whole = sb_slice_cut(&rest, '.');
    bool fraction = false;
    uint64_t value;

    if (!sb_slice_to_u64(whole, &value) || value > INT64_MAX / 2)
        return false;
    for (size_t i = 0; i < rest.len; i++)
        fraction = fraction || rest.ptr[i] != '0';
    *ret_time = negative ? -(int64_t)value - (fraction ? 1 : 0) : (int64_t)value;
    return true;
}

/* Attributes that belong to the host that built, not to the image. */
static bool is_host_xattr(sb_slice name)
{
    static const char *const prefixes[] = {"trusted.",         "user.overlay.", "user.containers.",
                                           "security.selinux", "security.ima",  "security.evm"};

    for (size_t i = 0; i < SB_COUNT(prefixes); i++)
        if (sb_slice_starts(name, sb_slice_z(prefixes[i])))
            return true;
    return false;
}

static int take_xattr(sb_layer_reader *reader, sb_slice name, sb_slice value, sb_error **err)
{
    if (is_host_xattr(name) || name.len == 0)
        return 0;
    for (size_t i = 0; i < reader->xattr_count; i++)
        if (sb_slice_eq(reader->xattrs[i].name, name)) {
            reader->xattrs[i].value = value;
            return 0;
        }
    if (reader->xattr_count == SB_LAYER_XATTRS_MAX && reader->lenient)
        return 0;
    if (reader->xattr_count == SB_LAYER_XATTRS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "a layer's entry has more than %d extended attributes",
                       SB_LAYER_XATTRS_MAX);
    reader->xattrs[reader->xattr_count++] = (sb_xattr){name, value};
    return 0;
}

static int take_record(sb_layer_reader *reader, pax_state *pax, sb_slice key, sb_slice value, sb_error **err)
{
    const sb_slice xattr = SB_LIT("SCHILY.xattr.");
    bool good = true;

    if (sb_slice_starts(key, xattr))
        return take_xattr(reader, sb_slice_sub(key, xattr.len, key.len), value, err);
    if (sb_slice_eqz(key, "path"))
        pax->path = pax->sparse && pax->path.ptr ? pax->path : value;
    else if (sb_slice_eqz(key, "GNU.sparse.name"))
        pax->path = value;
    else if (sb_slice_eqz(key, "linkpath"))
        pax->link = value;
    else if (sb_slice_eqz(key, "size"))
        good = pax->has_size = sb_slice_to_u64(value, &pax->size);
    else if (sb_slice_eqz(key, "uid"))
        good = pax->has_uid = sb_slice_to_u64(value, &pax->uid);
    else if (sb_slice_eqz(key, "gid"))
        good = pax->has_gid = sb_slice_to_u64(value, &pax->gid);
    else if (sb_slice_eqz(key, "mtime"))
        good = pax->has_mtime = parse_time(value, &pax->mtime);
    if (sb_slice_starts(key, SB_LIT("GNU.sparse.")))
        pax->sparse = true;
    return good ? 0 : fail_layer(reader, "an extended header has a number that is none", err);
}

/* Records "LENGTH KEY=VALUE\n". */
static int parse_pax(sb_layer_reader *reader, pax_state *pax, sb_error **err)
{
    sb_slice rest = sb_buf_slice(&reader->pax);

    reader->xattr_count = 0;
    while (rest.len > 0 && rest.ptr[0] != 0) {
        ptrdiff_t space = sb_slice_chr(rest, ' ');
        sb_slice record, key;
        uint64_t len;

        if (space <= 0 || !sb_slice_to_u64(sb_slice_sub(rest, 0, (size_t)space), &len) || len > rest.len ||
            len < (uint64_t)space + 3 || rest.ptr[len - 1] != '\n')
            return fail_layer(reader, "an extended header is malformed", err);
        record = sb_slice_sub(rest, (size_t)space + 1, (size_t)len - 1);
        rest = sb_slice_sub(rest, (size_t)len, rest.len);
        key = sb_slice_cut(&record, '=');
        if (!record.ptr)
            return fail_layer(reader, "an extended header is malformed", err);
        if (take_record(reader, pax, key, record, err) < 0)
            return -1;
    }
    return 0;
}

/* Without empty and "." components, without "/" at the ends. */
static int normalise(sb_layer_reader *reader, sb_slice path, sb_buf *into, sb_error **err)
{
    sb_slice rest = path;

    sb_buf_reset(into);
    sb_buf_addz(into, "");
    while (rest.ptr) {
        sb_slice part = sb_slice_cut(&rest, '/');

        if (part.len == 0 || sb_slice_eqz(part, ".") || (reader->lenient && sb_slice_eqz(part, "..")))
            continue;
        if (sb_slice_eqz(part, "..") || memchr(part.ptr, 0, part.len))
            return fail_layer(reader, "a name leads out of the image", err);
        if (part.len > 255)
            return fail_layer(reader, "a name has a component of more than 255 bytes", err);
        if (into->len > 0)
            sb_buf_addc(into, '/');
        sb_buf_adds(into, part);
    }
    if (into->len > SB_LAYER_PATH_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "a layer has a name of more than %d bytes", SB_LAYER_PATH_MAX);
    return sb_buf_check(into, "a name in a layer", err);
}

/* GNU's old sparse files have further headers, each of which says whether another follows. */
static int skip_sparse_headers(sb_layer_reader *reader, bool more, sb_error **err)
{
    unsigned char block[BLOCK];
    size_t got;

    while (more) {
        if (sb_layer_source_read(reader->source, block, BLOCK, &got, err) < 0)
            return -1;
        if (got < BLOCK)
            return fail_layer(reader, "it ends within a header", err);
        more = block[504] != 0;
    }
    return 0;
}

static sb_slice ustar_path(const unsigned char *block, sb_buf *into)
{
    sb_slice name = text_field(block, 100);
    sb_slice prefix = text_field(block + 345, 155);

    /* GNU's format keeps other things where ustar has its prefix. */
    if (memcmp(block + 257, "ustar\0", 6) != 0 || prefix.len == 0)
        return name;
    sb_buf_reset(into);
    sb_buf_adds(into, prefix);
    sb_buf_addc(into, '/');
    sb_buf_adds(into, name);
    return sb_buf_slice(into);
}

bool sb_xattrs_eq(const sb_xattr *a, size_t a_count, const sb_xattr *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!sb_slice_eq(a[i].name, b[i].name) || !sb_slice_eq(a[i].value, b[i].value))
            return false;
    return true;
}

static int compare_xattrs(const void *a, const void *b)
{
    return sb_slice_cmp(((const sb_xattr *)a)->name, ((const sb_xattr *)b)->name);
}

static int parse_fields(sb_layer_reader *reader, const unsigned char *block, const pax_state *pax,
                        sb_layer_entry *entry, uint64_t *ret_stored, sb_error **err)
{
    uint64_t mode, uid, gid, mtime, size, major = 0, minor = 0;
    bool n1, n2, n3, n4, n5, negative, device = block[156] == '3' || block[156] == '4';

    if (!parse_number(block + 100, 8, &mode, &n1) || !parse_number(block + 108, 8, &uid, &n2) ||
        !parse_number(block + 116, 8, &gid, &n3) || !parse_number(block + 124, 12, &size, &n4) ||
        !parse_number(block + 136, 12, &mtime, &negative) || n1 || n2 || n3 || n4)
        return fail_layer(reader, "a header has a number that is none", err);
    if (device && (!parse_number(block + 329, 8, &major, &n4) || !parse_number(block + 337, 8, &minor, &n5) ||
                   n4 || n5))
        return fail_layer(reader, "a device has a number that is none", err);
    uid = pax->has_uid ? pax->uid : uid;
    gid = pax->has_gid ? pax->gid : gid;
    if (uid > UINT32_MAX || gid > UINT32_MAX || major > UINT32_MAX || minor > UINT32_MAX)
        return fail_layer(reader, "an owner or device number is too large", err);
    *ret_stored = pax->has_size ? pax->size : size;
    if (*ret_stored > SB_LAYER_BYTES_MAX)
        return fail_layer(reader, "a file is too large", err);
    entry->mode = (unsigned)mode & 07777;
    entry->uid = (uint32_t)uid;
    entry->gid = (uint32_t)gid;
    entry->major = (uint32_t)major;
    entry->minor = (uint32_t)minor;
    entry->mtime = pax->has_mtime ? pax->mtime : negative ? (int64_t)(0 - mtime) : (int64_t)mtime;
    return 0;
}

static bool entry_type(unsigned char flag, bool slash, sb_entry_type *ret_type)
{
    switch (flag) {
    case 0:
    case '0':
        *ret_type = slash ? SB_ENTRY_DIR : SB_ENTRY_FILE;
        return true;
    case '7':
    case 'S':
        *ret_type = SB_ENTRY_FILE;
        return true;
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
        *ret_type = (sb_entry_type)flag;
        return true;
    default:
        return false;
    }
}

/* The header of something that is an entry. 1, or 0 when it is of a kind that does not count. */
static int take_entry(sb_layer_reader *reader, const unsigned char *block, const pax_state *pax,
                      sb_layer_entry *ret_entry, sb_error **err)
{
    sb_layer_entry entry = {0};
    sb_slice path = pax->path, link = pax->link;
    uint64_t stored;
    bool known;

    if (!path.ptr)
        path = reader->long_path.len > 0
                   ? text_field((unsigned char *)reader->long_path.data, reader->long_path.len)
                   : ustar_path(block, &reader->joined);
    if (!link.ptr)
        link = reader->long_link.len > 0
                   ? text_field((unsigned char *)reader->long_link.data, reader->long_link.len)
                   : text_field(block + 157, 100);
    known = entry_type(block[156], path.len > 0 && path.ptr[path.len - 1] == '/', &entry.type);
    if (parse_fields(reader, block, pax, &entry, &stored, err) < 0)
        return -1;
    entry.sparse = pax->sparse || block[156] == 'S';
    if (block[156] == 'S' && skip_sparse_headers(reader, block[482] != 0, err) < 0)
        return -1;
    if (known && entry.type != SB_ENTRY_FILE)
        stored = 0;
    reader->left = stored;
    reader->padding = (BLOCK - stored % BLOCK) % BLOCK;
    if (!known)
        return 0;
    if (normalise(reader, path, &reader->path, err) < 0)
        return -1;
    sb_buf_reset(&reader->link);
    if (entry.type == SB_ENTRY_HARD_LINK && normalise(reader, link, &reader->link, err) < 0)
        return -1;
    if (entry.type == SB_ENTRY_SYMLINK) {
        if (link.len > SB_LAYER_PATH_MAX || (link.len > 0 && memchr(link.ptr, 0, link.len)))
            return fail_layer(reader, "a symbolic link has a target that is none", err);
        sb_buf_adds(&reader->link, link);
    }
    qsort(reader->xattrs, reader->xattr_count, sizeof(*reader->xattrs), compare_xattrs);
    entry.path = sb_buf_slice(&reader->path);
    entry.link = sb_buf_slice(&reader->link);
    entry.size = stored;
    entry.offset = sb_layer_source_offset(reader->source);
    entry.xattrs = reader->xattrs;
    entry.xattr_count = reader->xattr_count;
    *ret_entry = entry;
    return 1;
}

static int next_header(sb_layer_reader *reader, unsigned char block[BLOCK], sb_error **err)
{
    static const unsigned char zeros[BLOCK];
    size_t got;

    if (sb_layer_source_skip(reader->source, reader->left + reader->padding, err) < 0)
        return -1;
    reader->left = reader->padding = 0;
    if (sb_layer_source_read(reader->source, block, BLOCK, &got, err) < 0)
        return -1;
    if (got == 0 || (got == BLOCK && memcmp(block, zeros, BLOCK) == 0))
        return 0;
    if (got < BLOCK)
        return fail_layer(reader, "it ends within a header", err);
    if (!checksum_holds(block))
        return fail_layer(reader, "this is no tar header", err);
    return 1;
}

static void begin_entry(sb_layer_reader *reader, pax_state *pax)
{
    *pax = (pax_state){0};
    sb_buf_reset(&reader->long_path);
    sb_buf_reset(&reader->long_link);
    reader->xattr_count = 0;
}

int sb_layer_next(sb_layer_reader *reader, sb_layer_entry *ret_entry, sb_error **err)
{
    pax_state pax;
    unsigned char block[BLOCK];

    begin_entry(reader, &pax);
    for (;;) {
        int more = next_header(reader, block, err);
        sb_buf *extended;
        uint64_t size;
        bool negative;

        if (more <= 0)
            return more;
        extended = block[156] == 'L'   ? &reader->long_path
                   : block[156] == 'K' ? &reader->long_link
                   : block[156] == 'x' ? &reader->pax
                                       : NULL;
        if (!extended && block[156] != 'g') {
            more = take_entry(reader, block, &pax, ret_entry, err);
            if (more != 0)
                return more;
            begin_entry(reader, &pax);
            continue;
        }
        if (!parse_number(block + 124, 12, &size, &negative) || negative)
            return fail_layer(reader, "a header has a number that is none", err);
        if (!extended) {
            /* Global headers hold comments of git and the like. */
            if (size > SB_LAYER_HEADER_MAX)
                return fail_layer(reader, "an extended header is too large", err);
            reader->left = (size + BLOCK - 1) / BLOCK * BLOCK;
            continue;
        }
        if (read_long(reader, size, extended, err) < 0)
            return -1;
        if (extended == &reader->pax) {
            pax = (pax_state){0};
            if (parse_pax(reader, &pax, err) < 0)
                return -1;
        }
    }
}

void sb_layer_reader_lenient(sb_layer_reader *reader)
{
    reader->lenient = true;
}

int sb_layer_read(sb_layer_reader *reader, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    size_t want = reader->left < len ? (size_t)reader->left : len;

    if (want > 0 && sb_layer_source_read(reader->source, data, want, ret_len, err) < 0)
        return -1;
    if (want > 0 && *ret_len < want)
        return fail_layer(reader, "it ends in the middle of a file", err);
    reader->left -= want;
    *ret_len = want;
    return 0;
}

int sb_layer_hash(sb_layer_reader *reader, unsigned char ret_hash[32], sb_error **err)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    char piece[16384];
    size_t got = 1;
    sb_digest digest;

    while (got > 0) {
        if (sb_layer_read(reader, piece, sizeof(piece), &got, err) < 0)
            return -1;
        sb_hasher_add(hasher, piece, got);
    }
    sb_hasher_finish(hasher, &digest);
    memcpy(ret_hash, digest.bytes, 32);
    return 0;
}
