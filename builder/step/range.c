// SPDX-License-Identifier: Apache-2.0
#include <builder/step/range.h>

enum { GAP_MAX = 80 };

static bool parse_one(sb_slice text, step_range *range)
{
    sb_slice first = sb_slice_trim(sb_slice_cut(&text, '-'));

    if (!text.ptr)
        return false;
    text = sb_slice_trim(text);
    range->wanted = true;
    range->suffix = !first.len;
    if (range->suffix)
        return sb_slice_to_u64(text, &range->last);
    range->last = UINT64_MAX;
    return sb_slice_to_u64(first, &range->first) &&
           (!text.len || (sb_slice_to_u64(text, &range->last) && range->last >= range->first));
}

/* Is what lies between them less than the head of another part would be? */
static bool is_near(const step_range *a, const step_range *b)
{
    const step_range *before = a->first <= b->first ? a : b, *behind = before == a ? b : a;

    return before->last >= behind->first || behind->first - before->last <= GAP_MAX;
}

step_range step_range_of(const step_head *request)
{
    sb_slice rest = step_head_get(request, "range");
    step_range all = {0};

    if (!sb_slice_starts(rest, SB_LIT("bytes=")))
        return all;
    rest = sb_slice_sub(rest, strlen("bytes="), rest.len);
    while (rest.ptr) {
        step_range one = {0};

        if (!parse_one(sb_slice_cut(&rest, ','), &one))
            return (step_range){0};
        if (!all.wanted) {
            all = one;
            continue;
        }
        /* Far from each other, or from the end and from the beginning: the whole covers both. */
        if (all.suffix != one.suffix || (!one.suffix && !is_near(&all, &one)))
            return (step_range){0};
        all.first = one.first < all.first ? one.first : all.first;
        all.last = one.last > all.last ? one.last : all.last;
    }
    return all;
}

bool step_range_holds(const step_head *request, const sb_step_header *headers, size_t count)
{
    sb_slice wanted = step_head_get(request, "if-range");

    if (!wanted.ptr)
        return true;
    for (size_t i = 0; i < count; i++)
        if ((sb_slice_eqz(headers[i].name, "etag") || sb_slice_eqz(headers[i].name, "last-modified")) &&
            sb_slice_eq(headers[i].value, wanted))
            return !sb_slice_starts(wanted, SB_LIT("W/"));
    return false;
}

bool step_range_apply(const step_range *range, uint64_t size, uint64_t *ret_first, uint64_t *ret_len)
{
    uint64_t last;

    if (range->suffix) {
        uint64_t len = range->last < size ? range->last : size;

        *ret_first = size - len;
        *ret_len = len;
        return len > 0;
    }
    if (range->first >= size)
        return false;
    last = range->last < size ? range->last : size - 1;
    *ret_first = range->first;
    *ret_len = last - range->first + 1;
    return true;
}
