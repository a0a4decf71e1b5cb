// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tests/unit/tempdir.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>
#include <sbuild/verify.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Keys and signatures by gpg itself: what tests/infra/signatures.sh makes, and a few rarer things. */
static const char script[] =
    "set -e; cd \"$1\"; printf 'the payload\\n' >payload; \"$2/tests/infra/signatures.sh\" make . payload;"
    "home=$(mktemp -d \"${TMPDIR:-/tmp}/sbg.XXXXXX\");"
    "trap 'gpgconf --homedir \"$home\" --kill all; rm -rf \"$home\"' EXIT;"
    "g() { gpg --homedir \"$home\" --batch --quiet --yes --pinentry-mode loopback --passphrase '' \"$@\"; };"
    "g --quick-generate-key 'rsa <rsa@example.org>' rsa2048 sign never; g --armor --export >rsa.asc; g "
    "--export >rsa.gpg;"
    "g --with-colons --list-keys | awk -F: '$1 == \"fpr\" { print $10; exit }' >rsa.fpr;"
    "for h in MD5 SHA1 RIPEMD160 SHA512; do g --allow-weak-digest-algos --digest-algo $h -o payload.$h -b "
    "payload; done;"
    "g --default-sig-expire 1d --faked-system-time 20300101T000000 -o payload.expiring -b payload;"
    "g -o payload.inline --sign payload; g -o payload.clear --clear-sign payload;"
    "g --armor -o payload.rsa.asc -b payload; cat payload.asc payload.rsa.asc >payload.both.asc;"
    "{ printf 'before\\n'; sed 's/the payload/the PAYLOAD/' payload.clear; } >payload.clear.changed;"
    "{ printf 'text that nobody signed\\n'; cat payload.clear; printf 'nor this\\n'; } >payload.clear.framed;"
    "cat payload.clear payload.clear >payload.clear.twice; g --store -o payload.unsigned payload;"
    "head -c 40000000 /dev/zero | g --compress-level 9 --sign -o bomb";

static int setup(void **state)
{
    if (tempdir_setup(state) < 0)
        return -1;
    free(tempdir_shell(*state, script));
    return 0;
}

static sb_slice pin(const tempdir *f, const char *name, sb_arena *arena)
{
    return sb_slice_trim(tempdir_load(f, name, arena));
}

static sb_pgp_result detached(const tempdir *f, sb_arena *arena, const char *key, const char *signature,
                              const char *file, int64_t now)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autoclose int fd = openat(f->dirfd, file, O_RDONLY | O_CLOEXEC);
    sb_slice keys[1] = {tempdir_load(f, key, arena)};
    sb_pgp_result result = {.count = 0};

    if (sb_pgp_verify_detached(arena, keys, 1, tempdir_load(f, signature, arena), fd, now, &result, &error) <
        0)
        fail_msg("%s by %s: %s", signature, key, error->message);
    return result;
}

static void check(void **state, const char *key, const char *signature, const char *file,
                  sb_pgp_status status)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_pgp_result result = detached(*state, arena, key, signature, file, 0);

    assert_int_equal(result.count, 1);
    if (result.signatures[0].status != status)
        fail_msg("%s of %s is %s instead of %s", signature, file,
                 sb_pgp_status_name(result.signatures[0].status), sb_pgp_status_name(status));
}

