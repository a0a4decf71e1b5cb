// SPDX-License-Identifier: Apache-2.0
/* What differs between two builds, as text. */
#include <builder/reproduce.h>

enum { SHOWN_PER_PART = 20 };

void sb_part_title(const sb_compared_part *part, sb_slice dockerfile, sb_buf *out)
{
    if (part->number == 0) {
        sb_buf_addz(out, "the configuration");
        return;
    }
    sb_buf_printf(out, "layer %zu", part->number);
    if (part->origin.line)
        sb_buf_printf(out, ", %" SB_FMT ":%u", SB_ARG(dockerfile), part->origin.line);
    if (part->origin.instruction.len)
        sb_buf_printf(out, ": %" SB_FMT, SB_ARG(part->origin.instruction));
}

static void add_difference(const sb_difference *d, sb_buf *out)
{
    sb_buf_printf(out, "  %" SB_FMT ": ", SB_ARG(d->path));
    sb_difference_kinds(d->kinds, out);
    sb_buf_addc(out, '\n');
    for (size_t i = 0; i < 2 && d->detail[0].len && d->detail[1].len; i++)
        sb_buf_printf(out, "    %s %" SB_FMT "\n", i ? "other:" : "first:", SB_ARG(d->detail[i]));
    if (d->line) {
        for (size_t i = 0; i < 2; i++)
            sb_buf_printf(out, "    %s line %zu: %" SB_FMT "\n", i ? "other:" : "first:", d->line,
                          SB_ARG(d->text[i]));
    } else if (d->kinds & SB_DIFF_CONTENT && (d->size[0] || d->size[1])) {
        sb_buf_printf(out, "    from byte %llu on, of %llu and %llu\n", (unsigned long long)d->offset,
                      (unsigned long long)d->size[0], (unsigned long long)d->size[1]);
    }
    if (d->remedy)
        sb_buf_printf(out, "    likely: %s\n", d->remedy);
}

void sb_comparison_text(const sb_comparison *comparison, sb_slice dockerfile, sb_buf *out)
{
    size_t at = 0;

    for (size_t p = 0; p < comparison->part_count; p++) {
        const sb_compared_part *part = &comparison->parts[p];
        size_t shown = 0;

        sb_part_title(part, dockerfile, out);
        sb_buf_addc(out, '\n');
        for (; at < comparison->count && comparison->items[at].part == p; at++)
            if (shown < SHOWN_PER_PART) {
                add_difference(&comparison->items[at], out);
                shown++;
            }
        if (part->count > shown)
            sb_buf_printf(out, "  and %zu more; --report writes them to a file\n", part->count - shown);
    }
}

static void add_list(sb_buf *out, const char *title, const sb_slice *items, size_t count)
{
    if (count)
        sb_buf_printf(out, "%s\n", title);
    for (size_t i = 0; i < count; i++)
        sb_buf_printf(out, "  %" SB_FMT "\n", SB_ARG(items[i]));
}

void sb_reproduction_text(const sb_reproduction *reproduction, sb_buf *out)
{
    for (size_t i = 0; i < reproduction->count; i++) {
        const sb_reproduced *r = &reproduction->items[i];

        if (reproduction->count > 1)
            sb_buf_printf(out, "%" SB_FMT "\n", SB_ARG(r->platform));
        if (r->same) {
            sb_buf_printf(out, "the same image from %zu builds: %" SB_FMT "\n", r->build_count,
                          SB_ARG(r->builds[0].image_id));
        } else {
            sb_buf_addz(out, "the images differ\n");
            for (size_t n = 0; n < r->build_count; n++)
                sb_buf_printf(out, "  build %zu: %" SB_FMT " (%" SB_FMT ")\n", n + 1,
                              SB_ARG(r->builds[n].image_id), SB_ARG(r->builds[n].engine));
            sb_comparison_text(r->comparison, reproduction->dockerfile, out);
        }
        add_list(out, "varied:", r->varied, r->varied_count);
        add_list(out, "could not be varied:", r->fixed, r->fixed_count);
    }
}
