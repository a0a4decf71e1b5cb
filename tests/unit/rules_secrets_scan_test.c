// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include <rules/secrets/engine.h>

/* A rule of each kind; forms that nobody uses, so that nothing here is a secret. */
static const char rule_text[] =
    "[[paths]]\nname = 'notes'\nmatch = ['\\.txt$']\n"
    "[[paths]]\nname = 'box'\nmatch = ['(^|/)box$']\n"
    "[[rules]]\nid = 'crate'\ntitle = 'Crate'\nkeywords = ['crate-', 'chest-']\n"
    "regex = '(?:crate|chest)-([a-z]{2})[0-9]{8}(?![0-9])'\ngroup = 0\nstop-words = ['zz']\n"
    "[[rules]]\nid = 'barrel'\ntitle = 'Barrel'\nkind = 'assignment'\nkeywords = ['barrel']\n"
    "regex = '[0-9a-f]{16}'\n"
    "[[rules]]\nid = 'ladder'\ntitle = 'Ladder'\nkind = 'url'\nkeywords = ['://']\n"
    "not-in = ['notes']\n"
    "[[rules]]\nid = 'box'\ntitle = 'Box'\nkind = 'file'\nonly-in = ['box']\n"
    "regex = '(?m)^key (\\w+)$'\n"
    "[[rules]]\nid = 'likely'\ntitle = 'Likely'\nkind = 'assignment'\nkeywords = ['secret']\n"
    "generic = true\n";

typedef struct list {
    sb_buf text; /* "ID offset+len line secret\n" */
    bool stop;
} list;

static bool note(void *ctx, const sb_secret_match *match)
{
    list *l = ctx;

    sb_buf_printf(&l->text, "%s %llu+%zu %llu %" SB_FMT "\n", match->id, (unsigned long long)match->offset,
                  match->len, (unsigned long long)match->line, SB_ARG(match->secret));
    assert_true(match->context_at + match->context_len <= match->context.len);
    return !l->stop;
}

static sb_secret_rules *rules;

static int load(void **state)
{
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    if (sb_secret_rules_parse(sb_slice_z(rule_text), "test.toml", &rules, &err) < 0)
        fail_msg("%s", err->message);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    sb_secret_rules_free(rules);
    return 0;
}

/* What is found when the stream comes in pieces of `piece` bytes. */
static void scan(sb_secret_scanner *scanner, sb_slice data, const char *path, size_t piece, list *ret_list)
{
    ret_list->text = SB_BUF_INIT(1 << 20);
    sb_buf_addz(&ret_list->text, "");
    sb_secret_scan_begin(scanner, sb_slice_z(path), note, ret_list);
    for (size_t at = 0; at < data.len; at += piece)
        sb_secret_scan_add(scanner, data.ptr + at, data.len - at < piece ? data.len - at : piece);
    sb_secret_scan_end(scanner);
}

static void expect(sb_slice data, const char *path, const char *expected)
{
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(rules);
    list found = {0};

    scan(scanner, data, path, 7, &found);
    assert_string_equal(found.text.data, expected);
    sb_buf_free(&found.text);
}

static void kinds(void **state)
{
    (void)state;
    expect(SB_LIT("a\nx crate-ab80412357 y\n"), NULL, "crate 4+16 2 crate-ab80412357\n");
    expect(SB_LIT("crate-zz80412359 crate-ab1234567 crate-ab804123579"), NULL, "");
    expect(SB_LIT("BARREL_KEY: '0f1e2d3c4b5a6978'"), NULL, "barrel 13+16 1 0f1e2d3c4b5a6978\n");
    expect(SB_LIT("x://joe:hush9@host/"), NULL, "ladder 8+5 1 hush9\n");
    expect(SB_LIT("x://joe:hush9@host/"), "notes/a.TXT", "");
    expect(SB_LIT("x\nkey one7\nkey two7\n"), "a/box", "box 6+4 2 one7\nbox 15+4 3 two7\n");
    expect(SB_LIT("x\nkey one7\nkey two7\n"), "a/boxes", "");
    expect(SB_LIT("secret = \"9fKw2mQx8Lz4\""), NULL, "likely 10+12 1 9fKw2mQx8Lz4\n");
    expect(SB_LIT("secret = \"horses\""), NULL, "");
}

/* The rule that knows the form wins, and each secret is told once. */
static void precedence(void **state)
{
    (void)state;
    expect(SB_LIT("secret = 'crate-ab80412357'"), NULL, "crate 10+16 1 crate-ab80412357\n");
    expect(SB_LIT("secret_barrel = '0f1e2d3c4b5a6978'"), NULL, "barrel 17+16 1 0f1e2d3c4b5a6978\n");
    expect(SB_LIT("x://joe:crate-ab80412357@host/"), NULL, "crate 8+16 1 crate-ab80412357\n");
    expect(SB_LIT("secret_secret_secret='9fKw2mQx8Lz4'"), NULL, "likely 22+12 1 9fKw2mQx8Lz4\n");
}

static void base64(void **state)
{
    (void)state;
    /* "crate-ab80412357", " crate-ab80412357 ", "  crate-ab80412357" */
    expect(SB_LIT("x Y3JhdGUtYWI4MDQxMjM1Nw== y"), NULL, "crate 2+24 1 crate-ab80412357\n");
    expect(SB_LIT("x IGNyYXRlLWFiODA0MTIzNTcg y"), NULL, "crate 2+24 1 crate-ab80412357\n");
    expect(SB_LIT("x ICBjcmF0ZS1hYjgwNDEyMzU3 y"), NULL, "crate 2+24 1 crate-ab80412357\n");
}

