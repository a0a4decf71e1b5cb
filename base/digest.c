// SPDX-License-Identifier: Apache-2.0
#include <sbuild/digest.h>

#include <sbuild/buf.h>

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

static const struct {
    const char *name;
    size_t size;
} algos[] = {
    [SB_HASH_SHA256] = {"sha256", 32},
    [SB_HASH_SHA384] = {"sha384", 48},
    [SB_HASH_SHA512] = {"sha512", 64},
};

struct sb_hasher {
    sb_hash_algo algo;
    EVP_MD_CTX *ctx;
};

size_t sb_hash_size(sb_hash_algo algo)
{
    return algos[algo].size;
}

const char *sb_hash_name(sb_hash_algo algo)
{
    return algos[algo].name;
}

static bool hex_to_bytes(sb_slice hex, unsigned char *out)
{
    for (size_t i = 0; i < hex.len; i += 2) {
        int hi = sb_hex_value(hex.ptr[i]);
        int lo = sb_hex_value(hex.ptr[i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        out[i / 2] = (unsigned char)(hi << 4 | lo);
    }
    return true;
}

bool sb_digest_from_hex(sb_slice hex, sb_digest *ret_digest)
{
    for (size_t i = 0; i < SB_COUNT(algos); i++) {
        sb_digest d = {.algo = (sb_hash_algo)i};

        if (hex.len == algos[i].size * 2 && hex_to_bytes(hex, d.bytes)) {
            *ret_digest = d;
            return true;
        }
    }
    return false;
}

int sb_digest_parse(sb_slice text, sb_digest *ret_digest, sb_error **err)
{
    sb_autofree char *shown = NULL;

    for (size_t i = 0; i < SB_COUNT(algos); i++) {
        sb_slice name = sb_slice_z(algos[i].name);
        sb_slice hex;
        bool lower = true;

        if (!sb_slice_starts(text, name) || text.len == name.len || text.ptr[name.len] != ':')
            continue;
        hex = sb_slice_sub(text, name.len + 1, text.len);
        for (size_t j = 0; j < hex.len; j++)
            lower = lower && !(hex.ptr[j] >= 'A' && hex.ptr[j] <= 'F');
        if (lower && hex.len == algos[i].size * 2 && sb_digest_from_hex(hex, ret_digest))
            return 0;
        shown = sb_printable(text);
        return sb_fail(err, SB_ERR_PARSE, "\"%s\" is no digest; %s wants %zu lower-case hex digits", shown,
                       algos[i].name, algos[i].size * 2);
    }
    shown = sb_printable(text);
    return sb_fail(err, SB_ERR_PARSE,
                   "\"%s\" is no digest; expected sha256:, sha384: or sha512: and hex digits", shown);
}

void sb_digest_hex(const sb_digest *digest, char ret_text[SB_DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = sb_hash_size(digest->algo);

    for (size_t i = 0; i < n; i++) {
        ret_text[2 * i] = digits[digest->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    ret_text[2 * n] = '\0';
}

void sb_digest_format(const sb_digest *digest, char ret_text[SB_DIGEST_TEXT])
{
    const char *name = sb_hash_name(digest->algo);
    size_t n = strlen(name);

    memcpy(ret_text, name, n);
    ret_text[n] = ':';
    sb_digest_hex(digest, ret_text + n + 1);
}

char *sb_digest_dup(const sb_digest *digest)
{
    char *text = sb_malloc(SB_DIGEST_TEXT);

    sb_digest_format(digest, text);
    return text;
}

bool sb_digest_eq(const sb_digest *a, const sb_digest *b)
{
    return sb_digest_cmp(a, b) == 0;
}

int sb_digest_cmp(const sb_digest *a, const sb_digest *b)
{
    if (a->algo != b->algo)
        return a->algo < b->algo ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sb_hash_size(a->algo));
}

sb_hasher *sb_hasher_new(sb_hash_algo algo)
{
    sb_hasher *hasher = sb_new(sb_hasher);
    const EVP_MD *md = algo == SB_HASH_SHA256   ? EVP_sha256()
                       : algo == SB_HASH_SHA384 ? EVP_sha384()
                                                : EVP_sha512();

    hasher->algo = algo;
    hasher->ctx = EVP_MD_CTX_new();
    /* Only memory or a broken libcrypto can make these fail: as for any other allocation, there is no way on.
     */
    if (!hasher->ctx || EVP_DigestInit_ex(hasher->ctx, md, NULL) != 1)
        abort();
    return hasher;
}

void sb_hasher_add(sb_hasher *hasher, const void *data, size_t len)
{
    if (EVP_DigestUpdate(hasher->ctx, data, len) != 1)
        abort();
}

void sb_hasher_finish(sb_hasher *hasher, sb_digest *ret_digest)
{
    sb_digest d = {.algo = hasher->algo};

    if (EVP_DigestFinal_ex(hasher->ctx, d.bytes, NULL) != 1)
        abort();
    *ret_digest = d;
}

void sb_hasher_free(sb_hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->ctx);
    free(hasher);
}

void sb_digest_of(sb_hash_algo algo, sb_slice data, sb_digest *ret_digest)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(algo);

    sb_hasher_add(hasher, data.ptr, data.len);
    sb_hasher_finish(hasher, ret_digest);
}

int sb_digest_of_fd(sb_hash_algo algo, int fd, sb_digest *ret_digest, uint64_t *ret_size, sb_error **err)
{
    enum { CHUNK = 1 << 17 };
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(algo);
    sb_autofree char *chunk = sb_malloc(CHUNK);
    uint64_t size = 0;

    for (;;) {
        ssize_t n = read(fd, chunk, CHUNK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sb_fail(err, SB_ERR_IO, "cannot read: %s", strerror(errno));
        if (n == 0)
            break;
        sb_hasher_add(hasher, chunk, (size_t)n);
        size += (uint64_t)n;
    }
    sb_hasher_finish(hasher, ret_digest);
    if (ret_size)
        *ret_size = size;
    return 0;
}
