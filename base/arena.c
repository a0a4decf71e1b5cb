// SPDX-License-Identifier: Apache-2.0
#include <sbuild/arena.h>

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

typedef struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char data[];
} chunk;

struct sb_arena {
    chunk *chunks; /* the newest first */
    size_t next_size;
};

sb_arena *sb_arena_new(void)
{
    sb_arena *arena = sb_new(sb_arena);

    arena->next_size = FIRST_CHUNK;
    return arena;
}

void sb_arena_free(sb_arena *arena)
{
    if (!arena)
        return;
    for (chunk *c = arena->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
}

void *sb_arena_alloc(sb_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    chunk *c = arena->chunks;
    void *p;

    size = (size + align - 1) / align * align;
    if (!c || size > c->size - c->used) {
        size_t want = size > arena->next_size ? size : arena->next_size;

        c = sb_calloc(1, sizeof(*c) + want);
        c->size = want;
        c->next = arena->chunks;
        arena->chunks = c;
        if (arena->next_size < LARGEST_CHUNK)
            arena->next_size *= 2;
    }
    p = c->data + c->used;
    c->used += size;
    return p;
}

sb_slice sb_arena_dup(sb_arena *arena, sb_slice s)
{
    char *copy = sb_arena_alloc(arena, s.len + 1);

    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return sb_slice_of(copy, s.len);
}

char *sb_arena_strdup(sb_arena *arena, sb_slice s)
{
    char *copy = sb_arena_alloc(arena, s.len + 1);

    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

sb_slice sb_arena_lower(sb_arena *arena, sb_slice s)
{
    char *copy = sb_arena_strdup(arena, s);

    for (size_t i = 0; i < s.len; i++)
        copy[i] = sb_ascii_lower(copy[i]);
    return sb_slice_of(copy, s.len);
}

sb_slice sb_arena_printf(sb_arena *arena, const char *fmt, ...)
{
    va_list ap;
    char *copy;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    copy = sb_arena_alloc(arena, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(copy, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return sb_slice_of(copy, (size_t)n);
}

void *sb_arena_grow(sb_arena *arena, void *ptr, size_t len, size_t *cap, size_t elem_size)
{
    size_t want;
    void *grown;

    if (len < *cap)
        return ptr;
    want = *cap ? *cap * 2 : 4;
    grown = sb_arena_alloc(arena, want * elem_size);
    if (len)
        memcpy(grown, ptr, len * elem_size);
    *cap = want;
    return grown;
}
