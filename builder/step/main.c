// SPDX-License-Identifier: Apache-2.0
/*
 * sbuild-step, the program inside a RUN. It brings everything that it needs with it: the image may have no
 * library, no shell, no /proc and no /tmp.
 */
#include <builder/step/run.h>

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

/* The library's errors are messages already. */
static int refuse(const sb_error *error)
{
    fprintf(stderr, "sbuild: %s\n", error->message);
    return SB_STEP_EXIT_REFUSED;
}

static int run(char *const *argv)
{
    SB_AUTO(sb_error) error = NULL;
    int status = step_run(argv, &error);

    return status < 0 ? refuse(error) : status;
}

/* Docker makes a cache under a umask of its own, whatever mode is asked for; steps of any user record into
 * it. */
static int open_caches(char *const *dirs, size_t count, sb_error **err)
{
    for (size_t i = 0; i < count; i++)
        if (chmod(dirs[i], 0777) < 0)
            return sb_fail(err, SB_ERR_IO, "cannot open %s to every user: %s", dirs[i], strerror(errno));
    return 0;
}

static int probe(char *const *dirs, size_t count)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autobuf out = SB_BUF_INIT(1 << 20);

    if (open_caches(dirs, count, &error) < 0 || step_probe(&out, &error) < 0)
        return refuse(error);
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : SB_STEP_EXIT_REFUSED;
}

static int export(char *const *arguments, size_t count)
{
    SB_AUTO(sb_error) error = NULL;

    return step_export(arguments, count - 1, arguments[count - 1], &error) < 0 ? refuse(error) : 0;
}

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    const char *command = argc > 1 ? argv[1] : "";

    if (slash && strcmp(slash + 1, STEP_GPGV) == 0)
        return step_gpgv(argv);
    if (slash && strcmp(slash + 1, STEP_APT_PROXY) == 0)
        return step_apt_proxy();
    if (strcmp(command, "--") == 0 && argc > 2)
        return run(argv + 2);
    if (strcmp(command, "export") == 0 && argc > 3)
        return export(argv + 2, (size_t)argc - 2);
    if (strcmp(command, "forget") == 0) {
        step_forget(argv + 2, (size_t)argc - 2);
        return 0;
    }
    if (strcmp(command, "probe") == 0)
        return probe(argv + 2, (size_t)argc - 2);
    fputs("usage: " SB_STEP_PROGRAM " -- COMMAND [ARGUMENT...]\n"
          "       " SB_STEP_PROGRAM " export DIRECTORY... TO\n"
          "       " SB_STEP_PROGRAM " forget DIRECTORY...\n"
          "       " SB_STEP_PROGRAM " probe [DIRECTORY...]\n",
          stderr);
    return EXIT_USAGE;
}
