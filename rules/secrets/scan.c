// SPDX-License-Identifier: Apache-2.0
/*
 * A stream in pieces. They are gathered into blocks whose edges depend on nothing but the offset, so that how
 * a stream is cut makes no difference; each block keeps some bytes of the one before, and the last bytes wait
 * for the next: every place is looked at with enough on both sides, once.
 */
#include <rules/secrets/engine.h>

enum {
    CAPACITY = SECRET_BEHIND + SECRET_BLOCK + SECRET_AHEAD,
    SAMPLE = 256, /* bytes by which UTF-16 without a mark is known */
    SAMPLE_LEAST = 16,
};

sb_secret_scanner *sb_secret_scanner_new(const sb_secret_rules *rules)
{
    sb_secret_scanner *s = sb_new(sb_secret_scanner);

    s->rules = rules;
    s->matcher = secret_matcher_new();
    s->data = sb_malloc(CAPACITY + SECRET_SLACK);
    return s;
}

void sb_secret_scanner_free(sb_secret_scanner *s)
{
    if (!s)
        return;
    secret_matcher_free(s->matcher);
    free(s->data);
    free(s);
}

void sb_secret_scan_begin(sb_secret_scanner *s, sb_slice path, sb_secret_found found, void *ctx)
{
    s->found = found;
    s->ctx = ctx;
    s->stopped = false;
    s->len = s->done = 0;
    s->base = 0;
    s->line = 1;
    s->line_at = 0;
    s->encoding = SECRET_UNDECIDED;
    s->bom = 0;
    s->odd_byte = -1;
    if (path.len > sizeof(s->path))
        path = sb_slice_sub(path, path.len - sizeof(s->path), path.len);
    for (size_t i = 0; i < path.len; i++)
        s->path[i] = sb_ascii_lower(path.ptr[i]);
    s->path_len = path.len;
    s->path_known = s->path_in = 0;
    s->name_done = 0;
    memset(s->recent, 0, sizeof(s->recent));
    s->recent_at = 0;
}

static uint64_t count_lines(const unsigned char *data, size_t len)
{
    uint64_t lines = 0;

    while (len) {
        size_t part = len < 255 ? len : 255;
        uint8_t sum = 0; /* of so few that the compiler counts in bytes, many at once */

        for (size_t i = 0; i < part; i++)
            sum = (uint8_t)(sum + (data[i] == '\n'));
        lines += sum;
        data += part;
        len -= part;
    }
    return lines;
}

uint64_t secret_line_of(sb_secret_scanner *s, size_t at)
{
    uint64_t offset = s->base + at;

    if (offset < s->line_at)
        return s->line - count_lines(s->data + at, (size_t)(s->line_at - offset));
    s->line += count_lines(s->data + (s->line_at - s->base), (size_t)(offset - s->line_at));
    s->line_at = offset;
    return s->line;
}

/* Looks at what has enough behind it, or at all of it. */
static void look(sb_secret_scanner *s, bool last)
{
    size_t to = last ? s->len : s->len > SECRET_AHEAD ? s->len - SECRET_AHEAD : 0;
    bool first = s->base == 0 && s->done == 0;

    if (s->stopped || to <= s->done)
        return;
    memset(s->data + s->len, 0, SECRET_SLACK);
    if (first)
        secret_match_file(s, false);
    if (!s->stopped)
        secret_keywords_find(s->rules->keywords, s->data, s->done, to, s->len, secret_match_hit, s);
    if (first && !s->stopped)
        secret_match_file(s, true);
    s->done = to;
}

static void slide(sb_secret_scanner *s)
{
    size_t drop = s->done > SECRET_BEHIND ? s->done - SECRET_BEHIND : 0;

    secret_line_of(s, s->done);
    memmove(s->data, s->data + drop, s->len - drop);
    s->len -= drop;
    s->done -= drop;
    s->base += drop;
}

static void add_bytes(sb_secret_scanner *s, const unsigned char *data, size_t len)
{
    while (len && !s->stopped) {
        size_t part = len < CAPACITY - s->len ? len : CAPACITY - s->len;

        memcpy(s->data + s->len, data, part);
        s->len += part;
        data += part;
        len -= part;
        if (s->len == CAPACITY) {
            look(s, false);
            slide(s);
        }
    }
}

/* What is beyond ASCII becomes "?": one byte a unit, so that offsets are told by a multiplication. */
static void add_utf16(sb_secret_scanner *s, const unsigned char *data, size_t len)
{
    unsigned char text[4096];
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned low, high;

        if (s->odd_byte < 0) {
            s->odd_byte = data[i];
            continue;
        }
        low = s->encoding == SECRET_UTF16LE ? (unsigned)s->odd_byte : data[i];
        high = s->encoding == SECRET_UTF16LE ? data[i] : (unsigned)s->odd_byte;
        s->odd_byte = -1;
        text[n++] = high || low >= 0x80 ? '?' : (unsigned char)low;
        if (n == sizeof(text)) {
            add_bytes(s, text, n);
            n = 0;
        }
    }
    add_bytes(s, text, n);
}

static bool alternates(const unsigned char *data, size_t len, size_t zero)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        unsigned char c = data[i + !zero];

        if (data[i + zero] || !((c >= ' ' && c < 0x7f) || c == '\t' || c == '\r' || c == '\n'))
            return false;
    }
    return len >= SAMPLE_LEAST;
}

/* By the first bytes, which wait in `data`. */
static void decide_encoding(sb_secret_scanner *s)
{
    unsigned char sample[SAMPLE];
    size_t len = s->len;

    memcpy(sample, s->data, len);
    s->encoding = SECRET_BYTES;
    if (len >= 2 && sample[0] == 0xff && sample[1] == 0xfe && !(len >= 4 && !sample[2] && !sample[3])) {
        s->encoding = SECRET_UTF16LE;
        s->bom = 2;
    } else if (len >= 2 && sample[0] == 0xfe && sample[1] == 0xff) {
        s->encoding = SECRET_UTF16BE;
        s->bom = 2;
    } else if (alternates(sample, len, 1)) {
        s->encoding = SECRET_UTF16LE;
    } else if (alternates(sample, len, 0)) {
        s->encoding = SECRET_UTF16BE;
    } else {
        return;
    }
    s->len = 0;
    add_utf16(s, sample + s->bom, len - s->bom);
}

void sb_secret_scan_add(sb_secret_scanner *s, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    if (s->encoding == SECRET_UNDECIDED) {
        size_t part = len < SAMPLE - s->len ? len : SAMPLE - s->len;

        if (part)
            memcpy(s->data + s->len, bytes, part);
        s->len += part;
        bytes += part;
        len -= part;
        if (s->len < SAMPLE)
            return;
        decide_encoding(s);
    }
    if (s->encoding == SECRET_BYTES)
        add_bytes(s, bytes, len);
    else
        add_utf16(s, bytes, len);
}

void sb_secret_scan_end(sb_secret_scanner *s)
{
    if (s->encoding == SECRET_UNDECIDED)
        decide_encoding(s);
    look(s, true);
}
