// SPDX-License-Identifier: Apache-2.0
/* Evidence judged from a store: what holds, what does not, and that nothing else is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <time.h>

#include <lock/evidence.h>
#include <sbuild/fs.h>
#include <sbuild/process.h>

typedef struct fixture {
    char *dir;
    sb_store *store;
    sb_arena *arena;
    sb_lock_file file; /* "payload" */
} fixture;

/* The payload and everything that vouches for it, and repositories with signed tags and commits. */
static const char script[] =
    "set -e; cd \"$1\"; printf 'the payload\\n' >payload; \"$2/tests/infra/signatures.sh\" make . payload;"
    "home=$(mktemp -d); trap 'gpgconf --homedir \"$home\" --kill all; rm -rf \"$home\"' EXIT; export "
    "GNUPGHOME=$home;"
    "gpg --batch --quiet --passphrase '' --quick-generate-key 'git <git@example.org>' ed25519 sign never "
    "2>/dev/null;"
    "gpg --armor --export >git.asc; gpg --with-colons --list-keys | awk -F: '$1 == \"fpr\" { print $10; exit "
    "}' >git.fpr;"
    "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1;"
    "git init -q repo; cd repo; git config user.name git; git config user.email git@example.org;"
    "echo a >a; git add a; git commit -q -m plain; git tag -s -m 'one\n\n-----BEGIN' v1; git tag v1-light;"
    "echo b >a; git commit -q -S -a -m signed;"
    "git cat-file tag v1 >../v1.tag; git rev-parse v1 >../v1.id; git rev-parse v1^{} >../v1.commit;"
    "git cat-file commit HEAD >../head.commit; git rev-parse HEAD >../head.id; git cat-file commit v1^{} "
    ">../plain.commit";

static char *slurp(const fixture *f, const char *name, size_t *ret_len)
{
    sb_autofree char *path = sb_path_join(f->dir, name);
    char *data = NULL;
    size_t len = 0;

    assert_int_equal(sb_read_file(AT_FDCWD, path, 1 << 20, &data, &len, NULL, NULL), 0);
    if (ret_len)
        *ret_len = len;
    return data;
}

/* A file of the fixture, as an object of the store. */
static sb_digest object(fixture *f, const char *name)
{
    size_t len;
    sb_autofree char *data = slurp(f, name, &len);
    sb_digest digest;

    assert_int_equal(sb_store_put(f->store, sb_slice_of(data, len), &digest, NULL), 0);
    return digest;
}

static sb_slice text(fixture *f, const char *name)
{
    sb_autofree char *data = slurp(f, name, NULL);

    return sb_arena_dup(f->arena, sb_slice_trim(sb_slice_z(data)));
}

static int set_up(void **state)
{
    fixture *f = sb_new(fixture);
    sb_error *error = NULL;
    sb_autofree char *path = NULL;
    int status;

    f->dir = sb_temp_dir("sbuild-evidence-", NULL);
    const char *argv[] = {"bash", "-c", script, "bash", f->dir, SBUILD_SOURCE_DIR, NULL};
    sb_process_options options = {.argv = argv};
    assert_int_equal(sb_process_run(&options, &status, &error), 0);
    assert_int_equal(status, 0);
    path = sb_path_join(f->dir, "store");
    assert_int_equal(sb_store_open(path, true, false, &f->store, NULL), 0);
    f->arena = sb_arena_new();
    f->file = (sb_lock_file){.url = SB_LIT("https://example.org/payload"),
                             .expanded = SB_LIT("https://example.org/payload?download=1"),
                             .digest = object(f, "payload"),
                             .size = 12};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    sb_store_free(f->store);
    sb_arena_free(f->arena);
    sb_remove_tree(AT_FDCWD, f->dir, NULL);
    free(f->dir);
    free(f);
    return 0;
}

/* What checking gives: SB_ERR_NONE or the error's code; the message must contain `part`. */
static sb_errc check(fixture *f, const sb_lock_evidence *evidence, const char *part)
{
    SB_AUTO(sb_error) error = NULL;
    sb_evidence_found found;

    if (sb_evidence_check(f->store, &f->file, evidence, f->arena, &found, &error) == 0)
        return SB_ERR_NONE;
    if (part && sb_slice_find(sb_slice_z(error->message), sb_slice_z(part)) < 0)
        fail_msg("\"%s\" does not contain \"%s\"", error->message, part);
    return error->code;
}

