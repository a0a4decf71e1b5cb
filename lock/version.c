// SPDX-License-Identifier: Apache-2.0
#include <lock/version.h>

#include <ctype.h>
#include <stdlib.h>

static bool in_list(sb_slice word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eq_nocase(word, sb_slice_z(list[i])))
            return true;
    return false;
}

static sb_slice letters_of(sb_slice word)
{
    size_t n = 0;

    while (n < word.len && isalpha((unsigned char)word.ptr[n]))
        n++;
    return sb_slice_sub(word, 0, n);
}

static bool is_prerelease(sb_slice word)
{
    static const char *const words[] = {
        "a",       "alpha",    "b",       "beta",     "canary",   "daily",        "dev",
        "devel",   "develop",  "ea",      "m",        "master",   "experimental", "milestone",
        "nightly", "pre",      "preview", "rc",       "snapshot", "test",         "testing",
        "trunk",   "unstable", "main",    "insiders",
    };
    sb_slice letters = letters_of(word);

    /* "rc", "rc1", "beta2", but not "alpine3.22" or "m4-large" */
    for (size_t i = letters.len; i < word.len; i++)
        if (!isdigit((unsigned char)word.ptr[i]) && word.ptr[i] != '.')
            return false;
    if (letters.len == 1 && letters.len == word.len)
        return false;
    return in_list(letters, words, SB_COUNT(words));
}

static bool is_channel(sb_slice word)
{
    static const char *const words[] = {"latest",  "stable",  "lts",     "current",   "mainline",  "edge",
                                        "rolling", "release", "default", "oldstable", "production"};

    return in_list(word, words, SB_COUNT(words));
}

/* 7 to 40 hexadecimal digits that are not all decimal. */
static bool is_hash(sb_slice word)
{
    bool decimal = true;

    if (word.len < 7 || word.len > 40)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!isxdigit((unsigned char)word.ptr[i]) || isupper((unsigned char)word.ptr[i]))
            return false;
        if (!isdigit((unsigned char)word.ptr[i]))
            decimal = false;
    }
    return !decimal;
}

