// SPDX-License-Identifier: Apache-2.0
/* Every built-in rule against tests/secrets/cases.txt; and what is wrong with rule files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include <rules/secrets/engine.h>
#include <sbuild/fs.h>
#include <tests/secrets/samples.h>

enum { SEEDS = 25, EACH_LEAST = 2 };

static sb_secret_rules *rules;
static samples cases;

static int load(void **state)
{
    SB_AUTO(sb_error) err = NULL;

    (void)state;
    if (sb_secret_rules_new(NULL, &rules, &err) < 0)
        fail_msg("%s", err->message);
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

/* Of the text, so that a case that is added changes no other. */
static uint64_t seed_of(sb_slice template)
{
    uint64_t seed = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (size_t i = 0; i < template.len; i++)
        seed = (seed ^ (unsigned char)template.ptr[i]) * UINT64_C(0x100000001b3);
    return seed;
}

typedef struct tally {
    sb_slice rule;
    unsigned own, other;
    sb_buf others;
} tally;

static bool count(void *ctx, const sb_secret_match *match)
{
    tally *t = ctx;
    bool own = sb_slice_eqz(t->rule, match->id);

    t->own += own;
    t->other += !own;
    if (!own)
        sb_buf_printf(&t->others, " %s", match->id);
    return true;
}

static void cases_of_rules(void **state)
{
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(rules);
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const sample *s = &cases.items[i];

        for (uint64_t n = 0; n < SEEDS; n++) {
            uint64_t seed = seed_of(s->template) + n;
            sb_autobuf text = SB_BUF_INIT(SAMPLE_MAX);
            sb_autobuf path = SB_BUF_INIT(4096);
            tally t = {.rule = s->rule, .others = SB_BUF_INIT(4096)};

            sb_buf_addz(&text, "");
            sb_buf_addz(&t.others, "");
            sample_expand(s->template, &seed, &text);
            sample_expand(s->path, &seed, &path);
            sb_secret_scan_begin(scanner, sb_buf_slice(&path), count, &t);
            sb_secret_scan_add(scanner, text.data, text.len);
            sb_secret_scan_end(scanner);
            if (t.own != s->positive || (s->positive && t.other)) {
                print_error("cases.txt:%u: %" SB_FMT ": %u found, and%s: %s\n", s->line, SB_ARG(s->rule),
                            t.own, t.other ? t.others.data : " nothing else", text.data);
                wrong++;
                n = SEEDS;
            }
            sb_buf_free(&t.others);
        }
    }
    assert_int_equal(wrong, 0);
}

/* At least two in which it finds something and two in which it does not. */
static void every_rule_has_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < rules->count; i++) {
        unsigned positive = 0, negative = 0;

        for (size_t j = 0; j < cases.count; j++)
            if (sb_slice_eqz(cases.items[j].rule, rules->items[i].id))
                *(cases.items[j].positive ? &positive : &negative) += 1;
        if (positive < EACH_LEAST || negative < EACH_LEAST)
            fail_msg("%s: too few cases in cases.txt", rules->items[i].id);
    }
    assert_true(rules->count >= 120);
}

