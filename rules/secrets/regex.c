// SPDX-License-Identifier: Apache-2.0
#include <rules/secrets/engine.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>

/* A match over a window of some hundred bytes takes well under a thousand steps. */
enum {
    MATCH_LIMIT = 100000,
    DEPTH_LIMIT = 1000,
    HEAP_LIMIT = 1024 /* KiB */,
    JIT_STACK = 256 << 10,
    GROUPS = 8
};

struct secret_regex {
    const char *pattern;
    size_t len;
    uint32_t options;
    _Atomic(pcre2_code *) code;
};

struct secret_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pcre2_code *compile(const secret_regex *regex, int *ret_error, size_t *ret_at)
{
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)regex->pattern, regex->len, regex->options, ret_error, ret_at, NULL);

    if (code)
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where there is no JIT, the interpreter does */
    return code;
}

/* Two threads may compile the same one; the second throws its own away. */
static pcre2_code *code_of(secret_regex *regex)
{
    pcre2_code *code = atomic_load_explicit(&regex->code, memory_order_acquire), *none = NULL;
    int error;
    size_t at;

    if (code)
        return code;
    code = compile(regex, &error, &at);
    if (!code)
        return NULL;
    if (!atomic_compare_exchange_strong(&regex->code, &none, code)) {
        pcre2_code_free(code);
        code = none;
    }
    return code;
}

int secret_regex_new(sb_arena *arena, sb_slice pattern, secret_anchor anchor, bool no_case, bool check,
                     secret_regex **ret_regex, sb_error **err)
{
    /* Anchored when compiled, not when matched: the latter the JIT cannot do. */
    static const uint32_t anchors[] = {[SECRET_SEARCH] = 0,
                                       [SECRET_AT_START] = PCRE2_ANCHORED,
                                       [SECRET_WHOLE] = PCRE2_ANCHORED | PCRE2_ENDANCHORED};
    secret_regex *regex = sb_arena_new_of(arena, secret_regex);

    if (pattern.len > SECRET_PATTERN_MAX)
        return sb_fail(err, SB_ERR_PARSE, "an expression is longer than %d bytes", SECRET_PATTERN_MAX);
    regex->pattern = sb_arena_strdup(arena, pattern);
    regex->len = pattern.len;
    regex->options =
        PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | anchors[anchor] | (no_case ? PCRE2_CASELESS : 0);
    if (check) {
        PCRE2_UCHAR why[128] = "";
        int error;
        size_t at;
        pcre2_code *code = compile(regex, &error, &at);

        if (!code) {
            pcre2_get_error_message(error, why, sizeof(why));
            return sb_fail(err, SB_ERR_PARSE, "the expression is wrong at its character %zu: %s", at + 1,
                           (const char *)why);
        }
        atomic_store(&regex->code, code);
    }
    *ret_regex = regex;
    return 0;
}

void secret_regex_free(secret_regex *regex)
{
    pcre2_code_free(atomic_load(&regex->code));
}

secret_matcher *secret_matcher_new(void)
{
    secret_matcher *matcher = sb_new(secret_matcher);

    matcher->data = sb_not_null(pcre2_match_data_create(GROUPS, NULL));
    matcher->context = sb_not_null(pcre2_match_context_create(NULL));
    matcher->stack = pcre2_jit_stack_create(32 << 10, JIT_STACK, NULL); /* NULL without JIT */
    if (matcher->stack)
        pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
    pcre2_set_depth_limit(matcher->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(matcher->context, HEAP_LIMIT);
    return matcher;
}

void secret_matcher_free(secret_matcher *matcher)
{
    if (!matcher)
        return;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_jit_stack_free(matcher->stack);
    free(matcher);
}

bool secret_regex_match(secret_regex *regex, secret_matcher *matcher, sb_slice text, size_t start,
                        unsigned group, sb_slice *ret_group)
{
    pcre2_code *code = code_of(regex);
    const size_t *ends;
    int groups;

    if (!code || !text.ptr)
        return false;
    groups = pcre2_match(code, (PCRE2_SPTR)text.ptr, text.len, start, 0, matcher->data, matcher->context);
    if (groups <= 0)
        return false;
    ends = pcre2_get_ovector_pointer(matcher->data);
    if (group >= (unsigned)groups || ends[2 * group] == PCRE2_UNSET)
        group = 0;
    if (ends[2 * group] > ends[2 * group + 1])
        return false; /* \K in a lookahead */
    *ret_group = sb_slice_sub(text, ends[2 * group], ends[2 * group + 1]);
    return true;
}