/* As UTF-16 of either order; "\xe4" stands for a letter beyond ASCII. */
static size_t widen(const char *text, bool big, char *out)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        out[2 * i + big] = text[i];
        out[2 * i + !big] = 0;
    }
    return 2 * len;
}

static void utf16(void **state)
{
    char wide[2 * 64 + 2] = "\xff\xfe";
    size_t len = widen("\xe4\ncrate-ab80412357\n", false, wide + 2);

    (void)state;
    expect((sb_slice){wide, 2 + len}, NULL, "crate 6+32 2 crate-ab80412357\n");
    expect((sb_slice){wide + 4, len - 2}, NULL, "crate 2+32 2 crate-ab80412357\n"); /* without a mark */
    memcpy(wide, "\xfe\xff", 2);
    len = widen("\ncrate-ab80412357", true, wide + 2);
    expect((sb_slice){wide, 2 + len}, NULL, "crate 4+32 2 crate-ab80412357\n");
}

/* A secret at every place around the edge of a block, in pieces of several sizes: always the same. */
static void pieces(void **state)
{
    static const size_t sizes[] = {1, 3, 255, 4096, 100000, 1 << 20};
    static const char secret[] = "\nsecret = crate-ab80412357\nsecret = '9fKw2mQx8Lz4'\nx://joe:hush9@host";
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(rules);
    size_t len = SECRET_BLOCK + SECRET_AHEAD + SECRET_BEHIND + 512, edge = SECRET_BLOCK + SECRET_BEHIND;
    sb_autofree char *data = sb_malloc(len);

    (void)state;
    for (size_t at = edge - 120; at < edge + 40; at++) {
        list first = {0};

        memset(data, '.', len);
        memcpy(data + at, secret, sizeof(secret) - 1);
        memcpy(data + 100, secret, sizeof(secret) - 1);
        for (size_t i = at % 7 ? 3 : 0; i < SB_COUNT(sizes); i++) {
            list found = {0};

            scan(scanner, (sb_slice){data, len}, NULL, sizes[i], &found);
            if (!first.text.data) {
                sb_autofree char *expected = sb_asprintf(
                    "crate 110+16 2 crate-ab80412357\nlikely 137+12 3 9fKw2mQx8Lz4\nladder 159+5 4 hush9\n"
                    "crate %zu+16 5 crate-ab80412357\nlikely %zu+12 6 9fKw2mQx8Lz4\nladder %zu+5 7 hush9\n",
                    at + 10, at + 37, at + 59);

                assert_string_equal(found.text.data, expected);
                first = found;
                continue;
            }
            assert_string_equal(found.text.data, first.text.data);
            sb_buf_free(&found.text);
        }
        sb_buf_free(&first.text);
    }
}

/* Among the bytes of a program, and in a block of variables. */
static void binary(void **state)
{
    static const char program[] = "\x7f"
                                  "ELF\2\1\1\0\0\0\xff\xfe\n\0\0crate-ab80412357\0%s: no\n\0";
    static const char block[] = "PATH=/bin\0SECRET=9fKw2mQx8Lz4Tn6B\0BARREL=0f1e2d3c4b5a6978\0HOME=/\0";

    (void)state;
    expect((sb_slice){program, sizeof(program) - 1}, "bin/x", "crate 15+16 2 crate-ab80412357\n");
    expect((sb_slice){block, sizeof(block) - 1}, NULL,
           "likely 17+16 1 9fKw2mQx8Lz4Tn6B\nbarrel 41+16 1 0f1e2d3c4b5a6978\n");
}

enum { THREADS = 4, ROUNDS = 200 };

static void *scan_often(void *arg)
{
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(arg);
    sb_slice text = SB_LIT("crate-ab80412357 x://joe:hush9@host secret='9fKw2mQx8Lz4'");
    size_t found_all = 0;

    for (int i = 0; i < ROUNDS; i++) {
        list found = {0};

        scan(scanner, text, NULL, 100, &found);
        found_all += strcmp(found.text.data, "crate 0+16 1 crate-ab80412357\nladder 25+5 1 hush9\n"
                                             "likely 44+12 1 9fKw2mQx8Lz4\n") == 0;
        sb_buf_free(&found.text);
    }
    return found_all == ROUNDS ? arg : NULL;
}

/* The same rules, whose expressions are compiled when they are first needed, for several threads at once. */
static void threads(void **state)
{
    pthread_t ids[THREADS];
    void *result;

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, scan_often, rules), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(ids[i], &result), 0);
        assert_non_null(result);
    }
}

static void stops(void **state)
{
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(rules);
    list found = {.stop = true};

    (void)state;
    scan(scanner, SB_LIT("crate-ab80412357 crate-ab80412359"), NULL, 100, &found);
    assert_string_equal(found.text.data, "crate 0+16 1 crate-ab80412357\n");
    sb_buf_free(&found.text);
}

static void built_in(void **state)
{
    SB_AUTO(sb_secret_rules) all = NULL;
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    if (sb_secret_rules_new(NULL, &all, &err) < 0)
        fail_msg("%s", err->message);
    assert_true(sb_secret_rules_count(all) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),    cmocka_unit_test(precedence), cmocka_unit_test(base64),
        cmocka_unit_test(utf16),    cmocka_unit_test(pieces),     cmocka_unit_test(stops),
        cmocka_unit_test(built_in), cmocka_unit_test(binary),     cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
