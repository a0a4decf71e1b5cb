// SPDX-License-Identifier: Apache-2.0
/*
 * An engine at work: its output goes to the caller's standard error, on a terminal as to a terminal, and is
 * looked through on the way for what sealed steps asked for in vain.
 */
#include <builder/engine.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    TAIL_MAX = 64 << 10, /* of a quiet engine's output: shown when it fails */
    IDLE_MS = 200,
};

typedef struct relay {
    int from, to;      /* our end, the engine's end */
    int out;           /* where it goes; -1: kept back */
    sb_misses *misses; /* may be NULL */
    char *tail;        /* a ring of TAIL_MAX bytes */
    size_t tail_len;   /* bytes that went in */
    atomic_bool ended; /* the engine is */
    pthread_t thread;
} relay;

/* --- The thread that hands output through --- */

static void keep_back(relay *r, sb_slice piece)
{
    for (size_t i = 0; i < piece.len; i++)
        r->tail[r->tail_len++ % TAIL_MAX] = piece.ptr[i];
}

static void *hand_through(void *arg)
{
    relay *r = arg;
    char chunk[16384];

    for (;;) {
        struct pollfd fd = {r->from, POLLIN, 0};
        int ready = poll(&fd, 1, IDLE_MS);
        sb_slice piece;
        ssize_t n;

        /* Something that the engine left running may hold the other end for ever. */
        if (ready == 0 && atomic_load(&r->ended))
            return NULL;
        if (ready <= 0)
            continue;
        n = read(r->from, chunk, sizeof(chunk));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0) /* of a terminal that nobody has open any more: EIO */
            return NULL;
        piece = sb_slice_of(chunk, (size_t)n);
        if (r->misses)
            sb_misses_feed(r->misses, piece);
        if (r->out < 0)
            keep_back(r, piece);
        else
            (void)sb_write_all(r->out, piece.ptr, piece.len, "standard error", NULL);
    }
}

/* A terminal for the engine, like ours: it draws its progress on one only. */
static bool open_terminal(int *ret_from, int *ret_to)
{
    int from = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct winsize size;
    struct termios mode;
    char name[128];
    int to = -1;

    if (from >= 0 && grantpt(from) == 0 && unlockpt(from) == 0 && ptsname_r(from, name, sizeof(name)) == 0)
        to = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (to < 0) {
        sb_closep(&from);
        return false;
    }
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0)
        (void)ioctl(to, TIOCSWINSZ, &size);
    /* Our own terminal makes CR LF of LF; once is enough. */
    if (tcgetattr(to, &mode) == 0) {
        mode.c_oflag &= (tcflag_t)~OPOST;
        (void)tcsetattr(to, TCSANOW, &mode);
    }
    *ret_from = from;
    *ret_to = to;
    return true;
}

static int relay_start(relay *r, sb_error **err)
{
    int ends[2];

    if (r->out < 0)
        r->tail = sb_malloc(TAIL_MAX);
    if (r->out < 0 || !isatty(STDERR_FILENO) || !open_terminal(&r->from, &r->to)) {
        if (pipe2(ends, O_CLOEXEC) < 0)
            return sb_fail(err, SB_ERR_IO, "cannot create a pipe: %s", strerror(errno));
        r->from = ends[0];
        r->to = ends[1];
    }
    if (pthread_create(&r->thread, NULL, hand_through, r) != 0) {
        sb_closep(&r->from);
        sb_closep(&r->to);
        return sb_fail(err, SB_ERR_IO, "cannot start a thread");
    }
    return 0;
}

static void relay_end(relay *r, bool failed)
{
    size_t kept = r->tail_len < TAIL_MAX ? r->tail_len : TAIL_MAX, start = r->tail_len - kept;

    atomic_store(&r->ended, true);
    sb_closep(&r->to);
    pthread_join(r->thread, NULL);
    sb_closep(&r->from);
    for (size_t i = 0; failed && i < kept; i++)
        (void)sb_write_all(STDERR_FILENO, &r->tail[(start + i) % TAIL_MAX], 1, "standard error", NULL);
    free(r->tail);
}

/* --- The engine --- */

static int try_namespace(void *ctx)
{
    (void)ctx;
    return unshare(CLONE_NEWUTS | CLONE_NEWNET) < 0;
}

/* A builder of Docker's takes the name as an argument; Buildah is a child of ours, and lets its steps have
 * what it has. */
bool sb_engine_names_host(const sb_engine *engine)
{
    int status = 1;
    pid_t pid;

    if (engine->kind == SB_ENGINE_DOCKER)
        return true;
    return engine->kind == SB_ENGINE_BUILDAH && sb_process_fork(try_namespace, NULL, &pid, NULL) == 0 &&
           sb_process_wait(pid, &status, NULL) == 0 && status == 0;
}

int sb_engine_run_to(const sb_engine_job *job, int output, sb_error **err)
{
    sb_process_options options = {
        .argv = job->argv, .env = job->env, .host_name = job->host, .output_fd = output, .errors_fd = output};
    int status;

    if (sb_process_run(&options, &status, err) < 0)
        return -1;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "%s was interrupted", job->what);
    if (status != 0)
        return sb_fail(err, SB_ERR_BUILD, "%s failed (%s ended with status %d); its output says why",
                       job->what, job->argv[0], status);
    return 0;
}

int sb_engine_run(const sb_engine_job *job, sb_error **err)
{
    relay r = {.out = job->quiet ? -1 : STDERR_FILENO, .misses = job->misses};
    int result;

    if (relay_start(&r, err) < 0) {
        free(r.tail);
        return -1;
    }
    result = job->unplugged ? sb_engine_run_unplugged(job, r.to, err) : sb_engine_run_to(job, r.to, err);
    relay_end(&r, result < 0 && !sb_interrupted);
    return result;
}

int sb_engine_build(const sb_plan *plan, const char *const *argv, bool unplugged, const char *host,
                    sb_error **err)
{
    sb_engine_job job = {.argv = argv,
                         .env = plan->record ? plan->record->environment : NULL,
                         .what = "the build",
                         .host = host,
                         .quiet = plan->options->quiet,
                         .unplugged = unplugged,
                         .misses = plan->misses};

    return sb_engine_run(&job, err);
}
