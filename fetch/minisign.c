// SPDX-License-Identifier: Apache-2.0
#include <sbuild/verify.h>

#include <sbuild/buf.h>
#include <sbuild/fs.h>

#include <errno.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    KEY_ID = 8,
    PUBLIC_KEY = 32,
    SIGNATURE = 64,
    FILE_MAX = 65536, /* of a key or signature file */
    BLAKE2B = 64,
    CHUNK = 1 << 17,
};

typedef struct minisign_key {
    unsigned char algorithm[2]; /* "Ed" */
    unsigned char id[KEY_ID];
    unsigned char key[PUBLIC_KEY];
} minisign_key;
_Static_assert(sizeof(minisign_key) == 42, "as minisign packs it");

typedef struct minisign_signature {
    unsigned char algorithm[2]; /* "Ed": of the file, "ED": of its BLAKE2b-512 */
    unsigned char id[KEY_ID];
    unsigned char signature[SIGNATURE];
} minisign_signature;
_Static_assert(sizeof(minisign_signature) == 74, "as minisign packs it");

/* Canonical base64 of exactly `len` bytes. */
static bool decode(sb_slice text, void *out, size_t len)
{
    unsigned char bytes[128], again[128];
    size_t want = (len + 2) / 3 * 4;

    if (text.len != want || want >= sizeof(again) ||
        EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)want) < 0 ||
        EVP_EncodeBlock(again, bytes, (int)len) != (int)want || memcmp(again, text.ptr, want) != 0)
        return false;
    memcpy(out, bytes, len);
    return true;
}

static sb_slice next_line(sb_slice *rest)
{
    sb_slice line = sb_slice_cut(rest, '\n');

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static int parse_key(sb_slice text, minisign_key *ret_key, sb_error **err)
{
    sb_slice rest = sb_slice_trim(text);
    minisign_key key;

    if (text.len <= FILE_MAX && sb_slice_starts(rest, SB_LIT("untrusted comment:")))
        next_line(&rest);
    rest = sb_slice_trim(rest);
    if (!decode(rest, &key, sizeof(key)) || memcmp(key.algorithm, "Ed", 2) != 0)
        return sb_fail(
            err, SB_ERR_USAGE,
            "this is no minisign public key; expected \"RW\" and 54 more base64 characters, or a public "
            "key file");
    *ret_key = key;
    return 0;
}

typedef struct parsed {
    minisign_signature signature;
    sb_slice comment; /* the trusted one */
    unsigned char global[SIGNATURE];
} parsed;

static int parse_signature(sb_slice text, parsed *ret_parsed, sb_error **err)
{
    static const char trusted[] = "trusted comment: ";
    sb_slice rest = text, untrusted, comment;
    parsed p;

    if (text.len > FILE_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the minisign signature is larger than the maximum of %d bytes",
                       FILE_MAX);
    untrusted = next_line(&rest);
    if (!sb_slice_starts(untrusted, SB_LIT("untrusted comment:")) ||
        !decode(next_line(&rest), &p.signature, sizeof(p.signature)))
        return sb_fail(err, SB_ERR_VERIFY, "this is no minisign signature");
    if (memcmp(p.signature.algorithm, "Ed", 2) != 0 && memcmp(p.signature.algorithm, "ED", 2) != 0)
        return sb_fail(err, SB_ERR_VERIFY, "the minisign signature is of an unknown algorithm");
    comment = next_line(&rest);
    if (!sb_slice_starts(comment, sb_slice_z(trusted)) || !decode(next_line(&rest), p.global, SIGNATURE) ||
        sb_slice_trim(rest).len)
        return sb_fail(err, SB_ERR_VERIFY,
                       "the minisign signature lacks its trusted comment or the comment's "
                       "signature");
    p.comment = sb_slice_sub(comment, sizeof(trusted) - 1, comment.len);
    *ret_parsed = p;
    return 0;
}

static bool verify(const minisign_key *key, const unsigned char *signature, const void *data, size_t len)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->key, sizeof(key->key));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, signature, SIGNATURE, data, len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

static int blake2b_of_fd(int fd, unsigned char ret_hash[BLAKE2B], sb_error **err)
{
    sb_autofree char *chunk = sb_malloc(CHUNK);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_blake2b512(), NULL) == 1;
    ssize_t n = 0;

    while (ok && (n = read(fd, chunk, CHUNK)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0 && EVP_DigestUpdate(ctx, chunk, (size_t)n) == 1;
    }
    if (n < 0)
        sb_fail(err, SB_ERR_IO, "cannot read the signed file: %s", strerror(errno));
    ok = ok && EVP_DigestFinal_ex(ctx, ret_hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : sb_fail(err, SB_ERR_INTERNAL, "libcrypto cannot compute BLAKE2b-512");
}

/*
 * The legacy form signs the file itself, which Ed25519 passes over twice; mapping it keeps it out of memory.
 * An empty file cannot be mapped.
 */
static int verify_whole(const minisign_key *key, const unsigned char *signature, int fd, bool *ret_good,
                        sb_error **err)
{
    struct stat st;
    void *data;

    if (fstat(fd, &st) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot read the signed file: %s", strerror(errno));
    if (st.st_size == 0) {
        *ret_good = verify(key, signature, "", 0);
        return 0;
    }
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return sb_fail(err, SB_ERR_IO, "cannot read the signed file: %s", strerror(errno));
    *ret_good = verify(key, signature, data, (size_t)st.st_size);
    munmap(data, (size_t)st.st_size);
    return 0;
}

static int verify_file(const minisign_key *key, const minisign_signature *s, int fd, bool *ret_good,
                       sb_error **err)
{
    unsigned char hash[BLAKE2B];

    if (s->algorithm[1] == 'd')
        return verify_whole(key, s->signature, fd, ret_good, err);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot rewind the signed file: %s", strerror(errno));
    if (blake2b_of_fd(fd, hash, err) < 0)
        return -1;
    *ret_good = verify(key, s->signature, hash, sizeof(hash));
    return 0;
}

/* minisign shows key IDs as the little-endian number that they are. */
static unsigned long long id_number(const unsigned char id[KEY_ID])
{
    unsigned long long n = 0;

    for (int i = KEY_ID - 1; i >= 0; i--)
        n = n << 8 | id[i];
    return n;
}

int sb_minisign_verify(sb_slice key, sb_slice signature, int data_fd, char **ret_trusted_comment,
                       sb_error **err)
{
    sb_autobuf signed_comment = SB_BUF_INIT(FILE_MAX + SIGNATURE);
    minisign_key k;
    bool good;
    parsed p;

    if (parse_key(key, &k, err) < 0 || parse_signature(signature, &p, err) < 0)
        return -1;
    if (memcmp(k.id, p.signature.id, KEY_ID) != 0)
        return sb_fail(err, SB_ERR_VERIFY,
                       "the minisign signature is by the key %016llX, not by the given key %016llX",
                       id_number(p.signature.id), id_number(k.id));
    if (verify_file(&k, &p.signature, data_fd, &good, err) < 0)
        return -1;
    if (!good)
        return sb_fail(err, SB_ERR_VERIFY, "the minisign signature is of another content, or forged");
    sb_buf_add(&signed_comment, p.signature.signature, SIGNATURE);
    sb_buf_adds(&signed_comment, p.comment);
    if (!verify(&k, p.global, signed_comment.data, signed_comment.len))
        return sb_fail(err, SB_ERR_VERIFY, "the trusted comment of the minisign signature was changed");
    *ret_trusted_comment = sb_slice_dup(p.comment);
    return 0;
}
