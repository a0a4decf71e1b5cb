// SPDX-License-Identifier: Apache-2.0
/*
 * Other programs: found on PATH, started with an argument vector (never through a shell), their output
 * captured with a maximum or handed through.
 */
#ifndef SBUILD_PROCESS_H
#define SBUILD_PROCESS_H

#include <sys/types.h>

#include <sbuild/buf.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_process_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up on PATH unless it holds a "/" */
    const char *const
        *env; /* extra "NAME=value" that override the own environment; NULL-terminated; may be NULL */
    const char *const *unset; /* names to remove from the environment; NULL-terminated; may be NULL */
    bool clear_env;           /* start from `env` alone (PATH and HOME are kept) */
    const char *cwd;          /* NULL: the own */
    const char *host_name;    /* of the machine as it sees it, where that may be changed; NULL: the own */
    sb_slice input;           /* written to its standard input, which is /dev/null when this is absent */
    int input_fd;             /* > 0: its standard input instead of `input` */
    sb_buf *output;           /* standard output; NULL: inherited */
    int output_fd;            /* > 0: its standard output instead of `output` */
    int errors_fd;            /* > 0: its standard error instead of `errors` */
    sb_buf *errors;           /* standard error; NULL: inherited; may equal `output` */
    unsigned timeout;         /* seconds, 0: none */
    /* Called with each piece of output as it comes (stream 1 or 2) instead of the buffers; may be NULL. */
    void (*on_output)(void *ctx, int stream, sb_slice piece);
    void *ctx;
} sb_process_options;

/*
 * Runs it to its end. Returns 0 with the exit status (128 + N after signal N), -1 when it could not be run
 * (SB_ERR_NOT_FOUND: no such program), overran its time (SB_ERR_NETWORK) or its output maximum
 * (SB_ERR_LIMIT).
 */
int sb_process_run(const sb_process_options *options, int *ret_status, sb_error **err);
/*
 * Starts a child process that runs `work` and ends with the status that it returns. The caller waits for
 * *ret_pid, and may kill it before; the child is killed when the caller's process dies.
 */
int sb_process_fork(int (*work)(void *ctx), void *ctx, pid_t *ret_pid, sb_error **err);
/* Waits for its end, and tells it to end when the user wants to stop: *ret_status as waitpid() has it. */
int sb_process_wait(pid_t pid, int *ret_status, sb_error **err);
/* The program's full path, or NULL when PATH does not have it. The caller frees it. */
char *sb_process_find(const char *name);

#endif
