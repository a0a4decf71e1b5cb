// SPDX-License-Identifier: Apache-2.0
/*
 * secrets_tool [-r RULES.toml]… [-v] [-n ROUNDS] PATH…: looks for secrets in files and trees, with one
 * thread. Prints a line for each, redacted, then how much there was and how long the scanner took (without
 * reading).
 */
#include <fcntl.h>
#include <fts.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sbuild/digest.h>
#include <sbuild/secrets.h>

enum { PIECE = 256 << 10, EXTRA_MAX = 16 };

typedef struct run {
    sb_secret_scanner *scanner;
    const char *path;
    bool lines, hashes;
    uint64_t files, bytes, found;
    double seconds;
} run;

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As the list of known keys in rules/secrets has it: without blanks. */
static void add_hash(sb_buf *out, sb_slice secret)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    for (size_t i = 0; i < secret.len; i++)
        if (!memchr(" \t\r\n", secret.ptr[i], 4))
            sb_hasher_add(hasher, secret.ptr + i, 1);
    sb_hasher_finish(hasher, &digest);
    sb_digest_hex(&digest, hex);
    sb_buf_addz(out, hex);
}

static bool found(void *ctx, const sb_secret_match *match)
{
    run *r = ctx;
    sb_autobuf out = SB_BUF_INIT(64 << 10);

    r->found++;
    sb_buf_printf(&out, "%s:%llu: %s: ", r->path, (unsigned long long)match->line, match->id);
    if (r->hashes)
        add_hash(&out, match->secret);
    else if (r->lines)
        sb_secret_redact_line(match, &out);
    else
        sb_secret_redact(match, &out);
    puts(out.data);
    return true;
}

static void scan(run *r, const char *path)
{
    static char piece[PIECE];
    sb_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    double start;
    ssize_t n;

    if (fd < 0)
        return;
    r->path = path;
    r->files++;
    start = cpu();
    sb_secret_scan_begin(r->scanner, sb_slice_z(path), found, r);
    r->seconds += cpu() - start;
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        start = cpu();
        sb_secret_scan_add(r->scanner, piece, (size_t)n);
        r->seconds += cpu() - start;
        r->bytes += (uint64_t)n;
    }
    start = cpu();
    sb_secret_scan_end(r->scanner);
    r->seconds += cpu() - start;
}

static void walk(run *r, char **paths)
{
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    while (tree && (entry = fts_read(tree)))
        if (entry->fts_info == FTS_F && S_ISREG(entry->fts_statp->st_mode))
            scan(r, entry->fts_path);
    if (tree)
        fts_close(tree);
}

int main(int argc, char **argv)
{
    const char *extra[EXTRA_MAX + 1] = {NULL};
    size_t extra_count = 0;
    int option, rounds = 1;
    run r = {0};
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_secret_rules) rules = NULL;
    struct rusage usage;
    double start = cpu();

    while ((option = getopt(argc, argv, "r:vkn:")) != -1) {
        if (option == 'r' && extra_count < EXTRA_MAX)
            extra[extra_count++] = optarg;
        else if (option == 'v')
            r.lines = true;
        else if (option == 'k')
            r.hashes = true;
        else if (option == 'n')
            rounds = (int)strtol(optarg, NULL, 10);
        else
            return 2;
    }
    if (sb_secret_rules_new(extra, &rules, &err) < 0) {
        fprintf(stderr, "%s\n", err->message);
        return 1;
    }
    start = cpu() - start;
    r.scanner = sb_secret_scanner_new(rules);
    for (int i = 0; i < rounds; i++)
        walk(&r, argv + optind);
    sb_secret_scanner_free(r.scanner);
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr,
            "rules=%zu load_ms=%.2f files=%llu bytes=%llu found=%llu scan_s=%.3f scan_mb_s=%.1f cpu_s=%.3f "
            "rss_mb=%.1f\n",
            sb_secret_rules_count(rules), start * 1e3, (unsigned long long)r.files,
            (unsigned long long)r.bytes, (unsigned long long)r.found, r.seconds,
            (double)r.bytes / 1e6 / r.seconds, cpu(), (double)usage.ru_maxrss / 1024);
    return 0;
}
