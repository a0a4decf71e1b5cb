// SPDX-License-Identifier: Apache-2.0
#include <lock/verify_comment.h>

#include <ctype.h>

/* The next word of *rest with its double quotes removed; absent at the end. */
static int next_word(sb_arena *arena, sb_slice *rest, sb_slice origin, sb_slice *ret_word, sb_error **err)
{
    sb_slice s = sb_slice_trim(*rest);
    char *out;
    size_t len = 0, i = 0;
    bool quoted = false;

    if (!s.len) {
        *rest = SB_NIL;
        *ret_word = SB_NIL;
        return 0;
    }
    out = sb_arena_alloc(arena, s.len + 1);
    for (; i < s.len && (quoted || !isspace((unsigned char)s.ptr[i])); i++) {
        if (s.ptr[i] == '"')
            quoted = !quoted;
        else
            out[len++] = s.ptr[i];
    }
    if (quoted)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": a quote in \"# sbuild: verify\" is not closed",
                       SB_ARG(origin));
    *rest = sb_slice_sub(s, i, s.len);
    *ret_word = sb_slice_of(out, len);
    return 0;
}

static int parse_pin(sb_arena *arena, sb_slice value, sb_slice origin, sb_slice *ret_pin, sb_error **err)
{
    char *hex = sb_arena_alloc(arena, value.len + 1);
    sb_autofree char *shown = NULL;
    size_t len = 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if (c == ' ' || c == ':')
            continue;
        if (!isxdigit(c)) {
            len = 0;
            break;
        }
        hex[len++] = (char)toupper(c);
    }
    if (len != 40 && len != 64) {
        shown = sb_printable(value);
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": fingerprint=%s is no full fingerprint; it has 40 hexadecimal digits "
                       "(64 for version 6 keys), \"gpg --show-keys FILE\" shows it",
                       SB_ARG(origin), shown);
    }
    *ret_pin = sb_slice_of(hex, len);
    return 0;
}

static int parse_hash(sb_slice name, sb_slice value, sb_slice origin, sb_digest *ret_digest, sb_error **err)
{
    sb_digest digest;

    if (!sb_digest_from_hex(value, &digest) || !sb_slice_eqz(name, sb_hash_name(digest.algo)))
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": %" SB_FMT "= wants the hexadecimal digits of a %" SB_FMT, SB_ARG(origin),
                       SB_ARG(name), SB_ARG(name));
    *ret_digest = digest;
    return 0;
}

typedef struct builder {
    sb_arena *arena;
    sb_demand demand;
    size_t key_cap, pin_cap, hash_cap;
} builder;

static int set_once(sb_slice *member, sb_slice name, sb_slice value, sb_slice origin, sb_error **err)
{
    if (member->ptr)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": %" SB_FMT "= is given twice", SB_ARG(origin),
                       SB_ARG(name));
    *member = value;
    return 0;
}

static int add_word(builder *b, sb_slice name, sb_slice value, sb_error **err)
{
    sb_demand *d = &b->demand;
    const struct {
        const char *name;
        sb_slice *member;
    } texts[] = {
        {"signature", &d->signature},
        {"checksums", &d->checksums},
        {"checksums-signature", &d->checksums_signature},
        {"minisign", &d->minisign},
        {"minisign-signature", &d->minisign_signature},
    };
    uint64_t n;

    for (size_t i = 0; i < SB_COUNT(texts); i++)
        if (sb_slice_eqz(name, texts[i].name))
            return set_once(texts[i].member, name, value, d->origin, err);
    if (sb_slice_eqz(name, "key")) {
        *SB_ARENA_PUSH(b->arena, d->keys, d->key_count, b->key_cap) = value;
        return 0;
    }
    if (sb_slice_eqz(name, "fingerprint")) {
        sb_slice pin;

        if (parse_pin(b->arena, value, d->origin, &pin, err) < 0)
            return -1;
        for (size_t i = 0; i < d->pin_count; i++)
            if (sb_slice_eq(d->pins[i], pin))
                return 0;
        *SB_ARENA_PUSH(b->arena, d->pins, d->pin_count, b->pin_cap) = pin;
        return 0;
    }
    if (sb_slice_eqz(name, "sha256") || sb_slice_eqz(name, "sha384") || sb_slice_eqz(name, "sha512")) {
        sb_digest digest;

        if (parse_hash(name, value, d->origin, &digest, err) < 0)
            return -1;
        *SB_ARENA_PUSH(b->arena, d->hashes, d->hash_count, b->hash_cap) = digest;
        return 0;
    }
    if (sb_slice_eqz(name, "threshold")) {
        if (d->threshold)
            return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": threshold= is given twice", SB_ARG(d->origin));
        if (!sb_slice_to_u64(value, &n) || n < 1 || n > SB_DEMAND_WORDS_MAX)
            return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": threshold= wants a number from 1 to %d",
                           SB_ARG(d->origin), SB_DEMAND_WORDS_MAX);
        d->threshold = (unsigned)n;
        return 0;
    }
    {
        sb_autofree char *shown = sb_printable(name);

        return sb_fail(
            err, SB_ERR_PARSE,
            "%" SB_FMT ": \"%s\" is not known in \"# sbuild: verify\"; it takes signature=, checksums=, "
            "checksums-signature=, key=, fingerprint=, threshold=, minisign=, minisign-signature=, "
            "sha256=, sha384= and sha512=",
            SB_ARG(d->origin), shown);
    }
}

