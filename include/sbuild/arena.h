// SPDX-License-Identifier: Apache-2.0
/* An arena: many small allocations that live and die together. Memory is zeroed and aligned for any type. */
#ifndef SBUILD_ARENA_H
#define SBUILD_ARENA_H

#include <sbuild/slice.h>

typedef struct sb_arena sb_arena;

sb_arena *sb_arena_new(void);
void sb_arena_free(sb_arena *arena);
SB_DEFINE_CLEANUP(sb_arena, sb_arena_free)

void *sb_arena_alloc(sb_arena *arena, size_t size);
/* A copy with a NUL behind it (not counted). */
sb_slice sb_arena_dup(sb_arena *arena, sb_slice s);
char *sb_arena_strdup(sb_arena *arena, sb_slice s);
/* A copy with its ASCII letters in lower case. */
sb_slice sb_arena_lower(sb_arena *arena, sb_slice s);
sb_slice sb_arena_printf(sb_arena *arena, const char *fmt, ...) SB_PRINTF(2, 3);
/* As SB_PUSH, for arrays that live in an arena (the old copy stays until the arena dies). */
void *sb_arena_grow(sb_arena *arena, void *ptr, size_t len, size_t *cap, size_t elem_size);
#define SB_ARENA_PUSH(arena, ptr, len, cap)                                                                  \
    ((ptr) = sb_arena_grow((arena), (ptr), (len), &(cap), sizeof(*(ptr))), &(ptr)[(len)++])

#define sb_arena_new_of(arena, type) ((type *)sb_arena_alloc((arena), sizeof(type)))
#define sb_arena_array(arena, type, n) ((type *)sb_arena_alloc((arena), sizeof(type) * (n)))

#endif