static void test_statuses(void **state)
{
    check(state, "good.asc", "payload.asc", "payload", SB_PGP_GOOD);
    check(state, "good.asc", "payload.sig", "payload", SB_PGP_GOOD);
    check(state, "rsa.gpg", "payload.rsa.asc", "payload", SB_PGP_GOOD);
    check(state, "subkey.asc", "payload.subkey.asc", "payload", SB_PGP_GOOD);
    check(state, "good.asc", "payload.asc", "payload.flipped", SB_PGP_BAD);
    check(state, "good.asc", "payload.elsewhere.asc", "payload", SB_PGP_BAD);
    check(state, "other.asc", "payload.asc", "payload", SB_PGP_UNKNOWN_KEY);
    check(state, "expired.asc", "payload.expired.asc", "payload", SB_PGP_EXPIRED_KEY);
    check(state, "revoked.asc", "payload.revoked.asc", "payload", SB_PGP_REVOKED_KEY);
    check(state, "good.asc", "payload.sha1.asc", "payload", SB_PGP_WEAK);
    check(state, "rsa.asc", "payload.MD5", "payload", SB_PGP_WEAK);
    check(state, "rsa.asc", "payload.SHA1", "payload", SB_PGP_WEAK);
    check(state, "rsa.asc", "payload.RIPEMD160", "payload", SB_PGP_WEAK);
    check(state, "rsa.asc", "payload.SHA512", "payload", SB_PGP_GOOD);
    check(state, "rsa.asc", "payload.SHA512", "payload.flipped", SB_PGP_BAD);
    check(state, "rsa.asc", "payload", "payload", SB_PGP_MALFORMED);
    check(state, "rsa.asc", "rsa.asc", "payload", SB_PGP_MALFORMED);
}

/* A signed message where a detached signature is expected says nothing about the file. */
static void test_message_is_no_detached_signature(void **state)
{
    static const char *const names[] = {"payload.inline", "payload.clear", "payload.unsigned"};

    for (size_t i = 0; i < SB_COUNT(names); i++) {
        for (int flipped = 0; flipped < 2; flipped++) {
            SB_AUTO(sb_arena) arena = sb_arena_new();
            sb_pgp_result result =
                detached(*state, arena, "rsa.asc", names[i], flipped ? "payload.flipped" : "rsa.fpr", 0);

            for (size_t k = 0; k < result.count; k++)
                assert_int_not_equal(result.signatures[k].status, SB_PGP_GOOD);
        }
    }
}

static void test_what_is_told(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_pgp_result result = detached(*state, arena, "subkey.asc", "payload.subkey.asc", "payload", 0);
    const sb_pgp_signature *s = &result.signatures[0];

    assert_true(sb_slice_eq(s->fingerprint, pin(*state, "subkey.fpr", arena)));
    assert_true(sb_slice_eq(s->primary, pin(*state, "subkey.primary.fpr", arena)));
    assert_true(sb_slice_eqz(s->user_id, "subkey <subkey@example.org>"));
    assert_true(sb_slice_eqz(s->hash, "SHA512") || sb_slice_eqz(s->hash, "SHA256"));
    assert_true(s->created > 1700000000);
    result = detached(*state, arena, "other.asc", "payload.asc", "payload", 0);
    assert_true(result.signatures[0].fingerprint.len >= 16);
    assert_true(sb_slice_ends(pin(*state, "good.fpr", arena), result.signatures[0].fingerprint));
}

/* What was good when it was locked stays good, however late it is repeated. */
static void test_time(void **state)
{
    enum { JUNE_2020 = 1591500000, YEAR_2022 = 1650000000, JAN_2030 = 1893459600, LATER_2030 = 1893900000 };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    assert_int_equal(detached(*state, arena, "expired.asc", "payload.expired.asc", "payload", JUNE_2020)
                         .signatures[0]
                         .status,
                     SB_PGP_GOOD);
    assert_int_equal(detached(*state, arena, "expired.asc", "payload.expired.asc", "payload", YEAR_2022)
                         .signatures[0]
                         .status,
                     SB_PGP_EXPIRED_KEY);
    assert_int_equal(
        detached(*state, arena, "rsa.asc", "payload.expiring", "payload", JAN_2030).signatures[0].status,
        SB_PGP_GOOD);
    assert_int_equal(
        detached(*state, arena, "rsa.asc", "payload.expiring", "payload", LATER_2030).signatures[0].status,
        SB_PGP_EXPIRED_SIGNATURE);
    assert_int_equal(detached(*state, arena, "revoked.asc", "payload.revoked.asc", "payload", 4000000000)
                         .signatures[0]
                         .status,
                     SB_PGP_REVOKED_KEY);
}

