// SPDX-License-Identifier: Apache-2.0
/*
 * Memory and ownership.
 *
 * The sb_ allocation functions never return NULL and never return memory that is not zeroed
 * (sb_realloc excepted). When memory runs out they call the handler that the program installed with
 * sb_set_oom_handler(); without one they abort. That is the library's one exception to "the library
 * never exits": everything it writes goes to a temporary file first, so nothing is left half-written.
 *
 * Ownership is visible at the declaration: a variable marked sb_autofree, sb_autoclose or
 * SB_AUTO(type) owns what it holds, and SB_TAKE() hands it over.
 */
#ifndef SBUILD_ALLOC_H
#define SBUILD_ALLOC_H

#include <stddef.h>
#include <stdlib.h>

#define SB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SB_MUST_CHECK __attribute__((warn_unused_result))

/* Called once when memory runs out; must not return. `size` is what could not be had, in bytes. */
typedef void (*sb_oom_handler)(size_t size);
void sb_set_oom_handler(sb_oom_handler handler);

void *sb_malloc(size_t size);
void *sb_calloc(size_t count, size_t size);
void *sb_realloc(void *ptr, size_t size);
char *sb_strdup(const char *s);
char *sb_strndup(const char *s, size_t len);
char *sb_asprintf(const char *fmt, ...) SB_PRINTF(1, 2);
/* What another library allocated: `ptr` itself; NULL is treated as above. */
void *sb_not_null(void *ptr);

#define sb_new(type) ((type *)sb_calloc(1, sizeof(type)))
#define sb_new_array(type, n) ((type *)sb_calloc((n), sizeof(type)))

/*
 * Makes room for one more element in the array (ptr, len, cap), growing it by doubling.
 * Use: `*SB_PUSH(v->items, v->len, v->cap) = item;`
 */
void *sb_grow(void *ptr, size_t len, size_t *cap, size_t elem_size);
#define SB_PUSH(ptr, len, cap) ((ptr) = sb_grow((ptr), (len), &(cap), sizeof(*(ptr))), &(ptr)[(len)++])

void sb_freep(void *ptr_to_ptr);
void sb_closep(int *fd);

#define sb_autofree __attribute__((cleanup(sb_freep)))
#define sb_autoclose __attribute__((cleanup(sb_closep)))

/* SB_DEFINE_CLEANUP(sb_lock, sb_lock_free) makes SB_AUTO(sb_lock) x = NULL; free itself. */
#define SB_DEFINE_CLEANUP(type, func)                                                                        \
    static inline void type##_cleanup_p(type **p)                                                            \
    {                                                                                                        \
        if (*p)                                                                                              \
            func(*p);                                                                                        \
    }
#define SB_AUTO(type) __attribute__((cleanup(type##_cleanup_p))) type *

/* Hands over what a pointer owns: evaluates to it and leaves NULL behind. */
#define SB_TAKE(ptr)                                                                                         \
    (__extension__({                                                                                         \
        __typeof__(ptr) sb_taken_ = (ptr);                                                                   \
        (ptr) = NULL;                                                                                        \
        sb_taken_;                                                                                           \
    }))

#define SB_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
