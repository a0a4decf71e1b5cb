// SPDX-License-Identifier: Apache-2.0
/*
 * The user's command as a child of this process, which is process 1 of the container in most engines: it
 * inherits everything (descriptors, group, limits, umask), gets the signals that somebody outside sends, and
 * whatever it leaves behind is reaped.
 */
#include <builder/step/run.h>

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NOT_FOUND = 127, STATUS_NOT_RUN = 126, STATUS_SIGNAL = 128 };

/* What a mistake in this very program raises has to end it; everything else is waited for. */
static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

static void signals_held(sigset_t *ret_set)
{
    sigfillset(ret_set);
    for (size_t i = 0; i < SB_COUNT(own_faults); i++)
        sigdelset(ret_set, own_faults[i]);
}

void step_signals_hold(step_child *child)
{
    struct sigaction ordinary = {.sa_handler = SIG_DFL};
    sigset_t held;

    signals_held(&held);
    sigprocmask(SIG_BLOCK, &held, &child->mask);
    /* Where it was ignored, there would be nothing to wait for. */
    sigaction(SIGCHLD, &ordinary, &child->sigchld);
    /* Orphans come to process 1; where that is somebody else, they come here all the same. */
    if (getpid() != 1)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* In the child: never returns. */
static void become(const step_child *child, char *const *argv, char *const *env)
{
    sb_autofree char *name = NULL;
    int problem;

    sigaction(SIGCHLD, &child->sigchld, NULL);
    sigprocmask(SIG_SETMASK, &child->mask, NULL);
    execvpe(argv[0], argv, env);
    problem = errno;
    name = sb_printable(sb_slice_z(argv[0]));
    fprintf(stderr, "sbuild: cannot run %s: %s\n", name, strerror(problem));
    _exit(problem == ENOENT || problem == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
}

int step_child_start(step_child *child, char *const *argv, char *const *env, sb_error **err)
{
    child->pid = fork();
    if (child->pid < 0)
        return sb_fail(err, SB_ERR_IO, "cannot start %s: %s", argv[0], strerror(errno));
    if (child->pid == 0)
        become(child, argv, env);
    return 0;
}

/* Takes every child that has ended; true with the status of the command when it is among them. */
static bool reap(const step_child *child, int *ret_status)
{
    bool ended = false;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != child->pid)
            continue;
        *ret_status = WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
        ended = true;
    }
    return ended;
}

/*
 * Did a process of the step send it? Then it is for somebody else: "kill 0" means the whole group, which the
 * command is in too and has had it already; and to signal process 1 of a container has no effect by default.
 * The kernel gives senders outside of the container the number 0.
 */
static bool from_inside(const step_child *child, const siginfo_t *info)
{
    if (info->si_code > 0) /* the kernel: a terminal, a limit; those signal whole groups */
        return true;
    return getpid() == 1 ? info->si_pid != 0 : info->si_pid == child->pid;
}

int step_child_wait(const step_child *child)
{
    sigset_t held;
    siginfo_t info;
    int status = 0;

    signals_held(&held);
    for (;;) {
        int number = sigwaitinfo(&held, &info);

        if (number == SIGCHLD) {
            if (reap(child, &status))
                return status;
        } else if (number > 0 && !from_inside(child, &info)) {
            kill(child->pid, number);
        }
    }
}