static sb_lock_evidence openpgp(fixture *f, const char *signature, const char *key, const char *pin)
{
    sb_lock_evidence e = {.kind = SB_EVIDENCE_OPENPGP,
                          .url = SB_LIT("https://example.org/payload.asc"),
                          .has_signature = true,
                          .signature = object(f, signature),
                          .threshold = 1,
                          .verified_at = time(NULL)};

    e.keys = sb_arena_array(f->arena, sb_digest, 2);
    e.pins = sb_arena_array(f->arena, sb_slice, 2);
    if (key)
        e.keys[e.key_count++] = object(f, key);
    if (pin)
        e.pins[e.pin_count++] = text(f, pin);
    return e;
}

static void test_openpgp(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = openpgp(f, "payload.asc", "good.asc", "good.fpr");
    sb_evidence_found found;

    assert_int_equal(sb_evidence_check(f->store, &f->file, &e, f->arena, &found, NULL), 0);
    assert_int_equal(found.signer_count, 1);
    assert_true(sb_slice_eq(found.signers[0].primary, e.pins[0]));
    assert_true(found.signers[0].created > 1600000000);
    e = openpgp(f, "payload.subkey.asc", "subkey.asc", "subkey.primary.fpr");
    assert_int_equal(check(f, &e, NULL), SB_ERR_NONE);
    e = openpgp(f, "payload.elsewhere.asc", "good.asc", "good.fpr");
    assert_int_equal(check(f, &e, "payload.asc"), SB_ERR_VERIFY);
    e = openpgp(f, "payload.other.asc", "good.asc", "good.fpr");
    assert_int_equal(check(f, &e, NULL), SB_ERR_VERIFY);
    e = openpgp(f, "payload.revoked.asc", "revoked.asc", "revoked.fpr");
    assert_int_equal(check(f, &e, "revoked"), SB_ERR_VERIFY);
    e = openpgp(f, "payload.sha1.asc", "good.asc", "good.fpr");
    assert_int_equal(check(f, &e, NULL), SB_ERR_VERIFY);
}

/* A key that has expired since is judged at the time of verification, for ever. */
static void test_time_of_verification(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = openpgp(f, "payload.expired.asc", "expired.asc", "expired.fpr");

    assert_int_equal(check(f, &e, "expired"), SB_ERR_VERIFY);
    e.verified_at = 1591800000; /* 2020-06-10 */
    assert_int_equal(check(f, &e, NULL), SB_ERR_NONE);
}

/* Without a pin the message tells what to write. */
static void test_not_pinned(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = openpgp(f, "payload.asc", "good.asc", NULL);
    sb_slice pin = text(f, "good.fpr");
    sb_slice hint = sb_arena_printf(f->arena, "fingerprint=%" SB_FMT, SB_ARG(pin));

    assert_int_equal(check(f, &e, hint.ptr), SB_ERR_VERIFY);
    e = openpgp(f, "payload.asc", NULL, NULL);
    assert_int_equal(check(f, &e, "key=FILE fingerprint="), SB_ERR_VERIFY);
}

static void test_threshold(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = openpgp(f, "payload.two.asc", "good.asc", "good.fpr");

    e.keys[e.key_count++] = object(f, "other.asc");
    e.pins[e.pin_count++] = text(f, "other.fpr");
    e.threshold = 2;
    assert_int_equal(check(f, &e, NULL), SB_ERR_NONE);
    e.signature = object(f, "payload.asc");
    assert_int_equal(check(f, &e, NULL), SB_ERR_VERIFY);
}

static sb_lock_evidence list_of(fixture *f, const char *list)
{
    return (sb_lock_evidence){.kind = SB_EVIDENCE_CHECKSUMS,
                              .url = SB_LIT("https://example.org/SHA256SUMS"),
                              .has_list = true,
                              .list = object(f, list),
                              .threshold = 1,
                              .verified_at = time(NULL)};
}

