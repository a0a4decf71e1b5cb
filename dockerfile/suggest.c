// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/suggest.h>

enum { NAME_MAX_LEN = 32, TOO_FAR = 3 };

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's; both at most NAME_MAX_LEN long. */
static size_t distance(sb_slice a, sb_slice b)
{
    size_t row[NAME_MAX_LEN + 1];

    for (size_t k = 0; k <= b.len; k++)
        row[k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t replaced = diagonal + (sb_ascii_lower(a.ptr[i - 1]) != sb_ascii_lower(b.ptr[k - 1]));

            diagonal = row[k];
            row[k] = smallest(replaced, row[k] + 1, row[k - 1] + 1);
        }
    }
    return row[b.len];
}

const char *df_suggest(sb_slice typed, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = 2 * TOO_FAR;

    if (typed.len == 0 || typed.len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        sb_slice name = sb_slice_z(names[i]);
        size_t d = distance(typed, name);
        /* Of two that are as near, the one with the same first letter: RNU is RUN, not ENV. */
        bool same_start = sb_slice_eq_nocase(sb_slice_sub(typed, 0, 1), sb_slice_sub(name, 0, 1));
        size_t rank = 2 * d + !same_start;

        if (d > 0 && d < TOO_FAR && rank < least) {
            least = rank;
            nearest = names[i];
        }
    }
    return nearest;
}
