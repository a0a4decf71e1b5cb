// SPDX-License-Identifier: Apache-2.0
/*
 * Errors: a code, a message, added context. docs/errors.md is the written convention.
 *
 * A function that can fail takes `sb_error **err` as its last parameter and returns 0 or -1 (or a pointer
 * or NULL). On failure it has set *err (unless err is NULL) and left its ret_ parameters untouched.
 *
 *     if (fd < 0)
 *         return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", path, strerror(errno));
 *     if (sb_lock_load(dir, &lock, err) < 0)
 *         return sb_wrap(err, "while reading the lock");
 *
 * A message is one sentence without a final full stop that says what, where (`file:line` where there is one)
 * and, after a semicolon, what to do. Text from outside goes through sb_printable() when it is put in.
 */
#ifndef SBUILD_ERROR_H
#define SBUILD_ERROR_H

#include <sbuild/alloc.h>

/* Each code belongs to one of the documented exit codes, see sb_exit_code(). */
typedef enum sb_errc {
    SB_ERR_NONE = 0,
    SB_ERR_PARSE,       /* a Dockerfile or another input file is malformed              exit 1 */
    SB_ERR_BUILD,       /* the engine ran and the build failed                          exit 1 */
    SB_ERR_USAGE,       /* the command line or a configuration file asks for nonsense   exit 2 */
    SB_ERR_STALE,       /* the lock is missing or does not cover the Dockerfile         exit 3 */
    SB_ERR_UNPINNED,    /* something is not pinned, or lacks the required signature     exit 4 */
    SB_ERR_DRIFT,       /* upstream has changed                                         exit 5 */
    SB_ERR_GONE,        /* upstream no longer has it                                    exit 6 */
    SB_ERR_VERIFY,      /* digest, signature or checksum verification failed            exit 7 */
    SB_ERR_NETWORK,     /* network or registry                                          exit 8 */
    SB_ERR_AUTH,        /* the registry or server wants other credentials               exit 8 */
    SB_ERR_NOT_FOUND,   /* the registry or server answered 404                          exit 8 */
    SB_ERR_ENGINE,      /* no engine, or one that lacks an ability                      exit 9 */
    SB_ERR_LIMIT,       /* input is larger than a documented maximum                    exit 1 */
    SB_ERR_IO,          /* a file could not be read or written (missing, full disk …)   exit 10 */
    SB_ERR_INTERRUPTED, /* a signal asked the program to stop                           exit 130 */
    SB_ERR_INTERNAL,    /* a mistake of ours                                            exit 10 */
} sb_errc;

typedef struct sb_error {
    sb_errc code;
    char *message; /* owned; context first: "context: cause" */
} sb_error;

/* Sets *err and returns -1. A second failure while *err is set keeps the first. */
int sb_fail(sb_error **err, sb_errc code, const char *fmt, ...) SB_PRINTF(3, 4);

/* Puts "context: " before the message of *err and returns -1. */
int sb_wrap(sb_error **err, const char *fmt, ...) SB_PRINTF(2, 3);

/* Compilers and analyzers cannot see into error.c: tell them that it is always -1. */
static inline int sb_always_minus_one(int status)
{
    (void)status;
    return -1;
}
#ifndef SBUILD_ERROR_C
#define sb_fail(...) sb_always_minus_one(sb_fail(__VA_ARGS__))
#define sb_wrap(...) sb_always_minus_one(sb_wrap(__VA_ARGS__))
#endif

/* SB_ERR_NONE for NULL. */
sb_errc sb_error_code(const sb_error *err);
int sb_exit_code(sb_errc code);
void sb_error_free(sb_error *err);

SB_DEFINE_CLEANUP(sb_error, sb_error_free)

#endif
