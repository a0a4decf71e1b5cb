// SPDX-License-Identifier: Apache-2.0
/*
 * HTML pages and XML. Text from outside is escaped for content and for quoted attributes alike, and what XML
 * 1.0 does not allow or what would deceive a reader (control characters, invalid UTF-8, bidirectional
 * overrides) is made visible as sb_buf_add_printable does it; line ends and tabs stay.
 */
#ifndef SBUILD_MARKUP_H
#define SBUILD_MARKUP_H

#include <sbuild/buf.h>

void sb_markup_add(sb_buf *out, sb_slice text);
/* `open` and `close` as they are, the text between them escaped. */
void sb_markup_element(sb_buf *out, const char *open, sb_slice text, const char *close);

/*
 * The frame of a page: no scripts, nothing from elsewhere (and forbidden to, by its own policy), readable
 * without its style, light or dark as the reader has it. Begins the body with the title.
 */
void sb_html_begin(sb_buf *out, sb_slice title);
void sb_html_end(sb_buf *out);

#endif
