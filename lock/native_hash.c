// SPDX-License-Identifier: Apache-2.0
#include <lock/native_hash.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>

#include <sbuild/buf.h>
#include <sbuild/digest.h>

static const struct {
    const char *name;
    size_t size;
} algos[SB_NATIVE_ALGOS] = {
    [SB_NATIVE_SHA1] = {"sha1", 20},     [SB_NATIVE_SHA256] = {"sha256", 32},
    [SB_NATIVE_SHA384] = {"sha384", 48}, [SB_NATIVE_SHA512] = {"sha512", 64},
    [SB_NATIVE_GO_ZIP] = {"h1", 32},     [SB_NATIVE_GO_MOD] = {"h1", 32},
};

size_t sb_native_hash_size(sb_native_algo algo)
{
    return algos[algo].size;
}

bool sb_native_algo_named(sb_slice name, sb_native_algo *ret_algo)
{
    for (int i = SB_NATIVE_SHA1; i <= SB_NATIVE_SHA512; i++) {
        if (sb_slice_eqz(name, algos[i].name)) {
            *ret_algo = (sb_native_algo)i;
            return true;
        }
    }
    return false;
}

bool sb_native_hash_hex(sb_native_algo algo, sb_slice hex, sb_native_hash *ret_hash)
{
    sb_native_hash hash = {.algo = algo};

    if (hex.len != 2 * algos[algo].size)
        return false;
    for (size_t i = 0; i < algos[algo].size; i++) {
        int high = sb_hex_value(hex.ptr[2 * i]), low = sb_hex_value(hex.ptr[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        hash.bytes[i] = (unsigned char)(high * 16 + low);
    }
    *ret_hash = hash;
    return true;
}

bool sb_native_hash_base64(sb_native_algo algo, sb_slice base64, sb_native_hash *ret_hash)
{
    unsigned char bytes[SB_NATIVE_HASH_MAX + 8];
    sb_native_hash hash = {.algo = algo};
    size_t padding = 0;
    int len;

    if (!base64.len || base64.len % 4 || base64.len / 4 * 3 > sizeof(bytes))
        return false;
    while (padding < 2 && base64.ptr[base64.len - 1 - padding] == '=')
        padding++;
    len = EVP_DecodeBlock(bytes, (const unsigned char *)base64.ptr, (int)base64.len);
    if (len < 0 || (size_t)len - padding != algos[algo].size)
        return false;
    memcpy(hash.bytes, bytes, algos[algo].size);
    *ret_hash = hash;
    return true;
}

char *sb_native_hash_text(const sb_native_hash *hash, bool hex)
{
    char text[2 * SB_NATIVE_HASH_MAX + 1] = "";

    if (hex) {
        for (size_t i = 0; i < algos[hash->algo].size; i++)
            snprintf(text + 2 * i, 3, "%02x", hash->bytes[i]);
        return sb_asprintf("%s:%s", algos[hash->algo].name, text);
    }
    EVP_EncodeBlock((unsigned char *)text, hash->bytes, (int)algos[hash->algo].size);
    return sb_asprintf("%s%c%s", algos[hash->algo].name, hash->algo >= SB_NATIVE_GO_ZIP ? ':' : '-', text);
}

bool sb_native_hash_eq(const sb_native_hash *a, const sb_native_hash *b)
{
    return a->algo == b->algo && memcmp(a->bytes, b->bytes, algos[a->algo].size) == 0;
}

/* --- Of the bytes --- */

static void free_context(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static int hash_bytes(const char *name, int fd, unsigned char *ret_bytes, sb_error **err)
{
    __attribute__((cleanup(free_context))) EVP_MD_CTX *ctx = sb_not_null(EVP_MD_CTX_new());
    sb_autofree char *chunk = sb_malloc(1 << 16);
    ssize_t got;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read an object: %s", strerror(errno));
    if (!EVP_DigestInit_ex(ctx, EVP_get_digestbyname(name), NULL))
        return sb_fail(err, SB_ERR_INTERNAL, "the machine's OpenSSL lacks %s", name);
    while ((got = read(fd, chunk, 1 << 16)) > 0)
        EVP_DigestUpdate(ctx, chunk, (size_t)got);
    if (got < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read an object: %s", strerror(errno));
    EVP_DigestFinal_ex(ctx, ret_bytes, NULL);
    return 0;
}

/* --- Go's: the sha256 of a list of files with the sha256 of each --- */

enum { FILES_MAX = 200000, NAME_MAX_BYTES = 4096 };
/* Go itself takes no module with more. */
#define UNPACKED_MAX ((uint64_t)1 << 30)

typedef struct listing {
    char **lines; /* "<hex>  <name>\n" */
    size_t count, cap;
} listing;

static void clear_listing(listing *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->lines[i]);
    free(list->lines);
}

static void add_line(listing *list, const sb_digest *digest, const char *name)
{
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(digest, hex);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    *SB_PUSH(list->lines, list->count, list->cap) = sb_asprintf("%s  %s\n", hex, name);
}

static int by_name(const void *a, const void *b)
{
    const size_t prefix = 64 + strlen("  ");

    return strcmp(*(const char *const *)a + prefix, *(const char *const *)b + prefix);
}

static void finish(listing *list, unsigned char *ret_bytes)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    sb_digest digest;

    if (list->count > 1)
        qsort(list->lines, list->count, sizeof(char *), by_name);
    for (size_t i = 0; i < list->count; i++)
        sb_hasher_add(hasher, list->lines[i], strlen(list->lines[i]));
    sb_hasher_finish(hasher, &digest);
    memcpy(ret_bytes, digest.bytes, sb_hash_size(SB_HASH_SHA256));
}

static int bad_zip(struct archive *zip, sb_error **err)
{
    sb_autofree char *why = sb_printable(sb_slice_z(archive_error_string(zip)));

    return sb_fail(err, SB_ERR_PARSE, "it is no archive of a Go module: %s", why ? why : "");
}

static int add_file(struct archive *zip, struct archive_entry *entry, listing *list, uint64_t *total,
                    sb_error **err)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    const char *name = archive_entry_pathname(entry);
    sb_autofree char *chunk = sb_malloc(1 << 16);
    sb_digest digest;
    la_ssize_t got;

    if (!name || strlen(name) > NAME_MAX_BYTES || strchr(name, '\n'))
        return sb_fail(err, SB_ERR_PARSE, "it is no archive of a Go module: a file's name in it is odd");
    if (list->count == FILES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the archive of a Go module has more than %d files", FILES_MAX);
    while ((got = archive_read_data(zip, chunk, 1 << 16)) > 0) {
        *total += (uint64_t)got;
        if (*total > UNPACKED_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "the archive of a Go module is too large");
        sb_hasher_add(hasher, chunk, (size_t)got);
    }
    if (got < 0)
        return bad_zip(zip, err);
    sb_hasher_finish(hasher, &digest);
    add_line(list, &digest, name);
    return 0;
}

static void free_archive(struct archive **zip)
{
    archive_read_free(*zip);
}

static int hash_zip(int fd, unsigned char *ret_bytes, sb_error **err)
{
    __attribute__((cleanup(free_archive))) struct archive *zip = sb_not_null(archive_read_new());
    __attribute__((cleanup(clear_listing))) listing list = {0};
    struct archive_entry *entry;
    uint64_t total = 0;
    int r;

    archive_read_support_format_zip_seekable(zip);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read an object: %s", strerror(errno));
    if (archive_read_open_fd(zip, fd, 1 << 16) != ARCHIVE_OK)
        return bad_zip(zip, err);
    while ((r = archive_read_next_header(zip, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN)
        if (add_file(zip, entry, &list, &total, err) < 0)
            return -1;
    if (r != ARCHIVE_EOF)
        return bad_zip(zip, err);
    finish(&list, ret_bytes);
    return 0;
}

static int hash_mod(int fd, unsigned char *ret_bytes, sb_error **err)
{
    __attribute__((cleanup(clear_listing))) listing list = {0};
    sb_digest digest;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read an object: %s", strerror(errno));
    if (sb_digest_of_fd(SB_HASH_SHA256, fd, &digest, NULL, err) < 0)
        return -1;
    add_line(&list, &digest, "go.mod");
    finish(&list, ret_bytes);
    return 0;
}

int sb_native_hash_of_fd(sb_native_algo algo, int fd, sb_native_hash *ret_hash, sb_error **err)
{
    sb_native_hash hash = {.algo = algo};
    int r = algo == SB_NATIVE_GO_ZIP   ? hash_zip(fd, hash.bytes, err)
            : algo == SB_NATIVE_GO_MOD ? hash_mod(fd, hash.bytes, err)
                                       : hash_bytes(algos[algo].name, fd, hash.bytes, err);

    if (r == 0)
        *ret_hash = hash;
    return r;
}