static void test_lists(void **state)
{
    static const char *const good[] = {"SHA256SUMS", "SHA256SUMS.star", "SHA256SUMS.bsd", "SHA512SUMS",
                                       "SHA256SUMS.clear"};
    fixture *f = *state;
    sb_lock_evidence e, signing = openpgp(f, "SHA256SUMS.asc", "good.asc", "good.fpr");
    sb_evidence_found found;

    for (size_t i = 0; i < SB_COUNT(good); i++) {
        e = list_of(f, good[i]);
        assert_int_equal(check(f, &e, "(nothing)"), SB_ERR_NONE);
        assert_int_equal(sb_evidence_check(f->store, &f->file, &e, f->arena, &found, NULL), 0);
        assert_int_equal(found.signer_count, 0);
        assert_true(sb_slice_starts(found.entry, i == 3 ? SB_LIT("sha512:") : SB_LIT("sha256:")));
        assert_false(sb_evidence_vouches(&e));
    }
    e = list_of(f, "SHA256SUMS.wrong");
    assert_int_equal(check(f, &e, "SHA256SUMS"), SB_ERR_VERIFY);
    e = list_of(f, "payload.asc");
    assert_int_not_equal(check(f, &e, NULL), SB_ERR_NONE);

    /* signed, detached */
    e = list_of(f, "SHA256SUMS");
    e.keys = signing.keys;
    e.pins = signing.pins;
    e.key_count = e.pin_count = 1;
    assert_int_equal(check(f, &e, "checksums-signature="), SB_ERR_VERIFY);
    e.has_signature = true;
    e.signature = signing.signature;
    assert_int_equal(sb_evidence_check(f->store, &f->file, &e, f->arena, &found, NULL), 0);
    assert_int_equal(found.signer_count, 1);
    e.list = object(f, "SHA512SUMS");
    assert_int_equal(check(f, &e, NULL), SB_ERR_VERIFY);

    /* clear-signed */
    e.has_signature = false;
    e.list = object(f, "SHA256SUMS.clear");
    assert_int_equal(sb_evidence_check(f->store, &f->file, &e, f->arena, &found, NULL), 0);
    assert_int_equal(found.signer_count, 1);
    e.pins[0] = text(f, "other.fpr");
    assert_int_equal(check(f, &e, NULL), SB_ERR_VERIFY);
}

static void test_checksum(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = {.kind = SB_EVIDENCE_CHECKSUM};
    sb_digest digest;
    char formatted[SB_DIGEST_TEXT];

    for (int algo = SB_HASH_SHA256; algo <= SB_HASH_SHA512; algo++) {
        sb_digest_of((sb_hash_algo)algo, SB_LIT("the payload\n"), &digest);
        sb_digest_format(&digest, formatted);
        e.checksum = sb_slice_z(formatted);
        assert_int_equal(check(f, &e, NULL), SB_ERR_NONE);
        sb_digest_of((sb_hash_algo)algo, SB_LIT("another\n"), &digest);
        sb_digest_format(&digest, formatted);
        assert_int_equal(check(f, &e, "was demanded"), SB_ERR_VERIFY);
    }
    e.checksum = SB_LIT("md5:00");
    assert_int_not_equal(check(f, &e, NULL), SB_ERR_NONE);
}

static void test_minisign(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = {.kind = SB_EVIDENCE_MINISIGN,
                          .url = SB_LIT("https://example.org/payload.minisig"),
                          .has_signature = true};
    sb_autofree char *program = sb_process_find("minisign");
    sb_slice rest;

    if (!program)
        skip();
    e.signature = object(f, "payload.minisig");
    rest = text(f, "minisign.pub");
    sb_slice_cut(&rest, '\n');
    e.minisign_key = rest;
    assert_int_equal(check(f, &e, NULL), SB_ERR_NONE);
    rest = text(f, "minisign-other.pub");
    sb_slice_cut(&rest, '\n');
    e.minisign_key = rest;
    assert_int_equal(check(f, &e, "minisig"), SB_ERR_VERIFY);
}

