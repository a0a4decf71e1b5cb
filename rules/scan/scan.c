// SPDX-License-Identifier: Apache-2.0
#include <rules/scan/scan.h>

#include <fetch/manifest.h>
#include <sbuild/progress.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 8, TICK_MS = 200, MESSAGE_MAX = 4096 };

/* --- Saying --- */

static sb_severity severity_of(const sb_scan_run *run, const sb_rule *rule)
{
    const sb_scan_options *options = run->options;
    sb_severity severity = rule->severity;

    for (size_t i = 0; i < options->rule_count; i++)
        if (options->rules[i].rule == rule)
            severity = options->rules[i].severity;
    return sb_rule_is_among(rule, options->only) ? severity : SB_SEVERITY_OFF;
}

sb_finding *sb_scan_say(const sb_scan_run *run, sb_report *report, const sb_rule *rule, const char *fmt, ...)
{
    sb_severity severity = severity_of(run, rule);
    sb_finding *finding;
    char text[MESSAGE_MAX];
    va_list args;

    if (severity == SB_SEVERITY_OFF)
        return NULL;
    finding = sb_report_add(report, rule);
    if (!finding)
        return NULL;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    sb_scrub(text);
    finding->severity = severity;
    finding->message = sb_arena_dup(report->arena, sb_slice_z(text));
    finding->file = report->subject;
    return finding;
}

/* --- Layers, by several threads --- */

typedef struct pool {
    sb_scan_run *run;
    sb_scan_image *image;
    sb_scan_blobs *blobs;
    atomic_size_t next;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    size_t working;
    sb_error *failure; /* the first, under the mutex */
} pool;

typedef struct reading {
    sb_scan_worker *worker;
    const sb_scan_layer *layer;
    sb_scan_facts *facts;
} reading;

static int use_layer(void *ctx, sb_layer_feed feed, sb_error **err)
{
    const reading *r = ctx;

    return sb_scan_read_layer(r->worker, feed, "its data", r->facts, err);
}

/* Some layers cannot be read whatever one does, and what their bytes look like is no help. */
static void explain_type(const sb_scan_layer *layer, sb_scan_facts *facts)
{
    const char *why = NULL;
    sb_autofree char *type = sb_printable(layer->type);

    if (!layer->type.ptr || !facts->failure || facts->files > 0 ||
        (facts->failure->code != SB_ERR_PARSE && facts->failure->code != SB_ERR_NOT_FOUND))
        return;
    if (sb_slice_ends(layer->type, SB_LIT("+encrypted")))
        why = "it is encrypted; scan the image before it is encrypted";
    else if (sb_media_type_is_foreign(layer->type) && facts->failure->code == SB_ERR_NOT_FOUND)
        why = "it does not come with the image, but from somewhere else";
    else if (sb_slice_find(layer->type, SB_LIT("tar")) < 0)
        why = "it is no layer of files";
    if (!why)
        return;
    sb_error_free(facts->failure);
    facts->failure = NULL;
    sb_fail(&facts->failure, SB_ERR_PARSE, "%s (%s)", why, type);
}

/* What the manifest or the configuration says that its bytes are. */
static void check_digest(const sb_scan_layer *layer, sb_scan_facts *facts)
{
    const sb_digest *wanted = layer->has_stored                    ? &layer->stored
                              : facts->plain && layer->has_diff_id ? &layer->diff_id
                                                                   : NULL;

    if (!facts->failure && wanted && wanted->algo == SB_HASH_SHA256 && !sb_digest_eq(wanted, &facts->stored))
        sb_fail(&facts->failure, SB_ERR_VERIFY, "it is damaged: its bytes do not have its digest");
}

static int read_layer(pool *p, sb_scan_worker *worker, sb_scan_layer *layer, sb_error **err)
{
    SB_AUTO(sb_error) why = NULL;
    reading r = {worker, layer, sb_scan_facts_new()};

    layer->facts = r.facts;
    if (p->blobs->stream(p->blobs, layer, use_layer, &r, &why) < 0) {
        if (why->code == SB_ERR_INTERRUPTED)
            return sb_fail(err, why->code, "%s", why->message);
        if (!r.facts->failure || why->code == SB_ERR_NETWORK || why->code == SB_ERR_VERIFY) {
            sb_error_free(r.facts->failure);
            r.facts->failure = SB_TAKE(why);
        }
    }
    return 0;
}

