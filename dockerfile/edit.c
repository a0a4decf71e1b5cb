// SPDX-License-Identifier: Apache-2.0
#include <sbuild/dockerfile.h>

typedef struct numbered {
    sb_df_edit edit;
    size_t index;
} numbered;

/* By place; insertions before what begins there, otherwise in the order given. */
static int compare(const void *a, const void *b)
{
    const numbered *x = a, *y = b;

    if (x->edit.span.start != y->edit.span.start)
        return x->edit.span.start < y->edit.span.start ? -1 : 1;
    if (x->edit.span.end != y->edit.span.end &&
        (x->edit.span.end == x->edit.span.start || y->edit.span.end == y->edit.span.start))
        return x->edit.span.end < y->edit.span.end ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

int sb_df_apply(sb_slice text, const sb_df_edit *edits, size_t count, sb_buf *out, sb_error **err)
{
    sb_autofree numbered *sorted = sb_new_array(numbered, count + 1);
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (edits[i].span.start > edits[i].span.end || edits[i].span.end > text.len)
            return sb_fail(err, SB_ERR_INTERNAL, "an edit of the bytes %zu to %zu of %zu",
                           edits[i].span.start, edits[i].span.end, text.len);
        sorted[i] = (numbered){edits[i], i};
    }
    qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t i = 1; i < count; i++)
        if (sorted[i].edit.span.start < sorted[i - 1].edit.span.end)
            return sb_fail(err, SB_ERR_INTERNAL, "two edits overlap at byte %zu", sorted[i].edit.span.start);
    for (size_t i = 0; i < count; i++) {
        const sb_df_edit *edit = &sorted[i].edit;

        sb_buf_adds(out, sb_slice_sub(text, at, edit->span.start));
        sb_buf_adds(out, edit->text);
        at = edit->span.end;
    }
    if (text.len > at)
        sb_buf_adds(out, sb_slice_sub(text, at, text.len));
    return sb_buf_check(out, "the edited Dockerfile", err);
}
