// SPDX-License-Identifier: Apache-2.0
/*
 * A unified diff with three lines of context: Myers' greedy algorithm over lines, which finds a shortest one.
 * Texts that differ in more than EDITS_MAX lines are shown as one that is replaced by the other.
 */
#include <sbuild/lint.h>

enum {
    CONTEXT = 3,
    LINES_MAX = 1 << 22, /* of both texts together */
    EDITS_MAX = 2000,    /* the traces of the search take the square of it */

};

typedef struct lines {
    sb_slice *items; /* with their line feeds */
    size_t count, cap;
} lines;

static void split(sb_slice text, lines *out)
{
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;

        *SB_PUSH(out->items, out->count, out->cap) = sb_slice_sub(text, 0, len);
        text = sb_slice_sub(text, len, text.len);
    }
}

/* --- The search --- */

typedef struct search {
    const sb_slice *a, *b; /* behind the common start, before the common end */
    size_t n, m;
    bool *gone;  /* of a's lines */
    bool *added; /* of b's lines */
} search;

/* The furthest point on each diagonal after d edits; row d has 2d + 1 of them. */
typedef struct trace {
    ptrdiff_t *rows[EDITS_MAX + 1];
} trace;

static ptrdiff_t at_diagonal(const trace *t, size_t d, ptrdiff_t k)
{
    return t->rows[d][k + (ptrdiff_t)d];
}

/* Does the path to diagonal k go down (a line of b is added) from row d - 1? */
static bool goes_down(const trace *t, size_t d, ptrdiff_t k)
{
    ptrdiff_t edge = (ptrdiff_t)d;

    return k == -edge || (k != edge && at_diagonal(t, d - 1, k - 1) < at_diagonal(t, d - 1, k + 1));
}

static bool find_ends(const search *s, trace *t, size_t *ret_edits)
{
    ptrdiff_t n = (ptrdiff_t)s->n, m = (ptrdiff_t)s->m;

    for (size_t d = 0; d <= EDITS_MAX; d++) {
        t->rows[d] = sb_new_array(ptrdiff_t, 2 * d + 1);
        for (ptrdiff_t k = -(ptrdiff_t)d; k <= (ptrdiff_t)d; k += 2) {
            ptrdiff_t x = 0, y;

            if (d && goes_down(t, d, k))
                x = at_diagonal(t, d - 1, k + 1);
            else if (d)
                x = at_diagonal(t, d - 1, k - 1) + 1;
            y = x - k;
            while (x < n && y >= 0 && y < m && sb_slice_eq(s->a[x], s->b[y]))
                x++, y++;
            t->rows[d][k + (ptrdiff_t)d] = x;
            if (x >= n && y >= m) {
                *ret_edits = d;
                return true;
            }
        }
    }
    return false;
}

static void walk_back(search *s, const trace *t, size_t d)
{
    ptrdiff_t x = (ptrdiff_t)s->n, y = (ptrdiff_t)s->m;

    for (; d > 0; d--) {
        ptrdiff_t k = x - y;

        if (goes_down(t, d, k)) {
            x = at_diagonal(t, d - 1, k + 1);
            y = x - (k + 1);
            s->added[y] = true;
        } else {
            x = at_diagonal(t, d - 1, k - 1);
            y = x - (k - 1);
            s->gone[x] = true;
        }
    }
}

static void compare(search *s)
{
    trace *t = sb_new(trace);
    size_t d;

    if (find_ends(s, t, &d)) {
        walk_back(s, t, d);
    } else {
        memset(s->gone, 1, s->n);
        memset(s->added, 1, s->m);
    }
    for (size_t i = 0; i <= EDITS_MAX; i++)
        free(t->rows[i]);
    free(t);
}

/* --- The form --- */

typedef struct printer {
    const lines *a, *b;
    const bool *gone, *added;
    sb_buf *out;
} printer;

