// SPDX-License-Identifier: Apache-2.0
#include <sbuild/json.h>
#include <sbuild/utf8.h>

static void add_escaped(sb_buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"':
        sb_buf_add(out, "\\\"", 2);
        return;
    case '\\':
        sb_buf_add(out, "\\\\", 2);
        return;
    case '\n':
        sb_buf_add(out, "\\n", 2);
        return;
    case '\r':
        sb_buf_add(out, "\\r", 2);
        return;
    case '\t':
        sb_buf_add(out, "\\t", 2);
        return;
    default:
        sb_buf_add(out, escape, sizeof(escape));
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void sb_buf_add_json(sb_buf *out, sb_slice text)
{
    size_t done = 0;

    sb_buf_addc(out, '"');
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        uint32_t decoded;
        size_t n = is_plain(c) ? 1 : c < 0x80 ? 0 : sb_utf8_decode(text.ptr + i, text.len - i, &decoded);

        if (n > 0) {
            i += n;
            continue;
        }
        sb_buf_adds(out, sb_slice_sub(text, done, i));
        if (c < 0x80)
            add_escaped(out, c);
        else
            sb_buf_addz(out, "\xef\xbf\xbd");
        done = ++i;
    }
    if (text.len > done)
        sb_buf_adds(out, sb_slice_sub(text, done, text.len));
    sb_buf_addc(out, '"');
}

static void begin(sb_json_writer *w, const char *key)
{
    if (w->comma)
        sb_buf_addc(w->out, ',');
    w->comma = true;
    if (!key)
        return;
    sb_buf_add_json(w->out, sb_slice_z(key));
    sb_buf_addc(w->out, ':');
}

void sb_json_open(sb_json_writer *w, const char *key, char bracket)
{
    begin(w, key);
    sb_buf_addc(w->out, bracket);
    w->comma = false;
}

void sb_json_close(sb_json_writer *w, char bracket)
{
    sb_buf_addc(w->out, bracket);
    w->comma = true;
}

void sb_json_newline(sb_json_writer *w)
{
    if (w->comma)
        sb_buf_addc(w->out, ',');
    sb_buf_addc(w->out, '\n');
    w->comma = false;
}

void sb_json_put_str(sb_json_writer *w, const char *key, sb_slice value)
{
    if (!value.ptr)
        return;
    begin(w, key);
    sb_buf_add_json(w->out, value);
}

void sb_json_put_strz(sb_json_writer *w, const char *key, const char *value)
{
    sb_json_put_str(w, key, sb_slice_z(value));
}

void sb_json_put_u64(sb_json_writer *w, const char *key, uint64_t value)
{
    begin(w, key);
    sb_buf_printf(w->out, "%llu", (unsigned long long)value);
}

void sb_json_put_bool(sb_json_writer *w, const char *key, bool value)
{
    begin(w, key);
    sb_buf_addz(w->out, value ? "true" : "false");
}