static void test_inline(void **state)
{
    static const struct {
        const char *name;
        sb_pgp_status status;
        const char *text;
    } cases[] = {
        {"payload.clear", SB_PGP_GOOD, "the payload\n"},
        {"payload.inline", SB_PGP_GOOD, "the payload\n"},
        {"payload.clear.framed", SB_PGP_GOOD, "the payload\n"},
        {"payload.clear.changed", SB_PGP_BAD, ""},
        {"payload.unsigned", SB_PGP_MALFORMED, ""},
        {"payload", SB_PGP_MALFORMED, ""},
    };

    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        SB_AUTO(sb_error) error = NULL;
        sb_slice keys[1] = {tempdir_load(*state, "rsa.asc", arena)}, text;
        sb_pgp_result result;

        if (sb_pgp_verify_inline(arena, keys, 1, tempdir_load(*state, cases[i].name, arena), 0, &result,
                                 &text, &error) < 0)
            fail_msg("%s: %s", cases[i].name, error->message);
        assert_int_equal(result.count, 1);
        if (result.signatures[0].status != cases[i].status || !sb_slice_eqz(text, cases[i].text))
            fail_msg("%s: %s, \"%.*s\"", cases[i].name, sb_pgp_status_name(result.signatures[0].status),
                     (int)text.len, text.ptr);
    }
}

/* Two messages in one: whichever text came out, it must not be mistaken for one signed text. */
static void test_two_messages(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_slice keys[1] = {tempdir_load(*state, "rsa.asc", arena)}, text;
    sb_pgp_result result;

    if (sb_pgp_verify_inline(arena, keys, 1, tempdir_load(*state, "payload.clear.twice", arena), 0, &result,
                             &text, &error) < 0)
        return;
    assert_true(text.len == 0 || sb_slice_eqz(text, "the payload\n"));
}

