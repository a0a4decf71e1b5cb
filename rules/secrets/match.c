// SPDX-License-Identifier: Apache-2.0
/* From a place with a keyword to a finding: the rule's expression over a window, then everything that speaks
 * against it. */
#include <rules/secrets/engine.h>

enum {
    LOOK_BEHIND = 32,    /* bytes before a window that lookbehind and \b may see */
    CONTEXT = 160,       /* bytes of a line to each side of a secret */
    ENCODED_BEFORE = 64, /* Base64 characters before a keyword that are decoded, for what looks behind … */
    ENCODED_AFTER = 8 << 10, /* … and behind it */
    IN_NAME_MAX = 16,        /* rules about one assignment */
    /* Bytes of a secret in which words mean something; a longer one has some of them by chance. */
    WORDS_IN = 256,
};

typedef struct candidate {
    const secret_rule *rule;
    sb_slice secret;
    size_t at, len; /* where it stands in the scanner's data */
    size_t prefix_len;
} candidate;

static bool in_path_set(sb_secret_scanner *s, size_t set)
{
    uint64_t bit = UINT64_C(1) << set;

    if (!(s->path_known & bit)) {
        const secret_path_set *paths = &s->rules->path_sets[set];
        sb_slice path = {s->path, s->path_len};

        s->path_known |= bit;
        for (size_t i = 0; i < paths->count; i++)
            if (secret_regex_test(paths->patterns[i], s->matcher, path)) {
                s->path_in |= bit;
                break;
            }
    }
    return s->path_in & bit;
}

static bool in_any(sb_secret_scanner *s, uint64_t sets)
{
    for (size_t i = 0; sets; i++, sets >>= 1)
        if (sets & 1 && in_path_set(s, i))
            return true;
    return false;
}

static bool applies(sb_secret_scanner *s, const secret_rule *rule)
{
    return (!rule->only_in || in_any(s, rule->only_in)) && (!rule->not_in || !in_any(s, rule->not_in));
}

static bool has_word(sb_slice lower, const sb_slice *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_find(lower, words[i]) >= 0)
            return true;
    return false;
}

static bool is_allowed(sb_secret_scanner *s, secret_regex *const *allow, size_t count, sb_slice secret)
{
    for (size_t i = 0; i < count; i++)
        if (secret_regex_test(allow[i], s->matcher, secret))
            return true;
    return false;
}

/* Keys that everybody has are published by their hash: of what they consist of without blanks. */
static bool is_known(const sb_secret_rules *rules, sb_slice secret)
{
    sb_digest digest;
    SB_AUTO(sb_hasher) hasher = NULL;

    if (!rules->known_count)
        return false;
    hasher = sb_hasher_new(SB_HASH_SHA256);
    for (size_t i = 0, from = 0; i <= secret.len; i++) {
        bool blank = i == secret.len || secret.ptr[i] == '\n' || secret.ptr[i] == '\r' ||
                     secret.ptr[i] == ' ' || secret.ptr[i] == '\t';

        if (blank && i > from)
            sb_hasher_add(hasher, secret.ptr + from, i - from);
        if (blank)
            from = i + 1;
    }
    sb_hasher_finish(hasher, &digest);
    return bsearch(&digest, rules->known, rules->known_count, sizeof(*rules->known), secret_compare_known) !=
           NULL;
}

/* Everything that the secret itself can say against it. */
static bool is_real(sb_secret_scanner *s, const secret_rule *rule, sb_slice secret)
{
    const sb_secret_rules *rules = s->rules;
    char lower[WORDS_IN];
    sb_slice words = {lower, secret.len < sizeof(lower) ? secret.len : 0};

    if (!secret.len || (rule->entropy && secret_entropy(secret) < rule->entropy))
        return false;
    if (rule->check && !rule->check(secret))
        return false;
    if (rule->kind != SECRET_FILE && secret.len < WORDS_IN && secret_is_placeholder(secret))
        return false;
    for (size_t i = 0; i < words.len; i++)
        lower[i] = sb_ascii_lower(secret.ptr[i]);
    return !has_word(words, rules->stop_words, rules->stop_word_count) &&
           !has_word(words, rule->stop_words, rule->stop_word_count) &&
           !is_allowed(s, rule->allow, rule->allow_count, secret) &&
           !is_allowed(s, rules->allow, rules->allow_count, secret) && !is_known(rules, secret);
}