#define RULE "[[rules]]\nid='x'\ntitle='X'\n"
#define TOKEN RULE "keywords=['abc']\n"

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"x = 1", "t:1: there is no such key: x"},
    {"rules = 1", "t:1: must be an array of tables, [[…]]: rules"},
    {"rules = [1]", "t:1: must be an array of tables, [[…]]: rules"},
    {"\n[[rules]]\ntitle='X'", "t:2: a rule needs \"id\" and \"title\""},
    {RULE, "t:1: a rule needs \"keywords\", unless it is about a kind of file"},
    {TOKEN, "t:1: a rule needs \"regex\""},
    {TOKEN "regex='('", "t:1: the expression is wrong at its character 2: missing closing parenthesis: ("},
    {TOKEN "regex='a'\nallow=['[']",
     "t:1: the expression is wrong at its character 2: missing terminating ] for character class: ["},
    {TOKEN "regex=1", "t:1: must be a string: regex"},
    {TOKEN "regex='a'\nrgex='a'", "t:1: there is no such key: rgex"},
    {TOKEN "regex='a'\ncheck='md5'", "t:1: there is no such check: md5"},
    {TOKEN "regex='a'\nkind='word'", "t:1: \"kind\" must be token, assignment, url or file: word"},
    {TOKEN "regex='a'\nentropy=9", "t:1: must be a number and not too large: entropy"},
    {TOKEN "regex='a'\nentropy='3'", "t:1: must be a number and not too large: entropy"},
    {TOKEN "regex='a'\nbefore=5000", "t:1: must be a number and not too large: before"},
    {TOKEN "regex='a'\nafter=-1", "t:1: must be a number and not too large: after"},
    {TOKEN "regex='a'\nname='a'", "t:1: \"name\" is for assignments"},
    {TOKEN "regex='a'\nnot-in=['nowhere']", "t:1: there is no set of paths of this name: nowhere"},
    {TOKEN "regex='a'\nnot-in='tests'", "t:1: must be a list of strings: not-in"},
    {TOKEN "regex='a'\ngeneric='yes'", "t:1: must be true or false: generic"},
    {RULE "regex='a'\nkeywords=['ab']", "t:1: a keyword must have 3 to 64 bytes: ab"},
    {RULE "regex='a'\nkeywords=['']", "t:1: must be a list of strings, none of them empty: keywords"},
    {RULE "kind='file'\nregex='a'", "t:1: a rule about a kind of file needs \"only-in\""},
    {"[[paths]]\nname='x'", "t:1: a set of paths needs \"name\" and \"match\""},
    {"[[allow]]\nsha256=['12']", "t:1: \"sha256\" must be 64 hexadecimal digits: 12"},
    {"[[allow]\n", "t:1: not valid TOML: a table's header has no end"},
};

static void mistakes_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < SB_COUNT(mistakes); i++) {
        SB_AUTO(sb_secret_rules) read = NULL;
        SB_AUTO(sb_error) err = NULL;

        if (sb_secret_rules_parse(sb_slice_z(mistakes[i].text), "t", &read, &err) == 0)
            fail_msg("taken: %s", mistakes[i].text);
        assert_string_equal(err->message, mistakes[i].message);
        assert_int_equal(sb_error_code(err), SB_ERR_PARSE);
    }
}

/* The example of docs/secrets.md, by itself in a file. */
static sb_slice documented(char **ret_text)
{
    sb_slice text = {NULL, 0};
    ptrdiff_t start;

    assert_int_equal(sb_read_file(AT_FDCWD, SBUILD_SOURCE_DIR "/docs/secrets.md", 1 << 20, ret_text,
                                  &text.len, NULL, NULL),
                     0);
    text.ptr = *ret_text;
    start = sb_slice_find(text, SB_LIT("```toml\n"));
    assert_true(start >= 0);
    text = sb_slice_sub(text, (size_t)start + 8, text.len);
    return sb_slice_sub(text, 0, (size_t)sb_slice_find(text, SB_LIT("```")));
}

static void documented_rules(void **state)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_secret_rules) all = NULL;
    SB_AUTO(sb_secret_scanner) scanner = NULL;
    sb_autofree char *dir = sb_temp_dir("sbuild-secrets", &err), *path = sb_path_join(dir, "own.toml");
    sb_autofree char *page = NULL;
    const char *const extra[] = {path, NULL};
    sb_autobuf content = SB_BUF_INIT(SAMPLE_MAX);
    tally t = {.rule = SB_LIT("acme-token"), .others = SB_BUF_INIT(4096)};
    uint64_t seed = 1;

    (void)state;
    assert_int_equal(sb_write_file(AT_FDCWD, path, documented(&page), 0600, &err), 0);
    assert_int_equal(sb_secret_rules_new(extra, &all, &err), 0);
    sb_remove_tree(AT_FDCWD, dir, NULL);
    scanner = sb_secret_scanner_new(all);
    sample_expand(SB_LIT("acme_{A32}\nacme_demo{A28}\nacme_key = {h40}\n"), &seed, &content);
    sb_secret_scan_begin(scanner, SB_LIT("app/x"), count, &t);
    sb_secret_scan_add(scanner, content.data, content.len);
    sb_secret_scan_end(scanner);
    assert_int_equal(t.own, 1);
    assert_string_equal(t.others.data, " acme-key");
    sb_buf_free(&t.others);
}

