// SPDX-License-Identifier: Apache-2.0
#include <builder/step/head.h>

enum { LINE_MAX_BYTES = 4096, SIZE_DIGITS_MAX = 15 };

/* One byte of a line with a size, or of what stands between data. */
static bool take(step_chunked *c, char byte)
{
    int digit = sb_hex_value(byte);

    switch (c->state) {
    case STEP_CHUNK_SIZE:
        if (digit >= 0) {
            c->left = c->left << 4 | (unsigned)digit;
            return ++c->digits <= SIZE_DIGITS_MAX;
        }
        if (!c->digits)
            return false;
        c->state = STEP_CHUNK_EXTENSION;
        return byte == ';' || byte == ' ' || byte == '\t' || (byte == '\r' && take(c, byte));
    case STEP_CHUNK_EXTENSION:
        if (byte == '\r')
            c->state = STEP_CHUNK_SIZE_END;
        return byte != '\n' && ++c->overhead <= LINE_MAX_BYTES;
    case STEP_CHUNK_SIZE_END:
        c->state = c->left ? STEP_CHUNK_DATA : STEP_CHUNK_TRAILER;
        c->digits = 0;
        c->overhead = 0;
        return byte == '\n';
    case STEP_CHUNK_DATA_END:
        if (byte == '\r')
            return c->digits++ == 0;
        c->state = STEP_CHUNK_SIZE;
        return byte == '\n' && c->digits-- == 1;
    case STEP_CHUNK_TRAILER:
        c->state = byte == '\r' ? STEP_CHUNK_LAST_END : STEP_CHUNK_TRAILER_LINE;
        return byte != '\n' && ++c->overhead <= LINE_MAX_BYTES;
    case STEP_CHUNK_TRAILER_LINE:
        if (byte == '\n')
            c->state = STEP_CHUNK_TRAILER;
        return ++c->overhead <= LINE_MAX_BYTES;
    case STEP_CHUNK_LAST_END:
        c->state = STEP_CHUNK_DONE;
        return byte == '\n';
    case STEP_CHUNK_DATA:
    case STEP_CHUNK_DONE:
        break;
    }
    return false;
}

step_chunk step_chunked_next(step_chunked *c, sb_slice *input, sb_slice *ret_data)
{
    while (c->state != STEP_CHUNK_DONE && input->len) {
        if (c->state == STEP_CHUNK_DATA) {
            size_t len = input->len < c->left ? input->len : (size_t)c->left;

            *ret_data = sb_slice_sub(*input, 0, len);
            *input = sb_slice_sub(*input, len, input->len);
            c->left -= len;
            if (!c->left)
                c->state = STEP_CHUNK_DATA_END;
            return STEP_CHUNK_PIECE;
        }
        if (!take(c, input->ptr[0]))
            return STEP_CHUNK_BAD;
        *input = sb_slice_sub(*input, 1, input->len);
    }
    return c->state == STEP_CHUNK_DONE ? STEP_CHUNK_END : STEP_CHUNK_MORE;
}
