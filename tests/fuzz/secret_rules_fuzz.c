// SPDX-License-Identifier: Apache-2.0
/* Foreign bytes as a file of secret rules; rules that are fine look at the bytes themselves. */
#include <sbuild/secrets.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool found(void *ctx, const sb_secret_match *match)
{
    size_t *left = ctx;
    sb_autobuf line = SB_BUF_INIT(64 << 10);

    sb_secret_redact_line(match, &line);
    return --*left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_secret_rules) rules = NULL;
    SB_AUTO(sb_secret_scanner) scanner = NULL;
    size_t left = 100;

    if (sb_secret_rules_parse((sb_slice){(const char *)data, size}, "fuzz", &rules, &err) < 0)
        return 0;
    scanner = sb_secret_scanner_new(rules);
    sb_secret_scan_begin(scanner, SB_LIT("a/path"), found, &left);
    sb_secret_scan_add(scanner, data, size);
    sb_secret_scan_end(scanner);
    return 0;
}
