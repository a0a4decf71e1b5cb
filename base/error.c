// SPDX-License-Identifier: Apache-2.0
#define SBUILD_ERROR_C
#include <sbuild/error.h>

#include <sbuild/buf.h>

#include <stdarg.h>
#include <stdio.h>

int sb_fail(sb_error **err, sb_errc code, const char *fmt, ...)
{
    va_list ap;

    if (!err || *err)
        return -1;
    *err = sb_new(sb_error);
    (*err)->code = code;
    va_start(ap, fmt);
    if (vasprintf(&(*err)->message, fmt, ap) < 0)
        (*err)->message = sb_strdup("out of memory");
    va_end(ap);
    sb_scrub((*err)->message);
    return -1;
}

int sb_wrap(sb_error **err, const char *fmt, ...)
{
    sb_autofree char *context = NULL;
    char *message;
    va_list ap;
    int n;

    if (!err || !*err)
        return -1;
    va_start(ap, fmt);
    n = vasprintf(&context, fmt, ap);
    va_end(ap);
    if (n < 0) {
        context = NULL;
        return -1;
    }
    sb_scrub(context);
    message = sb_asprintf("%s: %s", context, (*err)->message);
    free((*err)->message);
    (*err)->message = message;
    return -1;
}

sb_errc sb_error_code(const sb_error *err)
{
    return err ? err->code : SB_ERR_NONE;
}

int sb_exit_code(sb_errc code)
{
    switch (code) {
    case SB_ERR_NONE:
        return 0;
    case SB_ERR_PARSE:
    case SB_ERR_BUILD:
    case SB_ERR_LIMIT:
        return 1;
    case SB_ERR_USAGE:
        return 2;
    case SB_ERR_STALE:
        return 3;
    case SB_ERR_UNPINNED:
        return 4;
    case SB_ERR_DRIFT:
        return 5;
    case SB_ERR_GONE:
        return 6;
    case SB_ERR_VERIFY:
        return 7;
    case SB_ERR_NETWORK:
    case SB_ERR_AUTH:
    case SB_ERR_NOT_FOUND:
        return 8;
    case SB_ERR_ENGINE:
        return 9;
    case SB_ERR_INTERRUPTED:
        return 130;
    case SB_ERR_IO:
    case SB_ERR_INTERNAL:
        break;
    }
    return 10;
}

void sb_error_free(sb_error *err)
{
    if (!err)
        return;
    free(err->message);
    free(err);
}
