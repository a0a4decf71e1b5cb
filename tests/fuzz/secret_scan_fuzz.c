// SPDX-License-Identifier: Apache-2.0
/*
 * Foreign bytes, looked at with all rules, as a whole and in pieces whose size is the first byte: the same
 * must be found. The second byte chooses where the file lies. A match must lie within the stream, and nothing
 * of it may be shown.
 */
#include <stdlib.h>

#include <sbuild/secrets.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct list {
    sb_buf text;
    uint64_t size;
} list;

static bool found(void *ctx, const sb_secret_match *match)
{
    list *l = ctx;

    if (match->offset + match->len > l->size || !match->line || match->prefix_len > match->secret.len ||
        match->context_at + match->context_len > match->context.len)
        abort();
    sb_buf_printf(&l->text, "%s %llu %zu %llu ", match->id, (unsigned long long)match->offset, match->len,
                  (unsigned long long)match->line);
    sb_secret_redact_line(match, &l->text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"app/config.txt", "root/.netrc", "root/.pgpass", "srv/.env",
                                        "etc/shadow",     "app/a.p12",   "app/a.jks",    ".npmrc",
                                        ".htpasswd",      "root/.my.cnf"};
    static sb_secret_rules *rules;
    static sb_secret_scanner *scanner;
    list whole = {SB_BUF_INIT(1 << 22), 0}, pieces = {SB_BUF_INIT(1 << 22), 0};
    size_t piece;
    sb_slice path;

    if (size < 3)
        return 0;
    if (!rules) {
        if (sb_secret_rules_new(NULL, &rules, NULL) < 0)
            abort();
        scanner = sb_secret_scanner_new(rules);
    }
    piece = data[0] ? data[0] : 1;
    path = sb_slice_z(paths[data[1] % SB_COUNT(paths)]);
    data += 2;
    whole.size = pieces.size = size -= 2;
    sb_secret_scan_begin(scanner, path, found, &whole);
    sb_secret_scan_add(scanner, data, size);
    sb_secret_scan_end(scanner);
    sb_secret_scan_begin(scanner, path, found, &pieces);
    for (size_t at = 0; at < size; at += piece)
        sb_secret_scan_add(scanner, data + at, size - at < piece ? size - at : piece);
    sb_secret_scan_end(scanner);
    if (!sb_slice_eq(sb_buf_slice(&whole.text), sb_buf_slice(&pieces.text)))
        abort();
    sb_buf_free(&whole.text);
    sb_buf_free(&pieces.text);
    return 0;
}
