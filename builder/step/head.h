// SPDX-License-Identifier: Apache-2.0
/*
 * The heads of HTTP/1.x messages (RFC 9112) and chunked bodies, as slices of what was received. Strict where
 * two programs could understand two things: such a message is refused, never repaired.
 */
#ifndef STEP_HEAD_H
#define STEP_HEAD_H

#include <sbuild/step.h>

enum { STEP_HEADERS_MAX = 256 }; /* fields of one head */

typedef struct step_head {
    sb_slice method, target; /* of a request */
    unsigned status;         /* of an answer */
    unsigned minor;          /* HTTP/1.minor, 0 or 1 */
    sb_step_header *headers; /* names in lower case, values trimmed, in the order received */
    size_t count;
    bool chunked;
    bool has_length;
    uint64_t length;
    bool keep_alive; /* the other side means to go on with the connection */
    bool expects_continue;
} step_head;

/* Bytes of the head at the beginning of `text`, its empty line included; 0 as long as that has not come. */
size_t step_head_len(sb_slice text);
/* `text` is a whole head. What is returned lives as long as `text` and the arena. SB_ERR_PARSE says what is
 * wrong. */
int step_head_request(sb_arena *arena, sb_slice text, step_head *ret_head, sb_error **err);
int step_head_answer(sb_arena *arena, sb_slice text, step_head *ret_head, sb_error **err);
/* The value of the first header of this name (lower case); absent without. */
sb_slice step_head_get(const step_head *head, const char *name);
/* Is `token` in the comma-separated list that all headers of this name make? */
bool step_head_has_token(const step_head *head, const char *name, sb_slice token);
/* A header of this connection alone, not of the message: is it not to be handed on? */
bool step_head_is_hop(const step_head *head, sb_slice name);

/* A chunked body, piece by piece. Zeroed at first. */
typedef struct step_chunked {
    enum {
        STEP_CHUNK_SIZE, /* at the beginning of a line with a size */
        STEP_CHUNK_EXTENSION,
        STEP_CHUNK_SIZE_END,
        STEP_CHUNK_DATA,
        STEP_CHUNK_DATA_END,
        STEP_CHUNK_TRAILER, /* at the beginning of a line */
        STEP_CHUNK_TRAILER_LINE,
        STEP_CHUNK_LAST_END,
        STEP_CHUNK_DONE,
    } state;
    uint64_t left;
    unsigned digits;
    size_t overhead; /* bytes of the line, or of all trailers */
} step_chunked;
typedef enum step_chunk { STEP_CHUNK_MORE, STEP_CHUNK_PIECE, STEP_CHUNK_END, STEP_CHUNK_BAD } step_chunk;
/* Takes what it understands from the front of *input; *ret_data (of STEP_CHUNK_PIECE) is a part of it. */
step_chunk step_chunked_next(step_chunked *chunked, sb_slice *input, sb_slice *ret_data);

#endif
