// SPDX-License-Identifier: Apache-2.0
#include <sbuild/process.h>

#include <sbuild/fs.h>
#include <sbuild/progress.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct child {
    pid_t pid;
    int in, out, err; /* our ends; -1 when closed or inherited */
    bool told;        /* to end, since we were */
} child;

char *sb_process_find(const char *name)
{
    const char *path = getenv("PATH");
    sb_slice rest = sb_slice_z(path ? path : "/usr/local/bin:/usr/bin:/bin");

    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? sb_strdup(name) : NULL;
    while (rest.ptr) {
        sb_autofree char *dir = sb_slice_dup(sb_slice_cut(&rest, ':'));
        sb_autofree char *candidate = sb_path_join(*dir ? dir : ".", name);
        struct stat st;

        if (stat(candidate, &st) == 0 && S_ISREG(st.st_mode) && access(candidate, X_OK) == 0)
            return SB_TAKE(candidate);
    }
    return NULL;
}

static bool env_name_is(const char *entry, const char *name_or_entry)
{
    size_t n = strcspn(name_or_entry, "=");

    return strncmp(entry, name_or_entry, n) == 0 && entry[n] == '=';
}

static bool env_listed(const char *entry, const char *const *list)
{
    for (; list && *list; list++)
        if (env_name_is(entry, *list))
            return true;
    return false;
}

/* The child's environment: a NULL-terminated array of borrowed strings that the caller frees. */
static const char **build_env(const sb_process_options *options)
{
    const char **env = NULL;
    size_t len = 0, cap = 0;

    for (char **e = environ; *e; e++) {
        if (options->clear_env && !env_name_is(*e, "PATH") && !env_name_is(*e, "HOME"))
            continue;
        if (!env_listed(*e, options->env) && !env_listed(*e, options->unset))
            *SB_PUSH(env, len, cap) = *e;
    }
    for (const char *const *e = options->env; e && *e; e++)
        *SB_PUSH(env, len, cap) = *e;
    *SB_PUSH(env, len, cap) = NULL;
    return env;
}

static void child_exec(const sb_process_options *options, const char *program, const char *const *env, int in,
                       int out, int err)
{
    sigset_t none;

    if ((in >= 0 && dup2(in, 0) < 0) || (out >= 0 && dup2(out, 1) < 0) || (err >= 0 && dup2(err, 2) < 0))
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (options->cwd && chdir(options->cwd) < 0)
        _exit(127);
    if (options->host_name && unshare(CLONE_NEWUTS) == 0)
        (void)!sethostname(options->host_name, strlen(options->host_name));
    execve(program, (char *const *)(uintptr_t)options->argv, (char *const *)(uintptr_t)env);
    _exit(127);
}

typedef struct pair {
    int ends[2];
} pair;

static void close_pair(pair *p)
{
    sb_closep(&p->ends[0]);
    sb_closep(&p->ends[1]);
}

static int take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

static int make_pipe(bool wanted, int ends[2], sb_error **err)
{
    if (wanted && pipe2(ends, O_CLOEXEC) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a pipe: %s", strerror(errno));
    return 0;
}

static int start(const sb_process_options *options, child *ret_child, sb_error **err)
{
    sb_autofree char *program = sb_process_find(options->argv[0]);
    sb_autofree const char **env = build_env(options);
    bool capture_out = !options->output_fd && (options->output || options->on_output);
    bool capture_err = !options->errors_fd && (options->errors || options->on_output);
    __attribute__((cleanup(close_pair))) pair in = {{-1, -1}}, out = {{-1, -1}}, errs = {{-1, -1}};
    sb_autoclose int null = -1;
    int child_in, child_out, child_err;
    pid_t pid;

    if (!program)
        return sb_fail(err, SB_ERR_NOT_FOUND, "the program %s is not installed", options->argv[0]);
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0)
        return sb_fail(err, SB_ERR_IO, "cannot open /dev/null: %s", strerror(errno));
    if (make_pipe(options->input.ptr != NULL, in.ends, err) < 0 ||
        make_pipe(capture_out, out.ends, err) < 0 || make_pipe(capture_err, errs.ends, err) < 0)
        return -1;
    child_in = options->input_fd > 0 ? options->input_fd : options->input.ptr ? in.ends[0] : null;
    child_out = options->output_fd > 0 ? options->output_fd : out.ends[1];
    child_err = options->errors_fd > 0 ? options->errors_fd : errs.ends[1];
    pid = fork();
    if (pid == 0)
        child_exec(options, program, env, child_in, child_out, child_err);
    if (pid < 0)
        return sb_fail(err, SB_ERR_IO, "cannot start %s: %s", options->argv[0], strerror(errno));
    *ret_child = (child){pid, take(&in.ends[1]), take(&out.ends[0]), take(&errs.ends[0]), false};
    return 0;
}

