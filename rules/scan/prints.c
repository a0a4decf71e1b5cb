// SPDX-License-Identifier: Apache-2.0
/*
 * Fingerprints of secrets. Each takes milliseconds on purpose: the same secret in many files is worked out
 * once, several at a time, and an image that is made of secrets does not keep the scan for hours: what is
 * beyond the maximum has no fingerprint, and cannot be accepted before the rest is dealt with.
 */
#include <rules/scan/scan.h>

#include <sbuild/progress.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { THREADS_MAX = 8 };

typedef struct printing {
    sb_scan_print *prints;
    size_t *first; /* of each different secret, and the end */
    size_t count;
    atomic_size_t next;
} printing;

void sb_scan_print_later(sb_scan_run *run, const sb_report *report, const sb_finding *finding, const char *id,
                         const unsigned char hash[SB_SECRET_HASH], sb_slice place)
{
    sb_scan_print *print = SB_PUSH(run->prints, run->print_count, run->print_cap);

    *print = (sb_scan_print){.finding = (size_t)(finding - report->items), .id = id, .place = place};
    memcpy(print->hash, hash, sizeof(print->hash));
}

static int compare_secrets(const sb_scan_print *a, const sb_scan_print *b)
{
    int order = memcmp(a->hash, b->hash, sizeof(a->hash));

    return order ? order : strcmp(a->id, b->id);
}

static int compare(const void *left, const void *right)
{
    const sb_scan_print *a = left, *b = right;
    int order = compare_secrets(a, b);

    return order ? order : (a->finding > b->finding) - (a->finding < b->finding);
}

static void *make_keys(void *ctx)
{
    printing *p = ctx;
    size_t i;

    while (!sb_interrupted && (i = atomic_fetch_add(&p->next, 1)) < p->count) {
        sb_scan_print *first = &p->prints[p->first[i]];

        sb_secret_key(first->id, first->hash, first->key);
        for (size_t j = p->first[i] + 1; j < p->first[i + 1]; j++)
            memcpy(p->prints[j].key, first->key, sizeof(first->key));
    }
    return NULL;
}

static void make_all_keys(printing *p, unsigned wanted)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = wanted ? wanted : processors > 0 ? (size_t)processors : 1, started = 0;
    pthread_t threads[THREADS_MAX];
    sigset_t all, before;

    count = count < THREADS_MAX ? count : THREADS_MAX;
    count = count < p->count ? count : p->count;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started + 1 < count && pthread_create(&threads[started], NULL, make_keys, p) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)make_keys(p);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

void sb_scan_make_prints(sb_scan_run *run, sb_report *report)
{
    sb_autofree size_t *first = sb_calloc(run->print_count + 1, sizeof(*first));
    printing p = {.prints = run->prints, .first = first};
    size_t end;

    if (run->print_count)
        qsort(run->prints, run->print_count, sizeof(*run->prints), compare);
    for (end = 0; end < run->print_count; end++)
        if (end == 0 || compare_secrets(&run->prints[end - 1], &run->prints[end]) != 0) {
            if (p.count == SB_SCAN_PRINTS_MAX)
                break;
            first[p.count++] = end;
        }
    first[p.count] = end;
    make_all_keys(&p, run->options->threads);
    for (size_t i = 0; i < end && !sb_interrupted; i++)
        report->items[run->prints[i].finding].fingerprint =
            sb_secret_fingerprint(report->arena, run->prints[i].key, run->prints[i].place);
}