static bool found_before(const sb_secret_scanner *s, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < SECRET_RECENT; i++)
        if (from < s->recent[i].to && to > s->recent[i].from)
            return true;
    return false;
}

static bool is_word(unsigned char c)
{
    return secret_is_base64(c) || c == '_' || c == '-' || c == '=';
}

/* The line around it. Where it is cut, what is left of a word is left out: it might be another secret. */
static void set_context(const sb_secret_scanner *s, const candidate *c, sb_secret_match *match)
{
    size_t from = c->at, to = c->at;

    while (from > 0 && c->at - from < CONTEXT && s->data[from - 1] != '\n' && s->data[from - 1] != '\r' &&
           s->data[from - 1])
        from--;
    while (to < s->len && (to - c->at < c->len + CONTEXT) && s->data[to] != '\n' && s->data[to] != '\r' &&
           s->data[to])
        to++;
    if (c->at - from == CONTEXT)
        while (from < c->at && is_word(s->data[from]))
            from++;
    if (to - c->at == c->len + CONTEXT)
        while (to > c->at + c->len && is_word(s->data[to - 1]))
            to--;
    match->context = sb_slice_sub((sb_slice){(const char *)s->data, s->len}, from, to);
    match->context_at = c->at - from;
    match->context_len = c->len < to - c->at ? c->len : to - c->at;
}

/* True when it is one: told to the caller, unless it was told already. */
static bool consider(sb_secret_scanner *s, const candidate *c)
{
    sb_secret_match match = {.id = c->rule->id, .title = c->rule->title, .generic = c->rule->generic};
    uint64_t from = s->base + c->at, to = from + c->len;

    if (!c->len || found_before(s, from, to) || !is_real(s, c->rule, c->secret))
        return false;
    s->recent[s->recent_at].from = from;
    s->recent[s->recent_at].to = to;
    s->recent_at = (s->recent_at + 1) % SECRET_RECENT;
    match.offset = s->encoding == SECRET_BYTES ? from : s->bom + 2 * from;
    match.len = s->encoding == SECRET_BYTES ? c->len : 2 * c->len;
    match.line = secret_line_of(s, c->at);
    match.secret = c->secret;
    match.prefix_len = c->prefix_len < c->secret.len ? c->prefix_len : 0;
    set_context(s, c, &match);
    s->stopped = !s->found(s->ctx, &match);
    return true;
}

static bool starts(sb_slice text, const secret_keyword *keyword)
{
    return text.len > keyword->len && memcmp(text.ptr, keyword->text, keyword->len) == 0;
}

/* The expression at, or around, `at` in `text`. */
static bool match_at(sb_secret_scanner *s, const secret_rule *rule, sb_slice text, size_t at,
                     size_t keyword_len, sb_slice *ret_secret)
{
    size_t start = at > rule->before ? at - rule->before : 0,
           from = start > LOOK_BEHIND ? start - LOOK_BEHIND : 0;
    size_t to = at + keyword_len + rule->after;

    if (to > text.len)
        to = text.len;
    return secret_regex_match(rule->regex, s->matcher, sb_slice_sub(text, from, to), start - from,
                              rule->group, ret_secret);
}

static bool match_token(sb_secret_scanner *s, const secret_rule *rule, const secret_keyword *keyword,
                        size_t at, candidate *ret_candidate)
{
    sb_slice secret, data = {(const char *)s->data, s->len};

    if (!match_at(s, rule, data, at, keyword->len, &secret))
        return false;
    *ret_candidate = (candidate){.rule = rule,
                                 .secret = secret,
                                 .at = (size_t)(secret.ptr - data.ptr),
                                 .len = secret.len,
                                 .prefix_len = starts(secret, keyword) ? keyword->len : 0};
    return true;
}

/* Does the Base64 at `group` stand for one of the rule's keywords, behind `before` other bytes? */
static bool keyword_in_base64(const sb_secret_scanner *s, const secret_rule *rule, size_t group,
                              size_t before)
{
    unsigned char decoded[SECRET_KEYWORD_MAX + 4];
    size_t len = secret_base64_decode((sb_slice){(const char *)s->data + group, s->len - group}, decoded,
                                      sizeof(decoded));

    for (size_t i = 0; i < rule->keyword_count; i++)
        if (before + rule->keywords[i].len <= len &&
            memcmp(decoded + before, rule->keywords[i].ptr, rule->keywords[i].len) == 0)
            return true;
    return false;
}

