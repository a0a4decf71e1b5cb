// SPDX-License-Identifier: Apache-2.0
#include <sbuild/markup.h>
#include <sbuild/utf8.h>

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void sb_markup_add(sb_buf *out, sb_slice text)
{
    for (size_t i = 0; i < text.len;) {
        const char *entity = entity_of(text.ptr[i]);
        uint32_t c = 0;
        size_t n = sb_utf8_decode(text.ptr + i, text.len - i, &c);

        n = n ? n : 1;
        if (entity)
            sb_buf_addz(out, entity);
        else if (text.ptr[i] == '\n' || text.ptr[i] == '\t')
            sb_buf_addc(out, text.ptr[i]);
        else if (c == 0xfffe || c == 0xffff) /* the only ones beyond control characters that XML forbids */
            sb_buf_printf(out, "\\u{%04x}", c);
        else
            sb_buf_add_printable(out, sb_slice_sub(text, i, i + n), n);
        i += n;
    }
}

void sb_markup_element(sb_buf *out, const char *open, sb_slice text, const char *close)
{
    sb_buf_addz(out, open);
    sb_markup_add(out, text);
    sb_buf_addz(out, close);
}

void sb_html_begin(sb_buf *out, sb_slice title)
{
    sb_buf_addz(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                     "'unsafe-inline'\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    sb_markup_element(out, "<title>", title, "</title>\n");
    sb_buf_addz(
        out, "<style>\n"
             ":root{color-scheme:light dark;--bad:#b3261e;--warn:#7a5900;--good:#1a7f37}\n"
             "@media(prefers-color-scheme:dark){:root{--bad:#ff8a80;--warn:#f2c14e;--good:#6fdc8c}}\n"
             "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\n"
             "code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}\n"
             "pre{white-space:pre-wrap;margin:.2rem 0;padding:.3rem .6rem;border-left:.25rem solid}\n"
             ".first{border-color:var(--bad)}.other{border-color:var(--good)}.good{color:var(--good)}"
             ".bad{color:var(--bad)}.warn{color:var(--warn)}.what{opacity:.75}\n"
             "article{margin:1rem 0;padding-left:1rem;border-left:1px solid #8888}article p{margin:.3rem 0}\n"
             "h3,h4{margin-bottom:.2rem}table{border-collapse:collapse}\n"
             "td,th{padding:.2rem 1rem .2rem 0;text-align:left;vertical-align:top}"
             "td.number,th.number{text-align:right;white-space:nowrap}\n"
             "</style>\n</head>\n<body>\n");
    sb_markup_element(out, "<h1>", title, "</h1>\n");
}

void sb_html_end(sb_buf *out)
{
    sb_buf_printf(out, "<p class=\"what\">sbuild %s</p>\n</body>\n</html>\n", SBUILD_VERSION);
}
