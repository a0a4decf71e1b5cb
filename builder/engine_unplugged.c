// SPDX-License-Identifier: Apache-2.0
/* An engine whose own way of taking the network from steps does nothing runs in an empty network itself. */
#include <builder/engine.h>

#include <sbuild/process.h>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { EXIT_NO_NETWORK = 200, EXIT_NO_PROGRAM = 201 };

/* Steps may talk to themselves. */
static bool loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    sb_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

typedef struct unplugged {
    const sb_engine_job *job;
    int output;
} unplugged;

static int run_in_child(void *ctx)
{
    const unplugged *u = ctx;
    SB_AUTO(sb_error) failed = NULL;

    if (unshare(CLONE_NEWNET) < 0 || !loopback_up())
        return EXIT_NO_NETWORK;
    if (sb_engine_run_to(u->job, u->output, &failed) == 0)
        return 0;
    return failed->code == SB_ERR_BUILD ? 1 : EXIT_NO_PROGRAM;
}

int sb_engine_run_unplugged(const sb_engine_job *job, int output, sb_error **err)
{
    unplugged u = {job, output};
    pid_t pid;
    int status;

    if (sb_process_fork(run_in_child, &u, &pid, err) < 0 || sb_process_wait(pid, &status, err) < 0)
        return -1;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "%s was interrupted", job->what);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_NETWORK)
        return sb_fail(
            err, SB_ERR_ENGINE,
            "%s with chroot isolation cannot take the network from steps, and an empty network could not "
            "be made for it; run as root, or use BUILDAH_ISOLATION=oci",
            job->argv[0]);
    return sb_fail(err, SB_ERR_BUILD, "%s failed; the output of %s says why", job->what, job->argv[0]);
}