/* The Base64 around the keyword, decoded into `out`; ret_group: where its first group of four stands. */
static sb_slice decode_around(const sb_secret_scanner *s, const secret_rule *rule,
                              const secret_keyword *keyword, size_t at, unsigned char *out, size_t max,
                              size_t *ret_group)
{
    /* The characters of a group that come before the first one that is the keyword's alone. */
    static const size_t phase[] = {0, 0, 2, 3};
    size_t group = at - phase[keyword->base64], end = at, len;
    size_t after = (SECRET_KEYWORD_MAX + rule->after) / 3 * 4;

    if (at < phase[keyword->base64] || !keyword_in_base64(s, rule, group, keyword->base64 - 1U))
        return SB_NIL;
    while (group >= 4 && at - group < ENCODED_BEFORE && secret_is_base64(s->data[group - 1]) &&
           secret_is_base64(s->data[group - 2]) && secret_is_base64(s->data[group - 3]) &&
           secret_is_base64(s->data[group - 4]))
        group -= 4;
    while (end < s->len && end - at < after && end - at < ENCODED_AFTER && secret_is_base64(s->data[end]))
        end++;
    len = secret_base64_decode((sb_slice){(const char *)s->data + group, end - group}, out, max);
    *ret_group = group;
    return (sb_slice){(const char *)out, len};
}

static void match_base64(sb_secret_scanner *s, const secret_rule *rule, const secret_keyword *keyword,
                         size_t at)
{
    unsigned char decoded[(ENCODED_BEFORE + ENCODED_AFTER) / 4 * 3 + 8];
    size_t group, plain_at;
    sb_slice secret, text = decode_around(s, rule, keyword, at, decoded, sizeof(decoded), &group);
    candidate c;

    if (!text.ptr)
        return;
    plain_at = (at - group) / 4 * 3 + (keyword->base64 - 1U);
    for (size_t i = 0; i < rule->keyword_count; i++) {
        sb_slice word = rule->keywords[i];

        if (plain_at + word.len > text.len || memcmp(text.ptr + plain_at, word.ptr, word.len) != 0 ||
            !match_at(s, rule, text, plain_at, word.len, &secret))
            continue;
        c = (candidate){.rule = rule, .secret = secret, .prefix_len = word.len};
        c.at = group + (size_t)(secret.ptr - text.ptr) / 3 * 4;
        c.len = (secret.len + 2) / 3 * 4;
        if (c.at + c.len > s->len)
            c.len = s->len - c.at;
        consider(s, &c);
        return;
    }
}

/* --- Assignments --- */

typedef struct collector {
    sb_secret_scanner *scanner;
    unsigned rules[IN_NAME_MAX];
    size_t count;
    bool token; /* a token with a form of its own stands there */
} collector;

static bool collect_assignment(void *ctx, const secret_keyword *keyword, size_t at)
{
    collector *c = ctx;
    size_t i = 0;

    (void)at;
    if (c->scanner->rules->items[keyword->rule].kind != SECRET_ASSIGNMENT)
        return true;
    while (i < c->count && c->rules[i] < keyword->rule)
        i++;
    if ((i < c->count && c->rules[i] == keyword->rule) || c->count == IN_NAME_MAX)
        return true;
    memmove(c->rules + i + 1, c->rules + i, (c->count - i) * sizeof(c->rules[0]));
    c->rules[i] = keyword->rule;
    c->count++;
    return true;
}

static bool collect_token(void *ctx, const secret_keyword *keyword, size_t at)
{
    collector *c = ctx;
    const secret_rule *rule = &c->scanner->rules->items[keyword->rule];
    candidate found;

    c->token = rule->kind == SECRET_TOKEN && !keyword->base64 && applies(c->scanner, rule) &&
               match_token(c->scanner, rule, keyword, at, &found) && is_real(c->scanner, rule, found.secret);
    return !c->token;
}

