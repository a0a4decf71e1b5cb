// SPDX-License-Identifier: Apache-2.0
/* Nothing of a secret gets out: not into a report, not by way of a fingerprint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rules/secrets/engine.h>
#include <tests/secrets/samples.h>

enum { SHARED_MAX = 4 /* bytes of a secret, beyond its format's prefix, that may show */ };

static sb_secret_rules *rules;
static samples cases;

static int load(void **state)
{
    (void)state;
    assert_int_equal(sb_secret_rules_new(NULL, &rules, NULL), 0);
    assert_true(samples_load(SBUILD_SOURCE_DIR "/tests/secrets/cases.txt", &cases));
    return 0;
}

static int unload(void **state)
{
    (void)state;
    sb_secret_rules_free(rules);
    samples_free(&cases);
    return 0;
}

static void forms(void **state)
{
    sb_secret_match match = {.id = "x",
                             .secret = SB_LIT("ghp_0123456789"),
                             .prefix_len = 4,
                             .context = SB_LIT("\ta = ghp_0123456789; other = q1w2e3r4t5z6u7i8o9p0\x1b[0m"),
                             .context_at = 5,
                             .context_len = 14};
    sb_autobuf out = SB_BUF_INIT(1000);

    (void)state;
    sb_secret_redact(&match, &out);
    assert_string_equal(out.data, "ghp_\xe2\x80\xa6(14)");
    sb_buf_reset(&out);
    sb_secret_redact_line(&match, &out);
    assert_string_equal(out.data, "\\x09a = ghp_\xe2\x80\xa6(14); other = \xe2\x80\xa6(20)\\x1b[0m");
    match.prefix_len = 0;
    sb_buf_reset(&out);
    sb_secret_redact(&match, &out);
    assert_string_equal(out.data, "\xe2\x80\xa6(14)");
}

/* Words are the format's own ("-----END PRIVATE KEY-----", "/IncomingWebhook/"); what is random has digits.
 */
static bool shows(sb_slice shown, sb_slice secret)
{
    for (size_t i = 0; i + SHARED_MAX < secret.len; i++) {
        sb_slice part = sb_slice_sub(secret, i, i + SHARED_MAX + 1);
        bool digit = false;

        for (size_t j = 0; j < part.len; j++)
            digit |= part.ptr[j] >= '0' && part.ptr[j] <= '9';
        if (digit && sb_slice_find(shown, part) >= 0)
            return true;
    }
    return false;
}

/* The format's prefix may show, and may stand in the rest of the secret too. */
static void hide_prefix(sb_buf *shown, sb_slice prefix)
{
    ptrdiff_t at = prefix.len ? sb_slice_find(sb_buf_slice(shown), prefix) : -1;

    if (at >= 0)
        memset(shown->data + at, ' ', prefix.len);
}

static bool check(void *ctx, const sb_secret_match *match)
{
    sb_slice prefix = sb_slice_sub(match->secret, 0, match->prefix_len);
    sb_slice hidden = sb_slice_sub(match->secret, match->prefix_len, match->secret.len);

    (void)ctx;
    for (int line = 0; line < 2; line++) {
        sb_autobuf out = SB_BUF_INIT(64 << 10);

        sb_buf_addz(&out, "");
        if (line)
            sb_secret_redact_line(match, &out);
        else
            sb_secret_redact(match, &out);
        hide_prefix(&out, prefix);
        if (shows(sb_buf_slice(&out), hidden))
            fail_msg("%s: %s shows some of the secret", match->id, out.data);
    }
    return true;
}

/* With the samples of all rules, and each of them in one line with one of another form. */
static void every_sample(void **state)
{
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(rules);

    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        uint64_t seed = i;
        sb_autobuf text = SB_BUF_INIT(2 * SAMPLE_MAX);
        sb_autobuf path = SB_BUF_INIT(4096);

        if (!cases.items[i].positive)
            continue;
        sample_expand(cases.items[i].path, &seed, &path);
        sample_expand(cases.items[i].template, &seed, &text);
        sb_buf_addz(&text, " ");
        sample_expand(cases.items[(i + cases.count / 2) % cases.count].template, &seed, &text);
        sb_secret_scan_begin(scanner, sb_buf_slice(&path), check, NULL);
        sb_secret_scan_add(scanner, text.data, text.len);
        sb_secret_scan_end(scanner);
    }
}

static sb_slice fingerprint_of(sb_arena *arena, const sb_secret_match *match, const char *place)
{
    unsigned char hash[SB_SECRET_HASH], key[SB_SECRET_HASH];

    sb_secret_hash(match, hash);
    sb_secret_key(match->id, hash, key);
    return sb_secret_fingerprint(arena, key, sb_slice_z(place));
}

static void fingerprints(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_secret_match match = {.id = "x", .secret = SB_LIT("secret-1"), .line = 3, .offset = 100};
    sb_slice one = fingerprint_of(arena, &match, "app/config"), other;

    (void)state;
    assert_int_equal(one.len, 32);
    match.line = 7; /* a line that moves is the same finding */
    match.offset = 200;
    other = fingerprint_of(arena, &match, "app/config");
    assert_true(sb_slice_eq(one, other));
    other = fingerprint_of(arena, &match, "app/other");
    assert_false(sb_slice_eq(one, other));
    match.secret = SB_LIT("secret-2");
    other = fingerprint_of(arena, &match, "app/config");
    assert_false(sb_slice_eq(one, other));
    match.secret = SB_LIT("secret-1");
    match.id = "y";
    other = fingerprint_of(arena, &match, "app/config");
    assert_false(sb_slice_eq(one, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(every_sample),
                                       cmocka_unit_test(fingerprints)};

    return cmocka_run_group_tests(tests, load, unload);
}
