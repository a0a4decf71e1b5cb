// SPDX-License-Identifier: Apache-2.0
/*
 * gpgv as apt calls it on replay: the real one verifies, and what it says of a good signature by a key that
 * has expired since then, or one that was good for some time, is put as it was when the lock was made. Apt
 * reads that from a descriptor of its choice ("--status-fd"). Revoked keys and bad signatures stay what they
 * are.
 */
#include <builder/step/run.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LINE_SIZE = 8192,
    STATUS_NOT_RUN = 126,
    STATUS_SIGNAL = 128,
    STATUS_FAILED = 2,
    DESCRIPTOR_MAX = 1 << 16
};

static const char *const real[] = {"gpgv", "gpgv2", "gpgv1"};

/* -1: none. */
static int status_descriptor(char **argv)
{
    static const char option[] = "--status-fd";
    uint64_t number;

    for (; *argv; argv++) {
        const char *value = NULL;

        if (strcmp(*argv, option) == 0)
            value = argv[1];
        else if (strncmp(*argv, option, sizeof(option) - 1) == 0 && (*argv)[sizeof(option) - 1] == '=')
            value = *argv + sizeof(option);
        if (value && sb_slice_to_u64(sb_slice_z(value), &number) && number < DESCRIPTOR_MAX)
            return (int)number;
    }
    return -1;
}

static void become_real(char **argv)
{
    int problem = ENOENT;

    for (size_t i = 0; i < SB_COUNT(real) && problem == ENOENT; i++) {
        execvpe(real[i], argv, environ);
        problem = errno;
    }
    fprintf(stderr, "sbuild: cannot run gpgv: %s\n", strerror(problem));
    _exit(problem == ENOENT ? STATUS_NOT_RUN + 1 : STATUS_NOT_RUN);
}

/* "[GNUPG:] EXPKEYSIG …" → "[GNUPG:] GOODSIG …"; false: the line is left out. */
static bool write_line(FILE *out, const char *line)
{
    static const struct {
        const char *from, *to;
    } words[] = {
        {"[GNUPG:] EXPKEYSIG ", "[GNUPG:] GOODSIG "},
        {"[GNUPG:] EXPSIG ", "[GNUPG:] GOODSIG "},
        {"[GNUPG:] KEYEXPIRED ", NULL},
        {"[GNUPG:] SIGEXPIRED ", NULL},
    };

    for (size_t i = 0; i < SB_COUNT(words); i++) {
        size_t len = strlen(words[i].from);

        if (strncmp(line, words[i].from, len) != 0)
            continue;
        return !words[i].to || (fputs(words[i].to, out) >= 0 && fputs(line + len, out) >= 0);
    }
    return fputs(line, out) >= 0;
}

static bool hand_on(int from, int to)
{
    FILE *in = fdopen(from, "re");
    FILE *out = fdopen(to, "we");
    char line[LINE_SIZE];
    bool fine = in && out;

    while (fine && fgets(line, sizeof(line), in))
        fine = write_line(out, line);
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        fine = false;
    return fine;
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return STATUS_FAILED;
    return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int step_gpgv(char **argv)
{
    int status_fd = status_descriptor(argv);
    int status, ends[2];
    pid_t pid;
    bool fine;

    if (status_fd < 0)
        become_real(argv); /* the caller goes by the exit status alone, which does not expire */
    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fprintf(stderr, "sbuild: cannot run gpgv: %s\n", strerror(errno));
        return STATUS_NOT_RUN;
    }
    if (pid == 0) {
        /* dup2 onto itself would keep the flag that closes it. */
        if (ends[1] == status_fd ? fcntl(status_fd, F_SETFD, 0) < 0 : dup2(ends[1], status_fd) < 0)
            _exit(STATUS_NOT_RUN);
        become_real(argv);
    }
    close(ends[1]);
    fine = hand_on(ends[0], status_fd);
    status = wait_for(pid);
    return fine || status ? status : STATUS_FAILED;
}
