// SPDX-License-Identifier: Apache-2.0
#include <sbuild/buf.h>

#include <stdarg.h>
#include <stdio.h>

bool sb_buf_add(sb_buf *buf, const void *data, size_t len)
{
    if (buf->overflow || len > buf->max - buf->len) {
        buf->overflow = true;
        return false;
    }
    if (buf->len + len + 1 > buf->cap) {
        size_t want = buf->cap ? buf->cap : 64;

        while (want < buf->len + len + 1)
            want *= 2;
        buf->data = sb_realloc(buf->data, want);
        buf->cap = want;
    }
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return true;
}

bool sb_buf_adds(sb_buf *buf, sb_slice s)
{
    return sb_buf_add(buf, s.ptr, s.len);
}

bool sb_buf_addz(sb_buf *buf, const char *s)
{
    return sb_buf_add(buf, s, strlen(s));
}

bool sb_buf_addc(sb_buf *buf, char c)
{
    return sb_buf_add(buf, &c, 1);
}

bool sb_buf_printf(sb_buf *buf, const char *fmt, ...)
{
    sb_autofree char *s = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        s = NULL;
        buf->overflow = true;
        return false;
    }
    return sb_buf_add(buf, s, (size_t)n);
}

int sb_buf_check(const sb_buf *buf, const char *what, sb_error **err)
{
    if (buf->overflow)
        return sb_fail(err, SB_ERR_LIMIT, "%s is larger than the maximum of %zu bytes", what, buf->max);
    return 0;
}

sb_slice sb_buf_slice(const sb_buf *buf)
{
    return sb_slice_of(buf->data ? buf->data : "", buf->len);
}

char *sb_buf_take(sb_buf *buf)
{
    char *data = buf->data ? buf->data : sb_strdup("");

    *buf = SB_BUF_INIT(buf->max);
    return data;
}

void sb_buf_reset(sb_buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void sb_buf_free(sb_buf *buf)
{
    free(buf->data);
    *buf = SB_BUF_INIT(buf->max);
}
