// SPDX-License-Identifier: Apache-2.0
/* Every built-in rule against tests/secrets/cases.txt; and what is wrong with rule files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rules/secrets/engine.h>
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
    sb_buf_printf(&t->others, own ? "" : " %s", match->id);
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
            uint64_t seed = (n << 32) + i;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_cases),
        cmocka_unit_test(cases_of_rules),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
