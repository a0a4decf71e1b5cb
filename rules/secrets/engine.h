// SPDX-License-Identifier: Apache-2.0
/*
 * The parts of the secret engine, in the order in which bytes go through them:
 *
 *   scan.c        a stream in pieces → blocks with enough before and behind each position; UTF-16 → bytes;
 * lines keywords.c    a block → places where a keyword stands (a filter on four bytes, then Aho-Corasick)
 *   match.c       a place → what the keyword's rule matches there, in clear or in Base64 → checks → a finding
 *   assignment.c  … for rules about assignments: NAME = "value" in the forms of some twenty languages
 *   url.c         … for rules about URLs: scheme://user:password@host
 *   value.c       how random text is, whether it is a placeholder, whether it reads like words
 *   check.c       what formats have to tell a real one: checksums, structure
 *   rules.c       TOML → rules
 *   regex.c       PCRE2 with limits
 *   redact.c      what may be shown of a secret, and what identifies it
 */
#ifndef SBUILD_RULES_SECRETS_ENGINE_H
#define SBUILD_RULES_SECRETS_ENGINE_H

#include <sbuild/digest.h>
#include <sbuild/secrets.h>

enum {
    SECRET_RULES_MAX = 4096,
    SECRET_FILE_MAX = 4 << 20,   /* bytes of a rule file */
    SECRET_PATTERN_MAX = 4096,   /* bytes of an expression */
    SECRET_PATH_SETS_MAX = 64,   /* a set of sets is a 64-bit word */
    SECRET_BEFORE_MAX = 1024,    /* how far before a keyword a match may begin … */
    SECRET_AFTER_MAX = 16 << 10, /* … and how far behind it a match may end */
    SECRET_NAME_MAX = 64,        /* of an assignment, to either side of the keyword */
    SECRET_VALUE_MAX = 512,      /* of an assignment */
    SECRET_KEYWORD_MIN = 3,
    SECRET_KEYWORD_MAX = 64,
};

/* --- regex.c --- */
typedef struct secret_regex secret_regex;
typedef enum secret_anchor { SECRET_SEARCH, SECRET_AT_START, SECRET_WHOLE } secret_anchor;
/* Compiled now when `check` is set, else when it is first needed (the built-in rules are known to compile).
 */
int secret_regex_new(sb_arena *arena, sb_slice pattern, secret_anchor anchor, bool no_case, bool check,
                     secret_regex **ret_regex, sb_error **err);
void secret_regex_free(secret_regex *regex);

typedef struct secret_matcher secret_matcher; /* what a match needs to work in; one per thread */
secret_matcher *secret_matcher_new(void);
void secret_matcher_free(secret_matcher *matcher);
/*
 * From `start` on in `text`; what is before it is seen by lookbehind. Group `group`, or the whole match when
 * the expression has no such group. False as well when it took too long.
 */
bool secret_regex_match(secret_regex *regex, secret_matcher *matcher, sb_slice text, size_t start,
                        unsigned group, sb_slice *ret_group);
static inline bool secret_regex_test(secret_regex *regex, secret_matcher *matcher, sb_slice text)
{
    sb_slice match;

    return secret_regex_match(regex, matcher, text, 0, 0, &match);
}

/* --- check.c --- */
/* True when `secret` is what the format says. */
typedef bool (*secret_check)(sb_slice secret);
secret_check secret_check_find(sb_slice name);

/* --- value.c --- */
unsigned secret_entropy(sb_slice text);            /* Shannon, hundredths of a bit per byte */
bool secret_is_placeholder(sb_slice text);         /* "xxxxxxxx", "0123456789", "${TOKEN}", "<token>" */
unsigned secret_wordiness(sb_slice text);          /* percent of it that reads like words */
bool secret_is_random(sb_slice text, bool quoted); /* as a value of an assignment: likely a secret */
/* Either alphabet, padding optional; how many bytes, at most `max`. Stops at what is no Base64. */
size_t secret_base64_decode(sb_slice text, unsigned char *out, size_t max);
bool secret_is_base64(unsigned char c); /* of the plain alphabet, without "=" */

/* --- rules.c --- */
typedef enum secret_kind {
    SECRET_TOKEN,      /* an expression at a keyword */
    SECRET_ASSIGNMENT, /* NAME = VALUE with the keyword in NAME */
    SECRET_URL,        /* the password of a URL */
    SECRET_FILE,       /* an expression over the first block of certain files */
} secret_kind;

