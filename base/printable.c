// SPDX-License-Identifier: Apache-2.0
#include <sbuild/buf.h>
#include <sbuild/utf8.h>

/* Characters that reorder or hide the text around them: directional marks, isolates and the like. */
static bool is_deceptive(uint32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

void sb_buf_add_printable(sb_buf *buf, sb_slice s, size_t max_len)
{
    size_t i = 0;

    while (i < s.len && i < max_len) {
        size_t plain = i, n;
        uint32_t c;

        while (plain < s.len && plain < max_len && s.ptr[plain] >= 0x20 && s.ptr[plain] < 0x7f)
            plain++;
        if (plain > i) {
            sb_buf_add(buf, s.ptr + i, plain - i);
            i = plain;
            continue;
        }
        n = sb_utf8_decode(s.ptr + i, s.len - i, &c);
        if (n == 0) {
            sb_buf_printf(buf, "\\x%02x", (unsigned char)s.ptr[i]);
            n = 1;
        } else if (c < 0x20 || c == 0x7f) {
            sb_buf_printf(buf, "\\x%02x", c);
        } else if (is_deceptive(c)) {
            sb_buf_printf(buf, "\\u{%04x}", c);
        } else {
            sb_buf_add(buf, s.ptr + i, n);
        }
        i += n;
    }
    if (i < s.len)
        sb_buf_addz(buf, "…");
}

void sb_scrub(char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len;) {
        uint32_t c;
        size_t n;

        if (text[i] >= 0x20 && text[i] < 0x7f) {
            i++;
            continue;
        }
        n = sb_utf8_decode(text + i, len - i, &c);
        if (n == 0)
            n = 1;
        else if (c == '\n' || c == '\t')
            text[i] = ' ';
        else if (c < 0x20 || c == 0x7f || is_deceptive(c))
            memset(text + i, '?', n);
        i += n;
    }
}

char *sb_printable(sb_slice s)
{
    sb_autobuf buf = SB_BUF_INIT(8192);

    sb_buf_add_printable(&buf, s, 300);
    return sb_buf_take(&buf);
}
