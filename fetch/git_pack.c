// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>
#include <fetch/tar.h>

#include <openssl/evp.h>
#include <zlib.h>

enum {
    STORED_MAX = 65535, /* bytes in one block of deflate without compression */
    ZLIB_HEADER = 2,
    ZLIB_TRAILER = 4,
    BLOCK_HEADER = 5,
    HASH_MAX = 32,
};

typedef struct packed {
    sb_slice oid;
    unsigned char bytes[HASH_MAX];
    uint64_t size;
    uint64_t offset;
    uint32_t crc;
    unsigned type; /* as packs number them: commit 1, tree 2, blob 3, tag 4 */
} packed;

typedef struct pack {
    sb_tar *tar;
    packed *objects;
    size_t count;
    size_t hash_size;
    EVP_MD_CTX *hash;
    uint64_t offset;
    size_t current;
    uint64_t left; /* bytes of the current object that are still to come */
    size_t block;  /* bytes that the current block of deflate still lacks */
    uLong adler;
} pack;

size_t sb_git_oid_bytes(sb_slice oid, unsigned char ret_bytes[32])
{
    for (size_t i = 0; i + 1 < oid.len && i / 2 < HASH_MAX; i += 2) {
        int hi = oid.ptr[i] <= '9' ? oid.ptr[i] - '0' : oid.ptr[i] - 'a' + 10;
        int lo = oid.ptr[i + 1] <= '9' ? oid.ptr[i + 1] - '0' : oid.ptr[i + 1] - 'a' + 10;

        ret_bytes[i / 2] = (unsigned char)(hi << 4 | lo);
    }
    return oid.len / 2;
}

static void big_endian(unsigned char *out, uint64_t value, size_t width)
{
    for (size_t i = width; i-- > 0; value >>= 8)
        out[i] = (unsigned char)value;
}

static unsigned type_number(sb_slice type)
{
    static const char *const names[] = {"", "commit", "tree", "blob", "tag"};

    for (unsigned i = 1; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(type, names[i]))
            return i;
    return 0;
}

/* The type and the size, seven bits at a time but four in the first byte. */
static size_t object_header(const packed *object, unsigned char out[12])
{
    uint64_t rest = object->size >> 4;
    size_t n = 0;

    out[n] = (unsigned char)(object->type << 4 | (object->size & 15));
    while (rest) {
        out[n++] |= 0x80;
        out[n] = rest & 0x7f;
        rest >>= 7;
    }
    return n + 1;
}

static uint64_t packed_size(const packed *object)
{
    unsigned char header[12];
    uint64_t blocks = object->size ? (object->size + STORED_MAX - 1) / STORED_MAX : 1;

    return object_header(object, header) + ZLIB_HEADER + blocks * BLOCK_HEADER + object->size + ZLIB_TRAILER;
}

static int put(pack *p, const void *data, size_t len, sb_error **err)
{
    EVP_DigestUpdate(p->hash, data, len);
    p->offset += len;
    return sb_tar_data(p->tar, data, len, err);
}

/* Part of an object: counts for its checksum in the index, too. */
static int put_object(pack *p, const void *data, size_t len, sb_error **err)
{
    packed *object = &p->objects[p->current];

    object->crc = (uint32_t)crc32(object->crc, data, (uInt)len);
    return put(p, data, len, err);
}

static int start_block(pack *p, sb_error **err)
{
    size_t len = p->left < STORED_MAX ? (size_t)p->left : STORED_MAX;
    unsigned char header[BLOCK_HEADER] = {p->left <= STORED_MAX, (unsigned char)len,
                                          (unsigned char)(len >> 8), (unsigned char)~len,
                                          (unsigned char)(~len >> 8)};

    p->block = len;
    return put_object(p, header, sizeof(header), err);
}

