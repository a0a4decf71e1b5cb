// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <lock/verify_comment.h>

#define FPR1 "8ED396E37E38D471A00530D3A9553245FDE9B739"
#define FPR2 "0123456789abcdef0123456789ABCDEF01234567"

static sb_errc parse(sb_arena *arena, const char *words, sb_demand *ret_demand, const char *part)
{
    SB_AUTO(sb_error) error = NULL;

    if (sb_demand_parse(arena, sb_slice_z(words), SB_LIT("Dockerfile:7"), ret_demand, &error) == 0)
        return SB_ERR_NONE;
    assert_true(sb_slice_starts(sb_slice_z(error->message), SB_LIT("Dockerfile:7: ")));
    if (part && sb_slice_find(sb_slice_z(error->message), sb_slice_z(part)) < 0)
        fail_msg("\"%s\" does not contain \"%s\"", error->message, part);
    return error->code;
}

static void test_words(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_demand d;

    (void)state;
    assert_int_equal(parse(arena,
                           " signature={url}.asc\tkey=keys/a.asc key=keys/b.asc fingerprint=" FPR1
                           " fingerprint=\"0123 4567 89ab cdef 0123  4567 89AB CDEF 0123 4567\" threshold=2 ",
                           &d, NULL),
                     SB_ERR_NONE);
    assert_true(sb_slice_eqz(d.signature, "{url}.asc"));
    assert_int_equal(d.key_count, 2);
    assert_int_equal(d.pin_count, 2);
    assert_true(sb_slice_eqz(d.pins[1], "0123456789ABCDEF0123456789ABCDEF01234567"));
    assert_int_equal(d.threshold, 2);

    assert_int_equal(parse(arena, "key=a fingerprint=" FPR2 " fingerprint=" FPR2, &d, NULL), SB_ERR_NONE);
    assert_int_equal(d.pin_count, 1); /* one key in two spellings is one key */
    assert_int_equal(d.threshold, 1);

    assert_int_equal(parse(arena, "minisign=RWabc signature={url}.sig", &d, NULL), SB_ERR_NONE);
    assert_true(sb_slice_eqz(d.minisign_signature, "{url}.sig"));
    assert_null(d.signature.ptr);

    assert_int_equal(
        parse(arena, "sha256=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", &d, NULL),
        SB_ERR_NONE);
    assert_int_equal(d.hash_count, 1);
}

static void test_malformed(void **state)
{
    static const char *const bad[][2] = {
        {"", "says nothing"},
        {"   ", "says nothing"},
        {"signature", "needs a value"},
        {"signature=", "needs a value"},
        {"signatur={url}.asc", "not known"},
        {"Signature={url}.asc", "not known"},
        {"signature=a signature=b", "twice"},
        {"fingerprint=" FPR1, "needs key="},
        {"key=a fingerprint=A9553245FDE9B739", "no full fingerprint"},
        {"key=a fingerprint=" FPR1 "0", "no full fingerprint"},
        {"key=a fingerprint=xyz" FPR1, "no full fingerprint"},
        {"key=a fingerprint=" FPR1 " threshold=2", "never be reached"},
        {"key=a fingerprint=" FPR1 " threshold=0", "threshold="},
        {"key=a fingerprint=" FPR1 " threshold=-1", "threshold="},
        {"checksums-signature={url}.asc", "needs checksums="},
        {"minisign-signature=x", "needs minisign="},
        {"sha256=abc", "sha256="},
        {"sha512=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha512="},
        {"md5=d41d8cd98f00b204e9800998ecf8427e", "not known"},
        {"key=\"a b", "not closed"},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_demand d;

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++)
        assert_int_equal(parse(arena, bad[i][0], &d, bad[i][1]), SB_ERR_PARSE);
}

static void test_kinds(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_demand keys, signature;

    (void)state;
    assert_int_equal(parse(arena, "key=a fingerprint=" FPR1, &keys, NULL), SB_ERR_NONE);
    assert_int_equal(parse(arena, "signature={url}.asc key=a fingerprint=" FPR1, &signature, NULL),
                     SB_ERR_NONE);
    assert_int_equal(sb_demand_check_git(&keys, NULL), 0);
    assert_int_equal(sb_demand_check_git(&signature, NULL), -1);
    assert_int_equal(sb_demand_check_file(&keys, NULL), -1);
    assert_int_equal(sb_demand_check_file(&signature, NULL), 0);
}

static void check_url(const char *pattern, const char *url, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_demand d = {.origin = SB_LIT("Dockerfile:7")};
    sb_slice found;
    int r = sb_demand_url(arena, &d, sb_slice_z(pattern), sb_slice_z(url), &found, NULL);

    assert_int_equal(r, expected ? 0 : -1);
    if (expected)
        assert_true(sb_slice_eqz(found, expected));
}