/* One read; closes the end on end-of-file. False when a buffer's maximum was hit. */
static bool drain(const sb_process_options *options, int *fd, int stream)
{
    sb_buf *buf = stream == 1 ? options->output : options->errors;
    char chunk[16384];
    ssize_t n = read(*fd, chunk, sizeof(chunk));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return true;
    }
    if (options->on_output) {
        options->on_output(options->ctx, stream, sb_slice_of(chunk, (size_t)n));
        return true;
    }
    return sb_buf_add(buf, chunk, (size_t)n);
}

static void feed(int *fd, sb_slice *input)
{
    ssize_t n = input->len ? write(*fd, input->ptr, input->len) : 0;

    if (n > 0) {
        input->ptr += n;
        input->len -= (size_t)n;
    }
    /* A child that reads no further (EPIPE) is its own business: its status tells. */
    if (input->len == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(*fd);
        *fd = -1;
    }
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A terminal interrupts our children with us; a supervisor that stops us alone does not. */
static void pass_on_interrupt(child *c)
{
    if (sb_interrupted && !c->told) {
        c->told = true;
        kill(c->pid, SIGTERM);
    }
}

static int pump(const sb_process_options *options, child *c, sb_error **err)
{
    int64_t deadline = options->timeout ? now_ms() + (int64_t)options->timeout * 1000 : 0;
    sb_slice input = options->input;

    if (c->in >= 0)
        fcntl(c->in, F_SETFL, O_NONBLOCK);
    while (c->in >= 0 || c->out >= 0 || c->err >= 0) {
        struct pollfd fds[3] = {{c->in, POLLOUT, 0}, {c->out, POLLIN, 0}, {c->err, POLLIN, 0}};
        int64_t left = deadline ? deadline - now_ms() : -1;
        int n = deadline && left <= 0 ? 0 : poll(fds, 3, left > 3600000 ? 3600000 : (int)left);

        pass_on_interrupt(c);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sb_fail(err, SB_ERR_IO, "cannot wait for %s: %s", options->argv[0], strerror(errno));
        if (deadline && now_ms() >= deadline)
            return sb_fail(err, SB_ERR_NETWORK, "%s did not finish within %u seconds", options->argv[0],
                           options->timeout);
        if (fds[0].revents)
            feed(&c->in, &input);
        if ((fds[1].revents && !drain(options, &c->out, 1)) ||
            (fds[2].revents && !drain(options, &c->err, 2)))
            return sb_fail(err, SB_ERR_LIMIT, "%s printed more than the maximum", options->argv[0]);
    }
    return 0;
}

int sb_process_run(const sb_process_options *options, int *ret_status, sb_error **err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    int status, result;
    child c;

    if (start(options, &c, err) < 0)
        return -1;
    sigaction(SIGPIPE, &ignore, &old);
    result = pump(options, &c, err);
    sigaction(SIGPIPE, &old, NULL);
    if (result < 0)
        kill(c.pid, SIGKILL);
    sb_closep(&c.in);
    sb_closep(&c.out);
    sb_closep(&c.err);
    while (waitpid(c.pid, &status, 0) < 0) {
        if (errno != EINTR)
            return sb_fail(err, SB_ERR_IO, "cannot wait for %s: %s", options->argv[0], strerror(errno));
        pass_on_interrupt(&c);
    }
    if (result < 0)
        return -1;
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}

int sb_process_fork(int (*work)(void *ctx), void *ctx, pid_t *ret_pid, sb_error **err)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        return sb_fail(err, SB_ERR_IO, "cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
            _exit(127);
        _exit(work(ctx));
    }
    *ret_pid = pid;
    return 0;
}

int sb_process_wait(pid_t pid, int *ret_status, sb_error **err)
{
    bool told = false;

    while (waitpid(pid, ret_status, 0) < 0) {
        if (errno != EINTR)
            return sb_fail(err, SB_ERR_IO, "cannot wait for a process: %s", strerror(errno));
        if (sb_interrupted && !told) {
            told = true;
            (void)kill(pid, SIGTERM);
        }
    }
    return 0;
}
