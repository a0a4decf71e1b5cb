// SPDX-License-Identifier: Apache-2.0
/* The bytes of two files: where they begin to differ, and what is there. */
#include <builder/compare.h>

#include <sbuild/progress.h>

#include <errno.h>
#include <unistd.h>

enum {
    PIECE = 128 << 10,
    HEAD = 512,            /* bytes that tell what kind of file it is */
    SORTED_MAX = 16 << 20, /* bytes of a file whose lines are looked at for their order */
    BEFORE = 60,           /* bytes that are shown before a difference in a long line */
};

static int read_at(const sb_compared_bytes *file, uint64_t at, void *data, size_t len, sb_error **err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t got = pread(file->fd, (char *)data + done, len - done, (off_t)(file->offset + at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return sb_fail(err, SB_ERR_IO, "cannot read a layer: %s",
                           got < 0 ? strerror(errno) : "it ends early");
        done += (size_t)got;
    }
    return 0;
}

static size_t piece_of(uint64_t size, uint64_t at)
{
    return size - at < PIECE ? (size_t)(size - at) : PIECE;
}

typedef struct place { /* where the difference begins */
    bool found;
    uint64_t offset;
    uint64_t line;       /* from 1 */
    uint64_t line_start; /* offset of its first byte */
} place;

static int find_difference(const sb_compared_bytes files[2], place *ret_place, sb_error **err)
{
    uint64_t common = files[0].size < files[1].size ? files[0].size : files[1].size;
    sb_autofree char *a = sb_malloc(PIECE), *b = sb_malloc(PIECE);
    place p = {.line = 1};

    for (uint64_t at = 0; at < common && !p.found;) {
        size_t want = piece_of(common, at), i = 0;

        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (read_at(&files[0], at, a, want, err) < 0 || read_at(&files[1], at, b, want, err) < 0)
            return -1;
        for (; i < want && a[i] == b[i]; i++) {
            if (a[i] == '\n') {
                p.line++;
                p.line_start = at + i + 1;
            }
        }
        p.found = i < want;
        p.offset = at + i;
        at += want;
    }
    if (!p.found && files[0].size != files[1].size) {
        p.found = true;
        p.offset = common;
    }
    *ret_place = p;
    return 0;
}

static bool looks_like_text(sb_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];

        if (c < ' ' && !(c >= '\b' && c <= '\r') && c != '\033')
            return false;
    }
    return true;
}

/* What is around the difference of the line that it is in; ends at the line's end. */
static int read_line(const sb_compared_bytes *file, const place *p, sb_arena *arena, sb_slice *ret_line,
                     size_t *ret_column, sb_error **err)
{
    uint64_t start = p->offset - p->line_start > BEFORE ? p->offset - BEFORE : p->line_start;
    size_t len = file->size > start ? (size_t)(file->size - start < SB_COMPARE_LINE_MAX ? file->size - start
                                                                                        : SB_COMPARE_LINE_MAX)
                                    : 0;
    char *text = sb_arena_alloc(arena, len + 1);
    sb_slice rest;

    if (len > 0 && read_at(file, start, text, len, err) < 0)
        return -1;
    rest = sb_slice_of(text, len);
    *ret_line = sb_slice_cut(&rest, '\n');
    *ret_column = (size_t)(p->offset - start);
    return 0;
}

/* A sum over the lines that does not depend on their order. */
static int sum_of_lines(const sb_compared_bytes *file, uint64_t *ret_sum, sb_error **err)
{
    sb_autofree char *text = sb_malloc((size_t)file->size + 1);
    sb_slice rest = sb_slice_of(text, (size_t)file->size);
    uint64_t sum = 0;

    if (read_at(file, 0, text, (size_t)file->size, err) < 0)
        return -1;
    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');
        uint64_t hash = 14695981039346656037U;

        for (size_t i = 0; i < line.len; i++)
            hash = (hash ^ (unsigned char)line.ptr[i]) * 1099511628211U;
        sum += (hash ^ hash >> 29) * 0x9e3779b97f4a7c15U;
    }
    *ret_sum = sum;
    return 0;
}

static int same_lines(const sb_compared_bytes files[2], bool *ret_same, sb_error **err)
{
    uint64_t sums[2];

    *ret_same = false;
    if (files[0].size != files[1].size || files[0].size > SORTED_MAX)
        return 0;
    for (size_t i = 0; i < 2; i++)
        if (sum_of_lines(&files[i], &sums[i], err) < 0)
            return -1;
    *ret_same = sums[0] == sums[1];
    return 0;
}

static sb_slice shown_line(sb_arena *arena, sb_slice line, bool cut)
{
    sb_autobuf out = SB_BUF_INIT(1 << 12);

    if (cut)
        sb_buf_addz(&out, "…");
    sb_buf_add_printable(&out, line, SB_COMPARE_LINE_MAX);
    if (line.len == SB_COMPARE_LINE_MAX)
        sb_buf_addz(&out, "…");
    return sb_arena_dup(arena, sb_slice_of(out.len ? out.data : "", out.len));
}

int sb_compare_content(const sb_compared_bytes files[2], sb_arena *arena, sb_difference *difference,
                       sb_difference_hints *hints, sb_error **err)
{
    bool text = true, reordered = false;
    place p;

    if (find_difference(files, &p, err) < 0)
        return -1;
    difference->size[0] = files[0].size;
    difference->size[1] = files[1].size;
    if (!p.found)
        return 0;
    difference->offset = hints->offset = p.offset;
    for (size_t i = 0; i < 2; i++) {
        size_t len = files[i].size < HEAD ? (size_t)files[i].size : HEAD;
        char *head = sb_arena_alloc(arena, len + 1);

        if (len > 0 && read_at(&files[i], 0, head, len, err) < 0)
            return -1;
        hints->head[i] = sb_slice_of(head, len);
        if (read_line(&files[i], &p, arena, &hints->line[i], &hints->column, err) < 0)
            return -1;
        text = text && looks_like_text(hints->head[i]) && looks_like_text(hints->line[i]);
    }
    if (text) {
        if (same_lines(files, &reordered, err) < 0)
            return -1;
        difference->line = (size_t)p.line;
        for (size_t i = 0; i < 2; i++)
            difference->text[i] = shown_line(arena, hints->line[i], p.offset - p.line_start > BEFORE);
    } else {
        hints->line[0] = hints->line[1] = SB_NIL;
    }
    difference->kinds |= reordered ? SB_DIFF_ORDER : SB_DIFF_CONTENT;
    return 0;
}
