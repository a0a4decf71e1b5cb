// SPDX-License-Identifier: Apache-2.0
/*
 * Image jobs in threads: each thread has its own HTTP client and registry client, since those are for one
 * thread. Most of the time of a job is waiting for the registry.
 */
#include <lock/resolve_image.h>

#include <pthread.h>

enum { THREADS_MAX = 16 };

typedef struct pool {
    sb_image_job *jobs;
    size_t count;
    const sb_settings *settings;
    pthread_mutex_t mutex;
    size_t next; /* under the mutex, as is `failed` */
    bool failed;
} pool;

static sb_image_job *take(pool *p)
{
    sb_image_job *job = NULL;

    pthread_mutex_lock(&p->mutex);
    if (!p->failed && p->next < p->count)
        job = &p->jobs[p->next++];
    pthread_mutex_unlock(&p->mutex);
    return job;
}

static void work(pool *p, sb_progress *progress)
{
    SB_AUTO(sb_http) http = sb_http_new(p->settings, progress);
    SB_AUTO(sb_registry) registry = sb_registry_new(http, p->settings, progress);
    sb_image_job *job;

    while ((job = take(p))) {
        sb_image_job_run(job, registry, http, p->settings);
        if (job->error) {
            pthread_mutex_lock(&p->mutex);
            p->failed = true;
            pthread_mutex_unlock(&p->mutex);
        }
    }
}

static void *thread_main(void *ctx)
{
    work(ctx, NULL);
    return NULL;
}

void sb_image_jobs_run(sb_image_job *jobs, size_t count, const sb_settings *settings, sb_progress *progress)
{
    pool p = {.jobs = jobs, .count = count, .settings = settings, .mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[THREADS_MAX];
    size_t wanted = count, started = 0;

    if (wanted > THREADS_MAX)
        wanted = THREADS_MAX;
    if (settings->parallel && wanted > settings->parallel * 2)
        wanted = settings->parallel * 2;
    /* This thread works as well; whoever cannot be started is done without. */
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, thread_main, &p) == 0)
        started++;
    work(&p, progress);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&p.mutex);
}