static int start_object(void *ctx, size_t index, sb_slice type, uint64_t size, sb_error **err)
{
    static const unsigned char zlib_header[ZLIB_HEADER] = {0x78, 0x01};
    unsigned char header[12];
    pack *p = ctx;
    packed *object = &p->objects[index];

    if (size != object->size || type_number(type) != object->type)
        return sb_fail(err, SB_ERR_IO, "git tells two sizes of one object");
    p->current = index;
    p->left = size;
    p->adler = adler32(0, NULL, 0);
    object->offset = p->offset;
    object->crc = (uint32_t)crc32(0, NULL, 0);
    if (put_object(p, header, object_header(object, header), err) < 0 ||
        put_object(p, zlib_header, sizeof(zlib_header), err) < 0)
        return -1;
    return start_block(p, err);
}

static int object_data(void *ctx, sb_slice piece, sb_error **err)
{
    pack *p = ctx;

    p->adler = adler32(p->adler, (const Bytef *)piece.ptr, (uInt)piece.len);
    while (piece.len) {
        size_t n = piece.len < p->block ? piece.len : p->block;

        if (put_object(p, piece.ptr, n, err) < 0)
            return -1;
        piece = sb_slice_sub(piece, n, piece.len);
        p->left -= n;
        p->block -= n;
        if (p->block == 0 && p->left && start_block(p, err) < 0)
            return -1;
    }
    return 0;
}

static int end_object(void *ctx, sb_error **err)
{
    unsigned char trailer[ZLIB_TRAILER];
    pack *p = ctx;

    big_endian(trailer, p->adler, sizeof(trailer));
    return put_object(p, trailer, sizeof(trailer), err);
}

