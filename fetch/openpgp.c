// SPDX-License-Identifier: Apache-2.0
#include <fetch/openpgp.h>

#include <sbuild/buf.h>

#include <errno.h>
#include <unistd.h>

static bool is_weak(gpgme_hash_algo_t hash)
{
    return hash == GPGME_MD_MD5 || hash == GPGME_MD_SHA1 || hash == GPGME_MD_RMD160 || hash == GPGME_MD_MD2 ||
           hash == GPGME_MD_MD4;
}

static sb_pgp_status status_of(const struct _gpgme_signature *sig, const sb_pgp_key *key)
{
    static const struct {
        gpgme_err_code_t code;
        sb_pgp_status status;
    } known[] = {
        {GPG_ERR_BAD_SIGNATURE, SB_PGP_BAD},        {GPG_ERR_NO_PUBKEY, SB_PGP_UNKNOWN_KEY},
        {GPG_ERR_KEY_EXPIRED, SB_PGP_EXPIRED_KEY},  {GPG_ERR_SIG_EXPIRED, SB_PGP_EXPIRED_SIGNATURE},
        {GPG_ERR_CERT_REVOKED, SB_PGP_REVOKED_KEY},
    };
    gpgme_err_code_t code = gpgme_err_code(sig->status);

    for (size_t i = 0; i < SB_COUNT(known); i++)
        if (code == known[i].code)
            return known[i].status;
    if (is_weak(sig->hash_algo))
        return SB_PGP_WEAK;
    if (code != GPG_ERR_NO_ERROR)
        return SB_PGP_MALFORMED;
    /* A key that was not given, from wherever GnuPG may have it, vouches for nothing. */
    return key ? SB_PGP_GOOD : SB_PGP_UNKNOWN_KEY;
}

static void describe(sb_arena *arena, const sb_pgp_home *home, const struct _gpgme_signature *sig,
                     sb_pgp_signature *ret_signature)
{
    sb_slice id = sb_slice_z(sig->fpr ? sig->fpr : "");
    const sb_pgp_key *key = sb_pgp_home_key(home, id);
    const char *hash = gpgme_hash_algo_name(sig->hash_algo);

    *ret_signature = (sb_pgp_signature){
        .status = status_of(sig, key),
        .fingerprint = sb_arena_dup(arena, key ? key->fingerprint : id),
        .primary = key ? sb_arena_dup(arena, key->primary) : SB_NIL,
        .user_id = key ? sb_arena_dup(arena, key->user_id) : SB_NIL,
        .hash = sb_arena_dup(arena, sb_slice_z(hash ? hash : "")),
        .created = (int64_t)sig->timestamp,
    };
}

/* GnuPG's answer to the last verification. What it could not make sense of at all is one malformed signature.
 */
static int collect(sb_arena *arena, const sb_pgp_home *home, sb_pgp_result *ret_result, sb_error **err)
{
    gpgme_verify_result_t answer = gpgme_op_verify_result(sb_pgp_home_context(home));
    sb_pgp_result result = {.count = 0};
    size_t cap = 0;

    for (gpgme_signature_t sig = answer ? answer->signatures : NULL; sig; sig = sig->next) {
        if (result.count == SB_PGP_SIGNERS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "there are more than the maximum of %d signatures",
                           SB_PGP_SIGNERS_MAX);
        describe(arena, home, sig, SB_ARENA_PUSH(arena, result.signatures, result.count, cap));
    }
    if (result.count == 0)
        *SB_ARENA_PUSH(arena, result.signatures, result.count, cap) =
            (sb_pgp_signature){.status = SB_PGP_MALFORMED, .fingerprint = SB_LIT(""), .hash = SB_LIT("")};
    *ret_result = result;
    return 0;
}

