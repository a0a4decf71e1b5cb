// SPDX-License-Identifier: Apache-2.0
/*
 * A layer, and the archives within its files, through the scan with one rule for secrets; the same bytes as a
 * whole archive of an image, in a file and through a pipe.
 */
#include <rules/scan/scan.h>
#include <sbuild/fs.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules_text[] = "[[rules]]\nid = \"word\"\ntitle = \"A word\"\nkeywords = [\"secret\"]\n"
                                 "regex = 'secret_[a-z]{4}'\n";

typedef struct rest {
    const uint8_t *data;
    size_t len;
} rest;

static int read_rest(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    rest *r = ctx;
    size_t n = r->len < len ? r->len : len;

    (void)err;
    if (n)
        memcpy(data, r->data, n);
    r->data += n;
    r->len -= n;
    *ret_len = n;
    return 0;
}

static void scan_layer(sb_scan_run *run, const uint8_t *data, size_t size)
{
    SB_AUTO(sb_scan_facts) facts = sb_scan_facts_new();
    sb_scan_worker worker;
    rest r = {data, size};
    bool replaced;

    sb_scan_worker_init(&worker, run);
    if (sb_scan_read_layer(&worker, (sb_layer_feed){read_rest, &r}, "the layer", facts, NULL) < 0)
        abort();
    for (size_t i = 0; i < facts->leak_count; i++)
        (void)sb_scan_takes_away(run, facts, facts->leaks[i].path, &replaced);
    sb_scan_worker_clear(&worker);
}

static void scan_archive(sb_scan_run *run, int fd)
{
    SB_AUTO(sb_scan_image) image = sb_scan_image_new();
    SB_AUTO(sb_report) report = sb_report_new("scan");
    sb_scan_input input = {.form = SB_SCAN_ARCHIVE, .name = "the archive", .fd = fd};
    sb_scan_blobs *blobs = NULL;
    sb_scan_worker worker;

    sb_scan_worker_init(&worker, run);
    if (sb_scan_open_archive(&input, run->options, &worker, image, &blobs, NULL) == 0) {
        sb_scan_texts(run, image, report);
        sb_scan_settle(run, image, report);
        sb_scan_config(run, image, report);
    }
    sb_scan_worker_clear(&worker);
    if (blobs)
        blobs->free(blobs);
    /* Fingerprints take time on purpose. */
    free(run->prints);
    run->prints = NULL;
    run->print_count = run->print_cap = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sb_secret_rules *rules; /* made once */
    const sb_scan_options options = {.platform = "linux/amd64"};
    sb_scan_run run = {.options = &options, .depth = SB_SCAN_DEPTH, .seed = 1};
    sb_autoclose int fd = memfd_create("archive", MFD_CLOEXEC);
    int ends[2];

    if (!rules && sb_secret_rules_parse(sb_slice_z(rules_text), "rules", &rules, NULL) < 0)
        abort();
    run.secrets = rules;
    scan_layer(&run, data, size);
    if (fd < 0 || sb_write_all(fd, data, size, "the archive", NULL) < 0)
        abort();
    scan_archive(&run, fd);
    /* What fits into a pipe at once. */
    if (size > 32768 || pipe2(ends, O_CLOEXEC) < 0)
        return 0;
    if (sb_write_all(ends[1], data, size, "the pipe", NULL) < 0)
        abort();
    close(ends[1]);
    scan_archive(&run, ends[0]);
    close(ends[0]);
    return 0;
}