static int check(sb_demand *d, sb_error **err)
{
    if (d->checksums_signature.ptr && !d->checksums.ptr)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": checksums-signature= needs checksums=", SB_ARG(d->origin));
    if (d->minisign_signature.ptr && !d->minisign.ptr)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": minisign-signature= needs minisign=", SB_ARG(d->origin));
    if (d->pin_count && !d->key_count)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": fingerprint= needs key=FILE, the public key in the context",
                       SB_ARG(d->origin));
    if (d->minisign.ptr && d->signature.ptr && !d->key_count && !d->minisign_signature.ptr) {
        d->minisign_signature = d->signature;
        d->signature = SB_NIL;
    }
    if (d->threshold > 1 && d->threshold > d->pin_count)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": threshold=%u can never be reached with %zu fingerprint%s",
                       SB_ARG(d->origin), d->threshold, d->pin_count, d->pin_count == 1 ? "" : "s");
    if (!d->threshold)
        d->threshold = 1;
    return 0;
}

int sb_demand_parse(sb_arena *arena, sb_slice words, sb_slice origin, sb_demand *ret_demand, sb_error **err)
{
    builder b = {.arena = arena, .demand.origin = origin};
    sb_slice rest = words;
    size_t count = 0;

    for (;;) {
        sb_slice word, name;
        ptrdiff_t eq;

        if (next_word(arena, &rest, origin, &word, err) < 0)
            return -1;
        if (!word.ptr)
            break;
        if (++count > SB_DEMAND_WORDS_MAX)
            return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": more than %d words", SB_ARG(origin),
                           SB_DEMAND_WORDS_MAX);
        eq = sb_slice_chr(word, '=');
        name = eq < 0 ? word : sb_slice_sub(word, 0, (size_t)eq);
        if (eq < 0 || (size_t)eq + 1 == word.len) {
            sb_autofree char *shown = sb_printable(name);

            return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": \"%s\" needs a value: %s=…", SB_ARG(origin),
                           shown, shown);
        }
        if (add_word(&b, name, sb_slice_sub(word, (size_t)eq + 1, word.len), err) < 0)
            return -1;
    }
    if (!count)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": \"# sbuild: verify\" says nothing; e.g. signature={url}.asc key=FILE "
                       "fingerprint=…",
                       SB_ARG(origin));
    if (check(&b.demand, err) < 0)
        return -1;
    *ret_demand = b.demand;
    return 0;
}

int sb_demand_check_git(const sb_demand *d, sb_error **err)
{
    if (d->signature.ptr || d->checksums.ptr || d->minisign.ptr || d->hash_count)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT
                       ": a git repository is vouched for by key= and fingerprint= alone: its tags and "
                       "commits carry their signatures",
                       SB_ARG(d->origin));
    return 0;
}

int sb_demand_check_file(const sb_demand *d, sb_error **err)
{
    if (d->key_count && !d->signature.ptr && !d->checksums.ptr)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": key= needs signature= or checksums=, the URL of what is signed, e.g. "
                       "signature={url}.asc",
                       SB_ARG(d->origin));
    return 0;
}

/*
 * Behind "sbuild:", whatever the letters' case and the blanks: a slip must not make a demand a mere remark.
 * Nor must a forgotten colon, before the one word that is a demand.
 */