typedef struct secret_rule {
    const char *id, *title;
    secret_kind kind;
    bool generic;
    bool any_case; /* of the keywords */
    const sb_slice *keywords;
    size_t keyword_count;
    secret_regex *regex; /* TOKEN, FILE; ASSIGNMENT: of the whole value; NULL: any that looks random */
    secret_regex *name;  /* ASSIGNMENT: of the whole name; NULL: any */
    unsigned group;
    unsigned entropy; /* the least, hundredths */
    size_t before, after;
    secret_check check;
    secret_regex **allow; /* matches in the secret mean that it is none */
    size_t allow_count;
    const sb_slice *stop_words; /* lower case; within the secret they mean that it is none */
    size_t stop_word_count;
    uint64_t only_in, not_in; /* sets of paths */
} secret_rule;

typedef struct secret_path_set {
    sb_slice name;
    secret_regex **patterns;
    size_t count;
} secret_path_set;

typedef struct secret_keywords secret_keywords;

struct sb_secret_rules {
    sb_arena *arena;
    secret_rule *items; /* in order of precedence */
    size_t count, cap;
    secret_path_set path_sets[SECRET_PATH_SETS_MAX];
    size_t path_set_count;
    secret_regex **regexes; /* all of them, to free */
    size_t regex_count, regex_cap;
    secret_regex **allow; /* for every rule */
    size_t allow_count, allow_cap;
    sb_slice *stop_words; /* for every rule; lower case */
    size_t stop_word_count, stop_word_cap;
    sb_digest *known; /* sorted: secrets that are public */
    size_t known_count, known_cap;
    secret_keywords *keywords;
};

int secret_compare_known(const void *a, const void *b); /* digests, for qsort and bsearch */

typedef struct secret_embedded {
    const char *name;
    const unsigned char *data;
    size_t len;
} secret_embedded;
extern const secret_embedded secret_rule_files[]; /* made by cmake/EmbedFiles.cmake */

/* --- keywords.c --- */
typedef struct secret_keyword {
    unsigned rule;  /* index */
    uint8_t len;    /* bytes of the text */
    bool exact;     /* case matters */
    uint8_t base64; /* 0: in clear; else 1 + how many bytes the group of three has before the keyword */
    char text[SECRET_KEYWORD_MAX];
} secret_keyword;

enum { SECRET_SLACK = 8 }; /* readable bytes behind the end of what is searched */

/* NULL when there are too many. */
secret_keywords *secret_keywords_new(const secret_rule *rules, size_t count);
void secret_keywords_free(secret_keywords *keywords);
/* Every keyword that begins in [from, to) of `data` and ends before `len`. `hit` returns false to stop. */
typedef bool (*secret_hit)(void *ctx, const secret_keyword *keyword, size_t at);
void secret_keywords_find(const secret_keywords *keywords, const unsigned char *data, size_t from, size_t to,
                          size_t len, secret_hit hit, void *ctx);

/* --- assignment.c, url.c: places are offsets in `text` --- */
typedef struct secret_assignment {
    size_t name_at, name_len, value_at, value_len;
    bool quoted;
} secret_assignment;
bool secret_assignment_read(sb_slice text, size_t at, size_t len, secret_assignment *ret_assignment);

typedef struct secret_url {
    size_t user_at, user_len, password_at, password_len, host_at, host_len;
} secret_url;
/* `at`: of "://". */
bool secret_url_read(sb_slice text, size_t at, secret_url *ret_url);

/* --- scan.c, match.c --- */
enum {
    SECRET_BEHIND = 4 << 10,                /* kept before the place that is looked at */
    SECRET_AHEAD = SECRET_AFTER_MAX + 1024, /* and behind it, unless the stream ends */
    SECRET_BLOCK = 128 << 10,
    SECRET_RECENT = 32,
};

struct sb_secret_scanner {
    const sb_secret_rules *rules;
    secret_matcher *matcher;
    sb_secret_found found;
    void *ctx;
    bool stopped;

    unsigned char *data; /* the stream from `base` on */
    size_t len, done;    /* bytes in `data`; those before `done` have been looked at */
    uint64_t base;
    uint64_t line, line_at; /* the line at stream offset `line_at` */

    enum { SECRET_UNDECIDED, SECRET_BYTES, SECRET_UTF16LE, SECRET_UTF16BE } encoding;
    unsigned bom; /* bytes before the text */
    int odd_byte; /* half a UTF-16 unit, or -1 */

    char path[1024]; /* lower case, the end of a longer one */
    size_t path_len;
    uint64_t path_known, path_in; /* sets of paths that were asked for, and that it is in */

    uint64_t name_done; /* the assignment up to here has been looked at */
    struct {
        uint64_t from, to;
    } recent[SECRET_RECENT]; /* what was found lately */
    size_t recent_at;
};

/* Looks at a place with a keyword; returns false to stop. */
bool secret_match_hit(void *scanner, const secret_keyword *keyword, size_t at);
/* SECRET_FILE rules, over the first block: those that are sure come before all others, generic ones behind
 * them. */
void secret_match_file(sb_secret_scanner *scanner, bool generic);
uint64_t secret_line_of(sb_secret_scanner *scanner, size_t at);

#endif
