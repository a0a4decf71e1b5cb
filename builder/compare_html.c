// SPDX-License-Identifier: Apache-2.0
/*
 * The same as one page of HTML: no scripts, nothing from elsewhere, readable without its style. Everything
 * from outside is escaped.
 */
#include <builder/reproduce.h>
#include <sbuild/markup.h>

static void add_difference(const sb_difference *d, sb_buf *out)
{
    static const char *const classes[] = {"<pre class=\"first\">first: ", "<pre class=\"other\">other: "};
    sb_autobuf kinds = SB_BUF_INIT(1 << 10);

    sb_difference_kinds(d->kinds, &kinds);
    sb_markup_element(out, "<article>\n<h4><code>", d->path, "</code></h4>\n");
    sb_markup_element(out, "<p class=\"what\">", sb_buf_slice(&kinds), "</p>\n");
    for (size_t i = 0; i < 2; i++)
        if (d->detail[i].len)
            sb_markup_element(out, classes[i], d->detail[i], "</pre>\n");
    if (d->line) {
        sb_buf_printf(out, "<p class=\"what\">line %zu</p>\n", d->line);
        for (size_t i = 0; i < 2; i++)
            sb_markup_element(out, classes[i], d->text[i], "</pre>\n");
    } else if (d->kinds & SB_DIFF_CONTENT && (d->size[0] || d->size[1])) {
        sb_buf_printf(out, "<p class=\"what\">from byte %llu on, of %llu and %llu</p>\n",
                      (unsigned long long)d->offset, (unsigned long long)d->size[0],
                      (unsigned long long)d->size[1]);
    }
    if (d->remedy)
        sb_markup_element(out, "<p>Likely: ", sb_slice_z(d->remedy), "</p>\n");
    sb_buf_addz(out, "</article>\n");
}

static void add_comparison(const sb_comparison *comparison, sb_slice dockerfile, sb_buf *out)
{
    size_t at = 0;

    for (size_t p = 0; p < comparison->part_count; p++) {
        const sb_compared_part *part = &comparison->parts[p];
        sb_autobuf title = SB_BUF_INIT(1 << 16);
        size_t shown = 0;

        sb_part_title(part, dockerfile, &title);
        sb_markup_element(out, "<section>\n<h3>", sb_buf_slice(&title), "</h3>\n");
        for (; at < comparison->count && comparison->items[at].part == p; at++, shown++)
            add_difference(&comparison->items[at], out);
        if (part->count > shown)
            sb_buf_printf(out, "<p>And %zu more.</p>\n", part->count - shown);
        sb_buf_addz(out, "</section>\n");
    }
}

static void add_list(sb_buf *out, const char *title, const sb_slice *items, size_t count)
{
    if (!count)
        return;
    sb_markup_element(out, "<h3>", sb_slice_z(title), "</h3>\n<ul>\n");
    for (size_t i = 0; i < count; i++)
        sb_markup_element(out, "<li>", items[i], "</li>\n");
    sb_buf_addz(out, "</ul>\n");
}

static void add_build(const sb_reproduced *r, sb_slice dockerfile, sb_buf *out)
{
    sb_markup_element(out, "<h2>", r->platform, "</h2>\n");
    sb_buf_addz(out, r->same ? "<p class=\"good\"><strong>The same image.</strong></p>\n"
                             : "<p class=\"bad\"><strong>The images differ.</strong></p>\n");
    sb_buf_addz(out, "<table>\n<tr><th>build</th><th>engine</th><th>image ID</th><th>manifest</th></tr>\n");
    for (size_t i = 0; i < r->build_count; i++) {
        sb_buf_printf(out, "<tr><td>%zu</td>", i + 1);
        sb_markup_element(out, "<td>", r->builds[i].engine, "</td>");
        sb_markup_element(out, "<td><code>", r->builds[i].image_id, "</code></td>");
        sb_markup_element(out, "<td><code>", r->builds[i].manifest, "</code></td></tr>\n");
    }
    sb_buf_addz(out, "</table>\n");
    if (r->comparison)
        add_comparison(r->comparison, dockerfile, out);
    add_list(out, "What was varied", r->varied, r->varied_count);
    add_list(out, "What could not be varied", r->fixed, r->fixed_count);
}

void sb_reproduction_html(const sb_reproduction *reproduction, sb_buf *out)
{
    sb_html_begin(out, SB_LIT("Two builds, compared"));
    sb_markup_element(out, "<p>", reproduction->dockerfile,
                      " was built again, without any cache, under other "
                      "conditions.</p>\n");
    for (size_t i = 0; i < reproduction->count; i++)
        add_build(&reproduction->items[i], reproduction->dockerfile, out);
    sb_html_end(out);
}
