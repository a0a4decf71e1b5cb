// SPDX-License-Identifier: Apache-2.0
#include <sbuild/alloc.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sb_oom_handler oom_handler;

void sb_set_oom_handler(sb_oom_handler handler)
{
    oom_handler = handler;
}

static void *checked(void *ptr, size_t size)
{
    if (!ptr) {
        if (oom_handler)
            oom_handler(size);
        abort();
    }
    return ptr;
}

void *sb_not_null(void *ptr)
{
    return checked(ptr, 0);
}

void *sb_malloc(size_t size)
{
    return sb_calloc(1, size);
}

void *sb_calloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1), size);
}

void *sb_realloc(void *ptr, size_t size)
{
    return checked(realloc(ptr, size ? size : 1), size);
}

char *sb_strdup(const char *s)
{
    return s ? sb_strndup(s, strlen(s)) : NULL;
}

char *sb_strndup(const char *s, size_t len)
{
    char *copy = sb_malloc(len + 1);

    if (len)
        memcpy(copy, s, len);
    return copy;
}

char *sb_asprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return checked(n < 0 ? NULL : s, 0);
}

void *sb_grow(void *ptr, size_t len, size_t *cap, size_t elem_size)
{
    size_t want;

    if (len < *cap)
        return ptr;
    want = *cap ? *cap * 2 : 8;
    if (want > SIZE_MAX / 2 / elem_size)
        checked(NULL, SIZE_MAX);
    ptr = sb_realloc(ptr, want * elem_size);
    *cap = want;
    return ptr;
}

void sb_freep(void *ptr_to_ptr)
{
    void *ptr;

    memcpy(&ptr, ptr_to_ptr, sizeof(ptr));
    free(ptr);
}

void sb_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