static void *work(void *ctx)
{
    pool *p = ctx;
    sb_scan_worker worker;
    SB_AUTO(sb_error) failure = NULL;

    sb_scan_worker_init(&worker, p->run);
    while (!failure) {
        size_t i = atomic_fetch_add(&p->next, 1);

        if (i >= p->image->layer_count)
            break;
        if (!p->image->layers[i].facts && !p->image->layers[i].base)
            (void)read_layer(p, &worker, &p->image->layers[i], &failure);
    }
    sb_scan_worker_clear(&worker);
    pthread_mutex_lock(&p->mutex);
    if (!p->failure)
        p->failure = SB_TAKE(failure);
    p->working--;
    pthread_cond_signal(&p->ended);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

static size_t thread_count(const pool *p)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = p->run->options->threads, left = 0;

    if (count == 0)
        count = processors > 0 ? (size_t)processors : 1;
    if (count > THREADS_MAX)
        count = THREADS_MAX;
    for (size_t i = 0; i < p->image->layer_count; i++)
        left += !p->image->layers[i].facts && !p->image->layers[i].base;
    if (p->blobs->one_thread && count > 1)
        count = 1;
    return count < left ? count : left;
}

/* Progress is told by the thread that began: it looks at the others' work now and then. */
static void wait_for_all(pool *p, sb_progress *progress, unsigned task)
{
    pthread_mutex_lock(&p->mutex);
    while (p->working > 0) {
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&p->ended, &p->mutex, &until);
        sb_progress_advance(progress, task, atomic_load(&p->run->bytes), 0);
    }
    pthread_mutex_unlock(&p->mutex);
}

