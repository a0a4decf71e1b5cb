// SPDX-License-Identifier: Apache-2.0
#include <sbuild/buf.h>
#include <sbuild/verify.h>

enum { V4_DIGITS = 40, V5_DIGITS = 64 };

const char *sb_pgp_status_name(sb_pgp_status status)
{
    switch (status) {
    case SB_PGP_GOOD:
        return "good";
    case SB_PGP_BAD:
        return "bad";
    case SB_PGP_UNKNOWN_KEY:
        return "unknown-key";
    case SB_PGP_EXPIRED_KEY:
        return "expired-key";
    case SB_PGP_EXPIRED_SIGNATURE:
        return "expired-signature";
    case SB_PGP_REVOKED_KEY:
        return "revoked-key";
    case SB_PGP_WEAK:
        return "weak-digest";
    case SB_PGP_MALFORMED:
        break;
    }
    return "malformed";
}

/* Upper-case hex without spaces; "0x" before it is a habit of some. */
static int normalise_pin(sb_arena *arena, sb_slice pin, sb_slice *ret_pin, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(V5_DIGITS);
    sb_slice rest = sb_slice_trim(pin);
    bool hex = true;

    if (sb_slice_starts(rest, SB_LIT("0x")) || sb_slice_starts(rest, SB_LIT("0X")))
        rest = sb_slice_sub(rest, 2, rest.len);
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];

        if (c == ' ' || c == '\t')
            continue;
        if (c >= 'a' && c <= 'f')
            c = (char)(c - 'a' + 'A');
        hex = hex && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
        sb_buf_addc(&out, c);
    }
    if (!hex || out.overflow || (out.len != V4_DIGITS && out.len != V5_DIGITS)) {
        sb_autofree char *shown = sb_printable(pin);

        return sb_fail(err, SB_ERR_USAGE,
                       "\"%s\" is no full fingerprint of an OpenPGP key; give all 40 (or 64) hex digits",
                       shown);
    }
    *ret_pin = sb_arena_dup(arena, sb_buf_slice(&out));
    return 0;
}

static bool is_pinned(const sb_pgp_signature *s, const sb_slice *pins, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eq(s->fingerprint, pins[i]) || (s->primary.len && sb_slice_eq(s->primary, pins[i])))
            return true;
    return false;
}

static bool same_signer(const sb_pgp_result *result, const size_t *signers, size_t count,
                        const sb_pgp_signature *s)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eq(result->signatures[signers[i]].primary, s->primary))
            return true;
    return false;
}

/* The first signature that ought to have counted, and did not; else the first of all. */
static const sb_pgp_signature *most_telling(const sb_pgp_result *result, const sb_slice *pins,
                                            size_t pin_count)
{
    const sb_pgp_signature *first = NULL;

    for (size_t i = 0; i < result->count; i++) {
        const sb_pgp_signature *s = &result->signatures[i];

        if (s->status != SB_PGP_GOOD && is_pinned(s, pins, pin_count))
            return s;
        if (!first || (first->status == SB_PGP_GOOD && is_pinned(first, pins, pin_count)))
            first = s;
    }
    return first;
}

static int explain(const sb_pgp_signature *s, const char *lacking, sb_error **err)
{
    sb_autofree char *by = sb_printable(s->fingerprint);
    sb_autofree char *hash = sb_printable(s->hash);

    switch (s->status) {
    case SB_PGP_GOOD:
        return sb_fail(
            err, SB_ERR_VERIFY,
            "%sthe signature is by the key %s, which is not pinned; pin its fingerprint if you trust it",
            lacking, by);
    case SB_PGP_BAD:
        return sb_fail(err, SB_ERR_VERIFY, "%sbad signature by the key %s: it was made for other bytes",
                       lacking, by);
    case SB_PGP_UNKNOWN_KEY:
        return sb_fail(
            err, SB_ERR_VERIFY,
            "%sthe signature is by the key %s, which is not in the given key file; add it if you trust it",
            lacking, by);
    case SB_PGP_EXPIRED_KEY:
        return sb_fail(
            err, SB_ERR_VERIFY,
            "%sthe signature is by the key %s, which has expired; get the renewed key from its owner",
            lacking, by);
    case SB_PGP_EXPIRED_SIGNATURE:
        return sb_fail(err, SB_ERR_VERIFY, "%sthe signature by the key %s has expired; ask for a new one",
                       lacking, by);
    case SB_PGP_REVOKED_KEY:
        return sb_fail(err, SB_ERR_VERIFY,
                       "%sthe signature is by the key %s, which its owner has revoked; do not use the file",
                       lacking, by);
    case SB_PGP_WEAK:
        return sb_fail(err, SB_ERR_VERIFY, "%sthe signature by the key %s uses %s, which can be forged",
                       lacking, by, hash);
    case SB_PGP_MALFORMED:
        break;
    }
    return sb_fail(err, SB_ERR_VERIFY, "%sno OpenPGP signature was found, or none that GnuPG understands",
                   lacking);
}

int sb_pgp_require(sb_arena *arena, const sb_pgp_result *result, const sb_slice *pins, size_t pin_count,
                   unsigned threshold, size_t **ret_signers, size_t *ret_count, sb_error **err)
{
    size_t *signers = sb_arena_array(arena, size_t, result->count + 1);
    sb_slice *wanted = sb_arena_array(arena, sb_slice, pin_count + 1);
    sb_autofree char *lacking = NULL;
    const sb_pgp_signature *telling;
    size_t count = 0;

    threshold = threshold ? threshold : 1;
    if (pin_count < threshold)
        return sb_fail(err, SB_ERR_USAGE, "%u signers are asked for, but only %zu fingerprints are pinned",
                       threshold, pin_count);
    for (size_t i = 0; i < pin_count; i++)
        if (normalise_pin(arena, pins[i], &wanted[i], err) < 0)
            return -1;
    for (size_t i = 0; i < result->count; i++) {
        const sb_pgp_signature *s = &result->signatures[i];

        if (s->status == SB_PGP_GOOD && is_pinned(s, wanted, pin_count) &&
            !same_signer(result, signers, count, s))
            signers[count++] = i;
    }
    if (count >= threshold) {
        *ret_signers = signers;
        *ret_count = count;
        return 0;
    }
    lacking = threshold > 1 ? sb_asprintf("only %zu of %u required signers have signed: ", count, threshold)
                            : sb_strdup("");
    telling = most_telling(result, wanted, pin_count);
    if (!telling || (telling->status == SB_PGP_GOOD && is_pinned(telling, wanted, pin_count)))
        return count ? sb_fail(err, SB_ERR_VERIFY, "%sthere is no other signature", lacking)
                     : explain(&(sb_pgp_signature){.status = SB_PGP_MALFORMED}, lacking, err);
    return explain(telling, lacking, err);
}