static bool is_ours(sb_slice text, sb_slice *ret_rest)
{
    static const char name[] = "sbuild";
    sb_slice s = sb_slice_trim(text);

    if (!sb_slice_eq_nocase(sb_slice_sub(s, 0, s.len < strlen(name) ? s.len : strlen(name)),
                            sb_slice_z(name)))
        return false;
    s = sb_slice_sub(s, strlen(name), s.len);
    *ret_rest = sb_slice_trim(s);
    if (sb_slice_starts(*ret_rest, SB_LIT(":"))) {
        *ret_rest = sb_slice_trim(sb_slice_sub(*ret_rest, 1, ret_rest->len));
        return true;
    }
    return ret_rest->len < s.len && ret_rest->len > strlen("verify") &&
           isspace((unsigned char)ret_rest->ptr[strlen("verify")]) &&
           sb_slice_eq_nocase(sb_slice_sub(*ret_rest, 0, strlen("verify")), SB_LIT("verify")) &&
           sb_slice_chr(*ret_rest, '=') > 0;
}

int sb_verify_comment(sb_slice text, sb_slice origin, sb_slice *ret_words, sb_error **err)
{
    static const char *const foreign[] = {"ignore", "ignore-file", "allow", "skip"}; /* of the lint rules */
    sb_slice s, word;
    size_t i = 0;

    if (!is_ours(text, &s))
        return 0;
    while (i < s.len && (isalnum((unsigned char)s.ptr[i]) || s.ptr[i] == '-'))
        i++;
    word = sb_slice_sub(s, 0, i);
    if (sb_slice_eq_nocase(word, SB_LIT("verify")) && (i == s.len || isspace((unsigned char)s.ptr[i]))) {
        *ret_words = sb_slice_sub(s, i, s.len);
        return 1;
    }
    for (size_t k = 0; k < SB_COUNT(foreign); k++)
        if (sb_slice_eqz(word, foreign[k]))
            return 0;
    {
        sb_autofree char *shown = sb_printable(s);

        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": \"# sbuild: %s\" is not understood; did you mean \"# sbuild: "
                       "verify …\"",
                       SB_ARG(origin), shown);
    }
}

static sb_slice origin_of(sb_arena *arena, const sb_dockerfile *df, unsigned line)
{
    return sb_arena_printf(arena, "%" SB_FMT ":%u", SB_ARG(df->name), line);
}

int sb_verify_comments_of(sb_arena *arena, const sb_dockerfile *df, const sb_df_instruction *instruction,
                          sb_demand **ret_demands, size_t *ret_count, sb_error **err)
{
    sb_demand *demands = NULL;
    size_t count = 0, cap = 0;

    for (size_t i = 0; i < instruction->comment_count; i++) {
        const sb_df_comment *comment = &instruction->comments[i];
        sb_slice words, origin;
        sb_demand demand;
        int r;

        if (!is_ours(comment->text, &words))
            continue;
        origin = origin_of(arena, df, comment->line);
        r = sb_verify_comment(comment->text, origin, &words, err);
        if (r < 0)
            return -1;
        if (!r)
            continue;
        if (sb_demand_parse(arena, words, origin, &demand, err) < 0)
            return -1;
        *SB_ARENA_PUSH(arena, demands, count, cap) = demand;
    }
    *ret_demands = demands;
    *ret_count = count;
    return 0;
}

/* The comment text of a line "  # …", or an absent slice. */
static sb_slice comment_text(sb_slice line)
{
    sb_slice s = sb_slice_trim(line);

    if (sb_slice_starts(s, SB_LIT("\xef\xbb\xbf")))
        s = sb_slice_trim(sb_slice_sub(s, 3, s.len));
    return s.len && s.ptr[0] == '#' ? sb_slice_sub(s, 1, s.len) : SB_NIL;
}

static bool in_heredoc(const sb_df_instruction *ins, size_t offset)
{
    for (size_t i = 0; i < ins->heredoc_count; i++)
        if (offset >= ins->heredocs[i].span.start && offset < ins->heredocs[i].span.end)
            return true;
    return false;
}

static int check_attached(sb_arena *arena, const sb_dockerfile *df, const sb_df_instruction *ins,
                          sb_error **err)
{
    const sb_df_instruction *inner = ins->keyword == SB_DF_ONBUILD && ins->trigger ? ins->trigger : ins;
    sb_demand *demands;
    size_t count;

    if (!ins->comment_count)
        return 0;
    if (sb_verify_comments_of(arena, df, ins, &demands, &count, err) < 0)
        return -1;
    if (count && inner->keyword != SB_DF_ADD)
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT
                       ": \"# sbuild: verify\" stands above %s, which has no URL; it belongs directly "
                       "above an ADD of a URL",
                       SB_ARG(demands[0].origin), sb_df_keyword_name(ins->keyword));
    return 0;
}