/* The sizes, from `git cat-file --batch-check`: "OID TYPE SIZE" lines. */
static int measure(sb_arena *arena, const char *dir, packed *objects, size_t count, sb_error **err)
{
    static const char *const args[] = {"cat-file", "--batch-check", NULL};
    sb_autobuf input = SB_BUF_INIT(SB_GIT_LISTING_MAX);
    sb_git_call call = {.args = args, .dir = dir, .max_output = SB_GIT_LISTING_MAX};
    sb_slice output;

    for (size_t i = 0; i < count; i++) {
        sb_buf_adds(&input, objects[i].oid);
        sb_buf_addc(&input, '\n');
    }
    if (sb_buf_check(&input, "the list of git objects", err) < 0)
        return -1;
    call.input = sb_buf_slice(&input);
    if (sb_git_run(arena, &call, &output, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        sb_slice line = sb_slice_cut(&output, '\n');
        sb_slice oid = sb_slice_cut(&line, ' ');

        objects[i].type = type_number(sb_slice_cut(&line, ' '));
        if (!sb_slice_eq(oid, objects[i].oid) || objects[i].type == 0 ||
            !sb_slice_to_u64(line, &objects[i].size))
            return sb_fail(err, SB_ERR_IO,
                           "git lacks an object of the commit; remove the git cache and try again");
    }
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(((const packed *)a)->bytes, ((const packed *)b)->bytes, HASH_MAX);
}

static void finish_hash(pack *p, unsigned char ret_hash[EVP_MAX_MD_SIZE])
{
    EVP_DigestFinal_ex(p->hash, ret_hash, NULL);
}

static void start_hash(pack *p)
{
    EVP_DigestInit_ex(p->hash, p->hash_size == 20 ? EVP_sha1() : EVP_sha256(), NULL);
}

static int write_pack(sb_arena *arena, const char *dir, pack *p, const sb_slice *oids, sb_slice name,
                      int64_t mtime, unsigned char ret_hash[EVP_MAX_MD_SIZE], sb_error **err)
{
    static const sb_git_reader reader = {start_object, object_data, end_object};
    unsigned char header[12] = {'P', 'A', 'C', 'K', 0, 0, 0, 2};
    sb_tar_entry entry = {.type = SB_TAR_FILE, .name = name, .mode = 0644, .mtime = mtime};

    entry.size = sizeof(header) + p->hash_size;
    for (size_t i = 0; i < p->count; i++)
        entry.size += packed_size(&p->objects[i]);
    big_endian(header + 8, p->count, 4);
    start_hash(p);
    if (sb_tar_add(p->tar, &entry, err) < 0 || put(p, header, sizeof(header), err) < 0 ||
        sb_git_read_objects(arena, dir, oids, p->count, &reader, p, err) < 0)
        return -1;
    finish_hash(p, ret_hash);
    return sb_tar_data(p->tar, ret_hash, p->hash_size, err);
}

static void add_number(sb_buf *out, uint64_t value, size_t width)
{
    unsigned char bytes[8];

    big_endian(bytes, value, width);
    sb_buf_add(out, bytes, width);
}

/* Version 2 of the pack index; the objects are sorted by ID now. */
static int write_pack_index(pack *p, sb_slice name, int64_t mtime, const unsigned char *pack_hash,
                            sb_error **err)
{
    static const uint64_t far = 0x80000000;
    sb_autobuf out = SB_BUF_INIT(SB_GIT_LISTING_MAX);
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t n = 0, far_count = 0;

    sb_buf_add(&out, "\377tOc\0\0\0\2", 8);
    for (unsigned first = 0; first < 256; first++) {
        while (n < p->count && p->objects[n].bytes[0] <= first)
            n++;
        add_number(&out, n, 4);
    }
    for (size_t i = 0; i < p->count; i++)
        sb_buf_add(&out, p->objects[i].bytes, p->hash_size);
    for (size_t i = 0; i < p->count; i++)
        add_number(&out, p->objects[i].crc, 4);
    for (size_t i = 0; i < p->count; i++)
        add_number(&out, p->objects[i].offset < far ? p->objects[i].offset : far | far_count++, 4);
    for (size_t i = 0; i < p->count; i++)
        if (p->objects[i].offset >= far)
            add_number(&out, p->objects[i].offset, 8);
    sb_buf_add(&out, pack_hash, p->hash_size);
    if (sb_buf_check(&out, "the index of a pack", err) < 0)
        return -1;
    start_hash(p);
    EVP_DigestUpdate(p->hash, out.data, out.len);
    finish_hash(p, hash);
    sb_buf_add(&out, hash, p->hash_size);
    return sb_tar_add_file(p->tar, name, 0644, mtime, sb_buf_slice(&out), err);
}

/* Packs are named by the IDs of what is in them. */
static void name_pack(pack *p, char ret_hex[2 * EVP_MAX_MD_SIZE + 1])
{
    unsigned char hash[EVP_MAX_MD_SIZE];

    start_hash(p);
    for (size_t i = 0; i < p->count; i++)
        EVP_DigestUpdate(p->hash, p->objects[i].bytes, p->hash_size);
    finish_hash(p, hash);
    for (size_t i = 0; i < p->hash_size; i++) {
        ret_hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        ret_hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    ret_hex[2 * p->hash_size] = '\0';
}

static void free_hash(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

int sb_git_write_pack(sb_arena *arena, const char *dir, const sb_slice *oids, size_t count,
                      const char *prefix, int64_t mtime, sb_tar *tar, sb_error **err)
{
    __attribute__((cleanup(free_hash))) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    sb_slice *sorted = sb_arena_array(arena, sb_slice, count);
    pack p = {.tar = tar, .objects = sb_arena_array(arena, packed, count), .hash = ctx};

    if (!ctx || count == 0)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot make a pack of %zu objects", count);
    p.hash_size = oids[0].len / 2;
    for (size_t i = 0; i < count; i++) {
        p.objects[i].oid = oids[i];
        sb_git_oid_bytes(oids[i], p.objects[i].bytes);
    }
    qsort(p.objects, count, sizeof(*p.objects), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !sb_slice_eq(p.objects[i].oid, p.objects[p.count - 1].oid))
            p.objects[p.count++] = p.objects[i];
    for (size_t i = 0; i < p.count; i++)
        sorted[i] = p.objects[i].oid;
    name_pack(&p, hex);
    if (measure(arena, dir, p.objects, p.count, err) < 0 ||
        write_pack(arena, dir, &p, sorted, sb_arena_printf(arena, "%s/pack-%s.pack", prefix, hex), mtime,
                   hash, err) < 0)
        return -1;
    return write_pack_index(&p, sb_arena_printf(arena, "%s/pack-%s.idx", prefix, hex), mtime, hash, err);
}