static void test_placeholders(void **state)
{
    (void)state;
    check_url("{url}.asc", "https://x.org/a/b-1.tgz", "https://x.org/a/b-1.tgz.asc");
    check_url("{url}.asc", "https://x.org/a/b-1.tgz?raw=1#f", "https://x.org/a/b-1.tgz.asc");
    check_url("{dir}/SHA256SUMS", "https://x.org/a/b-1.tgz", "https://x.org/a/SHA256SUMS");
    check_url("{dir}/SHA256SUMS", "https://x.org", "https://x.org/SHA256SUMS");
    check_url("https://y.org/{file}.sig", "https://x.org/a/b-1.tgz?x", "https://y.org/b-1.tgz.sig");
    check_url("https://y.org/sums", "https://x.org/a", "https://y.org/sums");
    check_url("{other}", "https://x.org/a", NULL);
    check_url("{url", "https://x.org/a", NULL);
    check_url("sums.txt", "https://x.org/a", NULL);
    check_url("file:///etc/passwd", "https://x.org/a", NULL);
}

static void test_trust(void **state)
{
    (void)state;
    assert_true(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://x.org/a")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/rel/tool-"), SB_LIT("https://x.org/rel/tool-1.tgz")));
    assert_true(sb_trust_applies(SB_LIT("https://X.org/"), SB_LIT("HTTPS://x.ORG/a")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://me@x.org/a")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://me:x@x.org:443/a")));
    assert_true(sb_trust_applies(SB_LIT("http://x.org/"), SB_LIT("http://x.org:80/a")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://x.org./a")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://x.org")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org:443/rel/"), SB_LIT("https://x.org//rel/./a/../tool")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/rel/"), SB_LIT("https://x.org/%72e%6C/%2e%2E/rel/t")));
    assert_true(sb_trust_applies(SB_LIT("https://x.org/a%2fb"), SB_LIT("https://x.org/a%2Fb?c")));
    assert_false(sb_trust_applies(SB_LIT("https://x.org/rel/"), SB_LIT("https://x.org/rel/../t")));
    assert_false(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://x.org:8443/a")));
    assert_false(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://y.org/@x.org/")));
    assert_false(sb_trust_applies(SB_LIT("https://x.org/A"), SB_LIT("https://x.org/a")));
    assert_false(sb_trust_applies(SB_LIT("https://x.org/"), SB_LIT("https://y.org/")));
    assert_false(sb_trust_applies(SB_LIT(""), SB_LIT("https://y.org/")));
}

/* Where comments stand; "ok" or a part of the message. */
static void test_places(void **state)
{
#define VERIFY "# sbuild: verify sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
    static const char *const files[][2] = {
        {"FROM a\n" VERIFY "ADD https://x.org/a /\n", NULL},
        {"FROM a\n# why\n" VERIFY "# more\nADD https://x.org/a /\n", NULL},
        {"FROM a\n" VERIFY "ONBUILD ADD https://x.org/a /\n", NULL},
        {"FROM a\n" VERIFY "\nADD https://x.org/a /\n", "Dockerfile:2: "},
        {"FROM a\n" VERIFY "COPY a /\n", "above COPY"},
        {"FROM a\n" VERIFY "RUN curl https://x.org/a\n", "above RUN"},
        {"FROM a\nADD https://x.org/a /\n" VERIFY, "Dockerfile:3: "},
        {"FROM a\nADD https://x.org/a \\\n" VERIFY " /\n", "Dockerfile:3: "},
        {"FROM a\nRUN <<E\n" VERIFY "E\n", NULL},
        {"FROM a\n#sbuild:verify sha512=1\nADD https://x.org/a /\n", "sha512="},
        {"FROM a\n# sbuild: verfy sha512=1\nADD https://x.org/a /\n", "did you mean"},
        {"FROM a\n# sbuild: ignore add-url\nADD https://x.org/a /\n", NULL},
        {"FROM a\n# SBUILD : Verify sha512=1\nADD https://x.org/a /\n", "sha512="},
        {"FROM a\n# sbuild verify sha512=1\nADD https://x.org/a /\n", "sha512="},
        {"\xef\xbb\xbf# Sbuild: verify sha512=1\n\nFROM a\n", "stands above nothing"},
        {"FROM a\n# sbuild verifies what it downloads\nADD https://x.org/a /\n", NULL},
        {"FROM a\n# about sbuild: it is fine\nADD https://x.org/a /\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(files); i++) {
        SB_AUTO(sb_dockerfile) df = NULL;
        SB_AUTO(sb_error) error = NULL;

        assert_int_equal(sb_df_parse(sb_slice_z(files[i][0]), "Dockerfile", 0, &df, NULL), 0);
        if (sb_verify_comments_check(df, &error) == 0) {
            if (files[i][1])
                fail_msg("file %zu should be refused: %s", i, files[i][1]);
        } else if (!files[i][1] || sb_slice_find(sb_slice_z(error->message), sb_slice_z(files[i][1])) < 0) {
            fail_msg("file %zu: \"%s\"", i, error->message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),        cmocka_unit_test(test_malformed), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_placeholders), cmocka_unit_test(test_trust),     cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
