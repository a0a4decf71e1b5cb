// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/suggest.h>

enum {
    NAME_MAX_LEN = 32,
    TOO_FAR = 3,
    TOO_FAR_RANK = 2 * TOO_FAR,
    NEAR_NAMES_MAX = 1000, /* variables that are compared */
};

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

/* The smaller the nearer; TOO_FAR_RANK and more is no suggestion. */
static size_t rank_of(sb_slice typed, sb_slice name)
{
    size_t d = name.len && name.len <= NAME_MAX_LEN ? distance(typed, name) : TOO_FAR;
    /* Of two that are as near, the one with the same first letter: RNU is RUN, not ENV. */
    bool same_start = name.len && sb_slice_eq_nocase(sb_slice_sub(typed, 0, 1), sb_slice_sub(name, 0, 1));

    return 2 * d + !same_start;
}

const char *df_suggest(sb_slice typed, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = TOO_FAR_RANK;

    if (typed.len == 0 || typed.len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t rank = rank_of(typed, sb_slice_z(names[i]));

        if (rank > 0 && rank < least) {
            least = rank;
            nearest = names[i];
        }
    }
    return nearest;
}

ptrdiff_t sb_df_nearest(sb_slice name, const sb_df_env *env, size_t count)
{
    ptrdiff_t nearest = -1;
    size_t least = TOO_FAR_RANK;

    if (name.len == 0 || name.len > NAME_MAX_LEN)
        return -1;
    for (size_t i = 0; i < count && i < NEAR_NAMES_MAX; i++) {
        size_t rank = rank_of(name, env->vars[i].key);

        if (rank < least) {
            least = rank;
            nearest = (ptrdiff_t)i;
        }
    }
    return nearest;
}
