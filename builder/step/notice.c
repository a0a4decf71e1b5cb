// SPDX-License-Identifier: Apache-2.0
/* What the user sees of the server: few lines, and none twice. */
#include <builder/step/server.h>

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

/* With the lock held: is this line new, and is there room? *ret_last: the room ends with it. */
static bool note(step_server *server, sb_slice line, bool *ret_last)
{
    sb_digest digest;

    if (server->notice_count == STEP_NOTICES_MAX)
        return false;
    sb_digest_of(SB_HASH_SHA256, line, &digest);
    for (size_t i = 0; i < server->notice_count; i++)
        if (sb_digest_eq(&server->notices[i], &digest))
            return false;
    *SB_PUSH(server->notices, server->notice_count, server->notice_cap) = digest;
    *ret_last = server->notice_count == STEP_NOTICES_MAX;
    return true;
}

void step_notice(step_server *server, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    bool fresh, last = false;
    va_list args;
    size_t len;
    int n;

    va_start(args, fmt);
    n = vsnprintf(line, sizeof(line) - 1, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    sb_scrub(line);
    len = strlen(line);
    pthread_mutex_lock(&server->lock);
    fresh = note(server, sb_slice_of(line, len), &last);
    pthread_mutex_unlock(&server->lock);
    if (!fresh)
        return;
    /* In one piece, so that what the command writes meanwhile does not come between. */
    line[len++] = '\n';
    (void)!write(STDERR_FILENO, line, len);
    if (last) {
        static const char more[] = "sbuild: there is more of this kind that is not printed\n";

        (void)!write(STDERR_FILENO, more, sizeof(more) - 1);
    }
}