static bool is_date(uint64_t n)
{
    uint64_t year = n / 10000, month = n / 100 % 100, day = n % 100;

    return year >= 1990 && year < 2200 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/*
 * The number at the start of a word: "20.19.4" whole, "3.13.0rc1" up to the "r". Returns how many bytes it
 * takes, 0 when the word is none.
 */
static size_t scan_number(sb_slice word, sb_tag *tag)
{
    size_t at = 0, count = 0;
    bool v =
        word.len > 1 && (word.ptr[0] == 'v' || word.ptr[0] == 'V') && isdigit((unsigned char)word.ptr[1]);
    uint64_t numbers[SB_TAG_NUMBERS_MAX];

    if (v)
        at++;
    while (at < word.len && isdigit((unsigned char)word.ptr[at]) && count < SB_TAG_NUMBERS_MAX) {
        size_t start = at;

        while (at < word.len && isdigit((unsigned char)word.ptr[at]))
            at++;
        if (!sb_slice_to_u64(sb_slice_sub(word, start, at), &numbers[count]))
            return 0;
        count++;
        if (at + 1 >= word.len || word.ptr[at] != '.' || !isdigit((unsigned char)word.ptr[at + 1]))
            break;
        at++;
    }
    if (!count)
        return 0;
    tag->v = v;
    tag->number = sb_slice_sub(word, v ? 1 : 0, at);
    tag->number_count = count;
    memcpy(tag->numbers, numbers, sizeof(numbers[0]) * count);
    tag->date = count == 1 && is_date(numbers[0]);
    return at;
}

static bool add_word(sb_tag *tag, sb_slice word)
{
    if (is_channel(word)) {
        tag->channel = true;
        return true;
    }
    if (is_prerelease(word))
        tag->prerelease = true;
    if (tag->word_count == SB_TAG_WORDS_MAX)
        return false;
    tag->words[tag->word_count++] = word;
    return true;
}

bool sb_tag_parse(sb_slice text, sb_tag *ret_tag)
{
    static const char *const artefacts[] = {".sig", ".att", ".sbom", ".prov", ".cosign"};
    sb_tag tag = {.text = text};
    size_t start = 0;

    if (!text.len || text.len > SB_TAG_MAX || sb_slice_starts(text, SB_LIT("sha256-")))
        return false;
    for (size_t i = 0; i < SB_COUNT(artefacts); i++)
        if (sb_slice_ends(text, sb_slice_z(artefacts[i])))
            return false;
    for (size_t i = 0; i <= text.len; i++) {
        sb_slice word;
        size_t used = 0;

        if (i < text.len && text.ptr[i] != '-' && text.ptr[i] != '_')
            continue;
        word = sb_slice_sub(text, start, i);
        start = i + 1;
        if (!word.len)
            continue;
        if (is_hash(word))
            return false;
        if (!tag.number_count)
            used = scan_number(word, &tag);
        if (used < word.len && !add_word(&tag, sb_slice_sub(word, used, word.len)))
            return false;
    }
    *ret_tag = tag;
    return true;
}

bool sb_tag_is_full(const sb_tag *tag)
{
    return tag->number_count >= 3 || tag->date;
}

/* "slim" and "slim"; "alpine" and "alpine3.22"; "rc" and "rc1"; "17" and "17.0.2", not "170". */
static bool word_keeps(sb_slice asked, sb_slice found)
{
    unsigned char last, next;

    if (!sb_slice_starts(found, asked) || !asked.len)
        return false;
    if (found.len == asked.len)
        return true;
    last = (unsigned char)asked.ptr[asked.len - 1];
    next = (unsigned char)found.ptr[asked.len];
    return isdigit(last) ? next == '.' : isdigit(next) != 0;
}

bool sb_tag_compatible(const sb_tag *requested, const sb_tag *candidate)
{
    size_t at = 0;

    /* A moving tag is no version: at least two numbers, or a date. */
    if (candidate->channel || (candidate->number_count < 2 && !candidate->date))
        return false;
    if (candidate->prerelease && !requested->prerelease)
        return false;
    if (requested->number_count) {
        if (candidate->number_count < requested->number_count || candidate->v != requested->v ||
            candidate->date != requested->date)
            return false;
        for (size_t i = 0; i < requested->number_count; i++)
            if (candidate->numbers[i] != requested->numbers[i])
                return false;
    }
    for (size_t i = 0; i < candidate->word_count && at < requested->word_count; i++)
        if (word_keeps(requested->words[at], candidate->words[i]))
            at++;
    return at == requested->word_count;
}

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int sb_tag_prefer(const sb_tag *a, const sb_tag *b)
{
    size_t na = a->number_count < 3 ? a->number_count : 3, nb = b->number_count < 3 ? b->number_count : 3;
    int c = order(nb, na);

    if (!c)
        c = order(a->word_count, b->word_count);
    for (size_t i = 0; !c && i < na; i++)
        c = order(b->numbers[i], a->numbers[i]);
    if (!c)
        c = order(a->number_count, b->number_count);
    for (size_t i = na; !c && i < a->number_count; i++)
        c = order(b->numbers[i], a->numbers[i]);
    if (!c)
        c = order(a->text.len, b->text.len);
    return c ? c : sb_slice_cmp(a->text, b->text);
}

/* The requested tag with its number replaced, channel words gone. */
static sb_slice rewrite(sb_arena *arena, const sb_tag *requested, const sb_tag *declared)
{
    bool v = requested->number_count ? requested->v : declared->v;
    sb_slice out = sb_arena_printf(arena, "%s%" SB_FMT, v ? "v" : "", SB_ARG(declared->number));
    sb_slice rest = requested->text;
    bool number_seen = false;
    sb_slice before = SB_LIT(""), after = SB_LIT("");

    while (rest.ptr) {
        sb_slice word = sb_slice_cut(&rest, '-');
        sb_tag one = {0};

        if (!number_seen && requested->number_count && scan_number(word, &one)) {
            number_seen = true;
            continue;
        }
        if (!word.len || is_channel(word))
            continue;
        if (requested->number_count && !number_seen)
            before = sb_arena_printf(arena, "%" SB_FMT "%" SB_FMT "-", SB_ARG(before), SB_ARG(word));
        else
            after = sb_arena_printf(arena, "%" SB_FMT "-%" SB_FMT, SB_ARG(after), SB_ARG(word));
    }
    return sb_arena_printf(arena, "%" SB_FMT "%" SB_FMT "%" SB_FMT, SB_ARG(before), SB_ARG(out),
                           SB_ARG(after));
}

size_t sb_tag_derive(sb_arena *arena, const sb_tag *requested, sb_slice declared, sb_slice ret_tags[2])
{
    sb_tag version, tag;
    sb_slice own;
    size_t n = 0;

    /* Build metadata has no place in a tag. */
    ptrdiff_t plus = sb_slice_chr(declared, '+');

    if (plus >= 0)
        declared = sb_slice_sub(declared, 0, (size_t)plus);
    if (!sb_tag_parse(declared, &version) || !version.number_count ||
        (version.prerelease && !requested->prerelease))
        return 0;
    own = rewrite(arena, requested, &version);
    if (sb_tag_parse(own, &tag) && sb_tag_compatible(requested, &tag))
        ret_tags[n++] = own;
    if (!sb_slice_eq(own, declared) && sb_tag_compatible(requested, &version))
        ret_tags[n++] = sb_arena_dup(arena, declared);
    return n;
}
