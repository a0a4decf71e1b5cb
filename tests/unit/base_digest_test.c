// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/digest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ABC256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC384                                                                                               \
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
#define ABC512                                                                                               \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d44" \
    "23643ce80e2a"                                                                                           \
    "9ac94fa54ca49f"
#define EMPTY256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_known_hashes(void **state)
{
    static const char *const expected[] = {"sha256:" ABC256, "sha384:" ABC384, "sha512:" ABC512};

    (void)state;
    for (int algo = SB_HASH_SHA256; algo <= SB_HASH_SHA512; algo++) {
        SB_AUTO(sb_hasher) hasher = sb_hasher_new((sb_hash_algo)algo);
        sb_digest whole, pieces;
        char text[SB_DIGEST_TEXT], hex[SB_DIGEST_HEX];
        sb_autofree char *copy = NULL;

        sb_digest_of((sb_hash_algo)algo, SB_LIT("abc"), &whole);
        sb_hasher_add(hasher, "a", 1);
        sb_hasher_add(hasher, "", 0);
        sb_hasher_add(hasher, "bc", 2);
        sb_hasher_finish(hasher, &pieces);
        assert_true(sb_digest_eq(&whole, &pieces));
        sb_digest_format(&whole, text);
        assert_string_equal(text, expected[algo]);
        sb_digest_hex(&whole, hex);
        assert_string_equal(hex, expected[algo] + 7);
        copy = sb_digest_dup(&whole);
        assert_string_equal(copy, text);
        assert_int_equal(strlen(hex), 2 * sb_hash_size((sb_hash_algo)algo));
    }
}

static void test_parse(void **state)
{
    static const char *const bad[] = {
        "",
        "sha256",
        "sha256:",
        "sha256:" ABC384,
        "sha256:" ABC256 "0",
        "md5:" ABC256,
        "SHA256:" ABC256,
        " sha256:" ABC256,
        "sha256:"
        "BA7816BF8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ABC256};
    sb_digest digest, same;

    (void)state;
    sb_digest_of(SB_HASH_SHA256, SB_LIT("abc"), &same);
    assert_int_equal(sb_digest_parse(SB_LIT("sha256:" ABC256), &digest, NULL), 0);
    assert_true(sb_digest_eq(&digest, &same));
    assert_int_equal(sb_digest_parse(SB_LIT("sha512:" ABC512), &digest, NULL), 0);
    assert_int_equal(digest.algo, SB_HASH_SHA512);
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        SB_AUTO(sb_error) error = NULL;

        assert_int_equal(sb_digest_parse(sb_slice_z(bad[i]), &digest, &error), -1);
        assert_int_equal(error->code, SB_ERR_PARSE);
        assert_int_equal(digest.algo, SB_HASH_SHA512);
    }
}

static void test_from_hex(void **state)
{
    sb_digest digest, same;

    (void)state;
    sb_digest_of(SB_HASH_SHA384, SB_LIT("abc"), &same);
    assert_true(sb_digest_from_hex(SB_LIT(ABC384), &digest));
    assert_true(sb_digest_eq(&digest, &same));
    assert_true(sb_digest_from_hex(SB_LIT("BA7816BF8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                                   &digest));
    assert_false(sb_digest_from_hex(SB_LIT(ABC256 "00"), &digest));
    assert_false(sb_digest_from_hex(SB_LIT("g" ABC256), &digest));
    assert_false(sb_digest_from_hex(SB_NIL, &digest));
}

static void test_order(void **state)
{
    sb_digest a, b, c;

    (void)state;
    sb_digest_from_hex(SB_LIT(ABC256), &a);
    sb_digest_from_hex(SB_LIT(EMPTY256), &b);
    sb_digest_from_hex(SB_LIT(ABC512), &c);
    assert_true(sb_digest_cmp(&a, &b) < 0);
    assert_true(sb_digest_cmp(&b, &a) > 0);
    assert_true(sb_digest_cmp(&b, &c) < 0);
    assert_int_equal(sb_digest_cmp(&c, &c), 0);
}

static void test_of_fd(void **state)
{
    sb_autoclose int fd = memfd_create("test", 0);
    SB_AUTO(sb_error) error = NULL;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;
    uint64_t size;

    (void)state;
    assert_int_equal(write(fd, "xxabc", 5), 5);
    assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
    assert_int_equal(sb_digest_of_fd(SB_HASH_SHA256, fd, &digest, &size, &error), 0);
    sb_digest_hex(&digest, hex);
    assert_string_equal(hex, ABC256);
    assert_int_equal(size, 3);
    assert_int_equal(sb_digest_of_fd(SB_HASH_SHA256, fd, &digest, NULL, &error), 0);
    sb_digest_hex(&digest, hex);
    assert_string_equal(hex, EMPTY256);
    assert_int_equal(sb_digest_of_fd(SB_HASH_SHA256, -1, &digest, NULL, &error), -1);
    assert_int_equal(error->code, SB_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_hashes), cmocka_unit_test(test_parse), cmocka_unit_test(test_from_hex),
        cmocka_unit_test(test_order),        cmocka_unit_test(test_of_fd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