/* Will another rule find something there? Then it says what it is. */
static bool has_token(sb_secret_scanner *s, size_t from, size_t to)
{
    collector c = {.scanner = s};

    secret_keywords_find(s->rules->keywords, s->data, from, to, s->len, collect_token, &c);
    return c.token;
}

static bool value_matches(sb_secret_scanner *s, const secret_rule *rule, const secret_assignment *a,
                          sb_slice *ret_value)
{
    sb_slice data = {(const char *)s->data, s->len};
    sb_slice name = sb_slice_sub(data, a->name_at, a->name_at + a->name_len);
    sb_slice value = sb_slice_sub(data, a->value_at, a->value_at + a->value_len);

    if (rule->name && !secret_regex_test(rule->name, s->matcher, name))
        return false;
    if (rule->regex ? !secret_regex_match(rule->regex, s->matcher, value, 0, rule->group, &value)
                    : !secret_is_random(value, a->quoted))
        return false;
    *ret_value = value;
    return true;
}

static void match_assignment(sb_secret_scanner *s, const secret_keyword *keyword, size_t at)
{
    sb_slice data = {(const char *)s->data, s->len};
    collector names = {.scanner = s};
    secret_assignment a;

    if (s->base + at < s->name_done || !secret_assignment_read(data, at, keyword->len, &a))
        return;
    s->name_done = s->base + a.name_at + a.name_len;
    secret_keywords_find(s->rules->keywords, s->data, a.name_at, a.name_at + a.name_len,
                         a.name_at + a.name_len, collect_assignment, &names);
    for (size_t i = 0; i < names.count; i++) {
        const secret_rule *rule = &s->rules->items[names.rules[i]];
        candidate c = {.rule = rule};

        if (!value_matches(s, rule, &a, &c.secret) || !applies(s, rule))
            continue;
        c.at = (size_t)(c.secret.ptr - data.ptr);
        c.len = c.secret.len;
        if (rule->generic && has_token(s, a.value_at, a.value_at + a.value_len))
            return;
        if (consider(s, &c))
            return;
    }
}

/* --- URLs --- */

static void match_url(sb_secret_scanner *s, const secret_rule *rule, size_t at)
{
    sb_slice data = {(const char *)s->data, s->len};
    candidate c = {.rule = rule};
    secret_url url;
    sb_slice user;

    if (!secret_url_read(data, at, &url) || !applies(s, rule))
        return;
    user = sb_slice_sub(data, url.user_at, url.user_at + url.user_len);
    c.secret = sb_slice_sub(data, url.password_at, url.password_at + url.password_len);
    c.at = url.password_at;
    c.len = url.password_len;
    if (sb_slice_eq_nocase(user, c.secret) ||
        (rule->regex && !secret_regex_test(rule->regex, s->matcher,
                                           sb_slice_sub(data, url.user_at, url.host_at + url.host_len))) ||
        has_token(s, url.user_at, url.host_at))
        return;
    consider(s, &c);
}

bool secret_match_hit(void *scanner, const secret_keyword *keyword, size_t at)
{
    sb_secret_scanner *s = scanner;
    const secret_rule *rule = &s->rules->items[keyword->rule];
    candidate c;

    if (rule->kind == SECRET_ASSIGNMENT)
        match_assignment(s, keyword, at);
    else if (rule->kind == SECRET_URL)
        match_url(s, rule, at);
    else if (!applies(s, rule))
        return true;
    else if (keyword->base64)
        match_base64(s, rule, keyword, at);
    else if (match_token(s, rule, keyword, at, &c))
        consider(s, &c);
    return !s->stopped;
}

void secret_match_file(sb_secret_scanner *s, bool generic)
{
    sb_slice data = {(const char *)s->data, s->len};

    for (size_t i = 0; i < s->rules->count && !s->stopped; i++) {
        const secret_rule *rule = &s->rules->items[i];
        size_t start = 0;
        sb_slice secret;

        if (rule->kind != SECRET_FILE || rule->generic != generic || !applies(s, rule))
            continue;
        while (!s->stopped && start < data.len &&
               secret_regex_match(rule->regex, s->matcher, data, start, rule->group, &secret)) {
            candidate c = {.rule = rule, .secret = secret, .len = secret.len};

            c.at = (size_t)(secret.ptr - data.ptr);
            consider(s, &c);
            start = c.at + (c.len ? c.len : 1);
        }
    }
}