static void print_line(sb_buf *out, char mark, sb_slice line)
{
    sb_buf_addc(out, mark);
    sb_buf_adds(out, line);
    if (!sb_slice_ends(line, SB_LIT("\n")))
        sb_buf_addz(out, "\n\\ No newline at end of file\n");
}

/* "12,3", as diff writes it: without a count of one, and the line before an empty range. */
static void print_range(sb_buf *out, char mark, size_t start, size_t count)
{
    sb_buf_printf(out, "%c%zu", mark, count ? start + 1 : start);
    if (count != 1)
        sb_buf_printf(out, ",%zu", count);
}

static bool is_changed(const printer *p, size_t i, size_t k)
{
    return (i < p->a->count && p->gone[i]) || (k < p->b->count && p->added[k]);
}

static void print_hunk(const printer *p, size_t i, size_t k, size_t i_end, size_t k_end)
{
    sb_buf_addz(p->out, "@@ ");
    print_range(p->out, '-', i, i_end - i);
    sb_buf_addc(p->out, ' ');
    print_range(p->out, '+', k, k_end - k);
    sb_buf_addz(p->out, " @@\n");
    while (i < i_end || k < k_end) {
        while (i < i_end && p->gone[i])
            print_line(p->out, '-', p->a->items[i++]);
        while (k < k_end && p->added[k])
            print_line(p->out, '+', p->b->items[k++]);
        if (i < i_end && k < k_end) {
            print_line(p->out, ' ', p->a->items[i++]);
            k++;
        }
    }
}

/* Changes with no more than twice the context between them share a hunk. */
static void print_hunks(const printer *p)
{
    size_t i = 0, k = 0;

    for (;;) {
        size_t i_start, k_start, same = 0, before;

        while (i < p->a->count && k < p->b->count && !is_changed(p, i, k))
            i++, k++;
        if (!is_changed(p, i, k))
            break;
        before = i < CONTEXT ? i : CONTEXT;
        i_start = i - before;
        k_start = k - before;
        while (same <= 2 * CONTEXT && (i < p->a->count || k < p->b->count)) {
            if (is_changed(p, i, k)) {
                same = 0;
                while (i < p->a->count && p->gone[i])
                    i++;
                while (k < p->b->count && p->added[k])
                    k++;
            } else {
                same++;
                i++, k++;
            }
        }
        /* Behind the last change there is context only. */
        before = same > CONTEXT ? same - CONTEXT : 0;
        print_hunk(p, i_start, k_start, i - before, k - before);
    }
}

int sb_text_diff(sb_slice before, sb_slice after, const char *name, sb_buf *out, sb_error **err)
{
    lines a = {0}, b = {0};
    sb_autofree sb_slice *a_items = NULL, *b_items = NULL;
    sb_autofree bool *gone = NULL, *added = NULL;
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    size_t start = 0, end = 0;
    search s;

    if (sb_slice_eq(before, after))
        return 0;
    split(before, &a);
    split(after, &b);
    a_items = a.items;
    b_items = b.items;
    if (a.count + b.count > LINES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s has more than the maximum of %d lines", shown, LINES_MAX);
    gone = sb_new_array(bool, a.count + 1);
    added = sb_new_array(bool, b.count + 1);
    while (start < a.count && start < b.count && sb_slice_eq(a.items[start], b.items[start]))
        start++;
    while (end < a.count - start && end < b.count - start &&
           sb_slice_eq(a.items[a.count - 1 - end], b.items[b.count - 1 - end]))
        end++;
    s = (search){.a = a.items + start,
                 .b = b.items + start,
                 .n = a.count - start - end,
                 .m = b.count - start - end,
                 .gone = gone + start,
                 .added = added + start};
    compare(&s);
    sb_buf_printf(out, "--- %s\n+++ %s\n", shown, shown);
    print_hunks(&(printer){.a = &a, .b = &b, .gone = gone, .added = added, .out = out});
    return sb_buf_check(out, "the diff", err);
}