/* A file of one's own adds rules and replaces those of the same id. */
static void own_rules(void **state)
{
    static const char text[] =
        "[[rules]]\nid='acme'\ntitle='Acme'\nkeywords=['acme_']\nregex='acme_[a-z0-9]{8}'\n"
        "not-in=['documentation']\n"
        "[[rules]]\nid='github-token'\ntitle='None'\nkeywords=['ghp_never']\nregex='ghp_never'\n";
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_secret_rules) all = NULL;
    SB_AUTO(sb_secret_scanner) scanner = NULL;
    sb_autofree char *dir = sb_temp_dir("sbuild-secrets", &err), *path = sb_path_join(dir, "own.toml");
    const char *const extra[] = {path, NULL};
    sb_autobuf content = SB_BUF_INIT(SAMPLE_MAX);
    tally t = {.rule = SB_LIT("acme"), .others = SB_BUF_INIT(4096)};
    uint64_t seed = 1;

    (void)state;
    assert_int_equal(sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0600, &err), 0);
    assert_int_equal(sb_secret_rules_new(extra, &all, &err), 0);
    sb_remove_tree(AT_FDCWD, dir, NULL);
    assert_int_equal(sb_secret_rules_count(all), sb_secret_rules_count(rules) + 1);
    scanner = sb_secret_scanner_new(all);
    sample_expand(SB_LIT("acme_7fk2m9qx {crc:ghp_}"), &seed, &content);
    sb_secret_scan_begin(scanner, SB_LIT("app/x"), count, &t);
    sb_secret_scan_add(scanner, content.data, content.len);
    sb_secret_scan_end(scanner);
    assert_int_equal(t.own, 1);
    assert_int_equal(t.other, 0);
    sb_buf_free(&t.others);
    assert_int_equal(sb_secret_rules_new(extra, &all, &err), -1);
    assert_int_equal(sb_error_code(err), SB_ERR_IO);
}

/* What other tools took for secrets, and what else stands in images without being one. */
static const char *const innocent[] = {
    "inoremap <silent> <Plug>(token) :call s:Secret_key3F7('<C-R>')<CR>",
    "\"integrity\": \"sha512-9fKw2mQx8Lz4Jt6Rv1Bn3Hs5Dp7Gy0Fc2Xa4We6Uq8Iz1Ok3Mj5Nb7Vc9Tx==\"",
    "client_id = 3f2a9c1e-7b4d-4e8a-9c1f-2d3e4f5a6b7c",
    "password = os.environ['DB_PASSWORD_2']",
    "SECRET_FILE=/run/secrets/db_password_1",
    "msgid \"Enter password1 for user2:\"",
    "token_url = https://auth.internal/oauth2/v1/token9",
    "if (token === 'x1y2z3a4b5c6d7e8f9') {",
    "PasswordHash = argon2id$v=19",
    "public_key_token=b77a5c561934e089",
    "passwordField1.setText(getString2(R.string.password_3))",
    "secret: !vault |",
    "access_token: ${{ secrets.TOKEN_1 }}",
    "api_key: <your-api-key-1>",
    "token := lexer.NextToken2()",
    "var e=t.token1,n=t.secret2;return e.password3||n",
    "AccessKeyId: AKIAIOSFODNN7EXAMPLE",
    "-----BEGIN CERTIFICATE-----",
    "github.com/x/y v1.2.3 h1:Jt6Rv1Bn3Hs5Dp7Gy0Fc2Xa4We6Uq8Iz1Ok3Mj5Nb7Vc9=",
    "http://user:password@example.com/",
    "postgres://postgres:postgres@localhost/x",
};

static void innocent_texts(void **state)
{
    SB_AUTO(sb_secret_scanner) scanner = sb_secret_scanner_new(rules);

    (void)state;
    for (size_t i = 0; i < SB_COUNT(innocent); i++) {
        tally t = {.rule = SB_LIT("none"), .others = SB_BUF_INIT(4096)};

        sb_secret_scan_begin(scanner, SB_LIT("app/x"), count, &t);
        sb_secret_scan_add(scanner, innocent[i], strlen(innocent[i]));
        sb_secret_scan_end(scanner);
        if (t.other)
            fail_msg("%s:%s", innocent[i], t.others.data);
        sb_buf_free(&t.others);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_cases), cmocka_unit_test(cases_of_rules),
        cmocka_unit_test(mistakes_are_told),    cmocka_unit_test(own_rules),
        cmocka_unit_test(documented_rules),     cmocka_unit_test(innocent_texts),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
