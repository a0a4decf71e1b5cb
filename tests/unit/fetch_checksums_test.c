// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/verify.h>

#define A256 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B256 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C512                                                                                                 \
    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" \
    "cccccccccccccccccccccccccc"
#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define SHA1 "da39a3ee5e6b4b0d3255bfef95601890afd80709"

static void check(const char *list, const char *name, const char *expected)
{
    SB_AUTO(sb_error) error = NULL;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    if (sb_checksums_find(sb_slice_z(list), sb_slice_z(name), &digest, &error) < 0)
        fail_msg("%s in \"%s\": %s", name, list, error->message);
    sb_digest_hex(&digest, hex);
    assert_string_equal(hex, expected);
}

static void check_fails(const char *list, const char *name, sb_errc code)
{
    SB_AUTO(sb_error) error = NULL;
    sb_digest digest = {.algo = SB_HASH_SHA384};

    assert_int_equal(sb_checksums_find(sb_slice_z(list), sb_slice_z(name), &digest, &error), -1);
    assert_int_equal(error->code, code);
    assert_int_equal(digest.algo, SB_HASH_SHA384); /* untouched */
}

static void test_gnu(void **state)
{
    (void)state;
    check(A256 "  tool.tgz\n" B256 "  other.tgz\n", "tool.tgz", A256);
    check(B256 "  other.tgz\n" A256 " *tool.tgz\n", "tool.tgz", A256);
    check(A256 "  ./tool.tgz\n", "tool.tgz", A256);
    check(A256 "  dist/x86/tool.tgz", "tool.tgz", A256);
    check(A256 "\ttool.tgz\r\n", "tool.tgz", A256);
    check("\xef\xbb\xbf" A256 "  tool.tgz\r\n\r\n", "tool.tgz", A256);
    check("# made by hand\n\n" A256 "  a name with spaces\n", "a name with spaces", A256);
    check("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  tool.tgz\n", "tool.tgz", A256);
    check("\\" A256 "  back\\\\slash\n", "back\\slash", A256);
    check("\\" A256 "  new\\nline\n", "new\nline", A256);
    check(A256 "  back\\\\slash\n", "back\\\\slash", A256);
}

static void test_bsd(void **state)
{
    (void)state;
    check("SHA256 (tool.tgz) = " A256 "\n", "tool.tgz", A256);
    check("SHA256(tool.tgz)= " A256 "\n", "tool.tgz", A256);
    check("SHA2-256(tool.tgz)= " A256 "\n", "tool.tgz", A256);
    check("SHA256 (a) b.tgz) = " A256 "\n", "a) b.tgz", A256);
    check("SHA512 (tool.tgz) = " C512 "\nSHA256 (tool.tgz) = " A256 "\n", "tool.tgz", C512);
    /* Another algorithm with hashes of the same length is another hash. */
    check_fails("BLAKE2s (tool.tgz) = " A256 "\n", "tool.tgz", SB_ERR_VERIFY);
    check_fails("SHA512 (tool.tgz) = " A256 "\n", "tool.tgz", SB_ERR_VERIFY);
}

static void test_bare(void **state)
{
    (void)state;
    check(A256 "\n", "tool.tgz", A256);
    check("\n" A256, "tool.tgz", A256);
    check(C512 "  -\n", "tool.tgz", C512);
    check_fails(A256 "\n" B256 "\n", "tool.tgz", SB_ERR_NOT_FOUND);
    check_fails(A256 "\n" B256 "  other.tgz\n", "tool.tgz", SB_ERR_NOT_FOUND);
    check_fails(MD5 "\n", "tool.tgz", SB_ERR_VERIFY);
}

static void test_strongest(void **state)
{
    (void)state;
    check(MD5 "  tool.tgz\n" A256 "  tool.tgz\n" C512 "  tool.tgz\n" SHA1 "  tool.tgz\n", "tool.tgz", C512);
    check(A256 "  tool.tgz\n" B256 "  tool.tgz\n" C512 "  tool.tgz\n", "tool.tgz", C512);
    check_fails(MD5 "  tool.tgz\n" SHA1 "  tool.tgz\n", "tool.tgz", SB_ERR_VERIFY);
}

static void test_contradictions(void **state)
{
    (void)state;
    check(A256 "  tool.tgz\n" A256 " *tool.tgz\n", "tool.tgz", A256);
    check_fails(A256 "  tool.tgz\n" B256 "  tool.tgz\n", "tool.tgz", SB_ERR_VERIFY);
    check_fails(A256 "  one/tool.tgz\n" B256 "  two/tool.tgz\n", "tool.tgz", SB_ERR_VERIFY);
    check_fails(A256 "  ../tool.tgz\n", "tool.tgz", SB_ERR_VERIFY);
    check_fails(A256 "  a/../tool.tgz\n", "tool.tgz", SB_ERR_VERIFY);
}

static void test_no_list(void **state)
{
    (void)state;
    check_fails("", "tool.tgz", SB_ERR_PARSE);
    check_fails("<html><body>404</body></html>\n", "tool.tgz", SB_ERR_PARSE);
    check_fails(A256 "0  tool.tgz\n", "tool.tgz", SB_ERR_PARSE);
    check_fails(A256 "  other.tgz\n", "tool.tgz", SB_ERR_NOT_FOUND);
    check_fails(A256 "  tool.tgz.asc\n", "tool.tgz", SB_ERR_NOT_FOUND);
    check_fails(A256 "  my-tool.tgz\n", "tool.tgz", SB_ERR_NOT_FOUND);
    check_fails(A256 "  tool.tgz\n", "", SB_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gnu),
        cmocka_unit_test(test_bsd),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_strongest),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
