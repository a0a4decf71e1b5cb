// SPDX-License-Identifier: Apache-2.0
#include <lock/evidence.h>

#include <sbuild/git.h>

static int read_object(const sb_store *store, const sb_digest *digest, size_t max, const char *what,
                       sb_arena *arena, sb_slice *ret_data, sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_store_read(store, digest, max, &data, &len, err) < 0)
        return sb_wrap(err, "the %s", what);
    *ret_data = sb_arena_dup(arena, sb_slice_of(data, len));
    return 0;
}

static int open_object(const sb_store *store, const sb_digest *digest, int *ret_fd, sb_error **err)
{
    uint64_t size;

    return sb_store_open_object(store, digest, ret_fd, &size, err);
}

static int read_keys(const sb_store *store, const sb_lock_evidence *evidence, sb_arena *arena,
                     sb_slice **ret_keys, sb_error **err)
{
    sb_slice *keys = sb_arena_array(arena, sb_slice, evidence->key_count + 1);

    for (size_t i = 0; i < evidence->key_count; i++)
        if (read_object(store, &evidence->keys[i], SB_PGP_KEYRING_MAX, "public key", arena, &keys[i], err) <
            0)
            return -1;
    *ret_keys = keys;
    return 0;
}

/* Nobody is pinned: who has signed, and what to write to accept that. */
static int not_pinned(const sb_pgp_result *result, const sb_lock_evidence *evidence, sb_error **err)
{
    for (size_t i = 0; i < result->count; i++) {
        const sb_pgp_signature *s = &result->signatures[i];
        sb_autofree char *who = sb_printable(s->user_id.ptr ? s->user_id : SB_LIT("no name"));
        sb_slice pin = s->primary.len ? s->primary : s->fingerprint;

        if (s->status == SB_PGP_GOOD)
            return sb_fail(err, SB_ERR_VERIFY,
                           "it is signed by %" SB_FMT
                           " (%s), which is not pinned; if you trust that key, add "
                           "fingerprint=%" SB_FMT,
                           SB_ARG(pin), who, SB_ARG(pin));
        if (s->status == SB_PGP_UNKNOWN_KEY)
            return sb_fail(
                err, SB_ERR_VERIFY,
                "it is signed by the key %" SB_FMT "%s; if you trust that key, put its file into the "
                "context and add key=FILE fingerprint=…",
                SB_ARG(s->fingerprint), evidence->key_count ? ", which is not in the given key file" : "");
    }
    return sb_fail(err, SB_ERR_VERIFY, "no fingerprint is pinned; add key=FILE fingerprint=…");
}

static int require_signers(sb_arena *arena, const sb_pgp_result *result, const sb_lock_evidence *evidence,
                           sb_evidence_found *ret_found, sb_error **err)
{
    sb_lock_signer *signers;
    size_t *indices, count;

    if (!evidence->pin_count)
        return not_pinned(result, evidence, err);
    if (sb_pgp_require(arena, result, evidence->pins, evidence->pin_count,
                       evidence->threshold ? evidence->threshold : 1, &indices, &count, err) < 0)
        return -1;
    signers = sb_arena_array(arena, sb_lock_signer, count + 1);
    for (size_t i = 0; i < count; i++) {
        const sb_pgp_signature *s = &result->signatures[indices[i]];

        signers[i] =
            (sb_lock_signer){.fingerprint = s->fingerprint, .primary = s->primary, .created = s->created};
    }
    ret_found->signers = signers;
    ret_found->signer_count = count;
    return 0;
}

/* Do the stored bytes have this hash? */
static int has_hash(const sb_store *store, const sb_digest *file, const sb_digest *expect, sb_error **err)
{
    sb_autoclose int fd = -1;
    sb_digest digest = *file;
    char want[SB_DIGEST_TEXT], got[SB_DIGEST_TEXT];

    if (expect->algo != file->algo &&
        (open_object(store, file, &fd, err) < 0 || sb_digest_of_fd(expect->algo, fd, &digest, NULL, err) < 0))
        return -1;
    if (sb_digest_eq(&digest, expect))
        return 0;
    sb_digest_format(expect, want);
    sb_digest_format(&digest, got);
    return sb_fail(err, SB_ERR_VERIFY, "%s was demanded, but the file is %s", want, got);
}

