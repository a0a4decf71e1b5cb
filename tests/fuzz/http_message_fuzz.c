// SPDX-License-Identifier: Apache-2.0
/* What comes over a step's connections: heads of requests and answers, ranges, chunked bodies in two pieces.
 */
#include <builder/step/range.h>

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(sb_arena *arena, sb_slice text)
{
    uint64_t first, len;
    step_range range;
    step_head head;

    if (step_head_request(arena, text, &head, NULL) < 0)
        return;
    range = step_range_of(&head);
    for (uint64_t total = 0; total < 3 && range.wanted; total++)
        if (step_range_apply(&range, total * total * 1000, &first, &len) &&
            (first + len > total * total * 1000 || !len))
            __builtin_trap();
    (void)step_range_holds(&head, head.headers, head.count);
    for (size_t i = 0; i < head.count; i++)
        (void)step_head_is_hop(&head, head.headers[i].name);
}

/* However a body is cut into pieces, it is the same body. */
static size_t count_body(sb_slice text, size_t cut, bool *ret_ended)
{
    step_chunked chunked = {0};
    sb_slice parts[2] = {sb_slice_sub(text, 0, cut), sb_slice_sub(text, cut, text.len)}, data;
    step_chunk got = STEP_CHUNK_MORE;
    size_t sum = 0;

    for (int i = 0; i < 2 && got == STEP_CHUNK_MORE; i++) {
        while ((got = step_chunked_next(&chunked, &parts[i], &data)) == STEP_CHUNK_PIECE)
            sum += data.len;
    }
    *ret_ended = got == STEP_CHUNK_END;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_slice text = sb_slice_of(size ? (const char *)data : "", size);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    size_t len = step_head_len(text);
    bool whole, cut;
    step_head head;

    if (len > size)
        __builtin_trap();
    if (len) {
        read_request(arena, sb_slice_sub(text, 0, len));
        (void)step_head_answer(arena, sb_slice_sub(text, 0, len), &head, NULL);
    }
    text = sb_slice_sub(text, len, size);
    if (count_body(text, 0, &whole) != count_body(text, text.len / 2, &cut) || whole != cut)
        __builtin_trap();
    return 0;
}
