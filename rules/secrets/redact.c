// SPDX-License-Identifier: Apache-2.0
/* What may be shown of a secret, and what identifies it without giving it away. */
#include <rules/secrets/engine.h>

#include <sbuild/digest.h>

#include <openssl/evp.h>

enum {
    SHOWN_MAX = 32,     /* bytes of a format's prefix */
    TEXT_MAX = 400,     /* bytes of a line */
    LOOKS_SECRET = 16,  /* characters of another token in the same line that are hidden as well */
    ITERATIONS = 20000, /* of PBKDF2: some milliseconds for each guess */
    FINGERPRINT_DIGITS = 32,
};

void sb_secret_redact(const sb_secret_match *match, sb_buf *out)
{
    size_t shown = match->prefix_len < SHOWN_MAX ? match->prefix_len : SHOWN_MAX;

    sb_buf_add_printable(out, sb_slice_sub(match->secret, 0, shown), shown);
    sb_buf_printf(out, "\xe2\x80\xa6(%zu)", match->secret.len);
}

static bool is_token_byte(char c)
{
    return sb_ascii_is_alnum(c) || (c && strchr("+/_-=", c));
}

/* Text around the secret; what looks like another one is hidden, since only one is known here. */
static void add_around(sb_buf *out, sb_slice text)
{
    size_t i = 0;

    while (i < text.len) {
        size_t from = i, digits = 0, letters = 0;

        while (i < text.len && is_token_byte(text.ptr[i])) {
            digits += text.ptr[i] >= '0' && text.ptr[i] <= '9';
            letters += (text.ptr[i] | 0x20) >= 'a' && (text.ptr[i] | 0x20) <= 'z';
            i++;
        }
        if (i - from >= LOOKS_SECRET && digits > 1 && letters &&
            secret_entropy(sb_slice_sub(text, from, i)) > 300) {
            sb_buf_printf(out, "\xe2\x80\xa6(%zu)", i - from);
            from = i;
        }
        while (i < text.len && !is_token_byte(text.ptr[i]))
            i++;
        sb_buf_add_printable(out, sb_slice_sub(text, from, i), TEXT_MAX);
    }
}

void sb_secret_redact_line(const sb_secret_match *match, sb_buf *out)
{
    sb_slice line = match->context;
    size_t end = match->context_at + match->context_len;

    if (match->context_at > line.len || end > line.len) {
        sb_secret_redact(match, out);
        return;
    }
    add_around(out, sb_slice_sub(line, 0, match->context_at));
    sb_secret_redact(match, out);
    add_around(out, sb_slice_sub(line, end, line.len));
}

void sb_secret_hash(const sb_secret_match *match, unsigned char ret_hash[SB_SECRET_HASH])
{
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, match->secret, &digest);
    memcpy(ret_hash, digest.bytes, SB_SECRET_HASH);
}

void sb_secret_key(const char *id, const unsigned char hash[SB_SECRET_HASH],
                   unsigned char ret_key[SB_SECRET_HASH])
{
    sb_autofree char *salt = sb_asprintf("sbuild secret 2\n%s", id);
    int done = PKCS5_PBKDF2_HMAC((const char *)hash, SB_SECRET_HASH, (const unsigned char *)salt,
                                 (int)strlen(salt), ITERATIONS, EVP_sha256(), SB_SECRET_HASH, ret_key);

    sb_not_null(done == 1 ? ret_key : NULL); /* nothing but memory can be missing */
}

sb_slice sb_secret_fingerprint(sb_arena *arena, const unsigned char key[SB_SECRET_HASH], sb_slice place)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    sb_hasher_add(hasher, key, SB_SECRET_HASH);
    sb_hasher_add(hasher, place.ptr, place.len);
    sb_hasher_finish(hasher, &digest);
    sb_digest_hex(&digest, hex);
    return sb_arena_dup(arena, sb_slice_of(hex, FINGERPRINT_DIGITS));
}