/* Answers about the signature itself; everything else kept the question from being asked. */
static bool is_answer(gpgme_error_t why)
{
    gpgme_err_code_t code = gpgme_err_code(why);

    return code == GPG_ERR_NO_ERROR || code == GPG_ERR_NO_DATA || code == GPG_ERR_BAD_SIGNATURE ||
           code == GPG_ERR_GENERAL || code == GPG_ERR_BAD_DATA || code == GPG_ERR_UNEXPECTED ||
           code == GPG_ERR_INV_ARMOR || code == GPG_ERR_INV_PACKET || code == GPG_ERR_DECRYPT_FAILED;
}

int sb_pgp_verify_detached(sb_arena *arena, const sb_slice *keys, size_t key_count, sb_slice signature,
                           int data_fd, int64_t now, sb_pgp_result *ret_result, sb_error **err)
{
    SB_AUTO(sb_pgp_home) home = NULL;
    gpgme_data_t sig = NULL, text = NULL;
    gpgme_error_t why;

    if (signature.len > SB_PGP_SIGNATURE_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the signature is larger than the maximum of %d bytes",
                       SB_PGP_SIGNATURE_MAX);
    if (lseek(data_fd, 0, SEEK_SET) < 0 && errno != ESPIPE)
        return sb_fail(err, SB_ERR_IO, "cannot rewind the signed file: %s", strerror(errno));
    if (sb_pgp_home_open(keys, key_count, now, &home, err) < 0)
        return -1;
    why = gpgme_data_new_from_mem(&sig, signature.len ? signature.ptr : "", signature.len, 0);
    if (!why)
        why = gpgme_data_new_from_fd(&text, data_fd);
    if (!why)
        why = gpgme_op_verify(sb_pgp_home_context(home), sig, text, NULL);
    gpgme_data_release(sig);
    gpgme_data_release(text);
    if (!is_answer(why))
        return sb_pgp_fail(why, "verify the signature", err);
    return collect(arena, home, ret_result, err);
}

static ssize_t add_text(void *ctx, const void *data, size_t size)
{
    if (sb_buf_add(ctx, data, size))
        return (ssize_t)size;
    errno = EFBIG;
    return -1;
}

static bool any_good(const sb_pgp_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->signatures[i].status == SB_PGP_GOOD)
            return true;
    return false;
}

int sb_pgp_verify_inline(sb_arena *arena, const sb_slice *keys, size_t key_count, sb_slice message,
                         int64_t now, sb_pgp_result *ret_result, sb_slice *ret_text, sb_error **err)
{
    static struct gpgme_data_cbs callbacks = {.write = add_text};
    sb_autobuf plain = SB_BUF_INIT(SB_CHECKSUMS_MAX);
    SB_AUTO(sb_pgp_home) home = NULL;
    gpgme_data_t sig = NULL, text = NULL;
    sb_pgp_result result;
    gpgme_error_t why;

    if (message.len > SB_CHECKSUMS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the signed message is larger than the maximum of %d bytes",
                       SB_CHECKSUMS_MAX);
    if (sb_pgp_home_open(keys, key_count, now, &home, err) < 0)
        return -1;
    why = gpgme_data_new_from_mem(&sig, message.len ? message.ptr : "", message.len, 0);
    if (!why)
        why = gpgme_data_new_from_cbs(&text, &callbacks, &plain);
    if (!why)
        why = gpgme_op_verify(sb_pgp_home_context(home), sig, NULL, text);
    gpgme_data_release(sig);
    gpgme_data_release(text);
    if (sb_buf_check(&plain, "the signed text", err) < 0)
        return -1;
    if (!is_answer(why))
        return sb_pgp_fail(why, "verify the signed message", err);
    if (collect(arena, home, &result, err) < 0)
        return -1;
    /* Text that nobody vouches for is not handed out, lest somebody should use it. */
    *ret_text = any_good(&result) ? sb_arena_dup(arena, sb_buf_slice(&plain)) : sb_slice_of("", 0);
    *ret_result = result;
    return 0;
}