static int check_hash(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                      sb_error **err)
{
    sb_digest expect;

    if (sb_digest_parse(evidence->checksum, &expect, err) < 0)
        return sb_wrap(err, "the checksum");
    return has_hash(store, &file->digest, &expect, err);
}

static int signed_list(const sb_store *store, const sb_lock_evidence *evidence, sb_arena *arena,
                       sb_slice list, sb_slice *ret_text, sb_evidence_found *ret_found, sb_error **err)
{
    bool armoured = sb_slice_starts(list, SB_LIT("-----BEGIN PGP"));
    bool unsigned_list = !evidence->pin_count && !evidence->key_count && !evidence->has_signature;
    sb_pgp_result result = {0};
    sb_slice *keys, signature;

    *ret_text = list;
    if (unsigned_list) /* a clear-signed one is read like any other: the armour's lines hold no hash */
        return 0;
    if (read_keys(store, evidence, arena, &keys, err) < 0)
        return -1;
    if (evidence->has_signature) {
        sb_autoclose int fd = -1;

        if (read_object(store, &evidence->signature, SB_PGP_SIGNATURE_MAX, "signature of the list", arena,
                        &signature, err) < 0 ||
            open_object(store, &evidence->list, &fd, err) < 0 ||
            sb_pgp_verify_detached(arena, keys, evidence->key_count, signature, fd, evidence->verified_at,
                                   &result, err) < 0)
            return -1;
    } else {
        if (!armoured)
            return sb_fail(
                err, SB_ERR_VERIFY,
                "the list carries no signature; name its detached one with checksums-signature=, e.g. "
                "checksums-signature={dir}/SHA256SUMS.asc");
        if (sb_pgp_verify_inline(arena, keys, evidence->key_count, list, evidence->verified_at, &result,
                                 ret_text, err) < 0)
            return -1;
    }
    return require_signers(arena, &result, evidence, ret_found, err);
}

static int check_list(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                      sb_arena *arena, sb_evidence_found *ret_found, sb_error **err)
{
    sb_autofree char *url = sb_printable(evidence->url);
    sb_slice list, text, name = sb_df_url_filename(arena, file->expanded);
    char entry_text[SB_DIGEST_TEXT];
    sb_digest entry;

    if (read_object(store, &evidence->list, SB_CHECKSUMS_MAX, "checksum list", arena, &list, err) < 0 ||
        signed_list(store, evidence, arena, list, &text, ret_found, err) < 0 ||
        sb_checksums_find(text, name, &entry, err) < 0 || has_hash(store, &file->digest, &entry, err) < 0)
        return sb_wrap(err, "the checksum list %s", url);
    sb_digest_format(&entry, entry_text);
    ret_found->entry = sb_arena_dup(arena, sb_slice_z(entry_text));
    return 0;
}

static int check_signature(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                           sb_arena *arena, sb_evidence_found *ret_found, sb_error **err)
{
    sb_autofree char *url = sb_printable(evidence->url);
    sb_autoclose int fd = -1;
    sb_pgp_result result;
    sb_slice *keys, signature;

    if (read_keys(store, evidence, arena, &keys, err) < 0 ||
        read_object(store, &evidence->signature, SB_PGP_SIGNATURE_MAX, "signature", arena, &signature, err) <
            0 ||
        open_object(store, &file->digest, &fd, err) < 0 ||
        sb_pgp_verify_detached(arena, keys, evidence->key_count, signature, fd, evidence->verified_at,
                               &result, err) < 0 ||
        require_signers(arena, &result, evidence, ret_found, err) < 0)
        return sb_wrap(err, "the signature %s", url);
    return 0;
}

static int check_minisign(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                          sb_arena *arena, sb_error **err)
{
    sb_autofree char *url = sb_printable(evidence->url);
    sb_autofree char *comment = NULL;
    sb_autoclose int fd = -1;
    sb_slice signature;

    if (read_object(store, &evidence->signature, SB_PGP_SIGNATURE_MAX, "signature", arena, &signature, err) <
            0 ||
        open_object(store, &file->digest, &fd, err) < 0 ||
        sb_minisign_verify(evidence->minisign_key, signature, fd, &comment, err) < 0)
        return sb_wrap(err, "the signature %s", url);
    return 0;
}

