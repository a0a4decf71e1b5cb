// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/tree.h>

#include <stdarg.h>
#include <stdio.h>

enum { QUOTED_MAX = 300 };

static char *format(const char *fmt, va_list ap) SB_PRINTF(1, 0);
static char *format(const char *fmt, va_list ap)
{
    char *text;

    return vasprintf(&text, fmt, ap) < 0 ? sb_strdup(fmt) : text;
}

int df_fail(const df_parser *p, size_t offset, sb_error **err, const char *fmt, ...)
{
    sb_autofree char *name = sb_printable(p->df->name);
    sb_autofree char *message = NULL;
    unsigned line, column;
    va_list ap;

    va_start(ap, fmt);
    message = format(fmt, ap);
    va_end(ap);
    sb_df_position(p->df, offset, &line, &column);
    return sb_fail(err, SB_ERR_PARSE, "%s:%u:%u: %s", name, line, column, message);
}

int df_fail_line(const df_parser *p, unsigned line, sb_errc code, sb_error **err, const char *fmt, ...)
{
    sb_autofree char *name = sb_printable(p->df->name);
    sb_autofree char *message = NULL;
    va_list ap;

    va_start(ap, fmt);
    message = format(fmt, ap);
    va_end(ap);
    return sb_fail(err, code, "%s:%u: %s", name, line, message);
}

char *df_quote(sb_slice text)
{
    sb_autobuf quoted = SB_BUF_INIT(2 * QUOTED_MAX + 2);
    sb_autobuf shown = SB_BUF_INIT(16 * QUOTED_MAX);

    for (size_t i = 0; i < text.len && i <= QUOTED_MAX; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            sb_buf_addc(&quoted, '\\');
        sb_buf_addc(&quoted, text.ptr[i]);
    }
    sb_buf_addc(&shown, '"');
    sb_buf_add_printable(&shown, sb_buf_slice(&quoted), QUOTED_MAX);
    sb_buf_addc(&shown, '"');
    return sb_buf_take(&shown);
}
