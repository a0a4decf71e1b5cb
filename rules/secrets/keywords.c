// SPDX-License-Identifier: Apache-2.0
/*
 * Where keywords stand. A filter looks at each four bytes: letters in lower case, hashed into a bitmap of 8
 * KiB; in most places that is all. Where a keyword can begin, an Aho-Corasick automaton (one dense table)
 * goes on from its root until it knows less than the filter does, and the filter takes over again.
 */
#include <rules/secrets/engine.h>

enum {
    FILTER_BITS = 16,
    STATES_MAX = 60000,
    LEAST = SECRET_KEYWORD_MIN, /* a state less deep is left to the filter */
    NONE = -1,
};

typedef struct keyword_output {
    unsigned keyword;
    int next; /* another one that ends in the same state */
} keyword_output;

struct secret_keywords {
    uint64_t filter[2][(1U << FILTER_BITS) / 64];
    uint8_t class_of[256];
    unsigned classes;
    uint16_t *next;    /* [state * classes + class] */
    uint16_t *fail;    /* the longest proper suffix that is a state */
    uint8_t *depth;    /* bytes that a state has seen */
    int *outputs;      /* first of the state's own, or NONE */
    uint16_t *shorter; /* the nearest suffix with outputs, or 0 */
    size_t states, states_cap;
    keyword_output *output;
    size_t output_count, output_cap;
    secret_keyword *items;
    size_t count, cap;
};

static uint32_t fold(uint32_t four)
{
    return four | 0x20202020;
}

/* Two of them, by multiplication. */
static unsigned hash(uint32_t four, unsigned which)
{
    return fold(four) * (which ? 0x85ebca6bU : 0x9e3779b1U) >> (32 - FILTER_BITS);
}

static uint32_t load(const unsigned char *p)
{
    uint32_t four;

    memcpy(&four, p, sizeof(four));
    return four;
}

static bool in_filter(const secret_keywords *k, const unsigned char *p, unsigned which)
{
    unsigned h = hash(load(p), which);

    return k->filter[which][h / 64] >> h % 64 & 1;
}

static void add_to_filter(secret_keywords *k, const secret_keyword *keyword)
{
    unsigned char four[4];
    unsigned spread = keyword->len >= 4 ? 1 : 256; /* what follows three bytes can be anything */

    memcpy(four, keyword->text, keyword->len >= 4 ? 4 : 3);
    for (unsigned i = 0; i < spread; i++) {
        if (spread > 1)
            four[3] = (unsigned char)i;
        for (unsigned which = 0; which < 2; which++) {
            unsigned h = hash(load(four), which);

            k->filter[which][h / 64] |= UINT64_C(1) << h % 64;
        }
    }
}

static void add(secret_keywords *k, const char *text, size_t len, const secret_keyword *like)
{
    secret_keyword *keyword;

    for (size_t i = k->count; i > 0 && k->items[i - 1].rule == like->rule; i--)
        if (k->items[i - 1].base64 == like->base64 && k->items[i - 1].len == len &&
            memcmp(k->items[i - 1].text, text, len) == 0)
            return;
    keyword = SB_PUSH(k->items, k->count, k->cap);
    *keyword = *like;
    keyword->len = (uint8_t)len;
    memset(keyword->text, 0, sizeof(keyword->text));
    memcpy(keyword->text, text, len);
}

/*
 * What of the keyword's own bytes shows in Base64, when `before` bytes (0 to 2) of a group of three come
 * first: a character shows when all of its six bits are the keyword's.
 */
static void add_base64(secret_keywords *k, const secret_keyword *plain, unsigned before)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char bytes[SECRET_KEYWORD_MAX + 3] = {0};
    char text[SECRET_KEYWORD_MAX];
    size_t bits = 8 * (before + plain->len), len = 0;
    secret_keyword keyword = {.rule = plain->rule, .exact = true, .base64 = (uint8_t)(1 + before)};

    memcpy(bytes + before, plain->text, plain->len);
    for (size_t c = (8 * before + 5) / 6; 6 * (c + 1) <= bits && len < sizeof(text); c++) {
        size_t bit = 6 * c;
        unsigned two = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];

        text[len++] = alphabet[two >> (10 - bit % 8) & 63];
    }
    if (len >= 4)
        add(k, text, len, &keyword);
}

static size_t new_state(secret_keywords *k, uint8_t depth)
{
    if (k->states == k->states_cap) {
        k->states_cap = k->states_cap ? 2 * k->states_cap : 256;
        k->next = sb_realloc(k->next, k->states_cap * k->classes * sizeof(*k->next));
        k->fail = sb_realloc(k->fail, k->states_cap * sizeof(*k->fail));
        k->depth = sb_realloc(k->depth, k->states_cap * sizeof(*k->depth));
        k->outputs = sb_realloc(k->outputs, k->states_cap * sizeof(*k->outputs));
        k->shorter = sb_realloc(k->shorter, k->states_cap * sizeof(*k->shorter));
    }
    memset(k->next + k->states * k->classes, 0, k->classes * sizeof(*k->next));
    k->fail[k->states] = k->shorter[k->states] = 0;
    k->depth[k->states] = depth;
    k->outputs[k->states] = NONE;
    return k->states++;
}