int sb_evidence_check(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                      sb_arena *arena, sb_evidence_found *ret_found, sb_error **err)
{
    sb_evidence_found found = {0};
    int r = 0;

    switch (evidence->kind) {
    case SB_EVIDENCE_TOFU:
        break;
    case SB_EVIDENCE_CHECKSUM:
        r = check_hash(store, file, evidence, err);
        break;
    case SB_EVIDENCE_CHECKSUMS:
        r = check_list(store, file, evidence, arena, &found, err);
        break;
    case SB_EVIDENCE_OPENPGP:
        r = check_signature(store, file, evidence, arena, &found, err);
        break;
    case SB_EVIDENCE_MINISIGN:
        r = check_minisign(store, file, evidence, arena, err);
        break;
    }
    if (r < 0)
        return -1;
    *ret_found = found;
    return 0;
}

static int check_git_signature(const sb_store *store, const sb_lock_git *git,
                               const sb_lock_evidence *evidence, sb_arena *arena,
                               sb_evidence_found *ret_found, sb_error **err)
{
    enum { GIT_OBJECT_MAX = 16 << 20 };
    sb_git_resolved resolved = {.ref = git->ref, .commit = git->commit, .tag_object = git->tag_object};
    sb_pgp_result result;
    sb_slice *keys, content;

    if (read_object(store, &evidence->list, GIT_OBJECT_MAX, "signed git object", arena, &content, err) < 0 ||
        read_keys(store, evidence, arena, &keys, err) < 0 ||
        sb_git_verify_object(arena, &resolved, content, keys, evidence->key_count, evidence->verified_at,
                             &result, err) < 0)
        return -1;
    return require_signers(arena, &result, evidence, ret_found, err);
}

int sb_evidence_check_git(const sb_store *store, const sb_lock_git *git, const sb_lock_evidence *evidence,
                          sb_arena *arena, sb_evidence_found *ret_found, sb_error **err)
{
    sb_evidence_found found = {0};

    switch (evidence->kind) {
    case SB_EVIDENCE_TOFU:
        break;
    case SB_EVIDENCE_CHECKSUM:
        if (!evidence->checksum.len || (!sb_slice_starts(git->commit, evidence->checksum) &&
                                        !sb_slice_starts(git->tag_object, evidence->checksum)))
            return sb_fail(err, SB_ERR_VERIFY, "commit %" SB_FMT " was demanded, but it is %" SB_FMT,
                           SB_ARG(evidence->checksum), SB_ARG(git->commit));
        break;
    case SB_EVIDENCE_OPENPGP:
        if (check_git_signature(store, git, evidence, arena, &found, err) < 0)
            return -1;
        break;
    case SB_EVIDENCE_CHECKSUMS:
    case SB_EVIDENCE_MINISIGN:
        return sb_fail(err, SB_ERR_VERIFY, "a git repository cannot have this kind of evidence");
    }
    *ret_found = found;
    return 0;
}

/* Were these, and no others, recorded as signers? Whoever edits the lock must not choose who signed. */
static int same_signers(const sb_lock_evidence *evidence, const sb_evidence_found *by, sb_error **err)
{
    for (size_t i = 0; i < evidence->signer_count; i++) {
        bool found = false;

        for (size_t k = 0; k < by->signer_count && !found; k++)
            found = sb_slice_eq_nocase(by->signers[k].fingerprint, evidence->signers[i].fingerprint);
        if (!found) {
            sb_autofree char *who = sb_printable(evidence->signers[i].fingerprint);

            return sb_fail(err, SB_ERR_VERIFY, "the lock names %s as a signer, who has not signed it", who);
        }
    }
    return 0;
}