static void test_limits(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_slice keys[1] = {tempdir_load(*state, "rsa.asc", arena)}, text;
    sb_autofree char *big = sb_malloc(SB_PGP_KEYRING_MAX + 1);
    sb_slice big_key = sb_slice_of(big, SB_PGP_KEYRING_MAX + 1);
    sb_slice no_key = SB_LIT("no key at all");
    sb_pgp_result result;

    assert_int_equal(
        sb_pgp_verify_inline(arena, keys, 1, tempdir_load(*state, "bomb", arena), 0, &result, &text, &error),
        -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_pgp_verify_detached(arena, &big_key, 1, keys[0], 0, 0, &result, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_pgp_verify_detached(arena, keys, 1, sb_slice_of(big, SB_PGP_SIGNATURE_MAX + 1), 0, 0,
                                            &result, &error),
                     -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    sb_error_free(SB_TAKE(error));
    assert_int_equal(sb_pgp_verify_inline(arena, &no_key, 1, SB_LIT("x"), 0, &result, &text, &error), -1);
    assert_int_equal(error->code, SB_ERR_VERIFY);
}

/* --- Pins --- */

#define P1 "1111111111111111111111111111111111111111"
#define P2 "2222222222222222222222222222222222222222"
#define S1 "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD"

static sb_errc require(const sb_pgp_result *result, const char *const *pins, unsigned threshold,
                       size_t *ret_count, const char *message)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_slice slices[8];
    size_t count = 0, *signers;

    for (; pins[count]; count++)
        slices[count] = sb_slice_z(pins[count]);
    if (sb_pgp_require(arena, result, slices, count, threshold, &signers, ret_count, &error) == 0)
        return SB_ERR_NONE;
    if (message && !strstr(error->message, message))
        fail_msg("\"%s\" lacks \"%s\"", error->message, message);
    return error->code;
}

#define PINS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_require(void **state)
{
    sb_pgp_signature two[] = {
        {.status = SB_PGP_GOOD, .fingerprint = SB_LIT(S1), .primary = SB_LIT(P1)},
        {.status = SB_PGP_GOOD, .fingerprint = SB_LIT(P1), .primary = SB_LIT(P1)},
        {.status = SB_PGP_GOOD, .fingerprint = SB_LIT(P2), .primary = SB_LIT(P2)},
    };
    const sb_pgp_result all = {two, 3}, one = {two, 2}, nothing = {NULL, 0};
    size_t count = 0;

    (void)state;
    assert_int_equal(require(&all, PINS(P1), 1, &count, NULL), SB_ERR_NONE);
    assert_int_equal(count, 1);
    assert_int_equal(require(&all, PINS(S1), 1, &count, NULL), SB_ERR_NONE);
    assert_int_equal(
        require(&all, PINS("abcd efab cdef abcd efab  cdef abcd efab cdef abcd"), 1, &count, NULL),
        SB_ERR_NONE);
    assert_int_equal(require(&all, PINS("0x" P2), 0, &count, NULL), SB_ERR_NONE);
    assert_int_equal(require(&all, PINS(P1, P2), 2, &count, NULL), SB_ERR_NONE);
    assert_int_equal(count, 2);
    /* Two signatures of one signer are one signer, and so are two pins. */
    assert_int_equal(require(&one, PINS(P1, P2), 2, &count, "only 1 of 2"), SB_ERR_VERIFY);
    assert_int_equal(require(&all, PINS(P1, S1), 2, &count, "only 1 of 2"), SB_ERR_VERIFY);
    assert_int_equal(require(&one, PINS(P2), 1, &count, "not pinned"), SB_ERR_VERIFY);
    assert_int_equal(require(&nothing, PINS(P2), 1, &count, "no OpenPGP signature"), SB_ERR_VERIFY);
    assert_int_equal(require(&all, PINS("ABCDEFABCDEFABCD"), 1, &count, "full fingerprint"), SB_ERR_USAGE);
    assert_int_equal(require(&all, PINS(P1 "0"), 1, &count, "full fingerprint"), SB_ERR_USAGE);
    assert_int_equal(require(&all, PINS("x" P1), 1, &count, "full fingerprint"), SB_ERR_USAGE);
    assert_int_equal(require(&all, PINS(P1), 2, &count, "only 1 fingerprints"), SB_ERR_USAGE);
}

static void test_each_status_has_its_message(void **state)
{
    static const char *const words[] = {"",
                                        "bad signature",
                                        "not in the given key file",
                                        "has expired; get",
                                        "signature by the key " P1 " has expired",
                                        "revoked",
                                        "MD5",
                                        "no OpenPGP"};
    size_t count;

    (void)state;
    for (int i = SB_PGP_BAD; i <= SB_PGP_MALFORMED; i++) {
        sb_pgp_signature s[] = {
            {.status = SB_PGP_GOOD,
             .fingerprint = SB_LIT(P2),
             .primary = SB_LIT(P2),
             .hash = SB_LIT("SHA512")},
            {.status = (sb_pgp_status)i,
             .fingerprint = SB_LIT(P1),
             .primary = SB_LIT(P1),
             .hash = SB_LIT("MD5")},
        };
        const sb_pgp_result result = {s, 2};

        assert_int_equal(require(&result, PINS(P1), 1, &count, words[i]), SB_ERR_VERIFY);
        assert_int_equal(require(&result, PINS(P1, P2), 2, &count, words[i]), SB_ERR_VERIFY);
        assert_int_equal(require(&result, PINS(P1, P2), 1, &count, NULL), SB_ERR_NONE);
    }
}

static void test_several_signatures(void **state)
{
    static const char *const names[] = {"payload.two.asc", "payload.both.asc"};

    for (size_t i = 0; i < SB_COUNT(names); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_autoclose int fd = openat(((tempdir *)*state)->dirfd, "payload", O_RDONLY);
        const char *second = i ? "rsa" : "other";
        sb_autofree char *key = sb_asprintf("%s.asc", second), *fpr = sb_asprintf("%s.fpr", second);
        sb_slice keys[] = {tempdir_load(*state, "good.asc", arena), tempdir_load(*state, key, arena)};
        sb_slice pins[] = {pin(*state, "good.fpr", arena), pin(*state, fpr, arena)};
        size_t *signers, count;
        sb_pgp_result result;

        assert_int_equal(sb_pgp_verify_detached(arena, keys, 2, tempdir_load(*state, names[i], arena), fd, 0,
                                                &result, NULL),
                         0);
        assert_int_equal(result.count, 2);
        assert_int_equal(sb_pgp_require(arena, &result, pins, 2, 2, &signers, &count, NULL), 0);
        assert_int_equal(count, 2);
        /* With one key missing the other one still counts. */
        assert_int_equal(sb_pgp_verify_detached(arena, keys, 1, tempdir_load(*state, names[i], arena), fd, 0,
                                                &result, NULL),
                         0);
        assert_int_equal(sb_pgp_require(arena, &result, pins, 1, 1, &signers, &count, NULL), 0);
        assert_int_equal(sb_pgp_require(arena, &result, pins, 2, 2, &signers, &count, NULL), -1);
    }
}

/* Nothing is left behind, and nothing of the user's own GnuPG has a say. */
static void test_leaves_nothing_and_asks_nobody(void **state)
{
    const tempdir *f = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *home = sb_path_join(f->dir, "user-gpg"), *tmp = sb_path_join(f->dir, "tmp");
    sb_autofree char *config = sb_path_join(home, "gpg.conf");
    sb_autofree char *old_tmp = getenv("TMPDIR") ? sb_strdup(getenv("TMPDIR")) : NULL;
    struct dirent *entry;
    unsigned left = 0;
    DIR *dir;

    assert_int_equal(mkdir(home, 0700), 0);
    assert_int_equal(mkdir(tmp, 0700), 0);
    assert_int_equal(sb_write_file(AT_FDCWD, config, SB_LIT("this is no option\n"), 0600, NULL), 0);
    setenv("GNUPGHOME", home, 1);
    setenv("TMPDIR", tmp, 1);
    assert_int_equal(detached(f, arena, "good.asc", "payload.asc", "payload", 0).signatures[0].status,
                     SB_PGP_GOOD);
    assert_int_equal(
        detached(f, arena, "good.asc", "payload.asc", "payload.flipped", 1893459600).signatures[0].status,
        SB_PGP_BAD);
    for (int i = 0; i < 3; i++) {
        /* Given up in the middle. */
        sb_slice rsa = tempdir_load(f, "rsa.asc", arena), none = SB_LIT("no key"), text;
        sb_pgp_result result;

        assert_int_equal(
            sb_pgp_verify_inline(arena, &rsa, 1, tempdir_load(f, "bomb", arena), 0, &result, &text, NULL),
            -1);
        assert_int_equal(sb_pgp_verify_inline(arena, &none, 1, SB_LIT("x"), 0, &result, &text, NULL), -1);
    }
    unsetenv("GNUPGHOME");
    if (old_tmp)
        setenv("TMPDIR", old_tmp, 1);
    else
        unsetenv("TMPDIR");
    dir = opendir(tmp);
    while ((entry = readdir(dir)))
        left += entry->d_name[0] != '.';
    closedir(dir);
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_message_is_no_detached_signature),
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_two_messages),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_require),
        cmocka_unit_test(test_each_status_has_its_message),
        cmocka_unit_test(test_several_signatures),
        cmocka_unit_test(test_leaves_nothing_and_asks_nobody),
    };

    return cmocka_run_group_tests(tests, setup, tempdir_teardown);
}