/* A comment in the text that belongs to no instruction: above nothing, behind an empty line, in a
 * continuation. */
static int check_loose(sb_arena *arena, const sb_dockerfile *df, sb_error **err)
{
    sb_slice rest = df->text;
    size_t at = 0; /* the first instruction that ends at or behind this line */
    unsigned line = 0;

    while (rest.ptr) {
        sb_slice text = sb_slice_cut(&rest, '\n');
        sb_slice comment = comment_text(text), words;
        size_t offset = (size_t)(text.ptr - df->text.ptr);
        const sb_df_instruction *ins;
        bool attached = false;

        line++;
        if (!comment.ptr || !is_ours(comment, &words))
            continue;
        while (at < df->instruction_count && df->instructions[at].end_line < line)
            at++;
        ins = at < df->instruction_count ? &df->instructions[at] : NULL;
        if (ins && ins->start_line <= line && in_heredoc(ins, offset))
            continue;
        for (size_t i = 0; ins && i < ins->comment_count && !attached; i++)
            attached = ins->comments[i].line == line;
        if (attached)
            continue;
        switch (sb_verify_comment(comment, origin_of(arena, df, line), &words, err)) {
        case 0:
            break;
        case 1:
            return sb_fail(err, SB_ERR_PARSE,
                           "%" SB_FMT
                           ":%u: \"# sbuild: verify\" stands above nothing; it belongs directly above an "
                           "ADD of a URL, without an empty line between them",
                           SB_ARG(df->name), line);
        default:
            return -1;
        }
    }
    return 0;
}

int sb_verify_comments_check(const sb_dockerfile *df, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();

    for (size_t i = 0; i < df->instruction_count; i++)
        if (check_attached(arena, df, &df->instructions[i], err) < 0)
            return -1;
    return check_loose(arena, df, err);
}

static sb_slice without_query(sb_slice url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] == '?' || url.ptr[i] == '#')
            return sb_slice_sub(url, 0, i);
    return url;
}

int sb_demand_url(sb_arena *arena, const sb_demand *demand, sb_slice pattern, sb_slice url, sb_slice *ret_url,
                  sb_error **err)
{
    enum { URL_MAX = 16384 };
    sb_slice whole = without_query(url), dir = whole, file = SB_LIT(""), rest = pattern;
    ptrdiff_t slash = sb_slice_rchr(whole, '/');
    sb_autobuf out = SB_BUF_INIT(URL_MAX);
    ptrdiff_t scheme = sb_slice_find(whole, SB_LIT("://"));

    if (slash > scheme + 2) {
        dir = sb_slice_sub(whole, 0, (size_t)slash);
        file = sb_slice_sub(whole, (size_t)slash + 1, whole.len);
    }
    for (;;) {
        ptrdiff_t open = sb_slice_chr(rest, '{'), close;
        sb_slice name;

        if (open < 0) {
            sb_buf_adds(&out, rest);
            break;
        }
        sb_buf_adds(&out, sb_slice_sub(rest, 0, (size_t)open));
        rest = sb_slice_sub(rest, (size_t)open + 1, rest.len);
        close = sb_slice_chr(rest, '}');
        name = close < 0 ? rest : sb_slice_sub(rest, 0, (size_t)close);
        if (close >= 0 && sb_slice_eqz(name, "url")) {
            sb_buf_adds(&out, whole);
        } else if (close >= 0 && sb_slice_eqz(name, "dir")) {
            sb_buf_adds(&out, dir);
        } else if (close >= 0 && sb_slice_eqz(name, "file")) {
            sb_buf_adds(&out, file);
        } else {
            sb_autofree char *shown = sb_printable(pattern);

            return sb_fail(err, SB_ERR_PARSE,
                           "%" SB_FMT
                           ": the placeholders are {url}, {dir} and {file}; \"%s\" has another one",
                           SB_ARG(demand->origin), shown);
        }
        rest = sb_slice_sub(rest, (size_t)close + 1, rest.len);
    }
    if (sb_buf_check(&out, "a URL", err) < 0)
        return -1;
    if (!sb_slice_starts(sb_buf_slice(&out), SB_LIT("https://")) &&
        !sb_slice_starts(sb_buf_slice(&out), SB_LIT("http://"))) {
        sb_autofree char *shown = sb_printable(sb_buf_slice(&out));

        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": \"%s\" is no http or https URL; e.g. {url}.asc",
                       SB_ARG(demand->origin), shown);
    }
    *ret_url = sb_arena_dup(arena, sb_buf_slice(&out));
    return 0;
}