static bool add_to_trie(secret_keywords *k, unsigned index)
{
    const secret_keyword *keyword = &k->items[index];
    size_t state = 0;
    keyword_output *output;

    for (size_t i = 0; i < keyword->len; i++) {
        size_t at = state * k->classes + k->class_of[(unsigned char)keyword->text[i]];

        if (!k->next[at]) {
            size_t fresh;

            if (k->states >= STATES_MAX)
                return false;
            fresh = new_state(k, (uint8_t)(i + 1));
            k->next[at] = (uint16_t)fresh;
        }
        state = k->next[at];
    }
    output = SB_PUSH(k->output, k->output_count, k->output_cap);
    *output = (keyword_output){index, k->outputs[state]};
    k->outputs[state] = (int)(k->output_count - 1);
    return true;
}

/* Breadth first: a state's failure is less deep, so its row is complete when it is needed. */
static void add_failures(secret_keywords *k)
{
    sb_autofree uint16_t *queue = sb_new_array(uint16_t, k->states);
    size_t head = 0, tail = 0;

    for (unsigned c = 0; c < k->classes; c++)
        if (k->next[c])
            queue[tail++] = k->next[c];
    while (head < tail) {
        size_t state = queue[head++], fail = k->fail[state];

        k->shorter[state] = k->outputs[fail] != NONE ? (uint16_t)fail : k->shorter[fail];
        for (unsigned c = 0; c < k->classes; c++) {
            uint16_t *next = &k->next[state * k->classes + c], other = k->next[fail * k->classes + c];

            if (*next) {
                k->fail[*next] = other;
                queue[tail++] = *next;
            } else {
                *next = other;
            }
        }
    }
}

static void collect(secret_keywords *k, const secret_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rules[i].keyword_count; j++) {
            sb_slice text = rules[i].keywords[j];
            secret_keyword keyword = {.rule = (unsigned)i, .exact = !rules[i].any_case};

            keyword.len = (uint8_t)text.len;
            memcpy(keyword.text, text.ptr, text.len);
            add(k, text.ptr, text.len, &keyword);
            /* One level of Base64, for tokens that have a form of their own. */
            if (rules[i].kind == SECRET_TOKEN && !rules[i].any_case && !rules[i].before && text.len >= 4)
                for (unsigned before = 0; before < 3; before++)
                    add_base64(k, &keyword, before);
        }
}

secret_keywords *secret_keywords_new(const secret_rule *rules, size_t count)
{
    secret_keywords *k = sb_new(secret_keywords);

    collect(k, rules, count);
    k->classes = 1;
    for (size_t i = 0; i < k->count; i++)
        for (size_t j = 0; j < k->items[i].len; j++) {
            unsigned char c = (unsigned char)sb_ascii_lower(k->items[i].text[j]);

            if (!k->class_of[c])
                k->class_of[c] = (uint8_t)k->classes++;
        }
    for (unsigned c = 'A'; c <= 'Z'; c++)
        k->class_of[c] = k->class_of[c - 'A' + 'a'];
    new_state(k, 0);
    for (size_t i = 0; i < k->count; i++) {
        add_to_filter(k, &k->items[i]);
        if (!add_to_trie(k, (unsigned)i)) {
            secret_keywords_free(k);
            return NULL;
        }
    }
    add_failures(k);
    return k;
}

void secret_keywords_free(secret_keywords *k)
{
    if (!k)
        return;
    free(k->next);
    free(k->fail);
    free(k->depth);
    free(k->outputs);
    free(k->shorter);
    free(k->output);
    free(k->items);
    free(k);
}

/* The next place at which the first filter says yes. */
static size_t next_yes(const secret_keywords *k, const unsigned char *data, size_t at, size_t to)
{
    for (; at + 4 <= to; at += 4) {
        if (in_filter(k, data + at, 0))
            return at;
        if (in_filter(k, data + at + 1, 0))
            return at + 1;
        if (in_filter(k, data + at + 2, 0))
            return at + 2;
        if (in_filter(k, data + at + 3, 0))
            return at + 3;
    }
    while (at < to && !in_filter(k, data + at, 0))
        at++;
    return at;
}

static size_t next_candidate(const secret_keywords *k, const unsigned char *data, size_t at, size_t to)
{
    while ((at = next_yes(k, data, at, to)) < to && !in_filter(k, data + at, 1))
        at++;
    return at;
}

/* The keywords that end behind `end` in `state`, longest first. False: stop. */
static bool report(const secret_keywords *k, const unsigned char *data, size_t state, size_t end, size_t to,
                   secret_hit hit, void *ctx)
{
    for (; state; state = k->shorter[state])
        for (int o = k->outputs[state]; o != NONE; o = k->output[o].next) {
            const secret_keyword *keyword = &k->items[k->output[o].keyword];
            size_t at = end - keyword->len;

            if (at >= to || (keyword->exact && memcmp(data + at, keyword->text, keyword->len) != 0))
                continue;
            if (!hit(ctx, keyword, at))
                return false;
        }
    return true;
}

void secret_keywords_find(const secret_keywords *k, const unsigned char *data, size_t from, size_t to,
                          size_t len, secret_hit hit, void *ctx)
{
    size_t at = from;

    while ((at = next_candidate(k, data, at, to)) < to) {
        size_t state = 0, i = at;

        do {
            state = k->next[state * k->classes + k->class_of[data[i++]]];
            if ((k->outputs[state] != NONE || k->shorter[state]) && !report(k, data, state, i, to, hit, ctx))
                return;
        } while (i < len && k->depth[state] && (k->depth[state] >= LEAST || i - at <= k->depth[state]));
        at = i - k->depth[state] > at ? i - k->depth[state] : at + 1;
    }
}