int sb_evidence_recheck(const sb_store *store, const sb_lock_file *file, const sb_lock_evidence *evidence,
                        sb_arena *arena, sb_error **err)
{
    sb_evidence_found found;

    if (sb_evidence_check(store, file, evidence, arena, &found, err) < 0)
        return -1;
    return same_signers(evidence, &found, err);
}

int sb_evidence_recheck_git(const sb_store *store, const sb_lock_git *git, const sb_lock_evidence *evidence,
                            sb_arena *arena, sb_error **err)
{
    sb_evidence_found found;

    if (sb_evidence_check_git(store, git, evidence, arena, &found, err) < 0)
        return -1;
    return same_signers(evidence, &found, err);
}

size_t sb_evidence_objects(const sb_lock_evidence *evidence, sb_arena *arena, sb_digest **ret_digests)
{
    sb_digest *digests = sb_arena_array(arena, sb_digest, evidence->key_count + 2);
    size_t n = 0;

    if (evidence->has_signature)
        digests[n++] = evidence->signature;
    if (evidence->has_list)
        digests[n++] = evidence->list;
    for (size_t i = 0; i < evidence->key_count; i++)
        digests[n++] = evidence->keys[i];
    *ret_digests = digests;
    return n;
}

bool sb_evidence_vouches(const sb_lock_evidence *evidence)
{
    return evidence->kind == SB_EVIDENCE_CHECKSUM || evidence->kind == SB_EVIDENCE_OPENPGP ||
           evidence->kind == SB_EVIDENCE_MINISIGN ||
           (evidence->kind == SB_EVIDENCE_CHECKSUMS && evidence->signer_count > 0);
}

static void describe_signers(sb_buf *out, const sb_lock_evidence *evidence)
{
    for (size_t i = 0; i < evidence->signer_count; i++) {
        /* A lock may say anything. */
        sb_autofree char *shown =
            sb_printable(evidence->signers[i].primary.len ? evidence->signers[i].primary
                                                          : evidence->signers[i].fingerprint);
        sb_slice fpr = sb_slice_z(shown);

        sb_buf_addz(out, i ? ", " : " ");
        if (fpr.len > 8)
            sb_buf_printf(out, "%" SB_FMT "…%" SB_FMT, SB_ARG(sb_slice_sub(fpr, 0, 4)),
                          SB_ARG(sb_slice_sub(fpr, fpr.len - 4, fpr.len)));
        else
            sb_buf_adds(out, fpr);
    }
}

static void describe_one(sb_buf *out, const sb_lock_evidence *evidence)
{
    switch (evidence->kind) {
    case SB_EVIDENCE_TOFU:
        break;
    case SB_EVIDENCE_CHECKSUM: {
        ptrdiff_t colon = sb_slice_chr(evidence->checksum, ':');

        sb_buf_printf(
            out, "%" SB_FMT " in the Dockerfile",
            SB_ARG(colon > 0 ? sb_slice_sub(evidence->checksum, 0, (size_t)colon) : SB_LIT("commit")));
        break;
    }
    case SB_EVIDENCE_CHECKSUMS:
        sb_buf_addz(out, evidence->signer_count ? "list signed by" : "unsigned list");
        describe_signers(out, evidence);
        break;
    case SB_EVIDENCE_OPENPGP:
        sb_buf_addz(out, "OpenPGP");
        describe_signers(out, evidence);
        break;
    case SB_EVIDENCE_MINISIGN:
        sb_buf_addz(out, "minisign");
        break;
    }
}

sb_slice sb_evidence_describe(sb_arena *arena, const sb_lock_evidence *evidence, size_t count)
{
    enum { TEXT_MAX = 4096 };
    sb_autobuf out = SB_BUF_INIT(TEXT_MAX);
    bool vouched = false;

    for (size_t i = 0; i < count; i++) {
        if (evidence[i].kind == SB_EVIDENCE_TOFU)
            continue;
        if (out.len)
            sb_buf_addz(&out, " + ");
        describe_one(&out, &evidence[i]);
        vouched = vouched || sb_evidence_vouches(&evidence[i]);
    }
    if (!vouched)
        sb_buf_addz(&out, out.len ? "; nobody (first use)" : "nobody (first use)");
    return sb_arena_dup(arena, sb_buf_slice(&out));
}