static int read_layers(sb_scan_run *run, sb_scan_image *image, sb_scan_blobs *blobs, sb_progress *progress,
                       sb_error **err)
{
    pool p = {.run = run, .image = image, .blobs = blobs};
    pthread_t threads[THREADS_MAX];
    size_t wanted = thread_count(&p), started = 0;
    sigset_t all, before;
    unsigned task;

    if (wanted == 0)
        return 0;
    pthread_mutex_init(&p.mutex, NULL);
    pthread_cond_init(&p.ended, NULL);
    task = sb_progress_begin(progress, 0, "layers");
    /* Signals are for the thread that waits. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p.working = wanted;
    while (started < wanted && pthread_create(&threads[started], NULL, work, &p) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&p.mutex);
    p.working -= wanted - started;
    pthread_mutex_unlock(&p.mutex);
    if (started == 0) {
        p.working = 1;
        work(&p);
    }
    wait_for_all(&p, progress, task);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    sb_progress_end(progress, task, p.failure == NULL);
    pthread_mutex_destroy(&p.mutex);
    pthread_cond_destroy(&p.ended);
    if (!p.failure)
        return 0;
    if (err)
        *err = p.failure;
    else
        sb_error_free(p.failure);
    return -1;
}

/* --- Inputs --- */

static void free_blobs(sb_scan_blobs **blobs)
{
    if (*blobs)
        (*blobs)->free(*blobs);
}

static int open_input(const sb_scan_input *input, const sb_scan_options *options, const sb_settings *settings,
                      sb_progress *progress, sb_scan_worker *worker, sb_scan_image *image,
                      sb_scan_blobs **ret_blobs, sb_error **err)
{
    switch (input->form) {
    case SB_SCAN_ARCHIVE:
        return sb_scan_open_archive(input, options, worker, image, ret_blobs, err);
    case SB_SCAN_LAYOUT:
        return sb_scan_open_layout(input, options, image, ret_blobs, err);
    case SB_SCAN_REGISTRY:
        return sb_scan_open_remote(input, options, settings, progress, image, ret_blobs, err);
    }
    return sb_fail(err, SB_ERR_INTERNAL, "an unknown form of image");
}

/* The base's layers are the image's first ones. */
static int leave_out_base(const sb_scan_image *base, sb_scan_image *image, const sb_scan_input *inputs[2],
                          sb_error **err)
{
    size_t same = 0;

    while (same < base->layer_count && same < image->layer_count && image->layers[same].has_diff_id &&
           base->layers[same].has_diff_id &&
           sb_digest_eq(&image->layers[same].diff_id, &base->layers[same].diff_id))
        image->layers[same++].base = true;
    if (base->layer_count > 0 && same < base->layer_count)
        return sb_fail(
            err, SB_ERR_USAGE,
            "%s is not built on %s: its layer %zu is another; name the base that it was built on, by "
            "digest where it may have moved",
            inputs[0]->name, inputs[1]->name, same + 1);
    return 0;
}

static int open_base(const sb_scan_input *base, const sb_scan_input *input, const sb_scan_options *options,
                     const sb_settings *settings, sb_progress *progress, sb_scan_image *image, sb_error **err)
{
    SB_AUTO(sb_scan_image) other = sb_scan_image_new();
    __attribute__((cleanup(free_blobs))) sb_scan_blobs *blobs = NULL;
    const sb_scan_input *inputs[2] = {input, base};

    if (open_input(base, options, settings, progress, NULL, other, &blobs, err) < 0)
        return sb_wrap(err, "the base");
    if (other->failure)
        return sb_fail(err, other->failure->code, "the base %s: %s", base->name, other->failure->message);
    return leave_out_base(other, image, inputs, err);
}

static int scan_image(sb_scan_run *run, const sb_scan_input *input, const sb_scan_input *base,
                      const sb_settings *settings, sb_progress *progress, sb_report *report, sb_error **err)
{
    SB_AUTO(sb_scan_image) image = sb_scan_image_new();
    __attribute__((cleanup(free_blobs))) sb_scan_blobs *blobs = NULL;
    sb_scan_worker worker;
    int status;

    sb_scan_worker_init(&worker, run);
    status = open_input(input, run->options, settings, progress, &worker, image, &blobs, err);
    sb_scan_worker_clear(&worker);
    if (status < 0 || (base && open_base(base, input, run->options, settings, progress, image, err) < 0) ||
        read_layers(run, image, blobs, progress, err) < 0)
        return -1;
    for (size_t i = 0; i < image->layer_count; i++)
        if (image->layers[i].facts && !image->layers[i].shared) {
            explain_type(&image->layers[i], image->layers[i].facts);
            check_digest(&image->layers[i], image->layers[i].facts);
        }
    sb_scan_texts(run, image, report);
    sb_scan_settle(run, image, report);
    sb_scan_config(run, image, report);
    sb_scan_make_prints(run, report);
    return sb_interrupted ? sb_fail(err, SB_ERR_INTERRUPTED, "interrupted") : 0;
}

int sb_scan(const sb_scan_input *input, const sb_scan_input *base, const sb_scan_options *options,
            const sb_settings *settings, sb_progress *progress, sb_report **ret_report, sb_error **err)
{
    SB_AUTO(sb_report) report = sb_report_new("scan");
    SB_AUTO(sb_secret_rules) secrets = NULL;
    sb_autofree char *shown = sb_printable(sb_slice_z(input->name));
    sb_scan_run run = {.options = options, .depth = options->depth ? options->depth : SB_SCAN_DEPTH};
    int status;

    if (run.depth > SB_SCAN_DEPTH_MAX)
        return sb_fail(err, SB_ERR_USAGE, "archives are looked into %d deep at the most", SB_SCAN_DEPTH_MAX);
    if (getrandom(&run.seed, sizeof(run.seed), 0) != sizeof(run.seed))
        return sb_fail(err, SB_ERR_IO, "no random bytes: %s", strerror(errno));
    if (sb_secret_rules_new(options->secret_rules, &secrets, err) < 0)
        return -1;
    run.secrets = secrets;
    report->subject = sb_arena_dup(report->arena, sb_slice_z(shown));
    status = scan_image(&run, input, base, settings, progress, report, err);
    free(run.prints);
    if (status < 0)
        return -1;
    sb_report_sort(report);
    *ret_report = SB_TAKE(report);
    return 0;
}