/* A store without the object, one with a damaged object, and a lock that names another signer. */
static void test_store(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = openpgp(f, "payload.asc", "good.asc", "good.fpr");
    sb_lock_signer signer = {.fingerprint = text(f, "other.fpr")};
    SB_AUTO(sb_error) error = NULL;
    sb_digest *objects;

    assert_int_equal(sb_evidence_objects(&e, f->arena, &objects), 2);
    assert_int_equal(sb_evidence_recheck(f->store, &f->file, &e, f->arena, NULL), 0);
    e.signers = &signer;
    e.signer_count = 1;
    assert_int_equal(sb_evidence_recheck(f->store, &f->file, &e, f->arena, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
    e.signer_count = 0;
    sb_digest_of(SB_HASH_SHA256, SB_LIT("not there"), &e.signature);
    assert_int_equal(check(f, &e, NULL), SB_ERR_NOT_FOUND);
}

static sb_errc check_git(fixture *f, const sb_lock_git *git, const sb_lock_evidence *evidence,
                         const char *part)
{
    SB_AUTO(sb_error) error = NULL;

    if (sb_evidence_recheck_git(f->store, git, evidence, f->arena, &error) == 0)
        return SB_ERR_NONE;
    if (part && sb_slice_find(sb_slice_z(error->message), sb_slice_z(part)) < 0)
        fail_msg("\"%s\" does not contain \"%s\"", error->message, part);
    return error->code;
}

static void test_git(void **state)
{
    fixture *f = *state;
    sb_lock_evidence e = openpgp(f, "payload.asc", "git.asc", "git.fpr");
    sb_lock_git tag = {
        .ref = SB_LIT("refs/tags/v1"), .tag_object = text(f, "v1.id"), .commit = text(f, "v1.commit")};
    sb_lock_git head = {.ref = SB_LIT("refs/heads/main"), .commit = text(f, "head.id")};
    sb_lock_git plain = {.ref = SB_LIT(""), .commit = text(f, "v1.commit")};

    e.has_signature = false;
    e.has_list = true;
    e.list = object(f, "v1.tag");
    assert_int_equal(check_git(f, &tag, &e, NULL), SB_ERR_NONE);
    tag.ref = SB_LIT("refs/tags/v2");
    assert_int_equal(check_git(f, &tag, &e, "calls itself"), SB_ERR_VERIFY);
    tag.ref = SB_LIT("refs/tags/v1");
    tag.commit = head.commit;
    assert_int_equal(check_git(f, &tag, &e, "points to"), SB_ERR_VERIFY);
    e.list = object(f, "head.commit");
    assert_int_equal(check_git(f, &head, &e, NULL), SB_ERR_NONE);
    assert_int_equal(check_git(f, &plain, &e, "the git commit is"), SB_ERR_VERIFY);
    e.list = object(f, "plain.commit");
    assert_int_equal(check_git(f, &plain, &e, "not signed"), SB_ERR_VERIFY);
    e.list = object(f, "head.commit");
    e.pins[0] = text(f, "good.fpr");
    assert_int_equal(check_git(f, &head, &e, NULL), SB_ERR_VERIFY);

    e = (sb_lock_evidence){.kind = SB_EVIDENCE_CHECKSUM, .checksum = sb_slice_sub(head.commit, 0, 12)};
    assert_int_equal(check_git(f, &head, &e, NULL), SB_ERR_NONE);
    assert_int_equal(check_git(f, &plain, &e, "was demanded"), SB_ERR_VERIFY);
}

static void test_describe(void **state)
{
    fixture *f = *state;
    sb_lock_signer signer = {.primary = SB_LIT("0123456789ABCDEF0123456789ABCDEF01234567")};
    sb_lock_evidence e[] = {
        {.kind = SB_EVIDENCE_OPENPGP, .signers = &signer, .signer_count = 1},
        {.kind = SB_EVIDENCE_CHECKSUM, .checksum = SB_LIT("sha256:00")},
        {.kind = SB_EVIDENCE_CHECKSUMS},
        {.kind = SB_EVIDENCE_TOFU},
    };

    assert_true(
        sb_slice_eqz(sb_evidence_describe(f->arena, e, 2), "OpenPGP 0123…4567 + sha256 in the Dockerfile"));
    assert_true(sb_slice_eqz(sb_evidence_describe(f->arena, &e[2], 2), "unsigned list; nobody (first use)"));
    assert_true(sb_slice_eqz(sb_evidence_describe(f->arena, &e[3], 1), "nobody (first use)"));
    assert_true(sb_evidence_vouches(&e[0]) && sb_evidence_vouches(&e[1]));
    assert_false(sb_evidence_vouches(&e[2]) || sb_evidence_vouches(&e[3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openpgp),    cmocka_unit_test(test_time_of_verification),
        cmocka_unit_test(test_not_pinned), cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_lists),      cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_minisign),   cmocka_unit_test(test_store),
        cmocka_unit_test(test_git),        cmocka_unit_test(test_describe),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
