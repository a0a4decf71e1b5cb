// SPDX-License-Identifier: Apache-2.0
/* "a{b,c}d" and "a{1..3}d" of bash: several words, before anything else is expanded. */
#include <shell/read.h>

enum { WORD_MAX = 4096, COMMAS_MAX = 64, NUMBERS_MAX = 100 };

typedef struct brace_at { /* a byte of a part that is plain text */
    size_t part;
    size_t offset;
} brace_at;

typedef struct braces {
    brace_at bounds[COMMAS_MAX + 2]; /* "{", each "," of this level, "}" */
    size_t count;
} braces;

static bool is_plain(const sb_sh_part *part)
{
    return part->kind == SB_SH_LITERAL && !part->quoted;
}

static bool next(const sb_sh_word *word, brace_at *at)
{
    for (at->offset++; at->part < word->count; at->part++, at->offset = 0)
        if (is_plain(&word->parts[at->part]) && at->offset < word->parts[at->part].text.len)
            return true;
    return false;
}

static char byte_at(const sb_sh_word *word, brace_at at)
{
    return word->parts[at.part].text.ptr[at.offset];
}

/* From the "{" at `at` on. False when it has no "}", or nothing in it to choose from. */
static bool match(const sb_sh_word *word, brace_at at, braces *ret_braces)
{
    size_t open = 0;

    ret_braces->bounds[0] = at;
    ret_braces->count = 1;
    while (next(word, &at) && ret_braces->count <= COMMAS_MAX) {
        char c = byte_at(word, at);

        if (c == '{') {
            open++;
        } else if (c == '}' && open) {
            open--;
        } else if (!open && (c == ',' || c == '}')) {
            ret_braces->bounds[ret_braces->count++] = at;
            if (c == '}')
                return true;
        }
    }
    return false;
}

/* "{1..5}" in one part: its numbers. */
static bool numbers(const sb_sh_word *word, const braces *found, long *ret_first, long *ret_last)
{
    const brace_at *from = &found->bounds[0], *to = &found->bounds[1];
    sb_slice inside;
    ptrdiff_t dots;
    uint64_t first, last;

    if (found->count != 2 || from->part != to->part)
        return false;
    inside = sb_slice_sub(word->parts[from->part].text, from->offset + 1, to->offset);
    dots = sb_slice_find(inside, SB_LIT(".."));
    if (dots <= 0 || inside.ptr[0] == '0' ||
        !sb_slice_to_u64(sb_slice_sub(inside, 0, (size_t)dots), &first) ||
        !sb_slice_to_u64(sb_slice_sub(inside, (size_t)dots + 2, inside.len), &last) || first > 1000000 ||
        last > 1000000 || (first < last ? last - first : first - last) >= NUMBERS_MAX)
        return false;
    *ret_first = (long)first;
    *ret_last = (long)last;
    return true;
}

/* What comes to stand behind "$x" may go on with its name: "$x{1,2}" is "$x1 $x2". */
static void put(sh_reader *r, sb_sh_word *out, sb_sh_part part)
{
    sb_sh_part *before = out->count ? &out->parts[out->count - 1] : NULL;
    size_t n = 0;

    if (before && before->kind == SB_SH_PARAM && !before->quoted && is_plain(&part) && before->text.len > 1 &&
        sh_is_name_start(before->text.ptr[1]))
        while (n < part.text.len && (sh_is_name_start(part.text.ptr[n]) || sh_is_digit(part.text.ptr[n])))
            n++;
    if (n) {
        before->text = sb_arena_printf(r->arena, "$%" SB_FMT "%" SB_FMT, SB_ARG(before->name),
                                       SB_ARG(sb_slice_sub(part.text, 0, n)));
        before->name = sb_slice_sub(before->text, 1, before->text.len);
        part.text = sb_slice_sub(part.text, n, part.text.len);
    }
    if (part.text.len || !is_plain(&part))
        out->parts[out->count++] = part;
}

/* The parts from behind `from` up to `to`, appended; NULL stands for the beginning and the end. */
static void copy(sh_reader *r, const sb_sh_word *word, const brace_at *from, const brace_at *to,
                 sb_sh_word *out)
{
    size_t first = from ? from->part : 0;
    size_t last = to ? to->part : word->count - 1;

    for (size_t i = first; i <= last && i < word->count; i++) {
        sb_sh_part part = word->parts[i];
        size_t start = from && i == from->part ? from->offset + 1 : 0;
        size_t end = to && i == to->part ? to->offset : part.text.len;

        if (is_plain(&part))
            part.text = sb_slice_sub(part.text, start, end);
        put(r, out, part);
    }
}

static sb_sh_word *new_word(sh_reader *r, const sb_sh_word *word, const braces *found)
{
    sb_sh_word *out = sb_arena_new_of(r->arena, sb_sh_word);

    out->parts = sb_arena_array(r->arena, sb_sh_part, word->count + 3);
    out->span = word->span;
    copy(r, word, NULL, &found->bounds[0], out);
    return out;
}

static bool spend(sh_reader *r)
{
    if (r->braces_left)
        r->braces_left--;
    return r->braces_left > 0;
}

static void expand_numbers(sh_reader *r, const sb_sh_word *word, const braces *found, long first, long last)
{
    for (long n = first;; n += first < last ? 1 : -1) {
        sb_sh_word *out = new_word(r, word, found);

        put(r, out, (sb_sh_part){.text = sb_arena_printf(r->arena, "%ld", n), .span = word->span});
        copy(r, word, &found->bounds[1], NULL, out);
        sh_expand_braces(r, out);
        if (n == last || !spend(r))
            return;
    }
}

void sh_expand_braces(sh_reader *r, const sb_sh_word *word)
{
    brace_at at = {0, SIZE_MAX};
    braces found;
    size_t len = 0;
    long first = 0, last = 0;

    for (size_t i = 0; i < word->count; i++)
        len += word->parts[i].text.len;
    while (len <= WORD_MAX && r->braces_left && r->depth < SB_SH_DEPTH_MAX && next(word, &at)) {
        if (byte_at(word, at) != '{' || !match(word, at, &found))
            continue;
        r->depth++;
        if (found.count > 2) {
            for (size_t i = 0; i + 1 < found.count && (!i || spend(r)); i++) {
                sb_sh_word *out = new_word(r, word, &found);

                copy(r, word, &found.bounds[i], &found.bounds[i + 1], out);
                copy(r, word, &found.bounds[found.count - 1], NULL, out);
                sh_expand_braces(r, out);
            }
        } else if (numbers(word, &found, &first, &last)) {
            expand_numbers(r, word, &found, first, last);
        } else {
            r->depth--;
            continue;
        }
        r->depth--;
        return;
    }
    sh_expand_one(r, word, true);
}
